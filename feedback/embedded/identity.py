"""Tells a program that is still running from another one that happens to have its number.

Invariant: a pid alone proves nothing; only pid and start time together name a program, and only until the next boot.
Reads /proc on Linux and asks `ps` elsewhere. Signals are sent here and nowhere else to what is not our own child.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

_PROC = Path("/proc")


def boot_id() -> str:
    """A name for this boot; empty where the system has none (start times there are absolute)."""
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def started(pid: int) -> str | None:
    """When `pid` started, as an opaque text; None when there is no such program, or it is a zombie."""
    if sys.platform == "linux":
        fields = _stat_fields(pid)
        return None if fields is None or fields[0] in {"Z", "X"} else fields[19]
    said = _ps("-o", "state=,lstart=", "-p", str(pid))
    state, _, when = said.strip().partition(" ")
    return when.strip() if state and not state.startswith("Z") else None


def group_members(group: int) -> dict[int, str]:
    """The living programs of process group `group`: pid -> command line."""
    if sys.platform == "linux":
        members = {}
        for entry in _PROC.iterdir():
            if entry.name.isdigit():
                fields = _stat_fields(int(entry.name))
                if fields and fields[2] == str(group) and fields[0] not in {"Z", "X"}:
                    members[int(entry.name)] = command_line(int(entry.name))
        return members
    members = {}
    for line in _ps("-ax", "-o", "pid=,pgid=,state=,command=").splitlines():
        pid, pgid, state, command = line.split(None, 3)
        if int(pgid) == group and not state.startswith("Z"):
            members[int(pid)] = command
    return members


def command_line(pid: int) -> str:
    """The command line of `pid`, or an empty text."""
    if sys.platform == "linux":
        try:
            return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return ""
    return _ps("-o", "command=", "-p", str(pid)).strip()


def working_dir(pid: int) -> Path | None:
    """The working directory of `pid` where the system tells (Linux), else None."""
    try:
        return Path((_PROC / str(pid) / "cwd").readlink())
    except OSError:
        return None


def end(pid: int, *, first: signal.Signals, wait_seconds: float, whole_group: bool = False) -> bool:
    """Send `first`, wait, then SIGKILL; return whether it is gone. `pid` must have been identified by the caller."""
    born = started(pid)
    send = os.killpg if whole_group else os.kill
    for sign, patience in ((first, wait_seconds), (signal.SIGKILL, 5.0)):
        try:
            send(pid, sign)
        except ProcessLookupError:
            return True
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            gone = not group_members(pid) if whole_group else started(pid) != born
            if gone:
                return True
            time.sleep(0.02)
    return False


def _stat_fields(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the name: state first, then ppid, pgrp …; the start time is the twentieth."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()  # a name may hold blanks and brackets


def _ps(*arguments: str) -> str:
    run = subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return run.stdout
