"""Replaying the spool: what waits there gets into the database once, whatever happens on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection
from msgspec.structs import replace

from reports.intake import replaying
from reports.intake.replaying import Replayer
from reports.intake.spool import ASIDE, Spool, segments_in
from reports.intake.writer import Submission, Written, write_group, write_spooled
from reports.models import IdempotencyKey, IntakeBatch, Report, ReportContact, Service
from tests.factories import NOW
from tests.intake.submissions import batched_ids, in_a_thread, row_for, stored_ids, submission_for
from tests.test_architecture import ROOT, database_address

pytestmark = pytest.mark.django_db


def write(submissions: Sequence[Submission]) -> None:
    write_spooled(submissions, now=NOW)


def replay(spool: Spool) -> int:
    """Replay all that can be taken; return how many reports were gone through."""
    replayer = Replayer(spool.folder, write=write)
    total = 0
    while n_reports := replayer.replay_chunk():
        total += n_reports
    return total


def ids_of(*submissions: Submission) -> Counter[Any]:
    return Counter(row.id for submission in submissions for row in submission.rows)


def aside_in(spool: Spool) -> list[Path]:
    return sorted((spool.folder / ASIDE).iterdir())


# -- Once, and in order ------------------------------------------------------------------------------------------------


def test_what_waits_is_stored_with_all_that_belongs_to_it(spool: Spool, service: Service) -> None:
    told = Submission((replace(row_for(service, contact="me@example.org"), suspicion="trap"),))
    keyed = submission_for(service, 2, key="k")
    spool.append([told, keyed])
    spool.seal()

    assert replay(spool) == 3

    assert stored_ids() == batched_ids() == ids_of(told, keyed)
    assert ReportContact.objects.get().report_id == told.rows[0].id
    assert Report.objects.get(suspicion="trap").id == told.rows[0].id
    assert IdempotencyKey.objects.get().report_ids == [row.id for row in keyed.rows]
    assert segments_in(spool.folder) == []


def test_segments_are_replayed_in_the_order_they_were_written(spool: Spool, service: Service) -> None:
    submissions = [submission_for(service) for _ in range(3)]
    for submission in submissions:
        spool.append([submission])
        spool.seal()

    replay(spool)

    batches = IntakeBatch.objects.order_by("id").values_list("report_ids", flat=True)
    assert list(batches) == [[submission.rows[0].id] for submission in submissions]


def test_a_large_segment_takes_several_transactions(
    spool: Spool, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "CHUNK_REPORTS", 4)
    submissions = [submission_for(service) for _ in range(10)]
    spool.append(submissions)
    spool.seal()
    replayer = Replayer(spool.folder, write=write)

    assert [replayer.replay_chunk() for _ in range(4)] == [4, 4, 2, 0]
    assert stored_ids() == batched_ids() == ids_of(*submissions)


def test_ids_that_are_stored_already_are_skipped(spool: Spool, service: Service) -> None:
    came_through, new = submission_for(service, 2, key="k"), submission_for(service)
    write_group([came_through], now=NOW)
    spool.append([came_through, new])
    spool.seal()

    replay(spool)

    assert stored_ids() == batched_ids() == ids_of(came_through, new)


def test_what_is_replayed_a_second_time_stores_nothing(spool: Spool, service: Service) -> None:
    spool.append([told := Submission((row_for(service, contact="me@example.org"),)), submission_for(service, key="k")])
    spool.seal()
    (path,) = segments_in(spool.folder)
    content = path.read_bytes()
    replay(spool)
    before = stored_ids()

    path.write_bytes(content)
    replay(spool)

    assert stored_ids() == batched_ids() == before
    assert ReportContact.objects.get().report_id == told.rows[0].id


# -- Keys the database has ---------------------------------------------------------------------------------------------


def test_a_key_that_the_database_had_is_not_counted_twice(spool: Spool, service: Service) -> None:
    first = submission_for(service, key="k")
    write_group([first], now=NOW)
    spool.append([submission_for(service, key="k")])
    spool.seal()

    replay(spool)

    assert stored_ids() == batched_ids() == ids_of(first)


def test_another_body_under_a_key_that_the_database_had_is_kept_for_it_was_accepted(
    spool: Spool, service: Service
) -> None:
    first, other = submission_for(service, key="k"), submission_for(service, key="k", body=b"other")
    write_group([first], now=NOW)
    spool.append([other])
    spool.seal()

    replay(spool)

    assert stored_ids() == batched_ids() == ids_of(first, other)
    assert IdempotencyKey.objects.get().report_ids == [first.rows[0].id]


def test_a_key_from_the_spool_is_known_to_the_database_afterwards(spool: Spool, service: Service) -> None:
    first = submission_for(service, key="k")
    spool.append([first])
    spool.seal()
    replay(spool)

    (answer,) = write_group([submission_for(service, key="k")], now=NOW)

    assert answer == Written((first.rows[0].id,), is_repeat=True)


# -- Damage and poison -------------------------------------------------------------------------------------------------


def test_a_torn_tail_is_set_aside_and_told(spool: Spool, service: Service, caplog: pytest.LogCaptureFixture) -> None:
    good = submission_for(service)
    spool.append([good, submission_for(service)])
    spool.seal()
    (path,) = segments_in(spool.folder)
    path.write_bytes(path.read_bytes()[:-5])

    replay(spool)

    assert stored_ids() == ids_of(good)
    assert len(aside_in(spool)) == spool.state().n_aside == 1
    assert "no whole record" in caplog.text
    assert segments_in(spool.folder) == []


def test_a_spoilt_record_does_not_stop_the_next(spool: Spool, service: Service) -> None:
    submissions = [submission_for(service) for _ in range(3)]
    spool.append(submissions)
    spool.seal()
    (path,) = segments_in(spool.folder)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    replay(spool)

    assert stored_ids() == ids_of(submissions[0], submissions[2])
    assert aside_in(spool)[0].read_bytes() in bytes(content)


def test_what_the_database_refuses_is_set_aside_and_the_rest_goes_on(
    spool: Spool, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    good = [submission_for(service) for _ in range(2)]
    poisoned = Submission((row_for(service, "my very own words \x00"),))
    spool.append([good[0], poisoned, good[1]])
    spool.seal()

    replay(spool)

    assert stored_ids() == batched_ids() == ids_of(*good)
    assert len(aside_in(spool)) == 1
    assert "own" not in caplog.text.replace("unknown", "")


def test_without_room_to_set_aside_the_segment_itself_is_kept(
    spool: Spool, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = submission_for(service)
    spool.append([good, Submission((row_for(service, "\x00"),))])
    spool.seal()
    (path,) = segments_in(spool.folder)
    monkeypatch.setattr(replaying, "sync_folder", lambda folder: (folder / "not there").stat())

    replay(spool)

    assert stored_ids() == ids_of(good)
    assert segments_in(spool.folder) == []
    assert path.name in [kept.name for kept in aside_in(spool)]


def test_a_commit_that_comes_through_late_is_no_poison(spool: Spool, service: Service) -> None:
    late = submission_for(service)
    spool.append([late])
    spool.seal()
    failures = iter([IntegrityError("duplicate key")])

    def collides_at_first(submissions: Sequence[Submission]) -> None:
        for error in failures:
            write_group([late], now=NOW)
            raise error
        write(submissions)

    Replayer(spool.folder, write=collides_at_first).replay_chunk()

    assert stored_ids() == batched_ids() == ids_of(late)
    assert aside_in(spool) == []


# -- Whose turn it is --------------------------------------------------------------------------------------------------


def test_a_segment_that_is_being_written_is_left_alone(spool: Spool, service: Service) -> None:
    spool.append([submission_for(service)])

    assert replay(spool) == 0
    assert len(segments_in(spool.folder)) == 1


def test_only_one_replays_at_a_time(spool: Spool, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "CHUNK_REPORTS", 1)
    spool.append([submission_for(service) for _ in range(2)])
    spool.seal()
    at_it, rival = (Replayer(spool.folder, write=write) for _ in range(2))

    assert [at_it.replay_chunk(), rival.replay_chunk(), at_it.replay_chunk()] == [1, 0, 1]
    assert at_it.replay_chunk() == 0
    assert stored_ids().total() == 2


def test_a_database_that_goes_away_again_leaves_the_segment_for_the_next_time(spool: Spool, service: Service) -> None:
    spool.append([ours := submission_for(service)])
    spool.seal()

    def away(submissions: Sequence[Submission]) -> None:
        raise OperationalError("the database system is shutting down")

    with pytest.raises(OperationalError):
        Replayer(spool.folder, write=away).replay_chunk()

    assert replay(spool) == 1
    assert stored_ids() == ids_of(ours)


# -- Processes that are killed -----------------------------------------------------------------------------------------

# Spools as a process does that is told to by its first argument, and is then killed.
SPOOL_AND_WAIT = """
import sys, time
from msgspec.structs import replace
from pathlib import Path
import django
django.setup()
from reports.intake.spool import Spool
from reports.models import Service
from tests.intake.submissions import submission_for

spool = Spool(Path(sys.argv[1]), max_bytes=2**20)
submission = submission_for(Service(pk=int(sys.argv[2]), slug="mail"), 2)
spool.append([submission])
print(*[row.id for row in submission.rows], flush=True)
time.sleep(60)
"""
# Replays, and is killed after the commit of the first chunk and before anything else.
REPLAY_AND_DIE = """
import os, signal, sys
from msgspec.structs import replace
from pathlib import Path
import django
django.setup()
from reports.intake.replaying import Replayer
from reports.intake.writer import write_spooled
from tests.factories import NOW

def write(submissions):
    write_spooled(submissions, now=NOW)
    os.kill(os.getpid(), signal.SIGKILL)

Replayer(Path(sys.argv[1]), write=write).replay_chunk()
"""


def start(code: str, *words: str) -> subprocess.Popen[str]:
    environ = {
        **os.environ,
        "DATABASE_URL": database_address(),
        "DJANGO_SETTINGS_MODULE": "feedback.settings",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen(
        [sys.executable, "-c", code, *words], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_killed_process_leaves_its_segment_to_the_others(spool: Spool, service: Service) -> None:
    with start(SPOOL_AND_WAIT, str(spool.folder), str(service.pk)) as process:
        assert process.stdout is not None
        told = process.stdout.readline().split()
        while_it_lives = replay(spool)
        process.send_signal(signal.SIGKILL)
    time.sleep(0.1)

    assert while_it_lives == 0
    assert replay(spool) == 2
    assert {str(each) for each in stored_ids()} == set(told)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_replay_that_is_killed_between_commit_and_deletion_stores_nothing_twice(
    spool: Spool, service: Service
) -> None:
    submissions = [submission_for(service), submission_for(service, 2, key="k")]
    spool.append(submissions)
    spool.seal()

    with start(REPLAY_AND_DIE, str(spool.folder)) as process:
        process.wait(30)
    after_the_kill = stored_ids()

    assert process.returncode == -signal.SIGKILL
    assert len(segments_in(spool.folder)) == 1
    assert after_the_kill == ids_of(*submissions)
    assert replay(spool) == 3
    assert stored_ids() == batched_ids() == ids_of(*submissions)
    assert segments_in(spool.folder) == []


@pytest.mark.django_db(transaction=True)
def test_two_that_replay_the_same_at_once_store_it_once(spool: Spool, service: Service) -> None:
    submission = submission_for(service, 3)

    def replays_too(submissions: Sequence[Submission]) -> None:
        in_a_thread(lambda: (write(submissions), connection.close()))
        write(submissions)

    spool.append([submission])
    spool.seal()
    Replayer(spool.folder, write=replays_too).replay_chunk()

    assert stored_ids() == batched_ids() == ids_of(submission)
    assert Report.objects.count() == 3
