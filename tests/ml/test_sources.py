"""Whether a source is silent, and whether it collects otherwise than before: counts a reader can check by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from ml.sources import (
    Cells,
    CollectionChange,
    Silence,
    UsualSource,
    collection_change,
    common_ratio,
    learn_source,
    silence,
    speaks_again,
    stands_out,
)

MONDAY = 96  # hours from 1970 to its first Monday
SHOP, FORM, MAIL = 0, 1, 2  # sources: two collectors with a key, and people at a form


def usual(rate_per_hour: float = 40.0, **fields: Any) -> UsualSource:
    return UsualSource(
        np.full(168, rate_per_hour), **({"dispersion": 2.0, "log10_rarest": -1.0, "n_hours": 336} | fields)
    )


def quiet_for(hours: float, rate_per_hour: float = 40.0, known: UsualSource | None = None) -> Silence | None:
    """Let a source that was as usual stop so many hours ago."""
    expected = np.full(576, rate_per_hour / 12)
    bins = expected.copy()
    bins[-round(hours * 12) :] = 0
    return silence(bins, expected, known or usual(rate_per_hour))


# -- Silence -----------------------------------------------------------------------------------------------------------


def test_three_hours_without_one_of_the_usual_forty_an_hour_are_silence() -> None:
    found = quiet_for(3)

    assert found is not None
    assert (found.hours, found.observed, round(found.expected)) == (3, 0, 120)
    assert found.log10_p < -6


def test_what_chance_may_bring_is_no_silence() -> None:
    assert quiet_for(1, rate_per_hour=3.0) is None
    assert quiet_for(3, rate_per_hour=3.0) is None
    assert quiet_for(48, rate_per_hour=0.1) is None


def test_a_rarer_reporter_is_silent_after_longer() -> None:
    first = [next(hours for hours in range(1, 49) if quiet_for(hours, rate)) for rate in (40.0, 10.0, 2.0)]

    assert first == sorted(first)
    assert first[0] == 1
    assert first[-1] > 6


def test_half_of_the_usual_is_no_silence() -> None:
    expected = np.full(576, 40 / 12)

    assert silence(expected / 2, expected, usual()) is None


def test_a_test_report_does_not_hide_a_silence() -> None:
    expected = np.full(576, 40 / 12)
    bins = expected.copy()
    bins[-60:] = 0
    bins[-30] = 1

    found = silence(bins, expected, usual())

    assert found is not None
    assert found.observed <= 1


def test_what_is_known_for_less_than_a_week_is_not_silent() -> None:
    assert quiet_for(5, known=usual(n_hours=167)) is None
    assert quiet_for(5, known=usual(n_hours=168)) is not None


def test_what_comes_in_bursts_is_not_silent() -> None:
    assert quiet_for(48, known=usual(dispersion=10.1)) is None


def test_silence_is_rarer_than_whatever_the_source_did_before() -> None:
    once = quiet_for(3)
    assert once is not None

    assert quiet_for(3, known=usual(log10_rarest=once.log10_p)) is None
    assert quiet_for(3, known=usual(log10_rarest=once.log10_p / 2)) is not None


def test_hours_in_which_nobody_listened_are_not_held_against_a_source() -> None:
    expected = np.full(576, 40 / 12)
    expected[:-2] = 0

    assert silence(np.zeros(576), expected, usual()) is None


@pytest.mark.parametrize("seed", range(5))
def test_two_months_of_a_poisson_source_hold_no_silence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rates = 8 + 7 * np.sin(np.arange(168 * 8) * 2 * np.pi / 24)
    counts = rng.poisson(rates)
    known = learn_source(counts[: 168 * 4], MONDAY)

    alarms = 0
    for hour in range(168 * 4, 168 * 8):
        bins = np.repeat(counts[hour - 48 : hour], 12) / 12
        alarms += silence(bins, np.repeat(rates[hour - 48 : hour], 12) / 12, known) is not None

    assert alarms == 0


@pytest.mark.parametrize("seed", range(5))
def test_two_months_of_a_source_that_sends_a_heap_now_and_then_hold_no_silence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = np.where(rng.random(168 * 8) < 1 / 8, 50, 0)
    known = learn_source(counts[: 168 * 4], MONDAY)
    expected = np.full(576, known.rates_per_hour.mean() / 12)

    alarms = sum(
        silence(np.repeat(counts[hour - 48 : hour], 12) / 12, expected, known) is not None
        for hour in range(168 * 4, 168 * 8)
    )

    assert alarms == 0


def test_nights_without_a_report_are_usual() -> None:
    week = np.tile(np.where(np.arange(24) < 8, 0, 30), 28)

    known = learn_source(week, MONDAY)

    assert known.rates_per_hour[:8].max() < 1
    assert known.rates_per_hour[8:24].min() > 25
    assert known.dispersion < 2


def test_a_flood_makes_a_source_neither_bursty_nor_its_usual_higher() -> None:
    counts = np.full(336, 20.0)
    flooded = counts.copy()
    flooded[200:206] = 3000.0

    known, calm = learn_source(flooded, MONDAY), learn_source(counts, MONDAY)

    assert known.dispersion < 10
    assert known.rates_per_hour.mean() == pytest.approx(calm.rates_per_hour.mean(), rel=0.15)


def test_a_silence_that_was_told_of_is_no_measure_of_the_next() -> None:
    counts = np.full(336, 20.0)
    counts[200:206] = 0
    told = np.zeros(336, dtype=bool)
    told[200:206] = True

    assert learn_source(counts, MONDAY).log10_rarest < -6
    assert learn_source(counts, MONDAY, told).log10_rarest == 0


def test_learning_again_from_the_same_month_gives_the_same() -> None:
    counts = np.random.default_rng(7).poisson(6.0, 672)

    first, second = learn_source(counts, MONDAY), learn_source(counts, MONDAY)

    assert np.array_equal(first.rates_per_hour, second.rates_per_hour)
    assert (first.dispersion, first.log10_rarest) == (second.dispersion, second.log10_rarest)


@pytest.mark.parametrize(("observed", "expected", "is_back"), [(0, 0.01, False), (1, 0.01, True), (9, 40, False)])
def test_a_source_is_back_when_it_reports_again_and_not_before(observed: int, expected: float, is_back: bool) -> None:
    assert speaks_again(observed, expected) is is_back


# -- Collected otherwise -----------------------------------------------------------------------------------------------


def rise(
    factors: dict[int, np.ndarray | float], *, n_services: int = 5, n_regions: int = 4, rate: float = 10.0
) -> CollectionChange | None:
    """Let each source bring so many times its usual ten reports of each service from each region.

    A factor is one number, or an array of shape (n_services, n_regions).
    """
    source, service, region = (
        axis.ravel() for axis in np.meshgrid(list(factors), range(n_services), range(n_regions), indexing="ij")
    )
    times = np.concatenate([np.broadcast_to(factor, (n_services, n_regions)).ravel() for factor in factors.values()])
    base = np.full(times.shape, rate)
    cells = Cells(source, service, region, base * times, base)
    return collection_change(cells, may_change=np.array([True, False, True]), is_known=np.array([True, True, True]))


def only(*cells: tuple[int, int], factor: float = 10.0, others: float = 1.0) -> np.ndarray:
    """Return factors that are `others` but in some (service, region)."""
    times = np.full((5, 4), others)
    for cell in cells:
        times[cell] = factor
    return times


def test_a_collector_that_doubles_has_changed() -> None:
    found = rise({SHOP: 2.0, FORM: 1.0})

    assert found is not None
    assert (found.source, found.ratio, found.n_services, found.n_regions) == (SHOP, 2.0, 5, 4)
    assert (found.observed, found.usual, found.share_of_excess) == (400, 200, 1)


@pytest.mark.parametrize("factor", [1.0, 1.2, 0.5])
def test_about_the_usual_is_no_change(factor: float) -> None:
    assert rise({SHOP: factor, FORM: 1.0}) is None


def test_what_several_sources_see_is_no_change() -> None:
    assert rise({SHOP: 3.0, FORM: 3.0}) is None
    assert rise({SHOP: 3.0, FORM: 1.5}) is None
    assert rise({SHOP: 3.0, FORM: 1.0, MAIL: 2.0}) is None


@pytest.mark.parametrize(
    "where",
    [
        only((0, 0)),
        only(*((0, region) for region in range(4))),
        only(*((service, 0) for service in range(5))),
        only(*((service, region) for service in range(3) for region in range(4)), factor=3.0),
    ],
    ids=["one place of one service", "one service everywhere", "every service in one place", "most services"],
)
@pytest.mark.parametrize("form", [{FORM: 1.0}, {}], ids=["beside a form", "alone"])
def test_a_rise_that_has_a_place_is_an_outage(where: np.ndarray, form: dict[int, float]) -> None:
    assert rise({SHOP: where, **form}) is None


def test_an_outage_besides_does_not_hide_the_change() -> None:
    found = rise({SHOP: only((0, 0), factor=12.0, others=2.0), FORM: 1.0})

    assert found is not None
    assert found.ratio == pytest.approx(2.0)


def test_people_at_a_form_do_not_change_evenly() -> None:
    assert rise({FORM: 3.0, SHOP: 1.0}) is None


def test_of_a_single_service_only_sources_that_did_not_rise_tell_a_change_from_an_outage() -> None:
    alone = rise({SHOP: 3.0}, n_services=1, n_regions=6)
    beside = rise({SHOP: 3.0, FORM: 1.0}, n_services=1, n_regions=6)

    assert alone is None
    assert beside is not None


def test_a_handful_of_reports_decides_nothing() -> None:
    assert rise({SHOP: 3.0}, rate=0.1) is None


def test_a_collector_that_starts_has_no_ratio_and_is_broad() -> None:
    at = np.arange(12)
    cells = Cells(at * 0, at // 3, at % 3, np.full(12, 4.0), np.zeros(12))
    may, known = np.array([True]), np.array([False])

    found = collection_change(cells, may_change=may, is_known=known)

    assert found is not None
    assert (found.ratio, found.n_services) == (math.inf, 4)
    in_one_service = Cells(at * 0, at * 0, at % 3, np.full(12, 4.0), np.zeros(12))
    assert collection_change(in_one_service, may_change=may, is_known=known) is None


def test_the_order_of_the_cells_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    order = rng.permutation(20)
    at = np.arange(20)
    counts = rng.poisson(30, 20).astype(float)
    one = np.array([True])

    def asked(rows: np.ndarray) -> CollectionChange | None:
        cells = Cells(at[rows] * 0, at[rows] % 5, at[rows] // 5, counts[rows], np.full(20, 10.0))
        return collection_change(cells, may_change=one, is_known=one)

    assert asked(at) == asked(order) != None  # noqa: E711  both are there, and the same


def test_a_rise_with_the_scatter_of_reports_is_noticed_when_even_and_not_when_half_of_the_services_rose() -> None:
    rng = np.random.default_rng(11)
    at = np.arange(60)
    one = np.array([True])

    def n_noticed(times: np.ndarray) -> int:
        drawn = [Cells(at * 0, at % 10, at // 10, rng.poisson(4.0 * times).astype(float), at * 0 + 4.0) for _ in at]
        return sum(collection_change(cells, may_change=one, is_known=one) is not None for cells in drawn)

    even, half = np.full(60, 3.0), np.where(at % 10 < 5, 3.0, 1.0)

    assert n_noticed(even) >= 54
    assert n_noticed(half) == 0


def test_what_stands_out_is_left_out_of_the_common_ratio() -> None:
    assert common_ratio([40, 40, 40, 400], [20, 20, 20, 20]) == 2.0
    assert common_ratio([3], [0]) == math.inf
    assert stands_out([400, 40], [40, 40]).tolist() == [True, False]
