"""Asking what would have happened with another budget, and reading the answer.

A question is a row and a nudge; `detection.what_if` works it out in a worker. Who may ask is decided here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction

from reports.detection.what_if_answer import Alarm, Answer, Compared, Counts, Found, from_plain
from reports.enums import OutageState, Role, WhatIfState
from reports.errors import FieldError, InvalidInput, NotAllowed, NotFound
from reports.models import Outage, Service, WhatIf
from reports.models.what_if import LEAST_BUDGET, LEAST_DAYS, MOST_BUDGET, MOST_DAYS
from reports.nudge import nudge
from reports.triage.accounts import account_role
from reports.triage.evidence import place_words
from reports.triage.transitions import includes

MOST_SHOWN: Final = 20
# Of a service and of a page: ten thousand lines (fifty bursty services, a generous budget) held a web worker for 13 s.
MOST_LINES_OF_SERVICE: Final = 50
MOST_LINES: Final = 300
MOST_UNANSWERED: Final = 10  # each may keep a worker process busy for some minutes
DAYS_A_MONTH: Final = 30
# A worker looks for questions once a minute at least; one that waits for longer has no worker.
TAKEN_UP_WITHIN: Final = timedelta(minutes=2)
_UNANSWERED: Final = (WhatIfState.WAITING, WhatIfState.RUNNING)


class InvalidWhatIf(InvalidInput):
    """The question can't be asked like this: mend the named fields."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class Asked:
    """The row of a question; `is_new` is false where the same one was not answered yet."""

    id: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class ServiceName:
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class WhatIfRow:
    """A question in a list. `service_name` "" asks for all; `is_stuck` (on its page): no worker seems to be at work."""

    id: int
    service_name: str
    service_slug: str
    days: int
    budget_per_month: float
    state: WhatIfState
    progress: int
    failure: str
    asked_by: str
    created_at: datetime
    finished_at: datetime | None
    is_stuck: bool

    @property
    def budget(self) -> str:
        return f"{self.budget_per_month:g}"

    @property
    def is_open(self) -> bool:
        return self.state in _UNANSWERED


def _budget_in_use() -> str:
    return f"{settings.FALSE_ALARMS_PER_MONTH:g}"


@dataclass(frozen=True, slots=True)
class WhatIfList:
    """The latest questions, and what one may ask: services, days and budgets."""

    rows: tuple[WhatIfRow, ...]
    services: tuple[ServiceName, ...]
    has_unanswered: bool
    least_days: int = LEAST_DAYS
    most_days: int = MOST_DAYS
    least_budget: str = f"{LEAST_BUDGET:g}"
    most_budget: str = f"{MOST_BUDGET:g}"
    budget_in_use: str = field(default_factory=_budget_in_use)


@dataclass(frozen=True, slots=True)
class Side:
    """When an outage was known on one side, and how many minutes later than it was found (negative: earlier).

    The differences are None where it was not found, or never confirmed on one of the sides.
    """

    suspected_at: datetime
    confirmed_at: datetime | None
    ended_at: datetime | None
    where: str
    n_reports: int | None = None
    suspected_later: int | None = None
    confirmed_later: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One outage as it was found, and as the replays saw it. `state` is what it is now, people's word included."""

    outage_id: int | None
    label: str
    state: OutageState | None
    where: str
    found: Side | None
    in_use: Side | None
    asked: Side | None


@dataclass(frozen=True, slots=True)
class ServiceLines:
    """A service's outages and alarms, and its reports over the period; `n_lines_more` are counted and not shown."""

    name: str
    slug: str
    found: Counts
    in_use: Counts
    asked: Counts
    lines: tuple[Line, ...]
    reports: tuple[int, ...]
    n_regions_joined: int
    n_lines_more: int = 0


@dataclass(frozen=True, slots=True)
class Total:
    """What all services together had: suspected, confirmed, and suspected a service and month."""

    suspected: int
    confirmed: int
    per_month: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer as far as it is known. `quiet` names the services in which nothing was found either way."""

    since: datetime
    until: datetime
    bar_minutes: int
    services: tuple[ServiceLines, ...]
    quiet: tuple[str, ...]
    found: Total
    in_use: Total
    asked: Total
    n_services: int
    n_services_left_out: int


@dataclass(frozen=True, slots=True)
class WhatIfPage:
    row: WhatIfRow
    outcome: Outcome | None
    budget_in_use: str = field(default_factory=_budget_in_use)


def ask_what_if(*, service_slug: str, days: str, budget: str, actor_id: int, now: datetime) -> Asked:
    """Ask; `service_slug` "" is all services, `days` and `budget` are as typed. The same question waits only once.

    Raises NotAllowed, InvalidWhatIf with all that is wrong, InvalidInput where too many wait.
    """
    role = account_role(user_id=actor_id)
    if not includes(role, Role.RESPONDER):
        yours = f"Your role is {role.value}" if role else "You have no role"
        raise NotAllowed(f"{yours}; to ask what would have happened takes a responder. Ask an admin for the role.")
    is_slug = re.fullmatch(r"[a-z0-9._-]{1,63}", service_slug) is not None
    service = Service.objects.filter(slug=service_slug).first() if is_slug else None
    n_days, per_month = _days(days), _budget(budget)
    errors = [
        FieldError(name, message)
        for name, message, is_wrong in (
            ("service", f"There is no service {service_slug[:80]!r}. Choose one from the list.",
             bool(service_slug) and service is None),
            ("days", f"{days[:40]!r} can’t be. Write a whole number from {LEAST_DAYS} to {MOST_DAYS}.", n_days is None),
            ("budget", f"{budget[:40]!r} can’t be. Write a number from {LEAST_BUDGET:g} to {MOST_BUDGET:g},"
             " such as 0.25 or 4.", per_month is None),
        )
        if is_wrong
    ]  # fmt: skip
    if errors or n_days is None or per_month is None:
        raise InvalidWhatIf(errors)
    same = WhatIf.objects.filter(service=service, days=n_days, budget_per_month=per_month, state__in=_UNANSWERED)
    if known := same.first():
        return Asked(known.pk, is_new=False)
    n_unanswered = WhatIf.objects.filter(state__in=_UNANSWERED).count()
    if n_unanswered >= MOST_UNANSWERED:
        raise InvalidInput(f"{n_unanswered} questions wait already, and one is answered at a time. Ask again later.")
    try:
        with transaction.atomic():
            made = WhatIf.objects.create(
                asked_by_id=actor_id, service=service, days=n_days, budget_per_month=per_month, created_at=now
            )
    except IntegrityError:  # somebody asked the same in this moment
        return Asked(same.get().pk, is_new=False)
    nudge("answer")
    return Asked(made.pk, is_new=True)


def what_if_list() -> WhatIfList:
    """Return the latest questions, the newest first. Queries: two."""
    rows = tuple(
        _row(one)
        for one in WhatIf.objects.select_related("service", "asked_by")
        .defer("answer")
        .order_by("-created_at", "-pk")[:MOST_SHOWN]
    )
    services = tuple(ServiceName(one.slug, one.name) for one in Service.objects.active().only("slug", "name"))
    return WhatIfList(rows, services, any(row.is_open for row in rows))


def what_if_page(*, what_if_id: int, now: datetime) -> WhatIfPage:
    """Return a question with what is known of its answer.

    Queries: at most four. Raises NotFound.
    """
    found = WhatIf.objects.select_related("service", "asked_by").filter(pk=what_if_id).first()
    if found is None:
        raise NotFound(f"There is no question {what_if_id}; old ones are deleted after a month. Ask it anew.")
    outcome = _outcome(from_plain(found.answer)) if found.answer is not None else None
    return WhatIfPage(_row(found, is_stuck=_is_stuck(found, now)), outcome)


def _days(word: str) -> int | None:
    if not re.fullmatch(r"[0-9]{1,3}", word.strip()):
        return None
    return int(word) if LEAST_DAYS <= int(word) <= MOST_DAYS else None


def _budget(word: str) -> float | None:
    """Read a number as people write it, with a point or a comma."""
    if not re.fullmatch(r"[0-9]{1,3}([.,][0-9]{1,4})?|[.,][0-9]{1,4}", word.strip()):
        return None
    budget = float(word.replace(",", "."))
    return budget if LEAST_BUDGET <= budget <= MOST_BUDGET else None


def _is_stuck(one: WhatIf, now: datetime) -> bool:
    """Tell whether an unanswered question has waited too long while no question was worked on. Queries: at most one."""
    recently = now - TAKEN_UP_WITHIN
    if one.state not in _UNANSWERED or (one.heard_at or one.created_at) >= recently:
        return False
    return not WhatIf.objects.filter(heard_at__gte=recently).exists()


def _row(one: WhatIf, *, is_stuck: bool = False) -> WhatIfRow:
    return WhatIfRow(
        id=one.pk,
        service_name=one.service.name if one.service else "",
        service_slug=one.service.slug if one.service else "",
        days=one.days,
        budget_per_month=one.budget_per_month,
        state=WhatIfState(one.state),
        progress=one.progress,
        failure=one.failure,
        asked_by=one.asked_by.get_username() if one.asked_by else "",
        created_at=one.created_at,
        finished_at=one.finished_at,
        is_stuck=is_stuck,
    )


def _outcome(answer: Answer) -> Outcome:
    """Return the answer with names and with what people have made of the outages since. Queries: two."""
    names = {
        pk: ServiceName(slug, name)
        for pk, slug, name in Service.objects.filter(pk__in=[one.service_id for one in answer.services]).values_list(
            "pk", "slug", "name"
        )
    }
    shown = _shown(answer)
    ids = [line.found.outage_id for lines in shown.values() for line in lines if line.found]
    outages = Outage.objects.only("label", "state").in_bulk(ids)
    services = [
        ServiceLines(
            name=names[one.service_id].name,
            slug=names[one.service_id].slug,
            found=one.found,
            in_use=one.in_use,
            asked=one.asked,
            lines=tuple(_line(line, outages) for line in shown[one.service_id]),
            reports=one.reports,
            n_regions_joined=one.n_regions_joined,
            n_lines_more=len(one.compared) - len(shown[one.service_id]),
        )
        for one in answer.services
        if one.service_id in names
    ]
    months = max(len(services), 1) * ((answer.until - answer.since) / timedelta(days=DAYS_A_MONTH))
    return Outcome(
        since=answer.since,
        until=answer.until,
        bar_minutes=answer.bar_minutes,
        services=tuple(one for one in services if one.lines or one.n_lines_more or len(services) == 1),
        quiet=tuple(one.name for one in services if not (one.lines or one.n_lines_more) and len(services) > 1),
        found=_total([one.found for one in services], months),
        in_use=_total([one.in_use for one in services], months),
        asked=_total([one.asked for one in services], months),
        n_services=len(services),
        n_services_left_out=answer.n_services_left_out,
    )


def _shown(answer: Answer) -> dict[int, list[Compared]]:
    """Return the lines a page has room for, by service: what was found before what was not, in the answer's order."""
    left = MOST_LINES
    shown: dict[int, list[Compared]] = {}
    for one in answer.services:
        most = min(MOST_LINES_OF_SERVICE, left)
        kept = sorted(range(len(one.compared)), key=lambda i: one.compared[i].found is None)[:most]
        shown[one.service_id] = [one.compared[i] for i in sorted(kept)]
        left -= len(kept)
    return shown


def _total(counts: list[Counts], months: float) -> Total:
    suspected = sum(one.suspected for one in counts)
    return Total(suspected, sum(one.confirmed for one in counts), suspected / months)


def _line(line: Compared, outages: dict[int, Outage]) -> Line:
    outage = outages.get(line.found.outage_id) if line.found else None
    sides = [side for side in (line.found, line.asked, line.in_use) if side]
    return Line(
        outage_id=outage.pk if outage else None,
        label=outage.label if outage else "",
        state=OutageState(outage.state) if outage else None,
        where=_where(sides[0]),
        found=_side(line.found, None),
        in_use=_side(line.in_use, line.found),
        asked=_side(line.asked, line.found),
    )


def _side(one: Found | Alarm | None, found: Found | None) -> Side | None:
    if one is None:
        return None
    return Side(
        suspected_at=one.suspected_at,
        confirmed_at=one.confirmed_at,
        ended_at=one.ended_at,
        where=_where(one),
        n_reports=one.n_reports if isinstance(one, Alarm) else None,
        suspected_later=_minutes_later(one.suspected_at, found.suspected_at) if found else None,
        confirmed_later=_minutes_later(one.confirmed_at, found.confirmed_at) if found else None,
    )


def _where(one: Found | Alarm) -> str:
    return place_words(one.regions) or "everywhere"


def _minutes_later(one: datetime | None, other: datetime | None) -> int | None:
    return round((one - other) / timedelta(minutes=1)) if one and other else None
