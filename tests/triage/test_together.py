"""Outages of several services that rise together are shown together."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reports.triage.selectors import dashboard
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
