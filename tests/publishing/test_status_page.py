"""What the public is told of the services, and what it is not told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError

from reports.enums import OutageState, ServiceState
from reports.errors import StoreUnavailable
from reports.models import Service
from reports.publishing.selectors import PublicService, public_services
from tests.factories import NOW, make_batch, make_cluster, make_outage, make_service

pytestmark = pytest.mark.django_db


def the_service() -> PublicService:
    (service,) = public_services(NOW).services
    return service


def test_without_an_outage_all_is_well() -> None:
    make_service("mail")

    page = public_services(NOW)

    assert page.state == ServiceState.OPERATIONAL
    assert page.services[0].state == ServiceState.OPERATIONAL
    assert page.services[0].since is None
    assert page.n_troubled == 0


def test_what_has_problems_stands_first_and_the_rest_in_the_staffs_order() -> None:
    for position, slug in enumerate(("accounts", "mail", "video", "chat")):
        make_service(slug, position=position)
    for slug, scope in (("video", "DE"), ("chat", "")):
        service = Service.objects.get(slug=slug)
        make_outage(service, state=OutageState.CONFIRMED, is_confirmed_by_person=True, scope_region=scope)

    assert [service.slug for service in public_services(NOW).services] == ["chat", "video", "accounts", "mail"]


def test_an_outage_in_many_places_is_named_by_country() -> None:
    make_outage(
        make_service(), state=OutageState.CONFIRMED, is_confirmed_by_person=True,
        scope_region="DE", regions=["DE", "DE-BY", "DE-HE", "AT"],
    )  # fmt: skip

    assert the_service().outages[0].where == "Germany (Bayern, Hessen) and Austria"


def test_hidden_and_inactive_services_are_not_shown_nor_their_outages() -> None:
    hidden = make_service("hidden", is_public=False)
    gone = make_service("gone", is_active=False)
    for service in (hidden, gone):
        make_outage(service, state=OutageState.CONFIRMED, is_confirmed_by_person=True)
        make_outage(service, state=OutageState.RESOLVED, is_confirmed_by_person=True)

    page = public_services(NOW)

    assert page.services == ()
    assert page.resolved == ()
    assert page.state == ServiceState.OPERATIONAL


@pytest.mark.parametrize("state", [OutageState.SUSPECTED, OutageState.CONFIRMED, OutageState.RECOVERING])
def test_what_only_the_detector_says_is_not_published(state: OutageState) -> None:
    make_outage(make_service("mail"), state=state)

    assert the_service().state == ServiceState.OPERATIONAL


def test_with_auto_publish_the_detector_says_it_in_weaker_words(settings: Any) -> None:
    settings.AUTO_PUBLISH = True
    make_outage(make_service("mail"), state=OutageState.CONFIRMED)

    assert the_service().state == ServiceState.DEGRADED
    assert the_service().state_label == "Users report problems"


@pytest.mark.parametrize("state", [OutageState.SUSPECTED, OutageState.DISMISSED])
def test_auto_publish_still_keeps_back_what_is_unsure_or_dismissed(settings: Any, state: OutageState) -> None:
    settings.AUTO_PUBLISH = True
    make_outage(make_service("mail"), state=state)

    page = public_services(NOW)

    assert page.state == ServiceState.OPERATIONAL
    assert page.resolved == ()


@pytest.mark.parametrize(
    ("scope_region", "expected"), [("", ServiceState.MAJOR_OUTAGE), ("DE", ServiceState.PARTIAL_OUTAGE)]
)
def test_a_confirmed_outage_is_whole_or_in_some_regions(scope_region: str, expected: ServiceState) -> None:
    make_outage(
        make_service("mail"), state=OutageState.CONFIRMED, is_confirmed_by_person=True, scope_region=scope_region
    )

    assert the_service().state == expected
    assert the_service().outages[0].where == ("Germany" if scope_region else "")


def test_the_worst_of_several_outages_names_the_state_and_the_first_the_beginning() -> None:
    service = make_service("mail")
    early, late = NOW - timedelta(hours=3), NOW - timedelta(hours=1)
    confirmed = {"state": OutageState.CONFIRMED, "is_confirmed_by_person": True}
    make_outage(service, scope_region="DE", started_at=early, **confirmed)
    make_outage(service, started_at=late, **confirmed)

    shown = the_service()

    assert shown.state == ServiceState.MAJOR_OUTAGE
    assert shown.since == early
    assert [outage.started_at for outage in shown.outages] == [late, early]


def test_few_reporters_are_neither_counted_nor_located_in_public() -> None:
    make_outage(
        make_service("mail"),
        state=OutageState.CONFIRMED,
        is_confirmed_by_person=True,
        scope_region="DE",
        regions=["DE-BY"],
        n_reporters=9,
    )

    (outage,) = the_service().outages

    assert (outage.n_reporters, outage.reporters) == (None, "fewer than 10")
    assert outage.where == ""
    assert outage.state == ServiceState.PARTIAL_OUTAGE  # whom a person has confirmed it for is told all the same


@pytest.mark.parametrize(
    ("by_place", "where"),
    [
        ({"DE": 30, "DE-BY": 10, "DE-HE": 20}, "Germany (Bayern, Hessen)"),
        ({"DE": 30, "DE-BY": 9, "DE-HE": 21}, "Hessen, Germany"),
        ({"DE": 12, "DE-BY": 6, "DE-HE": 6}, "Germany"),
        ({"DE": 9, "DE-BY": 3, "DE-HE": 6}, ""),
        ({}, ""),  # from before places were counted
    ],
)
def test_a_place_is_told_only_where_enough_report_from_it(by_place: dict[str, int], where: str) -> None:
    a_published_outage("Mail", scope_region="DE", regions=["DE-BY", "DE-HE"], reporters_by_place=by_place)

    assert the_service().outages[0].where == where


def test_enough_reporters_are_counted_and_located() -> None:
    make_outage(
        make_service("mail"),
        state=OutageState.CONFIRMED,
        is_confirmed_by_person=True,
        scope_region="DE",
        regions=["DE-BY"],
        n_reporters=10,
    )

    (outage,) = the_service().outages

    assert outage.n_reporters == 10
    assert outage.where == "Bayern, Germany"


def test_resolved_outages_are_shown_for_two_weeks_latest_first() -> None:
    service = make_service("mail")
    for days in (15, 13, 1):
        end = NOW - timedelta(days=days)
        make_outage(
            service,
            state=OutageState.RESOLVED,
            is_confirmed_by_person=True,
            started_at=end - timedelta(hours=1),
            now=end,
        )

    resolved = public_services(NOW).resolved

    assert [(NOW - outage.resolved_at).days for outage in resolved if outage.resolved_at] == [1, 13]


def test_the_page_says_when_the_stages_are_behind(settings: Any) -> None:
    service = make_service("mail")
    make_batch(service, at=NOW - timedelta(seconds=settings.LAG_PROMISE_SECONDS + 60))

    assert public_services(NOW).lag_seconds == settings.LAG_PROMISE_SECONDS + 60


def test_a_short_wait_is_within_the_promise() -> None:
    make_batch(make_service("mail"), at=NOW - timedelta(seconds=5))

    assert public_services(NOW).lag_seconds is None


def test_the_page_costs_four_queries_however_much_there_is(django_assert_num_queries: Any) -> None:
    for number in range(5):
        service = make_service(f"service-{number}")
        for state in (OutageState.CONFIRMED, OutageState.RESOLVED):
            make_outage(service, state=state, is_confirmed_by_person=True, cluster=make_cluster(service))

    with django_assert_num_queries(4):
        public_services(NOW)


def test_a_database_that_is_away_is_said() -> None:
    with mock.patch.object(Service.objects, "public", side_effect=OperationalError), pytest.raises(StoreUnavailable):
        public_services(NOW)


def a_published_outage(name: str, **fields: Any) -> None:
    make_outage(make_service(name=name), state=OutageState.CONFIRMED, is_confirmed_by_person=True, **fields)


def test_services_that_rose_together_are_one_sentence() -> None:
    for name in ("Mail", "Chat", "Pay"):
        a_published_outage(name)
    a_published_outage("Maps", started_at=NOW - timedelta(hours=2))

    [group] = public_services(NOW).groups

    assert group.names == "Chat, Mail and Pay"
    assert group.since == NOW - timedelta(minutes=10)


def test_what_is_not_published_rises_with_nobody() -> None:
    a_published_outage("Mail")
    make_outage(make_service(name="Chat"), state=OutageState.CONFIRMED)
    make_outage(make_service(name="Pay", is_public=False), state=OutageState.CONFIRMED, is_confirmed_by_person=True)

    assert public_services(NOW).groups == ()


def test_places_count_as_they_are_shown() -> None:
    a_published_outage("Mail", scope_region="DE", regions=["DE-BY"], reporters_by_place={"DE": 30, "DE-BY": 3})
    a_published_outage("Chat", scope_region="DE-HE", regions=["DE-HE"], n_reporters=30)
    a_published_outage("Pay", scope_region="DE-BY", regions=["DE-BY"], n_reporters=30)

    [group] = public_services(NOW).groups

    assert group.services == ("Chat", "Mail", "Pay")  # by what is shown all of them are in Germany
