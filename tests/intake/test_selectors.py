"""What the form and the receipt are told by intake."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError

from reports.errors import NotFound, StoreUnavailable
from reports.intake.receipts import receipt_token
from reports.intake.selectors import forget_choices, report_facts, services_to_choose, symptoms_to_choose
from reports.models import Service
from tests.factories import NOW, make_cluster, make_report, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_chosen_before() -> Iterator[None]:
    forget_choices()
    yield
    forget_choices()


def reported(service: Service, symptom: str, n_reporters: int, *, ago: timedelta = timedelta(minutes=5)) -> None:
    cluster = make_cluster(service)
    for number in range(n_reporters):
        make_report(service, symptom=symptom, reporter=f"{number:16}".encode(), cluster=cluster, at=NOW - ago)


def numbers(service: Service) -> dict[str, int | None]:
    return {choice.value: choice.n_reporters for choice in symptoms_to_choose(service_id=service.pk, now=NOW)}


def test_only_active_public_services_are_offered_in_the_order_of_staff() -> None:
    make_service("b", position=2)
    make_service("a", position=1)
    make_service("hidden", is_public=False)
    make_service("gone", is_active=False)

    offered = services_to_choose()

    assert [service.slug for service in offered] == ["a", "b"]


def test_while_the_database_is_away_the_services_are_remembered() -> None:
    make_service("mail")
    before = services_to_choose()

    with mock.patch.object(Service.objects, "public", side_effect=OperationalError):
        during = services_to_choose()

    assert during == before


def test_without_a_memory_an_absent_database_is_said() -> None:
    with mock.patch.object(Service.objects, "public", side_effect=OperationalError), pytest.raises(StoreUnavailable):
        services_to_choose()


def test_a_symptom_that_enough_people_report_comes_first_with_its_number() -> None:
    service = make_service("mail")
    reported(service, "slow", 10)
    reported(service, "login", 14)

    offered = symptoms_to_choose(service_id=service.pk, now=NOW)

    assert [(choice.value, choice.n_reporters) for choice in offered[:3]] == [
        ("login", 14),
        ("slow", 10),
        ("down", None),
    ]
    assert offered[-1].value == "other"


def test_few_reporters_are_not_told_in_public() -> None:
    service = make_service("mail")
    reported(service, "slow", 9)

    assert numbers(service)["slow"] is None


def test_one_reporter_counts_once_however_often_they_report() -> None:
    service = make_service("mail")
    reported(service, "slow", 9)
    reported(service, "slow", 9, ago=timedelta(minutes=50))

    assert numbers(service)["slow"] is None


def test_what_was_reported_earlier_is_not_now() -> None:
    service = make_service("mail")
    reported(service, "slow", 20, ago=timedelta(minutes=61))

    assert numbers(service)["slow"] is None


def test_another_service_does_not_count() -> None:
    service = make_service("mail")
    reported(make_service("chat"), "slow", 20)

    assert numbers(service)["slow"] is None


def test_the_numbers_cost_one_query_and_then_none_for_some_seconds(django_assert_num_queries: Any) -> None:
    service = make_service("mail")

    with django_assert_num_queries(1):
        symptoms_to_choose(service_id=service.pk, now=NOW)
        symptoms_to_choose(service_id=service.pk, now=NOW + timedelta(seconds=4))


def test_without_a_service_nothing_is_asked(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        offered = symptoms_to_choose(service_id=None, now=NOW)

    assert len(offered) == 9


def test_a_receipt_tells_what_is_stored() -> None:
    service = make_service("mail", name="Mail")
    report = make_report(service, "no mail since ten", region="DE-BY", symptom="down")

    facts = report_facts(receipt_token(report.id))

    assert (facts.service_name, facts.text, facts.region) == ("Mail", "no mail since ten", "DE-BY")
    assert facts.symptom_label == "Nothing works"


@pytest.mark.parametrize("token", ["", "abc", "abc.def", "AaIF42AyfIqtC0DArivcoA.wrong", "\x00", "é" * 50])
def test_a_token_that_is_not_ours_finds_nothing(token: str) -> None:
    with pytest.raises(NotFound):
        report_facts(token)


def test_a_report_that_is_kept_no_longer_is_not_found() -> None:
    report = make_report(make_service("mail"))
    token = receipt_token(report.id)
    report.delete()

    with pytest.raises(NotFound, match="not kept"):
        report_facts(token)
