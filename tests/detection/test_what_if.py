"""What would have happened: past days replayed with another budget, by one worker at a time, touching nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from unittest import mock

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

from reports.detection import what_if
from reports.detection.what_if import answer_pending, compare, forget_old
from reports.detection.what_if_answer import Alarm, Compared, Counts, Found, from_plain
from reports.enums import OutageState, WhatIfState
from reports.models import MinuteCount, Outage, OutageEvent, Service, WhatIf
from tests.detection.pasts import DAY, HOUR, MINUTE, a_burst, a_service_with_a_past, answer_of, ask
from tests.factories import NOW, make_outage, make_service

pytestmark = pytest.mark.django_db


def all_that_is_not_the_question() -> list[object]:
    return [list(table.objects.order_by("pk").values()) for table in (MinuteCount, Outage, OutageEvent, Service)]


def an_alarm(minute: int, *, ended: int | None = None, regions: tuple[str, ...] = ()) -> Alarm:
    at = NOW + minute * MINUTE
    return Alarm(at, at, None, NOW + ended * MINUTE if ended is not None else None, regions, 5)


def an_outage(minute: int, *, ended: int | None = None, regions: tuple[str, ...] = ()) -> Found:
    at = NOW + minute * MINUTE
    return Found(1, at, at, None, NOW + ended * MINUTE if ended is not None else None, regions)


# -- The replay -------------------------------------------------------------------------------------------------------
def test_three_reports_in_three_minutes_are_suspected_with_the_larger_budget_alone() -> None:
    service = a_service_with_a_past()
    a_burst(service, 3, at=NOW - 5 * HOUR)  # where one an hour is usual, chance brings as much more than once a month
    question = ask(service, budget=4.0)

    assert answer_pending(now=NOW)

    [one] = answer_of(question).services
    assert (one.found, one.in_use, one.asked) == (Counts(0, 0), Counts(0, 0), Counts(1, 0))
    [line] = one.compared
    assert (line.found, line.in_use) == (None, None)
    assert line.asked is not None
    assert line.asked.suspected_at == NOW - 5 * HOUR + 3 * MINUTE


def test_six_reports_in_six_minutes_are_suspected_a_minute_sooner_with_the_larger_budget() -> None:
    service = a_service_with_a_past()
    a_burst(service, 6, at=NOW - 5 * HOUR)
    question = ask(service, budget=4.0)

    answer_pending(now=NOW)

    [line] = answer_of(question).services[0].compared
    assert line.in_use is not None
    assert line.asked is not None
    assert line.in_use.suspected_at - line.asked.suspected_at == MINUTE


def test_what_was_found_stands_beside_what_would_have_been() -> None:
    service = a_service_with_a_past()
    a_burst(service, 6, at=NOW - 5 * HOUR)
    found = make_outage(
        service, state=OutageState.RESOLVED, started_at=NOW - 5 * HOUR, suspected_at=NOW - 5 * HOUR + 10 * MINUTE,
        resolved_at=NOW - 3 * HOUR,
    )  # fmt: skip
    question = ask(service, budget=0.25)

    answer_pending(now=NOW)

    [line] = answer_of(question).services[0].compared
    assert line.found is not None
    assert line.found.outage_id == found.pk
    assert line.asked is not None
    assert line.asked.suspected_at == NOW - 5 * HOUR + 5 * MINUTE


def test_with_the_budget_in_use_both_replays_are_the_same() -> None:
    service = a_service_with_a_past(region="DE-BY")
    a_burst(service, 8, at=NOW - 5 * HOUR, region="DE-BY")
    question = ask(service, budget=settings.FALSE_ALARMS_PER_MONTH)

    answer_pending(now=NOW)

    [one] = answer_of(question).services
    assert one.in_use == one.asked == Counts(1, 1)
    assert all(line.in_use == line.asked for line in one.compared)


def test_a_rise_in_one_region_is_told_by_its_code() -> None:
    service = a_service_with_a_past(region="DE-BE")
    a_burst(service, 10, n=3, at=NOW - 5 * HOUR, region="DE-BY")
    question = ask(service)

    answer_pending(now=NOW)

    [line] = answer_of(question).services[0].compared
    assert line.asked is not None
    assert line.asked.regions == ("DE-BY",)


def test_reports_are_told_bar_by_bar_and_only_those_of_the_period() -> None:
    service = a_service_with_a_past()
    question = ask(service, days=1)

    answer_pending(now=NOW)

    answer = answer_of(question)
    assert (answer.since, answer.until, answer.bar_minutes) == (NOW - DAY, NOW, 15)
    assert answer.services[0].reports == (0, 0, 1, 0) * 24


def test_a_service_without_reports_has_an_answer_too() -> None:
    question = ask(make_service(), days=14)

    answer_pending(now=NOW)

    [one] = answer_of(question).services
    assert (one.asked, one.compared, sum(one.reports), len(one.reports)) == (Counts(0, 0), (), 0, 14 * 24)


def test_all_services_are_those_with_reports_the_busiest_first() -> None:
    quiet, busy = a_service_with_a_past(), a_service_with_a_past()
    a_burst(busy, 5, n=4, at=NOW - 5 * HOUR)
    make_service()
    question = ask()

    answer_pending(now=NOW)

    assert [one.service_id for one in answer_of(question).services] == [busy.pk, quiet.pk]


def test_more_services_than_are_replayed_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(what_if, "MOST_SERVICES", 1)
    a_service_with_a_past()
    a_service_with_a_past()
    question = ask()

    answer_pending(now=NOW)

    answer = answer_of(question)
    assert (len(answer.services), answer.n_services_left_out) == (1, 1)


def test_regions_beyond_the_busiest_count_with_their_country(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(what_if, "MOST_REGIONS", 1)
    service = a_service_with_a_past(region="DE-BE")
    a_burst(service, 10, n=3, at=NOW - 5 * HOUR, region="DE-BY")
    question = ask(service)

    answer_pending(now=NOW)

    [one] = answer_of(question).services
    assert one.n_regions_joined == 1
    assert one.asked.suspected == 1


def test_nothing_but_the_question_is_written() -> None:
    service = a_service_with_a_past()
    a_burst(service, 10, n=5, at=NOW - 30 * MINUTE)
    before = all_that_is_not_the_question()
    ask(service)

    answer_pending(now=NOW)

    assert all_that_is_not_the_question() == before


# -- Side by side -----------------------------------------------------------------------------------------------------
def test_an_alarm_elsewhere_is_another_one() -> None:
    found, alarm = an_outage(0, regions=("DE-BY",)), an_alarm(1, regions=("FR",))

    lines = compare([found], [], [alarm], since=NOW - DAY, until=NOW + DAY)

    assert lines == (Compared(found, None, None), Compared(None, None, alarm))


def test_an_alarm_about_the_whole_service_is_the_same_as_one_in_a_region() -> None:
    found, alarm = an_outage(0, regions=("DE-BY",)), an_alarm(1)

    assert compare([found], [], [alarm], since=NOW - DAY, until=NOW + DAY) == (Compared(found, None, alarm),)


def test_two_outages_may_be_one_alarm() -> None:
    first, second, alarm = an_outage(0, ended=60), an_outage(90), an_alarm(1, ended=200)

    lines = compare([first, second], [], [alarm], since=NOW - DAY, until=NOW + DAY)

    assert lines == (Compared(first, None, alarm), Compared(second, None, alarm))


def test_of_two_alarms_the_nearer_is_the_outage_and_the_other_stands_alone() -> None:
    found, near, late = an_outage(0), an_alarm(2, ended=100), an_alarm(110)

    lines = compare([found], [late], [near, late], since=NOW - DAY, until=NOW + DAY)

    assert lines == (Compared(found, late, near), Compared(None, None, late))


def test_what_began_before_the_period_on_all_sides_is_left_out() -> None:
    early, late = an_outage(-10), an_alarm(5)

    assert compare([early], [], [an_alarm(-5)], since=NOW, until=NOW + DAY) == ()
    assert compare([early], [], [late], since=NOW, until=NOW + DAY) == (Compared(early, None, late),)


# -- One worker at a time ---------------------------------------------------------------------------------------------
def test_a_second_run_changes_nothing() -> None:
    question = ask(a_service_with_a_past())
    answer_pending(now=NOW)
    before = WhatIf.objects.values().get(pk=question.pk)

    assert not answer_pending(now=NOW)

    assert WhatIf.objects.values().get(pk=question.pk) == before


def test_the_question_that_waits_longest_comes_first() -> None:
    service = a_service_with_a_past()
    late, early = ask(service, budget=1.0), ask(service, budget=2.0, created_at=NOW - HOUR)

    answer_pending(now=NOW)

    late.refresh_from_db()
    assert late.state == WhatIfState.WAITING
    assert answer_of(early).until == NOW - HOUR


def test_two_workers_that_saw_the_same_question_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    question = ask(a_service_with_a_past())
    seen = WhatIf.objects.get(pk=question.pk)
    answer_pending(now=NOW)
    monkeypatch.setattr(what_if, "_next", lambda now: seen)  # this worker looked before the other had claimed

    assert not answer_pending(now=NOW)

    question.refresh_from_db()
    assert question.n_claims == 1


def test_a_worker_that_comes_while_another_works_finds_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    service = a_service_with_a_past()
    question, other = ask(service, budget=1.0), ask(service, budget=2.0, created_at=NOW + MINUTE)
    outcomes: list[bool] = []
    meanwhile(monkeypatch, lambda: outcomes.append(answer_pending(now=NOW)))

    answer_pending(now=NOW)

    other.refresh_from_db()
    assert set(outcomes) == {False}
    assert answer_of(question)
    assert other.state == WhatIfState.WAITING


def test_of_two_questions_claimed_in_one_moment_one_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    service = a_service_with_a_past()
    ask(service, budget=1.0, state=WhatIfState.RUNNING, heard_at=NOW)
    late = ask(service, budget=2.0)
    monkeypatch.setattr(what_if, "_next", lambda now: late)  # looked before the other was claimed

    assert not answer_pending(now=NOW)

    late.refresh_from_db()
    assert late.state == WhatIfState.WAITING


def test_the_database_lets_one_question_run_at_a_time() -> None:
    ask(budget=1.0, state=WhatIfState.RUNNING)

    with pytest.raises(IntegrityError, match="one_what_if_runs_at_a_time"), transaction.atomic():
        ask(budget=2.0, state=WhatIfState.RUNNING)


def test_a_run_that_died_is_taken_up_after_three_minutes() -> None:
    question = ask(a_service_with_a_past(), state=WhatIfState.RUNNING, n_claims=1, heard_at=NOW)

    assert not answer_pending(now=NOW + 3 * MINUTE - timedelta(seconds=1))
    assert answer_pending(now=NOW + 3 * MINUTE)

    assert answer_of(question)
    assert (question.n_claims, question.n_deaths) == (2, 1)


def test_who_was_given_up_for_dead_writes_nothing_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    question = ask(a_service_with_a_past())
    much_later = NOW + HOUR
    meanwhile(monkeypatch, lambda: answer_pending(now=much_later))

    answer_pending(now=NOW)

    assert answer_of(question)
    assert (question.n_claims, question.n_deaths) == (2, 1)
    assert question.finished_at is not None
    assert question.finished_at >= much_later


def test_a_question_over_which_workers_die_is_given_up() -> None:
    question = ask(state=WhatIfState.RUNNING, n_claims=3, n_deaths=2, heard_at=NOW - HOUR)

    assert not answer_pending(now=NOW)

    question.refresh_from_db()
    assert (question.state, question.finished_at) == (WhatIfState.FAILED, NOW)
    assert "died 3 times" in question.failure


def test_a_long_question_waits_for_its_next_turn_and_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = a_service_with_a_past(), a_service_with_a_past()
    question = ask()
    monkeypatch.setattr(what_if, "STRETCH_SECONDS", 0.0)
    answered = mock.Mock(wraps=what_if._answer_service)
    monkeypatch.setattr(what_if, "_answer_service", answered)
    monkeypatch.setattr(what_if._Turn, "seconds", property(lambda turn: len(turn_of(turn))))

    answer_pending(now=NOW)
    question.refresh_from_db()
    after_first = (question.state, question.progress, len(from_plain(question.answer).services))
    answer_pending(now=NOW)

    assert after_first == (WhatIfState.WAITING, 50, 1)
    assert {one.service_id for one in answer_of(question).services} == {first.pk, second.pk}
    assert answered.call_count == 2


def test_more_than_can_be_worked_out_in_time_is_said_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(what_if, "SERVICE_SECONDS", -1.0)
    service = a_service_with_a_past()
    question = ask(service)

    answer_pending(now=NOW)

    question.refresh_from_db()
    assert question.state == WhatIfState.FAILED
    assert question.failure.startswith(f"{service.name} has too many reports")
    assert "Ask for fewer days" in question.failure


def test_a_mistake_of_ours_is_told_and_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    question = ask(a_service_with_a_past())
    monkeypatch.setattr(what_if, "_read", mock.Mock(side_effect=ValueError("a mistake")))

    with pytest.raises(ValueError, match="a mistake"):
        answer_pending(now=NOW)

    question.refresh_from_db()
    assert question.state == WhatIfState.FAILED
    assert "ValueError" in question.failure


def test_questions_are_kept_for_a_month() -> None:
    ask(budget=1.0, state=WhatIfState.DONE, created_at=NOW - 31 * DAY, finished_at=NOW)
    kept = ask(budget=1.0, state=WhatIfState.DONE, created_at=NOW - 29 * DAY, finished_at=NOW)

    assert forget_old(now=NOW) == 1

    assert list(WhatIf.objects.all()) == [kept]


def turn_of(turn: what_if._Turn) -> tuple[object, ...]:
    """Return the services this turn has answered: a clock that a test can read."""
    stored = WhatIf.objects.values_list("answer", flat=True).get(pk=turn.question.pk)
    before = from_plain(turn.question.answer).services if turn.question.answer else ()
    return from_plain(stored).services[len(before) :] if stored else ()


def meanwhile(monkeypatch: pytest.MonkeyPatch, rival: Callable[[], object]) -> None:
    """Let a rival come once while this worker reads its first counts."""
    read = what_if._read

    def reading(service_id: int, *, since: datetime, until: datetime) -> list[tuple[datetime, str, int]]:
        monkeypatch.setattr(what_if, "_read", read)
        rival()
        return read(service_id, since=since, until=until)

    monkeypatch.setattr(what_if, "_read", reading)
