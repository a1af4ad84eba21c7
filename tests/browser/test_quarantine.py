"""The page of quarantine in a real browser: by keyboard, on a phone, without scripts, and told on the dashboard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from reports.clustering.services import cluster_pending
from reports.enums import Channel, Suspicion
from reports.intake.contract import ReportIn
from reports.intake.services import Origin, make_row
from reports.models import Correction, Placement, Quarantine
from tests.browser.test_clusters import HOSTILE, LONG_WORD, log_in, overflow_pixels
from tests.clustering.stories import a_service, hand_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NewPage = Callable[..., Page]
PAGE = "/dashboard/quarantine"


def hold(n: int = 12, *, text: str = "I can't log in") -> Quarantine:
    """Let that many reports be held back a minute ago; return their group."""
    service = a_service("mail", name="Mail")
    at = timezone.now() - timedelta(minutes=1)
    for number in range(n):
        origin = Origin(Channel.FORM, address=f"192.0.{number}.1", suspicion=Suspicion.TRAP)
        hand_in(make_row(report=ReportIn(service="mail", text=text), origin=origin, now=at), now=at)
    cluster_pending(now=at)
    return Quarantine.objects.get(service=service)


def test_a_case_is_released_by_keyboard_alone(page: Page) -> None:
    hold()
    log_in(page, to=PAGE)

    page.get_by_role("button", name="Release: people wrote this").focus()
    page.keyboard.press("Enter")

    expect(page.locator("#waiting")).to_contain_text("1 case is being carried out")
    cluster_pending(now=timezone.now())
    page.reload()
    expect(page.get_by_text("Released")).to_be_visible()
    expect(page.get_by_role("button", name="Release: people wrote this")).to_have_count(0)
    assert Placement.objects.filter(is_counted=True, is_quarantined=False).count() == 12


def test_the_hours_open_by_keyboard(page: Page) -> None:
    hold(3)
    log_in(page, to=PAGE)

    page.locator("summary").first.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("region", name="Reports by hour")).to_contain_text("3")


def test_without_scripts_the_verdict_is_taken_all_the_same(new_page: NewPage) -> None:
    hold()
    page = new_page(java_script_enabled=False)
    log_in(page, to=PAGE)

    page.get_by_role("button", name="It is an attack").click()

    expect(page.get_by_text("being carried out").first).to_be_visible()
    assert Correction.objects.get().is_attack is True


def test_what_attackers_write_is_shown_and_does_nothing(phone: Page) -> None:
    hold(3, text=f"{HOSTILE} {LONG_WORD}")
    log_in(phone, to=PAGE)

    expect(phone.get_by_text("taken over").first).to_be_visible()
    assert "taken over" not in phone.title()
    assert overflow_pixels(phone) == 0


def test_the_dashboard_leads_there(page: Page) -> None:
    hold(12)
    log_in(page, to="/dashboard")

    expect(page.get_by_role("heading", name="Somebody may be playing a crowd")).to_be_visible()
    page.get_by_role("link", name="Look at the quarantine").click()

    expect(page.get_by_role("heading", name="Quarantine")).to_be_visible()
    expect(page.get_by_text("12 reports from 12 networks")).to_be_visible()


def test_an_empty_page_says_so(page: Page) -> None:
    log_in(page, to=PAGE)

    expect(page.get_by_role("heading", name="Nothing is held back")).to_be_visible()
