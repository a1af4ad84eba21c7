"""Leading coordinates of unit vectors, by which most of many centroids are ruled out before they are looked at whole.

Invariant: what two vectors' leading coordinates leave to the rest is bounded by the lengths of both rests
(Cauchy-Schwarz), so nothing is ruled out that could be near. Not here: what is searched for (`nearest`).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ml.types import FloatArray

# Leading dimensions compared first, at most: of the static vectors' 320 they hold four fifths of a centroid's squared
# length or more, so that 1 in 500 centroids has to be looked at whole (with 64: 1 in 5).
HEAD_DIMS: Final = 144
# The tighter the threshold, the fewer of them rule out enough. Each number is tried on a few centroids; to look at one
# centroid whole takes as long as one dimension of 12,000.
_HEADS: Final = (64, 80, 96, 112, 128, HEAD_DIMS)
_AXES_AMONG: Final = 1_024
_TRIED: Final = 16
_TRIED_AMONG: Final = 1_000
_WHOLE_COSTS: Final = 12_000
# With another number of dimensions all centroids are gone through anew; that pays from so much lower costs on.
_CLEARLY_MORE: Final = 1.1


def scale_of(sums: FloatArray) -> FloatArray:
    """One over the length of each row.

    Parameters
    ----------
    sums : ndarray of shape (k, d), float32

    Returns
    -------
    ndarray of shape (k,), float32
        0 where the length is 0.

    Examples
    --------
    >>> scale_of(np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32)).astype(float).round(3).tolist()
    [0.2, 0.0]
    """
    lengths = np.sqrt(np.einsum("ij,ij->i", sums, sums))
    scale: FloatArray = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return scale


def heads_of(sums: FloatArray, scale: FloatArray, axes: FloatArray) -> FloatArray:
    """Coordinates of unit centroids along some axes, and the length of the rest.

    Parameters
    ----------
    sums : ndarray of shape (k, d), float32
    scale : ndarray of shape (k,), float32
        As `scale_of` gives it.
    axes : ndarray of shape (d, h), float32
        Orthonormal columns.

    Returns
    -------
    ndarray of shape (k, h + 1), float32

    Notes
    -----
    Cost O(k d h).

    Examples
    --------
    >>> sums = np.array([[3.0, 4.0]], dtype=np.float32)
    >>> heads_of(sums, scale_of(sums), np.eye(2, dtype=np.float32)[:, :1]).astype(float).round(3).tolist()
    [[0.6, 0.8]]
    """
    return rest_beside((sums @ axes) * scale[:, None])


def leading_axes(units: FloatArray) -> FloatArray:
    """Directions in which unit vectors lie most, nearly the leading ones of their second moment, in order.

    Parameters
    ----------
    units : ndarray of shape (k, d), float32
        d is above `HEAD_DIMS`.

    Returns
    -------
    ndarray of shape (d, HEAD_DIMS), float32
        Orthonormal columns.

    Notes
    -----
    Two steps of subspace iteration from the first dimensions, in which encoders say most, and the Rayleigh-Ritz method
    within: half the time of all eigenvectors. Cost O(d³), for evenly spaced ones stand in for many.

    References
    ----------
    Golub, G. H., Van Loan, C. F. (2013). Matrix Computations, section 8.2.4. ISBN 978-1-4214-0794-4

    Examples
    --------
    >>> units = np.eye(HEAD_DIMS + 8, dtype=np.float32)
    >>> axes = leading_axes(np.concatenate((units, units[-1:])))
    >>> axes.shape, bool(np.allclose(axes.T @ axes, np.eye(HEAD_DIMS), atol=1e-5))
    ((152, 144), True)
    """
    some = units[np.linspace(0, len(units) - 1, min(len(units), _AXES_AMONG), dtype=np.int64)]
    moment = some.T @ some
    basis, _ = np.linalg.qr(moment @ moment[:, :HEAD_DIMS])
    _, within = np.linalg.eigh(basis.T @ (moment @ basis))
    return np.ascontiguousarray(basis @ within[:, ::-1], dtype=np.float32)


def rest_beside(heads: FloatArray) -> FloatArray:
    """Leading coordinates of unit vectors, and beside them the length that they leave to the rest.

    Parameters
    ----------
    heads : ndarray of shape (n, h), float32

    Returns
    -------
    ndarray of shape (n, h + 1), float32
        The product of two such rows is the most that the cosine of the two vectors can be.

    Examples
    --------
    >>> rest_beside(np.array([[0.6]], dtype=np.float32)).astype(float).round(3).tolist()
    [[0.6, 0.8]]
    """
    found = np.empty((len(heads), heads.shape[1] + 1), dtype=np.float32)
    found[:, :-1] = heads
    found[:, -1] = np.sqrt(np.maximum(1.0 - np.einsum("ij,ij->i", heads, heads), 0.0))
    return found


def n_heads_for(
    sums: FloatArray, scale: FloatArray, axes: FloatArray, threshold: float | None, *, now: int | None = None
) -> int:
    """How many leading dimensions to look at first, so that these and what they can't rule out cost least.

    Parameters
    ----------
    sums, scale, axes
        As for `heads_of`, with all axes.
    threshold : float, optional
        The cosine that will be searched for; without it the most dimensions are taken.
    now : int, optional
        How many there are now. They stay as many unless that costs clearly more.

    Returns
    -------
    int
        From 64 to `HEAD_DIMS`.

    Notes
    -----
    Cost that of comparing 16 centroids with 1,000; which number is right decides about speed alone.

    Examples
    --------
    >>> sums = np.ones((1, 256), dtype=np.float32)
    >>> n_heads_for(sums, scale_of(sums), np.eye(256, dtype=np.float32)[:, :HEAD_DIMS], None)
    144
    """
    if threshold is None:
        return HEAD_DIMS
    # Some centroids stand in for the texts that will be looked for among them.
    tried, among = (
        (sums[some] @ axes) * scale[some, None]
        for some in (
            np.linspace(0, len(sums) - 1, n, dtype=np.int64) for n in (_TRIED, min(_TRIED_AMONG, len(sums) // 4))
        )
    )
    costs = {}
    for n in _HEADS:
        most = rest_beside(tried[:, :n]) @ rest_beside(among[:, :n]).T
        costs[n] = n + float((most >= threshold).mean()) * _WHOLE_COSTS
    best = min(_HEADS, key=costs.__getitem__)
    return now if now is not None and costs[now] <= _CLEARLY_MORE * costs[best] else best
