"""The nearest of many centroids, exactly, and quickly enough for ten thousand of them.

Invariant: an index is a value; a search over it collects changes of its own and returns a new index that shares the
rest. The nearest centroid is the true one: leading dimensions only rule out centroids that can't reach the threshold.
Not here: what a centroid means.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from ml.types import Float64Array, FloatArray, IntArray

# Up to here all products at once are quicker than ruling centroids out.
SMALL: Final = 2_048
# Leading dimensions compared first: of WordLlama's 256 they hold three quarters of a centroid's squared length or more,
# so that 1 in 700 centroids has to be looked at whole (with 64: 1 in 5).
HEAD_DIMS: Final = 128
# Where more than so many centroids a row can't be ruled out, all products at once are quicker.
MOST_CANDIDATES: Final = 24
# Changed rows are kept beside the unchanged ones up to this number, for copying all is what costs with many centroids.
MOST_FRESH: Final = 1_024
# Rounding of float32 products of unit vectors.
_SLACK: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Index:
    """Sums of k groups of vectors, to be searched by direction.

    Attributes
    ----------
    base : ndarray of shape (k0, d), float32
        Sums as of the last time everything was copied.
    base_scale : ndarray of shape (k0,), float32
        One over the length of each; 0 for an all-zero sum.
    heads : ndarray of shape (k0, HEAD_DIMS + 1), float32, optional
        Leading coordinates of each unit centroid, and the length of the rest; None while the index is small.
    axes : ndarray of shape (d, HEAD_DIMS), float32, optional
        The leading directions.
    fresh_rows : ndarray of shape (t,), int64
        Rows whose sum has changed since, and all rows from k0 on.
    fresh : ndarray of shape (t, d), float32
        Their sums.
    """

    base: FloatArray
    base_scale: FloatArray
    heads: FloatArray | None
    axes: FloatArray | None
    fresh_rows: IntArray
    fresh: FloatArray

    def sums(self) -> FloatArray:
        """All sums, shape (k, d), float32; a copy where anything has changed."""
        if len(self.fresh_rows) == 0:
            return self.base
        k = max(len(self.base), int(self.fresh_rows.max()) + 1)
        found = np.zeros((k, self.base.shape[1]), dtype=np.float32)
        found[: len(self.base)] = self.base
        found[self.fresh_rows] = self.fresh
        return found

    def rows(self, rows: IntArray) -> FloatArray:
        """The sums of these rows, shape (n, d), float32, without copying all."""
        found = np.zeros((len(rows), self.base.shape[1]), dtype=np.float32)
        old = rows < len(self.base)
        found[old] = self.base[rows[old]]
        place = {row: at for at, row in enumerate(self.fresh_rows.tolist())}
        changed = [(i, place[row]) for i, row in enumerate(rows.tolist()) if row in place]
        if changed:
            at, fresh = np.array(changed).T
            found[at] = self.fresh[fresh]
        return found

    def products(self, vectors: FloatArray) -> FloatArray:
        """Products of n vectors with all sums, shape (n, k), without copying these."""
        k0 = len(self.base)
        k = max(k0, int(self.fresh_rows.max(initial=-1)) + 1)
        found = np.zeros((len(vectors), k), dtype=np.float32)
        found[:, :k0] = vectors @ self.base.T
        found[:, self.fresh_rows] = vectors @ self.fresh.T
        return found

    def lengths(self) -> FloatArray:
        """Length of each sum, shape (k,), float32."""
        k = max(len(self.base), int(self.fresh_rows.max(initial=-1)) + 1)
        found = np.zeros(k, dtype=np.float32)
        np.divide(1.0, self.base_scale, out=found[: len(self.base)], where=self.base_scale > 0)
        found[self.fresh_rows] = np.sqrt(np.einsum("ij,ij->i", self.fresh, self.fresh))
        return found

    def search(self, units: FloatArray, threshold: float) -> Search:
        """Begin to look for the nearest of each unit row, shape (n, d), from the threshold on, which is above 0."""
        return Search(self, units, threshold)


def index_of(sums: FloatArray, *, axes: FloatArray | None = None) -> Index:
    """The index of these sums.

    Parameters
    ----------
    sums : ndarray of shape (k, d), float32
    axes : ndarray of shape (d, HEAD_DIMS), float32, optional
        Leading directions found before; any orthonormal ones are right, good ones are quick.

    Returns
    -------
    Index

    Notes
    -----
    Cost O(k d) up to 2,048 sums, O(k d²) beyond where no axes are given.

    Examples
    --------
    >>> index_of(np.eye(2, dtype=np.float32)).sums().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    n_dims = sums.shape[1]
    none = (np.zeros(0, dtype=np.int64), np.zeros((0, n_dims), dtype=np.float32))
    lengths = np.sqrt(np.einsum("ij,ij->i", sums, sums))
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    if len(sums) <= SMALL or n_dims <= HEAD_DIMS:
        return Index(sums, scale, None, axes, *none)
    if axes is None:
        units = sums * scale[:, None]
        _, vectors = np.linalg.eigh(units.T @ units)
        axes = np.ascontiguousarray(vectors[:, ::-1][:, :HEAD_DIMS], dtype=np.float32)
    heads = np.empty((len(sums), HEAD_DIMS + 1), dtype=np.float32)
    heads[:, :HEAD_DIMS] = (sums @ axes) * scale[:, None]
    heads[:, HEAD_DIMS] = _rest(heads[:, :HEAD_DIMS])
    return Index(sums, scale, heads, axes, *none)


class Search:
    """One batch's search: finds the nearest of each row while the sums it changes grow."""

    def __init__(self, index: Index, units: FloatArray, threshold: float) -> None:
        n, t, k0 = len(units), len(index.fresh_rows), len(index.base)
        self._start, self._units, self._threshold = index, units, threshold
        self._t = t
        self._rows = np.zeros(t + n, dtype=np.int64)
        self._rows[:t] = index.fresh_rows
        self._sums = np.zeros((t + n, units.shape[1]), dtype=np.float32)
        self._sums[:t] = index.fresh
        # Products of every row with every changed sum, kept right while these grow: when row i joins j, the product of
        # each later row with sum j grows by its product with row i.
        self._dots = np.zeros((n, t + n), dtype=np.float32)
        self._dots[:, :t] = units @ index.fresh.T
        self._among = units @ units.T
        self._scale = np.zeros(t + n, dtype=np.float32)
        lengths = np.sqrt(np.einsum("ij,ij->i", index.fresh, index.fresh))
        self._scale[:t] = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        self._place = {row: place for place, row in enumerate(index.fresh_rows.tolist())}
        self._unknown = ~np.any(units != 0, axis=1)
        self._offsets, self._found, self._cosines = self._candidates(k0)

    def nearest(
        self, i: int, kind: int, kinds: IntArray, last_seen: Float64Array, since: float
    ) -> tuple[int, float] | None:
        """The nearest row of that kind seen since then and its cosine, or None where none reaches the threshold."""
        if self._unknown[i]:
            return self._nearest_unknown(kind, kinds, last_seen, since)
        best, cosine = -1, self._threshold
        place = self._place
        for at in range(self._offsets[i], self._offsets[i + 1]):
            j = self._found[at]
            if j not in place and kinds[j] == kind and last_seen[j] >= since:
                best, cosine = j, self._cosines[at]
                break
        t = self._t
        if t:
            rows = self._rows[:t]
            cosines = self._dots[i, :t] * self._scale[:t]
            cosines[(kinds[rows] != kind) | (last_seen[rows] < since) | (self._scale[:t] == 0)] = -np.inf
            at = int(cosines.argmax())
            if cosines[at] > cosine or (best < 0 and cosines[at] >= cosine):
                best, cosine = int(rows[at]), float(cosines[at])
        return (best, self._cosine(i, best)) if best >= 0 else None

    def _cosine(self, i: int, row: int) -> float:
        """Read from the one row alone: products of many differ in the last digit with how many there are."""
        place = self._place.get(row)
        total = self._start.base[row] if place is None else self._sums[place]
        cosine = float(np.dot(self._units[i], total)) / math.sqrt(float(np.dot(total, total)))
        return min(cosine, 1.0)

    def add(self, i: int, row: int, weight: float) -> None:
        """Add row i of the batch, times the weight, to the sum of `row`, which may be the next new one."""
        later = slice(i + 1, None)
        place = self._place.get(row)
        if place is None:
            place = self._place[row] = self._t
            self._t += 1
            self._rows[place] = row
            if row < len(self._start.base):
                self._sums[place] = self._start.base[row]
                self._dots[later, place] = self._units[later] @ self._sums[place]
        self._sums[place] += self._units[i] * np.float32(weight)
        self._dots[later, place] += self._among[later, i] * np.float32(weight)
        length = float(np.dot(self._sums[place], self._sums[place])) ** 0.5
        self._scale[place] = 1.0 / length if length > 0 else 0.0

    def index(self) -> Index:
        """The index with all changes."""
        start, t = self._start, self._t
        after = Index(
            start.base, start.base_scale, start.heads, start.axes, self._rows[:t].copy(), self._sums[:t].copy()
        )
        if t == 0 or (len(start.base) > SMALL and t <= MOST_FRESH):
            return after
        sums = after.sums()
        # Directions found among twice as few centroids are no longer the leading ones.
        axes = start.axes if start.heads is not None and len(sums) < 2 * len(start.base) else None
        return index_of(sums, axes=axes)

    def _nearest_unknown(
        self, kind: int, kinds: IntArray, last_seen: Float64Array, since: float
    ) -> tuple[int, float] | None:
        unchanged = np.flatnonzero(self._start.base_scale == 0).tolist()
        changed = self._rows[: self._t][self._scale[: self._t] == 0].tolist()
        for row in [*changed, *unchanged]:
            if kinds[row] == kind and last_seen[row] >= since:
                return row, 1.0
        return None

    def _candidates(self, k0: int) -> tuple[list[int], list[int], list[float]]:
        """Unchanged rows that reach the threshold, nearest first, for each row of the batch; as offsets into lists."""
        start, units = self._start, self._units
        if k0 == 0:
            return [0] * (len(units) + 1), [], []
        flat = None
        if start.heads is not None and start.axes is not None:
            heads = np.empty((len(units), HEAD_DIMS + 1), dtype=np.float32)
            heads[:, :HEAD_DIMS] = units @ start.axes
            heads[:, HEAD_DIMS] = _rest(heads[:, :HEAD_DIMS])
            # Leading coordinates plus the most that the rest could add (Cauchy-Schwarz), in one product.
            most = heads @ start.heads.T
            flat = np.flatnonzero(most >= np.float32(self._threshold - _SLACK))
        if flat is None or len(flat) > MOST_CANDIDATES * len(units):
            cosines = (units @ start.base.T) * start.base_scale
            i, j = np.divmod(np.flatnonzero(cosines >= self._threshold), k0)
            found = cosines[i, j]
        else:
            i, j = np.divmod(flat, k0)
            found = np.einsum("ij,ij->i", units[i], start.base[j]) * start.base_scale[j]
            reach = found >= self._threshold
            i, j, found = i[reach], j[reach], found[reach]
        order = np.lexsort((j, -found, i))
        offsets = np.searchsorted(i[order], np.arange(len(units) + 1))
        return offsets.tolist(), j[order].tolist(), found[order].tolist()


def _rest(heads: FloatArray) -> FloatArray:
    """The length that leading coordinates of unit vectors leave to the rest."""
    rest: FloatArray = np.sqrt(np.maximum(1.0 - np.einsum("ij,ij->i", heads, heads), 0.0))
    return rest
