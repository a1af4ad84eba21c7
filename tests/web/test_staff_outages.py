"""The dashboard and the page of an outage, as HTML."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from reports.enums import EventKind, OutageState, Role
from reports.intake.ids import uuid7
from reports.models import Outage, OutageEvent
from tests.factories import (
    add_event,
    count_reports,
    make_batch,
    make_cluster,
    make_outage,
    make_report,
    make_service,
    make_source_alarm,
    make_user,
)

pytestmark = pytest.mark.django_db

HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>'


@pytest.fixture
def responder() -> Client:
    client = Client()
    client.force_login(make_user(Role.RESPONDER, username="ada"))
    return client


def make_current_outage(**fields: Any) -> Outage:
    now = timezone.now()
    return make_outage(make_service("mail", name="Mail"), started_at=now - timedelta(minutes=9), now=now, **fields)


def test_an_empty_dashboard_says_how_to_begin(responder: Client) -> None:
    assert "There is no service yet" in responder.get("/dashboard").text


def test_a_quiet_dashboard_says_how_to_see_something(responder: Client) -> None:
    make_service()

    page = responder.get("/dashboard").text

    assert "Nothing unusual right now" in page
    assert "manage.py drill" in page


def test_a_card_holds_what_one_has_to_know(responder: Client) -> None:
    outage = make_current_outage(regions=["DE"], scope_region="DE")

    page = responder.get("/dashboard").text

    for words in (
        "Mail</bdi>: <bdi>log in fails",
        "Suspected",
        "Germany",
        "41 reports in 5 min; usual is 2",
        "Unassigned",
    ):
        assert words in page
    assert f'action="/dashboard/outages/{outage.pk}/confirm"' in page


def test_a_script_gets_the_changing_part_alone(responder: Client) -> None:
    outage = make_current_outage()

    for path in ("/dashboard", f"/dashboard/outages/{outage.pk}"):
        fragment = responder.get(path, headers={"HX-Request": "true"}).text
        assert '<div id="live"' in fragment
        assert "<html" not in fragment


def test_a_backlog_is_told_in_numbers_before_it_is_late(responder: Client) -> None:
    make_batch(make_service("mail"), at=timezone.now(), report_ids=[uuid7(timezone.now()) for _ in range(3_200)])

    page = responder.get("/dashboard").text

    assert "3,200 reports wait to be grouped, the oldest for" in page
    assert "older than promised" not in page


def test_data_older_than_promised_are_announced(responder: Client) -> None:
    make_batch(make_service(), at=timezone.now() - timedelta(minutes=3))

    assert "What you see is older than promised" in responder.get("/dashboard").text


def test_a_silent_source_is_a_notice_of_its_own_and_its_name_stays_text(responder: Client) -> None:
    make_source_alarm(key_name="<b>shop</b>", since=timezone.now() - timedelta(hours=3), usual_per_hour=40)

    page = responder.get("/dashboard").text

    assert "A source of reports is silent" in page
    assert "No reports from key “&lt;b&gt;shop&lt;/b&gt;” (REST) for 3 h" in page
    assert 'href="/dashboard/keys"' not in page  # for admins alone


def test_an_admin_is_led_to_the_keys_from_a_silent_source() -> None:
    client = Client()
    client.force_login(make_user(Role.ADMIN))
    make_source_alarm(key_name="shop", since=timezone.now())

    page = client.get("/dashboard", headers={"HX-Request": "true"}).text

    assert 'href="/dashboard/keys"' in page


def test_what_reporters_and_people_wrote_stays_text(responder: Client) -> None:
    outage = make_current_outage(label=HOSTILE[:200])
    cluster = make_cluster(outage.service, label=HOSTILE)
    now = timezone.now()
    count_reports(cluster, 3, at=now - timedelta(minutes=1))
    report = make_report(outage.service, HOSTILE, at=now - timedelta(minutes=1), cluster=cluster)
    cluster.typical_report_id = report.id
    cluster.save()
    add_event(outage, EventKind.NOTED, actor=make_user(username="mallory"), body={"text": HOSTILE})

    pages = [responder.get("/dashboard").text, responder.get(f"/dashboard/outages/{outage.pk}").text]

    for page in pages:
        assert "&lt;script&gt;alert" in page
        assert "<script>alert" not in page
        assert "<img src=x" not in page


@pytest.mark.parametrize(("is_public", "words"), [(True, "Confirm and publish<"), (False, "Confirm<")])
def test_the_button_says_when_confirming_publishes(responder: Client, is_public: bool, words: str) -> None:
    make_outage(make_service(is_public=is_public), state=OutageState.CONFIRMED)

    assert words in responder.get("/dashboard").text


def test_confirming_leads_back_and_says_so(responder: Client) -> None:
    outage = make_current_outage()

    response = responder.post(f"/dashboard/outages/{outage.pk}/confirm", {"next": "/dashboard"}, follow=True)

    assert response.redirect_chain == [("/dashboard", 302)]
    assert "Confirmed." in response.text
    assert Outage.objects.get().is_confirmed_by_person


def test_confirming_twice_is_no_error(responder: Client) -> None:
    outage = make_current_outage()

    for _ in range(2):
        response = responder.post(f"/dashboard/outages/{outage.pk}/confirm", follow=True)

    assert "That had been done already." in response.text
    assert OutageEvent.objects.filter(actor__isnull=False).count() == 1


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "javascript:alert(1)", "\\\\evil", ""])
def test_an_act_leads_to_no_other_site(responder: Client, back: str) -> None:
    outage = make_current_outage()

    response = responder.post(f"/dashboard/outages/{outage.pk}/note", {"text": "Looking", "next": back})

    assert response.headers["Location"] == f"/dashboard/outages/{outage.pk}"


def test_an_act_that_does_not_fit_the_state_is_explained(responder: Client) -> None:
    outage = make_current_outage(state=OutageState.DISMISSED)

    response = responder.post(f"/dashboard/outages/{outage.pk}/confirm", follow=True)

    assert "Can&#x27;t confirm an outage that is dismissed" in response.text


def test_dismissing_without_a_reason_is_explained(responder: Client) -> None:
    outage = make_current_outage()

    response = responder.post(f"/dashboard/outages/{outage.pk}/dismiss", {"reason": " "}, follow=True)

    assert "A reason is missing" in response.text
    assert Outage.objects.get().state == OutageState.SUSPECTED


@pytest.mark.parametrize("assignee", ["x", "-1", "٣", "99999999999999999999", "4711"])
def test_assigning_to_nonsense_is_explained(responder: Client, assignee: str) -> None:
    outage = make_current_outage()

    response = responder.post(f"/dashboard/outages/{outage.pk}/assign", {"assignee": assignee})

    assert response.status_code in {302, 404}
    assert Outage.objects.get().assignee is None


def test_an_outage_is_assigned_from_the_list_of_those_who_may_act(responder: Client) -> None:
    outage, grace = make_current_outage(), make_user(Role.ADMIN, username="grace")

    page = responder.post(f"/dashboard/outages/{outage.pk}/assign", {"assignee": str(grace.pk)}, follow=True).text

    assert "Assigned to grace" in page
    assert "<strong>Assigned</strong> to grace" in page


@pytest.mark.parametrize("outage_id", ["4711", "99999999999999999999999"])
@pytest.mark.parametrize("suffix", ["", "/confirm"])
def test_an_outage_that_is_not_there_is_not_found(responder: Client, outage_id: str, suffix: str) -> None:
    path = f"/dashboard/outages/{outage_id}{suffix}"

    response = responder.post(path) if suffix else responder.get(path)

    assert response.status_code == 404
    assert f"There is no outage {outage_id}." in response.text


def test_an_unknown_act_is_not_found(responder: Client) -> None:
    outage = make_current_outage()

    assert responder.post(f"/dashboard/outages/{outage.pk}/explode").status_code == 404


def test_an_act_is_not_done_by_a_link(responder: Client) -> None:
    outage = make_current_outage()

    assert responder.get(f"/dashboard/outages/{outage.pk}/confirm").status_code == 405


def test_an_outage_page_holds_figures_reports_and_timeline(responder: Client) -> None:
    outage = make_current_outage()
    cluster = make_cluster(outage.service)
    now = timezone.now()
    count_reports(cluster, 3, region="DE-BY", at=now - timedelta(minutes=1))
    make_report(outage.service, "", region="DE-BY", symptom="login", at=now - timedelta(minutes=1), cluster=cluster)

    page = responder.get(f"/dashboard/outages/{outage.pk}").text

    for words in (
        "Bayern, Germany",
        "symptom: Can&#x27;t log in",
        "by the detector",
        'id="chart-figures"',
        'data-numeric="276"',
    ):
        assert words in page
