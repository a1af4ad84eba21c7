"""A teacher's vectors drawn together within neighbourhoods, so that a student learns what is said and not how.

Invariant: how near counts as near is read from the vectors themselves, and a text without near neighbours stays where
it is. Not here: fitting (`student`), and whose vectors these are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from ml.hashing import unit_rows
from ml.types import Float64Array, FloatArray, IntArray

# Chosen by students fitted on one half of Banking77 and scored on the other. Of 6,500 texts, with ten: B-cubed .547 is
# .587, and of ids 4 % change instead of 9 %. Of fewer texts fewer say the same thing: of 3,700, learnt from a stream's
# first lines, five give .583 and a pair precision of .54, ten .586 and .51. Three rounds gave less.
N_NEIGHBOURS: Final = (5, 10)
TEXTS_A_NEIGHBOUR: Final = 800
LEAST_NEIGHBOURS: Final = 3  # of one language, where there are many
N_ROUNDS: Final = 2
# What two texts of two languages must exceed to be drawn together at all: as `ml.calibration` reads what is usual.
QUANTILE: Final = 0.97
SAMPLE_TEXTS: Final = 1_000
# Translations lie farther from each other than paraphrases do, so full weight begins where the nearest lie.
NEAREST_QUANTILE: Final = 0.95
LEAST_SPREAD: Final = 0.05
# Hubs, near to everything, are nobody's translation: each side's mean of so many nearest is taken off (CSLS).
N_HUB: Final = 5
# Fewer texts of a language have no mean worth taking out, and no neighbourhoods.
LEAST_OF_LANGUAGE: Final = 50
# What is left of a text that is the mean itself, in float32: no direction.
ROUNDING: Final = 1e-5
CHUNK_TEXTS: Final = 1_024


def denoised(vectors: FloatArray, languages: Sequence[str] | None = None) -> FloatArray:
    """Each vector drawn towards its near neighbours of every language, twice.

    Texts that say the same thing lie around a common middle; how they lie around it is wording, which only keeps a
    student from seeing the middle. Neighbours in other languages bring the languages together, which no linear map of
    words could do by itself.

    Parameters
    ----------
    vectors : ndarray of shape (n, d), float32
        A teacher's. All-zero rows stay so.
    languages : sequence of str of length n, optional
        Of each text, "" where unknown. These, and languages of less than 50 texts, count with the most frequent one.

    Returns
    -------
    ndarray of shape (n, d), float32
        Unit rows without the mean of their language.

    Raises
    ------
    ValueError
        If the lengths differ.

    Notes
    -----
    Cost O(n² d) time, O(n) memory beside the vectors: about 3 s for 4,000 texts of 384 dimensions on one core. A
    neighbour's weight is 0 at the similarity that 3 % of all pairs exceed and 1 at identity, squared; the text itself
    has weight 1.

    References
    ----------
    Hein, M., Maier, M. (2006). Manifold denoising. Advances in Neural Information Processing Systems 19.
    Conneau, A. et al. (2018). Word translation without parallel data (CSLS). https://arxiv.org/abs/1710.04087

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> problems = np.repeat(np.eye(40, dtype=np.float32), 10, axis=0)
    >>> noisy = problems + np.float32(0.1) * rng.normal(size=problems.shape).astype(np.float32)
    >>> def spread(rows):
    ...     return float(rows.reshape(40, 10, -1).std(axis=1).mean())
    >>> spread(denoised(noisy)) < 0.3 * spread(noisy)
    True
    """
    if languages is not None and len(languages) != len(vectors):
        raise ValueError(f"{len(languages)} languages do not go with {len(vectors)} vectors")
    known = np.flatnonzero(np.any(vectors != 0, axis=1))
    members = _members(None if languages is None else [languages[i] for i in known.tolist()], len(known))
    rows = _without_means(unit_rows(vectors[known]), members)
    n_near = int(np.clip(len(known) // TEXTS_A_NEIGHBOUR, *N_NEIGHBOURS))
    n_each = max(n_near // max(len(members), 1), LEAST_NEIGHBOURS)
    for _ in range(N_ROUNDS):
        drawn = rows.copy()
        for here, own in enumerate(members):
            for there, theirs in enumerate(members):
                _draw(drawn, rows, own, theirs, n_each, is_same=here == there)
        rows = unit_rows(drawn)
    found = np.zeros_like(vectors, dtype=np.float32)
    found[known] = rows
    return found


def without_means(vectors: FloatArray, languages: Sequence[str] | None = None) -> FloatArray:
    """Unit rows from which the mean of their language is taken out.

    Parameters
    ----------
    vectors : ndarray of shape (n, d), float32
    languages : sequence of str of length n, optional
        As for `denoised`; one language by default.

    Returns
    -------
    ndarray of shape (n, d), float32
        Of fewer than 50 texts nothing is taken out. A text that says what all of its language say is an all-zero row.

    Notes
    -----
    Cost O(n d).

    Examples
    --------
    >>> rows = np.repeat(np.array([[1.0, 0.0], [0.6, 0.8]], dtype=np.float32), 50, axis=0)
    >>> bool(without_means(rows, ["en"] * 50 + ["de"] * 50).any())
    False
    """
    return _without_means(unit_rows(vectors), _members(None if languages is None else list(languages), len(vectors)))


def _without_means(rows: FloatArray, members: list[IntArray]) -> FloatArray:
    for texts in members:
        # The mean of a handful is these texts themselves: taking it out would leave nothing of them.
        if len(texts) >= LEAST_OF_LANGUAGE:
            left = rows[texts] - rows[texts].mean(axis=0)
            left[np.linalg.norm(left, axis=1) < ROUNDING] = 0
            rows[texts] = unit_rows(left)
    return rows


def _members(languages: list[str] | None, n: int) -> list[IntArray]:
    """The texts of each language that has enough of them; the others go with the first."""
    if languages is None or n == 0:
        return [np.arange(n)] if n else []
    names, place = np.unique(np.array(languages), return_inverse=True)
    sizes = np.bincount(place)
    sizes[names == ""] = 0
    most = int(sizes.argmax())
    place[sizes[place] < LEAST_OF_LANGUAGE] = most
    return [np.flatnonzero(place == at) for at in range(len(names)) if (place == at).any()]


def _draw(drawn: FloatArray, rows: FloatArray, own: IntArray, theirs: IntArray, n_each: int, *, is_same: bool) -> None:
    """Add to the texts `own` their weighted neighbours among `theirs`."""
    n_near = min(n_each, len(theirs) - int(is_same))
    if n_near < 1:
        return
    usual = _usual(rows[own], rows[theirs], is_same=is_same)
    hubs = None if is_same else _nearness(rows[theirs], rows[own])
    near, alike = np.empty((len(own), n_near), dtype=np.int64), np.empty((len(own), n_near), dtype=np.float32)
    for start in range(0, len(own), CHUNK_TEXTS):
        part = slice(start, start + CHUNK_TEXTS)
        similarity = rows[own[part]] @ rows[theirs].T
        if is_same:
            at = np.arange(len(similarity))
            similarity[at, start + at] = -np.inf
        # The other side's nearness is the same for a whole row, so it changes no order.
        order = similarity if hubs is None else 2 * similarity - hubs
        near[part] = np.argpartition(-order, n_near - 1, axis=1)[:, :n_near]
        alike[part] = np.take_along_axis(similarity, near[part], axis=1)
    full = 1.0 if is_same else max(float(np.quantile(alike, NEAREST_QUANTILE)), usual + LEAST_SPREAD)
    weights = np.square(np.clip((alike - usual) / max(full - usual, 1e-6), 0.0, 1.0)).astype(np.float32)
    for start in range(0, len(own), CHUNK_TEXTS):
        part = slice(start, start + CHUNK_TEXTS)
        drawn[own[part]] += np.einsum("nk,nkd->nd", weights[part], rows[theirs[near[part]]])


def _usual(own: FloatArray, theirs: FloatArray, *, is_same: bool) -> float:
    """The similarity that 3 % of all pairs exceed, read from an evenly spaced part of them."""
    some = own[np.linspace(0, len(own) - 1, min(len(own), SAMPLE_TEXTS)).astype(np.int64)]
    others = some if is_same else theirs[np.linspace(0, len(theirs) - 1, min(len(theirs), SAMPLE_TEXTS)).astype(int)]
    pairs = some @ others.T
    values: FloatArray = pairs[np.triu_indices(len(some), 1)] if is_same else pairs.ravel()
    return float(np.quantile(values, QUANTILE)) if len(values) else 1.0


def _nearness(rows: FloatArray, others: FloatArray) -> Float64Array:
    """Mean similarity of each row to its nearest among the others."""
    n = min(N_HUB, len(others))
    found = np.empty(len(rows))
    for start in range(0, len(rows), CHUNK_TEXTS):
        similarity = rows[start : start + CHUNK_TEXTS] @ others.T
        found[start : start + CHUNK_TEXTS] = np.partition(similarity, -n, axis=1)[:, -n:].mean(axis=1)
    return found
