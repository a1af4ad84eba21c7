"""What the words of a text speak for: a linear model over words, pairs of neighbouring words and parts of words.

Invariant: a text's score is a sum over its words, so each score can be taken apart into the words that made it; a word
that was never met says nothing, and a text of such words scores the intercept. The same on every machine, and cheap:
what a word adds is remembered. Not here: what is asked of a text and from which examples it is learnt (`screening`,
`failing`).
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from scipy.sparse import csr_array

from ml.function_words import FUNCTION_WORDS
from ml.text import normalise, tokens
from ml.types import Float64Array, IntArray

# Texts longer than this have said what is wrong; the cut bounds the time one hostile report may take.
MAX_CHARACTERS: Final = 1_000

# Lengths of the parts of words, marked `<` and `>` at their ends, and what one counts beside a whole word: parts carry
# typos, inflections and unspaced scripts, but at full weight the parts of an unknown name outvote the known words.
_PART_LENGTHS: Final = (3, 4)
_PART_VALUE: Final = 0.3

# What a word that only holds sentences together counts; prose is no evidence, and praise tends to be prose. Its pairs
# ("how do", "why is") count in full.
_FUNCTION_WORD_VALUE: Final = 0.3

# Inverse strength of the ridge. 10 to 30 order unseen texts alike; less of it leaves probabilities undecided.
_INVERSE_RIDGE: Final = 15.0

# Folds of the calibration, cut by position, so that every language and trade is in each.
_N_FOLDS: Final = 3

# A text that speaks against as a whole may still hold one sentence that speaks for it. That sentence's log-odds count
# less by a discount, for the best of many sentences is often good by chance.
_MIN_WORDS_OF_SENTENCE: Final = 3
_SENTENCE_END: Final = re.compile(r"[.!?…;؟]+ |[。！？]+")

# Texts that are kept as read: two models are asked about the same ones one after the other, as many as a batch holds.
_MAX_READ_TEXTS: Final = 4_096

# Words whose scores are remembered by one model; a bound on memory (about 20 MB), not on quality.
_MAX_REMEMBERED_WORDS: Final = 100_000


@dataclass(frozen=True)
class WordWeights:
    """A fitted model. Safe to share between threads.

    Attributes
    ----------
    weights : dict of str to float
        Log-odds that a feature adds before the text's length is divided out: `w:` a word, `p:` a pair of neighbouring
        words, `c:` a part of a word.
    intercept : float
        Log-odds of a text of which no word is known.
    """

    weights: dict[str, float]
    intercept: float
    _words: dict[str, tuple[float, float]] = field(default_factory=dict, repr=False, compare=False)

    def decide(self, text: str, *, discount: float) -> tuple[Sequence[str], float]:
        """The words of the text, or of the one sentence in it that tells, and the log-odds of the text.

        Parameters
        ----------
        text : str
            As stored; it is normalised here.
        discount : float
            What a sentence that speaks for itself loses against the whole text.
        """
        clean, words_of_all = _read(text[:MAX_CHARACTERS])
        told_by: Sequence[str] = words_of_all
        log_odds = self.log_odds(told_by)
        if log_odds >= 0:
            return told_by, log_odds
        sentences = _SENTENCE_END.split(clean)
        if len(sentences) == 1:
            return told_by, log_odds
        for sentence in sentences:
            words = tokens(sentence)
            if len(words) >= _MIN_WORDS_OF_SENTENCE:
                of_sentence = self.log_odds(words) - discount
                if of_sentence > log_odds:
                    told_by, log_odds = words, of_sentence
        return told_by, log_odds

    def log_odds(self, words: Sequence[str]) -> float:
        """Log-odds of a text of these (normalised) words. Cost O(their characters), less for words met before."""
        total, squares = 0.0, 0.0
        for word in dict.fromkeys(words):  # not a set: the order of a sum must not depend on the process
            score, squares_of_word = self._words.get(word) or self._score_of(word)
            total += score
            squares += squares_of_word
        weight_of = self.weights.get
        pairs = dict.fromkeys(itertools.pairwise(words))
        for first, second in pairs:
            total += weight_of(f"p:{first} {second}", 0.0)
        return self.intercept + (total / math.sqrt(squares + len(pairs)) if words else 0.0)

    def n_known(self, words: Sequence[str]) -> int:
        """How many of these words stand in the texts it has learnt from."""
        return sum(f"w:{word}" in self.weights for word in words)

    def reasons(self, words: Sequence[str], text: str, *, n: int) -> list[tuple[str, float]]:
        """The words that spoke loudest for (positive) or against (negative), as they were written.

        Parameters
        ----------
        words : sequence of str
            The normalised words that decided.
        text : str
            Where they stand.
        n : int
            How many at most; at least 1.

        Returns
        -------
        list of (str, float)
            Word and the log-odds it brought, the strongest first; a pair's share is split between its two words. The
            values of all words and the intercept add up to the log-odds.

        Raises
        ------
        ValueError
            If `n` is less than 1.
        """
        if n < 1:
            raise ValueError(f"n must be at least 1, not {n}")
        scored = {word: self._score_of(word) for word in words}
        pairs = set(itertools.pairwise(words))
        shares = {word: score for word, (score, _) in scored.items()}
        for first, second in sorted(pairs):
            weight = self.weights.get(f"p:{first} {second}", 0.0) / 2
            shares[first] += weight
            shares[second] += weight
        length = math.sqrt(sum(squares for _, squares in scored.values()) + len(pairs)) or 1.0
        as_written: dict[str, str] = {}
        for raw in tokens(text[:MAX_CHARACTERS]):
            as_written.setdefault(normalise(raw), raw)
        strongest = sorted(shares.items(), key=lambda item: (-abs(item[1]), item[0]))[:n]
        return [(as_written.get(word, word), share / length) for word, share in strongest if share]

    def _score_of(self, word: str) -> tuple[float, float]:
        """What a word and its parts add, and their squared length."""
        known = self._words.get(word)
        if known is None:
            features = _features_of_word(word)
            score = sum(self.weights.get(feature, 0.0) * value for feature, value in features.items())
            known = (score, sum(value * value for value in features.values()))
            if len(self._words) >= _MAX_REMEMBERED_WORDS:
                self._words.clear()
            self._words[word] = known
        return known


def words_of(text: str) -> list[str]:
    """The normalised words of a text, as far as it is read."""
    return tokens(normalise(text[:MAX_CHARACTERS]))


@functools.lru_cache(maxsize=_MAX_READ_TEXTS)
def _read(text: str) -> tuple[str, tuple[str, ...]]:
    """A text normalised, and its words."""
    clean = normalise(text)
    return clean, tuple(tokens(clean))


def feature_matrix(rows: Sequence[Sequence[str]], columns: dict[str, int]) -> csr_array:
    """One row of unit length a text (its words); features met for the first time are added to `columns`."""
    indices: list[int] = []
    values: list[float] = []
    starts = [0]
    for words in rows:
        mine: dict[str, float] = {}
        for word in dict.fromkeys(words):
            for feature, value in _features_of_word(word).items():
                mine[feature] = mine.get(feature, 0.0) + value
        for first, second in dict.fromkeys(itertools.pairwise(words)):
            mine[f"p:{first} {second}"] = 1.0
        squares = _squares(words)
        length = math.sqrt(squares) if squares else 1.0
        indices += [columns.setdefault(feature, len(columns)) for feature in mine]
        values += [value / length for value in mine.values()]
        starts.append(len(indices))
    return csr_array((values, indices, starts), shape=(len(rows), len(columns)), dtype=np.float64)


def fit_weights(x: csr_array, columns: dict[str, int], labels: IntArray, row_weights: Float64Array) -> dict[str, float]:
    """Weight of each feature in a logistic regression. Imports scikit-learn at the first call."""
    model = _logistic_regression().fit(x, labels, sample_weight=row_weights)
    return dict(zip(columns, map(float, model.coef_[0]), strict=True))


def calibrate(x: csr_array, labels: IntArray, row_weights: Float64Array, n_texts: int) -> tuple[float, float]:
    """Slope and offset of the logistic curve from scores to probabilities, from texts out of fold.

    Parameters
    ----------
    x : csr_array of shape (k * n_texts, n_features)
        The texts, and then, k - 1 times, variants of each in the same order: a text's variants are in its fold.
    labels : ndarray of shape (k * n_texts,), int
        1 or 0.
    row_weights : ndarray of shape (k * n_texts,)
        What each counts.
    n_texts : int
        How many of the first rows are scored.

    Returns
    -------
    tuple of float
        Balanced: the share of ones among the examples is nobody's prior.

    References
    ----------
    Platt, J. (1999). Probabilistic outputs for support vector machines and comparisons to regularized likelihood
    methods. In Advances in Large Margin Classifiers, MIT Press, 61-74.
    """
    from sklearn.linear_model import LogisticRegression

    fold = np.tile(np.arange(n_texts) % _N_FOLDS, len(labels) // n_texts)
    scores = np.empty(n_texts)
    for k in range(_N_FOLDS):
        inside, outside = np.flatnonzero(fold != k), np.flatnonzero(fold[:n_texts] == k)
        model = _logistic_regression().fit(x[inside], labels[inside], sample_weight=row_weights[inside])
        scores[outside] = model.decision_function(x[outside])
    curve = LogisticRegression(C=1e6, class_weight="balanced").fit(scores[:, None], labels[:n_texts])
    return float(curve.coef_[0, 0]), float(curve.intercept_[0])


def _features_of_word(word: str) -> dict[str, float]:
    if word in FUNCTION_WORDS:
        return {f"w:{word}": _FUNCTION_WORD_VALUE}
    marked = f"<{word}>"
    features = {f"c:{marked[i : i + n]}": _PART_VALUE for n in _PART_LENGTHS for i in range(len(marked) - n + 1)}
    features[f"w:{word}"] = 1.0
    return features


def _squares(words: Sequence[str]) -> float:
    """Squared length of a text's features, as the sum over its words: what lets words be remembered one by one."""
    of_words = sum(value * value for word in dict.fromkeys(words) for value in _features_of_word(word).values())
    return of_words + len(set(itertools.pairwise(words)))


def _logistic_regression() -> Any:
    from sklearn.linear_model import LogisticRegression

    # No intercept, for it would hold the share of ones among the examples against a text of unknown words.
    # Converged to 1e-5, for at less the noise of two fits moves other texts more than one correction does.
    return LogisticRegression(C=_INVERSE_RIDGE, max_iter=1_000, tol=1e-5, fit_intercept=False)
