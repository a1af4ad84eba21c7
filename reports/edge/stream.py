"""Server-sent events for the dashboard: "something changed", and nothing else. What changed is read where it always is.

The stream tells no facts of its own, so a lost event costs a refresh and no truth. It asks the database alone: without
a broker the dashboard lives on. One task a process asks, and only while somebody listens, so a hundred open dashboards
cost one question a second. A subscriber is a flag and not a queue: however slow it reads, nothing piles up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from reports.edge.asgi import Receive, Scope, Send
from reports.triage.accounts import Staff, staff_of_session
from reports.triage.selectors import dashboard_version

logger = logging.getLogger(__name__)

T = TypeVar("T")

PATH: Final = "/dashboard/stream"
POLL_SECONDS: Final = 1.0
HEARTBEAT_SECONDS: Final = 15.0  # below the idle timeout of common proxies (60 s)
CHECK_SESSION_SECONDS: Final = 60.0  # how long a stream outlives a logout
SEND_SECONDS: Final = 10.0  # who takes nothing for so long is gone
MAX_SUBSCRIBERS: Final = 200  # a process; a browser falls back to polling beyond
RETRY_AFTER_SECONDS: Final = 30

_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold the events back
    (b"x-content-type-options", b"nosniff"),
]


class DashboardStream:
    """All listeners of one process. Belongs to one event loop."""

    def __init__(
        self,
        *,
        read_version: Callable[[], str] = lambda: dashboard_version(now=timezone.now()),
        find_staff: Callable[[str], Staff | None] = lambda session_key: staff_of_session(session_key=session_key),
        poll_seconds: float = POLL_SECONDS,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        check_session_seconds: float = CHECK_SESSION_SECONDS,
        max_subscribers: int = MAX_SUBSCRIBERS,
    ) -> None:
        self._read_version = read_version
        self._find_staff = find_staff
        self._poll_seconds = poll_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._check_session_seconds = check_session_seconds
        self._max_subscribers = max_subscribers
        self._subscribers: set[asyncio.Event] = set()
        self._poller: asyncio.Task[None] | None = None
        self._version = ""
        self._is_closing = False
        # Two threads of its own: the database may be slow, and nothing else should wait for that.
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="dashboard-stream")

    @property
    def n_subscribers(self) -> int:
        return len(self._subscribers)

    @property
    def is_asking(self) -> bool:
        """Tell whether the database is being asked."""
        return self._poller is not None and not self._poller.done()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: the stream, or why not."""
        if scope["method"] != "GET":
            await _refuse(send, 405, "Use GET.", (b"allow", b"GET"))
            return
        session_key = _session_key(scope)
        try:
            staff = await self._in_thread(lambda: self._find_staff(session_key)) if session_key else None
        except Exception as error:  # whatever the database raises: the browser polls, and asks again later
            logger.warning("A dashboard stream could not be opened (%s).", type(error).__name__)
            await _refuse(send, 503, "Not available right now.", _retry_after())
            return
        if staff is None:
            await _refuse(send, 401, "Log in first.")
        elif self._is_closing or self.n_subscribers >= self._max_subscribers:
            await _refuse(send, 503, "Too many are listening.", _retry_after())
        else:
            await self._subscribe(session_key, receive, send)

    def close(self) -> None:
        """End all streams and take no new ones, for the server stops."""
        self._is_closing = True
        self._wake_all()
        if self._poller is not None:
            self._poller.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _subscribe(self, session_key: str, receive: Receive, send: Send) -> None:
        changed = asyncio.Event()
        self._subscribers.add(changed)
        gone = asyncio.create_task(_wait_for_disconnect(receive))
        if not self.is_asking:
            self._poller = asyncio.create_task(self._poll())
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await _send_some(send, f"retry: {int(self._poll_seconds * 3000)}\n\n")
            await self._tell(session_key, changed, gone, send)
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (TimeoutError, OSError) as error:
            logger.info("A dashboard stream was dropped (%s).", type(error).__name__)
        finally:
            self._subscribers.discard(changed)
            gone.cancel()

    async def _tell(self, session_key: str, changed: asyncio.Event, gone: asyncio.Task[None], send: Send) -> None:
        """Send what there is to say until the reader, the session or the server is gone."""
        clock = asyncio.get_running_loop().time
        checked_at = clock()
        while True:
            woken = asyncio.create_task(changed.wait())
            await asyncio.wait({woken, gone}, timeout=self._heartbeat_seconds, return_when=asyncio.FIRST_COMPLETED)
            woken.cancel()
            if self._is_closing or gone.done():
                return
            if clock() - checked_at >= self._check_session_seconds:
                if not await self._is_valid(session_key):
                    return
                checked_at = clock()
            if changed.is_set():
                changed.clear()
                await _send_some(send, f"event: changed\ndata: {self._version}\n\n")
            else:
                await _send_some(send, ": still here\n\n")

    async def _is_valid(self, session_key: str) -> bool:
        try:
            return await self._in_thread(lambda: self._find_staff(session_key)) is not None
        except Exception as error:  # a database that is away ends no session
            logger.info("A session could not be checked (%s).", type(error).__name__)
            return True

    async def _poll(self) -> None:
        """Ask whether something changed, as long as somebody listens."""
        while self._subscribers and not self._is_closing:
            try:
                version = await self._in_thread(self._read_version)
            except Exception as error:  # whatever the database raises: it will be back, and so will the changes
                logger.info("The dashboard's version could not be read (%s).", type(error).__name__)
            else:
                if version != self._version:
                    is_first = not self._version
                    self._version = version
                    if not is_first:
                        self._wake_all()
            await asyncio.sleep(self._poll_seconds)
        self._version = ""

    def _wake_all(self) -> None:
        for changed in self._subscribers:
            changed.set()

    async def _in_thread(self, ask: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, _ask_and_give_back, ask)


def _ask_and_give_back(ask: Callable[[], T]) -> T:
    """Ask the database, and return the thread's connection to the pool: outside of requests nobody else would."""
    try:
        return ask()
    finally:
        close_old_connections()


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_some(send: Send, text: str) -> None:
    await asyncio.wait_for(
        send({"type": "http.response.body", "body": text.encode(), "more_body": True}), timeout=SEND_SECONDS
    )


async def _refuse(send: Send, status: int, text: str, *headers: tuple[bytes, bytes]) -> None:
    plain = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": plain})
    await send({"type": "http.response.body", "body": f"{text}\n".encode()})


def _retry_after() -> tuple[bytes, bytes]:
    return b"retry-after", str(RETRY_AFTER_SECONDS).encode()


def _session_key(scope: Scope) -> str:
    """Return the session cookie's value, or "". Other cookies, well-formed or not, don't matter."""
    for name, value in scope["headers"]:
        if name == b"cookie":
            for part in value.decode("latin-1").split(";"):
                word, _, content = part.strip().partition("=")
                if word == settings.SESSION_COOKIE_NAME:
                    return str(content.strip('"'))
    return ""
