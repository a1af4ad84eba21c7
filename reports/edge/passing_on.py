"""Handing a request over to Django: as it came, with the body that was read of it, or with the error it ended in."""

from __future__ import annotations

from reports.edge.asgi import Application, Message, Receive, Scope, Send
from reports.errors import ReportsError
from reports.intake.at_once import ALREADY_FAILED


def replay(messages: list[Message], receive: Receive) -> Receive:
    """Return what gives out the messages that were taken already, and then those that come."""
    taken = iter(messages)

    async def receive_again() -> Message:
        for message in taken:
            return message
        return await receive()

    return receive_again


async def tell_failure(django: Application, error: ReportsError, scope: Scope, receive: Receive, send: Send) -> None:
    """Have Django tell the error in its own words and headers, without doing again what has failed."""
    await django({**scope, ALREADY_FAILED: error}, receive, send)
