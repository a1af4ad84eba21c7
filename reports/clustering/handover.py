"""Another encoder: a service's clusters move into its space and stay what they are.

Invariant: ids, placements and counts do not change; a micro-cluster's vector is read anew from its latest texts. One
whose texts are gone stays behind in the old space, where nothing can join it. Not here: which encoder is in use.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from typing import Final

import numpy as np
from django.db import connection

from ml.calibration import calibrate
from ml.cluster import BURST_SHARE
from ml.tally import add_texts, empty_tally
from ml.types import Encoder
from reports.clustering import arrays, encoding
from reports.models import ClusteringState

logger = logging.getLogger(__name__)

TEXTS_OF_MICRO: Final = 8  # of nearly the same wording; a few tell its direction
CALIBRATED_ON: Final = 2_000  # latest texts


def to_encoder(service_id: int, *, encoder: Encoder, now: datetime) -> int:
    """Bring a service's live micro-clusters into the space of the encoder; return how many were moved.

    Queries: one where they are. What a worker remembers is not asked: other workers may have gone to another encoder
    and come back. Only to be called under the service's lock, in a transaction.
    """
    if arrays.state_encoder(service_id) in {"", encoder.name}:
        return 0
    generation = ClusteringState.objects.values_list("generation", flat=True).get(service_id=service_id)
    before = arrays.empty_clusters(encoder, generation=generation)
    texts, seconds = _latest_texts(service_id)
    tally = add_texts(
        empty_tally(encoder.n_dims), encoder.encode(texts), np.array(seconds), encoding.spoken(encoder, texts)
    )
    calibration, tally = calibrate(
        tally,
        reference=encoding.reference_of(encoder),
        burst_seconds=arrays.IDLE_AFTER.total_seconds() * BURST_SHARE,
    )
    after = replace(before, state=replace(before.state, tally=tally, calibration=calibration))
    arrays.save_state(service_id, before=before, after=after, n_new=1)
    arrays.forget(service_id)
    n_moved = _move(service_id, encoder=encoder, now=now)
    logger.info("Service %d: %d micro-clusters were read anew by %s.", service_id, n_moved, encoder.name)
    return n_moved


def _latest_texts(service_id: int) -> tuple[list[str], list[float]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.text, r.symptom, p.counted_at FROM (SELECT report_id, counted_at FROM reports_placement"
            " WHERE service_id = %s ORDER BY counted_at DESC LIMIT %s) AS p"
            " JOIN reports_report r ON r.id = p.report_id WHERE r.erased_at IS NULL ORDER BY p.counted_at, r.id",
            [service_id, CALIBRATED_ON],
        )
        rows = cursor.fetchall()
    return [arrays.words_of(text, symptom) for text, symptom, _ in rows], [at.timestamp() for _, _, at in rows]


def _move(service_id: int, *, encoder: Encoder, now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.id, m.n_reports, r.text, r.symptom FROM reports_microcluster m CROSS JOIN LATERAL ("
            " SELECT p.report_id FROM reports_placement p WHERE p.micro_cluster_id = m.id"
            " ORDER BY p.report_id DESC LIMIT %s) AS latest JOIN reports_report r ON r.id = latest.report_id"
            " WHERE m.service_id = %s AND m.encoder <> %s AND m.last_seen_at >= %s AND r.erased_at IS NULL"
            " ORDER BY m.id, r.id",
            [TEXTS_OF_MICRO, service_id, encoder.name, arrays.live_since(now)],
        )
        rows = cursor.fetchall()
    if not rows:
        return 0
    texts = [arrays.words_of(text, symptom) for _, _, text, symptom in rows]
    weighted = arrays.units_of(service_id, texts, now, encoder=encoder)
    ids, first, n_texts = np.unique(np.array([row[0] for row in rows]), return_index=True, return_counts=True)
    n_reports = np.array([rows[at][1] for at in first.tolist()])
    sums = np.add.reduceat(weighted, first, axis=0) * (n_reports / n_texts)[:, None]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reports_microcluster m SET vector_sum = u.total, encoder = %s, n_refined = 0"
            " FROM unnest(%s::bigint[], %s::bytea[]) AS u (id, total) WHERE m.id = u.id",
            [encoder.name, ids.tolist(), [arrays.sum_to_bytes(total) for total in sums]],
        )
    arrays.forget(service_id)
    return len(ids)
