"""Numbers for machines that watch us: how far the stages are behind, how much came in, what is open.

Every question here is cheap enough to be asked every few seconds. Only counts and slugs leave this module, no text.
"""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta

from django.db.models import Count, Min, Sum

from reports.enums import OPEN_STATES, OutageState
from reports.intake.ids import first_id
from reports.models import Cluster, IntakeBatch, Outage, Report

CLUSTER_IS_OPEN = timedelta(hours=24)  # since its last report
# A report's id is made before its commit, by at most the writer's patience (12 s): beyond this nothing old appears.
SETTLED_AFTER = timedelta(minutes=2)


def oldest_waiting_at(*, since: datetime | None = None) -> datetime | None:
    """Return when the oldest batch that is not clustered yet was written, None where nothing waits. Queries: one.

    With `since`, what was written earlier counts as written then.
    """
    oldest: datetime | None = IntakeBatch.objects.filter(clustered_at=None).aggregate(oldest=Min("written_at"))[
        "oldest"
    ]
    return oldest if since is None or oldest is None else max(oldest, since)


def lag_seconds(*, now: datetime, since: datetime | None = None) -> float:
    """Return how long the oldest report that is in no cluster yet has waited; 0 where none waits. Queries: one."""
    oldest = oldest_waiting_at(since=since)
    return max((now - oldest).total_seconds(), 0.0) if oldest else 0.0


def waiting(*, now: datetime) -> tuple[int, float]:
    """Return how many reports are in no cluster yet, and how long the oldest of them has waited. Queries: one."""
    # Django's __len of an array is NULL for an empty one, which no batch is.
    found = IntakeBatch.objects.filter(clustered_at=None).aggregate(n=Sum("report_ids__len"), oldest=Min("written_at"))
    oldest: datetime | None = found["oldest"]
    return found["n"] or 0, max((now - oldest).total_seconds(), 0.0) if oldest else 0.0


def n_clusters_open(*, now: datetime) -> int:
    """Return how many problems were told of within a day. Queries: one."""
    return Cluster.objects.filter(merged_into=None, last_seen_at__gte=now - CLUSTER_IS_OPEN).count()


def n_outages_open() -> dict[OutageState, int]:
    """Return how many outages are in each of the open states. Queries: one."""
    found = dict(Outage.objects.open().order_by().values_list("state").annotate(Count("pk")))
    return {state: found.get(state, 0) for state in OPEN_STATES}


class ReportTotals:
    """How many reports there are by service and channel, without counting the old ones again and again.

    The first reading counts all that are kept; each later one only those that came since (a range of ids, which the
    partitions turn into a few blocks).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settled: Counter[tuple[str, str]] = Counter()
        self._settled_until: datetime | None = None

    def read(self, *, now: datetime) -> dict[tuple[str, str], int]:
        """Return the number of reports by (service slug, channel). Queries: two."""
        with self._lock:
            settle_until = now - SETTLED_AFTER
            if self._settled_until is None or settle_until > self._settled_until:
                self._settled += _count(after=self._settled_until, before=settle_until)
                self._settled_until = settle_until
            return dict(self._settled + _count(after=self._settled_until, before=None))


def _count(*, after: datetime | None, before: datetime | None) -> Counter[tuple[str, str]]:
    reports = Report.objects.order_by()
    if after is not None:
        reports = reports.filter(id__gte=first_id(after))
    if before is not None:
        reports = reports.filter(id__lt=first_id(before))
    rows = reports.values_list("service__slug", "channel").annotate(Count("pk"))
    return Counter({(slug, channel): n for slug, channel, n in rows})
