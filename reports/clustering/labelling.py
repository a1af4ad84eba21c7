"""What a cluster tells of itself: its terms, its most typical report, where it comes from, and what it resembles.

Invariant: all of it is read from what is placed, so it can be worked out anew at any time; the name a person gave is
not touched. Only to be called under the service's lock, with the clusters as they have just been written. Not here:
what belongs together (`refinement`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import Final
from uuid import UUID

import numpy as np
from django.db import connection
from django.db.models import Q

from ml.apart import BURST_SECONDS
from ml.calibration import in_frame
from ml.describe import distinctive_terms, typical_index
from ml.guards import parts_of
from ml.languages import languages_of
from ml.text import normalise, tokens
from ml.types import BoolArray, Encoder, FloatArray, IntArray
from reports.clustering import encoding
from reports.clustering.arrays import ServiceClusters
from reports.clustering.corrections import corrected_clusters
from reports.clustering.services import middles_of, threshold_of
from reports.clustering.writing import shortened
from reports.models import Cluster

LABEL_CLUSTERS: Final = 50  # the latest ones a run; the rest keep their label until they move again
LABEL_REPORTS: Final = 30
BACKGROUND_REPORTS: Final = 300
N_TERMS: Final = 3
MOST_LANGUAGES: Final = 3
MOST_REGIONS: Final = 5


def label_clusters(service_id: int, clusters: ServiceClusters, *, encoder: Encoder, since: datetime | None) -> None:
    """Give the clusters that got reports since then, or that people changed, their terms, typical report and reasons.

    Queries: six at most, however many clusters there are.
    """
    live = np.unique(clusters.cluster_ids).tolist()
    moved = Cluster.objects.filter(service_id=service_id, merged_into__isnull=True, pk__in=live)
    if since is not None:
        corrected = corrected_clusters(service_id=service_id, since=since)
        moved = moved.filter(Q(last_seen_at__gte=since) | Q(pk__in=corrected))
    due = {cluster.pk: cluster for cluster in moved.order_by("-last_seen_at")[:LABEL_CLUSTERS]}
    if not due:
        return
    samples = _samples(list(due))
    texts = {cluster_id: [text for _, text, _ in sample] for cluster_id, sample in samples.items()}
    terms = distinctive_terms(list(texts.values()), _background(service_id), n_terms=N_TERMS)
    for (cluster_id, sample), found in zip(samples.items(), terms, strict=True):
        cluster = due[cluster_id]
        vectors = encoder.encode(texts[cluster_id])
        best = typical_index(vectors, vectors.sum(axis=0), lengths=[len(text) for text in texts[cluster_id]])
        cluster.terms = [term[:60] for term in found]
        cluster.term_shares = _term_shares(found, texts[cluster_id])
        cluster.languages = _most_common(languages_of(texts[cluster_id]), MOST_LANGUAGES)
        cluster.regions = _most_common([region for _, _, region in sample], MOST_REGIONS)
        cluster.cohesion = _cohesion(clusters, encoder, vectors, texts[cluster_id])
        cluster.typical_report_id = sample[best][0]
        cluster.label = " · ".join(cluster.terms)[:200] if len(sample) > 1 and found else shortened(sample[best][1])
    Cluster.objects.bulk_update(
        due.values(), ["terms", "term_shares", "languages", "regions", "typical_report_id", "label", "cohesion"]
    )


def _term_shares(terms: list[str], texts: list[str]) -> list[float]:
    """Return the share of texts that hold each term, as words."""
    words = [f" {' '.join(tokens(normalise(text)))} " for text in texts]
    return [
        round(sum(f" {' '.join(tokens(normalise(term)))} " in text for text in words) / len(words), 3) for term in terms
    ]


def _most_common(values: list[str], n_most: int) -> list[str]:
    return [value for value, _ in Counter(value for value in values if value).most_common(n_most)]


def _cohesion(clusters: ServiceClusters, encoder: Encoder, vectors: FloatArray, texts: list[str]) -> float | None:
    """Return how alike two of the reports are on average (cosine); None where there are no two to compare.

    Not read from the sums: their vectors are longer or shorter than 1 by what they count.
    """
    calibration = clusters.state.calibration
    if calibration is None:
        return None
    units, _ = in_frame(calibration, vectors, encoding.spoken(encoder, texts))
    n = int(np.any(units != 0, axis=1).sum())
    if n < 2:
        return None
    total = units.sum(axis=0, dtype=np.float64)
    # Of n² pairs n are a report with itself.
    return float(np.clip((total @ total - n) / (n * (n - 1)), 0.0, 1.0))


def note_resemblances(clusters: ServiceClusters) -> None:
    """Note which cluster says the same of another place or an earlier time: as alike as one, and yet kept apart.

    One whose reports name other codes, or come from the same places on the same days, says something else.
    """
    ids, place = np.unique(clusters.cluster_ids, return_inverse=True)
    if len(ids) < 2 or clusters.state.calibration is None:
        return
    sums = clusters.state.sums
    totals = np.zeros((len(ids), sums.shape[1]), dtype=np.float32)
    np.add.at(totals, place, sums)
    sizes = np.bincount(place, weights=clusters.state.n_reports).astype(np.float32)
    means = totals / sizes[:, None]
    alike = means @ means.T
    alike[~_may_resemble(clusters, place, len(ids))] = -np.inf
    nearest = alike.argmax(axis=1)
    enough = alike.max(axis=1) >= threshold_of(clusters.state, clusters.group_factor)
    others = [int(ids[near]) if is_like else None for near, is_like in zip(nearest, enough, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reports_cluster c SET resembles_id = u.other"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS u (id, other)"
            " WHERE c.id = u.id AND c.resembles_id IS DISTINCT FROM u.other",
            [ids.tolist(), others],
        )


def _may_resemble(clusters: ServiceClusters, place: IntArray, n_clusters: int) -> BoolArray:
    """Tell for each pair of clusters whether they name the same codes and lie apart in place or time."""
    guards, countries = parts_of(clusters.state.kinds)
    days = np.floor(middles_of(clusters.state) / BURST_SECONDS)
    sizes = clusters.state.n_reports.astype(np.float64)

    def main(values: IntArray) -> IntArray:
        """The value most reports of each cluster have."""
        names, at = np.unique(values, return_inverse=True)
        totals = np.zeros((n_clusters, len(names)))
        np.add.at(totals, (place, at), sizes)
        found: IntArray = names[totals.argmax(axis=1)]
        return found

    guard, country, day = main(guards), main(countries), main(days.astype(np.int64))
    apart = (country[:, None] != country) | (day[:, None] != day)
    alike: BoolArray = (guard[:, None] == guard) & apart
    return alike


def _samples(cluster_ids: list[int]) -> dict[int, list[tuple[UUID, str, str]]]:
    """Return the latest reports with words of each cluster that has any."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.id, r.id, r.text, r.region FROM unnest(%s::bigint[]) AS c (id) CROSS JOIN LATERAL ("
            " SELECT p.report_id FROM reports_microcluster m JOIN reports_placement p ON p.micro_cluster_id = m.id"
            " WHERE m.cluster_id = c.id ORDER BY p.report_id DESC LIMIT %s) AS latest"
            " JOIN reports_report r ON r.id = latest.report_id WHERE r.text <> '' ORDER BY c.id, r.id DESC",
            [cluster_ids, LABEL_REPORTS],
        )
        found: dict[int, list[tuple[UUID, str, str]]] = defaultdict(list)
        for cluster_id, report_id, text, region in cursor.fetchall():
            found[cluster_id].append((report_id, text, region))
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
