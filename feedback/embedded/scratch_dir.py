"""Throw-away folders that are removed even when their maker was killed.

Invariant: a scratch folder is locked by its maker for as long as it lives, so an unlocked one is rubbish and the next
maker sweeps it away, with the server that may still run in it.
"""

import fcntl
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from feedback.embedded import identity

_PREFIX = "outcry-scratch-"
_LOCK = "lock"
# Between making a folder and locking it lie microseconds; leave the young ones alone.
_SWEEP_AGE_SECONDS = 60.0


@contextmanager
def scratch_dir() -> Iterator[Path]:
    """A new private folder with a short path; gone afterwards."""
    sweep()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    if len(os.fsencode(folder)) > 60:  # a socket must fit in (see paths.SOCKET_PATH_LIMIT_BYTES)
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir="/tmp"))  # mkdtemp is safe there
    lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep() -> None:
    """Remove the scratch folders of makers that are dead."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # somebody else's, or swept by another this moment
            if time.time() - folder.stat().st_mtime < _SWEEP_AGE_SECONDS:
                continue
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _end_servers(folder)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _end_servers(folder: Path) -> None:
    for pid_file in (folder / "postgres" / "postmaster.pid", folder / "valkey.pid"):
        with suppress(OSError, ValueError, IndexError):
            pid = int(pid_file.read_text().splitlines()[0])
            if str(folder) in identity.command_line(pid):
                identity.end(pid, first=signal.SIGQUIT, wait_seconds=2.0)
