"""Evidence in words: what was seen, what is usual, and how often chance alone would do that. Pure.

How the chance is counted: the detector's p-value says how likely chance makes a minute look as unusual as this one, in
any of its windows. A year has 525,600 minutes to look at, so chance does it at most p × 525,600 times a year, for one
stream (neighbouring minutes share most of their reports, hence "at most"). Beyond a thousand years the model is not to
be trusted to the digit, and the sentence does not pretend it were.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from reports.enums import HeldBack
from reports.intake.regions import region_name

LOOKS_PER_YEAR: Final = 365 * 24 * 60
MOST_YEARS: Final = 1_000
MOST_NAMES: Final = 3  # regions that are named before "and n more"

_UNITS: Final = (("year", 1.0), ("month", 12.0), ("week", 365 / 7), ("day", 365.0))


@dataclass(frozen=True, slots=True)
class Seen:
    """What the detector saw at one look: from how many regions (0: not told), and when there (None: not told).

    `of_failures`: only reports that tell of a failure were counted.
    """

    observed: int
    expected: float
    window_minutes: int
    p_value: float
    n_regions: int = 0
    at: datetime | None = None
    of_failures: bool = False

    @property
    def sentence(self) -> str:
        return f"{self.counts}; {chance_words(self.p_value)}."

    @property
    def counts(self) -> str:
        reports = ("report" if self.observed == 1 else "reports") + (" of a failure" if self.of_failures else "")
        places = f" from {self.n_regions} regions" if self.n_regions > 1 else ""
        hour = f" for {self.at:%A %H}:00" if self.at is not None else ""
        usual = usual_words(self.expected)
        return f"{self.observed:,} {reports} in {self.window_minutes} min{places}; usual{hour} is {usual}"


def seen_of(body: dict[str, Any], *, at: datetime | None = None) -> Seen | None:
    """Return what an event's body tells, and when, or None where it holds no evidence (people's events).

    `at` is local time: people remember what is usual by the hour that the clocks of a service's users show.
    """
    try:
        return Seen(
            observed=round(body["observed"]),
            expected=float(body["expected"]),
            window_minutes=int(body["window_minutes"]),
            p_value=float(body["p_value"]),
            n_regions=int(body.get("n_regions") or 0),
            at=at,
            of_failures=bool(body.get("counts_failing")),
        )
    except (KeyError, TypeError, ValueError):
        return None


def held_back_words(reason: str, *, n_failing: int | None, n_reporters: int, words: Sequence[str] = ()) -> str:
    """Return why the detector does not confirm what it suspects, as a sentence; "" where it would.

    >>> held_back_words("no_failure", n_failing=9, n_reporters=40, words=["cap", "bill"])
    'Not confirmed: 31 of 40 reporters tell of no failure now (loudest words: cap, bill).'
    >>> held_back_words("no_failure", n_failing=6, n_reporters=6)
    'Not confirmed: what tells of a failure does not stand out clearly enough by itself.'
    >>> held_back_words("aftertalk", n_failing=6, n_reporters=6)
    'Not confirmed: far fewer than in the outage of the last day here, so it may be talk about it.'
    """
    if reason == HeldBack.AFTERTALK:
        return "Not confirmed: far fewer than in the outage of the last day here, so it may be talk about it."
    if reason != HeldBack.NO_FAILURE:
        return ""
    n_other = n_reporters - (n_reporters if n_failing is None else n_failing)
    if 2 * n_other < n_reporters:
        return "Not confirmed: what tells of a failure does not stand out clearly enough by itself."
    loudest = f" (loudest words: {', '.join(words)})" if words else ""
    return f"Not confirmed: {n_other:,} of {n_reporters:,} reporters tell of no failure now{loudest}."


def usual_words(expected: float) -> str:
    """Return an expected number as a person says it.

    >>> [usual_words(n) for n in (0.001, 0.26, 2.0, 41.7)]
    ['next to none', '0.3', '2', '42']
    """
    if expected < 0.05:
        return "next to none"
    if expected < 9.95:
        return f"{expected:.1f}".removesuffix(".0")
    return f"{expected:,.0f}"


def chance_words(p_value: float) -> str:
    """Return how often chance alone does this, at most.

    >>> [chance_words(p) for p in (1e-30, 4.7e-8, 1e-6, 1e-4, 0.3)]  # doctest: +NORMALIZE_WHITESPACE
    ['by chance less than once in 1,000 years', 'by chance at most once in 40 years',
     'by chance at most once in a year', 'by chance at most once in 6 days', 'chance alone does this every day']
    """
    times_per_year = max(p_value, 0.0) * LOOKS_PER_YEAR
    if times_per_year * MOST_YEARS < 1:
        return f"by chance less than once in {MOST_YEARS:,} years"
    for unit, per_year in _UNITS:
        n = per_year / times_per_year
        if n >= 1.5 or (unit == "day" and n >= 1):
            rounded = _rounded(n)
            return f"by chance at most once in {f'{rounded:,} {unit}s' if rounded > 1 else f'a {unit}'}"
    return "chance alone does this every day"


def place_words(regions: Sequence[str]) -> str:
    """Return the regions by name: "Bavaria, Germany", "Germany (Bavaria, Saxony) and Austria", "A, B, C and 2 more".

    Of a country and its subdivisions only the narrowest are named.
    """
    narrow = [code for code in regions if not any(other.startswith(f"{code}-") for other in regions)]
    if len(narrow) == 1:
        return region_name(narrow[0])
    inner: dict[str, list[str]] = {}
    for code in narrow:
        country = code.partition("-")[0]
        inner.setdefault(country, [])
        if code != country:
            inner[country].append(region_name(code).removesuffix(f", {region_name(country)}"))
    return listed([_country_words(country, names) for country, names in inner.items()])


def _country_words(country: str, subdivisions: Sequence[str]) -> str:
    shown = list(subdivisions[:MOST_NAMES])
    if len(subdivisions) > MOST_NAMES:
        shown.append(f"{len(subdivisions) - MOST_NAMES} more")
    return f"{region_name(country)} ({', '.join(shown)})" if shown else region_name(country)


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence does: "A, B and C", the fourth and more as a number."""
    if len(names) > MOST_NAMES + 1:
        return f"{', '.join(names[:MOST_NAMES])} and {len(names) - MOST_NAMES} more"
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def _rounded(n: float) -> int:
    """Round down to one digit that counts: 43.9 is 40, 7.2 is 7."""
    magnitude = 10 ** max(math.floor(math.log10(n)), 0)
    return int(n // magnitude * magnitude)
