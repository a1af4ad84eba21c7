"""One log file a program: opened for appending, kept small, quoted when something fails.

Invariant: a program writes straight into its file and needs no reader, so it outlives a killed supervisor without a
broken pipe. Rotation copies and truncates; the few lines written in between are lost, which a log may.
"""

import shutil
from pathlib import Path

MAX_BYTES = 10 * 1024 * 1024  # two files of it a program: a hundred megabytes for all, on any laptop
TAIL_LINES = 15
_TAIL_BYTES = 8192


def rotate(log: Path, *, max_bytes: int = MAX_BYTES) -> bool:
    """Move a log that has grown too large to `<log>.1`, in place for whoever writes it; return whether it was."""
    if not log.exists() or log.stat().st_size <= max_bytes:
        return False
    shutil.copyfile(log, log.with_name(log.name + ".1"))
    with log.open("r+b") as file:
        file.truncate(0)
    return True


def tail(log: Path, *, since_byte: int = 0, lines: int = TAIL_LINES) -> str:
    """The last lines written after `since_byte`."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(min(since_byte, size), size - _TAIL_BYTES))
        text = file.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:])
