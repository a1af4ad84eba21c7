"""A report is read and taken back in a real browser: without scripts, by keyboard alone, on a phone."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from reports.enums import Role
from reports.intake.receipts import receipt_token
from reports.models import Erasure, Report, ReportContact
from tests.browser.conftest import PHONE, NewPage
from tests.factories import PASSWORD, make_report, make_service, make_user

pytestmark = pytest.mark.browser
LONG = "https://example.org/" + "a-very-long-address-that-nothing-breaks/" * 6


def a_report(text: str = "I can't log in") -> Report:
    report = make_report(make_service(name="Mail"), text, at=timezone.now() - timedelta(minutes=5), region="DE-BY")
    ReportContact.objects.create(report_id=report.id, address="ada@example.org", created_at=report.received_at)
    return report


def overflow_pixels(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def log_in(page: Page) -> None:
    user = make_user(Role.RESPONDER)
    page.goto("/login")
    page.get_by_label("Name").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


@pytest.mark.parametrize("with_scripts", [True, False])
def test_a_reporter_erases_their_report(new_page: NewPage, with_scripts: bool) -> None:
    report = a_report()
    page = new_page(java_script_enabled=with_scripts)
    page.goto(f"/receipt/{receipt_token(report.id)}")

    page.get_by_text("Erase this report…").click()
    page.get_by_role("button", name="Erase it for good").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("What you told us is erased")
    expect(page.get_by_text("I can't log in")).to_have_count(0)
    report.refresh_from_db()
    assert report.text == ""


def test_a_reporter_downloads_what_is_stored(page: Page) -> None:
    report = a_report()
    page.goto(f"/receipt/{receipt_token(report.id)}")

    with page.expect_download() as download:
        page.get_by_role("link", name="Download what is stored").click()

    told = json.loads(Path(download.value.path()).read_text())
    assert download.value.suggested_filename == f"report-{report.id}.json"
    assert told["contact"]["address"] == "ada@example.org"


def test_staff_erase_with_the_keyboard_alone(page: Page) -> None:
    a_report()
    log_in(page)
    page.goto("/dashboard/privacy")

    page.get_by_label("Receipt link, id, mail address or name").focus()
    page.keyboard.type("ada@example.org")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="1 report by mail address")).to_be_visible()
    page.get_by_role("checkbox").focus()
    for _ in range(10):
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Erase the ticked reports")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_text("1 report erased.")).to_be_visible()
    assert Erasure.objects.get().n_reports == 1


def test_it_all_fits_on_a_phone(new_page: NewPage) -> None:
    report = a_report(LONG)
    phone = new_page(viewport=PHONE, has_touch=True, is_mobile=True)
    phone.goto(f"/receipt/{receipt_token(report.id)}")
    phone.get_by_text("Erase this report…").click()
    assert overflow_pixels(phone) == 0
    log_in(phone)
    phone.goto("/dashboard/privacy")

    phone.get_by_label("Receipt link, id, mail address or name").fill(str(report.id))
    phone.get_by_role("button", name="Find").click()
    phone.get_by_text("Erase…").click()

    expect(phone.get_by_role("button", name="Erase the ticked reports")).to_be_visible()
    assert overflow_pixels(phone) == 0
    phone.get_by_role("button", name="Erase the ticked reports").click()
    expect(phone.get_by_role("columnheader", name="Reports")).to_be_in_viewport(ratio=1)
