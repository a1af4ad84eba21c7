"""How long anything is kept, by tier: what reporters said for RETENTION_TEXT_DAYS, what was counted of it for longer.

Invariant: a report is counted before it is forgotten, and with it goes every copy of its words. Whole days go, by the
time at which a report was received, whatever time it tells of; counts go by the minute they count at. Each step is
harmless to repeat, and a run that is cut off is finished by the next.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from reports.intake.ids import first_id, id_time
from reports.intake.partitions import days_over_by, drop_partition, start_of
from reports.intake.spool import the_spool
from reports.models import MicroCluster, MinuteCount, Placement, ReportContact, ScreeningExample
from reports.privacy.copies import LABEL_CHARS, TERMS_JOINED_BY
from reports.privacy.erasing import finish_erasures

logger = logging.getLogger(__name__)

ROWS_AT_ONCE: Final = 10_000  # a transaction of some hundred milliseconds
BUDGET_SECONDS: Final = 60.0  # a run; the rest is left to the next, within a task's time
_DAY: Final = timedelta(days=1)
# Of a cluster that nobody reports any more those words stay that so many said; else they were somebody's own. Without a
# typical report it may be one that was erased, or merged away before it had any.
_FORGET_CLUSTERS: Final = """
    WITH due AS (
        SELECT c.id, coalesce(k.terms, '{}') AS terms, coalesce(k.shares, '{}') AS shares,
            left(array_to_string(k.terms, %(joined_by)s), %(chars)s) AS label
        FROM reports_cluster c CROSS JOIN LATERAL (
            SELECT array_agg(t.term ORDER BY t.place) AS terms, array_agg(t.share ORDER BY t.place) AS shares
            FROM unnest(c.terms, c.term_shares) WITH ORDINALITY AS t (term, share, place)
            WHERE t.term IS NOT NULL AND t.share * c.n_reports >= %(enough)s
        ) AS k
        WHERE c.last_seen_at < %(until)s AND (c.label <> '' OR c.terms <> '{}' OR c.typical_report_id IS NOT NULL)
            AND (c.typical_report_id IS NULL
                OR NOT EXISTS (SELECT 1 FROM reports_report r WHERE r.id = c.typical_report_id))
    )
    UPDATE reports_cluster c SET typical_report_id = NULL, terms = due.terms, term_shares = due.shares,
        label = coalesce(due.label, '')
    FROM due WHERE c.id = due.id
        AND (c.typical_report_id IS NOT NULL OR c.terms <> due.terms OR c.label <> coalesce(due.label, ''))
"""
# Of an outage's label what is no term of any cluster (any more) is the beginning of one report, or was said by too few.
_FORGET_OUTAGES: Final = """
    UPDATE reports_outage o SET label = '' WHERE o.label <> '' AND o.resolved_at < %(until)s AND EXISTS (
        SELECT 1 FROM unnest(string_to_array(o.label, %(joined_by)s)) AS t (term) WHERE NOT EXISTS (
            SELECT 1 FROM reports_cluster c WHERE c.service_id = o.service_id AND t.term = ANY (c.terms)))
"""
_FORGET_EVENTS: Final = """
    UPDATE reports_outageevent SET body = body - 'words'
    WHERE kind = 'held_back' AND at < %(until)s AND jsonb_exists(body, 'words')
"""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a run has forgotten: days of reports by name, reports of the default partition, and counts."""

    days: tuple[str, ...] = ()
    n_reports: int = 0
    n_counts: int = 0


def forget_old(*, now: datetime) -> Forgotten:
    """Forget what is past its time.

    Concurrency: safe to run any number of times at once, and beside the intake, which waits for a fraction of a second
    at most.
    """
    give_up_at = time.monotonic() + BUDGET_SECONDS
    until = _text_ends(now)
    days = []
    for day in days_over_by(until):
        _forget_copies(start_of(day), start_of(day) + _DAY)
        if drop_partition(day):
            days.append(day.isoformat())
        else:
            logger.info("The reports of %s are past their time; the table was too busy to drop them now.", day)
        if time.monotonic() > give_up_at:
            break
    n_reports = _forget_rows(until, give_up_at=give_up_at)
    _forget_words(until)
    finish_erasures(now=now)
    the_spool().forget_set_aside(before=now - timedelta(days=settings.RETENTION_TEXT_DAYS))
    n_counts = _forget_counts(now - timedelta(days=settings.RETENTION_COUNTS_DAYS), give_up_at=give_up_at)
    return Forgotten(tuple(days), n_reports, n_counts)


def _text_ends(now: datetime) -> datetime:
    """Return the midnight before which all reports are forgotten: not before they are placed, and so counted."""
    until = (now - timedelta(days=settings.RETENTION_TEXT_DAYS)).astimezone(UTC)
    midnight = until.replace(hour=0, minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT u.id FROM reports_intakebatch b CROSS JOIN LATERAL unnest(b.report_ids) AS u (id)"
            " WHERE b.clustered_at IS NULL ORDER BY u.id LIMIT 1"
        )
        row = cursor.fetchone()
    if row is None or (waits_since := id_time(row[0])) >= midnight:
        return midnight
    logger.warning("Reports of %s wait to be counted, so they are not forgotten yet.", waits_since.date())
    return waits_since.replace(hour=0, minute=0, second=0, microsecond=0)


def _forget_copies(start: datetime, end: datetime) -> None:
    """Forget what is kept of the words of the reports received in between, beside the reports."""
    low, high = first_id(start), first_id(end)
    ReportContact.objects.filter(report_id__lt=high).delete()  # older ones have nothing to be there for either
    ScreeningExample.objects.filter(report_id__lt=high).delete()
    told = Placement.objects.filter(report_id__gte=low, report_id__lt=high).exclude(set_aside_for=[])
    told.update(set_aside_for=[])


def _forget_rows(until: datetime, *, give_up_at: float) -> int:
    """Delete the old reports of the default partition, which holds what fits no day; return how many."""
    n_reports = 0
    while time.monotonic() < give_up_at:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM reports_report_default WHERE id < %s ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED",
                [first_id(until), ROWS_AT_ONCE],
            )
            ids: list[UUID] = [row[0] for row in cursor.fetchall()]
            if not ids:
                break
            _forget_copies(id_time(ids[0]), id_time(ids[-1]) + timedelta(milliseconds=1))
            cursor.execute("DELETE FROM reports_report_default WHERE id = ANY(%s)", [ids])
        n_reports += len(ids)
    return n_reports


def _forget_words(until: datetime) -> None:
    """Take the words of forgotten reports out of what was made of them. Queries: three."""
    values: dict[str, datetime | int | str] = {
        "until": until,
        "enough": settings.PUBLIC_MIN_REPORTERS,
        "joined_by": TERMS_JOINED_BY,
        "chars": LABEL_CHARS,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (_FORGET_CLUSTERS, _FORGET_OUTAGES, _FORGET_EVENTS):
            cursor.execute(statement, values)


def _forget_counts(until: datetime, *, give_up_at: float) -> int:
    """Delete placements and minute counts of before, and micro-clusters that are left without any; return how many."""
    n_counts = 0
    for model, condition, value in (
        (MinuteCount, "minute < %s", until),
        (Placement, "report_id < %s", first_id(until)),
    ):
        table = model._meta.db_table
        n_deleted = ROWS_AT_ONCE
        while n_deleted == ROWS_AT_ONCE and time.monotonic() < give_up_at:
            with connection.cursor() as cursor:
                cursor.execute(
                    f"DELETE FROM {table} WHERE ctid = ANY (ARRAY("  # noqa: S608  constants
                    f"SELECT ctid FROM {table} WHERE {condition} LIMIT %s))",
                    [value, ROWS_AT_ONCE],
                )
                n_deleted = cursor.rowcount
            n_counts += n_deleted
    _forget_micro_clusters(until)
    return n_counts


def _forget_micro_clusters(until: datetime) -> None:
    table = MicroCluster._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} m WHERE m.last_seen_at < %s"  # noqa: S608  constant
            " AND NOT EXISTS (SELECT 1 FROM reports_placement p WHERE p.micro_cluster_id = m.id)"
            " AND NOT EXISTS (SELECT 1 FROM reports_minutecount c WHERE c.micro_cluster_id = m.id)",
            [until],
        )
