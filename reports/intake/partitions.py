"""The `Report` table's partitions: one a day, on the id itself, made ahead of time and dropped whole when it is old.

What falls outside them (a replay of old recordings) goes to the default partition, so an insert never fails for want of
one. Dropping takes a lock that everything else has to wait for: it is asked for a fraction of a second at a time.
"""

from __future__ import annotations

import random
import re
import time
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected, LockNotAvailable

from reports.intake.ids import first_id, id_time

DAYS_AHEAD = 7
# Who writes a report waits for as long as the lock is asked for, and goes to the spool after a second.
LOCK_MILLISECONDS: Final = 150
LOCK_TRIES: Final = 20
LOCK_PAUSE_SECONDS: Final = 0.5
_DAY: Final = timedelta(days=1)
_NAME: Final = re.compile(r"reports_report_(\d{4})(\d{2})(\d{2})")


def partition_name(day: date) -> str:
    return f"reports_report_{day:%Y%m%d}"


def start_of(day: date) -> datetime:
    """Return the moment at which a day begins, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def forgotten_at(report_id: UUID) -> datetime:
    """Return when a report is forgotten: so many days after the end of the day on which it was received."""
    return start_of(id_time(report_id).date()) + timedelta(days=1 + settings.RETENTION_TEXT_DAYS)


def make_partitions(*, now: datetime) -> list[str]:
    """Make the partitions of today and the coming week that are missing; return their names.

    A day for which the default partition already holds reports is left to it: attaching would fail, and nothing is
    lost.
    """
    made: list[str] = []
    today = now.astimezone(UTC).date()
    for day in (today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1)):
        start = start_of(day)
        bounds = [str(first_id(start)), str(first_id(start + _DAY))]
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


def days_over_by(until: datetime) -> list[date]:
    """Return the days that have a partition and were over by then, the oldest first. Queries: one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'reports_report'::regclass"
        )
        found = [_NAME.fullmatch(name) for (name,) in cursor.fetchall()]
    days = sorted(date(int(name[1]), int(name[2]), int(name[3])) for name in found if name is not None)
    return [day for day in days if start_of(day) + _DAY <= until]


def drop_partition(day: date) -> bool:
    """Drop a day with all of its reports; false where it was too busy for the lock, and has to wait for the next time.

    A day that is gone already is dropped. `DETACH … CONCURRENTLY`, which would not lock, is refused by Postgres beside
    a default partition. Who keeps us waiting too long, or asks for locks in another order, is let go first.
    """
    for number in range(LOCK_TRIES):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_MILLISECONDS}ms'")
                cursor.execute(f'DROP TABLE IF EXISTS "{partition_name(day)}"')
            return True
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
                raise
        if number < LOCK_TRIES - 1:
            time.sleep(LOCK_PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311  jitter
    return False
