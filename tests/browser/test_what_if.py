"""Asking what would have happened in a real browser: by keyboard, refreshing itself, on a phone, without scripts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from reports.detection.what_if import answer_pending
from reports.enums import Role, WhatIfState
from reports.models import Service, WhatIf
from tests.browser.test_dashboard import log_in, overflow_pixels
from tests.factories import count_reports, make_cluster, make_service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NewPage = Callable[..., Page]


def a_service_with_a_rise() -> Service:
    """Make a service that was silent for two days, but for ten minutes three hours ago."""
    now = timezone.now()
    service = make_service("mail", name="Mail")
    Service.objects.filter(pk=service.pk).update(created_at=now - timedelta(days=2))
    count_reports(make_cluster(service, at=now), 5, at=now - timedelta(hours=3), minutes=10, region="DE-BY")
    return service


def test_a_question_is_asked_by_keyboard_and_its_answer_appears_by_itself(page: Page) -> None:
    a_service_with_a_rise()
    log_in(page, to="/dashboard/what-if")

    page.get_by_label("Service", exact=True).focus()
    page.keyboard.type("Mail")
    page.keyboard.press("Tab")
    page.keyboard.type("2")
    page.keyboard.press("Tab")
    page.keyboard.type("12")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Mail: 2 days with 12 false alarms a month")).to_be_visible()
    expect(page.get_by_text("It waits for a worker.")).to_be_visible()
    page.evaluate("window.isTheSamePage = true")
    answer_pending(now=timezone.now())

    expect(page.get_by_text("Suspected by both replays, not found then")).to_be_visible()
    expect(page.get_by_role("row", name="Suspected")).to_contain_text("1")
    expect(page.locator("#waiting")).to_have_count(0)
    assert page.evaluate("window.isTheSamePage")


def test_the_page_stops_asking_once_the_answer_is_there(page: Page) -> None:
    question = WhatIf.objects.create(days=2, budget_per_month=4.0, created_at=timezone.now())
    log_in(page, to=f"/dashboard/what-if/{question.pk}")
    expect(page.locator("#waiting")).to_be_visible()
    answer_pending(now=timezone.now())
    expect(page.locator("#waiting")).to_have_count(0)
    page.wait_for_timeout(4_000)  # the live stream may have one refresh on its way
    asked: list[str] = []

    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(5_000)  # twice the time between two questions

    assert asked == []


def test_an_answer_fits_a_phone(phone: Page) -> None:
    question = WhatIf.objects.create(
        service=a_service_with_a_rise(), days=2, budget_per_month=4.0, created_at=timezone.now()
    )
    answer_pending(now=timezone.now())
    log_in(phone, to=f"/dashboard/what-if/{question.pk}")

    expect(phone.get_by_role("heading", name="In sum")).to_be_visible()

    assert overflow_pixels(phone) == 0
    table = phone.locator(".table-scroll")
    assert table.evaluate("box => box.scrollWidth - box.clientWidth") == 0


def test_without_scripts_one_asks_and_reloads(new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    log_in(page, Role.RESPONDER, to="/dashboard/what-if")

    page.get_by_label("Days").fill("2")
    page.get_by_role("button", name="Work it out").click()
    expect(page.get_by_text("It waits for a worker.")).to_be_visible()
    answer_pending(now=timezone.now())
    page.get_by_role("link", name="Reload the page").click()

    expect(page.get_by_role("heading", name="In sum")).to_be_visible()
    assert WhatIf.objects.get().state == WhatIfState.DONE
