"""What is usual of a young service: at least what its own life brought before the minutes that are tested.

Until hours are learnt a service is compared with a prior, and a busy one would stand out of it from its first minutes
on. But a steady stream says by itself that it is steady: each window is compared with the minutes before it too, as far
as there were any. What came before raises what is usual and never lowers it, so nobody alarms who did not before. A
window as old as the service has nothing to be compared with but a very loose idea of services: only a flood stands out.

What must stay true: pure functions of arrays. Not here: which minutes count as life (the caller leaves out those with a
confirmed outage), and what is learnt by the hour (`baseline`, `recent`).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ml.baseline import SHAPE_HOUR_OF_DAY
from ml.recent import SPREAD
from ml.rise import windows_within
from ml.types import Float64Array

# A service is young until so many hours have been learnt. From then on they follow a morning as well as the last hour
# does, and better see an outage that swells over hours: with 24 some five more of the 61 public incidents without a
# history are missed; with 4 every third busy service is suspected in its first morning (decision 41).
YOUNG_HOURS = 7.9  # eight hours after what is forgotten of them
# So far back from its window life is remembered: a rhythm moves on within hours. With two hours a jump from 1 to 6 a
# minute is confirmed half as often, with three quarters of one no sooner (`benchmarks/detection_firstday.py`).
MEMORY_MINUTES = 60
# The first report of a service no older than the recording of it: it may have had half an hour of silence before. That
# is what the prior of one report an hour (shape a half) says, too.
SILENCE_BEFORE_MINUTES = 30

_PRIOR_SHAPE = 0.5  # Jeffreys' prior of a rate, held as firmly as a minute: no rate is unlikely
_PRIOR_MINUTES = 1.0
_LEAST_MINUTES = 5.0  # less life than this says nothing: reports come in company
# What a service may bring in its first minutes, before it has such a life: one report a minute, as loosely as the shape
# above. Steady services of up to some ten a minute stay within it; sixty reports in the first two minutes do not.
_UNKNOWN_PER_MINUTE = 1.0
# Neighbouring hours differ by as much as an hour of the day does from the day: the log of a rate wanders by this
# variance an hour. The mean of the last n hours then lies from the rate at their end by a third of n of it.
_WANDERS_PER_HOUR = 1.0 / SHAPE_HOUR_OF_DAY


class Usual(NamedTuple):
    """Reports `expected` in each window, and their `strength` (gamma shape of the level)."""

    expected: Float64Array
    strength: Float64Array


def is_young(hours_learnt: float) -> bool:
    """Tell whether a service has been learnt for less than eight hours.

    Examples
    --------
    >>> is_young(0.0), is_young(8.0)
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


def raised_to_life(
    expected: npt.ArrayLike,
    strength: npt.ArrayLike,
    counts: npt.ArrayLike,
    watched: npt.ArrayLike,
    ends: npt.ArrayLike,
    *,
    is_outage: npt.ArrayLike = False,
    elapsed: float = 1.0,
) -> Usual:
    """Raise what is usual in each window to what came in the hour of life before it.

    The rate before is a gamma posterior of the reports and minutes before the window; to its doubt comes that the rate
    has wandered since.

    Parameters
    ----------
    expected : array-like of shape (k, m, 18)
        Reports usual by what was learnt, in the windows of `detect.WINDOW_MINUTES` that end at each of m moments.
    strength : array-like, broadcast to (k, m, 18)
        Gamma shape of what was learnt.
    counts : array-like of shape (k, n)
        Reports a minute of k streams, oldest first.
    watched : array-like of shape (n,)
        Which part of each minute the service was there, in [0, 1].
    ends : array-like of shape (m,), int
        For each moment, how many of the minutes there are until then.
    is_outage : array-like of shape (n,), bool
        Minutes with a confirmed outage, which are no usual life.
    elapsed : float
        How much of the last minute before each end has passed, in (0, 1].

    Returns
    -------
    Usual
        Both of shape (k, m, 18). Where the service was there for less than five minutes before, at least one report a
        minute is expected, very loosely; where an outage left less than five minutes of life, nothing is raised.

    Raises
    ------
    ValueError
        If a number is outside its range.

    Notes
    -----
    Minutes before the first that is given are none of its life. Cost O(k (n + 18 m)).

    Examples
    --------
    >>> import numpy as np
    >>> steady = np.full((1, 30), 2.0)  # half an hour old
    >>> prior = np.array(windows_within(60)) / 60.0
    >>> found = raised_to_life(prior[None, None], 0.4, steady, np.ones(30), [30])
    >>> found.expected[0, 0, [0, 7, -1]].round(1).tolist(), found.strength[0, 0, [0, 7, -1]].round(1).tolist()
    ([2.0, 15.5, 30.0], [7.5, 7.2, 0.5])
    """
    reports, there = np.asarray(counts, dtype=np.float64), np.asarray(watched, dtype=np.float64)
    until = np.asarray(ends, dtype=np.int64)[:, None]
    if (reports < 0).any() or (there < 0).any() or (there > 1).any() or not 0 < elapsed <= 1:
        raise ValueError("counts must not be negative, watched must lie in [0, 1] and elapsed in (0, 1]")
    if reports.ndim != 2 or there.shape != reports.shape[1:] or (until < 0).any() or (until > there.size).any():
        raise ValueError(f"watched must be of shape {reports.shape[1:]} and ends within it, not {there.shape}")
    life = np.where(np.asarray(is_outage, dtype=np.bool_), 0.0, there)
    windows = np.array(windows_within(60))
    usual_until = np.pad(np.cumsum(reports * (life > 0), axis=1), ((0, 0), (1, 0)))
    there_until, lived_until = (np.pad(np.cumsum(minutes), (1, 0)) for minutes in (there, life))
    begins = np.maximum(until - windows, 0)
    first = np.maximum(begins - MEMORY_MINUTES, 0)
    minutes = lived_until[begins] - lived_until[first]
    age_hours = (until - np.maximum(first, int(np.argmax(there > 0)))) / 60.0
    shape = usual_until[:, begins] - usual_until[:, first] + _PRIOR_SHAPE
    own = shape / (minutes + _PRIOR_MINUTES) * (windows - 1.0 + elapsed)
    own_strength = 1.0 / (1.0 / shape + SPREAD + _WANDERS_PER_HOUR * np.maximum(age_hours, 0.0) / 3.0)
    has_life, is_new = minutes >= _LEAST_MINUTES, there_until[begins] - there_until[first] < _LEAST_MINUTES
    # Minutes of the window itself in which the service was there.
    present = np.maximum(there_until[until] - there_until[begins] - (1.0 - elapsed), 1.0)
    own = np.where(has_life, own, np.where(is_new, present * _UNKNOWN_PER_MINUTE, 0.0))
    own_strength = np.where(has_life, own_strength, _PRIOR_SHAPE)
    learnt, known = np.asarray(expected, dtype=np.float64), np.asarray(strength, dtype=np.float64)
    is_higher = own > learnt
    return Usual(
        expected=np.where(is_higher, own, learnt),
        strength=np.where(is_higher, own_strength, np.broadcast_to(known, learnt.shape)),
    )
