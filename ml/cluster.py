"""Online leader clustering: each report joins the nearest live micro-cluster, or opens a new one.

Invariant: no similarity is written down as a number. What counts as near is a quantile of the similarity of pairs of
the service's own recent texts, after the mean vector (what all its reports have in common) is taken out. Micro-clusters
are tight on purpose: joining two of them later is easy (`refine`), taking one apart is not possible because members are
not kept. Not here: texts, storage, and the grouping that people see.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from ml.types import BoolArray, Float64Array, FloatArray, IntArray
from ml.vectors import MAX_SAMPLE, draw_sample, pair_quantiles, remove_mean

# Mean and sample stand for about this many latest reports: long enough that a burst about one thing does not become
# "usual" at once, short enough to follow a product that changes.
MEMORY_REPORTS: Final = 20 * MAX_SAMPLE
# Mean and threshold are renewed before each chunk, a quarter of what is known but within these bounds. So a batch of
# 10,000 is treated much like many small ones.
MIN_CHUNK_REPORTS: Final = 16
MAX_CHUNK_REPORTS: Final = 512
# As many texts as the reference stands for while a service is new. With 16, groups of the first 20-100 texts of
# Banking77 (first half) come within 0.03 B-cubed of those of their own statistics alone, of News-T 0.02-0.1 above.
REFERENCE_WEIGHT: Final = 16
# Two texts about the same thing are more alike than this share of all pairs; needs no labels (see `usual_similarity`).
PAIR_QUANTILE: Final = 0.97
# The same place told from the lower half of the pairs, which a burst about one thing touches less: so many times the
# distance from the median down to the 16 % quantile. With the tightness below it gave the largest sum of B-cubed on the
# first halves of Banking77 and News-T among 2.8, 3.0, 3.3 and 1.5, 1.75, 2.0; the sums differ by 0.04 at most.
LOWER_SPREADS: Final = 3.0
_READ_AT: Final = (0.16, 0.5, PAIR_QUANTILE)
# How much nearer than `usual_similarity` reports of one micro-cluster must be: distance (1 - cosine) divided by this.
LEADER_TIGHTNESS: Final = 1.75


@dataclass(frozen=True, slots=True)
class LeaderState:
    """All that is remembered of a service's reports, in k micro-clusters of d dimensions.

    Attributes
    ----------
    sums : ndarray of shape (k, d), float32
        Sum of the members' mean-removed, re-normalised vectors, each with the mean of its own time. So a centroid
        never moves without a new member. All-zero for the micro-cluster of texts without a known token.
    n_reports : ndarray of shape (k,), int64
        Members of each.
    last_seen : ndarray of shape (k,), float64
        Time of the latest member, epoch seconds.
    mean_sum : ndarray of shape (d,), float64
        Sum of the raw vectors that the mean is taken over, about the latest `MEMORY_REPORTS`.
    mean_n : int
        Their number, at most `MEMORY_REPORTS`.
    sample : ndarray of shape (m, d), float32
        Distinct raw vectors drawn evenly from these, m <= `MAX_SAMPLE`.
    usual : float, optional
        `usual_similarity` of this sample, kept because it costs more than the rest of a small batch; None where it has
        to be read anew. The mean moves on while the sample stays, by less than the sample's own error.
    """

    sums: FloatArray
    n_reports: IntArray
    last_seen: Float64Array
    mean_sum: Float64Array
    mean_n: int
    sample: FloatArray
    usual: float | None = None

    @property
    def n_micro(self) -> int:
        """Number of micro-clusters, k."""
        return len(self.n_reports)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What became of one batch.

    Attributes
    ----------
    state : LeaderState
        The state after the batch; micro-clusters keep their index, new ones are appended.
    micro : ndarray of shape (n,), int64
        Micro-cluster of each report, as an index into `state`.
    similarity : ndarray of shape (n,), float32
        Cosine of each report and the centroid it joined, in [-1, 1]; 1.0 where it opened the micro-cluster.
    usual : float
        The service's `usual_similarity` at the last chunk, for `ml.refine`.
    threshold : float
        The least similarity at which reports of the last chunk joined.
    """

    state: LeaderState
    micro: IntArray
    similarity: FloatArray
    usual: float
    threshold: float


def empty_state(n_dims: int) -> LeaderState:
    """The state of a service that has had no report.

    Parameters
    ----------
    n_dims : int
        Dimensions of the encoder.

    Returns
    -------
    LeaderState

    Examples
    --------
    >>> empty_state(4).n_micro
    0
    """
    return LeaderState(
        sums=np.zeros((0, n_dims), dtype=np.float32),
        n_reports=np.zeros(0, dtype=np.int64),
        last_seen=np.zeros(0, dtype=np.float64),
        mean_sum=np.zeros(n_dims, dtype=np.float64),
        mean_n=0,
        sample=np.zeros((0, n_dims), dtype=np.float32),
    )


def keep_micro(state: LeaderState, keep: BoolArray) -> LeaderState:
    """The state without some micro-clusters, for instance those that have been idle too long to be joined.

    Parameters
    ----------
    state : LeaderState
    keep : ndarray of shape (k,), bool
        False where a micro-cluster is dropped; the others move up, in order.

    Returns
    -------
    LeaderState
        Mean and sample are as before.

    Examples
    --------
    >>> keep_micro(empty_state(2), np.zeros(0, dtype=np.bool_)).n_micro
    0
    """
    return replace(state, sums=state.sums[keep], n_reports=state.n_reports[keep], last_seen=state.last_seen[keep])


def usual_similarity(state: LeaderState, *, reference: FloatArray | None = None) -> float:
    """The cosine above which two reports of this service are unusually alike.

    The lesser of two readings of the similarities of all pairs in the sample, without the mean vector: their 97 %
    quantile, and the median plus 3 times the distance from the median down to the 16 % quantile. On quiet mixed
    streams the two agree. When a few topics fill the window the quantile lies inside a topic (News-T: 0.46-0.70 instead
    of 0.22), whereas the lower half of the pairs still consists of unrelated texts (0.28).

    Parameters
    ----------
    state : LeaderState
    reference : ndarray of shape (n_reference, d), float32, optional
        Vectors of texts that stand in for the service's own while these are few (`ml.encoders.reference_vectors`);
        they weigh as much as `REFERENCE_WEIGHT` reports.

    Returns
    -------
    float
        Cosine of mean-removed vectors in [0, 1]; 1.0 where nothing is known (fewer than three texts, no reference).

    Notes
    -----
    Cost O(m² d) for a sample of m texts: about 5 ms at 512 × 256.

    Examples
    --------
    >>> usual_similarity(empty_state(4))
    1.0
    """
    if state.usual is not None:
        return state.usual
    readings, weights = [], []
    own = pair_quantiles(remove_mean(state.sample, _mean(state, reference)), _READ_AT)
    if own is not None:
        readings.append(own)
        weights.append(float(state.mean_n))
    if reference is not None:
        standing_in = pair_quantiles(remove_mean(reference, reference.mean(axis=0)), _READ_AT)
        if standing_in is not None:
            readings.append(standing_in)
            weights.append(float(REFERENCE_WEIGHT))
    if not readings:
        return 1.0
    low, median, high = np.average(readings, axis=0, weights=weights)
    return float(np.clip(min(high, median + LOWER_SPREADS * (median - low)), 0.0, 1.0))


def leader_threshold(usual: float) -> float:
    """The cosine from which a report joins a micro-cluster.

    Parameters
    ----------
    usual : float
        The service's `usual_similarity`. (People see as one problem what is on average as alike as this.)

    Returns
    -------
    float
        Between `usual` and 1.

    Examples
    --------
    >>> round(leader_threshold(0.3), 3)
    0.6
    """
    return 1.0 - (1.0 - usual) / LEADER_TIGHTNESS


def assign(
    state: LeaderState,
    vectors: FloatArray,
    times: npt.ArrayLike,
    *,
    idle_seconds: float,
    reference: FloatArray | None = None,
    rng_seed: int = 0,
) -> Assignment:
    """Let each report of a batch join the nearest live micro-cluster, or open one.

    Reports are taken in order, each seeing the effect of those before it. A micro-cluster is live for a report while
    `last_seen >= time - idle_seconds`; others keep their index but are never joined. Texts without a known token
    (all-zero vectors) share one micro-cluster of their own.

    Parameters
    ----------
    state : LeaderState
        Left untouched.
    vectors : ndarray of shape (n, d), float32
        Unit or all-zero rows, as an `Encoder` gives them.
    times : array-like of shape (n,)
        Epoch seconds; need not be sorted.
    idle_seconds : float
        For how long after its latest member a micro-cluster can be joined; `inf` is allowed.
    reference : ndarray of shape (n_reference, d), float32, optional
        See `usual_similarity`. Give the same at every call for a service.
    rng_seed : int, default 0
        Chance decides which texts enter the sample; same seed and input, same result.

    Returns
    -------
    Assignment

    Raises
    ------
    ValueError
        If shapes do not fit, a time is not finite or `idle_seconds` is not positive.

    Notes
    -----
    Cost O(n k d) as matrix products and O(n (k + c)) for the sequential part, c <= 512 reports a chunk. Mean and
    threshold are renewed a chunk at a time. So the same reports in one batch or in many agree but for reports near the
    threshold; with the same cuts at chunk ends they agree exactly.

    References
    ----------
    Hartigan, J. A. (1975). Clustering Algorithms, chapter 3 (leader algorithm). Wiley, ISBN 0-471-35645-X.

    Examples
    --------
    >>> import numpy as np
    >>> east, north = np.eye(2, dtype=np.float32)
    >>> batch = np.stack([east, north, east, north * 0])
    >>> found = assign(empty_state(2), batch, [0, 1, 2, 3], idle_seconds=60)
    >>> found.micro.tolist(), found.state.n_reports.tolist()
    ([0, 1, 0, 2], [2, 1, 1])
    """
    moments = np.asarray(times, dtype=np.float64)
    _check(state, vectors, moments, idle_seconds, reference)
    work = _Work(state, len(vectors))
    micro = np.empty(len(vectors), dtype=np.int64)
    similarity = np.empty(len(vectors), dtype=np.float32)
    start = 0
    while start < len(vectors):
        stop = start + min(max(state.mean_n // 4, MIN_CHUNK_REPORTS), MAX_CHUNK_REPORTS)
        chunk = slice(start, stop)
        state = _watch(state, vectors[chunk], rng_seed)
        usual = usual_similarity(state, reference=reference)
        state = replace(state, usual=usual)
        micro[chunk], similarity[chunk] = work.join(
            remove_mean(vectors[chunk], _mean(state, reference)), moments[chunk], idle_seconds, leader_threshold(usual)
        )
        start = stop
    if len(vectors) == 0:
        usual = usual_similarity(state, reference=reference)
    return Assignment(work.state(state), micro, similarity, usual, leader_threshold(usual))


class _Work:
    """Growing copies of the arrays of a state, so that opening a micro-cluster is not a copy of all of them."""

    def __init__(self, state: LeaderState, n_more: int) -> None:
        room = state.n_micro + n_more
        self.k = state.n_micro
        self.sums = np.zeros((room, state.sums.shape[1]), dtype=np.float32)
        self.n_reports = np.zeros(room, dtype=np.int64)
        self.last_seen = np.full(room, -np.inf)
        self.sums[: self.k], self.n_reports[: self.k] = state.sums, state.n_reports
        self.last_seen[: self.k] = state.last_seen

    def state(self, watched: LeaderState) -> LeaderState:
        k = self.k
        return LeaderState(
            self.sums[:k].copy(),
            self.n_reports[:k].copy(),
            self.last_seen[:k].copy(),
            watched.mean_sum,
            watched.mean_n,
            watched.sample,
            watched.usual,
        )

    def join(
        self, units: FloatArray, times: Float64Array, idle_seconds: float, threshold: float
    ) -> tuple[IntArray, FloatArray]:
        n, k_before = len(units), self.k
        # Products of every report with every sum, kept right while sums grow: when report i joins j, the product of
        # each later report with sum j grows by its product with report i. One matrix product, then single columns.
        dots = np.zeros((n, k_before + n), dtype=np.float32)
        dots[:, :k_before] = units @ self.sums[:k_before].T
        among = units @ units.T
        # One over the length of each sum; 0 marks the micro-clusters of texts without a known token.
        lengths = np.zeros(k_before + n, dtype=np.float32)
        lengths[:k_before] = np.linalg.norm(self.sums[:k_before], axis=1)
        scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        unknown = ~np.any(units != 0, axis=1)
        micro, similarity = np.empty(n, dtype=np.int64), np.ones(n, dtype=np.float32)
        for i in range(n):
            k = self.k
            live = self.last_seen[:k] >= times[i] - idle_seconds
            if unknown[i]:
                alike = np.flatnonzero(live & (scale[:k] == 0))
                j = int(alike[-1]) if len(alike) else k
                similarity[i] = 1.0
            else:
                cosines = np.where(live & (scale[:k] > 0), dots[i, :k] * scale[:k], -np.inf)
                j = int(cosines.argmax()) if k else k
                if k == 0 or cosines[j] < threshold:
                    j = k
                else:
                    similarity[i] = min(float(cosines[j]), 1.0)
                dots[i + 1 :, j] += among[i + 1 :, i]
            self.k = max(k, j + 1)
            micro[i] = j
            self.sums[j] += units[i]
            self.n_reports[j] += 1
            self.last_seen[j] = max(self.last_seen[j], times[i])
            if not unknown[i]:
                scale[j] = 1.0 / np.linalg.norm(self.sums[j])
        return micro, similarity


def _check(
    state: LeaderState, vectors: FloatArray, times: Float64Array, idle_seconds: float, reference: FloatArray | None
) -> None:
    n_dims = state.sums.shape[1]
    if vectors.ndim != 2 or vectors.shape[1] != n_dims:
        raise ValueError(f"vectors must have shape (n, {n_dims}) like the state, not {vectors.shape}")
    if reference is not None and (reference.ndim != 2 or reference.shape[1] != n_dims):
        raise ValueError(f"reference must have shape (n, {n_dims}) like the state, not {reference.shape}")
    if times.shape != (len(vectors),):
        raise ValueError(f"times must have shape ({len(vectors)},) like the vectors, not {times.shape}")
    if not np.isfinite(times).all():
        raise ValueError("times must be finite epoch seconds")
    if not idle_seconds > 0:
        raise ValueError(f"idle_seconds must be positive, not {idle_seconds}")


def _mean(state: LeaderState, reference: FloatArray | None) -> FloatArray:
    total, n = state.mean_sum, state.mean_n
    if reference is not None:
        total, n = total + REFERENCE_WEIGHT * reference.mean(axis=0, dtype=np.float64), n + REFERENCE_WEIGHT
    elif n < REFERENCE_WEIGHT:
        # The mean of very few texts is these texts: taking it out would leave nothing of them.
        return np.zeros(len(total), dtype=np.float32)
    return (total / n).astype(np.float32)


def _watch(state: LeaderState, vectors: FloatArray, rng_seed: int) -> LeaderState:
    """Let mean and sample see new raw vectors; both forget what lies `MEMORY_REPORTS` back."""
    seen = vectors[np.any(vectors != 0, axis=1)]
    sample = draw_sample(state.sample, seen, n_stream=state.mean_n, memory=MEMORY_REPORTS, rng_seed=rng_seed)
    total, n = state.mean_sum + seen.sum(axis=0, dtype=np.float64), state.mean_n + len(seen)
    if n > MEMORY_REPORTS:
        total, n = total * (MEMORY_REPORTS / n), MEMORY_REPORTS
    # While few texts are known each moves the mean, and with it every similarity.
    if state.mean_n >= MAX_SAMPLE and np.array_equal(sample, state.sample):
        return replace(state, mean_sum=total, mean_n=n)
    return replace(state, mean_sum=total, mean_n=n, sample=sample, usual=None)
