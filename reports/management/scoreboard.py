"""The score of a backtest in words: one row a figure, the same on the terminal and in the HTML report. Pure.

What the figures are and how they are counted is told by `ml.outage_scores.score`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

# What `score` holds, as decoded from JSON: its values are typed where they are made.
Score = Mapping[str, Any]

_KINDS: Final = ("suspected", "confirmed")
_RATES: Final = (
    ("alarms_per_service_month", "Alarms a service-month"),
    ("false_alarms_per_service_month", "– of these false"),
    ("unknown_alarms_per_service_month", "– of these unknown"),
)


@dataclass(frozen=True, slots=True)
class ScoreCell:
    """A figure, how far it may be off, and what it is counted from. Where there is none, `interval` is ""."""

    value: str
    interval: str
    basis: str


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A figure of the outages suspected and of those confirmed (None: it is one of both)."""

    name: str
    suspected: ScoreCell
    confirmed: ScoreCell | None


def score_rows(score: Score) -> list[ScoreRow]:
    """Return the rows of a score; those about labelled outages only where there are any."""
    return [*(_label_rows(score) if score["n_labelled"] else ()), *_alarm_rows(score)]


def headline(score: Score) -> str:
    """Return the outcome in one sentence.

    >>> from ml.outage_scores import score
    >>> from ml.outage_truth import Truth
    >>> headline(score([], Truth((), ())))
    'No outage is labelled. Confirmed alarms: 0; 0 for a labelled outage, 0 in a quiet period, 0 unknown.'
    """
    alarms = (
        f"Confirmed alarms: {score['n_confirmed']}; {score['n_confirmed_true']} for a labelled outage,"
        f" {score['n_confirmed_in_quiet']} in a quiet period, {score['n_confirmed_unknown']} unknown."
    )
    if not score["n_labelled"]:
        return f"No outage is labelled. {alarms}"
    median = score["median_minutes_to_suspected"]
    when = f", {after_words(median)} the start in the median" if median is not None else ""
    absent = f" ({score['n_not_recorded']} not recorded)" if score["n_not_recorded"] else ""
    return f"{score['n_found']} of {score['n_labelled']} labelled outages{absent} suspected in time{when}. {alarms}"


def minutes_words(minutes: float) -> str:
    """Return a span as a person says it.

    >>> [minutes_words(n) for n in (0.5, 5.0, 190.0, 1500.0)]
    ['0.5 min', '5 min', '3.2 h', '25 h']
    """
    if abs(minutes) < 120:
        return f"{_short(minutes)} min"
    return f"{_short(minutes / 60)} h"


def after_words(minutes: float) -> str:
    """Return how long after a moment something was; labels are rounded, so it may have been before.

    >>> after_words(5.0), after_words(-10.0)
    ('5 min after', '10 min before')
    """
    return f"{minutes_words(abs(minutes))} {'before' if minutes < 0 else 'after'}"


def _label_rows(score: Score) -> Iterator[ScoreRow]:
    n = score["n_labelled"] - score["n_not_recorded"]
    hits = {"suspected": score["n_found"], "confirmed": score["n_found_confirmed"]}
    yield _row(
        "Labelled outages found", *(_cell(score["recall"][kind], _percent, f"{hits[kind]} of {n}") for kind in _KINDS)
    )
    for part, said in (("median", "Time to it, median"), ("p90", "Time to it, 90 % within")):
        times = (score[f"minutes_to_{kind}"][part] for kind in _KINDS)
        yield _row(said, *(_cell(time, minutes_words, f"{time['n']} found") for time in times))
    yield _row("Regions, F1", _cell(score["region_f1"], _two_digits, f"{score['region_f1']['n']} found"))
    incidents = score["incidents_per_outage"]
    yield _row("Outages opened for one", _cell(incidents, _two_digits, f"{incidents['n']} found"))


def _alarm_rows(score: Score) -> Iterator[ScoreRow]:
    precision = (score["precision"][kind] for kind in _KINDS)
    yield _row("Precision", *(_cell(one, _percent, f"{one['n']} decided") for one in precision))
    months = score["service_months"]
    over = f" in {_short(months)} months".replace(" 1 months", " 1 month") if months is not None else ""
    for key, said in _RATES:
        yield _row(said, *(_cell(score[key][kind], _short, f"{score[key][kind]['n']}{over}") for kind in _KINDS))


def _row(name: str, suspected: ScoreCell, confirmed: ScoreCell | None = None) -> ScoreRow:
    return ScoreRow(name, suspected, confirmed)


def _cell(estimate: Mapping[str, Any], words: Callable[[float], str], basis: str) -> ScoreCell:
    value = estimate["value"]
    if value is None:
        return ScoreCell("–", "", basis)
    return ScoreCell(words(value), _interval(estimate, words), basis)


def _interval(estimate: Mapping[str, Any], words: Callable[[float], str]) -> str:
    low, high = estimate["low"], estimate["high"]
    if low is None and high is None:
        return "too few"
    if high is None:
        return f"{words(low)} or more"
    if low is None:
        return f"{words(high)} or less"
    low_words, high_words = words(low), words(high)
    unit = high_words.rpartition(" ")[2]
    if low_words.endswith(f" {unit}"):
        low_words = low_words.removesuffix(f" {unit}")
    return f"{low_words} to {high_words}"


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _two_digits(value: float) -> str:
    return f"{value:.2f}"


def _short(value: float) -> str:
    """Return a number as exact as anybody needs it: whole from ten on, else one decimal, two below one."""
    if abs(value) >= 9.95 or value == 0:
        return f"{value:,.0f}"
    return f"{value:.1f}".removesuffix(".0") if abs(value) >= 0.95 else f"{value:.2f}".rstrip("0").rstrip(".")
