"""What is usual is learned from little, forgets, and is not spoiled by floods."""

from __future__ import annotations

import numpy as np
import pytest

from ml.baseline import (
    HALF_LIFE_HOURS,
    N_SLOTS,
    Levels,
    empty_levels,
    empty_profile,
    expected_per_hour,
    hour_slot,
    learn_levels,
    learn_profile,
    local_slots,
    shares,
    slot_strength,
)

MONDAY = 4 * 24  # hours since 1970 of Monday, 5 January 1970


def test_a_week_begins_on_monday() -> None:
    slots = hour_slot(MONDAY + np.arange(N_SLOTS + 1))

    assert slots.tolist() == [*range(N_SLOTS), 0]


def test_hours_before_1970_have_a_slot() -> None:
    assert hour_slot(-73).tolist() == N_SLOTS - 1


def test_an_unknown_service_is_expected_to_have_something() -> None:
    rates = expected_per_hour(empty_profile())

    assert rates.shape == (N_SLOTS,)
    assert (rates > 0).all()


def test_a_daily_rhythm_is_learned_in_two_weeks() -> None:
    day = np.r_[np.zeros(8), np.full(16, 12.0)]

    rates = expected_per_hour(learn_profile(empty_profile(), np.tile(day, 14), MONDAY)).reshape(7, 24)

    assert rates[:, :8].max() < 1.5
    assert 10.0 < rates[:, 8:].min() < rates[:, 8:].max() < 13.0


def test_a_weekday_never_seen_takes_after_the_others() -> None:
    day = np.r_[np.zeros(12), np.full(12, 12.0)]

    rates = expected_per_hour(learn_profile(empty_profile(), np.tile(day, 4), MONDAY)).reshape(7, 24)

    assert rates[4, 18] > 4 * rates[4, 6]


def test_learning_hour_by_hour_ends_near_learning_at_once() -> None:
    counts = np.random.default_rng(1).poisson(6.0, 24 * 21)

    at_once = learn_profile(empty_profile(), counts, MONDAY)
    stepwise = empty_profile()
    for i, count in enumerate(counts):
        stepwise = learn_profile(stepwise, [count], MONDAY + i)

    assert expected_per_hour(stepwise) == pytest.approx(expected_per_hour(at_once), rel=0.05)


def test_learning_leaves_what_it_was_given_untouched() -> None:
    profile = learn_profile(empty_profile(), np.ones(200), MONDAY)
    before = profile.slot_counts.copy(), profile.slot_hours.copy()

    learn_profile(profile, np.full(50, 9.0), MONDAY + 200)

    assert (profile.slot_counts == before[0]).all()
    assert (profile.slot_hours == before[1]).all()


def test_half_of_what_was_learned_is_forgotten_in_four_weeks() -> None:
    profile = learn_profile(empty_profile(), np.full(24 * 14, 5.0), MONDAY)

    later = learn_profile(profile, np.zeros(int(HALF_LIFE_HOURS)), MONDAY + 24 * 14)

    assert later.slot_counts.sum() == pytest.approx(profile.slot_counts.sum() / 2)


def test_a_flood_that_nobody_froze_is_capped() -> None:
    counts = np.full(24 * 28, 4.0)
    flooded = counts.copy()
    flooded[-3:] = 5000.0

    usual = expected_per_hour(learn_profile(empty_profile(), counts, MONDAY))
    after = expected_per_hour(learn_profile(empty_profile(), flooded, MONDAY))

    assert after.max() < 1.5 * usual.max()


def test_a_frozen_flood_teaches_less_than_one_that_is_not() -> None:
    history = learn_profile(empty_profile(), np.full(24 * 28, 4.0), MONDAY)

    frozen = learn_profile(history, np.full(6, 40.0), MONDAY, np.ones(6, dtype=bool))
    capped = learn_profile(history, np.full(6, 40.0), MONDAY)

    usual = expected_per_hour(history).mean()
    assert expected_per_hour(frozen).mean() - usual < 0.4 * (expected_per_hour(capped).mean() - usual)


def test_a_busy_service_comes_to_its_level_though_it_alarms_from_its_first_minute() -> None:
    counts = np.full(24 * 10, 1200.0)

    profile = learn_profile(empty_profile(), counts, MONDAY, np.ones(counts.size, dtype=bool))

    assert expected_per_hour(profile).min() > 600.0


def test_five_silent_years_leave_a_small_rate() -> None:
    profile = learn_profile(empty_profile(), np.zeros(5 * 365 * 24), MONDAY)

    assert 0 < expected_per_hour(profile).max() < 0.01


def test_scattered_counts_raise_the_dispersion_and_even_ones_lower_it() -> None:
    rng = np.random.default_rng(1)
    wander = rng.gamma(2.0, 0.5, 24 * 56)

    scattered = learn_profile(empty_profile(), rng.poisson(10.0 * wander), MONDAY)
    even = learn_profile(empty_profile(), rng.poisson(10.0, wander.size), MONDAY)

    assert even.dispersion < 1.3
    assert scattered.dispersion > 2.0


def test_the_shape_is_known_better_after_learning() -> None:
    profile = learn_profile(empty_profile(), np.full(24 * 28, 5.0), MONDAY)

    assert (slot_strength(profile, spread=0.0) > 5 * slot_strength(empty_profile(), spread=0.0)).all()


def test_no_history_makes_the_coming_week_certain() -> None:
    profile = learn_profile(empty_profile(), np.full(24 * 7 * 20, 500.0), MONDAY)

    assert (slot_strength(profile) < 1 / 0.06).all()
    assert (slot_strength(profile) > 0.8 / 0.06).all()


def test_an_hour_counts_for_the_hour_it_is_like() -> None:
    holiday = np.full(24, 40.0)
    slots = local_slots(MONDAY + np.arange(24), is_holiday=np.ones(24, dtype=bool))

    rates = expected_per_hour(learn_profile(empty_profile(), holiday, MONDAY, slots=slots)).reshape(7, 24)

    assert (rates[6] > rates[0]).all()  # a Sunday's


def test_when_the_clock_changes_an_hour_is_left_out_or_comes_twice() -> None:
    spring = local_slots([0, 1, 2], offset_minutes=[60, 120, 120])
    autumn = local_slots([0, 1, 2], offset_minutes=[120, 60, 60])

    assert spring.tolist() == [73, 75, 76]
    assert autumn.tolist() == [74, 74, 75]


@pytest.mark.parametrize("slots", [[0], [0, 168], [-1, 0]])
def test_slots_must_be_hours_of_the_week(slots: list[int]) -> None:
    with pytest.raises(ValueError, match="slots must be"):
        learn_profile(empty_profile(), [1.0, 2.0], MONDAY, slots=slots)


def test_a_stream_learns_its_share() -> None:
    levels = learn_levels(empty_levels(2), np.array([[3.0] * 200, [0.0] * 200]), np.full(200, 12.0))

    found = shares(levels)

    assert found.share[0] == pytest.approx(0.25, rel=0.05)
    assert found.share[1] < 0.001
    assert found.strength[0] > 100 > found.strength[1]


def test_streams_are_frozen_each_for_itself() -> None:
    frozen = np.zeros((2, 48), dtype=bool)
    frozen[0] = True
    history = Levels(n=np.full(2, 100.0), e=np.full(2, 100.0))

    levels = learn_levels(history, np.full((2, 48), 3.0), np.ones(48), frozen)

    assert levels.n[0] < levels.n[1]
    assert levels.e[0] < levels.e[1]


def test_a_region_first_heard_of_late_was_silent_until_then() -> None:
    late = shares(empty_levels(1, expected=400.0))
    unknown = shares(empty_levels(1))

    assert late.share[0] < 0.01 < unknown.share[0]


@pytest.mark.parametrize("counts", [[-1.0], [np.nan], [np.inf], [[1.0]]])
def test_impossible_counts_are_refused(counts: list[float]) -> None:
    with pytest.raises(ValueError, match="counts must"):
        learn_profile(empty_profile(), counts, MONDAY)


def test_a_mask_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="frozen must be of shape"):
        learn_profile(empty_profile(), [1.0, 2.0], MONDAY, [True])


def test_counts_must_fit_the_levels() -> None:
    with pytest.raises(ValueError, match="counts must be of shape"):
        learn_levels(empty_levels(2), np.ones((3, 4)), np.ones(4))


def test_a_prior_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        shares(empty_levels(1), prior_shape=0.0)
