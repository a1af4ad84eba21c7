"""Starts one child program: own session, own log, ends with its parent, never as root where it refuses to be.

Invariant: every child leads a process group of its own, so that it can be ended together with all it started. Must be
called from a thread that lives as long as the child shall: the kernel ties the death signal to the starting *thread*.
"""

import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

_CHILD = str(Path(__file__).with_name("child.py"))
_NAMESPACE_UID = 1000  # any number but 0: what Postgres sees itself as; on disk the files stay ours
_NOBODY_UID = 65534  # Debian's nobody/nogroup; only the number matters


def spawn(
    command: Sequence[str],
    *,
    log: IO[bytes] | int,
    environ: Mapping[str, str],
    working_dir: Path,
    death_signal: signal.Signals = signal.SIGKILL,
    run_as: str = "same",
) -> subprocess.Popen[bytes]:
    """Start `command`, its output appended to `log`; on Linux it gets `death_signal` when the calling thread ends."""
    return subprocess.Popen(  # noqa: S603 - commands are built by us
        wrapped(command, death_signal=death_signal, run_as=run_as),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=dict(environ),
        cwd=working_dir,
        start_new_session=True,
    )


def wrapped(command: Sequence[str], *, death_signal: signal.Signals, run_as: str) -> list[str]:
    """The command line that runs `command` through `child.py`."""
    return [sys.executable, "-I", "-S", _CHILD, str(os.getpid()), str(int(death_signal)), run_as, "--", *command]


def unprivileged_identity(folder: Path) -> str:
    """Who a program that refuses root shall run as, in the words of `child.py`, to work on `folder`.

    An ordinary user stays itself. Root enters a user namespace, so that files stay root's own and later runs agree;
    where the kernel or a container forbids that, or the folder was made by somebody else, it gives up root for good.
    """
    if os.geteuid() != 0:
        return "same"
    owner = folder.stat().st_uid if folder.exists() else 0
    if owner != 0:
        return _uid_identity(owner)
    return f"namespace:{_NAMESPACE_UID}" if namespaces_work() else _uid_identity(int(os.environ.get("SUDO_UID", 0)))


@cache
def namespaces_work() -> bool:
    """Whether a user namespace can be entered here (Docker's default profile, some kernels and macOS say no)."""
    if sys.platform != "linux":
        return False
    probe = wrapped(["true"], death_signal=signal.SIGKILL, run_as=f"namespace:{_NAMESPACE_UID}")
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0  # noqa: S603


def give_to(run_as: str, folder: Path) -> None:
    """Make `folder` and all in it belong to whom `run_as` names, where that is somebody else."""
    if not run_as.startswith("uid:"):
        return
    uid, gid = (int(part) for part in run_as.split(":")[1:])
    if folder.stat().st_uid == uid:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, gid, follow_symlinks=False)


def _uid_identity(uid: int) -> str:
    uid = uid or _NOBODY_UID
    try:
        gid = pwd.getpwuid(uid).pw_gid
    except KeyError:
        gid = uid
    return f"uid:{uid}:{gid}"
