"""The writer's answers on the event loop: each to whoever waits for it, many with one wake-up, none for ever."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from reports.edge import answers
from reports.edge.answers import Answers
from reports.errors import IdempotencyConflict, StoreUnavailable
from reports.intake.ids import uuid7
from reports.intake.waiting import Answer
from reports.intake.writer import Written
from tests.factories import NOW


def written() -> Written:
    return Written((uuid7(NOW),))


def test_each_waits_for_its_own_answer() -> None:
    told = [written() for _ in range(500)]

    async def story() -> list[Written]:
        hub = Answers(asyncio.get_running_loop())
        given = [Answer(hub.tell) for _ in told]
        thread = threading.Thread(target=lambda: [one.give(each) for one, each in zip(given, told, strict=True)])
        waiting = [hub.expect(one) for one in given]
        thread.start()
        found = await asyncio.gather(*waiting)
        thread.join()
        return found

    assert asyncio.run(story()) == told


def test_an_answer_that_came_before_it_was_waited_for_is_there() -> None:
    async def story() -> Written:
        hub = Answers(asyncio.get_running_loop())
        early = Answer(hub.tell)
        early.give(written())
        await asyncio.sleep(0)  # what woke the loop found nobody who waited
        return await asyncio.wait_for(hub.expect(early), 5)

    assert asyncio.run(story()).report_ids


def test_a_group_wakes_the_loop_once(monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[Any] = []

    async def story() -> None:
        loop = asyncio.get_running_loop()
        wake = loop.call_soon_threadsafe
        monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *what: woken.append(what) or wake(*what))
        hub = Answers(loop)
        given = [Answer(hub.tell) for _ in range(100)]
        waiting = [hub.expect(one) for one in given]
        for one in given:
            one.give(written())
        await asyncio.gather(*waiting)

    asyncio.run(story())

    assert len(woken) == 1


def test_what_the_writer_raised_is_raised() -> None:
    async def story() -> None:
        hub = Answers(asyncio.get_running_loop())
        answer = Answer(hub.tell)
        waiting = hub.expect(answer)
        answer.give(IdempotencyConflict("used before"))
        await waiting

    with pytest.raises(IdempotencyConflict, match="used before"):
        asyncio.run(story())


@pytest.mark.parametrize(("is_taken_up", "words"), [(False, "Nothing was accepted"), (True, "not known whether")])
def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch, is_taken_up: bool, words: str) -> None:
    monkeypatch.setattr(answers, "LOOK_SECONDS", 0.01)
    answer = Answer()

    async def story() -> None:
        if is_taken_up:
            answer.take_up()
        await Answers(asyncio.get_running_loop(), patience_seconds=0.02).expect(answer)

    with pytest.raises(StoreUnavailable, match=words):
        asyncio.run(story())

    assert answer.is_cancelled() is not is_taken_up


def test_who_has_gone_away_is_no_trouble() -> None:
    async def story() -> Written:
        hub = Answers(asyncio.get_running_loop())
        first, second = Answer(hub.tell), Answer(hub.tell)
        hub.expect(first).cancel()
        waiting = hub.expect(second)
        first.give(written())
        second.give(written())
        return await waiting

    assert asyncio.run(story()).report_ids
