"""Pairs of rows and columns whose product reaches a bound, in pieces that stay in a core's own cache.

Invariant: products of many only choose which pairs are read, within `SLACK` of the bound; what is told of a pair is
read from its two vectors alone and does not depend on its neighbours. Not here: what rows and columns are.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ml.types import FloatArray, IntArray

# Numbers held at once: as many as stay in a core's own cache.
_BLOCK: Final = 262_144
_LEAST_COLUMNS: Final = 256
# Rounding of float32 products of unit vectors.
SLACK: Final = 1e-4


def bounds_of(threshold: float, scale: FloatArray) -> FloatArray:
    """The products with each sum from which a cosine may reach a threshold.

    Parameters
    ----------
    threshold : float
    scale : ndarray of shape (k,), float32
        One over the length of each sum, 0 for an all-zero one.

    Returns
    -------
    ndarray of shape (k,), float32
        `inf` for a zero sum, which is near nothing.

    Examples
    --------
    >>> bounds_of(0.5, np.array([0.25, 0.0], dtype=np.float32)).astype(float).round(2).tolist()
    [2.0, inf]
    """
    bounds: FloatArray = np.divide(
        np.float32(threshold - SLACK), scale, out=np.full_like(scale, np.inf), where=scale > 0
    )
    return bounds


def pairs_from(
    rows: FloatArray, columns: FloatArray, least: FloatArray | np.float32, *, most: int
) -> tuple[IntArray, IntArray] | None:
    """Pairs of a row and a column whose product reaches a bound.

    Parameters
    ----------
    rows : ndarray of shape (n, d), float32
    columns : ndarray of shape (k, d), float32
    least : float32 or ndarray of shape (k,), float32
        The bound, of all columns or of each.
    most : int

    Returns
    -------
    tuple of two ndarray of shape (n_pairs,), int64, or None
        Row and column of each, in no order; None if there are more than `most`.

    Notes
    -----
    Cost O(n k d) as matrix products.

    Examples
    --------
    >>> east, north = np.eye(2, dtype=np.float32)
    >>> pairs = pairs_from(np.stack([east, north]), np.stack([north]), np.float32(0.5), most=9)
    >>> [side.tolist() for side in pairs]
    [[1], [0]]
    """
    n_at_once = max(_BLOCK // max(len(rows), 1), _LEAST_COLUMNS)
    n_blocks = max(-(-len(columns) // n_at_once), 1)
    n_at_once = max(-(-len(columns) // n_blocks), 1)  # of equal size: a last one of a few columns is no quicker
    products = np.empty(len(rows) * min(n_at_once, len(columns)), dtype=np.float32)
    found: list[tuple[IntArray, IntArray]] = []
    n_found = 0
    for begin in range(0, len(columns), n_at_once):
        block = columns[begin : begin + n_at_once]
        out = products[: len(rows) * len(block)].reshape(len(rows), len(block))
        np.matmul(rows, block.T, out=out)
        bound = least[begin : begin + n_at_once] if isinstance(least, np.ndarray) else least
        i, j = np.divmod(np.flatnonzero(out >= bound), len(block))
        j += begin
        found.append((i, j))
        n_found += len(i)
        if n_found > most:
            return None
    if len(found) == 1:
        return found[0]
    return np.concatenate([i for i, _ in found]), np.concatenate([j for _, j in found])


def products_of_pairs(rows: FloatArray, columns: FloatArray, i: IntArray, j: IntArray) -> FloatArray:
    """The product of each pair, read from its two vectors alone.

    Parameters
    ----------
    rows : ndarray of shape (n, d), float32
    columns : ndarray of shape (k, d), float32
    i, j : ndarray of shape (n_pairs,), int64

    Returns
    -------
    ndarray of shape (n_pairs,), float32

    Notes
    -----
    Cost O(n_pairs d), mostly for reaching the vectors in memory.

    Examples
    --------
    >>> rows = np.array([[1.0, 2.0]], dtype=np.float32)
    >>> products_of_pairs(rows, rows, np.array([0]), np.array([0])).tolist()
    [5.0]
    """
    found = np.empty(len(i), dtype=np.float32)
    n_at_once = max(_BLOCK // (2 * rows.shape[1]), 1)
    for begin in range(0, len(i), n_at_once):
        some = slice(begin, begin + n_at_once)
        np.einsum("ij,ij->i", rows[i[some]], columns[j[some]], out=found[some])
    return found


def reaching(i: IntArray, j: IntArray, cosines: FloatArray, threshold: float) -> tuple[IntArray, IntArray, FloatArray]:
    """Of these pairs and their cosines, those that reach the threshold.

    Examples
    --------
    >>> cosines = np.array([0.4, 0.6], dtype=np.float32)
    >>> [part.tolist() for part in reaching(np.array([0, 1]), np.array([5, 7]), cosines, 0.5)][:2]
    [[1], [7]]
    """
    reach = cosines >= np.float32(threshold)
    return i[reach], j[reach], cosines[reach]


def close_pairs(units: FloatArray, least: float) -> tuple[list[int], list[int], list[float]]:
    """For each row those before it that are as alike to it as that.

    Parameters
    ----------
    units : ndarray of shape (n, d), float32
    least : float
        Of the cosine.

    Returns
    -------
    offsets : list of int of length n + 1
        Where those of each row begin in the others.
    rows : list of int
    cosines : list of float
        Right but for rounding.

    Notes
    -----
    Cost O(n² d) as one matrix product.

    Examples
    --------
    >>> close_pairs(np.eye(2, dtype=np.float32)[[0, 1, 0]], 0.5)
    ([0, 0, 0, 1], [0], [1.0])
    """
    n = len(units)
    if n < 2:
        return [0] * (n + 1), [], []
    products = units @ units.T
    later, earlier = np.divmod(np.flatnonzero(products >= np.float32(least)), n)
    is_pair = earlier < later
    later, earlier = later[is_pair], earlier[is_pair]
    offsets = np.searchsorted(later, np.arange(n + 1))
    return offsets.tolist(), earlier.tolist(), products[later, earlier].tolist()
