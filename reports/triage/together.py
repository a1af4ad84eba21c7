"""Which open outages rose together: several services, one quarter of an hour, the same place.

Worked out when it is shown and stored nowhere, so it can't contradict the outages (docs/decisions/0028).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from reports.models import Outage

RISE_TOGETHER_WITHIN: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Risen:
    """What of an outage decides: its service, its onset, and its places (none: everywhere)."""

    id: int
    service: str
    started_at: datetime
    places: frozenset[str]


def places_of(outage: Outage) -> tuple[str, ...]:
    """Return where an outage is; none for everywhere. It counts as `detection.services` counts it."""
    return tuple(sorted({outage.scope_region, *outage.regions})) if outage.scope_region else ()


def open_outages() -> list[Risen]:
    """Return what decides of all outages that are open. Queries: one."""
    return [
        Risen(one.pk, one.service.name, one.started_at, frozenset(places_of(one)))
        for one in Outage.objects.open().select_related("service")
    ]


def risen_together(outages: Sequence[Risen]) -> dict[int, tuple[str, ...]]:
    """Return for each outage the other services that rose with it, by name; () where it rose alone."""
    return {
        outage.id: tuple(sorted({other.service for other in group} - {outage.service}))
        for group in in_groups(outages)
        for outage in group
    }


def others_of(outages: Sequence[Risen]) -> dict[int, tuple[int, ...]]:
    """Return for each outage the outages of other services that rose with it, by id; () where it rose alone."""
    return {
        outage.id: tuple(sorted(other.id for other in group if other.service != outage.service))
        for group in in_groups(outages)
        for outage in group
    }


def in_groups(outages: Sequence[Risen]) -> list[list[Risen]]:
    """Return the outages in groups that rose together, the oldest first in each; most are alone.

    Two rose together where the onsets are at most a quarter of an hour apart and the places overlap; with two that did,
    a third that rose with either of them did too.
    """
    groups: list[list[Risen]] = []
    for outage in sorted(outages, key=lambda one: (one.started_at, one.id)):
        near = [group for group in groups if any(_together(outage, other) for other in group)]
        groups = [group for group in groups if group not in near] + [
            [*(other for group in near for other in group), outage]
        ]
    return [sorted(group, key=lambda one: (one.started_at, one.id)) for group in groups]


def _together(one: Risen, other: Risen) -> bool:
    return abs(one.started_at - other.started_at) <= RISE_TOGETHER_WITHIN and _overlap(one.places, other.places)


def _overlap(these: frozenset[str], those: frozenset[str]) -> bool:
    """Tell whether two places overlap. Everywhere overlaps with everywhere alone: that is how alike they must be."""
    if not these or not those:
        return not these and not those
    return any(a == b or a.startswith(f"{b}-") or b.startswith(f"{a}-") for a in these for b in those)
