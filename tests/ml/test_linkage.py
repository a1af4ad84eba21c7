"""Chains of nearest neighbours give the partition of average linkage, from wherever they begin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from ml.linkage import MANY_REPORTS, average_linkage, more_of_many
from ml.types import FloatArray, IntArray

EAST, NORTH = [1.0, 0.0], [0.0, 1.0]


def sums_of(*rows: list[float]) -> FloatArray:
    return np.array(rows, dtype=np.float32)


def ones(k: int) -> IntArray:
    return np.ones(k, dtype=np.int64)


def canonical(parts: IntArray) -> list[int]:
    first: dict[int, int] = {}
    return [first.setdefault(part, index) for index, part in enumerate(parts.tolist())]


def random_units(k: int, n_dims: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(k, n_dims))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def partition_of_scipy(similarities: np.ndarray, threshold: float) -> list[int]:
    # An offset keeps distances above zero; average linkage only shifts with it.
    distances = squareform(5.0 - similarities, checks=False)
    return canonical(fcluster(linkage(distances, "average"), 5.0 - threshold, "distance"))


def partitions_of_scipy(similarities: np.ndarray, threshold: float) -> list[list[int]]:
    """The partition, and those that a change of the similarities by float32's rounding gives: where two pairs are as
    good as equally alike, either may merge first."""
    rng = np.random.default_rng(0)
    rounding = [np.zeros_like(similarities), *(rng.uniform(-4e-6, 4e-6, similarities.shape) for _ in range(16))]
    return [partition_of_scipy(similarities + (noise + noise.T) / 2, threshold) for noise in rounding]


def merge_the_most_alike(
    sums: FloatArray, sizes: IntArray, threshold: float, barred: list[tuple[int, int]], more: FloatArray | None = None
) -> list[int]:
    """The definition, as plain as can be: again and again the most alike pair that no bar keeps apart."""
    groups = [{index} for index in range(len(sizes))]
    while True:
        best, pair = threshold, None
        for a in range(len(groups)):
            for b in range(a + 1, len(groups)):
                if any((x in groups[a] and y in groups[b]) or (y in groups[a] and x in groups[b]) for x, y in barred):
                    continue
                one, other = list(groups[a]), list(groups[b])
                total = sums[one].sum(axis=0, dtype=np.float64) @ sums[other].sum(axis=0, dtype=np.float64)
                alike = total / (sizes[one].sum() * sizes[other].sum())
                if more is not None:
                    alike -= float(more[min(int(sizes[one].sum()), int(sizes[other].sum()), MANY_REPORTS)])
                if alike >= best:
                    best, pair = alike, (a, b)
        if pair is None:
            break
        groups[pair[0]] |= groups.pop(pair[1])
    return [min(group) for index in range(len(sizes)) for group in groups if index in group]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), threshold=st.floats(-0.2, 0.9))
def test_the_partition_is_that_of_scipy_over_single_reports(seed: int, threshold: float) -> None:
    reports = random_units(30, 4, seed)

    ours = average_linkage(reports.astype(np.float32), ones(30), threshold=threshold)

    assert canonical(ours) in partitions_of_scipy(reports @ reports.T, threshold)


def test_the_partition_is_that_of_scipy_where_there_are_many() -> None:
    reports = random_units(400, 16, 1)

    ours = average_linkage(reports.astype(np.float32), ones(400), threshold=0.3, starts=np.ones(400, dtype=np.bool_))

    assert canonical(ours) == partition_of_scipy(reports @ reports.T, 0.3)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), threshold=st.floats(-0.2, 0.8))
@example(seed=6896, threshold=0.0)  # two pairs as good as equally alike
def test_signs_turn_what_is_shared_into_what_takes_apart(seed: int, threshold: float) -> None:
    reports = random_units(20, 6, seed)
    signs = np.array([1, 1, 1, 1, -1, -1], dtype=np.float32)

    ours = average_linkage(reports.astype(np.float32), ones(20), threshold=threshold, signs=signs)

    assert canonical(ours) in partitions_of_scipy((reports * signs) @ reports.T, threshold)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), threshold=st.floats(-0.1, 0.6), n_barred=st.integers(0, 12))
def test_sizes_and_bars_are_respected_as_by_the_definition(seed: int, threshold: float, n_barred: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 6, size=12)
    sums = (random_units(12, 4, seed) * sizes[:, None] * rng.uniform(0.6, 1.0, size=(12, 1))).astype(np.float32)
    barred = [(int(a), int(b)) for a, b in (rng.choice(12, size=2, replace=False) for _ in range(n_barred))]

    ours = average_linkage(sums, sizes, threshold=threshold, barred=barred)

    assert ours.tolist() == merge_the_most_alike(sums, sizes, threshold, barred)
    assert all(ours[a] != ours[b] for a, b in barred)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), threshold=st.floats(0.05, 0.6))
def test_more_is_asked_of_large_groups_as_by_the_definition(seed: int, threshold: float) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 40, size=12)
    sums = (random_units(12, 4, seed) * sizes[:, None] * rng.uniform(0.6, 1.0, size=(12, 1))).astype(np.float32)
    more = more_of_many(threshold)

    ours = average_linkage(sums, sizes, threshold=threshold, more=more)

    assert ours.tolist() == merge_the_most_alike(sums, sizes, threshold, [], more)


@pytest.mark.parametrize(("n_reports", "are_one"), [((1, 1), True), ((32, 1), True), ((32, 32), False)])
def test_two_large_groups_must_be_more_alike_than_two_reports(n_reports: tuple[int, int], are_one: bool) -> None:
    # .52 is 4 % above the threshold: enough for up to four doublings of 1 %, not for the five of 32 reports.
    sums = sums_of(EAST, [0.52, 0.854]) * np.array(n_reports, dtype=np.float32)[:, None]

    found = average_linkage(sums, np.array(n_reports), threshold=0.5, more=more_of_many(0.5))

    assert (found[0] == found[1]) == are_one


def test_from_32_reports_on_no_more_is_asked() -> None:
    sums = sums_of([1_000.0, 0.0], [560.0, 828.0])

    assert average_linkage(sums, np.array([1_000, 1_000]), threshold=0.5, more=more_of_many(0.5)).tolist() == [0, 0]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), threshold=st.floats(0.05, 0.8))
def test_what_was_refined_before_need_not_start(seed: int, threshold: float) -> None:
    # The first 15 are refined; then 5 more come, and only these start.
    old, new = random_units(15, 4, seed).astype(np.float32), random_units(5, 4, seed + 1).astype(np.float32)
    parts = canonical(average_linkage(old, ones(15), threshold=threshold))
    names, atom = np.unique(parts, return_inverse=True)
    sums = np.concatenate((np.array([old[atom == a].sum(axis=0) for a in range(len(names))]), new))
    sizes = np.concatenate((np.bincount(atom), ones(5)))

    some = average_linkage(sums, sizes, threshold=threshold, starts=np.arange(len(sizes)) >= len(names))

    np.testing.assert_array_equal(some, average_linkage(sums, sizes, threshold=threshold))


def test_the_order_does_not_matter() -> None:
    reports = random_units(60, 5, 2).astype(np.float32)
    order = np.random.default_rng(3).permutation(60)

    plain = average_linkage(reports, ones(60), threshold=0.3)
    shuffled = average_linkage(reports[order], ones(60), threshold=0.3)

    np.testing.assert_array_equal(plain[order][:, None] == plain[order], shuffled[:, None] == shuffled)


def test_a_micro_cluster_weighs_as_many_reports_as_it_has() -> None:
    # The three reports of the first against the one of the other: (1 + 1 + 0) / 3. Their centroids are nearer: .89.
    sums, sizes = sums_of([2.0, 1.0], EAST), np.array([3, 1])

    assert average_linkage(sums, sizes, threshold=0.66).tolist() == [0, 0]
    assert average_linkage(sums, sizes, threshold=0.67).tolist() == [0, 1]


def test_a_hub_does_not_chain_strangers_together() -> None:
    # North-east is near both east and north, which have nothing in common: single linkage would join all three.
    parts = average_linkage(sums_of(EAST, [0.71, 0.71], NORTH), ones(3), threshold=0.6)

    assert len(set(parts.tolist())) == 2


def test_what_says_nothing_stays_alone() -> None:
    parts = average_linkage(sums_of([0.0, 0.0], EAST, [0.0, 0.0], EAST), np.array([5, 1, 2, 1]), threshold=-1.0)

    assert parts.tolist() == [0, 1, 2, 1]


def test_copies_merge_whatever_their_number() -> None:
    parts = average_linkage(np.tile(sums_of(EAST), (200, 1)), ones(200), threshold=0.99)

    assert set(parts.tolist()) == {0}


def test_a_bar_is_inherited_by_what_merges() -> None:
    # 0 and 1 are one at once, so 2, barred from 0, cannot join 1 either.
    parts = average_linkage(sums_of(EAST, EAST, EAST), ones(3), threshold=0.5, barred=[(0, 2), (1, 2)])

    assert parts.tolist() == [0, 0, 2]


@pytest.mark.parametrize("starts", [[False] * 4, [True, False, False, False]])
def test_what_no_start_reaches_stays_as_it_is(starts: list[bool]) -> None:
    parts = average_linkage(sums_of(EAST, NORTH, NORTH, [-1.0, 0.0]), ones(4), threshold=0.5, starts=np.array(starts))

    assert parts.tolist() == [0, 1, 2, 3]


def test_the_input_is_left_untouched() -> None:
    sums, sizes = sums_of(EAST, EAST, NORTH), ones(3)

    average_linkage(sums, sizes, threshold=0.5, barred=[(0, 2)])

    assert (sums.tolist(), sizes.tolist()) == ([EAST, EAST, NORTH], [1, 1, 1])
