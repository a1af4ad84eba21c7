"""What quiet days and other services teach: judged once, stored, and used by the running stage."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pytest
from django.db import transaction

from ml import budget
from ml.budget import DEFAULT_OFFSETS, STRATUM_RATES, stratum
from reports.detection import fleet
from reports.detection.fleet import forget_fleet, refresh_fleet
from reports.detection.learning import forget_usual, what_is_usual
from reports.enums import OutageState
from reports.models import Cluster, FleetTable, MinuteCount, Outage, QuietDay, Service, ServiceProfile
from tests.detection.streams import HOUR, MINUTE, everyday_cluster, known_service, look, people
from tests.factories import NOW, first_micro_cluster, make_cluster, make_outage, make_service

pytestmark = pytest.mark.django_db

MIDNIGHT = NOW.replace(hour=0)
NIGHT = MIDNIGHT + timedelta(hours=2, minutes=30)
YESTERDAY = date(2026, 3, 3)


def service_with_a_past(*, company: int = 1, per_hour: float = 6.0, weeks: int = 4, seed: int = 1) -> Service:
    """Make a service whose reports came so many at a time, until midnight; let it be learnt."""
    service = make_service()
    start = MIDNIGHT - timedelta(weeks=weeks)
    Service.objects.filter(pk=service.pk).update(created_at=start)
    fill(make_cluster(service), start, MIDNIGHT, company=company, per_hour=per_hour, seed=seed)
    with transaction.atomic():
        what_is_usual(service_id=service.pk, now=NIGHT)
    return service


def fill(cluster: Cluster, start: datetime, end: datetime, *, company: int, per_hour: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(per_hour / company / 60, size=(end - start) // MINUTE) * company
    MinuteCount.objects.bulk_create(
        MinuteCount(
            service_id=cluster.service_id, minute=start + int(minute) * MINUTE,
            micro_cluster=first_micro_cluster(cluster), region="", n_reports=counts[minute], n_counted=counts[minute],
        )
        for minute in np.flatnonzero(counts)
    )  # fmt: skip


def a_table(*, lower_by: float = 0.0, dispersion: float | None = None) -> None:
    """Store a table with other offsets, or with a scatter learnt from many reports."""
    expected = [1000.0 if dispersion else 0.0] * 18
    FleetTable.objects.create(
        day=YESTERDAY,
        offsets=[offset - lower_by for offset in DEFAULT_OFFSETS],
        scatter_squares=[(dispersion or 0.0) * one for one in expected],
        scatter_expected=expected,
    )
    forget_fleet()


def test_how_reports_scatter_is_learnt_and_kept() -> None:
    alone, in_threes = service_with_a_past(), service_with_a_past(company=3)

    found = {row.pk: fleet.scatter_of(row) for row in ServiceProfile.objects.all()}

    learnt = {pk: one.squares / one.expected for pk, one in found.items() if one is not None}
    assert learnt[alone.pk] == pytest.approx(1.0, abs=0.15)
    assert learnt[in_threes.pk] == pytest.approx(3.0, abs=0.4)


def test_a_new_service_takes_after_those_of_its_rate() -> None:
    a_table(dispersion=3.0)
    service = make_service()

    with transaction.atomic():
        usual = what_is_usual(service_id=service.pk, now=NOW)

    assert usual.dispersion == pytest.approx(3.0, abs=0.15)


def test_where_nothing_is_learnt_the_dispersion_follows_from_the_hours() -> None:
    with transaction.atomic():
        usual = what_is_usual(service_id=make_service().pk, now=NOW)

    assert usual.dispersion[[0, 4, -1]].round(3).tolist() == [1.052, 1.115, 1.2]


def test_a_day_is_judged_by_the_weeks_before_it() -> None:
    service_with_a_past()

    assert refresh_fleet(now=NIGHT)

    [day] = QuietDay.objects.all()
    assert (day.day, day.stratum, day.minutes) == (YESTERDAY, int(stratum(6.0)), 1440.0)
    assert FleetTable.objects.get().day == YESTERDAY


def test_a_night_that_is_done_twice_changes_nothing() -> None:
    service_with_a_past()
    refresh_fleet(now=NIGHT)
    before = list(QuietDay.objects.values()), list(FleetTable.objects.values())

    again = refresh_fleet(now=NIGHT + HOUR)

    assert not again
    assert (list(QuietDay.objects.values()), list(FleetTable.objects.values())) == before


def test_with_too_little_quiet_time_the_shipped_table_stays() -> None:
    service_with_a_past(company=3)

    refresh_fleet(now=NIGHT)

    assert FleetTable.objects.get().offsets == list(DEFAULT_OFFSETS)


def test_with_enough_of_it_the_table_goes_towards_the_installations_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "LEAST_QUIET_MINUTES", 1440.0)
    service_with_a_past()
    for ago in range(2, 32):  # each a day with a peak that should come once in a hundred years
        QuietDay.objects.create(day=YESTERDAY - timedelta(days=ago), stratum=2, minutes=1440.0, peaks=[16.0, 15.0])

    refresh_fleet(now=NIGHT)

    offsets = FleetTable.objects.get().offsets
    assert offsets[2] < DEFAULT_OFFSETS[2] - 2
    assert offsets[:2] == list(DEFAULT_OFFSETS[:2])


def test_days_of_long_ago_are_forgotten() -> None:
    service_with_a_past()
    QuietDay.objects.create(day=YESTERDAY - timedelta(days=fleet.KEPT_DAYS), stratum=2, minutes=1440.0)

    refresh_fleet(now=NIGHT)

    assert [row.day for row in QuietDay.objects.all()] == [YESTERDAY]


def test_a_service_known_for_less_than_a_week_is_not_judged() -> None:
    service_with_a_past(weeks=1)

    refresh_fleet(now=NIGHT)

    assert not QuietDay.objects.exists()


def test_the_running_stage_uses_the_table() -> None:
    seen = []
    for lower_by in (0.0, 5.0):
        FleetTable.objects.all().delete()
        forget_usual()
        a_table(lower_by=lower_by)
        service = known_service()
        people(everyday_cluster(service, rate_per_hour=6.0), 2, minutes=4)
        look(service, after=4)
        seen.append(Outage.objects.filter(service=service).exists())

    assert seen == [True, False]


@pytest.mark.parametrize(
    ("state", "confirmed", "n_minutes"),
    [
        (OutageState.RESOLVED, True, 1440 - 3 * 60),  # of 10:30 to 11:30: two hours and the one after
        (OutageState.RESOLVED, False, 1440),
        (OutageState.DISMISSED, True, 1440),
    ],
)
def test_what_was_confirmed_and_not_dismissed_is_no_quiet_time(
    state: OutageState, confirmed: bool, n_minutes: int
) -> None:
    service = service_with_a_past()
    start = MIDNIGHT - timedelta(hours=13, minutes=30)
    make_outage(
        service, state=state, started_at=start, resolved_at=start + HOUR,
        confirmed_at=start + 5 * MINUTE if confirmed else None,
    )  # fmt: skip

    refresh_fleet(now=NIGHT)

    assert QuietDay.objects.get().minutes == n_minutes


def test_of_many_services_as_many_are_judged_as_a_night_has_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "MOST_SERVICES", 2)
    for seed in range(3):
        service_with_a_past(seed=seed)

    refresh_fleet(now=NIGHT)

    assert QuietDay.objects.get().minutes == 2 * 1440


def test_the_rates_that_stand_for_strata_lie_in_them() -> None:
    assert stratum(STRATUM_RATES).tolist() == list(range(len(DEFAULT_OFFSETS)))
