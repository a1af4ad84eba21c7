"""The load generator counts what it sends: every answer, every refusal, and the wait for a free connection."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from typing import Any

from benchmarks.intake_load import Load, at_rate, close_to

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


async def served(
    status: bytes, load: Any, *, answer_seconds: float = 0.0, idle_seconds: float = 30.0
) -> tuple[Load, int]:
    """Return what the generator counted and how many requests a small server saw.

    The server closes what is idle for long.
    """
    n_seen = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal n_seen
        try:
            while await asyncio.wait_for(reader.readexactly(len(REQUEST)), idle_seconds):
                n_seen += 1
                await asyncio.sleep(answer_seconds)
                writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-type: a/b\r\ncontent-length: 3\r\n\r\n")
                await writer.drain()
                writer.write(b"yes")  # in two pieces
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    counted = await load(server.sockets[0].getsockname()[1], itertools.repeat(REQUEST))
    await asyncio.sleep(0.05)
    server.close()
    await server.wait_closed()
    return counted, n_seen


def run(story: Coroutine[Any, Any, tuple[Load, int]]) -> tuple[Load, int]:
    return asyncio.run(story)


def test_every_connection_is_kept_busy_and_every_answer_counted() -> None:
    load, n_seen = run(served(b"202 Accepted", lambda *to: close_to(*to, n_connections=4, seconds=0.2)))

    assert load.n_ok == n_seen == len(load.latencies) > 4
    assert (load.n_refused, load.n_unanswered) == (0, 0)


def test_a_rate_is_kept_whatever_the_answers_do() -> None:
    load, n_seen = run(served(b"202 Accepted", lambda *to: at_rate(*to, rate=200, n_connections=8, seconds=0.3)))

    assert load.n_ok == n_seen == len(load.bodies) == 60
    assert set(load.bodies) == {b"yes"}


def test_a_server_that_closes_idle_connections_is_asked_on_new_ones() -> None:
    closing = served(b"202 Accepted", lambda *to: at_rate(*to, rate=25, n_connections=4, seconds=0.8), idle_seconds=0.1)

    load, n_seen = run(closing)

    assert load.n_ok == n_seen == 20
    assert load.n_unanswered == 0
    assert load.seconds < 5


def test_refusals_are_no_successes() -> None:
    load, _ = run(served(b"503 Away", lambda *to: at_rate(*to, rate=100, n_connections=2, seconds=0.1)))

    assert (load.n_ok, load.n_refused) == (0, 10)


def test_the_wait_for_a_free_connection_counts() -> None:
    slow = served(
        b"202 Accepted", lambda *to: at_rate(*to, rate=100, n_connections=1, seconds=0.1), answer_seconds=0.03
    )

    load, _ = run(slow)

    assert load.n_ok == 10
    assert load.milliseconds(1.0) > 100
