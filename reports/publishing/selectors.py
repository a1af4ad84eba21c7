"""What the public pages ask: how the services are, and how a reporter's own report went on. Plain values only."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection

from reports.enums import OPEN_STATES, OutageState, ServiceState
from reports.errors import StoreUnavailable
from reports.intake.availability import store_needed
from reports.intake.ids import first_id
from reports.intake.partitions import forgotten_at
from reports.intake.regions import region_name
from reports.intake.selectors import ReportFacts, report_facts
from reports.models import Outage, Placement, ReportContact, Service
from reports.publishing.visibility import (
    SEVERITY,
    is_about,
    outage_state,
    public_codes,
    public_place,
    public_reporters,
    published,
    reporters_in_words,
    worst,
)
from reports.triage.evidence import listed
from reports.triage.gauges import lag_seconds
from reports.triage.together import Risen, in_groups

RESOLVED_WITHIN: Final = timedelta(days=14)
MAX_RESOLVED: Final = 50
# An outage's onset is an estimate; reports shortly before it belong to it.
BEFORE_ONSET: Final = timedelta(hours=1)
CANDIDATES: Final = 20  # the latest published outages a report may belong to
SIMILAR_WITHIN: Final = timedelta(hours=24)
SIMILAR_LOOK_AT: Final = 2_000  # placements: some milliseconds, whatever storm is going on


@dataclass(frozen=True, slots=True)
class PublicOutage:
    """An outage as the public may see it. `where` is "" for everywhere, and where too few report from any place.

    `n_reporters` is None where it is too small to tell; `reporters` says the same in words.
    """

    id: int
    service_slug: str
    service_name: str
    state: ServiceState
    state_label: str
    is_recovering: bool
    where: str
    n_reporters: int | None
    started_at: datetime
    resolved_at: datetime | None

    @property
    def reporters(self) -> str:
        return reporters_in_words(self.n_reporters)


@dataclass(frozen=True, slots=True)
class PublicGroup:
    """Services whose published outages rose together, and since when: one matter, most likely."""

    services: tuple[str, ...]
    since: datetime

    @property
    def names(self) -> str:
        return listed(self.services)


@dataclass(frozen=True, slots=True)
class PublicService:
    """A service and how it is; `outages` are those that go on, the worst first."""

    slug: str
    name: str
    description: str
    state: ServiceState
    state_label: str
    since: datetime | None
    outages: tuple[PublicOutage, ...]


@dataclass(frozen=True, slots=True)
class StatusPage:
    """The whole status page as of a moment. `lag_seconds` is None while the stages keep their promise."""

    as_of: datetime
    state: ServiceState
    services: tuple[PublicService, ...]
    n_troubled: int
    resolved: tuple[PublicOutage, ...]
    lag_seconds: int | None
    groups: tuple[PublicGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """A report as its reporter sees it again. `n_similar` counts other reporters, None where they are too few.

    `is_waiting`: the report is stored safely, and compared once the database is back. `service_name` is "" where
    nothing but its receipt can be told until then. `erased_at` is when its words were erased, `kept_until` when
    they are deleted with all others of their day.
    """

    service_name: str
    region_name: str
    symptom_label: str
    text: str
    received_at: datetime
    has_contact: bool
    is_grouped: bool
    n_similar: int | None
    is_n_similar_capped: bool
    outage: PublicOutage | None
    is_waiting: bool = False
    erased_at: datetime | None = None
    kept_until: datetime | None = None

    @property
    def similar(self) -> str:
        return f"{reporters_in_words(self.n_similar)}{' or more' if self.is_n_similar_capped else ''}"


def public_services(now: datetime) -> StatusPage:
    """Return how all public services are, and what was resolved lately. Queries: four.

    Raises StoreUnavailable while the database is away.
    """
    with store_needed():
        services = list(Service.objects.public())
        going_on = defaultdict(list)
        shown = list(published().filter(state__in=OPEN_STATES).select_related("service"))
        for outage in shown:
            going_on[outage.service_id].append(_public(outage))
        resolved = (
            published()
            .filter(state=OutageState.RESOLVED, resolved_at__gt=now - RESOLVED_WITHIN)
            .select_related("service")
            .order_by("-resolved_at")[:MAX_RESOLVED]
        )
        ended = tuple(_public(outage) for outage in resolved)
        lag = lag_seconds(now=now)
    # What people come for stands first; the others as staff has ordered them.
    rows = tuple(
        sorted(
            (_service(service, going_on[service.pk]) for service in services),
            key=lambda row: SEVERITY.index(row.state),
            reverse=True,
        )
    )
    return StatusPage(
        as_of=now,
        state=worst(row.state for row in rows),
        services=rows,
        n_troubled=sum(row.state != ServiceState.OPERATIONAL for row in rows),
        resolved=ended,
        lag_seconds=round(lag) if lag > settings.LAG_PROMISE_SECONDS else None,
        groups=_groups(shown),
    )


def receipt_page(token: str, *, now: datetime) -> ReceiptPage:
    """Return the report of a receipt and how it went on. Queries: at most five.

    While the database is away, what the spool has of it. Raises NotFound for a token that is not ours or a report that
    is kept no longer.
    """
    facts = report_facts(token)
    if facts.is_spooled or not facts.service_id:
        return _waiting(facts)
    try:
        return _placed(facts, now=now)
    except StoreUnavailable:  # it went away between the two questions
        return _waiting(facts)


def _waiting(facts: ReportFacts) -> ReceiptPage:
    return ReceiptPage(
        service_name=facts.service_name,
        region_name=region_name(facts.region) if facts.region else "",
        symptom_label=facts.symptom_label,
        text=facts.text,
        received_at=facts.received_at,
        has_contact=facts.has_contact,
        is_grouped=False,
        n_similar=None,
        is_n_similar_capped=False,
        outage=None,
        is_waiting=True,
    )


def _placed(facts: ReportFacts, *, now: datetime) -> ReceiptPage:
    with store_needed():
        cluster_id = (
            Placement.objects.filter(report_id=facts.id).values_list("micro_cluster__cluster_id", flat=True).first()
        )
        n_similar = _other_reporters(facts.id, cluster_id, now=now) if cluster_id is not None else 0
        outage = _outage_of(facts.service_id, facts.region, cluster_id, at=facts.counted_at)
        has_contact = ReportContact.objects.filter(report_id=facts.id).exists()
    return ReceiptPage(
        service_name=facts.service_name,
        region_name=region_name(facts.region) if facts.region else "",
        symptom_label=facts.symptom_label,
        text=facts.text,
        received_at=facts.received_at,
        has_contact=has_contact,
        is_grouped=cluster_id is not None,
        n_similar=public_reporters(n_similar),
        is_n_similar_capped=n_similar >= SIMILAR_LOOK_AT,
        outage=_public(outage) if outage else None,
        erased_at=facts.erased_at,
        kept_until=forgotten_at(facts.id),
    )


def _groups(outages: list[Outage]) -> tuple[PublicGroup, ...]:
    """Return the services that rose together, of what is shown and by the places that are shown."""
    risen = [Risen(one.pk, one.service.name, one.started_at, frozenset(public_codes(one))) for one in outages]
    named = [(tuple(sorted({one.service for one in group})), group[0].started_at) for group in in_groups(risen)]
    return tuple(PublicGroup(services, since) for services, since in named if len(services) > 1)


def _service(service: Service, outages: list[PublicOutage]) -> PublicService:
    state = worst(outage.state for outage in outages)
    outages.sort(key=lambda outage: (outage.state != state, outage.started_at))
    return PublicService(
        slug=service.slug,
        name=service.name,
        description=service.description,
        state=state,
        state_label=str(state.label),
        since=min((outage.started_at for outage in outages), default=None),
        outages=tuple(outages),
    )


def _public(outage: Outage) -> PublicOutage:
    state = outage_state(outage)
    return PublicOutage(
        id=outage.pk,
        service_slug=outage.service.slug,
        service_name=outage.service.name,
        state=state,
        state_label=str(state.label),
        is_recovering=outage.state == OutageState.RECOVERING,
        where=public_place(outage),
        n_reporters=public_reporters(outage.n_reporters),
        started_at=outage.started_at,
        resolved_at=outage.resolved_at,
    )


def _other_reporters(report_id: UUID, cluster_id: int, *, now: datetime) -> int:
    """Return how many other reporters the cluster has had since a day before now, at most `SIMILAR_LOOK_AT`. Queries:
    one.

    Raw SQL: the bound stands before the count of distinct reporters. One without a fingerprint counts for each report.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT nullif(reporter, ''::bytea)) + count(*) FILTER (WHERE reporter = ''::bytea)"
            " FROM (SELECT p.reporter FROM reports_placement p JOIN reports_microcluster m ON m.id = p.micro_cluster_id"
            " WHERE m.cluster_id = %s AND p.report_id > %s AND p.report_id <> %s"
            " AND NOT (p.reporter <> ''::bytea"
            " AND p.reporter = (SELECT reporter FROM reports_placement WHERE report_id = %s))"
            " LIMIT %s) AS others",
            [cluster_id, first_id(now - SIMILAR_WITHIN), report_id, report_id, SIMILAR_LOOK_AT],
        )
        (n_reporters,) = cursor.fetchone()
    return int(n_reporters)


def _outage_of(service_id: int, region: str, cluster_id: int | None, *, at: datetime) -> Outage | None:
    """Return the published outage the report belongs to, the narrowest first. Queries: one."""
    candidates = (
        published()
        .filter(service_id=service_id, started_at__lte=at + BEFORE_ONSET)
        .select_related("service", "cluster")
        .order_by("-suspected_at")[:CANDIDATES]
    )
    fitting = [outage for outage in candidates if is_about(outage, region=region, cluster_id=cluster_id, at=at)]
    return max(
        fitting,
        key=lambda outage: (outage.cluster_id is not None, len(outage.scope_region), outage.started_at),
        default=None,
    )
