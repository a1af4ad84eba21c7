"""How many people report an outage from each of its places: what the public may be told depends on it.

Invariant: never more than there are. Where counting heads would take long, it is the fullest hour's count, for within
an hour a reporter counts once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Sum
from django.db.models.functions import TruncHour

from reports.detection.aftertalk import is_in
from reports.detection.evidence import is_within
from reports.models import MinuteCount, Outage, Placement


def reporters_by_place(outage: Outage, *, exactly: bool) -> dict[str, int]:
    """Return for each place of an outage, and for the countries these lie in, how many people report from there.

    With `exactly=False` it is what they are at the least. Queries: one, none for an outage without a place.
    """
    named = {outage.scope_region, *outage.regions} - {""}
    places = sorted(named | {code.partition("-")[0] for code in named})
    if not places:
        return {}
    return _heads(outage, places) if exactly else _fullest_hours(outage, places)


def _heads(outage: Outage, places: Iterable[str]) -> dict[str, int]:
    counted = Placement.objects.filter(
        is_in(outage), service_id=outage.service_id, counted_at__gte=outage.started_at, is_counted=True
    )
    known: defaultdict[str, set[bytes]] = defaultdict(set)
    anonymous: Counter[str] = Counter()
    for region, reporter in counted.values_list("region", "reporter"):
        if reporter:
            known[region].add(bytes(reporter))
        else:
            anonymous[region] += 1
    heard = known.keys() | anonymous.keys()
    found = {}
    for place in places:
        inside = [region for region in heard if is_within(region, place)]
        people = {reporter for region in inside for reporter in known[region]}
        found[place] = len(people) + sum(anonymous[region] for region in inside)
    return found


def _fullest_hours(outage: Outage, places: Iterable[str]) -> dict[str, int]:
    counts = MinuteCount.objects.filter(is_in(outage), service_id=outage.service_id, minute__gte=outage.started_at)
    by_hour = counts.annotate(hour=TruncHour("minute")).values_list("region", "hour").annotate(n=Sum("n_counted"))
    hours: list[tuple[str, datetime, int]] = list(by_hour)
    found = {}
    for place in places:
        of_place: Counter[datetime] = Counter()
        for region, hour, n in hours:
            if is_within(region, place):
                of_place[hour] += n
        found[place] = max(of_place.values(), default=0)
    return found
