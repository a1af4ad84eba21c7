"""What a killed supervisor left is found again; what is not ours is left alone."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from feedback.embedded import identity, paths
from feedback.embedded.errors import AlreadyRunning
from feedback.embedded.ledger import DataDirLock, Ledger


@contextmanager
def sleeper(code: str = "import signal; signal.pause()") -> Iterator[subprocess.Popen[bytes]]:
    """A program in a group of its own that waits until it is ended."""
    child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE)
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


def data_dir(tmp_path: Path) -> Path:
    paths.run_dir(tmp_path).mkdir()
    return tmp_path


def test_a_second_supervisor_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    folder = data_dir(tmp_path)

    with DataDirLock(folder), pytest.raises(AlreadyRunning, match=rf"pid {os.getpid()}"):
        DataDirLock(folder).__enter__()


def test_a_lock_that_was_let_go_can_be_taken_again(tmp_path: Path) -> None:
    folder = data_dir(tmp_path)

    with DataDirLock(folder):
        pass

    with DataDirLock(folder):
        assert (paths.run_dir(folder) / "lock").read_text() == str(os.getpid())


def test_a_program_of_an_earlier_run_is_ended(tmp_path: Path) -> None:
    folder = data_dir(tmp_path)
    with sleeper() as left:
        Ledger(folder).add("web", left.pid, stop_signal=signal.SIGTERM)

        done = Ledger(folder).end_leftovers()

        assert done == [f"ended the web of an earlier run (pid {left.pid})"]
        assert left.wait() == -signal.SIGTERM


def test_orphans_of_a_dead_leader_are_ended(tmp_path: Path) -> None:
    folder = data_dir(tmp_path)
    forks = "import os, signal; pid = os.fork(); pid and print(pid, flush=True); signal.pause()"
    with sleeper(forks) as leader:
        assert leader.stdout is not None
        orphan = int(leader.stdout.readline())
        Ledger(folder).add("worker", leader.pid, stop_signal=signal.SIGTERM)
        leader.kill()
        leader.wait()

        done = Ledger(folder).end_leftovers()

        assert len(done) == 1
        assert identity.started(orphan) is None


def test_another_program_that_bears_the_number_now_is_left_alone(tmp_path: Path) -> None:
    folder = data_dir(tmp_path)
    with sleeper() as stranger:
        Ledger(folder).add("web", stranger.pid, stop_signal=signal.SIGTERM)
        kept = json.loads((paths.run_dir(folder) / "running.json").read_text())
        kept["programs"][0]["started"] = "1"
        (paths.run_dir(folder) / "running.json").write_text(json.dumps(kept))

        done = Ledger(folder).end_leftovers()

        assert done == []
        assert stranger.poll() is None


def test_a_ledger_of_another_boot_says_nothing(tmp_path: Path) -> None:
    folder = data_dir(tmp_path)
    with sleeper() as stranger:
        Ledger(folder).add("web", stranger.pid, stop_signal=signal.SIGTERM)
        kept = json.loads((paths.run_dir(folder) / "running.json").read_text())
        (paths.run_dir(folder) / "running.json").write_text(json.dumps(kept | {"boot": "another"}))

        done = Ledger(folder).end_leftovers()

        assert done == []
        assert stranger.poll() is None


def test_a_ledger_that_was_cut_off_is_no_obstacle(tmp_path: Path) -> None:
    folder = data_dir(tmp_path)
    (paths.run_dir(folder) / "running.json").write_text('{"boot": "')

    assert Ledger(folder).end_leftovers() == []


def test_a_disk_without_room_does_not_end_the_supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    ledger = Ledger(data_dir(tmp_path))
    monkeypatch.setattr(Path, "write_text", full)

    ledger.add("web", os.getpid(), stop_signal=signal.SIGTERM)
    ledger.remove("web")

    assert not (paths.run_dir(tmp_path) / "running.json").exists()


def test_a_zombie_counts_as_ended() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    started = identity.started(child.pid)

    child.wait()
    assert started is None
