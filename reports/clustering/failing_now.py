"""Whether a report tells that something fails now, beside whether it is a problem report at all (`screening`).

Invariant: a judgement keeps no report from being counted; it only says of which kind it is. Whoever chose a symptom,
names an error code or wrote an alert's rule has said that something fails and is not asked. Not here: the model
(`ml.failing`), and what a rise of reports that tell of no failure means (`detection.failing`).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from ml.failing import FAILS_FROM, fit_judge
from ml.memory import TextMemory
from ml.reading import REMEMBERED_TEXTS


def p_failing(texts: Sequence[str]) -> list[float]:
    """Return how likely each text says that something fails now."""
    return _memory()(texts)


def reads_as_failure(p: float) -> bool:
    """Tell whether a report of that probability tells of a failure."""
    return p >= FAILS_FROM


def words_against(texts: Sequence[str], n: int) -> list[str]:
    """Return the words by which these texts read as no failure: the weightiest of all together, at most `n`."""
    weight: dict[str, float] = {}
    for text in texts:
        for word, log_odds in fit_judge().reasons(text):
            if log_odds < 0:
                weight[word.lower()] = weight.get(word.lower(), 0.0) + log_odds
    return [word for word, _ in sorted(weight.items(), key=lambda item: (item[1], item[0]))][:n]


@functools.cache
def _memory() -> TextMemory[float]:
    judge = fit_judge()
    return TextMemory(lambda fresh: judge.p_failing(fresh).tolist(), n_most=REMEMBERED_TEXTS)
