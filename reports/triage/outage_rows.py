"""Outages and their events as plain rows, for machines that read them. What else a page shows is the pages' affair."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from reports.enums import EventKind, OutageState, Severity
from reports.errors import NotFound
from reports.models import Cluster, Outage, OutageEvent, Service
from reports.triage.together import open_outages, others_of


@dataclass(frozen=True, slots=True)
class OutageRow:
    """What an outage is now.

    `service` is a slug, `assignee` a user name or "", `cluster_id` that of a cluster that was not merged away;
    `together_with` are open outages of other services that rose with it (`together`).
    """

    id: int
    service: str
    state: OutageState
    label: str
    severity: Severity
    is_located: bool
    scope_region: str
    regions: tuple[str, ...]
    cluster_id: int | None
    is_confirmed_by_person: bool
    assignee: str
    started_at: datetime
    suspected_at: datetime
    confirmed_at: datetime | None
    resolved_at: datetime | None
    n_reports: int
    n_reporters: int
    observed: int
    expected: float
    window_minutes: int
    p_value: float
    peak_p_value: float
    evaluated_at: datetime
    together_with: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class EventRow:
    """One thing that happened to an outage; `actor` is "" where the detector acted."""

    id: int
    kind: EventKind
    at: datetime
    actor: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OutagePage:
    """Outages, the newest first; `next_before_id` asks for the following ones, None where there are none."""

    outages: tuple[OutageRow, ...]
    next_before_id: int | None


@dataclass(frozen=True, slots=True)
class OutageStory:
    """An outage with everything that happened to it, oldest first."""

    outage: OutageRow
    events: tuple[EventRow, ...]


def list_outages(
    *, states: Collection[str] = (), service_slug: str = "", before_id: int | None = None, limit: int
) -> OutagePage:
    """Return the newest outages, of the given states and service where those are given.

    Queries: three or four, and one more for each time an outage's cluster was merged on.
    Raises NotFound for a service that is not there.
    """
    outages = _outages()
    if service_slug:
        # Postgres takes no NUL in a text, not even to say that there is no such text.
        if "\x00" in service_slug or not Service.objects.filter(slug=service_slug).exists():
            raise NotFound(f"There is no service {service_slug!r}. GET /api/v1/services lists them.")
        outages = outages.filter(service__slug=service_slug)
    if states:
        outages = outages.filter(state__in=states)
    if before_id is not None:
        outages = outages.filter(pk__lt=before_id)
    found = list(outages.order_by("-pk")[: limit + 1])
    rows = _rows(found[:limit])
    return OutagePage(rows, rows[-1].id if len(found) > limit else None)


def outage_story(*, outage_id: int) -> OutageStory:
    """Return an outage with its events.

    Queries: three at most, and one for each time its cluster was merged on. Raises NotFound.
    """
    outage = _outages().filter(pk=outage_id).first()
    if outage is None:
        raise NotFound(f"There is no outage {outage_id}.")
    events = OutageEvent.objects.filter(outage=outage).select_related("actor").order_by("at", "pk")
    return OutageStory(
        _rows([outage])[0],
        tuple(
            EventRow(
                id=event.pk,
                kind=EventKind(event.kind),
                at=event.at,
                actor=event.actor.get_username() if event.actor else "",
                body=event.body,
            )
            for event in events
        ),
    )


def _outages() -> QuerySet[Outage]:
    return Outage.objects.select_related("service", "assignee")


def _rows(outages: Collection[Outage]) -> tuple[OutageRow, ...]:
    is_any_open = any(outage.resolved_at is None for outage in outages)
    together = others_of(open_outages()) if is_any_open else {}
    roots = _root_clusters({outage.cluster_id for outage in outages if outage.cluster_id is not None})
    return tuple(
        OutageRow(
            id=outage.pk,
            service=outage.service.slug,
            state=OutageState(outage.state),
            label=outage.label,
            severity=Severity(outage.severity),
            is_located=outage.is_located,
            scope_region=outage.scope_region,
            regions=tuple(outage.regions),
            cluster_id=roots.get(outage.cluster_id) if outage.cluster_id is not None else None,
            is_confirmed_by_person=outage.is_confirmed_by_person,
            assignee=outage.assignee.get_username() if outage.assignee else "",
            started_at=outage.started_at,
            suspected_at=outage.suspected_at,
            confirmed_at=outage.confirmed_at,
            resolved_at=outage.resolved_at,
            n_reports=outage.n_reports,
            n_reporters=outage.n_reporters,
            observed=outage.observed,
            expected=outage.expected,
            window_minutes=outage.window_minutes,
            p_value=outage.p_value,
            peak_p_value=outage.peak_p_value,
            evaluated_at=outage.evaluated_at,
            together_with=together.get(outage.pk, ()),
        )
        for outage in outages
    )


def _root_clusters(cluster_ids: Iterable[int]) -> dict[int, int]:
    """Return for each cluster the one it has gone up in, itself where it was not merged away."""
    roots = {cluster_id: cluster_id for cluster_id in cluster_ids}
    unsettled = set(roots.values())
    while unsettled:
        merged = Cluster.objects.filter(pk__in=unsettled, merged_into__isnull=False)
        steps = dict(merged.values_list("pk", "merged_into_id"))
        roots = {cluster_id: steps.get(root) or root for cluster_id, root in roots.items()}
        unsettled = {root for root in steps.values() if root is not None}
    return roots
