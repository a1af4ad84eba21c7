"""Is this text a problem report at all? An explainable linear model over words, pairs of words and parts of words.

Invariant: a fitted `Screen` is a pure function of the shipped texts and the corrections it was given, the same on every
machine; a text's score is a sum over its words, so each score can be taken apart into the words that made it. Whoever
is in doubt keeps the report: a word the model has never met says nothing, and a text of such words stays. Not here:
what happens to a low score (the report is kept, visible and countable, but feeds no detection), a report without text
(its symptom says what is wrong; it is never asked here), and where corrections are stored.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csr_array, vstack

from ml.screening_texts_chatter import CHATTER
from ml.screening_texts_chatter_en import CHATTER_EN
from ml.screening_texts_problems import PROBLEMS
from ml.screening_texts_problems_en import PROBLEMS_EN
from ml.types import Float64Array, IntArray
from ml.word_weights import WordWeights, calibrate, feature_matrix, fit_weights, words_of

# A report is set aside below this probability. Chosen for the recall of true reports alone: of 300 texts of five
# recordings and of a bank's questions, first halves, read by hand, 98.7 % of the problems stay and 59 % of the rest go;
# on the second halves 97 % stay and 51 % go.
SET_ASIDE_BELOW: Final = 0.1

# What a shipped text counts when it is met a second time, in company: a problem told among small talk stays a problem.
_COMPANY_WEIGHT: Final = 0.6

# What a sentence that clearly reports a problem loses against the whole text; 1 to 3 served the first halves alike.
_SENTENCE_DISCOUNT: Final = 2.0

# How often a correction counts as an ordinary example: the least with which one correction takes a text that was
# clearly on the wrong side over the threshold, while texts that share only some of its words move a little.
CORRECTION_WEIGHT: Final = 6.0


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
    words : WordWeights
        What each word speaks for.
    n_corrections : int
        How many of staff's examples it has learnt from.
    """

    words: WordWeights
    n_corrections: int = 0

    @property
    def intercept(self) -> float:
        """Log-odds of a text of which no word is known."""
        return self.words.intercept

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
        log_odds = np.fromiter(
            (self.words.decide(text, discount=_SENTENCE_DISCOUNT)[1] for text in texts),
            dtype=np.float64,
            count=len(texts),
        )
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
        words, _ = self.words.decide(text, discount=_SENTENCE_DISCOUNT)
        return self.words.reasons(words, text, n=n)


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
    corrections = {tuple(words_of(example.text)): example.is_problem for example in examples}
    corrections.pop((), None)  # nothing can be learnt from a text without words
    weights = _corrected_fit(corrections, correction_weight) if corrections else _shipped_fit()
    scaled = {feature: slope * weight for feature, weight in weights.items()}
    return Screen(WordWeights(scaled, offset), n_corrections=len(corrections))


def _corrected_fit(corrections: Mapping[tuple[str, ...], bool], correction_weight: float) -> dict[str, float]:
    shipped, shipped_columns = _shipped_matrix()
    rows, labels, row_weights = _shipped_rows()
    kept = np.array([i for i, words in enumerate(rows) if tuple(words) not in corrections])
    columns = dict(shipped_columns)
    corrected = feature_matrix([list(words) for words in corrections], columns)
    # The same numbers in a wider matrix: a shipped text has none of the features that only corrections have.
    wide = csr_array((shipped.data, shipped.indices, shipped.indptr), shape=(shipped.shape[0], len(columns)))
    return fit_weights(
        vstack([wide[kept], corrected], format="csr"),
        columns,
        np.concatenate([labels[kept], np.array(list(corrections.values()), dtype=np.int64)]),
        np.concatenate([row_weights[kept], np.full(len(corrections), correction_weight)]),
    )


@functools.cache
def _shipped_rows() -> tuple[list[list[str]], IntArray, Float64Array]:
    """Words, label (1 for a problem) and weight of each shipped text, by itself and then once more in company."""
    rows: list[list[str]] = []
    company: list[list[str]] = []
    labels: list[int] = []
    chatter = CHATTER_EN | CHATTER
    for texts_by_language, label in ((PROBLEMS_EN | PROBLEMS, 1), (chatter, 0)):
        for language, texts in texts_by_language.items():
            talk = [words_of(text) for text in chatter[language]]
            for i, text in enumerate(texts):
                words = words_of(text)
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
    return feature_matrix(_shipped_rows()[0], columns), columns


@functools.cache
def _shipped_fit() -> dict[str, float]:
    x, columns = _shipped_matrix()
    _, labels, row_weights = _shipped_rows()
    return fit_weights(x, columns, labels, row_weights)


@functools.cache
def _calibration() -> tuple[float, float]:
    """Slope and offset of the logistic curve from scores to probabilities, from shipped texts out of fold."""
    x, _ = _shipped_matrix()
    _, labels, row_weights = _shipped_rows()
    return calibrate(x, labels, row_weights, len(labels) // 2)
