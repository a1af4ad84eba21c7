"""The word that the server stops reaches the streams, and whoever listened before."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from reports.edge.stopping import STOP_SIGNALS, when_told_to_stop


@pytest.fixture(autouse=True)
def _listeners_restored() -> Iterator[None]:
    before = [signal.getsignal(stop_signal) for stop_signal in STOP_SIGNALS]
    yield
    for stop_signal, listener in zip(STOP_SIGNALS, before, strict=True):
        signal.signal(stop_signal, listener)


def test_the_streams_and_the_servers_own_listener_both_hear_it() -> None:
    heard: list[str] = []

    async def story() -> None:
        loop = asyncio.get_running_loop()
        told = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, lambda: (heard.append("server"), told.set()))
        when_told_to_stop(lambda: heard.append("streams"))

        os.kill(os.getpid(), signal.SIGTERM)

        async with asyncio.timeout(5):
            await told.wait()
            while len(heard) < 2:
                await asyncio.sleep(0.01)

    asyncio.run(story())
    assert sorted(heard) == ["server", "streams"]


def test_a_plain_listener_is_called_too() -> None:
    heard: list[str] = []
    signal.signal(signal.SIGINT, lambda number, frame: heard.append("before"))

    async def story() -> None:
        when_told_to_stop(lambda: heard.append("streams"))
        os.kill(os.getpid(), signal.SIGINT)
        async with asyncio.timeout(5):
            while len(heard) < 2:
                await asyncio.sleep(0.01)

    asyncio.run(story())
    assert sorted(heard) == ["before", "streams"]
