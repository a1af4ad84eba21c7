"""What people say of an outage after it is over, and the reports that belong to an outage.

For a day people go on talking of what has been, and news of it come. Such a rise is suspected, for all to see, but
wakes nobody. Not here: moving outages on (`services`).
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q, Sum

from ml.regions import are_related
from reports.enums import OutageState
from reports.models import MinuteCount, Outage

AFTERTALK_WITHIN: Final = timedelta(hours=24)
# Of the busiest quarter of an hour. Venezuela 2018: 131 reports in the blackout's, at most 16 in those of the waves of
# the night and the morning after. One recording: an example, no proof.
AFTERTALK_SHARE: Final = 0.25
QUARTER: Final = timedelta(minutes=15)


def is_aftertalk(outage: Outage, *, now: datetime) -> bool:
    """Tell whether a rise is far smaller than an outage of the same place that ended within the last day.

    Queries: one, and two for each such outage; to be asked only where an outage would be confirmed.
    """
    before = Outage.objects.filter(
        service_id=outage.service_id,
        state=OutageState.RESOLVED,
        confirmed_at__isnull=False,
        resolved_at__gt=now - AFTERTALK_WITHIN,
    )
    places = {outage.scope_region, *outage.regions}
    for other in before.exclude(pk=outage.pk):
        if any(are_related(one, there) for one in places for there in {other.scope_region, *other.regions}):
            was = _busiest_quarter(other, until=other.resolved_at or now)
            if _busiest_quarter(outage, until=now) < AFTERTALK_SHARE * was:
                return True
    return False


def is_in(outage: Outage) -> Q:
    """Return the condition for counts and placements that belong to an outage."""
    belongs = Q()
    if outage.cluster_id is not None:
        belongs &= Q(micro_cluster__cluster_id=outage.cluster_id)
    if outage.scope_region:
        there = Q()
        for place in sorted({outage.scope_region, *outage.regions}):
            there |= Q(region=place) | Q(region__startswith=f"{place}-")
        belongs &= there
    return belongs


def _busiest_quarter(outage: Outage, *, until: datetime) -> int:
    since = outage.started_at
    counts = MinuteCount.objects.filter(is_in(outage), service_id=outage.service_id, minute__range=(since, until))
    by_quarter: Counter[int] = Counter()
    for minute, n_counted in counts.values_list("minute").annotate(n=Sum("n_counted")):
        by_quarter[(minute - since) // QUARTER] += n_counted
    return max(by_quarter.values(), default=0)
