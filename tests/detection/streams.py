"""A service with a past, and people who report: rows as placing would have written them, without any text."""

from __future__ import annotations

import os
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from reports.detection.services import detect_service
from reports.enums import EventKind
from reports.intake.ids import uuid7
from reports.models import Cluster, MinuteCount, Outage, OutageEvent, Placement, Service, StreamLevel
from tests.factories import NOW, first_micro_cluster, make_cluster, make_profile, make_service

MINUTE = timedelta(minutes=1)
END_OF_MINUTE = timedelta(seconds=59)
HOUR = timedelta(hours=1)
WEEKS_HOURS = 4 * 7 * 24  # as much as the detector remembers


def known_service(*regions: str, rate_per_hour: float = 6.0) -> Service:
    """Make a service known for four weeks, its usual rate shared alike by its regions (subdivisions)."""
    service = make_service()
    Service.objects.filter(pk=service.pk).update(created_at=NOW - timedelta(weeks=4))
    make_profile(service, rate_per_hour=rate_per_hour, at=NOW)
    shares = {"": 1.0} | {region: 1 / len(regions) for region in regions}
    for country, n_parts in Counter(region[:2] for region in regions).items():
        shares[country] = n_parts / len(regions)
    known = rate_per_hour * WEEKS_HOURS
    StreamLevel.objects.bulk_create(
        StreamLevel(service=service, region=region, n=known * share, e=known, share=share)
        for region, share in shares.items()
    )
    return service


def everyday_cluster(service: Service, *, rate_per_hour: float) -> Cluster:
    """Make a cluster of what is usual: it had its reports all the weeks before."""
    cluster = make_cluster(service, label="everyday", at=NOW - 30 * HOUR)
    n_before = round(rate_per_hour * WEEKS_HOURS)
    MinuteCount.objects.create(
        service=service, minute=NOW - 30 * HOUR, micro_cluster=first_micro_cluster(cluster), region="",
        n_reports=n_before, n_counted=n_before,
    )  # fmt: skip
    return cluster


def people(
    cluster: Cluster,
    n: int,
    *,
    region: str = "",
    at: datetime = NOW,
    minutes: int = 1,
    reporters: list[bytes] | None = None,
    networks: list[bytes] | None = None,
    tells_failure: bool = True,
) -> None:
    """Let `n` people a minute report, from `at` on; each is somebody else unless told who.

    With `networks` they report from these in turn, else from none that is known.
    """
    micro_cluster = first_micro_cluster(cluster)
    placements = []
    for i in range(minutes):
        moment = at + i * MINUTE
        for k in range(n):
            reporter = reporters[k] if reporters else os.urandom(16)
            placements.append(
                Placement(
                    report_id=uuid7(moment), service_id=cluster.service_id, micro_cluster=micro_cluster, similarity=0.9,
                    region=region, reporter=reporter, network=networks[k % len(networks)] if networks else b"",
                    is_counted=True, tells_failure=tells_failure, counted_at=moment, placed_at=moment,
                )
            )  # fmt: skip
    Placement.objects.bulk_create(placements)
    for minute, n_reports in Counter(one.counted_at.replace(second=0, microsecond=0) for one in placements).items():
        count, is_new = MinuteCount.objects.get_or_create(
            service_id=cluster.service_id, minute=minute, micro_cluster=micro_cluster, region=region,
            defaults={
                "n_reports": n_reports, "n_counted": n_reports, "n_no_failure": 0 if tells_failure else n_reports,
            },
        )  # fmt: skip
        if not is_new:
            MinuteCount.objects.filter(pk=count.pk).update(
                n_reports=F("n_reports") + n_reports,
                n_counted=F("n_counted") + n_reports,
                n_no_failure=F("n_no_failure") + (0 if tells_failure else n_reports),
            )


def look(service: Service, *, after: float, start: datetime = NOW) -> None:
    """Let the detector look once, at the end of the minute so many minutes after the start."""
    assert detect_service(service_id=service.pk, now=start + after * MINUTE + END_OF_MINUTE)


def watch(service: Service, *, first: int, last: int, every: int = 1, start: datetime = NOW) -> None:
    """Let the detector look again and again."""
    for minute in range(first, last + 1, every):
        look(service, after=minute, start=start)


def a_flood(service: Service, *, region: str = "", start: datetime = NOW, per_minute: int = 6) -> Outage:
    """Let ten minutes of reports open and confirm an outage; return it."""
    people(make_cluster(service), per_minute, region=region, at=start, minutes=10)
    watch(service, first=1, last=10, every=3, start=start)
    return Outage.objects.filter(service=service).latest("id")


def kinds(outage: Outage) -> list[EventKind]:
    return [EventKind(event.kind) for event in OutageEvent.objects.filter(outage=outage).order_by("id")]


def event(outage: Outage, kind: EventKind) -> OutageEvent:
    return OutageEvent.objects.get(outage=outage, kind=kind)


def everything_seen(service: Service) -> tuple[list[Any], list[Any]]:
    """Return all rows that detection writes of a service, to be compared with those after another run."""
    return (
        list(Outage.objects.filter(service=service).order_by("id").values()),
        list(OutageEvent.objects.filter(outage__service=service).order_by("id").values()),
    )
