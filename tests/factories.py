"""Rows that tests need, made with as few words as the test has to say about them.

Plain functions, each with defaults for whatever its caller does not care about; nothing here asserts.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group, User

from reports.enums import OPEN_STATES, Channel, EventKind, OutageState, Role, SourceAlarmKind
from reports.intake.ids import uuid7
from reports.models import (
    ApiKey,
    Cluster,
    IntakeBatch,
    MicroCluster,
    MinuteCount,
    Outage,
    OutageEvent,
    Placement,
    Report,
    Service,
    ServiceProfile,
    Source,
    SourceAlarm,
    StreamLevel,
)

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday noon
PASSWORD = "a password for the tests alone"

_numbers = itertools.count(1)


def make_service(slug: str = "", *, name: str = "", **fields: Any) -> Service:
    """Make a service that takes reports and is public."""
    slug = slug or f"service-{next(_numbers)}"
    return Service.objects.create(slug=slug, name=name or slug.title(), **({"created_at": NOW} | fields))


def make_user(role: Role | None = Role.RESPONDER, *, username: str = "", **fields: Any) -> User:
    """Make a member of staff; `role=None` gives somebody who may log in and see nothing."""
    user = User.objects.create_user(username or f"user-{next(_numbers)}", password=PASSWORD, **fields)
    if role is not None:
        user.groups.add(Group.objects.get_or_create(name=role.value)[0])
    return user


def make_cluster(service: Service, *, label: str = "log in fails", at: datetime = NOW, **fields: Any) -> Cluster:
    """Make a cluster with one micro-cluster."""
    cluster = Cluster.objects.create(
        service=service, label=label, terms=label.split(), first_seen_at=at, last_seen_at=at, **fields
    )
    make_micro_cluster(cluster, at=at)
    return cluster


def make_micro_cluster(cluster: Cluster, *, at: datetime = NOW) -> MicroCluster:
    return MicroCluster.objects.create(
        service_id=cluster.service_id, cluster=cluster, encoder="test", vector_sum=b"", n_reports=0, last_seen_at=at
    )


def make_report(
    service: Service,
    text: str = "I can't log in",
    *,
    region: str = "",
    at: datetime = NOW,
    cluster: Cluster | None = None,
    reporter: bytes = b"",
    channel: Channel = Channel.REST,
    **fields: Any,
) -> Report:
    """Make a stored report; with a cluster also its placement (counted), but no minute counts (see `count_reports`)."""
    report = Report.objects.create(
        id=uuid7(at), service=service, channel=channel, region=region, text=text, reporter=reporter,
        occurred_at=at, received_at=at, counted_at=at, **fields,
    )  # fmt: skip
    if cluster is not None:
        Placement.objects.create(
            report_id=report.id, service=service, micro_cluster=first_micro_cluster(cluster), similarity=0.9,
            region=region, reporter=reporter, is_counted=True, counted_at=at, placed_at=at,
        )  # fmt: skip
    return report


def count_reports(
    cluster: Cluster, n: int, *, region: str = "", at: datetime = NOW, minutes: int = 1
) -> list[MinuteCount]:
    """Count `n` reports of a cluster in each of the `minutes` minutes up to and with the one of `at`."""
    micro_cluster = first_micro_cluster(cluster)
    newest = at.replace(second=0, microsecond=0)
    return MinuteCount.objects.bulk_create(
        MinuteCount(
            service_id=cluster.service_id, minute=newest - timedelta(minutes=ago), micro_cluster=micro_cluster,
            region=region, n_reports=n, n_counted=n,
        )
        for ago in range(minutes)
    )  # fmt: skip


def first_micro_cluster(cluster: Cluster) -> MicroCluster:
    found = MicroCluster.objects.filter(cluster=cluster).order_by("id").first()
    assert found is not None
    return found


def make_profile(service: Service, *, rate_per_hour: float = 6.0, at: datetime = NOW) -> ServiceProfile:
    """Make a service whose usual rate is the same at every hour."""
    return ServiceProfile.objects.create(
        service=service, slot_counts=[rate_per_hour * 4] * 168, slot_hours=[4.0] * 168,
        rates_per_hour=[rate_per_hour] * 168, dispersion=1.0, learned_until=at,
    )  # fmt: skip


def make_level(service: Service, region: str = "", *, share: float = 1.0) -> StreamLevel:
    return StreamLevel.objects.create(service=service, region=region, n=100.0 * share, e=100.0, share=share)


def make_outage(
    service: Service,
    *,
    state: OutageState = OutageState.SUSPECTED,
    started_at: datetime = NOW - timedelta(minutes=10),
    now: datetime = NOW,
    **fields: Any,
) -> Outage:
    """Make an outage, with the detector's event that opened it. All of its reporters are in each of its places."""
    values: dict[str, Any] = {
        "service": service, "state": state, "label": "log in fails", "started_at": started_at,
        "suspected_at": started_at + timedelta(minutes=3), "observed": 41, "expected": 2.0, "window_minutes": 5,
        "p_value": 1e-9, "peak_p_value": 1e-9, "n_reports": 60, "n_reporters": 55, "evaluated_at": now,
        "resolved_at": None if state in OPEN_STATES else now,
        "confirmed_at": None if state == OutageState.SUSPECTED else started_at + timedelta(minutes=5),
    } | fields  # fmt: skip
    places = {values.get("scope_region", ""), *values.get("regions", [])} - {""}
    places |= {code.partition("-")[0] for code in places}
    values.setdefault("reporters_by_place", dict.fromkeys(places, values["n_reporters"]))
    outage = Outage.objects.create(**values)
    add_event(outage, EventKind.SUSPECTED, at=outage.suspected_at)
    return outage


def add_event(
    outage: Outage,
    kind: EventKind,
    *,
    at: datetime = NOW,
    actor: User | None = None,
    body: dict[str, Any] | None = None,
) -> OutageEvent:
    """Add an event; without a body and an actor, one as the detector writes it."""
    if body is None:
        body = {} if actor else _evidence(outage)
    return OutageEvent.objects.create(outage=outage, kind=kind, at=at, actor=actor, body=body)


def make_batch(
    service: Service, *, report_ids: Sequence[UUID] = (), at: datetime = NOW, clustered_at: datetime | None = None
) -> IntakeBatch:
    """Make a batch; without `clustered_at` it still waits for clustering."""
    return IntakeBatch.objects.create(
        service=service, report_ids=list(report_ids), written_at=at, clustered_at=clustered_at
    )


def make_source_alarm(
    *,
    kind: SourceAlarmKind = SourceAlarmKind.SILENT,
    key_name: str = "",
    channel: Channel = Channel.REST,
    since: datetime = NOW,
    **evidence: Any,
) -> SourceAlarm:
    """Make an open alarm of a source; with a name, one that uses a key of that name."""
    key = None
    if key_name:
        digest = f"{key_name} {next(_numbers)}".encode()[:32]
        key = ApiKey.objects.create(name=key_name, prefix="p", digest=digest, scopes=["intake"], created_at=NOW)
    source = Source.objects.create(channel=channel, key=key, first_heard_at=NOW)
    return SourceAlarm.objects.create(source=source, kind=kind, since=since, found_at=since, evidence=evidence)


def _evidence(outage: Outage) -> dict[str, Any]:
    return {
        "observed": outage.observed, "expected": outage.expected, "window_minutes": outage.window_minutes,
        "p_value": outage.p_value, "regions": outage.regions, "n_reports": outage.n_reports,
        "n_reporters": outage.n_reporters, "scope_region": outage.scope_region, "cluster_id": outage.cluster_id,
    }  # fmt: skip
