"""What a reporter can do with a receipt link: read all that is stored, and take it back."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from reports.intake.receipts import receipt_token
from reports.intake.spool import the_spool
from reports.intake.writer import Submission
from reports.models import Erasure, Report, ReportContact
from tests.factories import make_cluster, make_report, make_service
from tests.intake.submissions import row_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def report() -> Report:
    made = make_report(make_service("mail", name="Mail"), "no <b>mail</b>", at=timezone.now() - timedelta(minutes=5))
    ReportContact.objects.create(report_id=made.id, address="ada@example.org", created_at=made.received_at)
    return made


def address_of(report: Report, word: str = "") -> str:
    return f"/receipt/{receipt_token(report.id)}{word}"


def test_the_receipt_offers_both_and_says_until_when_words_are_kept(report: Report) -> None:
    page = Client().get(address_of(report)).text

    assert f'href="{address_of(report, "/data")}"' in page
    assert f'action="{address_of(report, "/erase")}"' in page
    assert "what you wrote is deleted on" in page


def test_what_is_stored_comes_as_a_file(report: Report) -> None:
    response = Client().get(address_of(report, "/data"))

    told = json.loads(response.content)
    assert (told["text"], told["contact"]["address"]) == ("no <b>mail</b>", "ada@example.org")
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Content-Disposition"] == f'attachment; filename="report-{report.id}.json"'
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"


def test_erasing_takes_the_forms_token_and_leads_back_to_a_receipt_that_says_so(report: Report) -> None:
    browser = Client(enforce_csrf_checks=True)
    without = browser.post(address_of(report, "/erase"))
    browser.get(address_of(report))
    token = browser.cookies["csrftoken"].value

    response = browser.post(address_of(report, "/erase"), {"csrfmiddlewaretoken": token})

    assert without.status_code == 403
    assert (response.status_code, response.headers["Location"]) == (303, address_of(report))
    page = browser.get(address_of(report)).text
    assert "What you told us is erased" in page
    assert "still counts" in page
    assert "no &lt;b&gt;mail" not in page
    assert "Erase this report" not in page
    assert json.loads(browser.get(address_of(report, "/data")).content)["contact"] is None


def test_a_browser_that_names_our_own_origin_is_let_in(report: Report) -> None:
    """Under the referrer policy of the page a browser sends the origin, which Django compares."""
    browser = Client(enforce_csrf_checks=True)
    browser.get(address_of(report))
    token = browser.cookies["csrftoken"].value

    foreign, own = (
        browser.post(address_of(report, "/erase"), {"csrfmiddlewaretoken": token}, headers={"Origin": origin})
        for origin in ("null", "http://testserver")
    )

    assert (foreign.status_code, own.status_code) == (403, 303)


def test_erasing_twice_is_harmless_and_looking_erases_nothing(report: Report) -> None:
    looked = Client().get(address_of(report, "/erase"))
    assert looked.status_code == 405

    for _ in range(2):
        assert Client().post(address_of(report, "/erase")).status_code == 303

    assert Erasure.objects.get().way == "receipt"


@pytest.mark.parametrize("word", ["/data", "/erase"])
def test_somebody_elses_link_is_no_link(report: Report, word: str) -> None:
    forged = address_of(report)[:-3] + "xyz"

    response = Client().get(forged + word) if word == "/data" else Client().post(forged + word)

    assert response.status_code == 404
    assert not Erasure.objects.exists()


@pytest.mark.parametrize("word", ["/data", "/erase"])
def test_a_report_that_is_kept_no_longer_is_said_to_be(report: Report, word: str) -> None:
    Report.objects.all().delete()

    response = Client().get(address_of(report, word)) if word == "/data" else Client().post(address_of(report, word))

    assert response.status_code == 404
    assert "is kept for 30 days" in response.text


@pytest.mark.parametrize("word", ["/data", "/erase"])
def test_a_report_that_still_waits_is_to_be_asked_for_again(word: str, settings: Any, tmp_path: Path) -> None:
    settings.SPOOL_DIR = tmp_path
    row = row_for(make_service("mail"))
    the_spool().append([Submission((row,))])
    address = f"/receipt/{receipt_token(row.id)}{word}"

    response = Client().get(address) if word == "/data" else Client().post(address)

    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert "Try again in a few seconds" in response.text


def test_without_a_database_nothing_is_claimed_to_be_erased(report: Report) -> None:
    with mock.patch.object(Report.objects, "filter", side_effect=OperationalError):
        response = Client().post(address_of(report, "/erase"))

    assert response.status_code == 503
    report.refresh_from_db()
    assert report.erased_at is None


@pytest.mark.parametrize(("n_others", "told"), [(9, "Fewer than 10 others"), (10, "10 others")])
def test_few_others_are_not_counted_out(n_others: int, told: str) -> None:
    service = make_service("mail")
    cluster, at = make_cluster(service), timezone.now() - timedelta(minutes=5)
    mine = make_report(service, cluster=cluster, at=at)
    for number in range(n_others):
        make_report(service, cluster=cluster, at=at, reporter=f"other {number:10}".encode())

    page = Client().get(address_of(mine)).text

    assert f"{told} reported the same" in page
    assert n_others == 10 or f">{n_others} others" not in page
