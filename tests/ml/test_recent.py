"""What today teaches: a rate above its profile is followed, an outage is not, and what was is forgotten."""

from __future__ import annotations

import pytest

from ml.recent import SPREAD, recent_level


def level(counts: list[float], expected: float = 100.0, frozen: list[bool] | None = None) -> tuple[float, float]:
    found = recent_level([counts], [[expected] * len(counts)], frozen)
    return float(found.factor[0]), float(found.strength[0])


def test_nothing_recent_is_the_profile_with_its_spread() -> None:
    assert level([]) == (1.0, pytest.approx(1 / SPREAD))


def test_a_day_as_usual_makes_the_coming_hour_surer() -> None:
    factor, strength = level([100.0] * 24)

    assert factor == pytest.approx(1.0)
    assert strength > 2 / SPREAD


def test_a_busy_day_raises_what_is_usual_but_not_by_all_of_it() -> None:
    factor, _ = level([150.0] * 24)

    assert 1.3 < factor < 1.5


def test_a_quiet_stream_learns_little_from_a_day() -> None:
    factor, strength = level([0.0, 1.0] * 12, expected=0.1)

    assert 1.0 < factor < 1.6
    assert strength < 1.5 / SPREAD


def test_one_hour_teaches_no_more_than_it_could_by_chance() -> None:
    loud, flooded = (level([100.0] * 23 + [n])[0] for n in (200.0, 20_000.0))

    assert flooded == loud


def test_hours_with_an_outage_teach_nothing() -> None:
    frozen = [False] * 20 + [True] * 4

    assert level([100.0] * 20 + [900.0] * 4, frozen=frozen) == level([100.0] * 24, frozen=frozen)


def test_what_was_busy_is_usual_again_after_a_day_and_a_half() -> None:
    ahead = recent_level([[150.0] * 24], [[100.0] * 24], hours_ahead=36.0)

    assert ahead.factor[0] == pytest.approx(1.0, abs=0.02)
    assert ahead.strength[0] == pytest.approx(1 / SPREAD, rel=0.02)


def test_a_source_that_fell_silent_is_no_quiet_day() -> None:
    assert level([0.0] * 24) == (1.0, pytest.approx(1 / SPREAD))


def test_where_little_is_usual_silence_is_a_quiet_day() -> None:
    assert level([0.0] * 24, expected=2.0)[0] < 0.8


def test_streams_do_not_know_each_other() -> None:
    both = recent_level([[150.0] * 5, [10.0] * 5], [[100.0] * 5, [20.0] * 5], dispersion=[1.5, 1.0])
    alone = recent_level([[10.0] * 5], [[20.0] * 5], dispersion=1.0)

    assert both.factor[1] == alone.factor[0]


@pytest.mark.parametrize(
    ("counts", "expected", "options"),
    [
        ([[1.0]], [[1.0, 2.0]], {}),
        ([[-1.0]], [[1.0]], {}),
        ([[1.0]], [[1.0]], {"dispersion": 0.5}),
        ([[1.0]], [[1.0]], {"hours_ahead": -1.0}),
        ([[1.0]], [[1.0]], {"spread": 0.0}),
    ],
)
def test_impossible_input_is_refused(
    counts: list[list[float]], expected: list[list[float]], options: dict[str, float]
) -> None:
    with pytest.raises(ValueError, match="must"):
        recent_level(counts, expected, **options)  # type: ignore[arg-type]
