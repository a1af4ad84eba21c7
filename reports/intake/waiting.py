"""Waiting for the writer: an answer that is given once, from another thread, or never because nobody waits any more.

What `concurrent.futures.Future` does here, without the condition variable of each: most answers have a callback and
nobody who blocks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from reports.intake.submissions import Written


class Answer:
    """The answer to one submission. Either the writer takes it up or its caller cancels it, never both.

    `on_done` is called with the answer on the thread that gives it; it has to be quick and must not raise.
    """

    __slots__ = ("_done", "_is_cancelled", "_on_done", "_turn", "outcome")

    def __init__(self, on_done: Callable[[Answer], None] | None = None) -> None:
        self._turn = threading.Lock()  # whoever gets it decides
        self._on_done = on_done
        self.outcome: Written | BaseException | None = None  # the answer, or what is raised in its place, once given
        self._is_cancelled = False
        self._done: threading.Event | None = None  # only where somebody blocks

    # -- The writer's side -----------------------------------------------------------------------------------------
    def take_up(self) -> bool:
        """Take the right to answer; false where the caller has given up, and was told so."""
        return self._turn.acquire(blocking=False)

    def give(self, outcome: Written | BaseException) -> None:
        """Give the answer, or what is raised in its place. It must have been taken up."""
        self.outcome = outcome
        if (done := self._done) is not None:
            done.set()
        if self._on_done is not None:
            self._on_done(self)

    # -- The caller's side -----------------------------------------------------------------------------------------
    def cancel(self) -> bool:
        """Wait no longer; false where the writer has taken it up, so that it is not known how it ends."""
        if self._turn.acquire(blocking=False):
            self._is_cancelled = True
        return self._is_cancelled

    def is_cancelled(self) -> bool:
        """Tell whether it was cancelled in time."""
        return self._is_cancelled

    def is_given(self) -> bool:
        """Tell whether it is there."""
        return self.outcome is not None

    def result(self, *, timeout_seconds: float | None = None) -> Written:
        """Return what was stored, waiting for it. Raises what was given in its place, and TimeoutError."""
        if not self.is_given():
            self._done = threading.Event()
            # Given just before: the writer did not see the event.
            if not self.is_given() and not self._done.wait(timeout_seconds):
                raise TimeoutError
        if isinstance(self.outcome, Written):
            return self.outcome
        raise self.outcome or TimeoutError
