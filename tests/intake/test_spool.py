"""The spool's files: what was answered is there after any crash, in order, and damage costs itself alone."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from reports.errors import IdempotencyConflict, StoreUnavailable
from reports.intake import spool as spool_module
from reports.intake.ids import uuid7
from reports.intake.spool import Damage, Record, Spool, decode, encode, mark_of, read_records, segments_in
from reports.intake.submissions import Submission, Written
from reports.models import Service
from tests.factories import NOW
from tests.intake.submissions import row_for, submission_for

MAIL = Service(pk=1, slug="mail")
MEGABYTE = 2**20


def spooled(spool: Spool) -> list[Submission]:
    """Return all whole records of a spool's folder in order."""
    return [
        decode(found.payload)
        for path in segments_in(spool.folder)
        for found in read_records(path.read_bytes(), mark_of(path.name))
        if isinstance(found, Record)
    ]


def only_segment(spool: Spool) -> Path:
    (path,) = segments_in(spool.folder)
    return path


# -- What goes in comes out --------------------------------------------------------------------------------------------


def test_submissions_come_out_as_they_went_in_and_in_order(spool: Spool) -> None:
    full = Submission(
        (
            replace(
                row_for(MAIL, "no mail 😀", contact="me@example.org", occurred_at=NOW),
                reporter=bytes(range(16)),
                network=bytes(16),
                key_id=7,
                suspicion="too_fast",
            ),
            row_for(MAIL),
        ),
        submission_for(MAIL, key="k").idempotency,
        ({"item": 1, "field": "text", "message": "Is empty."},),
    )
    plain = submission_for(MAIL)

    answers = spool.append([full, plain])
    spool.append([third := submission_for(MAIL)])

    assert spooled(spool) == [full, plain, third]
    assert answers == [Written(tuple(row.id for row in each.rows), each.errors) for each in (full, plain)]


def test_a_group_is_answered_after_one_sync_of_the_file_and_of_a_new_files_folder(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bool] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(Path(f"/proc/self/fd/{fd}").is_dir()), fsync(fd)))

    spool.append([submission_for(MAIL) for _ in range(20)])
    spool.append([submission_for(MAIL) for _ in range(20)])

    assert sorted(synced) == [False, False, True]


def test_a_segment_that_is_long_enough_is_followed_by_the_next(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "SEGMENT_BYTES", 1)
    submissions = [submission_for(MAIL) for _ in range(3)]

    for submission in submissions:
        spool.append([submission])

    assert len(segments_in(spool.folder)) == 3
    assert spooled(spool) == submissions


def test_only_the_owner_may_read_what_is_spooled(spool: Spool) -> None:
    spool.append([submission_for(MAIL)])

    assert oct(spool.folder.stat().st_mode)[-3:] == "700"
    assert oct(only_segment(spool).stat().st_mode)[-3:] == "600"


def test_what_no_file_can_hold_is_refused_alone(spool: Spool) -> None:
    good = submission_for(MAIL)

    answers = spool.append([Submission((row_for(MAIL, "\ud800"),)), good])

    assert isinstance(answers[0], StoreUnavailable)
    assert spooled(spool) == [good]


# -- Damage ------------------------------------------------------------------------------------------------------------


def torn(content: bytes) -> bytes:
    return content[:-3]


def with_a_flipped_bit(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def with_a_spoilt_length(content: bytes) -> bytes:
    second = content.find(content[:8], 8)
    return content[: second + 8] + b"\xff\xff\xff\x7f" + content[second + 12 :]


@pytest.mark.parametrize(
    ("spoil", "survivors"), [(torn, [0, 1]), (with_a_flipped_bit, [0, 2]), (with_a_spoilt_length, [0, 2])]
)
def test_damage_costs_its_own_record_alone(spool: Spool, spoil: Callable[[bytes], bytes], survivors: list[int]) -> None:
    submissions = [submission_for(MAIL) for _ in range(3)]
    spool.append(submissions)
    path = only_segment(spool)

    path.write_bytes(spoil(path.read_bytes()))
    found = list(read_records(path.read_bytes(), mark_of(path.name)))

    assert spooled(spool) == [submissions[number] for number in survivors]
    assert sum(isinstance(each, Damage) for each in found) == 1
    assert [each.start for each in found[1:]] == [each.end for each in found[:-1]]  # nothing is passed over


def test_every_length_of_a_torn_write_is_found_out(spool: Spool) -> None:
    spool.append([submission_for(MAIL)])
    path = only_segment(spool)
    content = path.read_bytes()

    for n_bytes in range(len(content)):
        found = list(read_records(content[:n_bytes], mark_of(path.name)))

        assert found == ([Damage(0, n_bytes)] if n_bytes else [])


def test_a_text_cannot_pose_as_a_record(spool: Spool) -> None:
    spool.append([submission_for(MAIL)])
    lying = only_segment(spool).read_bytes().decode("latin-1")
    other = Spool(spool.folder.parent / "other", max_bytes=MEGABYTE)
    other.append([Submission((row_for(MAIL, lying),)), submission_for(MAIL)])
    path = only_segment(other)
    content = bytearray(path.read_bytes())
    content[40] ^= 1

    found = list(read_records(bytes(content), mark_of(path.name)))

    assert [type(each) for each in found] == [Damage, Record]


def test_a_record_of_another_version_stops_nobody(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = submission_for(MAIL, key="k")
    with monkeypatch.context() as patched:
        patched.setattr(spool_module, "encode", lambda submission: b"\x93" + str(newer.rows[0].id).encode())
        spool.append([newer])

    answers = spool.append([submission_for(MAIL, key="k"), submission_for(MAIL, key="other")])

    assert all(isinstance(answer, Written) for answer in answers)
    assert spool.find(newer.rows[0].id) is None
    assert spool.state().n_reports == 3


def test_a_record_from_before_reports_had_a_suspicion_is_read() -> None:
    submission = submission_for(MAIL)
    fields = msgspec.msgpack.decode(encode(submission))
    del fields["rows"][0]["suspicion"]

    assert decode(msgspec.msgpack.encode(fields)) == submission


def test_a_folder_that_cannot_be_read_is_no_spool(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    broken = Spool(tmp_path / "file", max_bytes=MEGABYTE)

    assert broken.is_empty()
    assert broken.state().n_reports == 0
    with pytest.raises(OSError, match="exists"):
        broken.append([submission_for(MAIL)])


# -- A full disk -------------------------------------------------------------------------------------------------------


def test_what_has_no_room_is_refused_and_the_rest_stays(tmp_path: Path) -> None:
    small = Spool(tmp_path, max_bytes=1_000)
    submissions = [submission_for(MAIL) for _ in range(5)]

    answers = small.append(submissions)

    n_taken = sum(isinstance(answer, Written) for answer in answers)
    assert 0 < n_taken < 5
    assert spooled(small) == submissions[:n_taken]
    assert all(isinstance(answer, StoreUnavailable) for answer in answers[n_taken:])
    assert only_segment(small).stat().st_size <= 1_000


def test_a_disk_that_is_full_leaves_nothing_of_what_was_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, str(tmp_path)], capture_output=True, text=True, check=True
    )

    told = json.loads(done.stdout)
    assert told["first"] == 3
    assert told["second"] == "OSError"
    assert told["third"] == 1
    assert len(spooled(Spool(tmp_path, max_bytes=MEGABYTE))) == 4


# A process of its own, for the limit can't be lifted again: no file may grow beyond 3,000 bytes.
FILL_THE_DISK = f"""
import json, resource, sys
from pathlib import Path
import django
from django.conf import settings
settings.configure(INSTALLED_APPS=[])
from reports.intake.contract import ReportIn
from reports.intake.ids import uuid7
from reports.intake.spool import Spool
from reports.intake.submissions import ReportRow, Submission
from datetime import datetime, UTC

now = datetime(2026, 3, 4, tzinfo=UTC)

def submission(text="no mail"):
    return Submission((ReportRow(uuid7(now), 1, "rest", ReportIn(service="mail", text=text), b"", now, now),))

resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, {resource.RLIM_INFINITY}))
spool = Spool(Path(sys.argv[1]), max_bytes=2**20)
told = {{"first": len(spool.append([submission() for _ in range(3)]))}}
try:
    spool.append([submission("x" * 500) for _ in range(8)])
except OSError as error:
    told["second"] = "OSError"
told["third"] = len(spool.append([submission()]))
print(json.dumps(told))
"""


def test_a_sync_that_fails_leaves_nothing_of_what_was_refused(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = submission_for(MAIL)
    spool.append([kept])
    fsync = os.fsync

    def fails_once(fd: int) -> None:
        monkeypatch.setattr(os, "fsync", fsync)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fails_once)
    with pytest.raises(OSError, match="Input/output"):
        spool.append([submission_for(MAIL)])
    spool.append([later := submission_for(MAIL)])

    assert spooled(spool) == [kept, later]
    assert len(segments_in(spool.folder)) == 2  # nobody knows what a file holds whose sync failed


# -- Keys --------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["the same process", "another process", "a process after a restart"])
def second(request: pytest.FixtureRequest, spool: Spool) -> Spool:
    return spool if request.param == "the same process" else Spool(spool.folder, max_bytes=MEGABYTE)


def test_a_key_that_waits_in_the_spool_gets_its_first_answer(spool: Spool, second: Spool) -> None:
    first = submission_for(MAIL, 2, key="k")
    spool.append([submission_for(MAIL), first])

    repeat = submission_for(MAIL, 2, key="k")
    answers = second.append([repeat, submission_for(MAIL, key="other")])

    assert answers[0] == Written(tuple(row.id for row in first.rows), is_repeat=True) == second.answer_to(repeat)
    assert len(spooled(spool)) == 3


def test_a_key_that_waits_in_the_spool_refuses_another_body(spool: Spool, second: Spool) -> None:
    spool.append([submission_for(MAIL, key="k")])

    other = submission_for(MAIL, key="k", body=b"other")

    assert isinstance(second.append([other])[0], IdempotencyConflict)
    assert isinstance(second.answer_to(other), IdempotencyConflict)
    assert len(spooled(spool)) == 1


def test_a_key_twice_in_one_group_is_stored_once(spool: Spool) -> None:
    first = submission_for(MAIL, key="k")

    answers = spool.append([first, submission_for(MAIL, key="k"), submission_for(MAIL, key="k", body=b"other")])

    assert answers[1] == Written((first.rows[0].id,), is_repeat=True)
    assert isinstance(answers[2], IdempotencyConflict)
    assert spooled(spool) == [first]


def test_a_key_is_forgotten_with_its_segment(spool: Spool) -> None:
    spool.append([submission_for(MAIL, key="k")])
    spool.seal()
    only_segment(spool).unlink()

    assert spool.answer_to(submission_for(MAIL, key="k")) is None
    assert spool.state().n_reports == 0


# -- Who reads and writes at once --------------------------------------------------------------------------------------


def test_threads_and_processes_that_append_at_once_lose_nothing(spool: Spool) -> None:
    other = Spool(spool.folder, max_bytes=64 * MEGABYTE)
    submissions = [submission_for(MAIL, key=str(number % 50)) for number in range(200)]

    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda item: (spool, other)[item[0] % 2].append([item[1]])[0], enumerate(submissions))
        )

    assert len(spooled(spool)) == 50
    told = {answer.report_ids for answer in answers if isinstance(answer, Written)}
    assert told == {tuple(row.id for row in each.rows) for each in spooled(spool)}


def test_each_process_has_a_segment_of_its_own_and_the_bound_is_theirs_together(tmp_path: Path) -> None:
    one, two = (Spool(tmp_path, max_bytes=1_000) for _ in range(2))
    one.append([submission_for(MAIL)])
    two.append([submission_for(MAIL)])

    answers = two.append([submission_for(MAIL, 5)])

    assert len(segments_in(tmp_path)) == 2
    assert isinstance(answers[0], StoreUnavailable)


def test_a_report_in_the_spool_is_found(spool: Spool) -> None:
    submission = submission_for(MAIL, 3)
    spool.append([submission_for(MAIL), submission])

    assert spool.find(submission.rows[1].id) == submission.rows[1]
    assert spool.find(uuid7(NOW)) is None
    assert Spool(spool.folder / "none", max_bytes=1).find(UUID(int=0)) is None


def test_the_state_tells_how_much_waits(spool: Spool) -> None:
    empty = spool.state()
    spool.append([submission_for(MAIL, 3), submission_for(MAIL)])

    found = Spool(spool.folder, max_bytes=1).state()

    assert (empty.n_reports, empty.n_bytes, empty.oldest_at) == (0, 0, None)
    assert (found.n_reports, found.n_bytes) == (4, only_segment(spool).stat().st_size)
    assert found.oldest_at is not None


def test_a_reader_that_comes_during_a_write_sees_whole_records_alone(spool: Spool) -> None:
    stop = threading.Event()
    seen: list[int] = []

    def reads() -> None:
        reader = Spool(spool.folder, max_bytes=MEGABYTE)
        while not stop.is_set():
            seen.append(reader.state().n_reports)

    thread = threading.Thread(target=reads)
    thread.start()
    for _ in range(50):
        spool.append([submission_for(MAIL)])
    stop.set()
    thread.join()

    assert seen == sorted(seen)
    assert Spool(spool.folder, max_bytes=MEGABYTE).state().n_reports == 50
