"""What staff see of quarantine, and what they say of it: cases, their numbers over time, samples, a verdict.

A case is what one day of one service gave one reason to suspect, however many networks or wordings that is: people
judge it as a whole. Each verdict is a `Correction` for each group of the case, which clustering carries out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Count, Max, Min, Sum
from django.db.models.functions import TruncHour

from reports.enums import CorrectionKind, Suspicion, Verdict
from reports.errors import InvalidInput, NotFound
from reports.models import Correction, Placement, Quarantine, Report
from reports.nudge import nudge
from reports.triage.corrections import check_role, one_at_a_time
from reports.triage.held_back import held_back
from reports.triage.rows import Lag, ReportRow

LATELY: Final = timedelta(days=7)
MOST_CASES: Final = 30
SAMPLE: Final = 5
_WHY: Final[Mapping[Suspicion, str]] = {
    Suspicion.TRAP: "A field that people can't see was filled in.",
    Suspicion.TOO_FAST: "The form was sent within two seconds of being shown, or was never shown.",
    Suspicion.NO_PROOF: "The service or the network was flooded, and the browser did not do the work it was asked for. "
    "A browser without JavaScript can't.",
    Suspicion.NETWORKS: "So many reports from so few networks are not usual for this service, nor for an outage.",
    Suspicion.ONE_NETWORK: "One network brought a third of the day, or reported by a clock.",
    Suspicion.COPIES: "Many people sent one long text, but for a few words. The first of them counts.",
    Suspicion.CLOCKWORK: "They came at intervals too even for people who know nothing of one another.",
}


@dataclass(frozen=True, slots=True)
class HourCount:
    """How many reports of a case an hour had."""

    at: datetime
    n: int


@dataclass(frozen=True, slots=True)
class QuarantineCase:
    """What one day of one service gave one reason to suspect."""

    service_slug: str
    service_name: str
    day: date
    reason: Suspicion
    verdict: Verdict
    n_reports: int
    n_groups: int
    n_networks: int
    first_at: datetime
    last_at: datetime
    hours: tuple[HourCount, ...]
    sample: tuple[ReportRow, ...]
    is_waiting: bool

    @property
    def id(self) -> str:
        return f"{self.service_slug}-{self.day:%Y%m%d}-{self.reason.value}"

    @property
    def why(self) -> str:
        return _WHY[self.reason]

    @property
    def most_an_hour(self) -> int:
        return max((hour.n for hour in self.hours), default=1)


@dataclass(frozen=True, slots=True)
class ReasonTotal:
    """How many reports of the last seven days were held back for a reason."""

    reason: Suspicion
    n: int


@dataclass(frozen=True, slots=True)
class QuarantinePage:
    """Everything the page of quarantine shows."""

    as_of: datetime
    totals: tuple[ReasonTotal, ...]
    n_last_hour: int
    cases: tuple[QuarantineCase, ...]
    lag: Lag

    @property
    def n_waiting(self) -> int:
        return sum(case.is_waiting for case in self.cases)


def quarantine_page(*, lag: Lag, now: datetime) -> QuarantinePage:
    """Return what was held back in the last seven days, the newest first. Queries: seven."""
    lately = Quarantine.objects.filter(last_at__gte=now - LATELY)
    totals = lately.values_list("reason").annotate(n=Sum("n_reports")).order_by("-n", "reason")
    found = list(
        lately.values("service_id", "service__slug", "service__name", "day", "reason")
        .annotate(n=Sum("n_reports"), n_groups=Count("pk"), first=Min("first_at"), last=Max("last_at"))
        .order_by("-last", "reason")[:MOST_CASES]
    )
    groups: defaultdict[tuple[int, date, str], list[Quarantine]] = defaultdict(list)
    keys = {(row["service_id"], row["day"], row["reason"]) for row in found}
    for group in lately.filter(service_id__in={service_id for service_id, _, _ in keys}):
        if (key := (group.service_id, group.day, group.reason)) in keys:
            groups[key].append(group)
    ids = [group.pk for of_case in groups.values() for group in of_case]
    case_of = {group.pk: key for key, of_case in groups.items() for group in of_case}
    waiting = set(
        Correction.objects.filter(
            kind=CorrectionKind.JUDGE, applied_at__isnull=True, quarantine_id__in=ids
        ).values_list("quarantine_id", flat=True)
    )
    hours = _hours(ids, case_of)
    samples, n_networks = _samples(ids, case_of)
    return QuarantinePage(
        as_of=now,
        totals=tuple(ReasonTotal(Suspicion(reason), n) for reason, n in totals),
        n_last_hour=sum(held.n for held in held_back(now=now, least=1)),
        cases=tuple(
            QuarantineCase(
                service_slug=row["service__slug"],
                service_name=row["service__name"],
                day=row["day"],
                reason=Suspicion(row["reason"]),
                verdict=_verdict(groups[key]),
                n_reports=row["n"],
                n_groups=row["n_groups"],
                n_networks=n_networks[key],
                first_at=row["first"],
                last_at=row["last"],
                hours=tuple(HourCount(at, n) for at, n in sorted(hours[key].items())),
                sample=tuple(samples[key]),
                is_waiting=any(group.pk in waiting for group in groups[key]),
            )
            for row in found
            for key in [(row["service_id"], row["day"], row["reason"])]
        ),
        lag=lag,
    )


def judge_case(*, service_slug: str, day: date, reason: str, is_attack: bool, actor_id: int, now: datetime) -> bool:
    """Say of a whole case that it is an attack, or to be released; false where that was said already.

    Raises NotFound, NotAllowed, InvalidInput.
    """
    check_role(actor_id)
    if reason not in Suspicion.values:
        raise InvalidInput(f"{reason[:40]!r} is no reason to hold a report back. Reload the page and choose anew.")
    groups = Quarantine.objects.filter(service__slug=service_slug, day=day, reason=reason)
    # A database takes no NUL, and no slug has one.
    service_ids = set() if "\x00" in service_slug else set(groups.values_list("service_id", flat=True))
    if not service_ids:
        raise NotFound(f"Nothing of {service_slug!r} was held back on {day} for this reason.")
    [service_id] = service_ids
    said = Verdict.ATTACK if is_attack else Verdict.RELEASED
    with transaction.atomic(), one_at_a_time(service_id):
        waiting = Correction.objects.filter(
            kind=CorrectionKind.JUDGE, quarantine__in=groups, is_attack=is_attack, applied_at__isnull=True
        )
        left = groups.exclude(verdict=said).exclude(pk__in=waiting.values("quarantine_id"))
        made = Correction.objects.bulk_create(
            Correction(
                service_id=service_id,
                kind=CorrectionKind.JUDGE,
                quarantine_id=quarantine_id,
                is_attack=is_attack,
                actor_id=actor_id,
                at=now,
            )
            for quarantine_id in left.values_list("pk", flat=True)
        )
        nudge("cluster")
    return bool(made)


def _verdict(groups: Sequence[Quarantine]) -> Verdict:
    """Return what was said of all groups of a case; one that nobody has judged leaves it open."""
    said = {Verdict(group.verdict) for group in groups}
    return said.pop() if len(said) == 1 else Verdict.OPEN


_Key = tuple[int, date, str]


def _hours(ids: Sequence[int], case_of: Mapping[int, _Key]) -> defaultdict[_Key, Counter[datetime]]:
    found: defaultdict[_Key, Counter[datetime]] = defaultdict(Counter)
    rows = Placement.objects.filter(quarantine_id__in=ids).annotate(hour=TruncHour("counted_at"))
    for quarantine_id, hour, n in rows.values_list("quarantine_id", "hour").annotate(n=Count("pk")):
        found[case_of[quarantine_id]][hour] += n
    return found


def _samples(
    ids: Sequence[int], case_of: Mapping[int, _Key]
) -> tuple[defaultdict[_Key, list[ReportRow]], Counter[_Key]]:
    """Return some newest texts of each case, from as many groups as there are, and its number of networks."""
    networks: defaultdict[_Key, set[bytes]] = defaultdict(set)
    newest: defaultdict[_Key, list[object]] = defaultdict(list)
    of_groups = Placement.objects.filter(quarantine_id__in=ids)
    for quarantine_id, network in of_groups.values_list("quarantine_id", "network").distinct():
        if network:
            networks[case_of[quarantine_id]].add(bytes(network))
    latest = of_groups.order_by("quarantine_id", "-counted_at").distinct("quarantine_id")
    for quarantine_id, report_id in latest.values_list("quarantine_id", "report_id"):
        newest[case_of[quarantine_id]].append(report_id)
    for key, one in newest.items():
        if len(one) < SAMPLE:
            in_case = [pk for pk in ids if case_of[pk] == key]
            more = Placement.objects.filter(quarantine_id__in=in_case).order_by("-counted_at")
            one[:] = list(more.values_list("report_id", flat=True)[:SAMPLE])
    chosen = {report_id: key for key, one in newest.items() for report_id in one[:SAMPLE]}
    samples: defaultdict[_Key, list[ReportRow]] = defaultdict(list)
    for report in Report.objects.filter(id__in=list(chosen)).order_by("-id"):
        samples[chosen[report.id]].append(
            ReportRow(report.counted_at, report.region, report.text, report.symptom, report.lang)
        )
    return samples, Counter({key: len(found) for key, found in networks.items()})
