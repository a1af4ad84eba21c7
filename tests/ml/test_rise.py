"""One number says how much better a rise explains the reports than chance does: a return period in minutes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ml.rise import (
    RISE_WINDOWS,
    least_counts,
    log_rise,
    may_rise,
    sizes,
    start_weights,
    steepness_grid,
    windows_within,
)

HOUR = np.array(windows_within(60))


def one(observed: list[float], expected: list[float], *, dispersion: float = 1.0, strength: float = np.inf) -> float:
    """The statistic itself, of one stream in the first windows."""
    return float(np.exp(log_rise([observed], [expected], dispersion, [strength])[0]))


def test_it_is_the_mean_ratio_of_two_negative_binomials() -> None:
    size, mean, n = 1 / (0.5 / 2.0 + 1 / 8.0), 2.0, 7
    grid = steepness_grid([2.0])[0]

    by_hand = np.mean(
        [
            stats.nbinom.pmf(n, size, size / (size + q * mean)) / stats.nbinom.pmf(n, size, size / (size + mean))
            for q in grid
        ]
    )

    assert one([n], [mean], dispersion=1.5, strength=8.0) == pytest.approx(by_hand)


def test_without_scatter_and_doubt_it_is_the_mean_ratio_of_two_poissons() -> None:
    grid = steepness_grid([0.5])[0]
    by_hand = np.mean([stats.poisson.pmf(4, q * 0.5) / stats.poisson.pmf(4, 0.5) for q in grid])

    assert one([4], [0.5]) == pytest.approx(by_hand, rel=1e-6)


def test_every_starting_minute_counts_once() -> None:
    assert start_weights(RISE_WINDOWS).sum() == 240
    assert start_weights(windows_within(60)).sum() == 60
    assert start_weights(RISE_WINDOWS)[:10].tolist() == [1, 1, 1, 1, 1, 1, 1, 2, 2, 2]


def test_where_nothing_is_expected_or_seen_every_start_counts_as_one() -> None:
    silent = np.zeros((1, HOUR.size))

    assert np.exp(log_rise(silent, silent, 1.0, [np.inf]))[0] == pytest.approx(60.0, rel=1e-6)


def test_its_mean_over_all_that_chance_may_bring_is_the_number_of_starts() -> None:
    counts = np.arange(300.0)[:, None]
    chance = stats.nbinom.pmf(counts[:, 0], 4.0, 4.0 / (4.0 + 0.5))  # size 1 / (0 / 0.5 + 1 / 4)

    value = np.exp(log_rise(counts, np.full(counts.shape, 0.5), 1.0, np.full(300, 4.0)))

    assert value @ chance == pytest.approx(1.0, rel=1e-6)


@given(st.integers(0, 200), st.floats(0.01, 50.0), st.floats(1.0, 3.0), st.floats(0.5, 1e6))
def test_more_reports_are_never_less_of_a_rise(n: int, expected: float, dispersion: float, strength: float) -> None:
    fewer, more = (one([n + k], [expected], dispersion=dispersion, strength=strength) for k in (0, 1))

    assert more >= fewer


def test_doubt_about_the_level_makes_it_deaf_to_what_the_doubt_explains() -> None:
    known, doubted = (one([150.0], [100.0], strength=strength) for strength in (1e6, 16.0))

    assert known > 1_000
    assert doubted < 3


def test_the_quieter_a_stream_the_further_it_may_rise() -> None:
    quiet, busy = steepness_grid([0.001, 10.0])

    assert (quiet[0], busy[0]) == (1.5, 1.5)
    assert quiet[-1] == pytest.approx(3000)
    assert busy[-1] == pytest.approx(20)


def test_streams_are_judged_each_for_itself_however_many_there_are() -> None:
    rng = np.random.default_rng(2)
    usual = np.exp(rng.uniform(-6, 1, 5000))[:, None] * HOUR
    seen = np.sort(rng.poisson(usual), axis=1)

    together = log_rise(seen, usual, 1.2, np.full(5000, 16.0))

    assert together[4321] == pytest.approx(log_rise(seen[4321:4322], usual[4321:4322], 1.2, [16.0])[0])


def test_a_flood_is_a_number() -> None:
    assert np.isfinite(log_rise(np.full((1, 18), 1e6), np.full((1, 18), 1e-6), 1.0, [np.inf])).all()


@pytest.mark.parametrize(
    ("observed", "expected", "dispersion", "strength", "complaint"),
    [
        ([[1.0]], [[1.0, 2.0]], 1.0, [1.0], "one shape"),
        ([[1.0]], [[-1.0]], 1.0, [1.0], "not negative"),
        ([[1.0]], [[np.nan]], 1.0, [1.0], "finite"),
        ([[1.0]], [[1.0]], 0.9, [1.0], "at least 1"),
        ([[1.0]], [[1.0]], 1.0, [0.0], "above 0"),
    ],
)
def test_impossible_input_is_refused(
    observed: object, expected: object, dispersion: float, strength: object, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        log_rise(observed, expected, dispersion, strength)  # type: ignore[arg-type]


def test_below_the_least_counts_no_stream_is_missed() -> None:
    rng = np.random.default_rng(3)
    usual = np.exp(rng.uniform(-7, 1.5, 20_000))[:, None] * HOUR
    seen = np.cumsum(rng.poisson(usual[:, :1] * rng.choice([1, 4], (20_000, 1)), (20_000, 60)), axis=1)[:, HOUR - 1]
    value = log_rise(seen, usual, 1.2, np.full(20_000, 16.0))

    least = least_counts(usual, sizes(usual, 1.2, 16.0), log_level=7.0 - np.log(60))
    passed = may_rise(seen.T, least.T)

    assert passed[value > 7.0].all()
    assert (value > 7.0).sum() > 50
    assert passed.mean() < 0.5


def test_the_least_count_is_where_the_best_ratio_reaches_the_level() -> None:
    mean, size, level = 3.0, 12.0, 5.0
    x = float(least_counts(mean, size, log_level=level)) / 0.99

    ratio = x * np.log(x / mean) - (x + size) * np.log((size + x) / (size + mean))

    assert ratio == pytest.approx(level, rel=1e-3)
