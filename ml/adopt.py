"""The cluster of a new micro-cluster, at once: the immediate answer between two refinements.

Invariant: groups that exist are not changed. Not here: merging and splitting (`refine`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from ml.apart import BURST_SECONDS, Term, terms_beside
from ml.linkage import MANY_REPORTS, more_of_many
from ml.nearest import Index
from ml.refine import NO_GROUP, check_shapes
from ml.types import Float64Array, FloatArray, IntArray

# In a mixed stream a new wording joins a group from this share of the threshold on. Refinement would leave it there
# down to a lower one (`ml.refine.LEAVES_BELOW`), and what opens a group of its own here mostly joins one later, under
# another id. First halves, static vectors, six mixed sets: .7 % fewer first labels change, and on titles of Stack
# Overflow they lie 4.8 points of B-cubed below the final ones, not 5.9; B-cubed is the same on average. With 0.9
# Banking77 and English + Arabic lose .006. Where few topics fill the window it would join another one's (News-T, MiniLM
# and words: first labels lie 5 to 6 points below the final ones, not 4).
JOINS_FROM: Final = 0.95


def joining_threshold(threshold: float, mixed: float) -> float:
    """The mean product from which a new wording joins a group at once.

    Parameters
    ----------
    threshold : float
        Of refinement: see `ml.refine.group_threshold`.
    mixed : float
        `ml.calibration.Calibration.mixed`.

    Examples
    --------
    >>> joining_threshold(0.4, 0.0), round(joining_threshold(0.4, 1.0), 3)
    (0.4, 0.38)
    """
    return threshold * (1.0 - (1.0 - JOINS_FROM) * mixed)


def adopt(
    index: Index,
    n_reports: IntArray,
    groups: IntArray,
    *,
    threshold: float,
    kinds: IntArray | None = None,
    middles: Float64Array | None = None,
    same_time: float = 0.0,
    burst_seconds: float = BURST_SECONDS,
    first_new_group: int | None = None,
) -> IntArray:
    """Give micro-clusters that have no group yet the group they would join, or a new one, at once.

    The immediate answer between two refinements: each ungrouped micro-cluster, in order, joins the group to whose
    reports it is most alike on average if that reaches the threshold, and a little more where both are large
    (`ml.linkage.more_of_many`). Groups that exist are not changed.

    Parameters
    ----------
    index : Index
        Of the sums of all k micro-clusters.
    n_reports, groups, kinds, middles, same_time, burst_seconds, first_new_group
        See `refine`.
    threshold : float
        See `joining_threshold`.

    Returns
    -------
    ndarray of shape (k,), int64
        A copy of `groups` without `NO_GROUP`.

    Raises
    ------
    ValueError
        As `refine`.

    Notes
    -----
    Cost O(k d + u g d) for u ungrouped micro-clusters and g groups: the products with a group's members are those with
    their sum.

    Examples
    --------
    >>> import numpy as np
    >>> from ml.nearest import index_of
    >>> sums = np.array([[2.0, 0.0], [0.9, 0.4], [0.0, 1.0]], dtype=np.float32)
    >>> adopt(index_of(sums), np.array([2, 1, 1]), np.array([7, -1, -1]), threshold=0.5).tolist()
    [7, 7, 8]
    """
    next_group = check_shapes(len(index.place), n_reports, groups, first_new_group)
    adopted = groups.copy()
    without = np.flatnonzero(groups == NO_GROUP)
    if len(without) == 0:
        return adopted
    ids, place = _dense(groups)
    n_old = len(ids)
    n_all = n_old + len(without)
    own = index.rows(without)
    totals, among = index.products_with_groups(own, place, n_old), own @ own.T
    terms = terms_beside(without, n_reports, index.lengths(), kinds, middles, same_time, burst_seconds)
    _add_beside(terms, totals, among, place, without)
    is_old = place >= 0
    sizes = np.zeros(n_all)
    sizes[:n_old] = np.bincount(place[is_old], weights=n_reports[is_old], minlength=n_old)
    means = np.empty((len(without), n_all))
    np.divide(totals.T, sizes[:n_old], out=means[:, :n_old])
    more = more_of_many(threshold)
    asked = more[np.minimum(sizes, MANY_REPORTS).astype(np.int64)]
    n_own = n_reports[without]
    asked_of_own = more[np.minimum(n_own, MANY_REPORTS)]
    # What is asked of a large group is asked of it by a large micro-cluster only, and few are that as yet.
    large = np.flatnonzero(asked_of_own > 0)
    for row in large.tolist():
        means[row, :n_old] -= np.minimum(asked[:n_old], asked_of_own[row]) * n_own[row]
    last_large = int(large[-1]) if len(large) else -1
    group_ids = np.concatenate((ids, np.zeros(len(without), dtype=np.int64)))
    n_groups = n_old
    grown: dict[int, Float64Array] = {}  # products of all rows with groups that one of them has joined
    is_known: list[bool] = (own != 0).any(axis=1).tolist()
    for row, (at, n) in enumerate(zip(without.tolist(), n_own.tolist(), strict=True)):
        if not is_known[row]:
            adopted[at], next_group = next_group, next_group + 1
            continue
        nearest = int(means[row, :n_groups].argmax()) if n_groups else -1
        if nearest < 0 or means.item(row, nearest) < threshold * n:
            nearest, n_groups = n_groups, n_groups + 1
            group_ids[nearest], next_group = next_group, next_group + 1
            grown[nearest] = np.zeros(len(without))
        elif nearest not in grown:
            grown[nearest] = totals[nearest].astype(np.float64)
        adopted[at] = group_ids[nearest]
        size = sizes.item(nearest) + n
        sizes[nearest] = size
        asked[nearest] = more[min(int(size), MANY_REPORTS)]
        grown[nearest] += among[:, row]
        rest = slice(row + 1, None)
        means[rest, nearest] = grown[nearest][rest] * (1.0 / size)
        if last_large > row:
            means[rest, nearest] -= np.minimum(asked[nearest], asked_of_own[rest]) * n_own[rest]
    return adopted


def _add_beside(
    terms: Iterable[Term], totals: FloatArray, among: FloatArray, place: IntArray, without: IntArray
) -> None:
    """Add what time, codes and places say, in place, to the products of groups with what has none, and among these."""
    is_old = place >= 0
    of_each = np.zeros(len(place), dtype=np.float32)
    for term in terms:
        of_each[term.columns] = term.of_columns
        of_groups = np.bincount(place[is_old], weights=of_each[is_old], minlength=len(totals)).astype(np.float32)
        totals[:, term.rows] += of_groups[:, None] * term.of_rows
        among[:, term.rows] += of_each[without][:, None] * term.of_rows
        of_each[term.columns] = 0.0


def _dense(groups: IntArray) -> tuple[IntArray, IntArray]:
    """The ids that occur, in order, and the place of each group among them; -1 for `NO_GROUP`."""
    grouped = groups != NO_GROUP
    if not grouped.any():
        return groups[:0], groups
    low, high = int(groups[grouped].min()), int(groups.max())
    # Sorting ten thousand ids takes longer than all the rest; where they lie close together it is not needed.
    if high - low < 16 * len(groups):
        occurs = np.zeros(high - low + 1, dtype=np.bool_)
        occurs[groups[grouped] - low] = True
        ids = np.flatnonzero(occurs) + low
        place_of = np.cumsum(occurs) - 1
        return ids, np.where(grouped, place_of[np.maximum(groups - low, 0)], NO_GROUP)
    ids = np.unique(groups[grouped])
    return ids, np.where(grouped, np.searchsorted(ids, groups), NO_GROUP)
