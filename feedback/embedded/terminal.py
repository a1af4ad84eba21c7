"""Lets Ctrl-C reach the supervisor once, and not Make, which would call a clean stop an error.

Invariant: without a terminal, or without Make as the parent, nothing is touched; the terminal is given back at the end.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def foreground() -> Iterator[None]:
    """Be a foreground process group of our own while Make waits for us."""
    try:
        terminal = sys.stdin.fileno()
        takes_part = "MAKELEVEL" in os.environ and os.tcgetpgrp(terminal) == os.getpgrp() != os.getpid()
    except (OSError, ValueError):
        takes_part = False
    if not takes_part:
        yield
        return
    before = os.getpgrp()
    # Whoever is not in the foreground is stopped when he gives the terminal away; so is whoever is put to sleep by
    # Ctrl-Z in a group that no shell knows.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(terminal, os.getpgrp())
    try:
        yield
    finally:
        with suppress(OSError):
            os.tcsetpgrp(terminal, before)
