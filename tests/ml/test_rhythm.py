"""A region's hours of the day: told apart from its service's where they differ, left alone where chance explains it."""

from __future__ import annotations

import numpy as np
import pytest

from ml.baseline import Levels, shares
from ml.rhythm import Day, Rhythms, day_of, empty_rhythms, learn_rhythms, shares_at

HOUR = np.arange(24)
DAY_IN_EUROPE = 1.0 + 0.8 * np.sin((HOUR - 8) / 24 * 2 * np.pi)
DAY_IN_JAPAN = np.roll(DAY_IN_EUROPE, -8)


def streams(n_days: int, per_hour: float, *days: np.ndarray, seed: int = 0) -> np.ndarray:
    """Poisson counts by hour, shape (1 + n_regions, 24 n_days): the service, then its regions."""
    rng = np.random.default_rng(seed)
    regions = np.array([rng.poisson(np.tile(day * per_hour, n_days)) for day in days], dtype=np.float64)
    return np.concatenate([regions.sum(axis=0, keepdims=True), regions])


def share_of(counts: np.ndarray) -> np.ndarray:
    return np.asarray(counts.sum(axis=1) / counts[0].sum())


def learnt(counts: np.ndarray, usual: np.ndarray, share: np.ndarray) -> Rhythms:
    hours = np.arange(counts.shape[1])
    return learn_rhythms(empty_rhythms(len(counts)), counts, usual, hours, share=share, dispersion=1.5)


def factors(counts: np.ndarray, usual: np.ndarray, share: np.ndarray | None = None) -> np.ndarray:
    part = share_of(counts) if share is None else share
    return day_of(learnt(counts, usual, part), part, np.arange(len(counts)) == 0).factor


def test_regions_of_one_clock_have_their_share_all_day() -> None:
    counts = streams(28, 3.0, DAY_IN_EUROPE, DAY_IN_EUROPE)

    found = factors(counts, np.tile(6.0 * DAY_IN_EUROPE, 28))

    assert np.abs(found - 1.0).max() < 0.06


def test_regions_of_two_clocks_are_told_apart_within_two_weeks() -> None:
    both = DAY_IN_EUROPE + DAY_IN_JAPAN
    counts = streams(14, 6.0, DAY_IN_EUROPE, DAY_IN_JAPAN)

    found = factors(counts, np.tile(6.0 * both, 14))

    assert found[1] == pytest.approx(2.0 * DAY_IN_EUROPE / both, abs=0.25)
    assert found[2] == pytest.approx(2.0 * DAY_IN_JAPAN / both, abs=0.25)
    assert (found[0] == 1.0).all()


def test_a_region_of_few_reports_is_not_read_into() -> None:
    counts = streams(14, 3.0, DAY_IN_EUROPE, 0.01 * DAY_IN_EUROPE)

    found = factors(counts, np.tile(3.03 * DAY_IN_EUROPE, 14))

    assert np.abs(found[2] - 1.0).max() < 0.1


def test_an_outage_of_some_hours_moves_its_hours_by_hundredths() -> None:
    usual = np.tile(12.0 * DAY_IN_EUROPE, 28)
    counts = streams(28, 6.0, DAY_IN_EUROPE, DAY_IN_EUROPE)
    struck = counts.copy()
    struck[:2, 20 * 24 + 9 : 20 * 24 + 12] += 5_000.0

    # The share itself is learnt elsewhere, and bounded alike.
    moved = factors(struck, usual, share_of(counts)) - factors(counts, usual)

    assert np.abs(moved).max() < 0.1


def test_days_learnt_one_by_one_are_the_days_learnt_at_once() -> None:
    counts, usual = streams(6, 6.0, DAY_IN_EUROPE, DAY_IN_JAPAN), np.tile(6.0 * (DAY_IN_EUROPE + DAY_IN_JAPAN), 6)
    share = share_of(counts)
    at_once = learnt(counts, usual, share)

    one_by_one = empty_rhythms(3)
    for start in range(0, 144, 24):
        day = slice(start, start + 24)
        hours = np.arange(start, start + 24)
        one_by_one = learn_rhythms(one_by_one, counts[:, day], usual[day], hours, share=share, dispersion=1.5)

    assert one_by_one.n == pytest.approx(at_once.n)
    assert one_by_one.e == pytest.approx(at_once.e)


def test_what_is_given_is_left_untouched() -> None:
    before, counts = empty_rhythms(2, expected=3.0), np.ones((2, 24))

    learn_rhythms(before, counts, np.ones(24), HOUR, share=[1.0, 0.5], dispersion=1.5)

    assert (before.n == 0.0).all()
    assert (before.e == 3.0).all()
    assert (counts == 1.0).all()


def test_a_share_lies_between_those_of_two_hours_and_the_day_is_round() -> None:
    levels = Levels(n=np.array([40.0]), e=np.array([100.0]))
    day = Day(np.where(HOUR == 23, 3.0, 1.0)[None, :], np.full((1, 24), np.inf))
    whole = shares(levels).share[0]

    found = [float(shares_at(levels, day, hour).share[0]) for hour in (12.0, 23.5, 0.0)]

    assert found == pytest.approx([whole, 3.0 * whole, 2.0 * whole])


def test_what_is_little_known_of_an_hour_is_little_known_of_the_share() -> None:
    levels = Levels(n=np.array([1_000.0]), e=np.array([2_000.0]))

    found = shares_at(levels, Day(np.ones((1, 24)), np.full((1, 24), 4.0)), 12.5)

    assert 3.9 < float(found.strength[0]) < 4.0
