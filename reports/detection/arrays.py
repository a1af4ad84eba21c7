"""Minute counts as arrays: the regions' and clusters' last hour, and whole hours for learning. Decides nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import numpy as np
from django.db import connection

from ml.baseline import local_slots
from ml.detect import LOOKBACK_MINUTES
from ml.regions import roll_up
from ml.types import Float64Array, IntArray
from reports.models import Service

K = TypeVar("K")
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A tick: reports are counted while a look is prepared, so on the stroke of a minute it already holds some.
LEAST_ELAPSED_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class LastHour:
    """What a service got in the 60 minutes that end with the running one, by stream.

    `region_counts` has a row for each of `regions` (rolled up: "" first, a country holds its subdivisions),
    `cluster_counts` for each of `cluster_ids`; shape (k, 60), oldest first. `cluster_regions` tells a cluster's counts
    by the region named in the report; `n_clusters` is how many clusters had any. `region_failing` and `cluster_failing`
    are those of the counts that tell of a failure. Of the running minute `elapsed_seconds` have passed.
    """

    end_minute: int
    elapsed_seconds: float
    regions: list[str]
    region_counts: Float64Array
    cluster_ids: list[int]
    cluster_counts: Float64Array
    cluster_regions: dict[int, dict[str, int]]
    n_clusters: int
    region_failing: Float64Array
    cluster_failing: Float64Array

    def of_failures(self) -> LastHour:
        """Return the same hour with nothing in it but the reports that tell of a failure."""
        return replace(self, region_counts=self.region_failing, cluster_counts=self.cluster_failing)


def last_hour(service_id: int, *, now: datetime, least_in_cluster: int) -> LastHour:
    """Read a service's counts of the last 60 minutes. Queries: one.

    Clusters with fewer reports than `least_in_cluster` are counted (`n_clusters`) but get no row.
    """
    rows = _read_last_hour([service_id], now=now)
    return _as_hour(rows[service_id], now=now, least_in_cluster=least_in_cluster)


def last_hours(*, now: datetime, least: int) -> dict[int, LastHour]:
    """Read the last 60 minutes of every service that had at least so many counted reports in them. Queries: one.

    The same number is what a cluster needs for a row.
    """
    return {
        service_id: _as_hour(rows, now=now, least_in_cluster=least)
        for service_id, rows in _read_last_hour(None, now=now).items()
        if sum(n for _, _, _, n, _ in rows) >= least
    }


def hours_before(service_ids: Sequence[int], *, now: datetime) -> dict[int, LastHour]:
    """Read the 60 minutes before the last 60, with a row for every cluster that had a report. Queries: one."""
    before = now - LOOKBACK_MINUTES * MINUTE
    rows = _read_last_hour(service_ids, now=before)
    return {pk: _as_hour(rows[pk], now=before, least_in_cluster=0) for pk in service_ids}


# Minutes since the oldest, region, cluster, reports that count, and how many of these tell of a failure.
_Row = tuple[int, str, int, int, int]


def _read_last_hour(service_ids: Sequence[int] | None, *, now: datetime) -> dict[int, list[_Row]]:
    newest = now.replace(second=0, microsecond=0)
    oldest = newest - (LOOKBACK_MINUTES - 1) * MINUTE
    wanted = None if service_ids is None else list(service_ids)
    found: dict[int, list[_Row]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.service_id, (extract(epoch FROM c.minute - %s) / 60)::int, c.region, m.cluster_id,"
            " sum(c.n_counted)::int, sum(c.n_counted - c.n_no_failure)::int FROM reports_minutecount c"
            " JOIN reports_microcluster m ON m.id = c.micro_cluster_id"
            " WHERE c.minute >= %s AND c.minute <= %s AND (%s::bigint[] IS NULL OR c.service_id = ANY(%s))"
            " GROUP BY 1, 2, 3, 4",
            [oldest, oldest, newest, wanted, wanted],
        )
        for found_id, *row in cursor.fetchall():
            found[found_id].append(tuple(row))
    return found


def _as_hour(rows: list[_Row], *, now: datetime, least_in_cluster: int) -> LastHour:
    by_region: dict[str, Float64Array] = defaultdict(lambda: np.zeros(LOOKBACK_MINUTES))
    by_cluster: dict[int, Float64Array] = defaultdict(lambda: np.zeros(LOOKBACK_MINUTES))
    failing_by_region: dict[str, Float64Array] = defaultdict(lambda: np.zeros(LOOKBACK_MINUTES))
    failing_by_cluster: dict[int, Float64Array] = defaultdict(lambda: np.zeros(LOOKBACK_MINUTES))
    cluster_regions: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for column, region, cluster_id, n_counted, n_failing in rows:
        by_region[region][column] += n_counted
        by_cluster[cluster_id][column] += n_counted
        failing_by_region[region][column] += n_failing
        failing_by_cluster[cluster_id][column] += n_failing
        cluster_regions[cluster_id][region] += n_counted
    codes = list(by_region)
    regions, region_counts = roll_up(codes, _table(by_region, codes))
    _, region_failing = roll_up(codes, _table(failing_by_region, codes))
    cluster_ids = sorted(pk for pk, counts in by_cluster.items() if counts.sum() >= least_in_cluster)
    newest = now.replace(second=0, microsecond=0)
    return LastHour(
        end_minute=(newest - _EPOCH) // MINUTE,
        elapsed_seconds=max((now - newest).total_seconds(), LEAST_ELAPSED_SECONDS),
        regions=regions,
        region_counts=region_counts,
        cluster_ids=cluster_ids,
        cluster_counts=_table(by_cluster, cluster_ids),
        cluster_regions={pk: dict(found) for pk, found in cluster_regions.items()},
        n_clusters=len(by_cluster),
        region_failing=region_failing,
        cluster_failing=_table(failing_by_cluster, cluster_ids),
    )


def _table(rows: Mapping[K, Float64Array], keys: Sequence[K]) -> Float64Array:
    return np.array([rows[key] for key in keys]).reshape(-1, LOOKBACK_MINUTES)


def cluster_pasts(cluster_ids: Sequence[int], *, before: datetime, since: datetime) -> dict[int, float]:
    """Return how many reports clusters got between two moments; one that got none is not among them. Queries: one."""
    if not cluster_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.cluster_id, sum(c.n_counted)::float FROM reports_microcluster m"
            " JOIN reports_minutecount c ON c.micro_cluster_id = m.id"
            " WHERE m.cluster_id = ANY(%s) AND c.minute < %s AND c.minute > %s GROUP BY 1",
            [list(cluster_ids), before, since],
        )
        return dict(cursor.fetchall())


def hourly_failing(service_id: int, *, start: datetime, n_hours: int) -> tuple[Float64Array, Float64Array]:
    """Read by hour how many reports told of a failure, and how many there were. Queries: one."""
    failing, counts = np.zeros(n_hours), np.zeros(n_hours)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT date_trunc('hour', minute, 'UTC'), sum(n_counted - n_no_failure)::int, sum(n_counted)::int"
            " FROM reports_minutecount WHERE service_id = %s AND minute >= %s AND minute < %s GROUP BY 1",
            [service_id, start, start + n_hours * HOUR],
        )
        for hour, n_failing, n_counted in cursor.fetchall():
            failing[(hour - start) // HOUR], counts[(hour - start) // HOUR] = n_failing, n_counted
    return failing, counts


def hourly_counts(service_id: int, *, start: datetime, n_hours: int) -> tuple[list[str], Float64Array]:
    """Read counts by hour and region, rolled up; shape (n_regions, n_hours). Queries: one."""
    by_region: dict[str, Float64Array] = defaultdict(lambda: np.zeros(n_hours))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT date_trunc('hour', minute, 'UTC'), region, sum(n_counted)::int FROM reports_minutecount"
            " WHERE service_id = %s AND minute >= %s AND minute < %s GROUP BY 1, 2",
            [service_id, start, start + n_hours * HOUR],
        )
        for hour, region, n_counted in cursor.fetchall():
            by_region[region][(hour - start) // HOUR] += n_counted
    return _rolled_up(by_region, n_hours)


def minute_counts(service_id: int, *, start: datetime, n_minutes: int) -> tuple[list[str], Float64Array]:
    """Read counts by minute and region, rolled up; shape (n_regions, n_minutes). Queries: one."""
    by_region: dict[str, Float64Array] = defaultdict(lambda: np.zeros(n_minutes))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT region, floor(extract(epoch FROM minute - %s) / 60)::int, sum(n_counted)::int"
            " FROM reports_minutecount WHERE service_id = %s AND minute >= %s AND minute < %s GROUP BY 1, 2",
            [start, service_id, start, start + n_minutes * MINUTE],
        )
        for region, column, n_counted in cursor.fetchall():
            by_region[region][column] += n_counted
    return _rolled_up(by_region, n_minutes)


def _rolled_up(by_region: Mapping[str, Float64Array], n_columns: int) -> tuple[list[str], Float64Array]:
    codes = list(by_region)
    return roll_up(codes, np.array([by_region[code] for code in codes]).reshape(-1, n_columns))


def hourly_total(service_id: int, *, start: datetime, n_hours: int) -> Float64Array:
    """Read counts of a whole service by hour; shape (n_hours,). Queries: one."""
    return _total(service_id, start=start, n=n_hours, seconds=3600)


def minute_total(service_id: int, *, start: datetime, n_minutes: int) -> Float64Array:
    """Read counts of a whole service by minute; shape (n_minutes,). Queries: one."""
    return _total(service_id, start=start, n=n_minutes, seconds=60)


def _total(service_id: int, *, start: datetime, n: int, seconds: int) -> Float64Array:
    counts = np.zeros(n)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT floor(extract(epoch FROM minute - %s) / %s)::int, sum(n_counted)::int FROM reports_minutecount"
            " WHERE service_id = %s AND minute >= %s AND minute < %s GROUP BY 1",
            [start, seconds, service_id, start, start + n * timedelta(seconds=seconds)],
        )
        for column, n_counted in cursor.fetchall():
            counts[column] += n_counted
    return counts


def slots_of(service: Service, *, start: datetime, n_hours: int) -> IntArray:
    """Return which hour of a week each hour is like, by the service's clocks and holidays."""
    local = service.local_hours(start + i * HOUR for i in range(n_hours))
    hours = epoch_hour(start) + np.arange(n_hours)
    return local_slots(hours, [offset for offset, _ in local], [is_holiday for _, is_holiday in local])


def epoch_hour(moment: datetime) -> int:
    """Return whole hours since 1970."""
    return (moment - _EPOCH) // HOUR


def floor_hour(moment: datetime) -> datetime:
    """Return the beginning of the hour a moment lies in, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
