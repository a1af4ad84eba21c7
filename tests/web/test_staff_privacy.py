"""The page on which staff find what is held of a reporter, give it out and erase it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from reports.enums import Channel, Role, Scope
from reports.intake.apikeys import create_key
from reports.intake.contract import ReportIn
from reports.intake.receipts import receipt_token
from reports.intake.services import Origin, make_row
from reports.models import Erasure, FingerprintSalt, Report, ReportContact
from reports.privacy import search
from tests.clustering.stories import a_service, hand_in
from tests.factories import make_report, make_service, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _a_spool_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.SPOOL_DIR = tmp_path


@pytest.fixture
def report() -> Report:
    made = make_report(make_service("mail", name="Mail"), "no <b>mail</b>", at=timezone.now() - timedelta(minutes=5))
    ReportContact.objects.create(report_id=made.id, address="Ada@example.org", created_at=made.received_at)
    return made


def client_of(role: Role, username: str = "") -> Client:
    client = Client()
    client.force_login(make_user(role, username=username))
    return client


def find(asked: str) -> Any:
    return client_of(Role.RESPONDER).post("/dashboard/privacy", {"asked": asked})


def test_a_report_is_found_by_link_by_id_and_by_address(report: Report) -> None:
    link = f"https://status.example.org/receipt/{receipt_token(report.id)}"

    for asked, by in ((link, "receipt link"), (f"  {report.id} ", "report id"), ("ada@EXAMPLE.org", "mail address")):
        page = find(asked).text

        assert f"1 report by {by}" in page
        assert "no &lt;b&gt;mail&lt;/b&gt;" in page
        assert "contact <bdi>Ada@example.org</bdi>" in page


def test_a_reporter_is_found_by_a_programs_name_for_as_long_as_salts_are_kept() -> None:
    service, now = a_service("mail"), timezone.now()
    key = create_key(name="Desk", scopes=[Scope.INTAKE], created_by_id=None, now=now)
    origin = Origin(Channel.REST, client=f"key:{key.id}", key_id=key.id)
    for name in ("customer-4711", "customer-4711", "customer-4712"):
        hand_in(make_row(report=ReportIn(service="mail", text="down", reporter=name), origin=origin, now=now), now=now)

    found = find("customer-4711")
    FingerprintSalt.objects.all().delete()
    later = find("customer-4711")

    assert "2 reports by name of a reporter" in found.text
    assert later.status_code == 422
    assert service.slug in Report.objects.values_list("service__slug", flat=True)


@pytest.mark.parametrize(
    "asked",
    [
        "", "x" * 501, "nobody@example.org", "01890000-0000-7000-8000-000000000000", "né",
        "ada@\x00", "http://[status/receipt/x", "/receipt/",
    ],
)  # fmt: skip
def test_what_is_not_found_is_told_with_the_ways_there_are(asked: str) -> None:
    response = find(asked)

    assert response.status_code == 422
    assert 'role="alert"' in response.text


def test_a_forged_link_is_told_as_such(report: Report) -> None:
    assert "not complete" in find(f"https://x/receipt/{receipt_token(report.id)[:-4]}").text


def test_more_than_can_be_shown_is_said(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_FOUND", 1)
    other = make_report(report.service)
    ReportContact.objects.create(report_id=other.id, address="ada@example.org", created_at=other.received_at)

    assert "There are more." in find("ada@example.org").text


def test_the_chosen_ones_are_exported(report: Report) -> None:
    other = make_report(report.service, "of somebody else")

    response = client_of(Role.RESPONDER).post("/dashboard/privacy/say", {"report": [report.id], "do": "export"})

    (told,) = json.loads(response.content)["reports"]
    assert told["text"] == "no <b>mail</b>"
    assert other.text not in response.text
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert "no-store" in response.headers["Cache-Control"]


def test_the_chosen_ones_are_erased_and_it_is_written_down(report: Report) -> None:
    kept = make_report(report.service)
    staff = client_of(Role.RESPONDER, "grace")

    for told in ("1 report erased.", "0 reports erased. 1 had been erased before."):
        page = staff.post("/dashboard/privacy/say", {"report": [report.id], "do": "erase"}, follow=True).text
        assert told in page

    assert dict(Report.objects.values_list("id", "text")) == {report.id: "", kept.id: kept.text}
    assert "<td><bdi>grace</bdi></td>" in page
    assert Erasure.objects.get().actor.get_username() == "grace"  # type: ignore[union-attr]
    assert "Erased" in staff.post("/dashboard/privacy", {"asked": str(report.id)}).text


@pytest.mark.parametrize(
    "sent", [{"do": "erase"}, {"do": "export"}, {"do": "x", "report": "x"}, {"do": "erase", "report": "x"}]
)
def test_nonsense_is_answered_in_words(report: Report, sent: dict[str, str]) -> None:
    page = client_of(Role.RESPONDER).post("/dashboard/privacy/say", sent, follow=True).text

    assert any(word in page for word in ("Tick", "Press one of the buttons", "no valid id"))
    assert not Erasure.objects.exists()


@pytest.mark.parametrize(("path", "sent"), [("", {"asked": "x"}), ("/say", {"do": "erase"})])
def test_a_viewer_has_no_business_there(report: Report, path: str, sent: dict[str, str]) -> None:
    viewer = client_of(Role.VIEWER)

    response = viewer.post(f"/dashboard/privacy{path}", {**sent, "report": [report.id]})

    assert response.status_code == 403
    assert not Erasure.objects.exists()
    assert "/dashboard/privacy" not in viewer.get("/dashboard").text


def test_no_address_ends_up_in_an_address_bar(report: Report) -> None:
    page = client_of(Role.RESPONDER).get("/dashboard/privacy?asked=ada@example.org")

    assert page.status_code == 200
    assert "Ada@example.org" not in page.text
