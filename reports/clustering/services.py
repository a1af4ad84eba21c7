"""Placing reports: claim → encode → assign → placements, counts and clusters, in one transaction a service.

Invariant: a report is placed once and counted with its placement or not at all; whoever runs this a second time finds
nothing to do. One writer a service (advisory lock), any number of services at once. Labels and merging are
`refinement`'s.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from django.db.models import Min

from ml.cluster import LeaderState, assign
from ml.refine import NO_GROUP, adopt
from ml.types import IntArray
from reports.clustering import arrays
from reports.clustering.arrays import ServiceClusters
from reports.clustering.turns import each_service
from reports.enums import Symptom
from reports.models import Cluster, IntakeBatch, MicroCluster, MinuteCount, Placement, Report
from reports.nudge import nudge

logger = logging.getLogger(__name__)

CLAIM_REPORTS: Final = 2_000  # reports a transaction: half a second of work, so a kill repeats little
# A batch holds at least one report, so whoever claims this many has not made a small catch (see `cluster_pending`).
CLAIM_BATCHES: Final = CLAIM_REPORTS // 2
# A reporter counts once in every window of the detector; its longest is an hour.
COUNT_ONCE_WITHIN: Final = timedelta(minutes=60)
LOCK_CLUSTERING: Final = 7101  # first half of the advisory lock's key, the service's id is the other
LABEL_CHARS: Final = 80


@dataclass(frozen=True, slots=True)
class _PlacedReport:
    id: UUID
    text: str
    region: str
    reporter: bytes
    counted_at: datetime
    is_counted: bool


def cluster_pending(*, now: datetime) -> int:
    """Place every report that is in no cluster yet; return how many were placed.

    Concurrency: safe to run any number of times at once; a service that another worker is at is left to it.
    """
    return each_service(_services_with_batches(), lambda service_id: _place_backlog(service_id, now=now))


def _place_backlog(service_id: int, *, now: datetime) -> int:
    n_placed = 0
    n = CLAIM_REPORTS
    while n >= CLAIM_REPORTS // 2:  # a small catch means that the service's backlog is empty
        n = place_batches(service_id=service_id, now=now)
        n_placed += n
    return n_placed


def place_batches(*, service_id: int, now: datetime) -> int:
    """Place the oldest unplaced batches of a service; return the number of reports, 0 when nothing is left."""
    with transaction.atomic():
        if not lock_service(service_id):
            return 0
        batches = _claim_batches(service_id)
        if not batches:
            return 0
        reports = _reports_of(service_id, batches)
        if reports:
            clusters = _place(service_id, reports, now=now)
            transaction.on_commit(lambda: arrays.remember(service_id, clusters))
        IntakeBatch.objects.filter(pk__in=[batch.pk for batch in batches]).update(clustered_at=now)
        nudge("detect")
    return sum(len(batch.report_ids) for batch in batches)


def lock_service(service_id: int) -> bool:
    """Take the right to write a service's clusters until the transaction ends; false where another has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK_CLUSTERING, service_id])
        return bool(cursor.fetchone()[0])


def _services_with_batches() -> list[int]:
    """Return the services with unplaced batches, the one that has waited longest first."""
    waiting = IntakeBatch.objects.filter(clustered_at__isnull=True).values("service_id").annotate(oldest=Min("id"))
    return [row["service_id"] for row in waiting.order_by("oldest")]


def _claim_batches(service_id: int) -> list[IntakeBatch]:
    pending = (
        IntakeBatch.objects.select_for_update(skip_locked=True)
        .filter(service_id=service_id, clustered_at__isnull=True)
        .order_by("id")[:CLAIM_BATCHES]
    )
    claimed: list[IntakeBatch] = []
    n_reports = 0
    for batch in pending:
        if claimed and n_reports + len(batch.report_ids) > CLAIM_REPORTS:
            break
        claimed.append(batch)
        n_reports += len(batch.report_ids)
    return claimed


def _reports_of(service_id: int, batches: Sequence[IntakeBatch]) -> list[_PlacedReport]:
    """Return the batches' reports in the order they count, each with whether it does."""
    ids = [report_id for batch in batches for report_id in batch.report_ids]
    rows = sorted(
        Report.objects.filter(id__in=ids).values_list("counted_at", "id", "text", "symptom", "region", "reporter"),
        key=lambda row: row[:2],
    )
    counted = _counted_times(service_id, rows)
    reports = []
    for counted_at, report_id, text, symptom, region, raw_reporter in rows:
        reporter = bytes(raw_reporter)
        is_counted = not reporter or _counts_again(counted[reporter], counted_at)
        reports.append(_PlacedReport(report_id, _words(text, symptom), region, reporter, counted_at, is_counted))
    return reports


def _counts_again(times: list[datetime], moment: datetime) -> bool:
    """Tell whether a reporter who counted at these times counts at that moment too; if so, add it to them.

    Reports of the past come among those of now, so neighbours on both sides are looked at.
    """
    position = bisect_right(times, moment)
    if any(abs(moment - near) < COUNT_ONCE_WITHIN for near in times[max(position - 1, 0) : position + 1]):
        return False
    times.insert(position, moment)
    return True


def _counted_times(service_id: int, rows: Sequence[tuple[Any, ...]]) -> defaultdict[bytes, list[datetime]]:
    """Return when each of these reporters counted for the service, oldest first, within the reach of the window."""
    found: defaultdict[bytes, list[datetime]] = defaultdict(list)
    reporters = {bytes(row[5]) for row in rows if row[5]}
    if not reporters:
        return found
    times = (
        Placement.objects.filter(
            service_id=service_id,
            reporter__in=reporters,
            is_counted=True,
            counted_at__gt=rows[0][0] - COUNT_ONCE_WITHIN,
            counted_at__lt=rows[-1][0] + COUNT_ONCE_WITHIN,
        )
        .order_by("counted_at")
        .values_list("reporter", "counted_at")
    )
    for reporter, counted_at in times:
        found[bytes(reporter)].append(counted_at)
    return found


def _words(text: str, symptom: str) -> str:
    """Return what is compared: the reporter's words, or the chip's where there are none."""
    return text or (Symptom(symptom).label if symptom else "")


def _place(service_id: int, reports: Sequence[_PlacedReport], *, now: datetime) -> ServiceClusters:
    """Assign the reports to micro-clusters and write all that follows from it."""
    encoder = arrays.the_encoder()
    before = arrays.load_clusters(service_id, encoder=encoder, now=now)
    found = assign(
        before.state,
        encoder.encode([report.text for report in reports]),
        [report.counted_at.timestamp() for report in reports],
        idle_seconds=arrays.IDLE_AFTER.total_seconds(),
        reference=arrays.reference_of(encoder),
    )
    n_before = before.state.n_micro
    n_new = found.state.n_micro - n_before
    groups = np.concatenate([before.cluster_ids, np.full(n_new, NO_GROUP, dtype=np.int64)])
    if n_new:
        groups = adopt(
            found.state.sums,
            found.state.n_reports,
            groups,
            threshold=found.usual,
        )
    cluster_ids = _write_clusters(service_id, reports, found.micro, groups, before.cluster_ids)
    micro_ids = _write_micro_clusters(service_id, encoder.name, found.state, found.micro, cluster_ids, before.micro_ids)
    placed_micros = micro_ids[found.micro].tolist()
    _write_placements(service_id, reports, placed_micros, found.similarity.tolist(), now=now)
    _count_minutes(service_id, reports, placed_micros)
    after = replace(before, state=found.state, micro_ids=micro_ids, cluster_ids=cluster_ids)
    return arrays.save_state(service_id, encoder=encoder, clusters=after, n_new=len(reports), with_sample=False)


def _write_clusters(
    service_id: int, reports: Sequence[_PlacedReport], micro: IntArray, groups: IntArray, known: IntArray
) -> IntArray:
    """Make rows for new groups, bring the others up to date; return each micro-cluster's cluster id."""
    first_new = int(known.max(initial=NO_GROUP)) + 1
    group_of_report = groups[micro].tolist()
    new: dict[int, Cluster] = {}
    n_reports = Counter(group_of_report)
    last_seen: dict[int, datetime] = {}
    for report, group in zip(reports, group_of_report, strict=True):
        last_seen[group] = max(report.counted_at, last_seen.get(group, report.counted_at))
        if group >= first_new and group not in new:
            new[group] = Cluster(
                service_id=service_id,
                label=shortened(report.text),
                typical_report_id=report.id,
                first_seen_at=report.counted_at,
            )
    for group, cluster in new.items():
        cluster.n_reports, cluster.last_seen_at = n_reports[group], last_seen[group]
    Cluster.objects.bulk_create(new.values())
    old = [group for group in n_reports if group not in new]
    if old:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE reports_cluster c SET n_reports = c.n_reports + u.n,"
                " last_seen_at = greatest(c.last_seen_at, u.seen)"
                " FROM unnest(%s::bigint[], %s::int[], %s::timestamptz[]) AS u (id, n, seen) WHERE c.id = u.id",
                [old, [n_reports[group] for group in old], [last_seen[group] for group in old]],
            )
    ids = {group: cluster.pk for group, cluster in new.items()}
    return np.array([ids.get(group, group) for group in groups.tolist()], dtype=np.int64)


def _write_micro_clusters(
    service_id: int, encoder_name: str, state: LeaderState, micro: IntArray, cluster_ids: IntArray, known_ids: IntArray
) -> IntArray:
    """Add the new micro-clusters and update the sums of those that got reports; return all ids."""
    n_known = len(known_ids)
    seen = [datetime.fromtimestamp(second, UTC) for second in state.last_seen.tolist()]
    new = MicroCluster.objects.bulk_create(
        MicroCluster(
            service_id=service_id,
            cluster_id=int(cluster_ids[row]),
            encoder=encoder_name,
            vector_sum=arrays.sum_to_bytes(state.sums[row]),
            n_reports=int(state.n_reports[row]),
            last_seen_at=seen[row],
        )
        for row in range(n_known, state.n_micro)
    )
    touched = [row for row in np.unique(micro).tolist() if row < n_known]
    if touched:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE reports_microcluster m SET vector_sum = u.total, n_reports = u.n, last_seen_at = u.seen"
                " FROM unnest(%s::bigint[], %s::bytea[], %s::int[], %s::timestamptz[]) AS u (id, total, n, seen)"
                " WHERE m.id = u.id",
                [
                    known_ids[touched].tolist(),
                    [arrays.sum_to_bytes(state.sums[row]) for row in touched],
                    state.n_reports[touched].tolist(),
                    [seen[row] for row in touched],
                ],
            )
    return np.concatenate([known_ids, np.array([row.pk for row in new], dtype=np.int64)])


def _write_placements(
    service_id: int,
    reports: Sequence[_PlacedReport],
    micro_ids: Sequence[int],
    similarity: Sequence[float],
    *,
    now: datetime,
) -> None:
    columns = "report_id, service_id, micro_cluster_id, similarity, region, reporter, is_counted, counted_at, placed_at"
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {Placement._meta.db_table} ({columns}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(("uuid", "int8", "int8", "float8", "varchar", "bytea", "bool", "timestamptz", "timestamptz"))
        for report, micro_id, near in zip(reports, micro_ids, similarity, strict=True):
            copy.write_row(
                (report.id, service_id, micro_id, near, report.region, report.reporter, report.is_counted,
                report.counted_at, now)
            )  # fmt: skip


def _count_minutes(service_id: int, reports: Sequence[_PlacedReport], micro_ids: Sequence[int]) -> None:
    cells: dict[tuple[datetime, int, str], list[int]] = {}
    for report, micro_id in zip(reports, micro_ids, strict=True):
        cell = cells.setdefault((report.counted_at.replace(second=0, microsecond=0), micro_id, report.region), [0, 0])
        cell[0] += 1
        cell[1] += report.is_counted
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {MinuteCount._meta.db_table} AS c"  # noqa: S608  a constant
            " (service_id, minute, micro_cluster_id, region, n_reports, n_counted)"
            " SELECT %s, * FROM unnest(%s::timestamptz[], %s::bigint[], %s::varchar[], %s::int[], %s::int[])"
            " ON CONFLICT (service_id, minute, micro_cluster_id, region) DO UPDATE"
            " SET n_reports = c.n_reports + excluded.n_reports, n_counted = c.n_counted + excluded.n_counted",
            [
                service_id,
                [minute for minute, _, _ in cells],
                [micro_id for _, micro_id, _ in cells],
                [region for _, _, region in cells],
                [n_reports for n_reports, _ in cells.values()],
                [n_counted for _, n_counted in cells.values()],
            ],
        )


def shortened(text: str) -> str:
    """Return the beginning of a text, as a label of a cluster that has no better one."""
    line = " ".join(text.split())
    return line if len(line) <= LABEL_CHARS else line[: LABEL_CHARS - 1].rstrip() + "…"
