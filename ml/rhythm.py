"""At what hours of the day a region's reports come, against its service's.

A service has one profile, and a region a share of it (`baseline`). A region in another time zone has another day: its
morning would look like an outage, every day. So the share is read by the hour of the day (UTC) as well, as far as its
hours clearly differ from the service's.

Invariant: what is learnt of an hour of the day is bounded by what was usual, so an outage moves it by a few
hundredths, and hours with an outage need not be left out. (They would be the very hours that a region has to be known
by.) Not here: the service's own rhythm, and how far today lies from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ml.baseline import Levels, Shares, count_cap, joint_strength, learning_weights, shares
from ml.types import BoolArray, Float64Array, IntArray

N_HOURS: Final = 24
# Reports of one region in one hour of the day scatter by so much more than chance: they come in company.
SCATTER: Final = 1.5
# Relative variance of a region's share over the hours of the day: what is taken for none, and the most. (Two clocks
# eight hours apart, six times as many reports at noon as at night: 0.5.)
LEAST_VARIANCE: Final = 0.002
MOST_VARIANCE: Final = 4.0
# By so many standard deviations of chance the hours have to differ before anything is made of it.
SURE_SD: Final = 2.0
# An hour leans on its neighbours by half.
_BESIDE: Final = 0.5
# How well a service's hour is known to the bound of what is learnt of it.
_STRENGTH_OF_HOUR: Final = 20.0
_LEARN_HOURS: Final = 24  # bounds are by what was known at most a day before
_LEAST_EXPECTED: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Rhythms:
    """Learnt reports of k streams by hour of the day, UTC.

    Parameters
    ----------
    n : ndarray of shape (k, 24), float64
        Of each stream, bounded and forgotten.
    e : ndarray of shape (k, 24), float64
        Of its whole service in the same learnt time.
    """

    n: Float64Array
    e: Float64Array


class Day(NamedTuple):
    """By how much a stream's share differs at each hour of the day.

    `factor` (1 = not at all) and `strength`, its gamma shape, are of shape (k, 24).
    """

    factor: Float64Array
    strength: Float64Array


def empty_rhythms(n_streams: int, *, expected: npt.ArrayLike = 0.0) -> Rhythms:
    """Streams that were silent all the time in which their service had `expected` reports by hour of the day.

    Examples
    --------
    >>> empty_rhythms(2).n.shape
    (2, 24)
    """
    e = np.broadcast_to(np.asarray(expected, dtype=np.float64), (n_streams, N_HOURS)).copy()
    return Rhythms(n=np.zeros((n_streams, N_HOURS)), e=e)


def day_of(rhythms: Rhythms, share: npt.ArrayLike, is_whole: npt.ArrayLike) -> Day:
    """Conclude how a stream's share goes up and down over the day.

    Parameters
    ----------
    rhythms : Rhythms
        Of k streams of one service.
    share : array-like of shape (k,)
        What part of the service they usually carry, `baseline.shares`.
    is_whole : array-like of shape (k,), bool
        True for the service itself, which has no rhythm but its own.

    Returns
    -------
    Day
        Factors of 1, well known, where the hours differ by no more than chance.

    Notes
    -----
    The factors have a gamma prior of mean 1 whose variance is the streams' own (empirical Bayes, by moments): the
    squares of what lies beside the share's part of the service, less what chance explains and two standard deviations
    of it. A stream of few reports leans on what all streams of the service show. Cost O(k).

    References
    ----------
    Robbins, H. (1956). An empirical Bayes approach to statistics. Proceedings of the Third Berkeley Symposium 1,
    157-163. Marshall, R. J. (1991). Mapping disease and mortality rates using empirical Bayes estimators. Applied
    Statistics 40, 283-294. doi:10.2307/2347593

    Examples
    --------
    >>> import numpy as np
    >>> whole = np.full(24, 100.0)
    >>> by_day = np.where(np.arange(24) < 12, 20.0, 80.0)
    >>> found = day_of(Rhythms(np.array([by_day]), np.array([whole])), [0.5], [False])
    >>> found.factor[0, [5, 18]].round(1).tolist()
    [0.4, 1.6]
    """
    part = np.asarray(share, dtype=np.float64)[:, None] * rhythms.e
    is_one = np.asarray(is_whole, dtype=np.bool_)
    chance = SCATTER * part
    beside = ((rhythms.n - part) ** 2 - chance).sum(axis=1) - SURE_SD * np.sqrt(2.0 * (chance**2).sum(axis=1))
    weight, room = (part**2).sum(axis=1), chance.sum(axis=1)
    of_all = float(weight[~is_one].sum())
    common = max(float(beside[~is_one].sum()) / of_all, 0.0) if of_all > 0 else 0.0
    variance = np.full(part.shape[0], LEAST_VARIANCE)
    seen = (weight + room > 0) & ~is_one
    variance[seen] = (beside[seen] + common * room[seen]) / (weight[seen] + room[seen])
    shape = 1.0 / np.clip(variance, LEAST_VARIANCE, MOST_VARIANCE)[:, None]
    n, usual = _with_neighbours(rhythms.n) / SCATTER, _with_neighbours(part) / SCATTER
    factor, strength = (shape + n) / (shape + usual), shape + n
    factor[is_one] = 1.0
    strength[is_one] = np.inf
    return Day(factor=factor, strength=strength)


def shares_at(levels: Levels, day: Day, hour: float) -> Shares:
    """Give the streams' shares of their service at a moment of the day.

    Parameters
    ----------
    levels : Levels
    day : Day
        Of the same k streams.
    hour : float
        Of the day, UTC, in [0, 24): between the middles of two hours the factor lies between theirs.

    Returns
    -------
    Shares
        As `baseline.shares` gives them.

    Examples
    --------
    >>> import numpy as np
    >>> day = Day(np.where(np.arange(24) < 12, 0.5, 1.5)[None, :], np.full((1, 24), np.inf))
    >>> levels = Levels(n=np.array([9.5]), e=np.array([39.5]))
    >>> shares_at(levels, day, 3.5).share.tolist(), shares_at(levels, day, 12.0).share.tolist()
    ([0.125], [0.25])
    """
    known = shares(levels)
    before = int(np.floor(hour - 0.5))
    later = hour - 0.5 - before
    two = [before % N_HOURS, (before + 1) % N_HOURS]
    factor = day.factor[:, two] @ np.array([1.0 - later, later])
    return Shares(known.share * factor, joint_strength(known.strength, day.strength[:, two].min(axis=1)))


def learn_rhythms(
    rhythms: Rhythms,
    counts: npt.ArrayLike,
    expected: npt.ArrayLike,
    hours: npt.ArrayLike,
    *,
    share: npt.ArrayLike,
    dispersion: float,
) -> Rhythms:
    """Learn closed hours of k streams of one service, oldest first.

    Parameters
    ----------
    rhythms : Rhythms
        What is known; left untouched.
    counts : array-like of shape (k, n_hours)
        Reports in consecutive hours; the first stream is the service itself.
    expected : array-like of shape (n_hours,)
        Reports usual of the whole service in these hours.
    hours : array-like of shape (n_hours,), int
        Hours since 1970.
    share : array-like of shape (k,)
        What part of the service the streams usually carry.
    dispersion : float
        Variance over mean of an hour's count.

    Returns
    -------
    Rhythms
        After the last hour. Of an hour with more reports than usual so many count as are usual at the most, each
        stream's part of them.

    Notes
    -----
    Cost O(k · n_hours).

    Examples
    --------
    >>> import numpy as np
    >>> after = learn_rhythms(
    ...     empty_rhythms(2), np.array([[9.0] * 48, [3.0] * 48]), np.full(48, 9.0), np.arange(48), share=[1.0, 0.3],
    ...     dispersion=1.5)
    >>> (after.n[1] / after.e[1]).round(2).tolist()[:2]
    [0.33, 0.33]
    """
    seen, usual = np.asarray(counts, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    of_day: IntArray = np.asarray(hours, dtype=np.int64) % N_HOURS
    part = np.asarray(share, dtype=np.float64)
    is_whole: BoolArray = np.arange(part.size) == 0
    n, e = rhythms.n, rhythms.e
    for start in range(0, usual.size, _LEARN_HOURS):
        chunk = slice(start, start + _LEARN_HOURS)
        most = count_cap(np.maximum(usual[chunk], _LEAST_EXPECTED), dispersion, _STRENGTH_OF_HOUR)
        kept_part = np.minimum(most / np.maximum(seen[0, chunk], 1.0), 1.0)
        whole, mine = seen[0, chunk] * kept_part, seen[:, chunk] * kept_part
        day = day_of(Rhythms(n, e), part, is_whole)
        likely = part[:, None] * day.factor[:, of_day[chunk]] * whole
        strength = np.minimum(day.strength[:, of_day[chunk]], _STRENGTH_OF_HOUR)
        mine = np.minimum(mine, count_cap(np.maximum(likely, _LEAST_EXPECTED), SCATTER, strength))
        weights, kept = learning_weights(np.zeros(whole.size, dtype=np.bool_))
        where = np.zeros((whole.size, N_HOURS))
        where[np.arange(whole.size), of_day[chunk]] = weights
        n, e = n * kept + mine @ where, e * kept + (whole @ where)[None, :]
    return Rhythms(n=n, e=e)


def _with_neighbours(by_hour: Float64Array) -> Float64Array:
    return by_hour + _BESIDE * (np.roll(by_hour, 1, axis=1) + np.roll(by_hour, -1, axis=1))
