"""The report form as the server sees it: what is taken, what is refused beside which field, and what is kept."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from reports.enums import Channel, Suspicion
from reports.errors import FieldError, InvalidReport, StoreUnavailable
from reports.intake.contract import MAX_TEXT_CHARS
from reports.intake.receipts import report_of
from reports.models import Report, ReportContact, Service
from reports.web import forms, public
from tests.factories import make_service

pytestmark = pytest.mark.django_db(transaction=True)  # the writer has a thread of its own

NONCE = "a-nonce-of-this-rendering"


@pytest.fixture
def service() -> Service:
    return make_service(name="Mail")


def send(_service: Service | None, **fields: str) -> Any:
    given = {"service": _service.slug if _service else "", "nonce": NONCE, "country": ""} | fields
    return Client().post("/report", given, headers={"User-Agent": "test"})


def errors_of(response: Any) -> dict[str, str]:
    """Return the message beside each field, as the page shows it."""
    page = response.content.decode()
    found = re.findall(r'<p class="error" id="(\w+)-error">(.*?)</p>', page, re.DOTALL)
    return {field: html.unescape(message) for field, message in found}


def test_a_report_is_stored_and_answered_with_its_receipt(service: Service) -> None:
    response = send(
        service, symptom="login", text="I can't get in", country="DE", subdivision="DE-BY", contact="me@example.org"
    )

    assert response.status_code == 303
    report = Report.objects.get(id=report_of(response.headers["Location"].removeprefix("/receipt/")))
    assert (report.text, report.symptom, report.region) == ("I can't get in", "login", "DE-BY")
    assert report.channel == Channel.FORM
    assert len(report.reporter) == 16
    assert ReportContact.objects.get().address == "me@example.org"


def test_a_symptom_alone_is_a_report(service: Service) -> None:
    response = send(service, symptom="down")

    assert response.status_code == 303
    assert Report.objects.get().text == ""


def test_the_same_form_sent_twice_is_one_report(service: Service) -> None:
    first = send(service, text="slow")
    second = send(service, text="slow")

    assert first.headers["Location"] == second.headers["Location"]
    assert Report.objects.count() == 1


def test_the_same_form_sent_again_with_another_text_is_another_report(service: Service) -> None:
    send(service, text="slow")
    response = send(service, text="slow, and now it is down")

    assert response.status_code == 303
    assert Report.objects.count() == 2


def test_two_renderings_with_the_same_text_are_two_reports(service: Service) -> None:
    send(service, text="slow")
    send(service, text="slow", nonce="another-nonce-of-another-page")

    assert Report.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({}, "text", forms.SAY_SOMETHING),
        ({"text": " \r\n "}, "text", forms.SAY_SOMETHING),
        (
            {"text": "x" * (MAX_TEXT_CHARS + 1)},
            "text",
            "What you wrote has 4,001 characters; at most 4,000 are",
        ),
        ({"text": "a\x07b"}, "text", "What you wrote holds a control character (U+0007) at character 2. Remove it."),
        ({"text": "a\x00"}, "text", "What you wrote holds a control character (U+0000) at character 2. Remove it."),
        (
            {"text": "abc\u202edef"},
            "text",
            "What you wrote holds a text direction control (U+202E) at character 4.",
        ),
        ({"symptom": "made up", "text": "x"}, "symptom", forms.UNKNOWN_SYMPTOM),
        ({"text": "x", "country": "ZZ"}, "region", forms.UNKNOWN_REGION),
        ({"text": "x", "country": "DE", "subdivision": "DE-XX"}, "region", forms.UNKNOWN_REGION),
        ({"text": "x", "country": "DE", "subdivision": "nonsense"}, "region", forms.UNKNOWN_REGION),
        ({"text": "x", "country": "x" * 500}, "region", forms.UNKNOWN_REGION),
        ({"text": "x", "service": ""}, "service", forms.CHOOSE_A_SERVICE),
        ({"text": "x", "service": "made-up"}, "service", forms.UNKNOWN_SERVICE),
        ({"text": "x", "service": "\x00" * 200}, "service", forms.UNKNOWN_SERVICE),
        ({"text": "x", "contact": "a@b"}, "contact", "'a@b' is no e-mail address. Write one such as name@example.org"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    service: Service, fields: dict[str, str], field: str, message: str
) -> None:
    response = send(service, **fields)

    assert response.status_code == 422
    errors = errors_of(response)
    assert list(errors) == [field]
    assert errors[field].startswith(message)
    assert not Report.objects.exists()


def test_everything_that_is_wrong_is_said_at_once(service: Service) -> None:
    response = send(None, text="a\x07", country="ZZ", contact="nobody")

    assert list(errors_of(response)) == ["service", "text", "region", "contact"]


def test_a_service_the_public_may_not_see_is_not_taken_nor_named() -> None:
    make_service("mail")
    make_service("secret-project", is_public=False)

    response = Client().post("/report", {"service": "secret-project", "text": "x", "nonce": NONCE})

    assert errors_of(response) == {"service": forms.UNKNOWN_SERVICE}
    assert "secret-project" not in response.content.decode()


def test_line_breaks_count_once_as_the_reporter_counts_them(service: Service) -> None:
    response = send(service, text="x\r\n" * (MAX_TEXT_CHARS // 2))

    assert response.status_code == 303


def test_a_subdivision_left_over_from_another_country_is_let_go(service: Service) -> None:
    send(service, text="x", country="DE", subdivision="US-CA")

    assert Report.objects.get().region == "DE"


def test_a_reporter_who_would_rather_not_say_is_not_located(service: Service) -> None:
    with mock.patch.object(public, "country_of_address", return_value="DE"):
        send(service, text="x", country="", subdivision="DE-BY")

    assert Report.objects.get().region == ""


def test_what_was_typed_is_shown_again_and_escaped(service: Service) -> None:
    response = send(service, text="<script>alert(1)</script>", country="DE", subdivision="DE-BY", contact='"><b>')

    page = response.content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;</textarea>" in page
    assert "<script>alert" not in page
    assert 'value="&quot;&gt;&lt;b&gt;"' in page
    assert '<option value="DE-BY" selected>' in page


def test_update_asks_for_nothing_and_keeps_what_was_typed(service: Service) -> None:
    response = send(service, text="half a sentence", country="FR", contact="not yet", update="1")

    page = response.content.decode()
    assert response.status_code == 200
    assert errors_of(response) == {}
    assert "half a sentence</textarea>" in page
    assert 'value="FR-75C"' in page
    assert not Report.objects.exists()


def test_the_country_is_guessed_from_the_address(service: Service) -> None:
    response = Client(REMOTE_ADDR="193.0.6.139").get("/report")

    assert '<option value="NL" selected>' in response.content.decode()


def test_a_linked_form_has_its_service_already() -> None:
    service = make_service(name="Mail")
    make_service(name="Chat")

    response = Client().get(f"/report/{service.slug}")

    assert f'name="service" id="id_service" value="{service.slug}"' in response.content.decode()


def test_a_slug_may_hold_dots() -> None:
    service = make_service("api.v2_beta-1", name="API")

    assert "Report a problem with API" in Client().get(f"/report/{service.slug}").content.decode()


def test_a_link_to_a_service_that_is_not_there_says_so() -> None:
    make_service("hidden", is_public=False)

    for slug in ("nothing", "hidden"):
        response = Client().get(f"/report/{slug}")

        assert response.status_code == 404
        assert "There is no such service" in response.content.decode()


def test_without_any_service_the_form_says_what_to_do() -> None:
    response = Client().get("/report")

    assert response.status_code == 200
    assert "There is no service to report about yet" in response.content.decode()


def test_while_the_store_is_away_the_text_is_kept(service: Service) -> None:
    Client().get("/report")

    with (
        mock.patch.object(public, "accept_report", side_effect=StoreUnavailable("away")),
        mock.patch.object(Service.objects, "public", side_effect=OperationalError),
    ):
        response = send(service, text="half a page of text")

    page = response.content.decode()
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert "half a page of text</textarea>" in page
    assert f'name="nonce" value="{NONCE}"' in page
    assert "send it again" in page


def test_a_database_that_goes_away_on_the_way_is_no_failure_of_ours(service: Service) -> None:
    Client().get("/report")

    with mock.patch("reports.intake.catalogue.Service.objects.active", side_effect=OperationalError):
        response = send(service, text="half a page of text")

    assert response.status_code == 503
    assert "half a page of text</textarea>" in response.content.decode()


def test_a_service_that_has_just_gone_is_refused_without_naming_others(service: Service) -> None:
    make_service("secret-project", is_public=False)
    with mock.patch.object(
        public, "accept_report", side_effect=InvalidReport([FieldError("service", "secret-project")])
    ):
        response = send(service, text="x")

    assert errors_of(response) == {"service": forms.UNKNOWN_SERVICE}


def test_a_form_from_elsewhere_is_refused_with_a_way_on(service: Service) -> None:
    response = Client(enforce_csrf_checks=True).post("/report", {"service": service.slug, "text": "x"})

    assert response.status_code == 403
    assert "Please send that again" in response.content.decode()


def test_the_form_is_not_kept_by_anybody(service: Service) -> None:
    response = Client().get("/report")

    assert "no-store" in response.headers["Cache-Control"]


def test_the_network_address_is_stored_nowhere(service: Service) -> None:
    Client(REMOTE_ADDR="193.0.6.139").post(
        "/report", {"service": service.slug, "text": "slow", "nonce": NONCE}, headers={"User-Agent": "test"}
    )

    stored = repr(Report.objects.values().get())
    assert "193.0.6.139" not in stored


def test_who_fills_the_field_nobody_sees_gets_a_receipt_and_is_held_back(service: Service) -> None:
    seen = forms.form_mark(NONCE, now=timezone.now() - timedelta(minutes=1))

    answers = [send(service, text=f"no {trap}", mark=seen, reference=trap) for trap in ("", "https://example.org")]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert sorted(Report.objects.values_list("suspicion", flat=True)) == ["", Suspicion.TRAP]


def test_who_sends_the_form_at_once_gets_a_receipt_and_is_held_back(service: Service) -> None:
    browser = Client()
    page = browser.get("/report").content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))

    response = browser.post("/report", hidden | {"service": service.slug, "symptom": "down"})

    assert response.status_code == 303
    assert Report.objects.get().suspicion == Suspicion.TOO_FAST


def test_a_form_that_comes_back_keeps_when_it_was_made(service: Service) -> None:
    """Who mends an error at once is no machine."""
    seen = forms.form_mark(NONCE, now=timezone.now() - timedelta(minutes=1))

    page = send(service, mark=seen).content.decode()

    assert f'name="mark" value="{seen}"' in page


def test_no_work_is_asked_for_as_a_rule(service: Service) -> None:
    response = Client().get("/challenge", {"service": service.slug})

    assert (response.status_code, response.content) == (204, b"")
    assert "no-store" in response.headers["Cache-Control"]


def test_work_is_asked_for_while_somebody_floods(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "asks_for_proof", lambda **_: True)

    asked = Client().get("/challenge", {"service": service.slug}).json()

    assert asked.keys() == {"algorithm", "challenge", "maxnumber", "salt", "signature"}
