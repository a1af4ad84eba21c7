"""Exact average linkage over sums of vectors, begun from some groups only.

Invariant: the similarity of two groups is the mean over all pairs of a member of one and a member of the other, read
from their sums; groups that a person took apart never meet. Not here: ids, and which groups are worth looking at.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from ml.types import BoolArray, Float64Array, FloatArray, IntArray

# Two readings of one float32 mean may differ by so much; a chain goes on only to what is nearer by more.
_SLACK = 1e-6
# The mean over many pairs is surer than that over few, and two large groups made one by mistake harm more than two
# wordings. So each doubling of the smaller of two groups asks for 1 % more, up to 32 reports. Chosen on the first
# halves: pair precision of Banking77 .487 to .509 with static vectors and .564 to .589 with a student, at the same
# B-cubed; 2 % gives .03 more and takes .01 B-cubed from students.
MORE_A_DOUBLING: Final = 0.01
MANY_REPORTS: Final = 32


def average_linkage(
    sums: FloatArray,
    sizes: IntArray,
    *,
    threshold: float,
    signs: FloatArray | None = None,
    starts: BoolArray | None = None,
    barred: Iterable[tuple[int, int]] = (),
    more: FloatArray | None = None,
) -> IntArray:
    """Merge the most alike groups until none are as alike as the threshold.

    Parameters
    ----------
    sums : ndarray of shape (k, d), float32
        Sum of each group's vectors; all-zero rows stay alone.
    sizes : ndarray of shape (k,), int64
        Members of each, at least 1.
    threshold : float
        Mean product from which two groups are one.
    signs : ndarray of shape (d,), float32, optional
        1 or -1 for each column: with -1 what two groups share in it takes them apart (see `apart_columns`).
    starts : ndarray of shape (k,), bool, optional
        Looked at first, and what merges with them; all by default. Give it where the rest was refined before and has
        not changed: two of those are not as alike as the threshold (or only merge if they are met on the way).
    barred : iterable of (int, int)
        Pairs that must not end in one group, nor must what they merge with.
    more : ndarray of shape (MANY_REPORTS + 1,), float32, optional
        By how much more alike two groups must be, by the size of the smaller one (`more_of_many`); never falling.

    Returns
    -------
    ndarray of shape (k,), int64
        For each group the lowest index in its merger.

    Notes
    -----
    Nearest-neighbour chains: average linkage is reducible, a merger never comes nearer to a third group than the nearer
    of its two halves was (bars are inherited, and a merger is asked for no less), so groups that are each other's
    nearest may merge at once, whatever the order. Similarities are read from the sums when asked for: O(k d) a reading,
    about 2 readings a start.

    References
    ----------
    Sokal, R. R., Michener, C. D. (1958). A statistical method for evaluating systematic relationships. University of
    Kansas Science Bulletin 38, 1409-1438. Murtagh, F. (1983). A survey of recent advances in hierarchical clustering
    algorithms. doi:10.1093/comjnl/26.4.354

    Examples
    --------
    >>> sums = np.eye(3, dtype=np.float32)[[0, 1, 0]]
    >>> average_linkage(sums, np.ones(3, dtype=np.int64), threshold=0.5).tolist()
    [0, 1, 0]
    """
    chains = _Chains(sums, sizes, threshold, signs, barred, more)
    order = np.arange(len(sizes)) if starts is None else np.flatnonzero(starts)
    for start in order.tolist():
        chains.run(start)
    parent = chains.parent
    # A merger keeps the lower index, so every parent comes before its children.
    for index in range(len(parent)):
        parent[index] = parent[parent[index]]
    return parent


def more_of_many(threshold: float) -> FloatArray:
    """By how much the mean product of two groups must exceed the threshold, by the size of the smaller one.

    Parameters
    ----------
    threshold : float

    Returns
    -------
    ndarray of shape (MANY_REPORTS + 1,), float32
        0 for a single report; the last figure is for all larger groups. All 0 where the threshold is negative.

    Examples
    --------
    >>> more_of_many(0.5)[[1, 2, 4, 32]].astype(float).round(3).tolist()
    [0.0, 0.005, 0.01, 0.025]
    """
    doublings = np.log2(np.maximum(np.arange(MANY_REPORTS + 1), 1))
    return (max(threshold, 0.0) * MORE_A_DOUBLING * doublings).astype(np.float32)


class _Chains:
    def __init__(
        self,
        sums: FloatArray,
        sizes: IntArray,
        threshold: float,
        signs: FloatArray | None,
        barred: Iterable[tuple[int, int]],
        more: FloatArray | None,
    ) -> None:
        k = len(sizes)
        self._left = sums / np.maximum(sizes, 1)[:, None].astype(np.float32)
        self._signs = None if signs is None or (signs == 1).all() else signs.astype(np.float32)
        self._sizes: Float64Array = sizes.astype(np.float64)
        self._threshold = threshold
        self._more = more
        # As `more` rises with the size, the lesser of two groups' figures is that of the smaller group.
        self._asked = None if more is None else more[np.minimum(sizes, len(more) - 1)]
        self._waiting: BoolArray = np.any(sums != 0, axis=1)
        # Added to a row's similarities: 0 where a group may still merge, -inf where not.
        self._closed = np.where(self._waiting, np.float32(0), np.float32(-np.inf))
        self._nearest: dict[int, tuple[int, float]] = {}
        self._version = np.zeros(k, dtype=np.int64)
        self._read_at: dict[int, int] = {}
        self._clock = 0  # counts mergers
        self._merged: list[int] = []
        self.parent = np.arange(k, dtype=np.int64)
        self._barred: dict[int, set[int]] = {}
        for one, other in barred:
            self._barred.setdefault(one, set()).add(other)
            self._barred.setdefault(other, set()).add(one)

    def run(self, start: int) -> None:
        """Follow the nearest of the nearest from here, merging what is each other's nearest, until nothing is near."""
        chain: list[tuple[int, float]] = []
        self._merged.append(start)
        while chain or self._merged:
            if not chain:
                # Where a merger keeps the index of a group that is no start, it must still be looked at itself.
                if self._waiting[begin := self._merged.pop()]:
                    chain.append((begin, -np.inf))
                continue
            tip, reached = chain[-1]
            nearest, similarity = self._nearest_of(tip)
            if similarity < self._threshold and len(chain) == 1:
                self._close(tip)
                chain.pop()
            elif len(chain) > 1 and (nearest == chain[-2][0] or similarity <= reached + _SLACK):
                before = chain[-2][0]
                del chain[-2:]
                self._merge(min(tip, before), max(tip, before))
                self._merged.append(min(tip, before))
            else:
                chain.append((nearest, similarity))

    def _nearest_of(self, tip: int) -> tuple[int, float]:
        known = self._nearest.get(tip)
        # By reducibility the nearest stays the nearest until it is merged or closed itself.
        if known is not None and self._closed[known[0]] == 0 and self._read_at[tip] >= self._version[known[0]]:
            return known
        own = self._left[tip] if self._signs is None else self._left[tip] * self._signs
        row = self._left @ own
        if self._asked is not None:
            row -= np.minimum(self._asked, self._asked[tip])
        row += self._closed
        row[tip] = -np.inf
        for other in self._barred.get(tip, ()):
            row[other] = -np.inf
        nearest = int(row.argmax())
        found = (nearest, float(row[nearest]))
        self._nearest[tip] = found
        self._read_at[tip] = self._clock
        return found

    def _merge(self, keep: int, gone: int) -> None:
        share = self._sizes[keep] / (self._sizes[keep] + self._sizes[gone])
        self._left[keep] = share * self._left[keep] + (1.0 - share) * self._left[gone]
        self._sizes[keep] += self._sizes[gone]
        if self._asked is not None and self._more is not None:
            self._asked[keep] = self._more[min(int(self._sizes[keep]), len(self._more) - 1)]
        self.parent[gone] = keep
        self._clock += 1
        self._version[keep] = self._clock
        self._nearest.pop(keep, None)
        for other in self._barred.pop(gone, ()):
            self._barred[other].discard(gone)
            self._barred[other].add(keep)
            self._barred.setdefault(keep, set()).add(other)
            if (known := self._nearest.get(other)) is not None and known[0] == keep:
                del self._nearest[other]
        self._close(gone)

    def _close(self, index: int) -> None:
        self._waiting[index] = False
        self._closed[index] = -np.inf
        self._nearest.pop(index, None)
