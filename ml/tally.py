"""The running account of a service's texts: sums of each language, and a sample drawn evenly from the latest.

Invariant: which text is drawn depends on its number in the stream alone, so batches may be cut anywhere. Not here: what
is read from it (`calibration`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeVar

import numpy as np

from ml.types import Float64Array, FloatArray, IntArray
from ml.vectors import SAME_COSINE

# Raw vectors kept to measure how alike two texts usually are: 130,816 pairs, enough for the quantiles below to move by
# about ±0.01 from sample to sample (measured on Banking77).
MAX_SAMPLE: Final = 512
# Mean and sample stand for about this many latest reports: long enough that a burst about one thing does not become
# "usual" at once, short enough to follow a product that changes.
MEMORY_REPORTS: Final = 20 * MAX_SAMPLE

Array = TypeVar("Array", FloatArray, Float64Array, IntArray)


@dataclass(frozen=True, slots=True)
class Tally:
    """The running account of a service's texts, in d dimensions and l languages.

    Attributes
    ----------
    languages : tuple of str
        Tags in order of appearance; () where the encoder needs none told apart.
    sums : ndarray of shape (max(l, 1), d), float64
        Sum of the raw vectors of each language, about the latest `MEMORY_REPORTS` texts in all.
    counts : ndarray of shape (max(l, 1),), float64
        Texts in each sum; fractions come of forgetting.
    n_seen : int
        Texts with a known token seen in all.
    sample : ndarray of shape (m, d), float32
        Distinct raw vectors drawn evenly from the latest `MEMORY_REPORTS`, m <= `MAX_SAMPLE`.
    sample_languages : ndarray of shape (m,), int64
        Row of `sums` of each.
    sample_times : ndarray of shape (m,), float64
        Epoch seconds of each.
    """

    languages: tuple[str, ...]
    sums: Float64Array
    counts: Float64Array
    n_seen: int
    sample: FloatArray
    sample_languages: IntArray
    sample_times: Float64Array


def empty_tally(n_dims: int) -> Tally:
    """The account of a service that has had no report.

    Examples
    --------
    >>> empty_tally(4).n_seen
    0
    """
    return Tally(
        (),
        np.zeros((1, n_dims)),
        np.zeros(1),
        0,
        np.zeros((0, n_dims), dtype=np.float32),
        np.zeros(0, dtype=np.int64),
        np.zeros(0),
    )


def add_texts(
    tally: Tally, vectors: FloatArray, times: Float64Array, languages: tuple[str, ...] | None = None
) -> Tally:
    """Let the account see the stream's next texts.

    Parameters
    ----------
    tally : Tally
        Left untouched.
    vectors : ndarray of shape (n, d), float32
        Unit or all-zero rows; the latter leave no trace.
    times : ndarray of shape (n,), float64
        Epoch seconds.
    languages : tuple of str of length n, optional
        Give it where each language shall have a mean of its own.

    Returns
    -------
    Tally

    Notes
    -----
    Cost O(n d), and O(m d) for each text that is drawn into the sample: every one at first, 5 % later. Which text is
    drawn depends on its number in the stream alone, so batches may be cut anywhere.

    References
    ----------
    Vitter, J. S. (1985). Random sampling with a reservoir. doi:10.1145/3147.3165

    Examples
    --------
    >>> seen = add_texts(empty_tally(2), np.eye(2, dtype=np.float32)[[0, 0, 1]], np.arange(3.0))
    >>> seen.n_seen, seen.sample.tolist()
    (3, [[1.0, 0.0], [0.0, 1.0]])
    """
    known = np.flatnonzero(vectors.any(axis=1))
    if len(known) == 0:
        return tally
    fresh = vectors if len(known) == len(vectors) else vectors[known]
    tally, rows = _rows_of(tally, None if languages is None else [languages[i] for i in known.tolist()], len(known))
    sums, counts = tally.sums.copy(), tally.counts.copy()
    if len(sums) == 1:
        sums[0] += fresh.sum(axis=0, dtype=np.float64)
    else:
        np.add.at(sums, rows, fresh.astype(np.float64))
    counts += np.bincount(rows, minlength=len(counts))
    return Tally(tally.languages, sums, counts, tally.n_seen + len(known), *_drawn(tally, fresh, rows, times[known]))


def _rows_of(tally: Tally, languages: list[str] | None, n: int) -> tuple[Tally, IntArray]:
    """The row of each text's language, with new rows for languages not met before."""
    if languages is None:
        return tally, np.zeros(n, dtype=np.int64)
    known = list(tally.languages)
    known.extend(language for language in dict.fromkeys(languages) if language not in tally.languages)
    if len(known) > len(tally.languages):
        more = len(known) - max(len(tally.languages), 1)
        tally = replace(
            tally,
            languages=tuple(known),
            sums=np.concatenate((tally.sums, np.zeros((more, tally.sums.shape[1])))),
            counts=np.concatenate((tally.counts, np.zeros(more))),
        )
    row_of = {language: row for row, language in enumerate(known)}
    return tally, np.array([row_of[language] for language in languages], dtype=np.int64)


def _drawn(
    tally: Tally, vectors: FloatArray, rows: IntArray, times: Float64Array
) -> tuple[FloatArray, IntArray, Float64Array]:
    """The sample after some more texts. A copy of a text in the sample does not enter: a retweeted text would make any
    two texts look identical."""
    numbers = np.arange(tally.n_seen, tally.n_seen + len(vectors))
    slots = _random(numbers) % np.minimum(numbers + 1, MEMORY_REPORTS).astype(np.uint64)
    m = len(tally.sample)
    if m == MAX_SAMPLE and not (slots < MAX_SAMPLE).any():
        return tally.sample, tally.sample_languages, tally.sample_times
    drawn = np.flatnonzero((slots < MAX_SAMPLE) | (m < MAX_SAMPLE))
    room = min(m + len(vectors), MAX_SAMPLE)
    sample, languages = _with_room(tally.sample, room), _with_room(tally.sample_languages, room)
    drawn_at = _with_room(tally.sample_times, room)
    is_changed = False
    for begin in range(0, len(drawn), MAX_SAMPLE):
        some = drawn[begin : begin + MAX_SAMPLE]
        # Looked for together: one by one, each reads the whole sample.
        is_copy = (vectors[some] @ sample[:m].T) >= SAME_COSINE
        is_twin = (vectors[some] @ vectors[some].T) >= SAME_COSINE
        may_be_known = (is_copy.any(axis=1) | (is_twin.sum(axis=1) > 1)).tolist()
        entered: dict[int, int] = {}  # which of these has taken a slot
        for nth, i in enumerate(some.tolist()):
            slot = m if m < MAX_SAMPLE else int(slots[i])
            if slot >= MAX_SAMPLE:
                continue
            if may_be_known[nth]:
                copied = np.flatnonzero(is_copy[nth]).tolist()
                if any(other not in entered for other in copied) or is_twin[nth, list(entered.values())].any():
                    continue
            entered[slot] = nth
            sample[slot], languages[slot], drawn_at[slot] = vectors[i], rows[i], times[i]
            m = max(m, slot + 1)
        is_changed = is_changed or bool(entered)
    if not is_changed:
        return tally.sample, tally.sample_languages, tally.sample_times
    return sample[:m], languages[:m], drawn_at[:m]


def _with_room(values: Array, n_rows: int) -> Array:
    found = np.empty((n_rows, *values.shape[1:]), dtype=values.dtype)
    found[: len(values)] = values
    return found


def _random(numbers: IntArray) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    """A random 64-bit number for each number, always the same (splitmix64: Steele et al. 2014,
    doi:10.1145/2660193.2660195)."""
    mixed = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
