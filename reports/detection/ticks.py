"""What a tick sees of all services at once: where something rises, and how clear that must be among so many.

A glance reads every service's last hour by one query and tests all streams together, without a lock and without
writing; only where something rises, an outage is open or an hour is to be learnt, a service is looked at closely
(`services`), and read anew there. So a tick costs what is unusual, and every service's evidence is known before any is
acted on: that is what the bound on false discoveries needs. Not here: what is done with a rise.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ml.budget import highest_kept
from reports.detection.arrays import LastHour, cluster_pasts, last_hours
from reports.detection.evidence import Streams, least_p, rises, thresholds, weigh_all
from reports.detection.fleet import fleet_in_use
from reports.detection.learning import still_usual
from reports.detection.life import lives
from reports.models import Service

logger = logging.getLogger(__name__)

LAST_HOUR: Final = timedelta(minutes=61)
CLUSTER_MEMORY: Final = timedelta(weeks=4)
# Of the outages that a tick opens at most so many may be chance's doing, however many services there are.
SHARE_FALSE: Final = 0.1
# For a glance a cluster's past is remembered so long; it changes by the hour, and is read anew where something rises.
PAST_REMEMBERED_MINUTES: Final = 60
PASTS_AT_LEAST: Final = 10_000  # are remembered before those of clusters that fell silent are dropped


@dataclass(frozen=True, slots=True)
class Tick:
    """What a glance found: services with reports enough, those to look at closely, and the bound for new outages."""

    seen: frozenset[int]
    to_look_at: frozenset[int]
    p_allowed: float


# By cluster: in which of its own hours its past was read, and how much that was.
_pasts: dict[int, tuple[int, float]] = {}


def glance(*, now: datetime) -> Tick:
    """Test all streams of all services.

    Queries: three, one for clusters whose past is to be read, one once an hour, two where any service is young.

    With fewer reports within the hour than a suspicion needs reporters nothing can be suspected. Where what is usual
    has yet to be learnt, a close look does so; until then its evidence counts as none.
    """
    hours = last_hours(now=now, least=thresholds().n_reporters_suspect)
    usuals = still_usual(hours, now=now)
    known = {pk: hour for pk, hour in hours.items() if pk in usuals}
    n_watched = max(Service.objects.active().count(), len(hours), 1)
    watched = {pk: hour for pk, hour in known.items() if usuals[pk].mix.is_watched}
    cluster_past, calibration = _cluster_pasts(known, now=now), fleet_in_use(now=now).calibration
    life_of = lives({pk: usuals[pk] for pk in known}, now=now)
    found_of: dict[int, list[Streams]] = defaultdict(list)
    try:
        for part, of_failures in ((known, False), (watched, True)):
            streams = weigh_all(
                list(part.values()),
                [usuals[pk] for pk in part],
                cluster_past=cluster_past,
                lives=[life_of.get(pk) for pk in part],
                calibration=calibration,
                of_failures=of_failures,
            )
            for pk, found in zip(part, streams, strict=True):
                found_of[pk].append(found)
    except ValueError:
        # One service that can't be weighed must not hold up the others: each is looked at by itself.
        logger.error("The services could not be weighed together; each is looked at by itself.")
        return Tick(frozenset(hours), frozenset(hours), highest_kept([], n_watched=n_watched, share=SHARE_FALSE))
    rising = {pk for pk, found in found_of.items() if any(map(rises, found))}
    clearest = [min(map(least_p, found)) for found in found_of.values()]
    p_allowed = highest_kept(clearest, n_watched=n_watched, share=SHARE_FALSE)
    return Tick(frozenset(hours), frozenset(rising | (hours.keys() - known.keys())), p_allowed)


def forget_pasts() -> None:
    """Empty this process's memory: for a process that changes its database."""
    _pasts.clear()


def _cluster_pasts(hours: Mapping[int, LastHour], *, now: datetime) -> dict[int, float]:
    """Return the past of all clusters of an hour, from memory where it was read within the hour. Queries: at most one.

    Clusters are read anew at minutes of their own, so that no tick reads all of them.
    """
    cluster_ids = [pk for hour in hours.values() for pk in hour.cluster_ids]
    minute = int(now.timestamp()) // 60
    own_hour = {pk: (minute + pk) // PAST_REMEMBERED_MINUTES for pk in cluster_ids}
    unread = [pk for pk in cluster_ids if pk not in _pasts or _pasts[pk][0] != own_hour[pk]]
    found = cluster_pasts(unread, before=now - LAST_HOUR, since=now - CLUSTER_MEMORY)
    _pasts.update((pk, (own_hour[pk], found.get(pk, 0.0))) for pk in unread)
    if len(_pasts) > 2 * len(cluster_ids) + PASTS_AT_LEAST:
        for pk in _pasts.keys() - own_hour.keys():
            del _pasts[pk]
    return {pk: _pasts[pk][1] for pk in cluster_ids}
