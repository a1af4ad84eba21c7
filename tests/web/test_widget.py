"""The report widget as the server sees it: who may ask, what is told, and that it is the form's way."""

from __future__ import annotations

import gzip
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from reports.enums import Channel, Role, Suspicion
from reports.errors import StoreUnavailable
from reports.intake.receipts import report_of
from reports.models import Report, ReportContact, Service
from reports.web import forms, public
from tests.factories import make_service, make_user

pytestmark = pytest.mark.django_db(transaction=True)  # the writer has a thread of its own

SCRIPT = Path(__file__).resolve().parents[2] / "reports/static/widget.js"
SHOP = "https://shop.example"
NONCE = "a-nonce-of-this-dialog"


@pytest.fixture
def service() -> Service:
    return make_service("mail", name="Mail")


def send(slug: str = "mail", *, origin: str = SHOP, **fields: str) -> Any:
    seen = forms.form_mark(NONCE, now=timezone.now() - timedelta(minutes=1))
    given = {"nonce": NONCE, "mark": seen} | fields
    client = Client(enforce_csrf_checks=True)
    return client.post(f"/widget/{slug}", given, headers={"Origin": origin} if origin else {})


def test_it_stays_small() -> None:
    script = SCRIPT.read_bytes()

    assert len(script) < 10_000
    assert len(gzip.compress(script)) < 4_500


def test_it_uses_nothing_that_a_strict_policy_forbids_or_that_lasts() -> None:
    script = SCRIPT.read_text()

    for forbidden in (
        "innerHTML",
        "eval(",
        "new Function",
        ".style.",
        "document.cookie",
        "localStorage",
        "sessionStorage",
    ):
        assert forbidden not in script


def test_the_script_is_served_to_every_site_and_kept_by_browsers() -> None:
    first = Client().get("/widget.js")
    again = Client().get("/widget.js", headers={"If-None-Match": first.headers["ETag"]})

    assert first.content == SCRIPT.read_bytes()
    assert first.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert first.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert first.headers["Cache-Control"] == "public, max-age=3600"
    assert again.status_code == 304
    assert not first.cookies


def test_a_dialog_is_told_what_it_offers(service: Service) -> None:
    answer = Client().get("/widget/mail", headers={"Origin": SHOP})

    told = answer.json()
    assert told["service"] == "Mail"
    assert ["login", "Can't log in"] in told["symptoms"]
    assert "DE" in told["countries"]
    assert told["proof"] == "http://testserver/static/proof.js"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "no-store" in answer.headers["Cache-Control"]
    assert not answer.cookies


def test_what_a_dialog_sends_is_a_report_of_the_form(service: Service) -> None:
    answer = send(text="I can't get in", symptom="login", country="DE", contact="me@example.org")

    assert answer.status_code == 202
    token = answer.json()["receipt_url"].removeprefix("http://testserver/receipt/")
    report = Report.objects.get(id=report_of(token))
    assert (report.text, report.symptom, report.region) == ("I can't get in", "login", "DE")
    assert (report.channel, report.source, report.suspicion) == (Channel.FORM, "widget shop.example", "")
    assert len(bytes(report.network)) == 16
    assert not ReportContact.objects.exists()  # it asks for none
    assert not answer.cookies


def test_sent_twice_it_is_one_report(service: Service) -> None:
    first, second = send(text="slow"), send(text="slow")

    assert first.json() == second.json()
    assert Report.objects.count() == 1


@pytest.mark.parametrize(
    ("signs", "reason"),
    [({"reference": "https://spam.example"}, Suspicion.TRAP), ({"mark": ""}, Suspicion.TOO_FAST)],
)
def test_it_is_judged_as_the_form_is(service: Service, signs: dict[str, str], reason: Suspicion) -> None:
    answer = send(text="slow", **signs)

    assert answer.status_code == 202
    assert Report.objects.get().suspicion == reason


def test_a_dialog_that_is_sent_at_once_is_held_back(service: Service) -> None:
    told = Client().get("/widget/mail").json()

    send(text="slow", nonce=told["nonce"], mark=told["mark"])

    assert Report.objects.get().suspicion == Suspicion.TOO_FAST


def test_work_is_asked_for_while_somebody_floods(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Client().get("/widget/mail/challenge", headers={"Origin": SHOP})
    monkeypatch.setattr(public, "asks_for_proof", lambda **_: True)
    flooded = Client().get("/widget/mail/challenge", headers={"Origin": SHOP})

    assert (rule.status_code, rule.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert flooded.json().keys() == {"algorithm", "challenge", "maxnumber", "salt", "signature"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, forms.SAY_SOMETHING),
        ({"text": "a\x07b"}, "What you wrote holds a control character (U+0007) at character 2. Remove it."),
        ({"text": "x", "symptom": "made up"}, forms.UNKNOWN_SYMPTOM),
    ],
)
def test_what_is_wrong_is_told_in_the_words_of_the_form(service: Service, fields: dict[str, str], message: str) -> None:
    answer = send(**fields)

    assert (answer.status_code, answer.json()) == (422, {"errors": [message]})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert not Report.objects.exists()


def test_a_service_the_public_may_not_see_is_not_taken_nor_told_apart() -> None:
    make_service("secret", is_public=False)

    told = [Client().get(f"/widget/{slug}").status_code for slug in ("secret", "nowhere")]
    sent = [send(slug, text="x") for slug in ("secret", "nowhere")]

    assert told == [404, 404]
    assert [answer.json() for answer in sent] == [{"errors": [forms.UNKNOWN_SERVICE]}] * 2
    assert not Report.objects.exists()


def test_a_store_that_is_away_is_told_with_a_time_to_come_back(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: Any) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(public, "accept_report", away)

    answer = send(text="slow")

    assert (answer.status_code, answer.json()) == (503, {"errors": [public.TRY_AGAIN]})
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (SHOP, 202),
        ("HTTPS://SHOP.EXAMPLE", 202),
        ("http://testserver", 202),
        ("http://shop.example", 403),
        ("https://shop.example.evil.example", 403),
        ("null", 403),
    ],
)
def test_an_operator_can_say_which_sites_may_carry_it(
    service: Service, settings: Any, origin: str, status: int
) -> None:
    settings.WIDGET_ORIGINS = [SHOP]

    answer = send(text="slow", origin=origin)

    assert answer.status_code == status
    assert Report.objects.count() == (status == 202)
    assert answer.headers["Access-Control-Allow-Origin"] == origin.lower()
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("origin", ["", "null", "https://a\x7fb", "https://" + "x" * 300])
def test_a_site_that_tells_no_name_or_nonsense_is_no_reason_to_lose_a_report(service: Service, origin: str) -> None:
    send(text="slow", origin=origin)

    assert Report.objects.get().source == "widget"


def test_staff_find_the_snippet_on_the_page_of_a_service(service: Service, settings: Any) -> None:
    settings.WIDGET_ORIGINS = [SHOP]
    hidden = make_service("hidden", is_public=False)
    client = Client()
    client.force_login(make_user(Role.ADMIN))

    pages = [client.get(f"/dashboard/services/{each.pk}").text for each in (service, hidden)]

    snippet = '&lt;script src="http://testserver/widget.js" data-service="mail" async&gt;&lt;/script&gt;'
    assert snippet in pages[0]
    assert f"Only these sites may carry it: {SHOP}." in pages[0]
    assert "data-service" not in pages[1]
    assert "Only a service that is public and takes reports" in pages[1]
