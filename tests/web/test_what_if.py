"""The pages "what would have happened": who may ask, what nonsense gets, what an answer says."""

from __future__ import annotations

import pytest
from django.test import Client

from reports.detection.what_if import answer_pending
from reports.enums import OutageState, Role, WhatIfState
from reports.models import WhatIf
from tests.detection.pasts import HOUR, MINUTE, a_burst, a_service_with_a_past, ask
from tests.factories import NOW, make_outage, make_service, make_user

pytestmark = pytest.mark.django_db

ADDRESS = "/dashboard/what-if"


def client_of(role: Role) -> Client:
    client = Client()
    client.force_login(make_user(role))
    return client


@pytest.fixture
def responder() -> Client:
    return client_of(Role.RESPONDER)


def test_asking_leads_to_the_question(responder: Client) -> None:
    make_service("mail", name="Mail")

    page = responder.post(ADDRESS, {"service": "mail", "days": "7", "budget": "0.25"}, follow=True)

    question = WhatIf.objects.get()
    assert page.redirect_chain == [(f"{ADDRESS}/{question.pk}", 302)]
    assert "7 days with 0.25 false alarms a month" in page.text
    assert "It waits for a worker." in page.text
    assert "Reload the page" in page.text


def test_asking_twice_is_asking_once(responder: Client) -> None:
    responder.post(ADDRESS, {"days": "7", "budget": "4"})

    page = responder.post(ADDRESS, {"days": "7", "budget": "4"}, follow=True)

    assert "That has been asked already" in page.text
    assert WhatIf.objects.count() == 1


def test_nonsense_is_told_beside_its_field_and_what_was_typed_is_kept(responder: Client) -> None:
    page = responder.post(ADDRESS, {"service": "<b>", "days": "99", "budget": "much"})

    assert page.status_code == 422
    assert [f'id="{name}-error"' in page.text for name in ("service", "days", "budget")] == [True] * 3
    assert "&#x27;99&#x27; can’t be. Write a whole number from 1 to 14." in page.text
    assert 'value="much"' in page.text
    assert "<b>" not in page.text
    assert not WhatIf.objects.exists()


def test_an_empty_form_is_answered_with_words(responder: Client) -> None:
    assert responder.post(ADDRESS, {}).status_code == 422


def test_a_viewer_looks_but_does_not_ask() -> None:
    viewer, question = client_of(Role.VIEWER), ask()

    seen, sent = viewer.get(ADDRESS), viewer.post(ADDRESS, {"days": "7", "budget": "4"})

    assert (seen.status_code, sent.status_code) == (200, 403)
    assert '<form class="form"' not in seen.text
    assert viewer.get(f"{ADDRESS}/{question.pk}").status_code == 200
    assert WhatIf.objects.count() == 1


@pytest.mark.parametrize("path", [ADDRESS, f"{ADDRESS}/1"])
def test_a_stranger_is_sent_to_the_login(client: Client, path: str) -> None:
    assert client.get(path).headers["Location"] == f"/login?next={path}"


@pytest.mark.parametrize("number", ["4711", "99999999999999999999999"])
def test_a_question_that_is_not_there_is_not_found(responder: Client, number: str) -> None:
    assert responder.get(f"{ADDRESS}/{number}").status_code == 404


def test_an_answer_stands_beside_what_was_found(responder: Client) -> None:
    service = a_service_with_a_past()
    a_burst(service, 6, at=NOW - 5 * HOUR)
    at = NOW - 5 * HOUR
    outage = make_outage(
        service, state=OutageState.RESOLVED, started_at=at, suspected_at=at + 5 * MINUTE, confirmed_at=None,
        resolved_at=at + HOUR, label="<i>",
    )  # fmt: skip
    a_burst(a_service_with_a_past(), 3, at=NOW - 5 * HOUR)
    question = ask(budget=4.0)
    answer_pending(now=NOW)

    page = responder.get(f"{ADDRESS}/{question.pk}").text

    assert f"Outage {outage.pk}</a>: <bdi>&lt;i&gt;</bdi>" in page
    assert "(2 min earlier)" in page
    assert "(1 min earlier)" in page
    assert "Would have been suspected besides" in page
    assert page.count('class="lane-found"') == 1
    assert page.count('class="lane-asked"') == 2
    assert 'id="waiting"' not in page


def test_a_question_that_failed_says_why(responder: Client) -> None:
    question = ask(state=WhatIfState.FAILED, failure="Ask for fewer days.", finished_at=NOW)

    assert "Ask for fewer days." in responder.get(f"{ADDRESS}/{question.pk}").text


def test_a_script_gets_the_changing_part_alone(responder: Client) -> None:
    question = ask(state=WhatIfState.RUNNING, progress=40, heard_at=NOW)

    part = responder.get(f"{ADDRESS}/{question.pk}", headers={"HX-Request": "true"}).text

    assert part.lstrip().startswith('<div id="live"')
    assert "40 %" in part


def test_the_navigation_leads_there(responder: Client) -> None:
    assert f'href="{ADDRESS}"' in responder.get("/dashboard").text
