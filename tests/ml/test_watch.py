"""A watch that is split in two: what it knows is shared, what it decides from then on is not."""

from __future__ import annotations

import numpy as np

from ml.phases import thresholds_for
from ml.watch import ServiceWatch

FIRST_HOUR = 480_000
N_HOURS = 14 * 24


def a_watch_of_one_report_an_hour() -> ServiceWatch:
    watch = ServiceWatch("mail", first_hour=FIRST_HOUR)
    for hour in range(N_HOURS):
        watch.take_hour(FIRST_HOUR + hour, {"mail": [0] * 30 + [1] + [0] * 29})
    return watch


def test_three_reports_in_three_minutes_alarm_the_fork_with_the_larger_budget_alone() -> None:
    watch = a_watch_of_one_report_an_hour()
    fork = watch.fork(thresholds_for(4.0))

    for one in (watch, fork):
        one.take_hour(FIRST_HOUR + N_HOURS, {"mail": [1, 1, 1] + [0] * 57})

    assert watch.alarms == []
    assert [alarm.suspected for alarm in fork.ended + fork.alarms] == [(FIRST_HOUR + N_HOURS) * 60 + 2]


def test_what_a_fork_sees_leaves_the_watch_untouched() -> None:
    watch = a_watch_of_one_report_an_hour()
    fork = watch.fork(thresholds_for(1.0))

    fork.take_hour(FIRST_HOUR + N_HOURS, {"mail/DE": [5] * 60})

    assert (watch.nodes, watch.next_hour, watch.alarms) == (["mail"], FIRST_HOUR + N_HOURS, [])


def test_a_region_on_the_other_side_of_the_world_has_a_morning_of_its_own() -> None:
    rng = np.random.default_rng(7)
    hours = np.arange(28 * 24)
    by_day = (
        np.exp(1.2 * np.sin((hours + 1 - 9) / 24 * 2 * np.pi)),
        np.exp(1.2 * np.sin((hours + 9 - 9) / 24 * 2 * np.pi)),
    )
    rates = dict(zip(("mail/DE", "mail/JP"), (0.25 * by_day[0], 0.25 * by_day[1]), strict=True))
    watch = ServiceWatch("mail", first_hour=FIRST_HOUR)
    for hour in hours.tolist():
        watch.take_hour(
            FIRST_HOUR + hour, {stream: rng.poisson(rate[hour], 60).tolist() for stream, rate in rates.items()}
        )

    late = [alarm for alarm in watch.ended + watch.alarms if alarm.suspected > (FIRST_HOUR + 14 * 24) * 60]

    assert len(late) <= 1
    watch.take_hour(FIRST_HOUR + 28 * 24, {"mail/JP": [5] * 60, "mail/DE": [0] * 60})
    assert any(alarm.regions == {"mail/JP"} for alarm in watch.alarms)


def test_regions_that_scatter_by_themselves_keep_the_budget_of_their_service() -> None:
    rng = np.random.default_rng(5)
    n_weeks = 6
    streams = {
        path: rng.poisson(rng.gamma(rate, 1.0, n_weeks * 168 * 60))  # variance twice the mean, in every minute
        for path, rate in {"mail/DE": 0.15, "mail/FR": 0.1, "mail/JP": 0.05}.items()
    }
    watch = ServiceWatch("mail", first_hour=FIRST_HOUR)
    for hour in range(n_weeks * 168):
        minutes = slice(hour * 60, hour * 60 + 60)
        watch.take_hour(FIRST_HOUR + hour, {path: counts[minutes].tolist() for path, counts in streams.items()})

    late = [alarm for alarm in watch.ended + watch.alarms if alarm.suspected > (FIRST_HOUR + 2 * 168) * 60]

    assert len(late) <= 2
