"""What the form and the receipt ask of intake: which services there are, what others report now, what a report said.

Plain values only, numpy-free. While the database is away the questions raise StoreUnavailable, except for the services,
which are remembered: somebody who is writing a report must be able to keep it on the screen.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection

from reports.enums import Symptom
from reports.errors import NotFound, StoreUnavailable
from reports.intake import catalogue
from reports.intake.availability import is_away, raise_if_away, store_needed
from reports.intake.ids import id_time
from reports.intake.receipts import report_of
from reports.intake.spool import the_spool
from reports.models import Report, Service

SYMPTOMS_WITHIN: Final = timedelta(hours=1)
# A service's newest placements that are looked at: some milliseconds of work, whatever storm is going on.
SYMPTOMS_LOOK_AT: Final = 2_000
REMEMBER_SYMPTOMS: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class ServiceChoice:
    """A service as a reporter picks it."""

    id: int
    slug: str
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class SymptomChoice:
    """A symptom as a reporter picks it; `n_reporters` is None where too few report it to say so in public."""

    value: str
    label: str
    n_reporters: int | None


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What is stored of one report, as its own reporter may see it.

    `is_spooled`: it waits in the spool for the database. `service_id` 0: it is stored, and nothing else of it can be
    read while the database is away.
    """

    id: UUID
    service_id: int
    service_name: str
    region: str
    symptom_label: str
    text: str
    received_at: datetime
    counted_at: datetime
    has_contact: bool = False
    is_spooled: bool = False
    erased_at: datetime | None = None


_lock = threading.Lock()
_last_services: tuple[ServiceChoice, ...] | None = None
_symptoms: dict[int, tuple[datetime, Mapping[str, int]]] = {}


def service_numbered(number: int) -> str:
    """Return the slug of the service with this number, which takes reports. Queries: none while it is remembered.

    Raises NotFound and StoreUnavailable.
    """
    with store_needed():
        found = catalogue.find_numbered(number)
    if found is None:
        raise NotFound(
            f"There is no service with the number {number}. Staff find the number of each on its page in the dashboard."
        )
    return found.slug


def services_to_choose(*, ask: bool = True) -> tuple[ServiceChoice, ...]:
    """Return the services the public may report about, in the order staff gave them. Queries: one.

    With `ask=False`, or while the database is away, returns what was read last. Raises StoreUnavailable where there is
    no such memory.
    """
    global _last_services
    if _last_services is not None and (not ask or is_away()):
        return _last_services
    try:
        with store_needed():
            found = tuple(
                ServiceChoice(*row) for row in Service.objects.public().values_list("id", "slug", "name", "description")
            )
    except StoreUnavailable:
        if _last_services is None:
            raise
        return _last_services
    _last_services = found
    return found


def symptoms_to_choose(*, service_id: int | None, now: datetime) -> tuple[SymptomChoice, ...]:
    """Return all symptoms, first those that others report now of the service, most reported first; "other" is last.

    A number is given from PUBLIC_MIN_REPORTERS distinct reporters on, and is at most `REMEMBER_SYMPTOMS` old. Of a
    storm only the newest `SYMPTOMS_LOOK_AT` reports are counted. Queries: none or one.
    """
    counts = _reporters_by_symptom(service_id, now) if service_id is not None else {}
    choices = [
        SymptomChoice(symptom.value, str(symptom.label), n if n >= settings.PUBLIC_MIN_REPORTERS else None)
        for symptom in Symptom
        for n in [counts.get(symptom.value, 0)]
    ]
    return tuple(sorted(choices, key=lambda choice: (choice.value == Symptom.OTHER, -(choice.n_reporters or 0))))


def report_facts(token: str) -> ReportFacts:
    """Return what is stored of the report a receipt was given for. Queries: one.

    While the database is away, or has not got it back yet, what the spool holds of it; where that is nothing either,
    that it was received: only what is stored gets a receipt. Raises NotFound where the token was not signed here or the
    report is kept no longer.
    """
    report_id = report_of(token)
    report = None
    is_unknown = False
    try:
        raise_if_away()
        with store_needed():
            report = Report.objects.select_related("service").filter(id=report_id).first()
    except StoreUnavailable:
        is_unknown = True
    if report is None:
        if (facts := _spooled_facts(report_id)) is not None:
            return facts
        if is_unknown:
            return ReportFacts(report_id, 0, "", "", "", "", id_time(report_id), id_time(report_id))
        raise NotFound(
            "This report is not kept any more."
            f" What a report says is deleted after {settings.RETENTION_TEXT_DAYS} days. That there was one"
            " still counts."
        )
    return ReportFacts(
        id=report.id,
        service_id=report.service_id,
        service_name=report.service.name,
        region=report.region,
        symptom_label=str(Symptom(report.symptom).label) if report.symptom else "",
        text=report.text,
        received_at=report.received_at,
        counted_at=report.counted_at,
        erased_at=report.erased_at,
    )


def _spooled_facts(report_id: UUID) -> ReportFacts | None:
    row = the_spool().find(report_id)
    if row is None:
        return None
    report = row.report
    names = {choice.id: choice.name for choice in _last_services or ()}
    return ReportFacts(
        id=row.id,
        service_id=row.service_id,
        service_name=names.get(row.service_id, report.service),
        region=report.region,
        symptom_label=str(Symptom(report.symptom).label) if report.symptom else "",
        text=report.text,
        received_at=row.received_at,
        counted_at=row.counted_at,
        has_contact=bool(report.contact),
        is_spooled=True,
    )


def _reporters_by_symptom(service_id: int, now: datetime) -> Mapping[str, int]:
    """Return how many distinct reporters told each symptom in the last hour, remembered for a moment."""
    with _lock:
        read_at, counts = _symptoms.get(service_id, (None, {}))
    if is_away() or (read_at is not None and timedelta(0) <= now - read_at < REMEMBER_SYMPTOMS):
        return counts  # without the database the form does without fresh numbers
    # Raw SQL: the placements' index finds a service's newest reports, the bound stands before the join.
    # A reporter without a fingerprint counts for each report, as everywhere.
    with store_needed(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.symptom,"
            " count(DISTINCT nullif(r.reporter, ''::bytea)) + count(*) FILTER (WHERE r.reporter = ''::bytea)"
            " FROM (SELECT report_id FROM reports_placement"
            " WHERE service_id = %s AND counted_at > %s AND counted_at <= %s AND NOT is_quarantined"
            " ORDER BY counted_at DESC LIMIT %s) AS newest"
            " JOIN reports_report r ON r.id = newest.report_id WHERE r.symptom <> '' GROUP BY r.symptom",
            [service_id, now - SYMPTOMS_WITHIN, now, SYMPTOMS_LOOK_AT],
        )
        counts = dict(cursor.fetchall())
    with _lock:
        _symptoms[service_id] = (now, counts)
    return counts


def forget_choices() -> None:
    """Empty this process's memory: for a process that changes its database (tests)."""
    global _last_services
    with _lock:
        _last_services = None
        _symptoms.clear()
