"""What would have happened: past days replayed through the pure detector, with another budget of false alarms.

Invariant: reads minute counts and outages, writes nothing but the question's own row; and that only while the number of
its claim is still the row's, so that a run that was given up for dead spoils nothing. The replay is `ml.watch`: the
service and its regions at the end of each minute, without clusters, people's acts and heads to count.

Bounded: memory by a day of counts and MOST_REGIONS places of one service, time by SERVICE_SECONDS a service and
STRETCH_SECONDS a task; what is left of a question waits for its next turn, with what is known so far stored.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Sum

from ml import watch
from ml.phases import thresholds_for
from ml.regions import are_related
from ml.watch import ServiceWatch
from reports.detection.arrays import MINUTE, epoch_hour, floor_hour
from reports.detection.evidence import thresholds
from reports.detection.what_if_answer import (
    Alarm,
    Answer,
    Compared,
    Counts,
    Found,
    ServiceAnswer,
    from_plain,
    to_plain,
)
from reports.enums import WhatIfState
from reports.models import MinuteCount, Outage, Service, WhatIf
from reports.nudge import nudge

logger = logging.getLogger(__name__)

# What is usual is learnt from four weeks before the period: each hour of the week four times.
WARM_UP: Final = timedelta(weeks=4)
DAY: Final = timedelta(days=1)
# The busiest places of a service are watched by themselves. Sixty cost 15 to 24 ms an hour of history (600
# and 6,000 reports an hour, one shared core): 20 to 32 s for a fortnight with its warm-up.
MOST_REGIONS: Final = 60
MOST_SERVICES: Final = 50
# A task may take 100 s (CELERY_TASK_SOFT_TIME_LIMIT): no service is begun after the one, and none goes on beyond both.
STRETCH_SECONDS: Final = 20.0
SERVICE_SECONDS: Final = 75.0
# Longer than a task may live (CELERY_TASK_TIME_LIMIT): who has not written for so long is dead.
TAKEN_UP_AFTER: Final = timedelta(minutes=3)
MOST_DEATHS: Final = 3
KEPT_FOR: Final = timedelta(days=30)
QUARTERS_UP_TO_DAYS: Final = 3  # bars of a quarter of an hour up to here, then of an hour: at most 336 of them

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ROOT: Final = "service"  # the name of the whole service in the replay's paths


class _TakenOverError(Exception):
    """Another worker has the question now: stop, and write nothing more."""


class _TooMuchError(Exception):
    """One service's days can't be worked out in time; the message is for the person who asked."""


def answer_pending(*, now: datetime) -> bool:
    """Work on the question that waits longest; return whether there was one.

    Concurrency: one question runs at a time, claimed by a conditional UPDATE with a unique constraint behind it. A run
    that was not heard of for TAKEN_UP_AFTER is taken up by the next, which goes on after the last service it finished.
    """
    question = _claim(now)
    if question is None:
        return False
    turn = _Turn(question, now)
    try:
        _work(turn)
    except _TakenOverError:
        logger.info("What-if %d was taken up by another worker; this one stops.", question.pk)
    except (OperationalError, InterfaceError):
        raise  # the database is away, and with it the row; it is taken up again in time
    except _TooMuchError as error:
        turn.fail(str(error))
    except Exception as error:
        turn.fail(f"Working it out failed ({type(error).__name__}). Ask again; the worker's log says more.")
        raise
    if WhatIf.objects.filter(state=WhatIfState.WAITING).exists():
        nudge("answer")
    return True


def forget_old(*, now: datetime) -> int:
    """Delete the questions of more than a month ago; return how many."""
    n_deleted, _ = WhatIf.objects.filter(created_at__lt=now - KEPT_FOR).delete()
    return n_deleted


def _claim(now: datetime) -> WhatIf | None:
    question = _next(now)
    if question is None:
        return None
    has_died = question.state == WhatIfState.RUNNING
    as_seen = WhatIf.objects.filter(pk=question.pk, state=question.state, n_claims=question.n_claims)
    if has_died and question.n_deaths + 1 >= MOST_DEATHS:
        failure = f"The worker died {MOST_DEATHS} times over it. Ask for fewer days, or for one service."
        as_seen.update(state=WhatIfState.FAILED, failure=failure, finished_at=now, n_deaths=F("n_deaths") + 1)
        return None
    try:
        with transaction.atomic():
            n_claimed = as_seen.update(
                state=WhatIfState.RUNNING,
                n_claims=F("n_claims") + 1,
                n_deaths=F("n_deaths") + int(has_died),
                heard_at=now,
            )
    except IntegrityError:  # another question has begun to run since we looked
        return None
    if not n_claimed:
        return None
    question.state = WhatIfState.RUNNING
    question.n_claims += 1
    return question


def _next(now: datetime) -> WhatIf | None:
    """Return the running question if its worker is dead; if none runs, the one that waits longest. Queries: two."""
    running = WhatIf.objects.filter(state=WhatIfState.RUNNING).first()
    if running is not None:
        is_dead = running.heard_at is None or running.heard_at <= now - TAKEN_UP_AFTER
        return running if is_dead else None
    return WhatIf.objects.filter(state=WhatIfState.WAITING).order_by("created_at", "pk").first()


class _Turn:
    """One worker's turn at one question: what it may write, and how long it has been at it."""

    def __init__(self, question: WhatIf, now: datetime) -> None:
        self.question = question
        self._now = now
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def write(self, **changes: Any) -> None:
        """Write to the question's row, which also says that this worker lives.

        Raises _TakenOverError where it is another's by now.
        """
        now = self._now + timedelta(seconds=self.seconds)
        if changes.get("state") in {WhatIfState.DONE, WhatIfState.FAILED}:
            changes["finished_at"] = now
        mine = WhatIf.objects.filter(pk=self.question.pk, state=WhatIfState.RUNNING, n_claims=self.question.n_claims)
        if not mine.update(heard_at=now, **changes):
            raise _TakenOverError

    def fail(self, failure: str) -> None:
        try:
            self.write(state=WhatIfState.FAILED, failure=failure)
        except _TakenOverError:
            logger.info("What-if %d failed, but another worker has it by now.", self.question.pk)


def _work(turn: _Turn) -> None:
    """Answer service after service until all are done or the task has been at it long enough."""
    question = turn.question
    answer, service_ids = _begin(question)
    done = {one.service_id for one in answer.services}
    for service_id in service_ids:
        if service_id in done:
            continue
        if turn.seconds > STRETCH_SECONDS:
            turn.write(state=WhatIfState.WAITING)
            return
        n_done = len(answer.services)

        def say(share: float, n_done: int = n_done) -> None:
            turn.write(progress=int(100 * (n_done + share) / len(service_ids)))

        found = _answer_service(service_id, answer, budget_per_month=question.budget_per_month, say=say)
        answer = replace(answer, services=(*answer.services, found))
        turn.write(answer=to_plain(answer), progress=int(100 * len(answer.services) / len(service_ids)))
    turn.write(state=WhatIfState.DONE, answer=to_plain(answer), progress=100)


def _begin(question: WhatIf) -> tuple[Answer, list[int]]:
    """Return the answer so far, and the services it is about, the busiest first."""
    until = question.created_at.replace(second=0, microsecond=0)
    since = until - question.days * DAY
    n_left_out = 0
    if question.service_id is not None:
        service_ids = [question.service_id]
    else:
        busy = (
            MinuteCount.objects.filter(minute__gte=since, minute__lt=until, n_counted__gt=0)
            .values("service_id")
            .annotate(n=Sum("n_counted"))
            .order_by("-n", "service_id")
        )
        service_ids = list(busy.values_list("service_id", flat=True))
        n_left_out = max(len(service_ids) - MOST_SERVICES, 0)
        service_ids = service_ids[:MOST_SERVICES]
    if question.answer is not None:
        return from_plain(question.answer), service_ids
    bar_minutes = 15 if question.days <= QUARTERS_UP_TO_DAYS else 60
    return Answer(since, until, bar_minutes, (), n_left_out), service_ids


def _answer_service(
    service_id: int, answer: Answer, *, budget_per_month: float, say: Callable[[float], None]
) -> ServiceAnswer:
    """Replay one service and compare. `say` is told how much is done, once a day of history.

    Raises _TooMuchError.
    """
    since, until = answer.since, answer.until
    first_minute, paths, n_joined = _places(service_id, since=since, until=until)
    first_hour = floor_hour(first_minute)
    reports = [0] * ((until - since) // (answer.bar_minutes * MINUTE))
    watched_since = (first_minute - _EPOCH) // MINUTE
    hour = epoch_hour(first_hour)
    watches = [ServiceWatch(_ROOT, first_hour=hour, thresholds=thresholds(), watched_since=watched_since)]
    fork_at = max(floor_hour(since), first_hour)
    began = time.monotonic()
    start = first_hour
    while start < until:
        # A chunk ends where the period begins: until there one watch, with the budget in use, learns for both.
        end = min(start + DAY, until if start >= fork_at else fork_at)
        if start == fork_at:
            watches.append(watches[0].fork(thresholds_for(budget_per_month)))
        counts = _read(service_id, since=start, until=end)
        for minute, _, n in counts:
            if minute >= since:
                reports[(minute - since) // (answer.bar_minutes * MINUTE)] += n
        _play(watches, counts, paths, until=end)
        if time.monotonic() - began > SERVICE_SECONDS:
            name = Service.objects.values_list("name", flat=True).get(pk=service_id)
            raise _TooMuchError(
                f"{name} has too many reports for a replay within {SERVICE_SECONDS:.0f} seconds. Ask for fewer days."
            )
        start = end
        say((start - first_hour) / (until - first_hour))
    in_use = _alarms(watches[0], since=since)
    asked = _alarms(watches[-1], since=since)
    found = _found(service_id, since=since, until=until)
    return ServiceAnswer(
        service_id=service_id,
        found=_count(found, since),
        in_use=_count(in_use, since),
        asked=_count(asked, since),
        compared=compare(found, in_use, asked, since=since, until=until),
        reports=tuple(reports),
        n_regions_joined=n_joined,
    )


def _places(service_id: int, *, since: datetime, until: datetime) -> tuple[datetime, dict[str, str], int]:
    """Return the minute in which the history begins, each region's path, and how many regions count with a wider one.

    Queries: two.
    """
    created_at = Service.objects.values_list("created_at", flat=True).get(pk=service_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT region, sum(n_counted), min(minute) FROM reports_minutecount"
            " WHERE service_id = %s AND minute >= %s AND minute < %s AND n_counted > 0 GROUP BY 1 ORDER BY 2 DESC, 1",
            [service_id, floor_hour(since - WARM_UP), until],
        )
        rows = cursor.fetchall()
    oldest = min((row[2] for row in rows), default=until - MINUTE)
    first_minute = max(floor_hour(since - WARM_UP), min(created_at, oldest).replace(second=0, microsecond=0))
    codes = [code for code, _, _ in rows if code]
    kept = set(codes[:MOST_REGIONS])
    countries = {code.partition("-")[0] for code in kept}
    paths = {"": _ROOT}
    for code in codes:
        country = code.partition("-")[0]
        if code in kept:
            paths[code] = f"{_ROOT}/{country}" if code == country else f"{_ROOT}/{country}/{code}"
        else:
            paths[code] = f"{_ROOT}/{country}" if country in countries else _ROOT
    return first_minute, paths, len(codes) - len(kept)


def _read(service_id: int, *, since: datetime, until: datetime) -> list[tuple[datetime, str, int]]:
    """Read a service's counts by minute and region, oldest first. Queries: one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT minute, region, sum(n_counted)::int FROM reports_minutecount"
            " WHERE service_id = %s AND minute >= %s AND minute < %s AND n_counted > 0 GROUP BY 1, 2 ORDER BY 1, 2",
            [service_id, since, until],
        )
        return list(cursor.fetchall())


def _play(
    watches: Sequence[ServiceWatch],
    counts: Sequence[tuple[datetime, str, int]],
    paths: dict[str, str],
    *,
    until: datetime,
) -> None:
    """Let the watches see everything up to `until`, hour by hour; the hours between have no reports."""
    hours: dict[int, dict[str, list[int]]] = defaultdict(dict)
    for minute, region, n in counts:
        of_hour = hours[epoch_hour(minute)]
        # A region heard of after the reading of the places (a late placement) counts with the whole.
        path = paths.get(region, _ROOT)
        if path not in of_hour:
            of_hour[path] = [0] * 60
        of_hour[path][minute.minute] += n
    last = until - MINUTE
    hours.setdefault(epoch_hour(last), {})
    for hour in sorted(hours):
        n_minutes = last.minute + 1 if hour == epoch_hour(last) else 60
        for one in watches:
            one.take_hour(hour, hours[hour], n_minutes=n_minutes)


def _alarms(played: ServiceWatch, *, since: datetime) -> list[Alarm]:
    """Return the alarms that were open at some moment of the period, by the minute they were suspected."""
    alarms = [_alarm(one) for one in [*played.ended, *played.alarms]]
    return sorted(
        (one for one in alarms if one.ended_at is None or one.ended_at > since), key=lambda one: one.suspected_at
    )


def _alarm(one: watch.Alarm) -> Alarm:
    codes = {path.rpartition("/")[2] for path in one.regions or {one.root} if "/" in path}
    return Alarm(
        started_at=_EPOCH + one.onset * MINUTE,
        suspected_at=_EPOCH + (one.suspected + 1) * MINUTE,
        confirmed_at=_EPOCH + (one.confirmed + 1) * MINUTE if one.confirmed is not None else None,
        ended_at=_EPOCH + (one.ended + 1) * MINUTE if one.ended is not None else None,
        regions=tuple(sorted(codes)),
        n_reports=round(one.n_reports),
    )


def _found(service_id: int, *, since: datetime, until: datetime) -> list[Found]:
    """Return the outages that were open at some moment of the period. Queries: one."""
    outages = (
        Outage.objects.filter(service_id=service_id, suspected_at__lt=until)
        .exclude(resolved_at__lte=since)
        .order_by("suspected_at", "pk")
    )
    return [
        Found(
            outage_id=outage.pk,
            started_at=outage.started_at,
            suspected_at=outage.suspected_at,
            confirmed_at=outage.confirmed_at,
            ended_at=outage.resolved_at,
            regions=tuple(outage.regions) or ((outage.scope_region,) if outage.scope_region else ()),
        )
        for outage in outages
    ]


def compare(
    found: Sequence[Found], in_use: Sequence[Alarm], asked: Sequence[Alarm], *, since: datetime, until: datetime
) -> tuple[Compared, ...]:
    """Put side by side what is about the same time and place, oldest first.

    Each outage stands beside the alarm that is nearest to it, and what stands beside none has a line of its own. What
    was suspected before the period on all sides is left out.
    """
    lines = [Compared(one, _nearest(one, in_use, until), _nearest(one, asked, until)) for one in found]
    alone = [alarm for alarm in in_use if all(alarm != line.in_use for line in lines)]
    for alarm in [alarm for alarm in asked if all(alarm != line.asked for line in lines)]:
        twin = _nearest(alarm, alone, until)
        alone = [other for other in alone if other != twin]
        lines.append(Compared(None, twin, alarm))
    lines += [Compared(None, alarm, None) for alarm in alone]
    sides = {line: [side.suspected_at for side in (line.found, line.in_use, line.asked) if side] for line in lines}
    within = [line for line in lines if max(sides[line]) >= since]
    return tuple(sorted(within, key=lambda line: min(sides[line])))


def _nearest(one: Found | Alarm, alarms: Sequence[Alarm], until: datetime) -> Alarm | None:
    """Return the alarm that overlaps in time and is about a related place; of several the one suspected nearest."""
    same = [
        alarm
        for alarm in alarms
        if min(one.started_at, one.suspected_at) <= (alarm.ended_at or until)
        and min(alarm.started_at, alarm.suspected_at) <= (one.ended_at or until)
        and any(are_related(here, there) for here in one.regions or ("",) for there in alarm.regions or ("",))
    ]
    return min(same, key=lambda alarm: abs(alarm.suspected_at - one.suspected_at), default=None)


def _count(ones: Sequence[Found] | Sequence[Alarm], since: datetime) -> Counts:
    of_period = [one for one in ones if one.suspected_at >= since]
    return Counts(len(of_period), sum(one.confirmed_at is not None for one in of_period))
