"""The catalogue: which services take reports, found by slug or name, remembered for seconds and no longer."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError

from reports.intake import availability, catalogue, remembered
from reports.intake.catalogue import (
    find_numbered,
    find_service,
    forget_services,
    known_slugs,
)
from reports.intake.remembered import LOOK_AGAIN_SECONDS, REMEMBER_SECONDS
from reports.models import Service
from tests.factories import make_service

pytestmark = pytest.mark.django_db


class StoppedClock:
    """Stands in for the module `time`; moves only when told."""

    def __init__(self) -> None:
        self.now_seconds = 1_000.0

    def monotonic(self) -> float:
        return self.now_seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    stopped = StoppedClock()
    monkeypatch.setattr(remembered, "time", stopped)
    return stopped


@pytest.mark.parametrize("word", ["web-mail", "WEB-MAIL", "Straßenpost", "STRASSENPOST"])
def test_a_service_is_found_by_slug_or_name_in_any_case(word: str) -> None:
    service = make_service("web-mail", name="Straßenpost")

    found = find_service(word)

    assert found is not None
    assert (found.id, found.slug, found.name) == (service.pk, "web-mail", "Straßenpost")


@pytest.mark.parametrize("word", ["", "web", "web-mail2", "\ud800"])
def test_another_word_finds_nothing(word: str) -> None:
    make_service("web-mail")

    assert find_service(word) is None


def test_a_service_is_found_by_its_number_and_by_no_word_like_it() -> None:
    service = make_service("web-mail")

    found = find_numbered(service.pk)

    assert found is not None
    assert found.slug == "web-mail"
    assert find_numbered(service.pk + 1) is None
    assert find_service(str(service.pk)) is None
    assert known_slugs() == ["web-mail"]


def test_a_service_that_is_switched_off_takes_no_reports() -> None:
    make_service("web-mail", is_active=False)

    assert find_service("web-mail") is None


def test_a_slug_goes_before_another_services_name() -> None:
    by_slug = make_service("mail", name="Post")
    make_service("other", name="Mail")

    found = find_service("mail")

    assert found is not None
    assert found.id == by_slug.pk


def test_a_known_service_costs_no_query(clock: StoppedClock, django_assert_num_queries: Any) -> None:
    make_service("mail")
    find_service("mail")
    clock.now_seconds += REMEMBER_SECONDS

    with django_assert_num_queries(0):
        find_service("mail")


def test_a_service_switched_off_is_refused_when_the_memory_is_old(clock: StoppedClock) -> None:
    make_service("mail")
    find_service("mail")
    Service.objects.update(is_active=False)

    at_once = find_service("mail")
    clock.now_seconds += REMEMBER_SECONDS + 0.001

    assert at_once is not None
    assert find_service("mail") is None


def test_a_service_just_made_is_found_at_once(clock: StoppedClock) -> None:
    find_service("mail")
    make_service("mail")

    clock.now_seconds += LOOK_AGAIN_SECONDS + 0.001

    assert find_service("mail") is not None


def test_a_flood_of_unknown_names_is_no_flood_of_queries(clock: StoppedClock, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        for number in range(50):
            find_service(f"unknown-{number}")


def test_a_told_catalogue_looks_again(clock: StoppedClock) -> None:
    find_service("mail")
    make_service("mail")

    forget_services()

    assert find_service("mail") is not None


def test_while_the_database_is_away_the_last_copy_serves_on(clock: StoppedClock) -> None:
    make_service("mail")
    find_service("mail")

    with mock.patch.object(Service.objects, "active", side_effect=OperationalError) as asked:
        clock.now_seconds += REMEMBER_SECONDS + 0.001
        found = [find_service("mail") for _ in range(5)]
        is_known_away = availability.is_away()
        clock.now_seconds += availability.STALE_SECONDS
        with pytest.raises(OperationalError):
            find_service("mail")

    assert all(found)
    assert is_known_away
    assert asked.call_count == 2


def test_who_must_not_ask_is_served_from_the_last_copy_too_while_the_database_is_away(clock: StoppedClock) -> None:
    make_service("mail")
    find_service("mail")
    clock.now_seconds += REMEMBER_SECONDS + 0.001

    while_it_is_there = find_service("mail", ask=False)
    availability.note_away()
    while_it_is_away = find_service("mail", ask=False)
    clock.now_seconds += availability.STALE_SECONDS
    availability.note_away()

    assert while_it_is_there is None
    assert while_it_is_away is not None
    assert find_service("mail", ask=False) is None


def test_without_a_copy_a_database_that_is_away_is_told() -> None:
    with mock.patch.object(Service.objects, "active", side_effect=OperationalError), pytest.raises(OperationalError):
        find_service("mail")


def test_somebody_who_reads_the_table_for_long_holds_up_nobody_who_has_a_copy(
    clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_service("mail")
    find_service("mail")
    monkeypatch.setattr(availability, "WAIT_FOR_READER_SECONDS", 0.01)
    clock.now_seconds += REMEMBER_SECONDS + 0.001

    with catalogue.table.lock:
        assert find_service("mail") is not None


def test_some_slugs_are_named_in_order() -> None:
    for slug in ["c", "a", "b"]:
        make_service(slug, name=f"Service {slug}")
    find_service("a")

    assert known_slugs(limit=2) == ["a", "b"]
