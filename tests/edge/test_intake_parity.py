"""The Edge answers intake as Django does, to the byte: each story is told to both, and their answers are compared.

What must differ between two answers (ids, and the receipts made of them) is put out of the way first.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.core.asgi import get_asgi_application
from django.db import OperationalError
from django.utils import timezone

from reports.edge import intake as edge_intake
from reports.edge.application import Edge
from reports.enums import Scope
from reports.errors import StoreUnavailable
from reports.intake import apikeys, writer
from reports.intake.apikeys import create_key, revoke_key
from reports.intake.contract import MAX_REPORT_BYTES, MAX_TEXT_CHARS
from reports.intake.receipts import report_of
from reports.intake.services import prepare_storage
from reports.models import ApiKey, IdempotencyKey, Report, ReportContact
from tests.edge.asking import Request, Told, ask
from tests.factories import make_service
from tests.forgetting import forget_everything
from tests.intake.submissions import in_a_thread

ONE, MANY = "/api/v1/reports", "/api/v1/reports:batch"
GOOD: dict[str, Any] = {"service": "mail", "text": "no mail since this morning"}
JSON, LINES = b"application/json", b"application/x-ndjson"
_IDS = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=/receipt/)[A-Za-z0-9_.-]+")

Face = Callable[[Sequence[Request]], list[Told]]


class Counted:
    """Django, and how often it was asked."""

    def __init__(self) -> None:
        self.n_asked = 0
        self._django = get_asgi_application()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.n_asked += 1
        await self._django(scope, receive, send)


@pytest.fixture
def key(transactional_db: None) -> str:
    """A key that may send reports; rows are committed, for the writer has a thread of its own."""
    prepare_storage(now=timezone.now())
    make_service("mail")
    return create_key(name="Support desk", scopes=[Scope.INTAKE], created_by_id=None, now=timezone.now()).secret


def headers(key: str, media_type: bytes = JSON, **more: str) -> list[tuple[bytes, bytes]]:
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in more.items()]
    names = {name for name, _ in given}
    usual = [(b"host", b"localhost:8000"), (b"authorization", f"Bearer {key}".encode()), (b"content-type", media_type)]
    return [header for header in usual if header[0] not in names and header[1]] + [h for h in given if h[1]]


def request(key: str, body: Any, path: str = ONE, media_type: bytes = JSON, **more: Any) -> Request:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    own = {name: more.pop(name) for name in ("method", "query", "n_pieces", "breaks_off") if name in more}
    more = {"content_length": str(len(raw))} | more
    return Request(path, body=raw, headers=headers(key, media_type, **more), **own)


def warm(key: str) -> Request:
    return request(key, GOOD)


def warm_batch(key: str) -> Request:
    return request(key, [GOOD], MANY)


async def tell(application: Any, requests: Sequence[Request]) -> list[Told]:
    return [await ask(application, each) for each in requests]


async def warm_up(edge: Edge, key: str) -> None:
    """Let the Edge see how Django answers, and have all that it remembers at hand."""
    await tell(edge, [warm(key), warm_batch(key)])
    if (refreshing := edge._intake._refreshing) is not None:
        await refreshing


def by_django(requests: Sequence[Request]) -> list[Told]:
    return asyncio.run(tell(get_asgi_application(), requests))


def by_the_edge(key: str, requests: Sequence[Request]) -> tuple[list[Told], int]:
    """Return the Edge's answers, and how many of them it had from Django. It has seen Django answer before."""
    django = Counted()
    edge = Edge(django)

    async def story() -> list[Told]:
        await warm_up(edge, key)
        django.n_asked = 0
        return await tell(edge, requests)

    return asyncio.run(story()), django.n_asked


def plain(told: Told) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Return an answer without what no two answers share. Ids and receipts are as long as each other."""
    kept = [(name, value) for name, value in told.headers if name != b"Expires"]  # the second of the answer
    return told.status, kept, _IDS.sub(b"-", told.body)


# Each request, and whether the Edge answers it by itself.
STORIES: dict[str, tuple[Callable[[str], list[Request]], bool]] = {
    "a report": (lambda key: [request(key, GOOD)], True),
    "in pieces": (lambda key: [request(key, GOOD, n_pieces=3)], True),
    "every field": (
        lambda key: [
            request(
                key,
                GOOD
                | {
                    "region": "de-by",
                    "symptom": "SLOW",
                    "reporter": "u1",
                    "source": "app",
                    "url": "https://a.example",
                    "release": "1",
                    "trace": "4bf92f3577b34da6a3ce929d0e0e4736",
                    "lang": "de",
                    "contact": "a@b.example",
                    "occurred_at": timezone.now().isoformat(),
                },
            )
        ],
        True,
    ),
    "with charset": (lambda key: [request(key, GOOD, media_type=b"application/json; charset=utf-8")], True),
    "key in a header of its own": (lambda key: [request(key, GOOD, authorization="", x_api_key=key)], True),
    "an idempotency key, twice": (lambda key: [request(key, GOOD, idempotency_key="k1")] * 2, True),
    "an idempotency key with another body": (
        lambda key: [
            request(key, GOOD, idempotency_key="k1"),
            request(key, GOOD | {"text": "another"}, idempotency_key="k1"),
        ],
        False,
    ),
    "an unfit idempotency key": (lambda key: [request(key, GOOD, idempotency_key="k" * 256)], False),
    "malformed JSON": (lambda key: [request(key, b'{"service":')], False),
    "no UTF-8": (lambda key: [request(key, b'{"service": "\xff"}')], False),
    "no object": (lambda key: [request(key, [1])], False),
    "an unknown field": (lambda key: [request(key, GOOD | {"colour": "red"})], False),
    "a wrong type": (lambda key: [request(key, GOOD | {"text": 7})], False),
    "a missing field": (lambda key: [request(key, {"text": "slow"})], False),
    "several wrong fields": (lambda key: [request(key, GOOD | {"region": "XX", "lang": "?"})], False),
    "an unknown service": (lambda key: [request(key, GOOD | {"service": "mall"})], False),
    "a text that is too long": (lambda key: [request(key, GOOD | {"text": "x" * (MAX_TEXT_CHARS + 1)})], False),
    "a control character": (lambda key: [request(key, GOOD | {"text": "a\u202eb"})], False),
    "nested": (lambda key: [request(key, b"[" * 50_000)], False),
    "an empty body": (lambda key: [request(key, b"")], False),
    "a body that breaks off": (lambda key: [request(key, GOOD, breaks_off=True)], False),
    "a body that is too large": (lambda key: [request(key, b" " * (MAX_REPORT_BYTES + 1))], False),
    "another media type": (lambda key: [request(key, GOOD, media_type=b"text/plain")], False),
    "another charset": (lambda key: [request(key, GOOD, media_type=b"application/json; charset=utf-16")], False),
    "no media type": (lambda key: [request(key, GOOD, media_type=b"")], False),
    "a compressed body": (lambda key: [request(key, GOOD, content_encoding="gzip")], False),
    "no length": (lambda key: [request(key, GOOD, content_length="")], False),
    "a parameter": (lambda key: [request(key, GOOD, query=b"dry_run=1")], False),
    "a cookie": (lambda key: [request(key, GOOD, cookie="a=b")], False),
    "no key": (lambda key: [request(key, GOOD, authorization="")], False),
    "a wrong key": (lambda key: [request(key, GOOD, authorization=f"Bearer outcry_{'a' * 8}_{'b' * 40}")], False),
    "no key's shape": (lambda key: [request(key, GOOD, authorization="Bearer x")], False),
    "another scheme": (lambda key: [request(key, GOOD, authorization="Basic eDp5")], False),
    "another host": (lambda key: [request(key, GOOD, host="127.0.0.1:8000")] * 2, False),
    "a host that is not ours": (lambda key: [request(key, GOOD, host="elsewhere.example")], False),
    **{
        f"the method {method}": (lambda key, method=method: [request(key, b"", method=method)], False)
        for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")
    },
    "a batch": (lambda key: [request(key, [GOOD] * 3, MANY)], True),
    "a large batch": (lambda key: [request(key, [GOOD] * 120, MANY, n_pieces=4)], True),
    "a batch of lines": (
        lambda key: [request(key, b'\n{"service":"mail","text":"a"}\r\n \n{"service":"mail","text":"b"}', MANY, LINES)],
        True,
    ),
    "a batch with an idempotency key, twice": (
        lambda key: [request(key, [GOOD] * 2, MANY, idempotency_key="k2")] * 2,
        True,
    ),
    "a batch with errors": (lambda key: [request(key, [GOOD, GOOD | {"region": "XX"}, "no"], MANY)], False),
    "a batch of errors": (lambda key: [request(key, [GOOD | {"region": "XX"}], MANY)], False),
    "a batch that is all or nothing": (lambda key: [request(key, [GOOD], MANY, query=b"all_or_nothing=1")], False),
    "two objects in a line": (
        lambda key: [request(key, b'{"service":"mail","text":"a"}{"service":"mail","text":"b"}', MANY, LINES)],
        False,
    ),
    "lines sent as an array": (lambda key: [request(key, b'{"service":"mail","text":"a"}\n', MANY)], False),
    "an empty batch": (lambda key: [request(key, [], MANY)], False),
    "a batch without items": (lambda key: [request(key, b"\n\n", MANY, LINES)], False),
    "a batch that is too large": (lambda key: [request(key, b"[" + b"{}," * 10_001 + b"{}]", MANY)], False),
    "lines for one report": (lambda key: [request(key, GOOD, media_type=LINES)], False),
}


@pytest.mark.parametrize("name", STORIES)
def test_both_answer_alike(key: str, name: str) -> None:
    story, is_the_edges = STORIES[name]
    requests = story(key)

    edges, n_passed_on = by_the_edge(key, requests)
    n_by_the_edge = Report.objects.count() - 2  # two to begin with
    IdempotencyKey.objects.all().delete()
    djangos = by_django(requests)

    assert [plain(told) for told in edges] == [plain(told) for told in djangos]
    assert (n_passed_on == 0) == is_the_edges
    assert Report.objects.count() - 2 == 2 * n_by_the_edge


async def ask_without_an_end(application: Any, asked: Request) -> int:
    """Ask as a server does that sends the end of a body apart, and late; return the answer's status."""
    statuses: list[int] = []
    messages = [{"type": "http.request", "body": asked.body, "more_body": True}]

    async def receive() -> dict[str, Any]:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await asyncio.wait_for(application(asked.scope(), receive, send), timeout=30)
    return statuses[0]


@pytest.mark.parametrize("n_reports", [1, 120])
def test_a_body_that_is_there_as_long_as_announced_is_not_waited_for_to_end(key: str, n_reports: int) -> None:
    edge = Edge(Counted())
    asked = request(key, GOOD) if n_reports == 1 else request(key, [GOOD] * n_reports, MANY)

    async def story() -> int:
        await warm_up(edge, key)
        return await ask_without_an_end(edge, asked)

    assert asyncio.run(story()) == 202
    assert Report.objects.count() == 2 + n_reports


def test_a_form_that_is_known_does_not_vouch_for_another(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_intake, "MAX_FORMS", 2)
    forms = [
        {},
        {"media_type": b"application/json;charset=utf-8"},
        {"cookie": "a=b"},
        {"query": b"dry_run=1"},
        {"media_type": b"application/json; charset=utf-8"},
        {"content_encoding": "gzip"},
        {"path": MANY},
        {},
    ]
    asked = [request(key, [GOOD] if "path" in form else GOOD, **form) for form in forms]

    edges, n_passed_on = by_the_edge(key, asked)

    assert [plain(told) for told in edges] == [plain(told) for told in by_django(asked)]
    assert n_passed_on == 3


def test_a_report_is_stored_alike(key: str) -> None:
    report = {
        "service": "Mail", "text": "mail me: a@b.example", "region": "de-by", "symptom": "slow", "reporter": "u1",
        "source": "app", "release": "1", "lang": "de", "contact": "me@b.example",
    }  # fmt: skip
    (edges,), n_passed_on = by_the_edge(key, [request(key, report)])
    (djangos,) = by_django([request(key, report)])

    fields = [field.attname for field in Report._meta.concrete_fields]
    first, second = (
        {name: getattr(Report.objects.get(pk=json.loads(told.body)["id"]), name) for name in fields}
        for told in (edges, djangos)
    )
    differ = {name for name in fields if first[name] != second[name]}
    assert n_passed_on == 0
    assert differ == {"id", "occurred_at", "received_at", "counted_at"}
    assert first["text"] == "mail me: [email]"
    assert ReportContact.objects.filter(pk=first["id"]).exists()
    assert report_of(json.loads(edges.body)["receipt_url"].rpartition("/")[2]) == first["id"]
    assert ApiKey.objects.get(pk=first["key_id"]).last_used_at is not None


def test_a_repeated_idempotency_key_is_answered_as_the_first_time_across_both(key: str) -> None:
    asked = request(key, GOOD, idempotency_key="k1")
    lines = request(key, [GOOD] * 2, MANY, idempotency_key="k2")

    first = by_django([asked, lines])
    second, n_passed_on = by_the_edge(key, [asked, lines])

    assert [(told.status, told.headers, told.body) for told in first] == [
        (told.status, told.headers, told.body) for told in second
    ]
    assert n_passed_on == 0


def test_a_repeat_of_a_batch_that_had_errors_is_told_with_them(key: str) -> None:
    asked = request(key, [GOOD, GOOD | {"service": "chat"}], MANY, idempotency_key="k")
    first = by_django([asked])
    make_service("chat")
    forget_everything()

    second, n_passed_on = by_the_edge(key, [asked])

    assert second[0].body == first[0].body
    assert n_passed_on == 1
    assert Report.objects.count() == 3


def test_a_revoked_key_is_refused_at_once_and_alike(key: str) -> None:
    edge = Edge(Counted())
    key_id = ApiKey.objects.get().pk

    async def story() -> Told:
        await warm_up(edge, key)
        in_a_thread(lambda: revoke_key(key_id=key_id, now=timezone.now()))
        return await ask(edge, request(key, GOOD))

    told = asyncio.run(story())
    (djangos,) = by_django([request(key, GOOD)])

    assert told.status == 401
    assert plain(told) == plain(djangos)


def test_a_key_without_the_scope_is_refused_alike(key: str) -> None:
    other = create_key(name="Reader", scopes=[Scope.READ], created_by_id=None, now=timezone.now()).secret

    (edges,), _ = by_the_edge(key, [request(other, GOOD)])
    (djangos,) = by_django([request(other, GOOD)])

    assert edges.status == 403
    assert plain(edges) == plain(djangos)


@pytest.mark.parametrize("path", [ONE, MANY])
def test_what_the_writer_could_not_store_is_told_alike_and_not_tried_again(
    key: str, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    body = GOOD if path == ONE else [GOOD] * 60
    django = Counted()
    edge = Edge(django)
    tried: list[int] = []

    def is_away(submissions: Any, **options: Any) -> Any:
        tried.append(len(submissions))
        raise StoreUnavailable("The database is away (OperationalError). Try again.")

    async def story() -> Told:
        await warm_up(edge, key)
        monkeypatch.setattr(writer, "write_group", lambda *args, **options: [is_away(*args, **options)])
        return await ask(edge, request(key, body, path))

    told = asyncio.run(story())
    n_tried = len(tried)
    (djangos,) = by_django([request(key, body, path)])

    assert told.status == 503
    assert told.header("retry-after") == "5"
    assert plain(told) == plain(djangos)
    assert n_tried == 1


def test_when_the_keys_can_not_be_read_any_more_django_says_so(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_away(digest: bytes) -> None:
        raise OperationalError("the database system is shutting down")

    django = Counted()
    edge = Edge(django)

    async def story() -> Told:
        await warm_up(edge, key)
        monkeypatch.setattr(apikeys.table, "find", is_away)
        monkeypatch.setattr(apikeys.table, "read_at", float("-inf"))
        return await ask(edge, request(key, GOOD))

    told = asyncio.run(story())

    assert told.status == 503
    assert told.header("retry-after") == "5"


@pytest.mark.usefixtures("broker")
@pytest.mark.parametrize("path", [ONE, MANY])
def test_a_key_over_its_limit_is_refused_alike(key: str, settings: Any, path: str) -> None:
    settings.KEY_REPORTS_PER_MINUTE = 40
    body, n_reports = (GOOD, 1) if path == ONE else ([GOOD] * 4, 4)
    asked = [request(key, body, path)] * (48 // n_reports)

    edges, n_passed_on = by_the_edge(key, asked)
    (djangos,) = by_django([request(key, body, path)])

    refused = [told for told in edges if told.status == 429]
    n_refused = len(refused)
    # The bucket fills up by a report in 1.5 seconds while the test runs.
    assert 2 + n_reports * (len(asked) - n_refused) == Report.objects.count() <= 40 + 6
    assert n_refused < n_passed_on < len(asked)
    assert djangos.status == 429
    assert refused[-1].header("retry-after").isdigit()
    without_wait = [[pair for pair in plain(told)[1] if pair[0] != b"Retry-After"] for told in (refused[-1], djangos)]
    assert without_wait[0] == without_wait[1]
    assert plain(refused[-1])[2] == plain(djangos)[2]
