"""Bringing the writer's answers from its thread to the event loop.

A group of a thousand reports wakes the loop once and not a thousand times, and a thousand waiting requests share one
clock. Nobody holds a thread while a group is committed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from reports.intake.at_once import ANSWER_SECONDS, give_up
from reports.intake.waiting import Answer
from reports.intake.writer import Written

LOOK_SECONDS: Final = 1.0  # how exactly the patience of those who wait is measured


class Answers:
    """What the requests of one event loop wait for."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, patience_seconds: float = ANSWER_SECONDS) -> None:
        self.loop = loop
        self._patience_seconds = patience_seconds
        self._waiting: dict[Answer, tuple[asyncio.Future[Written], float]] = {}
        self._come: deque[Answer] = deque()
        self._is_woken = False
        self._is_looking = False

    def expect(self, answer: Answer) -> asyncio.Future[Written]:
        """Return what to await; it raises what the writer raised, or StoreUnavailable when patience is over.

        The answer must have been asked for with `tell`.
        """
        waiter: asyncio.Future[Written] = self.loop.create_future()
        if answer.is_given():  # while whoever asked for it was still on a thread
            _pass_on(answer, waiter)
            return waiter
        self._waiting[answer] = (waiter, self.loop.time() + self._patience_seconds)
        if not self._is_looking:
            self._is_looking = True
            self.loop.call_later(LOOK_SECONDS, self._look_for_the_late)
        return waiter

    def tell(self, answer: Answer) -> None:
        """Note an answer, on the writer's thread."""
        self._come.append(answer)
        if not self._is_woken:
            self._is_woken = True
            self.loop.call_soon_threadsafe(self._give_out)

    def _give_out(self) -> None:
        self._is_woken = False  # first of all: what comes from here on wakes the loop again
        while self._come:
            answer = self._come.popleft()
            waiter, _ = self._waiting.pop(answer, (None, 0.0))
            if waiter is not None and not waiter.done():
                _pass_on(answer, waiter)

    def _look_for_the_late(self) -> None:
        now = self.loop.time()
        late = []
        for answer, (_, until) in self._waiting.items():  # in the order of their coming
            if until > now:
                break
            late.append(answer)
        for answer in late:
            waiter, _ = self._waiting.pop(answer)
            if not waiter.done():
                waiter.set_exception(give_up(answer))
        self._is_looking = bool(self._waiting)
        if self._is_looking:
            self.loop.call_later(LOOK_SECONDS, self._look_for_the_late)


def _pass_on(answer: Answer, waiter: asyncio.Future[Written]) -> None:
    outcome = answer.outcome
    if isinstance(outcome, Written):
        waiter.set_result(outcome)
    elif outcome is not None:
        waiter.set_exception(outcome)
