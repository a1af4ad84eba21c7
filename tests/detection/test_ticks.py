"""A tick over many services: a glance at all, a close look where something is, and a bound on false discoveries."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from reports.detection import learning, ticks
from reports.detection.services import detect_pending, detect_service
from reports.detection.ticks import glance
from reports.models import MinuteCount, Outage, Service, ServiceProfile
from tests.detection.streams import HOUR, MINUTE, a_flood, everyday_cluster, known_service, people
from tests.factories import NOW, first_micro_cluster, make_cluster

# What is usual is remembered once it is committed.
pytestmark = pytest.mark.django_db(transaction=True)


def quiet_services(n: int) -> None:
    Service.objects.bulk_create(Service(slug=f"s-{i}", name=f"S {i}", created_at=NOW) for i in range(n))


def a_small_rise() -> Service:
    """Let a service have what chance shows it less than once a month, and more than once a year."""
    service = known_service()
    learn(service)
    people(everyday_cluster(service, rate_per_hour=6.0), 2, minutes=4)
    return service


def test_a_rise_is_an_outage_where_few_services_are_watched() -> None:
    a_small_rise()

    detect_pending(now=NOW + 6 * MINUTE)

    assert Outage.objects.count() == 1


def test_the_same_rise_is_none_among_thousands_of_services() -> None:
    a_small_rise()
    quiet_services(2_000)

    detect_pending(now=NOW + 6 * MINUTE)

    assert not Outage.objects.exists()


def test_services_that_rise_at_once_are_believed_among_thousands_too() -> None:
    services = [a_small_rise() for _ in range(12)]
    quiet_services(2_000)

    detect_pending(now=NOW + 6 * MINUTE)

    assert set(Outage.objects.values_list("service_id", flat=True)) == {service.pk for service in services}


def test_a_flood_is_an_outage_however_many_services_there_are() -> None:
    service = known_service()
    people(make_cluster(service), 6, minutes=5)
    quiet_services(5_000)

    detect_pending(now=NOW + 5 * MINUTE)

    assert Outage.objects.get().service_id == service.pk


def test_an_open_outage_is_followed_whatever_the_bound_says() -> None:
    outage = a_flood(known_service())
    quiet_services(5_000)

    detect_pending(now=NOW + 50 * MINUTE)

    outage.refresh_from_db()
    assert outage.evaluated_at == NOW + 50 * MINUTE


def test_a_glance_writes_nothing_and_finds_what_rises() -> None:
    usual, rising = known_service(rate_per_hour=60.0), known_service()
    people(everyday_cluster(usual, rate_per_hour=60.0), 1, minutes=5)
    people(make_cluster(rising), 6, minutes=5)
    learn(usual)
    learn(rising)
    before = list(ServiceProfile.objects.order_by("pk").values())

    found = glance(now=NOW + 5 * MINUTE)

    assert found.seen == {usual.pk, rising.pk}
    assert found.to_look_at == {rising.pk}
    assert list(ServiceProfile.objects.order_by("pk").values()) == before


def test_a_tick_asks_no_more_of_the_database_the_more_services_are_as_usual(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(6):
        service = known_service(rate_per_hour=60.0)
        people(everyday_cluster(service, rate_per_hour=60.0), 1, at=NOW - 60 * MINUTE, minutes=70)
        learn(service)
    detect_pending(now=NOW + 8 * MINUTE)

    # Counts, what was learnt until when, how many services; the open outages; three for what may gather slowly.
    with django_assert_num_queries(7):
        detect_pending(now=NOW + 8 * MINUTE + timedelta(seconds=15))


def test_what_was_usual_an_hour_ago_is_learnt_anew_by_a_close_look() -> None:
    service = known_service(rate_per_hour=60.0)
    people(everyday_cluster(service, rate_per_hour=60.0), 1, minutes=200)
    detect_pending(now=NOW + 10 * MINUTE)

    detect_pending(now=NOW + 2 * HOUR + 15 * MINUTE)

    assert ServiceProfile.objects.get().learned_until == NOW + HOUR


def test_a_clusters_past_is_read_once_an_hour() -> None:
    service = known_service(rate_per_hour=60.0)
    cluster = everyday_cluster(service, rate_per_hour=60.0)
    people(cluster, 1, minutes=100)
    learn(service)
    glance(now=NOW + 6 * MINUTE)
    [(_, before)] = ticks._pasts.values()
    MinuteCount.objects.create(
        service=service, minute=NOW - 29 * HOUR, micro_cluster=first_micro_cluster(cluster), region="",
        n_reports=1000, n_counted=1000,
    )  # fmt: skip

    glance(now=NOW + 66 * MINUTE)

    [(_, after)] = ticks._pasts.values()
    assert after >= before + 1000


def test_a_service_that_can_not_be_weighed_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, sound = known_service(), known_service()
    for service in (broken, sound):
        learn(service)
        people(make_cluster(service), 6, minutes=5)
    learned_until, usual = learning._remembered[broken.pk]
    no_numbers = replace(usual, rates_per_hour=usual.rates_per_hour * float("nan"))
    monkeypatch.setitem(learning._remembered, broken.pk, (learned_until, no_numbers))

    with pytest.raises(ValueError, match="finite"):
        detect_pending(now=NOW + 5 * MINUTE)

    assert Outage.objects.get().service_id == sound.pk


def learn(service: Service) -> None:
    """Let the detector look once, so that this process remembers what is usual."""
    detect_service(service_id=service.pk, now=NOW)
