"""What is usual by the clocks of a service's users: changes of the clock, holidays, other time zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from ml.baseline import hour_slot
from reports.detection.arrays import epoch_hour, slots_of
from reports.detection.learning import Usual, forget_usual, what_is_usual
from reports.models import MinuteCount, Service, ServiceProfile
from tests.detection.streams import HOUR, MINUTE
from tests.factories import first_micro_cluster, make_cluster, make_service

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
CLOCKS_CHANGE = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)  # in Berlin, from 2 to 3 o'clock
MONDAY_BEFORE = datetime(2026, 3, 23, tzinfo=UTC)


def busy_from_eight(*, zone: str, until: datetime, weeks: int = 5, holidays: tuple[date, ...] = ()) -> Service:
    """Make a service with 20 reports an hour on weekdays from 8 to 17 by its users' clocks, and one in others."""
    service = make_service(time_zone=zone, holidays=list(holidays))
    start = until - timedelta(weeks=weeks)
    Service.objects.filter(pk=service.pk).update(created_at=start)
    micro_cluster = first_micro_cluster(make_cluster(service))
    counts = []
    for i in range((until - start) // HOUR):
        at = (start + i * HOUR).astimezone(ZoneInfo(zone or "UTC"))
        n = 20 if at.weekday() < 5 and 8 <= at.hour < 17 and at.date() not in holidays else 1
        counts.append(
            MinuteCount(service=service, minute=at + 7 * MINUTE, micro_cluster=micro_cluster, n_reports=n, n_counted=n)
        )
    MinuteCount.objects.bulk_create(counts)
    return service


def usual(service: Service, *, at: datetime) -> Usual:
    forget_usual()
    with transaction.atomic():
        return what_is_usual(service_id=service.pk, now=at)


def rate(service: Service, *, at: datetime) -> float:
    """Return how many reports an hour are usual then, to be asked in order."""
    return float(usual(service, at=at).rates_per_hour[hour_slot(epoch_hour(at))])


def test_after_a_change_of_the_clock_the_morning_begins_an_hour_sooner_in_utc() -> None:
    service = busy_from_eight(zone="Europe/Berlin", until=CLOCKS_CHANGE)
    monday_after = datetime(2026, 3, 30, tzinfo=UTC)

    before_eight, after_eight = (rate(service, at=monday_after + hour * HOUR) for hour in (5, 6))

    assert before_eight < 4
    assert after_eight > 12


def test_what_looks_ahead_over_a_change_of_the_clock_knows_both_sides() -> None:
    service = busy_from_eight(zone="Europe/Berlin", until=CLOCKS_CHANGE - DAY)

    rates = usual(service, at=CLOCKS_CHANGE - DAY).rates_per_hour

    friday, monday = CLOCKS_CHANGE - 2 * DAY, CLOCKS_CHANGE + DAY
    assert rates[hour_slot(epoch_hour(friday.replace(hour=6)))] < 4  # 7 o'clock
    assert rates[hour_slot(epoch_hour(monday.replace(hour=6)))] > 12  # 8 o'clock


def test_a_holiday_is_like_a_sunday() -> None:
    holiday = date(2026, 3, 25)
    service = busy_from_eight(zone="", until=MONDAY_BEFORE + DAY, holidays=(holiday,))

    rates = usual(service, at=MONDAY_BEFORE + DAY).rates_per_hour

    wednesday_ten, thursday_ten = (hour_slot(epoch_hour(MONDAY_BEFORE + days * DAY + 10 * HOUR)) for days in (2, 3))
    assert rates[wednesday_ten] < 4
    assert rates[thursday_ten] > 12


def test_hours_of_a_holiday_teach_the_sunday() -> None:
    last_monday = date(2026, 3, 16)
    service = busy_from_eight(zone="", until=MONDAY_BEFORE, holidays=(last_monday,))

    rates = usual(service, at=MONDAY_BEFORE + HOUR).rates_per_hour

    assert rates[hour_slot(epoch_hour(MONDAY_BEFORE + 10 * HOUR))] > 14


def test_with_another_time_zone_the_week_is_learnt_anew() -> None:
    service = busy_from_eight(zone="Europe/Berlin", until=MONDAY_BEFORE)
    before = usual(service, at=MONDAY_BEFORE)
    Service.objects.filter(pk=service.pk).update(time_zone="Asia/Tokyo")

    after = usual(service, at=MONDAY_BEFORE + HOUR)

    profile = ServiceProfile.objects.get()
    assert profile.time_zone == "Asia/Tokyo"
    assert profile.slot_counts[15] < 10  # Mondays, 15:00 in Tokyo: 7:00 in Berlin
    assert profile.slot_counts[16] > 50
    assert after.rates_per_hour[8:15] == pytest.approx(before.rates_per_hour[8:15], rel=0.15)
    assert sum(profile.slot_hours) == pytest.approx(sum(before.profile.slot_hours), rel=0.01)


def test_slots_follow_clocks_and_holidays() -> None:
    service = Service(time_zone="Asia/Kolkata", holidays=[date(2026, 3, 3)])

    found = slots_of(service, start=datetime(2026, 3, 2, 18, 0, tzinfo=UTC), n_hours=2)

    assert found.tolist() == [23, 6 * 24]  # Monday 23:30, and Tuesday 0:30, a holiday


def test_the_stored_rates_are_those_of_the_hours_in_utc() -> None:
    service = busy_from_eight(zone="Asia/Tokyo", until=MONDAY_BEFORE)

    found = usual(service, at=MONDAY_BEFORE)

    assert ServiceProfile.objects.get().rates_per_hour == found.rates_per_hour.tolist()
    assert found.rates_per_hour[[0, 10]].round().tolist() == [20, 1]  # 9 and 19 o'clock
