"""An answer of the writer: taken up or cancelled, never both; given once, to who blocks and to who is called."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from reports.errors import StoreUnavailable
from reports.intake.ids import uuid7
from reports.intake.waiting import Answer
from reports.intake.writer import Written
from tests.factories import NOW

WRITTEN = Written((uuid7(NOW),))


def test_who_blocks_gets_it_before_and_after_it_is_given() -> None:
    answer = Answer()
    with ThreadPoolExecutor() as threads:
        early = threads.submit(answer.result, timeout_seconds=30)
        assert answer.take_up()
        answer.give(WRITTEN)

        assert early.result(timeout=30) is WRITTEN
    assert answer.result() is WRITTEN


def test_what_is_given_in_its_place_is_raised() -> None:
    answer = Answer()
    answer.give(StoreUnavailable("away"))

    with pytest.raises(StoreUnavailable, match="away"):
        answer.result()


def test_nobody_blocks_longer_than_told() -> None:
    with pytest.raises(TimeoutError):
        Answer().result(timeout_seconds=0.01)


def test_it_is_taken_up_or_cancelled_but_never_both() -> None:
    for _ in range(300):
        answer = Answer()
        start = threading.Barrier(2)

        def when_both_are_there(act: str, answer: Answer = answer, start: threading.Barrier = start) -> bool:
            start.wait(timeout=30)
            return bool(getattr(answer, act)())

        with ThreadPoolExecutor(2) as threads:
            won = list(threads.map(when_both_are_there, ("take_up", "cancel")))

        assert won.count(True) == 1
        assert answer.is_cancelled() is won[1]


def test_the_callback_finds_the_answer() -> None:
    found: list[Written] = []
    answer = Answer(lambda given: found.append(given.result()))

    answer.give(WRITTEN)

    assert found == [WRITTEN]
