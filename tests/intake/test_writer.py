"""The writer: what one transaction stores, whose key it is, and how submissions gather while one is under way."""

from __future__ import annotations

import os
import time
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from reports.errors import IdempotencyConflict
from reports.intake import copying, writer
from reports.intake.contract import ReportIn
from reports.intake.ids import uuid7
from reports.intake.writer import Idempotency, ReportRow, Submission, Written, write_group
from reports.models import IdempotencyKey, IntakeBatch, Report, ReportContact, Service
from tests.factories import NOW, make_service
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
    wait_for_somebody_who_waits_for_a_lock,
    wait_until,
)

with_a_thread = pytest.mark.django_db(transaction=True)  # the writer's thread must see the rows, and the test its own


# -- One transaction ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_field_reaches_its_column(service: Service) -> None:
    earlier = NOW - timedelta(hours=2)
    fields = {
        "text": "no mail\n\tفي الشبكة 😀", "region": "DE-BY", "symptom": "slow", "source": "app", "lang": "pt-BR",
        "url": "https://example.org/a", "release": "1.2", "trace": "4bf92f3577b34da6a3ce929d0e0e4736",
    }  # fmt: skip
    row = ReportRow(
        id=uuid7(NOW), service_id=service.pk, channel="bulk", reporter=bytes(range(16)), received_at=NOW,
        counted_at=earlier, report=ReportIn(service="mail", occurred_at=earlier, **fields),
    )  # fmt: skip

    write_group([Submission((row,))], now=NOW)

    stored = Report.objects.get()
    assert {field: getattr(stored, field) for field in fields} == fields
    assert (stored.id, stored.service_id, stored.channel) == (row.id, service.pk, "bulk")
    assert bytes(stored.reporter) == row.reporter
    assert (stored.occurred_at, stored.received_at, stored.counted_at) == (earlier, NOW, earlier)


@pytest.mark.django_db
def test_a_report_without_a_time_occurred_when_it_was_received(service: Service) -> None:
    write_group([submission_for(service)], now=NOW)

    assert Report.objects.get().occurred_at == NOW


@pytest.mark.django_db
def test_a_contact_stands_apart_from_its_report(service: Service) -> None:
    silent, told = row_for(service), row_for(service, contact="me@example.org")

    write_group([Submission((silent, told))], now=NOW)

    assert list(ReportContact.objects.values_list("report_id", "address", "created_at")) == [
        (told.id, "me@example.org", NOW)
    ]


@pytest.mark.django_db
def test_a_batch_holds_exactly_the_reports_of_its_service(service: Service) -> None:
    other = make_service("chat")
    mine, others = submission_for(service, 3), submission_for(other, 2)

    write_group([mine, others], now=NOW)

    batches = {batch.service_id: batch.report_ids for batch in IntakeBatch.objects.all()}
    assert batches == {service.pk: [row.id for row in mine.rows], other.pk: [row.id for row in others.rows]}
    assert set(IntakeBatch.objects.values_list("written_at", "clustered_at")) == {(NOW, None)}


@pytest.mark.django_db
def test_a_large_submission_is_several_batches(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "BATCH_REPORTS", 4)
    large = submission_for(service, 10)

    write_group([large], now=NOW)

    sizes = [len(ids) for ids in IntakeBatch.objects.order_by("id").values_list("report_ids", flat=True)]
    assert sizes == [4, 4, 2]
    assert batched_ids() == Counter(row.id for row in large.rows)


def trips_of(work: Callable[[], object], trace: Path) -> int:
    """Return how often the work waits for the server to answer, as libpq writes it down."""
    connection.ensure_connection()
    with trace.open("w+") as written:
        connection.connection.pgconn.trace(written.fileno())
        try:
            work()
        finally:
            connection.connection.pgconn.untrace()
        written.seek(0)
        return sum("ReadyForQuery" in line or "CopyInResponse" in line for line in written)


@with_a_thread
def test_a_group_costs_two_trips_to_the_database(service: Service, tmp_path: Path) -> None:
    submissions = [submission_for(service) for _ in range(20)] + [submission_for(make_service("chat"))]

    n_trips = trips_of(lambda: write_group(submissions, now=NOW), tmp_path / "trace")

    assert n_trips == 2
    assert stored_ids() == batched_ids() == Counter(row.id for each in submissions for row in each.rows)


@with_a_thread
@pytest.mark.parametrize("spoil", ["the rows", "a service that is gone"])
def test_of_a_group_that_is_refused_nothing_is_stored(service: Service, spoil: str) -> None:
    spoilt = row_for(service, source="x" * 101) if spoil == "the rows" else row_for(Service(pk=0, slug="gone"))

    with pytest.raises((DataError, IntegrityError)):
        write_group([submission_for(service), Submission((spoilt,))], now=NOW)

    assert stored_ids() == batched_ids() == Counter()
    assert write_group([submission_for(service)], now=NOW)  # on the same connection


@pytest.mark.django_db
def test_a_refused_group_leaves_the_transaction_around_it_standing(service: Service) -> None:
    with pytest.raises(DataError):
        write_group([Submission((row_for(service, source="x" * 101),))], now=NOW)

    assert stored_ids() == batched_ids() == Counter()


@pytest.mark.django_db
def test_clustering_is_nudged_after_the_commit(
    service: Service, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr("reports.nudge._send", lambda stage: None)

    with django_capture_on_commit_callbacks() as callbacks:
        write_group([submission_for(service), submission_for(service)], now=NOW)

    assert len(callbacks) == 1


@pytest.mark.django_db
def test_a_group_of_repeats_alone_nudges_nobody(
    service: Service, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr("reports.nudge._send", lambda stage: None)
    write_group([submission_for(service, key="k")], now=NOW)

    with django_capture_on_commit_callbacks() as callbacks:
        write_group([submission_for(service, key="k")], now=NOW)

    assert callbacks == []


# -- Idempotency -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_repeated_key_gets_the_first_answer_and_stores_nothing(service: Service) -> None:
    errors: tuple[dict[str, object], ...] = ({"item": 1, "field": "text", "message": "Is empty."},)
    claim = Idempotency("key:1", "k", b"d" * 32)
    first = Submission((row_for(service),), claim, errors)
    write_group([first], now=NOW)

    answers = write_group([Submission((row_for(service),), claim)], now=NOW)

    assert answers == [Written((first.rows[0].id,), errors, is_repeat=True)]
    assert stored_ids() == batched_ids() == Counter([first.rows[0].id])


@pytest.mark.django_db
def test_a_key_twice_in_one_group_is_stored_once(service: Service) -> None:
    first, second = submission_for(service, key="k"), submission_for(service, key="k")

    answers = write_group([first, second], now=NOW)

    assert [answer.report_ids for answer in answers if isinstance(answer, Written)] == [(first.rows[0].id,)] * 2
    assert stored_ids() == Counter([first.rows[0].id])


@pytest.mark.django_db
def test_a_key_with_another_body_is_a_conflict_and_its_neighbours_are_stored(service: Service) -> None:
    write_group([submission_for(service, key="k", body=b"one")], now=NOW)
    neighbour = submission_for(service)

    conflict, answer = write_group([submission_for(service, key="k", body=b"two"), neighbour], now=NOW)

    assert isinstance(conflict, IdempotencyConflict)
    assert "'k' was used before with another body" in str(conflict)
    assert answer == Written((neighbour.rows[0].id,))
    assert Report.objects.count() == 2


@pytest.mark.django_db
def test_another_clients_key_is_another_key(service: Service) -> None:
    for client in ["key:1", "key:2"]:
        write_group([Submission((row_for(service),), Idempotency(client, "k", client.encode().ljust(32)))], now=NOW)

    assert IdempotencyKey.objects.count() == Report.objects.count() == 2


@with_a_thread
def test_one_key_from_many_threads_and_processes_is_stored_once(service: Service) -> None:
    writers = [new_writer() for _ in range(3)]
    submissions = [submission_for(service, key="k") for _ in range(24)]

    futures = [writers[number % 3].submit(each) for number, each in enumerate(submissions)]
    answers = [answer_of(future) for future in futures]

    assert len({answer.report_ids for answer in answers}) == 1
    assert [answer.is_repeat for answer in answers].count(False) == 1
    assert stored_ids() == batched_ids() == Counter(answers[0].report_ids)


@with_a_thread
def test_a_rival_that_commits_the_key_first_gives_the_answer(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    rival, ours = submission_for(service, key="k"), submission_for(service, key="k")
    claim_key = writer._claim_key

    def claim_after_the_rival(submission: Submission, **options: Any) -> Any:
        if submission is ours:
            in_a_thread(lambda: write_group([rival], now=NOW))
        return claim_key(submission, **options)

    monkeypatch.setattr(writer, "_claim_key", claim_after_the_rival)
    answer = answer_of(new_writer().submit(ours))

    assert answer == Written((rival.rows[0].id,), is_repeat=True)
    assert stored_ids() == batched_ids() == Counter([rival.rows[0].id])


@pytest.mark.parametrize("rival_commits", [True, False])
@with_a_thread
def test_a_key_that_a_rival_is_writing_is_waited_for(service: Service, rival_commits: bool) -> None:
    rival, ours = submission_for(service, key="k"), submission_for(service, key="k")

    with transaction.atomic():
        write_group([rival], now=NOW)
        future = new_writer().submit(ours)
        wait_for_somebody_who_waits_for_a_lock()
        transaction.set_rollback(not rival_commits)
    answer = answer_of(future)

    winner = rival if rival_commits else ours
    assert answer == Written((winner.rows[0].id,), is_repeat=rival_commits)
    assert stored_ids() == batched_ids() == Counter([winner.rows[0].id])


# -- Gathering ---------------------------------------------------------------------------------------------------------


@with_a_thread
def test_reports_from_many_threads_are_each_stored_once(service: Service) -> None:
    shared = new_writer()
    submissions = [submission_for(service, 1 + number % 3) for number in range(240)]

    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda each: answer_of(shared.submit(each)), submissions))

    assert [answer.report_ids for answer in answers] == [tuple(row.id for row in each.rows) for each in submissions]
    assert stored_ids() == batched_ids() == Counter(row.id for each in submissions for row in each.rows)


@with_a_thread
def test_what_comes_during_a_commit_is_the_next_group(service: Service, first_waits: FirstGroupWaits) -> None:
    shared = new_writer()
    futures = [shared.submit(submission_for(service))]
    first_waits.has_begun.wait(PATIENCE_SECONDS)

    futures += [shared.submit(submission_for(service)) for _ in range(30)]
    first_waits.go.set()
    for future in futures:
        answer_of(future)

    assert [len(group) for group in first_waits.groups] == [1, 30]
    assert Report.objects.count() == 31


@with_a_thread
def test_what_comes_soon_after_a_crowd_is_one_group(
    service: Service, first_waits: FirstGroupWaits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "CROWD", 2)
    monkeypatch.setattr(writer, "GATHER_SECONDS", 0.5)
    shared = new_writer()
    opening = shared.submit(submission_for(service))
    first_waits.has_begun.wait(PATIENCE_SECONDS)
    crowd = [shared.submit(submission_for(service)) for _ in range(2)]
    first_waits.go.set()
    for answer in (opening, *crowd):
        answer_of(answer)

    late = [shared.submit(submission_for(service))]
    time.sleep(0.05)
    late.append(shared.submit(submission_for(service)))
    for answer in late:
        answer_of(answer)

    assert [len(group) for group in first_waits.groups] == [1, 2, 2]


@with_a_thread
def test_groups_that_follow_each_other_share_a_connection(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "KEEP_SECONDS", PATIENCE_SECONDS)
    shared = new_writer()
    n_before = connection.pool.get_stats()["requests_num"]

    for _ in range(3):
        answer_of(shared.submit(submission_for(service)))
    n_after = connection.pool.get_stats()["requests_num"]
    shared.close()
    shared.join()

    assert n_after == n_before + 1


@with_a_thread
def test_an_idle_writer_gives_its_connection_back(service: Service) -> None:
    shared = new_writer()
    ours = connection.connection

    answer_of(shared.submit(submission_for(service)))

    def is_back() -> bool:
        found = connection.pool.get_stats()
        return found["pool_available"] == found["pool_size"] - 1  # the other is the test's own

    assert ours is not None
    wait_until(is_back, "the writer's connection is in the pool again")


@with_a_thread
def test_a_group_is_full_at_its_limit(
    service: Service, first_waits: FirstGroupWaits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "GROUP_REPORTS", 10)
    shared = new_writer()
    futures = [shared.submit(submission_for(service))]
    first_waits.has_begun.wait(PATIENCE_SECONDS)

    futures += [shared.submit(submission_for(service, 4)) for _ in range(5)]
    first_waits.go.set()
    for future in futures:
        answer_of(future)

    assert [len(group) for group in first_waits.groups] == [1, 3, 2]


@with_a_thread
def test_what_its_caller_gave_up_is_not_stored(service: Service, first_waits: FirstGroupWaits) -> None:
    shared = new_writer()
    first = shared.submit(submission_for(service))
    first_waits.has_begun.wait(PATIENCE_SECONDS)
    given_up, waited_for = shared.submit(submission_for(service)), shared.submit(submission_for(service))

    was_cancelled = given_up.cancel()
    first_waits.go.set()
    answers = [answer_of(first), answer_of(waited_for)]

    assert was_cancelled
    assert not given_up.is_given()
    assert stored_ids() == Counter(report_id for answer in answers for report_id in answer.report_ids)


@with_a_thread
def test_what_is_being_written_cannot_be_given_up(service: Service, first_waits: FirstGroupWaits) -> None:
    future = new_writer().submit(submission_for(service))
    first_waits.has_begun.wait(PATIENCE_SECONDS)

    was_cancelled = future.cancel()
    first_waits.go.set()
    answer = answer_of(future)

    assert not was_cancelled
    assert stored_ids() == Counter(answer.report_ids)


# -- One writer a process ----------------------------------------------------------------------------------------------


def test_a_process_has_one_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_writer", None)

    assert writer.the_writer(clock=lambda: NOW) is writer.the_writer(clock=lambda: NOW)


def test_a_forked_process_gets_a_writer_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_writer", None)
    writer.the_writer(clock=lambda: NOW)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads, which are what is tested
        child = os.fork()
    if child == 0:
        os._exit(int(writer._writer is not None or not writer._writer_lock.acquire(blocking=False)))

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
