"""Playing a recording through the real stages in virtual time: intake, clustering, refinement, detection.

Invariant: the stages are the live ones and only the clock is ours; empty time is skipped, since nothing can be
suspected in it. The caller gives the (empty) database. Not here: files, progress bars, scores.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

from django.utils.text import slugify

from ml.young import SILENCE_BEFORE_MINUTES
from reports.clustering import refinement
from reports.clustering.services import cluster_pending
from reports.detection.evidence import thresholds
from reports.detection.services import detect_pending
from reports.detection.slow import LEAST_REPORTS, SLOW_WITHIN
from reports.detection.ticks import LAST_HOUR
from reports.enums import Channel
from reports.intake import catalogue
from reports.intake.contract import ReportIn
from reports.intake.services import Origin, make_row
from reports.intake.writer import ReportRow, Submission, write_group
from reports.models import ClusteringState, Outage, Service

TICK: Final = timedelta(seconds=15)  # as often as beat asks the detector
OPEN_TICK: Final = timedelta(minutes=5)  # while an outage is open and nothing comes in
REFINE_REPORTS: Final = 100  # refining costs more than the rest of a quiet tick
GATHER_REPORTS: Final = 500  # at most so many wait for the stages while nothing can be suspected
# Nobody knows when a recorded service was made. A recording that begins in the midst of an outage should show it, so
# the first report is taken for one after silence, which a service that is made live is not (docs/decisions/0041).
SILENCE_BEFORE: Final = timedelta(minutes=SILENCE_BEFORE_MINUTES)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One report of a recording."""

    time: datetime
    report: ReportIn


def make_services(recording: Iterable[Recorded]) -> None:
    """Make the services a recording speaks of, each a little older than its first report."""
    first: dict[str, Recorded] = {}
    for recorded in recording:
        first.setdefault(recorded.report.service.casefold(), recorded)
    taken: set[str] = set()
    for position, recorded in enumerate(first.values()):
        slug = slugify(recorded.report.service)[:50] or "service"
        while slug in taken:
            slug = f"{slug}-{position}"
        taken.add(slug)
        watched_since = recorded.time - SILENCE_BEFORE
        Service.objects.create(slug=slug, name=recorded.report.service, created_at=watched_since, position=position)
    catalogue.forget_services()


def row_of(recorded: Recorded) -> ReportRow:
    """Return the row a recorded report becomes, as the intake would have made it at its time."""
    return make_row(report=recorded.report, origin=Origin(Channel.REPLAY, client="replay"), now=recorded.time)


def play(rows: list[ReportRow]) -> Iterator[int]:
    """Play rows, oldest first; yield how many were played after each run of the stages.

    While nothing can be suspected (too few reports within the hour, no outage open) reports only gather; the stages
    run at the next tick at which something can.
    """
    waiting: list[ReportRow] = []
    recent: deque[ReportRow] = deque()
    n_played = 0
    looked_at: datetime | None = None
    for tick, group in groupby(rows, key=lambda row: _tick_of(row.received_at)):
        now = _EPOCH + (tick + 1) * TICK - timedelta(microseconds=1)
        if looked_at is not None:
            looked_at = _while_open(looked_at, now)
        arrived = list(group)
        waiting += arrived
        recent += arrived
        while recent[0].counted_at < now - SLOW_WITHIN:
            recent.popleft()
        if looked_at is None and len(waiting) < GATHER_REPORTS and not _can_alarm(recent, now=now):
            continue
        _run_stages(waiting, now=now)
        n_played += len(waiting)
        waiting = []
        looked_at = now if Outage.objects.open().exists() else None
        yield n_played
    if rows:
        end = _EPOCH + (_tick_of(rows[-1].received_at) + 1) * TICK
        _run_stages(waiting, now=end)
        _while_open(end, end + timedelta(days=2))
        yield n_played + len(waiting)


def _run_stages(rows: list[ReportRow], *, now: datetime) -> None:
    if rows:
        write_group([Submission((row,)) for row in rows], now=now)
    cluster_pending(now=now)
    if ClusteringState.objects.filter(n_unrefined__gte=REFINE_REPORTS).exists():
        refinement.refine_pending(now=now)
    detect_pending(now=now)


def _can_alarm(recent: Iterable[ReportRow], *, now: datetime) -> bool:
    """Tell whether any service has as many reports within the hour, or gathered over hours, as a suspicion needs."""
    in_hour = Counter(row.service_id for row in recent if row.counted_at >= now - LAST_HOUR)
    gathered = Counter(row.service_id for row in recent)
    return (
        max(in_hour.values(), default=0) >= thresholds().n_reporters_suspect
        or max(gathered.values(), default=0) >= LEAST_REPORTS
    )


def _tick_of(moment: datetime) -> int:
    return (moment - _EPOCH) // TICK


def _while_open(start: datetime, end: datetime) -> datetime | None:
    """Let the detector look on while an outage is open and nothing comes in; return the last look if one still is."""
    now = start
    while Outage.objects.open().exists():
        if now + OPEN_TICK >= end:
            return now
        now += OPEN_TICK
        detect_pending(now=now)
    return None
