"""What a replay shows of itself: its score, and a card an outage by what the labels say of it.

Invariant: the page is frozen dataclasses of plain values, built while the scratch database still stands; the template
only prints them. What is usual is taken down while the recording plays (`Witness`), for after four years of recording
the profile knows nothing of the first. Not here: a single card (`backtest_cards`), figures (`scoreboard`), markup.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ml.outage_matching import Alarm, LabelMatch, RecordedService, Verdict
from ml.outage_truth import LabelledOutage, Truth
from reports.intake.writer import ReportRow
from reports.management.backtest_cards import Card, found_card, missed_card
from reports.management.scoreboard import ScoreRow
from reports.models import Outage, Service
from reports.triage import streams
from reports.triage.streams import Usual

MOST_CARDS: Final = 200  # a section; each is some 8 kB of page, and nobody looks at more


@dataclass(frozen=True, slots=True)
class Section:
    """Cards of one kind. One that is not `is_open` is folded: its alarms woke nobody."""

    anchor: str
    title: str
    explanation: str
    cards: tuple[Card, ...]
    n: int
    is_open: bool = True

    @property
    def n_left_out(self) -> int:
        return self.n - len(self.cards)


@dataclass(frozen=True, slots=True)
class BacktestPage:
    """Everything the HTML report of a replay shows. `rows` is empty where there was no truth to judge by."""

    recording: str
    truth: str
    headline: str
    n_reports: int
    services: tuple[RecordedService, ...]
    rows: tuple[ScoreRow, ...]
    sections: tuple[Section, ...]


class Witness:
    """Takes down what is usual at the moments a card will need it: when an outage opens, when a labelled one begins."""

    def __init__(self, rows: Iterable[ReportRow], labels: Sequence[LabelledOutage]) -> None:
        self.of_outage: dict[int, Usual] = {}
        self.of_label: dict[int, Usual] = {}
        self._service_ids = {name.casefold(): pk for pk, name in Service.objects.values_list("pk", "name")}
        self._regions: dict[int, set[str]] = defaultdict(set)
        for row in rows:
            self._regions[row.service_id].add(row.report.region)
        self._labels = labels
        self._to_come = deque(sorted(range(len(labels)), key=lambda i: labels[i].start))
        self._last_id = 0

    def look(self, *, now: datetime) -> None:
        """Take down what has become due. Queries: one, and two for each outage or label that is new."""
        while self._to_come and self._labels[self._to_come[0]].start <= now:
            ix = self._to_come.popleft()
            service_id = self.service_id(self._labels[ix])
            if service_id is not None:
                self.of_label[ix] = self._usual(service_id)
        for pk, service_id in (
            Outage.objects.filter(pk__gt=self._last_id).order_by("pk").values_list("pk", "service_id")
        ):
            self.of_outage[pk] = self._usual(service_id)
            self._last_id = pk

    def service_id(self, label: LabelledOutage) -> int | None:
        """Return a label's service, compared as `ml.outage_matching` compares it; None where it is not recorded."""
        return self._service_ids.get(label.service.casefold())

    def _usual(self, service_id: int) -> Usual:
        return streams.read_usual([service_id], self._regions[service_id], countries=True)


def sections_of(
    outages: Sequence[Outage],
    alarms: Sequence[Alarm] | None,
    *,
    truth: Truth,
    matches: Sequence[LabelMatch],
    witness: Witness,
    now: datetime,
) -> tuple[Section, ...]:
    """Return the cards of a replay by what they are; without `alarms` nothing is judged, `truth` is empty.

    Queries: some twenty for each card.
    """
    if alarms is None:
        confirmed = [i for i, outage in enumerate(outages) if outage.confirmed_at is not None]
        faded = [i for i, outage in enumerate(outages) if outage.confirmed_at is None]
        groups = [
            ("confirmed", "Confirmed", "No labels were given: nothing is judged.", confirmed, True),
            ("suspected", "Suspected only", "They faded, or went on to the end, without confirmation.", faded, False),
        ]
    else:
        groups = _judged_groups(outages, alarms)
    found = [
        _section(
            *group,
            make=lambda ix: found_card(
                ix,
                outages[ix],
                alarms[ix] if alarms is not None else None,
                truth=truth,
                usual=witness.of_outage.get(outages[ix].pk),
                now=now,
            ),
        )
        for group in groups
    ]
    missed = [ix for ix, match in enumerate(matches) if match.verdict is not Verdict.HIT]
    explanation = "Labelled outages that were not suspected in time, with the reports there were."
    lost = _section(
        "missed",
        "Missed",
        explanation,
        missed,
        True,
        make=lambda ix: missed_card(
            ix,
            truth.outages[ix],
            matches[ix],
            outages,
            service_id=witness.service_id(truth.outages[ix]),
            usual=witness.of_label.get(ix),
        ),
    )
    ordered = [*found[:1], lost, *found[1:]] if alarms is not None else found
    return tuple(section for section in ordered if section.n)


def _judged_groups(outages: Sequence[Outage], alarms: Sequence[Alarm]) -> list[tuple[str, str, str, list[int], bool]]:
    def those(verdict: Verdict, *, confirmed: bool | None = None) -> list[int]:
        return [
            i
            for i, (outage, alarm) in enumerate(zip(outages, alarms, strict=True))
            if alarm.verdict is verdict and confirmed in (None, outage.confirmed_at is not None)
        ]

    no_label = "No label says whether there was an outage."
    return [
        ("hits", "Hits", "They answer a labelled outage in time.", those(Verdict.HIT), True),
        ("in-quiet", "False", "They fall into a period known to be quiet.", those(Verdict.IN_QUIET), True),
        ("too-late", "Too late", "They answer a labelled outage, but not in time.", those(Verdict.TOO_LATE), True),
        ("unknown", "Unknown, confirmed", no_label, those(Verdict.UNKNOWN, confirmed=True), True),
        (
            "unknown-suspected",
            "Unknown, suspected only",
            f"{no_label} None was confirmed.",
            those(Verdict.UNKNOWN, confirmed=False),
            False,
        ),
    ]


def _section(
    anchor: str, title: str, explanation: str, ids: list[int], is_open: bool, *, make: Callable[[int], Card]
) -> Section:
    return Section(anchor, title, explanation, tuple(make(ix) for ix in ids[:MOST_CARDS]), len(ids), is_open)
