"""Learning in time that the server stops.

A server that is told to stop lets its open requests finish before it says so by ASGI's lifespan; a stream has no end of
its own, so the two would wait for each other. The signal is the only early word. Whoever listened for it before still
hears it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def when_told_to_stop(do: Callable[[], None]) -> None:
    """Have `do` called on the running loop once a stop signal arrives.

    Does nothing outside of the main thread, where Python takes no signals: the server's own ways to end must do there.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()

    def tell() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(do)

    for stop_signal in STOP_SIGNALS:
        _chain(stop_signal, tell)


def _chain(stop_signal: signal.Signals, do: Callable[[], None]) -> None:
    before = signal.getsignal(stop_signal)

    def heard(number: int, frame: FrameType | None) -> None:
        do()
        if callable(before):
            before(number, frame)
        elif before == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    # An event loop's own listeners are not touched: they hear of signals by a file descriptor, not by this handler.
    signal.signal(stop_signal, heard)
