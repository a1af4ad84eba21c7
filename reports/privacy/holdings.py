"""What is held of a report, whole, as its reporter has a right to read it. Plain values, numpy-free; only reads.

Invariant: nothing of anybody else is in it. A cluster is told by its number alone, for its words are other people's.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from reports.enums import Symptom
from reports.errors import NotFound, StoreUnavailable
from reports.intake.availability import raise_if_away, store_needed
from reports.intake.partitions import forgotten_at
from reports.intake.regions import region_name
from reports.intake.spool import the_spool
from reports.models import Placement, Report, ReportContact, ScreeningExample

FORMAT = "outcry-report-1"  # a program that reads what we give out can tell what it has before it


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a reporter wants to hear how it went on, and since when we know."""

    address: str
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where a report was placed and what was made of it. `quarantine` is the reason it is held back for, or ""."""

    cluster_id: int
    placed_at: datetime
    similarity: float
    is_counted: bool
    is_set_aside: bool
    set_aside_for: tuple[str, ...]
    p_problem: float | None
    p_failing: float | None
    tells_failure: bool
    quarantine: str


@dataclass(frozen=True, slots=True)
class Holding:
    """A stored report with all that is kept of it elsewhere.

    `said_problem` is what a person said of it for screening to learn from, None where nobody did. `reporter` and
    `network` are fingerprints in hexadecimal, "" where there is none.
    """

    id: UUID
    service: str
    service_name: str
    channel: str
    key: str
    region: str
    text: str
    symptom: str
    lang: str
    source: str
    url: str
    release: str
    trace: str
    suspicion: str
    occurred_at: datetime
    received_at: datetime
    counted_at: datetime
    erased_at: datetime | None
    reporter: str
    network: str
    contact: Contact | None
    place: Place | None
    said_problem: bool | None

    @property
    def kept_until(self) -> datetime:
        return forgotten_at(self.id)

    @property
    def symptom_label(self) -> str:
        return str(Symptom(self.symptom).label) if self.symptom else ""

    @property
    def region_name(self) -> str:
        return region_name(self.region) if self.region else ""


def holding_of(report_id: UUID) -> Holding:
    """Return what is held of a report. Queries: four.

    Raises NotFound where there is no such report, or it is kept no longer; StoreUnavailable while the database is away,
    or the report still waits in the spool.
    """
    raise_if_away()
    with store_needed():
        found = holdings_of([report_id])
    if found:
        return found[0]
    raise not_there(report_id)


def not_there(report_id: UUID) -> NotFound | StoreUnavailable:
    """Return what to raise for a report that the database does not have."""
    if the_spool().find(report_id) is not None:
        return StoreUnavailable("This report waits on the disk to be stored in the database. Try again in a minute.")
    return NotFound(
        f"There is no report {report_id} here. What a report says is kept for {settings.RETENTION_TEXT_DAYS} days."
    )


def holdings_of(report_ids: Collection[UUID]) -> list[Holding]:
    """Return what is held of those of the reports that are stored, the newest first. Queries: four."""
    reports = list(Report.objects.select_related("service", "key").filter(id__in=list(report_ids)).order_by("-id"))
    ids = [report.id for report in reports]
    places = {
        row.report_id: _place(row)
        for row in Placement.objects.select_related("micro_cluster", "quarantine").filter(report_id__in=ids)
    }
    contacts = {
        row.report_id: Contact(row.address, row.created_at) for row in ReportContact.objects.filter(report_id__in=ids)
    }
    examples = dict(ScreeningExample.objects.filter(report_id__in=ids).values_list("report_id", "is_problem"))
    return [
        Holding(
            id=report.id,
            service=report.service.slug,
            service_name=report.service.name,
            channel=report.channel,
            key=report.key.name if report.key is not None else "",
            region=report.region,
            text=report.text,
            symptom=report.symptom,
            lang=report.lang,
            source=report.source,
            url=report.url,
            release=report.release,
            trace=report.trace,
            suspicion=report.suspicion,
            occurred_at=report.occurred_at,
            received_at=report.received_at,
            counted_at=report.counted_at,
            erased_at=report.erased_at,
            reporter=bytes(report.reporter).hex(),
            network=bytes(report.network).hex(),
            contact=contacts.get(report.id),
            place=places.get(report.id),
            said_problem=examples.get(report.id),
        )
        for report in reports
    ]


def document_of(held: Holding, *, for_reporter: bool) -> dict[str, Any]:
    """Return what is held of a report as it is given out, in JSON's values but for the times.

    `for_reporter` leaves out whether it was held back as suspect: who plays a crowd would learn what to change
    (docs/decisions/0037). And which cluster it is in, how alike it is to what was there before: who reports a guess
    would read from it whether somebody else has told the same, of whom the receipt says "fewer than 10".
    """
    told: dict[str, Any] = {
        "format": FORMAT,
        "id": str(held.id),
        "service": held.service,
        "channel": held.channel,
        "key": held.key,
        "region": held.region,
        "text": held.text,
        "symptom": held.symptom,
        "lang": held.lang,
        "source": held.source,
        "url": held.url,
        "release": held.release,
        "trace": held.trace,
        "occurred_at": held.occurred_at,
        "received_at": held.received_at,
        "counted_at": held.counted_at,
        "kept_until": held.kept_until,
        "erased_at": held.erased_at,
        "reporter_fingerprint": held.reporter,
        "network_fingerprint": held.network,
        "contact": {"address": held.contact.address, "given_at": held.contact.given_at} if held.contact else None,
        "placement": _told_place(held.place, for_reporter=for_reporter) if held.place else None,
        "said_to_be_a_problem": held.said_problem,
    }
    return told if for_reporter else told | {"suspicion": held.suspicion}


def _place(row: Placement) -> Place:
    return Place(
        cluster_id=row.micro_cluster.cluster_id,
        placed_at=row.placed_at,
        similarity=row.similarity,
        is_counted=row.is_counted,
        is_set_aside=row.is_set_aside,
        set_aside_for=tuple(row.set_aside_for),
        p_problem=row.p_problem,
        p_failing=row.p_failing,
        tells_failure=row.tells_failure,
        quarantine=row.quarantine.reason if row.is_quarantined and row.quarantine is not None else "",
    )


def _told_place(place: Place, *, for_reporter: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "placed_at": place.placed_at,
        "is_set_aside": place.is_set_aside,
        "set_aside_for": list(place.set_aside_for),
        "p_problem": place.p_problem,
        "p_failing": place.p_failing,
        "tells_failure": place.tells_failure,
    }
    if for_reporter:
        return told
    return told | {
        "cluster_id": place.cluster_id,
        "similarity": place.similarity,
        "is_counted": place.is_counted,
        "quarantine": place.quarantine,
    }
