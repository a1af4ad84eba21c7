"""The writer without its database: nobody waits for it, nobody is refused, and each report is stored once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import OperationalError

from reports.errors import IdempotencyConflict, StoreUnavailable
from reports.intake import availability, writer
from reports.intake.spool import Spool, segments_in
from reports.intake.waiting import Answer
from reports.intake.writer import ReportWriter, Submission, Written, write_group
from reports.models import Service
from tests.intake.submissions import (
    Database,
    answer_of,
    batched_ids,
    stored_ids,
    submission_for,
    wait_until,
)

pytestmark = pytest.mark.django_db(transaction=True)  # the writer's thread must see the rows, and the test its own

StartWriter = Callable[..., ReportWriter]


def wait_until_replayed(spool: Spool) -> None:
    wait_until(lambda: not segments_in(spool.folder), "all of the spool is replayed")


def ids_of(*answers: Written) -> Counter[Any]:
    return Counter(report_id for answer in answers for report_id in answer.report_ids)


def test_a_database_that_is_away_from_the_first_report_on_loses_none(
    service: Service, database: Database, start_writer: StartWriter, spool: Spool
) -> None:
    database.is_there = False
    shared = start_writer()

    answers = [answer_of(shared.submit(submission_for(service, 2))) for _ in range(5)]
    while_away = stored_ids()
    database.is_there = True
    wait_until_replayed(spool)

    assert while_away == Counter()
    assert stored_ids() == batched_ids() == ids_of(*answers)


def test_only_the_first_report_waits_for_a_database_that_is_away(
    service: Service, database: Database, start_writer: StartWriter
) -> None:
    shared = start_writer()
    database.is_there = False
    answer_of(shared.submit(submission_for(service)))
    start = time.monotonic()

    for _ in range(10):
        answer_of(shared.submit(submission_for(service)))

    assert time.monotonic() - start < 1.0
    assert shared.is_spooling
    assert availability.is_away()


def test_a_database_that_does_not_answer_is_not_waited_for(
    service: Service, database: Database, start_writer: StartWriter, spool: Spool
) -> None:
    shared = start_writer()
    database.answers.clear()  # it hangs: no error comes, no answer either

    hanging = shared.submit(submission_for(service))
    answers = [answer_of(hanging), *(answer_of(shared.submit(submission_for(service))) for _ in range(3))]
    database.answers.set()
    wait_until_replayed(spool)

    assert stored_ids() == batched_ids() == ids_of(*answers)


def test_a_replay_that_hangs_holds_up_nobody(
    service: Service, database: Database, start_writer: StartWriter, spool: Spool
) -> None:
    spool.append([submission_for(service)])
    database.answers.clear()
    shared = start_writer()

    answer = answer_of(shared.submit(submission_for(service)))
    database.answers.set()
    wait_until_replayed(spool)

    assert answer.report_ids[0] in stored_ids()
    assert stored_ids().total() == 2


@pytest.mark.parametrize("is_done", [False, True], ids=["before it happens", "after it happened"])
@pytest.mark.parametrize("key", ["", "k"], ids=["without a key", "with a key"])
def test_a_database_that_goes_away_during_the_commit_stores_each_report_once(
    service: Service,
    database: Database,
    start_writer: StartWriter,
    spool: Spool,
    monkeypatch: pytest.MonkeyPatch,
    is_done: bool,
    key: str,
) -> None:
    def goes_away(submissions: Sequence[Submission], **options: Any) -> Any:
        if database.is_there and is_done:
            write_group(submissions, **options)
        database.is_there = False
        raise OperationalError("server closed the connection unexpectedly")

    def is_stored(submissions: Sequence[Submission]) -> bool:
        raise OperationalError("the database system is starting up")

    monkeypatch.setattr(writer, "write_group", goes_away)
    monkeypatch.setattr(writer, "_is_stored", is_stored)
    ours = submission_for(service, 3, key=key)

    answer = answer_of(start_writer().submit(ours))
    monkeypatch.setattr(writer, "write_group", write_group)
    database.is_there = True
    wait_until_replayed(spool)

    assert answer == Written(tuple(row.id for row in ours.rows))
    assert stored_ids() == batched_ids() == ids_of(answer)


def test_a_full_spool_refuses_and_what_was_accepted_is_stored(
    service: Service, database: Database, start_writer: StartWriter, spool: Spool
) -> None:
    small = Spool(spool.folder, max_bytes=2_000)
    shared = start_writer(spool=small)
    database.is_there = False

    futures = [shared.submit(submission_for(service)) for _ in range(20)]
    answers = [outcome_of(future) for future in futures]
    database.is_there = True
    wait_until_replayed(spool)
    afterwards = answer_of(shared.submit(submission_for(service)))
    wait_until_replayed(spool)

    accepted = [answer for answer in answers if isinstance(answer, Written)]
    refused = [answer for answer in answers if isinstance(answer, StoreUnavailable)]
    assert accepted
    assert refused
    assert refused[0].retry_after_seconds > 0
    assert stored_ids() == batched_ids() == ids_of(*accepted, afterwards)


def test_a_disk_that_takes_nothing_refuses(
    service: Service, database: Database, start_writer: StartWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_full(self: Spool, drafts: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Spool, "_write", is_full)
    database.is_there = False

    with pytest.raises(StoreUnavailable, match="Nothing was accepted"):
        answer_of(start_writer().submit(submission_for(service)))


def test_what_comes_in_while_the_spool_is_replayed_does_not_wait_behind_it(
    service: Service, database: Database, start_writer: StartWriter, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.intake.replaying.CHUNK_REPORTS", 1)
    spool.append([submission_for(service) for _ in range(200)])
    spool.seal()
    shared = start_writer()

    answer_of(shared.submit(submission_for(service)))

    assert database.n_spooled_writes < 200
    wait_until_replayed(spool)
    assert stored_ids().total() == 201


def test_two_processes_bring_back_what_both_have_spooled(
    service: Service, database: Database, start_writer: StartWriter, spool: Spool
) -> None:
    database.is_there = False
    one, two = start_writer(), start_writer(spool=Spool(spool.folder, max_bytes=2**20))

    given = [each.submit(submission_for(service, 2)) for _ in range(10) for each in (one, two)]
    answers = [answer_of(one) for one in given]
    n_segments = len(segments_in(spool.folder))
    database.is_there = True
    wait_until_replayed(spool)

    assert n_segments >= 2
    assert stored_ids() == batched_ids() == ids_of(*answers)


# -- Keys --------------------------------------------------------------------------------------------------------------


def test_a_key_that_was_spooled_gets_its_first_answer_from_any_process_until_and_after_it_is_replayed(
    service: Service, database: Database, start_writer: StartWriter, spool: Spool
) -> None:
    database.is_there = False
    one, two = start_writer(), start_writer(spool=Spool(spool.folder, max_bytes=2**20))
    first = answer_of(one.submit(submission_for(service, key="k")))

    while_away = answer_of(two.submit(submission_for(service, key="k")))
    database.is_there = True
    wait_until_replayed(spool)
    afterwards = answer_of(two.submit(submission_for(service, key="k")))

    assert while_away == afterwards == Written(first.report_ids, is_repeat=True)
    assert stored_ids() == batched_ids() == ids_of(first)


def test_a_key_that_waits_in_the_spool_is_known_while_the_database_is_there_again(
    service: Service, database: Database, start_writer: StartWriter, spool: Spool
) -> None:
    other_process = Spool(spool.folder, max_bytes=2**20)
    first = submission_for(service, key="k")
    other_process.append([first])  # and is not sealed: it can't be replayed yet
    shared = start_writer()

    repeat = answer_of(shared.submit(submission_for(service, key="k")))
    with pytest.raises(IdempotencyConflict):
        answer_of(shared.submit(submission_for(service, key="k", body=b"other")))
    other_process.seal()
    wait_until_replayed(spool)

    assert repeat == Written((first.rows[0].id,), is_repeat=True)
    assert stored_ids() == batched_ids() == ids_of(repeat)


def test_a_key_the_database_had_is_known_while_it_is_away(
    service: Service, database: Database, start_writer: StartWriter
) -> None:
    shared = start_writer()
    first = answer_of(shared.submit(submission_for(service, key="k")))
    database.is_there = False

    repeat = answer_of(shared.submit(submission_for(service, key="k")))
    with pytest.raises(IdempotencyConflict):
        answer_of(shared.submit(submission_for(service, key="k", body=b"other")))

    assert repeat == Written(first.report_ids, is_repeat=True)


def outcome_of(answer: Answer) -> Written | Exception:
    try:
        return answer_of(answer)
    except StoreUnavailable as error:
        return error
