"""Placing reports: claim → encode → assign → placements, counts and clusters, in one transaction a service.

Invariant: a report is placed once and counted with its placement or not at all; whoever runs this a second time finds
nothing to do. One writer a service (advisory lock), any number of services at once. Labels and merging are
`refinement`'s.
"""

from __future__ import annotations

import logging
from bisect import insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Literal

import numpy as np
from django.db import connection, transaction
from django.db.models import Min, Sum

from ml.adopt import adopt, joining_threshold
from ml.cluster import BURST_SHARE, LeaderState, assign
from ml.guards import kinds_of
from ml.refine import GROUP_FACTOR, NO_GROUP, group_threshold
from ml.types import Float64Array
from reports.clustering import arrays, encoding, failing_now, handover, quarantine, screening, writing
from reports.clustering.arrays import ServiceClusters
from reports.clustering.corrections import apply_corrections, services_with_corrections
from reports.clustering.counting import COUNT_ONCE_WITHIN, counts_again, is_crowded, most_of_a_network
from reports.clustering.locks import lock_service
from reports.clustering.quarantine import Arrived
from reports.clustering.sources import Came, count_sources
from reports.clustering.turns import each_service
from reports.clustering.writing import PlacedReport
from reports.enums import Channel, Symptom
from reports.models import IntakeBatch, MinuteCount
from reports.nudge import nudge

logger = logging.getLogger(__name__)

CLAIM_REPORTS: Final = 2_000  # reports a transaction: half a second of work, so a kill repeats little
# A batch holds at least one report, so whoever claims this many has not made a small catch (see `cluster_pending`).
CLAIM_BATCHES: Final = CLAIM_REPORTS // 2
# Of a backlog the newest reports go first, for detection looks at the last hour; every so many claims the oldest, so
# that none waits for longer than three times what the backlog takes.
OLDEST_EVERY: Final = 3
_ROW: Final = (
    "counted_at", "id", "text", "symptom", "region", "reporter", "network", "channel", "key_id", "received_at",
    "suspicion",
)  # fmt: skip
IDLE_SECONDS: Final = arrays.IDLE_AFTER.total_seconds()


def cluster_pending(*, now: datetime) -> int:
    """Carry out what people said, and place every report that is in no cluster yet; return how many were placed.

    Concurrency: safe to run any number of times at once; a service that another worker is at is left to it.
    """
    waiting = dict.fromkeys([*_services_with_batches(), *services_with_corrections()])
    return each_service(waiting, lambda service_id: _place_backlog(service_id, now=now))


def _place_backlog(service_id: int, *, now: datetime) -> int:
    n_placed = 0
    n = CLAIM_REPORTS
    n_claims = 0
    while n >= CLAIM_REPORTS // 2:  # a small catch means that the service's backlog is empty
        n_claims += 1
        n = place_batches(service_id=service_id, now=now, oldest_first=n_claims % OLDEST_EVERY == 0)
        n_placed += n
    return n_placed


def place_batches(*, service_id: int, now: datetime, oldest_first: bool = False) -> int:
    """Place the newest unplaced batches of a service, or the oldest; return the number of reports, 0 when nothing is
    left.
    """
    with transaction.atomic():
        if not lock_service(service_id):
            return 0
        if apply_corrections(service_id=service_id, now=now):
            arrays.forget(service_id)
        batches = _claim_batches(service_id, oldest_first=oldest_first)
        if not batches:
            return 0
        reports = _reports_of(service_id, batches, now=now)
        if reports:
            clusters = _place(service_id, reports, now=now)
            quarantine.review(service_id, until=reports[-1].counted_at, n_new=len(reports), now=now)
            transaction.on_commit(lambda: arrays.remember(service_id, clusters))
        IntakeBatch.objects.filter(pk__in=[batch.pk for batch in batches]).update(clustered_at=now)
        nudge("detect")
        nudge("refine")  # finds little to do until a hundred reports have come
    return sum(len(batch.report_ids) for batch in batches)


def _services_with_batches() -> list[int]:
    """Return the services with unplaced batches, the one that has waited longest first."""
    waiting = IntakeBatch.objects.filter(clustered_at__isnull=True).values("service_id").annotate(oldest=Min("id"))
    return [row["service_id"] for row in waiting.order_by("oldest")]


def _claim_batches(service_id: int, *, oldest_first: bool) -> list[IntakeBatch]:
    pending = (
        IntakeBatch.objects.select_for_update(skip_locked=True)
        .filter(service_id=service_id, clustered_at__isnull=True)
        .order_by("id" if oldest_first else "-id")[:CLAIM_BATCHES]
    )
    claimed: list[IntakeBatch] = []
    n_reports = 0
    for batch in pending:
        if claimed and n_reports + len(batch.report_ids) > CLAIM_REPORTS:
            break
        claimed.append(batch)
        n_reports += len(batch.report_ids)
    return sorted(claimed, key=lambda batch: batch.pk)


def _reports_of(service_id: int, batches: Sequence[IntakeBatch], *, now: datetime) -> list[PlacedReport]:
    """Return the batches' reports in the order they count, each with whether it does."""
    ids = [report_id for batch in batches for report_id in batch.report_ids]
    with connection.cursor() as cursor:
        # As an array: two thousand placeholders take longer to write than to look up.
        cursor.execute(
            f"SELECT {', '.join(_ROW)} FROM reports_report WHERE id = ANY(%s)",  # noqa: S608  constants
            [ids],
        )
        rows = sorted(cursor.fetchall(), key=lambda row: row[:2])
    likely = _likely_problems(rows)
    aside = [
        p is not None and not screening.reads_as_problem(p) and not screening.names_a_code(row[2])
        for row, p in zip(rows, likely, strict=True)
    ]
    failing = _likely_failing(rows, aside)
    against = iter(screening.words_against([row[2] for row, is_aside in zip(rows, aside, strict=True) if is_aside]))
    counted = _counted_times(service_id, rows, of="reporter")
    of_networks = _counted_times(service_id, rows, of="network")
    held = _held(service_id, rows, aside, now=now)
    n_counted = _n_counted(service_id, rows) if of_networks else 0
    sharing = quarantine.usual_sharing(service_id, day=quarantine.day_of(rows[-1][0])) if of_networks else None
    reports = []
    for row, p, is_aside, quarantine_id, p_failing in zip(rows, likely, aside, held, failing, strict=True):
        counted_at, report_id, text, symptom, region, raw_reporter, raw_network, channel, key_id, received_at, _ = row
        reporter, network = bytes(raw_reporter), bytes(raw_network)
        n_most = most_of_a_network(sharing, n_counted=n_counted)
        is_counted = (
            not is_aside
            and quarantine_id is None
            and not (network and is_crowded(of_networks[network], counted_at, n_most=n_most))
            and (not reporter or counts_again(counted[reporter], counted_at))
        )
        n_counted += is_counted
        if is_counted and network:
            insort(of_networks[network], counted_at)
        report = PlacedReport(
            id=report_id,
            text=arrays.words_of(text, symptom),
            region=region,
            reporter=reporter,
            network=network,
            counted_at=counted_at,
            is_counted=is_counted,
            p_problem=p,
            is_set_aside=is_aside,
            set_aside_for=next(against) if is_aside else [],
            p_failing=p_failing,
            tells_failure=p_failing is None or failing_now.reads_as_failure(p_failing),
            quarantine_id=quarantine_id,
            came=Came(channel, key_id, region, received_at, counted_at),
        )
        reports.append(report)
    return reports


def _held(
    service_id: int, rows: Sequence[tuple[Any, ...]], aside: Sequence[bool], *, now: datetime
) -> list[int | None]:
    """Return the group in which each report is held back; what is set aside feeds nothing anyway."""
    asked = [at for at, is_aside in enumerate(aside) if not is_aside]
    place = {name: at for at, name in enumerate(_ROW)}
    arrived = [
        Arrived(
            suspicion=rows[at][place["suspicion"]],
            network=bytes(rows[at][place["network"]]),
            counted_at=rows[at][place["counted_at"]],
            text=rows[at][place["text"]],
            channel=rows[at][place["channel"]],
        )
        for at in asked
    ]
    found: list[int | None] = [None] * len(rows)
    for at, quarantine_id in zip(asked, quarantine.hold(service_id, arrived, now=now), strict=True):
        found[at] = quarantine_id
    return found


def _n_counted(service_id: int, rows: Sequence[tuple[Any, ...]]) -> int:
    """Return how many reports count in the hour before these, and among their times. Queries: one."""
    counts = MinuteCount.objects.filter(
        service_id=service_id, minute__gt=rows[0][0] - COUNT_ONCE_WITHIN, minute__lte=rows[-1][0]
    )
    return counts.aggregate(n=Sum("n_counted"))["n"] or 0


def _likely_problems(rows: Sequence[tuple[Any, ...]]) -> list[float | None]:
    """Return how likely each is a problem report; None where the reporter has said so by choosing a symptom.

    Nor is an alert asked: somebody's rule says that it is one, in words that people don't use.
    """
    asked = [bool(row[2]) and row[3] in {"", Symptom.OTHER} and not _is_alert(row) for row in rows]
    found = iter(screening.p_problem([row[2] for row, is_asked in zip(rows, asked, strict=True) if is_asked]))
    return [next(found) if is_asked else None for is_asked in asked]


def _likely_failing(rows: Sequence[tuple[Any, ...]], aside: Sequence[bool]) -> list[float | None]:
    """Return how likely each tells that something fails now; None where its symptom, its code or a rule says so.

    What is set aside is not asked either, for it counts for nothing.
    """
    asked = [
        bool(row[2])
        and row[3] in {"", Symptom.OTHER}
        and not is_aside
        and not _is_alert(row)
        and not screening.names_a_code(row[2])
        for row, is_aside in zip(rows, aside, strict=True)
    ]
    found = iter(failing_now.p_failing([row[2] for row, is_asked in zip(rows, asked, strict=True) if is_asked]))
    return [next(found) if is_asked else None for is_asked in asked]


def _is_alert(row: tuple[Any, ...]) -> bool:
    return bool(row[_ROW.index("channel")] == Channel.ALERTMANAGER)


def _counted_times(
    service_id: int, rows: Sequence[tuple[Any, ...]], *, of: Literal["reporter", "network"]
) -> defaultdict[bytes, list[datetime]]:
    """Return when each of these reporters or networks counted for the service, oldest first, within the window."""
    found: defaultdict[bytes, list[datetime]] = defaultdict(list)
    place = _ROW.index(of)
    asked = list({bytes(row[place]) for row in rows if row[place]})
    if not asked:
        return found
    is_known = " AND network <> ''" if of == "network" else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {of}, counted_at FROM reports_placement WHERE service_id = %s AND {of} = ANY(%s){is_known}"  # noqa: S608  constants
            " AND is_counted AND counted_at > %s AND counted_at < %s ORDER BY counted_at",
            [service_id, asked, rows[0][0] - COUNT_ONCE_WITHIN, rows[-1][0] + COUNT_ONCE_WITHIN],
        )
        for one, counted_at in cursor.fetchall():
            found[bytes(one)].append(counted_at)
    return found


def _place(service_id: int, reports: Sequence[PlacedReport], *, now: datetime) -> ServiceClusters:
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
        calibration = found.state.calibration
        groups = adopt(
            found.state.index,
            found.state.n_reports,
            groups,
            threshold=joining_threshold(
                threshold_of(found.state, before.group_factor), calibration.mixed if calibration else 0.0
            ),
            kinds=found.state.kinds,
            middles=middles_of(found.state),
            same_time=calibration.same_time if calibration else 0.0,
            burst_seconds=IDLE_SECONDS * BURST_SHARE,
        )
    cluster_ids = writing.write_clusters(service_id, reports, found.micro, groups, before.cluster_ids)
    micro_ids = writing.write_micro_clusters(
        service_id, encoder.name, reports, read.guards, found.state, found.micro, cluster_ids, before.micro_ids
    )
    placed_micros = micro_ids[found.micro].tolist()
    writing.write_placements(service_id, reports, placed_micros, found.similarity.tolist(), now=now)
    writing.count_minutes(service_id, reports, placed_micros)
    quarantine.add_to_groups([report.quarantine_id for report in reports], [report.counted_at for report in reports])
    count_sources(service_id, [report.came for report in reports])
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
    calibration = state.calibration
    return group_threshold(calibration.usual_weighted, GROUP_FACTOR * group_factor)


def middles_of(state: LeaderState) -> Float64Array:
    """Return the middle of each micro-cluster's life, epoch seconds."""
    middles: Float64Array = (state.opened_at + state.last_seen) / 2
    return middles
