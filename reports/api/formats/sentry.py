"""Sentry's envelope, of which feedback is taken: what a person wrote into the widget of a Sentry SDK.

An envelope is a line of JSON and then items, each a line of JSON and a payload. Feedback (`feedback`, and the older
`user_report`) becomes a report; whatever else is in it, errors, screenshots, recordings, is let pass and not kept.

Nobody can mend what a widget sent, so what does not fit is left out where the report can do without. A name is never
read. References: Sentry's developer documentation, "Envelopes", "Feedback" and "Authentication".
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from reports.api.formats.fields import cut, fitting, moment
from reports.errors import FieldError, InvalidReport
from reports.intake.regions import is_region
from reports.intake.services import Named

FEEDBACK: Final = "feedback"
USER_REPORT: Final = "user_report"
MAX_ITEMS: Final = 1_000
MAX_FEEDBACK: Final = 10  # the SDKs send one
# JSON becomes some thirty times as large when it is read, and anybody may send it.
MAX_HEADER_BYTES: Final = 64 * 1024
MAX_FEEDBACK_BYTES: Final = 1024 * 1024  # Sentry's own limit for an event
_MAY_LACK: Final = frozenset({"contact", "url", "release", "trace", "lang", "occurred_at", "source"})
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_KEY_OF_HEADER: Final = re.compile(r"(?:^|[\s,])sentry_key\s*=\s*([^\s,]+)")
# What zlib is told of a window, by the encoding's name: gzip; zlib's own; and deflate without a head, as some send it.
_WINDOWS: Final[Mapping[str, tuple[int, ...]]] = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}
ENCODINGS: Final = tuple(_WINDOWS)


class MalformedEnvelope(Exception):
    """The body is no envelope; the message says why."""


class TooLarge(Exception):
    """The body is larger than is taken once it is inflated."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """The head of an envelope, and those of its items that hold feedback: their kind and their payload."""

    event_id: str = ""
    dsn: str = ""
    sdk: str = ""
    sent_at: datetime | None = None
    feedback: tuple[tuple[str, bytes], ...] = field(default=())


def inflated(body: bytes, encoding: str, *, limit_bytes: int) -> bytes:
    """Return a body as it was before it was compressed; `encoding` is one of `ENCODINGS`.

    Never makes more than `limit_bytes` of it: raises TooLarge. Raises MalformedEnvelope for what is not so encoded.
    """
    for window in _WINDOWS[encoding]:
        inflater = zlib.decompressobj(window)
        try:
            found = inflater.decompress(body, limit_bytes + 1)
        except zlib.error:
            continue
        if len(found) > limit_bytes:
            raise TooLarge
        if inflater.eof and not inflater.unused_data:
            return found
    raise MalformedEnvelope(f"The body is not encoded as {encoding}, or it broke off.")


def inflated_head(body: bytes, encoding: str) -> bytes:
    """Return the first line of a body as it was before it was compressed, and make no more of it.

    Raises MalformedEnvelope as `inflated` does.
    """
    for window in _WINDOWS[encoding]:
        try:
            return zlib.decompressobj(window).decompress(body, MAX_HEADER_BYTES + 1).partition(b"\n")[0]
        except zlib.error:
            continue
    raise MalformedEnvelope(f"The body is not encoded as {encoding}, or it broke off.")


def read_envelope(body: bytes) -> Envelope:
    """Return what is wanted of an envelope. Raises MalformedEnvelope."""
    head, _, rest = body.partition(b"\n")
    headers = _object(head, "The first line", limit_bytes=MAX_HEADER_BYTES)
    sdk = headers.get("sdk")
    return Envelope(
        event_id=_event_id(headers.get("event_id")),
        dsn=_word(headers, "dsn"),
        sdk=_word(sdk, "name") if isinstance(sdk, dict) else "",
        sent_at=moment(headers.get("sent_at")),
        feedback=tuple((kind, payload) for kind, payload in _items(rest) if kind in {FEEDBACK, USER_REPORT}),
    )


def read_feedback(kind: str, payload: bytes, envelope: Envelope, *, service: str, country: str, now: datetime) -> Named:
    """Return the report that an item of feedback is; `country` is where its sender seems to be.

    Raises InvalidReport for a payload that is none.
    """
    try:
        told = _object(payload, "The feedback", limit_bytes=MAX_FEEDBACK_BYTES)
    except MalformedEnvelope as error:
        raise InvalidReport([FieldError("", str(error))]) from error
    if kind == USER_REPORT:
        fields = {"text": cut(_word(told, "comments"), "text"), "contact": _word(told, "email")}
    else:
        fields = {
            "text": cut(_word(told, "contexts", "feedback", "message"), "text"),
            "contact": _word(told, "contexts", "feedback", "contact_email"),
            "url": _word(told, "contexts", "feedback", "url") or _word(told, "request", "url"),
            "release": cut(_word(told, "release"), "release"),
            "trace": _word(told, "contexts", "trace", "trace_id"),
            "lang": _word(told, "contexts", "culture", "locale").replace("_", "-"),
        }
    region = _word(told, "user", "geo", "country_code").upper()
    report = fitting(
        {
            **fields,
            "service": service,
            "region": region if is_region(region) else country,
            "occurred_at": _occurred_at(moment(told.get("timestamp")), envelope.sent_at, now),
            "source": cut(envelope.sdk or _word(told, "sdk", "name") or "sentry", "source"),
        },
        may_lack=_MAY_LACK,
        now=now,
    )
    event_id = envelope.event_id or _event_id(told.get("event_id"))
    # A user report bears the id of the error it is about, of which a person may tell twice, in other words.
    return Named(report, name=f"{event_id} {service} {hashlib.sha256(payload).hexdigest()}" if event_id else "")


def key_of_header(header: str) -> str:
    """Return the key in an `X-Sentry-Auth` header, "" where there is none."""
    found = _KEY_OF_HEADER.search(header.removeprefix("Sentry "))
    return found.group(1) if found else ""


def key_of_dsn(dsn: str) -> str:
    """Return the key in a DSN such as https://KEY@host/1, "" where there is none."""
    try:
        return urlsplit(dsn).username or ""
    except ValueError:
        return ""


def _items(rest: bytes) -> Iterator[tuple[str, bytes]]:
    """Go through the items: each its kind and its payload."""
    at = n_items = 0
    while at < len(rest):
        end = _line_end(rest, at)
        if not (line := rest[at:end]).strip():  # after the last item; between two, old clients
            at = end + 1
            continue
        n_items += 1
        if n_items > MAX_ITEMS:
            raise MalformedEnvelope(f"The envelope has more than {MAX_ITEMS:,} items. Send it in parts.")
        headers = _object(line, f"The header of item {n_items}", limit_bytes=MAX_HEADER_BYTES)
        start = end + 1
        length = headers.get("length")
        if length is None:
            stop = _line_end(rest, start)
        elif type(length) is int and 0 <= length <= max(len(rest) - start, 0):
            stop = start + length
        else:
            raise MalformedEnvelope(f"Item {n_items} says that it has {length!r} bytes, and the envelope ends before.")
        if rest[stop : stop + 1] not in {b"", b"\n"}:
            raise MalformedEnvelope(f"Item {n_items} goes on after the {length} bytes that it says it has.")
        yield _word(headers, "type"), rest[start:stop]
        at = stop + 1


def _line_end(text: bytes, at: int) -> int:
    found = text.find(b"\n", at)
    return found if found >= 0 else len(text)


def _object(raw: bytes, what: str, *, limit_bytes: int) -> dict[str, Any]:
    if len(raw) > limit_bytes:
        raise MalformedEnvelope(f"{what} has {len(raw):,} bytes; at most {limit_bytes:,} are read.")
    try:
        found = msgspec.json.decode(_with_whole_characters(raw))
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise MalformedEnvelope(f"{what} is no JSON object in one line: {str(error).rstrip('.')}.") from error
    if not isinstance(found, dict):
        raise MalformedEnvelope(f"{what} is JSON, but no object.")
    return found


def _with_whole_characters(raw: bytes) -> bytes:
    """Return JSON with "?" for halves of characters: browsers write them where a text was cut, for nobody to mend."""
    if b"\\u" not in raw or not _SURROGATE.search(raw):
        return raw
    return json.dumps(json.loads(raw), ensure_ascii=False).encode("utf-8", "replace")


def _word(found: object, *path: str) -> str:
    """Return the text at the end of a path through objects, "" where there is none."""
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found.strip() if isinstance(found, str) else ""


def _event_id(value: object) -> str:
    """Return an event's id as 32 hexadecimal digits, "" for what is none."""
    try:
        return UUID(value).hex if isinstance(value, str) else ""
    except ValueError:
        return ""


def _occurred_at(told_at: datetime | None, sent_at: datetime | None, now: datetime) -> datetime | None:
    """Return when it happened by our clock: the sender's may be wrong, but it knows how long ago it was."""
    if told_at is None or sent_at is None:
        return told_at
    try:
        return min(now - (sent_at - told_at), now)
    except OverflowError:
        return None
