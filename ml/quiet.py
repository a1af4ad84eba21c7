"""How high the statistic rises while nothing happens: quiet days judged as the running detector would have judged them.

The peaks say what return period a level really has in this installation (`budget.refresh`). What must stay true: what
is judged was not learned from, and hours with an outage, and those that still look back at one, are left out. Not here:
which days, whose, and where the peaks are kept.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.baseline import (
    PRIOR_SHAPE,
    empty_levels,
    empty_profile,
    expected_per_hour,
    hour_slot,
    joint_strength,
    learn_levels,
    learn_profile,
    shares,
    slot_strength,
)
from ml.budget import N_STRATA, stratum
from ml.detect import WINDOW_MINUTES
from ml.phases import DEFAULT_THRESHOLDS
from ml.recent import RECENT_HOURS, SPREAD, recent_level
from ml.rise import log_rise
from ml.types import BoolArray, Float64Array

BOUT_MINUTES = 60  # alarms less than an hour apart are one
LEAST_SCORE = 6.0  # about once in three days; what is below tells nothing of alarms, and bouts would melt into one
_LEAST_REPORTS = DEFAULT_THRESHOLDS.n_reporters_suspect  # with fewer nothing is suspected, however rare


@dataclass(frozen=True, slots=True)
class QuietTime:
    """What was seen of quiet time.

    Parameters
    ----------
    peaks : ndarray of shape (n,), float64
        The highest `rise.log_rise` of each bout above `LEAST_SCORE`.
    rate_per_hour : ndarray of shape (n,), float64
        What was usual at each of them.
    minutes : ndarray of shape (6,), float64
        How long was watched in each stratum of rates.
    """

    peaks: Float64Array
    rate_per_hour: Float64Array
    minutes: Float64Array


def judge_quiet(
    hourly_counts: npt.ArrayLike,
    minute_counts: npt.ArrayLike,
    dispersion: npt.ArrayLike,
    *,
    first_epoch_hour: int,
    frozen: npt.ArrayLike | None = None,
    disturbed: npt.ArrayLike | None = None,
    slots: npt.ArrayLike | None = None,
) -> QuietTime:
    """Judge the last hours of a service by what the hours before them taught.

    Parameters
    ----------
    hourly_counts : array-like of shape (n_hours,)
        Reports of the whole service in consecutive closed hours, oldest first.
    minute_counts : array-like of shape (60 + 60 * n_judged,), n_judged at most n_hours - 26
        Those of the last hours by minute, beginning an hour before what is judged.
    dispersion : array-like of shape (18,)
        Of each window, see `scatter.dispersion_by_window`.
    first_epoch_hour : int
        Hours since 1970 of the first hour.
    frozen, disturbed : array-like of shape (n_hours,), bool, optional
        Hours that teach little, and hours that were not quiet.
    slots : array-like of shape (n_hours,), int, optional
        The hour of the week that each hour is like; that in UTC by default.

    Returns
    -------
    QuietTime

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Notes
    -----
    The profile is learned once, up to an hour before what is judged; today's deviation is followed hour by hour. Cost
    O(n_hours) and a microsecond for each minute with a report and window.

    Examples
    --------
    >>> import numpy as np
    >>> minutes = np.tile([1] + [0] * 9, 6 * 25); minutes[-60:] = 1
    >>> found = judge_quiet(np.append([6] * 95, 60), minutes, np.ones(18), first_epoch_hour=0)
    >>> found.peaks.round().tolist(), found.minutes.tolist()
    ([29.0], [0.0, 0.0, 1440.0, 0.0, 0.0, 0.0])
    """
    counts = np.asarray(hourly_counts, dtype=np.float64)
    by_minute = np.asarray(minute_counts, dtype=np.float64)
    n_judged, rest = divmod(by_minute.size - 60, 60)
    n_before = counts.size - n_judged
    if counts.ndim != 1 or by_minute.ndim != 1 or rest or n_judged < 1 or n_before < RECENT_HOURS + 2:
        raise ValueError(f"{by_minute.size} minutes can't be judged by {counts.size} hours")
    is_frozen = _hours(frozen, counts.size)
    hours = first_epoch_hour + np.arange(counts.size, dtype=np.int64)
    slot = hour_slot(hours) if slots is None else np.asarray(slots, dtype=np.int64)
    learned = slice(0, n_before - 1)  # the running stage leaves out the latest closed hour too
    profile = learn_profile(empty_profile(), counts[learned], first_epoch_hour, is_frozen[learned], slots=slot[learned])
    usual = expected_per_hour(profile)[slot]
    levels = learn_levels(
        empty_levels(1), counts[None, learned], usual[learned], is_frozen[learned], dispersion=profile.dispersion
    )
    share, strength = shares(levels)
    judged = np.arange(n_before, counts.size)
    past = judged[:, None] - 1 - RECENT_HOURS + np.arange(RECENT_HOURS)[None, :]
    doubt = 1.0 / joint_strength(
        profile.slot_counts.sum() + PRIOR_SHAPE, slot_strength(profile, spread=0.0)[slot[judged]]
    )
    today = recent_level(counts[past], usual[past], is_frozen[past], hours_ahead=1.5, spread=SPREAD + doubt)
    per_minute = np.repeat(usual[n_before - 1 :], 60) / 60.0
    observed = _windows(by_minute)
    expected = _windows(per_minute) * np.repeat(today.factor, 60)[:, None] * share[0]
    asked = (by_minute[60:] > 0) & (observed[:, -1] >= _LEAST_REPORTS)
    was_disturbed = _hours(disturbed, counts.size)
    is_watched = np.repeat(~(was_disturbed[judged] | was_disturbed[judged - 1]), 60)  # an outage is seen for an hour
    score = np.full(60 * n_judged, -np.inf)
    rows = np.flatnonzero(asked & is_watched)
    if rows.size:
        spread = np.broadcast_to(np.asarray(dispersion, dtype=np.float64), (rows.size, len(WINDOW_MINUTES)))
        known = joint_strength(strength[0], np.repeat(today.strength, 60)[rows])
        score[rows] = log_rise(observed[rows], expected[rows], spread, known)
    at = _peaks_at(score)
    return QuietTime(
        peaks=score[at],
        rate_per_hour=expected[at, -1],
        minutes=np.bincount(stratum(expected[is_watched, -1]), minlength=N_STRATA).astype(np.float64),
    )


def _windows(by_minute: Float64Array) -> Float64Array:
    """Sums of each window (columns) up to each minute but the first sixty (rows)."""
    total = np.concatenate([[0.0], np.cumsum(by_minute)])
    ends = np.arange(60, by_minute.size) + 1
    return np.stack([total[ends] - total[ends - window] for window in WINDOW_MINUTES], axis=1)


def _peaks_at(score: Float64Array) -> npt.NDArray[np.int64]:
    """The minutes of the highest score of each bout."""
    above = np.flatnonzero(score > LEAST_SCORE)
    if not above.size:
        return above
    bouts = np.split(above, np.flatnonzero(np.diff(above) > BOUT_MINUTES) + 1)
    return np.array([bout[score[bout].argmax()] for bout in bouts], dtype=np.int64)


def _hours(marked: npt.ArrayLike | None, n_hours: int) -> BoolArray:
    mask = np.zeros(n_hours, dtype=np.bool_) if marked is None else np.asarray(marked, dtype=np.bool_)
    if mask.shape != (n_hours,):
        raise ValueError(f"one mark for each of {n_hours} hours is needed, not {mask.shape}")
    return mask
