"""Programs that die come back, alone; programs that are stopped stop in order."""

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from feedback.embedded import identity, logs, paths
from feedback.embedded.errors import NoRoom, StartFailed
from feedback.embedded.ledger import Ledger
from feedback.embedded.supervisor import LONGEST_PAUSE_SECONDS, Program, StopRequested, Supervisor, pause_seconds

PATIENCE_SECONDS = 20.0
WAITS = "import signal; signal.pause()"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    paths.run_dir(tmp_path).mkdir()
    made = Supervisor(
        logs_dir=tmp_path,
        working_dir=tmp_path,
        environ=os.environ,
        ledger=Ledger(tmp_path),
        say=said.append,
        rng=random.Random(1),
    )
    yield made
    made.stop(order=["one two"])


def program(name: str, code: str, **options: object) -> Program:
    return Program(name=name, command=[sys.executable, "-c", code], **options)  # type: ignore[arg-type]


def until(condition: Callable[[], bool]) -> Callable[[], bool]:
    """The condition, or a failure when it takes longer than any machine needs."""
    deadline = time.monotonic() + PATIENCE_SECONDS

    def holds() -> bool:
        assert time.monotonic() < deadline, "it never came true"
        return condition()

    return holds


def test_a_killed_program_is_started_again(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start(program("one", WAITS))
    first = supervisor.pids()["one"]
    os.kill(first, signal.SIGKILL)

    supervisor.watch(until=until(lambda: supervisor.pids().get("one", first) != first))

    assert any("one        was killed by SIGKILL; starting it again" in line for line in said)


def test_nothing_of_a_killed_program_lives_when_it_comes_back(supervisor: Supervisor, tmp_path: Path) -> None:
    mark = tmp_path / "child"
    forks = (
        "import os, pathlib, signal\n"
        f"pid = os.fork(); mark = pathlib.Path({str(mark)!r})\n"
        "if pid: mark.exists() or mark.write_text(str(pid))\n"
        "signal.pause()"
    )
    supervisor.start(program("one", forks, ready=lambda: mark.exists() and mark.read_text() != ""))
    supervisor.wait_until_ready("one")
    child, first = int(mark.read_text()), supervisor.pids()["one"]
    os.kill(first, signal.SIGKILL)

    supervisor.watch(until=until(lambda: supervisor.pids().get("one", first) != first))

    assert identity.started(child) is None


def test_a_program_that_dies_while_starting_fails_the_start_with_the_end_of_its_log(supervisor: Supervisor) -> None:
    supervisor.start(program("one", "raise SystemExit('the reason')", ready=lambda: False))

    with pytest.raises(StartFailed, match=r"(?s)one ended with exit code 1 while it was starting.*the reason"):
        supervisor.wait_until_ready("one")


def test_a_full_disk_is_called_by_its_name(supervisor: Supervisor) -> None:
    supervisor.start(program("one", "raise SystemExit('PANIC: No space left on device')", ready=lambda: False))

    with pytest.raises(NoRoom, match="the disk is full"):
        supervisor.wait_until_ready("one")


def test_a_program_that_never_answers_fails_the_start(supervisor: Supervisor) -> None:
    supervisor.start(program("one", WAITS, ready=lambda: False, ready_seconds=0.1))

    with pytest.raises(StartFailed, match="did not become ready"):
        supervisor.wait_until_ready("one")


def test_a_stop_request_interrupts_waiting(supervisor: Supervisor) -> None:
    supervisor.start(program("one", WAITS, ready=lambda: False))
    supervisor.request_stop()

    with pytest.raises(StopRequested):
        supervisor.wait_until_ready("one")


def test_what_a_finished_program_printed_is_returned_and_not_logged(supervisor: Supervisor, tmp_path: Path) -> None:
    code = "import sys; print('secret'); print('note', file=sys.stderr)"

    printed = supervisor.run_to_end("schema", [sys.executable, "-c", code])

    assert printed == "secret\n"
    assert (tmp_path / "schema.log").read_text() == "note\n"


def test_a_failing_program_that_should_finish_fails_the_start(supervisor: Supervisor) -> None:
    with pytest.raises(StartFailed, match=r"(?s)schema ended with exit code 1.*no such table"):
        supervisor.run_to_end("schema", [sys.executable, "-c", "raise SystemExit('no such table')"])


def test_programs_are_stopped_one_rank_after_the_other(supervisor: Supervisor, tmp_path: Path) -> None:
    for name in ("one", "two"):
        code = (
            "import pathlib, signal, time\n"
            f"def stop(*_):\n    open({str(tmp_path / 'order')!r}, 'a').write('{name} '); raise SystemExit\n"
            f"signal.signal(signal.SIGTERM, stop); pathlib.Path({str(tmp_path / name)!r}).touch(); signal.pause()"
        )
        supervisor.start(program(name, code, ready=(tmp_path / name).exists))
    supervisor.wait_until_ready("one", "two")

    supervisor.stop(order=["two", "one"])

    assert (tmp_path / "order").read_text() == "two one "
    assert supervisor.pids() == {}


def test_a_program_that_does_not_stop_is_ended(supervisor: Supervisor, tmp_path: Path, said: list[str]) -> None:
    stubborn = (
        f"import pathlib, signal; signal.signal(15, 1); pathlib.Path({str(tmp_path / 'up')!r}).touch(); signal.pause()"
    )
    supervisor.start(program("one", stubborn, ready=(tmp_path / "up").exists, stop_seconds=0.1))
    supervisor.wait_until_ready("one")

    supervisor.stop(order=["one"])

    assert supervisor.pids() == {}
    assert any("did not stop within" in line for line in said)


def test_pauses_grow_and_then_stay() -> None:
    pauses = [pause_seconds(n, random.Random(7)) for n in range(1, 12)]

    assert pauses[:5] == sorted(pauses[:5])
    assert max(pauses) <= LONGEST_PAUSE_SECONDS * 1.25


def test_pauses_differ_so_that_programs_do_not_come_back_in_step() -> None:
    rng = random.Random(7)

    assert pause_seconds(4, rng) != pause_seconds(4, rng)


def test_a_log_that_has_grown_is_rotated_in_place(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with log.open("ab") as writer:
        writer.write(b"old\n" * 100)
        writer.flush()

        rotated = logs.rotate(log, max_bytes=100)

        writer.write(b"new\n")
    assert rotated is True
    assert log.read_bytes() == b"new\n"
    assert (tmp_path / "web.log.1").read_bytes() == b"old\n" * 100


def test_the_tail_of_a_log_is_what_was_written_since(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("before\n")
    start = log.stat().st_size
    with log.open("a") as file:
        file.write("one\ntwo\nthree\n")

    assert logs.tail(log, since_byte=start, lines=2) == "two\nthree"
