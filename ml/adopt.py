"""The cluster of a new micro-cluster, at once: the immediate answer between two refinements.

Invariant: groups that exist are not changed. Not here: merging and splitting (`refine`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.sparse import csc_array

from ml.apart import BURST_SECONDS, beside_wording, lengths_of
from ml.linkage import MANY_REPORTS, more_of_many
from ml.refine import NO_GROUP, check_shapes, first_group
from ml.types import BoolArray, Float64Array, FloatArray, IntArray

# From more micro-clusters on, adding up the products with all groups in one go pays.
FEW: Final = 8


def adopt(
    sums: FloatArray,
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
    sums, n_reports, groups, threshold, kinds, middles, first_new_group
        See `refine`.

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
    Cost O(u k d) as one matrix product and O(u (k + g)) on top, for u ungrouped micro-clusters and g groups.

    Examples
    --------
    >>> import numpy as np
    >>> sums = np.array([[2.0, 0.0], [0.9, 0.4], [0.0, 1.0]], dtype=np.float32)
    >>> adopt(sums, np.array([2, 1, 1]), np.array([7, -1, -1]), threshold=0.5).tolist()
    [7, 7, 8]
    """
    check_shapes(sums, n_reports, groups, first_new_group)
    without = np.flatnonzero(groups == NO_GROUP)
    return adopt_by_products(
        sums[without] @ sums.T,
        np.any(sums[without] != 0, axis=1),
        n_reports,
        groups,
        threshold=threshold,
        kinds=kinds,
        middles=middles,
        same_time=same_time,
        burst_seconds=burst_seconds,
        first_new_group=first_new_group,
        lengths=lengths_of(sums),
    )


def adopt_by_products(
    products: FloatArray,
    known: BoolArray,
    n_reports: IntArray,
    groups: IntArray,
    *,
    threshold: float,
    kinds: IntArray | None = None,
    middles: Float64Array | None = None,
    same_time: float = 0.0,
    burst_seconds: float = BURST_SECONDS,
    first_new_group: int | None = None,
    lengths: FloatArray | None = None,
) -> IntArray:
    """`adopt` for who has the products at hand (`ml.nearest.Index.products`), so that no sum need be copied.

    Parameters
    ----------
    products : ndarray of shape (u, k), float32
        Of the sums of the u ungrouped micro-clusters, in order, with all sums.
    known : ndarray of shape (u,), bool
        False where such a sum is all-zero.
    n_reports, groups, threshold, kinds, middles, same_time, burst_seconds, first_new_group
        See `refine`.
    lengths : ndarray of shape (k,), float32, optional
        Of all sums (`ml.nearest.Index.lengths`); by default that of texts that are alike and count once. Needed with
        kinds, for otherwise codes do not keep apart what counts for more.

    Returns
    -------
    ndarray of shape (k,), int64

    Notes
    -----
    Cost O(u (k + g)).

    Examples
    --------
    >>> import numpy as np
    >>> products = np.array([[0.9, 1.0]], dtype=np.float32)
    >>> adopt_by_products(products, np.array([True]), np.array([1, 1]), np.array([7, -1]), threshold=0.5).tolist()
    [7, 7]
    """
    next_group = first_group(groups, first_new_group)
    adopted = groups.copy()
    without = np.flatnonzero(groups == NO_GROUP)
    if len(without) == 0:
        return adopted
    grouped = np.flatnonzero(groups != NO_GROUP)
    ids, place = _dense(groups[grouped])
    n_old = len(ids)
    n_all = n_old + len(without)
    sizes = np.zeros(n_all)
    sizes[:n_old] = np.bincount(place, weights=n_reports[grouped], minlength=n_old)
    heft = n_reports.astype(np.float32) if lengths is None else lengths
    pairs = beside_wording(products, without, n_reports, heft, kinds, middles, same_time, burst_seconds)
    among = pairs[:, without]
    is_new_last = bool(without[0] == len(grouped))  # as they are when a batch has just been placed
    old = pairs[:, : len(grouped)] if is_new_last else pairs[:, grouped]
    totals = _totals(old, place, n_old)
    totals[np.flatnonzero(sizes[:n_old] == 0)] = -np.inf  # ids that do not occur
    means = np.empty((len(without), n_all))
    share = np.divide(1.0, sizes[:n_old], out=np.ones(n_old), where=sizes[:n_old] > 0)
    np.multiply(totals.T, share, out=means[:, :n_old])
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
    for row, (index, n, is_known) in enumerate(zip(without.tolist(), n_own.tolist(), known.tolist(), strict=True)):
        if not is_known:
            adopted[index], next_group = next_group, next_group + 1
            continue
        nearest = int(means[row, :n_groups].argmax()) if n_groups else -1
        if nearest < 0 or means.item(row, nearest) < threshold * n:
            nearest, n_groups = n_groups, n_groups + 1
            group_ids[nearest], next_group = next_group, next_group + 1
            grown[nearest] = np.zeros(len(without))
        elif nearest not in grown:
            grown[nearest] = totals[nearest].astype(np.float64)
        adopted[index] = group_ids[nearest]
        size = sizes.item(nearest) + n
        sizes[nearest] = size
        asked[nearest] = more[min(int(size), MANY_REPORTS)]
        grown[nearest] += among[:, row]
        rest = slice(row + 1, None)
        means[rest, nearest] = grown[nearest][rest] * (1.0 / size)
        if last_large > row:
            means[rest, nearest] -= np.minimum(asked[nearest], asked_of_own[rest]) * n_own[rest]
    return adopted


def _totals(products: FloatArray, place: IntArray, n_groups: int) -> FloatArray | Float64Array:
    """Products of each row with the sums of each group, one group a row, from those with all its members."""
    if len(products) > FEW:
        # The same as below in one product, which takes some time to prepare. (By columns, for each has one entry.)
        ones, ends = np.ones(len(place), dtype=products.dtype), np.arange(len(place) + 1)
        found: FloatArray = csc_array((ones, place, ends), (n_groups, len(place))) @ np.ascontiguousarray(products.T)
        return found
    rows = [np.bincount(place, weights=row, minlength=n_groups) for row in products]
    return np.array(rows, dtype=np.float64).T


def _dense(groups: IntArray) -> tuple[IntArray, IntArray]:
    """The ids that occur, perhaps with some that do not, and the place of each group among them."""
    low, high = (int(groups.min()), int(groups.max())) if len(groups) else (0, -1)
    # Sorting ten thousand ids takes longer than all the rest; where they lie close together it is not needed.
    if high - low < 2 * len(groups):
        return np.arange(low, high + 1), groups - low
    ids, place = np.unique(groups, return_inverse=True)
    return ids, place
