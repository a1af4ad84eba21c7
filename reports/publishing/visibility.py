"""Which outages the public may see, and in which words. The one place that decides it.

An outage's label is made of reporters' own words and therefore never published; nor are counts below
PUBLIC_MIN_REPORTERS, nor places from which fewer people report. An outage is published once a person confirmed it; with
AUTO_PUBLISH also what the detector confirmed, in weaker words.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db.models import Q, QuerySet

from reports.enums import OutageState, ServiceState
from reports.models import Outage
from reports.triage.evidence import place_words

# From best to worst: of several outages of a service the worst one names its state.
SEVERITY = (
    ServiceState.OPERATIONAL,
    ServiceState.DEGRADED,
    ServiceState.PARTIAL_OUTAGE,
    ServiceState.MAJOR_OUTAGE,
)


def published() -> QuerySet[Outage]:
    """Return the outages the public may see, of services it may see, going on or over."""
    confirmed = Q(is_confirmed_by_person=True)
    if settings.AUTO_PUBLISH:
        confirmed |= Q(confirmed_at__isnull=False)
    return Outage.objects.filter(confirmed, service__is_public=True, service__is_active=True).exclude(
        state__in=(OutageState.DISMISSED, OutageState.SUSPECTED)
    )


def outage_state(outage: Outage) -> ServiceState:
    """Return what a published outage makes of its service."""
    if not outage.is_confirmed_by_person:
        return ServiceState.DEGRADED
    return ServiceState.PARTIAL_OUTAGE if outage.scope_region else ServiceState.MAJOR_OUTAGE


def worst(states: Iterable[ServiceState]) -> ServiceState:
    """Return the worst state; without any, all is well."""
    return max(states, key=SEVERITY.index, default=ServiceState.OPERATIONAL)


def public_place(outage: Outage) -> str:
    """Return where an outage is, by name, as far as it may be told; "" for everywhere, and where nothing may be."""
    return place_words(public_codes(outage))


def public_codes(outage: Outage) -> list[str]:
    """Return the codes of `public_place`: a place of too few reporters is left to its country, or else left out."""
    told = dict.fromkeys(_told_place(outage, code) for code in outage.regions or [outage.scope_region])
    return [code for code in told if code]


def _told_place(outage: Outage, code: str) -> str:
    while code and public_reporters(outage.reporters_by_place.get(code, 0)) is None:
        code = code.rpartition("-")[0]
    return code


def public_reporters(n_reporters: int) -> int | None:
    """Return the number where it may be told, None where it is too small."""
    return n_reporters if n_reporters >= settings.PUBLIC_MIN_REPORTERS else None


def reporters_in_words(n_reporters: int | None) -> str:
    """Return what the public reads of a number that `public_reporters` gave: "55", or "fewer than 10"."""
    return f"fewer than {settings.PUBLIC_MIN_REPORTERS}" if n_reporters is None else str(n_reporters)


def is_about(outage: Outage, *, region: str, cluster_id: int | None, at: datetime) -> bool:
    """Tell whether a report of the outage's service is one of those the outage is made of.

    `cluster_id` is the cluster the report is in now, None where it is not placed yet. Needs the outage's cluster
    loaded. By the place that may be told: receipts of several regions would else tell one that is not.
    """
    if outage.resolved_at is not None and at > outage.resolved_at:
        return False
    # A cluster that was merged away names the one it lives on in; such chains have one step (clustering.refinement).
    if outage.cluster is not None and cluster_id != (outage.cluster.merged_into_id or outage.cluster_id):
        return False
    scope = _told_place(outage, outage.scope_region)
    return not scope or region == scope or region.startswith(f"{scope}-")
