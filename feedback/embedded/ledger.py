"""Who runs on this DATA_DIR: a lock for the one supervisor, and a list of the programs it started.

Invariant: the list is on disk as soon as a program runs, so that the next start finds what a killed supervisor left and
ends it. Nothing is ended that is not proven ours by pid *and* start time (orphans without a leader: by command).
"""

import fcntl
import json
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from feedback.embedded import identity, paths
from feedback.embedded.errors import AlreadyRunning

# A stop takes up to ten seconds; a new start waits for it rather than complain.
STOPPING_SECONDS = 20.0
_END_SECONDS = 8.0


class DataDirLock:
    """Held by the one supervisor of a DATA_DIR; the kernel lets go of it however that ends."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._file = (paths.run_dir(data_dir) / "lock").open("a+")

    def __enter__(self) -> Self:
        """Raises AlreadyRunning, with the pid, while another one holds it (and is not about to end)."""
        deadline = time.monotonic() + STOPPING_SECONDS
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pid, _, state = self._read().partition(" ")
                if state == "stopping" and time.monotonic() < deadline:
                    time.sleep(0.1)
                    continue
                self._file.close()
                raise AlreadyRunning(
                    f"Outcry is running already on DATA_DIR={self._data_dir} (pid {pid or 'unknown'}).\n"
                    f"Stop it with Ctrl-C in its terminal or `kill {pid or 'PID'}`, "
                    "or start a second one beside it: DATA_DIR=/other/path PORT=8001 make run"
                ) from None
            self._write(str(os.getpid()))
            return self

    def __exit__(self, *_: object) -> None:
        self._write("")
        self._file.close()

    def announce_stop(self) -> None:
        """Tell a start that comes now to wait."""
        self._write(f"{os.getpid()} stopping")

    def _read(self) -> str:
        self._file.seek(0)
        return self._file.read().strip()

    def _write(self, text: str) -> None:
        with suppress(OSError):  # a full disk; the lock itself needs no room
            self._file.seek(0)
            self._file.truncate()
            self._file.write(text)
            self._file.flush()


@dataclass(frozen=True, slots=True)
class Entry:
    """One program that was started: its name, its pid (and process group), and when, in the system's own terms."""

    name: str
    pid: int
    started: str
    stop_signal: int


class Ledger:
    """The running programs of this DATA_DIR, on disk."""

    def __init__(self, data_dir: Path) -> None:
        self._path = paths.run_dir(data_dir) / "running.json"
        self._entries: dict[str, Entry] = {}

    def add(self, name: str, pid: int, *, stop_signal: signal.Signals) -> None:
        """Remember a program that was just started."""
        self._entries[name] = Entry(name, pid, identity.started(pid) or "", int(stop_signal))
        self._save()

    def remove(self, name: str) -> None:
        """Forget a program that ended."""
        if self._entries.pop(name, None):
            self._save()

    def end_leftovers(self) -> list[str]:
        """End what an earlier supervisor left running, newest first; return a line for each.

        Only to be called by the holder of the lock.
        """
        done = []
        for entry in reversed(self._load()):
            sign = signal.Signals(entry.stop_signal)
            if entry.started and identity.started(entry.pid) == entry.started:
                identity.end(entry.pid, first=sign, wait_seconds=_END_SECONDS, whole_group=True)
                done.append(f"ended the {entry.name} of an earlier run (pid {entry.pid})")
            elif self._orphans(entry):
                identity.end(entry.pid, first=signal.SIGKILL, wait_seconds=_END_SECONDS, whole_group=True)
                done.append(f"ended what the {entry.name} of an earlier run had started (group {entry.pid})")
        self._entries.clear()
        self._save()
        return done

    @staticmethod
    def _orphans(entry: Entry) -> bool:
        """Whether the group lives on without its leader. A number is not given again while a group bears it."""
        members = identity.group_members(entry.pid)
        ours = (str(paths.CHECKOUT), sys.executable)
        return entry.pid not in members and any(mark in line for line in members.values() for mark in ours)

    def _load(self) -> list[Entry]:
        try:
            kept = json.loads(self._path.read_text())
            if kept["boot"] != identity.boot_id():
                return []  # pids of another boot say nothing
            return [Entry(**entry) for entry in kept["programs"]]
        except (OSError, ValueError, KeyError, TypeError):
            return []  # none, or cut off by a power failure

    def _save(self) -> None:
        new = self._path.with_name(self._path.name + ".new")
        kept = {"boot": identity.boot_id(), "programs": [asdict(entry) for entry in self._entries.values()]}
        # On a full disk the list grows old, which is harmless: each entry is checked before anything is ended. What
        # must not happen is that the supervisor falls over the shortage it is there to survive.
        with suppress(OSError):
            new.write_text(json.dumps(kept))
            new.replace(self._path)
