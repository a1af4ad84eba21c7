"""The score in words."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime, timedelta

import pytest

from ml.outage_matching import FoundOutage, RecordedService
from ml.outage_scores import score
from ml.outage_truth import LabelledOutage, Truth
from reports.management import scoreboard
from reports.management.scoreboard import headline, score_rows

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LABEL = LabelledOutage("Mail", ("DE",), START, None)
MINUTE = timedelta(minutes=1)


def a_score(*minutes: float, n_labels: int = 1, days: float = 30.4375) -> scoreboard.Score:
    labels = tuple(LabelledOutage("Mail", ("DE",), START + i * timedelta(days=3), None) for i in range(n_labels))
    alarms = [
        FoundOutage("Mail", ("DE",), label.start + after * MINUTE, confirmed_at=label.start + (after + 1) * MINUTE)
        for label, after in zip(labels, minutes, strict=False)
    ]
    return score(alarms, Truth(labels, ()), recorded=[RecordedService("Mail", START, START + timedelta(days=99), days)])


def test_each_figure_stands_with_its_interval_and_what_it_is_counted_from() -> None:
    rows = {row.name: row for row in score_rows(a_score(4, 5, 6, 7, 8, 9, n_labels=8))}

    found = rows["Labelled outages found"].suspected
    assert (found.value, found.interval, found.basis) == ("75 %", "41 to 93 %", "6 of 8")
    median = rows["Time to it, median"]
    assert (median.suspected.value, median.suspected.interval) == ("6.5 min", "4 to 9 min")
    assert median.confirmed is not None
    assert (median.confirmed.value, median.confirmed.basis) == ("7.5 min", "6 found")
    assert rows["Time to it, 90 % within"].suspected.interval == "7 min or more"
    assert rows["Regions, F1"].confirmed is None
    alarms = rows["Alarms a service-month"].suspected
    assert (alarms.value, alarms.interval, alarms.basis) == ("6", "2.2 to 13", "6 in 1 month")


def test_too_few_are_said_to_be_too_few() -> None:
    rows = {row.name: row for row in score_rows(a_score(5))}

    assert rows["Time to it, median"].suspected.interval == "too few"
    assert rows["Precision"].suspected.basis == "1 decided"


def test_what_was_not_recorded_is_told_apart() -> None:
    label = LabelledOutage("Mail", ("DE",), START - timedelta(days=99), None)
    recorded = [RecordedService("Mail", START, START + timedelta(days=9), 9.0)]

    told = score([], Truth((label,), ()), recorded=recorded)

    assert headline(told).startswith("0 of 1 labelled outages (1 not recorded) suspected in time.")
    assert score_rows(told)[0].suspected.basis == "0 of 0"


def test_without_labels_only_alarms_are_told() -> None:
    names = [row.name for row in score_rows(score([], Truth((), ())))]

    assert names == ["Precision", "Alarms a service-month", "– of these false", "– of these unknown"]


def test_nothing_counted_has_no_figure() -> None:
    rows = {row.name: row for row in score_rows(score([], Truth((LABEL,), ())))}

    for name in ("Time to it, median", "Regions, F1", "Precision", "Alarms a service-month"):
        assert (rows[name].suspected.value, rows[name].suspected.interval) == ("–", ""), name


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        ((5,), "1 of 1 labelled outages suspected in time, 5 min after the start in the median."),
        ((), "0 of 1 labelled outages suspected in time."),
        ((-10,), "1 of 1 labelled outages suspected in time, 10 min before the start in the median."),
    ],
)
def test_the_outcome_is_one_sentence(minutes: tuple[float, ...], said: str) -> None:
    assert headline(a_score(*minutes)).startswith(said)


def test_examples_run_as_printed() -> None:
    assert doctest.testmod(scoreboard).failed == 0
