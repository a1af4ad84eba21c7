"""Services as staff manage them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from reports.enums import Role
from reports.errors import NotAllowed
from reports.intake.catalogue import find_service
from reports.models import Service
from reports.triage.catalogue import InvalidService, create_service, edit_service, managed_services
from tests.factories import NOW, make_service, make_user

pytestmark = pytest.mark.django_db


def test_a_new_service_takes_reports_at_once() -> None:
    find_service("mail")

    create_service(slug=" Mail ", name="  Mail   for all ", actor_id=make_user(Role.ADMIN).pk, now=NOW)

    found = find_service("mail for ALL")
    assert found is not None
    assert found.slug == "mail"


def test_a_new_service_stands_last() -> None:
    make_service("first", position=7)

    service = create_service(slug="second", name="Second", now=NOW)

    assert service.position == 8


@pytest.mark.parametrize("slug", ["", "two words", "-dash", "größe", "x" * 64, "line\n", "a/b"])
def test_a_slug_that_breaks_the_rules_is_named_beside_its_field(slug: str) -> None:
    with pytest.raises(InvalidService) as invalid:
        create_service(slug=slug.replace("line\n", "li\nne"), name="Mail", now=NOW)

    assert [error.field for error in invalid.value.errors] == ["slug"]


def test_all_wrong_fields_are_told_at_once() -> None:
    with pytest.raises(InvalidService) as invalid:
        create_service(slug="", name=" ", description="x" * 301, position=-1, now=NOW)

    assert {error.field for error in invalid.value.errors} == {"slug", "name", "description", "position"}


def test_a_name_that_already_means_another_service_is_refused() -> None:
    make_service("mail", name="Post")

    with pytest.raises(InvalidService, match="Post"):
        create_service(slug="other", name="MAIL", now=NOW)


def test_a_service_keeps_its_own_name_when_it_is_edited() -> None:
    service = make_service("mail", name="Mail")

    edited = edit_service(
        service_id=service.pk, slug="mail", name="Mail", description="Letters", is_active=False, is_public=False,
        position=3, actor_id=make_user(Role.ADMIN).pk,
    )  # fmt: skip

    assert (edited.description, edited.is_active, edited.position) == ("Letters", False, 3)
    assert find_service("mail") is None


def test_a_responder_does_not_manage_services() -> None:
    with pytest.raises(NotAllowed, match="admin"):
        create_service(slug="mail", name="Mail", actor_id=make_user(Role.RESPONDER).pk, now=NOW)

    assert managed_services() == ()


def test_a_service_has_clocks_and_holidays() -> None:
    christmas, may_day = date(2026, 12, 25), date(2026, 5, 1)

    made = create_service(
        slug="mail", name="Mail", time_zone=" Europe/Berlin ", holidays=[christmas, may_day, christmas], now=NOW
    )

    assert (made.time_zone, made.holidays) == ("Europe/Berlin", (may_day, christmas))
    assert Service.objects.get().zone.key == "Europe/Berlin"


def test_without_a_time_zone_of_its_own_it_has_the_installations(settings: Any) -> None:
    settings.SERVICE_TIME_ZONE = "Asia/Tokyo"
    create_service(slug="mail", name="Mail", now=NOW)

    assert Service.objects.get().zone.key == "Asia/Tokyo"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "Europe", "a\x00b", "x" * 300])
def test_a_time_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(InvalidService, match="time_zone: Is not known"):
        create_service(slug="mail", name="Mail", time_zone=zone, now=NOW)


def test_too_many_holidays_are_refused() -> None:
    days = [date(2026, 1, 1) + timedelta(days=i) for i in range(401)]

    with pytest.raises(InvalidService, match="holidays: Are 401 days"):
        create_service(slug="mail", name="Mail", holidays=days, now=NOW)
