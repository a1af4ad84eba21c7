"""The fuzzer sees what it is there to see, asks what it claims to ask, and finds nothing on a small run."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Sequence

import pytest

from benchmarks.fuzz import CHECKOUT, Forms, Tally, ask, examples
from benchmarks.fuzz_requests import Asked, mutated

GOOD = Asked(
    "POST",
    "/api/v1/reports",
    query=(("a", "b"),),
    headers=(("Content-Type", "application/json"),),
    body=b'{"service": "mail", "text": "it hangs", "region": "DE"}',
)


async def tally_of(answers: Sequence[bytes], requests: Sequence[bytes]) -> Tally:
    """Return what the fuzzer notes of a server that gives these answers in turn; an empty one breaks off."""
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                answer = left.pop(0) if left else b""
                if not answer:
                    break
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    tally = Tally()
    await ask(server.sockets[0].getsockname()[1], iter(requests), tally, n_connections=1)
    server.close()
    return tally


def test_an_error_of_the_server_and_a_broken_answer_are_counted_and_shown() -> None:
    fine = b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno"
    failed = b"HTTP/1.1 500 Sorry\r\ntransfer-encoding: chunked\r\n\r\n3\r\noh!\r\n0\r\n\r\n"
    request = Asked("GET", "/x").written()

    tally = asyncio.run(tally_of([fine, failed, fine], [request] * 4))

    assert tally.by_status == {404: 2, 500: 1, 0: 1}
    assert tally.n_errors == 2
    assert [error["status"] for error in tally.errors] == [500, 0]
    assert all("GET /x" in error["request"] for error in tally.errors)


def test_the_same_seed_asks_the_same() -> None:
    first, again = random.Random(7), random.Random(7)

    for _ in range(300):
        assert mutated(GOOD, first).written() == mutated(GOOD, again).written()


def test_most_requests_are_spoiled_and_all_are_valid_http() -> None:
    rng = random.Random(1)
    written = [mutated(GOOD, rng).written() for _ in range(2_000)]

    assert sum(one != GOOD.written() for one in written) > 1_900
    assert len(set(written)) > 1_500
    for one in written:
        head, _, body = one.partition(b"\r\n\r\n")
        line, *headers = head.split(b"\r\n")
        assert len(line.split(b" ")) == 3
        assert all(b":" in header for header in headers)
        assert f"Content-Length: {len(body)}".encode() in headers


def test_forms_are_read_without_their_token() -> None:
    forms = Forms("/page")
    forms.feed(
        "<input name=stray><form method=post action='/say'><input name=csrfmiddlewaretoken value=x>"
        "<textarea name=note></textarea><button name=act value=drop>Drop</button></form>"
    )

    assert forms.found == [Asked("POST", "/say", form=(("note", ""), ("act", "drop")))]


def test_every_example_of_the_document_is_asked() -> None:
    body = {"application/json": {"examples": {"one": {"value": {"a": 1}}, "lines": {"value": "x\ny"}}}}
    document = {"paths": {"/things/{thing_id}": {"post": {"requestBody": {"content": body}}, "summary": "things"}}}

    asked = list(examples(document))

    assert {one.path for one in asked} == {"/things/1"}
    assert [one.body for one in asked] == [None, None, b'{"a": 1}', b"x\ny"]


@pytest.mark.slow
def test_nothing_that_is_asked_makes_the_server_fail() -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/fuzz.py", "--requests", "2000", "--seed", "3", "--json"],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout)

    assert found["errors"] == []
    assert done.returncode == 0
    assert found["requests"] > 1_900
    assert found["seeds"] > 100
    assert 202 in found["good_reports_afterwards"]
