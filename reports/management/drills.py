"""A simulated outage through the running system: the same way in as any report, on a service that is not public.

The reports are written by the intake of this process and picked up by the workers like all others; so a drill shows
whether the installation would notice. Not here: what is printed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Final

import numpy as np

from ml.synth import SCENARIOS, SyntheticReport, history, scenario
from reports.enums import Channel
from reports.intake import catalogue
from reports.intake.contract import ReportIn
from reports.intake.services import Origin, accept_batch
from reports.models import IntakeBatch, Outage, OutageEvent, Service

SPEED: Final = 10  # twenty minutes of an outage are played in two
SCENARIO_MINUTES: Final = 20
STEP_SECONDS: Final = 1.0
LEAST_SECONDS: Final = 45.0
HISTORY_DAYS: Final = 7
HISTORY_PER_HOUR: Final = 4.0
# An outage of an earlier drill stays open, and then muted, for up to so long; a new drill takes a new service.
FRESH_AFTER: Final = timedelta(hours=4)
_ORIGIN: Final = Origin(Channel.DRILL, client="drill")


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a drill stands after a step: reports sent so far, and the outage once there is one."""

    seconds: float
    n_sent: int
    outage_id: int | None
    state: str
    is_located: bool
    regions: tuple[str, ...]
    label: str


def prepare_service(*, rng: np.random.Generator, now: datetime) -> tuple[str, int]:
    """Return the slug of the drill's service, made with a week of everyday history where needed, and its id."""
    # By number, and never public: a real service called "drill-press" is none of ours.
    drills = Service.objects.filter(slug__regex=r"^drill-[0-9]+$", is_public=False).order_by("-id")
    latest = drills.first()
    if latest is not None and not Outage.objects.filter(service=latest, suspected_at__gt=now - FRESH_AFTER).exists():
        Service.objects.filter(pk=latest.pk).update(is_active=True)
        catalogue.forget_services()
        return latest.slug, latest.pk
    number = next(n for n in count(1) if not Service.objects.filter(slug=f"drill-{n}").exists())
    drills.update(is_active=False)
    created_at = now - timedelta(days=HISTORY_DAYS)
    service = Service.objects.create(
        slug=f"drill-{number}",
        name=f"Drill {number}",
        description="Simulated reports of `manage.py drill`.",
        is_public=False,
        position=1_000,
        created_at=created_at,
    )
    catalogue.forget_services()
    past = history(rng=rng, start=created_at, days=HISTORY_DAYS, per_hour=HISTORY_PER_HOUR)
    # The last hour stays empty: a report of now counts for now, and history must not.
    _send(service.slug, [report for report in past if report.time < now - timedelta(hours=1)], now=now, keep_time=True)
    return service.slug, service.pk


def is_placed(service_id: int) -> bool:
    """Tell whether the workers have placed everything the service has."""
    return not IntakeBatch.objects.filter(service_id=service_id, clustered_at__isnull=True).exists()


def play(
    *,
    name: str,
    slug: str,
    service_id: int,
    rng: np.random.Generator,
    clock: Callable[[], datetime],
    most_seconds: float,
) -> Iterator[Progress]:
    """Send a scenario's reports in quick motion; yield after each step until confirmed and located, or time is up.

    It goes on for `LEAST_SECONDS` whatever happens, so that whoever watches the dashboard sees the outage grow.
    """
    started_at = clock()
    # Everyday reports keep their pace: ten times the usual would be an outage of its own, and everywhere.
    per_minute = HISTORY_PER_HOUR / 60 / SPEED
    waiting = scenario(name, rng=rng, start=started_at, minutes=SCENARIO_MINUTES, background_per_minute=per_minute)
    n_sent = 0
    while (seconds := (clock() - started_at).total_seconds()) < most_seconds:
        due = [report for report in waiting if (report.time - started_at).total_seconds() / SPEED <= seconds]
        waiting = waiting[len(due) :]
        if due:
            _send(slug, due, now=clock(), keep_time=False)
            n_sent += len(due)
        progress = _progress(service_id, started_at, seconds, n_sent)
        yield progress
        if progress.state == "confirmed" and progress.is_located and seconds > LEAST_SECONDS:
            return
        time.sleep(STEP_SECONDS)


def expected_regions(name: str) -> tuple[str, ...]:
    """Return the regions where a scenario's outage begins."""
    return SCENARIOS[name].rings[0]


def _send(slug: str, reports: list[SyntheticReport], *, now: datetime, keep_time: bool) -> None:
    if not reports:
        return
    accept_batch(
        items=[
            ReportIn(
                service=slug,
                text=report.text,
                region=report.region,
                symptom=report.symptom,
                lang=report.lang,
                reporter=report.reporter,
                source="drill",
                occurred_at=report.time if keep_time else None,
            )
            for report in reports
        ],
        origin=_ORIGIN,
        now=now,
    )


def _progress(service_id: int, since: datetime, seconds: float, n_sent: int) -> Progress:
    outage = Outage.objects.filter(service_id=service_id, suspected_at__gte=since).order_by("id").first()
    if outage is None:
        return Progress(seconds, n_sent, None, "", False, (), "")
    state = "confirmed" if OutageEvent.objects.filter(outage=outage, kind="confirmed").exists() else outage.state
    return Progress(seconds, n_sent, outage.pk, state, outage.is_located, tuple(outage.regions), outage.label)
