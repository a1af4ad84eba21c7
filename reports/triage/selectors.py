"""What the dashboard and the page of an outage ask. The number of queries does not grow with what there is to show.

Only reads. What rows look like: `rows`; how streams are read: `streams`; how evidence is put into words: `evidence`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q, Sum

from reports.enums import OPEN_STATES, EventKind, OutageState, Severity
from reports.errors import NotFound
from reports.models import Cluster, MinuteCount, Outage, OutageEvent, Placement, Report, Service
from reports.triage import gauges, streams
from reports.triage.accounts import responders
from reports.triage.evidence import Seen, held_back_words, place_words, seen_of
from reports.triage.held_back import held_back
from reports.triage.rows import (
    ClusterRow,
    Dashboard,
    EventRow,
    Lag,
    OutagePage,
    OutageRow,
    PlaceRow,
    ReportRow,
    ServicePulse,
)
from reports.triage.sources import source_notices
from reports.triage.streams import HOUR, MINUTE, Chart, Stream, Usual
from reports.triage.together import open_outages, places_of, risen_together

MOST_OPEN: Final = 50
MOST_CLOSED: Final = 10
# How much of the usual is shown before the onset, by how long ago that was: enough to see that it rises, and so little
# that a young outage is no needle at the right edge.
BEFORE_ONSET: Final = (
    (timedelta(minutes=20), timedelta(minutes=20)),
    (timedelta(hours=1), timedelta(hours=1)),
    (timedelta.max, timedelta(hours=2)),
)
AFTER_END: Final = timedelta(minutes=30)
CLUSTERS_ON_DASHBOARD: Final = 3
CLUSTERS_ON_PAGE: Final = 10
MOST_REPORTS: Final = 10
AMONG_NEWEST: Final = 60  # typical reports are chosen among this many
MOST_EVENTS: Final = 500

# What a person has to decide on stands first, what mends itself last; the newest first within. Nothing that changes
# every minute orders the list, for a button must not move away from under a finger.
_OPEN_ORDER: Final[Mapping[tuple[OutageState, bool], int]] = {
    (OutageState.SUSPECTED, False): 0,
    (OutageState.SUSPECTED, True): 1,  # nobody makes one, and the whole dashboard must not break on one
    (OutageState.CONFIRMED, False): 0,
    (OutageState.CONFIRMED, True): 1,
    (OutageState.RECOVERING, False): 2,
    (OutageState.RECOVERING, True): 2,
}
_STATE_KINDS: Final[Mapping[EventKind, OutageState]] = {
    EventKind.SUSPECTED: OutageState.SUSPECTED,
    EventKind.CONFIRMED: OutageState.CONFIRMED,
    EventKind.RELAPSED: OutageState.CONFIRMED,
    EventKind.RECOVERING: OutageState.RECOVERING,
}
_VERSION: Final = """
    SELECT (SELECT max(id) FROM reports_outageevent),
           (SELECT max(evaluated_at) FROM reports_outage WHERE state = ANY(%s)),
           (SELECT sum(generation) FROM reports_clusteringstate),
           (SELECT max(id) * 1000 + count(*) FILTER (WHERE until IS NULL) FROM reports_sourcealarm),
           EXISTS (SELECT 1 FROM reports_intakebatch WHERE clustered_at IS NULL AND written_at < %s)
"""


def dashboard_version(*, now: datetime) -> str:
    """Return a word that changes when the dashboard would: by an event, a look, a placement, a source, a lag.

    Queries: one.
    """
    late = now - timedelta(seconds=settings.LAG_PROMISE_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(_VERSION, [[state.value for state in OPEN_STATES], late])
        event_id, evaluated_at, generation, sources, is_late = cursor.fetchone()
    evaluated = evaluated_at.timestamp() if evaluated_at else 0
    return f"{event_id or 0}-{evaluated:.3f}-{generation or 0}-{sources or 0}-{int(is_late)}"


def dashboard(*, now: datetime) -> Dashboard:
    """Return what emerges, what lately ended, how the services do, and whence reports come. Queries: at most 21."""
    rows = Outage.objects.select_related("service", "assignee")
    found_open = sorted(
        rows.open().order_by("-suspected_at", "-pk")[:MOST_OPEN],
        key=lambda outage: _OPEN_ORDER[OutageState(outage.state), outage.is_confirmed_by_person],
    )
    closed = list(rows.exclude(state__in=OPEN_STATES).order_by("-resolved_at", "-pk")[:MOST_CLOSED])
    services = list(Service.objects.active().only("id", "slug", "name"))
    n_open = Counter(Outage.objects.open().values_list("service_id", flat=True))
    scopes = {place for outage in found_open for place in places_of(outage)}
    service_ids = {service.pk for service in services} | {outage.service_id for outage in found_open}
    usual = streams.read_usual(service_ids, scopes, countries=True)
    highlights = _highlights([*found_open, *closed])
    of_open = _outage_streams(found_open, now=now)
    charts = streams.charts(of_open.shown, usual, fallbacks=of_open.fallbacks)
    clusters = _clusters(of_open.during, limit=CLUSTERS_ON_DASHBOARD)
    last_hour = _last_hour_streams(services, now=now)
    n_by_region = streams.counts_by_region(last_hour)
    n_set_aside = _set_aside(now - HOUR)
    together = risen_together(open_outages())
    return Dashboard(
        as_of=now,
        open=tuple(
            _row(outage, highlights[outage.pk], chart=chart, clusters=inside, together_with=together.get(outage.pk, ()))
            for outage, chart, inside in zip(found_open, charts, clusters, strict=True)
        ),
        n_open=n_open.total(),
        closed=tuple(_row(outage, highlights[outage.pk]) for outage in closed),
        services=tuple(
            ServicePulse(
                slug=service.slug,
                name=service.name,
                n_last_hour=sum(counts.values()),
                expected_last_hour=usual.expected(service.pk, (), stream.since, stream.until),
                n_open=n_open[service.pk],
                n_set_aside=n_set_aside[service.pk],
            )
            for service, stream, counts in zip(services, last_hour, n_by_region, strict=True)
        ),
        countries=_countries(last_hour, n_by_region, usual),
        n_unplaced=sum(counts.get("", 0) for counts in n_by_region),
        lag=_lag(found_open, now=now),
        notices=source_notices(now=now),
        held_back=held_back(now=now),
    )


def outage_page(*, outage_id: int, now: datetime) -> OutagePage:
    """Return one outage with its evidence.

    Queries: at most 19. Raises NotFound.
    """
    outage = Outage.objects.select_related("service", "assignee").filter(pk=outage_id).first()
    if outage is None:
        raise NotFound(f"There is no outage {outage_id}.")
    events = list(outage.events.select_related("actor").order_by("-at", "-id")[:MOST_EVENTS])
    usual = streams.read_usual([outage.service_id], places_of(outage), countries=True)
    of_outage = _outage_streams([outage], now=now)
    [chart] = streams.charts(of_outage.shown, usual, fallbacks=of_outage.fallbacks)
    [during] = of_outage.during
    [clusters] = _clusters([during], limit=CLUSTERS_ON_PAGE)
    [n_by_region] = streams.counts_by_region([during])
    subdivisions = [code for code in n_by_region if "-" in code]
    inner = streams.read_usual([outage.service_id], subdivisions)
    together = risen_together(open_outages()).get(outage.pk, ()) if outage.resolved_at is None else ()
    return OutagePage(
        as_of=now,
        outage=_row(outage, _highlight(outage, events), chart=chart, clusters=clusters, together_with=together),
        countries=_countries([during], [n_by_region], usual),
        subdivisions=_by_excess(
            PlaceRow(code, n_by_region[code], _usual_in(inner, during, code)) for code in subdivisions
        ),
        n_unplaced=n_by_region.get("", 0),
        reports=_typical_reports(during),
        events=tuple(_event(event, outage) for event in events),
        lag=_lag([outage] if outage.resolved_at is None else [], now=now),
        responders=responders(),
    )


@dataclass(frozen=True, slots=True)
class _Highlight:
    """Of an outage's events: when it entered its state, the look at which it was clearest, what holds it back."""

    since: datetime
    seen: Seen
    held_back: str = ""


@dataclass(frozen=True, slots=True)
class _OutageStreams:
    """For each outage the stream its chart shows (with time before and after), that of the outage itself, and the
    usual reports a minute that the detector last took for it."""

    shown: list[Stream]
    during: list[Stream]
    fallbacks: list[float | None]


def _outage_streams(outages: Sequence[Outage], *, now: datetime) -> _OutageStreams:
    """Return the outages' streams. Queries: at most one."""
    roots = streams.root_clusters(outage.cluster_id for outage in outages if outage.cluster_id is not None)
    found = _OutageStreams([], [], [])
    for outage in outages:
        cluster_id = roots[outage.cluster_id] if outage.cluster_id is not None else None
        places = places_of(outage)
        end = outage.resolved_at or now
        since = _shown_since(outage.started_at, end)
        found.shown.append(Stream(outage.service_id, since, min(end + AFTER_END, now), places, cluster_id))
        onset = outage.started_at.replace(second=0, microsecond=0)  # counts are by the minute
        found.during.append(Stream(outage.service_id, onset, end + MINUTE, places, cluster_id))
        found.fallbacks.append(outage.expected / outage.window_minutes)
    return found


def _shown_since(onset: datetime, end: datetime) -> datetime:
    """Return where the chart of an outage begins: on a full hour for one that lasts, else on a full five minutes."""
    lead = next(lead for age, lead in BEFORE_ONSET if end - onset <= age)
    since = (onset - lead).replace(second=0, microsecond=0)
    return since - timedelta(minutes=since.minute if lead == BEFORE_ONSET[-1][1] else since.minute % 5)


def _last_hour_streams(services: Sequence[Service], *, now: datetime) -> list[Stream]:
    return [Stream(service.pk, now - HOUR, now) for service in services]


def _set_aside(since: datetime) -> Counter[int]:
    """Return how many reports of each service were set aside since then. Queries: one."""
    counts = MinuteCount.objects.filter(minute__gte=since, n_set_aside__gt=0).values("service_id")
    return Counter({row["service_id"]: row["n"] for row in counts.annotate(n=Sum("n_set_aside"))})


def _highlights(outages: Sequence[Outage]) -> dict[int, _Highlight]:
    """Return what stands out of each outage's events. Queries: one."""
    kinds = [*_STATE_KINDS, EventKind.LOCATED, EventKind.WIDENED, EventKind.HELD_BACK]
    events: dict[int, list[OutageEvent]] = defaultdict(list)
    for event in OutageEvent.objects.filter(outage__in=outages, kind__in=kinds).order_by("-at", "-id"):
        events[event.outage_id].append(event)
    return {outage.pk: _highlight(outage, events[outage.pk]) for outage in outages}


def _highlight(outage: Outage, events: Sequence[OutageEvent]) -> _Highlight:
    """Return what stands out of an outage's events (newest first)."""
    since = outage.resolved_at or outage.suspected_at
    if outage.resolved_at is None:
        # People may confirm what is confirmed already: of the latest events that led to this state, the first counts.
        for event in events:
            state = _STATE_KINDS.get(EventKind(event.kind), outage.state)
            if state != outage.state:
                break
            if event.kind in _STATE_KINDS:
                since = event.at
    now_seen = Seen(
        outage.observed,
        outage.expected,
        outage.window_minutes,
        outage.peak_p_value,
        n_regions=outage.peak_n_regions or 0,
        at=outage.peak_at.astimezone(outage.service.zone) if outage.peak_at else None,
        of_failures=outage.counts_failing,
    )
    held_back = _held_back(outage, events)
    # Where it is not kept when that was, the events of one that is over tell more.
    if outage.peak_at is not None or outage.state in {OutageState.SUSPECTED, OutageState.CONFIRMED}:
        return _Highlight(since, now_seen, held_back)
    seen = [found for event in events if (found := _seen(event, outage)) is not None]
    return _Highlight(since, min(seen, key=lambda one: one.p_value, default=now_seen))


def _held_back(outage: Outage, events: Sequence[OutageEvent]) -> str:
    """Return why an outage is suspected and no more, in a sentence; "" where nothing holds it back."""
    if outage.state != OutageState.SUSPECTED:
        return ""
    told: dict[str, Any] = next((event.body for event in events if event.kind == EventKind.HELD_BACK), {})
    return held_back_words(
        outage.held_back_for,
        n_failing=outage.n_failing,
        n_reporters=outage.n_reporters,
        words=[str(word) for word in told.get("words") or ()],
    )


def _row(
    outage: Outage,
    highlight: _Highlight,
    *,
    chart: Chart | None = None,
    clusters: tuple[ClusterRow, ...] = (),
    together_with: tuple[str, ...] = (),
) -> OutageRow:
    is_rising = outage.state in {OutageState.SUSPECTED, OutageState.CONFIRMED}
    return OutageRow(
        id=outage.pk,
        service_name=outage.service.name,
        service_slug=outage.service.slug,
        is_service_public=outage.service.is_public and outage.service.is_active,
        label=outage.label,
        state=OutageState(outage.state),
        is_confirmed_by_person=outage.is_confirmed_by_person,
        assignee_id=outage.assignee_id,
        assignee=outage.assignee.get_username() if outage.assignee else "",
        scope_region=outage.scope_region,
        regions=tuple(outage.regions),
        started_at=outage.started_at,
        suspected_at=outage.suspected_at,
        confirmed_at=outage.confirmed_at,
        resolved_at=outage.resolved_at,
        since=highlight.since,
        n_reports=outage.n_reports,
        n_reporters=outage.n_reporters,
        evidence=highlight.seen.sentence if is_rising else f"At its clearest: {highlight.seen.sentence}",
        severity=Severity(outage.severity),
        is_located=outage.is_located,
        held_back=highlight.held_back,
        together_with=together_with,
        chart=chart,
        clusters=clusters,
    )


def _seen(event: OutageEvent, outage: Outage) -> Seen | None:
    return seen_of(event.body, at=event.at.astimezone(outage.service.zone))


def _event(event: OutageEvent, outage: Outage) -> EventRow:
    body = event.body
    seen = _seen(event, outage)
    return EventRow(
        at=event.at,
        kind=EventKind(event.kind),
        actor=event.actor.get_username() if event.actor else "",
        text=str(body.get("text") or body.get("reason") or ""),
        evidence=seen.sentence if seen else "",
        regions=place_words([str(code) for code in body.get("regions") or ()]),
        assignee=str(body.get("assignee") or ""),
        held_back=held_back_words(
            str(body.get("held_back_for") or ""),
            n_failing=body.get("n_failing"),
            n_reporters=int(body.get("n_reporters") or 0),
            words=[str(word) for word in body.get("words") or ()],
        ),
    )


def _clusters(during: Sequence[Stream], *, limit: int) -> list[tuple[ClusterRow, ...]]:
    """Return the largest clusters of each stream, with the text of a typical report. Queries: at most three."""
    top = streams.top_clusters(during, limit=limit)
    known = Cluster.objects.in_bulk({cluster_id for found in top for cluster_id, _ in found})
    typical = [cluster.typical_report_id for cluster in known.values() if cluster.typical_report_id]
    texts: dict[UUID, str] = dict(Report.objects.filter(id__in=typical).values_list("id", "text")) if typical else {}
    return [
        tuple(
            ClusterRow(
                id=cluster_id,
                label=known[cluster_id].name,
                terms=tuple(known[cluster_id].terms),
                n_reports=n,
                typical_text=texts.get(known[cluster_id].typical_report_id or UUID(int=0), ""),
            )
            for cluster_id, n in found
            if cluster_id in known
        )
        for found in top
    ]


def _typical_reports(stream: Stream) -> tuple[ReportRow, ...]:
    """Return, of the newest reports, those that are most like their cluster, the newest first. Queries: two."""
    placements = Placement.objects.filter(
        service_id=stream.service_id, counted_at__gte=stream.since, counted_at__lt=stream.until
    )
    if stream.cluster_id is not None:
        placements = placements.filter(micro_cluster__cluster_id=stream.cluster_id)
    if stream.places:
        there = Q(region__in=stream.places)
        for place in stream.places:
            there |= Q(region__startswith=f"{place}-")
        placements = placements.filter(there)
    newest = placements.order_by("-counted_at").values_list("report_id", "similarity")[:AMONG_NEWEST]
    likest = sorted(newest, key=lambda row: -row[1])[:MOST_REPORTS]
    reports = Report.objects.filter(id__in=[report_id for report_id, _ in likest]).order_by("-id")
    return tuple(
        ReportRow(report.counted_at, report.region, report.text, report.symptom, report.lang) for report in reports
    )


def _countries(found: Sequence[Stream], n_by_region: Sequence[Mapping[str, int]], usual: Usual) -> tuple[PlaceRow, ...]:
    """Add the streams' reports up by country, with its subdivisions. The usual is known where it is for all."""
    n_by_country: Counter[str] = Counter()
    expected: dict[str, float | None] = {}
    for stream, counts in zip(found, n_by_region, strict=True):
        here: Counter[str] = Counter()
        for region, n in counts.items():
            if region:
                here[region.partition("-")[0]] += n
        for country, n in here.items():
            n_by_country[country] += n
            before, more = expected.get(country, 0.0), _usual_in(usual, stream, country)
            expected[country] = before + more if before is not None and more is not None else None
    return _by_excess(PlaceRow(country, n, expected[country]) for country, n in n_by_country.items())


def _usual_in(usual: Usual, stream: Stream, region: str) -> float | None:
    if stream.cluster_id is not None:  # what is usual is learnt for regions, not for clusters within them
        return None
    return usual.expected(stream.service_id, (region,), stream.since, stream.until)


def _by_excess(places: Iterable[PlaceRow]) -> tuple[PlaceRow, ...]:
    return tuple(sorted(places, key=lambda place: (-place.excess, -place.n_reports, place.code)))


def _lag(open_outages: Sequence[Outage], *, now: datetime) -> Lag:
    """Return how far behind the stages are. Queries: one."""
    looked_at = max((outage.evaluated_at for outage in open_outages), default=None)
    n_waiting, waiting_seconds = gauges.waiting(now=now)
    return Lag(
        clustering_seconds=waiting_seconds,
        detection_seconds=max((now - looked_at).total_seconds(), 0.0) if looked_at else None,
        promise_seconds=settings.LAG_PROMISE_SECONDS,
        n_waiting=n_waiting,
    )
