"""Rows to arrays and back, and what a worker remembers of a service between two batches.

The database holds the truth, exactly: whoever reads it goes on as if it had placed all that came before. The memory is
a copy that is used while its generation is the database's. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from django.db import connection
from django.db.models import F

from ml.calibration import Calibration, in_frame
from ml.cluster import LeaderState, empty_state, keep_micro
from ml.guards import kinds_of
from ml.nearest import index_of
from ml.refine import GROUP_FACTOR, NO_GROUP, group_threshold
from ml.tally import Tally
from ml.types import BoolArray, Encoder, FloatArray, IntArray
from reports.clustering import encoding
from reports.enums import Symptom
from reports.models import ClusteringState, SampleVector

# A micro-cluster that got no report for so long takes none any more: old wordings must not swallow new problems, and
# the memory of a service stays bounded. Three days carry a problem over a weekend.
IDLE_AFTER: Final = timedelta(days=3)
# A service takes a megabyte or a few; whoever serves more reads those again that were placed longest ago.
MOST_REMEMBERED: Final = 200
_FIGURES: Final = 6  # of a calibration, behind its arrays


@dataclass(frozen=True, slots=True)
class ServiceClusters:
    """The live micro-clusters of a service: row i of `state` is `micro_ids[i]`, which belongs to `cluster_ids[i]`.

    `pins` are the clusters that people put them into (`NO_GROUP` for most), `n_refined` their reports at the last
    refinement, `names` the products that reports are told apart by. All of `state` is in the space of one encoder; what
    another one left behind is not in it.
    """

    encoder: str
    generation: int
    state: LeaderState
    micro_ids: IntArray
    cluster_ids: IntArray
    pins: IntArray
    n_refined: IntArray
    group_factor: float
    n_refinements: int
    names: frozenset[str]
    names_learnt_at_n: int

    def only(self, rows: BoolArray) -> ServiceClusters:
        """Return the same without the rows where `rows` is false."""
        return replace(
            self,
            state=keep_micro(self.state, rows),
            micro_ids=self.micro_ids[rows],
            cluster_ids=self.cluster_ids[rows],
            pins=self.pins[rows],
            n_refined=self.n_refined[rows],
        )


_remembered: dict[int, ServiceClusters] = {}


def load_clusters(service_id: int, *, encoder: Encoder, now: datetime) -> ServiceClusters:
    """Return a service's live clusters, from memory where that is still true.

    Queries: one for the generation, three more where the memory is old. Only to be called under the service's lock.
    """
    of_service = ClusteringState.objects.filter(service_id=service_id)
    generation = of_service.values_list("generation", flat=True).first() or 0
    known = _remembered.get(service_id)
    since = live_since(now)
    if known is None or (known.encoder, known.generation) != (encoder.name, generation):
        known = _read(service_id, of_service.first(), encoder=encoder, since=since)
    live = known.state.last_seen >= since.timestamp()
    return known if live.all() else known.only(live)


def live_since(now: datetime) -> datetime:
    """Return from when on a micro-cluster must have been heard of to be live.

    By the hour, so that rows are let go seldom, and by all workers alike.
    """
    return (now - IDLE_AFTER).replace(minute=0, second=0, microsecond=0)


def empty_clusters(encoder: Encoder, *, generation: int) -> ServiceClusters:
    """Return a service without micro-clusters in the space of that encoder."""
    none = np.zeros(0, dtype=np.int64)
    return ServiceClusters(
        encoder.name, generation, empty_state(encoder.n_dims), none, none, none, none, 1.0, 0, frozenset(), 0
    )


def state_encoder(service_id: int) -> str:
    """Return the encoder a service's clusters are in the space of, "" where it has none. Queries: one."""
    return ClusteringState.objects.filter(service_id=service_id).values_list("encoder", flat=True).first() or ""


def save_state(service_id: int, *, before: ServiceClusters, after: ServiceClusters, n_new: int) -> ServiceClusters:
    """Write what is no micro-cluster (means, sample, calibration, generation); return clusters of the new generation.

    Queries: one or two, one more while the sample changes.
    """
    generation = after.generation + 1
    tally, calibration = after.state.tally, after.state.calibration
    fields: dict[str, Any] = {
        "generation": generation,
        "mean_sum": tally.sums.astype("<f8").tobytes(),
        "mean_languages": list(tally.languages),
        "mean_counts": tally.counts.tolist(),
        "n_seen": tally.n_seen,
    }
    if calibration is not None and calibration is not before.state.calibration:
        fields["calibration"] = _calibration_to_bytes(calibration)
    if calibration is not None:
        fields["usual"] = group_threshold(calibration.usual_weighted, GROUP_FACTOR * after.group_factor)
    of_service = ClusteringState.objects.filter(service_id=service_id, encoder=after.encoder)
    if not of_service.update(**fields, n_unrefined=F("n_unrefined") + n_new):
        # The first batch of the service, or the first with this encoder: nothing of another one may stay.
        SampleVector.objects.filter(service_id=service_id).delete()
        whole = {"calibration": None, "usual": None, "n_refinements": 0} | fields
        ClusteringState.objects.update_or_create(
            service_id=service_id,
            defaults={**whole, "encoder": after.encoder, "n_unrefined": n_new, "refined_at": None},
        )
        _write_sample(service_id, None, tally)
    else:
        _write_sample(service_id, before.state.tally, tally)
    return replace(after, generation=generation)


def remember(service_id: int, clusters: ServiceClusters) -> None:
    """Keep the clusters for the next batch. To be called after the commit that wrote them."""
    _remembered.pop(service_id, None)
    _remembered[service_id] = clusters
    while len(_remembered) > MOST_REMEMBERED:
        _remembered.pop(next(iter(_remembered)), None)


def forget(service_id: int) -> None:
    """Forget one service: its rows were changed by others than this module's callers."""
    _remembered.pop(service_id, None)


def forget_states() -> None:
    """Empty the memory: for a process that changes its database."""
    _remembered.clear()


def words_of(text: str, symptom: str) -> str:
    """Return what is compared: the reporter's words, or the chip's where there are none."""
    return text or (Symptom(symptom).label if symptom else "")


def units_of(service_id: int, texts: Sequence[str], now: datetime, *, encoder: Encoder) -> FloatArray:
    """Return the texts' weighted units in the space of the service's micro-clusters, as they enter their sums.

    Shape (n_texts, n_dims). The clusters must be in the space of that encoder. Only to be called under the service's
    lock.
    """
    clusters = load_clusters(service_id, encoder=encoder, now=now)
    calibration = clusters.state.calibration
    vectors = encoder.encode(list(texts))
    if calibration is None:
        return vectors
    units, weights = in_frame(calibration, vectors, encoding.spoken(encoder, texts))
    weighted: FloatArray = units * weights[:, None]
    return weighted


def sum_to_bytes(vector: FloatArray) -> bytes:
    """Return a vector as it is stored: float32, little-endian."""
    return vector.astype("<f4").tobytes()


def packed(vectors: FloatArray) -> bytes:
    """Return vectors behind one another: one parameter, where an array of them is quoted one by one."""
    return np.ascontiguousarray(vectors).astype("<f4").tobytes()


# Of `packed` vectors of so many bytes, the one at a row's place; parameters: the pack, the length, the length.
UNPACKED: Final = "substring(%s::bytea FROM ((u.place - 1) * %s + 1)::int FOR %s)"


def sums_from_bytes(rows: Sequence[bytes | memoryview], n_dims: int) -> FloatArray:
    """Return stored vectors as an array of shape (n_rows, n_dims)."""
    if not rows:
        return np.zeros((0, n_dims), dtype=np.float32)
    return (
        np.frombuffer(b"".join(bytes(row) for row in rows), dtype="<f4").reshape(len(rows), n_dims).astype(np.float32)
    )


def _read(service_id: int, row: ClusteringState | None, *, encoder: Encoder, since: datetime) -> ServiceClusters:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, cluster_id, vector_sum, n_reports, last_seen_at, coalesce(opened_at, last_seen_at), country,"
            " guard, coalesce(pinned_to_id, %s), n_refined FROM reports_microcluster"
            " WHERE service_id = %s AND encoder = %s AND last_seen_at >= %s ORDER BY id",
            [NO_GROUP, service_id, encoder.name, since],
        )
        micros = cursor.fetchall()
    state = replace(
        empty_state(encoder.n_dims),
        index=index_of(sums_from_bytes([micro[2] for micro in micros], encoder.n_dims)),
        n_reports=np.array([micro[3] for micro in micros], dtype=np.int64),
        last_seen=np.array([micro[4].timestamp() for micro in micros], dtype=np.float64),
        opened_at=np.array([micro[5].timestamp() for micro in micros], dtype=np.float64),
        kinds=kinds_of([micro[7] for micro in micros], [micro[6] for micro in micros]),
    )
    own = row if row is not None and row.encoder == encoder.name else None
    if own is not None and own.n_seen:
        tally = _tally(service_id, own, encoder.n_dims)
        state = replace(state, tally=tally, calibration=_calibration(own, tally, encoder.n_dims))
    return ServiceClusters(
        encoder=encoder.name,
        generation=row.generation if row else 0,
        state=state,
        micro_ids=np.array([micro[0] for micro in micros], dtype=np.int64),
        cluster_ids=np.array([micro[1] for micro in micros], dtype=np.int64),
        pins=np.array([micro[8] for micro in micros], dtype=np.int64),
        n_refined=np.array([micro[9] for micro in micros], dtype=np.int64),
        group_factor=own.group_factor if own else 1.0,
        n_refinements=own.n_refinements if own else 0,
        # Names are words: they outlive an encoder.
        names=frozenset(row.names) if row else frozenset(),
        names_learnt_at_n=row.names_learnt_at_n if row else 0,
    )


def _tally(service_id: int, row: ClusteringState, n_dims: int) -> Tally:
    sample = list(
        SampleVector.objects.filter(service_id=service_id)
        .order_by("slot")
        .values_list("vector", "language_row", "heard_at")
    )
    return Tally(
        languages=tuple(row.mean_languages),
        sums=np.frombuffer(bytes(row.mean_sum), dtype="<f8").reshape(-1, n_dims).astype(np.float64),
        counts=np.array(row.mean_counts, dtype=np.float64),
        n_seen=row.n_seen,
        sample=sums_from_bytes([vector for vector, _, _ in sample], n_dims),
        sample_languages=np.array([language for _, language, _ in sample], dtype=np.int64),
        sample_times=np.array([at.timestamp() for _, _, at in sample], dtype=np.float64),
    )


def _write_sample(service_id: int, before: Tally | None, after: Tally) -> None:
    """Write the slots that changed."""
    if before is not None and before.sample is after.sample:
        return
    changed = np.ones(len(after.sample), dtype=np.bool_)
    if before is not None and (n := len(before.sample)):
        changed[:n] = np.any(after.sample[:n] != before.sample, axis=1) | (
            after.sample_times[:n] != before.sample_times
        )
    slots = np.flatnonzero(changed).tolist()
    if not slots:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO reports_samplevector (service_id, slot, language_row, heard_at, vector)"  # noqa: S608  constants
            f" SELECT %s, u.slot, u.language, u.at, {UNPACKED}"
            " FROM unnest(%s::smallint[], %s::smallint[], %s::timestamptz[])"
            " WITH ORDINALITY AS u (slot, language, at, place)"
            " ON CONFLICT (service_id, slot) DO UPDATE SET language_row = excluded.language_row,"
            " heard_at = excluded.heard_at, vector = excluded.vector",
            [
                service_id,
                packed(after.sample[slots]),
                4 * after.sample.shape[1],
                4 * after.sample.shape[1],
                slots,
                after.sample_languages[slots].tolist(),
                [datetime.fromtimestamp(second, UTC) for second in after.sample_times[slots].tolist()],
            ],
        )


def _calibration_to_bytes(calibration: Calibration) -> bytes:
    figures = (
        calibration.commonness,
        calibration.scaling,
        calibration.usual,
        calibration.usual_weighted,
        calibration.same_time,
        float(calibration.n_seen),
    )
    return (
        calibration.means.astype("<f4").tobytes()
        + calibration.moment.astype("<f2").tobytes()
        + np.array(figures, dtype="<f8").tobytes()
    )


def _calibration(row: ClusteringState, tally: Tally, n_dims: int) -> Calibration | None:
    if row.calibration is None:
        return None
    stored = bytes(row.calibration)
    n_tail = 2 * n_dims * n_dims + 8 * _FIGURES
    means = np.frombuffer(stored[:-n_tail], dtype="<f4").reshape(-1, n_dims).astype(np.float32)
    moment = np.frombuffer(stored[-n_tail : -8 * _FIGURES], dtype="<f2").reshape(n_dims, n_dims).astype(np.float32)
    figures = np.frombuffer(stored[-8 * _FIGURES :], dtype="<f8").tolist()
    return Calibration(
        # Languages are numbered as they appear: those it knew are the tally's first.
        languages=tally.languages[: len(means) - 1],
        means=means,
        moment=moment,
        commonness=figures[0],
        scaling=figures[1],
        usual=figures[2],
        usual_weighted=figures[3],
        same_time=figures[4],
        n_seen=int(figures[5]),
    )
