"""Arithmetic on rows of vectors: without their mean, of unit length.

Invariant: arrays in, arrays out, inputs untouched; nothing here knows of clusters or of texts.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ml.types import FloatArray

# Unit vectors of one text agree to float32 rounding; this is not a measure of likeness.
SAME_COSINE: Final = 0.9999


def unit_rows(rows: FloatArray) -> FloatArray:
    """Rows scaled to length 1.

    Parameters
    ----------
    rows : ndarray of shape (n, d), float32

    Returns
    -------
    ndarray of shape (n, d), float32
        All-zero rows stay zero.

    Notes
    -----
    Cost O(n d).

    Examples
    --------
    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32)).round(2).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    unit: FloatArray = np.divide(rows, lengths, out=np.zeros_like(rows, dtype=np.float32), where=lengths > 0)
    return unit


def remove_mean(vectors: FloatArray, mean: FloatArray) -> FloatArray:
    """Unit rows of the vectors without the mean.

    Parameters
    ----------
    vectors : ndarray of shape (n, d), float32
    mean : ndarray of shape (d,) or (n, d), float32
        One for all, or one each.

    Returns
    -------
    ndarray of shape (n, d), float32
        All-zero rows stay zero, and so do rows that are the mean itself (within 1e-6).

    Notes
    -----
    Cost O(n d).

    Examples
    --------
    >>> rows = np.array([[1.0, 1.0], [0.0, 0.0]], dtype=np.float32)
    >>> remove_mean(rows, np.array([1.0, 0.0], dtype=np.float32)).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    rest = vectors - mean
    lengths = np.sqrt(np.einsum("ij,ij->i", rest, rest))[:, None]
    known = np.any(vectors != 0, axis=1, keepdims=True) & (lengths > 1e-6)
    unit: FloatArray = np.divide(rest, lengths, out=np.zeros_like(rest), where=known)
    return unit
