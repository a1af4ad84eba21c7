"""How much is held back in quarantine now and ever: for the dashboard's alarm and for machines that watch us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Sum

from reports.models import MinuteCount, Quarantine

HOUR: Final = timedelta(hours=1)
LEAST_ALARMING: Final = 10  # held back within the hour: now and then a person is quick, or a script looks by


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A service of which many reports are held back now."""

    service_name: str
    n: int


def held_back(*, now: datetime, least: int = LEAST_ALARMING) -> tuple[HeldBack, ...]:
    """Return the services of which so many reports of the last hour are held back, the most first. Queries: one."""
    counts = (
        MinuteCount.objects.filter(minute__gte=now - HOUR, n_quarantined__gt=0)
        .values_list("service__name")
        .annotate(n=Sum("n_quarantined"))
        .filter(n__gte=least)
        .order_by("-n")
    )
    return tuple(HeldBack(name, n) for name, n in counts)


def n_held_back() -> dict[tuple[str, str], int]:
    """Return how many reports were ever held back, by service (slug) and reason. Queries: one."""
    rows = Quarantine.objects.order_by("service__slug", "reason").values_list("service__slug", "reason")
    return {(slug, reason): n for slug, reason, n in rows.annotate(n=Sum("n_reports"))}
