"""How far the last hours lie above or below the profile: what today teaches before the profile has learned it.

The same hour of the week differs from week to week by about a quarter, and what makes it differ (weather, a campaign, a
school holiday) lasts for hours. So the ratio of the latest hours to the profile is followed by a filter that forgets
within half a day, and the test needs to allow only for what the filter does not know: on busy streams a good half of
the delay against a detector that is told the true rate is won back here (`benchmarks/detection_learned.py`).

What must stay true: the running hour and the one before it are left out (a slow beginning of an outage must not become
usual), hours with an open outage or a silent source teach nothing, and no hour teaches more than it could by chance.
Not here: the profile itself (`baseline`) and where the hours are kept.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ml.types import Float64Array

# How much the same hour differs from week to week: relative variance 0.06 (sd 25 %), see `baseline`.
SPREAD = 0.06
# Of a deviation 90 % is left an hour later (a memory of ten hours). Rates that wander within 3 or 48 hours cost little:
# the filter is then over-cautious or a little slow (`benchmarks/detection_learned.py`, "wander").
KEPT_PER_HOUR = 0.9
# Filters start this long ago: of what was before 8 % would be left.
RECENT_HOURS = 24
_CAP_SD = 3.0
# An hour without a report that chance leaves empty less often than this is a source that fell silent, not a quiet hour.
_P_SILENT = 0.01


class Recent(NamedTuple):
    """Gamma posterior of today's deviation: `factor` its mean (1 = as the profile says), `strength` its shape."""

    factor: Float64Array
    strength: Float64Array


def recent_level(
    hourly_counts: npt.ArrayLike,
    hourly_expected: npt.ArrayLike,
    frozen: npt.ArrayLike | None = None,
    *,
    dispersion: npt.ArrayLike = 1.5,
    hours_ahead: float = 1.5,
    spread: npt.ArrayLike = SPREAD,
) -> Recent:
    """Follow the ratio of reports to the profile through closed hours, and say what it will be.

    Parameters
    ----------
    hourly_counts, hourly_expected : array-like of shape (k, n_hours)
        Reports and what the profile expected, in consecutive closed hours, oldest first.
    frozen : array-like of shape (n_hours,) or (k, n_hours), bool, optional
        Hours with an open outage.
    dispersion : float or array-like of shape (k,)
        Variance over mean of an hour's count while its rate is known, at least 1.
    hours_ahead : float
        From the end of the last hour to the moment asked for: 1.5 in the middle of the hour after the guarded one.
    spread : float or array-like of shape (k,)
        Relative variance of the deviation where nothing recent is known: that of the same hour from week to week, and
        with it what is not known of level and profile, which today corrects as well.

    Returns
    -------
    Recent
        `factor` and `strength`, both of shape (k,). Without hours 1 and ``1 / spread``.

    Raises
    ------
    ValueError
        If the shapes differ or a number is outside its range.

    Notes
    -----
    The deviation returns to 1 as an autoregressive process does; between its steps a gamma is updated with the hour's
    count, divided by the dispersion. Cost O(k · n_hours).

    References
    ----------
    Smith & Miller (1986), A non-Gaussian state space model and application to prediction of records, Journal of the
    Royal Statistical Society B 48. DOI 10.1111/j.2517-6161.1986.tb01392.x (gamma filter of a Poisson rate);
    West, Harrison & Migon (1985), JASA 80. DOI 10.1080/01621459.1985.10477131 (moments that return to a mean).

    Examples
    --------
    >>> import numpy as np
    >>> busier = recent_level(np.full((1, 24), 150.0), np.full((1, 24), 100.0))
    >>> busier.factor.round(1).tolist(), busier.strength.round().tolist()
    ([1.4], [48.0])
    """
    counts = np.asarray(hourly_counts, dtype=np.float64)
    usual = np.asarray(hourly_expected, dtype=np.float64)
    if counts.ndim != 2 or counts.shape != usual.shape:
        raise ValueError(
            f"hourly_counts and hourly_expected must be of one shape (k, n_hours), not {counts.shape}, {usual.shape}"
        )
    scatter = np.broadcast_to(np.asarray(dispersion, dtype=np.float64), counts.shape[:1])
    prior = np.broadcast_to(np.asarray(spread, dtype=np.float64), counts.shape[:1])
    if (counts < 0).any() or (usual < 0).any() or (scatter < 1).any() or hours_ahead < 0 or (prior <= 0).any():
        raise ValueError("counts, expected and hours_ahead must not be negative, dispersion at least 1, spread above 0")
    is_frozen = np.zeros(counts.shape, dtype=np.bool_) if frozen is None else np.asarray(frozen, dtype=np.bool_)
    is_frozen = np.broadcast_to(is_frozen, counts.shape)
    factor, variance = np.ones(counts.shape[0]), prior
    for hour in range(counts.shape[1]):
        if hour:
            factor, variance = _age(factor, variance, 1.0, prior)
        mean = factor * usual[:, hour]
        cap = mean + _CAP_SD * np.sqrt(scatter * mean + variance * mean**2) + 1.0
        shape = 1.0 / variance
        is_silent = (counts[:, hour] == 0) & (_chance_of_none(usual[:, hour], scatter) < _P_SILENT)
        is_left_out = is_frozen[:, hour] | is_silent
        n = np.where(is_left_out, 0.0, np.minimum(counts[:, hour], cap) / scatter)
        e = np.where(is_left_out, 0.0, usual[:, hour] / scatter)
        factor, variance = (shape + n) / (shape / factor + e), 1.0 / (shape + n)
    factor, variance = _age(factor, variance, hours_ahead, prior)
    return Recent(factor=factor, strength=np.asarray(1.0 / variance))


def _chance_of_none(mean: Float64Array, dispersion: Float64Array) -> Float64Array:
    """Probability of no report: negative binomial with a variance of `dispersion` times its mean."""
    excess = np.maximum(dispersion - 1.0, 1e-6)
    return np.asarray(np.exp(-mean * np.log1p(excess) / excess))


def _age(
    factor: Float64Array, variance: Float64Array, hours: float, spread: Float64Array
) -> tuple[Float64Array, Float64Array]:
    kept = KEPT_PER_HOUR**hours
    return 1.0 + (factor - 1.0) * kept, kept**2 * variance + (1.0 - kept**2) * spread
