"""What a service's reports have in common, and how alike two of them usually are.

Texts about one service are alike before they say anything: same product, same tone. So the mean vector (of each
language, where the encoder knows several) is taken out, and texts that are alike to everything count for less. What is
"alike" is then read from random pairs of the service's own texts that are about different things. Invariant: no
similarity is written down as a number; a calibration is made at fixed counts of texts, so it does not depend on how the
stream was cut into batches. Not here: clusters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from scipy.cluster.hierarchy import cophenet, linkage
from scipy.linalg.blas import ssyrk, strmm

from ml.tally import MEMORY_REPORTS, Tally
from ml.types import BoolArray, Float64Array, FloatArray, IntArray
from ml.vectors import remove_mean

# A new calibration is due after half as many texts again as the last one knew, within these bounds. (After three
# quarters as many, first half of News-T: .02 B-cubed less with MiniLM, .002 more with static vectors.)
LEAST_BETWEEN: Final = 16
MOST_BETWEEN: Final = 2_048
# As many texts as the reference stands for while a service is new. With 16, groups of the first 20-100 texts of
# Banking77 (first half) come within 0.03 B-cubed of those of their own statistics alone, of News-T 0.02-0.1 above.
REFERENCE_WEIGHT: Final = 16
# Two texts about the same thing are more alike than this share of all pairs; needs no labels.
PAIR_QUANTILE: Final = 0.97
# Of the weighted pairs that groups are compared by a little less. It tells where neither other reading does, as for a
# student of two languages: Banking77 English + Arabic B-cubed .397 to .406, while .418 is the best of any constant.
# Chosen with `GROUP_FACTOR`, `LEADER_TIGHTNESS` and `TOPICS_FILL` among 300 sets of them. At .955 that student gains
# .01 more, and 13 % of the static vectors' first labels change there, not 11 %.
GROUP_QUANTILE: Final = 0.965
# The same place told from the lower half of the pairs, which a burst about one thing touches less: so many times the
# distance from the median down to the 16 % quantile.
LOWER_SPREADS: Final = 3.0
# And a third time from the pairs about different things alone: so many times their 97 % quantile. Asked for where pairs
# about one thing bring so much of the squared cosines: not at all at the first figure, in full from the second on. Of a
# mixed stream the first two readings are surer (the third takes .02 to .05 of Banking77's pair precision).
MORE_THAN_UNRELATED: Final = 1.38
TOPICS_FILL: Final = (0.53, 0.63)
# Which these are: what is in one group of an average linkage of the sample that is as alike as this share of what is
# usual is about one thing. Too much in one group harms little here, for it only leaves the pairs between groups,
# whereas a topic in two groups passes for two. (With 1, topics of a window that few topics fill stay in pieces:
# News-T's second half begins with readings of .26 to .35, not .1 to .15, and 15 % of its first labels change, not 8.)
ONE_THING_FROM: Final = 0.4
_MOST_LOOKS: Final = 8
_STEPS: Final = 1_000  # of a cosine from 0 to 1, to which the search for them reads
# Where a service has told of one or two things only, its own pairs are of one thing or opposite each other, and nothing
# would be too little: no less is usual than this share of what is in the reference.
LEAST_OF_REFERENCE: Final = 0.5
# Alike texts come in bursts if the share of pairs of one time is so much larger among the alike 3 % than among all;
# chance alone stays below (3,900 pairs; shuffled Banking77: 0.99-1.01, News-T: 4). A third of what one time adds is
# asked for in return, so that texts of one time come together more easily and others less.
LEAST_LIFT: Final = 1.2
TIME_EVEN: Final = 0.36
# By how much a text that is alike to everything counts for less: the exponent of how common it is. Where texts come in
# bursts, what is common is what happens now and not what is vague, so less of it is taken there, next to none where all
# alike texts are of one time. Against 0.5 for every stream, first halves: News-T .84 to .87 B-cubed (MiniLM and words,
# together with longer bursts), Banking77 the same within .005.
SCALED_BY: Final = 0.4
LESS_IN_BURSTS: Final = 0.75
# The same is told without times by what part of the squared cosines pairs about one thing bring: .3 to .5 on mixed
# streams (Banking77, English + Arabic, any encoder), .6 to .8 in a window that few topics fill. Less is taken from the
# first figure on, none from the second. (News-T with MiniLM: first half .884 to .892 B-cubed; of the second half's
# first labels 14 % change without it and 7 % with it.)
BY_TOPICS: Final = (0.55, 0.8)
_LOW_AND_MEDIAN: Final = (0.16, 0.5)
# A language has a mean of its own from so many texts on; before, and for the rest, the mean of all stands in.
LEAST_OF_LANGUAGE: Final = 16
# Texts count between half and twice as much as the average one.
_WEIGHTS: Final = (0.5, 2.0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was read from a tally at one moment; everything is compared by the latest one.

    Attributes
    ----------
    languages : tuple of str
        As in the tally.
    means : ndarray of shape (max(l, 1) + 1, d), float32
        Mean vector of each language; the last row is for any other.
    moment : ndarray of shape (d, d), float32
        Mean outer product of the sample's mean-removed units: `u @ moment @ u` is how alike u is to all, squared.
        Rounded to what float16 holds, as which it may be stored.
    commonness : float
        Root of that, for the average text.
    scaling : float
        Exponent of a text's weight, from 0 (all weigh the same) to `SCALED_BY`; see `in_frame`.
    usual : float
        Cosine above which two texts are unusually alike, in [0, 1].
    usual_weighted : float
        The same of weighted vectors (see `in_frame`) and their times (see `ml.refine`), for groups of texts.
    same_time : float
        By how much two texts of one time are more alike than their wording says: 0 where alike texts come at any time,
        up to what is usual where they come in bursts.
    n_seen : int
        Texts the tally had seen.
    """

    languages: tuple[str, ...]
    means: FloatArray
    moment: FloatArray
    commonness: float
    scaling: float
    usual: float
    usual_weighted: float
    same_time: float
    n_seen: int

    @property
    def mixed(self) -> float:
        """How mixed the stream is: 1 where many things are told of at any time, 0 where few topics fill the window."""
        return self.scaling / SCALED_BY


def texts_until_due(calibration: Calibration | None, tally: Tally) -> int:
    """How many more texts the tally may see before a new calibration is due; 0 if it is due now.

    Examples
    --------
    >>> from ml.tally import empty_tally
    >>> texts_until_due(None, empty_tally(4))
    0
    """
    if calibration is None:
        return 0
    between = min(max(calibration.n_seen // 2, LEAST_BETWEEN), MOST_BETWEEN)
    return max(calibration.n_seen + between - tally.n_seen, 0)


def calibrate(
    tally: Tally, *, reference: FloatArray | None = None, burst_seconds: float = np.inf
) -> tuple[Calibration, Tally]:
    """Read from the account how its texts are compared from now on, and let it forget what is long past.

    How alike is usual is the least of three readings of the similarities of pairs in the sample: the 97 % quantile of
    all (96.5 % for groups); their median plus 3 times the distance from the median down to the 16 % quantile; and,
    where a few topics fill the window, 1.38 times the 97 % quantile of the pairs about different things. On quiet mixed
    streams the three agree within a tenth. Where few topics do the first lies inside a topic, and the second is too
    high as well, for without the common mean few topics lie opposite each other (News-T, first 500 of the second half:
    .70, .44, .15; unrelated texts reach .11). Which pairs are about different things is found by turns: the sample is
    put into groups by average linkage, cut at a share of the reading so far, and the pairs between groups give the next
    reading.

    Parameters
    ----------
    tally : Tally
    reference : ndarray of shape (n_reference, d), float32, optional
        Vectors of texts that stand in for the service's own while these are few (`ml.encoders.reference_vectors`);
        they weigh as much as `REFERENCE_WEIGHT` texts.
    burst_seconds : float, default inf
        What counts as one time (`same_time_columns`); `inf`: time says nothing.

    Returns
    -------
    calibration : Calibration
        `usual` is 1.0 where nothing is known (fewer than three texts, no reference).
    tally : Tally
        The same account, with sums that stand for `MEMORY_REPORTS` texts at most.

    Notes
    -----
    Cost O(m² d) for a sample of m texts: about 7 ms at 512 × 320.

    Examples
    --------
    >>> from ml.tally import empty_tally
    >>> calibrate(empty_tally(4))[0].usual
    1.0
    """
    if (total := float(tally.counts.sum())) > MEMORY_REPORTS:
        share = MEMORY_REPORTS / total
        tally = replace(tally, sums=tally.sums * share, counts=tally.counts * share)
    means = _means(tally, reference)
    own = _read(remove_mean(tally.sample, means[tally.sample_languages]))
    parts = [(own, float(min(tally.n_seen, MEMORY_REPORTS)))] if len(own.units) else []
    if reference is not None:
        parts.append((_read_reference(reference.tobytes(), reference.shape[1]), float(REFERENCE_WEIGHT)))
    moment = _moment([(part.moment, weight) for part, weight in parts], len(means[0]))
    alike = [_commonness(part.units, moment) for part, _ in parts]
    commonness = (
        float(np.average([values.mean() for values in alike], weights=[weight for _, weight in parts]))
        if parts
        else 1.0
    )
    in_bursts = _share_of_bursts(own.cosines, own.units, tally.sample_times, burst_seconds)
    by_topics = _share_of_related(own.cosines, own.is_unrelated)
    scaling = max(SCALED_BY - LESS_IN_BURSTS * in_bursts, 0.0) * float(np.interp(by_topics, BY_TOPICS, (1.0, 0.0)))
    plain, weighted, weights, same_time = [], [], [], 0.0
    for (part, weight), values in zip(parts, alike, strict=True):
        if len(part.cosines) == 0:
            continue
        known = np.any(part.units != 0, axis=1)
        products = part.cosines * _pairs_of(_weights(values, commonness, scaling)[known])
        seen = _readings(products, part.is_unrelated, GROUP_QUANTILE)
        if part is own:
            same_time = max(_usual([seen], [1.0], by_topics), 0.0) * in_bursts
            seen = seen + same_time * TIME_EVEN
        plain.append(part.readings)
        weighted.append(seen)
        weights.append(weight)
    least = LEAST_OF_REFERENCE if reference is not None else 0.0
    calibration = Calibration(
        tally.languages,
        means,
        _as_half(moment),
        commonness,
        scaling,
        _usual(plain, weights, by_topics, least_of_last=least),
        _usual(weighted, weights, by_topics, least_of_last=least),
        same_time,
        tally.n_seen,
    )
    return calibration, tally


def same_time_columns(times: Float64Array, burst_seconds: float) -> FloatArray:
    """Columns whose products say how near in time two texts are: 1 at one moment, 0 from a burst's length on.

    Parameters
    ----------
    times : ndarray of shape (n,), float64
        Epoch seconds.
    burst_seconds : float
        Finite.

    Returns
    -------
    ndarray of shape (n, c), float32
        c grows with the span of the times: 4 for each burst's length.

    Notes
    -----
    Indicators of 4 grids, each a quarter further: a triangular kernel in steps of a quarter.

    Examples
    --------
    >>> columns = same_time_columns(np.array([0.0, 1.0, 3.0, 9.0]), 4.0)
    >>> (columns @ columns[0]).tolist()
    [1.0, 0.75, 0.25, 0.0]
    """
    parts = []
    for shift in range(4):
        cells = np.floor(times / burst_seconds + shift / 4).astype(np.int64)
        names, column = np.unique(cells, return_inverse=True)
        part = np.zeros((len(times), len(names)), dtype=np.float32)
        part[np.arange(len(times)), column] = 0.5
        parts.append(part)
    return np.hstack(parts)


def in_frame(
    calibration: Calibration, vectors: FloatArray, languages: tuple[str, ...] | None = None
) -> tuple[FloatArray, FloatArray]:
    """Bring raw vectors into the form in which they are compared.

    Parameters
    ----------
    calibration : Calibration
    vectors : ndarray of shape (n, d), float32
        As an `Encoder` gives them.
    languages : tuple of str of length n, optional
        As for `add_texts`.

    Returns
    -------
    units : ndarray of shape (n, d), float32
        Mean-removed unit rows; all-zero for texts without a known token.
    weights : ndarray of shape (n,), float32
        By how much each is to be multiplied in a group's sum: small for a text that is alike to everything. So short
        and vague texts don't chain groups together (Banking77, first half, average linkage of all texts: B-cubed .500
        to .515, NMI .760 to .780, pair precision .39 to .49; News-T .836 to .845).

    Notes
    -----
    Cost O(n d²). The weight is one over a root of the text's root-mean-square cosine to the sample, as local scaling
    does it: with a scaling of 0.5 the similarity of two texts would be divided by the geometric mean of how common each
    is.

    References
    ----------
    Zelnik-Manor, L., Perona, P. (2004). Self-tuning spectral clustering. Advances in Neural Information Processing
    Systems 17.

    Examples
    --------
    >>> from ml.tally import empty_tally
    >>> calibration, _ = calibrate(empty_tally(2), reference=np.eye(2, dtype=np.float32))
    >>> units, weights = in_frame(calibration, np.eye(2, dtype=np.float32))
    >>> units.astype(float).round(2).tolist(), weights.astype(float).round(2).tolist()
    ([[0.71, -0.71], [-0.71, 0.71]], [1.0, 1.0])
    """
    if languages is None or not calibration.languages:
        means = calibration.means[-1] if languages is not None else calibration.means[0]
    else:
        row_of = {language: row for row, language in enumerate(calibration.languages)}
        means = calibration.means[[row_of.get(language, -1) for language in languages]]
    units = remove_mean(vectors, means)
    return units, _weights(_commonness(units, calibration.moment), calibration.commonness, calibration.scaling)


def _means(tally: Tally, reference: FloatArray | None) -> FloatArray:
    total, n = tally.sums.sum(axis=0), float(tally.counts.sum())
    if reference is not None:
        total, n = total + REFERENCE_WEIGHT * reference.mean(axis=0, dtype=np.float64), n + REFERENCE_WEIGHT
    elif n < REFERENCE_WEIGHT:
        # The mean of very few texts is these texts: taking it out would leave nothing of them.
        total, n = np.zeros_like(total), 1.0
    overall = total / n
    means = [
        sums / count if count >= LEAST_OF_LANGUAGE and len(tally.languages) else overall
        for sums, count in zip(tally.sums, tally.counts, strict=True)
    ]
    return np.array([*means, overall], dtype=np.float32)


class _Read(NamedTuple):
    """Mean-removed units and their mean outer product; cosines of their pairs, which of these are about different
    things, and what `_usual` needs to know of them."""

    units: FloatArray
    moment: FloatArray
    cosines: FloatArray
    is_unrelated: BoolArray
    readings: Float64Array


def _read(units: FloatArray) -> _Read:
    moment = (units.T @ units) / np.float32(max(len(units), 1))
    cosines = _cosines(units)
    if len(cosines) == 0:
        return _Read(units, moment, cosines, np.zeros(0, dtype=np.bool_), np.zeros(0))
    is_unrelated = _unrelated(cosines)
    return _Read(units, moment, cosines, is_unrelated, _readings(cosines, is_unrelated, PAIR_QUANTILE))


@lru_cache(maxsize=4)
def _read_reference(rows: bytes, n_dims: int) -> _Read:
    """Of the reference all that does not depend on what else was seen, for it is the same ever again."""
    reference = np.frombuffer(rows, dtype=np.float32).reshape(-1, n_dims)
    return _read(remove_mean(reference, reference.mean(axis=0)))


def _as_half(values: FloatArray) -> FloatArray:
    """Rounded to what float16 holds, numbers below 1; a quarter of the time that going there and back takes.

    Notes
    -----
    Eleven bits are left of 24 by Dekker's splitting (1971, doi:10.1007/BF01397083); below 2^-14, where float16 has
    multiples of 2^-24 alone, by adding what has no finer ones.
    """
    spread = values * np.float32(2**13 + 1)
    return np.where(np.abs(values) < 2**-14, (values + np.float32(0.75)) - np.float32(0.75), spread - (spread - values))


def _moment(parts: list[tuple[FloatArray, float]], n_dims: int) -> FloatArray:
    total = sum(weight for _, weight in parts)
    moment = np.zeros((n_dims, n_dims), dtype=np.float32)
    for one, weight in parts:
        moment += one * np.float32(weight / total)
    return moment


def _commonness(units: FloatArray, moment: FloatArray) -> FloatArray:
    # The moment is symmetric: the products with its lower triangle, diagonal and all, are those with half of it and
    # half of its diagonal, at half of the cost.
    halves = strmm(1.0, moment.T, units.T, lower=True).T
    squares = 2 * np.einsum("ij,ij->i", halves, units) - np.square(units) @ np.diagonal(moment)
    common: FloatArray = np.sqrt(np.maximum(squares, 0.0))
    return common


def _weights(commonness: FloatArray, average: float, scaling: float) -> FloatArray:
    ratio = np.divide(average, commonness, out=np.ones_like(commonness), where=commonness > 0)
    return np.clip(ratio**scaling, *_WEIGHTS).astype(np.float32)


def _cosines(units: FloatArray) -> FloatArray:
    """Of all pairs of texts with a known token; none of fewer than three texts."""
    known = units[np.any(units != 0, axis=1)]
    if len(known) < 3:
        return np.zeros(0, dtype=np.float32)
    # Of a symmetric product this works out one half; `@` copies it to the other, which takes half as long again.
    products: FloatArray = ssyrk(1.0, known.T, trans=True, lower=True).T
    return products.take(_upper(len(known)))


def _pairs_of(values: FloatArray) -> FloatArray:
    products: FloatArray = np.outer(values, values).take(_upper(len(values)))
    return products


def _share_of_bursts(cosines: FloatArray, units: FloatArray, times: Float64Array, burst_seconds: float) -> float:
    """Of the alike pairs, how many are of one time more than chance explains: 0 where time says nothing, below 1."""
    if len(cosines) == 0 or not np.isfinite(burst_seconds):
        return 0.0
    columns = same_time_columns(times[np.any(units != 0, axis=1)], burst_seconds)
    near = (columns @ columns.T).take(_upper(len(columns)))
    alike = cosines >= _quantile(cosines)
    everywhere, among_alike = float(near.mean()), float(near[alike].mean())
    return 1.0 - everywhere / among_alike if among_alike > everywhere * LEAST_LIFT else 0.0


def _share_of_related(cosines: FloatArray, is_unrelated: BoolArray) -> float:
    """Of what is common, as mean squares of cosines tell it, the part that pairs about one thing bring."""
    squares = np.square(cosines, dtype=np.float32)
    total = float(squares.sum(dtype=np.float64))
    return float(squares[~is_unrelated].sum(dtype=np.float64)) / total if total > 0 else 0.0


def _unrelated(cosines: FloatArray) -> BoolArray:
    """Which of all pairs are about different things, as far as the pairs tell."""
    usual = _usual_of_mixed(*(_quantile(cosines, share) for share in (*_LOW_AND_MEDIAN, PAIR_QUANTILE)))
    # How far apart the groups are that bring each pair together.
    apart = cophenet(linkage(np.maximum(1.0 - cosines, 0.0), "average"))
    for _ in range(_MOST_LOOKS):
        is_unrelated: BoolArray = apart > 1.0 - ONE_THING_FROM * usual
        between = cosines[is_unrelated]
        if len(between) == 0:
            return np.ones(len(cosines), dtype=np.bool_)
        rank = math.ceil(PAIR_QUANTILE * len(between)) - 1
        # Cosines below 0 are counted as 0: a reading there would end the search anyway.
        found = math.floor(max(float(np.partition(between, rank)[rank]) * _STEPS, 0.0)) / _STEPS
        if found >= usual:
            break
        usual = found
    return is_unrelated


def _readings(products: FloatArray, is_unrelated: BoolArray, high: float) -> Float64Array:
    """What `_usual` needs to know of all pairs: a low quantile, the median and a high one; and of the unrelated."""
    high_of_unrelated = MORE_THAN_UNRELATED * _quantile(products[is_unrelated])
    return np.array([*(_quantile(products, share) for share in (*_LOW_AND_MEDIAN, high)), high_of_unrelated])


def _usual_of_mixed(low: float, median: float, high: float) -> float:
    """The lesser of the two readings that need not know what is about different things."""
    return min(high, median + LOWER_SPREADS * (median - low))


def _usual(
    readings: list[Float64Array], weights: list[float], by_topics: float, *, least_of_last: float = 0.0
) -> float:
    """What is usual by the readings of the service's own texts and of the reference; see `calibrate`.

    No less than a share of what is by the last of them alone.
    """
    if not readings:
        return 1.0
    low, median, high, high_of_unrelated = np.average(readings, axis=0, weights=weights)
    mixed = _usual_of_mixed(low, median, high)
    usual = np.interp(by_topics, TOPICS_FILL, (mixed, min(mixed, high_of_unrelated)))
    least = least_of_last * _usual(readings[-1:], [1.0], by_topics) if least_of_last else 0.0
    return float(np.clip(usual, least, 1.0))


def _quantile(values: FloatArray, share: float = PAIR_QUANTILE) -> float:
    """Nearest rank: interpolating between two of 130,816 neighbours costs more than it tells."""
    rank = round(share * (len(values) - 1))
    return float(np.partition(values, rank)[rank])


@lru_cache(maxsize=4)
def _upper(n: int) -> IntArray:
    """The places of all pairs of n texts in the flattened table of them; that of a full sample is needed ever again."""
    return np.flatnonzero(np.triu(np.ones((n, n), dtype=np.bool_), 1))
