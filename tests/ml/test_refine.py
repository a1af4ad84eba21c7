"""Groups and their ids: content keeps its id, people's word is kept, and what only looks alike stays apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.adopt import adopt
from ml.apart import BURST_SECONDS, apart_columns
from ml.calibration import same_time_columns
from ml.guards import kinds_of
from ml.linkage import MANY_REPORTS, average_linkage, more_of_many
from ml.nearest import index_of
from ml.refine import (
    HEIR_SHARE,
    LARGE_REPORTS,
    LEAVES_BELOW,
    LEAVES_FOR,
    NO_GROUP,
    TURNS,
    YOUNG_REPORTS,
    Constraints,
    adapted_factor,
    group_threshold,
    refine,
    turns_of,
)
from ml.types import FloatArray, IntArray

EAST, NORTH, WEST = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]
DAY = 86_400.0


def sums_of(*rows: list[float]) -> FloatArray:
    return np.array(rows, dtype=np.float32)


def ints(*values: int) -> IntArray:
    return np.array(values, dtype=np.int64)


def together(groups: IntArray) -> bool:
    return len(set(groups.tolist())) == 1


def random_micro_clusters(seed: int, k: int = 25) -> tuple[FloatArray, IntArray]:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(k, 5))
    sizes = rng.integers(1, 9, size=k)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True) * sizes[:, None]).astype(np.float32), sizes


# Ids


def test_a_merger_keeps_the_id_of_most_of_its_reports() -> None:
    found = refine(sums_of(EAST, [9.0, 0.0]), ints(1, 9), ints(3, 4), threshold=0.5)

    assert found.tolist() == [4, 4]


def test_a_part_split_off_gets_a_new_id_above_all() -> None:
    found = refine(sums_of([5.0, 0.0], [0.0, 2.0], WEST), ints(5, 2, 1), ints(3, 3, 8), threshold=0.5)

    assert found.tolist() == [3, 9, 8]


def test_at_a_tie_the_first_half_keeps_the_id() -> None:
    assert refine(sums_of(EAST, NORTH), ints(2, 2), ints(3, 3), threshold=0.5).tolist() == [3, 4]


def test_at_a_tie_the_lower_id_is_kept() -> None:
    assert refine(sums_of([2.0, 0.0], [2.0, 0.0]), ints(2, 2), ints(9, 3), threshold=0.5).tolist() == [3, 3]


def test_new_ids_count_up_from_where_the_caller_says() -> None:
    groups = ints(NO_GROUP, 2, NO_GROUP)

    found = refine(sums_of(EAST, NORTH, WEST), ints(1, 1, 1), groups, threshold=0.5, first_new_group=50)

    assert found.tolist() == [50, 2, 51]


def test_an_id_whose_content_went_elsewhere_is_not_given_to_what_is_left() -> None:
    # Most of group 2 joins the content of group 1; the rest of 2 must not go on under the name of 2.
    sums, sizes = sums_of([10.0, 0.0], [6.0, 0.0], [0.0, 4.0]), ints(10, 6, 4)

    found = refine(sums, sizes, ints(1, 2, 2), threshold=0.5)

    assert found.tolist() == [1, 1, 3]


@pytest.mark.parametrize(("n_of_it", "id_of_it"), [(2, 2), (1, 3)])
def test_an_id_whose_content_met_more_of_another_goes_on_if_it_is_a_fair_part(n_of_it: int, id_of_it: int) -> None:
    # Four reports leave group 1 and meet all of group 2: 2 of 6 are more than the share asked for, 1 of 5 is less.
    assert 1 / 5 < HEIR_SHARE < 2 / 6
    sums = sums_of([9.0, 0.0], [0.0, 4.0], [0.0, float(n_of_it)])

    found = refine(sums, ints(9, 4, n_of_it), ints(1, 1, 2), threshold=0.5)

    assert found.tolist() == [1, id_of_it, id_of_it]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_refining_twice_changes_nothing(seed: int) -> None:
    sums, sizes = random_micro_clusters(seed)
    before = np.random.default_rng(seed).integers(0, 6, size=len(sizes))
    once = refine(sums, sizes, before, threshold=0.3)

    np.testing.assert_array_equal(refine(sums, sizes, once, threshold=0.3), once)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_young_service_is_grouped_as_if_there_had_been_no_groups(seed: int) -> None:
    sums, sizes = random_micro_clusters(seed)
    before = np.random.default_rng(seed).integers(0, 6, size=len(sizes))

    found = refine(sums, sizes, before, threshold=0.3, moved=np.zeros(len(sizes), dtype=np.bool_))

    parts = average_linkage(sums, sizes, threshold=0.3, more=more_of_many(0.3))
    np.testing.assert_array_equal(found[:, None] == found, parts[:, None] == parts)


def test_what_says_nothing_stays_alone_with_its_id() -> None:
    found = refine(sums_of([0.0, 0.0], EAST, [0.0, 0.0]), ints(5, 1, 2), ints(1, 2, 3), threshold=-1.0)

    assert found.tolist() == [1, 2, 3]


def test_the_input_is_left_untouched() -> None:
    sums, sizes, groups = sums_of(EAST, EAST), ints(1, 1), ints(1, 2)

    refine(sums, sizes, groups, threshold=0.5)

    assert (sums.tolist(), sizes.tolist(), groups.tolist()) == ([EAST, EAST], [1, 1], [1, 2])


def test_nothing_to_refine_is_no_error() -> None:
    assert refine(np.zeros((0, 2), dtype=np.float32), ints(), ints(), threshold=0.5).shape == (0,)


# Ids that people have seen stay while they are about right


def grown_up(x: list[float], *, moved: bool = True, turn: int = 2, n_turns: int = TURNS[0]) -> int:
    """Where a small micro-cluster of group 7 (east) ends that may be nearer to group 8 (north)."""
    sums, sizes = sums_of([YOUNG_REPORTS, 0.0], [0.0, YOUNG_REPORTS], x), ints(YOUNG_REPORTS, YOUNG_REPORTS, 1)
    moves = np.array([False, False, moved])

    return int(refine(sums, sizes, ints(7, 8, 7), threshold=0.5, moved=moves, turn=turn, n_turns=n_turns)[2])


def test_a_micro_cluster_slightly_nearer_to_another_group_stays() -> None:
    assert grown_up([0.6, 0.6 + 0.5 * LEAVES_FOR * 0.5]) == 7


def test_a_micro_cluster_clearly_nearer_to_another_group_leaves() -> None:
    assert grown_up([0.6, 0.6 + 1.5 * LEAVES_FOR * 0.5]) == 8


def test_a_micro_cluster_slightly_less_alike_than_the_threshold_stays() -> None:
    assert grown_up([(LEAVES_BELOW + 1) / 2 * 0.5, 0.0]) == 7


def test_a_micro_cluster_clearly_less_alike_than_the_threshold_leaves() -> None:
    assert grown_up([0.9 * LEAVES_BELOW * 0.5, 0.0]) == 9


def test_what_did_not_move_is_left_where_it_is() -> None:
    assert grown_up(NORTH, moved=False) == 7


def test_what_did_not_move_is_looked_at_when_its_turn_comes() -> None:
    assert [grown_up(NORTH, moved=False, turn=turn) for turn in (6, 7, 8, 7 + TURNS[0])] == [7, 8, 7, 8]


@pytest.mark.parametrize("mixed", [0.0, 1.0])
@pytest.mark.parametrize("n_going", [0, 1, 2, 3, 5])
def test_every_group_has_its_turn_however_many_go_at_each_refinement(mixed: float, n_going: int) -> None:
    # Groups are counted anew: where some with lower numbers go each time, a group's number falls as the turns go on.
    n_turns = turns_of(mixed)

    for number in range(10_000, 10_000 + n_turns):
        turns = [turn for turn in range(n_turns) if (number - n_going * turn) % n_turns == turn % n_turns]
        assert len(turns) == 1


def test_in_a_mixed_stream_turns_come_less_often() -> None:
    n_turns = turns_of(1.0)

    found = [grown_up(NORTH, moved=False, turn=turn, n_turns=n_turns) for turn in (7, 7 + TURNS[0], 7 + n_turns)]

    assert found == [8, 7, 8]


def grown_mixed(n_reports: int, *, turn: int, constraints: Constraints | None = None) -> list[int]:
    """A group 7 of two halves, neither of which has a wording that would leave alone: each of the two new ones is .42
    like the old one, .42 * 2 / 3 + 1 / 3 = .61 like the rest, and the threshold is .5."""
    n_new = n_reports // 4
    n_old = n_reports - 2 * n_new
    sums = sums_of([n_old, 0.0], [0.42 * n_new, 0.9075 * n_new], [0.42 * n_new, 0.9075 * n_new], [-YOUNG_REPORTS, 0.0])
    sizes = ints(n_old, n_new, n_new, YOUNG_REPORTS)
    unmoved = np.zeros(4, dtype=np.bool_)

    return refine(
        sums, sizes, ints(7, 7, 7, 8), threshold=0.5, moved=unmoved, turn=turn, constraints=constraints
    ).tolist()


def test_a_large_group_that_grew_mixed_is_grouped_anew_when_its_turn_comes() -> None:
    # At a tie, 30 reports each, the first half keeps the id.
    assert grown_mixed(LARGE_REPORTS, turn=7) == [7, 9, 9, 8]
    assert grown_mixed(LARGE_REPORTS, turn=6) == [7, 7, 7, 8]


def test_a_small_group_stays_as_it_grew() -> None:
    assert grown_mixed(LARGE_REPORTS - 4, turn=7) == [7, 7, 7, 8]


def test_a_group_of_very_many_wordings_stays_as_it_grew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.refine.MOST_ANEW", 2)

    assert grown_mixed(LARGE_REPORTS, turn=7) == [7, 7, 7, 8]


def test_what_a_person_put_together_is_not_grouped_anew_however_large() -> None:
    pins = Constraints(ints(7, 7, 7, NO_GROUP))

    assert grown_mixed(LARGE_REPORTS, turn=7, constraints=pins) == [7, 7, 7, 8]


# People's word


def test_what_a_person_put_together_stays_whatever_it_says() -> None:
    pins = Constraints(ints(5, 5, NO_GROUP))

    found = refine(sums_of(EAST, WEST, NORTH), ints(1, 1, 1), ints(5, 5, 6), threshold=0.9, constraints=pins)

    assert found.tolist() == [5, 5, 6]


def test_a_pin_moves_what_is_elsewhere() -> None:
    pins = Constraints(ints(NO_GROUP, 5, 5))

    found = refine(sums_of(EAST, EAST, WEST), ints(9, 1, 1), ints(4, 4, 5), threshold=2.0, constraints=pins)

    assert found.tolist() == [4, 5, 5]


def test_a_pinned_group_keeps_its_id_though_more_reports_join_it() -> None:
    found = refine(
        sums_of(EAST, [50.0, 0.0]), ints(1, 50), ints(5, 4), threshold=0.5, constraints=Constraints(ints(5, NO_GROUP))
    )

    assert found.tolist() == [5, 5]


@pytest.mark.parametrize("pins", [[7, 8], [7, NO_GROUP], [NO_GROUP, NO_GROUP]])
@pytest.mark.parametrize("n_reports", [1, YOUNG_REPORTS])
def test_what_a_person_took_apart_stays_apart_whatever_it_says(pins: list[int], n_reports: int) -> None:
    sums = sums_of([n_reports, 0.0], [n_reports, 0.0])
    constraints = Constraints(ints(*pins), barred=((7, 8),))

    found = refine(
        sums,
        ints(n_reports, n_reports),
        ints(7, 8),
        threshold=0.1,
        moved=np.ones(2, dtype=np.bool_),
        constraints=constraints,
    )

    assert found.tolist() == [7, 8]


def test_barred_groups_do_not_meet_in_a_third() -> None:
    constraints = Constraints(np.full(3, NO_GROUP), barred=((7, 8),))

    found = refine(sums_of(EAST, EAST, EAST), ints(1, 1, 1), ints(7, 8, 9), threshold=0.1, constraints=constraints)

    assert found[0] != found[1]


def test_a_bar_between_groups_that_are_gone_is_no_error() -> None:
    constraints = Constraints(np.full(2, NO_GROUP), barred=((70, 80), (1, 80)))

    assert together(refine(sums_of(EAST, EAST), ints(1, 1), ints(1, 2), threshold=0.5, constraints=constraints))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), mature=st.booleans())
def test_pins_and_bars_hold_in_any_mixture(seed: int, mature: bool) -> None:
    rng = np.random.default_rng(seed)
    sums, sizes = random_micro_clusters(seed, k=16)
    if mature:
        sums, sizes = sums * np.float32(YOUNG_REPORTS), sizes * YOUNG_REPORTS
    groups = rng.integers(0, 5, size=16)
    pins = np.where(rng.random(16) < 0.3, groups, NO_GROUP)
    barred = ((0, 1), (1, 2), (3, 4))

    found = refine(
        sums, sizes, groups, threshold=0.1, moved=rng.random(16) < 0.5, constraints=Constraints(pins, barred)
    )

    for pin in np.unique(pins[pins != NO_GROUP]):
        assert together(found[pins == pin])
    for one, other in barred:
        assert not set(found[groups == one].tolist()) & set(found[groups == other].tolist())


def test_a_new_id_is_none_that_a_pin_names() -> None:
    pins = Constraints(ints(8, NO_GROUP, NO_GROUP))

    found = refine(sums_of(EAST, NORTH, WEST), ints(1, 5, 1), ints(7, 7, 7), threshold=0.5, constraints=pins)

    assert found.tolist() == [8, 7, 9]


# What text lacks


def test_two_codes_stay_apart_though_the_wording_is_the_same() -> None:
    kinds = kinds_of(["404", "500"], ["", ""])

    assert not together(refine(sums_of(EAST, EAST), ints(1, 1), ints(1, 2), threshold=0.5, kinds=kinds))


def test_two_codes_stay_apart_in_texts_that_count_twice() -> None:
    # The heaviest weight of a text is 2, so the mean product of these is 4.
    kinds = kinds_of(["404", "500"], ["", ""])

    assert not together(refine(sums_of([2.0, 0.0], [2.0, 0.0]), ints(1, 1), ints(1, 2), threshold=0.01, kinds=kinds))


def test_a_text_without_a_code_may_join_one_that_has() -> None:
    kinds = kinds_of(["404", ""], ["", ""])

    assert together(refine(sums_of(EAST, EAST), ints(1, 1), ints(1, 2), threshold=0.5, kinds=kinds))


def test_one_code_brings_nothing_together() -> None:
    kinds = kinds_of(["404", "404", "500"], ["", "", ""])

    found = refine(sums_of(EAST, NORTH, WEST), ints(1, 1, 1), ints(1, 2, 3), threshold=0.1, kinds=kinds)

    assert found.tolist() == [1, 2, 3]


def test_a_few_codes_among_many_reports_take_no_groups_apart() -> None:
    # One in a hundred names a code: 1 / 10,000 is taken off.
    kinds = kinds_of(["404", "", "500", ""], [""] * 4)
    sums, sizes = sums_of(EAST, [99.0, 0.0], EAST, [99.0, 0.0]), ints(1, 99, 1, 99)
    pins = Constraints(ints(1, 1, 2, 2))

    assert together(refine(sums, sizes, ints(1, 1, 2, 2), threshold=0.9, kinds=kinds, constraints=pins))


@pytest.mark.parametrize(
    ("regions", "days", "are_one"),
    [
        (["DE", "FR"], [1, 5], False),
        (["DE", "FR"], [1, 1], True),
        (["DE-BY", "DE-HH"], [1, 5], True),
        (["", "FR"], [1, 5], True),
        (["", ""], [1, 5], True),
    ],
)
def test_far_off_bursts_of_one_wording_are_two(regions: list[str], days: list[int], are_one: bool) -> None:
    found = refine(
        sums_of(EAST, EAST),
        ints(1, 1),
        ints(1, 2),
        threshold=0.5,
        kinds=kinds_of(["", ""], regions),
        middles=np.array(days) * DAY + 60.0,
    )

    assert together(found) == are_one


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_columns_take_off_what_each_pair_of_reports_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    guards, regions = rng.choice(["", "404", "500"], size=12), rng.choice(["", "DE", "FR", "US-CA"], size=12)
    days, lengths = rng.integers(0, 3, size=12), rng.uniform(0.5, 9.0, size=12).astype(np.float32)

    columns, signs = apart_columns(lengths, kinds_of(list(guards), list(regions)), days * DAY)

    expected = np.zeros((12, 12))
    for i in range(12):
        for j in range(12):
            code = bool(guards[i] and guards[j] and guards[i] != guards[j])
            far = bool(regions[i] and regions[j] and regions[i][:2] != regions[j][:2] and days[i] != days[j])
            expected[i, j] = -(float(code) + float(far)) * lengths[i] * lengths[j]
    found = np.zeros((12, 12)) if columns is None or signs is None else (columns * signs) @ columns.T
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize(("hours", "same_time", "are_one"), [(0, 0.3, True), (200, 0.3, False), (0, 0.0, False)])
def test_texts_of_one_time_come_together_more_easily(hours: int, same_time: float, are_one: bool) -> None:
    found = refine(
        sums_of(EAST, [0.4, 0.9]),
        ints(1, 1),
        ints(1, 2),
        threshold=0.5,
        middles=np.array([0.0, hours * 3_600.0]),
        same_time=same_time,
    )

    assert together(found) == are_one


# Adoption between two refinements


def adopted_one_by_one(
    products: np.ndarray, sizes: IntArray, groups: IntArray, known: np.ndarray, threshold: float
) -> list[int]:
    found, next_group = groups.tolist(), int(groups.max()) + 1
    for index in np.flatnonzero(groups == NO_GROUP).tolist():
        means = {}
        for group in sorted({group for group in found if group != NO_GROUP}):
            members = [at for at, other in enumerate(found) if other == group]
            n_smaller = min(int(sizes[members].sum()), int(sizes[index]), MANY_REPORTS)
            means[group] = products[index, members].sum() / float(sizes[members].sum() * sizes[index])
            means[group] -= float(more_of_many(threshold)[n_smaller])
        best = max(means, key=lambda group: means[group])
        if not known[index] or means[best] < threshold:
            best, next_group = next_group, next_group + 1
        found[index] = best
    return found


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), threshold=st.floats(0.05, 0.8))
def test_adoption_is_that_of_one_after_the_other(seed: int, threshold: float) -> None:
    rng = np.random.default_rng(seed)
    sums, sizes = random_micro_clusters(seed, k=20)
    known = rng.random(20) > 0.1
    sums[~known] = 0
    groups = np.append(rng.choice([NO_GROUP, 3, 4, 50_000], size=19), 3)

    found = adopt(index_of(sums), sizes, groups, threshold=threshold)

    products = sums.astype(np.float64) @ sums.T
    assert found.tolist() == adopted_one_by_one(products, sizes, groups, known, threshold)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_adoption_heeds_codes_places_and_times_as_refinement_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sums, sizes = random_micro_clusters(seed, k=20)
    groups = np.append(rng.choice([NO_GROUP, 3, 4, 5], size=19), 3)
    kinds = kinds_of(list(rng.choice(["", "", "404", "500"], size=20)), list(rng.choice(["", "DE", "FR"], size=20)))
    middles = rng.uniform(0, 4 * DAY, size=20)

    found = adopt(index_of(sums), sizes, groups, threshold=0.1, kinds=kinds, middles=middles, same_time=0.2)

    columns, signs = apart_columns(np.linalg.norm(sums, axis=1), kinds, middles)
    near = same_time_columns(middles, BURST_SECONDS)
    products = sums.astype(np.float64) @ sums.T + 0.2 * (near @ near.T) * np.outer(sizes, sizes)
    if columns is not None and signs is not None:
        products += (columns * signs) @ columns.T
    assert found.tolist() == adopted_one_by_one(products, sizes, groups, np.ones(20, dtype=np.bool_), 0.1)


def test_a_new_micro_cluster_near_no_group_opens_one_that_the_next_can_join() -> None:
    found = adopt(index_of(sums_of(EAST, NORTH, NORTH)), ints(1, 1, 1), ints(7, NO_GROUP, NO_GROUP), threshold=0.5)

    assert found.tolist() == [7, 8, 8]


def test_adopting_never_moves_what_has_a_group() -> None:
    found = adopt(index_of(sums_of(EAST, EAST, EAST)), ints(1, 1, 1), ints(7, 8, NO_GROUP), threshold=0.5)

    assert found.tolist()[:2] == [7, 8]


def test_a_text_that_says_nothing_is_adopted_by_none() -> None:
    found = adopt(index_of(sums_of(EAST, [0.0, 0.0])), ints(1, 1), ints(7, NO_GROUP), threshold=-1.0)

    assert found.tolist() == [7, 8]


def test_adoption_heeds_codes() -> None:
    kinds = kinds_of(["404", "500"], ["", ""])

    found = adopt(index_of(sums_of(EAST, EAST)), ints(1, 1), ints(7, NO_GROUP), threshold=0.5, kinds=kinds)

    assert found.tolist() == [7, 8]


# Thresholds


def test_without_corrections_the_threshold_is_that_of_the_calibration() -> None:
    assert adapted_factor(sums_of(EAST), ints(1), Constraints(ints(NO_GROUP)), usual_weighted=0.3) == 1.0


def test_what_was_taken_apart_raises_the_threshold_a_little() -> None:
    sums = sums_of(EAST, [0.5, 0.866])

    factor = adapted_factor(sums, ints(1, 1), Constraints(ints(7, 8), ((7, 8),)), usual_weighted=0.3)

    assert factor == pytest.approx((0.5 / group_threshold(0.3)) ** (1 / 6), abs=1e-4)


def test_what_was_put_together_lowers_the_threshold_a_little() -> None:
    sums = sums_of(EAST, [0.3, 0.954])

    factor = adapted_factor(sums, ints(1, 1), Constraints(ints(7, 7)), usual_weighted=0.3)

    assert factor == pytest.approx((0.3 / group_threshold(0.3)) ** (1 / 6), abs=1e-4)


def test_a_merger_has_one_vote_however_many_wordings_it_joins() -> None:
    few = adapted_factor(sums_of(EAST, [0.3, 0.954]), ints(1, 1), Constraints(ints(7, 7)), usual_weighted=0.3)
    many = adapted_factor(
        sums_of(*[EAST, [0.3, 0.954]] * 5), ints(*[1] * 10), Constraints(ints(*[7] * 10)), usual_weighted=0.3
    )

    assert 1.0 >= many >= few


def test_corrections_that_say_what_was_known_change_nothing() -> None:
    pins = Constraints(ints(7, 7, 8), barred=((7, 8),))

    assert adapted_factor(sums_of(EAST, EAST, NORTH), ints(1, 1, 1), pins, usual_weighted=0.3) == 1.0


@pytest.mark.parametrize(("pins", "barred"), [(ints(7, 8), ((7, 8),)), (ints(7, 7), ())])
def test_what_people_know_and_vectors_do_not_tell_moves_no_threshold(
    pins: IntArray, barred: tuple[tuple[int, int], ...]
) -> None:
    sums = sums_of(EAST, EAST) if barred else sums_of(EAST, WEST)

    assert adapted_factor(sums, ints(1, 1), Constraints(pins, barred), usual_weighted=0.3) == 1.0


def test_the_threshold_moves_by_a_fifth_at_most() -> None:
    pins = ints(*range(40))
    barred = tuple((one, one + 1) for one in range(0, 40, 2))
    sums = sums_of(*[EAST, [0.55, 0.835]] * 20)

    assert adapted_factor(sums, ints(*[1] * 40), Constraints(pins, barred), usual_weighted=0.3) == 1.2


def test_a_threshold_is_never_above_1() -> None:
    assert group_threshold(0.99) == 1.0


# Refusals


def test_a_new_id_that_is_in_use_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 8"):
        refine(sums_of(EAST), ints(1), ints(7), threshold=0.5, first_new_group=7)
    with pytest.raises(ValueError, match="at least 8"):
        adopt(index_of(sums_of(EAST)), ints(1), ints(7), threshold=0.5, first_new_group=7)


def test_an_empty_micro_cluster_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        refine(sums_of(EAST), ints(0), ints(7), threshold=0.5)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="must fit"):
        refine(sums_of(EAST, NORTH), ints(1), ints(7, 8), threshold=0.5)
    with pytest.raises(ValueError, match="pins must have shape"):
        refine(sums_of(EAST), ints(1), ints(7), threshold=0.5, constraints=Constraints(ints(1, 2)))
