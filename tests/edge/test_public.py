"""Public pages from memory: what is kept, for how long, and what is said while Django can't say it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest
from django.core.asgi import get_asgi_application

from reports.edge.application import Edge
from reports.edge.public import MAX_PAGES, PublicPages
from tests.edge.asking import Request, Told, ask
from tests.factories import make_service

PAGE = Request("/", "GET", [(b"host", b"localhost:8000")])
PUBLIC = [(b"Content-Type", b"text/html"), (b"ETag", b'"one"'), (b"Cache-Control", b"max-age=10, public")]


class Django:
    """Answers as it is told to, and notes what it is asked."""

    def __init__(self, status: int = 200, headers: Any = PUBLIC, body: bytes = b"all is well") -> None:
        self.status, self.headers, self.body = status, headers, body
        self.asked: list[Any] = []
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope)
        await self.go.wait()
        if not self.status:
            raise OSError("no such luck")
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


def run(story: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(story)


def with_header(request: Request, name: str, value: str) -> Request:
    return replace(request, headers=[*request.headers, (name.encode(), value.encode())])


def test_a_page_is_asked_for_once_within_its_second() -> None:
    django = Django()
    pages = PublicPages(django)

    async def story() -> list[Told]:
        return [await ask(pages, PAGE) for _ in range(5)]

    told = run(story())

    assert len(django.asked) == 1
    assert {(each.status, each.body) for each in told} == {(200, b"all is well")}
    assert all(each.headers == PUBLIC for each in told)


def test_however_many_ask_at_once_django_is_asked_once() -> None:
    django = Django()
    pages = PublicPages(django)

    async def story() -> list[Told]:
        django.go.clear()
        asking = [asyncio.create_task(ask(pages, PAGE)) for _ in range(100)]
        await asyncio.sleep(0.01)
        django.go.set()
        return [await each for each in asking]

    told = run(story())

    assert len(django.asked) == 1
    assert {each.body for each in told} == {b"all is well"}


def test_django_is_asked_as_nobody_in_particular() -> None:
    django = Django()

    run(ask(PublicPages(django), with_header(PAGE, "cookie", "sessionid=x")))

    assert django.asked[0]["headers"] == [(b"host", b"localhost:8000")]


def test_a_page_that_is_older_is_asked_for_again() -> None:
    django = Django()
    pages = PublicPages(django, fresh_seconds=0)

    async def story() -> Told:
        await ask(pages, PAGE)
        django.body = b"trouble"
        await asyncio.sleep(0.01)
        return await ask(pages, PAGE)

    assert run(story()).body == b"trouble"


@pytest.mark.parametrize(
    ("known", "status"),
    [('"one"', 304), ('W/"one"', 304), ('"two", "one"', 304), ("*", 304), ('"two"', 200), ("", 200)],
)
def test_who_has_the_page_is_not_sent_it_again(known: str, status: int) -> None:
    pages = PublicPages(Django())

    told = run(ask(pages, with_header(PAGE, "if-none-match", known)))

    assert told.status == status
    assert told.header("etag") == '"one"'
    assert (told.body == b"") == (status == 304)


def test_head_has_no_body() -> None:
    told = run(ask(PublicPages(Django()), replace(PAGE, method="HEAD")))

    assert (told.status, told.headers, told.body) == (200, PUBLIC, b"")


@pytest.mark.parametrize("status", [503, 500, 0])
def test_while_django_fails_the_old_page_stands_and_says_so(status: int) -> None:
    django = Django()
    pages = PublicPages(django, fresh_seconds=0.01)

    async def story() -> Told:
        await ask(pages, PAGE)
        django.status = status
        await asyncio.sleep(1.05)
        await ask(pages, PAGE)
        return await ask(pages, PAGE)

    told = run(story())

    assert (told.status, told.body) == (200, b"all is well")
    assert told.header("warning").startswith("110")
    assert told.header("age") == "1"


def test_a_django_that_does_not_answer_holds_nobody_up_who_can_have_the_old_page() -> None:
    django = Django()
    pages = PublicPages(django, fresh_seconds=0)

    async def story() -> Told:
        await ask(pages, PAGE)
        django.go.clear()
        await asyncio.sleep(0.01)
        told = await asyncio.wait_for(ask(pages, PAGE), timeout=5)
        pages.close()
        return told

    assert run(story()).body == b"all is well"


def test_without_an_old_page_the_refusal_is_passed_on_to_all() -> None:
    django = Django(503, [(b"Retry-After", b"5")], b"later")
    pages = PublicPages(django)

    async def story() -> list[Told]:
        return list(await asyncio.gather(*(ask(pages, PAGE) for _ in range(10))))

    told = run(story())

    assert {(each.status, each.body, each.header("retry-after")) for each in told} == {(503, b"later", "5")}
    assert len(django.asked) == 1


@pytest.mark.parametrize(
    "headers",
    [
        [(b"ETag", b'"one"'), (b"Cache-Control", b"private")],
        [(b"Cache-Control", b"public")],
        [*PUBLIC, (b"Vary", b"Cookie")],
        [*PUBLIC, (b"Set-Cookie", b"a=b")],
    ],
)
def test_what_django_does_not_call_public_is_never_kept(headers: Any) -> None:
    django = Django(headers=headers)
    pages = PublicPages(django)

    async def story() -> None:
        await ask(pages, PAGE)
        await ask(pages, with_header(PAGE, "cookie", "sessionid=x"))

    run(story())

    assert (b"cookie", b"sessionid=x") in django.asked[-1]["headers"]


@pytest.mark.parametrize(
    "request_", [replace(PAGE, query=b"a=1"), replace(PAGE, method="POST"), with_header(PAGE, "authorization", "x")]
)
def test_what_is_odd_goes_to_django_each_time(request_: Request) -> None:
    django = Django()
    pages = PublicPages(django)

    async def story() -> None:
        await ask(pages, PAGE)
        await ask(pages, request_)

    run(story())

    assert len(django.asked) == 2


def test_two_hosts_have_two_pages() -> None:
    django = Django()
    pages = PublicPages(django)

    async def story() -> None:
        await ask(pages, PAGE)
        await ask(pages, replace(PAGE, headers=[(b"host", b"status.example")]))

    run(story())

    assert len(django.asked) == 2


def test_the_status_page_is_django_s_own_to_the_byte(transactional_db: None) -> None:
    make_service("mail")
    django, edge = get_asgi_application(), Edge(get_asgi_application())

    async def story() -> tuple[Told, Told, Told, Told]:
        first = await ask(django, PAGE)
        again = [await ask(edge, PAGE) for _ in range(2)][1]
        known = with_header(PAGE, "if-none-match", first.header("etag"))
        return first, again, await ask(django, known), await ask(edge, known)

    first, again, not_modified, edges_not_modified = run(story())

    assert (again.status, again.headers, again.body) == (first.status, first.headers, first.body)
    assert edges_not_modified.status == not_modified.status == 304
    assert set(edges_not_modified.headers) == set(not_modified.headers)


def test_who_asks_under_many_addresses_keeps_no_page_out() -> None:
    django = Django()
    pages = PublicPages(django)

    async def story() -> None:
        for number in range(MAX_PAGES + 1):
            await ask(pages, with_header(PAGE, "x-forwarded-port", str(number)))
        django.asked.clear()
        for _ in range(3):
            await ask(pages, PAGE)

    run(story())

    assert len(django.asked) == 1


def test_what_fails_and_was_never_kept_leaves_nothing() -> None:
    pages = PublicPages(Django(status=503))

    async def story() -> None:
        for number in range(10):
            await ask(pages, replace(PAGE, path=f"/api/v2/{number}"))

    run(story())

    assert not pages._failed_at
