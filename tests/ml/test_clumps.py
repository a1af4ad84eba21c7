"""A clump of reports within hours is rare where they are rare, and its rate bounds what chance begins."""

from __future__ import annotations

import numpy as np
import pytest

from ml.clumps import CLUMP_HOURS, clump_rate

USUAL_A_DAY = 0.5
EXPECTED = USUAL_A_DAY * np.array([CLUMP_HOURS]) / 24


def test_it_bounds_the_rate_of_clumps_in_years_of_chance() -> None:
    rng = np.random.default_rng(7)
    years, window, least = 400, CLUMP_HOURS[-1] * 60.0, 3
    minutes = years * 525_600.0
    at = np.sort(rng.uniform(0.0, minutes, rng.poisson(USUAL_A_DAY / 1440 * minutes)))

    clumps = np.count_nonzero(at[least - 1 :] - at[: -(least - 1)] < window)

    counts = [[0, 0, least]]
    bound = clump_rate(counts, EXPECTED, 1.0, 1e9)[0, -1] / len(CLUMP_HOURS)
    assert 0.8 * bound < clumps / minutes < 1.1 * bound


def test_more_reports_are_rarer_and_more_usual_ones_are_not() -> None:
    rate = clump_rate([[2, 2, 2], [4, 4, 4]], EXPECTED, 1.0, 100.0)
    busy = clump_rate([[4, 4, 4]], 20 * EXPECTED, 1.0, 100.0)

    assert (rate[1] < rate[0]).all()
    assert (busy[0] > rate[1]).all()


@pytest.mark.parametrize("n", [0, 1])
def test_one_report_is_no_clump(n: int) -> None:
    assert clump_rate([[n, n, n]], EXPECTED, 1.0, 100.0).tolist() == [[1.0, 1.0, 1.0]]


def test_a_dispersion_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="dispersion"):
        clump_rate([[4, 4, 4]], EXPECTED, 0.5, 100.0)
