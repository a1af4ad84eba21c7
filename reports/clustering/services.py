"""Placing reports: claim → encode → assign → placements, counts and clusters, in one transaction a service.

Invariant: a report is placed once and counted with its placement or not at all; whoever runs this a second time finds
nothing to do. One writer a service (advisory lock), any number of services at once. Labels and merging are
`refinement`'s.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from django.db.models import Min

from ml.adopt import adopt_by_products
from ml.cluster import BURST_SHARE, LeaderState, assign
from ml.guards import kinds_of
from ml.refine import GROUP_FACTOR, NO_GROUP, group_threshold
from ml.types import Float64Array, IntArray
from reports.clustering import arrays, encoding, handover, screening
from reports.clustering.arrays import ServiceClusters
from reports.clustering.corrections import apply_corrections, services_with_corrections
from reports.clustering.counting import COUNT_ONCE_WITHIN, counts_again
from reports.clustering.turns import each_service
from reports.enums import Symptom
from reports.models import Cluster, IntakeBatch, MinuteCount, Placement
from reports.nudge import nudge

logger = logging.getLogger(__name__)

CLAIM_REPORTS: Final = 2_000  # reports a transaction: half a second of work, so a kill repeats little
# A batch holds at least one report, so whoever claims this many has not made a small catch (see `cluster_pending`).
CLAIM_BATCHES: Final = CLAIM_REPORTS // 2
LOCK_CLUSTERING: Final = 7101  # first half of the advisory lock's key, the service's id is the other
LABEL_CHARS: Final = 80
IDLE_SECONDS: Final = arrays.IDLE_AFTER.total_seconds()


@dataclass(frozen=True, slots=True)
class _PlacedReport:
    id: UUID
    text: str
    region: str
    reporter: bytes
    counted_at: datetime
    is_counted: bool
    p_problem: float | None
    is_set_aside: bool
    set_aside_for: list[str]


def cluster_pending(*, now: datetime) -> int:
    """Carry out what people said, and place every report that is in no cluster yet; return how many were placed.

    Concurrency: safe to run any number of times at once; a service that another worker is at is left to it.
    """
    waiting = dict.fromkeys([*_services_with_batches(), *services_with_corrections()])
    return each_service(waiting, lambda service_id: _place_backlog(service_id, now=now))


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
        if apply_corrections(service_id=service_id, now=now):
            arrays.forget(service_id)
        batches = _claim_batches(service_id)
        if not batches:
            return 0
        reports = _reports_of(service_id, batches)
        if reports:
            clusters = _place(service_id, reports, now=now)
            transaction.on_commit(lambda: arrays.remember(service_id, clusters))
        IntakeBatch.objects.filter(pk__in=[batch.pk for batch in batches]).update(clustered_at=now)
        nudge("detect")
        nudge("refine")  # finds little to do until a hundred reports have come
    return sum(len(batch.report_ids) for batch in batches)


def lock_service(service_id: int) -> bool:
    """Take the right to write a service's clusters until the transaction ends; false where another has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK_CLUSTERING, service_id])
        return bool(cursor.fetchone()[0])


def wait_for_service(service_id: int) -> None:
    """Take the same right once whoever has it is done: a batch takes half a second at most."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLUSTERING, service_id])


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
    with connection.cursor() as cursor:
        # As an array: two thousand placeholders take longer to write than to look up.
        cursor.execute(
            "SELECT counted_at, id, text, symptom, region, reporter FROM reports_report WHERE id = ANY(%s)", [ids]
        )
        rows = sorted(cursor.fetchall(), key=lambda row: row[:2])
    likely = _likely_problems(rows)
    aside = [p is not None and not screening.reads_as_problem(p) for p in likely]
    against = iter(screening.words_against([row[2] for row, is_aside in zip(rows, aside, strict=True) if is_aside]))
    counted = _counted_times(service_id, rows)
    reports = []
    for row, p, is_aside in zip(rows, likely, aside, strict=True):
        counted_at, report_id, text, symptom, region, raw_reporter = row
        reporter = bytes(raw_reporter)
        report = _PlacedReport(
            id=report_id,
            text=arrays.words_of(text, symptom),
            region=region,
            reporter=reporter,
            counted_at=counted_at,
            is_counted=not is_aside and (not reporter or counts_again(counted[reporter], counted_at)),
            p_problem=p,
            is_set_aside=is_aside,
            set_aside_for=next(against) if is_aside else [],
        )
        reports.append(report)
    return reports


def _likely_problems(rows: Sequence[tuple[Any, ...]]) -> list[float | None]:
    """Return how likely each is a problem report; None where the reporter has said so by choosing a symptom."""
    asked = [bool(text) and symptom in {"", Symptom.OTHER} for _, _, text, symptom, _, _ in rows]
    found = iter(screening.p_problem([row[2] for row, is_asked in zip(rows, asked, strict=True) if is_asked]))
    return [next(found) if is_asked else None for is_asked in asked]


def _counted_times(service_id: int, rows: Sequence[tuple[Any, ...]]) -> defaultdict[bytes, list[datetime]]:
    """Return when each of these reporters counted for the service, oldest first, within the reach of the window."""
    found: defaultdict[bytes, list[datetime]] = defaultdict(list)
    reporters = list({bytes(row[5]) for row in rows if row[5]})
    if not reporters:
        return found
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reporter, counted_at FROM reports_placement WHERE service_id = %s AND reporter = ANY(%s)"
            " AND is_counted AND counted_at > %s AND counted_at < %s ORDER BY counted_at",
            [service_id, reporters, rows[0][0] - COUNT_ONCE_WITHIN, rows[-1][0] + COUNT_ONCE_WITHIN],
        )
        for reporter, counted_at in cursor.fetchall():
            found[bytes(reporter)].append(counted_at)
    return found


def _place(service_id: int, reports: Sequence[_PlacedReport], *, now: datetime) -> ServiceClusters:
    """Assign the reports to micro-clusters and write all that follows from it."""
    encoder = encoding.the_encoder()
    handover.to_encoder(service_id, encoder=encoder, now=now)
    before = arrays.load_clusters(service_id, encoder=encoder, now=now)
    read = encoding.read_texts(encoder, [report.text for report in reports], names=before.names)
    found = assign(
        before.state,
        read.vectors,
        [report.counted_at.timestamp() for report in reports],
        idle_seconds=IDLE_SECONDS,
        kinds=kinds_of(read.guards, [report.region for report in reports]),
        languages=read.languages,
        reference=encoding.reference_of(encoder),
    )
    n_new = found.state.n_micro - before.state.n_micro
    groups = np.concatenate([before.cluster_ids, np.full(n_new, NO_GROUP, dtype=np.int64)])
    if n_new:
        fresh = found.state.index.rows(np.arange(before.state.n_micro, found.state.n_micro))
        groups = adopt_by_products(
            found.state.index.products(fresh),
            np.any(fresh != 0, axis=1),
            found.state.n_reports,
            groups,
            threshold=threshold_of(found.state, before.group_factor),
            kinds=found.state.kinds,
            middles=middles_of(found.state),
            same_time=found.state.calibration.same_time if found.state.calibration else 0.0,
            burst_seconds=IDLE_SECONDS * BURST_SHARE,
            lengths=found.state.index.lengths(),
        )
    cluster_ids = _write_clusters(service_id, reports, found.micro, groups, before.cluster_ids)
    micro_ids = _write_micro_clusters(
        service_id, encoder.name, reports, read.guards, found.state, found.micro, cluster_ids, before.micro_ids
    )
    placed_micros = micro_ids[found.micro].tolist()
    _write_placements(service_id, reports, placed_micros, found.similarity.tolist(), now=now)
    _count_minutes(service_id, reports, placed_micros)
    after = replace(
        before,
        state=found.state,
        micro_ids=micro_ids,
        cluster_ids=cluster_ids,
        pins=np.concatenate([before.pins, np.full(n_new, NO_GROUP, dtype=np.int64)]),
        n_refined=np.concatenate([before.n_refined, np.zeros(n_new, dtype=np.int64)]),
    )
    return arrays.save_state(service_id, before=before, after=after, n_new=len(reports))


def threshold_of(state: LeaderState, group_factor: float) -> float:
    """Return how alike the reports of one cluster are on average, as people's corrections have it."""
    if state.calibration is None:
        return 1.0
    return group_threshold(state.calibration.usual_weighted, GROUP_FACTOR * group_factor)


def middles_of(state: LeaderState) -> Float64Array:
    """Return the middle of each micro-cluster's life, epoch seconds."""
    middles: Float64Array = (state.opened_at + state.last_seen) / 2
    return middles


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
    service_id: int,
    encoder_name: str,
    reports: Sequence[_PlacedReport],
    guards: Sequence[str],
    state: LeaderState,
    micro: IntArray,
    cluster_ids: IntArray,
    known_ids: IntArray,
) -> IntArray:
    """Add the new micro-clusters and update the sums of those that got reports; return all ids."""
    n_known = len(known_ids)
    touched, first_report = np.unique(micro, return_index=True)
    sums = state.index.rows(touched)
    place = {row: at for at, row in enumerate(touched.tolist())}
    old, new = touched[touched < n_known].tolist(), touched[touched >= n_known].tolist()
    new_ids: list[int] = []
    with connection.cursor() as cursor:
        if old:
            cursor.execute(
                "UPDATE reports_microcluster m SET vector_sum = u.total, n_reports = u.n, last_seen_at = u.seen"
                " FROM unnest(%s::bigint[], %s::bytea[], %s::int[], %s::timestamptz[]) AS u (id, total, n, seen)"
                " WHERE m.id = u.id",
                [
                    known_ids[old].tolist(),
                    [arrays.sum_to_bytes(sums[place[row]]) for row in old],
                    state.n_reports[old].tolist(),
                    _moments(state.last_seen[old]),
                ],
            )
        if new:
            # Ids first, so that rows and ids are in one order whatever the order of insertion.
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence('reports_microcluster', 'id')) FROM generate_series(1, %s)",
                [len(new)],
            )
            new_ids = sorted(row[0] for row in cursor.fetchall())
            openers = [int(at) for at in first_report[touched >= n_known]]
            cursor.execute(
                "INSERT INTO reports_microcluster (id, service_id, cluster_id, encoder, vector_sum, n_reports,"
                " country, guard, opened_at, last_seen_at)"
                " SELECT u.id, %s, u.cluster, %s, u.total, u.n, u.country, u.guard, u.opened, u.seen"
                " FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[], %s::int[], %s::varchar[], %s::varchar[],"
                " %s::timestamptz[], %s::timestamptz[]) AS u (id, cluster, total, n, country, guard, opened, seen)",
                [
                    service_id,
                    encoder_name,
                    new_ids,
                    cluster_ids[new].tolist(),
                    [arrays.sum_to_bytes(sums[place[row]]) for row in new],
                    state.n_reports[new].tolist(),
                    [reports[at].region[:2] for at in openers],
                    [guards[at] for at in openers],
                    _moments(state.opened_at[new]),
                    _moments(state.last_seen[new]),
                ],
            )
    return np.concatenate([known_ids, np.array(new_ids, dtype=np.int64)])


def _moments(seconds: Float64Array) -> list[datetime]:
    return [datetime.fromtimestamp(second, UTC) for second in seconds.tolist()]


def _write_placements(
    service_id: int,
    reports: Sequence[_PlacedReport],
    micro_ids: Sequence[int],
    similarity: Sequence[float],
    *,
    now: datetime,
) -> None:
    columns = (
        "report_id, service_id, micro_cluster_id, similarity, region, reporter, is_counted, p_problem, is_set_aside,"
        " set_aside_for, counted_at, placed_at"
    )
    types = ("uuid", "int8", "int8", "float8", "varchar", "bytea", "bool", "float8", "bool", "varchar[]",
             "timestamptz", "timestamptz")  # fmt: skip
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {Placement._meta.db_table} ({columns}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(types)
        for report, micro_id, near in zip(reports, micro_ids, similarity, strict=True):
            copy.write_row(
                (report.id, service_id, micro_id, near, report.region, report.reporter, report.is_counted,
                report.p_problem, report.is_set_aside, report.set_aside_for, report.counted_at, now)
            )  # fmt: skip


def _count_minutes(service_id: int, reports: Sequence[_PlacedReport], micro_ids: Sequence[int]) -> None:
    cells: dict[tuple[datetime, int, str], list[int]] = {}
    for report, micro_id in zip(reports, micro_ids, strict=True):
        minute = report.counted_at.replace(second=0, microsecond=0)
        cell = cells.setdefault((minute, micro_id, report.region), [0, 0, 0])
        cell[0] += 1
        cell[1] += report.is_counted
        cell[2] += report.is_set_aside
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {MinuteCount._meta.db_table} AS c"  # noqa: S608  a constant
            " (service_id, minute, micro_cluster_id, region, n_reports, n_counted, n_set_aside)"
            " SELECT %s, * FROM unnest(%s::timestamptz[], %s::bigint[], %s::varchar[], %s::int[], %s::int[], %s::int[])"
            " ON CONFLICT (service_id, minute, micro_cluster_id, region) DO UPDATE"
            " SET n_reports = c.n_reports + excluded.n_reports, n_counted = c.n_counted + excluded.n_counted,"
            " n_set_aside = c.n_set_aside + excluded.n_set_aside",
            [
                service_id,
                [minute for minute, _, _ in cells],
                [micro_id for _, micro_id, _ in cells],
                [region for _, _, region in cells],
                *(list(counts) for counts in zip(*cells.values(), strict=True)),
            ],
        )


def shortened(text: str) -> str:
    """Return the beginning of a text, as a label of a cluster that has no better one."""
    line = " ".join(text.split())
    return line if len(line) <= LABEL_CHARS else line[: LABEL_CHARS - 1].rstrip() + "…"
