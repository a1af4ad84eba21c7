"""Vectors of texts: what is left of them without their mean, how alike they are, and an even sample of a stream.

Invariant: arrays in, arrays out, inputs untouched; nothing here knows of clusters. Lies below `cluster`, which decides
what the figures mean.
"""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np

from ml.types import Float64Array, FloatArray

# Raw vectors kept to measure how alike two texts usually are: 130,816 pairs, enough for the quantiles below to move by
# about ±0.01 from sample to sample (measured on Banking77).
MAX_SAMPLE: Final = 512
# Unit vectors of one text agree to float32 rounding; this is not a measure of likeness.
SAME_COSINE: Final = 0.9999


def remove_mean(vectors: FloatArray, mean: FloatArray) -> FloatArray:
    """Unit rows of the vectors without the mean.

    Parameters
    ----------
    vectors : ndarray of shape (n, d), float32
    mean : ndarray of shape (d,), float32

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
    lengths = np.linalg.norm(rest, axis=1, keepdims=True)
    known = np.any(vectors != 0, axis=1, keepdims=True) & (lengths > 1e-6)
    unit: FloatArray = np.divide(rest, lengths, out=np.zeros_like(rest), where=known)
    return unit


def pair_quantiles(units: FloatArray, quantiles: tuple[float, ...]) -> Float64Array | None:
    """Quantiles of the cosines of all pairs.

    Parameters
    ----------
    units : ndarray of shape (n, d), float32
        Unit or all-zero rows; the latter are left out.
    quantiles : tuple of float
        Each in [0, 1].

    Returns
    -------
    ndarray of shape (len(quantiles),), float64, or None
        None of fewer than three texts, whose pairs say nothing.

    Notes
    -----
    Cost O(n² d): about 5 ms at 512 × 256.

    Examples
    --------
    >>> pair_quantiles(np.eye(3, dtype=np.float32), (0.5,)).tolist()
    [0.0]
    """
    known = units[np.any(units != 0, axis=1)]
    if len(known) < 3:
        return None
    cosines = (known @ known.T)[np.triu_indices(len(known), 1)]
    # Nearest ranks of a partial sort: interpolating between two of 130,816 neighbours costs more than it tells.
    ranks = np.rint(np.asarray(quantiles) * (len(cosines) - 1)).astype(np.int64)
    found: Float64Array = np.partition(cosines, ranks)[ranks].astype(np.float64)
    return found


def draw_sample(
    sample: FloatArray, vectors: FloatArray, *, n_stream: int, memory: int, rng_seed: int = 0
) -> FloatArray:
    """Let an even sample of a stream see the stream's next vectors.

    Copies (a retweet, the same button pressed) enter once while one of them is in the sample: they would make any two
    texts of the stream look identical.

    Parameters
    ----------
    sample : ndarray of shape (m, d), float32
        The sample so far, m <= `MAX_SAMPLE`.
    vectors : ndarray of shape (n, d), float32
        The next unit rows.
    n_stream : int
        Rows that the sample has seen before.
    memory : int
        The sample stands for about this many latest rows.
    rng_seed : int, default 0

    Returns
    -------
    ndarray of shape (min(m + n', MAX_SAMPLE), d), float32
        n' being the distinct rows.

    Notes
    -----
    Cost O(n (n + m) d). Chance also depends on the content: other at each call, yet the same on a second run.

    References
    ----------
    Vitter, J. S. (1985). Random sampling with a reservoir. doi:10.1145/3147.3165

    Examples
    --------
    >>> east, north = np.eye(2, dtype=np.float32)
    >>> draw_sample(np.zeros((0, 2), dtype=np.float32), np.stack([east, east, north]), n_stream=0, memory=9).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    rng = np.random.default_rng((rng_seed, zlib.crc32(np.ascontiguousarray(vectors).tobytes())))
    new = _distinct(vectors, sample)
    room = MAX_SAMPLE - len(sample)
    drawn: FloatArray = np.concatenate((sample, new[:room])).astype(np.float32)
    for vector in new[room:]:
        slot = int(rng.integers(max(min(n_stream + len(vectors), memory), MAX_SAMPLE)))
        if slot < MAX_SAMPLE:
            drawn[slot] = vector
    return drawn


def _distinct(vectors: FloatArray, known: FloatArray) -> FloatArray:
    """The vectors that are no copy of one in `known` or of one before them."""
    if len(vectors) == 0:
        return vectors
    fresh = np.ones(len(vectors), dtype=np.bool_)
    if len(known):
        fresh = (vectors @ known.T).max(axis=1) < SAME_COSINE
    earlier = np.tril(vectors @ vectors.T, -1).max(axis=1)
    fresh &= earlier < SAME_COSINE
    return vectors[fresh]
