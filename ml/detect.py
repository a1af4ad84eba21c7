"""What is unusual: counts of the last hour tested against the baseline.

Two questions are asked of every stream. *Is there a rise?* `rise` weighs all starting minutes and steepnesses at once;
its value, calibrated (`budget`), says how seldom quiet reports look like this. *Does it go on?* The tails of the
windows up to a quarter of an hour answer that, for the rise's own statistic remembers an outage for an hour. Both know
how reports scatter and how well the level is known, so a service nobody knows yet neither alarms on its first three
reports nor stays silent in a flood.

Everything is a pure function of arrays and numbers. Not here: what is usual (`baseline`, `recent`), which region is
meant (`regions`, `tree`), the life of an outage (`phases`, whose names are at home here too), and who is told.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from ml.baseline import N_SLOTS, hour_slot
from ml.budget import Calibration, rarity
from ml.local_scatter import DEFAULT_EXPONENT
from ml.phases import DEFAULT_THRESHOLDS, Phase, Thresholds, step, thresholds_for
from ml.rise import log_rise, sizes, windows_within
from ml.types import Float64Array

__all__ = [
    "DEFAULT_THRESHOLDS",
    "LOOKBACK_MINUTES",
    "RECENT_WINDOW_MINUTES",
    "WINDOW_MINUTES",
    "Evidence",
    "Phase",
    "Thresholds",
    "evidence",
    "expected_by_minute",
    "onset_minute",
    "scan_p",
    "step",
    "stream_dispersion",
    "tail_p",
    "thresholds_for",
    "window_dispersion",
    "window_expected",
    "window_sums",
]

# An hour is enough for outages that anybody waits for: with four, those that a detector told both rates finds in more
# than 12 minutes are found 9 % sooner, but an outage that is over must be cut out before the next is looked for.
LOOKBACK_MINUTES = 60
WINDOW_MINUTES = windows_within(LOOKBACK_MINUTES)
# Windows that answer "is it still going on": the longer ones remember an outage for up to an hour after its end.
RECENT_WINDOW_MINUTES = 15
_RECENT_COLUMNS = [WINDOW_MINUTES.index(window) for window in (1, 2, 5, RECENT_WINDOW_MINUTES)]

_DISPERSION_EXPONENT = 0.5  # see `window_dispersion`
_POISSON_LIMIT = 1e-9  # below this 1/size the negative binomial is a Poisson to the last digit


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a stream is or is not suspicious.

    `p_value` is the chance that quiet reports raise an alarm of this strength in a given minute, over all windows:
    ``1 / p_value`` is the return period in minutes. `p_recent` is the tail probability of the windows up to 15 minutes,
    corrected for their number; `window_minutes` is the window that speaks most clearly, with its `observed` and
    `expected` reports.
    """

    p_value: float
    p_recent: float
    window_minutes: int
    observed: float
    expected: float


def window_sums(minute_counts: npt.ArrayLike, *, windows: tuple[int, ...] = WINDOW_MINUTES) -> Float64Array:
    """Sum the newest minutes: 1, 2, 3 and so on to 60.

    Parameters
    ----------
    minute_counts : array-like of shape (k, n_minutes)
        Reports (or expected reports) a minute, oldest first; at least as many as the longest window has.
    windows : tuple of int
        Lengths in minutes.

    Returns
    -------
    ndarray of shape (k, len(windows)), float64
        One column for each of them.

    Raises
    ------
    ValueError
        If there are too few minutes.

    Notes
    -----
    Cost O(k · longest window).

    Examples
    --------
    >>> import numpy as np
    >>> window_sums(np.ones((1, 60)), windows=(1, 5, 60))
    array([[ 1.,  5., 60.]])
    """
    counts = np.asarray(minute_counts, dtype=np.float64)
    longest = windows[-1]
    if counts.ndim != 2 or counts.shape[1] < longest:
        raise ValueError(f"minute_counts must be of shape (k, >= {longest}), not {counts.shape}")
    newest_first = counts[:, ::-1][:, :longest]
    return np.asarray(np.cumsum(newest_first, axis=1)[:, np.asarray(windows) - 1])


def window_expected(shape: npt.ArrayLike, end_minute: int, *, elapsed_seconds: float = 60.0) -> Float64Array:
    """Give the expected reports of a whole service in each window, across the change of the hour.

    Parameters
    ----------
    shape : array-like of shape (168,)
        Expected reports per hour for each hour of the week, see `baseline.expected_per_hour`.
    end_minute : int
        Minutes since 1970 of the newest minute in the windows.
    elapsed_seconds : float
        How much of that minute has passed.

    Returns
    -------
    ndarray of shape (18,), float64
        One for each of `WINDOW_MINUTES`. Multiply by a stream's share to get what it is expected to have.

    Raises
    ------
    ValueError
        If the shape is another or the seconds are not in (0, 60].

    Examples
    --------
    >>> window_expected([60.0] * 168, end_minute=0)[[0, 4, -1]].tolist()
    [1.0, 5.0, 60.0]
    >>> window_expected([60.0] * 168, end_minute=0, elapsed_seconds=15)[[0, 4, -1]].tolist()
    [0.25, 4.25, 59.25]
    """
    by_minute = expected_by_minute(shape, end_minute, n_minutes=LOOKBACK_MINUTES, elapsed_seconds=elapsed_seconds)
    return np.asarray(window_sums(by_minute[None, :])[0])


def expected_by_minute(
    shape: npt.ArrayLike, end_minute: int, *, n_minutes: int, elapsed_seconds: float = 60.0
) -> Float64Array:
    """Give the expected reports of a whole service for each of the `n_minutes` up to and with `end_minute`.

    Of the newest minute only the seconds that have passed count.

    Returns
    -------
    ndarray of shape (n_minutes,), float64
        Oldest first.

    Raises
    ------
    ValueError
        If the shape is another or the seconds are not in (0, 60].

    Examples
    --------
    >>> expected_by_minute([60.0] * 168, 10, n_minutes=3, elapsed_seconds=30).tolist()
    [1.0, 1.0, 0.5]
    """
    per_hour = np.asarray(shape, dtype=np.float64)
    if per_hour.shape != (N_SLOTS,):
        raise ValueError(f"shape must be of shape ({N_SLOTS},), not {per_hour.shape}")
    if not 0 < elapsed_seconds <= 60:
        raise ValueError(f"elapsed_seconds must lie in (0, 60], not {elapsed_seconds}")
    minutes = np.arange(end_minute - n_minutes + 1, end_minute + 1, dtype=np.int64)
    by_minute = per_hour[hour_slot(minutes // 60)] / 60.0
    by_minute[-1] *= elapsed_seconds / 60.0
    return np.asarray(by_minute)


def window_dispersion(dispersion: npt.ArrayLike, *, windows: tuple[int, ...] = WINDOW_MINUTES) -> Float64Array:
    """Turn the dispersion of hourly counts into that of each window, where it was not learned (`scatter`).

    What makes counts scatter more than Poisson needs time to show: in public report streams the excess grows with about
    the square root of the window, and from a quarter of an hour on it is the rate that wanders, which is doubt about
    the level and no scatter.

    Returns
    -------
    ndarray of shape (..., len(windows)), float64
        At least 1; half the hourly excess from 15 minutes on.

    Examples
    --------
    >>> window_dispersion(1.4)[[0, 4, -1]].round(3).tolist()
    [1.052, 1.115, 1.2]
    """
    hourly = np.asarray(dispersion, dtype=np.float64)[..., None]
    length = np.minimum(np.asarray(windows, dtype=np.float64), RECENT_WINDOW_MINUTES)
    return np.asarray(1.0 + (hourly - 1.0) * (length / 60.0) ** _DISPERSION_EXPONENT)


def stream_dispersion(
    dispersion: npt.ArrayLike, share: npt.ArrayLike, *, exponent: float = DEFAULT_EXPONENT
) -> Float64Array:
    """Turn the dispersion of a service's counts into that of its streams.

    Were the scatter all in the common rate, a thinned stream would keep `share` of the excess (exponent 1); were it all
    local, all of it (0). Public streams lie between, near the square root of the share. What a service's regions show
    is learned in `local_scatter`.

    Examples
    --------
    >>> stream_dispersion(1.8, [1.0, 0.25]).tolist()
    [1.8, 1.4]
    """
    excess = np.asarray(dispersion, dtype=np.float64) - 1.0
    return np.asarray(1.0 + excess * np.minimum(np.asarray(share, dtype=np.float64), 1.0) ** exponent)


def tail_p(
    observed: npt.ArrayLike, expected: npt.ArrayLike, dispersion: npt.ArrayLike, strength: npt.ArrayLike
) -> Float64Array:
    """Give the probability of at least so many reports by chance.

    The count is negative binomial with mean `expected` and variance
    ``dispersion * expected + expected**2 / strength``: scatter of the reports plus the uncertainty of the level.

    Parameters
    ----------
    observed : array-like of shape (k, w)
        Reports seen.
    expected : array-like of shape (k, w)
        Reports usual, not negative. Where it is 0, any report has probability 0.
    dispersion : array-like, broadcast
        Variance over mean of the reports, at least 1.
    strength : array-like, broadcast
        Gamma shape of the level (1 / relative variance), above 0; infinity = known exactly.

    Returns
    -------
    ndarray of shape (k, w), float64
        In [0, 1], with full relative accuracy down to about 1e-300.

    Raises
    ------
    ValueError
        If a number is outside its range.

    Notes
    -----
    Cost O(k w) incomplete beta functions, about a microsecond each.

    References
    ----------
    P(X >= x) = I_q(x, r), Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, ch. 5.
    DOI 10.1002/0471715816

    Examples
    --------
    >>> import numpy as np
    >>> tail_p([[0, 3]], [[1.0, 1.0]], 1.0, np.inf).round(4).tolist()  # Poisson
    [[1.0, 0.0803]]
    """
    seen = np.asarray(observed, dtype=np.float64)
    usual = np.asarray(expected, dtype=np.float64)
    spread = np.asarray(dispersion, dtype=np.float64)
    known = np.asarray(strength, dtype=np.float64)
    if not (np.isfinite(usual).all() and (usual >= 0).all()):
        raise ValueError("expected must be finite and not negative")
    if not ((spread >= 1).all() and (known > 0).all()):
        raise ValueError("dispersion must be at least 1 and strength above 0")
    seen, usual, spread, known = np.broadcast_arrays(seen, usual, spread, known)
    result = np.where(seen <= 0, 1.0, 0.0)
    asked = (seen > 0) & (usual > 0)
    x, mean = seen[asked], usual[asked]
    inverse_size = (spread[asked] - 1.0) / mean + 1.0 / known[asked]
    size = 1.0 / np.maximum(inverse_size, _POISSON_LIMIT)
    negative_binomial = special.betainc(x, size, mean / (mean + size))
    poisson = special.gammainc(x, mean)
    result[asked] = np.where(inverse_size < _POISSON_LIMIT, poisson, negative_binomial)
    return result


def scan_p(p_windows: npt.ArrayLike) -> Float64Array:
    """Join the p-values of several windows: the smallest, corrected for having looked at all (Šidák).

    Parameters
    ----------
    p_windows : array-like of shape (k, w)
        One p-value a window.

    Returns
    -------
    ndarray of shape (k,), float64
        Conservative, for overlapping windows are alike.

    References
    ----------
    Šidák (1967), JASA 62. DOI 10.1080/01621459.1967.10482935

    Examples
    --------
    >>> scan_p([[0.5, 0.01, 1.0]]).round(4).tolist()
    [0.0297]
    """
    p = np.asarray(p_windows, dtype=np.float64)
    smallest = p.min(axis=-1)
    with np.errstate(divide="ignore"):  # log1p(-1) is -inf, and so p = 1 stays 1
        return np.asarray(-np.expm1(p.shape[-1] * np.log1p(-smallest)))


def evidence(
    minute_counts: npt.ArrayLike,
    expected: npt.ArrayLike,
    dispersion: npt.ArrayLike,
    strength: npt.ArrayLike,
    *,
    calibration: Calibration | None = None,
) -> list[Evidence]:
    """Test k streams at one moment.

    Parameters
    ----------
    minute_counts : array-like of shape (k, n_minutes)
        Reports a minute, oldest first, at least 60 minutes; the last may be the running one.
    expected : array-like of shape (k, 18)
        Reports usual in each window, see `window_expected` and `baseline.shares`.
    dispersion : float or array-like of shape (k,) or (k, 18)
        Dispersion of hourly counts (`Profile.dispersion`), or of each window's (`scatter.dispersion_by_window`).
    strength : float or array-like of shape (k,) or (k, 18)
        Gamma shape of each stream's level, see `baseline.shares` and `baseline.joint_strength`, or of each window's.
    calibration : Calibration, optional
        The installation's own; the shipped one by default.

    Returns
    -------
    list of Evidence
        One for each stream.

    Notes
    -----
    Cost: about 4 microseconds a stream.

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.zeros((1, 60)); counts[0, -5:] = 4
    >>> usual = 0.1 * np.array([WINDOW_MINUTES])
    >>> found = evidence(counts, usual, 1.9, 50.0)[0]
    >>> found.window_minutes, found.observed, found.p_value < 1e-6
    (5, 20.0, True)
    """
    observed = window_sums(minute_counts)
    usual = np.broadcast_to(np.asarray(expected, dtype=np.float64), observed.shape)
    known = np.asarray(strength, dtype=np.float64)
    known = np.broadcast_to(known if known.ndim == 2 else known.reshape(-1, 1), observed.shape)
    spread = np.asarray(dispersion, dtype=np.float64)
    spread = np.broadcast_to(spread if spread.ndim == 2 else window_dispersion(spread), observed.shape)
    p_all = rarity(log_rise(observed, usual, spread, known), usual[:, -1], calibration=calibration)
    recent = observed[:, _RECENT_COLUMNS], usual[:, _RECENT_COLUMNS], spread[:, _RECENT_COLUMNS]
    p_recent = scan_p(tail_p(*recent, known[:, _RECENT_COLUMNS]))
    clarity = _best_ratio(observed, usual, sizes(usual, spread, known))
    # Of equally telling windows the longest: it holds the most reports.
    best = len(WINDOW_MINUTES) - 1 - np.argmax(clarity[:, ::-1], axis=1)
    return [
        Evidence(
            p_value=float(p_all[i]),
            p_recent=float(p_recent[i]),
            window_minutes=WINDOW_MINUTES[w],
            observed=float(observed[i, w]),
            expected=float(usual[i, w]),
        )
        for i, w in enumerate(best.tolist())
    ]


def _best_ratio(observed: Float64Array, usual: Float64Array, size: Float64Array) -> Float64Array:
    """Log likelihood ratio of the rise that fits a window best, 0 where there is none."""
    mean = np.maximum(usual, 1e-9)
    ratio = special.xlogy(observed, observed / mean)
    ratio = ratio - (observed + size) * np.log((size + observed) / (size + mean))
    return np.asarray(np.where(observed > mean, ratio, 0.0))


def onset_minute(minute_counts: npt.ArrayLike, expected: npt.ArrayLike) -> int:
    """Estimate when the reports began to rise.

    The start that best explains everything up to now by one raised rate: the maximum over s of the log likelihood
    ratio ``O log(O / E) - (O - E)`` of the minutes from s on, O observed and E expected.

    Parameters
    ----------
    minute_counts : array-like of shape (m,)
        Reports a minute, oldest first.
    expected : array-like of shape (m,)
        Reports usual in each of these minutes.

    Returns
    -------
    int
        Index of the first raised minute; m - 1 if nothing is raised.

    Raises
    ------
    ValueError
        If the shapes differ or are empty.

    Notes
    -----
    Cost O(m).

    References
    ----------
    Siegmund & Venkatraman (1995), Annals of Statistics 23. DOI 10.1214/aos/1176324466

    Examples
    --------
    >>> onset_minute([0, 1, 0, 5, 6, 4], [0.5] * 6)
    3
    """
    counts = np.asarray(minute_counts, dtype=np.float64)
    usual = np.asarray(expected, dtype=np.float64)
    if counts.ndim != 1 or counts.size == 0 or counts.shape != usual.shape:
        raise ValueError(f"minute_counts and expected must be of one shape (m,), not {counts.shape}, {usual.shape}")
    seen_since = np.cumsum(counts[::-1])[::-1]
    usual_since = np.maximum(np.cumsum(usual[::-1])[::-1], 1e-9)
    ratio = special.xlogy(seen_since, seen_since / usual_since) - (seen_since - usual_since)
    ratio = np.where(seen_since > usual_since, ratio, 0.0)
    return int(np.argmax(ratio)) if ratio.max() > 0 else counts.size - 1
