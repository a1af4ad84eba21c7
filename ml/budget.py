"""How rare is rare enough: from the statistic of `rise` to false alarms a month, and back.

An operator sets one figure, *false alarms per service and month*. The statistic is a return period already; left is a
correction for each stratum of rates (alarms come in bouts, few reports make coarse steps, a learned baseline is
never quite right), shipped as a small table from simulated years and refreshed from an installation's own quiet
weeks. Over all services of one look, a bound keeps the share of false alarms among those that are raised.

What must stay true: more evidence never means more false alarms. Not here: the statistic, and what is done on an alarm.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.types import Float64Array

MINUTES_PER_MONTH = 30 * 24 * 60.0

# Strata of usual reports an hour, and what is added to the logarithm of the statistic in each to give the logarithm of
# the return period in minutes. From twenty simulated years of quiet in each stratum with learned, drifting baselines
# (`benchmarks/detection_learned.py --calibrate --n 32`; mean over levels of once in 10 days to once in 4 months).
STRATUM_EDGES = (1.0, 3.0, 10.0, 40.0, 130.0)
DEFAULT_OFFSETS = (2.92, 2.32, 2.04, 1.72, 1.78, 2.21)
N_STRATA = len(DEFAULT_OFFSETS)
# A rate in the middle of each stratum, for what is kept by stratum alone.
STRATUM_RATES = (0.5, 2.0, 6.0, 20.0, 80.0, 250.0)
_LEAST_PEAKS = 4  # levels with fewer peaks above them tell nothing
# So many are read where no more months were watched, else one for each month, up to so many: of a day thirty are kept.
_MOST_PEAKS = (30, 300)
# Of a stratum watched for less, the thirty highest peaks lie below what budgets ask for (once in ten days).
LEAST_QUIET_MINUTES = 300 * 24 * 60.0
_PRIOR_PEAKS = 20.0  # what the shipped table weighs against an installation's own peaks


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is added to `rise.log_rise` to give the logarithm of minutes: one number a stratum of rates.

    Parameters
    ----------
    offsets : ndarray of shape (6,), float64
        For usual reports an hour below 1, 3, 10, 40, 130, and above.
    """

    offsets: Float64Array


def default_calibration() -> Calibration:
    """Give the table that is shipped."""
    return Calibration(offsets=np.array(DEFAULT_OFFSETS))


def stratum(rate_per_hour: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Give the stratum of streams by what they usually get in an hour.

    Examples
    --------
    >>> stratum([0.2, 5.0, 500.0]).tolist()
    [0, 2, 5]
    """
    return np.asarray(np.searchsorted(STRATUM_EDGES, np.asarray(rate_per_hour, dtype=np.float64), side="right"))


def rarity(
    log_rise: npt.ArrayLike, rate_per_hour: npt.ArrayLike, *, calibration: Calibration | None = None
) -> Float64Array:
    """Give how seldom quiet reports look like this: alarms a minute that a threshold at this level would raise.

    Parameters
    ----------
    log_rise : array-like of shape (k,)
        See `rise.log_rise`.
    rate_per_hour : array-like of shape (k,)
        What is usual, for the stratum.
    calibration : Calibration, optional
        The installation's own; the shipped table by default.

    Returns
    -------
    ndarray of shape (k,), float64
        In (0, 1]. ``1 / rarity`` is the return period in minutes, ``43_200 * rarity`` false alarms a month.

    Examples
    --------
    >>> float((1 / rarity(np.log(5_617), 5.0)).round(-2))  # about once a month
    43200.0
    """
    table = default_calibration() if calibration is None else calibration
    log_minutes = np.asarray(log_rise, dtype=np.float64) + table.offsets[stratum(rate_per_hour)]
    return np.asarray(np.exp(-np.clip(log_minutes, 0.0, 690.0)))


def allowed_rarity(per_month: float) -> float:
    """Give the rarity that spends a budget of so many false alarms a month.

    Raises
    ------
    ValueError
        If the budget is not above 0.

    Examples
    --------
    >>> round(1 / allowed_rarity(0.5))
    86400
    """
    if per_month <= 0:
        raise ValueError(f"per_month must be above 0, not {per_month}")
    return per_month / MINUTES_PER_MONTH


def refresh(
    calibration: Calibration, peaks: npt.ArrayLike, rate_per_hour: npt.ArrayLike, minutes: npt.ArrayLike
) -> Calibration:
    """Fit the table to an installation's own quiet time.

    Parameters
    ----------
    calibration : Calibration
        The table so far (the shipped one, for a refresh from all that is kept); left untouched.
    peaks : array-like of shape (n,)
        The highest `log_rise` of each bout of quiet time: of minutes above some level, an hour apart from others.
    rate_per_hour : array-like of shape (n,)
        What was usual for the stream of each.
    minutes : array-like of shape (6,)
        Quiet minutes that were watched in each stratum, over all its streams.

    Returns
    -------
    Calibration
        Offsets shrunk to those given by the weight of twenty peaks; those of strata that were watched for less than
        300 stream-days are left as they are.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Notes
    -----
    The offset at a level is the log of (minutes per peak above it) minus the level; the fourth to the thirtieth highest
    peak are averaged, and on to where there is one a month: these are near the levels that budgets ask for and yet not
    single accidents. Cost O(n log n).

    Examples
    --------
    >>> noisy = refresh(default_calibration(), np.linspace(5, 14, 400), np.full(400, 5.0), np.full(6, 1e6))
    >>> bool(noisy.offsets[2] < default_calibration().offsets[2])
    True
    """
    highest, rates = np.asarray(peaks, dtype=np.float64), np.asarray(rate_per_hour, dtype=np.float64)
    watched = np.asarray(minutes, dtype=np.float64)
    if highest.shape != rates.shape or highest.ndim != 1 or watched.shape != calibration.offsets.shape:
        raise ValueError(f"one rate a peak and minutes for {calibration.offsets.size} strata are needed")
    offsets = calibration.offsets.copy()
    of_stratum = stratum(rates)
    for which in range(offsets.size):
        n_looked_at = int(np.clip(watched[which] / MINUTES_PER_MONTH, *_MOST_PEAKS))
        mine = np.sort(highest[of_stratum == which])[::-1][:n_looked_at]
        if mine.size < _LEAST_PEAKS or watched[which] < LEAST_QUIET_MINUTES:
            continue
        ranks = np.arange(1, mine.size + 1)
        own = float((np.log(watched[which] / ranks) - mine)[_LEAST_PEAKS - 1 :].mean())
        offsets[which] += (own - offsets[which]) * mine.size / (mine.size + _PRIOR_PEAKS)
    return Calibration(offsets=offsets)


def highest_kept(
    rarities: npt.ArrayLike, *, n_watched: int, share: float = 0.1, minutes_looked_at: float = 60.0
) -> float:
    """Give the rarity up to which alarms of one look may be raised, so that at most `share` of them are false.

    One false alarm a month and service is one in four minutes where ten thousand services are watched. The bound asks
    the more of each the more are watched, and less where many rise at once.

    Parameters
    ----------
    rarities : array-like of shape (n,)
        Of what is looked at; one for each service, its streams' budget shared out already.
    n_watched : int
        Of how many these are the rarest: what nobody looked at closely is as usual.
    share : float
        Between 0 and 1.
    minutes_looked_at : float
        For how long a rise stays visible: the chance of standing out at one moment is a rarity times this.

    Returns
    -------
    float
        In (0, 1]. Where nothing passes, what the first to rise would have to have.

    Raises
    ------
    ValueError
        If the share is outside its range, or fewer are watched than looked at.

    Notes
    -----
    Benjamini and Hochberg's step-up rule. Whatever is raised at once, chance raises at most ``share /
    minutes_looked_at`` alarms a minute on the whole (72 a month) while nothing goes on, however many are watched.

    References
    ----------
    Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B 57. DOI 10.1111/j.2517-6161.1995.tb02031.x;
    Benjamini & Yekutieli (2001), Annals of Statistics 29. DOI 10.1214/aos/1013699998 (streams that rise with each
    other keep the bound).

    Examples
    --------
    >>> round(1 / highest_kept([1e-5], n_watched=1)), round(1 / highest_kept([1e-5], n_watched=10_000))
    (600, 6000000)
    >>> round(1 / highest_kept([1e-7] * 100, n_watched=10_000))
    60000
    """
    if not 0 < share < 1:
        raise ValueError(f"share must lie between 0 and 1, not {share}")
    rarest = np.sort(np.asarray(rarities, dtype=np.float64))
    if n_watched < max(rarest.size, 1):
        raise ValueError(f"{rarest.size} are looked at, but only {n_watched} watched")
    allowed = share / (minutes_looked_at * n_watched)
    passed = np.flatnonzero(rarest <= allowed * np.arange(1, rarest.size + 1))
    return float(min(allowed * (passed[-1] + 1 if passed.size else 1), 1.0))
