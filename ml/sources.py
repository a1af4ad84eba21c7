"""Sources of reports: has one gone silent, or is it that one collects otherwise than before?

Two questions that counts of a service can't answer, because they are about who reports and not about what is reported.
A source that usually brings forty reports at this hour and brings none is broken, however calm its services look. One
that brings twice as many of every service from every region at once has changed how it collects; outages are never so
even.

What stays true: both answers are "no" wherever the counts can't tell. Silence must be rarer than a stated bound *and*
rarer than all the source's own silences, so what is bursty by nature never alarms. A collection change must be even,
broad, and absent from the other sources, so an outage that several sources see, or that has a place, is never explained
away. Not here: the rhythm of a week (`baseline`), the clock, and what follows from an answer.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from ml.baseline import empty_profile, expected_per_hour, hour_slot, learn_profile
from ml.types import BoolArray, Float64Array, IntArray

BINS_PER_HOUR = 12
# Silence is looked for in stretches of so many hours that end now.
SILENT_HOURS = (1, 2, 3, 6, 12, 24, 48)
# A month has about 700 such stretches that hardly overlap: were the model true, a false alarm a source in a century.
P_SILENT = 1e-6
# "No reports": as good as none. An integration that is broken may still send a test report.
ALL_BUT_SILENT = 0.05
# How much rarer than the source's own rarest quiet stretch, as a factor on the logarithm of its probability.
RARER_THAN_EVER = 1.5
LEAST_HOURS_KNOWN = 7 * 24
# Counts that scatter ten times as much as independent reports would are sent in bursts: silence says nothing there.
BURSTY_DISPERSION = 10.0
# Back to normal: a quarter of what is usual. Five times what counts as silence, so that it does not flicker.
SPEAKS_AGAIN = 0.25

# The same hour differs from day to day by a quarter (`baseline` has it as a variance).
_DAILY_VARIANCE = 0.06
_FLOOD_FACTOR, _FLOOD_REPORTS = 4.0, 10.0  # what is above this is a flood, and tells nothing of quiet hours
_LEAST_LOG10 = -300.0

P_RISE = 1e-6
LEAST_RATIO = 1.5
LEAST_SHARE_OF_EXCESS = 0.8
P_UNEVEN = 0.01  # below this the rise is not even
P_OTHERS = 0.01  # below this the other sources have risen too, or would have been seen to rise
OTHERS_RATIO = 1.25  # a day differs from another by as much
# An even rise needs so many groups (services, or regions) to be seen as even, each with so many reports expected.
LEAST_GROUPS = 3
LEAST_IN_GROUP = 5.0
# One group in four, and one in any case, may have an outage of its own besides.
MOST_STANDING_OUT = 0.25
STANDS_OUT_SD = 4.0
# Scatter of counts of a quarter of an hour (`detect.window_dispersion`), and how well a group's usual part is known.
_DISPERSION = 1.45
_SHARE_VARIANCE = 0.2**2
# Some services, or all of them: beyond e³ (20 to 1) it is some. In simulations of 15 services an even threefold rise of
# 50 usual reports passes in 60 of 100 cases, one of 200 in 99; a rise of eight of them in none (see `benchmarks`).
LEAST_LOG_ODDS_OF_PARTS = 3.0
_PARTS_RISE_BY = (1.0, 1.25, 1.5, 2.0)  # times the common ratio


@dataclass(frozen=True, slots=True)
class UsualSource:
    """How a source usually reports.

    Parameters
    ----------
    rates_per_hour : ndarray of shape (168,), float64
        Expected reports for each hour of the week (UTC, Monday 00:00 first).
    dispersion : float
        Variance over mean of an hour's count, at least 1; above `BURSTY_DISPERSION` the source is bursty.
    log10_rarest : float
        Decimal logarithm of the probability of its rarest quiet stretch, but for the latest two days; 0 where it never
        was quiet.
    n_hours : int
        Hours it was learnt from.
    """

    rates_per_hour: Float64Array
    dispersion: float
    log10_rarest: float
    n_hours: int


@dataclass(frozen=True, slots=True)
class Silence:
    """A stretch in which a source should have reported: `observed` and `expected` reports in `hours` up to now."""

    hours: int
    observed: int
    expected: float
    log10_p: float


@dataclass(frozen=True, slots=True)
class Cells:
    """What each source brought of each service and region within one window, and what is usual.

    Parameters
    ----------
    source, service, region : ndarray of shape (n,), int64
        Numbers from 0, in any order; a combination stands once.
    observed, usual : ndarray of shape (n,), float64
        Reports seen, and reports the source usually brings there in such a window.
    """

    source: IntArray
    service: IntArray
    region: IntArray
    observed: Float64Array
    usual: Float64Array


@dataclass(frozen=True, slots=True)
class CollectionChange:
    """One source rose everywhere at once.

    `ratio` is how many times its usual it brings (infinite where it has no usual: it starts), `share_of_excess` its
    part of all sources' excess, `p_even` the probability of rises at least so uneven by chance (1 where nothing is
    usual to be compared with), `n_services` and `n_regions` how many brought reports of it.
    """

    source: int
    ratio: float
    observed: float
    usual: float
    share_of_excess: float
    p_even: float
    n_services: int
    n_regions: int


def learn_source(
    hourly_counts: npt.ArrayLike, first_epoch_hour: int, left_out: npt.ArrayLike | None = None
) -> UsualSource:
    """Learn how a source usually reports, from all of its closed hours at once.

    Parameters
    ----------
    hourly_counts : array-like of shape (n_hours,)
        Reports in consecutive hours, from the source's first on.
    first_epoch_hour : int
        Hours since 1970 of the first of them.
    left_out : array-like of shape (n_hours,), bool, optional
        Hours in which it was known to be silent, or nobody listened: they teach little, and are no measure of what is
        rare.

    Returns
    -------
    UsualSource

    Notes
    -----
    Cost O(n_hours); four weeks take about ten milliseconds. The same counts give the same answer, so learning again
    from a kept month teaches nothing twice.

    Examples
    --------
    >>> found = learn_source([6.0] * 336, first_epoch_hour=96)
    >>> found.rates_per_hour.mean().round(1).item(), found.dispersion, found.log10_rarest
    (6.0, 1.0, 0.0)
    """
    counts = np.asarray(hourly_counts, dtype=np.float64)
    skipped = np.zeros(counts.shape, dtype=np.bool_) if left_out is None else np.asarray(left_out, dtype=np.bool_)
    rates = expected_per_hour(learn_profile(empty_profile(), counts, first_epoch_hour, skipped))
    expected = rates[hour_slot(first_epoch_hour + np.arange(counts.size, dtype=np.int64))]
    no_flood = np.minimum(counts, _FLOOD_FACTOR * expected + _FLOOD_REPORTS)
    told = ~skipped
    scatter = ((no_flood - expected)[told] ** 2).sum() / max(expected[told].sum(), 1e-9)
    dispersion = max(float(scatter), 1.0)
    # The latest two days are what is judged; were they a measure as well, a silence that builds up slowly would be one
    # of itself.
    before = slice(0, max(counts.size - SILENT_HOURS[-1], 0))
    rarest = min(
        _rarest(counts[before], expected[before], skipped[before], hours, dispersion) for hours in SILENT_HOURS
    )
    return UsualSource(rates, dispersion, rarest, int(counts.size))


def silence(bins: npt.ArrayLike, expected: npt.ArrayLike, usual: UsualSource) -> Silence | None:
    """Tell whether a source is silent when it should not be.

    Of the stretches that end now the rarest is taken: one with all but no reports (`ALL_BUT_SILENT`) whose probability
    is below `P_SILENT` over all stretches tried, and, on the logarithmic scale, half as rare again as the rarest the
    source ever had. The count is negative binomial with the source's own scatter, and a rate that differs from day to
    day.

    Parameters
    ----------
    bins : array-like of shape (n_bins,)
        Reports in bins of five minutes, oldest first; the last one runs.
    expected : array-like of shape (n_bins,)
        Usual reports in these bins; 0 where nobody listened, and in the running one as much as has passed of it.
    usual : UsualSource
        What was learnt.

    Returns
    -------
    Silence or None
        None where it is not silent, is bursty by nature, or was known for less than a week.

    References
    ----------
    Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, ch. 5. DOI 10.1002/0471715816

    Examples
    --------
    >>> import numpy as np
    >>> known = UsualSource(np.full(168, 40.0), dispersion=2.0, log10_rarest=-1.0, n_hours=336)
    >>> found = silence(np.zeros(36), np.full(36, 40 / 12), known)
    >>> found.hours, found.observed, round(found.expected)
    (3, 0, 120)
    """
    if usual.n_hours < LEAST_HOURS_KNOWN or usual.dispersion > BURSTY_DISPERSION:
        return None
    seen, due = np.asarray(bins, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    found: list[Silence] = []
    for hours in SILENT_HOURS:
        n, mean = float(seen[-hours * BINS_PER_HOUR :].sum()), float(due[-hours * BINS_PER_HOUR :].sum())
        if n <= ALL_BUT_SILENT * mean:
            log10_p = float(_log10_few(np.array([n]), np.array([mean]), usual.dispersion)[0])
            found.append(Silence(hours, round(n), mean, log10_p))
    rarest = min(found, key=lambda one: one.log10_p, default=None)
    bound = math.log10(P_SILENT / len(SILENT_HOURS))
    if rarest is None or rarest.log10_p > min(bound, RARER_THAN_EVER * usual.log10_rarest):
        return None
    return rarest


def speaks_again(observed: float, expected: float) -> bool:
    """Tell whether a silent source is back: a quarter of its usual in the last hour, and at least one report.

    Examples
    --------
    >>> speaks_again(9, 40.0), speaks_again(10, 40.0), speaks_again(0, 0.2), speaks_again(1, 0.2)
    (False, True, False, True)
    """
    return observed >= max(SPEAKS_AGAIN * expected, 1.0)


def collection_change(cells: Cells, *, may_change: BoolArray, is_known: BoolArray) -> CollectionChange | None:
    """Tell whether the rise is explained by one source that collects otherwise than before.

    It is, where one source (1) brings significantly more than usual, at least half as much again, and (2) four fifths
    of all excess, while (3) the others have not risen, and (4) its rise is even: each service and each region rises by
    about the same ratio. Evenness is a chi-square test of the counts against the common ratio, in groups that expect
    five reports at least, of services and of regions, after a likelihood ratio has ruled out that some of them rose and
    the others did not. Up to a quarter of the groups, and one in any case, may stand out above the others: an outage
    besides. (5) It needs three such services; or three such regions and other sources that would have been seen to
    rise with it.

    A source without a usual (`is_known` false) has no ratio. It starts: its reports then need to be spread over at
    least three services (or regions, as above) by their inverse Simpson index.

    Parameters
    ----------
    cells : Cells
        Of all sources.
    may_change : ndarray of shape (n_sources,), bool
        Sources that collect for others. People who fill in a form do not begin to do so evenly.
    is_known : ndarray of shape (n_sources,), bool
        Sources with a usual.

    Returns
    -------
    CollectionChange or None
        None where no source explains the rise, or too little is known to tell.

    Notes
    -----
    Cost O(n) a source.

    References
    ----------
    Pearson (1900), Philosophical Magazine 50. DOI 10.1080/14786440009463897
    Simpson (1949), Nature 163. DOI 10.1038/163688a0

    Examples
    --------
    >>> import numpy as np
    >>> at = np.arange(4)
    >>> doubled = Cells(np.zeros(4, int), at, at * 0, np.full(4, 40.0), np.full(4, 20.0))
    >>> one = np.ones(1, bool)
    >>> collection_change(doubled, may_change=one, is_known=one).ratio
    2.0
    >>> outage = Cells(np.zeros(4, int), at, at * 0, np.array([100.0, 20, 20, 20]), np.full(4, 20.0))
    >>> collection_change(outage, may_change=one, is_known=one) is None
    True
    """
    n_sources = may_change.size
    observed = np.bincount(cells.source, cells.observed, n_sources)
    usual = np.where(is_known, np.bincount(cells.source, cells.usual, n_sources), 0.0)
    excess = np.maximum(observed - usual, 0.0)
    total = excess.sum()
    candidates = np.flatnonzero(may_change & (excess > 0) & (excess >= LEAST_SHARE_OF_EXCESS * total))
    for source in candidates.tolist():
        # An unknown source that is not the candidate has no usual to have risen above.
        others = is_known & (np.arange(n_sources) != source)
        found = _change_of(
            cells, source, bool(is_known[source]), float(observed[others].sum()), float(usual[others].sum())
        )
        if found is not None:
            p_even, ratio = found
            own = (cells.source == source) & (cells.observed > 0)
            return CollectionChange(
                source=source,
                ratio=ratio,
                observed=float(observed[source]),
                usual=float(usual[source]),
                share_of_excess=float(excess[source] / total),
                p_even=p_even,
                n_services=np.unique(cells.service[own]).size,
                n_regions=np.unique(cells.region[own]).size,
            )
    return None


def common_ratio(observed: npt.ArrayLike, usual: npt.ArrayLike) -> float:
    """Give the ratio by which most groups rose, leaving out those that stand out above it.

    Examples
    --------
    >>> common_ratio([40, 40, 40, 400], [20, 20, 20, 20])
    2.0
    """
    seen, known = np.asarray(observed, dtype=np.float64), np.asarray(usual, dtype=np.float64)
    if known.sum() <= 0:
        return math.inf
    kept = ~stands_out(seen, _middle_ratio(seen, known) * known) & (known > 0)
    return float(seen[kept].sum() / known[kept].sum()) if kept.any() else math.inf


def stands_out(observed: npt.ArrayLike, expected: npt.ArrayLike) -> BoolArray:
    """Tell which counts are too high to be part of an even rise: by four standard deviations, and five reports.

    Examples
    --------
    >>> stands_out([30, 70, 4], [20.0, 20.0, 0.1]).tolist()
    [False, True, False]
    """
    seen, due = np.asarray(observed, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    return np.asarray((seen - due > STANDS_OUT_SD * np.sqrt(_group_variance(due))) & (seen - due >= LEAST_IN_GROUP))


def _change_of(
    cells: Cells, source: int, is_known: bool, others_observed: float, others_usual: float
) -> tuple[float, float] | None:
    """Return p_even and the ratio where this source has changed."""
    own = cells.source == source
    by_service = _margin(cells.service[own], cells.observed[own], cells.usual[own])
    by_region = _margin(cells.region[own], cells.observed[own], cells.usual[own])
    if others_observed >= OTHERS_RATIO * others_usual and _p_many(others_observed, others_usual) < P_OTHERS:
        return None
    if not is_known:
        n = by_service[0].sum()
        # Had the others risen with it, they would bring at least twice their usual.
        is_seen_alone = _p_few(others_observed, 2.0 * others_usual) < P_OTHERS
        is_broad = _n_effective(by_service[0]) >= LEAST_GROUPS or (
            is_seen_alone and _n_effective(by_region[0]) >= LEAST_GROUPS
        )
        return (1.0, math.inf) if is_broad and n >= LEAST_GROUPS * LEAST_IN_GROUP else None
    ratio = common_ratio(*by_service)
    if ratio < LEAST_RATIO or _p_many(float(by_service[0].sum()), float(by_service[1].sum())) > P_RISE:
        return None
    is_seen_alone = _p_few(others_observed, ratio * others_usual) < P_OTHERS
    services, regions = _evenness(*by_service, ratio), _evenness(*by_region, ratio)
    if services is None or regions is None:
        return None
    is_broad = services[1] >= LEAST_GROUPS or (is_seen_alone and regions[1] >= LEAST_GROUPS)
    p_even = min(services[0], regions[0])
    return (p_even, ratio) if is_broad and p_even >= P_UNEVEN else None


def _evenness(observed: Float64Array, usual: Float64Array, ratio: float) -> tuple[float, int] | None:
    """Return the probability of so uneven a rise and the number of groups; None where not all have risen."""
    stays = ~stands_out(observed, ratio * usual)
    if _log_odds_of_parts(observed[stays], usual[stays], ratio) > LEAST_LOG_ODDS_OF_PARTS:
        return None
    seen, known = _pooled(observed, usual, ratio)
    kept = ~stands_out(seen, ratio * known)
    if (~kept).sum() > max(MOST_STANDING_OUT * kept.size, 1.0):
        return None
    seen, due = seen[kept], ratio * known[kept]
    chi_square = float(((seen - due) ** 2 / _group_variance(due)).sum())
    # The ratio comes from the services, so of a single group there is nothing left to be tested.
    return (float(special.chdtrc(seen.size - 1, chi_square)) if seen.size > 1 else 1.0), int(seen.size)


def _log_odds_of_parts(observed: Float64Array, usual: Float64Array, ratio: float) -> float:
    """Return how far the counts speak for a rise of some groups only, by more, against an even one.

    Each group may have risen or not, whichever suits it: the log likelihood ratio of that to the common ratio, Poisson
    and tempered by the scatter. Small groups count too, which is why they are not joined here.
    """
    weight = 1.0 / (_DISPERSION + _SHARE_VARIANCE * ratio * usual)

    def log_likelihood(times: float) -> Float64Array:
        return np.asarray((observed * math.log(times) - times * usual) * weight)

    even, flat = log_likelihood(ratio), log_likelihood(1.0)
    return max(float((np.maximum(flat, log_likelihood(ratio * more)) - even).sum()) for more in _PARTS_RISE_BY)


def _middle_ratio(observed: Float64Array, usual: Float64Array) -> float:
    """Median of the groups' ratios, each weighing as much as is usual for it: no group alone can shift it."""
    known = usual > 0
    ratios = observed[known] / usual[known]
    order = np.argsort(ratios, kind="stable")
    reached = np.cumsum(usual[known][order])
    return float(ratios[order][int(np.searchsorted(reached, reached[-1] / 2))])


def _pooled(observed: Float64Array, usual: Float64Array, ratio: float) -> tuple[Float64Array, Float64Array]:
    """Join the groups that expect too little into one."""
    is_small = ratio * usual < LEAST_IN_GROUP
    if not is_small.any():
        return observed, usual
    rest = np.array([observed[is_small].sum()]), np.array([usual[is_small].sum()])
    return np.concatenate([observed[~is_small], rest[0]]), np.concatenate([usual[~is_small], rest[1]])


def _margin(group: IntArray, observed: Float64Array, usual: Float64Array) -> tuple[Float64Array, Float64Array]:
    names, place = np.unique(group, return_inverse=True)
    by_group = np.zeros((2, names.size))
    np.add.at(by_group[0], place, observed)
    np.add.at(by_group[1], place, usual)
    return by_group[0], by_group[1]


def _n_effective(counts: Float64Array) -> float:
    """Inverse Simpson index: how many groups of equal size would be as diverse."""
    total = counts.sum()
    return float(total**2 / (counts**2).sum()) if total > 0 else 0.0


def _group_variance(expected: Float64Array) -> Float64Array:
    return np.asarray(np.maximum(_DISPERSION * expected + _SHARE_VARIANCE * expected**2, 0.25))


def _p_many(observed: float, expected: float) -> float:
    """Probability of at least so many. Days that differ are left out, for a doubling is within four of their sd."""
    if observed <= 0:
        return 1.0
    if expected <= 0:
        return 0.0
    size = expected / (_DISPERSION - 1.0)
    return float(special.betainc(observed, size, expected / (expected + size)))


def _p_few(observed: float, expected: float) -> float:
    return float(10.0 ** _log10_few(np.array([observed]), np.array([expected]), _DISPERSION)[0])


def _log10_few(observed: Float64Array, expected: Float64Array, dispersion: float) -> Float64Array:
    """Decimal logarithm of the probability of at most so many, at least -300."""
    mean = np.maximum(expected, 1e-9)
    size = _size(mean, dispersion)
    p = special.betainc(size, observed + 1.0, size / (size + mean))
    return np.asarray(np.log10(np.maximum(p, 10.0**_LEAST_LOG10)))


def _size(mean: Float64Array, dispersion: float) -> Float64Array:
    """Size of the negative binomial with variance ``dispersion * mean + _DAILY_VARIANCE * mean**2``."""
    return np.asarray(1.0 / np.maximum((dispersion - 1.0) / mean + _DAILY_VARIANCE, 1e-9))


def _rarest(counts: Float64Array, expected: Float64Array, skipped: BoolArray, hours: int, dispersion: float) -> float:
    """Logarithm of the probability of the rarest quiet stretch of so many hours; 0 where there is none."""
    if counts.size < hours:
        return 0.0
    n, mean, n_skipped = (_sliding(values, hours) for values in (counts, expected, skipped.astype(np.float64)))
    log10_p = _log10_few(n, mean, dispersion)
    return float(np.where((n <= ALL_BUT_SILENT * mean) & (n_skipped == 0), log10_p, 0.0).min())


def _sliding(values: Float64Array, width: int) -> Float64Array:
    total = np.concatenate([[0.0], np.cumsum(values)])
    # Sums of floats that cancel leave dust, which must not look like a report.
    return np.asarray(np.round(total[width:] - total[:-width], 9))
