"""Simulated reports are repeatable, varied, and in the right place at the right time."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ml import synth_texts
from ml.synth import SCENARIOS, history, scenario

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_the_same_seed_gives_the_same_reports() -> None:
    first = scenario("regional_login", rng=rng(), start=START)

    assert scenario("regional_login", rng=rng(), start=START) == first


@pytest.mark.parametrize("name", SCENARIOS)
def test_reports_are_in_order_and_within_the_recording(name: str) -> None:
    reports = scenario(name, rng=rng(), start=START, minutes=45)

    times = [report.time for report in reports]
    assert times == sorted(times)
    assert START <= times[0] <= times[-1] < START + timedelta(minutes=45)


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_of_the_outage_comes_before_its_onset(name: str) -> None:
    reports = scenario(name, rng=rng(), start=START, onset_minutes=20)

    first = min(report.time for report in reports if report.is_outage)
    assert START + timedelta(minutes=20) <= first < START + timedelta(minutes=25)


def test_a_regional_outage_begins_in_its_first_region_and_spreads() -> None:
    reports = [report for report in scenario("regional_login", rng=rng(), start=START) if report.is_outage]

    early = Counter(report.region for report in reports if report.time < START + timedelta(minutes=6))
    assert set(early) <= {"DE-BY", "DE", ""}
    assert len({report.region for report in reports}) > 5


def test_an_outage_that_ends_fades() -> None:
    reports = scenario("global_502", rng=rng(), start=START, minutes=90, outage_minutes=30)

    late = [report for report in reports if report.is_outage and report.time > START + timedelta(minutes=60)]
    assert len(late) < 5


def test_texts_are_varied_and_in_five_languages_or_more() -> None:
    reports = [report for report in scenario("global_502", rng=rng(), start=START) if report.is_outage]

    assert len({report.lang for report in reports}) >= 5
    assert len({report.text for report in reports}) > 0.8 * len(reports)


def test_no_text_is_empty_or_shows_its_grammar() -> None:
    reports = history(rng=rng(), start=START, days=14, per_hour=10)

    assert all(report.text.strip() and not re.search(r"[{}|()]", report.text) for report in reports)


def test_nights_are_quieter_than_days() -> None:
    reports = history(rng=rng(), start=START, days=14, per_hour=10)

    by_hour = Counter(report.time.hour for report in reports)
    assert by_hour[15] > 2 * by_hour[3]


def test_history_holds_no_outage_and_about_its_rate() -> None:
    reports = history(rng=rng(), start=START, days=28, per_hour=4)

    assert not any(report.is_outage for report in reports)
    assert len(reports) == pytest.approx(28 * 24 * 4, rel=0.1)


def test_some_people_write_twice() -> None:
    reports = scenario("global_502", rng=rng(), start=START)

    n_reporters = len({report.reporter for report in reports})
    assert 0.8 * len(reports) < n_reporters < len(reports)


def test_every_topic_has_every_language() -> None:
    topics = [synth_texts.LOGIN, synth_texts.ERRORS, synth_texts.SLOW, synth_texts.PAYMENT, synth_texts.APP]
    topics += [synth_texts.QUESTION, synth_texts.PRAISE, synth_texts.OPENERS, synth_texts.CLOSERS, synth_texts.AGO]

    assert all(set(topic) == set(synth_texts.LOGIN) for topic in topics)


def test_every_place_belongs_to_a_region_that_people_write_from() -> None:
    regions = {
        report.region for report in history(rng=rng(), start=START, days=28, per_hour=10) if "-" in report.region
    }

    assert regions == set(synth_texts.PLACES)


def test_an_unknown_scenario_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="regional_login"):
        scenario("flood", rng=rng(), start=START)


def test_a_naive_start_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        history(rng=rng(), start=datetime(2026, 1, 5), days=1)  # noqa: DTZ001


def test_negative_durations_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        scenario("slow_api", rng=rng(), start=START, onset_minutes=-1)
