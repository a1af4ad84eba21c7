"""Writing a batch: clusters, micro-clusters, placements and minute counts, each by one statement however many rows.

Invariant: called in the transaction that claims the batch, under the service's lock, so it is all there or none of it.
Not here: what is written (`services`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import numpy as np
from django.db import connection

from ml.cluster import LeaderState
from ml.refine import NO_GROUP
from ml.types import Float64Array, IntArray
from reports.clustering import arrays
from reports.clustering.sources import Came
from reports.models import MinuteCount, Placement

LABEL_CHARS: Final = 80
_MICRO_TYPES: Final = (
    "int8", "varchar", "int8", "int8", "bytea", "int4", "varchar", "varchar", "timestamptz", "timestamptz",
)  # fmt: skip
_CLUSTER_TYPES: Final = (
    "int8", "int8", "varchar", "uuid", "int4", "timestamptz", "timestamptz",
    "varchar", "varchar[]", "float8[]", "varchar[]", "varchar[]",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlacedReport:
    """A report with its place in the count."""

    id: UUID
    text: str
    region: str
    reporter: bytes
    network: bytes
    counted_at: datetime
    is_counted: bool
    p_problem: float | None
    is_set_aside: bool
    set_aside_for: list[str]
    p_failing: float | None
    tells_failure: bool
    came: Came
    quarantine_id: int | None = None


def write_clusters(
    service_id: int, reports: Sequence[PlacedReport], micro: IntArray, groups: IntArray, known: IntArray
) -> IntArray:
    """Make rows for new groups, bring the others up to date; return each micro-cluster's cluster id."""
    first_new = int(known.max(initial=NO_GROUP)) + 1
    group_of_report = groups[micro].tolist()
    n_reports = Counter(group_of_report)
    openers: dict[int, PlacedReport] = {}
    last_seen: dict[int, datetime] = {}
    for report, group in zip(reports, group_of_report, strict=True):
        last_seen[group] = max(report.counted_at, last_seen.get(group, report.counted_at))
        if group >= first_new:
            openers.setdefault(group, report)
    ids = dict(zip(openers, _new_ids("reports_cluster", len(openers)), strict=True))
    if openers:
        with (
            connection.cursor() as cursor,
            cursor.copy(
                "COPY reports_cluster (service_id, id, label, typical_report_id, n_reports, first_seen_at,"
                " last_seen_at, given_name, terms, term_shares, languages, regions) FROM STDIN (FORMAT BINARY)"
            ) as copy,
        ):
            copy.set_types(_CLUSTER_TYPES)
            for group, report in openers.items():
                copy.write_row(
                    (service_id, ids[group], shortened(report.text), report.id, n_reports[group], report.counted_at,
                    last_seen[group], "", [], [], [], [])
                )  # fmt: skip
    old = [group for group in n_reports if group not in ids]
    if old:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE reports_cluster c SET n_reports = c.n_reports + u.n,"
                " last_seen_at = greatest(c.last_seen_at, u.seen)"
                " FROM unnest(%s::bigint[], %s::int[], %s::timestamptz[]) AS u (id, n, seen) WHERE c.id = u.id",
                [old, [n_reports[group] for group in old], [last_seen[group] for group in old]],
            )
    return np.array([ids.get(group, group) for group in groups.tolist()], dtype=np.int64)


def write_micro_clusters(
    service_id: int,
    encoder_name: str,
    reports: Sequence[PlacedReport],
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
            n_bytes = 4 * sums.shape[1]
            cursor.execute(
                f"UPDATE reports_microcluster m SET vector_sum = {arrays.UNPACKED}, n_reports = u.n,"  # noqa: S608  a constant
                " last_seen_at = u.seen FROM unnest(%s::bigint[], %s::int[], %s::timestamptz[])"
                " WITH ORDINALITY AS u (id, n, seen, place) WHERE m.id = u.id",
                [
                    arrays.packed(sums[[place[row] for row in old]]),
                    n_bytes,
                    n_bytes,
                    known_ids[old].tolist(),
                    state.n_reports[old].tolist(),
                    _moments(state.last_seen[old]),
                ],
            )
        if new:
            new_ids = _new_ids("reports_microcluster", len(new))
            openers = [int(at) for at in first_report[touched >= n_known]]
            rows = zip(
                new_ids,
                cluster_ids[new].tolist(),
                [arrays.sum_to_bytes(sums[place[row]]) for row in new],
                state.n_reports[new].tolist(),
                [reports[at].region[:2] for at in openers],
                [guards[at] for at in openers],
                _moments(state.opened_at[new]),
                _moments(state.last_seen[new]),
                strict=True,
            )
            with cursor.copy(
                "COPY reports_microcluster (service_id, encoder, id, cluster_id, vector_sum, n_reports, country, guard,"
                " opened_at, last_seen_at) FROM STDIN (FORMAT BINARY)"
            ) as copy:
                copy.set_types(_MICRO_TYPES)
                for row in rows:
                    copy.write_row((service_id, encoder_name, *row))
    return np.concatenate([known_ids, np.array(new_ids, dtype=np.int64)])


def _new_ids(table: str, n: int) -> list[int]:
    """Take ids before the rows are written, so that rows and ids are in one order whatever the order of insertion."""
    if n == 0:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, n])
        return sorted(new_id for (new_id,) in cursor.fetchall())


def _moments(seconds: Float64Array) -> list[datetime]:
    return [datetime.fromtimestamp(second, UTC) for second in seconds.tolist()]


def write_placements(
    service_id: int,
    reports: Sequence[PlacedReport],
    micro_ids: Sequence[int],
    similarity: Sequence[float],
    *,
    now: datetime,
) -> None:
    columns = (
        "report_id, service_id, micro_cluster_id, similarity, region, reporter, network, is_counted, p_problem,"
        " is_set_aside, set_aside_for, is_quarantined, quarantine_id, p_failing, tells_failure, counted_at, placed_at"
    )
    types = ("uuid", "int8", "int8", "float8", "varchar", "bytea", "bytea", "bool", "float8", "bool", "varchar[]",
             "bool", "int8", "float8", "bool", "timestamptz", "timestamptz")  # fmt: skip
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {Placement._meta.db_table} ({columns}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(types)
        for report, micro_id, near in zip(reports, micro_ids, similarity, strict=True):
            copy.write_row(
                (report.id, service_id, micro_id, near, report.region, report.reporter, report.network,
                report.is_counted, report.p_problem, report.is_set_aside, report.set_aside_for,
                report.quarantine_id is not None, report.quarantine_id, report.p_failing, report.tells_failure,
                report.counted_at, now)
            )  # fmt: skip


def count_minutes(service_id: int, reports: Sequence[PlacedReport], micro_ids: Sequence[int]) -> None:
    cells: dict[tuple[datetime, int, str], list[int]] = {}
    for report, micro_id in zip(reports, micro_ids, strict=True):
        minute = report.counted_at.replace(second=0, microsecond=0)
        cell = cells.setdefault((minute, micro_id, report.region), [0, 0, 0, 0, 0])
        cell[0] += 1
        cell[1] += report.is_counted
        cell[2] += report.is_set_aside
        cell[3] += report.quarantine_id is not None
        cell[4] += report.is_counted and not report.tells_failure
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {MinuteCount._meta.db_table} AS c (service_id, minute, micro_cluster_id, region,"  # noqa: S608  a constant
            " n_reports, n_counted, n_set_aside, n_quarantined, n_no_failure)"
            " SELECT %s, * FROM unnest(%s::timestamptz[], %s::bigint[], %s::varchar[],"
            " %s::int[], %s::int[], %s::int[], %s::int[], %s::int[])"
            " ON CONFLICT (service_id, minute, micro_cluster_id, region) DO UPDATE"
            " SET n_reports = c.n_reports + excluded.n_reports, n_counted = c.n_counted + excluded.n_counted,"
            " n_set_aside = c.n_set_aside + excluded.n_set_aside,"
            " n_quarantined = c.n_quarantined + excluded.n_quarantined,"
            " n_no_failure = c.n_no_failure + excluded.n_no_failure",
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
