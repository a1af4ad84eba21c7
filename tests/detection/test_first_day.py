"""A service's first day in the running stage: its own life is what is usual, in regions and clusters too."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from reports.detection import life
from reports.detection.learning import what_is_usual
from reports.detection.services import detect_pending
from reports.detection.ticks import glance
from reports.enums import OutageState
from reports.models import Cluster, Outage, Service
from tests.detection.streams import HOUR, MINUTE, everything_seen, known_service, look, people, watch
from tests.factories import NOW, make_cluster, make_service

# What is usual is remembered once it is committed.
pytestmark = pytest.mark.django_db(transaction=True)

PLACES = ("DE-BY", "FR-IDF", "")


def steady(service: Service, *, minutes: int, per_minute: int = 2) -> list[Cluster]:
    """Let people report in two groups and three places from the service's first minute on."""
    clusters = [make_cluster(service, label=label) for label in ("log in fails", "page is slow")]
    for minute in range(minutes):
        for i in range(per_minute):
            people(clusters[(minute + i) % 2], 1, region=PLACES[minute % 3], at=NOW + minute * MINUTE)
    return clusters


def test_a_service_that_is_steady_from_its_first_minute_on_opens_nothing() -> None:
    service = make_service()
    steady(service, minutes=150)

    watch(service, first=1, last=149, every=2)

    assert not Outage.objects.exists()


def test_a_glance_does_not_take_a_steady_service_for_a_rise() -> None:
    service = make_service()
    steady(service, minutes=150)
    detect_pending(now=NOW + 150 * MINUTE)  # learns the first hour

    tick = glance(now=NOW + 150 * MINUTE)

    assert service.pk in tick.seen
    assert service.pk not in tick.to_look_at


def test_reports_that_rise_on_the_first_day_are_an_outage_since_they_rose() -> None:
    service = make_service()
    clusters = steady(service, minutes=90, per_minute=1)
    people(clusters[0], 8, region="DE-BY", at=NOW + 90 * MINUTE, minutes=10)

    watch(service, first=60, last=100)

    outage = Outage.objects.get()
    assert outage.confirmed_at is not None
    assert outage.suspected_at <= NOW + 97 * MINUTE
    assert abs(outage.started_at - (NOW + 90 * MINUTE)) <= 3 * MINUTE
    assert outage.expected > 5 * outage.window_minutes / 60  # its own life, not a report an hour


def test_reports_after_an_hour_of_silence_are_an_outage_within_minutes() -> None:
    service = make_service()
    people(make_cluster(service), 5, at=NOW + HOUR, minutes=5)

    watch(service, first=60, last=65)

    assert Outage.objects.get().confirmed_at is not None


def test_a_confirmed_outage_goes_on_while_its_reports_do() -> None:
    service = make_service()
    clusters = steady(service, minutes=60, per_minute=1)
    people(clusters[0], 8, at=NOW + HOUR, minutes=110)

    watch(service, first=60, last=168, every=2)

    # More than an hour after its beginning there is no other life to compare with, and it is no calmer for that.
    assert [(one.state, one.quiet_since) for one in Outage.objects.all()] == [(OutageState.CONFIRMED, None)]


def test_a_second_look_at_the_same_moment_changes_nothing() -> None:
    service = make_service()
    clusters = steady(service, minutes=30, per_minute=1)
    people(clusters[0], 8, at=NOW + 30 * MINUTE, minutes=6)
    watch(service, first=30, last=36)

    before = everything_seen(service)
    look(service, after=36)

    assert everything_seen(service) == before
    assert before[0]


def test_the_minute_a_service_was_made_in_is_lived_in_part() -> None:
    service = make_service()
    Service.objects.filter(pk=service.pk).update(created_at=NOW + 0.25 * MINUTE)
    now = NOW + 10 * MINUTE
    usual = what_is_usual(service_id=service.pk, now=now)

    found = life.lives({service.pk: usual}, now=now)[service.pk]

    assert found.watched[-12:].tolist() == [0.0, 0.75, *[1.0] * 10]


def test_of_services_with_a_history_no_life_is_read(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    service = known_service()
    usual = what_is_usual(service_id=service.pk, now=NOW)

    with django_assert_num_queries(0):
        assert life.lives({service.pk: usual}, now=NOW) == {}
