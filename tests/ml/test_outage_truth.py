"""A truth document is read whole or refused with the field, its value, and what to write instead."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ml.outage_truth import parse_truth

OUTAGE = {"service": "Power", "start": "2026-03-01T12:00:00Z", "end": None, "regions": ["US-TX"]}
QUIET = {"service": "Power", "start": "2026-04-01T00:00:00Z", "end": "2026-04-02T00:00:00Z", "regions": ["*"]}


def test_times_are_read_in_utc_and_an_end_may_be_unknown() -> None:
    truth = parse_truth({"outages": [OUTAGE | {"start": "2026-03-01T13:00:00+01:00"}], "quiet": [QUIET]})

    [label] = truth.outages
    assert (label.start, label.end) == (datetime(2026, 3, 1, 12, tzinfo=UTC), None)
    assert truth.quiet[0].regions == ("*",)


@pytest.mark.parametrize("document", [{"outages": []}, {"quiet": []}, {"outages": [OUTAGE, OUTAGE]}])
def test_one_list_is_enough_and_labels_may_overlap(document: dict[str, Any]) -> None:
    assert len(parse_truth(document).outages) == len(document.get("outages", ()))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("service", "", "must be a text that is not empty, not ''"),
        ("service", "  ", "not '  '"),
        ("service", 7, "not 7"),
        ("start", None, "not None (only the end of an outage may be null"),
        ("start", 1772366400, "must be an RFC 3339 time such as 2026-05-01T09:30:00Z, not 1772366400"),
        ("start", "yesterday", "'yesterday' is no RFC 3339 time such as"),
        ("start", "2026-03-01T12:00:00", "'2026-03-01T12:00:00' has no time zone. Add one"),
        ("start", "0001-01-01T00:00:00+14:00", "is not of this age. Write a year after 1970"),
        ("start", "9999-12-31T23:59:59-14:00", "is not of this age"),
        ("end", "2026-02-01T00:00:00Z", "2026-02-01T00:00:00+00:00 lies before its start, 2026-03-01T12:00:00+00:00"),
        ("end", "", "'' is no RFC 3339 time"),
        ("end", {}, "not {}"),
        ("regions", [], "must be a list of region codes that is not empty ('*' = any), not []"),
        ("regions", "US-TX", "not 'US-TX'"),
        ("regions", None, "not None"),
        ("regions", ["Texas"], "'Texas' is no region. Write an ISO 3166 code"),
        ("regions", ["us-tx"], "'us-tx' is no region"),
        ("regions", ["US", 1], "1 is no region"),
    ],
)
def test_a_wrong_field_is_named_with_its_value_and_the_remedy(field: str, value: object, said: str) -> None:
    with pytest.raises(ValueError, match=rf"^outages\[1\]\.{field}: ") as refused:
        parse_truth({"outages": [OUTAGE, OUTAGE | {field: value}]})

    assert said in str(refused.value)


def test_a_quiet_period_needs_an_end() -> None:
    with pytest.raises(ValueError, match=r"^quiet\[0\]\.end: must be an RFC 3339 time"):
        parse_truth({"quiet": [QUIET | {"end": None}]})


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "truth: must be a JSON object with the lists 'outages' and 'quiet', not list"),
        ({}, "truth: holds neither 'outages' nor 'quiet', but nothing"),
        ({"outage": []}, "but 'outage'. Give at least one"),
        ({"outages": {}}, "outages: must be a list, not {}"),
        ({"outages": None}, "outages: must be a list, not None"),
        ({"quiet": [1]}, "quiet[0]: must be an object, not 1"),
    ],
)
def test_a_document_of_another_form_is_refused(document: object, said: str) -> None:
    with pytest.raises(ValueError, match=r"truth|outages|quiet") as refused:
        parse_truth(document)

    assert said in str(refused.value)


def test_a_message_never_repeats_a_whole_file() -> None:
    with pytest.raises(ValueError, match="outages") as refused:
        parse_truth({"outages": "x" * 10_000})

    assert len(str(refused.value)) < 200
