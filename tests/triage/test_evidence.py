"""Evidence in words."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from reports.triage import evidence
from reports.triage.evidence import Seen, chance_words, place_words, seen_of


def test_the_examples_hold() -> None:
    assert doctest.testmod(evidence).failed == 0


def test_a_sentence_says_what_was_seen_what_is_usual_and_what_chance_does() -> None:
    seen = Seen(observed=41, expected=2.04, window_minutes=5, p_value=4.7e-8)

    assert seen.sentence == "41 reports in 5 min; usual is 2; by chance at most once in 40 years."


@pytest.mark.parametrize(("zone", "hour"), [("UTC", "Sunday 10:00"), ("Asia/Kolkata", "Sunday 15:00")])
def test_it_says_from_how_many_regions_and_for_which_hour_by_the_clocks_there(zone: str, hour: str) -> None:
    body = {"observed": 41, "expected": 2.04, "window_minutes": 6, "p_value": 4.7e-8, "n_regions": 3}

    seen = seen_of(body, at=datetime(2026, 3, 1, 10, 20, tzinfo=UTC).astimezone(ZoneInfo(zone)))

    assert seen is not None
    assert seen.counts == f"41 reports in 6 min from 3 regions; usual for {hour} is 2"


def test_one_report_is_no_reports() -> None:
    assert Seen(1, 0.0, 1, 1e-4).counts == "1 report in 1 min; usual is next to none"


@pytest.mark.parametrize("p_value", [0.0, 1e-300, 1e-9])
def test_what_is_beyond_the_model_is_not_told_to_the_digit(p_value: float) -> None:
    assert chance_words(p_value) == "by chance less than once in 1,000 years"


@pytest.mark.parametrize("exponent", range(1, 320, 7))
def test_every_probability_has_words(exponent: int) -> None:
    assert "chance" in chance_words(float(f"3e-{exponent}"))


def test_the_unit_suits_the_time() -> None:
    per_day = 1 / 1440

    assert chance_words(per_day / 40) == "by chance at most once in 5 weeks"
    assert chance_words(per_day / 400) == "by chance at most once in 10 months"


@pytest.mark.parametrize(
    ("regions", "expected"),
    [
        ([], ""),
        (["DE"], "Germany"),
        (["DE", "AT"], "Germany and Austria"),
        (["DE", "DE-BY"], "Bayern, Germany"),
        (["AT", "DE-BW", "DE-BY"], "Austria and Germany (Baden-Württemberg, Bayern)"),
        (["DE-BE", "DE-BW", "DE-BY", "DE-HB", "DE-HH"], "Germany (Berlin, Baden-Württemberg, Bayern, 2 more)"),
        (["DE", "AT", "IT", "FR", "ES"], "Germany, Austria, Italy and 2 more"),
        (["ZZ"], "ZZ"),
    ],
)
def test_places_are_named(regions: list[str], expected: str) -> None:
    assert place_words(regions) == expected


def test_what_people_write_is_no_evidence() -> None:
    assert seen_of({"text": "We know"}) is None
    assert seen_of({"observed": "?", "expected": None, "window_minutes": 5, "p_value": 1}) is None
