"""How much better a rise explains the latest reports than chance does: one number a stream, read as minutes.

For every minute at which a rise may have begun, and for a grid of how steep it may be, a likelihood ratio compares "the
rate was multiplied from then on" with "all is as usual". Their sum is the Shiryaev-Roberts statistic. Its mean grows by
one a minute while nothing happens, so its value reads as a return period: quiet reports reach a level R about once in R
minutes, at any rate of reports and without a table. What scatter and doubt there is (reports in company, a level that
is learned and drifts) is one negative-binomial size on both sides of the ratio, which makes it deaf to rises that a
wrong baseline explains as well.

What must stay true: pure functions of arrays; what is expected may cover any part of a minute, so the running minute is
tested as it stands. Not here: tails of single windows (`detect`), what is usual (`baseline`, `recent`), and what return
period is rare enough (`budget`).
"""

import numpy as np
import numpy.typing as npt

from ml.types import BoolArray, Float64Array

# A rise may have begun at any minute. Beyond the eighth, neighbours are so alike that a geometric grid loses nothing.
RISE_WINDOWS = (
    1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 18, 22, 27, 33, 40, 50, 60,
    75, 90, 110, 135, 165, 200, 240,
)  # fmt: skip

N_STEEPNESS = 9
LEAST_STEEPNESS = 1.5  # the least rise anybody would call an outage; 1.3 finds nothing sooner (house measurement)
# The grid ends where the first minute of a flood is enough whatever the grid says: at 12 reports a minute.
_STEEPEST_PER_MINUTE = 12.0
_STEEPEST_RANGE = (20.0, 3000.0)

_LEAST_EXPECTED = 1e-9
_LEAST_INVERSE_SIZE = 1e-9  # from here on the negative binomial is a Poisson to the last digit
_CHUNK = 2048  # streams at a time: keeps the working arrays in the cache
_HIGHEST_LOG = 600.0  # beyond it exp() overflows; nothing is rarer than once in 1e250 minutes


def windows_within(n_minutes: int) -> tuple[int, ...]:
    """Give the windows that fit into so many minutes.

    Examples
    --------
    >>> windows_within(7)
    (1, 2, 3, 4, 5, 6, 7)
    """
    return tuple(window for window in RISE_WINDOWS if window <= n_minutes)


def start_weights(windows: tuple[int, ...]) -> Float64Array:
    """Give how many starting minutes each window stands for: those nearest to it.

    Returns
    -------
    ndarray of shape (len(windows),), float64
        Their sum is the longest window.

    Examples
    --------
    >>> start_weights((1, 2, 4, 8)).tolist()
    [1.0, 2.0, 3.0, 2.0]
    """
    lengths = np.asarray(windows, dtype=np.float64)
    last = np.append(np.floor((lengths[:-1] + lengths[1:]) / 2.0), lengths[-1])
    return np.asarray(np.diff(last, prepend=0.0))


def steepness_grid(rate_per_minute: npt.ArrayLike) -> Float64Array:
    """Give the multiples of the usual rate that a rise may have, in equal steps of their logarithm.

    The quieter a stream, the further it may rise: five reports a minute are five hundred times the usual of a stream
    with one report in an hour and a half.

    Parameters
    ----------
    rate_per_minute : array-like of shape (k,)
        Reports usual in a minute.

    Returns
    -------
    ndarray of shape (k, 9), float64
        From 1.5 to between 20 and 3000.

    Examples
    --------
    >>> steepness_grid([0.3])[0, [0, 4, 8]].round(1).tolist()
    [1.5, 7.7, 40.0]
    """
    rate = np.maximum(np.asarray(rate_per_minute, dtype=np.float64), _LEAST_EXPECTED)
    top = np.clip(_STEEPEST_PER_MINUTE / rate, *_STEEPEST_RANGE)
    steps = np.linspace(0.0, 1.0, N_STEEPNESS)
    return np.asarray(LEAST_STEEPNESS * (top[..., None] / LEAST_STEEPNESS) ** steps)


def sizes(expected: npt.ArrayLike, dispersion: npt.ArrayLike, strength: npt.ArrayLike) -> Float64Array:
    """Join scatter and doubt to the size of one negative binomial: its variance is m + m²/size at mean m.

    Parameters
    ----------
    expected : array-like
        Reports usual.
    dispersion : array-like, broadcast
        Variance over mean of the reports while their level is known, at least 1.
    strength : array-like, broadcast
        Gamma shape of the level (1 / relative variance), above 0; infinity = known exactly.

    Returns
    -------
    ndarray, float64
        ``1 / ((dispersion - 1) / expected + 1 / strength)``, at most 1e9.

    Examples
    --------
    >>> float(sizes(4.0, 1.5, 8.0))
    4.0
    """
    mean = np.maximum(np.asarray(expected, dtype=np.float64), _LEAST_EXPECTED)
    inverse = (np.asarray(dispersion, dtype=np.float64) - 1.0) / mean
    inverse = inverse + 1.0 / np.asarray(strength, dtype=np.float64)
    return np.asarray(1.0 / np.maximum(inverse, _LEAST_INVERSE_SIZE))


def log_rise(
    observed: npt.ArrayLike,
    expected: npt.ArrayLike,
    dispersion: npt.ArrayLike,
    strength: npt.ArrayLike,
    *,
    windows: tuple[int, ...] | None = None,
) -> Float64Array:
    """Give the logarithm of the Shiryaev-Roberts statistic of k streams.

    With size r (`sizes`), a rise to q times the expected m is ``q**x * ((r + m) / (r + q m))**(x + r)`` times as
    likely as none when x reports are seen: the ratio of two negative binomials of one size, a Poisson ratio where
    r is infinite. It is averaged over q and summed over the windows, each as often as it stands for a starting minute.

    Parameters
    ----------
    observed, expected : array-like of shape (k, w)
        Reports seen and usual in each window, all of which end now.
    dispersion : array-like, broadcast to (k, w)
        Variance over mean in each window, at least 1.
    strength : array-like of shape (k,) or (k, w)
        Gamma shape of the level, above 0.
    windows : tuple of int, optional
        Their minutes; the first w of `RISE_WINDOWS` by default.

    Returns
    -------
    ndarray of shape (k,), float64
        Its exponential is about a return period in minutes; see `budget.return_minutes`.

    Raises
    ------
    ValueError
        If the shapes differ or a number is outside its range.

    Notes
    -----
    Cost O(9 k w): about a microsecond a stream and 18 windows.

    References
    ----------
    Shiryaev (1963), Theory of Probability & Its Applications 8. DOI 10.1137/1108002.
    Pollak (1985), Optimal detection of a change in distribution, Annals of Statistics 13. DOI 10.1214/aos/1176346587:
    nearly least delay among all tests with as few false alarms, and the mean that grows by one a step.
    Lai & Xing (2010), Sequential Analysis 29. DOI 10.1080/07474941003741094: mixtures and window-limited sums.

    Examples
    --------
    >>> import numpy as np
    >>> windows = np.array([windows_within(60)])
    >>> usual, steady, flood = 0.1 * windows, np.round(0.1 * windows), np.minimum(2.0 * windows, 8)
    >>> np.exp(log_rise(np.vstack([steady, flood]), np.vstack([usual, usual]), 1.0, [np.inf] * 2)).round().tolist()
    [8.0, 2990487.0]
    """
    seen = np.asarray(observed, dtype=np.float64)
    usual = np.asarray(expected, dtype=np.float64)
    lengths = RISE_WINDOWS[: seen.shape[-1]] if windows is None else windows
    if seen.ndim != 2 or seen.shape != usual.shape or seen.shape[1] != len(lengths):
        raise ValueError(
            f"observed and expected must be of one shape (k, {len(lengths)}), not {seen.shape}, {usual.shape}"
        )
    known = np.asarray(strength, dtype=np.float64)
    known = known[:, None] if known.ndim == 1 else known
    spread = np.asarray(dispersion, dtype=np.float64)
    if not (np.isfinite(usual).all() and (usual >= 0).all()):
        raise ValueError("expected must be finite and not negative")
    if not ((spread >= 1).all() and (known > 0).all()):
        raise ValueError("dispersion must be at least 1 and strength above 0")
    size = np.broadcast_to(sizes(usual, spread, known), seen.shape)
    weights = start_weights(lengths)
    result = np.empty(seen.shape[0])
    for first in range(0, seen.shape[0], _CHUNK):
        rows = slice(first, first + _CHUNK)
        grid = steepness_grid(usual[rows, -1] / lengths[-1])
        result[rows] = _log_sum(seen[rows], usual[rows], size[rows], grid, weights)
    return result


def _log_sum(
    seen: Float64Array, usual: Float64Array, size: Float64Array, grid: Float64Array, weights: Float64Array
) -> Float64Array:
    log_grid, above_one = np.log(grid), grid - 1.0
    total = np.zeros(seen.shape[0])
    for column, weight in enumerate(weights.tolist()):
        r = size[:, column, None]
        x = seen[:, column, None]
        raised = np.log1p(above_one * (usual[:, column, None] / (r + usual[:, column, None])))
        log_ratio = x * log_grid - (x + r) * raised
        total += weight * np.exp(np.minimum(log_ratio, _HIGHEST_LOG)).mean(axis=1)
    return np.asarray(np.log(total))


def least_counts(expected: npt.ArrayLike, size: npt.ArrayLike, *, log_level: float) -> Float64Array:
    """Give the least count for which the best of all rises is `exp(log_level)` times as likely as none.

    Where every window holds less, no stream can have `log_rise` above `log_level` plus the logarithm of the longest
    window; so a tick looks at the few streams that pass and at no other.

    Parameters
    ----------
    expected, size : array-like of one shape
        Reports usual, above 0, and the negative binomial's size (`sizes`).
    log_level : float
        Above 0.

    Returns
    -------
    ndarray of that shape, float64
        Not rounded; accurate to about 1 %, from below.

    Notes
    -----
    The best rise is q = x / m, and its log ratio ``x log(x / m) - (x + r) log((r + x) / (r + m))`` is convex in x
    from m on: Newton's steps from above never overshoot. Cost O(k), eight logarithms each.

    Examples
    --------
    >>> float(least_counts(1.0, 1e9, log_level=5.0).round(1))
    5.5
    """
    m = np.maximum(np.asarray(expected, dtype=np.float64), _LEAST_EXPECTED)
    r = np.asarray(size, dtype=np.float64)
    # Twice the Gaussian and the Poisson answer lies above the root, unless the size is so small that none exists.
    x = m + 2.0 * np.sqrt(2.0 * log_level * m * (1.0 + m / r)) + 4.0 * log_level * (1.0 + m / r)
    for _ in range(4):
        value = x * np.log(x / m) - (x + r) * np.log((r + x) / (r + m)) - log_level
        slope = np.maximum(np.log(x * (r + m) / (m * (r + x))), 1e-12)
        x = np.maximum(x - value / slope, m)
    return np.asarray(0.99 * x)


def may_rise(window_counts: npt.ArrayLike, least: npt.ArrayLike) -> BoolArray:
    """Tell which streams hold the least count in one window or more.

    Parameters
    ----------
    window_counts, least : array-like of shape (w, k)
        Reports seen, and `least_counts`; windows first, for each is one pass over all streams.

    Returns
    -------
    ndarray of shape (k,), bool

    Examples
    --------
    >>> may_rise([[3, 0], [4, 9]], [[2.5, 2.5], [8.0, 8.0]]).tolist()
    [True, True]
    """
    counts, bounds = np.asarray(window_counts), np.asarray(least)
    passed = np.zeros(counts.shape[1], dtype=np.bool_)
    for row in range(counts.shape[0]):
        passed |= counts[row] >= bounds[row]
    return passed
