"""The Edge: the ASGI application that stands in front of Django and answers the hot routes itself.

Invariant: whatever the Edge does not know goes to Django untouched, and nothing that is out of `bounds`. The event loop
asks the database nothing; where something is asked, it is through services and on threads of their own.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from reports.edge.asgi import Application, Receive, Scope, Send
from reports.edge.bounds import Bounds
from reports.edge.intake import BATCH_PATH, REPORT_PATH, IntakeEdge
from reports.edge.public import PublicPages, is_public
from reports.edge.stopping import when_told_to_stop
from reports.edge.stream import PATH as STREAM_PATH
from reports.edge.stream import DashboardStream

_INTAKE_PATHS: Final = frozenset({REPORT_PATH, BATCH_PATH})


class Edge:
    """One application for one server and one port."""

    def __init__(self, django_app: Application) -> None:
        self._django = django_app
        self._intake = IntakeEdge(django_app)
        self._public = PublicPages(django_app)
        self._stream = DashboardStream()
        self._is_watching = False
        self._bounds = Bounds(self._answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._bounds(scope, receive, send)

    def _answer(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Return what answers the request."""
        if scope["type"] != "http":
            return self._django(scope, receive, send)
        path = scope["path"]
        if path in _INTAKE_PATHS:
            return self._intake(scope, receive, send)
        if is_public(path):
            return self._public(scope, receive, send)
        if path == STREAM_PATH:
            self._watch_for_stop()
            return self._stream(scope, receive, send)
        return self._django(scope, receive, send)

    def _watch_for_stop(self) -> None:
        """End the streams when the server is told to stop. From the first stream on: nothing else needs it."""
        if not self._is_watching:
            self._is_watching = True
            when_told_to_stop(self._stream.close)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Answer the server's start and stop, which Django's handler would refuse."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                self._stream.close()
                self._intake.close()
                self._public.close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
