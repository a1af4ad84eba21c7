"""The test says how unlikely a count is; the phases turn that into one outage and not a flicker."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ml.baseline import empty_levels, empty_profile, expected_per_hour, joint_strength, shares, slot_strength
from ml.detect import (
    WINDOW_MINUTES,
    Phase,
    Thresholds,
    evidence,
    expected_by_minute,
    onset_minute,
    scan_p,
    step,
    stream_dispersion,
    tail_p,
    thresholds_for,
    window_dispersion,
    window_expected,
    window_sums,
)


def minutes(**at: int) -> np.ndarray:
    """An hour of counts, `m5=3` meaning 3 reports five minutes ago."""
    counts = np.zeros((1, 60))
    for name, n in at.items():
        counts[0, 59 - int(name.removeprefix("m"))] = n
    return counts


def new_service_p(counts: np.ndarray) -> float:
    share, level = shares(empty_levels(1))
    strength = joint_strength(level, slot_strength(empty_profile())[0])
    usual = share[:, None] * window_expected(expected_per_hour(empty_profile()), 1000)
    return evidence(counts, usual, empty_profile().dispersion, strength)[0].p_value


def test_windows_end_with_the_newest_minute() -> None:
    sums = window_sums(minutes(m0=1, m1=2, m4=4, m14=8, m29=16, m59=32), windows=(1, 2, 5, 15, 30, 60))

    assert sums.tolist() == [[1, 3, 7, 15, 31, 63]]


def test_only_the_newest_hour_counts() -> None:
    counts = np.concatenate([np.full((1, 30), 9.0), minutes(m0=1)], axis=1)

    assert window_sums(counts)[0, -1] == 1


def test_less_than_an_hour_is_refused() -> None:
    with pytest.raises(ValueError, match="minute_counts must be of shape"):
        window_sums(np.zeros((1, 59)))


def test_what_is_expected_crosses_the_change_of_the_hour() -> None:
    shape = np.zeros(168)
    shape[72], shape[73] = 60.0, 120.0  # the first two hours of 1970

    usual = dict(zip(WINDOW_MINUTES, window_expected(shape, end_minute=60 + 4).tolist(), strict=True))

    assert [usual[minutes] for minutes in (1, 2, 5, 15, 33, 60)] == [2.0, 4.0, 10.0, 20.0, 38.0, 65.0]


def test_of_the_running_minute_only_what_has_passed_is_expected() -> None:
    usual = window_expected(np.full(168, 120.0), end_minute=0, elapsed_seconds=15)

    assert usual[:3].tolist() == [0.5, 2.5, 4.5]


@pytest.mark.parametrize("seconds", [0.0, 60.1, -1.0])
def test_a_minute_has_sixty_seconds(seconds: float) -> None:
    with pytest.raises(ValueError, match="elapsed_seconds"):
        expected_by_minute(np.ones(168), 0, n_minutes=60, elapsed_seconds=seconds)


def test_minutes_expected_are_oldest_first() -> None:
    shape = np.zeros(168)
    shape[73] = 60.0

    assert expected_by_minute(shape, 61, n_minutes=4).tolist() == [0.0, 0.0, 1.0, 1.0]


@pytest.mark.parametrize("observed", [1, 2, 5, 30, 400])
def test_the_tail_agrees_with_the_negative_binomial(observed: int) -> None:
    size = 1 / ((1.9 - 1) / 4.0 + 1 / 7.0)

    p = tail_p([[observed]], [[4.0]], 1.9, 7.0)[0, 0]

    assert p == pytest.approx(stats.nbinom.sf(observed - 1, size, size / (size + 4.0)), rel=1e-9)


def test_without_scatter_and_doubt_the_tail_is_poisson() -> None:
    p = tail_p([[200.0]], [[4.0]], 1.0, np.inf)[0, 0]

    assert p == pytest.approx(stats.poisson.sf(199, 4.0), rel=1e-9)


def test_the_far_tail_is_not_rounded_to_nothing() -> None:
    assert 0 < tail_p([[120.0]], [[0.5]], 1.0, np.inf)[0, 0] < 1e-200


def test_no_report_is_no_surprise_and_a_report_where_none_can_be_is_impossible() -> None:
    assert tail_p([[0.0, 1.0]], [[0.0, 0.0]], 1.9, 1.0).tolist() == [[1.0, 0.0]]


@given(
    expected=st.floats(0.001, 500.0),
    dispersion=st.floats(1.0, 5.0),
    strength=st.floats(0.5, 1e6),
    observed=st.integers(0, 2000),
)
def test_more_reports_are_never_less_surprising(
    expected: float, dispersion: float, strength: float, observed: int
) -> None:
    fewer, more = tail_p([[observed, observed + 1]], [[expected, expected]], dispersion, strength)[0]

    assert 0 <= more <= fewer <= 1


@pytest.mark.parametrize(
    ("expected", "dispersion", "strength"), [(-1.0, 1.9, 1.0), (np.nan, 1.9, 1.0), (1.0, 0.9, 1.0), (1.0, 1.9, 0.0)]
)
def test_impossible_baselines_are_refused(expected: float, dispersion: float, strength: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        tail_p([[1.0]], [[expected]], dispersion, strength)


def test_looking_six_times_costs_six_times() -> None:
    assert scan_p([[1e-9, 1, 1, 1, 1, 1]])[0] == pytest.approx(6e-9)
    assert scan_p([[1.0] * 6])[0] == 1.0


def test_scatter_grows_with_the_window_and_with_the_share() -> None:
    by_window = dict(zip(WINDOW_MINUTES, window_dispersion(1.8).tolist(), strict=True))

    assert by_window[15] == by_window[60] == pytest.approx(1.4)  # half the hourly excess: the root of a quarter
    assert (np.diff([by_window[minutes] for minutes in (1, 2, 5, 10, 15)]) > 0).all()
    assert stream_dispersion(1.9, [0.0, 1.0]).tolist() == [1.0, 1.9]


def test_evidence_names_the_window_that_speaks_most_clearly() -> None:
    found = evidence(minutes(m0=3, m1=4, m2=3, m3=4, m4=3), np.array([WINDOW_MINUTES]) / 60.0, 1.9, 100.0)[0]

    assert found.window_minutes == 5
    assert found.observed == 17
    assert found.expected == pytest.approx(5 / 60)
    assert found.p_value < 1e-6


def test_an_old_burst_is_not_recent() -> None:
    found = evidence(minutes(m40=30), np.array([WINDOW_MINUTES]) / 60.0, 1.9, 100.0)[0]

    assert found.p_value < 1e-6
    assert found.p_recent == 1.0


def test_a_silent_stream_is_calm() -> None:
    found = evidence(np.zeros((1, 60)), np.ones((1, len(WINDOW_MINUTES))), 1.9, 1.0)[0]

    assert found.p_value > Thresholds().p_over
    assert (found.p_recent, found.observed) == (1.0, 0.0)


def test_a_new_service_does_not_alarm_on_its_first_three_reports() -> None:
    assert new_service_p(minutes(m0=1, m3=1, m5=1)) > Thresholds().p_suspect


def test_a_new_service_is_not_blind_to_a_flood() -> None:
    assert new_service_p(minutes(m0=8, m1=7, m2=9, m3=6)) < Thresholds().p_confirm


def test_streams_are_judged_each_for_itself() -> None:
    usual = np.tile(np.array(WINDOW_MINUTES) / 60.0, (2, 1))

    together = evidence(np.concatenate([minutes(m0=9), minutes()]), usual, 1.9, np.array([5.0, 50.0]))

    assert together[0] == evidence(minutes(m0=9), usual[:1], 1.9, 5.0)[0]
    assert together[1] == evidence(minutes(), usual[:1], 1.9, 50.0)[0]


def test_the_onset_is_where_the_rise_begins() -> None:
    counts = [0, 1, 0, 0, 1, 0, 4, 5, 3, 6]

    assert onset_minute(counts, [0.3] * 10) == 6


def test_without_a_rise_the_onset_is_now() -> None:
    assert onset_minute([0, 0, 0], [1.0, 1.0, 1.0]) == 2


def test_an_onset_needs_minutes_that_match() -> None:
    with pytest.raises(ValueError, match="one shape"):
        onset_minute([1, 2], [1.0])


def test_a_tighter_budget_asks_for_more_evidence_in_the_same_proportion() -> None:
    loose, tight = thresholds_for(2.0), thresholds_for(0.5)

    assert loose.p_suspect == pytest.approx(2 / 43_200)
    assert tight.p_suspect / tight.p_confirm == pytest.approx(12.0)  # one a month is one a year
    assert tight.p_suspect == pytest.approx(loose.p_suspect / 4)


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        thresholds_for(0.0)


@pytest.mark.parametrize(
    ("phase", "given", "expected"),
    [
        (Phase.QUIET, {"p_value": 1e-5, "n_reporters": 3}, Phase.SUSPECTED),
        (Phase.QUIET, {"p_value": 1e-9, "n_reporters": 2}, Phase.QUIET),
        (Phase.QUIET, {"p_value": 1e-4, "n_reporters": 99}, Phase.QUIET),
        (Phase.SUSPECTED, {"p_value": 1e-8, "n_reporters": 5}, Phase.CONFIRMED),
        (Phase.SUSPECTED, {"p_value": 1e-8, "n_reporters": 4}, Phase.SUSPECTED),
        (Phase.SUSPECTED, {"p_value": 0.5, "n_reporters": 4, "minutes_quiet": 60}, Phase.RESOLVED),
        (Phase.SUSPECTED, {"p_value": 0.5, "n_reporters": 4, "minutes_quiet": 59}, Phase.SUSPECTED),
        (Phase.CONFIRMED, {"p_value": 0.5, "minutes_quiet": 15, "minutes_in_phase": 15}, Phase.RECOVERING),
        (Phase.CONFIRMED, {"p_value": 0.5, "minutes_quiet": 14, "minutes_in_phase": 99}, Phase.CONFIRMED),
        (Phase.RECOVERING, {"p_value": 1e-5, "p_recent": 1e-5}, Phase.CONFIRMED),
        (Phase.RECOVERING, {"p_value": 1e-5, "p_recent": 0.5, "minutes_quiet": 30}, Phase.RECOVERING),
        (Phase.RECOVERING, {"p_value": 1e-4, "p_recent": 0.5, "minutes_quiet": 90}, Phase.RECOVERING),
        (Phase.RECOVERING, {"p_value": 0.5, "minutes_quiet": 60}, Phase.RESOLVED),
        (Phase.RESOLVED, {"p_value": 1e-20, "n_reporters": 99}, Phase.RESOLVED),
    ],
)
def test_an_outage_moves_on(phase: Phase, given: dict[str, float], expected: Phase) -> None:
    asked = {"n_reporters": 10, "minutes_quiet": 0, **given}

    assert step(phase, **asked) is expected  # type: ignore[arg-type]


def test_networks_are_asked_for_where_they_are_known() -> None:
    found = [step(Phase.SUSPECTED, p_value=1e-12, n_reporters=50, n_networks=n, minutes_quiet=0) for n in (None, 3, 2)]

    assert found == [Phase.CONFIRMED, Phase.CONFIRMED, Phase.SUSPECTED]
