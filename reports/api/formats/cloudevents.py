"""CloudEvents 1.0 over HTTP: structured, batched and binary, in JSON. An event's `data` is a report.

An event is known by its source and id: sent again it is answered as the first time. The attributes fill what the data
leave open: `time` when it happened, `source` the program, `traceparent` the trace. Extension attributes are let pass.

References: CloudEvents 1.0.2, HTTP protocol binding and JSON event format.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from datetime import datetime
from email.message import Message
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from reports.api.formats.fields import cut, fitting, moment
from reports.errors import FieldError, InvalidReport
from reports.intake import contract
from reports.intake.contract import ReportIn
from reports.intake.services import Named

EVENT_TYPE: Final = "outcry.report.v1"
SPEC_VERSION: Final = "1.0"
HEADER_PREFIX: Final = "ce-"
MAX_EVENT_BYTES: Final = 64 * 1024  # what every consumer is asked to accept, and no more
MAX_ATTRIBUTE_CHARS: Final = 2_000
_IN_THE_BODY: Final = ("data", "data_base64", "datacontenttype")  # whose headers have no business in binary mode
_ESCAPED: Final = re.compile(r"\\(.)")


class Event(msgspec.Struct):
    """An event in the JSON format; null and missing mean the same."""

    specversion: str | None = None
    id: str | None = None
    source: str | None = None
    type: str | None = None
    time: str | None = None
    datacontenttype: str | None = None
    traceparent: str | None = None
    data: msgspec.Raw = msgspec.Raw()
    data_base64: str | None = None


def read_structured(raw: bytes | msgspec.Raw, *, now: datetime) -> Named:
    """Return the report in an event in the JSON format.

    Raises InvalidReport with every attribute that is wrong, or with what is wrong with the data.
    """
    if len(bytes(raw)) > MAX_EVENT_BYTES:
        raise InvalidReport([FieldError("", f"Is larger than the {MAX_EVENT_BYTES:,} bytes an event may have.")])
    try:
        event = msgspec.json.decode(raw, type=Event)
    except msgspec.ValidationError as error:
        message, _, path = str(error).rstrip("`").partition(" - at `$.")
        raise InvalidReport([FieldError(path, f"{message}.")]) from error
    except RecursionError:
        raise InvalidReport([FieldError("", "Is nested too deeply for an event.")]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidReport([FieldError("", f"This is no valid JSON: {error}.")]) from error
    return _named(event, _data_of(event), field_of=lambda name: name, body_field="data.", now=now)


def read_binary(headers: Mapping[str, str], body: bytes, *, now: datetime) -> Named:
    """Return the report in an event whose attributes are headers (names in any case) and whose data are the body.

    Raises InvalidReport as `read_structured` does, naming headers.
    """
    attributes: dict[str, Any] = {}
    errors: list[FieldError] = []
    for header, value in headers.items():
        name = header.lower()
        if name.startswith(HEADER_PREFIX) and name[len(HEADER_PREFIX) :] in Event.__struct_fields__:
            try:
                attributes[name[len(HEADER_PREFIX) :]] = header_value(value)
            except UnicodeDecodeError:
                errors.append(FieldError(_header(name), "Its percent-encoding is no UTF-8. Encode it again."))
    if errors:
        raise InvalidReport(errors)
    for name in _IN_THE_BODY:
        attributes.pop(name, None)
    event = Event(**attributes)
    return _named(event, body, field_of=lambda name: _header(f"{HEADER_PREFIX}{name}"), body_field="", now=now)


def header_value(value: str) -> str:
    """Return an attribute from its header: quotes taken away, then one round of percent-decoding.

    Raises UnicodeDecodeError for what is no UTF-8 when it is decoded, as the binding asks for.
    """
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = _ESCAPED.sub(r"\1", value[1:-1])
    return unquote(value, errors="strict")


def _header(name: str) -> str:
    """Return a header's name with its capitals, by which errors know that it stands in no body."""
    return "-".join(part.capitalize() for part in name.split("-"))


def _data_of(event: Event) -> bytes:
    if event.data_base64 is None:
        return bytes(event.data)
    if bytes(event.data):
        raise InvalidReport([FieldError("data_base64", "Stands beside data. An event has one of them.")])
    try:
        return b64decode(event.data_base64, validate=True)
    except (Base64Error, ValueError) as error:
        raise InvalidReport([FieldError("data_base64", "Is no Base64.")]) from error


def _named(event: Event, body: bytes, *, field_of: Callable[[str], str], body_field: str, now: datetime) -> Named:
    """Return the report of an event with these data. `field_of` says what errors call an attribute, `body_field` where
    the data's fields stand.
    """
    if errors := [FieldError(field_of(name), message) for name, message in _misfits(event)]:
        raise InvalidReport(errors)
    try:
        report = _completed(contract.decode(body), event, now=now)
    except InvalidReport as invalid:
        told = [FieldError(f"{body_field}{error.field}".rstrip("."), error.message) for error in invalid.errors]
        raise InvalidReport(told) from invalid.__cause__
    name = msgspec.json.encode([event.source, event.id]).decode()  # either may hold whatever would stand between them
    return Named(report, name, content=msgspec.json.encode(report))


def _misfits(event: Event) -> list[tuple[str, str]]:
    """Return each attribute that is wrong, with what is wrong with it."""
    found: list[tuple[str, str]] = []
    if event.specversion != SPEC_VERSION:
        found.append(("specversion", f"{_told(event.specversion)} is not taken here. Send version {SPEC_VERSION!r}."))
    found += [(name, "Is missing. Every event has one.") for name in ("id", "source") if not getattr(event, name)]
    found += [
        (name, f"Has more than {MAX_ATTRIBUTE_CHARS:,} characters. Shorten it.")
        for name in ("id", "source")
        if len(getattr(event, name) or "") > MAX_ATTRIBUTE_CHARS
    ]
    if event.type != EVENT_TYPE:
        found.append(("type", f"{_told(event.type)} is not taken here. Send events of the type {EVENT_TYPE!r}."))
    if event.time is not None and moment(event.time) is None:
        found.append(("time", f"{_told(event.time)} is no moment with its offset. Write it as RFC 3339 has it."))
    if event.datacontenttype is not None and not _is_json(event.datacontenttype):
        found.append(("datacontenttype", f"{_told(event.datacontenttype)} is not taken here. Send application/json."))
    return found


def _completed(report: ReportIn, event: Event, *, now: datetime) -> ReportIn:
    """Return the report with what the event's attributes say and its data do not."""
    fields = msgspec.structs.asdict(report)
    if report.occurred_at is None and event.time is not None:
        fields["occurred_at"] = moment(event.time)
    lent = {"source": cut(event.source or "", "source"), "trace": cut(event.traceparent or "", "trace")}
    lent = {name: value for name, value in lent.items() if not fields[name]}
    return fitting(fields | lent, may_lack=lent, now=now)


def _is_json(media_type: str) -> bool:
    parsed = Message()
    parsed["Content-Type"] = media_type.replace("\n", " ").replace("\r", " ") or "none/none"
    subtype = parsed.get_content_subtype()
    return subtype == "json" or subtype.endswith("+json")


def _told(value: str | None) -> str:
    return "Nothing" if value is None else repr(value[:100])
