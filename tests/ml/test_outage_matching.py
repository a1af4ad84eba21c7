"""What a found and a labelled outage are called, and how well their regions match."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ml.outage_matching import FoundOutage, RecordedService, Verdict, judge_alarm, match_label, region_f1
from ml.outage_truth import LabelledOutage, QuietPeriod, Truth

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_label(*, hours: float | None = None, start: datetime = START) -> LabelledOutage:
    return LabelledOutage("Power", ("US-TX",), start, None if hours is None else start + hours * HOUR)


def found(hours: float, *regions: str) -> FoundOutage:
    return FoundOutage(service="power", regions=regions or ("US-TX",), suspected_at=START + hours * HOUR)


@pytest.mark.parametrize(
    ("lasts", "suspected_after", "verdict"),
    [
        (1, -0.6, Verdict.UNKNOWN),
        (1, -0.5, Verdict.HIT),
        (1, 1, Verdict.HIT),
        (1, 1.1, Verdict.TOO_LATE),
        (1, 25, Verdict.TOO_LATE),
        (1, 25.1, Verdict.UNKNOWN),
        (None, 24, Verdict.HIT),
        (None, 48, Verdict.TOO_LATE),
        (None, 48.1, Verdict.UNKNOWN),
        (100, 24, Verdict.HIT),
        (100, 99, Verdict.TOO_LATE),  # it still goes on
        (100, 100.1, Verdict.UNKNOWN),
    ],
)
def test_an_alarm_is_a_hit_or_late_by_the_time_of_the_label(
    lasts: float | None, suspected_after: float, verdict: Verdict
) -> None:
    label = a_label(hours=lasts)

    assert judge_alarm(found(suspected_after), Truth((label,), ())).verdict is verdict
    expected = verdict if verdict is not Verdict.UNKNOWN else Verdict.MISSED
    assert match_label(label, [found(suspected_after)]).verdict is expected


def test_a_label_outweighs_a_quiet_period_and_that_a_late_answer() -> None:
    truth = Truth((a_label(hours=1),), (QuietPeriod("Power", ("*",), START, START + 10 * HOUR),))

    alarms = [judge_alarm(found(hours), truth) for hours in (0.5, 5, 11)]

    assert [alarm.verdict for alarm in alarms] == [Verdict.HIT, Verdict.IN_QUIET, Verdict.TOO_LATE]
    assert [alarm.quiet for alarm in alarms] == [None, 0, None]


def test_one_alarm_may_answer_overlapping_labels_and_one_label_have_many_alarms() -> None:
    labels = (a_label(), a_label(start=START + HOUR))
    alarms = [found(3), found(2), found(30)]

    assert judge_alarm(alarms[0], Truth(labels, ())).labels == (0, 1)
    match = match_label(labels[0], alarms)
    assert (match.in_time, match.late) == ((1, 0), (2,))  # earliest first


@pytest.mark.parametrize(
    ("first", "last", "verdict"),
    [
        (-5, 5, Verdict.MISSED),
        (0.9, 5, Verdict.MISSED),  # the recording begins while it goes on
        (1.1, 5, Verdict.NOT_RECORDED),
        (-5, -0.4, Verdict.MISSED),
        (-5, -0.6, Verdict.NOT_RECORDED),
    ],
)
def test_what_the_recording_does_not_hold_is_not_missed(first: float, last: float, verdict: Verdict) -> None:
    recorded = RecordedService("POWER", START + first * HOUR, START + last * HOUR, 1.0)

    assert match_label(a_label(hours=1), [], [recorded]).verdict is verdict
    assert match_label(a_label(hours=1), [], []).verdict is Verdict.NOT_RECORDED


@pytest.mark.parametrize(
    ("ours", "theirs", "f1"),
    [
        (["DE-BY"], ["DE-BY"], 1.0),
        (["DE-BE"], ["DE-BY"], 0.0),
        (["DE"], ["DE-BY"], 0.5),  # too wide: precision 1/2, recall 1/2
        (["DE-BY"], ["DE"], 0.5),  # too narrow, likewise
        (["DE", "DE-BY"], ["DE-BY"], 1.0),  # of a country and its part the part counts
        (["DE-BY", "DE-BE"], ["DE-BY"], 2 / 3),  # precision 1/2, recall 1
        (["DE-BY", "AT"], ["DE-BY", "DE-BE", "FR"], 2 / 5),  # precision 1/2, recall 1/3
        (["DE", "AT"], ["DE-BY", "AT"], 0.75),  # both (1/2 + 1) / 2
        ([""], ["DE-BY"], 0.0),  # everywhere names no region
        ([""], [""], 1.0),
        (["DE"], [""], 0.0),
        ([], ["DE"], 0.0),
        (["DE"], ["*"], None),
        (["DE"], ["*", "FR"], None),
    ],
)
def test_regions_match_with_half_a_credit_for_too_wide_or_too_narrow(
    ours: list[str], theirs: list[str], f1: float | None
) -> None:
    assert region_f1(ours, theirs) == (pytest.approx(f1) if f1 is not None else None)


def test_the_order_of_regions_and_repetitions_do_not_count() -> None:
    assert region_f1(["AT", "DE-BY", "AT"], ["FR", "DE-BY"]) == region_f1(["DE-BY", "AT"], ["DE-BY", "FR"])
