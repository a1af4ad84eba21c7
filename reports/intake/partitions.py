"""The `Report` table's partitions: one a day, on the id itself, made ahead of time.

What falls outside them (a replay of old recordings) goes to the default partition, so an insert never fails for want of
one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction

from reports.intake.ids import first_id

DAYS_AHEAD = 7


def partition_name(day: date) -> str:
    return f"reports_report_{day:%Y%m%d}"


def make_partitions(*, now: datetime) -> list[str]:
    """Make the partitions of today and the coming week that are missing; return their names.

    A day for which the default partition already holds reports is left to it: attaching would fail, and nothing is
    lost.
    """
    made: list[str] = []
    today = now.astimezone(UTC).date()
    for day in (today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1)):
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        bounds = [str(first_id(start)), str(first_id(start + timedelta(days=1)))]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('reports.partitions'))")
            # Asked of the catalogue itself: what `to_regclass` remembers may be older than the wait for the lock.
            cursor.execute(
                "SELECT EXISTS (SELECT 1 FROM pg_class"
                " WHERE relname = %s AND relnamespace = current_schema()::regnamespace)",
                [partition_name(day)],
            )
            if cursor.fetchone()[0]:
                continue
            cursor.execute("SELECT EXISTS (SELECT 1 FROM reports_report_default WHERE id >= %s AND id < %s)", bounds)
            if cursor.fetchone()[0]:
                continue
            cursor.execute(
                f'CREATE TABLE "{partition_name(day)}" PARTITION OF reports_report'
                f" FOR VALUES FROM ('{bounds[0]}') TO ('{bounds[1]}')"
            )
            made.append(partition_name(day))
    return made
