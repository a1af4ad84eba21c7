"""What part of a service's reports tells of a failure is learnt slowly, and a wave of talk is told from failures."""

from __future__ import annotations

import numpy as np
import pytest

from ml.mix import Mix, are_failures, learn_mix


def test_with_nothing_learnt_all_reports_may_tell_of_a_failure() -> None:
    assert (Mix().share, Mix().is_watched) == (1.0, False)


def test_the_share_comes_to_what_is_seen() -> None:
    n_hours = 500

    mix = learn_mix(Mix(), [2] * n_hours, [8] * n_hours, [8.0] * n_hours, [False] * n_hours)

    assert mix.share == pytest.approx(0.25, abs=0.01)
    assert mix.is_watched


def test_hours_learnt_one_by_one_teach_the_same_as_together() -> None:
    failing, counts, usual, frozen = [1, 4, 0], [2, 9, 3], [3.0, 3.0, 3.0], [False, True, False]

    together = learn_mix(Mix(10, 20), failing, counts, usual, frozen)
    one_by_one = Mix(10, 20)
    for hour in zip(failing, counts, usual, frozen, strict=True):
        one_by_one = learn_mix(one_by_one, *([one] for one in hour))

    assert one_by_one.n_all == pytest.approx(together.n_all)
    assert one_by_one.n_failing == pytest.approx(together.n_failing)


def test_one_wave_of_talk_does_not_become_the_usual_mix() -> None:
    before = Mix(90.0, 100.0)

    after = learn_mix(before, [0], [5_000], [2.0], [True])

    assert after.share == pytest.approx(before.share, abs=0.05)


@pytest.mark.parametrize(("failing", "counts"), [([3], [2]), ([-1], [2]), ([1, 1], [2])])
def test_counts_that_cannot_be_are_refused(failing: list[int], counts: list[int]) -> None:
    with pytest.raises(ValueError, match=r"failing must lie|one shape"):
        learn_mix(Mix(), failing, counts, [1.0], [False])


def test_a_wave_of_the_usual_mix_is_talk_however_large() -> None:
    talkative = Mix(4_000.0, 10_000.0)

    assert not any(are_failures(talkative, n_failing=round(0.4 * n), n_all=n) for n in (10, 100, 1_000, 10_000))


def test_talk_does_not_pass_by_being_asked_often() -> None:
    rng = np.random.default_rng(11)
    talkative = Mix(4_000.0, 10_000.0)
    n_waves, n_passed = 200, 0

    for _ in range(n_waves):
        told = np.cumsum(rng.random(300) < talkative.share)
        n_passed += any(
            are_failures(talkative, n_failing=int(k), n_all=n) for n, k in enumerate(told, start=1) if n >= 5
        )

    assert n_passed <= 0.08 * n_waves


def test_an_outage_in_a_talkative_service_passes_within_a_dozen_reports() -> None:
    assert are_failures(Mix(4_000.0, 10_000.0), n_failing=11, n_all=12)


def test_where_most_tell_of_a_failure_a_half_will_do() -> None:
    mostly = Mix(7_000.0, 10_000.0)

    assert are_failures(mostly, n_failing=6, n_all=10)
    assert not are_failures(mostly, n_failing=40, n_all=100)


def test_where_nearly_all_tell_of_a_failure_five_of_five_will_do() -> None:
    assert are_failures(Mix(990.0, 1_000.0), n_failing=5, n_all=5)
