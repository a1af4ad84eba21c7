"""The nearest of many centroids, exactly, and quickly enough for ten thousand of them.

Invariant: an index is a value; a search over it collects changes of its own and returns a new index that shares the
rest. The nearest centroid is the true one: leading dimensions, and what reports of one batch have in common, only rule
out centroids that can't reach the threshold. Not here: what a centroid means.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csc_array

from ml.heads import HEAD_DIMS, heads_of, leading_axes, n_heads_for, rest_beside, scale_of
from ml.pairs import SLACK, bounds_of, close_pairs, pairs_from, products_of_pairs, reaching
from ml.types import Float64Array, FloatArray, IntArray

# Up to here all products at once are quicker than ruling centroids out, or as quick and without its preparations.
# (Placing from 1,000 to 4,000 of 320 dimensions takes as long with 1,024 as with 4,096, within a twentieth.)
SMALL: Final = 3_072
# Where a larger share of the centroids can't be ruled out, all products at once are quicker.
MOST_CANDIDATES_SHARE: Final = 1 / 50
# Changed rows are kept beside the unchanged ones up to this number, for copying all is what costs with many centroids.
# With few, looking at a second place costs more than copying does, unless reports come one by one.
MOST_FRESH: Final = 1_024
MOST_FRESH_OF_FEW: Final = 64
# To add up the sums of each group first pays from so many vectors on that are compared with them.
_FEW_VECTORS: Final = 4
# Leading directions are looked for anew when so many times as many sums as there are have changed since.
AXES_LAST: Final = 3


class _Sheet:
    """Rows written one after the other, shared by indexes that came of one another: each reads its own beginning.

    With their heads (`ml.heads`) where the base has them; these are of no columns where it has none.
    """

    __slots__ = ("heads", "n_written", "sums")

    def __init__(self, n_rows: int, n_dims: int, n_head_columns: int) -> None:
        self.sums: FloatArray = np.empty((n_rows, n_dims), dtype=np.float32)
        self.heads: FloatArray = np.empty((n_rows, n_head_columns), dtype=np.float32)
        self.n_written = 0

    def after(self, n_read: int, sums: FloatArray, heads: FloatArray) -> _Sheet:
        """A sheet with these rows behind the first `n_read`: this one, unless something else stands there already."""
        sheet = self
        if self.n_written != n_read:
            # The index was searched twice, for instance because a transaction failed: what the other wrote stays its.
            sheet = _Sheet(len(self.sums), self.sums.shape[1], self.heads.shape[1])
            sheet.sums[:n_read] = self.sums[:n_read]
            sheet.heads[:n_read] = self.heads[:n_read]
        sheet.n_written = n_read + len(sums)
        sheet.sums[n_read : sheet.n_written] = sums
        sheet.heads[n_read : sheet.n_written] = heads
        return sheet


@dataclass(frozen=True, slots=True)
class Index:
    """Sums of k groups of vectors, to be searched by direction.

    Attributes
    ----------
    base : ndarray of shape (k0, d), float32
        Sums as of the last time everything was copied.
    scale : ndarray of shape (k,), float32
        One over the length of each sum; 0 for an all-zero one.
    heads : ndarray of shape (k0, h + 1), float32, optional
        Leading coordinates of each unit centroid of the base, and the length of the rest; None while the index is
        small.
    axes : ndarray of shape (d, HEAD_DIMS), float32, optional
        The leading directions.
    place : ndarray of shape (k,), int64
        Where the sheet holds a sum that has changed since, -1 where the base does.
    sheet : _Sheet
        Sums that have changed, and new ones, as they came; a sum that changed again stands there twice.
    sheet_rows : ndarray of shape (t,), int64
        Row of each of the sheet's first t sums.
    n_changed : int
        Sums that had changed since the axes were found when everything was copied.
    """

    base: FloatArray
    scale: FloatArray
    heads: FloatArray | None
    axes: FloatArray | None
    place: IntArray
    sheet: _Sheet
    sheet_rows: IntArray
    n_changed: int = 0

    @property
    def fresh_rows(self) -> IntArray:
        """Rows whose sum has changed since everything was copied, and all rows from k0 on; shape (f,), int64."""
        return np.flatnonzero(self.place >= 0)

    def sums(self) -> FloatArray:
        """All sums, shape (k, d), float32; a copy where anything has changed."""
        if len(self.sheet_rows) == 0:
            return self.base
        found = np.empty((len(self.place), self.base.shape[1]), dtype=np.float32)
        found[: len(self.base)] = self.base
        fresh = self.fresh_rows
        found[fresh] = self.sheet.sums[self.place[fresh]]
        return found

    def rows(self, rows: IntArray) -> FloatArray:
        """The sums of these rows, shape (n, d), float32, without copying all."""
        place = self.place[rows]
        if len(rows) and place.min() >= 0:
            return self.sheet.sums[place]
        found = np.empty((len(rows), self.base.shape[1]), dtype=np.float32)
        old = place < 0
        found[old] = self.base[rows[old]]
        found[~old] = self.sheet.sums[place[~old]]
        return found

    def row(self, row: int) -> FloatArray:
        """The sum of one row, shape (d,), float32: a view."""
        place = self.place.item(row)
        found: FloatArray = self.base[row] if place < 0 else self.sheet.sums[place]
        return found

    def products_with_groups(self, vectors: FloatArray, groups: IntArray, n_groups: int) -> FloatArray:
        """Products of n vectors with what the sums of each group come to, without copying these.

        Parameters
        ----------
        vectors : ndarray of shape (n, d), float32
        groups : ndarray of shape (k,), int64
            Group of each sum from 0 on, -1 where it is in none.
        n_groups : int

        Returns
        -------
        ndarray of shape (n_groups, n), float32
        """
        fresh = self.fresh_rows
        if len(vectors) <= _FEW_VECTORS:
            products = np.empty((len(vectors), len(groups)), dtype=np.float32)
            for vector, row in zip(vectors, products, strict=True):
                np.matmul(self.base, vector, out=row[: len(self.base)])
            products[:, fresh] = vectors @ self.sheet.sums[self.place[fresh]].T
            is_in = groups >= 0
            added = [np.bincount(groups[is_in], weights=row[is_in], minlength=n_groups) for row in products]
            return np.array(added, dtype=np.float32).reshape(len(vectors), n_groups).T
        sums = _added_by(np.where(self.place < 0, groups, -1)[: len(self.base)], self.base, n_groups)
        if len(fresh):
            of_sheet = np.full(len(self.sheet_rows), -1, dtype=np.int64)
            of_sheet[self.place[fresh]] = groups[fresh]
            sums += _added_by(of_sheet, self.sheet.sums[: len(of_sheet)], n_groups)
        return sums @ vectors.T

    def lengths(self) -> FloatArray:
        """Length of each sum, shape (k,), float32."""
        return np.divide(1.0, self.scale, out=np.zeros_like(self.scale), where=self.scale > 0)

    def search(self, units: FloatArray, threshold: float) -> Search:
        """Begin to look for the nearest of each unit row, shape (n, d), from the threshold on, which is above 0."""
        return Search(self, units, threshold)


def index_of(sums: FloatArray, *, after: Index | None = None, threshold: float | None = None) -> Index:
    """The index of these sums.

    Parameters
    ----------
    sums : ndarray of shape (k, d), float32
    after : Index, optional
        Of most of these sums, whose leading directions are taken: any orthonormal ones are right, good ones are quick.
    threshold : float, optional
        What will be searched for: the higher, the fewer dimensions have to be looked at first.

    Returns
    -------
    Index

    Notes
    -----
    Cost O(k d) up to 3,072 sums, O(k d²) beyond where no directions are known.

    Examples
    --------
    >>> index_of(np.eye(2, dtype=np.float32)).sums().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    if after is None:
        return _index_of(sums, scale_of(sums), None, 0, threshold)
    return _index_of(sums, scale_of(sums), after.axes, after.n_changed + len(after.sheet_rows), threshold)


def _index_of(
    sums: FloatArray, scale: FloatArray, axes: FloatArray | None, n_changed: int, threshold: float | None
) -> Index:
    heads = None
    if _is_searched_by_heads(sums):
        if axes is None or n_changed >= AXES_LAST * len(sums):
            axes, n_changed = leading_axes(sums * scale[:, None]), 0
        heads = heads_of(sums, scale, axes[:, : n_heads_for(sums, scale, axes, threshold)])
    return Index(sums, scale, heads, axes, *_nothing_fresh(sums, heads), n_changed)


def _nothing_fresh(sums: FloatArray, heads: FloatArray | None) -> tuple[IntArray, _Sheet, IntArray]:
    n_most = MOST_FRESH_OF_FEW if heads is None else min(len(sums) // 2, MOST_FRESH)
    sheet = _Sheet(n_most, sums.shape[1], 0 if heads is None else heads.shape[1])
    return np.full(len(sums), -1, dtype=np.int64), sheet, np.zeros(0, dtype=np.int64)


class Search:
    """One batch's search: finds the nearest of each row while the sums it changes grow.

    Rows are to be asked for in order, and each is added to what was found for it, or to a new sum. Then a sum that was
    out of reach of a row, and has since grown by rows that are all less alike to that row than the square of the
    threshold, is still out of its reach; and what was in reach has not come nearer. (Each unit vector that joins a sum
    at a cosine of c or more makes it longer by c times its weight at least; so the cosine of a row to the sum is at
    most the largest of its cosine before and that to one of the added, divided by c.) That leaves few sums to be
    compared again for a row: those of rows much like it, and those that were in reach and have changed. The same
    reasoning bounds the cosine to each of them by numbers that are known already; only the few that could be the
    nearest are looked at.
    """

    def __init__(self, index: Index, units: FloatArray, threshold: float) -> None:
        n = len(units)
        self._start, self._units, self._threshold = index, units, threshold
        self._n_rows = len(index.place)
        self._unknown: list[bool] = (~np.any(units != 0, axis=1)).tolist()
        # Whether the cosines found are those of two vectors alone. Products of many differ in the last digit with how
        # many there are, and what is told of a report must not differ with its batch, or with where a sum is kept.
        self._reads_alone = True
        self._offsets, self._found, self._cosines = self._candidates()
        # Rows less alike than this do not bring a sum into each other's reach.
        self._least_alike = threshold**2 - SLACK
        self._mate_offsets, self._mates, self._likeness = close_pairs(units, self._least_alike)
        self._joined: list[int] = [-1] * n
        # Members of this batch in each sum that has changed, and their weights; what of it is added up already.
        self._members: dict[int, list[int]] = {}
        self._weights: list[float] = [0.0] * n
        self._totals: dict[int, FloatArray] = {}
        self._lengths: dict[int, float] = {}
        self._n_added: dict[int, int] = {}
        # Of each sum that has changed: its length at first, that which it has at least by now, and the weight added.
        self._bounds: dict[int, tuple[float, float, float]] = {}
        self._rows_of_zeros: list[int] | None = None
        # Cosines of rows to what was found for them, and the sums of those of which they are not known yet.
        self._told: list[float] = [1.0] * n
        self._to_tell: dict[int, FloatArray] = {}

    def nearest(
        self, i: int, kind: int, kinds: IntArray, last_seen: Float64Array, since: float
    ) -> tuple[int, float] | None:
        """The nearest row of that kind seen since then and its cosine, or None where none reaches the threshold.

        The cosine is right but for rounding; `cosines` tells it to the last digit.
        """
        if self._unknown[i]:
            return self._nearest_unknown(kind, kinds, last_seen, since)
        best, cosine = -1, self._threshold
        # Products of this row and the sums that it may have to be compared with again, but for what was added to these.
        products: dict[int, float] = {}
        members, bounds = self._members, self._bounds
        for at in range(self._offsets[i], self._offsets[i + 1]):
            j = self._found[at]
            if j in members:
                products[j] = self._cosines[at] * bounds[j][0]
            elif kinds.item(j) == kind and last_seen.item(j) >= since:
                best, cosine = j, self._cosines[at]
                break
        first, last = self._mate_offsets[i], self._mate_offsets[i + 1]
        for mate, likeness in zip(self._mates[first:last], self._likeness[first:last], strict=True):
            j = self._joined[mate]
            if j >= 0:
                # What is not among the candidates up to here is no nearer than the last of them.
                product = products[j] if j in products else cosine * bounds[j][0]
                products[j] = product + (likeness - self._least_alike) * self._weights[mate]
        for j, product in products.items():
            _, length, weight = bounds[j]
            # Members that are no mates are less alike than these: the most that the cosine can be by now.
            if product + self._least_alike * weight < (cosine - SLACK) * length:
                continue
            if kinds.item(j) == kind and last_seen.item(j) >= since:
                now = self._cosine(i, j)
                if now > cosine or (now == cosine and (best < 0 or j < best)):
                    best, cosine = j, now
        if best < 0:
            return None
        if best in members or not self._reads_alone:
            self._to_tell[i] = (self._total(best) if best in members else self._start.row(best)).copy()
        else:
            self._told[i] = cosine
        return best, min(cosine, 1.0)

    def add(self, i: int, row: int, weight: float) -> None:
        """Add row i of the batch, times the weight, to the sum of `row`, which may be the next new one."""
        self._weights[i] = weight
        self._joined[i] = row
        if row in self._members:
            self._members[row].append(i)
            first, length, before = self._bounds[row]
            self._bounds[row] = first, length + self._threshold * weight, before + weight
            return
        self._members[row] = [i]
        if row < len(self._start.place):
            scale = self._start.scale.item(row)
            first = 1.0 / scale if scale > 0 else 0.0
            self._bounds[row] = first, first + self._threshold * weight, weight
        else:
            self._bounds[row] = 0.0, weight, weight
            self._n_rows = max(self._n_rows, row + 1)

    def cosines(self) -> FloatArray:
        """Of each row to what was found for it, as this was then; 1 where nothing was. Shape (n,), float32."""
        found = np.array(self._told, dtype=np.float32)
        if self._to_tell:
            rows, totals = list(self._to_tell), np.stack(list(self._to_tell.values()))
            found[rows] = np.einsum("ij,ij->i", self._units[rows], totals) * scale_of(totals)
        return np.minimum(found, np.float32(1.0))

    def index(self) -> Index:
        """The index with all changes."""
        start = self._start
        rows = np.fromiter(self._members, dtype=np.int64, count=len(self._members))
        if len(rows) == 0:
            return start
        totals = self._added_up(rows)
        k, k0, t = len(start.place), len(start.base), len(start.sheet_rows)
        scale = np.zeros(self._n_rows, dtype=np.float32)
        scale[:k] = start.scale
        scale[rows] = scale_of(totals)
        if t + len(rows) > len(start.sheet.sums):
            sums = np.empty((self._n_rows, totals.shape[1]), dtype=np.float32)
            sums[:k0] = start.base
            fresh = start.fresh_rows
            sums[fresh] = start.sheet.sums[start.place[fresh]]
            sums[rows] = totals
            return self._rebuilt(sums, scale, np.union1d(fresh, rows))
        place = np.full(self._n_rows, -1, dtype=np.int64)
        place[:k] = start.place
        place[rows] = np.arange(t, t + len(rows))
        return Index(
            start.base,
            scale,
            start.heads,
            start.axes,
            place,
            start.sheet.after(t, totals, self._heads_of(totals, scale[rows])),
            np.concatenate((start.sheet_rows, rows)),
            start.n_changed,
        )

    def _rebuilt(self, sums: FloatArray, scale: FloatArray, changed: IntArray) -> Index:
        """The index of these sums, with the heads of those that have not changed since everything was copied."""
        heads, axes = self._start.heads, self._start.axes
        n_changed = self._start.n_changed + len(self._start.sheet_rows) + len(self._members)
        if heads is None or axes is None or n_changed >= AXES_LAST * len(sums):
            return _index_of(sums, scale, axes, n_changed, self._threshold)
        now = heads.shape[1] - 1
        n_heads = n_heads_for(sums, scale, axes, self._threshold, now=now)
        if n_heads != now:
            return _index_of(sums, scale, axes, n_changed, self._threshold)
        after = np.empty((len(sums), n_heads + 1), dtype=np.float32)
        after[: len(heads)] = heads
        after[changed] = heads_of(sums[changed], scale[changed], axes[:, :n_heads])
        return Index(sums, scale, after, axes, *_nothing_fresh(sums, after), n_changed)

    def _heads_of(self, sums: FloatArray, scale: FloatArray) -> FloatArray:
        """The heads of sums that go to the sheet: of no columns where the base has none."""
        start = self._start
        if start.heads is None or start.axes is None:
            return np.empty((len(sums), 0), dtype=np.float32)
        return heads_of(sums, scale, start.axes[:, : start.heads.shape[1] - 1])

    def _cosine(self, i: int, row: int) -> float:
        """Cosine of row i to a sum that has changed, as it is now."""
        total = self._total(row)
        length = self._lengths[row]
        return float(np.dot(self._units[i], total)) / length if length > 0 else -math.inf

    def _total(self, row: int) -> FloatArray:
        """A sum that has changed, with all members that it has by now."""
        members, n_added = self._members[row], self._n_added.get(row, 0)
        total = self._totals.get(row)
        if total is None:
            is_new = row >= len(self._start.place)
            total = np.zeros_like(self._units[0]) if is_new else self._start.row(row).copy()
            self._totals[row] = total
        if n_added < len(members):
            for member in members[n_added:]:
                total += self._units[member] * np.float32(self._weights[member])
            self._n_added[row] = len(members)
            self._lengths[row] = math.sqrt(float(np.dot(total, total)))
        return total

    def _added_up(self, rows: IntArray) -> FloatArray:
        """The sums of all rows that have changed: each member added in order, as one by one."""
        start = self._start
        totals = np.zeros((len(rows), self._units.shape[1]), dtype=np.float32)
        old = rows < len(start.place)
        totals[old] = start.rows(rows[old])
        rounds: list[tuple[list[int], list[int]]] = []
        for at, (row, members) in enumerate(self._members.items()):
            n_added = self._n_added.get(row, 0)
            if n_added:
                totals[at] = self._totals[row]
            for nth, member in enumerate(members[n_added:]):
                if nth == len(rounds):
                    rounds.append(([], []))
                rounds[nth][0].append(at)
                rounds[nth][1].append(member)
        weights = np.array(self._weights, dtype=np.float32)
        for at_rows, added in rounds:
            totals[at_rows] += self._units[added] * weights[added][:, None]
        return totals

    def _nearest_unknown(
        self, kind: int, kinds: IntArray, last_seen: Float64Array, since: float
    ) -> tuple[int, float] | None:
        if self._rows_of_zeros is None:
            self._rows_of_zeros = np.flatnonzero(self._start.scale == 0).tolist()
        k = len(self._start.place)
        opened = [row for row, members in self._members.items() if row >= k and self._unknown[members[0]]]
        for row in [*self._rows_of_zeros, *opened]:
            if kinds[row] == kind and last_seen[row] >= since:
                return row, 1.0
        return None

    def _candidates(self) -> tuple[list[int], list[int], list[float]]:
        """Rows that reach the threshold as they are at first, nearest first, for each row of the batch; as offsets into
        lists."""
        start, units = self._start, self._units
        t = len(start.sheet_rows)
        heads = None
        if start.heads is not None and start.axes is not None:
            heads = rest_beside(units @ start.axes[:, : start.heads.shape[1] - 1])
        i, j, found = self._in_base(heads)
        if t:
            still = start.place[j] < 0
            more_i, more_j, more_found = self._in_sheet(t, heads)
            i, j = np.concatenate((i[still], more_i)), np.concatenate((j[still], more_j))
            found = np.concatenate((found[still], more_found))
        order = np.lexsort((j, -found, i))
        offsets = np.searchsorted(i[order], np.arange(len(units) + 1))
        return offsets.tolist(), j[order].tolist(), found[order].tolist()

    def _in_sheet(self, t: int, heads: FloatArray | None) -> tuple[IntArray, IntArray, FloatArray]:
        """As `_in_base`, of the newest of the sheet's first t sums."""
        start, units = self._start, self._units
        sheet, scale = start.sheet.sums[:t], start.scale[start.sheet_rows]
        most = int(MOST_CANDIDATES_SHARE * len(units) * max(t, SMALL))
        pairs = None
        if heads is not None:
            pairs = pairs_from(heads, start.sheet.heads[:t], np.float32(self._threshold - SLACK), most=most)
        if pairs is None:
            pairs = pairs_from(units, sheet, bounds_of(self._threshold, scale), most=most)
        if pairs is None:
            self._reads_alone = False
            cosines = (units @ sheet.T) * scale
            i, at = np.nonzero(cosines >= np.float32(self._threshold - SLACK))
            found = cosines[i, at]
        else:
            i, at = pairs
        newest = start.place[start.sheet_rows[at]] == at
        i, at = i[newest], at[newest]
        found = found[newest] if pairs is None else products_of_pairs(units, sheet, i, at) * scale[at]
        i, at, found = reaching(i, at, found, self._threshold)
        return i, start.sheet_rows[at], found

    def _in_base(self, heads: FloatArray | None) -> tuple[IntArray, IntArray, FloatArray]:
        """Pairs of a row of the batch and one of the base that reach the threshold, and their cosines."""
        start, units = self._start, self._units
        k0 = len(start.base)
        if k0 == 0:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        scale = start.scale[:k0]
        least = np.float32(self._threshold - SLACK)
        pairs = None
        if heads is not None and start.heads is not None:
            # Leading coordinates plus the most that the rest could add (Cauchy-Schwarz), in one product.
            pairs = pairs_from(heads, start.heads, least, most=int(MOST_CANDIDATES_SHARE * len(units) * k0))
        if pairs is None:
            bounds = bounds_of(self._threshold, scale)
            pairs = pairs_from(units, start.base, bounds, most=int(MOST_CANDIDATES_SHARE * len(units) * k0))
        if pairs is None:
            cosines = units @ start.base.T
            cosines *= scale
            i, j = np.nonzero(cosines >= least)
            self._reads_alone = False
            return reaching(i, j, cosines[i, j], self._threshold)
        i, j = pairs
        return reaching(i, j, products_of_pairs(units, start.base, i, j) * scale[j], self._threshold)


def _added_by(groups: IntArray, rows: FloatArray, n_groups: int) -> FloatArray:
    """The sum of each group's rows; those of group -1 are left out."""
    is_in = groups >= 0
    ends = np.zeros(len(groups) + 1, dtype=np.int64)
    np.cumsum(is_in, out=ends[1:])
    # As a sparse product, one entry a column: nothing is sorted and no row is copied.
    ones = np.ones(ends[-1], dtype=rows.dtype)
    found: FloatArray = csc_array((ones, groups[is_in], ends), (n_groups, len(groups))) @ rows
    return found


def _is_searched_by_heads(sums: FloatArray) -> bool:
    return len(sums) > SMALL and sums.shape[1] > HEAD_DIMS
