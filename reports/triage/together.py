"""Which open outages rose together: several services, one quarter of an hour, the same place. Pure.

Worked out when it is shown and stored nowhere, so it can't contradict the outages (docs/decisions/0028).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

RISE_TOGETHER_WITHIN: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Risen:
    """What of an outage decides: its service, its onset, and its places (none: everywhere)."""

    id: int
    service: str
    started_at: datetime
    places: frozenset[str]


def risen_together(outages: Sequence[Risen]) -> dict[int, tuple[str, ...]]:
    """Return for each outage the other services that rose with it, by name; () where it rose alone.

    Two rose together where the onsets are at most a quarter of an hour apart and the places overlap; with two that did,
    a third that rose with either of them did too.
    """
    groups: list[list[Risen]] = []
    for outage in sorted(outages, key=lambda one: (one.started_at, one.id)):
        near = [group for group in groups if any(_together(outage, other) for other in group)]
        groups = [group for group in groups if group not in near] + [
            [*(other for group in near for other in group), outage]
        ]
    return {
        outage.id: tuple(sorted({other.service for other in group} - {outage.service}))
        for group in groups
        for outage in group
    }


def _together(one: Risen, other: Risen) -> bool:
    return abs(one.started_at - other.started_at) <= RISE_TOGETHER_WITHIN and _overlap(one.places, other.places)


def _overlap(these: frozenset[str], those: frozenset[str]) -> bool:
    """Tell whether two places overlap. Everywhere overlaps with everywhere alone: that is how alike they must be."""
    if not these or not those:
        return not these and not those
    return any(a == b or a.startswith(f"{b}-") or b.startswith(f"{a}-") for a in these for b in those)
