"""The contract: what is taken, what is refused beside which field, and the one form everything is brought into."""

from __future__ import annotations

import json
import time
import unicodedata
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.enums import Symptom
from reports.errors import InvalidReport
from reports.intake import contract
from reports.intake.contract import (
    CLOCK_SKEW,
    HISTORY_AFTER,
    MAX_CHARS,
    OLDEST,
    ReportIn,
    composed,
    counted_at,
    decode,
    from_mapping,
    normalise,
    without_forbidden,
)
from reports.models import Report, ReportContact
from tests.factories import NOW

# Any text at all, and texts of the characters on which the rules turn.
TEXTS = st.text(alphabet=st.characters(codec=None), max_size=60) | st.text(
    "ab \n\r\t\x00\u202e\u200f\ud800é\u0301\ufb2c", max_size=30
)
QUICK = settings(max_examples=150, deadline=None)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
GOOD_VALUES = {
    "service": "mail", "text": "no mail", "region": "DE-BY", "symptom": "slow", "reporter": "u1", "source": "app",
    "url": "https://example.org/a", "release": "1.2", "trace": TRACE, "lang": "pt-BR", "contact": "me@example.org",
}  # fmt: skip


def report_in(**fields: Any) -> ReportIn:
    return ReportIn(**({"service": "mail", "text": "no mail"} | fields))


def tidied(**fields: Any) -> ReportIn:
    return normalise(report_in(**fields), now=NOW)


def errors_of(**fields: Any) -> dict[str, str]:
    """Return the message beside each wrong field."""
    with pytest.raises(InvalidReport) as refused:
        normalise(report_in(**fields), now=NOW)
    return {error.field: error.message for error in refused.value.errors}


def errors_of_json(raw: bytes) -> dict[str, str]:
    with pytest.raises(InvalidReport) as refused:
        decode(raw)
    return {error.field: error.message for error in refused.value.errors}


# -- Reading ----------------------------------------------------------------------------------------------------------


def test_a_service_and_a_text_are_a_report() -> None:
    report = decode(b'{"service": "mail", "text": "no mail since ten"}')

    assert report == ReportIn(service="mail", text="no mail since ten")


def test_every_field_is_read_from_json() -> None:
    fields = GOOD_VALUES | {"occurred_at": "2026-03-04T12:00:00+01:00"}

    report = decode(json.dumps(fields).encode())

    assert {field: getattr(report, field) for field in GOOD_VALUES} == GOOD_VALUES
    assert report.occurred_at == datetime(2026, 3, 4, 11, 0, tzinfo=UTC)


def test_a_mapping_is_read_as_json_is() -> None:
    fields = GOOD_VALUES | {"occurred_at": "2026-03-04T12:00:00+01:00"}

    assert from_mapping(fields) == decode(json.dumps(fields).encode())


@pytest.mark.parametrize(
    ("raw", "field", "told"),
    [
        (b"", "", "no valid JSON"),
        (b"{", "", "no valid JSON"),
        (b'{"service": "mail"} {}', "", "no valid JSON"),
        (b'{"service": "\xff"}', "", "no valid JSON"),
        (b'{"service": "\\ud800"}', "", "no valid JSON"),
        (b"[]", "", "Expected object, got array"),
        (b"null", "", "Expected object, got null"),
        (b"{}", "service", "Is missing"),
        (b'{"service": 1}', "service", "Expected str, got int"),
        (b'{"service": "mail", "text": null}', "text", "Expected str, got null"),
        (b'{"service": "mail", "occurred_at": "yesterday"}', "occurred_at", "RFC3339"),
        (b'{"service": "mail", "message": "x"}', "message", "The fields are: service, text, region"),
    ],
)
def test_what_is_no_report_is_told_with_its_field(raw: bytes, field: str, told: str) -> None:
    errors = errors_of_json(raw)

    assert list(errors) == [field]
    assert told in errors[field]


@pytest.mark.parametrize("opening", [b'{"service": ', b'{"x": ', b""])
@pytest.mark.parametrize("deeper", [b"[", b'{"a":'])
def test_json_nested_too_deeply_is_refused(opening: bytes, deeper: bytes) -> None:
    assert errors_of_json(opening + deeper * 100_000)


def test_an_unknown_field_is_named_no_longer_than_is_useful() -> None:
    errors = errors_of_json(json.dumps({"service": "mail", "x" * 5_000: 1}).encode())

    assert list(errors) == ["x" * 100]


@QUICK
@given(raw=st.binary(max_size=200))
def test_no_bytes_raise_anything_but_an_invalid_report(raw: bytes) -> None:
    with suppress(InvalidReport):
        decode(raw)


@QUICK
@given(
    fields=st.dictionaries(
        st.sampled_from([*ReportIn.__struct_fields__, "other"]),
        TEXTS | st.none() | st.integers() | st.booleans() | st.lists(st.text(max_size=3), max_size=2),
    )
)
def test_no_mapping_raises_anything_but_an_invalid_report(fields: dict[str, Any]) -> None:
    with suppress(InvalidReport):
        from_mapping(fields)


@pytest.mark.parametrize("fields", [{"service": "mail", "occurred_at": "\ud800"}, {"service": "mail", "\ud800": 1}])
def test_half_a_character_in_a_mapping_is_an_invalid_report(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidReport):
        from_mapping(fields)


# -- One form ---------------------------------------------------------------------------------------------------------


@QUICK
@given(
    fields=st.fixed_dictionaries({}, optional=dict.fromkeys(MAX_CHARS, TEXTS)),
    occurred_at=st.none() | st.datetimes(timezones=st.none() | st.timezones()),
)
def test_any_report_is_normalised_or_an_invalid_report(fields: dict[str, str], occurred_at: datetime | None) -> None:
    with suppress(InvalidReport):
        normalise(report_in(**fields, occurred_at=occurred_at), now=NOW)


@QUICK
@given(text=TEXTS, source=TEXTS, reporter=TEXTS, region=st.sampled_from(["", "de", "De-by", "ß"]))
def test_normalising_twice_changes_nothing_more(**fields: str) -> None:
    try:
        once = tidied(symptom="slow", **fields)
    except InvalidReport:
        return

    assert normalise(once, now=NOW) == once


@QUICK
@given(text=TEXTS)
def test_what_is_normalised_can_be_stored_and_read(text: str) -> None:
    try:
        stored = tidied(text=text, symptom="slow").text
    except InvalidReport:
        return

    assert unicodedata.is_normalized("NFC", stored)
    assert stored == stored.strip()
    assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in stored.replace("\n", ""))


@pytest.mark.parametrize(
    ("given_text", "stored"),
    [
        ("  no   mail\t since\u00a0ten ", "no mail since ten"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("one \n\n\n\n two", "one\n\ntwo"),
        ("Cafe\u0301", "Café"),
        ("لا يعمل\u200f", "لا يعمل\u200f"),
    ],
)
def test_a_text_gets_single_spaces_its_lines_and_nfc(given_text: str, stored: str) -> None:
    assert tidied(text=given_text).text == stored


def test_a_short_field_has_one_line() -> None:
    assert tidied(source="store\nreview").source == "store review"


def test_codes_are_brought_into_their_case() -> None:
    report = tidied(region="de-by", symptom="SLOW", trace=TRACE.upper())

    assert (report.region, report.symptom, report.trace) == ("DE-BY", "slow", TRACE)


def test_a_traceparent_gives_its_trace_id() -> None:
    assert tidied(trace=f"00-{TRACE}-00f067aa0ba902b7-01").trace == TRACE


def test_a_time_is_brought_to_utc() -> None:
    ten_in_tokyo = datetime(2026, 3, 4, 20, 30, tzinfo=timezone(timedelta(hours=9)))

    stored = tidied(occurred_at=ten_in_tokyo).occurred_at

    assert stored is not None
    assert (stored.hour, stored.tzinfo) == (11, UTC)


# -- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", MAX_CHARS)
def test_a_value_beyond_its_limit_is_refused_beside_its_field(field: str) -> None:
    errors = errors_of(**{field: "a" * (MAX_CHARS[field] + 1)})

    assert list(errors) == [field]


@pytest.mark.parametrize("field", ["service", "text", "reporter", "source", "release"])
def test_a_value_at_its_limit_is_taken_whole(field: str) -> None:
    value = "a" * MAX_CHARS[field]

    assert getattr(tidied(**{field: value}), field) == value


def test_an_over_long_text_is_told_both_lengths() -> None:
    errors = errors_of(text="a" * 4_001)

    assert errors == {"text": "Has 4,001 characters; at most 4,000 are taken. Shorten it."}


def test_what_nfc_makes_longer_than_its_limit_is_refused() -> None:
    errors = errors_of(source="\ufb2c" * 100)

    assert errors == {"source": "Has 300 characters; at most 100 are taken. Shorten it."}


def test_every_limit_fits_its_column() -> None:
    columns = {field.name: field.max_length for field in Report._meta.get_fields() if hasattr(field, "max_length")}
    columns["contact"] = ReportContact._meta.get_field("address").max_length

    kept = {field: limit for field, limit in MAX_CHARS.items() if field not in {"service", "text", "reporter"}}

    assert {field: columns[field] for field in kept} == kept


@pytest.mark.parametrize("field", MAX_CHARS)
def test_a_control_character_is_refused_in_every_field(field: str) -> None:
    errors = errors_of(**{field: "a\x00"})

    assert errors == {field: "Holds a control character (U+0000) at character 2. Remove it."}


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x0b", "\x1b", "\x7f", "\x85", "\x9f", "\ud800", "\uffff"])
def test_a_character_nobody_can_read_is_named_with_its_place(character: str) -> None:
    errors = errors_of(text=f"no {character} mail")

    assert errors == {"text": f"Holds a control character (U+{ord(character):04X}) at character 4. Remove it."}


@pytest.mark.parametrize("character", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_a_direction_control_is_named_with_its_place(character: str) -> None:
    errors = errors_of(text=f"{character}no mail")

    assert errors == {"text": f"Holds a text direction control (U+{ord(character):04X}) at character 1. Remove it."}


@pytest.mark.parametrize("character", "\u200e\u200f\u061c\u200d\u200c\n\t")
def test_what_ordinary_writing_needs_is_taken(character: str) -> None:
    assert tidied(text=f"a{character}b").text == f"a{character}b".replace("\t", " ")


def test_a_recording_is_freed_of_what_a_live_client_would_be_told() -> None:
    assert without_forbidden("\x00no\u202e mail\u200f") == "no mail\u200f"


@pytest.mark.parametrize("service", ["", "   ", "\n"])
def test_an_empty_service_is_refused(service: str) -> None:
    assert errors_of(service=service) == {"service": "Is empty. Name the service by its slug or name."}


def test_neither_text_nor_symptom_is_refused_beside_the_text() -> None:
    assert list(errors_of(text=" \n ")) == ["text"]


@pytest.mark.parametrize("symptom", Symptom.values)
def test_a_symptom_alone_says_enough(symptom: str) -> None:
    assert tidied(text="", symptom=symptom).symptom == symptom


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("region", "Germany"),
        ("region", "ZZ"),
        ("region", "DE-XX"),
        ("region", "DE_BY"),
        ("region", "world" * 1_000),
        ("symptom", "broken"),
        ("url", "javascript:alert(1)"),
        ("url", "example.org"),
        ("url", "http://"),
        ("url", "http://[::1"),
        ("lang", "german!"),
        ("lang", "d"),
        ("trace", "4bf92f"),
        ("trace", TRACE + "0"),
        ("contact", "me"),
        ("contact", "me@localhost"),
        ("contact", "me@example.org, you@example.org"),
        ("contact", "<me@example.org>"),
    ],
)
def test_what_a_field_cannot_mean_is_refused_beside_it(field: str, value: str) -> None:
    errors = errors_of(**{field: value})

    assert list(errors) == [field]
    assert len(errors[field]) < 300


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("region", ""),
        ("region", "AQ"),
        ("region", "US-CA"),
        ("url", "HTTPS://EXAMPLE.org/a?b=c"),
        ("lang", "zh-Hant-TW"),
        ("contact", "o'brien+tag@mail.example.co.uk"),
    ],
)
def test_what_a_field_can_mean_is_taken(field: str, value: str) -> None:
    assert getattr(tidied(**{field: value}), field) == value


def test_all_that_is_wrong_is_told_at_once() -> None:
    errors = errors_of(service="", text="a\x00", region="ZZ", url="ftp://x", occurred_at=NOW + timedelta(days=1))

    assert set(errors) == {"service", "text", "region", "url", "occurred_at"}


@pytest.mark.parametrize(
    ("occurred_at", "told"),
    [
        (datetime(2026, 3, 4, 12, 0), "has no time zone"),  # noqa: DTZ001  # that is what the test is about
        (NOW + CLOCK_SKEW + timedelta(seconds=1), "lies in the future"),
        (NOW - OLDEST - timedelta(seconds=1), "is more than 366 days ago"),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), "is more than 366 days ago"),
        (datetime.max.replace(tzinfo=timezone(-timedelta(hours=12))), "lies in the future"),
    ],
)
def test_a_time_that_cannot_be_is_refused(occurred_at: datetime, told: str) -> None:
    assert told in errors_of(occurred_at=occurred_at)["occurred_at"]


@pytest.mark.parametrize("occurred_at", [NOW + CLOCK_SKEW, NOW - OLDEST])
def test_a_time_at_its_bound_is_taken(occurred_at: datetime) -> None:
    assert tidied(occurred_at=occurred_at).occurred_at == occurred_at


# -- When it counts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(minutes=10), HISTORY_AFTER])
def test_a_report_of_now_counts_when_it_was_received(ago: timedelta) -> None:
    assert counted_at(report_in(occurred_at=NOW - ago), received_at=NOW) == NOW


def test_a_report_that_tells_no_time_counts_when_it_was_received() -> None:
    assert counted_at(report_in(occurred_at=None), received_at=NOW) == NOW


def test_a_report_of_history_counts_when_it_happened() -> None:
    then = NOW - HISTORY_AFTER - timedelta(seconds=1)

    assert counted_at(report_in(occurred_at=then), received_at=NOW) == then


def test_one_report_with_every_field_full_fits_its_body() -> None:
    widest = {field: "\\u00e9" * limit for field, limit in MAX_CHARS.items()}
    widest["text"] = "\\ud83d\\ude00" * MAX_CHARS["text"]  # emoji, which JSON escapes as a pair

    body = "{" + ",".join(f'"{field}":"{value}"' for field, value in widest.items()) + "}"

    assert len(body) < contract.MAX_REPORT_BYTES
    assert decode(body.encode()).text == "😀" * MAX_CHARS["text"]


@QUICK
@given(value=TEXTS.filter(bool))
def test_a_value_that_passes_for_tidy_would_not_be_changed(value: str) -> None:
    if contract._is_tidy(value):
        assert contract._FORBIDDEN.search(value) is None
        assert contract._tidy(value, keep_lines=True) == contract._tidy(value, keep_lines=False) == value


def short(field: str) -> st.SearchStrategy[str]:
    usual = st.sampled_from(["", GOOD_VALUES[field], GOOD_VALUES[field].upper(), f" {GOOD_VALUES[field]}"])
    return usual | TEXTS | st.just("x" * (MAX_CHARS[field] + 1))


@settings(max_examples=600, deadline=None)
@given(fields=st.fixed_dictionaries({field: short(field) for field in GOOD_VALUES}))
def test_a_report_that_passes_for_final_is_taken_as_it_is(fields: dict[str, str]) -> None:
    report = ReportIn(**fields)

    if contract._is_final(report):
        assert contract._normalised(report, now=NOW) == report


@pytest.mark.parametrize("left_out", ["text", "symptom", "region", "lang", "source"])
def test_a_usual_report_passes_for_final(left_out: str) -> None:
    fields = {**GOOD_VALUES, "url": "", "trace": "", "contact": "", left_out: ""}

    assert contract._is_final(ReportIn(**fields))


@pytest.mark.parametrize(
    "text",
    [
        "caf\u0065\u0301 " * 300,
        "\u1112\u1161\u11ab" * 999,
        "\u304b\u3099" * 999,
        "x\u304b\u3099" * 999,
        "x" * 900 + "\u0041\u030a",
        "",
    ],
)
def test_composing_in_pieces_is_composing(text: str) -> None:
    assert composed(text) == unicodedata.normalize("NFC", text)


def test_composing_takes_no_longer_for_marks_in_no_order() -> None:
    began = time.process_time()

    composed("\u0301\u0316" * 100_000)

    assert time.process_time() - began < 2  # a minute, done at once
