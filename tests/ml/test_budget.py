"""A budget of false alarms is one figure; a level of evidence spends so much of it, whatever the stream's rate."""

from __future__ import annotations

import numpy as np
import pytest

from ml.budget import (
    DEFAULT_OFFSETS,
    STRATUM_EDGES,
    allowed_rarity,
    default_calibration,
    highest_kept,
    rarity,
    refresh,
    stratum,
)


def test_once_a_month_is_once_in_43200_minutes() -> None:
    assert 1 / allowed_rarity(1.0) == 43_200


def test_more_evidence_is_never_less_rare() -> None:
    levels = np.linspace(-5, 800, 200)

    found = rarity(levels, np.full(levels.size, 5.0))

    assert (np.diff(found) <= 0).all()
    assert found[0] == 1.0
    assert found[-1] > 0


def test_every_stratum_has_its_offset() -> None:
    rates = [0.5, 1.0, 3.0, 10.0, 40.0, 130.0]

    assert stratum(rates).tolist() == [0, 1, 2, 3, 4, 5]
    assert len(DEFAULT_OFFSETS) == len(STRATUM_EDGES) + 1
    assert -np.log(rarity(np.zeros(6), rates)) == pytest.approx(DEFAULT_OFFSETS)


def quiet(offset: float, n: int = 200, minutes: float = 1e6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Peaks that come exactly as seldom as a true offset says, all in the third stratum."""
    peaks = np.log(minutes / np.arange(1, n + 1)) - offset
    return peaks, np.full(n, 5.0), np.full(6, minutes)


@pytest.mark.parametrize("truth", [0.5, 2.0, 4.0])
def test_a_refresh_goes_towards_the_installations_own_peaks(truth: float) -> None:
    before = default_calibration().offsets[2]

    after = refresh(default_calibration(), *quiet(truth)).offsets[2]

    assert after == pytest.approx(before + (truth - before) * 30 / 50)  # thirty peaks against the table's twenty


def test_who_was_watched_for_longer_trusts_their_own_peaks_more() -> None:
    truth, month = DEFAULT_OFFSETS[2] + 0.5, 30 * 24 * 60.0
    given = [quiet(truth, n=400, minutes=n_months * month) for n_months in (30, 120)]

    left = [truth - refresh(default_calibration(), *one).offsets[2] for one in given]

    assert left == pytest.approx([0.5 * 20 / 50, 0.5 * 20 / 140])


def test_a_refresh_leaves_what_it_knows_nothing_of() -> None:
    before = default_calibration()

    after = refresh(before, *quiet(0.5))

    assert np.delete(after.offsets, 2).tolist() == np.delete(before.offsets, 2).tolist()
    assert before.offsets.tolist() == list(DEFAULT_OFFSETS)
    assert refresh(before, [], [], np.zeros(6)).offsets.tolist() == before.offsets.tolist()


def test_a_refresh_needs_a_rate_for_each_peak() -> None:
    with pytest.raises(ValueError, match="one rate a peak"):
        refresh(default_calibration(), [1.0, 2.0], [1.0], np.ones(6))


def test_the_more_are_watched_the_more_is_asked_of_one() -> None:
    assert highest_kept([1e-5], n_watched=1) > 1e-5 > highest_kept([1e-5], n_watched=10_000)


def test_where_many_rise_at_once_less_is_asked_of_each() -> None:
    alone = highest_kept([1e-5], n_watched=1000)
    many = highest_kept([1e-5] * 500, n_watched=1000)

    assert alone < 1e-5 < many
    assert many == pytest.approx(500 * alone)


def test_one_that_is_clear_does_not_let_another_through() -> None:
    assert highest_kept([1e-9, 1e-4], n_watched=1000) < 1e-4


def test_of_services_raised_by_chance_few_are_let_through() -> None:
    rng = np.random.default_rng(1)
    looks = [rng.random(1000) for _ in range(200)]

    n_raised = [(look <= highest_kept(look, n_watched=1000, minutes_looked_at=1.0)).sum() for look in looks]

    assert np.mean([n > 0 for n in n_raised]) <= 0.15


def test_where_nothing_is_looked_at_the_bound_is_that_of_the_first() -> None:
    assert highest_kept([], n_watched=10) == highest_kept([1.0] * 10, n_watched=10)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5])
def test_a_share_lies_between_none_and_all(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        highest_kept([0.5], n_watched=1, share=share)


def test_no_more_are_looked_at_than_watched() -> None:
    with pytest.raises(ValueError, match="watched"):
        highest_kept([0.5, 0.5], n_watched=1)
