"""What is usual of a young service: at least what its own life brought before the minutes that are tested.

Until hours are learnt a service is compared with a prior, and a busy one would stand out of it from its first minutes
on. But a steady stream says by itself that it is steady: each window is compared with the minutes before it too, as far
as there were any. What came before raises what is usual and never lowers it, so nobody alarms who did not before. A
window as old as the service has nothing to be compared with, and is no evidence.

What must stay true: pure functions of arrays. Not here: which minutes count as life (the caller leaves out those with a
confirmed outage), and what is learnt by the hour (`baseline`, `recent`).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ml.baseline import SHAPE_HOUR_OF_DAY
from ml.recent import SPREAD
from ml.types import Float64Array

# A service is young until every hour of the day has been learnt once: until then a morning is news.
YOUNG_HOURS = 23.5  # what 24 hours are after a day of forgetting
# So far back life is remembered. A rhythm moves on within hours, and the average of a night says little of a morning.
MEMORY_MINUTES = 180
# The first report of a service no older than the recording of it: it may have had half an hour of silence before. That
# is what the prior of one report an hour (shape a half) says, too.
SILENCE_BEFORE_MINUTES = 30

_PRIOR_SHAPE = 0.5  # Jeffreys' prior of a rate, held as firmly as a minute: no rate is unlikely
_PRIOR_MINUTES = 1.0
_LEAST_MINUTES = 1.0  # less life than this says nothing
# Neighbouring hours differ by as much as an hour of the day does from the day: the log of a rate wanders by this
# variance an hour. The mean of the last n hours then lies from the rate at their end by a third of n of it.
_WANDERS_PER_HOUR = 1.0 / SHAPE_HOUR_OF_DAY


class Usual(NamedTuple):
    """Reports `expected` in each window, and their `strength` (gamma shape of the level)."""

    expected: Float64Array
    strength: Float64Array


def is_young(hours_learnt: float) -> bool:
    """Tell whether a service has been learnt for less than a day (forgotten hours not counted).

    Examples
    --------
    >>> is_young(0.0), is_young(24.0)
    (True, False)
    """
    return hours_learnt < YOUNG_HOURS


def watched_since(first_report: int, recorded_since: int) -> int:
    """Give the minute from which a recorded service can be said to have been watched.

    Silence before its first report counts, as far as the recording goes back, but for no more than half an hour of it:
    nobody knows when the service was made.

    Parameters
    ----------
    first_report, recorded_since : int
        Minutes since 1970 of the service's first report, and of the recording's first.

    Examples
    --------
    >>> watched_since(1_000, 1_000), watched_since(1_000, 0)
    (1000, 970)
    """
    return max(recorded_since, first_report - SILENCE_BEFORE_MINUTES)


def usual_of_life(
    expected: npt.ArrayLike,
    strength: npt.ArrayLike,
    observed: npt.ArrayLike,
    n_before: npt.ArrayLike,
    minutes_before: npt.ArrayLike,
    window_minutes: npt.ArrayLike,
    age_minutes: npt.ArrayLike,
) -> Usual:
    """Raise what is usual to what came before each window.

    The rate before is a gamma posterior of the reports and minutes before the window; to its doubt comes that the rate
    has wandered since.

    Parameters
    ----------
    expected, observed : array-like of shape (..., w)
        Reports usual by what was learnt, and seen, in windows that end now.
    strength : array-like, broadcast to (..., w)
        Gamma shape of what was learnt.
    n_before : array-like, broadcast to (..., w)
        Reports between the beginning of life, or of memory, and that of the window.
    minutes_before : array-like, broadcast to (..., w)
        Minutes of life in which they came.
    window_minutes : array-like, broadcast to (..., w)
        Minutes of each window that have passed.
    age_minutes : array-like, broadcast to (..., w)
        From the beginning of life, or of memory, to now.

    Returns
    -------
    Usual
        Of shape (..., w). Where there was less than a minute before, `expected` is at least what is observed.

    Raises
    ------
    ValueError
        If a number of reports or minutes is negative.

    Notes
    -----
    Cost O(size of the windows).

    Examples
    --------
    >>> import numpy as np
    >>> before = [20.0, 10.0, 0.0]  # ten minutes old, two reports a minute, windows of 1, 5 and 10 minutes
    >>> found = usual_of_life([0.02, 0.1, 0.2], 0.4, [3, 11, 20], before, [9.0, 5.0, 0.0], [1.0, 5.0, 10.0], 10.0)
    >>> found.expected.round(1).tolist(), found.strength.round(1).tolist()
    ([2.0, 8.8, 20.0], [7.8, 5.7, 0.4])
    """
    learnt = np.asarray(expected, dtype=np.float64)
    known = np.broadcast_to(np.asarray(strength, dtype=np.float64), learnt.shape)
    seen = np.broadcast_to(np.asarray(observed, dtype=np.float64), learnt.shape)
    reports = np.asarray(n_before, dtype=np.float64)
    minutes = np.asarray(minutes_before, dtype=np.float64)
    age = np.asarray(age_minutes, dtype=np.float64)
    if (reports < 0).any() or (minutes < 0).any() or (age < 0).any():
        raise ValueError("n_before, minutes_before and age_minutes must not be negative")
    shape = reports + _PRIOR_SHAPE
    own = shape / (minutes + _PRIOR_MINUTES) * np.asarray(window_minutes, dtype=np.float64)
    own_strength = 1.0 / (1.0 / shape + SPREAD + _WANDERS_PER_HOUR * age / 60.0 / 3.0)
    has_life = np.broadcast_to(minutes >= _LEAST_MINUTES, learnt.shape)
    own = np.where(has_life, own, seen)
    is_higher = own > learnt
    return Usual(
        expected=np.where(is_higher, own, learnt),
        strength=np.where(is_higher & has_life, np.broadcast_to(own_strength, learnt.shape), known),
    )
