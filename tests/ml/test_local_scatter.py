"""Regions may scatter each by itself or all together; which of both, and how much, is learned and shrunk."""

from __future__ import annotations

import numpy as np
import pytest

from ml.local_scatter import DEFAULT_EXPONENT, Local, empty_local, learn_local, region_dispersion
from ml.scatter import SCATTER_MINUTES, Scatter, dispersion_by_window, empty_scatter, learn_scatter

SHARES = np.array([0.5, 0.3, 0.2])
LEAVES = [True, True, True]
RATE = 1.0  # reports a minute, of the whole service


def in_company(
    rng: np.random.Generator, mean: np.ndarray | float, dispersion: float, shape: tuple[int, ...]
) -> np.ndarray:
    """Counts of that dispersion in each minute, and so in each window."""
    return rng.poisson(rng.gamma(np.broadcast_to(mean, shape) / (dispersion - 1), dispersion - 1))


def concluded(counts: np.ndarray, shares: np.ndarray = SHARES, leaves: list[bool] = LEAVES) -> Local:
    """What follows from hours of the regions, (k, n_hours, 60), that are the whole service."""
    whole = learn_scatter(empty_scatter(), counts[np.array(leaves)].sum(axis=0))
    usual = np.broadcast_to(60 * RATE * shares[:, None], counts.shape[:2])
    known = learn_local(empty_local(len(counts)), counts, usual)
    dispersion = dispersion_by_window(whole, SCATTER_MINUTES)
    return region_dispersion(known, shares, leaves, dispersion, windows=SCATTER_MINUTES)


def test_regions_that_scatter_by_themselves_have_all_of_it() -> None:
    rng = np.random.default_rng(1)

    found = concluded(in_company(rng, RATE * SHARES[:, None, None], 1.5, (3, 1500, 60)))

    assert found.exponent < 0.1
    assert found.dispersion == pytest.approx(1.5, abs=0.1)


def test_regions_that_scatter_together_have_their_part_of_it() -> None:
    rng = np.random.default_rng(1)
    common = rng.gamma(RATE / 0.5, 0.5, (1500, 60))

    found = concluded(rng.poisson(SHARES[:, None, None] * common))

    assert found.exponent > 0.9
    assert found.dispersion[:, 0] == pytest.approx(1 + 0.5 * SHARES, abs=0.05)


def test_unheard_regions_have_the_root_of_their_part() -> None:
    found = region_dispersion(empty_local(3), SHARES, LEAVES, np.full(3, 1.5), windows=SCATTER_MINUTES)

    assert found.exponent == DEFAULT_EXPONENT
    assert found.dispersion[:, 0] == pytest.approx(1 + 0.5 * np.sqrt(SHARES))


def test_few_reports_say_little_of_how_local_it_is() -> None:
    six = Scatter(squares=np.full((3, 3), 3.0), expected=np.full((3, 3), 2.0))

    found = region_dispersion(six, SHARES, LEAVES, np.full(3, 1.5), windows=SCATTER_MINUTES)

    assert found.exponent == pytest.approx(DEFAULT_EXPONENT, abs=0.1)


def test_a_region_whose_reports_come_twice_is_known_for_it_and_the_others_are_not() -> None:
    rng = np.random.default_rng(1)
    counts = rng.poisson(RATE * SHARES[:, None, None], (3, 1500, 60))
    counts[2] = 2 * rng.poisson(RATE * SHARES[2] / 2, (1500, 60))

    found = concluded(counts)

    assert found.dispersion[2, :2] == pytest.approx(2.0, abs=0.1)
    assert found.dispersion[:2, :2] == pytest.approx(1.0, abs=0.07)


def test_a_region_that_holds_others_is_not_counted_twice() -> None:
    rng = np.random.default_rng(1)
    counts = in_company(rng, RATE * SHARES[:, None, None], 1.5, (3, 400, 60))
    country = counts[:2].sum(axis=0, keepdims=True)

    apart = concluded(counts)
    nested = concluded(np.concatenate([counts, country]), np.append(SHARES, 0.8), [*LEAVES, False])

    assert nested.exponent == apart.exponent
    assert nested.dispersion[3] == pytest.approx(1.5, abs=0.15)


def test_a_region_that_becomes_known_later_begins_as_its_service_shows() -> None:
    rng = np.random.default_rng(1)
    counts = in_company(rng, RATE * SHARES[:, None, None], 1.5, (3, 1500, 60))
    counts[2] = 0

    found = concluded(counts)

    assert found.exponent < 0.1
    assert found.dispersion[2] == pytest.approx(1.5, abs=0.1)


def test_one_odd_hour_makes_no_region_deaf() -> None:
    quiet = np.random.default_rng(1).poisson(0.01, (1, 504, 60))
    odd = np.zeros((1, 1, 60))
    odd[0, 0, 30] = 600

    known = learn_local(empty_local(1), quiet, np.full((1, 504), 0.6))
    after = learn_local(known, odd, np.full((1, 1), 0.6))

    before, later = (
        region_dispersion(one, [0.01], [True], np.full(3, 1.2), windows=SCATTER_MINUTES).dispersion
        for one in (known, after)
    )
    assert (later - before).max() < 0.25  # and not 7, were the hour believed


def test_a_few_busy_hours_are_few_numbers() -> None:
    counts = np.random.default_rng(1).poisson(50, (1, 1, 60))

    known = learn_local(empty_local(1), counts, np.full((1, 1), 3000.0))

    assert known.expected[0].tolist() == sorted(known.expected[0], reverse=True)
    assert known.expected[0, 2] < 2  # a hundredth of what 3000 reports of a quiet region would weigh


def test_a_dispersion_is_never_below_one() -> None:
    even = Scatter(squares=np.zeros((1, 3)), expected=np.full((1, 3), 1e4))

    found = region_dispersion(even, [0.5], [True], np.ones(3), windows=SCATTER_MINUTES)

    assert found.exponent == DEFAULT_EXPONENT
    assert found.dispersion.tolist() == [[1.0, 1.0, 1.0]]


def test_a_service_without_regions_has_none() -> None:
    found = region_dispersion(empty_local(0), [], [], np.full(3, 1.5), windows=SCATTER_MINUTES)

    assert found.dispersion.shape == (0, 3)


def test_learning_twice_is_learning_at_once() -> None:
    counts = np.random.default_rng(1).poisson(0.5, (2, 48, 60))
    usual = np.full((2, 48), 30.0)

    at_once = learn_local(empty_local(2), counts, usual)
    twice = learn_local(learn_local(empty_local(2), counts[:, :24], usual[:, :24]), counts[:, 24:], usual[:, 24:])

    assert twice.squares == pytest.approx(at_once.squares)
    assert twice.expected == pytest.approx(at_once.expected)


@pytest.mark.parametrize(
    ("counts", "usual"),
    [
        (np.zeros((1, 2, 59)), np.zeros((1, 2))),
        (np.zeros((2, 60)), np.zeros((1, 2))),
        (np.zeros((1, 2, 60)), np.zeros((2, 2))),
        (np.full((1, 1, 60), -1.0), np.zeros((1, 1))),
    ],
)
def test_only_whole_hours_are_taken(counts: np.ndarray, usual: np.ndarray) -> None:
    with pytest.raises(ValueError, match="minute_counts"):
        learn_local(empty_local(len(counts)), counts, usual)


def test_a_region_that_is_its_service_scatters_as_its_service_does() -> None:
    odd = Scatter(squares=np.full((1, 3), 900.0), expected=np.full((1, 3), 300.0))

    found = region_dispersion(odd, [1.0], [True], np.full(3, 1.5), windows=SCATTER_MINUTES)

    assert found.dispersion == pytest.approx(1.5)
