"""Is this text a problem report at all? An explainable linear model over words, pairs of words and parts of words.

Invariant: a fitted `Screen` is a pure function of the shipped texts and the corrections it was given, the same on every
machine; a text's score is a sum over its words, so each score can be taken apart into the words that made it. Whoever
is in doubt keeps the report: a word the model has never met says nothing, and a text of such words stays. Not here:
what happens to a low score (the report is kept, visible and countable, but feeds no detection), a report without text
(its symptom says what is wrong; it is never asked here), and where corrections are stored.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from scipy.sparse import csr_array, vstack

from ml.function_words import FUNCTION_WORDS
from ml.screening_texts_chatter import CHATTER
from ml.screening_texts_chatter_en import CHATTER_EN
from ml.screening_texts_problems import PROBLEMS
from ml.screening_texts_problems_en import PROBLEMS_EN
from ml.text import normalise, tokens
from ml.types import Float64Array, IntArray

# A report is set aside below this probability. Chosen for the recall of true reports alone: of 300 texts of five
# recordings and of a bank's questions, first halves, read by hand, 98.7 % of the problems stay and 59 % of the rest go;
# on the second halves 97 % stay and 51 % go.
SET_ASIDE_BELOW: Final = 0.1

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

# What a shipped text counts when it is met a second time, in company: a problem told among small talk stays a problem.
_COMPANY_WEIGHT: Final = 0.6

# A text that speaks against a problem as a whole may still hold one sentence that reports one. That sentence's log-odds
# count less this much, for the best of many sentences is often good by chance; 1 to 3 served the first halves alike.
_SENTENCE_DISCOUNT: Final = 2.0
_MIN_WORDS_OF_SENTENCE: Final = 3
_SENTENCE_END: Final = re.compile(r"[.!?…;؟]+ |[。！？]+")

# How often a correction counts as an ordinary example: the least with which one correction takes a text that was
# clearly on the wrong side over the threshold, while texts that share only some of its words move a little.
CORRECTION_WEIGHT: Final = 6.0

# Folds of the calibration, cut by position, so that every language and trade is in each.
_N_FOLDS: Final = 3

# Words whose scores are remembered by one `Screen`; a bound on memory (about 20 MB), not on quality.
_MAX_REMEMBERED_WORDS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Example:
    """One text and what a person said about it."""

    text: str
    is_problem: bool


@dataclass(frozen=True)
class Screen:
    """A fitted model; made by `fit_screen`. Safe to share between threads.

    Attributes
    ----------
    weights : dict of str to float
        Log-odds that a feature adds before the text's length is divided out: `w:` a word, `p:` a pair of neighbouring
        words, `c:` a part of a word.
    intercept : float
        Log-odds of a text of which no word is known.
    n_corrections : int
        How many of staff's examples it has learnt from.
    """

    weights: dict[str, float]
    intercept: float
    n_corrections: int = 0
    _words: dict[str, tuple[float, float]] = field(default_factory=dict, repr=False, compare=False)

    def p_problem(self, texts: Sequence[str]) -> Float64Array:
        """Probability that each text reports a problem.

        Parameters
        ----------
        texts : sequence of str, length n_texts
            As stored; they are normalised here.

        Returns
        -------
        ndarray of shape (n_texts,), float64
            In (0, 1), calibrated for as many problems as chatter. A text without a known word has one and the same
            value, above `SET_ASIDE_BELOW`. Where the whole text speaks against a problem, one sentence that clearly
            reports one still speaks for it.

        Notes
        -----
        Cost O(total characters), each text for itself; on one core about 30,000 questions of ten words or 12,000
        tweets a second.

        Examples
        --------
        >>> p = fit_screen().p_problem(["cannot log in since this morning", "what a power move haha", "502"])
        >>> [bool(p_text >= SET_ASIDE_BELOW) for p_text in p]
        [True, False, True]
        """
        log_odds = np.fromiter((self._decide(text)[1] for text in texts), dtype=np.float64, count=len(texts))
        p: Float64Array = 1.0 / (1.0 + np.exp(-log_odds))
        return p

    def reasons(self, text: str, n: int = 3) -> list[tuple[str, float]]:
        """The words that spoke loudest for (positive) or against (negative) a problem, as they were written.

        Parameters
        ----------
        text : str
        n : int, default 3
            How many at most; at least 1.

        Returns
        -------
        list of (str, float)
            Word and the log-odds it brought, the strongest first; a pair's share is split between its two words. The
            values of all words and the intercept add up to the log-odds of the text; if a single sentence decided,
            the words and log-odds are that sentence's.

        Raises
        ------
        ValueError
            If `n` is less than 1.

        Notes
        -----
        Cost O(len(text)).

        Examples
        --------
        >>> [word for word, value in fit_screen().reasons("Internet is DOWN again, thanks", n=1) if value > 0]
        ['Internet']
        """
        if n < 1:
            raise ValueError(f"n must be at least 1, not {n}")
        words, _ = self._decide(text)
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

    def _decide(self, text: str) -> tuple[list[str], float]:
        """The words of the text, or of the one sentence in it that tells, and the log-odds of the text."""
        clean = normalise(text[:MAX_CHARACTERS])
        told_by = tokens(clean)
        log_odds = self._log_odds(told_by)
        if log_odds >= 0:
            return told_by, log_odds
        sentences = _SENTENCE_END.split(clean)
        if len(sentences) == 1:
            return told_by, log_odds
        for sentence in sentences:
            words = tokens(sentence)
            if len(words) >= _MIN_WORDS_OF_SENTENCE:
                of_sentence = self._log_odds(words) - _SENTENCE_DISCOUNT
                if of_sentence > log_odds:
                    told_by, log_odds = words, of_sentence
        return told_by, log_odds

    def _log_odds(self, words: Sequence[str]) -> float:
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


def fit_screen(examples: Sequence[Example] = (), *, correction_weight: float = CORRECTION_WEIGHT) -> Screen:
    """Fit the model on the texts that ship with the project and on staff's corrections.

    Logistic regression; the features of a text are scaled to unit length, so that long texts are not surer than short
    ones. Probabilities are calibrated by a logistic curve through the scores that the shipped texts
    have out of fold.

    Parameters
    ----------
    examples : sequence of Example
        Corrections by people. Of two that say opposite things about the same text the later one holds. A correction
        also overrules a shipped text of the same words.
    correction_weight : float, default CORRECTION_WEIGHT
        How many ordinary examples one correction is worth; positive.

    Returns
    -------
    Screen
        The same for the same examples in the same order.

    Raises
    ------
    ValueError
        If `correction_weight` is not positive.

    Notes
    -----
    Cost O(total characters) a pass, about 0.9 s for the first call of a process and 0.2 s later; grows with the
    examples. Imports scikit-learn at the first call.

    References
    ----------
    Platt, J. (1999). Probabilistic outputs for support vector machines and comparisons to regularized likelihood
    methods. In Advances in Large Margin Classifiers, MIT Press, 61-74.

    Examples
    --------
    >>> praise = "the chef's spicy noodles are an outage of good taste"
    >>> told = fit_screen([Example(praise, is_problem=False)])
    >>> bool(told.p_problem([praise])[0] < SET_ASIDE_BELOW)
    True
    """
    if not correction_weight > 0:
        raise ValueError(f"correction_weight must be positive, not {correction_weight}")
    slope, offset = _calibration()
    corrections = {tuple(_words_of(example.text)): example.is_problem for example in examples}
    corrections.pop((), None)  # nothing can be learnt from a text without words
    weights = _corrected_fit(corrections, correction_weight) if corrections else _shipped_fit()
    scaled = {feature: slope * weight for feature, weight in weights.items()}
    return Screen(scaled, offset, n_corrections=len(corrections))


def _corrected_fit(corrections: Mapping[tuple[str, ...], bool], correction_weight: float) -> dict[str, float]:
    shipped, shipped_columns = _shipped_matrix()
    rows, labels, row_weights = _shipped_rows()
    kept = np.array([i for i, words in enumerate(rows) if tuple(words) not in corrections])
    columns = dict(shipped_columns)
    corrected = _matrix([list(words) for words in corrections], columns)
    # The same numbers in a wider matrix: a shipped text has none of the features that only corrections have.
    wide = csr_array((shipped.data, shipped.indices, shipped.indptr), shape=(shipped.shape[0], len(columns)))
    return _fit(
        vstack([wide[kept], corrected], format="csr"),
        columns,
        np.concatenate([labels[kept], np.array(list(corrections.values()), dtype=np.int64)]),
        np.concatenate([row_weights[kept], np.full(len(corrections), correction_weight)]),
    )


def _words_of(text: str) -> list[str]:
    return tokens(normalise(text[:MAX_CHARACTERS]))


def _features_of_word(word: str) -> dict[str, float]:
    if word in FUNCTION_WORDS:
        return {f"w:{word}": _FUNCTION_WORD_VALUE}
    marked = f"<{word}>"
    features = {f"c:{marked[i : i + n]}": _PART_VALUE for n in _PART_LENGTHS for i in range(len(marked) - n + 1)}
    features[f"w:{word}"] = 1.0
    return features


@functools.cache
def _shipped_rows() -> tuple[list[list[str]], IntArray, Float64Array]:
    """Words, label (1 for a problem) and weight of each shipped text, by itself and then once more in company."""
    rows: list[list[str]] = []
    company: list[list[str]] = []
    labels: list[int] = []
    chatter = CHATTER_EN | CHATTER
    for texts_by_language, label in ((PROBLEMS_EN | PROBLEMS, 1), (chatter, 0)):
        for language, texts in texts_by_language.items():
            talk = [_words_of(text) for text in chatter[language]]
            for i, text in enumerate(texts):
                words = _words_of(text)
                other = talk[(i + 1) % len(talk)]
                rows.append(words)
                company.append(words + other if i % 2 else other + words)
                labels.append(label)
    weights = np.repeat([1.0, _COMPANY_WEIGHT], len(rows))
    return rows + company, np.array(labels * 2, dtype=np.int64), weights


@functools.cache
def _shipped_matrix() -> tuple[csr_array, dict[str, int]]:
    """Features of the shipped rows, and the column of each feature. Both are read only."""
    columns: dict[str, int] = {}
    return _matrix(_shipped_rows()[0], columns), columns


@functools.cache
def _shipped_fit() -> dict[str, float]:
    x, columns = _shipped_matrix()
    _, labels, row_weights = _shipped_rows()
    return _fit(x, columns, labels, row_weights)


@functools.cache
def _calibration() -> tuple[float, float]:
    """Slope and offset of the logistic curve from scores to probabilities, from shipped texts out of fold."""
    from sklearn.linear_model import LogisticRegression

    x, _ = _shipped_matrix()
    _, labels, row_weights = _shipped_rows()
    n_texts = len(labels) // 2
    fold = np.tile(np.arange(n_texts) % _N_FOLDS, 2)
    scores = np.empty(n_texts)
    for k in range(_N_FOLDS):
        inside, outside = np.flatnonzero(fold != k), np.flatnonzero(fold[:n_texts] == k)
        model = _logistic_regression().fit(x[inside], labels[inside], sample_weight=row_weights[inside])
        scores[outside] = model.decision_function(x[outside])
    # Balanced: the share of problems among the shipped texts is nobody's prior.
    curve = LogisticRegression(C=1e6, class_weight="balanced").fit(scores[:, None], labels[:n_texts])
    return float(curve.coef_[0, 0]), float(curve.intercept_[0])


def _matrix(rows: Sequence[Sequence[str]], columns: dict[str, int]) -> csr_array:
    """One row of unit length a text; features met for the first time are added to `columns`."""
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


def _squares(words: Sequence[str]) -> float:
    """Squared length of a text's features, as the sum over its words: what lets words be remembered one by one."""
    of_words = sum(value * value for word in dict.fromkeys(words) for value in _features_of_word(word).values())
    return of_words + len(set(itertools.pairwise(words)))


def _logistic_regression() -> Any:
    from sklearn.linear_model import LogisticRegression

    # No intercept, for it would hold the share of problems among the shipped texts against a text of unknown words.
    # Converged to 1e-5, for at less the noise of two fits moves other texts more than one correction does.
    return LogisticRegression(C=_INVERSE_RIDGE, max_iter=1_000, tol=1e-5, fit_intercept=False)


def _fit(x: csr_array, columns: dict[str, int], labels: IntArray, row_weights: Float64Array) -> dict[str, float]:
    """Weight of each feature in a logistic regression."""
    model = _logistic_regression().fit(x, labels, sample_weight=row_weights)
    return dict(zip(columns, map(float, model.coef_[0]), strict=True))
