"""How much of a request goes on: what is larger than anything that is taken here is not read to its end.

Django keeps whatever body comes on disk before it looks at the address, and its cost of reading some headers grows with
the square of their length, on the event loop: anybody could fill the disk, or have all others wait for minutes. Not
here: how long a body may take on its way, which is a proxy's affair.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Final

from reports.edge.asgi import Application, Message, Receive, Scope, Send
from reports.intake.contract import MAX_BODY_BYTES

MAX_HEADER_BYTES: Final = 32 * 1024  # all together; most servers and proxies take 8 to 64 KiB
# Their parameters are looked through again for each semicolon. A boundary has 70 characters.
MAX_TYPE_BYTES: Final = 1_000
_OF_TYPES: Final = frozenset({b"content-type", b"accept", b"accept-language"})
_TOO_LARGE: Final = b"The request's headers are larger than what is taken here. Send less of them.\n"


class Bounds:
    """Stands in front of an application and hands on what is within bounds.

    A larger body is not: the application is asked again with its length alone, so that it refuses it in its own words.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Return what answers the request. No coroutine of its own: each costs all requests something."""
        if scope["type"] != "http":
            return self._application(scope, receive, send)
        is_within, n_announced = _look_at(scope["headers"])
        if not is_within:
            return _refuse_headers(send)
        if n_announced is None:
            return self._counted(scope, receive, send)
        if n_announced > MAX_BODY_BYTES:
            return self._refuse(scope, n_announced, send)
        return self._application(scope, receive, send)  # no server reads on beyond a length that was announced

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        n_bytes = 0

        async def receive_counted() -> Message:
            nonlocal n_bytes
            if n_bytes > MAX_BODY_BYTES:
                return {"type": "http.disconnect"}
            message = await receive()
            n_bytes += len(message.get("body", b""))
            return message if n_bytes <= MAX_BODY_BYTES else {"type": "http.disconnect"}

        is_answered = False

        async def send_and_note(message: Message) -> None:
            nonlocal is_answered
            is_answered = True
            await send(message)

        await self._application(scope, receive_counted, send_and_note)
        if n_bytes > MAX_BODY_BYTES and not is_answered:
            await self._refuse(scope, n_bytes, send)

    async def _refuse(self, scope: Scope, n_bytes: int, send: Send) -> None:
        """Have the application refuse a body of that length, of which it is given nothing."""
        others = [header for header in scope["headers"] if header[0] not in {b"content-length", b"transfer-encoding"}]
        is_given = False

        async def receive_nothing() -> Message:
            nonlocal is_given
            if is_given:
                await asyncio.Event().wait()
            is_given = True
            return {"type": "http.request", "body": b"", "more_body": False}

        headers = [*others, (b"content-length", b"%d" % n_bytes)]
        await self._application({**scope, "headers": headers}, receive_nothing, send)


async def _refuse_headers(send: Send) -> None:
    head = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(_TOO_LARGE))]
    await send({"type": "http.response.start", "status": 431, "headers": head})
    await send({"type": "http.response.body", "body": _TOO_LARGE})


def _look_at(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bool, int | None]:
    """Tell whether headers are within bounds, and which length they announce; None where a body may be any length."""
    n_bytes = 0
    n_announced: int | None = None
    is_certain = True
    for name, value in headers:
        n_bytes += len(name) + len(value)
        if len(value) > MAX_TYPE_BYTES and name in _OF_TYPES:
            return False, None
        if name == b"content-length":
            is_certain = is_certain and n_announced is None and value.isdigit() and len(value) <= 18
            n_announced = int(value) if is_certain else None
        elif name == b"transfer-encoding":
            is_certain = False
    return n_bytes <= MAX_HEADER_BYTES, n_announced if is_certain else None
