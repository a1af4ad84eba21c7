"""Reports over REST, answered in front of Django: the request that is as it should be, and no other.

Invariant: the Edge answers as Django would, to the byte, or not at all. It says one thing only, 202, and only in words
it has seen Django use for the same address; whatever it can't accept whole and without a question to the database goes
to Django with the body that was read. A request that failed in the writer is told by Django too. What a report must be
is said in `reports.intake`, what errors look like in `reports.api`.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from django.utils import timezone

from reports.edge.answers import Answers
from reports.edge.asgi import Application, Message, Receive, Scope, Send
from reports.edge.passing_on import replay, tell_failure
from reports.enums import Channel
from reports.enums import Scope as KeyScope
from reports.errors import InvalidReport, ReportsError
from reports.intake import at_once, contract
from reports.intake.at_once import AskFirst, KnownKey
from reports.intake.receipts import receipt_token
from reports.intake.services import Origin
from reports.intake.waiting import Answer
from reports.intake.writer import Written

logger = logging.getLogger(__name__)

REPORT_PATH: Final = "/api/v1/reports"
BATCH_PATH: Final = "/api/v1/reports:batch"
# From so many on a batch is read on a thread: the loop must not stand still for milliseconds.
READ_ON_LOOP: Final = 50
REFRESH_PAUSE_SECONDS: Final = 0.5  # while the database is away each request would begin another one
LOOK_SECONDS: Final = 0.1  # between two looks whether what is remembered should be read again
MAX_FORMS: Final = 256  # each client has one or two; beyond, they are read again
MAX_PATTERNS: Final = 64  # addresses under which this process is asked; a port and a name each, hardly more

_JSON: Final = frozenset(
    {b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"}
)  # as nearly every client writes it; who writes it otherwise is understood by Django
_LINES: Final = frozenset({b"application/x-ndjson", b"application/ndjson", b"application/jsonl"})
# With one of these Django's answer may differ, or the body is not what it seems.
_ODD_HEADERS: Final = frozenset({b"cookie", b"content-encoding", b"transfer-encoding", b"expect", b"upgrade"})
# What the address in an answer can depend on.
_ADDRESS_HEADERS: Final = (b"host", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port")
# All that a request's form is read from, beside its address.
_FORM_HEADERS: Final = (b"content-type", *_ADDRESS_HEADERS, *_ODD_HEADERS)
_RECEIPT_START: Final = re.compile(rb'"receipt_url":"([^"]*/)[^"/]*"')

Header = tuple[bytes, bytes]
Address = tuple[bytes | str | None, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """How Django answers 202 at one address: its headers around the length, and how a receipt's address begins."""

    before_length: tuple[Header, ...]
    after_length: tuple[Header, ...]
    receipt_start: str


class _Form(NamedTuple):
    """What the heads of a thousand requests have in common: where they go, and how their bodies are written."""

    pattern: Pattern
    is_batch: bool
    is_lines: bool
    most_bytes: int


class _Asked(NamedTuple):
    """What a request is about, as far as its head tells."""

    key: KnownKey
    form: _Form
    n_bytes: int
    idempotency_key: str


class IntakeEdge:
    """Answers the two addresses of intake. Belongs to one event loop at a time."""

    def __init__(self, django: Application) -> None:
        self._django = django
        self._patterns: dict[Address, Pattern] = {}
        self._forms: dict[tuple[bytes | str | None, ...], _Form] = {}
        self._answers: Answers | None = None
        self._look_at = float("-inf")
        self._refreshing: asyncio.Future[None] | None = None
        self._refresh_began = float("-inf")
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="edge-intake")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        now = datetime.now(UTC)
        if time.monotonic() > self._look_at:
            self._look_after_memory(now)
        asked = self._head(scope, now=now)
        if asked is None:
            await self._learn(scope, receive, send)
            return
        taken = [await receive()]
        body = taken[0].get("body", b"")
        if len(body) != asked.n_bytes:
            body = await _read_on(taken, receive, asked.n_bytes)
        try:
            written = await self._store(asked, body, now=now) if body is not None else None
        except ReportsError as error:
            await tell_failure(self._django, error, scope, replay(taken, receive), send)
            return
        if written is None:
            await self._django(scope, replay(taken, receive), send)
            return
        pattern = asked.form.pattern
        answer = await self._batch_answer(pattern, written) if asked.form.is_batch else _answer(pattern, written)
        head = [*pattern.before_length, (b"Content-Length", b"%d" % len(answer)), *pattern.after_length]
        await send({"type": "http.response.start", "status": 202, "headers": head})
        await send({"type": "http.response.body", "body": answer})

    def close(self) -> None:
        """Let the threads go, for the server stops."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _head(self, scope: Scope, *, now: datetime) -> _Asked | None:
        """Return what is asked, or None where the head alone says that it is Django's affair."""
        headers = dict(scope["headers"])
        if len(headers) != len(scope["headers"]):  # one is given twice
            return None
        form = self._form(scope, headers)
        length = headers.get(b"content-length", b"")
        if form is None or not length.isdigit() or len(length) > 9 or int(length) > form.most_bytes:
            return None
        key = at_once.remembered_key(_secret(headers), now=now)
        if key is None or KeyScope.INTAKE not in key.scopes:
            return None
        return _Asked(key, form, int(length), headers.get(b"idempotency-key", b"").decode("latin-1"))

    def _form(self, scope: Scope, headers: dict[bytes, bytes]) -> _Form | None:
        """Return the form of a request, None where it is not one the Edge knows. Read once for all that share it."""
        told = (
            *(scope["path"], scope.get("scheme"), scope["method"], scope.get("query_string"), scope.get("root_path")),
            *map(headers.get, _FORM_HEADERS),
        )
        form = self._forms.get(told)
        if form is None and (form := self._read_form(scope, headers)) is not None:
            if len(self._forms) >= MAX_FORMS:
                self._forms.clear()
            self._forms[told] = form
        return form

    def _read_form(self, scope: Scope, headers: dict[bytes, bytes]) -> _Form | None:
        """Return the form as it is read, from nothing but what `_form` remembers it by."""
        pattern = self._patterns.get(_address(scope, headers))
        if (
            pattern is None
            or scope["method"] != "POST"
            or scope.get("query_string")
            or scope.get("root_path")
            or not _ODD_HEADERS.isdisjoint(headers)
        ):
            return None
        is_batch = scope["path"] == BATCH_PATH
        media_type = headers.get(b"content-type", b"").lower()
        is_lines = is_batch and media_type in _LINES
        if not is_lines and media_type not in _JSON:
            return None
        return _Form(pattern, is_batch, is_lines, contract.MAX_BODY_BYTES if is_batch else contract.MAX_REPORT_BYTES)

    async def _store(self, asked: _Asked, body: bytes, *, now: datetime) -> Written | None:
        """Store the reports in the body, or return None where Django should do it.

        Raises the ReportsError in which writing ended.
        """
        loop = asyncio.get_running_loop()
        if self._answers is None or self._answers.loop is not loop:
            self._answers = Answers(loop)
        n_at_most = body.count(b"{") if asked.form.is_batch else 1
        if n_at_most > contract.MAX_BATCH_REPORTS:
            return None
        try:
            if n_at_most <= READ_ON_LOOP:
                answer = _submit(body, asked, now, self._answers.tell)
            else:
                answer = await loop.run_in_executor(self._threads, _submit, body, asked, now, self._answers.tell)
        except (AskFirst, InvalidReport):
            return None
        written = await self._answers.expect(answer)
        return None if written.errors else written  # the first request under this idempotency key had errors in it

    async def _batch_answer(self, pattern: Pattern, written: Written) -> bytes:
        if len(written.report_ids) <= READ_ON_LOOP:
            return _batch_answer(pattern, written)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _batch_answer, pattern, written)

    async def _learn(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have Django answer, and remember how it says 202 at this address."""
        address = _address(scope, dict(scope["headers"]))
        if address in self._patterns or len(self._patterns) >= MAX_PATTERNS:
            await self._django(scope, receive, send)
            return
        head: Message = {}

        async def send_and_look(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 202:
                head.update(message)
            elif message["type"] == "http.response.body" and head:
                self._remember(address, head["headers"], message.get("body", b""))
            await send(message)

        await self._django(scope, receive, send_and_look)

    def _remember(self, address: Address, headers: Sequence[Header], body: bytes) -> None:
        places = [place for place, (name, _) in enumerate(headers) if name == b"Content-Length"]
        if len(places) == 1 and (start := _RECEIPT_START.search(body)):
            before, after = tuple(headers[: places[0]]), tuple(headers[places[0] + 1 :])
            self._patterns[address] = Pattern(before, after, start.group(1).decode())

    def _look_after_memory(self, now: datetime) -> None:
        """Have what is remembered read again before it has had its time, beside the requests.

        Once at a time, and not at once after it failed.
        """
        self._look_at = time.monotonic() + LOOK_SECONDS
        if not at_once.is_refresh_due(now=now):
            return
        loop = asyncio.get_running_loop()
        is_due = loop.time() - self._refresh_began >= REFRESH_PAUSE_SECONDS
        if is_due and (self._refreshing is None or self._refreshing.done()):
            self._refresh_began = loop.time()
            self._refreshing = loop.run_in_executor(self._threads, _refresh)


def _refresh() -> None:
    try:
        at_once.refresh(now=timezone.now())
    except Exception as error:  # whatever the database raises: Django asks again once the memory has had its time
        logger.info("What intake remembers could not be read again (%s).", type(error).__name__)


def _address(scope: Scope, headers: dict[bytes, bytes]) -> Address:
    return (scope["path"], scope.get("scheme"), *map(headers.get, _ADDRESS_HEADERS))


def _secret(headers: dict[bytes, bytes]) -> str:
    """Return the key a request carries, where it is written the usual way."""
    authorization = headers.get(b"authorization", b"")
    if not authorization:
        return headers.get(b"x-api-key", b"").decode("latin-1").strip()
    scheme, _, secret = authorization.partition(b" ")
    return secret.decode("latin-1").strip() if scheme.lower() == b"bearer" else ""


async def _read_on(taken: list[Message], receive: Receive, n_bytes: int) -> bytes | None:
    """Take messages until the body has the announced length, and return it; None where it ends before, or is longer.

    Not until a message says that it was the last: with some servers that is another one, which costs another turn.
    """
    n_taken = len(taken[0].get("body", b""))
    while n_taken < n_bytes and taken[-1]["type"] == "http.request" and taken[-1].get("more_body"):
        taken.append(await receive())
        n_taken += len(taken[-1].get("body", b""))
    return b"".join([message.get("body", b"") for message in taken]) if n_taken == n_bytes else None


def _submit(body: bytes, asked: _Asked, now: datetime, on_done: Callable[[Answer], None]) -> Answer:
    """Hand the reports in the body to the writer. Raises AskFirst or InvalidReport where Django should look at it."""
    if not asked.form.is_batch:
        reports = [contract.decode(body)]
    elif asked.form.is_lines:
        reports = [contract.decode(line) for line in body.split(b"\n") if line and not line.isspace()]
    else:
        reports = contract.decode_all(body)
    origin = _origin(Channel.BULK if asked.form.is_batch else Channel.REST, asked.key.id)
    return at_once.submit(
        reports=reports, origin=origin, idempotency_key=asked.idempotency_key, body=body, now=now, on_done=on_done
    )


@lru_cache(maxsize=256)
def _origin(channel: Channel, key_id: int) -> Origin:
    return Origin(channel, client=f"key:{key_id}", key_id=key_id)


def _receipt(pattern: Pattern, report_id: UUID) -> bytes:
    return f'"id":"{report_id}","receipt_url":"{pattern.receipt_start}{receipt_token(report_id)}"'.encode()


def _answer(pattern: Pattern, written: Written) -> bytes:
    return b"{%b}" % _receipt(pattern, written.report_ids[0])


def _batch_answer(pattern: Pattern, written: Written) -> bytes:
    items = [
        b'{"item":%d,%b}' % (place, _receipt(pattern, report_id)) for place, report_id in enumerate(written.report_ids)
    ]
    return b'{"accepted":%d,"rejected":0,"items":[%b]}' % (len(items), b",".join(items))
