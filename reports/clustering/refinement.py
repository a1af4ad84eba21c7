"""Refining: micro-clusters that have come to say the same thing join one cluster, and clusters get their labels.

Invariant: a cluster id keeps its meaning; a cluster that is merged away says into which one, and no report or count
moves. Runs under the same lock as placing, so it sees whole batches.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from django.db.models import Q

from ml.cluster import usual_similarity
from ml.describe import distinctive_terms, typical_index
from ml.refine import refine
from ml.types import IntArray
from reports.clustering import arrays
from reports.clustering.arrays import ServiceClusters
from reports.clustering.services import lock_service, shortened
from reports.clustering.turns import each_service
from reports.models import Cluster, ClusteringState, MicroCluster

REFINE_AFTER: Final = timedelta(seconds=20)
REFINE_REPORTS: Final = 100  # refining every ~100 reports changes 15 % of first labels, every 2,000 25 % (FINDINGS §2)
LABEL_CLUSTERS: Final = 50  # the latest ones a run; the rest keep their label until they move again
LABEL_REPORTS: Final = 30
BACKGROUND_REPORTS: Final = 300
N_TERMS: Final = 3


def refine_pending(*, now: datetime) -> int:
    """Refine the services that got new reports since they were last refined; return how many were."""
    due = ClusteringState.objects.filter(n_unrefined__gt=0).filter(
        Q(refined_at__isnull=True) | Q(refined_at__lte=now - REFINE_AFTER) | Q(n_unrefined__gte=REFINE_REPORTS)
    )
    service_ids = due.values_list("service_id", flat=True)
    return each_service(service_ids, lambda service_id: refine_service(service_id=service_id, now=now))


def refine_service(*, service_id: int, now: datetime) -> bool:
    """Merge and split the live clusters of one service, label those that moved; false where another worker is at it."""
    with transaction.atomic():
        if not lock_service(service_id):
            return False
        encoder = arrays.the_encoder()
        before = arrays.load_clusters(service_id, encoder=encoder, now=now)
        since = ClusteringState.objects.values_list("refined_at", flat=True).get(service_id=service_id)
        if before.state.n_micro == 0:
            ClusteringState.objects.filter(service_id=service_id).update(n_unrefined=0, refined_at=now)
            return True
        groups = refine(
            before.state.sums,
            before.state.n_reports,
            before.cluster_ids,
            threshold=usual_similarity(before.state, reference=arrays.reference_of(encoder)),
        )
        after = replace(before, cluster_ids=_regroup(service_id, before, groups))
        _label(service_id, after, since=since, now=now)
        after = arrays.save_state(service_id, encoder=encoder, clusters=after, n_new=0, with_sample=True)
        ClusteringState.objects.filter(service_id=service_id).update(n_unrefined=0, refined_at=now)
        transaction.on_commit(lambda: arrays.remember(service_id, after))
    return True


def _regroup(service_id: int, before: ServiceClusters, groups: IntArray) -> IntArray:
    """Write the new grouping and return each micro-cluster's cluster id."""
    old, new = before.cluster_ids, groups.copy()
    if (old == new).all():
        return new
    for fresh in np.setdiff1d(new, old).tolist():
        # Asked of `groups`, for a new id may be the number that another fresh group still goes by.
        rows = groups == fresh
        origin = Cluster.objects.get(pk=int(old[rows][0]))
        split = Cluster.objects.create(
            service_id=service_id,
            label=origin.label,
            first_seen_at=origin.first_seen_at,
            last_seen_at=origin.last_seen_at,
        )
        new[rows] = split.pk
    moved = old != new
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reports_microcluster m SET cluster_id = u.cluster"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS u (id, cluster) WHERE m.id = u.id",
            [before.micro_ids[moved].tolist(), new[moved].tolist()],
        )
    emptied = np.setdiff1d(old, new).tolist()
    for cluster_id in emptied:
        heir = int(
            np.bincount(_dense(new[old == cluster_id]), weights=before.state.n_reports[old == cluster_id]).argmax()
        )
        heir_id = int(np.unique(new[old == cluster_id])[heir])
        # What is too idle to be refined goes with the rest: a cluster is merged whole.
        MicroCluster.objects.filter(cluster_id=cluster_id).update(cluster_id=heir_id)
        Cluster.objects.filter(pk=cluster_id).update(merged_into_id=heir_id)
        # Whoever was merged into it before now points to where it went: one step always leads to the living cluster.
        Cluster.objects.filter(merged_into_id=cluster_id).exclude(pk=heir_id).update(merged_into_id=heir_id)
    touched = sorted(set(old[moved].tolist()) | set(new[moved].tolist()))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reports_cluster c SET n_reports = m.n, last_seen_at = greatest(c.last_seen_at, m.seen),"
            " first_seen_at = least(c.first_seen_at,"
            " (SELECT min(a.first_seen_at) FROM reports_cluster a WHERE a.merged_into_id = c.id))"
            " FROM (SELECT cluster_id, sum(n_reports) AS n, max(last_seen_at) AS seen FROM reports_microcluster"
            " WHERE cluster_id = ANY(%s) GROUP BY cluster_id) AS m WHERE c.id = m.cluster_id",
            [touched],
        )
    Cluster.objects.filter(pk__in=emptied).update(n_reports=0)
    return new


def _dense(ids: IntArray) -> IntArray:
    return np.unique(ids, return_inverse=True)[1]


def _label(service_id: int, clusters: ServiceClusters, *, since: datetime | None, now: datetime) -> None:
    """Give the clusters that got reports since the last refinement their terms and most typical report."""
    moved = Cluster.objects.filter(
        service_id=service_id, merged_into__isnull=True, pk__in=np.unique(clusters.cluster_ids).tolist()
    )
    if since is not None:
        # What was placed since then was counted at about that time or later; a wide margin costs a few more labels.
        moved = moved.filter(last_seen_at__gte=since - REFINE_AFTER)
    due = {cluster.pk: cluster for cluster in moved.order_by("-last_seen_at")[:LABEL_CLUSTERS]}
    if not due:
        return
    samples = _samples(list(due))
    texts = {cluster_id: [text for _, text in sample] for cluster_id, sample in samples.items()}
    terms = distinctive_terms(list(texts.values()), _background(service_id), n_terms=N_TERMS)
    encoder = arrays.the_encoder()
    for (cluster_id, sample), found in zip(samples.items(), terms, strict=True):
        cluster = due[cluster_id]
        vectors = encoder.encode(texts[cluster_id])
        best = typical_index(vectors, vectors.sum(axis=0), lengths=[len(text) for text in texts[cluster_id]])
        cluster.terms = [term[:60] for term in found]
        cluster.typical_report_id = sample[best][0]
        cluster.label = " · ".join(cluster.terms)[:200] if len(sample) > 1 and found else shortened(sample[best][1])
    Cluster.objects.bulk_update(due.values(), ["terms", "typical_report_id", "label"])


def _samples(cluster_ids: list[int]) -> dict[int, list[tuple[UUID, str]]]:
    """Return the latest reports with words of each cluster that has any."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.id, r.id, r.text FROM unnest(%s::bigint[]) AS c (id) CROSS JOIN LATERAL ("
            " SELECT p.report_id FROM reports_microcluster m JOIN reports_placement p ON p.micro_cluster_id = m.id"
            " WHERE m.cluster_id = c.id ORDER BY p.report_id DESC LIMIT %s) AS latest"
            " JOIN reports_report r ON r.id = latest.report_id WHERE r.text <> '' ORDER BY c.id, r.id DESC",
            [cluster_ids, LABEL_REPORTS],
        )
        found: dict[int, list[tuple[UUID, str]]] = defaultdict(list)
        for cluster_id, report_id, text in cursor.fetchall():
            found[cluster_id].append((report_id, text))
    return found


def _background(service_id: int) -> list[str]:
    """Return the service's latest texts, against which a cluster's words stand out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.text FROM (SELECT report_id FROM reports_placement WHERE service_id = %s"
            " ORDER BY counted_at DESC LIMIT %s) AS p JOIN reports_report r ON r.id = p.report_id WHERE r.text <> ''",
            [service_id, BACKGROUND_REPORTS],
        )
        return [text for (text,) in cursor.fetchall()]
