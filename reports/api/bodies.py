"""What a request carries, checked before anybody looks into it: media type, size, query parameters, a batch's items.

Loud on nonsense: a parameter nobody knows is refused, for a misspelt `all_or_nothing` must not pass for a missing one.
What an item says is the contract's affair (`reports.intake.contract`).
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator
from email.message import Message
from typing import Any, TypeVar

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http.request import RawPostDataException
from rest_framework.request import Request

from reports.api.formats import sentry
from reports.api.formats.sentry import Envelope
from reports.api.problems import (
    INVALID_INPUT,
    INVALID_PARAMETER,
    MALFORMED_BODY,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    Problem,
)
from reports.errors import FieldError, InvalidReport
from reports.intake import contract
from reports.intake.contract import ReportIn

T = TypeVar("T")

JSON_TYPES = ("application/json",)
NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")

_TRUE = frozenset({"true", "1"})
_FALSE = frozenset({"false", "0"})


def media_type(request: Request, allowed: Collection[str]) -> str:
    """Return the body's media type, one of `allowed`.

    Raises Problem for another one, for a charset that is not UTF-8 and for a compressed body.
    """
    header = str(request.META.get("CONTENT_TYPE", ""))
    parsed = Message()
    parsed["Content-Type"] = header or "none/none"
    found = parsed.get_content_type()
    if found not in allowed:
        said = f"Content-Type {header!r} is" if header else "No Content-Type is given, and that is"
        raise Problem(UNSUPPORTED_MEDIA_TYPE, f"{said} not taken here. Send {' or '.join(allowed)}.")
    charset = str(parsed.get_param("charset", "utf-8")).lower()
    if charset not in {"utf-8", "utf8", "us-ascii"}:
        raise Problem(UNSUPPORTED_MEDIA_TYPE, f"The charset {charset!r} is not taken here. Send UTF-8.")
    encoding = str(request.META.get("HTTP_CONTENT_ENCODING", "identity")).strip().lower()
    if encoding not in {"identity", ""}:
        raise Problem(UNSUPPORTED_MEDIA_TYPE, f"Content-Encoding {encoding!r} is not taken here. Send it uncompressed.")
    return found


def read_body(request: Request, *, limit_bytes: int) -> bytes:
    """Return the body.

    Raises Problem where it is larger than `limit_bytes`, or broke off on its way.
    """
    announced = str(request.META.get("CONTENT_LENGTH", ""))
    too_large = Problem(
        TOO_LARGE, f"The body is larger than the {limit_bytes:,} bytes that are taken at once. Send less at once."
    )
    if announced.isdecimal() and int(announced) > limit_bytes:
        raise too_large
    try:
        body: bytes = request._request.body
    except RequestDataTooBig:
        raise too_large from None
    except (RawPostDataException, OSError) as error:
        raise Problem(MALFORMED_BODY, "The body broke off on its way. Send it again.") from error
    if len(body) > limit_bytes:
        raise too_large
    return body


def envelope(request: Request) -> Envelope:
    """Return the Sentry envelope in the body, inflated where it is compressed. Raises Problem.

    Its media type says nothing: browsers send it as text, to be let through without a preflight.
    """
    body = read_body(request, limit_bytes=contract.MAX_BODY_BYTES)
    try:
        if encoding := _envelope_encoding(request):
            body = sentry.inflated(body, encoding, limit_bytes=contract.MAX_BODY_BYTES)
        return sentry.read_envelope(body)
    except sentry.TooLarge:
        raise Problem(
            TOO_LARGE, f"The body is larger than {contract.MAX_BODY_BYTES:,} bytes once it is inflated. Attach less."
        ) from None
    except sentry.MalformedEnvelope as error:
        raise Problem(MALFORMED_BODY, str(error)) from error


def dsn_of_envelope(request: Request) -> str:
    """Return the DSN in an envelope's first line, "" where there is none. Raises Problem.

    No more is inflated and read: it is not known yet who sends it.
    """
    body = read_body(request, limit_bytes=contract.MAX_BODY_BYTES)
    encoding = _envelope_encoding(request)
    try:
        head = sentry.inflated_head(body, encoding) if encoding else body.partition(b"\n")[0]
        return sentry.read_envelope(head).dsn
    except sentry.MalformedEnvelope as error:
        raise Problem(MALFORMED_BODY, str(error)) from error


def _envelope_encoding(request: Request) -> str:
    """Return how an envelope is compressed, "" where it is not. Raises Problem."""
    encoding = str(request.META.get("HTTP_CONTENT_ENCODING", "")).strip().lower()
    if encoding in {"identity", ""}:
        return ""
    if encoding not in sentry.ENCODINGS:
        known = ", ".join(sentry.ENCODINGS)
        raise Problem(UNSUPPORTED_MEDIA_TYPE, f"Content-Encoding {encoding!r} is not taken here. Send {known} or none.")
    return encoding


def one_report(body: bytes) -> ReportIn:
    """Return the report in the body. Raises InvalidReport, and Problem for what is nested beyond reason."""
    try:
        return contract.decode(body)
    except RecursionError:
        raise Problem(MALFORMED_BODY, "The body is nested too deeply for a report.") from None


def decoded(body: bytes, shape: type[T], *, counted: type | None = None) -> T:
    """Return the JSON body as a `shape` of msgspec. Raises Problem for what is no JSON or does not fit.

    `counted` is the same with `Element` where a list's length is not to go beyond what a batch may hold.
    """
    try:
        if counted is not None and body.count(b",") >= contract.MAX_BATCH_REPORTS:
            _count_elements(body, counted)
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        message, _, path = str(error).rstrip("`").partition(" - at `$.")
        raise Problem(INVALID_INPUT, f"The body does not fit: {message}.", [FieldError(path, f"{message}.")]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(MALFORMED_BODY, f"The body is no valid JSON: {error}.") from error
    except RecursionError:
        raise Problem(MALFORMED_BODY, "The body is nested too deeply.") from None


def batch_items(body: bytes, *, is_lines: bool) -> list[ReportIn | InvalidReport]:
    """Return the items of a JSON array, or of lines of JSON (blank lines are no items).

    What could not be read comes as the error it raised.
    Raises Problem where the array itself is malformed, and where there are more items than one batch may hold: before
    they are taken apart, so that a body full of commas costs no memory.
    """
    return [_item(raw) for raw in (_lines(body) if is_lines else elements(body))]


def only_parameters(request: Request, *known: str) -> None:
    """Refuse query parameters that are not in `known`, and those given twice."""
    for name, values in request.query_params.lists():
        if name not in known:
            listed = f"Known are: {', '.join(known)}." if known else "This address knows none."
            raise _misfit(name, f"{name!r} is no parameter of this address. {listed}")
        if len(values) > 1:
            raise _misfit(name, f"{name!r} is given {len(values)} times. Give it once.")


def flag(request: Request, name: str) -> bool:
    """Return a yes-or-no query parameter, False where it is not given."""
    value = request.query_params.get(name, "false")
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise _misfit(name, f"{value!r} is neither true nor false. Write {name}=true or {name}=false.")


def whole_number(request: Request, name: str, *, default: int, least: int, most: int) -> int:
    """Return a whole number given as query parameter."""
    value = request.query_params.get(name)
    if value is None:
        return default
    if value.isascii() and value.isdecimal() and len(value) <= 18 and least <= int(value) <= most:
        return int(value)
    raise _misfit(name, f"{value!r} is no whole number from {least:,} to {most:,}.")


def choices(request: Request, name: str, allowed: Collection[str]) -> tuple[str, ...]:
    """Return the comma-separated words of a query parameter, each one of `allowed`; empty where it is not given."""
    value = request.query_params.get(name)
    if value is None:
        return ()
    words = tuple(value.split(","))
    for word in words:
        if word not in allowed:
            raise _misfit(
                name, f"{word!r} is not known. Write one or more of: {', '.join(allowed)}; separated by commas."
            )
    return words


def _misfit(name: str, message: str) -> Problem:
    return Problem(INVALID_PARAMETER, message, [FieldError(name, message)])


def _item(raw: bytes | msgspec.Raw) -> ReportIn | InvalidReport:
    try:
        return contract.decode(raw)
    except InvalidReport as error:
        return error
    except RecursionError:
        return InvalidReport([FieldError("", "Is nested too deeply for a report.")])


def _too_many() -> Problem:
    return Problem(
        TOO_LARGE,
        f"The batch has more than {contract.MAX_BATCH_REPORTS:,} reports. Send it in parts of at most so many.",
    )


def _lines(body: bytes) -> Iterator[bytes]:
    n_items = 0
    for line in io.BytesIO(body):
        if line.isspace():
            continue
        n_items += 1
        if n_items > contract.MAX_BATCH_REPORTS:
            raise _too_many()
        yield line


class Element:
    """An element that is only counted; one object stands for all."""


_ELEMENT = Element()


def elements(body: bytes) -> list[msgspec.Raw]:
    """Return the elements of a JSON array. Raises Problem for another body, and for more than one batch may hold."""
    try:
        if body.count(b",") >= contract.MAX_BATCH_REPORTS:
            _count_elements(body)
        return msgspec.json.decode(body, type=list[msgspec.Raw])
    except msgspec.ValidationError as error:
        raise Problem(
            MALFORMED_BODY,
            "The body is JSON, but no array. Send an array of reports, or one report to /api/v1/reports.",
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(MALFORMED_BODY, f"The body is no valid JSON: {error}. Nothing was accepted.") from error
    except RecursionError:
        raise Problem(MALFORMED_BODY, "The body is nested too deeply for an array of reports.") from None


def _count_elements(body: bytes, shape: Any = list[Element]) -> None:
    """Raise Problem as soon as there is one element too many, keeping none of them."""
    n_elements = 0

    def count(wanted: type, element: object) -> Element:
        nonlocal n_elements
        n_elements += 1
        if n_elements > contract.MAX_BATCH_REPORTS:
            raise _too_many()
        return _ELEMENT

    msgspec.json.decode(body, type=shape, dec_hook=count)
