"""How bad an outage is, in Statuspage's words: from how many report it and how far it spreads. Pure.

    reporters, of those of a usual day   one region   a country, or several   everywhere
    less than a quarter                  minor        minor                   minor
    a quarter or more                    minor        major                   major
    as many as in a day, or more         major        major                   critical

A day of a service that hardly anybody reports about is taken for twenty reporters: five people are no catastrophe.
While it is too early to say where, an outage counts as one of several regions.
"""

from __future__ import annotations

from typing import Final

from reports.enums import Severity

QUARTER: Final = 0.25
LEAST_REPORTERS_A_DAY: Final = 20.0

_ORDER: Final = (Severity.MINOR, Severity.MAJOR, Severity.CRITICAL)
# By spread (one region, several, everywhere): below a quarter, from a quarter on, from a day's worth on.
_TABLE: Final = (
    (Severity.MINOR, Severity.MINOR, Severity.MAJOR),
    (Severity.MINOR, Severity.MAJOR, Severity.MAJOR),
    (Severity.MINOR, Severity.MAJOR, Severity.CRITICAL),
)


def severity_of(*, n_reporters: int, usual_per_day: float, scope_region: str, is_located: bool) -> Severity:
    """Return how bad an outage is.

    >>> severity_of(n_reporters=60, usual_per_day=50, scope_region="", is_located=True).value
    'critical'
    >>> severity_of(n_reporters=60, usual_per_day=50, scope_region="DE-BY", is_located=True).value
    'major'
    >>> severity_of(n_reporters=5, usual_per_day=0.1, scope_region="", is_located=True).value
    'major'
    """
    share = n_reporters / max(usual_per_day, LEAST_REPORTERS_A_DAY)
    spread = 2 if not scope_region and is_located else 0 if "-" in scope_region else 1
    return _TABLE[spread][(share >= QUARTER) + (share >= 1.0)]


def worse(one: Severity, other: Severity) -> Severity:
    """Return the worse of two; an outage is as bad as it ever was.

    >>> worse(Severity.MAJOR, Severity.MINOR).value
    'major'
    """
    return max(one, other, key=_ORDER.index)
