"""Taking back what a report told: its words, contact and fingerprints go, wherever they were copied to.

Invariant: an empty row stays, so that ids, placements and counts hold and nobody is counted twice or no longer.
Erasing twice is erasing once. What is no copy of words is not undone: the sums of vectors a report is in
(docs/decisions/0038). Fingerprints of the last days still say that a reporter counts once; they go as soon as no count
needs them (`finish_erasures`).
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from reports.clustering.locks import wait_for_service
from reports.detection.locks import wait_for_outages
from reports.enums import ErasureWay
from reports.errors import TooMany
from reports.intake.availability import raise_if_away, store_needed
from reports.models import Erasure, Placement, Report, ReportContact, ScreeningExample
from reports.privacy.copies import take_words_out
from reports.privacy.holdings import not_there

MOST_AT_ONCE: Final = 1_000
# The windows that compare fingerprints end within the day, and the salts two days after theirs
# (`intake.fingerprints.KEEP_DAYS`): from then on nobody can tell whose they were anyway.
FINGERPRINTS_SERVE: Final = timedelta(days=3)
WAIT_SECONDS: Final = 10  # for whoever is placing the service's reports: half a second, and twice that under load
TOLD: Final = ("text", "lang", "source", "url", "release", "trace")


@dataclass(frozen=True, slots=True)
class Erased:
    """How many reports were erased now, and how many had been before."""

    n: int
    n_before: int


def erase_report(*, report_id: UUID, way: ErasureWay, key_id: int | None = None, now: datetime) -> Erased:
    """Erase one report, by its reporter's wish.

    Raises NotFound where there is none, or it is kept no longer; StoreUnavailable while the database is away, or the
    report still waits in the spool.
    """
    raise_if_away()
    erased = erase_reports(report_ids=[report_id], way=way, key_id=key_id, now=now)
    if not erased.n and not erased.n_before:
        raise not_there(report_id)
    return erased


def erase_reports(
    *,
    report_ids: Collection[UUID],
    way: ErasureWay,
    actor_id: int | None = None,
    key_id: int | None = None,
    now: datetime,
) -> Erased:
    """Erase those of the reports that are there and were not erased before, and write down that it was done.

    Concurrency: waits for whoever places a report of the same service, or moves its outages on, and might hold its
    words. Raises TooMany, and
    StoreUnavailable while the database is away or too busy.
    """
    wanted = sorted(set(report_ids))
    if len(wanted) > MOST_AT_ONCE:
        raise TooMany(f"{len(wanted):,} reports are too many to erase at once. Choose at most {MOST_AT_ONCE:,}.")
    with store_needed(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
        known = Report.objects.filter(id__in=wanted)
        for service_id in sorted(set(known.values_list("service_id", flat=True))):
            wait_for_service(service_id)
            wait_for_outages(service_id)
        rows = list(known.select_for_update(of=("self",)).order_by("id"))
        fresh = [row for row in rows if row.erased_at is None]
        if fresh:
            _empty(fresh, now=now)
            _write_down(fresh, way=way, actor_id=actor_id, key_id=key_id, now=now)
    return Erased(n=len(fresh), n_before=len(rows) - len(fresh))


def finish_erasures(*, now: datetime) -> int:
    """Take away the fingerprints of erased reports that no count needs any more; return of how many reports."""
    n_reports = 0
    with transaction.atomic():
        due = Erasure.objects.select_for_update(skip_locked=True).filter(at__lt=now - FINGERPRINTS_SERVE)
        for erasure in due.exclude(fingerprints_of=[]).order_by("at"):
            _take_fingerprints(erasure.fingerprints_of)
            n_reports += len(erasure.fingerprints_of)
            erasure.fingerprints_of = []
            erasure.save(update_fields=["fingerprints_of"])
    return n_reports


def _empty(reports: Sequence[Report], *, now: datetime) -> None:
    ids = [report.id for report in reports]
    take_words_out(reports)  # while it is known which words they were
    Report.objects.filter(id__in=ids).update(**dict.fromkeys(TOLD, ""), erased_at=now)
    Placement.objects.filter(report_id__in=ids).exclude(set_aside_for=[]).update(set_aside_for=[])
    ReportContact.objects.filter(report_id__in=ids).delete()
    ScreeningExample.objects.filter(report_id__in=ids).delete()


def _write_down(
    reports: Sequence[Report], *, way: ErasureWay, actor_id: int | None, key_id: int | None, now: datetime
) -> None:
    still_serve = [report.id for report in reports if report.received_at > now - FINGERPRINTS_SERVE]
    _take_fingerprints([report.id for report in reports if report.id not in set(still_serve)])
    Erasure.objects.create(
        at=now, way=way, actor_id=actor_id, key_id=key_id, n_reports=len(reports), fingerprints_of=still_serve
    )


def _take_fingerprints(report_ids: Sequence[UUID]) -> None:
    """Put others in place of fingerprints, under a key that nobody keeps.

    Not nothing: a report without a fingerprint counts for itself, and counts of the past would grow by it.
    """
    if not report_ids:
        return
    stored = Report.objects.filter(id__in=report_ids).values_list("id", "reporter", "network")
    placed = Placement.objects.filter(report_id__in=report_ids).values_list("report_id", "reporter", "network")
    key = os.urandom(32)

    def other(fingerprint: bytes | memoryview) -> bytes:
        return hmac.digest(key, bytes(fingerprint), "sha256")[:16] if fingerprint else b""

    for table, column, rows in (("reports_report", "id", stored), ("reports_placement", "report_id", placed)):
        found = [(report_id, other(reporter), other(network)) for report_id, reporter, network in rows]
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} t SET reporter = u.reporter, network = u.network"  # noqa: S608  constants
                " FROM unnest(%s::uuid[], %s::bytea[], %s::bytea[]) AS u (id, reporter, network)"
                f" WHERE t.{column} = u.id",
                [[row[0] for row in found], [row[1] for row in found], [row[2] for row in found]],
            )
