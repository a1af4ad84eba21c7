"""Partitions: today's reports land in today's, old ones in the default, and making them twice is harmless."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from django.db import connection

from reports.intake.partitions import DAYS_AHEAD, make_partitions, partition_name
from reports.models import Report
from tests.factories import make_report, make_service

# A week of its own, so that no other test's partitions are in the way.
MONDAY = datetime(2031, 5, 5, 9, 30, tzinfo=UTC)
ALL_DAYS = [partition_name((MONDAY + timedelta(days=ahead)).date()) for ahead in range(DAYS_AHEAD + 1)]


@pytest.fixture
def _dropped_afterwards() -> Iterator[None]:
    """A test without a transaction around it leaves tables behind."""
    yield
    with connection.cursor() as cursor:
        for name in ALL_DAYS:
            cursor.execute(f'DROP TABLE IF EXISTS "{name}"')


def partition_of(report: Report) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM reports_report WHERE id = %s", [report.id])
        return str(cursor.fetchone()[0])


def partitions() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'reports_report'::regclass")
        return {name for (name,) in cursor.fetchall()}


def test_a_partition_is_named_by_its_day() -> None:
    assert partition_name(date(2026, 3, 4)) == "reports_report_20260304"


@pytest.mark.django_db
def test_today_and_the_coming_week_are_made() -> None:
    made = make_partitions(now=MONDAY)

    assert made == ALL_DAYS
    assert set(ALL_DAYS) <= partitions()


@pytest.mark.django_db
def test_making_them_twice_is_harmless() -> None:
    make_partitions(now=MONDAY)

    assert make_partitions(now=MONDAY) == []


@pytest.mark.django_db
def test_the_next_day_makes_one_more() -> None:
    make_partitions(now=MONDAY)

    made = make_partitions(now=MONDAY + timedelta(days=1))

    assert made == ["reports_report_20310513"]


@pytest.mark.django_db
def test_days_are_days_of_utc() -> None:
    monday_already_in_tokyo = datetime(2031, 5, 6, 1, 0, tzinfo=timezone(timedelta(hours=9)))

    assert make_partitions(now=monday_already_in_tokyo)[0] == "reports_report_20310505"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "at",
    [
        MONDAY.replace(hour=0, minute=0),
        MONDAY,
        MONDAY.replace(hour=23, minute=59, second=59, microsecond=999_999),
    ],
)
def test_todays_reports_land_in_todays_partition(at: datetime) -> None:
    make_partitions(now=MONDAY)

    report = make_report(make_service(), at=at)

    assert partition_of(report) == "reports_report_20310505"


@pytest.mark.django_db
def test_old_reports_land_in_the_default_partition() -> None:
    make_partitions(now=MONDAY)

    report = make_report(make_service(), at=MONDAY - timedelta(days=400))

    assert partition_of(report) == "reports_report_default"


@pytest.mark.django_db
def test_a_day_that_has_begun_in_the_default_partition_stays_there() -> None:
    early = make_report(make_service(), at=MONDAY)

    made = make_partitions(now=MONDAY)

    assert made == ALL_DAYS[1:]
    assert partition_of(early) == "reports_report_default"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_dropped_afterwards")
def test_processes_that_make_them_at_once_make_each_once() -> None:
    def as_a_process_of_its_own(_: int) -> list[str]:
        try:
            return make_partitions(now=MONDAY)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        made = [name for names in threads.map(as_a_process_of_its_own, range(4)) for name in names]

    assert sorted(made) == ALL_DAYS
