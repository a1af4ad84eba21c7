"""The status page, the receipt and the error pages: what they carry besides what selectors told them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.utils import timezone

from reports.enums import OutageState
from reports.intake import availability
from reports.intake.receipts import receipt_token
from reports.intake.spool import the_spool
from reports.intake.writer import Submission
from reports.models import Report, Service
from reports.web import errors
from tests.factories import make_batch, make_outage, make_report, make_service
from tests.intake.submissions import row_for

pytestmark = pytest.mark.django_db


def test_the_status_page_names_services_and_states() -> None:
    make_service(name="Mail")
    make_outage(make_service(name="Chat"), state=OutageState.CONFIRMED, is_confirmed_by_person=True)

    page = Client().get("/").content.decode()

    assert "1 of 2 services has problems" in page
    assert "Mail" in page
    assert "Operational" in page
    assert "55 people report it" in page


def test_the_status_page_says_what_began_together() -> None:
    for name in ("Mail", "<Chat>"):
        make_outage(make_service(name=name), state=OutageState.CONFIRMED, is_confirmed_by_person=True)

    page = Client().get("/").content.decode()

    assert "Problems with <bdi>&lt;Chat&gt; and Mail</bdi> began together" in page


def test_every_slug_a_service_may_have_can_be_linked_to() -> None:
    make_service("api.v2_beta-1", name="API")

    assert 'href="/report/api.v2_beta-1"' in Client().get("/").content.decode()


def test_the_status_page_never_shows_words_of_reporters() -> None:
    make_outage(
        make_service(name="Chat"),
        state=OutageState.CONFIRMED,
        is_confirmed_by_person=True,
        label="Jane Doe can't log in",
    )

    assert "Jane Doe" not in Client().get("/").content.decode()


def test_the_status_page_is_the_same_for_all_and_asked_for_again_cheaply() -> None:
    make_service("mail")
    first = Client().get("/")

    with mock.patch("reports.web.public.timezone.now", return_value=timezone.now().replace(second=0)):
        again = Client().get("/")
        unchanged = Client().get("/", headers={"If-None-Match": again.headers["ETag"]})

    assert first.headers["Cache-Control"] == "public, max-age=10"
    assert "Cookie" not in first.headers.get("Vary", "")
    assert not first.cookies
    assert unchanged.status_code == 304
    assert unchanged.content == b""


def test_the_status_page_says_when_it_is_behind() -> None:
    make_batch(make_service("mail"), at=timezone.now() - timedelta(minutes=10))

    assert "We are behind." in Client().get("/").content.decode()


def test_the_status_page_without_a_database_says_when_to_come_back() -> None:
    with mock.patch.object(Service.objects, "public", side_effect=OperationalError):
        response = Client().get("/")

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert "Not available right now" in response.content.decode()


def test_a_receipt_is_kept_from_caches_search_engines_and_referrers() -> None:
    report = make_report(make_service("mail"), "<i>no mail</i>")

    response = Client().get(f"/receipt/{receipt_token(report.id)}")

    assert response.status_code == 200
    assert "&lt;i&gt;no mail&lt;/i&gt;" in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    assert "private" in response.headers["Cache-Control"]
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert response.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("token", ["x", "x.y", "%00", "%F0%9F%98%80", "a" * 3000])
def test_a_wrong_receipt_link_says_what_to_do(token: str) -> None:
    response = Client().get(f"/receipt/{token}")

    assert response.status_code == 404
    assert "Copy the whole link" in response.content.decode()


@pytest.mark.parametrize("address", ["/", "/report", "/no-such-page", "/receipt/x"])
def test_every_page_allows_only_its_own_scripts_and_styles(address: str) -> None:
    make_service("mail")

    response = Client().get(address)

    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    page = response.content.decode()
    assert " style=" not in page
    assert "<style" not in page
    assert " onclick=" not in page


def test_a_page_can_only_be_asked_for_in_the_ways_it_answers() -> None:
    assert Client().post("/").status_code == 405
    assert Client().put("/report").status_code == 405


def test_a_failure_of_ours_is_answered_without_database_and_session(django_assert_num_queries: Any) -> None:
    request = HttpRequest()
    request.path_info = "/"

    with django_assert_num_queries(0):
        response = errors.server_error(request)

    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()


def test_programs_are_answered_in_their_format() -> None:
    request = HttpRequest()
    request.path_info = "/api/v1/reports"

    response = errors.server_error(request)

    assert response.headers["Content-Type"] == "application/problem+json"


def test_what_is_not_found_does_not_tell_which_addresses_there_are() -> None:
    response = Client().get("/no-such-page")

    assert response.status_code == 404
    assert "tried" not in response.content.decode()


def test_a_slash_too_many_leads_to_the_page() -> None:
    assert Client().get("/dashboard/").headers["Location"] == "/dashboard"


@pytest.mark.parametrize("address", ["/nothing/", "/report/a/b/", "/api/v1/services/"])
def test_a_slash_too_many_leads_nowhere_else(address: str) -> None:
    assert Client().get(address).status_code == 404


def test_who_looked_for_an_outage_is_led_to_the_dashboard() -> None:
    page = errors.not_found(RequestFactory().get("/dashboard/outages/99")).content.decode()

    assert 'href="/dashboard">Go to the dashboard' in page
    assert "See the current state" not in page


# -- While the database is away ----------------------------------------------------------------------------------------


@pytest.fixture
def spooled(settings: Any, tmp_path: Path) -> Submission:
    """A report that waits in the spool."""
    settings.SPOOL_DIR = tmp_path
    submission = Submission((row_for(make_service("mail"), "no mail since nine", region="DE-BY", symptom="down"),))
    the_spool().append([submission])
    return submission


def away(*args: object, **kwargs: object) -> None:
    raise OperationalError("the database system is shutting down")


@pytest.mark.parametrize("is_away", [True, False], ids=["while the database is away", "before it is replayed"])
def test_a_receipt_of_a_spooled_report_says_that_it_is_safe(
    spooled: Submission, monkeypatch: pytest.MonkeyPatch, is_away: bool
) -> None:
    if is_away:
        monkeypatch.setattr(Report.objects, "select_related", away)

    response = Client().get(f"/receipt/{receipt_token(spooled.rows[0].id)}")

    page = response.content.decode()
    assert response.status_code == 200
    assert "Stored safely, and waiting" in page
    assert "as soon as it is back" in page
    assert "no mail since nine" in page
    assert "Bavaria" in page or "Bayern" in page
    assert "Not a known outage" not in page


def test_a_receipt_without_the_database_says_at_least_that_the_report_is_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report = make_report(make_service("mail"), "no mail")
    monkeypatch.setattr(Report.objects, "select_related", away)

    response = Client().get(f"/receipt/{receipt_token(report.id)}")

    page = response.content.decode()
    assert response.status_code == 200
    assert "We have your report" in page
    assert "Stored safely, and waiting" in page
    assert "What you told us" not in page


def test_a_receipt_asks_no_database_that_is_known_to_be_away(
    spooled: Submission, django_assert_num_queries: Any
) -> None:
    availability.note_away()

    with django_assert_num_queries(0):
        response = Client().get(f"/receipt/{receipt_token(spooled.rows[0].id)}")

    assert response.status_code == 200


def test_the_form_asks_no_database_that_is_known_to_be_away(django_assert_num_queries: Any) -> None:
    make_service("mail")
    Client().get("/report")
    availability.note_away()

    with django_assert_num_queries(0):
        response = Client().get("/report/mail")

    assert response.status_code == 200
    assert "Report a problem" in response.content.decode()
