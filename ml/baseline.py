"""What is usual: the rhythm of a service and the level of each of its streams.

A service has one *profile*, its expected reports for each of the 168 hours of a week (UTC), pooled over all regions and
clusters, because a single region seldom has reports enough to show a rhythm of its own. A *stream* (the service's
total, a country, a subdivision, a cluster) has only a *level*: the share of the profile it usually carries. Both are
sums that fade with a half-life, so learning is adding, and both are sound from no history on, because every rate is a
gamma posterior shrunk to something better known.

What stays true: no single hour teaches more than it could by chance (counts are capped at the 99 % quantile of their
own prediction), and hours with an open outage (`frozen`) teach little of even that. Not here: the test against the
baseline (`detect`), the clock, and where the counts are kept.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ml.recent import SPREAD
from ml.types import BoolArray, Float64Array, IntArray

N_SLOTS = 168  # hours of a week
_EPOCH_SLOT = 72  # 1970-01-01 00:00 UTC was a Thursday: weekday 3, hour 0

# Forgetting over 4 to 6 weeks follows the growth of a service without losing its week (house measurement).
HALF_LIFE_HOURS = 4 * 7 * 24.0

# Prior of a service nobody knows: one report an hour, held as firmly as half a report would (Jeffreys' shape).
PRIOR_SHAPE = 0.5
PRIOR_RATE_PER_HOUR = 1.0

# How alike hours are before anything is known, as gamma shapes (relative sd = shape ** -0.5): an hour of the day
# differs from the daily mean by about 60 %, a weekend's hour from it by 30 %, an hour of the week from that by 20 %.
SHAPE_HOUR_OF_DAY = 3.0
SHAPE_WEEKEND_HOUR = 10.0
SHAPE_HOUR_OF_WEEK = 25.0

# Level of an unknown stream relative to its service: all of it (the cautious end), held like half a report.
PRIOR_SHARE_SHAPE = 0.5
PRIOR_SHARE = 1.0

# Dispersion of quiet hourly counts around a rate that is known: between 1.0 and 2.1 in recorded streams, see `scatter`.
DEFAULT_DISPERSION = 1.4
_DISPERSION_PRIOR_HOURS = 50.0  # worth about a week of one report an hour, see `_dispersion_weight`

_CAP_Z = 2.326  # 99 % quantile of the normal distribution
_CHUNK_HOURS = 24  # counts are capped by what was known at most a day before

# What an hour with an open outage still teaches (capped besides). With nothing at all, a baseline that is wrong about
# an hour alarms in it every day, is frozen every day, and stays wrong for ever.
FROZEN_WEIGHT = 0.25

# An hour of the day seen on fewer days than this is not known yet: it teaches in full even while something alarms, and
# up to four times its cap, so that a busy service which is new here comes to its level within hours.
KNOWN_AFTER_DAYS = 7.0
_UNKNOWN_CAP_FACTOR = 4.0


_SLOTS: IntArray = np.arange(N_SLOTS, dtype=np.int64)
_HOUR_OF_DAY: IntArray = _SLOTS % 24
_WEEKEND_HOUR: IntArray = (_SLOTS // 24 >= 5) * 24 + _HOUR_OF_DAY
_HIERARCHY = (
    (_HOUR_OF_DAY, SHAPE_HOUR_OF_DAY),
    (_WEEKEND_HOUR, SHAPE_WEEKEND_HOUR),
    (_SLOTS, SHAPE_HOUR_OF_WEEK),
)


@dataclass(frozen=True, slots=True)
class Profile:
    """The rhythm of one service.

    Parameters
    ----------
    slot_counts : ndarray of shape (168,), float64
        Learned reports by hour of the week (Monday 00:00 UTC first), capped and forgotten.
    slot_hours : ndarray of shape (168,), float64
        Hours learned from, forgotten alike: the exposure of `slot_counts`.
    dispersion : float
        Variance over mean of an hour's count around its expectation, at least 1, shrunk to `DEFAULT_DISPERSION`.
    """

    slot_counts: Float64Array
    slot_hours: Float64Array
    dispersion: float = DEFAULT_DISPERSION


@dataclass(frozen=True, slots=True)
class Levels:
    """How much of its service each stream usually carries.

    Parameters
    ----------
    n : ndarray of shape (k,), float64
        Learned reports of each stream, capped and forgotten.
    e : ndarray of shape (k,), float64
        Reports its whole service was expected to have in the same learned time, forgotten alike.
    """

    n: Float64Array
    e: Float64Array


class Shares(NamedTuple):
    """Gamma posterior of the streams' levels: `share` its mean, `strength` its shape, both of shape (k,)."""

    share: Float64Array
    strength: Float64Array


def hour_slot(epoch_hour: npt.ArrayLike) -> IntArray:
    """Give the hour of the week (Monday 00:00 UTC = 0) of hours since 1970.

    Parameters
    ----------
    epoch_hour : array-like of int
        Seconds since 1970-01-01 UTC, divided by 3600 and rounded down.

    Returns
    -------
    ndarray of the same shape, int64
        In [0, 168).

    Examples
    --------
    >>> hour_slot([0, 4 * 24]).tolist()  # Thursday, and the Monday after it
    [72, 0]
    """
    return np.asarray((np.asarray(epoch_hour, dtype=np.int64) + _EPOCH_SLOT) % N_SLOTS, dtype=np.int64)


def local_slots(
    epoch_hours: npt.ArrayLike, offset_minutes: npt.ArrayLike = 0, is_holiday: npt.ArrayLike = False
) -> IntArray:
    """Give the hour of the week in local time; the hours of a holiday are a Sunday's.

    Parameters
    ----------
    epoch_hours : array-like of shape (n,), int
        Hours since 1970, UTC.
    offset_minutes : int or array-like of shape (n,)
        What local time is ahead of UTC by at each of them, so that changes of the clock are in it. Half hours are
        counted with the hour they begin in.
    is_holiday : bool or array-like of shape (n,)
        Whether the hour's local day is a holiday.

    Returns
    -------
    ndarray of shape (n,), int64
        For `learn_profile`, and for reading what it learned.

    Examples
    --------
    >>> local_slots([0, 0], offset_minutes=60, is_holiday=[False, True]).tolist()  # Thursday, or a holiday
    [73, 145]
    """
    hours = np.asarray(epoch_hours, dtype=np.int64) * 60 + np.asarray(offset_minutes, dtype=np.int64)
    slot = hour_slot(hours // 60)
    return np.asarray(np.where(is_holiday, 6 * 24 + slot % 24, slot), dtype=np.int64)


def empty_profile() -> Profile:
    """Give the profile of a service without any history."""
    return Profile(slot_counts=np.zeros(N_SLOTS), slot_hours=np.zeros(N_SLOTS))


def empty_levels(n_streams: int, *, expected: float = 0.0) -> Levels:
    """Give the levels of streams that never had a report.

    Parameters
    ----------
    n_streams : int
        Number of streams.
    expected : float
        The `e` of their service's total. A region unseen until now was silent for all the time its service was
        learned, and should know it; leave 0 only for a new service.

    Examples
    --------
    >>> empty_levels(2, expected=40.0)
    Levels(n=array([0., 0.]), e=array([40., 40.]))
    """
    return Levels(n=np.zeros(n_streams), e=np.full(n_streams, float(expected)))


def expected_per_hour(profile: Profile) -> Float64Array:
    """Give the expected reports of a service for each hour of the week.

    Every slot is shrunk to its hour of the day on weekdays or at the weekend, that to the hour of the day, and that to
    the overall rate: posterior means of a gamma-Poisson hierarchy, parents plugged in.

    Parameters
    ----------
    profile : Profile
        What was learned.

    Returns
    -------
    ndarray of shape (168,), float64
        Reports per hour, all above 0.

    Notes
    -----
    Cost O(168).

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., ch. 2.6 and 5. DOI 10.1201/b16018

    Examples
    --------
    >>> expected_per_hour(empty_profile())[:2]
    array([1., 1.])
    """
    return _smoothed(profile)[0]


def slot_strength(profile: Profile, *, spread: float = SPREAD) -> Float64Array:
    """Give how well each hour is known before it comes, as gamma shape (1 / relative variance).

    The overall level is left out: it is each stream's own, see `shares`. Join the two with `joint_strength`.

    Parameters
    ----------
    profile : Profile
        What was learned.
    spread : float
        Relative variance of the same hour from week to week, which no history takes away. 0 where the deviation of the
        day is followed (`recent`), whose own strength then takes its place.

    Returns
    -------
    ndarray of shape (168,), float64
        About 2 without history, growing to ``1 / spread`` with the reports learned.

    Examples
    --------
    >>> slot_strength(empty_profile())[0].round(2), slot_strength(empty_profile(), spread=0.0)[0].round(2)
    (np.float64(1.87), np.float64(2.11))
    """
    return np.asarray(1.0 / (1.0 / _smoothed(profile)[1] + spread))


def joint_strength(level: npt.ArrayLike, slot: npt.ArrayLike) -> Float64Array:
    """Join two independent uncertainties given as gamma shapes: their relative variances add.

    Examples
    --------
    >>> float(joint_strength(4.0, 4.0))
    2.0
    """
    return np.asarray(1.0 / (1.0 / np.asarray(level, dtype=np.float64) + 1.0 / np.asarray(slot, dtype=np.float64)))


def shares(levels: Levels, *, prior_shape: float = PRIOR_SHARE_SHAPE, prior_share: float = PRIOR_SHARE) -> Shares:
    """Give the posterior of each stream's share of its service.

    Parameters
    ----------
    levels : Levels
        What was learned of k streams.
    prior_shape, prior_share : float
        Gamma prior of a share: its shape and its mean. For streams that come and go (clusters) a smaller mean is
        the honest one.

    Returns
    -------
    Shares
        `share` of shape (k,), the mean; `strength` of shape (k,), the gamma shape, for `detect.tail_p`.

    Raises
    ------
    ValueError
        If a prior is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> found = shares(Levels(n=np.array([9.5, 0.0]), e=np.array([39.5, 39.5])))
    >>> found.share.tolist(), found.strength.tolist()
    ([0.25, 0.0125], [10.0, 0.5])
    """
    if prior_shape <= 0 or prior_share <= 0:
        raise ValueError(f"prior_shape and prior_share must be above 0, not {prior_shape} and {prior_share}")
    strength = levels.n + prior_shape
    return Shares(share=strength / (levels.e + prior_shape / prior_share), strength=strength)


def learn_profile(
    profile: Profile,
    hourly_counts: npt.ArrayLike,
    first_epoch_hour: int,
    frozen: npt.ArrayLike | None = None,
    *,
    slots: npt.ArrayLike | None = None,
) -> Profile:
    """Learn closed hours of a service, oldest first.

    Counts are capped at the 99 % quantile of their own prediction, made from what was known at the start of their
    block of at most 24 hours; so a flood teaches little even when nobody froze it, and growth is still followed.
    Frozen hours teach a quarter of that, except where their hour of the day is not known yet (`KNOWN_AFTER_DAYS`).

    Parameters
    ----------
    profile : Profile
        What is known; left untouched.
    hourly_counts : array-like of shape (n_hours,)
        Reports of the whole service in consecutive hours.
    first_epoch_hour : int
        Hours since 1970 of the first of them.
    frozen : array-like of shape (n_hours,), bool, optional
        Hours with an open outage. Better freeze none after its first day: a level may be here to stay.
    slots : array-like of shape (n_hours,), int, optional
        The hour of the week that each hour is like, see `local_slots`; that in UTC by default.

    Returns
    -------
    Profile
        The profile after the last hour.

    Raises
    ------
    ValueError
        If a count is negative or not finite, or the shapes differ.

    Notes
    -----
    Cost O(n_hours) plus O(168) a day of history; five empty years take well under a second.

    Examples
    --------
    >>> week = learn_profile(empty_profile(), [6.0] * 168, first_epoch_hour=96)
    >>> bool(abs(expected_per_hour(week).mean() - 6.0) < 0.5)
    True
    """
    counts = _checked_counts(hourly_counts, n_dims=1)
    is_frozen = _frozen_hours(frozen, counts.shape)
    in_utc = hour_slot(first_epoch_hour + np.arange(counts.size, dtype=np.int64))
    which = in_utc if slots is None else _checked_slots(slots, counts.shape)
    start = 0
    while start < counts.size:
        end = start + (_CHUNK_HOURS if _known(profile).all() else 1)
        profile = _learn_chunk(profile, counts[start:end], which[start:end], is_frozen[start:end])
        start = end
    return profile


def learn_levels(
    levels: Levels,
    counts: npt.ArrayLike,
    shape_by_hour: npt.ArrayLike,
    frozen: npt.ArrayLike | None = None,
    *,
    dispersion: float = DEFAULT_DISPERSION,
) -> Levels:
    """Learn closed hours of k streams of one service, oldest first.

    Parameters
    ----------
    levels : Levels
        What is known of the k streams; left untouched.
    counts : array-like of shape (k, n_hours)
        Reports of each stream in consecutive hours.
    shape_by_hour : array-like of shape (n_hours,)
        Expected reports of the whole service in these hours (`expected_per_hour(profile)[hour_slot(hours)]`).
    frozen : array-like of shape (n_hours,) or (k, n_hours), bool, optional
        Hours with an open outage, which teach little: to all streams or to each.
    dispersion : float
        Variance over mean of an hour's count, for the cap.

    Returns
    -------
    Levels
        The levels after the last hour.

    Raises
    ------
    ValueError
        If a count is negative or not finite, or the shapes do not fit.

    Notes
    -----
    Cost O(k · n_hours).

    Examples
    --------
    >>> import numpy as np
    >>> after = learn_levels(empty_levels(1), np.ones((1, 48)), np.full(48, 4.0))
    >>> bool(abs(shares(after).share[0] - 0.25) < 0.05)
    True
    """
    checked = _checked_counts(counts, n_dims=2)
    shape = np.asarray(shape_by_hour, dtype=np.float64)
    if checked.shape != (levels.n.size, shape.size):
        raise ValueError(f"counts must be of shape {(levels.n.size, shape.size)}, not {checked.shape}")
    is_frozen = _frozen_hours(frozen, checked.shape)
    n, e = levels.n, levels.e
    for start in range(0, shape.size, _CHUNK_HOURS):
        chunk = slice(start, start + _CHUNK_HOURS)
        weights, kept = learning_weights(is_frozen[:, chunk])
        share, strength = shares(Levels(n=n, e=e))
        expected = share[:, None] * shape[None, chunk]
        capped = np.minimum(checked[:, chunk], count_cap(expected, dispersion, strength[:, None]))
        n = n * kept + (capped * weights).sum(axis=1)
        e = e * kept + (shape[None, chunk] * weights).sum(axis=1)
    return Levels(n=n, e=e)


def _smoothed(profile: Profile) -> tuple[Float64Array, Float64Array]:
    """Rates per hour and strengths (without the overall level's own uncertainty), both of shape (168,)."""
    overall = (profile.slot_counts.sum() + PRIOR_SHAPE) / (profile.slot_hours.sum() + PRIOR_SHAPE / PRIOR_RATE_PER_HOUR)
    informative = 1.0 / (1.0 + SPREAD * overall)
    rate: Float64Array = np.full(N_SLOTS, overall)
    relative_variance: Float64Array = np.zeros(N_SLOTS)
    for cell, prior_shape in _HIERARCHY:
        n = informative * _pooled(profile.slot_counts, cell)
        hours = informative * _pooled(profile.slot_hours, cell)
        # Delta method: a cell inherits its parent's uncertainty as far as it leans on the parent.
        lean = prior_shape / (prior_shape + hours * rate)
        relative_variance = 1.0 / (n + prior_shape) + lean**2 * relative_variance
        rate = (n + prior_shape) / (hours + prior_shape / rate)
    return rate, 1.0 / relative_variance


def _pooled(per_slot: Float64Array, cell: IntArray) -> Float64Array:
    return np.asarray(np.bincount(cell, weights=per_slot)[cell])


def _learn_chunk(profile: Profile, counts: Float64Array, slots: IntArray, frozen: BoolArray) -> Profile:
    known = _known(profile)[slots]
    rate, strength = _smoothed(profile)
    level_strength = profile.slot_counts.sum() + PRIOR_SHAPE
    cap = count_cap(rate[slots], profile.dispersion, joint_strength(level_strength, strength[slots]))
    capped = np.minimum(counts, np.where(known, cap, _UNKNOWN_CAP_FACTOR * cap))
    weights, kept = learning_weights(frozen & known)
    learned = Profile(
        slot_counts=profile.slot_counts * kept + np.bincount(slots, weights=weights * capped, minlength=N_SLOTS),
        slot_hours=profile.slot_hours * kept + np.bincount(slots, weights=weights, minlength=N_SLOTS),
    )
    telling = known & ~frozen
    dispersion = _learn_dispersion(profile, rate, learned, capped[telling], slots[telling], float(kept))
    return replace(learned, dispersion=dispersion)


def _known(profile: Profile) -> BoolArray:
    return np.asarray(_pooled(profile.slot_hours, _HOUR_OF_DAY) >= KNOWN_AFTER_DAYS)


def _learn_dispersion(
    before: Profile, rate_before: Float64Array, after: Profile, counts: Float64Array, slots: IntArray, kept: float
) -> float:
    """Mean squared Pearson residual, weighted by its precision and shrunk to the default.

    The sum that was learned before is recovered from the shrunk mean and the profile's own exposure, so that it
    needs no field of its own.
    """
    weight_before = float((before.slot_hours * _dispersion_weight(rate_before)).sum())
    prior = _DISPERSION_PRIOR_HOURS
    sum_before = before.dispersion * (prior + weight_before) - prior * DEFAULT_DISPERSION
    rate = _smoothed(after)[0][slots]
    weight = _dispersion_weight(rate)
    # What the rate itself wanders by is not scatter; a busy hour tells little about scatter, and weighs little.
    residual = (counts - rate) ** 2 / rate - SPREAD * rate
    total = prior * DEFAULT_DISPERSION + kept * sum_before + float((weight * residual).sum())
    dispersion = total / (prior + kept * weight_before + float(weight.sum()))
    return max(dispersion, 1.0)


def _dispersion_weight(rate: Float64Array) -> Float64Array:
    """Precision of a squared Pearson residual: 1 / (2 + 1/rate) for a Poisson count, less where the rate wanders."""
    return rate / (1.0 + 2.0 * rate * (1.0 + SPREAD * rate) ** 2)


def count_cap(expected: Float64Array, dispersion: float, strength: npt.ArrayLike) -> Float64Array:
    """99 % quantile of the negative-binomial prediction, by Cornish and Fisher's second-order expansion, rounded up.

    References: Cornish & Fisher (1938), Revue de l'Institut International de Statistique 5, DOI 10.2307/1400905.
    """
    variance = dispersion * expected + expected**2 / np.asarray(strength, dtype=np.float64)
    sd = np.sqrt(variance)
    skewness = (2.0 * variance / expected - 1.0) / sd
    quantile = expected + sd * (_CAP_Z + (_CAP_Z**2 - 1.0) * skewness / 6.0)
    return np.asarray(np.ceil(quantile), dtype=np.float64)


def learning_weights(frozen: BoolArray) -> tuple[Float64Array, Float64Array]:
    """What each hour (last axis) weighs at the end of the block, and what remains of all that was before it.

    A frozen hour ages what is known by as little as it adds to it.
    """
    own = np.where(frozen, FROZEN_WEIGHT, 1.0)
    age_hours = np.cumsum(own[..., ::-1], axis=-1)[..., ::-1] - own
    weights = own * 0.5 ** (age_hours / HALF_LIFE_HOURS)
    return weights, np.asarray(0.5 ** (own.sum(axis=-1) / HALF_LIFE_HOURS))


def _checked_counts(counts: npt.ArrayLike, *, n_dims: int) -> Float64Array:
    checked = np.asarray(counts, dtype=np.float64)
    if checked.ndim != n_dims:
        raise ValueError(f"counts must have {n_dims} dimension(s), not {checked.ndim}")
    if not np.isfinite(checked).all() or (checked < 0).any():
        raise ValueError("counts must be finite and not negative")
    return checked


def _checked_slots(slots: npt.ArrayLike, shape: tuple[int, ...]) -> IntArray:
    checked = np.asarray(slots, dtype=np.int64)
    if checked.shape != shape or (checked < 0).any() or (checked >= N_SLOTS).any():
        raise ValueError(f"slots must be of shape {shape} and in [0, {N_SLOTS})")
    return checked


def _frozen_hours(frozen: npt.ArrayLike | None, shape: tuple[int, ...]) -> BoolArray:
    mask = np.zeros(shape, dtype=np.bool_) if frozen is None else np.asarray(frozen, dtype=np.bool_)
    if mask.shape not in (shape, shape[-1:]):
        raise ValueError(f"frozen must be of shape {shape[-1:]} or {shape}, not {mask.shape}")
    return np.broadcast_to(mask, shape)
