"""Found outages are matched with labels in time, service and region; what nobody labelled is unknown, not false."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ml.outage_scores import FoundOutage, Truth, parse_truth, score

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def truth(**changes: object) -> Truth:
    label = {"service": "Power", "start": START.isoformat(), "end": None, "regions": ["US-TX"], **changes}
    quiet = {"service": "power", "start": "2026-04-01T00:00:00Z", "end": "2026-04-02T00:00:00Z", "regions": ["*"]}
    return parse_truth({"outages": [label], "quiet": [quiet]})


def found(minutes: float, *regions: str, service: str = "power", is_confirmed: bool = True) -> FoundOutage:
    moment = START + timedelta(minutes=minutes)
    confirmed_at = moment + timedelta(minutes=2) if is_confirmed else None
    return FoundOutage(service=service, regions=regions, suspected_at=moment, confirmed_at=confirmed_at)


def test_an_outage_in_its_place_and_time_is_found() -> None:
    result = score([found(7, "US-TX")], truth())

    assert (result["n_found"], result["n_found_right_regions"], result["n_found_confirmed"]) == (1, 1, 1)
    assert (result["median_minutes_to_suspected"], result["median_minutes_to_confirmed"]) == (7.0, 9.0)
    assert result["precision_labelled"] == 1.0


@pytest.mark.parametrize(("minutes", "n_found"), [(-31, 0), (-30, 1), (24 * 60, 1), (24 * 60 + 1, 0)])
def test_it_must_be_suspected_in_time(minutes: float, n_found: int) -> None:
    assert score([found(minutes, "US-TX")], truth())["n_found"] == n_found


def test_after_its_end_it_is_too_late() -> None:
    ended = truth(end=(START + timedelta(hours=1)).isoformat())

    assert score([found(61, "US-TX")], ended)["n_found"] == 0


@pytest.mark.parametrize(
    ("regions", "n_found", "n_right"),
    [(("US",), 1, 0), ((), 1, 0), (("US-TX-48201",), 1, 1), (("US-CA",), 0, 0), (("US-CA", "US-TX"), 1, 1)],
)
def test_its_region_must_be_related(regions: tuple[str, ...], n_found: int, n_right: int) -> None:
    result = score([found(5, *regions)], truth())

    assert (result["n_found"], result["n_found_right_regions"]) == (n_found, n_right)


def test_another_service_does_not_count() -> None:
    assert score([found(5, "US-TX", service="water")], truth())["n_found"] == 0


def test_an_alarm_in_a_quiet_period_is_false_and_one_nobody_labelled_is_unknown() -> None:
    in_quiet = (datetime(2026, 4, 1, 6, tzinfo=UTC) - START).total_seconds() / 60

    result = score([found(in_quiet, "FR"), found(in_quiet - 3 * 24 * 60, "FR")], truth())

    assert (result["n_confirmed_in_quiet"], result["n_confirmed_unknown"]) == (1, 1)
    assert result["precision_labelled"] == 0.0


def test_only_confirmed_alarms_are_judged() -> None:
    result = score([found(5, "US-TX", is_confirmed=False)], truth())

    assert (result["n_found"], result["n_found_confirmed"], result["n_confirmed"]) == (1, 0, 0)
    assert result["n_suspected_only"] == 1
    assert result["precision_labelled"] is None


def test_one_outage_may_answer_two_labels() -> None:
    label = {"service": "power", "start": "2026-03-01T12:00:00Z", "end": None, "regions": ["US-TX"]}

    result = score([found(5, "US-TX")], parse_truth({"outages": [label, label]}))

    assert (result["n_found"], result["n_confirmed_true"]) == (2, 1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"service": ""}, "service"),
        ({"start": "yesterday"}, "start"),
        ({"start": "2026-03-01T12:00:00"}, "start"),
        ({"start": None}, "start"),
        ({"end": "2026-02-01T00:00:00Z"}, "end"),
        ({"regions": []}, "regions"),
        ({"regions": "US-TX"}, "regions"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, object], field: str) -> None:
    with pytest.raises(ValueError, match=rf"outages\[0\]\.{field}"):
        truth(**changes)


@pytest.mark.parametrize("document", [[], {"outages": {}}, {"quiet": [1]}])
def test_a_document_of_another_form_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match=r"truth|outages|quiet"):
        parse_truth(document)
