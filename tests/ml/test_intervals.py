"""Intervals of few observations: against numbers worked out by hand, and none where nothing can be said."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ml.intervals import mean_interval, poisson_rate_interval, quantile_interval, wilson_interval

Z = 1.959964  # of 95 %


@pytest.mark.parametrize("n", [1, 5, 100])
def test_without_a_hit_the_upper_end_of_a_proportion_is_z2_over_n_plus_z2(n: int) -> None:
    low, high = wilson_interval(0, n)

    assert low == 0.0
    assert high == pytest.approx(Z**2 / (n + Z**2), rel=1e-5)


def test_hits_and_misses_mirror_each_other() -> None:
    low, high = wilson_interval(3, 10)

    assert wilson_interval(7, 10) == pytest.approx((1 - high, 1 - low))  # type: ignore[operator]
    assert wilson_interval(10, 10)[1] == 1.0


def test_a_proportion_of_nothing_has_no_interval() -> None:
    assert wilson_interval(0, 0) == (None, None)


@pytest.mark.parametrize(("n_hits", "n"), [(-1, 3), (4, 3)])
def test_more_hits_than_trials_are_refused(n_hits: int, n: int) -> None:
    with pytest.raises(ValueError, match="n_hits"):
        wilson_interval(n_hits, n)


def test_the_ends_of_a_rate_are_those_of_the_poisson_distribution() -> None:
    assert poisson_rate_interval(0, 2.0) == (0.0, pytest.approx(-math.log(0.025) / 2))
    low, high = poisson_rate_interval(1, 1.0)
    assert low == pytest.approx(-math.log(0.975))
    assert math.exp(-high) * (1 + high) == pytest.approx(0.025)  # type: ignore[operator]  # P(at most one)


def test_a_rate_over_no_time_has_no_interval() -> None:
    assert poisson_rate_interval(3, 0.0) == (None, None)


@pytest.mark.parametrize(("n", "exposure"), [(-1, 1.0), (1, -1.0)])
def test_a_rate_of_negative_numbers_is_refused(n: int, exposure: float) -> None:
    with pytest.raises(ValueError, match="negative"):
        poisson_rate_interval(n, exposure)


# The ranks tables of the sign test give for the median: 6 values 1-6, 10 values 2-9, 25 values 8-18.
@pytest.mark.parametrize(("n", "ranks"), [(5, (None, None)), (6, (1, 6)), (10, (2, 9)), (25, (8, 18))])
def test_the_interval_of_a_median_is_that_of_the_sign_test(n: int, ranks: tuple[int | None, int | None]) -> None:
    assert quantile_interval([float(i) for i in range(n, 0, -1)], 0.5) == ranks


@pytest.mark.parametrize(("n", "has_upper"), [(35, False), (36, True)])
def test_a_high_percentile_needs_many_values_for_its_upper_end(n: int, has_upper: bool) -> None:
    # All n values lie below it with probability 0.9 ** n, which must not exceed 2.5 %.
    assert (0.9**n <= 0.025) is has_upper

    low, high = quantile_interval(range(n), 0.9)

    assert low is not None
    assert (high is not None) is has_upper


@pytest.mark.parametrize("quantile", [0.0, 1.0, 1.5])
def test_what_is_no_quantile_is_refused(quantile: float) -> None:
    with pytest.raises(ValueError, match="quantile"):
        quantile_interval([1.0], quantile)


def test_no_values_have_no_quantile() -> None:
    assert quantile_interval([], 0.5) == (None, None)


def test_the_bootstrap_of_a_mean_lies_around_it_and_is_the_same_for_the_same_seed() -> None:
    values = [0.0, 1.0] * 50

    low, high = mean_interval(values, rng=np.random.default_rng(7))

    assert (low, high) == mean_interval(values, rng=np.random.default_rng(7))
    assert low == pytest.approx(0.5 - Z * 0.05, abs=0.012)  # 0.05: the standard error of the mean
    assert high == pytest.approx(0.5 + Z * 0.05, abs=0.012)


@pytest.mark.parametrize("values", [[], [3.0]])
def test_one_value_has_no_bootstrap(values: list[float]) -> None:
    assert mean_interval(values, rng=np.random.default_rng(0)) == (None, None)
