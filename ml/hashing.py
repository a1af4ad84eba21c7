"""Counts of words, word pairs and letter groups, hashed with random signs into a fixed number of places; and unit rows.

Invariant: no vocabulary and no state. The same text falls into the same places on every machine, in every language.
Not here: what the counts are for. `encoders` compares them as they are, `sentence_models` puts them beside a model's
vectors, `student` learns from them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np
import scipy.sparse as sp

from ml.text import normalise, tokens
from ml.types import FloatArray

Unit = Literal["words", "letters"]

# Texts longer than this say what they say at the beginning; the cut bounds time and memory of one hostile report.
MAX_CHARACTERS: Final = 2_000
# Letter groups of three to five, within words: long enough to tell words apart, short enough to share between forms.
LETTERS: Final = (3, 5)


def comparable(texts: Sequence[str]) -> list[str]:
    """The normalised beginning of each text.

    Parameters
    ----------
    texts : sequence of str

    Returns
    -------
    list of str
        What is left may be empty.

    Notes
    -----
    Cost O(total characters), at most `MAX_CHARACTERS` of each text.

    Examples
    --------
    >>> comparable(["LOGIN fails"])
    ['login fails']
    """
    return [normalise(text[:MAX_CHARACTERS]) for text in texts]


def hashed(texts: Sequence[str], n_dims: int, *, unit: Unit) -> sp.csr_array:
    """Signed square roots of the hashed counts of each text.

    Parameters
    ----------
    texts : sequence of str
        Normalised already, see `comparable`.
    n_dims : int
        At least 2; a power of two spreads best.
    unit : {"words", "letters"}
        Words and pairs of neighbouring words, or groups of three to five letters within words.

    Returns
    -------
    sparse array of shape (n_texts, n_dims), float32
        Not scaled to unit length. Counts enter by their square root: the second mention of a word says less than the
        first. A text without a word is an empty row.

    Raises
    ------
    ValueError
        If `n_dims` is less than 2.

    Notes
    -----
    Cost O(total characters): on one core about 60,000 short texts a second in words, 15,000 in letters.

    References
    ----------
    Weinberger, K. et al. (2009). Feature hashing for large scale multitask learning. doi:10.1145/1553374.1553516

    Examples
    --------
    >>> hashed(["login fails", ""], 64, unit="words").shape
    (2, 64)
    """
    if n_dims < 2:
        raise ValueError(f"n_dims must be at least 2, not {n_dims}")
    if not texts:
        return sp.csr_array((0, n_dims), dtype=np.float32)
    # Imported here: it takes half a second, and who uses the static encoder never needs it.
    from sklearn.feature_extraction.text import HashingVectorizer

    how: dict[str, Any] = (
        {"analyzer": _words_and_pairs} if unit == "words" else {"analyzer": "char_wb", "ngram_range": LETTERS}
    )
    counter = HashingVectorizer(
        n_features=n_dims, norm=None, lowercase=False, alternate_sign=True, dtype=np.float32, **how
    )
    counts = sp.csr_array(counter.transform([" ".join(tokens(text)) for text in texts]))
    counts.data = np.sign(counts.data) * np.sqrt(np.abs(counts.data))
    return counts


def unit_rows(rows: FloatArray) -> FloatArray:
    """Rows scaled to length one; all-zero rows stay zero.

    Parameters
    ----------
    rows : ndarray of shape (n, d), float32

    Returns
    -------
    ndarray of shape (n, d), float32

    Notes
    -----
    Cost O(n d).

    Examples
    --------
    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32)).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: FloatArray = np.divide(rows, lengths, out=np.zeros_like(rows, dtype=np.float32), where=lengths > 0)
    return unit


def unit_sparse_rows(rows: sp.csr_array) -> sp.csr_array:
    """As `unit_rows`, of a sparse array; the pattern stays, the values are new.

    Parameters
    ----------
    rows : sparse array of shape (n, d), float32

    Returns
    -------
    sparse array of shape (n, d), float32

    Notes
    -----
    Cost O(non-zero values).

    Examples
    --------
    >>> unit_sparse_rows(sp.csr_array(np.array([[0.0, 4.0], [0.0, 0.0]]))).toarray().tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    scaled = rows.copy()
    scaled.data = (rows.data * np.repeat(scale, np.diff(rows.indptr))).astype(rows.dtype)
    return scaled


def _words_and_pairs(text: str) -> list[str]:
    words = text.split()
    return words + [f"{first} {second}" for first, second in itertools.pairwise(words)]
