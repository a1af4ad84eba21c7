"""`ReportIn`: the single validated shape of a report, whatever face it came through.

Every limit and every normalisation stands here and nowhere else. Two steps: `decode` gives the types (msgspec),
`normalise` the meaning. Pure: no database, no clock; which services exist is the next step's question (`services`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from reports.enums import Symptom
from reports.errors import FieldError, InvalidReport
from reports.intake.regions import is_region

MAX_TEXT_CHARS: Final = 4_000  # the longest store review seen has 2,399
MAX_BATCH_REPORTS: Final = 10_000
MAX_BODY_BYTES: Final = 16 * 1024 * 1024
MAX_REPORT_BYTES: Final = 64 * 1024  # one report with every field at its limit, in the widest escapes
MAX_CHARS: Final[Mapping[str, int]] = {
    "service": 100, "text": MAX_TEXT_CHARS, "region": 6, "symptom": 12, "reporter": 200, "source": 100, "url": 2_000,
    "release": 100, "trace": 64, "lang": 35, "contact": 254,
}  # fmt: skip
CLOCK_SKEW: Final = timedelta(minutes=5)  # a client's clock may be ahead by this much
OLDEST: Final = timedelta(days=366)
# A report of something longer ago than the longest detection window is history, not evidence for now.
HISTORY_AFTER: Final = timedelta(minutes=60)

# Bidirectional embeddings, overrides and isolates can make a text show something else than it says (Unicode TR 36).
# The plain marks U+200E, U+200F and U+061C stay: ordinary Arabic and Hebrew need them.
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_LANG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")
_TRACE = re.compile(r"(?:00-)?([0-9a-f]{32})(?:-[0-9a-f]{16}-[0-9a-f]{2})?\Z")
_EMAIL = re.compile(r"[^@\s<>()\[\],;:\\\"]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}\Z")
# Composing marks that stand in no order takes a time that grows with the square of their number: so many characters are
# composed at once, cut where none is parted from what it belongs to, unless there are more marks than any script has.
_PIECE_CHARS = 200
_MOST_MARKS = 50
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_PATH_IN_MESSAGE = re.compile(r" - at `\$\.?([^`]*)`$")


class ReportIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One report as it is handed in. Only `service`, and one of `text` and `symptom`, must be given.

    `region` is ISO 3166-1 or -2, `lang` BCP 47, `trace` a W3C trace id or traceparent, `reporter` the client's own
    stable name for the reporter (stored only as a fingerprint), `contact` an e-mail address that hears how it went on.
    """

    service: str
    text: str = ""
    region: str = ""
    symptom: str = ""
    occurred_at: datetime | None = None
    reporter: str = ""
    source: str = ""
    url: str = ""
    release: str = ""
    trace: str = ""
    lang: str = ""
    contact: str = ""


_SYMPTOMS = frozenset(Symptom.values)
_decoder = msgspec.json.Decoder(ReportIn)
_list_decoder = msgspec.json.Decoder(list[ReportIn])


def decode(raw: bytes | msgspec.Raw) -> ReportIn:
    """Return the report in a JSON object.

    Raises InvalidReport for what is no JSON, lacks a field, has an unknown one or one of a wrong type.
    """
    try:
        return _decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise InvalidReport([_field_error(str(error))]) from error
    except RecursionError as error:
        raise InvalidReport([FieldError("", "This JSON is nested too deeply. A report is one flat object.")]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidReport([FieldError("", f"This is no valid JSON: {_plain(str(error))}.")]) from error


def decode_all(raw: bytes) -> list[ReportIn]:
    """Return the reports in a JSON array each item of which is one; raises InvalidReport for any other body."""
    try:
        return _list_decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidReport([FieldError("", "This is no array of reports that can all be read.")]) from error


def from_mapping(fields: Mapping[str, Any]) -> ReportIn:
    """Return the report in a mapping, as a form or another format hands it over.

    Raises InvalidReport as `decode` does.
    """
    try:
        return msgspec.convert(dict(fields), ReportIn)
    except msgspec.ValidationError as error:
        raise InvalidReport([_field_error(str(error))]) from error
    except UnicodeEncodeError as error:  # half of a surrogate pair, which JSON's decoder refuses too
        raise InvalidReport([FieldError("", "Holds a character that is no character (U+D800 to U+DFFF).")]) from error


def normalise(report: ReportIn, *, now: datetime) -> ReportIn:
    """Return the report in the one form that is stored: NFC, single spaces, codes in their case, times in UTC.

    Raises InvalidReport with every field that is wrong, not only the first.
    """
    return report if _is_final(report) else _normalised(report, now=now)


def _normalised(report: ReportIn, *, now: datetime) -> ReportIn:
    errors: list[FieldError] = []
    values: dict[str, Any] = {}
    for field, limit in MAX_CHARS.items():
        value = getattr(report, field)
        if not value or (len(value) <= limit and _is_tidy(value)):
            values[field] = value
        elif len(value) > limit and field == "region":
            errors.append(FieldError(field, _unknown_region(value[:40])))
        elif len(value) > limit:
            errors.append(_too_long(field, len(value), limit))
        elif found := _FORBIDDEN.search(value):
            errors.append(FieldError(field, _forbidden_message(value, found.start())))
        elif len(tidied := _tidy(value, keep_lines=field == "text")) > limit:
            errors.append(_too_long(field, len(tidied), limit))  # NFC makes up to three characters of one
        else:
            values[field] = tidied
    checked = {error.field for error in errors}
    errors += [error for field, error in _meaning_errors(values, report) if field not in checked]
    if report.occurred_at is not None:
        values["occurred_at"] = _utc(report.occurred_at)
        errors += _time_errors(values["occurred_at"], report.occurred_at, now)
    if errors:
        raise InvalidReport(errors)
    values["region"] = values["region"].upper()
    values["symptom"] = values["symptom"].lower()
    if values["trace"]:
        values["trace"] = _TRACE.fullmatch(values["trace"].lower()).group(1)  # type: ignore[union-attr]  # checked above
    return ReportIn(**values)


def counted_at(report: ReportIn, *, received_at: datetime) -> datetime:
    """Return the moment a report counts for: when it was received, unless what it tells is history by then."""
    if report.occurred_at is not None and received_at - report.occurred_at > HISTORY_AFTER:
        return report.occurred_at
    return received_at


def without_forbidden(text: str) -> str:
    """Return a recorded text without the characters that `normalise` refuses.

    For recordings only: nobody is there to mend them, while a live client should learn what it sends.
    """
    return _FORBIDDEN.sub("", text)


def composed(text: str) -> str:
    """Return a text in NFC. Cost: O(length), whatever it holds."""
    if text.isascii():
        return text
    pieces: list[str] = []
    start = 0
    while start < len(text):
        cut = end = start + _PIECE_CHARS
        while cut > end - _MOST_MARKS and _belongs_to_before(text, cut):
            cut -= 1
        end = end if _belongs_to_before(text, cut) else cut
        pieces.append(unicodedata.normalize("NFC", text[start:end]))
        start = end
    return "".join(pieces)


def _belongs_to_before(text: str, at: int) -> bool:
    """Tell whether the character there may be composed with what stands before it."""
    if at >= len(text) or text[at].isascii():
        return False
    pair = text[at - 1 : at + 1]
    is_vowel_or_final = "\u1160" <= text[at] <= "\u11ff"  # of Hangul, whose three are composed two by two
    return is_vowel_or_final or unicodedata.combining(text[at]) != 0 or unicodedata.normalize("NFC", pair) != pair


def _meaning_errors(values: Mapping[str, str], report: ReportIn) -> list[tuple[str, FieldError]]:
    """Return what is wrong with the meaning of the tidied fields, with the field each belongs to."""
    found: list[tuple[str, FieldError]] = []

    def wrong(field: str, message: str) -> None:
        found.append((field, FieldError(field, message)))

    if "service" in values and not values["service"]:
        wrong("service", "Is empty. Name the service by its slug or name.")
    if not values.get("text") and not values.get("symptom") and {"text", "symptom"} <= values.keys():
        wrong("text", "Is empty, and no symptom is given. Say in a few words what is wrong, or pick a symptom.")
    if (region := values.get("region", "").upper()) and not is_region(region):
        wrong(
            "region",
            f"{report.region!r} is no ISO 3166 code. Write a country such as DE, or a subdivision such as DE-BY.",
        )
    if (symptom := values.get("symptom", "").lower()) and symptom not in _SYMPTOMS:
        wrong("symptom", f"{report.symptom!r} is not known. Write one of: {', '.join(Symptom.values)}.")
    if (url := values.get("url", "")) and not _is_web_address(url):
        wrong("url", f"{report.url!r} is no web address. Write one that starts with http:// or https://.")
    if (lang := values.get("lang", "")) and not _LANG.match(lang):
        wrong("lang", f"{report.lang!r} is no BCP 47 language tag. Write one such as de or pt-BR.")
    if (trace := values.get("trace", "").lower()) and not _TRACE.match(trace):
        wrong("trace", f"{report.trace!r} is no W3C trace id. Write 32 hexadecimal digits, or a whole traceparent.")
    if (contact := values.get("contact", "")) and not _EMAIL.match(contact):
        wrong(
            "contact",
            f"{report.contact!r} is no e-mail address. Write one such as name@example.org, or leave it empty.",
        )
    return found


def _time_errors(occurred_at: datetime, given: datetime, now: datetime) -> list[FieldError]:
    if given.tzinfo is None:
        return [FieldError("occurred_at", f"{given.isoformat()} has no time zone. Add one, such as Z or +02:00.")]
    if occurred_at > now + CLOCK_SKEW:
        return [FieldError("occurred_at", f"{given.isoformat()} lies in the future. Check the client's clock.")]
    if occurred_at < now - OLDEST:
        return [
            FieldError(
                "occurred_at", f"{given.isoformat()} is more than {OLDEST.days} days ago. Leave older reports out."
            )
        ]
    return []


def _utc(given: datetime) -> datetime:
    try:
        return given.astimezone(UTC) if given.tzinfo else given.replace(tzinfo=UTC)
    except OverflowError:  # the first and last day of the calendar, with an offset
        return given.replace(tzinfo=UTC)


def _tidy(value: str, *, keep_lines: bool) -> str:
    value = composed(value).replace("\r\n", "\n").replace("\r", "\n")
    if not keep_lines:
        value = value.replace("\n", " ")
    value = _SPACES.sub(" ", value)
    return _BLANK_LINES.sub("\n\n", "\n".join(line.strip() for line in value.split("\n"))).strip()


def _is_final(report: ReportIn) -> bool:
    """Tell quickly whether nothing of a usual report would be refused or changed; False also where that is not sure."""
    return (
        report.occurred_at is None
        and not (report.url or report.trace or report.contact)
        and report.service != ""
        and _is_tidy(report.service)
        and len(report.service) <= MAX_CHARS["service"]
        and (report.text != "" or report.symptom != "")
        and (not report.text or (len(report.text) <= MAX_TEXT_CHARS and _is_tidy(report.text)))
        and (not report.region or is_region(report.region))
        and (not report.symptom or report.symptom in _SYMPTOMS)
        and (not report.reporter or (len(report.reporter) <= MAX_CHARS["reporter"] and _is_tidy(report.reporter)))
        and (not report.source or (len(report.source) <= MAX_CHARS["source"] and _is_tidy(report.source)))
        and (not report.release or (len(report.release) <= MAX_CHARS["release"] and _is_tidy(report.release)))
        and (not report.lang or (len(report.lang) <= MAX_CHARS["lang"] and _LANG.match(report.lang) is not None))
    )


def _is_tidy(value: str) -> bool:
    """Tell quickly whether a value that is not empty is one printable line in its final form.

    A printable character is none that is forbidden, and the blank is the only one of them that is a space.
    """
    return (
        value.isprintable()
        and "  " not in value
        and value[0] != " "
        and value[-1] != " "
        and (value.isascii() or unicodedata.is_normalized("NFC", value))
    )


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def _forbidden_message(value: str, position: int) -> str:
    character = value[position]
    kind = "a text direction control" if character in _BIDI_CONTROLS else "a control character"
    return f"Holds {kind} (U+{ord(character):04X}) at character {position + 1}. Remove it."


def _too_long(field: str, n_chars: int, limit: int) -> FieldError:
    return FieldError(field, f"Has {n_chars:,} characters; at most {limit:,} are taken. Shorten it.")


def _unknown_region(region: str) -> str:
    return f"{region!r} is no ISO 3166 code. Write a country such as DE, or a subdivision such as DE-BY."


def _plain(message: str) -> str:
    return message.rstrip(".")


def _field_error(message: str) -> FieldError:
    """Turn msgspec's sentence into a field and a sentence of ours."""
    if missing := re.search(r"missing required field `(\w+)`", message):
        return FieldError(missing.group(1), "Is missing. Every report names its service.")
    if unknown := re.search(r"unknown field `([^`]*)`", message):
        known = ", ".join(ReportIn.__struct_fields__)
        return FieldError(unknown.group(1)[:100], f"Is no field of a report. The fields are: {known}.")
    path = _PATH_IN_MESSAGE.search(message)
    field = path.group(1) if path else ""
    return FieldError(field, _PATH_IN_MESSAGE.sub("", message).replace("`", "") + ".")
