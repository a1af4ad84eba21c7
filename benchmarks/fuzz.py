"""Whether anything that can be asked makes the server fail: mutated requests against every address it has.

One run on one machine: Postgres, Valkey and the web server as an installation has them. The addresses are those of
Django's own table, so a new one is asked from the day it is there; what they are asked begins with the examples of the
OpenAPI document and with the forms of the pages, read from the running server. One in three requests is a signed-in
responder's. An answer of 500 or above, or none at all, is an error; each is printed as it was sent.

    python benchmarks/fuzz.py [--json] [--requests 200000] [--seed 0] [--connections 16]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT))  # run as a script from anywhere

from benchmarks.fuzz_requests import Asked, mutated  # noqa: E402
from benchmarks.intake import serving  # noqa: E402
from feedback.embedded import postgres, valkey  # noqa: E402

N_KEYS = 20
N_SESSIONS = 40
ANSWER_SECONDS = 20.0
MOST_ERRORS_SHOWN = 20
# Never answered to an end, by design; and what would sign out or rename those who ask.
_NEVER_ENDING: Final = re.compile(r"^/dashboard/stream")
_NOT_SIGNED_IN: Final = re.compile(r"^/(?:logout|admin)\b")
# Sent as they are they would leave nobody who may ask.
_LOCKS_OUT: Final = re.compile(r"/revoke$")
_WEIGHTS: Final = {"api": 5, "dashboard": 5, "public": 3, "admin": 1}
_VALUES: Final = {
    "int": ("1", "2", "7"),
    "str": ("mail", "x"),
    "slug": ("mail", "confirm", "rename"),
    "uuid": ("0195a3c1-5a00-7c3e-9d41-6f2b8c0e4a77",),
    "path": ("a/b",),
}


@dataclass
class Tally:
    """What was answered."""

    by_status: Counter[int] = field(default_factory=Counter)
    errors: list[dict[str, Any]] = field(default_factory=list)
    n_errors: int = 0
    slowest_seconds: float = 0.0

    def note(self, status: int, request: bytes, seconds: float) -> None:
        self.by_status[status] += 1
        self.slowest_seconds = max(self.slowest_seconds, seconds)
        if status >= 500 or status == 0:
            self.n_errors += 1
            if len(self.errors) < MOST_ERRORS_SHOWN:
                self.errors.append({"status": status, "request": request[:3_000].decode("latin-1")})
                # At once: a server that has stopped answering would keep it for an hour.
                print(f"{sum(self.by_status.values())}: {status} {request[:300]!r}", file=sys.stderr)


class Forms(HTMLParser):
    """The forms of a page, each as the request that sends it unchanged."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
        self.found: list[Asked] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            path = urlsplit(given.get("action", "") or self.page).path or self.page
            self.found.append(Asked(given.get("method", "get").upper(), path, form=()))
        elif given.get("name") == "csrfmiddlewaretoken":
            return  # a session's own; who asks brings theirs in a header
        elif tag in {"input", "select", "textarea", "button"} and self.found and given.get("name"):
            form = (*(self.found[-1].form or ()), (given["name"], given.get("value", "")))
            self.found[-1] = replace(self.found[-1], form=form)


def addresses() -> Iterator[str]:
    """Yield every address of Django's table, with values in the place of its parameters."""
    from django.urls import URLPattern, URLResolver, get_resolver
    from django.urls.resolvers import RoutePattern

    def walk(resolver: URLResolver, before: str) -> Iterator[str]:
        for pattern in resolver.url_patterns:
            if not isinstance(pattern.pattern, RoutePattern):
                continue
            route = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern, route)
            elif isinstance(pattern, URLPattern):
                yield route

    for route in walk(get_resolver(), "/"):
        for number in range(3):

            def value(match: re.Match[str], number: int = number) -> str:
                choices = _VALUES.get(match.group(1) or "str", ("x",))
                return choices[number % len(choices)]

            yield re.sub(r"<(?:(\w+):)?\w+>", value, route)


def examples(schema: dict[str, Any]) -> Iterator[Asked]:
    """Yield a request for each operation and example of an OpenAPI document."""
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if method.upper() not in {"GET", "POST", "PUT", "PATCH", "DELETE"}:
                continue
            parameters = operation.get("parameters", [])
            query = tuple((one["name"], str(one.get("example", "1"))) for one in parameters if one["in"] == "query")
            filled = re.sub(r"\{\w+\}", "1", path)
            yield Asked(method.upper(), filled)
            yield Asked(method.upper(), filled, query=query)
            for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
                for body in _bodies(content):
                    yield Asked(method.upper(), filled, headers=(("Content-Type", media_type),), body=body)


def _bodies(content: dict[str, Any]) -> Iterator[bytes]:
    given = [one.get("value") for one in content.get("examples", {}).values()] + [content.get("example")]
    for example in given:
        if isinstance(example, str):
            yield example.encode()
        elif example is not None:
            yield json.dumps(example).encode()


def _face(path: str) -> str:
    """Return who a path is for: its first part, or "public"."""
    first = path.split("/")[1]
    return first if first in _WEIGHTS else "public"


async def ask(port: int, requests: Iterator[bytes], tally: Tally, *, n_connections: int) -> None:
    """Send all requests over so many connections; one that the server closes is opened again."""

    async def client() -> None:
        reader: asyncio.StreamReader | None = None
        writer: asyncio.StreamWriter | None = None
        for request in requests:
            began = time.perf_counter()
            status, is_open = 0, False
            for is_second in (False, True):
                is_fresh = writer is None
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                assert reader is not None
                try:
                    writer.write(request)
                    status, is_open = await asyncio.wait_for(_answer(reader, request), ANSWER_SECONDS)
                except (OSError, asyncio.IncompleteReadError, TimeoutError):
                    status, is_open = 0, False
                if not is_open:
                    writer.close()
                    reader = writer = None
                if status or is_fresh or is_second:  # a kept connection may have been closed while nothing was asked
                    break
            tally.note(status, request, time.perf_counter() - began)
        if writer is not None:
            writer.close()

    await asyncio.gather(*(client() for _ in range(n_connections)))


async def _answer(reader: asyncio.StreamReader, request: bytes) -> tuple[int, bool]:
    """Return the status of one answer and whether the connection stays open; its body is read to the end."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head[9:12])
    has_body = not request.startswith(b"HEAD ") and status not in {204, 304}
    if has_body and b"transfer-encoding: chunked" in head:
        while (size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)) > 0:
            await reader.readexactly(size + 2)
        await reader.readuntil(b"\r\n")
    elif has_body and (found := re.search(rb"content-length: (\d+)", head)):
        await reader.readexactly(int(found.group(1)))
    elif has_body:
        await reader.read()
        return status, False
    return status, b"connection: close" not in head


def prepare() -> tuple[list[str], list[dict[str, str]]]:
    """Make tables, a service, keys and signed-in responders; return the keys and each session's headers."""
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command
    from django.db import connections
    from django.middleware.csrf import _get_new_csrf_string  # the one place that knows how a token looks
    from django.utils import timezone

    from reports.clustering.services import cluster_pending
    from reports.detection.services import detect_pending
    from reports.enums import Channel, Scope
    from reports.intake.apikeys import create_key
    from reports.intake.contract import ReportIn
    from reports.intake.services import Origin, accept_batch, prepare_storage
    from reports.models import Service

    call_command("migrate", verbosity=0, interactive=False)
    now = timezone.now()
    prepare_storage(now=now)
    for slug in ("mail", "chat", "shop"):
        Service.objects.create(slug=slug, name=slug.title(), created_at=now)
    story = [ReportIn(service="mail", text="can't log in", region="DE-BY", reporter=f"r{n}") for n in range(60)]
    accept_batch(items=story, origin=Origin(Channel.REPLAY), now=now)
    cluster_pending(now=now)
    detect_pending(now=now)
    keys = [
        create_key(
            name=f"fuzz {n}", scopes=[scope for scope in Scope if scope != Scope.PUBLIC], created_by_id=None, now=now
        ).secret
        for n in range(N_KEYS)
    ]
    sessions = []
    for number in range(N_SESSIONS):
        person = get_user_model().objects.create_superuser(f"fuzz{number}", password=None)
        store = SessionStore()
        store[SESSION_KEY], store[BACKEND_SESSION_KEY] = str(person.pk), settings.AUTHENTICATION_BACKENDS[0]
        store[HASH_SESSION_KEY] = person.get_session_auth_hash()
        store.save()
        token = _get_new_csrf_string()
        cookie = f"{settings.SESSION_COOKIE_NAME}={store.session_key}; {settings.CSRF_COOKIE_NAME}={token}"
        sessions.append({"Cookie": cookie, "X-CSRFToken": token})
    connections.close_all()
    return keys, sessions


async def fetched(port: int, asked: Asked) -> tuple[int, bytes]:
    """Return the status and the body of one answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(replace(asked, headers=(*asked.headers, ("Connection", "close"))).written())
    whole = await asyncio.wait_for(reader.read(), ANSWER_SECONDS)
    writer.close()
    head, _, body = whole.partition(b"\r\n\r\n")
    return int(head[9:12] or 0), body


async def seeds(port: int, keys: Sequence[str], sessions: Sequence[dict[str, str]]) -> list[Asked]:
    """Return requests as they should be: of the API's document, of every address, of every form on a page."""
    bearer = ("Authorization", f"Bearer {keys[0]}")
    signed_in = tuple(sessions[0].items())
    accept = ("Accept", "application/vnd.oai.openapi+json")
    status, document = await fetched(port, Asked("GET", "/api/schema/", headers=(accept, bearer)))
    if status != 200:
        raise SystemExit(f"/api/schema/ answers {status}: nothing to begin with.")
    found = list(examples(json.loads(document)))
    pages = sorted({quote(path, safe="/:") for path in addresses() if not _NEVER_ENDING.match(path)})
    found += [Asked("GET", page) for page in pages]
    for page in pages:
        if _NOT_SIGNED_IN.match(page):
            continue
        status, body = await fetched(port, Asked("GET", page, headers=signed_in))
        if status == 200 and b"<form" in body:
            forms = Forms(page)
            forms.feed(body.decode("utf-8", "replace"))
            found += [form for form in forms.found if not _LOCKS_OUT.search(form.path)]
    return found


def requests(
    found: Sequence[Asked], keys: Sequence[str], sessions: Sequence[dict[str, str]], *, n: int, rng: random.Random
) -> Iterator[bytes]:
    """Yield mutated requests: most with the key or the session that their address wants, some with none."""
    by_face: dict[str, list[Asked]] = {}
    for one in found:
        by_face.setdefault(_face(one.path), []).append(one)
    faces = [face for face in sorted(by_face) for _ in range(_WEIGHTS.get(face, 1))]
    for _ in range(n):
        asked = rng.choice(by_face[rng.choice(faces)])
        headers = dict(asked.headers)
        is_known = rng.random() < 0.9
        if asked.path.startswith("/api/") and is_known:
            headers["Authorization"] = f"Bearer {rng.choice(keys)}"
        elif asked.path.startswith(("/dashboard", "/admin/")) and is_known:
            headers |= rng.choice(sessions)
        elif is_known:
            headers |= {"Cookie": f"csrftoken={'a' * 32}", "X-CSRFToken": "a" * 32}
        asked = mutated(replace(asked, headers=tuple(headers.items())), rng)
        if not _NEVER_ENDING.match(asked.path):
            yield asked.written()


def run(options: argparse.Namespace) -> dict[str, Any]:
    keys, sessions = prepare()
    rng = random.Random(options.seed)
    tally = Tally()
    good = Asked(
        "POST", "/api/v1/reports", headers=(("Content-Type", "application/json"),),
        body=b'{"service": "mail", "text": "it hangs"}',
    )  # fmt: skip
    with serving("feedback.asgi:application") as (_, port):
        found = asyncio.run(seeds(port, keys, sessions))
        began = time.perf_counter()
        stream = requests(found, keys, sessions, n=options.requests, rng=rng)
        asyncio.run(ask(port, stream, tally, n_connections=options.connections))
        seconds = time.perf_counter() - began
        # A key may have been revoked and the service switched off on the way; the server must still make sense.
        statuses = [
            asyncio.run(fetched(port, replace(good, headers=(*good.headers, ("X-API-Key", key)))))[0] for key in keys
        ]
    return {
        "requests": sum(tally.by_status.values()),
        "seeds": len(found),
        "server_errors": tally.n_errors,
        "by_status": {str(status): n for status, n in sorted(tally.by_status.items())},
        "slowest_seconds": round(tally.slowest_seconds, 2),
        "seconds": round(seconds),
        "good_reports_afterwards": sorted(set(statuses)),
        "errors": tally.errors,
    }


def main() -> int:
    """Ask, and print what came of it; 1 where anything failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    os.environ.update({"OMP_NUM_THREADS": "1", "DJANGO_SETTINGS_MODULE": "feedback.settings", "LOG_LEVEL": "ERROR"})
    os.environ.setdefault("SECRET_KEY", "a key for the measurement alone, forty characters long")
    os.environ["KEY_REPORTS_PER_MINUTE"] = "100000000"  # a refusal would hide what lies behind it
    os.environ["LAG_PROMISE_SECONDS"] = "3600"  # no worker runs, and /readyz would rightly say so
    with ExitStack() as stack:
        os.environ["DATA_DIR"] = stack.enter_context(tempfile.TemporaryDirectory(prefix="outcry-fuzz-"))
        os.environ["DATABASE_URL"] = stack.enter_context(postgres.scratch()).url
        os.environ["REDIS_URL"] = f"unix://{stack.enter_context(valkey.scratch()).socket}"
        found = run(options)
    found["command"] = f"python benchmarks/fuzz.py --requests {options.requests} --seed {options.seed}"
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        for name, figure in found.items():
            print(f"{name:>24}  {figure}")
    return 1 if found["server_errors"] else 0


if __name__ == "__main__":
    sys.exit(main())
