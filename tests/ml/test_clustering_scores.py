"""Scores of groupings on figures a reader can check by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.scores import b_cubed, pair_precision_recall

LABELLED = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30)


def test_b_cubed_of_a_grouping_that_is_right_is_one() -> None:
    assert b_cubed(["a", "a", "b"], [5, 5, 9]) == (1.0, 1.0, 1.0)


def test_b_cubed_by_hand() -> None:
    # Texts 1-3 share a cluster that holds two labels: precision 2/3, 2/3, 1/3; text 4 is alone: 1. Mean 2/3.
    # Label a is whole: recall 1, 1; label b is halved: 1/2, 1/2. Mean 3/4.
    found = b_cubed(["a", "a", "b", "b"], [1, 1, 1, 2])

    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(3 / 4)
    assert found.f1 == pytest.approx(12 / 17)


def test_pairs_by_hand() -> None:
    # Grouped: 12, 13, 23; alike: 12, 34; both: 12.
    found = pair_precision_recall(["a", "a", "b", "b"], [1, 1, 1, 2])

    assert found.precision == pytest.approx(1 / 3)
    assert found.recall == pytest.approx(1 / 2)


def test_texts_all_alone_have_perfect_precision_and_no_recall_of_pairs() -> None:
    found = pair_precision_recall(["a", "a"], [1, 2])

    assert found == (1.0, 0.0, 0.0)


def test_no_text_scores_one() -> None:
    assert b_cubed([], []) == (1.0, 1.0, 1.0)
    assert pair_precision_recall([], []) == (1.0, 1.0, 1.0)


@given(LABELLED)
def test_names_of_groups_do_not_matter(rows: list[tuple[int, int]]) -> None:
    labels, clusters = zip(*rows, strict=True)

    renamed = [f"cluster {9 - cluster}" for cluster in clusters]

    assert b_cubed(labels, renamed) == pytest.approx(b_cubed(labels, clusters))


@given(LABELLED)
def test_swapping_labels_and_clusters_swaps_precision_and_recall(rows: list[tuple[int, int]]) -> None:
    labels, clusters = zip(*rows, strict=True)

    there, back = b_cubed(labels, clusters), b_cubed(clusters, labels)

    assert (there.precision, there.recall) == pytest.approx((back.recall, back.precision))


@pytest.mark.parametrize("score", [b_cubed, pair_precision_recall])
def test_lengths_must_agree(score: object) -> None:
    with pytest.raises(ValueError, match="equal length"):
        score([1, 2], [1])  # type: ignore[operator]
