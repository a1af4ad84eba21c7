"""The cards of a backtest: an outage found, or a labelled one that was not, with its chart and its evidence.

Reads the scratch database while it still stands. What is usual is handed in, for by the end of a recording the profile
has forgotten it. Not here: which cards there are (`backtest`), geometry (`drawing`), markup.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q, Sum

from ml.outage_matching import EARLIEST, Alarm, LabelMatch, Verdict, in_time_until
from ml.outage_truth import ANYWHERE, LabelledOutage, Truth
from reports.enums import EventKind
from reports.management.drawing import Figure, Mark, draw
from reports.management.scoreboard import after_words
from reports.models import MinuteCount, Outage, Placement, Report
from reports.triage import selectors, streams
from reports.triage.evidence import place_words
from reports.triage.rows import EventRow
from reports.triage.streams import BIN_MINUTES, MINUTE, Chart, Point, Stream, Usual
from reports.triage.together import places_of

MOST_TEXTS: Final = 3
MOST_TEXT_CHARS: Final = 280
LEAD: Final = timedelta(hours=2)  # how much of the usual is shown before
TAIL: Final = timedelta(minutes=30)
LEAST_PEAK: Final = 5  # where no minute has so many, bars of a minute are a row of ones
LABEL_SHOWN_FOR: Final = timedelta(hours=6)  # so long after an outage's own end its label's end still widens the chart

_SHOWN_EVENTS: Final = {
    EventKind.SUSPECTED: ("S", "suspected"),
    EventKind.CONFIRMED: ("C", "confirmed"),
    EventKind.RECOVERING: ("R", "recovering"),
    EventKind.RESOLVED: ("X", "resolved"),
    EventKind.FADED: ("X", "resolved"),
    EventKind.WITHDRAWN: ("X", "resolved"),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of a card's times: the flag it has in the chart ("" for none), and what happened."""

    letter: str
    look: str
    name: str
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """An outage found, or a labelled one that was not. `texts` are as typed: hostile, always escaped."""

    anchor: str
    verdict: str
    service: str
    label: str
    where: str
    finding: str
    evidence: tuple[str, ...]
    moments: tuple[Moment, ...]
    figure: Figure | None
    texts: tuple[str, ...]
    at: datetime


def found_card(
    ix: int, outage: Outage, alarm: Alarm | None, *, truth: Truth, usual: Usual | None, now: datetime
) -> Card:
    """Return the card of an outage the system opened; `alarm` None: not judged. Queries: some twenty."""
    page = selectors.outage_page(outage_id=outage.pk, now=now)
    labels = [truth.outages[i] for i in alarm.labels] if alarm is not None else []
    events = [event for event in reversed(page.events) if event.kind in _SHOWN_EVENTS]
    moments = [*_label_moments(labels), *_event_moments(events)]
    first = next((event.evidence for event in events if event.kind is EventKind.SUSPECTED), "")
    clearest = page.outage.evidence
    if first and clearest.endswith(first):
        evidence = [f"When suspected, and at its clearest: {first}"]
    else:
        evidence = [*([f"When suspected: {first}"] if first else ()), clearest]
    return Card(
        anchor=f"outage-{ix + 1}",
        verdict=alarm.verdict.value if alarm is not None else "",
        service=page.outage.service_name,
        label=page.outage.label,
        where=page.outage.where,
        finding=_finding(outage, alarm, labels, truth),
        evidence=tuple(evidence),
        moments=tuple(sorted(moments, key=lambda moment: moment.at)),
        figure=_found_figure(outage, labels, moments, usual, now=now),
        texts=tuple(report.text[:MOST_TEXT_CHARS] for report in page.reports[:MOST_TEXTS] if report.text),
        at=outage.suspected_at,
    )


def _found_figure(
    outage: Outage, labels: Sequence[LabelledOutage], moments: Sequence[Moment], usual: Usual | None, *, now: datetime
) -> Figure | None:
    end = outage.resolved_at or now
    since = min([outage.started_at, outage.suspected_at, *(label.start for label in labels)]) - LEAD
    ends = [label.end for label in labels if label.end is not None and label.end <= end + LABEL_SHOWN_FOR]
    roots = streams.root_clusters([outage.cluster_id] if outage.cluster_id is not None else [])
    stream = Stream(
        outage.service_id,
        since,
        max([end, *ends]) + TAIL,
        places_of(outage),
        roots[outage.cluster_id] if outage.cluster_id is not None else None,
    )
    # Where the profile has nothing for a stream (a cluster has none), what the detector took for it when it opened.
    fallback = _first_expected_a_minute(outage)
    return _figure(stream, usual, labels, moments, fallback=fallback)


def _first_expected_a_minute(outage: Outage) -> float:
    event = outage.events.filter(kind=EventKind.SUSPECTED).order_by("at", "id").first()
    body = event.body if event is not None else {}
    try:
        return float(body["expected"]) / float(body["window_minutes"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return outage.expected / outage.window_minutes


def _figure(
    stream: Stream,
    usual: Usual | None,
    labels: Sequence[LabelledOutage],
    moments: Sequence[Moment],
    *,
    fallback: float | None,
) -> Figure | None:
    [chart] = streams.charts([_on_full_bins(stream)], usual or Usual({}, {}), fallbacks=[fallback])
    return draw(
        _readable(chart),
        marks=[Mark(moment.letter, moment.look, moment.at) for moment in moments if moment.letter],
        spans=[(label.start, label.end) for label in labels if label.end is not None],
    )


def _readable(chart: Chart) -> Chart:
    """Draw five minutes a bar where a minute a bar would show next to nothing."""
    minutes = BIN_MINUTES[1]
    if chart.bin_minutes != 1 or max((point.observed for point in chart.points), default=0) >= LEAST_PEAK:
        return chart
    fives = [chart.points[i : i + minutes] for i in range(0, len(chart.points), minutes)]
    return Chart(minutes, tuple(_together(points) for points in fives), chart.is_partial)


def _together(points: Sequence[Point]) -> Point:
    expected = [point.expected for point in points if point.expected is not None]
    is_known = len(expected) == len(points)
    return Point(points[0].at, sum(point.observed for point in points), sum(expected) if is_known else None)


def _on_full_bins(stream: Stream) -> Stream:
    """Let a stream begin and end where bars do, five minutes or the full hour, so that no bar is cut short."""
    # Widening may need wider bars, and these wider limits: the second time it is settled.
    for _ in range(2):
        width = MINUTE * max(stream.bin_minutes, BIN_MINUTES[1])
        day = stream.since.replace(hour=0, minute=0, second=0, microsecond=0)
        since = day + (stream.since - day) // width * width
        n_bins = -((since - stream.until) // width)
        stream = Stream(stream.service_id, since, since + n_bins * width, stream.places, stream.cluster_id)
    return stream


def missed_card(
    ix: int,
    label: LabelledOutage,
    match: LabelMatch,
    outages: Sequence[Outage],
    *,
    service_id: int | None,
    usual: Usual | None,
) -> Card:
    """Return the card of a labelled outage that was not suspected in time. Queries: at most four."""
    is_anywhere = ANYWHERE in label.regions or "" in label.regions
    places = () if is_anywhere else label.regions
    until = in_time_until(label)
    moments = _label_moments([label])
    figure: Figure | None = None
    texts: tuple[str, ...] = ()
    finding = "The recording holds nothing of that time."
    if service_id is not None and match.verdict is not Verdict.NOT_RECORDED:
        stream = Stream(service_id, label.start - EARLIEST, until, places)
        finding = _missed_finding(stream, match, label, outages)
        shown = Stream(service_id, label.start - LEAD, until + TAIL, places)
        figure = _figure(shown, usual, [label], moments, fallback=None)
        texts = _texts(stream)
    return Card(
        anchor=f"label-{ix + 1}",
        verdict=match.verdict.value,
        service=label.service,
        label=label.kind,
        where="everywhere" if is_anywhere else place_words(label.regions),
        finding=finding,
        evidence=(),
        moments=tuple(moments),
        figure=figure,
        texts=texts,
        at=label.start,
    )


def _missed_finding(stream: Stream, match: LabelMatch, label: LabelledOutage, outages: Sequence[Outage]) -> str:
    sums = MinuteCount.objects.filter(
        _there(stream.places), service_id=stream.service_id, minute__gte=stream.since, minute__lt=stream.until
    ).aggregate(n=Sum("n_reports"), counted=Sum("n_counted"), aside=Sum("n_set_aside"))
    n, counted, aside = (sums[key] or 0 for key in ("n", "counted", "aside"))
    said = f"{n} report{'' if n == 1 else 's'} came in the time in which it had to be suspected"
    if n:
        said += f": {counted} counted, {aside} set aside as no problem reports, {n - counted - aside} repeated"
    if match.late:
        said += f". It was suspected too late, {_after(outages[match.late[0]].suspected_at, label.start)} its start"
    return f"{said}."


def _there(places: Sequence[str]) -> Q:
    there = Q()
    for place in places:
        there |= Q(region=place) | Q(region__startswith=f"{place}-")
    return there


def _texts(stream: Stream) -> tuple[str, ...]:
    """Return the first reports' words, of those set aside too: that may be why it was missed. Queries: two."""
    ids = Placement.objects.filter(
        _there(stream.places),
        service_id=stream.service_id,
        counted_at__gte=stream.since,
        counted_at__lt=stream.until,
    ).order_by("counted_at", "report_id")
    first = list(ids.values_list("report_id", flat=True)[:MOST_TEXTS])
    texts = Report.objects.filter(id__in=first).order_by("id").values_list("text", flat=True)
    return tuple(text[:MOST_TEXT_CHARS] for text in texts if text)


def _finding(outage: Outage, alarm: Alarm | None, labels: Sequence[LabelledOutage], truth: Truth) -> str:
    if alarm is None:
        return ""
    if alarm.quiet is not None:
        why = truth.quiet[alarm.quiet].why
        return f"In a period labelled quiet{f': {why}' if why else '.'}"
    if not labels:
        return "No label says whether this was an outage."
    said = []
    for label in labels:
        after = _after(outage.suspected_at, label.start)
        confirmed = f", confirmed {_after(outage.confirmed_at, label.start)}" if outage.confirmed_at else ""
        late = "" if alarm.verdict is Verdict.HIT else f"; in time was until {in_time_until(label):%Y-%m-%d %H:%M} UTC"
        said.append(f"{_label_name(label)}: suspected {after} its start{confirmed}{late}.")
    return " ".join(said)


def _label_name(label: LabelledOutage) -> str:
    where = "anywhere" if ANYWHERE in label.regions else place_words(label.regions) or "everywhere"
    return f"Labelled {label.kind or 'outage'}, {where}"


def _after(moment: datetime, start: datetime) -> str:
    return after_words((moment - start) / MINUTE)


def _label_moments(labels: Sequence[LabelledOutage]) -> list[Moment]:
    moments = []
    for label in labels:
        note = "" if label.end is not None else "its end is not known"
        moments.append(Moment("L", "label", "Labelled start", label.start, note))
        if label.end is not None:
            moments.append(Moment("E", "label", "Labelled end", label.end))
    return moments


def _event_moments(events: Sequence[EventRow]) -> list[Moment]:
    """Return one moment a kind: the first suspicion and confirmation, the last recovery and end."""
    by_kind: dict[EventKind, list[EventRow]] = defaultdict(list)
    for event in events:
        by_kind[event.kind].append(event)
    moments = []
    for kind, found in by_kind.items():
        letter, look = _SHOWN_EVENTS[kind]
        is_begin = kind in (EventKind.SUSPECTED, EventKind.CONFIRMED)
        event = found[0] if is_begin else found[-1]
        rose_again = kind is EventKind.RECOVERING and len(found) > 1
        note = f"for the {_ordinal(len(found))} time: reports rose again in between" if rose_again else ""
        moments.append(Moment(letter, look, kind.label, event.at, note))
    return moments


def _ordinal(n: int) -> str:
    """Return a number as one counts.

    >>> [_ordinal(n) for n in (2, 3, 11, 21)]
    ['2nd', '3rd', '11th', '21st']
    """
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"
