"""What all services teach each of them: how reports scatter, and how seldom quiet reports look like an outage.

Every night the day before is judged as the detector would have judged it, out of sample and without its outages; from
twelve weeks of such days comes this installation's table of false alarms, from all services' scatter what one with
little history takes after. Invariant: a day is judged once, so a second run changes nothing; with too little quiet time
the shipped table stays. Not here: the mathematics (`ml.quiet`, `ml.budget`, `ml.scatter`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import numpy as np
from django.db import transaction

from ml.baseline import HALF_LIFE_HOURS
from ml.budget import N_STRATA, STRATUM_RATES, Calibration, default_calibration, refresh, stratum
from ml.detect import WINDOW_MINUTES, window_dispersion
from ml.quiet import QuietTime, judge_quiet
from ml.scatter import SCATTER_MINUTES, Scatter, dispersion_by_window, empty_scatter, pool_scatter
from ml.types import BoolArray, Float64Array
from reports.detection.arrays import HOUR, epoch_hour, hourly_total, minute_total, slots_of
from reports.enums import OutageState
from reports.models import FleetTable, Outage, QuietDay, Service, ServiceProfile

# What is usual on a day is learnt from so long before it.
LEARNT_FROM: Final = timedelta(hours=HALF_LIFE_HOURS)
# A service costs some 30 ms; a night's task may take two minutes. Of more services as many are drawn, by the day.
MOST_SERVICES: Final = 1_000
KEPT_DAYS: Final = 84
MOST_PEAKS: Final = 30  # of a day and stratum; `refresh` reads thirty of all days, or one for each month
FROZEN_AT_MOST: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Fleet:
    """The table in use: how seldom quiet reports look like an outage, and how reports scatter, by stratum."""

    calibration: Calibration
    scatters: tuple[Scatter, ...]

    def dispersion(self, own: Scatter | None, rate_per_hour: float, *, hourly: float) -> Float64Array:
        """Return the dispersion of a service's counts in each window, shrunk to that of services of its rate.

        Where neither has learnt any, it follows from that of `hourly` counts.
        """
        fleet = self.scatters[int(stratum(rate_per_hour))]
        if own is None and not fleet.expected.any():
            return window_dispersion(hourly)
        return dispersion_by_window(own or empty_scatter(), WINDOW_MINUTES, fleet=fleet)


SHIPPED: Final = Fleet(default_calibration(), (empty_scatter(),) * N_STRATA)
_in_use: tuple[int, Fleet] | None = None  # since which hour, and what


def fleet_in_use(*, now: datetime) -> Fleet:
    """Return the latest table, or what is shipped. Queries: one an hour and process."""
    global _in_use
    hour = epoch_hour(now)
    if _in_use is None or _in_use[0] != hour:
        _in_use = hour, _read()
    return _in_use[1]


def forget_fleet() -> None:
    """Empty this process's memory: for a process that changes its database."""
    global _in_use
    _in_use = None


def refresh_fleet(*, now: datetime) -> bool:
    """Judge yesterday (UTC), and make the table of it and the days before; false where there was nothing to do.

    Concurrency: two at once judge the same day to the same end, and the constraint lets one through. Queries: three a
    service.
    """
    day = now.astimezone(UTC).date() - timedelta(days=1)
    if FleetTable.objects.filter(day=day).exists():
        return False
    scatters = _pooled()
    fleet = Fleet(fleet_in_use(now=now).calibration, scatters)
    judged = [_judge(profile, fleet, day) for profile in _drawn(day)]
    if not any(judged) and not any(one.expected.any() for one in scatters):
        return False
    with transaction.atomic():
        QuietDay.objects.bulk_create(_rows(judged, day), ignore_conflicts=True)
        QuietDay.objects.filter(day__lte=day - timedelta(days=KEPT_DAYS)).delete()
        FleetTable.objects.bulk_create(
            [
                FleetTable(
                    day=day,
                    offsets=_offsets().tolist(),
                    scatter_squares=np.concatenate([one.squares for one in scatters]).tolist(),
                    scatter_expected=np.concatenate([one.expected for one in scatters]).tolist(),
                )
            ],
            ignore_conflicts=True,
        )
        FleetTable.objects.filter(day__lt=day).delete()
    return True


def scatter_of(profile: ServiceProfile) -> Scatter | None:
    """Return what a service's own scatter is known to be; None where nothing was learnt of it."""
    if profile.scatter_squares is None or profile.scatter_expected is None:
        return None
    return Scatter(np.array(profile.scatter_squares), np.array(profile.scatter_expected))


def _read() -> Fleet:
    row = FleetTable.objects.order_by("-day").first()
    if row is None:
        return SHIPPED
    shape = N_STRATA, len(SCATTER_MINUTES)
    squares, expected = np.reshape(row.scatter_squares, shape), np.reshape(row.scatter_expected, shape)
    return Fleet(
        Calibration(np.array(row.offsets)),
        tuple(Scatter(one, other) for one, other in zip(squares, expected, strict=True)),
    )


def _pooled() -> tuple[Scatter, ...]:
    """Return the scatter of all services, by stratum. Queries: one."""
    by_stratum: dict[int, list[Scatter]] = defaultdict(list)
    for profile in ServiceProfile.objects.exclude(scatter_squares=None).only(
        "rates_per_hour", "scatter_squares", "scatter_expected"
    ):
        if (scatter := scatter_of(profile)) is not None:
            by_stratum[int(stratum(np.mean(profile.rates_per_hour)))].append(scatter)
    return tuple(pool_scatter(by_stratum[which]) for which in range(N_STRATA))


def _drawn(day: date) -> list[ServiceProfile]:
    """Return the profiles of the services that are judged. Queries: two."""
    active = Service.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True)
    known = np.array(active.filter(pk__in=ServiceProfile.objects.values("pk")), dtype=np.int64)
    if known.size > MOST_SERVICES:
        known = np.random.default_rng(day.toordinal()).choice(known, MOST_SERVICES, replace=False)
    return list(ServiceProfile.objects.filter(pk__in=known.tolist()).select_related("service").order_by("pk"))


def _judge(profile: ServiceProfile, fleet: Fleet, day: date) -> QuietTime | None:
    """Judge one service's day; None where it is not known for long enough. Queries: three."""
    end = datetime.combine(day + timedelta(days=1), time(), UTC)
    start = end - timedelta(days=1)
    if profile.learned_until < start:
        return None  # nothing was reported of late, or nobody has looked
    since = start - LEARNT_FROM
    hourly = hourly_total(profile.pk, start=since, n_hours=(end - since) // HOUR)
    n_silent = int(np.argmax(hourly > 0))  # before the first report it was not there
    if hourly.size - n_silent < 7 * 24 + 24:
        return None
    since, hourly = since + n_silent * HOUR, hourly[n_silent:]
    frozen, disturbed = _outage_hours(profile.pk, since=since, n_hours=hourly.size)
    return judge_quiet(
        hourly,
        minute_total(profile.pk, start=start - HOUR, n_minutes=25 * 60),
        fleet.dispersion(scatter_of(profile), float(np.mean(profile.rates_per_hour)), hourly=profile.dispersion),
        first_epoch_hour=epoch_hour(since),
        frozen=frozen,
        disturbed=disturbed,
        slots=slots_of(profile.service, start=since, n_hours=hourly.size),
    )


def _outage_hours(service_id: int, *, since: datetime, n_hours: int) -> tuple[BoolArray, BoolArray]:
    """Mark the hours of outages that teach little, and those of outages that were no false alarm. Queries: one.

    What faded unconfirmed, and what a person dismissed, was quiet time: that is what is counted here.
    """
    frozen, disturbed = np.zeros(n_hours, dtype=np.bool_), np.zeros(n_hours, dtype=np.bool_)
    end = since + n_hours * HOUR
    outages = Outage.objects.filter(service_id=service_id, started_at__lt=end).exclude(resolved_at__lt=since)
    for outage in outages.exclude(state=OutageState.DISMISSED).only("started_at", "resolved_at", "confirmed_at"):
        first = max((outage.started_at - since) // HOUR, 0)
        until = outage.resolved_at or end
        frozen[first : max((min(until, outage.started_at + FROZEN_AT_MOST) - since) // HOUR + 1, 0)] = True
        if outage.confirmed_at is not None:
            disturbed[first : max((until - since) // HOUR + 1, 0)] = True
    return frozen, disturbed


def _rows(judged: list[QuietTime | None], day: date) -> list[QuietDay]:
    found = [one for one in judged if one is not None]
    if not found:
        return []
    peaks = np.concatenate([one.peaks for one in found])
    of_stratum = stratum(np.concatenate([one.rate_per_hour for one in found]))
    minutes = np.sum([one.minutes for one in found], axis=0)
    return [
        QuietDay(
            day=day,
            stratum=which,
            minutes=float(minutes[which]),
            peaks=np.sort(peaks[of_stratum == which])[::-1][:MOST_PEAKS].tolist(),
        )
        for which in range(N_STRATA)
        if minutes[which] > 0
    ]


def _offsets() -> Float64Array:
    """Return the table that all kept days give. Queries: one."""
    peaks, rates, minutes = [], [], np.zeros(N_STRATA)
    for row in QuietDay.objects.all():
        peaks += row.peaks
        rates += [STRATUM_RATES[row.stratum]] * len(row.peaks)
        minutes[row.stratum] += row.minutes
    return refresh(default_calibration(), peaks, rates, minutes).offsets
