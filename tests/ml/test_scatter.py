"""Reports that come in company scatter more than Poisson; a rate that wanders from hour to hour is not that."""

from __future__ import annotations

import numpy as np
import pytest

from ml.scatter import Scatter, dispersion_by_window, empty_scatter, learn_scatter, pool_scatter


def learned(counts: np.ndarray) -> Scatter:
    return learn_scatter(empty_scatter(), counts)


def test_poisson_reports_have_a_dispersion_of_one() -> None:
    counts = np.random.default_rng(1).poisson(0.5, (2000, 60))

    assert dispersion_by_window(learned(counts), (1, 5, 15, 60)) == pytest.approx(1.0, abs=0.04)


def test_a_rate_that_changes_with_the_hour_is_no_scatter() -> None:
    rng = np.random.default_rng(1)
    counts = rng.poisson(rng.gamma(2.0, 0.5, (2000, 1)), (2000, 60))

    assert dispersion_by_window(learned(counts), (1, 15)) == pytest.approx(1.0, abs=0.05)


def test_reports_in_pairs_have_twice_the_variance() -> None:
    counts = 2 * np.random.default_rng(1).poisson(0.3, (2000, 60))

    assert dispersion_by_window(learned(counts), (1, 5, 15)) == pytest.approx(2.0, abs=0.12)


def test_windows_between_lie_between_and_long_ones_are_as_a_quarter_of_an_hour() -> None:
    one = Scatter(squares=np.array([1e6, 2e6, 3e6]), expected=np.full(3, 1e6))

    found = dispersion_by_window(one, (1, 2, 5, 8, 15, 240)).round(2).tolist()

    assert found == [1.0, 1.43, 2.0, 2.43, 3.0, 3.0]


def test_little_history_takes_after_the_fleet() -> None:
    fleet = Scatter(squares=np.full(3, 2e6), expected=np.full(3, 1e6))

    assert dispersion_by_window(empty_scatter(), (1, 5), fleet=fleet) == pytest.approx(2.0, rel=0.01)


def test_one_flood_is_capped() -> None:
    flooded = np.ones((200, 60))
    flooded[-1] = 0
    flooded[-1, 30] = 6000

    assert learned(flooded).squares[0] <= 12 * 6000 * 59 / 60


def test_learning_twice_is_learning_at_once() -> None:
    counts = np.random.default_rng(1).poisson(0.5, (48, 60))

    at_once, twice = learned(counts), learn_scatter(learned(counts[:24]), counts[24:])

    assert twice.squares == pytest.approx(at_once.squares)
    assert twice.expected == pytest.approx(at_once.expected)


def test_pooling_adds_up() -> None:
    one = Scatter(squares=np.ones(3), expected=np.full(3, 2.0))

    assert pool_scatter([one, one]).expected.tolist() == [4.0, 4.0, 4.0]


@pytest.mark.parametrize("counts", [np.zeros((2, 59)), np.zeros(60), np.full((1, 60), -1.0)])
def test_only_whole_hours_are_taken(counts: np.ndarray) -> None:
    with pytest.raises(ValueError, match="minute_counts"):
        learned(counts)
