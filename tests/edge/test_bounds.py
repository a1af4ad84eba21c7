"""What is larger than anything that is taken is not read to its end, and is told so in the words it always was."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator
from itertools import repeat
from typing import Any

import pytest
from django.core.asgi import get_asgi_application

from reports.edge.application import Edge
from reports.edge.bounds import MAX_HEADER_BYTES
from reports.intake.contract import MAX_BODY_BYTES
from tests.edge.asking import Request, Told, ask

HOST = (b"host", b"localhost")
MEGABYTE = 1024 * 1024


class Endless:
    """A request whose body does not end; counts the megabytes that were taken of it."""

    def __init__(self, *headers: tuple[bytes, bytes], path: str = "/nowhere") -> None:
        self.request = Request(path, headers=[HOST, *headers])
        self.n_taken = 0

    def scope(self) -> dict[str, Any]:
        return self.request.scope()

    def messages(self) -> Any:
        return self

    def pop(self, _: int) -> dict[str, Any]:
        self.n_taken += 1
        assert self.n_taken < 100, "an endless body is read on and on"
        return {"type": "http.request", "body": bytes(MEGABYTE), "more_body": True}

    def __iter__(self) -> Iterator[int]:
        return repeat(1)


def told(request: Any) -> Told:
    return asyncio.run(ask(Edge(get_asgi_application()), request))  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/cloudevents"])
def test_an_endless_body_is_given_up(path: str) -> None:
    endless = Endless((b"content-type", b"application/octet-stream"), path=path)

    answer = told(endless)

    assert answer.status in {401, 404}, answer.body
    assert endless.n_taken == MAX_BODY_BYTES // MEGABYTE + 1


def test_of_a_body_that_is_said_to_be_too_large_nothing_is_read() -> None:
    endless = Endless((b"content-type", b"application/json"), (b"content-length", b"%d" % 10**12))

    answer = told(endless)

    assert answer.status == 404
    assert endless.n_taken == 0


TEN, CHUNKED = (b"content-length", b"10"), (b"transfer-encoding", b"chunked")


@pytest.mark.parametrize(
    "lengths",
    [
        pytest.param([TEN, CHUNKED], id="and comes in chunks"),
        pytest.param([CHUNKED, TEN], id="in chunks, and a length"),
        pytest.param([TEN, (b"content-length", b"11")], id="twice"),
        pytest.param([TEN, TEN, TEN], id="three times"),
        pytest.param([(b"content-length", b"ten")], id="in words"),
        pytest.param([(b"content-length", b"0" * 19)], id="in too many digits"),
    ],
)
def test_a_length_that_need_not_be_true_is_not_relied_on(lengths: list[tuple[bytes, bytes]]) -> None:
    endless = Endless((b"content-type", b"application/octet-stream"), *lengths)

    told(endless)

    assert endless.n_taken == MAX_BODY_BYTES // MEGABYTE + 1


def test_a_body_of_an_announced_length_reaches_the_application_as_it_comes() -> None:
    taken: list[bytes] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive())["type"] == "http.request":
            taken.append(message["body"])
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    request = Request("/nowhere", headers=[HOST, (b"content-length", b"9")], body=b"abcdefghi", n_pieces=3)
    answer = asyncio.run(ask(Edge(application), request))

    assert answer.status == 200
    assert taken == [b"abc", b"def", b"ghi"]


def test_an_upload_that_is_too_large_leaves_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_file(*_: object, **__: object) -> None:
        raise AssertionError("a file was made")

    monkeypatch.setattr(tempfile, "TemporaryFile", no_file)
    endless = Endless(
        (b"content-type", b"multipart/form-data; boundary=b"), (b"content-length", b"%d" % 10**12), path="/report"
    )

    assert told(endless).status in {400, 403, 413}


@pytest.mark.parametrize(
    "header",
    [
        (b"content-type", b'text/x; a="' + b";" * 20_000),
        (b"accept", b"a/b;" * 20_000),
        (b"x-any", b"a" * MAX_HEADER_BYTES),
        (b"cookie", b'a="\\' * MAX_HEADER_BYTES),
    ],
)
def test_headers_that_would_take_long_to_read_are_refused_at_once(header: tuple[bytes, bytes]) -> None:
    assert told(Request("/report", headers=[HOST, header])).status == 431


@pytest.mark.django_db(transaction=True)  # the Edge reads keys and salts on a thread of its own
def test_a_report_that_is_too_large_is_told_in_the_apis_words() -> None:
    headers = [HOST, (b"content-type", b"application/json"), (b"content-length", b"%d" % 10**9)]

    answer = told(Request("/api/v1/reports", headers=headers))

    assert answer.status == 401
    assert json.loads(answer.body)["type"] == "urn:problem-type:outcry:unauthenticated"
