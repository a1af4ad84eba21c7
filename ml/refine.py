"""Exact average linkage over micro-clusters: what people see as one problem, merged and split from time to time.

Invariant: the result depends on sums and sizes alone, so running it twice changes nothing; and an id, once given to
some content, never means other content. Not here: texts, regions, and when to run it.
"""

from __future__ import annotations

import numpy as np

from ml.types import BoolArray, Float64Array, FloatArray, IntArray

NO_GROUP = -1


def refine(
    sums: FloatArray,
    n_reports: IntArray,
    groups: IntArray,
    *,
    threshold: float,
    first_new_group: int | None = None,
) -> IntArray:
    """Group micro-clusters by exact average linkage over their reports, keeping group ids where content stays.

    The similarity of two groups is the mean cosine over all pairs of a report of one and a report of the other, which
    is `S_i · S_j / (n_i n_j)` of their sums. The most alike groups merge until none are as alike as the threshold.
    Micro-clusters themselves are never taken apart; those without a known token (all-zero sum) stay alone.

    Parameters
    ----------
    sums : ndarray of shape (k, d), float32
        As in `LeaderState`.
    n_reports : ndarray of shape (k,), int64
        Members, at least 1 each.
    groups : ndarray of shape (k,), int64
        Group of each so far, `NO_GROUP` (-1) if none yet.
    threshold : float
        Mean cosine from which groups are one problem: the service's `usual_similarity`.
    first_new_group : int, optional
        Ids of new groups count up from here; by default from `max(groups) + 1`. Give it where ids above that have been
        used before.

    Returns
    -------
    ndarray of shape (k,), int64
        Group of each. A refined group keeps the old id that covers most of its reports, if it is also where most of
        that id's reports went (at a tie, the lower id, and the group with the lower first index); otherwise it gets a
        new id.

    Raises
    ------
    ValueError
        If shapes do not fit, a size is below 1, or `first_new_group` is taken.

    Notes
    -----
    Nearest-neighbour chains with the Lance-Williams update: O(k² d) for the similarities, O(k²) time on top in
    practice and 4 k² bytes (100 MB, about 0.4 s at k = 5,000).

    References
    ----------
    Sokal, R. R., Michener, C. D. (1958). A statistical method for evaluating systematic relationships. University of
    Kansas Science Bulletin 38, 1409-1438. Murtagh, F. (1983). A survey of recent advances in hierarchical clustering
    algorithms. doi:10.1093/comjnl/26.4.354

    Examples
    --------
    >>> import numpy as np
    >>> sums = np.array([[2.0, 0.0], [1.8, 0.8], [0.0, 1.0]], dtype=np.float32)
    >>> refine(sums, np.array([2, 2, 1]), np.array([7, 8, 9]), threshold=0.5).tolist()
    [7, 7, 9]
    """
    _check(sums, n_reports, groups)
    unused = int(max(groups.max(initial=NO_GROUP), NO_GROUP)) + 1
    if first_new_group is not None and first_new_group < unused:
        raise ValueError(f"first_new_group must be above every group in use, at least {unused}, not {first_new_group}")
    parts = average_linkage(sums, n_reports, threshold=threshold)
    return _inherit(parts, n_reports, groups, unused if first_new_group is None else first_new_group)


def average_linkage(sums: FloatArray, n_reports: IntArray, *, threshold: float) -> IntArray:
    """The partition of `refine` without regard to ids.

    Parameters
    ----------
    sums, n_reports, threshold
        See `refine`.

    Returns
    -------
    ndarray of shape (k,), int64
        For each micro-cluster the lowest index in its group.

    Notes
    -----
    Average linkage is reducible: a merger never comes nearer to a third group than the nearer of its two halves was.
    So groups that are each other's nearest may merge at once, whatever the order, and a group whose nearest is below
    the threshold is finished.

    Examples
    --------
    >>> import numpy as np
    >>> average_linkage(np.eye(3, dtype=np.float32)[[0, 1, 0]], np.ones(3, dtype=np.int64), threshold=0.5).tolist()
    [0, 1, 0]
    """
    k = len(n_reports)
    # float32, since float64 would double the memory and the threshold is itself an estimate.
    means = (sums / np.maximum(n_reports, 1)[:, None]).astype(np.float32)
    similarity = means @ means.T
    np.fill_diagonal(similarity, -np.inf)
    waiting: BoolArray = np.any(sums != 0, axis=1)
    similarity[~waiting] = -np.inf
    similarity[:, ~waiting] = -np.inf
    sizes = n_reports.astype(np.float64)
    parent = np.arange(k, dtype=np.int64)
    chain: list[int] = []
    start = 0

    def close(index: int) -> None:
        waiting[index] = False
        similarity[index] = -np.inf
        similarity[:, index] = -np.inf

    while True:
        if not chain:
            while start < k and not waiting[start]:
                start += 1
            if start == k:
                break
            chain.append(start)
        tip = chain[-1]
        nearest = int(similarity[tip].argmax())
        if similarity[tip, nearest] < threshold:
            close(tip)
            chain.pop()
            continue
        # At a tie the chain turns back; otherwise equal distances could lead it round in circles.
        if len(chain) > 1 and similarity[tip, chain[-2]] == similarity[tip, nearest]:
            nearest = chain[-2]
            del chain[-2:]
            keep, gone = min(tip, nearest), max(tip, nearest)
            _merge(similarity, sizes, keep, gone)
            parent[gone] = keep
            close(gone)
        else:
            chain.append(nearest)
    # A merger keeps the lower index, so every parent comes before its children.
    for index in range(k):
        parent[index] = parent[parent[index]]
    return parent


def adopt(
    sums: FloatArray,
    n_reports: IntArray,
    groups: IntArray,
    *,
    threshold: float,
    first_new_group: int | None = None,
) -> IntArray:
    """Give micro-clusters that have no group yet the group they would join, or a new one, at once.

    The immediate answer between two refinements: each ungrouped micro-cluster, in order, joins the group to whose
    reports it is most alike on average if that reaches the threshold. Groups that exist are not changed.

    Parameters
    ----------
    sums, n_reports, groups, threshold, first_new_group
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
    Cost O(u k d) as one matrix product and O(u k) on top, for u ungrouped micro-clusters.

    Examples
    --------
    >>> import numpy as np
    >>> sums = np.array([[2.0, 0.0], [0.9, 0.4], [0.0, 1.0]], dtype=np.float32)
    >>> adopt(sums, np.array([2, 1, 1]), np.array([7, -1, -1]), threshold=0.5).tolist()
    [7, 7, 8]
    """
    _check(sums, n_reports, groups)
    unused = int(max(groups.max(initial=NO_GROUP), NO_GROUP)) + 1
    if first_new_group is not None and first_new_group < unused:
        raise ValueError(f"first_new_group must be above every group in use, at least {unused}, not {first_new_group}")
    next_group = unused if first_new_group is None else first_new_group
    adopted = groups.copy()
    without = np.flatnonzero(groups == NO_GROUP)
    if len(without) == 0:
        return adopted
    known = np.any(sums != 0, axis=1)
    member = (groups != NO_GROUP) & known
    ids, place = np.unique(groups[member], return_inverse=True)
    n_groups = len(ids)
    group_ids = np.concatenate((ids, np.zeros(len(without), dtype=np.int64)))
    group_sizes = np.zeros(n_groups + len(without))
    group_sizes[:n_groups] = np.bincount(place, weights=n_reports[member], minlength=n_groups)
    nowhere = n_groups + len(without)
    place_of = np.full(len(groups), nowhere, dtype=np.int64)
    place_of[member] = place
    # The product with a group's sum is the sum of the products with its micro-clusters: no group's sum is ever formed.
    dots = sums[without] @ sums.T
    for row, index in enumerate(without.tolist()):
        totals = np.bincount(place_of, weights=dots[row], minlength=nowhere + 1)[:n_groups]
        means = totals / (group_sizes[:n_groups] * n_reports[index])
        nearest = int(means.argmax()) if n_groups else -1
        if not known[index] or nearest < 0 or means[nearest] < threshold:
            adopted[index], next_group = next_group, next_group + 1
            if not known[index]:
                continue
            nearest, n_groups = n_groups, n_groups + 1
            group_ids[nearest] = adopted[index]
        adopted[index] = group_ids[nearest]
        place_of[index] = nearest
        group_sizes[nearest] += n_reports[index]
    return adopted


def _merge(similarity: FloatArray, sizes: Float64Array, keep: int, gone: int) -> None:
    share = sizes[keep] / (sizes[keep] + sizes[gone])
    merged = (share * similarity[keep] + (1.0 - share) * similarity[gone]).astype(np.float32)
    merged[keep] = -np.inf
    similarity[keep] = merged
    similarity[:, keep] = merged
    sizes[keep] += sizes[gone]


def _inherit(parts: IntArray, n_reports: IntArray, groups: IntArray, next_group: int) -> IntArray:
    """Ids for the parts: an old id goes to a part if each is where most of the other lies."""
    shared: dict[tuple[int, int], int] = {}
    for part, group, size in zip(parts.tolist(), groups.tolist(), n_reports.tolist(), strict=True):
        if group != NO_GROUP:
            shared[part, group] = shared.get((part, group), 0) + size
    most_of_part: dict[int, tuple[int, int]] = {}  # part -> (-reports shared, group)
    most_of_group: dict[int, tuple[int, int]] = {}  # group -> (-reports shared, part)
    for (part, group), size in shared.items():
        most_of_part[part] = min(most_of_part.get(part, (1, 0)), (-size, group))
        most_of_group[group] = min(most_of_group.get(group, (1, 0)), (-size, part))
    ids: dict[int, int] = {}
    for part in np.unique(parts).tolist():
        group = most_of_part.get(part, (0, NO_GROUP))[1]
        if group != NO_GROUP and most_of_group[group][1] == part:
            ids[part] = group
        else:
            ids[part], next_group = next_group, next_group + 1
    return np.array([ids[part] for part in parts.tolist()], dtype=np.int64)


def _check(sums: FloatArray, n_reports: IntArray, groups: IntArray) -> None:
    if sums.ndim != 2 or n_reports.shape != (len(sums),) or groups.shape != (len(sums),):
        raise ValueError(
            f"sums (k, d), n_reports (k,) and groups (k,) must fit, not {sums.shape}, {n_reports.shape}, {groups.shape}"
        )
    if n_reports.min(initial=1) < 1:
        raise ValueError("n_reports must be at least 1 for every micro-cluster")
