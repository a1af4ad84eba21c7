"""Does a text say that something fails now? A second judgement beside "is it a problem report" (`screening`).

A bill, a price or a rude clerk is a true complaint, and news of a blackout is about a true one, but neither says that
something does not work now, for its writer or in a place. A rise of such texts is a rise of talk.

Invariant: a fitted `Judge` is a pure function of the shipped texts, and a score is a sum over words. Whoever is in
doubt takes a text for a failure: one of which hardly a word is known is one, for an outage must not be missed because
its language is not known. Not here: what becomes of a judgement (it holds back a confirmation, nothing more), and
reports whose symptom says what fails; they are not asked.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ml.failing_texts import COMPLAINTS, FAILURE, NO_FAILURE
from ml.screening_texts_chatter import CHATTER
from ml.screening_texts_chatter_en import CHATTER_EN
from ml.screening_texts_problems import PROBLEMS
from ml.screening_texts_problems_en import PROBLEMS_EN
from ml.types import Float64Array
from ml.word_weights import WordWeights, calibrate, feature_matrix, fit_weights, words_of

# A text tells of a failure from this probability on. Of the shipped texts, out of fold, 89 % of the failures do, 31 %
# of the complaints and the news, and 42 % of the chatter, which is set aside before it gets here.
FAILS_FROM: Final = 0.4

# What a text of the screening's other side counts here: it would be set aside before it was asked.
_CHATTER_WEIGHT: Final = 0.7


# What a text counts when it is met a second time, beside small talk: a failure told among it stays one.
_COMPANY_WEIGHT: Final = 0.6

# What a sentence that clearly tells of a failure loses against the whole text: as much as in the screening.
_SENTENCE_DISCOUNT: Final = 2.0


# With fewer of its words known a text can't be judged: its language is unknown, or it is all names and numbers.
_LEAST_KNOWN: Final = 1 / 3


@dataclass(frozen=True)
class Judge:
    """A fitted model; made by `fit_judge`. Safe to share between threads.

    Attributes
    ----------
    words : WordWeights
        What each word speaks for.
    """

    words: WordWeights

    def p_failing(self, texts: Sequence[str]) -> Float64Array:
        """Probability that each text says that something fails now.

        Parameters
        ----------
        texts : sequence of str, length n_texts
            As stored; they are normalised here.

        Returns
        -------
        ndarray of shape (n_texts,), float64
            In (0, 1), calibrated for as many failures as other texts; at least a half where hardly a word is known.

        Notes
        -----
        Cost O(total characters), as `Screen.p_problem`.

        Examples
        --------
        >>> texts = ["no internet since this morning", "they raised my bill again without asking", "qzxw"]
        >>> [bool(p >= FAILS_FROM) for p in fit_judge().p_failing(texts)]
        [True, False, True]
        """
        log_odds = np.fromiter((self._log_odds(text) for text in texts), dtype=np.float64, count=len(texts))
        p: Float64Array = 1.0 / (1.0 + np.exp(-log_odds))
        return p

    def _log_odds(self, text: str) -> float:
        """Log-odds of a failure; even at least where hardly a word is known."""
        words, log_odds = self.words.decide(text, discount=_SENTENCE_DISCOUNT)
        if not words or (log_odds < 0 and self.words.n_known(words) < _LEAST_KNOWN * len(words)):
            return 0.0
        return log_odds

    def reasons(self, text: str, n: int = 3) -> list[tuple[str, float]]:
        """The words that spoke loudest for (positive) or against (negative) a failure, as they were written.

        Parameters
        ----------
        text : str
        n : int, default 3
            How many at most; at least 1.

        Returns
        -------
        list of (str, float)
            Word and the log-odds it brought, the strongest first; all of them and the intercept add up to the text's.

        Raises
        ------
        ValueError
            If `n` is less than 1.

        Examples
        --------
        >>> fit_judge().reasons("Overage charges", n=1)[0][1] < 0
        True
        """
        words, _ = self.words.decide(text, discount=_SENTENCE_DISCOUNT)
        return self.words.reasons(words, text, n=n)


@functools.cache
def fit_judge() -> Judge:
    """Fit the model on the texts that ship with the project.

    Logistic regression over words, pairs of words and parts of words, scaled to unit length and calibrated out of fold
    (`word_weights`).

    Returns
    -------
    Judge
        One and the same in a process, equal in all.

    Notes
    -----
    About half a second for the first call of a process. Imports scikit-learn at the first call.

    Examples
    --------
    >>> fit_judge() is fit_judge()
    True
    """
    failing, other, chatter = _shipped_texts()
    columns: dict[str, int] = {}
    rows = [words_of(text) for text in (*failing, *other, *chatter)]
    talk = rows[-len(chatter) :]
    company = [
        words + talk[(i + 1) % len(talk)] if i % 2 else talk[(i + 1) % len(talk)] + words
        for i, words in enumerate(rows)
    ]
    x = feature_matrix(rows + company, columns)
    n_of_each = [len(failing), len(other), len(chatter)]
    labels = np.tile(np.repeat(np.array([1, 0, 0], dtype=np.int64), n_of_each), 2)
    row_weights = np.repeat([1.0, 1.0, _CHATTER_WEIGHT], n_of_each)
    row_weights = np.concatenate([row_weights, _COMPANY_WEIGHT * row_weights])
    slope, offset = calibrate(x, labels, row_weights, len(rows))
    weights = fit_weights(x, columns, labels, row_weights)
    return Judge(WordWeights({feature: slope * weight for feature, weight in weights.items()}, offset))


def _shipped_texts() -> tuple[list[str], list[str], list[str]]:
    """Texts that tell of a failure now, problems that do not, and what is no problem."""
    other = dict.fromkeys([*_all(NO_FAILURE), *COMPLAINTS])
    known = {tuple(words_of(text)) for text in other}
    failing = [text for text in _all(PROBLEMS_EN, PROBLEMS, FAILURE) if tuple(words_of(text)) not in known]
    return failing, list(other), _all(CHATTER_EN, CHATTER)


def _all(*sides: dict[str, tuple[str, ...]]) -> list[str]:
    return [text for side in sides for texts in side.values() for text in texts]
