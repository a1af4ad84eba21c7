"""Asking what would have happened, and reading the answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from pytest_django import DjangoAssertNumQueries

from reports.detection.what_if_answer import Alarm, Answer, Compared, Counts, Found, ServiceAnswer, to_plain
from reports.enums import OutageState, Role, WhatIfState
from reports.errors import InvalidInput, NotAllowed, NotFound
from reports.models import Outage, Service, WhatIf
from reports.triage import what_if
from reports.triage.what_if import Asked, InvalidWhatIf, ask_what_if, what_if_list, what_if_page
from tests.factories import NOW, make_outage, make_service, make_user

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def ask(*, service: str = "", days: str = "7", budget: str = "4", role: Role | None = Role.RESPONDER) -> Asked:
    actor = make_user(role)
    return ask_what_if(service_slug=service, days=days, budget=budget, actor_id=actor.pk, now=NOW)


def answered(*services: ServiceAnswer, days: int = 6, **fields: Any) -> WhatIf:
    answer = Answer(NOW - timedelta(days=days), NOW, 60, services, 0)
    values = {"state": WhatIfState.DONE, "progress": 100, "finished_at": NOW} | fields
    return WhatIf.objects.create(days=days, budget_per_month=4.0, created_at=NOW, answer=to_plain(answer), **values)


def service_answer(service: Service, *compared: Compared) -> ServiceAnswer:
    none, one = Counts(0, 0), Counts(1, 1)
    asked = one if any(line.asked for line in compared) else none
    return ServiceAnswer(service.pk, none, none, asked, compared, (0, 3, 1), 0)


def found(outage: Outage) -> Found:
    return Found(outage.pk, outage.started_at, outage.suspected_at, outage.confirmed_at, outage.resolved_at, ("DE",))


def an_alarm(**changes: Any) -> Alarm:
    values = {
        "started_at": NOW, "suspected_at": NOW, "confirmed_at": None, "ended_at": None, "regions": (), "n_reports": 4
    }  # fmt: skip
    return Alarm(**values | changes)


def test_a_question_waits_for_a_worker_which_is_nudged() -> None:
    make_service("mail")

    with mock.patch.object(what_if, "nudge") as nudged:
        asked = ask(service="mail", days="14", budget="0.25")

    row = WhatIf.objects.get(pk=asked.id)
    assert row.service is not None
    assert (row.service.slug, row.days, row.budget_per_month, row.state) == ("mail", 14, 0.25, WhatIfState.WAITING)
    nudged.assert_called_once_with("answer")


@pytest.mark.parametrize(
    ("word", "budget"), [("0,25", 0.25), (" 12 ", 12.0), (".5", 0.5), ("30", 30.0), ("0.05", 0.05)]
)
def test_a_budget_is_read_as_people_write_it(word: str, budget: float) -> None:
    assert WhatIf.objects.get(pk=ask(budget=word).id).budget_per_month == budget


@pytest.mark.parametrize(
    "budget", ["", "0", "0.04", "31", "-1", "nan", "inf", "1e1", "four", "１", "0.25.1", "9" * 400]
)
def test_a_budget_that_can_not_be_is_named_with_the_remedy(budget: str) -> None:
    with pytest.raises(InvalidWhatIf, match=r"from 0\.05 to 30") as invalid:
        ask(budget=budget)

    assert [error.field for error in invalid.value.errors] == ["budget"]


@pytest.mark.parametrize("days", ["", "0", "15", "-1", "1.5", "a week", "７", "9" * 400])
def test_days_that_can_not_be_are_named_with_the_remedy(days: str) -> None:
    with pytest.raises(InvalidWhatIf, match="whole number from 1 to 14"):
        ask(days=days)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidWhatIf) as invalid:
        ask(service="nowhere\x00", days="x", budget="y")

    assert [error.field for error in invalid.value.errors] == ["service", "days", "budget"]
    assert not WhatIf.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, None])
def test_to_ask_takes_a_responder(role: Role | None) -> None:
    with pytest.raises(NotAllowed, match="takes a responder"):
        ask(role=role)


def test_the_same_question_waits_once() -> None:
    first = ask()

    assert ask() == Asked(first.id, is_new=False)
    assert ask(budget="5").is_new


def test_who_loses_the_race_gets_the_winners_question() -> None:
    first = ask()
    unseen = mock.Mock(first=lambda: None, get=lambda: WhatIf.objects.get(pk=first.id), count=lambda: 0)

    with mock.patch.object(WhatIf.objects, "filter", return_value=unseen):
        second = ask()

    assert second == Asked(first.id, is_new=False)


def test_an_answered_question_may_be_asked_again() -> None:
    first = ask()
    WhatIf.objects.filter(pk=first.id).update(state=WhatIfState.DONE, finished_at=NOW)

    assert ask().id != first.id


def test_too_many_questions_are_refused_with_words() -> None:
    for days in range(1, what_if.MOST_UNANSWERED + 1):
        ask(days=str(days))

    with pytest.raises(InvalidInput, match="10 questions wait already"):
        ask(days="14")


def test_an_outage_is_told_with_how_many_minutes_it_would_have_been_known_earlier() -> None:
    service = make_service(name="Mail")
    outage = make_outage(service, suspected_at=NOW, confirmed_at=NOW + MINUTE, state=OutageState.CONFIRMED)
    alarm = an_alarm(suspected_at=NOW - 3 * MINUTE, confirmed_at=NOW + 2 * MINUTE, regions=("DE-BY",))

    page = what_if_page(what_if_id=answered(service_answer(service, Compared(found(outage), None, alarm))).pk, now=NOW)

    assert page.outcome is not None
    [line] = page.outcome.services[0].lines
    assert (line.outage_id, line.where, line.in_use) == (outage.pk, "Germany", None)
    assert line.asked is not None
    assert (line.asked.suspected_later, line.asked.confirmed_later) == (-3, 1)


def test_what_a_person_made_of_an_outage_since_is_shown() -> None:
    service = make_service()
    outage = make_outage(service)
    question = answered(service_answer(service, Compared(found(outage), None, None)))
    Outage.objects.filter(pk=outage.pk).update(state=OutageState.DISMISSED, resolved_at=NOW)

    page = what_if_page(what_if_id=question.pk, now=NOW)

    assert page.outcome is not None
    assert page.outcome.services[0].lines[0].state == OutageState.DISMISSED


def test_alarms_a_month_are_those_of_one_service() -> None:
    alarm = Compared(None, None, an_alarm())
    question = answered(service_answer(make_service(), alarm), service_answer(make_service(), alarm), days=6)

    page = what_if_page(what_if_id=question.pk, now=NOW)

    assert page.outcome is not None
    assert page.outcome.asked == what_if.Total(suspected=2, confirmed=2, per_month=5.0)


def test_services_in_which_nothing_was_found_are_named_together() -> None:
    loud, quiet = make_service(name="Mail"), make_service(name="Wiki")
    question = answered(service_answer(loud, Compared(None, None, an_alarm())), service_answer(quiet))

    page = what_if_page(what_if_id=question.pk, now=NOW)

    assert page.outcome is not None
    assert ([one.name for one in page.outcome.services], page.outcome.quiet) == (["Mail"], ("Wiki",))


def test_a_question_that_nobody_works_on_is_stuck_after_two_minutes() -> None:
    asked = ask()

    soon, later = (what_if_page(what_if_id=asked.id, now=NOW + n * MINUTE).row.is_stuck for n in (1, 3))
    WhatIf.objects.create(
        days=1, budget_per_month=1.0, created_at=NOW, state=WhatIfState.RUNNING, heard_at=NOW + 3 * MINUTE
    )

    assert (soon, later) == (False, True)
    assert not what_if_page(what_if_id=asked.id, now=NOW + 3 * MINUTE).row.is_stuck


def test_a_question_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match="deleted after a month"):
        what_if_page(what_if_id=4711, now=NOW)


@pytest.mark.parametrize("n", [1, 5])
def test_queries_do_not_grow_with_what_there_is_to_show(
    n: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    services = [make_service() for _ in range(n)]
    lines = [Compared(found(make_outage(one)), None, an_alarm()) for one in services]
    question = answered(*(service_answer(one, line) for one, line in zip(services, lines, strict=True)))
    for days in range(1, n + 1):
        ask(service=services[0].slug, days=str(days))

    with django_assert_num_queries(3):
        what_if_page(what_if_id=question.pk, now=NOW)
    with django_assert_num_queries(2):
        listed = what_if_list()

    assert len(listed.rows) == n + 1
    assert listed.has_unanswered


def test_a_page_lists_no_more_than_it_has_room_for_and_what_was_found_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(what_if, "MOST_LINES_OF_SERVICE", 3)
    monkeypatch.setattr(what_if, "MOST_LINES", 4)
    busy, second, third = (make_service(name=name) for name in ("Busy", "Second", "Third"))
    alarms = [Compared(None, None, an_alarm(n_reports=n)) for n in range(5)]
    outage = Compared(found(make_outage(busy)), None, None)

    asked = answered(
        service_answer(busy, *alarms, outage), service_answer(second, *alarms), service_answer(third, alarms[0])
    )

    outcome = what_if_page(what_if_id=asked.pk, now=NOW).outcome
    assert outcome is not None
    assert [(one.name, len(one.lines), one.n_lines_more) for one in outcome.services] == [
        ("Busy", 3, 3), ("Second", 1, 4), ("Third", 0, 1),
    ]  # fmt: skip
    assert [line.found is not None for line in outcome.services[0].lines] == [False, False, True]
    assert outcome.quiet == ()
