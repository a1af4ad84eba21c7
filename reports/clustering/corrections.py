"""People's word carried out: merged, split and moved as was said, and kept so by pins and barriers.

Invariant: the minute counts of a service tell what its placements say, before and after each correction; a correction
is carried out once, in the order in which it was said, or refused with a reason, and one that can't be carried out
blocks nobody. Only to be called under the service's lock. Not here: what may be said and by whom (`triage`), counting
(`counting`), and that pins and barriers are kept (`refinement`).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import numpy as np
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest

from ml.types import FloatArray
from reports.clustering import arrays, encoding, handover
from reports.clustering.counting import screen_by_word
from reports.clustering.quarantine import judge
from reports.clustering.writing import shortened
from reports.enums import CorrectionKind
from reports.models import Cluster, ClusterBarrier, ClusteringState, Correction, MicroCluster, Placement, Report
from reports.nudge import nudge

logger = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 50  # corrections a transaction; the next turn takes the rest
AMONG_NEWEST: Final = 30  # a cluster's typical report is chosen among this many


class _CannotBeDone(Exception):
    """What was said fits no longer what there is; the message tells the person why."""


def services_with_corrections() -> list[int]:
    """Return the services on which somebody has said something that waits. Queries: one."""
    waiting = Correction.objects.filter(applied_at__isnull=True)
    return list(waiting.values_list("service_id", flat=True).distinct().order_by("service_id"))


def corrected_clusters(*, service_id: int, since: datetime) -> set[int]:
    """Return the clusters that corrections changed since then: they need new labels. Queries: one."""
    lately = Correction.objects.filter(service_id=service_id, applied_at__gte=since, refusal="")
    moved = lately.exclude(kind__in=[CorrectionKind.RENAME, CorrectionKind.SCREEN, CorrectionKind.JUDGE])
    pairs = moved.values_list("cluster_id", "into_id")
    return {cluster_id for pair in pairs for cluster_id in pair if cluster_id is not None}


def apply_corrections(*, service_id: int, now: datetime) -> bool:
    """Carry out what waits for a service; return whether micro-clusters changed.

    Then the generation has moved, so that no worker goes on with what it remembers.
    """
    waiting = Correction.objects.filter(service_id=service_id, applied_at__isnull=True).order_by("id")[:MOST_AT_ONCE]
    corrections = list(waiting)
    if not corrections:
        return False
    changed = [_apply(correction, now) for correction in corrections]
    # The generation is what open pages listen to as well, so it moves for what was said of single reports too.
    of_service = ClusteringState.objects.filter(service_id=service_id)
    of_service.update(generation=F("generation") + 1)
    if any(changed):
        of_service.update(n_unrefined=Greatest("n_unrefined", 1))  # labels are refinement's
    nudge("detect")
    return any(changed)


def carry_barriers(cluster_id: int, heir_id: int) -> None:
    """Let the heir of a cluster that is merged away keep apart from whatever that one was kept apart from."""
    barriers = ClusterBarrier.objects.filter(Q(low_id=cluster_id) | Q(high_id=cluster_id))
    rows = list(barriers.values_list("service_id", "low_id", "high_id"))
    barriers.delete()
    for service_id, low_id, high_id in rows:
        _keep_apart(service_id, heir_id, high_id if low_id == cluster_id else low_id)


def _apply(correction: Correction, now: datetime) -> bool:
    """Carry out one correction and write down what became of it; return whether micro-clusters changed."""
    has_changed, into_id = False, correction.into_id
    try:
        with transaction.atomic():
            has_changed = _CARRY_OUT[CorrectionKind(correction.kind)](correction, now)
    except _CannotBeDone as reason:
        correction.refusal = str(reason)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        # It must not hold up the service's reports. The type alone: a message of the database may quote a report.
        logger.error("Correction %d could not be carried out (%s).", correction.pk, type(error).__name__)
        correction.refusal = "It could not be carried out. What went wrong is in the log of the worker."
    if correction.refusal:
        correction.into_id = into_id  # a cluster made for it is gone with the savepoint
    correction.applied_at = now
    correction.save(update_fields=["applied_at", "refusal", "into"])
    return has_changed


def _merge(correction: Correction, now: datetime) -> bool:
    cluster_id, into_id = _living(correction.cluster_id), _living(correction.into_id)
    if cluster_id != into_id:
        _absorb(cluster_id, into_id)
    _pin(into_id)
    return True


def _split(correction: Correction, now: datetime) -> bool:
    cluster_id = _living(correction.cluster_id)
    inside = set(MicroCluster.objects.filter(cluster_id=cluster_id).values_list("pk", flat=True))
    chosen = inside & set(correction.micro_cluster_ids)
    if not chosen:
        raise _CannotBeDone("None of these wordings is in the cluster any more.")
    if chosen == inside:
        raise _CannotBeDone("No wording would stay behind, so there is nothing to split.")
    new_id = _new_cluster(correction.service_id, like=cluster_id)
    MicroCluster.objects.filter(pk__in=chosen).update(cluster_id=new_id)
    _pin(cluster_id)
    _pin(new_id)
    # What was kept apart from the whole is kept apart from both parts.
    for low_id, high_id in _barriers_of(cluster_id):
        _keep_apart(correction.service_id, new_id, high_id if low_id == cluster_id else low_id)
    _keep_apart(correction.service_id, cluster_id, new_id)
    _bring_up_to_date([cluster_id, new_id])
    correction.into_id = new_id
    return True


def _move(correction: Correction, now: datetime) -> bool:
    placements = list(
        Placement.objects.select_related("micro_cluster").filter(
            service_id=correction.service_id, report_id__in=correction.report_ids
        )
    )
    known = Report.objects.in_bulk([row.report_id for row in placements])
    # Of an erased report nobody knows any more which vector would have to move with it.
    placements = [row for row in placements if row.report_id in known and known[row.report_id].erased_at is None]
    if not placements:
        raise _CannotBeDone("None of these reports is there any more.")
    origin_id = placements[0].micro_cluster.cluster_id
    target_id = (
        _living(correction.into_id)
        if correction.into_id is not None
        else _new_cluster(correction.service_id, like=origin_id)
    )
    moving = [row for row in placements if row.micro_cluster.cluster_id != target_id]
    correction.into_id = target_id
    if not moving:
        return False
    left = {row.micro_cluster.cluster_id for row in moving}
    _replace(correction.service_id, moving, [known[row.report_id] for row in moving], target_id, now)
    _bring_up_to_date([*left, target_id])
    for cluster_id in left:
        if MicroCluster.objects.filter(cluster_id=cluster_id).exists():
            _keep_apart(correction.service_id, cluster_id, target_id)
        else:
            _absorb(cluster_id, target_id)
    return True


def _screen(correction: Correction, now: datetime) -> bool:
    is_known = screen_by_word(
        service_id=correction.service_id,
        report_ids=correction.report_ids,
        is_problem=bool(correction.is_problem),
        now=now,
    )
    if not is_known:
        raise _CannotBeDone("None of these reports is there any more.")
    return False


def _rename(correction: Correction, now: datetime) -> bool:
    Cluster.objects.filter(pk=_living(correction.cluster_id)).update(given_name=correction.text)
    return False


def _judge(correction: Correction, now: datetime) -> bool:
    if correction.quarantine_id is None:
        raise _CannotBeDone("It does not say which reports in quarantine are meant.")
    judge(quarantine_id=correction.quarantine_id, is_attack=bool(correction.is_attack), now=now)
    return False


_CARRY_OUT: Final[Mapping[CorrectionKind, Callable[[Correction, datetime], bool]]] = {
    CorrectionKind.MERGE: _merge,
    CorrectionKind.SPLIT: _split,
    CorrectionKind.RENAME: _rename,
    CorrectionKind.MOVE: _move,
    CorrectionKind.SCREEN: _screen,
    CorrectionKind.JUDGE: _judge,
}


def _living(cluster_id: int | None) -> int:
    """Return the cluster that stands for this one after all merges."""
    if cluster_id is None:
        raise _CannotBeDone("It does not say which cluster is meant.")
    while (heir_id := Cluster.objects.values_list("merged_into_id", flat=True).get(pk=cluster_id)) is not None:
        cluster_id = heir_id
    return cluster_id


def _new_cluster(service_id: int, *, like: int) -> int:
    """Make an empty cluster; its label, counts and times are those of its origin until it is brought up to date."""
    origin = Cluster.objects.get(pk=like)
    return Cluster.objects.create(
        service_id=service_id,
        label=origin.label,
        first_seen_at=origin.first_seen_at,
        last_seen_at=origin.last_seen_at,
    ).pk


def _absorb(cluster_id: int, heir_id: int) -> None:
    """Merge a cluster away: whole, one step from its heir, and with what people said of it."""
    MicroCluster.objects.filter(cluster_id=cluster_id).update(cluster_id=heir_id)
    Cluster.objects.filter(Q(pk=cluster_id) | Q(merged_into_id=cluster_id)).update(merged_into_id=heir_id, n_reports=0)
    heir = Cluster.objects.get(pk=heir_id)
    Cluster.objects.filter(service_id=heir.service_id, resembles_id=cluster_id).update(resembles_id=heir_id)
    Cluster.objects.filter(pk=heir_id, resembles_id__in=[cluster_id, heir_id]).update(resembles_id=None)
    carry_barriers(cluster_id, heir_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reports_cluster c SET n_reports = m.n, last_seen_at = greatest(c.last_seen_at, m.seen),"
            " first_seen_at = least(c.first_seen_at,"
            " (SELECT min(a.first_seen_at) FROM reports_cluster a WHERE a.merged_into_id = c.id))"
            " FROM (SELECT cluster_id, sum(n_reports) AS n, max(last_seen_at) AS seen FROM reports_microcluster"
            " WHERE cluster_id = %s GROUP BY cluster_id) AS m WHERE c.id = m.cluster_id",
            [heir_id],
        )


def _pin(cluster_id: int) -> None:
    """Keep a cluster's micro-clusters where they are."""
    MicroCluster.objects.filter(cluster_id=cluster_id).update(pinned_to_id=cluster_id)


def _barriers_of(cluster_id: int) -> list[tuple[int, int]]:
    return list(
        ClusterBarrier.objects.filter(Q(low_id=cluster_id) | Q(high_id=cluster_id)).values_list("low_id", "high_id")
    )


def _keep_apart(service_id: int, one_id: int, other_id: int) -> None:
    if one_id != other_id:
        low_id, high_id = sorted((one_id, other_id))
        barrier = ClusterBarrier(service_id=service_id, low_id=low_id, high_id=high_id)
        ClusterBarrier.objects.bulk_create([barrier], ignore_conflicts=True)


def _bring_up_to_date(cluster_ids: Collection[int]) -> None:
    """Add up anew what clusters hold and since when, and give those a typical report that have lost theirs."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reports_cluster c SET n_reports = m.n, last_seen_at = m.seen, first_seen_at = m.opened"
            " FROM (SELECT w.cluster_id, sum(w.n_reports) AS n, max(w.last_seen_at) AS seen,"
            " min(coalesce(w.opened_at, (SELECT min(k.minute) FROM reports_minutecount k"
            " WHERE k.micro_cluster_id = w.id), w.last_seen_at)) AS opened"
            " FROM reports_microcluster w WHERE w.cluster_id = ANY(%s) GROUP BY w.cluster_id) AS m"
            " WHERE c.id = m.cluster_id",
            [list(cluster_ids)],
        )
        # Of the newest reports the one most like its wording; a label of its own where the report is a new one.
        cursor.execute(
            "SELECT DISTINCT ON (c.id) c.id, l.report_id, r.text FROM reports_cluster c CROSS JOIN LATERAL ("
            " SELECT p.report_id, p.similarity FROM reports_microcluster w"
            " JOIN reports_placement p ON p.micro_cluster_id = w.id WHERE w.cluster_id = c.id"
            " ORDER BY p.report_id DESC LIMIT %s) AS l JOIN reports_report r ON r.id = l.report_id AND r.text <> ''"
            " WHERE c.id = ANY(%s) AND NOT EXISTS (SELECT 1 FROM reports_placement t"
            " JOIN reports_microcluster w ON w.id = t.micro_cluster_id"
            " WHERE t.report_id = c.typical_report_id AND w.cluster_id = c.id)"
            " ORDER BY c.id, l.similarity DESC, l.report_id DESC",
            [AMONG_NEWEST, list(cluster_ids)],
        )
        for cluster_id, report_id, text in cursor.fetchall():
            Cluster.objects.filter(pk=cluster_id).update(typical_report_id=report_id, label=shortened(text))


def _replace(
    service_id: int, moving: Sequence[Placement], reports: Sequence[Report], target_id: int, now: datetime
) -> None:
    """Give placements new micro-clusters in the target: one for each place and code that theirs stood for."""
    encoder = encoding.the_encoder()
    handover.to_encoder(service_id, encoder=encoder, now=now)
    texts = [arrays.words_of(report.text, report.symptom) for report in reports]
    units = arrays.units_of(service_id, texts, now, encoder=encoder)
    rows_by_kind: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    rows_by_origin: defaultdict[int, list[int]] = defaultdict(list)
    for row, placement in enumerate(moving):
        origin = placement.micro_cluster
        rows_by_kind[origin.country, origin.guard].append(row)
        rows_by_origin[origin.pk].append(row)
    new_ids: dict[UUID, int] = {}
    for (country, guard), rows in rows_by_kind.items():
        total: FloatArray = units[rows].sum(axis=0)
        times = [moving[row].counted_at for row in rows]
        micro = MicroCluster.objects.create(
            service_id=service_id,
            cluster_id=target_id,
            pinned_to_id=target_id,
            encoder=encoder.name,
            vector_sum=arrays.sum_to_bytes(total),
            n_reports=len(rows),
            country=country,
            guard=guard,
            opened_at=min(times),
            last_seen_at=max(times),
        )
        length = float(np.linalg.norm(total)) or 1.0
        for row in rows:
            own = float(np.linalg.norm(units[row])) or 1.0
            moving[row].similarity = min(float(units[row] @ total) / (length * own), 1.0)
            new_ids[moving[row].report_id] = micro.pk
    _move_cells(service_id, new_ids)
    for placement in moving:
        placement.micro_cluster_id = new_ids[placement.report_id]
    Placement.objects.bulk_update(moving, ["micro_cluster", "similarity"])
    for origin_id, rows in rows_by_origin.items():
        _take_out(origin_id, units[rows], encoder.name)


def _move_cells(service_id: int, new_ids: Mapping[UUID, int]) -> None:
    """Move what minute counts hold of reports to the micro-clusters the reports go to; before they have gone there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH going AS (SELECT date_trunc('minute', p.counted_at) AS minute, p.region,"
            " p.micro_cluster_id AS origin, u.micro, count(*)::int AS n,"
            " count(*) FILTER (WHERE p.is_counted)::int AS counted,"
            " count(*) FILTER (WHERE p.is_set_aside)::int AS aside,"
            " count(*) FILTER (WHERE p.is_quarantined)::int AS held,"
            " count(*) FILTER (WHERE p.is_counted AND NOT p.tells_failure)::int AS no_failure"
            " FROM unnest(%(reports)s::uuid[], %(micros)s::bigint[]) AS u (report, micro)"
            " JOIN reports_placement p ON p.report_id = u.report GROUP BY 1, 2, 3, 4),"
            " taken AS (UPDATE reports_minutecount c SET n_reports = c.n_reports - g.n,"
            " n_counted = c.n_counted - g.counted, n_set_aside = c.n_set_aside - g.aside,"
            " n_quarantined = c.n_quarantined - g.held, n_no_failure = c.n_no_failure - g.no_failure FROM going g"
            " WHERE c.service_id = %(service)s AND c.minute = g.minute AND c.micro_cluster_id = g.origin"
            " AND c.region = g.region"
            " RETURNING g.minute, g.micro, g.region, g.n, g.counted, g.aside, g.held, g.no_failure)"
            " INSERT INTO reports_minutecount (service_id, minute, micro_cluster_id, region,"
            " n_reports, n_counted, n_set_aside, n_quarantined, n_no_failure)"
            " SELECT %(service)s, minute, micro, region, sum(n), sum(counted), sum(aside), sum(held), sum(no_failure)"
            " FROM taken GROUP BY 2, 3, 4",
            {"reports": list(new_ids), "micros": list(new_ids.values()), "service": service_id},
        )
        cursor.execute(
            "DELETE FROM reports_minutecount c USING reports_placement p"
            " WHERE p.report_id = ANY(%s) AND c.service_id = %s AND c.micro_cluster_id = p.micro_cluster_id"
            " AND c.n_reports = 0",
            [list(new_ids), service_id],
        )


def _take_out(micro_id: int, units: FloatArray, encoder_name: str) -> None:
    """Take vectors out of a micro-cluster; one that is left empty goes, for what is empty resembles nothing."""
    micro = MicroCluster.objects.get(pk=micro_id)
    n_left = micro.n_reports - len(units)
    if n_left <= 0:
        micro.delete()
        return
    [total] = arrays.sums_from_bytes([micro.vector_sum], len(bytes(micro.vector_sum)) // 4)
    # Vectors of another encoder can't be taken out: there the rest keeps its direction.
    left = total - units.sum(axis=0) if micro.encoder == encoder_name else total * (n_left / micro.n_reports)
    micro.vector_sum = arrays.sum_to_bytes(left.astype(np.float32))
    micro.n_reports = n_left
    micro.save(update_fields=["vector_sum", "n_reports"])
