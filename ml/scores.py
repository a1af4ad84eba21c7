"""How well a grouping of texts agrees with labels given by people.

Invariant: scores depend only on who is grouped with whom, never on the names or the order of the groups. Used by
benchmarks and tests, never by the running system. Scores of alarms are in `outage_scores`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ml.types import Float64Array


class PrecisionRecall(NamedTuple):
    """Precision, recall and their harmonic mean, each in [0, 1]."""

    precision: float
    recall: float
    f1: float


def b_cubed(labels: npt.ArrayLike, clusters: npt.ArrayLike) -> PrecisionRecall:
    """B-cubed precision, recall and F1: for the average text, how pure and how complete its cluster is.

    Parameters
    ----------
    labels : array-like of shape (n_texts,)
        True classes; any integers or strings.
    clusters : array-like of shape (n_texts,)
        Found clusters; any integers or strings.

    Returns
    -------
    PrecisionRecall
        All 1.0 where there is no text.

    Raises
    ------
    ValueError
        If the lengths differ or an input is not one-dimensional.

    Notes
    -----
    Cost O(n log n) time, O(number of non-empty cells) memory.

    References
    ----------
    Bagga, A., Baldwin, B. (1998). Entity-based cross-document coreferencing using the vector space model.
    doi:10.3115/980451.980859

    Examples
    --------
    >>> b_cubed(["a", "a", "b", "b"], [1, 1, 1, 1])
    PrecisionRecall(precision=0.5, recall=1.0, f1=0.6666666666666666)
    """
    cells, label_sizes, cluster_sizes, n_texts = _contingency(labels, clusters)
    if n_texts == 0:
        return PrecisionRecall(1.0, 1.0, 1.0)
    squares = cells**2
    return _with_f1(float((squares / cluster_sizes).sum() / n_texts), float((squares / label_sizes).sum() / n_texts))


def pair_precision_recall(labels: npt.ArrayLike, clusters: npt.ArrayLike) -> PrecisionRecall:
    """Precision, recall and F1 over pairs of texts: grouped together against labelled alike.

    Parameters
    ----------
    labels, clusters : array-like of shape (n_texts,)
        As for `b_cubed`.

    Returns
    -------
    PrecisionRecall
        Precision is 1.0 where no pair is grouped, recall is 1.0 where no pair is labelled alike.

    Raises
    ------
    ValueError
        If the lengths differ or an input is not one-dimensional.

    Notes
    -----
    Cost O(n log n). Large clusters dominate, other than in `b_cubed`.

    References
    ----------
    Rand, W. M. (1971). Objective criteria for the evaluation of clustering methods. doi:10.1080/01621459.1971.10482356

    Examples
    --------
    >>> pair_precision_recall(["a", "a", "b", "b"], [1, 1, 2, 3])
    PrecisionRecall(precision=1.0, recall=0.5, f1=0.6666666666666666)
    """
    cells, label_sizes, cluster_sizes, _ = _contingency(labels, clusters)

    def n_pairs(sizes: Float64Array) -> float:
        return float((sizes * (sizes - 1)).sum() / 2)

    both = n_pairs(cells)
    # Each class appears once a cell in these arrays: share its pairs out by cell so that they sum to the class's own.
    grouped = float((cells * (cluster_sizes - 1)).sum() / 2)
    alike = float((cells * (label_sizes - 1)).sum() / 2)
    return _with_f1(both / grouped if grouped else 1.0, both / alike if alike else 1.0)


def _with_f1(precision: float, recall: float) -> PrecisionRecall:
    both = precision + recall
    return PrecisionRecall(precision, recall, 2 * precision * recall / both if both else 0.0)


def _contingency(
    labels: npt.ArrayLike, clusters: npt.ArrayLike
) -> tuple[Float64Array, Float64Array, Float64Array, int]:
    """Size of each non-empty (label, cluster) cell, of its label and of its cluster; and the number of texts."""
    label_array, cluster_array = np.asarray(labels), np.asarray(clusters)
    if label_array.ndim != 1 or cluster_array.ndim != 1 or len(label_array) != len(cluster_array):
        raise ValueError(
            f"labels and clusters must be one-dimensional and of equal length, "
            f"not of shapes {label_array.shape} and {cluster_array.shape}"
        )
    _, label_of, label_n = np.unique(label_array, return_inverse=True, return_counts=True)
    _, cluster_of, cluster_n = np.unique(cluster_array, return_inverse=True, return_counts=True)
    cell_of = label_of.astype(np.int64) * max(1, len(cluster_n)) + cluster_of
    _, first, cell_n = np.unique(cell_of, return_index=True, return_counts=True)
    return (
        cell_n.astype(np.float64),
        label_n[label_of[first]].astype(np.float64),
        cluster_n[cluster_of[first]].astype(np.float64),
        len(label_array),
    )
