"""Counts of words, word pairs and letter groups, hashed with random signs into a fixed number of places; and unit rows.

Invariant: no vocabulary and no state. The same text falls into the same places on every machine, in every language.
Not here: what the counts are for. `encoders` compares them as they are, `student` learns from them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from ml.text import normalise, tokens_of_all
from ml.types import FloatArray, IntArray

HashArray = npt.NDArray[np.uint64]
Unit = Literal["words", "letters"]

# Texts longer than this say what they say at the beginning; the cut bounds time and memory of one hostile report.
MAX_CHARACTERS: Final = 2_000
# Letter groups of three to five, within words: long enough to tell words apart, short enough to share between forms.
LETTERS: Final = (3, 5)
# Words whose hashes are remembered, and their letters at most: some 10 MB.
MOST_WORDS: Final = 20_000
LONGEST_WORD: Final = 40
# 2^64 by the golden ratio, an odd number: what a hash so far is multiplied by before the next letter or word is added.
_NEXT: Final = np.uint64(0x9E3779B97F4A7C15)
_LOWER_HALF: Final = np.uint64(0xFFFFFFFF)

_remembered: dict[str, _Word] = {}


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


class Terms:
    """What texts say, hashed: the words are read once, and counted by either unit.

    Parameters
    ----------
    texts : sequence of str
        Normalised already, see `comparable`.

    Notes
    -----
    Cost O(total characters): on one core about 300,000 short texts a second in words and 200,000 in letters where most
    words were met before.

    References
    ----------
    Weinberger, K. et al. (2009). Feature hashing for large scale multitask learning. doi:10.1145/1553374.1553516
    Karp, R. M., Rabin, M. O. (1987). Efficient randomized pattern-matching algorithms. doi:10.1147/rd.312.0249

    Examples
    --------
    >>> terms = Terms(["login fails", ""])
    >>> terms.sparse(4_096, unit="words").shape, terms.dense(64, unit="letters").shape
    ((2, 4096), (2, 64))
    """

    def __init__(self, texts: Sequence[str]) -> None:
        words = tokens_of_all(texts)
        self._known = _known(list(itertools.chain.from_iterable(words)))
        self._n_words = np.zeros(len(words) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in words], out=self._n_words[1:])

    def sparse(self, n_dims: int, *, unit: Unit) -> sp.csr_array:
        """Signed square roots of the hashed counts of each text.

        Parameters
        ----------
        n_dims : int
            At least 2; a power of two spreads best.
        unit : {"words", "letters"}
            Words and pairs of neighbouring words, or groups of three to five letters within words and their edges.

        Returns
        -------
        sparse array of shape (n_texts, n_dims), float32
            Not scaled to unit length. Counts enter by their square root: the second mention of a word says less than
            the first. A text without a word is an empty row.

        Raises
        ------
        ValueError
            If `n_dims` is less than 2.
        """
        places, signs, ends = self._placed(n_dims, unit)
        counts = sp.csr_array((signs, places, ends), shape=(len(ends) - 1, n_dims))
        counts.sum_duplicates()
        counts.data = np.sign(counts.data) * np.sqrt(np.abs(counts.data))
        return counts

    def dense(self, n_dims: int, *, unit: Unit) -> FloatArray:
        """The same as an ndarray of shape (n_texts, n_dims), float32."""
        places, signs, ends = self._placed(n_dims, unit)
        n = len(ends) - 1
        places += np.repeat(np.arange(n) * n_dims, np.diff(ends))
        counts = np.bincount(places, weights=signs, minlength=n * n_dims).astype(np.float32).reshape(n, n_dims)
        return np.copysign(np.sqrt(np.abs(counts)), counts)

    def _placed(self, n_dims: int, unit: Unit) -> tuple[IntArray, FloatArray, IntArray]:
        """Place and sign of every term, and where those of each text end."""
        if n_dims < 2:
            raise ValueError(f"n_dims must be at least 2, not {n_dims}")
        of_unit = _words_and_pairs if unit == "words" else _letter_groups
        hashes, ends = of_unit(self._known, self._n_words)
        # As many places as there are dimensions by the lower half of a hash, the sign by its first bit.
        places = (hashes & _LOWER_HALF).astype(np.int64) % n_dims
        return places, np.where(hashes >> np.uint64(63), np.float32(-1.0), np.float32(1.0)), ends


class _Word(NamedTuple):
    """Hashes of a word and of its letter groups, uint64: bytes are quicker to join than arrays."""

    whole: bytes
    groups: bytes


def _words_and_pairs(known: Sequence[_Word], n_words: IntArray) -> tuple[HashArray, IntArray]:
    """Hashes of each text's words and pairs of neighbours, and where those of each text end."""
    words = np.frombuffer(b"".join([word.whole for word in known]), dtype=np.uint64)
    terms = np.empty((len(words), 2), dtype=np.uint64)
    terms[:, 0] = words
    terms[:-1, 1] = _mixed(words[:-1] * _NEXT + words[1:])
    is_term = np.ones(terms.shape, dtype=np.bool_)
    is_term[n_words[1:][np.diff(n_words) > 0] - 1, 1] = False  # the last word of a text has no neighbour
    ends = 2 * n_words
    ends[1:] -= np.cumsum(np.diff(n_words) > 0)
    return terms[is_term], ends


def _letter_groups(known: Sequence[_Word], n_words: IntArray) -> tuple[HashArray, IntArray]:
    """Hashes of the letter groups of each text's words, and where those of each text end."""
    hashes = np.frombuffer(b"".join([word.groups for word in known]), dtype=np.uint64)
    n_groups = np.cumsum([0, *(len(word.groups) // hashes.itemsize for word in known)])
    return hashes, n_groups[n_words]


def _known(words: Sequence[str]) -> list[_Word]:
    """What is remembered of words: the same few thousand come again and again."""
    try:
        return list(map(_remembered.__getitem__, words))
    except KeyError:
        # What is answered with is this call's own: another thread may clear what is remembered at any moment.
        found = {word: _remembered.get(word) for word in words}
    missing = [word for word, hashes in found.items() if hashes is None]
    new = dict(zip(missing, _hashes_of(missing), strict=True))
    if len(_remembered) + len(new) > MOST_WORDS:
        _remembered.clear()
    kept = ((word, hashes) for word, hashes in new.items() if len(word) <= LONGEST_WORD)
    _remembered.update(itertools.islice(kept, MOST_WORDS))
    return [found[word] or new[word] for word in words]


def _hashes_of(words: Sequence[str]) -> list[_Word]:
    """Hashes of words, all at once; a word is hashed with its edges, and so are its letter groups."""
    letters = np.frombuffer("".join([f" {word} " for word in words]).encode("utf-32-le", "surrogatepass"), "<u4")
    lengths = np.array([len(word) + 2 for word in words], dtype=np.int64)
    ends = np.cumsum(lengths)
    word_of = np.repeat(np.arange(len(words)), lengths)
    left = ends[word_of] - np.arange(len(letters))  # letters from each to its word's end
    # Polynomials of the letters' numbers, without remainder but for that of 64 bits.
    powers = np.cumprod(np.full(lengths.max(initial=0), _NEXT, dtype=np.uint64))
    whole = _mixed(np.add.reduceat(letters * powers[left - 1], ends - lengths)) if len(words) else powers
    parts, owners = [], []
    rolling = letters.astype(np.uint64)
    for n in range(2, LETTERS[1] + 1):
        rolling = rolling[:-1] * _NEXT + letters[n - 1 :]
        if n >= LETTERS[0]:
            begins = np.flatnonzero(left[: len(rolling)] >= n)
            parts.append(rolling[begins])
            owners.append(word_of[begins])
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    groups = _mixed(np.concatenate(parts)[order])
    n_groups = np.cumsum([0, *np.bincount(owner, minlength=len(words))])
    return [
        _Word(one.tobytes(), groups[begin:end].tobytes())
        for one, (begin, end) in zip(whole, itertools.pairwise(n_groups.tolist()), strict=True)
    ]


def _mixed(values: HashArray) -> HashArray:
    """Every bit of the result depends on every bit (splitmix64: Steele et al. 2014, doi:10.1145/2660193.2660195)."""
    mixed = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


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
