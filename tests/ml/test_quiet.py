"""Quiet time judged as the running detector would have: out of sample, without outages, and what the peaks are for."""

from __future__ import annotations

import numpy as np
import pytest

from ml.budget import Calibration, allowed_rarity, default_calibration, rarity, refresh
from ml.detect import WINDOW_MINUTES
from ml.quiet import LEAST_SCORE, QuietTime, judge_quiet
from ml.scatter import dispersion_by_window, empty_scatter, learn_scatter, pool_scatter

LEARNED_HOURS = 5 * 168
MONDAY = 96


def in_company(rng: np.random.Generator, *, per_hour: float, company: int, n_hours: int) -> np.ndarray:
    """Reports by minute that come so many at a time, so many an hour."""
    return rng.poisson(per_hour / company / 60, size=60 * n_hours) * company


def judged(counts: np.ndarray, dispersion: np.ndarray, *, weeks: int = 4, **marks: np.ndarray) -> QuietTime:
    """Judge the last weeks of minute counts."""
    hourly = counts.reshape(-1, 60).sum(axis=1)
    return judge_quiet(hourly, counts[-60 * (weeks * 168 + 1) :], dispersion, first_epoch_hour=MONDAY, **marks)


def alarms_a_month(found: list[QuietTime], calibration: Calibration | None, *, budget: float = 1.0) -> float:
    """Alarms a stream and month at a budget."""
    n = sum(
        int((rarity(one.peaks, one.rate_per_hour, calibration=calibration) < allowed_rarity(budget)).sum())
        for one in found
    )
    return n * 43_200 / float(sum(one.minutes.sum() for one in found))


def test_reports_as_shipped_keep_the_budget() -> None:
    rng = np.random.default_rng(1)
    fleet = [in_company(rng, per_hour=8.0, company=1, n_hours=LEARNED_HOURS + 672) for _ in range(12)]

    found = [judged(counts, dispersion_by_window(empty_scatter(), WINDOW_MINUTES)) for counts in fleet]

    assert alarms_a_month(found, None) < 2.0


def test_a_fleet_whose_reports_scatter_more_gets_its_false_alarms_back_to_the_budget() -> None:
    rng = np.random.default_rng(2)
    fleet = [in_company(rng, per_hour=9.0, company=3, n_hours=LEARNED_HOURS + 672) for _ in range(16)]
    early, late = [counts[: 60 * (LEARNED_HOURS + 336)] for counts in fleet], fleet
    shipped = dispersion_by_window(empty_scatter(), WINDOW_MINUTES)
    scatters = [learn_scatter(empty_scatter(), counts.reshape(-1, 60)) for counts in early]
    own = [dispersion_by_window(one, WINDOW_MINUTES, fleet=pool_scatter(scatters)) for one in scatters]
    quiet = [judged(counts, spread, weeks=4) for counts, spread in zip(early, own, strict=True)]

    refreshed = refresh(
        default_calibration(),
        np.concatenate([one.peaks for one in quiet]),
        np.concatenate([one.rate_per_hour for one in quiet]),
        np.sum([one.minutes for one in quiet], axis=0),
    )

    as_shipped = alarms_a_month([judged(counts, shipped, weeks=2) for counts in late], None)
    with_both = alarms_a_month(
        [judged(counts, spread, weeks=2) for counts, spread in zip(late, own, strict=True)], refreshed
    )
    assert as_shipped > 5
    assert with_both < 2


def test_what_is_judged_was_not_learned_from() -> None:
    rng = np.random.default_rng(3)
    counts = in_company(rng, per_hour=8.0, company=1, n_hours=LEARNED_HOURS + 24)
    counts[-2 * 60 :] *= 6

    hourly = counts.reshape(-1, 60).sum(axis=1)
    found = judge_quiet(hourly, counts[-60 * 25 :], np.ones(18), first_epoch_hour=MONDAY)

    assert found.peaks.max() > LEAST_SCORE + 3
    assert found.rate_per_hour[0] == pytest.approx(8.0, rel=0.25)


def test_hours_of_an_outage_and_the_one_after_are_left_out() -> None:
    rng = np.random.default_rng(4)
    counts = in_company(rng, per_hour=8.0, company=1, n_hours=LEARNED_HOURS + 168)
    counts[-600:-540] += 3
    marks = np.zeros(LEARNED_HOURS + 168, dtype=bool)
    marks[-10] = True

    with_it = judged(counts, np.ones(18), weeks=1)
    without = judged(counts, np.ones(18), weeks=1, disturbed=marks, frozen=marks)

    assert with_it.peaks.max() > 20
    assert without.peaks.max(initial=0.0) < 15
    assert with_it.minutes.sum() - without.minutes.sum() == 120


def test_peaks_within_an_hour_are_one() -> None:
    counts = np.zeros(60 * (LEARNED_HOURS + 24), dtype=np.int64)
    counts[::60] = 1
    for at in (-700, -690, -300):
        counts[at : at + 5] += 4

    found = judge_quiet(counts.reshape(-1, 60).sum(axis=1), counts[-60 * 25 :], np.ones(18), first_epoch_hour=MONDAY)

    assert found.peaks.size == 2


@pytest.mark.parametrize(("n_hours", "n_minutes"), [(100, 60), (100, 150), (30, 60 * 8), (26, 60 * 27)])
def test_hours_and_minutes_have_to_fit(n_hours: int, n_minutes: int) -> None:
    with pytest.raises(ValueError, match="can't be judged"):
        judge_quiet(np.zeros(n_hours), np.zeros(n_minutes), np.ones(18), first_epoch_hour=0)


def test_marks_are_one_an_hour() -> None:
    with pytest.raises(ValueError, match="mark"):
        judge_quiet(np.zeros(100), np.zeros(120), np.ones(18), first_epoch_hour=0, frozen=np.zeros(3))
