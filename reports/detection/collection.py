"""A source that collects otherwise than before: noticed before an outage is opened, and taken back out of the counts.

Invariant: only what one source brings more than it used to is taken out, and only while it brings it evenly; whatever
stands out of the even rise counts in full. So a collector that doubles is one alarm and no outage, and an outage that
has a place, or that others report too, is found all the same. Asked only where something rises. Not here: the
mathematics (`ml.sources`), and the end of such an alarm (`sources`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np
from django.db import connection

from ml.baseline import hour_slot
from ml.detect import LOOKBACK_MINUTES
from ml.regions import ancestors
from ml.sources import BINS_PER_HOUR, Cells, CollectionChange, collection_change, common_ratio, stands_out
from ml.types import BoolArray, Float64Array
from reports.clustering.sources import BIN
from reports.detection.arrays import HOUR, MINUTE, LastHour, epoch_hour, floor_hour
from reports.detection.sources import WATCHED, end_alarm, is_gone
from reports.enums import Channel, SourceAlarmKind
from reports.intake.ids import first_id
from reports.models import Source, SourceAlarm, SourceCount, SourceProfile

# A rise is looked for in the latest quarter, half and whole hour, the running five minutes included.
WINDOW_BINS: Final = (3, 6, 12)
SHORT_BINS: Final = WINDOW_BINS[0]
# For so long every look asks again whether the rise is even; and if it is not, nobody says so again for an hour.
JUDGED_FOR: Final = 30 * MINUTE
MISTAKEN_FOR: Final = HOUR
# A source that is new has no usual before this; until then it starts.
KNOWN_AFTER: Final = 24 * HOUR
# A source that starts is left out; what it brings shows after so long what is usual for it.
STARTED_AFTER: Final = 2 * HOUR
LEVEL_OVER: Final = 24 * HOUR


@dataclass(frozen=True, slots=True)
class _Latest:
    """What each source brought in the last hour, and usually brings: a row a source, service and region, by bin."""

    sources: list[Source]
    services: list[int]
    regions: list[str]
    cells: list[tuple[int, int, int]]  # numbers of the three
    observed: Float64Array
    usual: Float64Array

    def within(self, n_bins: int, *, without_excess: frozenset[int] = frozenset()) -> Cells:
        """Return the latest bins. Of sources whose excess is explained already (by id) all that came is usual."""
        source, service, region = np.array(self.cells, dtype=np.int64).reshape(-1, 3).T
        explained = np.array([one.pk in without_excess for one in self.sources], dtype=np.bool_)[source]
        observed, usual = self.observed[:, -n_bins:].sum(axis=1), self.usual[:, -n_bins:].sum(axis=1)
        return Cells(source, service, region, observed, np.where(explained, observed, usual))

    def is_known(self, now: datetime) -> BoolArray:
        known = [bool(source.rates_per_hour) and now - source.first_heard_at >= KNOWN_AFTER for source in self.sources]
        return np.array(known, dtype=np.bool_)


def as_collected(hour: LastHour, *, service_id: int, now: datetime) -> LastHour:
    """Return the hour without what a source brings only because it collects otherwise now; itself where none does.

    Opens the alarm of a source for which that is first noticed. Concurrency: two workers that notice the same at once
    agree by the alarm's constraint. Queries: one where nobody uses a key, else four, two for an alarm that is new, and
    one or two for each changed source.
    """
    sources = list(Source.objects.select_related("key").exclude(channel=Channel.DRILL).order_by("pk"))
    if all(source.key is None for source in sources):
        return hour
    latest = _read_latest(sources, now=now)
    alarms = list(SourceAlarm.objects.filter(kind=SourceAlarmKind.COLLECTION_CHANGE, until=None).order_by("source_id"))
    alarms = [alarm for alarm in alarms if _stays_even(latest, alarm, now=now)]
    explained = frozenset(alarm.source_id for alarm in alarms)
    if (noticed := _notice(latest, explained, now=now)) is not None:
        alarms.append(noticed)
    for alarm in alarms:
        at = next((i for i, source in enumerate(latest.sources) if source.pk == alarm.source_id), None)
        if at is not None and service_id in latest.services:
            kept = _kept_parts(latest, at, alarm, service_id, now=now)
            hour = _without(hour, latest.sources[at], kept, service_id=service_id, now=now)
    return hour


def _notice(latest: _Latest, explained: frozenset[int], *, now: datetime) -> SourceAlarm | None:
    """Open the alarm of a source of which it is noticed now, beside those that have one."""
    sources = latest.sources
    may_change = np.array([_may_change(one) and one.pk not in explained for one in sources], dtype=np.bool_)
    found = _changed(latest, may_change, explained, now=now)
    if found is None:
        return None
    n_bins, change = found
    source = sources[change.source]
    if SourceAlarm.objects.filter(
        source=source, kind=SourceAlarmKind.COLLECTION_CHANGE, until__gt=now - MISTAKEN_FOR, evidence__ended="uneven"
    ).exists():
        return None
    alarm, _ = SourceAlarm.objects.get_or_create(
        source=source,
        kind=SourceAlarmKind.COLLECTION_CHANGE,
        until=None,
        defaults={
            "since": min(max(_newest_bin(now) - (n_bins - 1) * BIN, source.first_heard_at), now),
            "found_at": now,
            "evidence": {
                "minutes": n_bins * 5,
                "observed": round(change.observed),
                "usual": round(change.usual, 2),
                "ratio": round(change.ratio, 2) if math.isfinite(change.ratio) else None,
                "share_of_excess": round(change.share_of_excess, 3),
                "p_even": round(change.p_even, 4),
                "n_services": change.n_services,
                "n_regions": change.n_regions,
            },
        },
    )
    return alarm


def _may_change(source: Source) -> bool:
    """Tell whether a rise of a source may be its own. An Alertmanager is silent by nature and speaks up of all at once
    when all is down; whoever uses no key is not one sender.
    """
    return source.key is not None and not is_gone(source) and source.channel in WATCHED


def _stays_even(latest: _Latest, alarm: SourceAlarm, *, now: datetime) -> bool:
    """Tell whether a young alarm still holds; what looked even with few reports may turn out to have a place.

    Only the source itself is asked: what the others bring meanwhile may be an outage besides.
    """
    if now - alarm.found_at > JUDGED_FOR or alarm.found_at == now:
        return True
    may_change = np.array([one.pk == alarm.source_id for one in latest.sources], dtype=np.bool_)
    others = frozenset(one.pk for one in latest.sources if one.pk != alarm.source_id)
    if _changed(latest, may_change, others, now=now) is not None:
        return True
    end_alarm(alarm, "uneven", now=now)
    return False


def _changed(
    latest: _Latest, may_change: BoolArray, explained: frozenset[int], *, now: datetime
) -> tuple[int, CollectionChange] | None:
    """Return the first window in which one of these sources has changed, and how."""
    if not may_change.any():
        return None
    is_known = latest.is_known(now) | np.array([one.pk in explained for one in latest.sources], dtype=np.bool_)
    for n_bins in WINDOW_BINS:
        cells = latest.within(n_bins, without_excess=explained)
        if (found := collection_change(cells, may_change=may_change, is_known=is_known)) is not None:
            return n_bins, found
    return None


def _kept_parts(latest: _Latest, at: int, alarm: SourceAlarm, service_id: int, *, now: datetime) -> Mapping[str, float]:
    """Return which part of the source's reports counts on, by region of the service; 1 where it is not named."""
    own = [i for i, (source, _, _) in enumerate(latest.cells) if source == at]
    here = [i for i in own if latest.services[latest.cells[i][1]] == service_id]
    if not here:
        return {}
    if alarm.evidence.get("ratio") is None:
        if now - alarm.since < STARTED_AFTER:
            return {latest.regions[latest.cells[i][2]]: 0.0 for i in here}
        usual, part = _level_since(latest, here, alarm, service_id, now=now), 0.0
    else:
        service_of = np.array([latest.cells[i][1] for i in own])
        n_bins = min(BINS_PER_HOUR, max(SHORT_BINS, math.ceil((now - alarm.since) / BIN)))
        by_service = [
            np.bincount(service_of, table[own, -n_bins:].sum(axis=1)) for table in (latest.observed, latest.usual)
        ]
        ratio = max(common_ratio(*by_service), 1.0)
        usual, part = ratio * latest.usual[here], 1.0 / ratio
    observed = latest.observed[here]
    departs = np.zeros(len(here), dtype=np.bool_)
    for n_bins in (SHORT_BINS, BINS_PER_HOUR):
        seen, due = observed[:, -n_bins:].sum(axis=1), usual[:, -n_bins:].sum(axis=1)
        departs |= stands_out(seen, due) | stands_out(seen.sum(), due.sum())
    return {
        latest.regions[latest.cells[i][2]]: 1.0 if is_out else part
        for i, is_out in zip(here, departs.tolist(), strict=True)
    }


def _level_since(
    latest: _Latest, here: list[int], alarm: SourceAlarm, service_id: int, *, now: datetime
) -> Float64Array:
    """Return what a source that started has brought in five minutes since, the last hour left out, by cell and bin."""
    since = max(floor_hour(alarm.since) + HOUR, floor_hour(now - LEVEL_OVER))
    until = max(floor_hour(now) - HOUR, since)
    counts = SourceCount.objects.filter(
        source_id=alarm.source_id, service_id=service_id, hour__gte=since, hour__lt=until
    )
    total: dict[str, int] = {}
    for region, bins in counts.values_list("region", "bins"):
        total[region] = total.get(region, 0) + sum(bins)
    n_bins = max((until - since) // BIN, 1)
    level = np.array([total.get(latest.regions[latest.cells[i][2]], 0) / n_bins for i in here])
    return np.repeat(level[:, None], BINS_PER_HOUR, axis=1)


def _without(hour: LastHour, source: Source, kept: Mapping[str, float], *, service_id: int, now: datetime) -> LastHour:
    """Take the parts that do not count on out of the counts. Queries: one where there is any."""
    if all(part == 1.0 for part in kept.values()):
        return hour
    newest = now.replace(second=0, microsecond=0)
    oldest = newest - (LOOKBACK_MINUTES - 1) * MINUTE
    in_regions, in_clusters = hour.region_counts.copy(), hour.cluster_counts.copy()
    row_of = {region: row for row, region in enumerate(hour.regions)}
    cluster_row_of = {cluster_id: row for row, cluster_id in enumerate(hour.cluster_ids)}
    with connection.cursor() as cursor:
        # What came in time has an id of its time, so that only one or two partitions are looked into.
        cursor.execute(
            "SELECT date_trunc('minute', p.counted_at), p.region, m.cluster_id, count(*) FROM reports_placement p"
            " JOIN reports_report r ON r.id = p.report_id JOIN reports_microcluster m ON m.id = p.micro_cluster_id"
            " WHERE p.service_id = %s AND p.is_counted AND p.counted_at >= %s AND p.counted_at < %s AND r.id >= %s"
            " AND r.channel = %s AND r.key_id IS NOT DISTINCT FROM %s GROUP BY 1, 2, 3",
            [service_id, oldest, newest + MINUTE, first_id(oldest), source.channel, source.key_id],
        )
        for minute, region, cluster_id, n in cursor.fetchall():
            column, surplus = (minute - oldest) // MINUTE, n * (1.0 - kept.get(region, 1.0))
            for node in (region, *ancestors(region)):
                if node in row_of:
                    in_regions[row_of[node], column] -= surplus
            if cluster_id in cluster_row_of:
                in_clusters[cluster_row_of[cluster_id], column] -= surplus
    in_regions, in_clusters = np.maximum(in_regions, 0.0), np.maximum(in_clusters, 0.0)
    # Which of a source's reports go is not told; those that tell of a failure go in proportion.
    return replace(
        hour,
        region_counts=in_regions,
        cluster_counts=in_clusters,
        region_failing=hour.region_failing * in_regions / np.maximum(hour.region_counts, 1.0),
        cluster_failing=hour.cluster_failing * in_clusters / np.maximum(hour.cluster_counts, 1.0),
    )


def _read_latest(sources: list[Source], *, now: datetime) -> _Latest:
    """Read the last hour of the sources beside what is usual for each. Queries: two."""
    newest = _newest_bin(now)
    oldest = newest - (BINS_PER_HOUR - 1) * BIN
    starts = [oldest + i * BIN for i in range(BINS_PER_HOUR)]
    slots = hour_slot([epoch_hour(start) for start in starts])
    at = {source.pk: i for i, source in enumerate(sources)}
    seen: dict[tuple[int, int, str], Float64Array] = {}
    rows = SourceCount.objects.filter(hour__gte=floor_hour(oldest), source_id__in=at)
    for service_id, source_id, region, hour, bins in rows.values_list(
        "service_id", "source_id", "region", "hour", "bins"
    ):
        cell = seen.setdefault((at[source_id], service_id, region), np.zeros(BINS_PER_HOUR))
        for place, n in enumerate(bins):
            if n and 0 <= (i := (hour + place * BIN - oldest) // BIN) < BINS_PER_HOUR:
                cell[i] += n
    usual: dict[tuple[int, int, str], Float64Array] = {}
    passed = np.ones(BINS_PER_HOUR)
    passed[-1] = (now - newest) / BIN
    for profile in SourceProfile.objects.filter(source_id__in=at):
        by_bin = np.array(profile.rates_per_hour)[slots] / BINS_PER_HOUR * passed
        for region, share in zip(profile.regions, profile.shares, strict=True):
            usual[at[profile.source_id], profile.service_id, region] = share * by_bin
    keys = sorted({*seen, *usual})
    services = sorted({service_id for _, service_id, _ in keys})
    regions = sorted({region for _, _, region in keys})
    service_at = {service_id: i for i, service_id in enumerate(services)}
    region_at = {region: i for i, region in enumerate(regions)}
    nothing = np.zeros(BINS_PER_HOUR)
    return _Latest(
        sources=sources,
        services=services,
        regions=regions,
        cells=[(source, service_at[service_id], region_at[region]) for source, service_id, region in keys],
        observed=np.array([seen.get(key, nothing) for key in keys]).reshape(-1, BINS_PER_HOUR),
        usual=np.array([usual.get(key, nothing) for key in keys]).reshape(-1, BINS_PER_HOUR),
    )


def _newest_bin(now: datetime) -> datetime:
    return now - (now - floor_hour(now)) % BIN
