"""Watching the sources: learning what each usually brings, and noticing when one goes silent.

Invariant: what is usual is worked out anew each hour from the counts of four weeks, so nothing is learnt twice; a
source has one open alarm of a kind, and it ends by itself. One run at a time (advisory lock). Not here: a source that
collects otherwise than before (`collection`), which is noticed where an outage would be opened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from django.db import connection, transaction
from django.db.models import Sum

from ml.baseline import hour_slot
from ml.sources import BINS_PER_HOUR, SILENT_HOURS, UsualSource, learn_source, silence, speaks_again
from ml.types import BoolArray, Float64Array
from reports.clustering.sources import BIN
from reports.detection.arrays import HOUR, epoch_hour, floor_hour
from reports.enums import Channel, SourceAlarmKind
from reports.models import IntakeBatch, MinuteCount, ServiceProfile, Source, SourceAlarm, SourceCount, SourceProfile

LOCK_SOURCES: Final = 7103
LEARN_FROM: Final = timedelta(weeks=4)
# A report may be placed late, so the last closed hour waits another one (as in `learning`).
GUARD: Final = timedelta(hours=1)
# While reports wait so long to be placed, their sources only seem silent.
LAG_AT_MOST: Final = timedelta(minutes=5)
# Six looks missed: no worker ran, and perhaps nothing else did. Silence is counted from the return.
AWAY_AFTER: Final = timedelta(minutes=30)
MOST_UNWATCHED: Final = 200  # a hundred times without a worker; older ones are forgotten
# Drills and replays come and go as somebody likes, and an Alertmanager is silent because all is well.
WATCHED: Final = (Channel.FORM, Channel.REST, Channel.BULK, Channel.CLOUDEVENTS, Channel.SENTRY)
N_BINS: Final = SILENT_HOURS[-1] * BINS_PER_HOUR
# A changed collection has become usual when the services it feeds are this near to what is usual for them.
HAS_BECOME_USUAL: Final = 1.25
JUDGED_AFTER: Final = timedelta(hours=2)
JUDGED_OVER: Final = timedelta(hours=24)
LEAST_A_WEEK: Final = 1.0  # a source that brings less has no usual left


def watch_sources(*, now: datetime) -> int:
    """Learn what is usual, open an alarm for each source that fell silent, end what is over; return how many changed.

    Concurrency: one at a time; whoever comes second does nothing. While reports wait to be placed nothing is judged.
    """
    with transaction.atomic():
        if not _lock() or _is_behind(now):
            return 0
        sources = list(Source.objects.select_related("key").filter(channel__in=WATCHED).order_by("pk"))
        if not sources:
            return 0
        for source in sources:
            _note_look(source, now=now)
        _learn(sources, now=now)
        open_alarms = list(SourceAlarm.objects.filter(until=None).order_by("pk"))
        silent = {alarm.source_id: alarm for alarm in open_alarms if alarm.kind == SourceAlarmKind.SILENT}
        came = _latest_bins([source.pk for source in sources], now=now)
        n_changed = 0
        for source in sources:
            n_changed += _judge(source, silent.get(source.pk), came[source.pk], now=now)
        by_id = {source.pk: source for source in sources}
        changed = [alarm for alarm in open_alarms if alarm.kind == SourceAlarmKind.COLLECTION_CHANGE]
        n_changed += sum(_end_change(alarm, by_id[alarm.source_id], now=now) for alarm in changed)
    return n_changed


def is_gone(source: Source) -> bool:
    """Tell whether a source was switched off by a person: it is not silent then, but gone."""
    return source.key is not None and source.key.revoked_at is not None


def end_alarm(alarm: SourceAlarm, why: str, *, now: datetime) -> None:
    """End an alarm, and keep why: heard, gone, usual or uneven."""
    alarm.until = now
    alarm.evidence = {**alarm.evidence, "ended": why}
    alarm.save(update_fields=["until", "evidence"])


def _lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, 0)", [LOCK_SOURCES])
        return bool(cursor.fetchone()[0])


def _is_behind(now: datetime) -> bool:
    return IntakeBatch.objects.filter(clustered_at=None, written_at__lt=now - LAG_AT_MOST).exists()


# -- Silence -----------------------------------------------------------------------------------------------------------


def _judge(source: Source, alarm: SourceAlarm | None, bins: Float64Array, *, now: datetime) -> int:
    usual = _usual_of(source)
    if usual is None:
        return 0
    expected = _expected_bins(source, usual, now=now)
    if alarm is not None:
        last_hour = slice(-BINS_PER_HOUR, None)
        if is_gone(source) or usual.rates_per_hour.sum() < LEAST_A_WEEK:
            end_alarm(alarm, "gone", now=now)
        elif speaks_again(float(bins[last_hour].sum()), float(expected[last_hour].sum())):
            end_alarm(alarm, "heard", now=now)
        else:
            return 0
        return 1
    found = None if is_gone(source) else silence(bins, expected, usual)
    if found is None:
        return 0
    heard = np.flatnonzero(bins)
    if found.observed == 0 and heard.size:
        since = _bin_start(now) - (N_BINS - 2 - int(heard[-1])) * BIN  # where its last bin ended
    else:
        since = now - found.hours * HOUR
    SourceAlarm.objects.create(
        source=source,
        kind=SourceAlarmKind.SILENT,
        since=min(since, now),
        found_at=now,
        evidence={
            "hours": found.hours,
            "observed": found.observed,
            "expected": round(found.expected, 2),
            "usual_per_hour": round(float(usual.rates_per_hour[_slot(now)]), 2),
            "log10_p": round(found.log10_p, 1),
        },
    )
    return 1


def _usual_of(source: Source) -> UsualSource | None:
    if not source.rates_per_hour or source.learned_until is None:
        return None
    known_since = max(floor_hour(source.first_heard_at), source.learned_until - LEARN_FROM)
    n_hours = (source.learned_until - known_since) // HOUR
    return UsualSource(np.array(source.rates_per_hour), source.dispersion, source.log10_rarest, n_hours)


def _note_look(source: Source, *, now: datetime) -> None:
    if source.looked_at is None or now - source.looked_at > AWAY_AFTER:
        source.watched_since = now
        if source.looked_at is not None:
            source.unwatched = [*source.unwatched, source.looked_at, now][-MOST_UNWATCHED:]
    source.looked_at = now
    source.save(update_fields=["looked_at", "watched_since", "unwatched"])


def _expected_bins(source: Source, usual: UsualSource, *, now: datetime) -> Float64Array:
    """Return what is usual in each of the latest bins; nothing before somebody listened."""
    newest = _bin_start(now)
    starts = [newest - ago * BIN for ago in range(N_BINS - 1, -1, -1)]
    slots = hour_slot([epoch_hour(start) for start in starts])
    expected = usual.rates_per_hour[slots] / BINS_PER_HOUR
    expected[-1] *= (now - newest) / BIN
    listened = source.watched_since or now
    return np.where([start >= listened for start in starts], expected, 0.0)


def _latest_bins(source_ids: list[int], *, now: datetime) -> Mapping[int, Float64Array]:
    """Return the reports of each source in the latest bins, the running one last. Queries: one."""
    newest = _bin_start(now)
    oldest = newest - (N_BINS - 1) * BIN
    found: dict[int, Float64Array] = {source_id: np.zeros(N_BINS) for source_id in source_ids}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.source_id, c.hour, b.place, sum(b.n)::int FROM reports_sourcecount c,"
            " unnest(c.bins) WITH ORDINALITY AS b (n, place)"
            " WHERE c.hour >= %s AND c.source_id = ANY(%s) AND b.n > 0 GROUP BY 1, 2, 3",
            [floor_hour(oldest), source_ids],
        )
        for source_id, hour, place, n in cursor.fetchall():
            at = (hour + (place - 1) * BIN - oldest) // BIN
            if 0 <= at < N_BINS:
                found[source_id][at] += n
    return found


def _bin_start(now: datetime) -> datetime:
    return now - (now - floor_hour(now)) % BIN


def _slot(moment: datetime) -> int:
    return int(hour_slot([epoch_hour(moment)])[0])


# -- Collected otherwise -----------------------------------------------------------------------------------------------


def _end_change(alarm: SourceAlarm, source: Source, *, now: datetime) -> int:
    """End the alarm of a source that collects otherwise, once its services' usual has come to it, or it went back."""
    if is_gone(source):
        end_alarm(alarm, "gone", now=now)
        return 1
    if now - alarm.since < JUDGED_AFTER:
        return 0
    since = max(floor_hour(alarm.since) + HOUR, floor_hour(now - JUDGED_OVER))
    until = floor_hour(now)
    services = SourceCount.objects.filter(source=source, hour__gte=since).values_list("service_id", flat=True)
    profiles = ServiceProfile.objects.filter(service_id__in=set(services)).values_list("service_id", "rates_per_hour")
    rates = {service_id: np.array(rates) for service_id, rates in profiles}
    counts = MinuteCount.objects.filter(service_id__in=rates, minute__gte=since, minute__lt=until)
    n_counted = counts.aggregate(n=Sum("n_counted"))["n"] or 0
    slots = hour_slot(epoch_hour(since) + np.arange((until - since) // HOUR))
    if n_counted > HAS_BECOME_USUAL * sum(float(each[slots].sum()) for each in rates.values()):
        return 0
    end_alarm(alarm, "usual", now=now)
    return 1


# -- Learning ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Kept:
    """The kept counts of one source: by hour and service, and in all by service and region."""

    by_service: dict[int, Float64Array]
    by_region: dict[int, dict[str, int]]


def _learn(sources: Iterable[Source], *, now: datetime) -> None:
    """Work out anew what is usual where an hour has closed since. Queries: two and those that write."""
    until = floor_hour(now - GUARD)
    due = [source for source in sources if source.learned_until is None or source.learned_until < until]
    if not due:
        return
    since = until - LEARN_FROM
    n_hours = LEARN_FROM // HOUR
    kept = _kept_counts([source.pk for source in due], since=since, n_hours=n_hours)
    left_out = _left_out_hours(due, since=since, n_hours=n_hours, now=now)
    profiles: list[SourceProfile] = []
    for source in due:
        first = min(max((floor_hour(source.first_heard_at) - since) // HOUR, 0), n_hours)
        source.learned_until = until
        if first < n_hours:
            counts = kept[source.pk].by_service
            not_told = left_out[source.pk][first:]
            hour = epoch_hour(since) + first
            usual = learn_source(sum(counts.values(), np.zeros(n_hours))[first:], hour, not_told)
            source.rates_per_hour = usual.rates_per_hour.tolist()
            source.dispersion, source.log10_rarest = usual.dispersion, usual.log10_rarest
            profiles += [
                _profile(source, service_id, learn_source(n[first:], hour, not_told), kept[source.pk])
                for service_id, n in counts.items()
            ]
        source.save(update_fields=["rates_per_hour", "dispersion", "log10_rarest", "learned_until"])
    SourceProfile.objects.filter(source__in=due).delete()
    SourceProfile.objects.bulk_create(profiles)


def _profile(source: Source, service_id: int, usual: UsualSource, kept: _Kept) -> SourceProfile:
    regions = kept.by_region[service_id]
    total = sum(regions.values())
    return SourceProfile(
        source=source,
        service_id=service_id,
        rates_per_hour=usual.rates_per_hour.tolist(),
        regions=list(regions),
        shares=[n / total for n in regions.values()],
    )


def _kept_counts(source_ids: list[int], *, since: datetime, n_hours: int) -> Mapping[int, _Kept]:
    kept: defaultdict[int, _Kept] = defaultdict(
        lambda: _Kept(defaultdict(lambda: np.zeros(n_hours)), defaultdict(lambda: defaultdict(int)))
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT source_id, service_id, region, hour, (SELECT sum(b) FROM unnest(bins) AS b)::int"
            " FROM reports_sourcecount WHERE source_id = ANY(%s) AND hour >= %s AND hour < %s"
            " ORDER BY source_id, service_id, region, hour",
            [source_ids, since, since + n_hours * HOUR],
        )
        for source_id, service_id, region, hour, n in cursor.fetchall():
            kept[source_id].by_service[service_id][(hour - since) // HOUR] += n
            kept[source_id].by_region[service_id][region] += n
    return kept


def _left_out_hours(sources: list[Source], *, since: datetime, n_hours: int, now: datetime) -> Mapping[int, BoolArray]:
    """Mark the hours in which a source was known to be silent, or nobody listened to it."""
    found: defaultdict[int, BoolArray] = defaultdict(lambda: np.zeros(n_hours, dtype=np.bool_))
    alarms = SourceAlarm.objects.filter(source__in=sources, kind=SourceAlarmKind.SILENT).exclude(until__lt=since)
    times = list(alarms.values_list("source_id", "since", "until"))
    for source in sources:
        times += zip([source.pk] * len(source.unwatched), source.unwatched[::2], source.unwatched[1::2], strict=False)
    for source_id, began, ended in times:
        first = max((floor_hour(began) - since) // HOUR, 0)
        last = (floor_hour(ended or now) - since) // HOUR
        found[source_id][first : max(last + 1, 0)] = True
    return found
