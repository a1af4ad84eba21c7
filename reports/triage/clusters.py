"""What the pages of clusters ask: the list, one cluster with its reasons, and what screening set aside.

The number of queries does not grow with what there is to show. Only reads; what people say of clusters is
`corrections`', what rows look like `rows`'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Count, Func, Q, QuerySet, Sum, TextField, Value

from reports.enums import CorrectionKind
from reports.errors import NotFound
from reports.intake.contract import without_forbidden
from reports.models import (
    Cluster,
    ClusteringState,
    Correction,
    MicroCluster,
    MinuteCount,
    Placement,
    Report,
    Service,
)
from reports.triage import gauges, streams
from reports.triage.corrections import MOST_REPORTS, living_cluster
from reports.triage.rows import (
    ClusterItem,
    ClusterList,
    ClusterName,
    ClusterPage,
    CorrectionRow,
    HeardReport,
    Lag,
    ReportRow,
    ServiceChoice,
    SetAsidePage,
    TermShare,
    Wording,
)
from reports.triage.streams import Chart, Stream

ON_A_PAGE: Final = 25
LAST_PAGE: Final = 1_000
MOST_SEARCHED_CHARS: Final = 100
FEW_REPORTS: Final = 30
MOST_SHOWN_WORDINGS: Final = 60
AMONG_NEWEST: Final = 20  # a wording's typical report is chosen among this many
OTHERS_ASKED: Final = 200  # clusters to merge into: so many of the latest are looked at, the likely ones first
MOST_CORRECTIONS: Final = 30
CHART_SPANS: Final = (timedelta(hours=2), timedelta(hours=6), timedelta(hours=24))
BEFORE_FIRST: Final = timedelta(minutes=30)  # of a chart: so that one sees it begin
LATELY: Final = timedelta(days=7)  # how far back one looks through what was set aside

_WORDINGS: Final = """
    SELECT w.id, w.n_reports, coalesce(t.text, ''), coalesce(t.symptom, ''), w.country, w.guard,
        w.pinned_to_id IS NOT NULL, w.last_seen_at
    FROM (SELECT * FROM reports_microcluster WHERE cluster_id = %s ORDER BY n_reports DESC, id LIMIT %s) w
    LEFT JOIN LATERAL (
        SELECT r.text, r.symptom FROM (SELECT p.report_id, p.similarity FROM reports_placement p
            WHERE p.micro_cluster_id = w.id ORDER BY p.report_id DESC LIMIT %s) l
        JOIN reports_report r ON r.id = l.report_id
        ORDER BY r.text = '', l.similarity DESC, l.report_id DESC LIMIT 1) t ON true
    ORDER BY w.n_reports DESC, w.id
"""
# Each of the newest n reports is in one of the n wordings that were heard last.
_NEWEST: Final = """
    SELECT l.report_id FROM
        (SELECT id FROM reports_microcluster WHERE cluster_id = %s ORDER BY last_seen_at DESC LIMIT %s) w
    CROSS JOIN LATERAL (SELECT p.report_id FROM reports_placement p
        WHERE p.micro_cluster_id = w.id ORDER BY p.report_id DESC LIMIT %s) l
    ORDER BY l.report_id DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What a cluster is, for machines that read it. `service` is a slug; `term_shares` goes with `terms`."""

    id: int
    service: str
    name: str
    label: str
    terms: tuple[str, ...]
    term_shares: tuple[float, ...]
    languages: tuple[str, ...]
    regions: tuple[str, ...]
    cohesion: float | None
    n_reports: int
    n_set_aside: int
    first_seen_at: datetime
    last_seen_at: datetime


def cluster_facts(*, cluster_id: int) -> ClusterFacts:
    """Return what a cluster is; of one that was merged away, what the one is in which it has gone up.

    Queries: three, and one for each time the cluster was merged on. Raises NotFound.
    """
    cluster = Cluster.objects.select_related("service").get(pk=living_cluster(cluster_id).pk)
    return ClusterFacts(
        id=cluster.pk,
        service=cluster.service.slug,
        name=cluster.name,
        label=cluster.label,
        terms=tuple(cluster.terms),
        term_shares=tuple(cluster.term_shares),
        languages=tuple(cluster.languages),
        regions=tuple(cluster.regions),
        cohesion=cluster.cohesion,
        n_reports=cluster.n_reports,
        n_set_aside=_n_set_aside(cluster),
        first_seen_at=cluster.first_seen_at,
        last_seen_at=cluster.last_seen_at,
    )


def cluster_list(*, service_slug: str = "", words: str = "", page: int = 1, now: datetime) -> ClusterList:
    """Return clusters, the latest first, of one service or all, with all of the words in names, labels or terms.

    Queries: three. Raises NotFound for a service that is not there.
    """
    services = [ServiceChoice(slug, name) for slug, name in _services()]
    words = without_forbidden(words)[:MOST_SEARCHED_CHARS].strip()
    clusters = _living().filter(n_reports__gt=0)
    if service_slug:
        _check_service(service_slug, services)
        clusters = clusters.filter(service__slug=service_slug)
    for word in words.split():
        clusters = clusters.annotate(all_terms=_joined_terms()).filter(
            Q(given_name__icontains=word) | Q(label__icontains=word) | Q(all_terms__icontains=word)
        )
    page = min(max(page, 1), LAST_PAGE)
    start = (page - 1) * ON_A_PAGE
    found = list(clusters.select_related("service").order_by("-last_seen_at", "-pk")[start : start + ON_A_PAGE + 1])
    shown = found[:ON_A_PAGE]
    texts = _typical_texts(shown)
    return ClusterList(
        as_of=now,
        clusters=tuple(_item(cluster, texts) for cluster in shown),
        services=tuple(services),
        service_slug=service_slug,
        words=words,
        page=page,
        next_page=page + 1 if len(found) > ON_A_PAGE and page < LAST_PAGE else None,
    )


def cluster_page(*, cluster_id: int, all_reports: bool = False, now: datetime) -> ClusterPage:
    """Return one cluster with what holds it together; of one that was merged away, the one it has gone up in.

    Queries: at most 16, and one for each time the cluster was merged on. Raises NotFound.
    """
    living_id = living_cluster(cluster_id).pk
    cluster = Cluster.objects.select_related("service", "resembles").get(pk=living_id)
    terms = tuple(cluster.terms)
    shares: list[float | None] = [*cluster.term_shares]
    shares += [None] * (len(terms) - len(shares))
    state = ClusteringState.objects.filter(service_id=cluster.service_id).first()
    waiting = _waiting_reports(cluster.service_id)
    with connection.cursor() as cursor:
        cursor.execute(_WORDINGS, [living_id, MOST_SHOWN_WORDINGS, AMONG_NEWEST])
        wordings = tuple(Wording(*row) for row in cursor.fetchall())
        n = MOST_REPORTS if all_reports else FEW_REPORTS
        cursor.execute(_NEWEST, [living_id, n, n, n])
        newest = [row[0] for row in cursor.fetchall()]
    return ClusterPage(
        as_of=now,
        cluster=_item(cluster, _typical_texts([cluster])),
        terms=tuple(TermShare(term, share) for term, share in zip(terms, shares, strict=False)),
        cohesion=cluster.cohesion,
        usual=state.usual if state else None,
        n_set_aside=_n_set_aside(cluster),
        resembles=_named(cluster.resembles),
        chart=_chart(cluster, now=now),
        wordings=wordings,
        n_wordings=MicroCluster.objects.filter(cluster=cluster).count(),
        reports=_heard(newest, waiting, terms=terms),
        others=_others(cluster),
        corrections=_corrections(cluster),
        lag=lag_of_clustering(now),
    )


def set_aside_page(*, service_slug: str = "", now: datetime) -> SetAsidePage:
    """Return what was set aside of late in a service; without one, in that where it happened last.

    Queries: at most eight. Raises NotFound for a service that is not there.
    """
    since = now - LATELY
    lately = Placement.objects.filter(is_set_aside=True, counted_at__gte=since)
    n_by_id = dict(lately.values_list("service_id").annotate(n=Count("pk")).values_list("service_id", "n"))
    rows = list(Service.objects.order_by("-is_active", "position", "name").values_list("pk", "slug", "name"))
    services = [ServiceChoice(slug, name, n_by_id.get(pk, 0)) for pk, slug, name in rows]
    if service_slug:
        _check_service(service_slug, services)
    elif n_by_id:
        latest_id = lately.order_by("-counted_at").values_list("service_id", flat=True)[0]
        service_slug = next(slug for pk, slug, _ in rows if pk == latest_id)
    reports: tuple[HeardReport, ...] = ()
    for pk, slug, _ in rows:
        if slug == service_slug:
            newest = lately.filter(service_id=pk).order_by("-counted_at").values_list("pk", flat=True)[:MOST_REPORTS]
            reports = _heard(list(newest), _waiting_reports(pk), with_clusters=True)
    return SetAsidePage(now, tuple(services), service_slug, reports, lag_of_clustering(now))


def _services() -> list[tuple[str, str]]:
    return list(Service.objects.order_by("-is_active", "position", "name").values_list("slug", "name"))


def _check_service(slug: str, services: Sequence[ServiceChoice]) -> None:
    if all(service.slug != slug for service in services):
        raise NotFound(f"There is no service {slug!r}.")


def _living() -> QuerySet[Cluster]:
    return Cluster.objects.filter(merged_into__isnull=True)


def _joined_terms() -> Func:
    return Func("terms", Value(" "), function="array_to_string", output_field=TextField())


def _typical_texts(clusters: Sequence[Cluster]) -> dict[UUID, str]:
    """Return the texts of the clusters' typical reports. Queries: one."""
    ids = [cluster.typical_report_id for cluster in clusters if cluster.typical_report_id is not None]
    return dict(Report.objects.filter(id__in=ids).values_list("id", "text"))


def _item(cluster: Cluster, texts: Mapping[UUID, str]) -> ClusterItem:
    return ClusterItem(
        id=cluster.pk,
        service_name=cluster.service.name,
        service_slug=cluster.service.slug,
        name=cluster.name,
        is_named=bool(cluster.given_name),
        label=cluster.label,
        terms=tuple(cluster.terms),
        languages=tuple(cluster.languages),
        regions=tuple(cluster.regions),
        n_reports=cluster.n_reports,
        first_seen_at=cluster.first_seen_at,
        last_seen_at=cluster.last_seen_at,
        typical_text=texts.get(cluster.typical_report_id, "") if cluster.typical_report_id else "",
    )


def _n_set_aside(cluster: Cluster) -> int:
    counts = MinuteCount.objects.filter(micro_cluster__cluster=cluster)
    return counts.aggregate(n=Sum("n_set_aside"))["n"] or 0


def _named(cluster: Cluster | None) -> ClusterName | None:
    return ClusterName(cluster.pk, cluster.name) if cluster is not None else None


def _chart(cluster: Cluster, *, now: datetime) -> Chart:
    """Return the last day of the cluster, or the last one on which it was heard; of a young one less. Queries: one."""
    until = now if now - cluster.last_seen_at < CHART_SPANS[-1] else cluster.last_seen_at + timedelta(hours=1)
    until = until.replace(second=0, microsecond=0) + timedelta(minutes=1)
    age = until - cluster.first_seen_at + BEFORE_FIRST
    span = next((span for span in CHART_SPANS if age <= span), CHART_SPANS[-1])
    stream = Stream(cluster.service_id, until - span, until, cluster_id=cluster.pk)
    [chart] = streams.charts([stream], streams.Usual({}, {}), fallbacks=[None])
    return chart


def _heard(
    report_ids: Sequence[UUID], waiting: frozenset[UUID], *, terms: tuple[str, ...] = (), with_clusters: bool = False
) -> tuple[HeardReport, ...]:
    """Return placed reports in the given order. Queries: two."""
    placements = Placement.objects.filter(pk__in=report_ids)
    if with_clusters:
        placements = placements.select_related("micro_cluster__cluster")
    by_id = {placement.pk: placement for placement in placements}
    reports = Report.objects.in_bulk(report_ids)
    return tuple(
        HeardReport(
            id=report_id,
            report=ReportRow(report.counted_at, report.region, report.text, report.symptom, report.lang),
            cluster=_named(by_id[report_id].micro_cluster.cluster) if with_clusters else None,
            similarity=by_id[report_id].similarity,
            p_problem=by_id[report_id].p_problem,
            is_set_aside=by_id[report_id].is_set_aside,
            is_waiting=report_id in waiting,
            terms=terms,
            reasons=tuple(by_id[report_id].set_aside_for),
        )
        for report_id in report_ids
        if (report := reports.get(report_id)) is not None and report_id in by_id
    )


def _waiting_reports(service_id: int) -> frozenset[UUID]:
    """Return the reports of which somebody has said something that is being carried out. Queries: one."""
    waiting = Correction.objects.filter(service_id=service_id, applied_at__isnull=True)
    return frozenset(report_id for ids in waiting.values_list("report_ids", flat=True) for report_id in ids)


def _others(cluster: Cluster) -> tuple[ClusterName, ...]:
    """Return the clusters it could be merged into: what it resembles, then those that share terms, then the latest.

    Queries: one.
    """
    found = list(
        _living()
        .filter(service_id=cluster.service_id, n_reports__gt=0)
        .exclude(pk=cluster.pk)
        .order_by("-last_seen_at", "-pk")[:OTHERS_ASKED]
    )
    mine = {term.casefold() for term in cluster.terms}

    def unlikely(other: Cluster) -> tuple[bool, int]:
        is_like = cluster.pk == other.resembles_id or other.pk == cluster.resembles_id
        return not is_like, -len(mine & {term.casefold() for term in other.terms})

    return tuple(ClusterName(other.pk, other.name) for other in sorted(found, key=unlikely))


def _corrections(cluster: Cluster) -> tuple[CorrectionRow, ...]:
    """Return what was said of the cluster and of those it has taken in, the newest first. Queries: one."""
    about = Q(cluster=cluster) | Q(cluster__merged_into=cluster) | Q(into=cluster) | Q(into__merged_into=cluster)
    rows = Correction.objects.filter(about).select_related("cluster", "into", "actor").order_by("-pk")
    return tuple(
        CorrectionRow(
            at=row.at,
            actor=row.actor.get_username(),
            kind=CorrectionKind(row.kind),
            cluster=_named(row.cluster),
            other=_named(row.into),
            n=len(row.report_ids) or len(row.micro_cluster_ids),
            text=row.text,
            is_problem=row.is_problem,
            applied_at=row.applied_at,
            refusal=row.refusal,
        )
        for row in rows[:MOST_CORRECTIONS]
    )


def lag_of_clustering(now: datetime) -> Lag:
    """Return how long reports wait for their cluster, and how many do. Queries: one."""
    n_waiting, waiting_seconds = gauges.waiting(now=now)
    return Lag(waiting_seconds, None, settings.LAG_PROMISE_SECONDS, n_waiting)
