"""The last step before a child program: become who it shall run as, ask to end with the parent, exec.

    python -I -S child.py PARENT_PID SIGNAL IDENTITY -- PROGRAM ARGUMENT...

IDENTITY is `same`, `namespace:UID` (a user namespace in which we are UID; files stay the caller's) or `uid:UID:GID`
(give up root). A program of its own, run with the bare interpreter: code between fork and exec in a threaded parent may
deadlock, and the order matters: the kernel forgets the death signal whenever credentials change. Imports none of ours.
"""

import ctypes
import os
import signal
import sys

CANNOT_CHANGE_IDENTITY = 71  # EX_OSERR of sysexits.h

# linux/prctl.h, linux/sched.h, linux/capability.h
PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CLONE_NEWUSER = 0x10000000
CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_OVERRIDE = 1


def main(arguments: list[str]) -> None:
    """Exec the program; comes back only as an exit code."""
    parent, death_signal, identity = int(arguments[0]), int(arguments[1]), arguments[2]
    command = arguments[4:]
    try:
        _become(identity)
    except OSError as error:
        sys.stderr.write(f"can't become {identity}: {error}\n")
        raise SystemExit(CANNOT_CHANGE_IDENTITY) from None
    if sys.platform == "linux":
        _libc().prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os.kill(os.getpid(), signal.SIGKILL)
    # The interpreter ignores these, and an ignored signal stays ignored over exec.
    for name in ("SIGPIPE", "SIGXFSZ"):
        if number := getattr(signal, name, None):
            signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606 - that is the purpose; the command is the supervisor's
    except OSError as error:
        sys.stderr.write(f"can't run {command[0]}: {error}\n")
        raise SystemExit(127) from None


def _become(identity: str) -> None:
    kind, _, rest = identity.partition(":")
    if kind == "namespace":
        _enter_user_namespace(int(rest))
    elif kind == "uid":
        uid, gid = rest.split(":")
        _give_up_root(int(uid), int(gid))


def _enter_user_namespace(inner: int) -> None:
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    if _libc().unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWUSER)")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{inner} {outer_uid} 1"),
        ("gid_map", f"{inner} {outer_gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123 - no pathlib: every import costs start time
            file.write(text)


def _give_up_root(uid: int, gid: int) -> None:
    """Become `uid`, keeping one power where the kernel lets us: to pass folders such as /root (mode 0700)."""
    linux = sys.platform == "linux"
    if linux:
        _libc().prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if linux:
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        one = 1 << CAP_DAC_OVERRIDE
        sets = (ctypes.c_uint32 * 6)(one, one, one, 0, 0, 0)
        if _libc().capset(header, sets) == 0:
            _libc().prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


if __name__ == "__main__":
    main(sys.argv[1:])
