"""The writer in trouble: poison, broken connections and an absent database; what was answered is stored, and once."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from reports.errors import StoreUnavailable
from reports.intake import writer
from reports.intake.copying import copy_rows
from reports.intake.writer import ReportRow, Submission, write_group
from reports.models import Service
from tests.factories import NOW
from tests.intake.submissions import (
    PATIENCE_SECONDS,
    FirstGroupWaits,
    answer_of,
    batched_ids,
    in_a_thread,
    new_writer,
    row_for,
    stored_ids,
    submission_for,
)

pytestmark = pytest.mark.django_db(transaction=True)  # the writer's thread must see the rows, and the test its own


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "RETRY_PAUSE_SECONDS", 0.0)


# -- Poison ------------------------------------------------------------------------------------------------------------


def poisoned_for(service: Service) -> Submission:
    """Return a submission the contract would have refused, and the database does."""
    return Submission((row_for(service, "no \x00 mail"),))


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(poisoned_for, id="a NUL character"),
        pytest.param(lambda service: Submission((row_for(service, source="x" * 101),)), id="a value too long"),
        pytest.param(lambda service: Submission((row_for(service, "\ud800"),)), id="half a character"),
        pytest.param(lambda service: submission_for(Service(pk=0, slug="gone")), id="a service that is gone"),
    ],
)
def test_a_poisoned_submission_does_not_harm_its_neighbours(
    service: Service, first_waits: FirstGroupWaits, spoil: Callable[[Service], Submission]
) -> None:
    shared = new_writer()
    opening = shared.submit(submission_for(service))
    first_waits.has_begun.wait(PATIENCE_SECONDS)

    before, poisoned, after = (
        shared.submit(each) for each in (submission_for(service), spoil(service), submission_for(service, key="k"))
    )
    first_waits.go.set()
    answers = [answer_of(future) for future in (opening, before, after)]

    with pytest.raises(StoreUnavailable):
        answer_of(poisoned)
    assert stored_ids() == batched_ids() == Counter(answer.report_ids[0] for answer in answers)


def test_a_poisoned_submission_alone_leaves_the_writer_alive(service: Service) -> None:
    shared = new_writer()

    with pytest.raises(StoreUnavailable):
        answer_of(shared.submit(poisoned_for(service)))
    answer = answer_of(shared.submit(submission_for(service)))

    assert stored_ids() == Counter(answer.report_ids)


def test_the_log_of_a_poisoned_submission_does_not_tell_its_text(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    poisoned = Submission((row_for(service, "my very own words", source="own source " * 10),))

    with pytest.raises(StoreUnavailable) as refused:
        answer_of(new_writer().submit(poisoned))

    assert "own" not in caplog.text.replace("unknown", "")
    assert "own" not in str(refused.value)


# -- A connection that breaks ------------------------------------------------------------------------------------------


def kill_own_connection() -> None:
    """Have the server end the connection of this thread, as a restart or a failover does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


class CommitBreaks:
    """Stands in for what commits on the writer's thread: breaks the connection at the first time.

    That is Django's COMMIT, or for a group of rows alone the end of `copy_rows`.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, is_done: bool) -> None:
        self.is_done = is_done
        self.n_broken = 0
        django_commit: Any = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]
        monkeypatch.setattr(BaseDatabaseWrapper, "_commit", lambda wrapper: self._run(lambda: django_commit(wrapper)))
        monkeypatch.setattr(writer, "copy_rows", self._copy)

    def _copy(self, rows: Sequence[ReportRow], **options: Any) -> None:
        if connection.in_atomic_block:
            copy_rows(rows, **options)
        else:
            self._run(lambda: copy_rows(rows, **options))

    def _run(self, commit: Callable[[], None]) -> None:
        if threading.current_thread().name != "report-writer" or self.n_broken:
            commit()
            return
        self.n_broken += 1
        if self.is_done:
            commit()
        kill_own_connection()


@pytest.mark.parametrize("is_done", [False, True], ids=["before it happens", "after it happened"])
@pytest.mark.parametrize("key", ["", "k"], ids=["without a key", "with a key"])
def test_a_connection_that_breaks_at_the_commit_stores_each_report_once(
    service: Service, monkeypatch: pytest.MonkeyPatch, is_done: bool, key: str
) -> None:
    breaking = CommitBreaks(monkeypatch, is_done=is_done)
    ours = submission_for(service, 3, key=key)

    answer = answer_of(new_writer().submit(ours))

    assert breaking.n_broken == 1
    assert answer.report_ids == tuple(row.id for row in ours.rows)
    assert stored_ids() == batched_ids() == Counter(answer.report_ids)


@pytest.mark.parametrize(
    ("step", "key"), [("_claim_key", "k"), ("copy_rows", "k"), ("copy_rows", ""), ("_add_contacts", "k")]
)
def test_a_connection_that_breaks_before_the_commit_stores_each_report_once(
    service: Service, monkeypatch: pytest.MonkeyPatch, step: str, key: str
) -> None:
    real_step = getattr(writer, step)
    broken: list[str] = []

    def breaks_at_first(*args: Any, **options: Any) -> Any:
        if not broken:
            broken.append(step)
            kill_own_connection()
        return real_step(*args, **options)

    monkeypatch.setattr(writer, step, breaks_at_first)
    answer = answer_of(new_writer().submit(submission_for(service, 2, key=key)))

    assert broken == [step]
    assert stored_ids() == batched_ids() == Counter(answer.report_ids)


class KillsTheCopyOnce:
    """Stands in for a row: when its values are first asked for, a rival ends the connection that copies them."""

    def __init__(self, row: ReportRow) -> None:
        self._row = row
        self.n_killed = 0

    def __getattr__(self, name: str) -> Any:
        if name == "report" and not self.n_killed:
            self.n_killed = in_a_thread(self._kill)
        return getattr(self._row, name)

    def _kill(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE state = 'active' AND query LIKE 'INSERT %; COPY reports%'"  # others idle after the same
            )
            return len(cursor.fetchall())


def test_a_connection_that_breaks_within_the_copy_stores_each_report_once(service: Service) -> None:
    killing: Any = KillsTheCopyOnce(row_for(service))
    ours = Submission((row_for(service), killing))

    answer = answer_of(new_writer().submit(ours))

    assert killing.n_killed == 1
    assert stored_ids() == batched_ids() == Counter(answer.report_ids)


def test_a_connection_that_is_gone_is_told_as_everywhere_else(service: Service) -> None:
    connection.ensure_connection()
    backend = connection.connection.info.backend_pid

    def kill_it() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])  # and wait until it has ended

    in_a_thread(kill_it)
    with pytest.raises(OperationalError):  # said by libpq, for there is no server to say it
        write_group([submission_for(service)], now=NOW)
    connection.close()

    assert stored_ids() == Counter()


def test_a_commit_that_comes_through_late_is_found_out(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    CommitBreaks(monkeypatch, is_done=True)
    looks: queue.SimpleQueue[bool] = queue.SimpleQueue()
    is_stored = writer._is_stored

    def not_yet_seen_at_first(submissions: Sequence[Submission]) -> bool:
        is_first = looks.empty()
        looks.put(True)
        return not is_first and is_stored(submissions)

    monkeypatch.setattr(writer, "_is_stored", not_yet_seen_at_first)
    answer = answer_of(new_writer().submit(submission_for(service, 2)))

    assert stored_ids() == batched_ids() == Counter(answer.report_ids)


def test_a_connection_that_was_killed_while_idle_is_replaced(service: Service) -> None:
    shared = new_writer()
    first = answer_of(shared.submit(submission_for(service)))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database() ORDER BY state_change DESC LIMIT 1"
        )

    second = answer_of(shared.submit(submission_for(service)))

    assert stored_ids() == Counter(first.report_ids + second.report_ids)


def test_a_database_that_comes_back_in_time_is_outlasted(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = iter(range(3))

    def away_three_times(submissions: Sequence[Submission], **options: Any) -> Any:
        if next(failures, None) is not None:
            raise OperationalError("the database system is starting up")
        return write_group(submissions, **options)

    monkeypatch.setattr(writer, "write_group", away_three_times)
    answer = answer_of(new_writer().submit(submission_for(service)))

    assert not answer.is_repeat
    assert stored_ids() == Counter(answer.report_ids)
