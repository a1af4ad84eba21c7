"""Asking an ASGI application as a server would, without one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

Headers = Sequence[tuple[bytes, bytes]]


@dataclass
class Told:
    """One answer."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str:
        return {key.lower(): value for key, value in self.headers}[name.encode()].decode()


@dataclass(frozen=True)
class Request:
    """One request: what it says, and in how many pieces its body comes."""

    path: str
    method: str = "POST"
    headers: Headers = ()
    body: bytes = b""
    query: bytes = b""
    n_pieces: int = 1
    breaks_off: bool = False

    def scope(self) -> dict[str, Any]:
        return {
            "type": "http", "http_version": "1.1", "method": self.method, "path": unquote(self.path),
            "raw_path": self.path.encode(), "query_string": self.query, "root_path": "", "scheme": "http",
            "headers": list(self.headers), "client": ("192.0.2.1", 40_000), "server": ("testserver", 80),
            "asgi": {"version": "3.0"}, "state": {},
        }  # fmt: skip

    def messages(self) -> list[dict[str, Any]]:
        size = -(-len(self.body) // self.n_pieces) or 1
        pieces = [self.body[start : start + size] for start in range(0, len(self.body), size)] or [b""]
        if self.breaks_off:
            return [{"type": "http.request", "body": pieces[0][:-1], "more_body": True}, {"type": "http.disconnect"}]
        return [
            {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
            for number, piece in enumerate(pieces, 1)
        ]


async def ask(application: Any, request: Request) -> Told:
    """Return the application's answer to the request."""
    told, messages, is_over = Told(), request.messages(), asyncio.Event()

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop(0)
        await is_over.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            told.status, told.headers = message["status"], list(message["headers"])
        else:
            told.body += message.get("body", b"")
            if not message.get("more_body"):
                is_over.set()

    await application(request.scope(), receive, send)
    return told
