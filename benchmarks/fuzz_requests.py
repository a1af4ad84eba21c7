"""Requests that nearly are as they should be: how one is written, and how it is spoiled. Pure but for the generator.

Each change is small, so that most of a request stays right and the wrong part gets deep into the house: a field of
another type, a value at the edge of what a column takes, a header cut off, an id that nobody has.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote, urlencode

# What has broken software before: ends of integer types, of years, of Unicode; what parsers and databases disagree on.
STRINGS: Final = (
    "", " ", "\x00", "a\x00b", "\u202e", "\ufeff", "\ud800", "\U0010ffff", "é" * 4_001, "x" * 70_000, "null", "NaN",
    "-1", "0", "2147483648", "9223372036854775808", "1e309", "0x10", "١٢", "../../etc/passwd", "%00", "%", "%zz",
    "' OR 1=1 --", "<script>alert(1)</script>", "{{7*7}}", "${x}", "a\r\nX-Odd: 1", "=cmd()", "DE-BY", "mail", "MAIL",
    "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00-23:59", "2026-02-30T00:00:00Z", "2026-11-25T10:00:00",
    "1969-12-31T23:59:59Z", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "[" * 2_000, "{\"a\":" * 500, "ﷺ" * 50, "a" * 255 + "@example.org", "http://[::1", "http://\x7f/",
)  # fmt: skip
NUMBERS: Final = (0, -1, 1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 0.5, -0.0, 1e308, 1e-320)
MEDIA_TYPES: Final = (
    "application/json", "application/x-ndjson", "application/jsonl", "application/json; charset=latin-1",
    "application/cloudevents+json", "application/cloudevents-batch+json", "application/x-sentry-envelope",
    "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x", "text/plain",
    "text/csv", "application/xml", "", "/", "application/json; charset=\x7f", "application/json;" * 20,
)  # fmt: skip
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY")
HEADERS: Final = (
    "Accept", "Accept-Language", "Authorization", "Content-Encoding", "Content-Type", "Cookie", "Forwarded", "Host",
    "Idempotency-Key", "If-Modified-Since", "If-None-Match", "Last-Event-ID", "Origin", "Range", "Referer",
    "User-Agent", "X-API-Key", "X-CSRFToken", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
    "X-Sentry-Auth", "ce-id", "ce-source", "ce-specversion", "ce-time", "ce-type", "traceparent",
)  # fmt: skip
MOST_BODY_BYTES: Final = 300_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A request before it is written: `path` is quoted already, a `body` of None sends none."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    form: tuple[tuple[str, str], ...] | None = field(default=None)

    def written(self) -> bytes:
        """Return the request as it goes over the wire: valid HTTP/1.1, whatever it says."""
        target = self.path + (f"?{urlencode(self.query, errors='replace')}" if self.query else "")
        headers = dict(self.headers)
        body = self.body
        if self.form is not None:
            body = urlencode(self.form, errors="replace").encode()
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        headers.setdefault("Host", "localhost")
        if body is not None:
            headers["Content-Length"] = str(len(body))
        lines = [f"{self.method} {target} HTTP/1.1", *(f"{name}: {_header(value)}" for name, value in headers.items())]
        return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + (body or b"")


def mutated(asked: Asked, rng: random.Random) -> Asked:
    """Return the request with one to four things wrong with it."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        asked = rng.choice(_WAYS)(asked, rng)
    return asked


def _other_method(asked: Asked, rng: random.Random) -> Asked:
    return replace(asked, method=rng.choice(METHODS))


def _other_path(asked: Asked, rng: random.Random) -> Asked:
    parts = asked.path.split("/")
    place = rng.randrange(len(parts))
    parts[place] = quote(_string(rng)[:2_000], safe=":", errors="replace")
    path = "/".join(parts)
    return replace(asked, path=path if path.startswith("/") else f"/{path}")


def _cut_path(asked: Asked, rng: random.Random) -> Asked:
    return replace(
        asked, path=rng.choice((asked.path.rstrip("/"), f"{asked.path}/", f"/{asked.path}", asked.path.upper())) or "/"
    )


def _other_query(asked: Asked, rng: random.Random) -> Asked:
    pairs = list(asked.query)
    if pairs and rng.random() < 0.7:
        name, value = pairs.pop(rng.randrange(len(pairs)))
        pairs += [(name, _spoiled_string(value, rng))] * rng.choice((0, 1, 1, 1, 2))
    else:
        pairs.append(
            (
                rng.choice(("limit", "before", "state", "service", "region", "page", "q", _string(rng)[:50])),
                _string(rng)[:500],
            )
        )
    return replace(asked, query=tuple(pairs))


def _other_header(asked: Asked, rng: random.Random) -> Asked:
    headers = dict(asked.headers)
    name = rng.choice((*HEADERS, *headers) if headers else HEADERS)
    if name in headers and rng.random() < 0.2:
        del headers[name]
    elif name == "Content-Type":
        headers[name] = rng.choice(MEDIA_TYPES)
    elif name == "Content-Encoding":
        headers[name] = rng.choice(("gzip", "deflate", "br", "zstd", "identity", "gzip, gzip", "\xff"))
    else:
        headers[name] = _spoiled_string(headers.get(name, ""), rng)[:4_000]
    return replace(asked, headers=tuple(headers.items()))


def _other_form(asked: Asked, rng: random.Random) -> Asked:
    if asked.form is None:
        return _other_json(asked, rng)
    pairs = list(asked.form)
    if pairs and rng.random() < 0.9:
        place = rng.randrange(len(pairs))
        name, value = pairs[place]
        pairs[place : place + 1] = [(name, _spoiled_string(value, rng))] * rng.choice((0, 1, 1, 1, 1, 2))
    else:
        pairs.append((_string(rng)[:50], _string(rng)))
    return replace(asked, form=tuple(pairs))


def _other_json(asked: Asked, rng: random.Random) -> Asked:
    if not asked.body:
        return replace(asked, body=json.dumps(_value(rng)).encode(), method="POST")
    lines = asked.body.split(b"\n")
    place = rng.randrange(len(lines))
    try:
        value = json.loads(lines[place])
    except (ValueError, RecursionError):
        return _other_bytes(asked, rng)
    lines[place] = json.dumps(_spoiled(value, rng), ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
    return replace(asked, body=b"\n".join(lines)[:MOST_BODY_BYTES])


def _other_bytes(asked: Asked, rng: random.Random) -> Asked:
    body = bytearray(asked.body if asked.body is not None else urlencode(asked.form or (), errors="replace").encode())
    if not body:
        return replace(asked, body=rng.randbytes(rng.randrange(64)), form=None)
    at = rng.randrange(len(body))
    way = rng.randrange(5)
    if way == 0:
        body[at] ^= 1 << rng.randrange(8)
    elif way == 1:
        del body[at : at + rng.randrange(1, 9)]
    elif way == 2:
        body[at:at] = rng.choice(
            (b"\x00", b"\xff", b"\xed\xa0\x80", b"\n", b'"', b"{", b"]", b"\\u0000", b"\\ud800", b"1e999")
        )
    elif way == 3:
        del body[at:]
    else:
        body[at:at] = body[at : at + 200] * rng.choice((1, 2, 50))
    return replace(asked, body=bytes(body[:MOST_BODY_BYTES]), form=None)


_WAYS: Final[tuple[Callable[[Asked, random.Random], Asked], ...]] = (
    _other_method, _other_path, _cut_path, _other_query, _other_query, _other_header, _other_header,
    _other_form, _other_form, _other_form, _other_form, _other_bytes, _other_bytes,
)  # fmt: skip


def _spoiled(value: Any, rng: random.Random) -> Any:
    """Return a JSON value with one thing in it changed."""
    value = copy.deepcopy(value)
    if isinstance(value, dict) and value and rng.random() < 0.9:
        name = rng.choice(list(value))
        way = rng.randrange(8)
        if way == 0:
            del value[name]
        elif way == 1:
            value[_string(rng)[:100]] = value[name]
        else:
            value[name] = _spoiled(value[name], rng)
        return value
    if isinstance(value, list) and value and rng.random() < 0.9:
        place = rng.randrange(len(value))
        if rng.random() < 0.2:
            return value * rng.choice((0, 2, 20))
        value[place] = _spoiled(value[place], rng)
        return value
    if isinstance(value, str) and rng.random() < 0.5:
        return _spoiled_string(value, rng)
    return _value(rng)


def _spoiled_string(value: str, rng: random.Random) -> str:
    way = rng.randrange(6)
    at = rng.randrange(len(value) + 1)
    if way == 0:
        return value[:at]
    if way == 1:
        return value[:at] + _string(rng) + value[at:]
    if way == 2:
        return value * rng.choice((2, 20))
    if way == 3:
        return value.swapcase()
    return _string(rng)


def _string(rng: random.Random) -> str:
    if rng.random() < 0.2:
        return "".join(
            chr(rng.choice((rng.randrange(0x20, 0x7F), rng.randrange(0x2FFF)))) for _ in range(rng.randrange(30))
        )
    return rng.choice(STRINGS)


def _value(rng: random.Random) -> Any:
    way = rng.randrange(8)
    if way < 3:
        return _string(rng)
    if way < 5:
        return rng.choice(NUMBERS)
    if way == 5:
        return rng.choice((None, True, False, float("nan"), float("inf")))
    if way == 6:
        return [_string(rng)] * rng.randrange(3)
    return {_string(rng)[:20]: rng.choice(NUMBERS)}


def _header(value: str) -> str:
    """Return what a header may hold: another program would not send the rest, and the server's parser refuses it."""
    return "".join(
        character
        for character in value
        if character == "\t" or " " <= character <= "~" or "\xa0" <= character <= "\xff"
    )
