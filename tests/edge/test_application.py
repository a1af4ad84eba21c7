"""The Edge: what it answers itself, and what it leaves to Django."""

from __future__ import annotations

import asyncio
from typing import Any

from reports.edge.application import Edge


class Django:
    """Notes what it is asked."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.paths.append(scope["path"])


def ask(edge: Edge, scope: dict[str, Any], *messages: dict[str, Any]) -> list[dict[str, Any]]:
    given, sent = list(messages), []

    async def receive() -> dict[str, Any]:
        return given.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    async def story() -> None:
        await edge(scope, receive, send)

    asyncio.run(story())
    return sent


def test_what_the_edge_does_not_know_goes_to_django() -> None:
    django = Django()

    ask(Edge(django), {"type": "http", "path": "/dashboard", "method": "GET", "headers": []})

    assert django.paths == ["/dashboard"]


def test_the_stream_is_the_edges_own() -> None:
    django = Django()

    sent = ask(Edge(django), {"type": "http", "path": "/dashboard/stream", "method": "GET", "headers": []})

    assert django.paths == []
    assert sent[0]["status"] == 401


def test_start_and_stop_are_acknowledged() -> None:
    django = Django()

    sent = ask(Edge(django), {"type": "lifespan"}, {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})

    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert django.paths == []
