"""What pages are told: frozen rows of plain values. No ORM object reaches a template.

Nothing is read here; `selectors` fills them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf.locale import LANG_INFO

from reports.enums import CorrectionKind, EventKind, OutageState, Severity, Symptom
from reports.intake.regions import numeric_code, region_name
from reports.triage.accounts import Staff
from reports.triage.evidence import listed, place_words
from reports.triage.held_back import HeldBack
from reports.triage.marking import TextPart, marked, terms_in
from reports.triage.sources import SourceNotice
from reports.triage.streams import Chart

LEAST_SHOWN: Final = 0.1  # one decimal: what is below would read as never


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A report as staff read it. Its text is whatever somebody typed: never to be trusted, always escaped."""

    at: datetime
    region: str
    text: str
    symptom: str
    lang: str

    @property
    def region_name(self) -> str:
        return region_name(self.region)

    @property
    def symptom_label(self) -> str:
        return Symptom(self.symptom).label if self.symptom else ""

    @property
    def without_words(self) -> str:
        """What stands where a report has no words: nobody can send one without a symptom, but all may be erased."""
        return f"No words; symptom: {self.symptom_label}" if self.symptom else "Erased"


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """A cluster within an outage: what its reports are about, and how many of the outage's reports it holds."""

    id: int
    label: str
    terms: tuple[str, ...]
    n_reports: int
    typical_text: str


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A region with its reports, and what is usual there (None: not known)."""

    code: str
    n_reports: int
    expected: float | None

    @property
    def name(self) -> str:
        return region_name(self.code)

    @property
    def numeric(self) -> str:
        """The code that maps use; "" for a subdivision and where there is none."""
        return numeric_code(self.code)

    @property
    def usual(self) -> str:
        """The usual number as a table says it; "" where it is not known."""
        if self.expected is None:
            return ""
        return f"{self.expected:,.1f}" if self.expected >= LEAST_SHOWN else f"< {LEAST_SHOWN}"

    @property
    def excess(self) -> float:
        return max(self.n_reports - (self.expected or 0.0), 0.0)


@dataclass(frozen=True, slots=True)
class OutageRow:
    """An outage in a list. `since` is when it entered its state; `evidence` is a sentence; a chart where asked for.

    `held_back` says why it is suspected and no more ("" where nothing holds it back);
    `together_with` names the services whose open outages rose with it (`together`).
    """

    id: int
    service_name: str
    service_slug: str
    is_service_public: bool
    label: str
    state: OutageState
    is_confirmed_by_person: bool
    assignee_id: int | None
    assignee: str
    scope_region: str
    regions: tuple[str, ...]
    started_at: datetime
    suspected_at: datetime
    confirmed_at: datetime | None
    resolved_at: datetime | None
    since: datetime
    n_reports: int
    n_reporters: int
    evidence: str
    severity: Severity = Severity.MINOR
    is_located: bool = True
    held_back: str = ""
    together_with: tuple[str, ...] = ()
    chart: Chart | None = None
    clusters: tuple[ClusterRow, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None

    @property
    def together(self) -> str:
        """The services that rose with it, as a sentence names them; "" where it rose alone."""
        return listed(self.together_with)

    @property
    def where(self) -> str:
        """The regions by name; "everywhere" where it is about the whole service and none stands out."""
        if not self.is_located:
            return "too early to say where"
        return place_words(self.regions or ((self.scope_region,) if self.scope_region else ())) or "everywhere"


@dataclass(frozen=True, slots=True)
class EventRow:
    """One entry of a timeline. `actor` "" is the detector; `text` what a person wrote, `evidence` what was seen."""

    at: datetime
    kind: EventKind
    actor: str
    text: str
    evidence: str
    regions: str = ""
    assignee: str = ""
    held_back: str = ""

    @property
    def label(self) -> str:
        return self.kind.label


@dataclass(frozen=True, slots=True)
class ServicePulse:
    """A service's last hour against its usual one (None: not known yet), what was set aside, and its open outages."""

    slug: str
    name: str
    n_last_hour: int
    expected_last_hour: float | None
    n_open: int
    n_set_aside: int = 0


TOLD_FROM_WAITING: Final = 1_000  # what a worker places in half a second is no backlog


@dataclass(frozen=True, slots=True)
class Lag:
    """How old what the page shows may be. `detection_seconds` None: nothing is open that would have to be looked at."""

    clustering_seconds: float
    detection_seconds: float | None
    promise_seconds: int
    n_waiting: int = 0

    @property
    def is_behind(self) -> bool:
        """Tell whether so many reports wait to be grouped that one should know, promise kept or not."""
        return self.n_waiting >= TOLD_FROM_WAITING

    @property
    def is_late(self) -> bool:
        return max(self.clustering_seconds, self.detection_seconds or 0.0) > self.promise_seconds


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything the dashboard shows, as of one moment."""

    as_of: datetime
    open: tuple[OutageRow, ...]
    n_open: int
    closed: tuple[OutageRow, ...]
    services: tuple[ServicePulse, ...]
    countries: tuple[PlaceRow, ...]
    n_unplaced: int
    lag: Lag
    notices: tuple[SourceNotice, ...]
    held_back: tuple[HeldBack, ...] = ()


@dataclass(frozen=True, slots=True)
class OutagePage:
    """Everything the page of one outage shows, as of one moment."""

    as_of: datetime
    outage: OutageRow
    countries: tuple[PlaceRow, ...]
    subdivisions: tuple[PlaceRow, ...]
    n_unplaced: int
    reports: tuple[ReportRow, ...]
    events: tuple[EventRow, ...]
    lag: Lag
    responders: tuple[Staff, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class ServiceChoice:
    """A service to choose from, with how many there are of what the page shows (None: not asked)."""

    slug: str
    name: str
    n: int | None = None


@dataclass(frozen=True, slots=True)
class ClusterName:
    """A cluster that is only named."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class ClusterItem:
    """A cluster in a list and at the head of its page. `name` is a person's where `is_named`, else the machine's."""

    id: int
    service_name: str
    service_slug: str
    name: str
    is_named: bool
    label: str
    terms: tuple[str, ...]
    languages: tuple[str, ...]
    regions: tuple[str, ...]
    n_reports: int
    first_seen_at: datetime
    last_seen_at: datetime
    typical_text: str

    @property
    def where(self) -> str:
        return place_words(self.regions)

    @property
    def language_names(self) -> str:
        return ", ".join(str(LANG_INFO.get(code, {}).get("name", code)) for code in self.languages)


@dataclass(frozen=True, slots=True)
class ClusterList:
    """Clusters, the latest first; `next_page` is None on the last page."""

    as_of: datetime
    clusters: tuple[ClusterItem, ...]
    services: tuple[ServiceChoice, ...]
    service_slug: str
    words: str
    page: int
    next_page: int | None


@dataclass(frozen=True, slots=True)
class TermShare:
    """A term that sets a cluster apart, and in which share of its reports it stands (None: not measured yet)."""

    term: str
    share: float | None

    @property
    def percent(self) -> int | None:
        return round(self.share * 100) if self.share is not None else None


@dataclass(frozen=True, slots=True)
class HeardReport:
    """A report within a cluster: how alike it is to its wording, and which of the cluster's terms it holds."""

    id: UUID
    report: ReportRow
    cluster: ClusterName | None
    similarity: float
    p_problem: float | None
    is_set_aside: bool
    is_waiting: bool
    terms: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[TextPart, ...]:
        return marked(self.report.text, self.terms)

    @property
    def terms_held(self) -> tuple[str, ...]:
        return terms_in(self.report.text, self.terms)

    @property
    def percent_problem(self) -> int | None:
        return round(self.p_problem * 100) if self.p_problem is not None else None


@dataclass(frozen=True, slots=True)
class Wording:
    """A micro-cluster: reports of nearly the same words."""

    id: int
    n_reports: int
    typical_text: str
    symptom: str
    country: str
    guard: str
    is_pinned: bool
    last_seen_at: datetime

    @property
    def symptom_label(self) -> str:
        return Symptom(self.symptom).label if self.symptom else ""

    @property
    def country_name(self) -> str:
        return region_name(self.country) if self.country else ""


@dataclass(frozen=True, slots=True)
class CorrectionRow:
    """What somebody said of a cluster, and what became of it. `other` is where something went."""

    at: datetime
    actor: str
    kind: CorrectionKind
    cluster: ClusterName | None
    other: ClusterName | None
    n: int
    text: str
    is_problem: bool | None
    applied_at: datetime | None
    refusal: str

    @property
    def is_waiting(self) -> bool:
        return self.applied_at is None


@dataclass(frozen=True, slots=True)
class ClusterPage:
    """Everything the page of one cluster shows, as of one moment.

    `cohesion` is how alike two of its reports are on average, `usual` from where on that is taken for the same problem
    in this service; each None where not measured yet.
    """

    as_of: datetime
    cluster: ClusterItem
    terms: tuple[TermShare, ...]
    cohesion: float | None
    usual: float | None
    n_set_aside: int
    resembles: ClusterName | None
    chart: Chart
    wordings: tuple[Wording, ...]
    n_wordings: int
    reports: tuple[HeardReport, ...]
    others: tuple[ClusterName, ...]
    corrections: tuple[CorrectionRow, ...]
    lag: Lag

    @property
    def n_waiting(self) -> int:
        return sum(row.is_waiting for row in self.corrections)


@dataclass(frozen=True, slots=True)
class SetAsidePage:
    """What was set aside of late in one service, the newest first; `services` tells where else something was."""

    as_of: datetime
    services: tuple[ServiceChoice, ...]
    service_slug: str
    reports: tuple[HeardReport, ...]
    lag: Lag

    @property
    def n_waiting(self) -> int:
        return sum(report.is_waiting for report in self.reports)
