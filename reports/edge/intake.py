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
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

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
MAX_PATTERNS: Final = 64  # addresses under which this process is asked; a port and a name each, hardly more

_JSON: Final = frozenset(
    {b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"}
)  # as nearly every client writes it; who writes it otherwise is understood by Django
_LINES: Final = frozenset({b"application/x-ndjson", b"application/ndjson", b"application/jsonl"})
# With one of these Django's answer may differ, or the body is not what it seems.
_ODD_HEADERS: Final = frozenset({b"cookie", b"content-encoding", b"transfer-encoding", b"expect", b"upgrade"})
# What the address in an answer can depend on.
_ADDRESS_HEADERS: Final = (b"host", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port")
_RECEIPT_START: Final = re.compile(rb'"receipt_url":"([^"]*/)[^"/]*"')

Header = tuple[bytes, bytes]
Address = tuple[bytes | str | None, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """How Django answers 202 at one address: its headers around the length, and how a receipt's address begins."""

    before_length: tuple[Header, ...]
    after_length: tuple[Header, ...]
    receipt_start: bytes


class _Asked(NamedTuple):
    """What a request is about, as far as its head tells."""

    key: KnownKey
    pattern: Pattern
    n_bytes: int
    is_batch: bool
    is_lines: bool
    idempotency_key: str


class IntakeEdge:
    """Answers the two addresses of intake. Belongs to one event loop at a time."""

    def __init__(self, django: Application) -> None:
        self._django = django
        self._patterns: dict[Address, Pattern] = {}
        self._answers: Answers | None = None
        self._refreshing: asyncio.Future[None] | None = None
        self._refresh_began = float("-inf")
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="edge-intake")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        now = timezone.now()
        headers = dict(scope["headers"])
        address = (scope["path"], scope.get("scheme"), *map(headers.get, _ADDRESS_HEADERS))
        asked = self._head(scope, headers, address, now=now)
        if at_once.is_refresh_due(now=now):
            self._refresh()
        if asked is None:
            await self._learn(address, scope, receive, send)
            return
        taken, body = await _read(receive, asked.n_bytes)
        try:
            written = await self._store(asked, body, now=now) if body is not None else None
        except ReportsError as error:
            await tell_failure(self._django, error, scope, replay(taken, receive), send)
            return
        if written is None:
            await self._django(scope, replay(taken, receive), send)
            return
        answer = await self._write_answer(asked, written)
        length = (b"Content-Length", b"%d" % len(answer))
        head = [*asked.pattern.before_length, length, *asked.pattern.after_length]
        await send({"type": "http.response.start", "status": 202, "headers": head})
        await send({"type": "http.response.body", "body": answer})

    def close(self) -> None:
        """Let the threads go, for the server stops."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _head(self, scope: Scope, headers: dict[bytes, bytes], address: Address, *, now: datetime) -> _Asked | None:
        """Return what is asked, or None where the head alone says that it is Django's affair."""
        pattern = self._patterns.get(address)
        if (
            pattern is None
            or scope["method"] != "POST"
            or scope.get("query_string")
            or scope.get("root_path")
            or len(headers) != len(scope["headers"])  # one is given twice
            or not _ODD_HEADERS.isdisjoint(headers)
        ):
            return None
        is_batch = scope["path"] == BATCH_PATH
        media_type = headers.get(b"content-type", b"").lower()
        is_lines = is_batch and media_type in _LINES
        length = headers.get(b"content-length", b"")
        most = contract.MAX_BODY_BYTES if is_batch else contract.MAX_REPORT_BYTES
        if not (is_lines or media_type in _JSON) or not length.isdigit() or len(length) > 9 or int(length) > most:
            return None
        key = at_once.remembered_key(_secret(headers), now=now)
        if key is None or KeyScope.INTAKE not in key.scopes:
            return None
        idempotency_key = headers.get(b"idempotency-key", b"").decode("latin-1")
        return _Asked(key, pattern, int(length), is_batch, is_lines, idempotency_key)

    async def _store(self, asked: _Asked, body: bytes, *, now: datetime) -> Written | None:
        """Store the reports in the body, or return None where Django should do it.

        Raises the ReportsError in which writing ended.
        """
        loop = asyncio.get_running_loop()
        if self._answers is None or self._answers.loop is not loop:
            self._answers = Answers(loop)
        n_at_most = body.count(b"{") if asked.is_batch else 1
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

    async def _write_answer(self, asked: _Asked, written: Written) -> bytes:
        if not asked.is_batch:
            return b"{%b}" % _receipt(asked.pattern, written, 0)
        if len(written.report_ids) <= READ_ON_LOOP:
            return _batch_answer(asked.pattern, written)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _batch_answer, asked.pattern, written)

    async def _learn(self, address: Address, scope: Scope, receive: Receive, send: Send) -> None:
        """Have Django answer, and remember how it says 202 at this address."""
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
            self._patterns[address] = Pattern(before, after, start.group(1))

    def _refresh(self) -> None:
        """Read what is remembered again, once at a time, beside the requests, and not at once after it failed."""
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


def _secret(headers: dict[bytes, bytes]) -> str:
    """Return the key a request carries, where it is written the usual way."""
    authorization = headers.get(b"authorization", b"")
    if not authorization:
        return headers.get(b"x-api-key", b"").decode("latin-1").strip()
    scheme, _, secret = authorization.partition(b" ")
    return secret.decode("latin-1").strip() if scheme.lower() == b"bearer" else ""


async def _read(receive: Receive, n_bytes: int) -> tuple[list[Message], bytes | None]:
    """Return the messages of a body and the body itself; None for one that broke off or is not as long as announced."""
    taken: list[Message] = []
    while True:
        message = await receive()
        taken.append(message)
        if message["type"] != "http.request":
            return taken, None
        if not message.get("more_body"):
            break
    body = taken[0].get("body", b"") if len(taken) == 1 else b"".join(part.get("body", b"") for part in taken)
    return taken, body if len(body) == n_bytes else None


def _submit(body: bytes, asked: _Asked, now: datetime, on_done: Callable[[Answer], None]) -> Answer:
    """Hand the reports in the body to the writer. Raises AskFirst or InvalidReport where Django should look at it."""
    if not asked.is_batch:
        reports = [contract.decode(body)]
    elif asked.is_lines:
        reports = [contract.decode(line) for line in body.split(b"\n") if line and not line.isspace()]
    else:
        reports = contract.decode_all(body)
    origin = _origin(Channel.BULK if asked.is_batch else Channel.REST, asked.key.id)
    return at_once.submit(
        reports=reports, origin=origin, idempotency_key=asked.idempotency_key, body=body, now=now, on_done=on_done
    )


@lru_cache(maxsize=256)
def _origin(channel: Channel, key_id: int) -> Origin:
    return Origin(channel, client=f"key:{key_id}", key_id=key_id)


def _receipt(pattern: Pattern, written: Written, place: int) -> bytes:
    report_id = written.report_ids[place]
    token = receipt_token(report_id)
    return b'"id":"%b","receipt_url":"%b%b"' % (str(report_id).encode(), pattern.receipt_start, token.encode())


def _batch_answer(pattern: Pattern, written: Written) -> bytes:
    n = len(written.report_ids)
    items = b",".join([b'{"item":%d,%b}' % (place, _receipt(pattern, written, place)) for place in range(n)])
    return b'{"accepted":%d,"rejected":0,"items":[%b]}' % (n, items)
