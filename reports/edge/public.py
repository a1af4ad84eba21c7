"""Public pages from memory: what Django said a moment ago and called public, said again to everybody who asks.

On the day on which everybody looks, the status page is asked for more often than anything else and changes least.
Invariant: nothing is kept but a 200 that Django itself marks `public` and gives an ETag; it is asked for without a
cookie, so it can't be anybody's own. One question a process however many ask. While Django can't say it (a database
that is away) what was said last stands, with its age, and the page names the time it is as of.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reports.edge.asgi import Application, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

PATH: Final = "/"
PREFIX: Final = "/api/v2/"
FRESH_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 0.5  # how long a new answer is waited for where there is an old one
STALE_SECONDS: Final = 6 * 3600.0  # older than that, an error says more than the page
NOT_OURS_SECONDS: Final = 60.0
MAX_PAGES: Final = 64
MAX_PAGE_BYTES: Final = 1024 * 1024
MAX_NOT_OURS: Final = 1024

_ADDRESS_HEADERS: Final = (b"host", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port")
_ALWAYS_ODD: Final = frozenset({b"authorization", b"x-api-key", b"range", b"upgrade"})
_NOT_OF_304: Final = frozenset({b"content-type", b"content-length"})

Header = tuple[bytes, bytes]
Address = tuple[bytes | str | None, ...]


def is_public(path: str) -> bool:
    """Tell whether a path may hold what is the same for all."""
    return path == PATH or path.startswith(PREFIX)


@dataclass(slots=True)
class _Told:
    """What Django answered."""

    status: int = 0
    headers: tuple[Header, ...] = ()
    body: bytes = b""

    def header(self, name: bytes) -> bytes:
        return next((value for key, value in self.headers if key.lower() == name), b"")

    @property
    def may_be_kept(self) -> bool:
        return (
            self.status == 200
            and b"public" in self.header(b"cache-control")
            and self.header(b"etag") != b""
            and b"cookie" not in self.header(b"vary").lower()
            and not self.header(b"set-cookie")
            and len(self.body) <= MAX_PAGE_BYTES
        )


@dataclass(frozen=True, slots=True)
class _Page:
    """An answer that is kept, and when Django gave it on the loop's clock."""

    told: _Told
    etag: bytes
    made_at: float


class PublicPages:
    """The memory of one process. Belongs to one event loop."""

    def __init__(self, django: Application, *, fresh_seconds: float = FRESH_SECONDS) -> None:
        self._django = django
        self._fresh_seconds = fresh_seconds
        self._pages: dict[Address, _Page] = {}
        self._asking: dict[Address, asyncio.Task[_Told | None]] = {}
        self._failed_at: dict[Address, float] = {}
        self._not_ours: dict[Address, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        address = (scope["path"], scope.get("scheme"), *map(headers.get, _ADDRESS_HEADERS))
        if (
            scope["method"] not in {"GET", "HEAD"}
            or scope.get("query_string")
            or scope.get("root_path")
            or not _ALWAYS_ODD.isdisjoint(headers)
            or self._is_not_ours(address)
        ):
            await self._django(scope, receive, send)
            return
        page = self._pages.get(address)
        told: _Told | None = None
        if page is None or self._age(page) > self._fresh_seconds:
            told = await self._ask(scope, address, is_old_one_at_hand=page is not None)
            page = self._pages.get(address)
        is_head = scope["method"] == "HEAD"
        if page is not None and self._age(page) <= STALE_SECONDS:
            await self._say(page, headers.get(b"if-none-match", b""), address, send, is_head=is_head)
        elif told is not None and told.status == 503:  # for all who asked at once, or each would wait for the database
            await _send(send, told.status, told.headers, b"" if is_head else told.body)
        else:
            await self._django(scope, receive, send)

    def close(self) -> None:
        """Wait for nothing any more, for the server stops."""
        for asking in self._asking.values():
            asking.cancel()

    def _age(self, page: _Page) -> float:
        return asyncio.get_running_loop().time() - page.made_at

    def _is_not_ours(self, address: Address) -> bool:
        until = self._not_ours.get(address)
        return until is not None and asyncio.get_running_loop().time() < until

    async def _ask(self, scope: Scope, address: Address, *, is_old_one_at_hand: bool) -> _Told | None:
        """Have Django asked, once for all who wait, and return what it said; None where the old one must do."""
        now = asyncio.get_running_loop().time()
        asking = self._asking.get(address)
        if asking is None:
            if is_old_one_at_hand and now - self._failed_at.get(address, float("-inf")) < self._fresh_seconds:
                return None
            asking = asyncio.create_task(self._refresh(scope, address))
            self._asking[address] = asking
        patience = PATIENCE_SECONDS if is_old_one_at_hand else None
        await asyncio.wait({asking}, timeout=patience)
        return asking.result() if asking.done() and not asking.cancelled() else None

    async def _refresh(self, scope: Scope, address: Address) -> _Told | None:
        loop = asyncio.get_running_loop()
        try:
            told = await _told_by(self._django, scope)
        except Exception as error:
            logger.info("A public page could not be made (%s).", type(error).__name__)
            told = None
        finally:
            self._asking.pop(address, None)
        self._failed_at.pop(address, None)
        if told is not None and told.may_be_kept:
            if address not in self._pages and len(self._pages) >= MAX_PAGES:
                # Anybody can ask with another X-Forwarded-Port: what they leave must not keep out what is asked for.
                oldest = min(self._pages, key=lambda kept: self._pages[kept].made_at)
                del self._pages[oldest]
                self._failed_at.pop(oldest, None)
            self._pages[address] = _Page(told, told.header(b"etag"), loop.time())
        elif told is None or told.status >= 500:
            if address in self._pages:  # of others nobody asks, and there is no end of them
                self._failed_at[address] = loop.time()
        else:  # gone, or never public
            self._pages.pop(address, None)
            if len(self._not_ours) >= MAX_NOT_OURS:
                self._not_ours.clear()
            self._not_ours[address] = loop.time() + NOT_OURS_SECONDS
        return told

    async def _say(self, page: _Page, known: bytes, address: Address, send: Send, *, is_head: bool) -> None:
        headers = page.told.headers
        if (age := int(self._age(page))) > 0:
            headers = (*headers, (b"Age", b"%d" % age))
        if address in self._failed_at:
            headers = (*headers, (b"Warning", b'110 - "Response is Stale"'))
        if _knows(known, page.etag):
            kept = [header for header in headers if header[0].lower() not in _NOT_OF_304]
            await _send(send, 304, [*kept, (b"Content-Length", b"0")], b"")
        else:
            await _send(send, 200, headers, b"" if is_head else page.told.body)


def _knows(known: bytes, etag: bytes) -> bool:
    """Tell whether an If-None-Match names the tag, compared weakly (RFC 9110 §13.1.2)."""
    if not known:
        return False
    return known.strip() == b"*" or etag.removeprefix(b"W/") in {
        tag.strip().removeprefix(b"W/") for tag in known.split(b",")
    }


async def _told_by(django: Application, scope: Scope) -> _Told:
    """Ask Django as nobody in particular: at the same address, with nothing of whoever asked."""
    told, pieces, asked = _Told(), [], False
    nobody = {
        **scope,
        "method": "GET",
        "headers": [header for header in scope["headers"] if header[0] in _ADDRESS_HEADERS],
    }

    async def receive() -> Message:
        nonlocal asked
        if asked:
            await asyncio.Event().wait()
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            told.status = message["status"]
            told.headers = tuple((bytes(name), bytes(value)) for name, value in message["headers"])
        else:
            pieces.append(message.get("body", b""))

    await django(nobody, receive, send)
    told.body = b"".join(pieces)
    return told


async def _send(send: Send, status: int, headers: Sequence[Header], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})
