"""Sources with a past, and what they bring: rows as placing would have written them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta

from reports.clustering.sources import Came, count_sources
from reports.detection.sources import watch_sources
from reports.enums import Channel
from reports.intake.ids import uuid7
from reports.models import (
    ApiKey,
    Cluster,
    MinuteCount,
    Placement,
    Report,
    Service,
    ServiceProfile,
    Source,
    SourceCount,
    StreamLevel,
)
from tests.detection.streams import HOUR, MINUTE
from tests.factories import NOW, first_micro_cluster, make_cluster, make_service

REGIONS = ("DE", "FR", "BR")
WEEKS = 2


def make_key(name: str = "shop", *, revoked_at: datetime | None = None) -> ApiKey:
    return ApiKey.objects.create(
        name=name, prefix=name[:8], digest=os.urandom(32), scopes=["intake"], created_at=NOW, revoked_at=revoked_at
    )


def make_source(
    service: Service,
    *,
    key: ApiKey | None,
    channel: Channel = Channel.REST,
    per_bin: int = 3,
    bins: list[int] | None = None,
    regions: Iterable[str] = ("",),
    hours: int = WEEKS * 7 * 24,
    until: datetime = NOW,
) -> Source:
    """Make a source that brought so many reports every five minutes (or these bins an hour), from each region."""
    source, _ = Source.objects.get_or_create(
        channel=channel, key=key, defaults={"first_heard_at": until - hours * HOUR}
    )
    SourceCount.objects.bulk_create(
        SourceCount(service=service, source=source, region=region, hour=until - ago * HOUR, bins=bins or [per_bin] * 12)
        for region in regions
        for ago in range(1, hours + 1)
    )
    return source


def bring(
    cluster: Cluster,
    n: int,
    *,
    key: ApiKey | None,
    channel: Channel = Channel.REST,
    region: str = "",
    at: datetime = NOW,
    minutes: int = 1,
) -> None:
    """Let `n` people a minute report through a source: reports, placements, and both kinds of counts."""
    micro = first_micro_cluster(cluster)
    moments = [at + i * MINUTE for i in range(minutes) for _ in range(n)]
    reports = Report.objects.bulk_create(
        Report(
            id=uuid7(moment), service_id=cluster.service_id, channel=channel, key=key, region=region, text="x",
            reporter=os.urandom(16), occurred_at=moment, received_at=moment, counted_at=moment,
        )
        for moment in moments
    )  # fmt: skip
    Placement.objects.bulk_create(
        Placement(
            report_id=one.id, service_id=cluster.service_id, micro_cluster=micro, similarity=0.9, region=region,
            reporter=one.reporter, is_counted=True, counted_at=one.counted_at, placed_at=one.counted_at,
        )
        for one in reports
    )  # fmt: skip
    for moment in sorted(set(moments)):
        count, _ = MinuteCount.objects.get_or_create(
            service_id=cluster.service_id, minute=moment.replace(second=0, microsecond=0), micro_cluster=micro,
            region=region, defaults={"n_reports": 0, "n_counted": 0},
        )  # fmt: skip
        n_there = count.n_reports + n
        MinuteCount.objects.filter(pk=count.pk).update(n_reports=n_there, n_counted=n_there)
    count_sources(
        cluster.service_id, [Came(channel, key.pk if key else None, region, moment, moment) for moment in moments]
    )


def look_on(*, start: datetime, end: datetime, every: timedelta = 15 * MINUTE) -> None:
    """Let the watcher look again and again, as beat asks it to."""
    now = start
    while now <= end:
        watch_sources(now=now)
        now += every


def known_services(n: int, *, per_hour: float) -> list[Cluster]:
    """Make services that are known for four weeks, each with a cluster and its usual shared alike by the regions."""
    clusters = []
    for _ in range(n):
        service = make_service()
        Service.objects.filter(pk=service.pk).update(created_at=NOW - timedelta(weeks=4))
        known = per_hour * 4 * 7 * 24
        ServiceProfile.objects.create(
            service=service, slot_counts=[per_hour * 4] * 168, slot_hours=[4.0] * 168, rates_per_hour=[per_hour] * 168,
            dispersion=1.0, learned_until=NOW,
        )  # fmt: skip
        StreamLevel.objects.bulk_create(
            StreamLevel(service=service, region=region, n=known * share, e=known, share=share)
            for region, share in {"": 1.0, **dict.fromkeys(REGIONS, 1 / 3)}.items()
        )
        cluster = make_cluster(service, label="everyday", at=NOW - 30 * HOUR)
        MinuteCount.objects.create(
            service=service, minute=NOW - 30 * HOUR, micro_cluster=first_micro_cluster(cluster), region="",
            n_reports=round(known), n_counted=round(known),
        )  # fmt: skip
        clusters.append(cluster)
    return clusters
