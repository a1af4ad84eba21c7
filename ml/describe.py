"""Words and examples for a group of reports: what a person reads first.

Invariant: everything shown was typed by a reporter; no summary is made up. Not here: translation, and the choice of
which groups are worth showing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from ml.function_words import FUNCTION_WORDS, NEGATIONS
from ml.text import normalise, tokens
from ml.types import FloatArray

# A word in more than this share of the other texts says nothing about these, such as "account" at a bank.
_COMMON_SHARE: Final = 0.25
# Prior of the log-odds, in pseudo-texts a word: with less, words seen once would win.
_PRIOR_TEXTS: Final = 2.0
# Reports whose similarity to the centroid is this close are equally typical, and the more readable one is shown.
_TYPICAL_TIE: Final = 0.01


def distinctive_terms(
    texts_by_group: Sequence[Sequence[str]], background: Sequence[str], *, n_terms: int = 3
) -> list[list[str]]:
    """The words that set each group of texts apart from the rest, as their writers spell them.

    Words and pairs of words are ranked by the z-score of the log-odds of being in a text of the group against being in
    a text of the background and the other groups, with an informative prior. A pair takes the place of its words where
    it is about as distinctive.

    Parameters
    ----------
    texts_by_group : sequence of sequences of str
        Texts of each group; a sample of a few hundred is enough.
    background : sequence of str
        Other texts of the same service; may be empty.
    n_terms : int, default 3
        At most so many a group.

    Returns
    -------
    list of list of str
        Best first; fewer than `n_terms` where a group has no more distinctive words. Each in its most frequent
        spelling (case, accents) within the group.

    Raises
    ------
    ValueError
        If `n_terms` is below 1.

    Notes
    -----
    Cost O(total characters).

    References
    ----------
    Monroe, B. L., Colaresi, M. P., Quinn, K. M. (2008). Fightin' words. doi:10.1093/pan/mpn018

    Examples
    --------
    >>> outage = ["Login fails with error 502", "login error 502 again", "cannot Login, error 502"]
    >>> quiet = ["where is my parcel", "parcel is late again", "the invoice is wrong", "I like it"]
    >>> distinctive_terms([outage], quiet)
    [['error 502', 'Login']]
    """
    if n_terms < 1:
        raise ValueError(f"n_terms must be at least 1, not {n_terms}")
    in_group = [Counter[str]() for _ in texts_by_group]
    spellings: list[dict[str, Counter[str]]] = [{} for _ in texts_by_group]
    for group, texts in enumerate(texts_by_group):
        for text in texts:
            terms = _terms(text)
            in_group[group].update(terms.keys())
            for term, spelling in terms.items():
                spellings[group].setdefault(term, Counter())[spelling] += 1
    everywhere = Counter[str]()
    for text in background:
        everywhere.update(_terms(text).keys())
    for counts in in_group:
        everywhere.update(counts)
    n_everywhere = len(background) + sum(len(texts) for texts in texts_by_group)
    return [
        _best_terms(counts, len(texts), everywhere, n_everywhere, spelling, n_terms)
        for counts, texts, spelling in zip(in_group, texts_by_group, spellings, strict=True)
    ]


def _best_terms(
    counts: Counter[str],
    n_texts: int,
    everywhere: Counter[str],
    n_everywhere: int,
    spellings: dict[str, Counter[str]],
    n_terms: int,
) -> list[str]:
    if n_texts == 0:
        return []
    n_rest = n_everywhere - n_texts
    ranked: list[tuple[float, int, str]] = []
    for term, n in counts.items():
        n_outside = everywhere[term] - n
        if n_rest >= 10 and n_outside > _COMMON_SHARE * n_rest:
            continue
        # A term of one text among many is that writer's, not the group's.
        if (n == 1 and n_texts > 2) or not _says_something(term):
            continue
        prior = _PRIOR_TEXTS * everywhere[term] / n_everywhere
        odds_in = (n + prior) / (n_texts - n + _PRIOR_TEXTS)
        odds_out = (n_outside + prior) / (n_rest - n_outside + _PRIOR_TEXTS)
        z = (np.log(odds_in) - np.log(odds_out)) / np.sqrt(1.0 / (n + prior) + 1.0 / (n_outside + prior))
        if z > 0:
            ranked.append((-float(z), -len(term), term))
    ranked.sort()
    chosen: list[str] = []
    for _, _, term in ranked:
        words = set(term.split(" "))
        # Not "error 502" and "502" both; the earlier one has won already.
        if any(words & set(other.split(" ")) for other in chosen):
            continue
        pair = _pair_with(term, counts, ranked)
        if pair is not None and not any(set(pair.split(" ")) & set(other.split(" ")) for other in chosen):
            term = pair
        chosen.append(term)
        if len(chosen) == n_terms:
            break
    return [max(spellings[term].items(), key=lambda item: (item[1], item[0]))[0] for term in chosen]


def _says_something(term: str) -> bool:
    # A pair with a function word says no more than its other word ("la luz", "luz"). Japanese that is Hiragana alone is
    # grammar; what it is about stands in Katakana and Han.
    if any(word in FUNCTION_WORDS for word in term.split(" ")) or term in NEGATIONS:
        return False
    return not all("\u3040" <= char <= "\u309f" or char == " " for char in term) and (
        len(term) > 1 or not term.isalnum()
    )


def _pair_with(term: str, counts: Counter[str], ranked: list[tuple[float, int, str]]) -> str | None:
    """The best pair of words that holds the term in most texts where the term is."""
    if " " in term:
        return None
    for _, _, other in ranked:
        if " " in other and term in other.split(" ") and counts[other] >= 0.6 * counts[term]:
            return other
    return None


def _terms(text: str) -> dict[str, str]:
    """Words and neighbouring pairs of one text: compared form to the writer's spelling."""
    words = [(_form(word), word) for word in _written_words(text)]
    terms: dict[str, str] = {}
    for position, (term, spelling) in enumerate(words):
        if not term or " " in term:
            continue
        terms.setdefault(term, spelling)
        if position + 1 < len(words):
            following, following_spelling = words[position + 1]
            if following and " " not in following and following != term:
                terms.setdefault(f"{term} {following}", f"{spelling} {following_spelling}")
    return terms


def _written_words(text: str) -> list[str]:
    # What normalising would remove from the whole text (links, names, order numbers) must not come back as a word, so
    # the words of the normalised text are looked up in the text as written.
    kept = Counter(tokens(normalise(text)))
    written: list[str] = []
    for word in tokens(text):
        form = _form(word)
        if kept[form] > 0:
            kept[form] -= 1
            written.append(word)
    return written


@lru_cache(maxsize=65_536)
def _form(word: str) -> str:
    # The same few thousand words make up a service's reports; normalising them once is most of the cost saved.
    return normalise(word)


def typical_index(vectors: FloatArray, centroid_sum: FloatArray, *, lengths: Sequence[int] | None = None) -> int:
    """The report that says best what its group says.

    Parameters
    ----------
    vectors : ndarray of shape (n_reports, d), float32
        Vectors of the candidates, comparable with the sum (both raw or both mean-removed).
    centroid_sum : ndarray of shape (d,), float32
        Sum of the group's vectors; its length does not matter.
    lengths : sequence of int of length n_reports, optional
        Characters of each text. Among reports that are within 0.01 of the most similar, the one whose length is nearest
        to the median of all candidates is taken, since very short and very long texts read badly.

    Returns
    -------
    int
        Index into `vectors`; the first at a tie.

    Raises
    ------
    ValueError
        If there is no candidate or shapes do not fit.

    Notes
    -----
    Cost O(n d).

    Examples
    --------
    >>> import numpy as np
    >>> vectors = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]], dtype=np.float32)
    >>> typical_index(vectors, np.array([3.0, 2.0], dtype=np.float32))
    1
    """
    if vectors.ndim != 2 or len(vectors) == 0 or centroid_sum.shape != (vectors.shape[1],):
        raise ValueError(
            f"vectors must be (n, d) with n > 0 and centroid_sum (d,), not {vectors.shape} and {centroid_sum.shape}"
        )
    if lengths is not None and len(lengths) != len(vectors):
        raise ValueError(f"lengths must be one for each of the {len(vectors)} vectors, not {len(lengths)}")
    scale = np.linalg.norm(vectors, axis=1) * np.linalg.norm(centroid_sum)
    cosines = np.divide(vectors @ centroid_sum, scale, out=np.zeros(len(vectors), dtype=np.float32), where=scale > 0)
    if lengths is None:
        return int(cosines.argmax())
    candidates = np.flatnonzero(cosines >= cosines.max() - _TYPICAL_TIE)
    away = np.abs(np.asarray(lengths, dtype=np.float64) - np.median(lengths))
    return int(candidates[away[candidates].argmin()])
