"""What brings reports together or takes them apart beside their wording: time, place, and the codes they name.

Invariant: all of it is a sum over pairs of reports, so that means over groups stay exact: as columns beside the sums
for `refine`, as terms beside the products for `adopt`. Not here: what is compared with what.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from ml.calibration import same_time_columns
from ml.guards import parts_of
from ml.types import BoolArray, Float64Array, FloatArray, IntArray

# The product of two micro-clusters that name different codes, or come from far-off bursts, is less by so many times the
# product of their lengths, the most that it could be: even the same wording stays apart. (A fixed number a pair of
# reports would not do, for a text that is rare in its service counts up to twice.)
APART: Final = 1.0
# Micro-clusters of one country are one burst if the middles of their lives lie in the same day.
BURST_SECONDS: Final = 86_400.0


class Term(NamedTuple):
    """What is to be added to the products of some rows with some columns: the product of two numbers.

    Attributes
    ----------
    rows, columns : ndarray of int64
        Indices.
    of_rows, of_columns : ndarray of float32, as long as these
    """

    rows: IntArray
    columns: IntArray
    of_rows: FloatArray
    of_columns: FloatArray


def terms_beside(
    rows: IntArray,
    n_reports: IntArray,
    lengths: FloatArray,
    kinds: IntArray | None,
    middles: Float64Array | None,
    same_time: float,
    burst_seconds: float,
) -> Iterator[Term]:
    """What time, codes and places add to the products of some micro-clusters (`rows`) with all, as the columns of
    `refine` do: terms whose rows count from 0 among those, and whose columns are among all."""
    # Rows that came at one time, or name the same, are gone through together: there are few sorts of them in a batch.
    if middles is not None and same_time > 0:
        share = np.float32(same_time / 4) * n_reports.astype(np.float32)
        for shift in range(4):
            cells = np.floor(middles / burst_seconds + shift / 4)
            for cell, those in _sorts(cells[rows]):
                near = np.flatnonzero(cells == cell)
                yield Term(those, near, n_reports[rows[those]].astype(np.float32), share[near])
    if kinds is None or not kinds[rows].any():
        return
    guards, countries = parts_of(kinds)
    named, placed = np.flatnonzero(guards), np.flatnonzero(countries)
    for guard, those in _sorts(guards[rows]):
        if guard:
            apart = named[guards[named] != guard]
            yield Term(those, apart, -lengths[rows[those]], np.float32(APART) * lengths[apart])
    if middles is not None:
        days = np.floor(middles / BURST_SECONDS)
        for country, of_country in _sorts(countries[rows]):
            for day, at in _sorts(days[rows[of_country]]):
                if country:
                    apart = placed[(countries[placed] != country) & (days[placed] != day)]
                    those = of_country[at]
                    yield Term(those, apart, -lengths[rows[those]], np.float32(APART) * lengths[apart])


def _sorts(values: IntArray | Float64Array) -> Iterator[tuple[int | float, IntArray]]:
    """Each value that occurs, and where."""
    for value in np.unique(values).tolist():
        yield value, np.flatnonzero(values == value)


def apart_columns(
    lengths: FloatArray, kinds: IntArray | None, middles: Float64Array | None
) -> tuple[FloatArray | None, FloatArray | None]:
    """Columns that make micro-clusters less alike where they name different codes, or come from far-off bursts.

    Two are apart by code if both name one and they differ: `1 - [same]`. They are apart by place if both are
    known and neither country nor day is the same: `(1 - [same country]) (1 - [same day])`. Each bracket is a product of
    indicators, so that sums over members stay exact; a column with sign -1 holds what is known.

    Parameters
    ----------
    lengths : ndarray of shape (k,), float32
        Of the sums: the product of two is at most that of their lengths, which is what being apart takes off.
    kinds, middles
        See `refine`.

    Returns
    -------
    columns : ndarray of shape (k, c), float32, or None
        To be put beside the sums; None where nothing is apart.
    signs : ndarray of shape (c,), float32, or None
        Of each column.

    Examples
    --------
    >>> from ml.guards import kinds_of
    >>> columns, signs = apart_columns(np.array([1.0, 2.0]), kinds_of(["404", "50x"], ["", ""]), None)
    >>> ((columns[0] * signs) @ columns[1]).item()
    -2.0
    """
    if kinds is None:
        return None, None
    parts: list[FloatArray] = []
    signs: list[float] = []

    def add(values: IntArray, known: BoolArray, sign: float) -> None:
        names, column = np.unique(values[known], return_inverse=True)
        part = np.zeros((len(values), len(names)), dtype=np.float32)
        part[np.flatnonzero(known), column] = lengths[known] * APART**0.5
        parts.append(part)
        signs.extend([sign] * len(names))

    guards, countries = parts_of(kinds)
    if len(np.unique(guards[guards > 0])) > 1:
        named = guards > 0
        add(named.astype(np.int64), named, -1.0)
        add(guards, named, 1.0)
    if middles is not None and len(np.unique(countries[countries > 0])) > 1:
        placed = countries > 0
        days = np.floor(middles / BURST_SECONDS).astype(np.int64)
        if len(np.unique(days[placed])) > 1:
            add(placed.astype(np.int64), placed, -1.0)
            add(countries, placed, 1.0)
            add(days, placed, 1.0)
            add(days * (int(countries.max()) + 1) + countries, placed, -1.0)
    if not parts:
        return None, None
    return np.hstack(parts), np.array(signs, dtype=np.float32)


def widened(
    sums: FloatArray,
    n_reports: IntArray,
    kinds: IntArray | None,
    middles: Float64Array | None,
    same_time: float,
    burst_seconds: float,
) -> tuple[FloatArray, FloatArray | None]:
    """The sums with what brings them together or takes them apart beside them, and the sign of each column."""
    wide = sums
    if middles is not None and same_time > 0:
        columns = same_time_columns(middles, burst_seconds)
        columns *= (np.float32(same_time**0.5) * n_reports[:, None]).astype(np.float32)
        wide = np.hstack((wide, columns))
    apart, apart_signs = apart_columns(lengths_of(sums), kinds, middles)
    if apart is None or apart_signs is None:
        return wide, None
    return np.hstack((wide, apart)), np.concatenate((np.ones(wide.shape[1], dtype=np.float32), apart_signs))


def lengths_of(sums: FloatArray) -> FloatArray:
    lengths: FloatArray = np.sqrt(np.einsum("ij,ij->i", sums, sums))
    return lengths
