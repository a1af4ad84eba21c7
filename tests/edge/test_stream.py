"""The stream of changes: who may listen, what is said, and that it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client

from reports.edge.stream import DashboardStream
from reports.enums import Role
from reports.triage.accounts import Staff, staff_of_session
from tests.factories import PASSWORD, make_user

STAFF = Staff(1, "ada", Role.VIEWER)
PATIENCE_SECONDS = 5


class Listener:
    """One request to the stream, as a server would carry it."""

    def __init__(self, stream: DashboardStream, *, method: str = "GET", cookie: str = "sessionid=known") -> None:
        headers = [(b"cookie", cookie.encode())] if cookie else []
        self._scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "path": "/dashboard/stream",
            "headers": headers,
        }
        self._stream = stream
        self._left = asyncio.Event()
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.text = ""
        self.is_stuck = False
        self.task = asyncio.create_task(stream(self._scope, self._receive, self._send))

    def leave(self) -> None:
        self._left.set()

    async def until(self, is_true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_true():
                await asyncio.sleep(0.005)

    async def until_it_ends(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.task

    async def _receive(self) -> dict[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = dict(message["headers"])
        else:
            if self.is_stuck:
                await asyncio.Event().wait()
            self.text += message["body"].decode()


class Versions:
    """What the dashboard's version is, and how often it was asked for."""

    def __init__(self) -> None:
        self.now = "1"
        self.n_asked = 0

    def __call__(self) -> str:
        self.n_asked += 1
        return self.now


def make_stream(versions: Versions | None = None, **options: Any) -> DashboardStream:
    quick: dict[str, Any] = {"poll_seconds": 0.01, "heartbeat_seconds": 5.0, "find_staff": lambda key: STAFF}
    return DashboardStream(read_version=versions or Versions(), **(quick | options))


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def told() -> None:
        await story()

    asyncio.run(told())


def test_a_change_is_told_to_everyone_who_listens() -> None:
    async def story() -> None:
        versions = Versions()
        stream = make_stream(versions)
        listeners = [Listener(stream), Listener(stream)]
        for listener in listeners:
            await listener.until(lambda: versions.n_asked > 1 and "retry" in listener.text)  # noqa: B023

        versions.now = "2"
        for listener in listeners:
            await listener.until(lambda: "event: changed\ndata: 2\n\n" in listener.text)  # noqa: B023

        assert listeners[0].status == 200
        assert listeners[0].headers[b"content-type"].startswith(b"text/event-stream")
        stream.close()
        for listener in listeners:
            await listener.until_it_ends()

    run(story)


def test_while_nothing_changes_only_heartbeats_are_sent() -> None:
    async def story() -> None:
        stream = make_stream(heartbeat_seconds=0.02)
        listener = Listener(stream)

        await listener.until(lambda: listener.text.count(": still here") >= 2)

        assert "event" not in listener.text
        stream.close()
        await listener.until_it_ends()

    run(story)


def test_nobody_is_asked_while_nobody_listens() -> None:
    async def story() -> None:
        versions = Versions()
        stream = make_stream(versions)
        listener = Listener(stream)
        await listener.until(lambda: versions.n_asked > 0)
        listener.leave()
        await listener.until_it_ends()

        await listener.until(lambda: not stream.is_asking)

        assert stream.n_subscribers == 0
        stream.close()

    run(story)


def test_a_listener_after_a_pause_hears_again() -> None:
    async def story() -> None:
        versions = Versions()
        stream = make_stream(versions)
        first = Listener(stream)
        await first.until(lambda: versions.n_asked > 0)
        first.leave()
        await first.until_it_ends()
        await first.until(lambda: not stream.is_asking)

        second = Listener(stream)
        n_asked = versions.n_asked
        await second.until(lambda: versions.n_asked > n_asked + 1)
        versions.now = "2"
        await second.until(lambda: "data: 2" in second.text)

        stream.close()
        await second.until_it_ends()

    run(story)


@pytest.mark.parametrize("cookie", ["", "sessionid=", "other=1; x", "broken;;;=;"])
def test_a_stranger_is_refused(cookie: str) -> None:
    async def story() -> None:
        stream = make_stream(find_staff=lambda key: STAFF if key == "known" else None)
        listener = Listener(stream, cookie=cookie)

        await listener.until_it_ends()

        assert (listener.status, stream.n_subscribers) == (401, 0)
        stream.close()

    run(story)


def test_the_session_is_found_among_other_cookies() -> None:
    async def story() -> None:
        stream = make_stream(find_staff=lambda key: STAFF if key == "known" else None)
        listener = Listener(stream, cookie='bad name=1; csrftoken="a,b"; sessionid=known; later=2')

        await listener.until(lambda: listener.status != 0)

        assert listener.status == 200
        stream.close()
        await listener.until_it_ends()

    run(story)


def test_a_stream_ends_with_its_session() -> None:
    async def story() -> None:
        known = [STAFF]
        stream = make_stream(
            find_staff=lambda key: known[0] if known else None, check_session_seconds=0.0, heartbeat_seconds=0.01
        )
        listener = Listener(stream)
        await listener.until(lambda: "still here" in listener.text)

        known.clear()

        await listener.until_it_ends()
        stream.close()

    run(story)


class FailingVersions(Versions):
    """A database that is away for the second and third question."""

    def __call__(self) -> str:
        version = super().__call__()
        if self.n_asked in {2, 3}:
            raise OSError("the database is away")
        return version


def test_a_database_that_is_away_ends_no_stream() -> None:
    async def story() -> None:
        versions = FailingVersions()
        stream = make_stream(versions)
        listener = Listener(stream)
        await listener.until(lambda: versions.n_asked >= 3)

        versions.now = "2"

        await listener.until(lambda: "data: 2" in listener.text)
        stream.close()
        await listener.until_it_ends()

    run(story)


def test_a_database_that_is_away_at_the_start_asks_to_come_back() -> None:
    async def story() -> None:
        def fail(key: str) -> Staff:
            raise OSError("the database is away")

        stream = make_stream(find_staff=fail)
        listener = Listener(stream)

        await listener.until_it_ends()

        assert (listener.status, listener.headers[b"retry-after"]) == (503, b"30")
        stream.close()

    run(story)


def test_no_more_than_so_many_may_listen() -> None:
    async def story() -> None:
        stream = make_stream(max_subscribers=1)
        first = Listener(stream)
        await first.until(lambda: first.status == 200)

        second = Listener(stream)
        await second.until_it_ends()

        assert second.status == 503
        stream.close()
        await first.until_it_ends()

    run(story)


def test_a_listener_that_takes_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.edge.stream.SEND_SECONDS", 0.02)

    async def story() -> None:
        stream = make_stream(heartbeat_seconds=0.01)
        listener = Listener(stream)
        await listener.until(lambda: "retry" in listener.text)

        listener.is_stuck = True

        await listener.until_it_ends()
        assert stream.n_subscribers == 0
        stream.close()

    run(story)


def test_only_reading_is_allowed() -> None:
    async def story() -> None:
        stream = make_stream()
        listener = Listener(stream, method="POST")

        await listener.until_it_ends()

        assert (listener.status, listener.headers[b"allow"]) == (405, b"GET")
        stream.close()

    run(story)


def test_a_closed_stream_takes_nobody() -> None:
    async def story() -> None:
        stream = make_stream()
        stream.close()
        listener = Listener(stream)

        await listener.until_it_ends()

        assert listener.status == 503

    run(story)


@pytest.mark.django_db
@pytest.mark.parametrize(("role", "is_known"), [(Role.VIEWER, True), (None, False)])
def test_a_session_is_its_users_as_long_as_the_password_stands(role: Role | None, is_known: bool) -> None:
    user = make_user(role)
    client = Client()
    client.login(username=user.username, password=PASSWORD)
    session_key = client.cookies["sessionid"].value

    found = staff_of_session(session_key=session_key)
    user.set_password("another password")
    user.save()
    afterwards = staff_of_session(session_key=session_key)

    assert (found is not None) is is_known
    assert afterwards is None


@pytest.mark.django_db
def test_a_session_without_a_user_is_nobodys() -> None:
    session = SessionStore()
    session["theme"] = "dark"
    session.save()

    assert session.session_key is not None
    assert staff_of_session(session_key=session.session_key) is None
    assert staff_of_session(session_key="made up") is None
