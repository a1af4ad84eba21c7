"""How far a figure may be off: intervals for proportions, rates, quantiles and means of few observations.

Every interval is a pair (low, high); None stands for an end that so few observations can't set. Where a formula is
exact it is taken, for a recording has often five outages and seldom fifty. Not here: what is measured.
"""

from collections.abc import Sequence

import numpy as np
from scipy import special

CONFIDENCE = 0.95
N_RESAMPLES = 10_000  # the percentile ends then move by less than a hundredth of their own width


def wilson_interval(n_hits: int, n: int, *, confidence: float = CONFIDENCE) -> tuple[float | None, float | None]:
    """Give Wilson's score interval of a proportion.

    Parameters
    ----------
    n_hits, n : int
        Hits among trials.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    tuple of float or None
        Within [0, 1]; both None without a trial.

    Raises
    ------
    ValueError
        Unless 0 <= n_hits <= n.

    Notes
    -----
    Cost O(1).

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927,
    doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> low, high = wilson_interval(8, 10)
    >>> round(low, 3), round(high, 3)
    (0.49, 0.943)
    """
    if not 0 <= n_hits <= n:
        raise ValueError(f"n_hits must lie between 0 and n, not {n_hits} of {n}")
    if n == 0:
        return None, None
    z = float(special.ndtri(0.5 + confidence / 2.0))
    p = n_hits / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # At no hits, and at nothing but hits, the end is exact; rounding must not carry it past.
    low = 0.0 if n_hits == 0 else float(max(middle - reach, 0.0))
    high = 1.0 if n_hits == n else float(min(middle + reach, 1.0))
    return low, high


def poisson_rate_interval(
    n: int, exposure: float, *, confidence: float = CONFIDENCE
) -> tuple[float | None, float | None]:
    """Give the exact interval of a rate, from events counted over an exposure.

    Parameters
    ----------
    n : int
        Events, at least 0.
    exposure : float
        What they were counted over, such as months; 0 where nothing was.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    tuple of float or None
        Events per unit of exposure; both None without exposure.

    Raises
    ------
    ValueError
        If a number is negative.

    Notes
    -----
    Cost O(1).

    References
    ----------
    F. Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28, 1936, doi:10.1093/biomet/28.3-4.437.

    Examples
    --------
    >>> low, high = poisson_rate_interval(0, 1.0)
    >>> low, round(high, 3)
    (0.0, 3.689)
    """
    if n < 0 or exposure < 0:
        raise ValueError(f"events and exposure must not be negative, but are {n} and {exposure}")
    if exposure == 0:
        return None, None
    tail = (1.0 - confidence) / 2.0
    low = float(special.gammaincinv(n, tail)) if n else 0.0
    return low / exposure, float(special.gammaincinv(n + 1, 1.0 - tail)) / exposure


def quantile_interval(
    values: Sequence[float], quantile: float, *, confidence: float = CONFIDENCE
) -> tuple[float | None, float | None]:
    """Give an interval of a quantile that holds whatever the distribution: two of the values themselves.

    Parameters
    ----------
    values : sequence of float
        Observations, in any order.
    quantile : float
        Between 0 and 1; 0.5 is the median.
    confidence : float
        At least so much is covered; with few values more.

    Returns
    -------
    tuple of float or None
        None for an end that no value is far enough out to set: fewer than 6 values set none for the median, fewer than
        36 no upper one for the 90th percentile (both at 95 %).

    Raises
    ------
    ValueError
        If `quantile` is not between 0 and 1.

    Notes
    -----
    The number of values up to the quantile is binomial, so the ends are the outermost order statistics whose tails do
    not exceed half of what may be missed each. Cost O(n log n).

    References
    ----------
    H. A. David and H. N. Nagaraja, "Order Statistics", 3rd ed., 2003, section 7.1, doi:10.1002/0471722162.

    Examples
    --------
    >>> quantile_interval([3.0, 1.0, 2.0, 6.0, 5.0, 4.0], 0.5)
    (1.0, 6.0)
    >>> quantile_interval([1.0, 2.0, 3.0], 0.5)
    (None, None)
    """
    if not 0.0 < quantile < 1.0:
        raise ValueError(f"a quantile lies between 0 and 1, not at {quantile}")
    in_order = sorted(values)
    n = len(in_order)
    tail = (1.0 - confidence) / 2.0
    up_to = special.bdtr(np.arange(n), n, quantile) if n else np.zeros(0)  # P(at most k values lie below), k < n
    # The k-th smallest lies above the quantile where fewer than k values lie below it.
    low_rank = int(np.count_nonzero(up_to <= tail))
    high_rank = int(np.count_nonzero(up_to < 1.0 - tail)) + 1
    return (
        in_order[low_rank - 1] if low_rank else None,
        in_order[high_rank - 1] if high_rank <= n else None,
    )


def mean_interval(
    values: Sequence[float],
    *,
    rng: np.random.Generator,
    confidence: float = CONFIDENCE,
    n_resamples: int = N_RESAMPLES,
) -> tuple[float | None, float | None]:
    """Give the bootstrap percentile interval of a mean.

    Parameters
    ----------
    values : sequence of float
        Observations.
    rng : numpy.random.Generator
        Draws the samples.
    confidence : float
        Between 0 and 1.
    n_resamples : int
        Samples drawn.

    Returns
    -------
    tuple of float or None
        Both None for fewer than two values, of which every sample is the same.

    Notes
    -----
    Too narrow for few values: with ten it covers about 90 % where it says 95. Cost O(n_resamples · n).

    References
    ----------
    B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7, 1979,
    doi:10.1214/aos/1176344552.

    Examples
    --------
    >>> mean_interval([2.0, 2.0, 2.0], rng=np.random.default_rng(1))
    (2.0, 2.0)
    """
    if len(values) < 2:
        return None, None
    observed = np.asarray(values, dtype=np.float64)
    # One sample after another: all at once would take n_resamples · n numbers of memory.
    means = [float(observed[rng.integers(len(observed), size=len(observed))].mean()) for _ in range(n_resamples)]
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return float(low), float(high)
