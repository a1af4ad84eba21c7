"""The writer's answers on the event loop: each to whoever waits for it, many with one wake-up, none for ever."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import Any

import pytest

from reports.edge import answers
from reports.edge.answers import Answers
from reports.errors import IdempotencyConflict, StoreUnavailable
from reports.intake.ids import uuid7
from reports.intake.writer import Written
from tests.factories import NOW


def written() -> Written:
    return Written((uuid7(NOW),))


def test_each_waits_for_its_own_answer() -> None:
    told = [written() for _ in range(500)]
    futures: list[Future[Written]] = [Future() for _ in told]

    def writer() -> None:
        for future, each in zip(futures, told, strict=True):
            future.set_result(each)

    async def story() -> list[Written]:
        hub = Answers(asyncio.get_running_loop())
        waiting = [hub.expect(future) for future in futures]
        thread = threading.Thread(target=writer)
        thread.start()
        found = await asyncio.gather(*waiting)
        thread.join()
        return found

    assert asyncio.run(story()) == told


def test_a_group_wakes_the_loop_once(monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[Any] = []

    async def story() -> None:
        loop = asyncio.get_running_loop()
        wake = loop.call_soon_threadsafe
        monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *what: woken.append(what) or wake(*what))
        hub = Answers(loop)
        futures: list[Future[Written]] = [Future() for _ in range(100)]
        waiting = [hub.expect(future) for future in futures]
        for future in futures:
            future.set_result(written())
        await asyncio.gather(*waiting)

    asyncio.run(story())

    assert len(woken) == 1


def test_what_the_writer_raised_is_raised() -> None:
    async def story() -> None:
        future: Future[Written] = Future()
        waiting = Answers(asyncio.get_running_loop()).expect(future)
        future.set_exception(IdempotencyConflict("used before"))
        await waiting

    with pytest.raises(IdempotencyConflict, match="used before"):
        asyncio.run(story())


@pytest.mark.parametrize(("is_taken_up", "words"), [(False, "Nothing was accepted"), (True, "not known whether")])
def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch, is_taken_up: bool, words: str) -> None:
    monkeypatch.setattr(answers, "LOOK_SECONDS", 0.01)
    future: Future[Written] = Future()

    async def story() -> None:
        if is_taken_up:
            future.set_running_or_notify_cancel()
        await Answers(asyncio.get_running_loop(), patience_seconds=0.02).expect(future)

    with pytest.raises(StoreUnavailable, match=words):
        asyncio.run(story())

    assert future.cancelled() is not is_taken_up


def test_who_has_gone_away_is_no_trouble() -> None:
    async def story() -> Written:
        hub = Answers(asyncio.get_running_loop())
        first: Future[Written] = Future()
        second: Future[Written] = Future()
        hub.expect(first).cancel()
        waiting = hub.expect(second)
        first.set_result(written())
        second.set_result(written())
        return await waiting

    assert asyncio.run(story()).report_ids
