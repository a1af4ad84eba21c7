"""Slow outages of quiet services: reports of a failure that gather over hours, where an hour is too short to tell.

They are suspected, never confirmed: a confirmation is the last hour's (`failing`). Only where failures are watched by
themselves, for the budget of false alarms is theirs, and only in a region by itself, for what gathers everywhere is a
day like no other. What came before the end of the last outage is told already and does not count again. Not here: the
test (`ml.clumps`), and outages (`services`).
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from django.db import connection
from django.db.models import Max

from ml.baseline import joint_strength
from ml.clumps import CLUMP_HOURS, clump_rate
from ml.detect import Evidence, expected_by_minute, stream_dispersion
from ml.regions import ancestors
from reports.detection.arrays import HOUR, MINUTE, LastHour
from reports.detection.evidence import Finding, budget_of, thresholds
from reports.detection.learning import Usual
from reports.models import MinuteCount, Outage

SLOW_WITHIN: Final = CLUMP_HOURS[-1] * HOUR
# One more than any other suspicion: over hours two people are easily one.
LEAST_REPORTS: Final = 4
# A clump is looked for when something came; it does not grow by waiting.
CAME_WITHIN: Final = timedelta(minutes=2)


def services_to_look_at(*, now: datetime) -> list[int]:
    """Return the services that got a report just now and enough within the hours. Queries: one or two."""
    latest = MinuteCount.objects.filter(minute__gt=now - CAME_WITHIN, minute__lte=now, n_counted__gt=0)
    service_ids = list(latest.values_list("service_id", flat=True).distinct())
    if not service_ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT service_id FROM reports_minutecount WHERE service_id = ANY(%s) AND minute > %s AND minute <= %s"
            " GROUP BY 1 HAVING sum(n_counted) >= %s",
            [service_ids, now - SLOW_WITHIN, now, LEAST_REPORTS],
        )
        return [service_id for (service_id,) in cursor.fetchall()]


def slow_rise(service_id: int, hour: LastHour, usual: Usual, *, now: datetime) -> Finding | None:
    """Return the region in which failures clearly gathered over hours; None where there is none. Queries: two."""
    if not usual.mix.is_watched or usual.young_since is not None:  # hours can't be told from a service's only hours
        return None
    told_at = Outage.objects.filter(service_id=service_id).aggregate(at=Max("resolved_at"))["at"]
    newest = now.replace(second=0, microsecond=0)
    since = max(newest - SLOW_WITHIN + MINUTE, told_at or newest - SLOW_WITHIN)
    came = _failures_by_place(service_id, since=since, until=newest)
    leaves = [place for place in came if not any(place in ancestors(other) for other in (*came, *usual.levels))]
    places = [place for place in leaves if len(came[place]) >= LEAST_REPORTS]
    if not places:
        return None
    counts = np.array(
        [[sum(at > newest - hours * HOUR for at in came[place]) for hours in CLUMP_HOURS] for place in places]
    )
    failures = usual.of_failures()
    by_minute = usual.today.factor * expected_by_minute(
        failures.rates_per_hour, hour.end_minute, n_minutes=60 * CLUMP_HOURS[-1], elapsed_seconds=hour.elapsed_seconds
    )
    service_expected = np.array([by_minute[-60 * hours :].sum() for hours in CLUMP_HOURS])
    share, strength = usual.shares_of(places, end_minute=hour.end_minute)
    expected = share[:, None] * service_expected[None, :]
    # By how local the service's scatter is, and at least what the region's own is in the longest window it is known of.
    by_hours = stream_dispersion(usual.profile.dispersion, share, exponent=usual.exponent)
    dispersion = np.maximum(by_hours[:, None], usual.dispersion_of(places)[:, -1:])
    known = np.asarray(joint_strength(strength, failures.today.strength))[:, None]
    known_places = {*came, *usual.levels}
    n_tried = sum(not any(place in ancestors(other) for other in known_places) for place in known_places)
    p_values = clump_rate(counts, expected, dispersion, known) * n_tried / budget_of(usual, of_failures=True)
    best, rarest = np.unravel_index(int(np.argmin(p_values)), p_values.shape)
    if p_values[best, rarest] >= thresholds().p_suspect:
        return None
    window = 60 * CLUMP_HOURS[rarest]
    first = min(at for at in came[places[best]] if at > newest - window * MINUTE)
    found = Evidence(
        p_value=float(p_values[best, rarest]),
        p_recent=1.0,
        window_minutes=window,
        observed=float(counts[best, rarest]),
        expected=float(expected[best, rarest]),
    )
    place = places[best]
    return Finding(place, (place,) if place else (), None, found, (newest - first) // MINUTE, of_failures=True)


def _failures_by_place(service_id: int, *, since: datetime, until: datetime) -> dict[str, list[datetime]]:
    found: dict[str, list[datetime]] = {}
    rows: Counter[tuple[str, datetime]] = Counter()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT region, minute, sum(n_counted - n_no_failure)::int FROM reports_minutecount"
            " WHERE service_id = %s AND minute >= %s AND minute <= %s GROUP BY 1, 2",
            [service_id, since, until],
        )
        for region, minute, n in cursor.fetchall():
            for place in {region, *ancestors(region)}:
                rows[place, minute] += n
    for (place, minute), n in rows.items():
        found.setdefault(place, []).extend([minute] * n)
    return found
