"""What other programs read, and the service they may make."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from reports.enums import EventKind, OutageState, Scope
from reports.models import Service
from tests.api.conftest import Caller
from tests.factories import NOW, add_event, make_cluster, make_outage, make_service, make_user


def test_services_are_listed_with_what_they_are(caller: Caller) -> None:
    make_service("mail", name="Mail", description="Mailboxes")
    make_service("chat", is_active=False, is_public=False, position=2)
    client = caller(Scope.READ)

    response = client.get("/api/v1/services")

    mail, chat = response.json()["services"]
    assert (mail["slug"], mail["name"], mail["description"], mail["is_active"]) == ("mail", "Mail", "Mailboxes", True)
    assert (chat["slug"], chat["is_active"], chat["is_public"], chat["position"]) == ("chat", False, False, 2)


def test_outages_are_listed_newest_first(caller: Caller) -> None:
    mail = make_service("mail")
    older = make_outage(mail, state=OutageState.RESOLVED, started_at=NOW - timedelta(days=1))
    newer = make_outage(mail, regions=["DE", "DE-BY"], scope_region="DE")
    client = caller(Scope.READ)

    response = client.get("/api/v1/outages")

    outages = response.json()["outages"]
    assert [outage["id"] for outage in outages] == [newer.pk, older.pk]
    assert outages[0]["service"] == "mail"
    assert outages[0]["regions"] == ["DE", "DE-BY"]
    assert outages[0]["suspected_at"] == "2026-03-04T11:53:00Z"
    assert outages[0]["resolved_at"] is None
    assert response.json()["next_before_id"] is None


def test_outages_are_filtered_by_state_and_service(caller: Caller) -> None:
    mail, chat = make_service("mail"), make_service("chat")
    make_outage(mail, state=OutageState.RESOLVED)
    wanted = make_outage(mail, state=OutageState.CONFIRMED)
    make_outage(chat, state=OutageState.CONFIRMED)
    client = caller(Scope.READ)

    response = client.get("/api/v1/outages?state=suspected,confirmed&service=mail")

    assert [outage["id"] for outage in response.json()["outages"]] == [wanted.pk]


def test_outages_are_read_page_by_page(caller: Caller) -> None:
    made = [make_outage(make_service()).pk for _ in range(5)]
    client = caller(Scope.READ)
    read: list[int] = []

    query = ""
    for _ in range(3):
        page = client.get(f"/api/v1/outages?limit=2{query}").json()
        read += [outage["id"] for outage in page["outages"]]
        query = f"&before={page['next_before_id']}"

    assert read == made[::-1]
    assert page["next_before_id"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=broken", "state"),
        ("state=", "state"),
        ("service=mall", "service"),
        ("service=%00", "service"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("limit=\u0663", "limit"),
        ("before=-1", "before"),
        ("before=99999999999999999999", "before"),
        ("page=2", "page"),
        ("limit=1&limit=2", "limit"),
    ],
)
def test_nonsense_in_the_query_is_named(caller: Caller, query: str, field: str) -> None:
    client = caller(Scope.READ)

    response = client.get(f"/api/v1/outages?{query}")

    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_an_outage_comes_with_its_events(caller: Caller) -> None:
    user = make_user(username="grace")
    outage = make_outage(make_service("mail"), state=OutageState.CONFIRMED)
    add_event(outage, EventKind.NOTED, at=NOW, actor=user, body={"text": "looking into it"})
    client = caller(Scope.READ)

    response = client.get(f"/api/v1/outages/{outage.pk}")

    story = response.json()
    assert story["id"] == outage.pk
    assert [event["kind"] for event in story["events"]] == ["suspected", "noted"]
    assert [event["actor"] for event in story["events"]] == ["", "grace"]
    assert story["events"][0]["body"]["observed"] == 41
    assert story["events"][1]["body"] == {"text": "looking into it"}


def test_an_outage_names_the_cluster_its_own_was_merged_into(caller: Caller) -> None:
    mail = make_service("mail")
    root = make_cluster(mail)
    middle = make_cluster(mail, merged_into=root)
    outage = make_outage(mail, cluster=make_cluster(mail, merged_into=middle))
    client = caller(Scope.READ)

    response = client.get(f"/api/v1/outages/{outage.pk}")

    assert response.json()["cluster_id"] == root.pk


@pytest.mark.parametrize("outage_id", ["0", "999", "99999999999999999999999"])
def test_an_outage_that_is_not_there_is_told(caller: Caller, outage_id: str) -> None:
    client = caller(Scope.READ)

    response = client.get(f"/api/v1/outages/{outage_id}")

    assert response.status_code == 404
    assert outage_id in response.json()["detail"]


def test_a_list_costs_few_queries_however_long_it_is(caller: Caller, django_assert_max_num_queries: Any) -> None:
    mail = make_service("mail")
    for _ in range(10):
        make_outage(mail, cluster=make_cluster(mail), assignee=make_user())
    client = caller(Scope.READ)
    client.get("/api/v1/services")

    with django_assert_max_num_queries(4):
        response = client.get("/api/v1/outages?service=mail")

    assert len(response.json()["outages"]) == 10


def test_a_service_is_made(caller: Caller) -> None:
    client = caller(Scope.MANAGE)

    response = client.post(
        "/api/v1/services", '{"slug": "mail", "name": "Mail", "is_public": false}', content_type="application/json"
    )

    assert response.status_code == 201
    assert response.json()["slug"] == "mail"
    made = Service.objects.get()
    assert (made.slug, made.name, made.is_public, made.is_active) == ("mail", "Mail", False, True)


def test_a_service_is_made_with_clocks_and_holidays(caller: Caller) -> None:
    body = '{"slug": "mail", "name": "Mail", "time_zone": "Europe/Berlin", "holidays": ["2026-12-25"]}'

    response = caller(Scope.MANAGE).post("/api/v1/services", body, content_type="application/json")

    assert response.status_code == 201
    assert (response.json()["time_zone"], response.json()["holidays"]) == ("Europe/Berlin", ["2026-12-25"])


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ('{"slug": "a", "name": "A", "time_zone": "Mars"}', 422, ["time_zone"]),
        ('{"slug": "a", "name": "A", "holidays": ["25 December"]}', 422, ["holidays[0]"]),
        ('{"slug": "Mail here", "name": ""}', 422, ["name", "slug"]),
        ('{"slug": "mail", "name": "Other"}', 422, ["slug"]),
        ('{"slug": "mail"}', 422, [""]),
        ('{"slug": 7, "name": "Mail"}', 422, ["slug"]),
        ('{"slug": "m", "name": "M", "colour": "red"}', 422, [""]),
        ('{"slug": ', 400, []),
    ],
)
def test_a_service_that_does_not_fit_is_told_field_by_field(
    caller: Caller, body: str, status: int, fields: list[str]
) -> None:
    make_service("mail")
    client = caller(Scope.MANAGE)

    response = client.post("/api/v1/services", body, content_type="application/json")

    assert response.status_code == status
    assert sorted(error["field"] for error in response.json().get("errors", [])) == fields
    assert Service.objects.count() == 1
