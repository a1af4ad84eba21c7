"""A light generator of HTTP load: raw sockets with keep-alive on one event loop, requests made beforehand.

It must cost less than what it measures, so it reads of an answer only the status and the length. `close_to` keeps every
connection busy; `at_rate` sends at given moments whatever the answers do, and counts the wait for a free connection in
the latency.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

LONGEST_ANSWER_SECONDS = 30.0


@dataclass(slots=True)
class Load:
    """What was asked and answered."""

    n_ok: int = 0
    n_refused: int = 0
    n_unanswered: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def milliseconds(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2) if ordered else float("nan")


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, load: Load, *, keep_bodies: bool, when_free: Callable[[Connection], None]) -> None:
        self._load = load
        self._keep_bodies = keep_bodies
        self._when_free = when_free
        self._received = b""
        self._asked_at = 0.0
        self.is_busy = False
        self.is_lost = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def ask(self, request: bytes, asked_at: float) -> None:
        self.is_busy = True
        self._asked_at = asked_at
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._received[:end].lower()
        start = head.find(b"content-length:") + 15
        length = int(head[start : head.find(b"\r", start) if b"\r" in head[start:] else None])
        if len(self._received) < end + 4 + length:
            return
        body = self._received[end + 4 : end + 4 + length]
        self._received = b""
        self._load.latencies.append(time.perf_counter() - self._asked_at)
        if head[9:12] in {b"200", b"201", b"202"}:
            self._load.n_ok += 1
            if self._keep_bodies:
                self._load.bodies.append(body)
        else:
            self._load.n_refused += 1
        self.is_busy = False
        self._when_free(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_lost = True
        if self.is_busy:
            self._load.n_unanswered += 1
            self.is_busy = False


async def _connect(port: int, n: int, make: Callable[[], Connection]) -> list[Connection]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(make, "127.0.0.1", port))[1] for _ in range(n)]


async def _finish(connections: Sequence[Connection]) -> None:
    until = time.perf_counter() + LONGEST_ANSWER_SECONDS
    while any(connection.is_busy for connection in connections) and time.perf_counter() < until:
        await asyncio.sleep(0.01)
    for connection in connections:
        connection.transport.abort() if connection.is_busy else connection.transport.close()
    await asyncio.sleep(0.05)  # what was aborted is told as unanswered


async def close_to(port: int, requests: Iterator[bytes], *, n_connections: int, seconds: float) -> Load:
    """Keep every connection busy for so many seconds."""
    load, until = Load(), time.perf_counter() + seconds

    def ask_again(connection: Connection) -> None:
        if (now := time.perf_counter()) < until:
            connection.ask(next(requests), now)

    connections = await _connect(port, n_connections, lambda: Connection(load, keep_bodies=False, when_free=ask_again))
    began = time.perf_counter()
    for connection in connections:
        ask_again(connection)
    await asyncio.sleep(seconds)
    await _finish(connections)
    load.seconds = time.perf_counter() - began
    return load


async def at_rate(port: int, requests: Iterator[bytes], *, rate: float, n_connections: int, seconds: float) -> Load:
    """Send `rate` requests a second for so many seconds, however long the answers take."""
    load = Load()
    waiting: deque[float] = deque()
    free: deque[Connection] = deque()

    def serve(connection: Connection) -> None:
        if waiting:
            connection.ask(next(requests), waiting.popleft())
        else:
            free.append(connection)

    def connection() -> Connection:
        return Connection(load, keep_bodies=True, when_free=serve)

    async def reconnect() -> None:
        connections.extend(found := await _connect(port, 1, connection))
        serve(found[0])

    connections = await _connect(port, n_connections, connection)
    free.extend(connections)
    renewals: set[asyncio.Task[None]] = set()
    began = time.perf_counter()
    n_sent, n_all = 0, int(rate * seconds)
    while n_sent < n_all:
        n_due = min(n_all, int((time.perf_counter() - began) * rate) + 1)
        while n_sent < n_due:
            due_at = began + n_sent / rate
            n_sent += 1
            # A server lets go of a connection that is idle for long. In turn, so that none is, and then anew.
            while free and free[0].is_lost:
                free.popleft()
                renewals.add(task := asyncio.create_task(reconnect()))
                task.add_done_callback(renewals.discard)
            if free:
                free.popleft().ask(next(requests), due_at)
            else:
                waiting.append(due_at)
        await asyncio.sleep(0.002)
    until = time.perf_counter() + LONGEST_ANSWER_SECONDS
    while waiting and time.perf_counter() < until:
        await asyncio.sleep(0.01)
    await _finish(connections)
    load.n_unanswered += len(waiting)
    load.seconds = time.perf_counter() - began
    return load
