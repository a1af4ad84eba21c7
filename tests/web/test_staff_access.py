"""Who gets which of the staff's pages, and what the others are told."""

from __future__ import annotations

import pytest
from django.test import Client

from reports.enums import OutageState, Role
from reports.models import ApiKey, Outage, Service
from tests.factories import PASSWORD, make_outage, make_service, make_user

pytestmark = pytest.mark.django_db

PAGES = ["/dashboard", "/dashboard/services", "/dashboard/keys"]


def client_of(role: Role | None) -> Client:
    client = Client()
    client.force_login(make_user(role))
    return client


@pytest.mark.parametrize("path", [*PAGES, "/dashboard/outages/1", "/dashboard/services/1"])
def test_a_stranger_is_sent_to_the_login_and_back(client: Client, path: str) -> None:
    response = client.get(path)

    assert (response.status_code, response.headers["Location"]) == (302, f"/login?next={path}")


def test_logging_in_leads_to_where_one_wanted_to_go(client: Client) -> None:
    user = make_user(Role.VIEWER)

    response = client.post("/login", {"username": user.username, "password": PASSWORD, "next": "/dashboard/outages/7"})

    assert response.headers["Location"] == "/dashboard/outages/7"


def test_logging_in_leads_nowhere_else(client: Client) -> None:
    user = make_user(Role.VIEWER)

    response = client.post("/login", {"username": user.username, "password": PASSWORD, "next": "//evil.example/x"})

    assert response.headers["Location"] == "/dashboard"


def test_a_wrong_password_is_told_without_saying_what_is_wrong(client: Client) -> None:
    user = make_user(Role.VIEWER)

    response = client.post("/login", {"username": user.username, "password": "no"})

    assert response.status_code == 200
    assert "don’t fit together" in response.text
    assert "<title>Log in · Outcry</title>" in response.text


def test_a_page_whose_session_ended_goes_to_the_login_as_a_whole(client: Client) -> None:
    response = client.get(
        "/dashboard", headers={"HX-Request": "true", "HX-Current-URL": "http://x/dashboard/outages/3"}
    )

    assert (response.status_code, response.headers["HX-Redirect"]) == (204, "/login?next=%2Fdashboard%2Foutages%2F3")


def test_an_account_without_a_role_is_told_so() -> None:
    response = client_of(None).get("/dashboard")

    assert response.status_code == 403
    assert "has no role yet" in response.text


@pytest.mark.parametrize("role", [Role.VIEWER, Role.RESPONDER])
@pytest.mark.parametrize("path", PAGES[1:])
def test_services_and_keys_are_the_admins(role: Role, path: str) -> None:
    client = client_of(role)

    read, sent = client.get(path), client.post(path, {"slug": "mail", "name": "Mail", "scopes": "intake"})

    assert (read.status_code, sent.status_code) == (403, 403)
    assert "takes the role admin" in read.text
    assert not Service.objects.exists()
    assert not ApiKey.objects.exists()


def test_a_viewer_sees_outages_and_is_offered_no_act() -> None:
    outage = make_outage(make_service("mail", name="Mail"))
    client = client_of(Role.VIEWER)

    pages = [client.get("/dashboard").text, client.get(f"/dashboard/outages/{outage.pk}").text]

    for page in pages:
        assert "Mail</bdi>: <bdi>log in fails" in page
        assert "/confirm" not in page
        assert "/note" not in page


@pytest.mark.parametrize("word", ["confirm", "dismiss", "assign", "note", "resolve"])
def test_a_viewer_who_acts_all_the_same_is_refused(word: str) -> None:
    outage = make_outage(make_service(), state=OutageState.CONFIRMED)

    response = client_of(Role.VIEWER).post(f"/dashboard/outages/{outage.pk}/{word}", {"reason": "x", "text": "x"})

    assert response.status_code == 403
    assert "takes a responder" in response.text
    assert Outage.objects.get().state == OutageState.CONFIRMED


@pytest.mark.parametrize("path", PAGES)
def test_no_cache_keeps_a_page(path: str) -> None:
    response = client_of(Role.ADMIN).get(path)

    assert "no-store" in response.headers["Cache-Control"]
    assert "HX-Request" in response.headers["Vary"]


def test_acts_need_the_forms_token() -> None:
    outage = make_outage(make_service())
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user(Role.RESPONDER))

    response = client.post(f"/dashboard/outages/{outage.pk}/confirm")

    assert response.status_code == 403
    assert Outage.objects.get().state == OutageState.SUSPECTED


def test_logging_out_takes_a_form_and_ends_the_session() -> None:
    client = client_of(Role.VIEWER)

    assert client.get("/logout").status_code == 405
    assert client.post("/logout").status_code == 302
    assert client.get("/dashboard").status_code == 302
