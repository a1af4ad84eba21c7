"""Whether DATA_DIR can hold an installation: writable, private, with space left. Asked before anything starts.

Invariant: the message names the folder and the remedy. Later shortage is Postgres's to notice (see `explain_failure`).
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from feedback.embedded import paths
from feedback.embedded.errors import NoRoom

# initdb writes 40 MB, two log segments 32 MB, crash recovery as much again; below 200 MB a start may end half-way.
MIN_FREE_BYTES = 200 * 1024 * 1024


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write there."""
    return shutil.disk_usage(folder).free


def require_room(data_dir: Path, *, free_bytes: Callable[[Path], int] = free_bytes) -> None:
    """Make DATA_DIR and its folders, and prove that they can be written. Raises NoRoom."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (left := free_bytes(data_dir)) < MIN_FREE_BYTES:
            raise NoRoom(
                f"The disk of DATA_DIR={data_dir} is full: {left >> 20} MB left, {MIN_FREE_BYTES >> 20} MB wanted.\n"
                "Make room, or name a folder on another disk: DATA_DIR=/path make run"
            )
        for folder in (paths.run_dir(data_dir), paths.logs_dir(data_dir), paths.valkey_dir(data_dir)):
            folder.mkdir(mode=0o700, exist_ok=True)
        _require_private(paths.socket_dir(data_dir))
        probe = paths.run_dir(data_dir) / "write-probe"
        with probe.open("wb") as file:
            file.write(b"\0" * 65536)
            file.flush()
            os.fsync(file.fileno())
        probe.unlink()
    except OSError as error:
        whose = f" It belongs to uid {_owner(data_dir)}." if _owner(data_dir) not in {None, os.geteuid()} else ""
        raise NoRoom(
            f"DATA_DIR={data_dir} can't be written ({error.strerror}).{whose}\n"
            "Name a folder of your own: DATA_DIR=/path make run"
        ) from error


def shortage_warner(
    data_dir: Path, *, say: Callable[[str], None], free_bytes: Callable[[Path], int] = free_bytes
) -> Callable[[], None]:
    """A chore that says once when the disk runs full, and once when there is room again."""
    short = False

    def look() -> None:
        nonlocal short
        left = free_bytes(data_dir)
        if not short and left < MIN_FREE_BYTES:
            short = True
            say(f"The disk of {data_dir} is nearly full: {left >> 20} MB left. Make room; nothing else has to be done.")
        elif short and left >= MIN_FREE_BYTES:
            short = False
            say(f"The disk of {data_dir} has room again: {left >> 20} MB left.")

    return look


def _require_private(folder: Path) -> None:
    """The socket folder may lie in a shared temp folder: accept only one that is really ours."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # Root may find a folder it gave to the user who serves Postgres.
    if folder.is_symlink() or (os.geteuid() != 0 and found.st_uid != os.geteuid()):
        raise NoRoom(f"{folder} belongs to somebody else, so it can't hold private sockets. Choose another DATA_DIR.")
    folder.chmod(0o700)


def _owner(folder: Path) -> int | None:
    try:
        return folder.stat().st_uid
    except OSError:
        return None
