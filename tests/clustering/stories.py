"""What people write, handed in by the real intake without its thread: each function is one short sentence of a test."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F

from reports.enums import Channel
from reports.intake import catalogue
from reports.intake.contract import ReportIn
from reports.intake.services import Origin, make_row
from reports.intake.writer import ReportRow, Submission, Written, write_group
from reports.models import (
    Cluster,
    ClusterBarrier,
    ClusteringState,
    IntakeBatch,
    MicroCluster,
    MinuteCount,
    Placement,
    SampleVector,
    Service,
)
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

_WHATS = ["login", "parcel", "video", "router", "invoice", "chat", "upload", "camera", "ticket", "payment"]
_HOWS = ["fails", "hangs", "is late", "froze", "comes twice", "is wrong", "stays empty", "is slow", "was refused"]
_ENDS = ["", "today", "again", "since monday", "in the app", "on my phone", "for my wife", "after the update", "here"]


def many_sayings(n: int, *, seed: int = 0) -> list[str]:
    """Return so many texts about a few dozen problems, most of them different and each another one's near."""
    rng = random.Random(seed)
    return [f"my {rng.choice(_WHATS)} {rng.choice(_HOWS)} {rng.choice(_ENDS)} {rng.choice(_ENDS)}" for _ in range(n)]


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


def story_of(service: Service) -> dict[str, list[tuple[Any, ...]]]:
    """Return all that came of a service's reports, with clusters and micro-clusters counted through instead of by id:
    to be compared, bit for bit, with another service that was told the same."""
    clusters = dict(zip(_ids(Cluster, service), range(1_000_000), strict=False)) | {None: None}
    micros = dict(zip(_ids(MicroCluster, service), range(1_000_000), strict=False))
    reports = list(Placement.objects.filter(service=service).order_by("counted_at", "report_id"))
    order = {report.pk: at for at, report in enumerate(reports)} | {None: None}
    state = ClusteringState.objects.filter(service=service).values_list(
        "encoder", "generation", "mean_sum", "mean_languages", "mean_counts", "n_seen", "calibration", "usual",
        "group_factor", "n_refinements", "n_unrefined", "refined_at",
    )  # fmt: skip
    return {
        "placements": [
            (micros[row.micro_cluster_id], row.similarity, row.is_counted, row.is_set_aside, row.p_problem)
            for row in reports
        ],
        "micro-clusters": [
            (
                clusters[row.cluster_id],
                clusters[row.pinned_to_id],
                bytes(row.vector_sum),
                row.n_reports,
                row.n_refined,
                row.country,
                row.guard,
                row.opened_at,
                row.last_seen_at,
            )
            for row in MicroCluster.objects.filter(service=service).order_by("id")
        ],
        "clusters": [
            (
                row.label,
                row.given_name,
                row.terms,
                row.term_shares,
                row.languages,
                row.regions,
                row.cohesion,
                row.n_reports,
                row.first_seen_at,
                row.last_seen_at,
                clusters[row.merged_into_id],
                clusters[row.resembles_id],
                order[row.typical_report_id],
            )
            for row in Cluster.objects.filter(service=service).order_by("id")
        ],
        "counts": sorted(
            (row.minute, micros[row.micro_cluster_id], row.region, row.n_reports, row.n_counted, row.n_set_aside)
            for row in MinuteCount.objects.filter(service=service)
        ),
        "state": [tuple(map(_plain, row)) for row in state],
        "sample": [
            tuple(map(_plain, row))
            for row in SampleVector.objects.filter(service=service)
            .order_by("slot")
            .values_list("slot", "language_row", "heard_at", "vector")
        ],
    }


def _ids(model: type[Cluster] | type[MicroCluster], service: Service) -> list[int]:
    return list(model.objects.filter(service=service).order_by("id").values_list("pk", flat=True))


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def assert_counts_tell_the_placements() -> None:
    """Each cell of the minute counts is the sum of its placements, and no cell is empty."""
    expected: Counter[tuple[Any, ...]] = Counter()
    for row in Placement.objects.all():
        cell = (row.counted_at.replace(second=0, microsecond=0), row.micro_cluster_id, row.region)
        expected[(*cell, "reports")] += 1
        expected[(*cell, "counted")] += row.is_counted
        expected[(*cell, "aside")] += row.is_set_aside
        expected[(*cell, "held")] += row.is_quarantined
        expected[(*cell, "no failure")] += row.is_counted and not row.tells_failure
    found: Counter[tuple[Any, ...]] = Counter()
    for count in MinuteCount.objects.all():
        cell = (count.minute, count.micro_cluster_id, count.region)
        assert count.n_reports > 0
        found[(*cell, "reports")] += count.n_reports
        found[(*cell, "counted")] += count.n_counted
        found[(*cell, "aside")] += count.n_set_aside
        found[(*cell, "held")] += count.n_quarantined
        found[(*cell, "no failure")] += count.n_no_failure
    assert +expected == +found
    for cluster in Cluster.objects.all():
        assert cluster.n_reports == sum(cluster.micro_clusters.values_list("n_reports", flat=True))


def assert_clusters_are_sound() -> None:
    """What is merged away holds nothing, is one step from the living, and nothing people said hangs on it."""
    assert not MicroCluster.objects.filter(cluster__merged_into__isnull=False).exists()
    assert not Cluster.objects.filter(merged_into__merged_into__isnull=False).exists()
    assert not ClusterBarrier.objects.filter(low__merged_into__isnull=False).exists()
    assert not ClusterBarrier.objects.filter(high__merged_into__isnull=False).exists()
    assert not MicroCluster.objects.exclude(pinned_to=None).exclude(pinned_to=F("cluster")).exists()
