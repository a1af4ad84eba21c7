"""Whether a report reads as a problem at all: what does not is kept, shown and counted apart, and feeds no detection.

Invariant: nothing is thrown away, and whoever chose a symptom, or wrote an alert's rule, has said that it is a problem.
The model is the one that ships with the project, adapted by what people said of reports (`ScreeningExample`). Not here:
the model itself (`ml.screening`), and changing what was placed (`counting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db.models import Count, Max, Q

from ml.guards import guard_of
from ml.memory import TextMemory
from ml.reading import REMEMBERED_TEXTS
from ml.screening import SET_ASIDE_BELOW, Example, Screen, fit_screen
from reports.models import ScreeningExample

MOST_EXAMPLES: Final = 5_000  # the latest ones; a fit takes under a second

_Version = tuple[int, int, datetime | None]  # how many, how many of them problems, and until when
_fitted: dict[_Version, tuple[Screen, TextMemory[float]]] = {}


def p_problem(texts: Sequence[str]) -> list[float]:
    """Return how likely each text is a problem report, by all that people have said so far. Queries: one or two."""
    return _latest()[1](texts)


def reads_as_problem(p: float) -> bool:
    """Tell whether a report of that probability feeds detection."""
    return p >= SET_ASIDE_BELOW


def names_a_code(text: str) -> bool:
    """Tell whether a text names an error code: nobody praises a 404, however the rest of it reads."""
    guard = guard_of(text)
    return bool(guard) and not guard.startswith("v")  # a version is named in praise as well


def reasons(text: str) -> list[tuple[str, float]]:
    """Return the words that spoke for and against, with their weight (log-odds). Queries: one or two."""
    return _latest()[0].reasons(text)


def words_against(texts: Sequence[str]) -> list[list[str]]:
    """Return for each text the words by which it reads as no problem report, the weightiest first.

    Queries: one or two, none without texts.
    """
    if not texts:
        return []
    screen, _ = _latest()
    return [[word[:40] for word, log_odds in screen.reasons(text) if log_odds < 0] for text in texts]


def forget_screens() -> None:
    """Ask anew what people have said: for a process that changes its database."""
    for version in [version for version in _fitted if version[0]]:  # nothing is the same everywhere
        del _fitted[version]


def _latest() -> tuple[Screen, TextMemory[float]]:
    found = ScreeningExample.objects.aggregate(
        n=Count("pk"), n_problems=Count("pk", filter=Q(is_problem=True)), at=Max("at")
    )
    version: _Version = (found["n"], found["n_problems"], found["at"])
    if version not in _fitted:
        newest = ScreeningExample.objects.order_by("-at", "-pk")[:MOST_EXAMPLES]
        screen = fit_screen([Example(example.text, example.is_problem) for example in reversed(newest)])
        _fitted.clear()
        _fitted[version] = (
            screen,
            TextMemory(lambda fresh: screen.p_problem(fresh).tolist(), n_most=REMEMBERED_TEXTS),
        )
    return _fitted[version]
