"""Learning what is usual: each closed hour once, in order, and little from the hours of an outage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from unittest import mock

import pytest
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from reports.detection import learning
from reports.detection.learning import Usual, forget_usual, what_is_usual
from reports.enums import OutageState
from reports.models import Cluster, MinuteCount, Outage, Service, ServiceProfile, StreamLevel
from tests.detection.streams import HOUR, MINUTE, look, people, watch
from tests.factories import NOW, first_micro_cluster, make_cluster, make_outage, make_service

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def young_service(*, age: timedelta) -> Service:
    service = make_service()
    Service.objects.filter(pk=service.pk).update(created_at=NOW - age)
    return service


def usual(service: Service, *, at: datetime = NOW) -> Usual:
    with transaction.atomic():
        return what_is_usual(service_id=service.pk, now=at)


def hours_of(cluster: Cluster, counts: Sequence[int], *, start: datetime, region: str = "") -> None:
    """Count so many reports in each of some hours."""
    MinuteCount.objects.bulk_create(
        MinuteCount(
            service_id=cluster.service_id, minute=start + i * HOUR + 7 * MINUTE,
            micro_cluster=first_micro_cluster(cluster), region=region, n_reports=n, n_counted=n,
        )
        for i, n in enumerate(counts)
        if n
    )  # fmt: skip


def test_a_week_of_reports_is_what_is_usual() -> None:
    service = young_service(age=14 * DAY)
    hours_of(make_cluster(service), [6] * 14 * 24, start=NOW - 14 * DAY)

    rates = usual(service).rates_per_hour

    assert rates.shape == (168,)
    assert 5.5 < rates.mean() < 6.5


def test_a_rhythm_of_the_day_is_learnt() -> None:
    service = young_service(age=21 * DAY)
    start = (NOW - 21 * DAY).replace(hour=0)
    hours_of(make_cluster(service), ([0] * 12 + [20] * 12) * 21, start=start)

    rates = usual(service).rates_per_hour

    assert rates[:12].max() < 3
    assert rates[12:24].min() > 15


def test_a_region_gets_the_share_it_carries_and_its_country_the_sum() -> None:
    service = young_service(age=14 * DAY)
    cluster = make_cluster(service)
    hours_of(cluster, [6] * 14 * 24, start=NOW - 14 * DAY, region="DE-BY")
    hours_of(cluster, [2] * 14 * 24, start=NOW - 14 * DAY, region="DE")

    usual(service)

    share = dict(StreamLevel.objects.values_list("region", "share"))
    assert share["DE"] == pytest.approx(1.0, abs=0.05)
    assert share["DE-BY"] == pytest.approx(0.75, abs=0.05)


def test_a_region_with_another_day_has_another_part_by_day_than_by_night() -> None:
    service = young_service(age=21 * DAY)
    cluster = make_cluster(service)
    start = (NOW - 21 * DAY).replace(hour=0)
    hours_of(cluster, ([1] * 12 + [9] * 12) * 21, start=start, region="DE")
    hours_of(cluster, ([9] * 12 + [1] * 12) * 21, start=start, region="JP")

    known = usual(service)
    forget_usual()
    read_again = usual(service)

    for one in (known, read_again):
        [by_night, by_day] = [one.shares_of(["", "DE", "JP"], end_minute=hour * 60).share for hour in (6, 18)]
        assert by_night == pytest.approx([1.0, 0.1, 0.9], abs=0.05)
        assert by_day == pytest.approx([1.0, 0.9, 0.1], abs=0.05)


def test_what_was_learnt_before_regions_had_hours_of_their_own_stays_true() -> None:
    service = young_service(age=14 * DAY)
    hours_of(make_cluster(service), [6] * 14 * 24, start=NOW - 14 * DAY, region="DE-BY")
    usual(service)
    StreamLevel.objects.update(day_n=None, day_e=None)
    forget_usual()

    known = usual(service, at=NOW + HOUR)

    assert known.shares_of(["DE-BY"], end_minute=6 * 60).share == pytest.approx([1.0], abs=0.05)
    assert StreamLevel.objects.filter(day_n=None).count() == 0


def test_a_region_that_was_never_heard_of_has_a_small_part_at_any_hour() -> None:
    service = young_service(age=14 * DAY)
    hours_of(make_cluster(service), [6] * 14 * 24, start=NOW - 14 * DAY, region="DE")

    known = usual(service)

    assert known.shares_of(["FR"], end_minute=6 * 60).share == pytest.approx([0.0], abs=0.01)


def test_the_running_hour_and_the_one_before_are_not_learnt_yet() -> None:
    service = young_service(age=2 * DAY)

    usual(service, at=NOW + 30 * MINUTE)

    assert ServiceProfile.objects.get().learned_until == NOW - HOUR


def test_an_hour_is_learnt_once() -> None:
    service = young_service(age=2 * DAY)
    hours_of(make_cluster(service), [6] * 48, start=NOW - 2 * DAY)
    usual(service)
    before = ServiceProfile.objects.values().get(), list(StreamLevel.objects.order_by("id").values())

    for minutes in (0, 1, 59):
        forget_usual()
        usual(service, at=NOW + minutes * MINUTE)

    assert (ServiceProfile.objects.values().get(), list(StreamLevel.objects.order_by("id").values())) == before


def test_hours_learnt_one_by_one_are_those_learnt_together() -> None:
    one_by_one, together = young_service(age=2 * DAY), young_service(age=2 * DAY)
    for service in (one_by_one, together):
        hours_of(make_cluster(service), [3, 5, 4, 6] * 14, start=NOW - 2 * DAY)

    for hour in range(9):
        usual(one_by_one, at=NOW + hour * HOUR)
    usual(together, at=NOW + 8 * HOUR)

    exposures = [sum(ServiceProfile.objects.get(service=service).slot_hours) for service in (one_by_one, together)]
    rates = [sum(ServiceProfile.objects.get(service=service).rates_per_hour) for service in (one_by_one, together)]
    assert exposures[0] == pytest.approx(exposures[1], rel=1e-6)
    assert rates[0] == pytest.approx(rates[1], rel=0.05)


def test_silent_hours_teach_too() -> None:
    service = young_service(age=7 * DAY)
    hours_of(make_cluster(service), [10], start=NOW - 7 * DAY)

    rates = usual(service).rates_per_hour

    assert rates.mean() < 0.3


def test_history_older_than_the_service_is_learnt() -> None:
    service = young_service(age=HOUR)
    hours_of(make_cluster(service), [6] * 7 * 24, start=NOW - 7 * DAY)

    rates = usual(service).rates_per_hour

    assert 5 < rates.mean() < 7


@pytest.mark.parametrize(("state", "teaches"), [(OutageState.RESOLVED, "little"), (OutageState.DISMISSED, "in full")])
def test_the_hours_of_an_outage_teach_little_unless_it_was_none(state: OutageState, teaches: str) -> None:
    quiet, ailing = young_service(age=20 * DAY), young_service(age=20 * DAY)
    for service in (quiet, ailing):
        hours_of(make_cluster(service), [4] * 19 * 24 + [12] * 24, start=NOW - 20 * DAY)
    make_outage(ailing, state=state, started_at=NOW - DAY, now=NOW - HOUR)

    learnt = {service.pk: sum(usual(service).rates_per_hour) for service in (quiet, ailing)}

    if teaches == "little":
        assert learnt[ailing.pk] < learnt[quiet.pk] - 5
    else:
        assert learnt[ailing.pk] == pytest.approx(learnt[quiet.pk])


def test_what_goes_on_for_longer_than_a_day_becomes_usual() -> None:
    service = young_service(age=20 * DAY)
    make_outage(service, started_at=NOW - 5 * DAY)

    frozen = learning._frozen_hours(service.pk, start=NOW - 5 * DAY, n_hours=120, now=NOW)

    assert frozen.sum() == 25  # its first day, from the hour it began to the one that closes the day


def test_an_outage_freezes_its_hours_only() -> None:
    service = young_service(age=20 * DAY)
    make_outage(service, state=OutageState.RESOLVED, started_at=NOW - 10 * HOUR, now=NOW - 8 * HOUR)
    make_outage(service, state=OutageState.RESOLVED, started_at=NOW - 90 * HOUR, now=NOW - 80 * HOUR)

    frozen = learning._frozen_hours(service.pk, start=NOW - 20 * HOUR, n_hours=20, now=NOW)

    assert frozen.nonzero()[0].tolist() == [10, 11, 12]


@pytest.mark.django_db(transaction=True)
def test_between_two_hours_it_is_remembered_with_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    service = young_service(age=2 * DAY)
    first = usual(service)

    with transaction.atomic(), django_assert_num_queries(1):
        again = what_is_usual(service_id=service.pk, now=NOW + 59 * MINUTE)

    assert again is first


@pytest.mark.django_db(transaction=True)
def test_what_another_process_learnt_meanwhile_is_noticed() -> None:
    service = young_service(age=2 * DAY)
    usual(service)
    kept = dict(learning._remembered)
    forget_usual()
    usual(service, at=NOW + 3 * HOUR)
    learning._remembered.clear()
    learning._remembered.update(kept)

    with mock.patch.object(learning, "_learn", side_effect=AssertionError("the hours were learnt twice")):
        found = usual(service, at=NOW + 3 * HOUR)

    assert found.profile.slot_hours.sum() == pytest.approx(sum(ServiceProfile.objects.get().slot_hours))


@pytest.mark.django_db(transaction=True)
def test_what_was_learnt_in_a_transaction_that_failed_is_learnt_again() -> None:
    service = young_service(age=2 * DAY)
    with transaction.atomic():
        what_is_usual(service_id=service.pk, now=NOW)
        transaction.set_rollback(True)

    usual(service)

    assert ServiceProfile.objects.get().learned_until == NOW - HOUR


@pytest.mark.parametrize("minutes", [(1, 1, 1), (1, 2, 3), (1, 9, 20)])
@pytest.mark.parametrize("region", ["", "DE-BY"])
def test_a_new_service_does_not_page_on_its_first_three_reports(minutes: Sequence[int], region: str) -> None:
    service = make_service()
    cluster = make_cluster(service)
    for minute in minutes:
        people(cluster, 1, region=region, at=NOW + minute * MINUTE)
        look(service, after=minute)

    assert not Outage.objects.exists()


def test_a_new_service_is_not_blind_either() -> None:
    service = make_service()
    cluster = make_cluster(service)
    people(cluster, 1, at=NOW + MINUTE)
    look(service, after=1)

    people(cluster, 6, region="DE-BY", at=NOW + 5 * MINUTE, minutes=5)
    watch(service, first=5, last=10)

    outage = Outage.objects.get()
    assert outage.state == OutageState.CONFIRMED
    assert outage.suspected_at <= NOW + 8 * MINUTE
