"""Online leader clustering: each report joins the nearest live micro-cluster of its kind, or opens a new one.

Invariant: no similarity is written down as a number; what counts as near comes from the service's calibration.
Micro-clusters are tight on purpose: joining two of them later is easy (`refine`), taking one apart is not possible
because members are not kept. A state is a value: a batch returns a new one that shares what did not change, so a
transaction that fails has changed nothing. Not here: texts, storage, and the grouping that people see.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from ml.calibration import Calibration, calibrate, in_frame, texts_until_due
from ml.nearest import Index, index_of
from ml.tally import Tally, add_texts, empty_tally
from ml.types import BoolArray, Float64Array, FloatArray, IntArray

# How much nearer than usual reports of one micro-cluster must be: distance (1 - cosine) divided by this.
LEADER_TIGHTNESS: Final = 1.81
# A burst is so much of the idle time: a day and a half of three. (First half of News-T, MiniLM and words: .015 B-cubed
# less with 0.2, .01 with 0.6.)
BURST_SHARE: Final = 0.5
# Reports compared at once: the products of each with each of the others take n² numbers.
CHUNK_REPORTS: Final = 512
# Texts that are no copies differ in their first few numbers: looking no further takes a seventh of the time.
_TOLD_APART_BY: Final = 4

Array = TypeVar("Array", IntArray, Float64Array)


@dataclass(frozen=True, slots=True)
class LeaderState:
    """All that is remembered of a service's reports, in k micro-clusters of d dimensions.

    Attributes
    ----------
    index : Index
        Sum of the members' weighted units (`ml.calibration.in_frame`) of each, ready to be searched; each member with
        the calibration of its own time, so a centroid never moves without a new member. All-zero for the micro-cluster
        of texts without a known token.
    n_reports : ndarray of shape (k,), int64
        Members of each.
    opened_at, last_seen : ndarray of shape (k,), float64
        Time of the first report and of the latest, epoch seconds.
    kinds : ndarray of shape (k,), int64
        Reports join micro-clusters of their own kind only: a number for what they share beside wording.
    tally : Tally
    calibration : Calibration, optional
        None before the first report.
    """

    index: Index
    n_reports: IntArray
    opened_at: Float64Array
    last_seen: Float64Array
    kinds: IntArray
    tally: Tally
    calibration: Calibration | None = None

    @property
    def n_micro(self) -> int:
        """Number of micro-clusters, k."""
        return len(self.n_reports)

    @property
    def sums(self) -> FloatArray:
        """Sums of all micro-clusters, shape (k, d), float32."""
        return self.index.sums()


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
    """

    state: LeaderState
    micro: IntArray
    similarity: FloatArray


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
    none = np.zeros(0, dtype=np.int64)
    never = np.zeros(0, dtype=np.float64)
    return LeaderState(index_of(np.zeros((0, n_dims), dtype=np.float32)), none, never, never, none, empty_tally(n_dims))


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
        Tally and calibration are as before.

    Examples
    --------
    >>> keep_micro(empty_state(2), np.zeros(0, dtype=np.bool_)).n_micro
    0
    """
    return replace(
        state,
        index=index_of(state.sums[keep], after=state.index),
        n_reports=state.n_reports[keep],
        opened_at=state.opened_at[keep],
        last_seen=state.last_seen[keep],
        kinds=state.kinds[keep],
    )


def leader_threshold(usual: float) -> float:
    """The cosine from which a report joins a micro-cluster.

    Parameters
    ----------
    usual : float
        The service's `Calibration.usual`. (People see as one problem what is on average as alike as this.)

    Returns
    -------
    float
        Between `usual` and 1.

    Examples
    --------
    >>> round(leader_threshold(0.3), 3)
    0.613
    """
    return 1.0 - (1.0 - usual) / LEADER_TIGHTNESS


def assign(
    state: LeaderState,
    vectors: FloatArray,
    times: npt.ArrayLike,
    *,
    idle_seconds: float,
    kinds: IntArray | None = None,
    languages: tuple[str, ...] | None = None,
    reference: FloatArray | None = None,
    usual: float | None = None,
) -> Assignment:
    """Let each report of a batch join the nearest live micro-cluster, or open one.

    Reports are taken in order, each seeing the effect of those before it; copies of a text within 512 reports go where
    the first of them went. A micro-cluster is live for a report while `last_seen >= time - idle_seconds`; others keep
    their index but are never joined. Texts without a known token (all-zero vectors) share one micro-cluster a kind.

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
    kinds : ndarray of shape (n,), int64, optional
        All 0 by default.
    languages : tuple of str of length n, optional
        Where each language shall have a mean of its own; give it at every call for a service, or never.
    reference : ndarray of shape (n_reference, d), float32, optional
        See `ml.calibration.calibrate`. Give the same at every call for a service.
    usual : float, optional
        To be used instead of the calibration's: for measurements alone.

    Returns
    -------
    Assignment

    Raises
    ------
    ValueError
        If shapes do not fit, a time is not finite or `idle_seconds` is not positive.

    Notes
    -----
    Cost O(n k h) as one matrix product of h = 64 to 144 leading dimensions for k > 3,072 (d for less), and about 10 µs
    a distinct report on top. Calibrations are made at fixed counts, so the same reports in one batch or in many agree
    but for copies that a cut takes apart.

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
    kind_of = np.zeros(len(vectors), dtype=np.int64) if kinds is None else kinds
    _check(state, vectors, moments, kind_of, idle_seconds, reference)
    micro = np.empty(len(vectors), dtype=np.int64)
    similarity = np.empty(len(vectors), dtype=np.float32)
    start = 0
    while start < len(vectors):
        calibration, tally = state.calibration, state.tally
        if calibration is None or texts_until_due(calibration, tally) == 0:
            # The first texts are looked at before they are compared: without a reference there is nothing else.
            first = min(CHUNK_REPORTS, len(vectors)) if calibration is None and reference is None else 0
            peeked = add_texts(
                tally, vectors[:first], moments[:first], None if languages is None else languages[:first]
            )
            calibration, peeked = calibrate(peeked, reference=reference, burst_seconds=idle_seconds * BURST_SHARE)
            tally = tally if first else peeked
        stop = min(start + CHUNK_REPORTS, start + max(texts_until_due(calibration, tally), 1), len(vectors))
        chunk = slice(start, stop)
        spoken = None if languages is None else languages[chunk]
        units, weights = in_frame(calibration, vectors[chunk], spoken)
        near = leader_threshold(calibration.usual if usual is None else usual)
        state = replace(state, calibration=calibration, tally=add_texts(tally, vectors[chunk], moments[chunk], spoken))
        state, micro[chunk], similarity[chunk] = _join(
            state, units, weights, moments[chunk], kind_of[chunk], idle_seconds, near
        )
        start = stop
    return Assignment(state, micro, similarity)


def _join(
    state: LeaderState,
    units: FloatArray,
    weights: FloatArray,
    times: Float64Array,
    kinds: IntArray,
    idle_seconds: float,
    threshold: float,
) -> tuple[LeaderState, IntArray, FloatArray]:
    firsts, copy_of = _distinct(units, kinds)
    n_copies = np.bincount(copy_of, minlength=len(firsts))
    latest = np.full(len(firsts), -np.inf)
    np.maximum.at(latest, copy_of, times)
    search = state.index.search(units[firsts], threshold)
    k = state.n_micro
    n_reports, kind_of = _with_room(state.n_reports, len(firsts)), _with_room(state.kinds, len(firsts))
    opened_at, last_seen = _with_room(state.opened_at, len(firsts)), _with_room(state.last_seen, len(firsts))
    joined: list[int] = []
    # Arrays are filled a value at a time below: lists are quicker to read from.
    shares = (weights[firsts] * n_copies).tolist()
    earliest, since, last = times[firsts].tolist(), (times[firsts] - idle_seconds).tolist(), latest.tolist()
    for i, kind in enumerate(kinds[firsts].tolist()):
        found = search.nearest(i, kind, kind_of, last_seen, since[i])
        if found is None:
            j = k
            k += 1
            kind_of[j], opened_at[j], last_seen[j] = kind, earliest[i], last[i]
        else:
            j = found[0]
            if last[i] > last_seen[j]:
                last_seen[j] = last[i]
        search.add(i, j, shares[i])
        joined.append(j)
    micro = np.array(joined, dtype=np.int64)
    np.add.at(n_reports, micro, n_copies)
    after = replace(
        state,
        index=search.index(),
        n_reports=n_reports[:k],
        opened_at=opened_at[:k],
        last_seen=last_seen[:k],
        kinds=kind_of[:k],
    )
    return after, micro[copy_of], search.cosines()[copy_of]


def _with_room(values: Array, n_more: int) -> Array:
    """A copy with so many zeros behind it."""
    found = np.zeros(len(values) + n_more, dtype=values.dtype)
    found[: len(values)] = values
    return found


def _distinct(units: FloatArray, kinds: IntArray) -> tuple[IntArray, IntArray]:
    """The first of each set of copies, and for each text which of these it copies."""
    beginnings = np.ascontiguousarray(units[:, :_TOLD_APART_BY])
    rows = beginnings.view(f"V{beginnings.shape[1] * beginnings.itemsize}").ravel().tolist()
    if len(set(zip(rows, kinds.tolist(), strict=True))) == len(units):
        return np.arange(len(units)), np.arange(len(units))
    place: dict[tuple[bytes, int], int] = {}
    firsts: list[int] = []
    copy_of = np.empty(len(units), dtype=np.int64)
    for i, kind in enumerate(kinds.tolist()):
        key = (units[i].tobytes(), kind)
        if (at := place.get(key)) is None:
            at = place[key] = len(firsts)
            firsts.append(i)
        copy_of[i] = at
    return np.array(firsts, dtype=np.int64), copy_of


def _check(
    state: LeaderState,
    vectors: FloatArray,
    times: Float64Array,
    kinds: IntArray,
    idle_seconds: float,
    reference: FloatArray | None,
) -> None:
    n_dims = state.tally.sums.shape[1]
    for name, rows in (("vectors", vectors), ("reference", reference)):
        if rows is not None and (rows.ndim != 2 or rows.shape[1] != n_dims):
            raise ValueError(f"{name} must have shape (n, {n_dims}) like the state, not {rows.shape}")
    if times.shape != (len(vectors),) or kinds.shape != (len(vectors),):
        raise ValueError(f"times and kinds must have shape ({len(vectors)},), not {times.shape} and {kinds.shape}")
    if not np.isfinite(times).all():
        raise ValueError("times must be finite epoch seconds")
    if not idle_seconds > 0:
        raise ValueError(f"idle_seconds must be positive, not {idle_seconds}")
