"""Average linkage equals SciPy's on every partition, and ids stay with their content."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from ml.refine import NO_GROUP, adopt, average_linkage, refine
from ml.types import FloatArray, IntArray

EAST, NORTH, WEST = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]


def sums_of(*rows: list[float]) -> FloatArray:
    return np.array(rows, dtype=np.float32)


def ints(*values: int) -> IntArray:
    return np.array(values, dtype=np.int64)


def canonical(parts: IntArray) -> list[int]:
    first: dict[int, int] = {}
    return [first.setdefault(part, index) for index, part in enumerate(parts.tolist())]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), threshold=st.floats(-0.2, 0.9))
def test_the_partition_is_that_of_scipy_over_single_reports(seed: int, threshold: float) -> None:
    rng = np.random.default_rng(seed)
    reports = rng.normal(size=(30, 4))
    reports /= np.linalg.norm(reports, axis=1, keepdims=True)

    ours = average_linkage(reports.astype(np.float32), np.ones(30, dtype=np.int64), threshold=threshold)

    distances = squareform(np.clip(1.0 - reports @ reports.T, 0, None), checks=False)
    theirs = fcluster(linkage(distances, "average"), 1.0 - threshold, "distance")
    assert canonical(ours) == canonical(theirs)


def test_a_micro_cluster_weighs_as_many_reports_as_it_has() -> None:
    # Average of the three reports of the first with the other: (1 + 1 + 0) / 3, below 0.7 although the directions of
    # the two centroids are nearer than that.
    sums, sizes = sums_of([2.0, 1.0], EAST), ints(3, 1)

    assert average_linkage(sums, sizes, threshold=0.66).tolist() == [0, 0]
    assert average_linkage(sums, sizes, threshold=0.67).tolist() == [0, 1]


def test_a_hub_does_not_chain_strangers_together() -> None:
    # North-east is near both east and north, which have nothing in common: single linkage would join all three.
    hub = [0.71, 0.71]

    parts = average_linkage(sums_of(EAST, hub, NORTH), ints(1, 1, 1), threshold=0.6)

    assert len(set(parts.tolist())) == 2


def test_micro_clusters_without_a_known_token_stay_alone() -> None:
    parts = average_linkage(sums_of([0.0, 0.0], EAST, [0.0, 0.0], EAST), ints(5, 1, 2, 1), threshold=-1.0)

    assert parts.tolist() == [0, 1, 2, 1]


def test_copies_merge_whatever_their_number() -> None:
    parts = average_linkage(np.tile(sums_of(EAST), (200, 1)), np.ones(200, dtype=np.int64), threshold=0.99)

    assert set(parts.tolist()) == {0}


def test_a_merger_keeps_the_id_of_most_of_its_reports() -> None:
    found = refine(sums_of(EAST, [9.0, 0.0]), ints(1, 9), ints(3, 4), threshold=0.5)

    assert found.tolist() == [4, 4]


def test_a_part_split_off_gets_a_new_id_above_all() -> None:
    found = refine(sums_of([5.0, 0.0], [0.0, 2.0], WEST), ints(5, 2, 1), ints(3, 3, 8), threshold=0.5)

    assert found.tolist() == [3, 9, 8]


def test_new_ids_begin_where_the_caller_says() -> None:
    found = refine(sums_of(EAST, NORTH), ints(1, 1), ints(NO_GROUP, 2), threshold=0.5, first_new_group=50)

    assert found.tolist() == [50, 2]


def test_an_id_whose_content_went_elsewhere_is_not_given_to_what_is_left() -> None:
    # Most of group 2 joins the content of group 1; the rest of 2 must not go on under the name of 2.
    sums, sizes = sums_of([10.0, 0.0], [6.0, 0.0], [0.0, 4.0]), ints(10, 6, 4)

    found = refine(sums, sizes, ints(1, 2, 2), threshold=0.5)

    assert found.tolist() == [1, 1, 3]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_refining_twice_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sums = rng.normal(size=(25, 5)).astype(np.float32)
    sizes = rng.integers(3, 9, size=25)
    once = refine(sums, sizes, rng.integers(0, 6, size=25), threshold=0.02)

    np.testing.assert_array_equal(refine(sums, sizes, once, threshold=0.02), once)


def test_the_input_is_left_untouched() -> None:
    sums, sizes, groups = sums_of(EAST, EAST), ints(1, 1), ints(1, 2)

    refine(sums, sizes, groups, threshold=0.5)

    assert (sums.tolist(), sizes.tolist(), groups.tolist()) == ([EAST, EAST], [1, 1], [1, 2])


def test_nothing_to_refine_is_no_error() -> None:
    assert refine(np.zeros((0, 2), dtype=np.float32), ints(), ints(), threshold=0.5).shape == (0,)


def test_a_new_micro_cluster_is_adopted_by_the_nearest_group() -> None:
    found = adopt(sums_of([3.0, 0.0], [0.9, 0.3], NORTH), ints(3, 1, 1), ints(7, NO_GROUP, 9), threshold=0.5)

    assert found.tolist() == [7, 7, 9]


def test_a_new_micro_cluster_near_no_group_opens_one_that_the_next_can_join() -> None:
    found = adopt(sums_of(EAST, NORTH, NORTH), ints(1, 1, 1), ints(7, NO_GROUP, NO_GROUP), threshold=0.5)

    assert found.tolist() == [7, 8, 8]


def test_adopting_never_moves_what_has_a_group() -> None:
    found = adopt(sums_of(EAST, EAST, EAST), ints(1, 1, 1), ints(7, 8, NO_GROUP), threshold=0.5)

    assert found.tolist()[:2] == [7, 8]


def test_a_text_without_known_token_is_adopted_by_none() -> None:
    found = adopt(sums_of(EAST, [0.0, 0.0]), ints(1, 1), ints(7, NO_GROUP), threshold=-1.0)

    assert found.tolist() == [7, 8]


@pytest.mark.parametrize("regroup", [refine, adopt])
def test_a_new_id_that_is_in_use_is_refused(regroup: object) -> None:
    with pytest.raises(ValueError, match="at least 8"):
        regroup(sums_of(EAST), ints(1), ints(7), threshold=0.5, first_new_group=7)  # type: ignore[operator]


def test_an_empty_micro_cluster_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        refine(sums_of(EAST), ints(0), ints(7), threshold=0.5)
