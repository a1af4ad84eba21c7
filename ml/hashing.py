"""Counts of words, word pairs and letter groups, hashed with random signs into a fixed number of places; and unit rows.

Invariant: no vocabulary and no state. The same text falls into the same places on every machine, in every language.
Not here: what the counts are for. `encoders` compares them as they are, `student` learns from them.
"""

from __future__ import annotations

import functools
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
# Words whose letter groups are remembered, and their letters at most: some 10 MB.
MOST_WORDS: Final = 20_000
LONGEST_WORD: Final = 40
_PLACE_BYTES: Final = 4


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
    # Cut again, for normalising may lengthen a text (ß, …), and who normalises twice shall find the same.
    return [normalise(text[:MAX_CHARACTERS])[:MAX_CHARACTERS] for text in texts]


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
    Cost O(total characters): on one core about 60,000 short texts a second in words, 40,000 in letters
    (15,000 where every word is new).

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
    words = [_words(text) for text in texts]
    if unit == "words":
        counts = _counts([_words_and_pairs(row) for row in words], n_dims)
    else:
        counts = _counts_of_letters(words, n_dims)
    counts.data = np.sign(counts.data) * np.sqrt(np.abs(counts.data))
    return counts


def _counts(terms: Sequence[Sequence[str]], n_dims: int) -> sp.csr_array:
    return sp.csr_array(_hasher(n_dims).transform(terms))


@functools.cache
def _hasher(n_dims: int) -> Any:
    # Imported here: it takes half a second, and who uses the static encoder never needs it.
    from sklearn.feature_extraction import FeatureHasher

    return FeatureHasher(n_dims, input_type="string", dtype=np.float32, alternate_sign=True)


def _counts_of_letters(words: Sequence[Sequence[str]], n_dims: int) -> sp.csr_array:
    """Counts of a text's letter groups are those of its words, of which the same few thousand come again and again."""
    remembered = _letters_of_words(n_dims)
    every = list(itertools.chain.from_iterable(words))
    try:
        known = list(map(remembered.__getitem__, every))
    except KeyError:
        known = _learnt_letters(every, n_dims)
    # Copied, for duplicates are summed in place.
    places = np.frombuffer(bytearray().join([places for places, _ in known]), dtype=np.int32)
    values = np.frombuffer(bytearray().join([values for _, values in known]), dtype=np.float32)
    n_words = np.cumsum([0, *map(len, words)])
    n_groups = np.cumsum([0, *(len(places) // _PLACE_BYTES for places, _ in known)])
    counts = sp.csr_array((values, places, n_groups[n_words]), shape=(len(words), n_dims))
    counts.sum_duplicates()
    return counts


def _learnt_letters(words: Sequence[str], n_dims: int) -> list[tuple[bytes, bytes]]:
    """Counts of the letter groups of words of which some are new."""
    remembered = _letters_of_words(n_dims)
    found = {word: remembered.get(word) for word in words}
    missing = [word for word, groups in found.items() if groups is None]
    fresh = _counts([_letter_groups(word) for word in missing], n_dims)
    groups = {
        word: (fresh.indices[begin:end].astype(np.int32).tobytes(), fresh.data[begin:end].tobytes())
        for word, (begin, end) in zip(missing, itertools.pairwise(fresh.indptr.tolist()), strict=True)
    }
    if len(remembered) > MOST_WORDS:
        remembered.clear()
    remembered.update((word, known) for word, known in groups.items() if len(word) <= LONGEST_WORD)
    return [found[word] or groups[word] for word in words]


@functools.cache
def _letters_of_words(n_dims: int) -> dict[str, tuple[bytes, bytes]]:
    """Places (int32) and counts (float32) of each word's letter groups: bytes are quicker to join than arrays."""
    return {}


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


@functools.lru_cache(maxsize=1_024)
def _words(text: str) -> tuple[str, ...]:
    """Remembered from one call to the next, for a text's letters are asked for after its words."""
    return tuple(tokens(text))


def _words_and_pairs(words: Sequence[str]) -> list[str]:
    return [*words, *(f"{first} {second}" for first, second in itertools.pairwise(words))]


def _letter_groups(word: str) -> list[str]:
    """Groups of letters and the word's edges; a word shorter than a group is one group, once."""
    edged = f" {word} "
    found: list[str] = []
    for n in range(LETTERS[0], LETTERS[1] + 1):
        found.extend(edged[begin : begin + n] for begin in range(max(len(edged) - n, 0) + 1))
        if len(edged) <= n:
            break
    return found
