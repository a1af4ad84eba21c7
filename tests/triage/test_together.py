"""Outages of several services that rise together are shown together."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reports.enums import OutageState
from reports.triage.outage_rows import list_outages, outage_story
from reports.triage.selectors import dashboard, outage_page
from reports.triage.together import Risen, risen_together
from tests.factories import NOW, make_outage, make_service


def risen(number: int, service: str, minutes: int = 0, places: str = "") -> Risen:
    return Risen(number, service, NOW + timedelta(minutes=minutes), frozenset(places.split()))


def test_services_that_rise_in_one_quarter_hour_and_place_rose_together() -> None:
    found = risen_together([risen(1, "Mail", 0, "DE"), risen(2, "Chat", 15, "DE-BY"), risen(3, "Pay", 5, "DE FR")])

    assert found == {1: ("Chat", "Pay"), 2: ("Mail", "Pay"), 3: ("Chat", "Mail")}


@pytest.mark.parametrize(("minutes", "places"), [(16, "DE"), (0, "FR"), (0, "")])
def test_another_time_or_place_is_another_matter(minutes: int, places: str) -> None:
    assert risen_together([risen(1, "Mail", 0, "DE"), risen(2, "Chat", minutes, places)]) == {1: (), 2: ()}


def test_everywhere_and_everywhere_are_one_place() -> None:
    assert risen_together([risen(1, "Mail"), risen(2, "Chat")]) == {1: ("Chat",), 2: ("Mail",)}


def test_two_outages_of_one_service_say_nothing_of_each_other() -> None:
    assert risen_together([risen(1, "Mail"), risen(2, "Mail")]) == {1: (), 2: ()}


def test_who_rose_with_one_of_them_rose_with_both() -> None:
    found = risen_together([risen(1, "Mail", 0), risen(2, "Chat", 12), risen(3, "Pay", 24)])

    assert found[1] == ("Chat", "Pay")


@pytest.mark.django_db
def test_the_dashboard_names_the_others() -> None:
    make_outage(make_service(name="Mail"))
    make_outage(make_service(name="Chat"))
    make_outage(make_service(name="Pay"), scope_region="FR", regions=["FR"])

    found = {row.service_name: row.together_with for row in dashboard(now=NOW).open}

    assert found == {"Mail": ("Chat",), "Chat": ("Mail",), "Pay": ()}


@pytest.mark.django_db
def test_the_page_of_an_outage_names_the_others_while_it_is_open() -> None:
    mail = make_outage(make_service(name="Mail"))
    make_outage(make_service(name="Chat"))
    closed = make_outage(make_service(name="Pay"), state=OutageState.RESOLVED)

    assert outage_page(outage_id=mail.pk, now=NOW).outage.together == "Chat"
    assert outage_page(outage_id=closed.pk, now=NOW).outage.together == ""


@pytest.mark.django_db
def test_programs_are_told_the_others_by_id() -> None:
    mail = make_outage(make_service(name="Mail"))
    chat = make_outage(make_service(name="Chat"))
    alone = make_outage(make_service(name="Pay"), scope_region="FR", regions=["FR"])

    found = {row.id: row.together_with for row in list_outages(limit=10).outages}

    assert found == {mail.pk: (chat.pk,), chat.pk: (mail.pk,), alone.pk: ()}
    assert outage_story(outage_id=mail.pk).outage.together_with == (chat.pk,)
