"""What anybody sees of how the services are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from reports.enums import OutageState
from tests.factories import make_outage, make_service

pytestmark = pytest.mark.browser
REFRESHED_MILLISECONDS = 1_500


def visit(page: Page) -> None:
    """Open the status page as it is now: it comes from memory, and the first to ask may get the old one."""
    page.goto("/")
    page.wait_for_timeout(REFRESHED_MILLISECONDS)
    page.goto("/")


def test_a_service_stands_there_with_its_state_in_words(page: Page) -> None:
    make_service(name="Mail")

    visit(page)

    expect(page.get_by_role("heading", name="No known problems")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Mail")).to_contain_text("Operational")


def test_a_confirmed_outage_is_shown_with_its_place(page: Page) -> None:
    service = make_service(name="Mail")
    make_outage(
        service,
        state=OutageState.CONFIRMED,
        is_confirmed_by_person=True,
        scope_region="DE",
        regions=["DE-BY"],
        started_at=timezone.now() - timedelta(minutes=20),
    )

    visit(page)

    expect(page.get_by_role("heading", name="1 of 1 service has problems")).to_be_visible()
    row = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Mail"))
    expect(row).to_contain_text("Outage in some regions")
    expect(row).to_contain_text("Bayern, Germany")


def test_reporting_is_one_click_away_from_a_service(phone: Page) -> None:
    make_service(name="Mail")
    visit(phone)
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    phone.get_by_role("link", name="Report a problem with Mail").tap()

    expect(phone.get_by_role("heading", level=1)).to_have_text("Report a problem with Mail")


def test_an_address_that_does_not_exist_leads_on(page: Page) -> None:
    page.goto("/no/such/page")

    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Report a problem").click()
    page.wait_for_url("**/report")
