"""Rows to arrays and back, and what a worker remembers of a service between two batches.

The database holds the truth; the memory is a copy that is used while its generation is the database's. Nothing here
decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from django.conf import settings
from django.db.models import F

from ml.cluster import LeaderState, empty_state
from ml.encoders import load_encoder, reference_vectors
from ml.types import BoolArray, Encoder, FloatArray, IntArray
from reports.models import ClusteringState, MicroCluster

# A micro-cluster that got no report for so long takes none any more: old wordings must not swallow new problems, and
# the memory of a service stays bounded. Three days carry a problem over a weekend.
IDLE_AFTER: Final = timedelta(days=3)
SMALL_SAMPLE: Final = 64  # texts


@dataclass(frozen=True, slots=True)
class ServiceClusters:
    """The live micro-clusters of a service: row i of `state` is `micro_ids[i]`, which belongs to `cluster_ids[i]`.

    All of `state` is in the space of one encoder; what another one left behind is not in it.
    """

    encoder: str
    generation: int
    state: LeaderState
    micro_ids: IntArray
    cluster_ids: IntArray

    def only(self, rows: BoolArray) -> ServiceClusters:
        """Return the same without the rows where `rows` is false."""
        state = replace(
            self.state,
            sums=self.state.sums[rows],
            n_reports=self.state.n_reports[rows],
            last_seen=self.state.last_seen[rows],
        )
        return replace(self, state=state, micro_ids=self.micro_ids[rows], cluster_ids=self.cluster_ids[rows])


_remembered: dict[int, ServiceClusters] = {}
_references: dict[str, FloatArray] = {}


def the_encoder() -> Encoder:
    """Return the encoder this installation uses, loaded once a process."""
    return load_encoder(settings.ENCODER)


def reference_of(encoder: Encoder) -> FloatArray:
    """Return the vectors that stand in for a service's own texts while these are few."""
    if encoder.name not in _references:
        _references[encoder.name] = reference_vectors(encoder)
    return _references[encoder.name]


def load_clusters(service_id: int, *, encoder: Encoder, now: datetime) -> ServiceClusters:
    """Return a service's live clusters, from memory where that is still true.

    Queries: one for the generation, one more where the memory is old. Only to be called under the service's lock.
    """
    of_service = ClusteringState.objects.filter(service_id=service_id)
    generation = of_service.values_list("generation", flat=True).first() or 0
    known = _remembered.get(service_id)
    if known is None or (known.encoder, known.generation) != (encoder.name, generation):
        known = _read(service_id, of_service.first(), encoder=encoder, now=now)
    live = known.state.last_seen >= (now - IDLE_AFTER).timestamp()
    return known if live.all() else known.only(live)


def save_state(
    service_id: int, *, encoder: Encoder, clusters: ServiceClusters, n_new: int, with_sample: bool
) -> ServiceClusters:
    """Write what is no row of its own (mean, sample, generation) and return the clusters of the new generation.

    The sample is half a megabyte and moves slowly: it is written while it is small and at each refinement. A worker
    that takes over in between starts with that one; thresholds differ by a hair, placements already made do not.
    """
    generation = clusters.generation + 1
    state = clusters.state
    fields: dict[str, Any] = {
        "encoder": encoder.name,
        "generation": generation,
        "mean_sum": state.mean_sum.astype("<f8").tobytes(),
        "mean_n": state.mean_n,
    }
    if with_sample or len(state.sample) <= SMALL_SAMPLE:
        fields["sample"] = state.sample.astype("<f4").tobytes()
    n_updated = ClusteringState.objects.filter(service_id=service_id, encoder=encoder.name).update(
        **fields, n_unrefined=F("n_unrefined") + n_new
    )
    if not n_updated:
        # The first batch of the service, or the first with this encoder: nothing of another one may stay.
        fields["sample"] = state.sample.astype("<f4").tobytes()
        ClusteringState.objects.update_or_create(
            service_id=service_id, defaults={**fields, "n_unrefined": n_new, "refined_at": None}
        )
    return replace(clusters, generation=generation)


def remember(service_id: int, clusters: ServiceClusters) -> None:
    """Keep the clusters for the next batch. To be called after the commit that wrote them."""
    _remembered[service_id] = clusters


def forget_states() -> None:
    """Empty the memory: for a process that changes its database."""
    _remembered.clear()


def sum_to_bytes(vector: FloatArray) -> bytes:
    """Return a vector as it is stored: float32, little-endian."""
    return vector.astype("<f4").tobytes()


def sums_from_bytes(rows: Sequence[bytes | memoryview], n_dims: int) -> FloatArray:
    """Return stored vectors as an array of shape (n_rows, n_dims)."""
    if not rows:
        return np.zeros((0, n_dims), dtype=np.float32)
    return (
        np.frombuffer(b"".join(bytes(row) for row in rows), dtype="<f4").reshape(len(rows), n_dims).astype(np.float32)
    )


def _read(service_id: int, row: ClusteringState | None, *, encoder: Encoder, now: datetime) -> ServiceClusters:
    state = empty_state(encoder.n_dims)
    micros = list(
        MicroCluster.objects.filter(service_id=service_id, encoder=encoder.name, last_seen_at__gte=now - IDLE_AFTER)
        .order_by("id")
        .values_list("id", "cluster_id", "vector_sum", "n_reports", "last_seen_at")
    )
    state = replace(
        state,
        sums=sums_from_bytes([micro[2] for micro in micros], encoder.n_dims),
        n_reports=np.array([micro[3] for micro in micros], dtype=np.int64),
        last_seen=np.array([micro[4].timestamp() for micro in micros], dtype=np.float64),
    )
    if row is not None and row.encoder == encoder.name:
        sample = np.frombuffer(bytes(row.sample), dtype="<f4").reshape(-1, encoder.n_dims).astype(np.float32)
        mean_sum = np.frombuffer(bytes(row.mean_sum), dtype="<f8").astype(np.float64)
        state = replace(state, mean_sum=mean_sum, mean_n=row.mean_n, sample=sample)
    return ServiceClusters(
        encoder=encoder.name,
        generation=row.generation if row else 0,
        state=state,
        micro_ids=np.array([micro[0] for micro in micros], dtype=np.int64),
        cluster_ids=np.array([micro[1] for micro in micros], dtype=np.int64),
    )
