"""What people write, handed in by the real intake without its thread: each function is one short sentence of a test."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from reports.enums import Channel
from reports.intake import catalogue
from reports.intake.contract import ReportIn
from reports.intake.services import Origin, make_row
from reports.intake.writer import ReportRow, Submission, Written, write_group
from reports.models import Cluster, ClusteringState, IntakeBatch, MicroCluster, MinuteCount, Placement, Service
from tests.factories import NOW, make_service

# Few words each: from eight words on, the same wording without a reporter is taken for a copy.
LOGIN = [
    "I can't log in today",
    "can't log in this morning",
    "cannot log in, login fails",
    "the login fails again",
    "can't get into my account",
    "login fails for my account",
]
PARCEL = [
    "where is my parcel, it's late",
    "my parcel is late again",
    "parcel late since monday",
    "my parcel has not come",
]


def a_service(slug: str = "mail", **fields: Any) -> Service:
    """Make a service that the intake knows at once."""
    service = make_service(slug, **fields)
    catalogue.forget_services()
    return service


def a_report(
    service: Service, text: str = "I can't log in", *, at: datetime = NOW, client: str = "test", **fields: Any
) -> ReportRow:
    """Make the row that intake makes of a report which arrives at that moment."""
    report = ReportIn(service=service.slug, text=text, **fields)
    return make_row(report=report, origin=Origin(Channel.REST, client=client), now=at)


def hand_in(*rows: ReportRow, now: datetime = NOW) -> list[UUID]:
    """Store rows as one submission, and so as one batch a service; return their ids."""
    (answer,) = write_group([Submission(rows)], now=now)
    assert isinstance(answer, Written)
    return list(answer.report_ids)


def tell(service: Service, texts: Sequence[str], *, at: datetime = NOW, **fields: Any) -> list[UUID]:
    """Hand in a text each second, all in one batch."""
    return hand_in(
        *(a_report(service, text, at=at + timedelta(seconds=i), **fields) for i, text in enumerate(texts)), now=at
    )


def cluster_of(report_id: UUID) -> int:
    return Placement.objects.select_related("micro_cluster").get(pk=report_id).micro_cluster.cluster_id


def everything_placed() -> dict[str, list[Any]]:
    """Return all rows that placing and refining write, to be compared with those after another run."""
    return {
        model.__name__: sorted(map(repr, model.objects.values_list()))
        for model in (Cluster, ClusteringState, IntakeBatch, MicroCluster, MinuteCount, Placement)
    }


def n_counted(service: Service) -> int:
    return sum(MinuteCount.objects.filter(service=service).values_list("n_counted", flat=True))
