"""Reading streams: how many reports of which cluster came from where and when, and what is usual there.

A stream is a service, narrowed to places and to a cluster. Any number of streams is read by one query. Charts count
reporters once (`n_counted`), for that is what the usual was learnt from.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import Q

from reports.models import ServiceProfile, StreamLevel

HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
HOURS_A_DAY: Final = 24
_WHOLE_DAY: Final = (1.0,) * HOURS_A_DAY
BIN_MINUTES: Final = (1, 5, 15, 60, 360, 1440)
MOST_POINTS: Final = 300  # more than a phone's screen has room for

# One row a stream, however many there are: JSON, because arrays of arrays of different lengths don't unnest.
_STREAMS: Final = """
    FROM jsonb_to_recordset(%s::jsonb) AS s(
        ix int, service_id bigint, places text[], cluster_id bigint,
        since timestamptz, until timestamptz, bin_seconds int)
    JOIN reports_minutecount c ON c.service_id = s.service_id AND c.minute >= s.since AND c.minute < s.until
        AND (cardinality(s.places) = 0 OR c.region = ANY(s.places) OR split_part(c.region, '-', 1) = ANY(s.places))
    JOIN reports_microcluster m ON m.id = c.micro_cluster_id AND (s.cluster_id IS NULL OR m.cluster_id = s.cluster_id)
"""
_SERIES: Final = (
    "SELECT s.ix, floor(extract(epoch FROM c.minute - s.since) / s.bin_seconds)::int, sum(c.n_counted)::int"  # noqa: S608  all of it constants
    f"{_STREAMS} GROUP BY 1, 2"
)
_REGIONS: Final = f"SELECT s.ix, c.region, sum(c.n_counted)::int {_STREAMS} GROUP BY 1, 2"
_CLUSTERS: Final = (
    "SELECT ix, cluster_id, n FROM (SELECT s.ix, m.cluster_id, sum(c.n_reports)::int AS n,"  # noqa: S608  likewise
    " row_number() OVER (PARTITION BY s.ix ORDER BY sum(c.n_reports) DESC, m.cluster_id) AS place"
    f"{_STREAMS} GROUP BY 1, 2) ranked WHERE place <= %s ORDER BY ix, place"
)
_ROOTS: Final = """
    WITH RECURSIVE up(start, id, merged_into_id) AS (
        SELECT id, id, merged_into_id FROM reports_cluster WHERE id = ANY(%s)
        UNION
        SELECT up.start, c.id, c.merged_into_id FROM up JOIN reports_cluster c ON c.id = up.merged_into_id)
    SELECT start, id FROM up WHERE merged_into_id IS NULL
"""


@dataclass(frozen=True, slots=True)
class Stream:
    """A service between two moments, narrowed to places (none: everywhere) and a cluster (None: all)."""

    service_id: int
    since: datetime
    until: datetime
    places: tuple[str, ...] = ()
    cluster_id: int | None = None

    @property
    def bin_minutes(self) -> int:
        """The width of a bar, such that there are not too many of them."""
        minutes = (self.until - self.since) / MINUTE
        return next((width for width in BIN_MINUTES if minutes / width <= MOST_POINTS), BIN_MINUTES[-1])


@dataclass(frozen=True, slots=True)
class Point:
    """A bar of a chart: reports from `at` on, and how many are usual (None: not known)."""

    at: datetime
    observed: int
    expected: float | None


@dataclass(frozen=True, slots=True)
class Chart:
    """Observed against usual over time. `is_partial`: the last point's time is not over."""

    bin_minutes: int
    points: tuple[Point, ...]
    is_partial: bool


class Usual:
    """What is usual for some services and regions: rates by the hour of the week, shares by that of the day, in UTC."""

    def __init__(self, rates: Mapping[int, Sequence[float]], shares: Mapping[tuple[int, str], Sequence[float]]) -> None:
        self._rates = rates
        self._shares = shares

    def _shares_of(self, service_id: int, places: Sequence[str]) -> list[float] | None:
        """Return what part of the service's reports come from the places together; None where one is not known."""
        if not places:
            return list(self._shares.get((service_id, ""), _WHOLE_DAY))
        outer = [code for code in places if not any(code.startswith(f"{other}-") for other in places)]
        found = [self._shares.get((service_id, code)) for code in outer]
        known = [shares for shares in found if shares is not None]
        return [sum(hour) for hour in zip(*known, strict=True)] if len(known) == len(found) else None

    def expected(self, service_id: int, places: Sequence[str], since: datetime, until: datetime) -> float | None:
        """Return the reports usual between two moments; None where that has not been learnt."""
        rates = self._rates.get(service_id)
        shares = self._shares_of(service_id, places)
        if rates is None or shares is None:
            return None
        total, start = 0.0, since
        while start < until:
            end = min(start.replace(minute=0, second=0, microsecond=0) + HOUR, until)
            total += shares[start.hour] * rates[start.weekday() * 24 + start.hour] * ((end - start) / HOUR)
            start = end
        return total


def read_usual(service_ids: Iterable[int], places: Iterable[str] = (), *, countries: bool = False) -> Usual:
    """Read what is usual for services as a whole, for the places, and for all `countries` if asked. Queries: two."""
    ids = set(service_ids)
    rates = dict(ServiceProfile.objects.filter(service_id__in=ids).values_list("service_id", "rates_per_hour"))
    wanted = Q(region__in={"", *places})
    if countries:
        wanted |= ~Q(region__contains="-")
    levels = StreamLevel.objects.filter(wanted, service_id__in=ids)
    shares = {
        (service_id, region): by_hour or [share] * HOURS_A_DAY
        for service_id, region, share, by_hour in levels.values_list("service_id", "region", "share", "day_shares")
    }
    return Usual(rates, shares)


def charts(streams: Sequence[Stream], usual: Usual, *, fallbacks: Sequence[float | None]) -> list[Chart]:
    """Return a chart for each stream; a fallback is the usual a minute where none is learnt. Queries: one."""
    counts: dict[tuple[int, int], int] = {(ix, bin_): n for ix, bin_, n in _read(_SERIES, streams)}
    found = []
    for ix, (stream, fallback) in enumerate(zip(streams, fallbacks, strict=True)):
        width = stream.bin_minutes * MINUTE
        points: list[Point] = []
        start = stream.since
        while start < stream.until:
            end = min(start + width, stream.until)
            # A cluster's usual is not learnt by the hour; what the detector took for it is.
            expected = (
                usual.expected(stream.service_id, stream.places, start, end) if stream.cluster_id is None else None
            )
            if expected is None and fallback is not None:
                expected = fallback * ((end - start) / MINUTE)
            points.append(Point(start, counts.get((ix, len(points)), 0), expected))
            start += width
        found.append(Chart(stream.bin_minutes, tuple(points), is_partial=start > stream.until))
    return found


def counts_by_region(streams: Sequence[Stream]) -> list[dict[str, int]]:
    """Return for each stream how many reports came from which region. Queries: one."""
    found: list[dict[str, int]] = [{} for _ in streams]
    for ix, region, n in _read(_REGIONS, streams):
        found[ix][region] = n
    return found


def top_clusters(streams: Sequence[Stream], *, limit: int) -> list[list[tuple[int, int]]]:
    """Return for each stream its largest clusters with their reports, largest first. Queries: one."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for ix, cluster_id, n in _read(_CLUSTERS, streams, limit):
        found[ix].append((cluster_id, n))
    return [found[ix] for ix in range(len(streams))]


def root_clusters(cluster_ids: Iterable[int]) -> dict[int, int]:
    """Return for each cluster the one that stands for it now, after all merges. Queries: at most one."""
    ids = sorted(set(cluster_ids))
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_ROOTS, [ids])
        return dict(cursor.fetchall())


def _read(sql: str, streams: Sequence[Stream], *more: int) -> list[tuple[Any, ...]]:
    if not streams:
        return []
    rows = [
        {
            "ix": ix,
            "service_id": stream.service_id,
            "places": list(stream.places),
            "cluster_id": stream.cluster_id,
            "since": stream.since.isoformat(),
            "until": stream.until.isoformat(),
            "bin_seconds": stream.bin_minutes * 60,
        }
        for ix, stream in enumerate(streams)
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, [json.dumps(rows), *more])
        return list(cursor.fetchall())
