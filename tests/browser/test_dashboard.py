"""The dashboard in a real browser: live, by keyboard, on a phone, without scripts, with hostile texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from reports.enums import EventKind, OutageState, Role
from reports.models import Outage, Service
from tests.factories import (
    PASSWORD,
    add_event,
    count_reports,
    make_cluster,
    make_level,
    make_outage,
    make_profile,
    make_report,
    make_service,
    make_source_alarm,
    make_user,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NewPage = Callable[..., Page]
HOSTILE = "<script>document.title='taken over'</script><img src=x onerror=\"document.title='taken over'\">"


def log_in(page: Page, role: Role = Role.RESPONDER, *, to: str = "/dashboard") -> None:
    user = make_user(role)
    page.goto(to)
    page.get_by_label("Name").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def make_current_outage(service: Service | None = None, **fields: Any) -> Outage:
    """Make an outage that goes on now, with counts, a cluster and reports to show."""
    now = timezone.now()
    service = service or make_service("mail", name="Mail")
    make_profile(service, rate_per_hour=12)
    make_level(service)
    cluster = make_cluster(service, label="log in fails")
    for region in ("DE-BY", "DE", "AT", ""):
        count_reports(cluster, 3, region=region, at=now - timedelta(minutes=1), minutes=8)
    make_report(service, "I can't log in since noon", region="DE-BY", at=now - timedelta(minutes=1), cluster=cluster)
    return make_outage(service, started_at=now - timedelta(minutes=8), now=now, **fields)


def overflow_pixels(page: Page) -> int:
    found: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found


def test_an_outage_appears_by_itself(page: Page) -> None:
    service = make_service("mail", name="Mail")
    log_in(page)
    expect(page.get_by_text("Nothing unusual right now")).to_be_visible()
    expect(page.locator("#liveness")).to_have_text("Live")
    page.evaluate("window.isTheSamePage = true")

    make_current_outage(service)

    expect(page.get_by_role("heading", name="Mail: log in fails")).to_be_visible()
    expect(page.locator("#announcement")).to_contain_text("1 open outage; first: Mail, Suspected")
    assert page.evaluate("window.isTheSamePage")


def test_what_a_colleague_does_appears_by_itself(page: Page) -> None:
    outage = make_current_outage()
    log_in(page, to=f"/dashboard/outages/{outage.pk}")
    expect(page.locator("#liveness")).to_have_text("Live")

    add_event(outage, EventKind.NOTED, at=timezone.now(), actor=make_user(username="grace"), body={"text": "It is DNS"})

    expect(page.get_by_text("It is DNS")).to_be_visible()


def test_without_the_stream_the_page_asks_every_ten_seconds(page: Page) -> None:
    def nothing(route: Route) -> None:
        route.fulfill(status=204)

    page.clock.install()
    page.route("**/dashboard/stream", nothing)
    service = make_service("mail", name="Mail")
    log_in(page)
    expect(page.locator("#liveness")).to_have_text("Looking every 10 seconds")

    make_current_outage(service)
    page.clock.run_for(13_000)

    expect(page.get_by_role("heading", name="Mail: log in fails")).to_be_visible()


def test_an_outage_is_confirmed_by_keyboard_alone(page: Page) -> None:
    outage = make_current_outage()
    log_in(page)
    confirm = page.get_by_role("button", name="Confirm and publish outage")
    for _ in range(30):
        page.keyboard.press("Tab")
        if confirm.evaluate("element => element === document.activeElement"):
            break

    page.keyboard.press("Enter")

    expect(page.get_by_text("Confirmed.", exact=True)).to_be_visible()
    expect(page.locator(f"#outage-{outage.pk} .badge")).to_have_text("Confirmed by a person")
    outage.refresh_from_db()
    assert outage.is_confirmed_by_person
    expect(page.locator(f"#outage-{outage.pk}-title")).to_be_focused()


def test_a_double_click_is_one_click(page: Page) -> None:
    outage = make_current_outage()
    log_in(page)

    page.get_by_role("button", name="Confirm and publish").dblclick()

    expect(page.get_by_text("Confirmed.", exact=True)).to_be_visible()
    outage.refresh_from_db()
    assert outage.assignee is None


def test_opening_a_form_leads_into_its_field(page: Page) -> None:
    make_current_outage()
    log_in(page)

    page.get_by_text("Dismiss…").press("Enter")

    expect(page.get_by_label("Why it is no outage")).to_be_focused()


def test_an_outage_is_dismissed_with_a_reason(page: Page) -> None:
    outage = make_current_outage()
    log_in(page)

    page.get_by_text("Dismiss…").click()
    page.get_by_label("Why it is no outage").fill("A load test")
    page.get_by_role("button", name="Dismiss", exact=True).click()

    expect(page.get_by_text("Dismissed.", exact=True)).to_be_visible()
    expect(page.get_by_text("Nothing unusual right now")).to_be_visible()
    outage.refresh_from_db()
    assert outage.state == OutageState.DISMISSED


def test_what_the_reader_does_survives_a_change(page: Page) -> None:
    outage = make_current_outage()
    log_in(page, to=f"/dashboard/outages/{outage.pk}")
    expect(page.locator("#liveness")).to_have_text("Live")
    page.get_by_text("Figures", exact=True).click()
    page.get_by_label("Note for the team").fill("Half a thou")

    add_event(outage, EventKind.NOTED, at=timezone.now(), actor=make_user(), body={"text": "Another note"})
    expect(page.get_by_text("Another note")).to_be_visible()
    page.keyboard.type("ght")

    expect(page.get_by_label("Note for the team")).to_have_value("Half a thought")
    expect(page.locator("#chart-figures")).to_be_visible()


def test_a_note_is_added_and_its_field_is_empty_again(page: Page) -> None:
    outage = make_current_outage()
    log_in(page, to=f"/dashboard/outages/{outage.pk}")

    page.get_by_label("Note for the team").fill("Restarted the gateway")
    page.get_by_role("button", name="Add note").click()

    expect(page.locator(".timeline")).to_contain_text("Restarted the gateway")
    expect(page.get_by_label("Note for the team")).to_have_value("")


def test_chart_and_map_are_drawn(page: Page) -> None:
    outage = make_current_outage()

    log_in(page, to=f"/dashboard/outages/{outage.pk}")

    expect(page.locator("#chart canvas")).to_be_visible()
    expect(page.locator("#map-canvas path.shade-5 title")).to_have_text("Germany: 48 reports, usual not known")


def test_a_viewer_reads_and_is_offered_nothing_to_do(page: Page) -> None:
    make_current_outage()

    log_in(page, Role.VIEWER)

    expect(page.get_by_role("heading", name="Mail: log in fails")).to_be_visible()
    expect(page.get_by_role("button", name="Confirm")).to_have_count(0)
    expect(page.get_by_text("Dismiss…")).to_have_count(0)


def test_nothing_is_wider_than_a_phone(phone: Page) -> None:
    outage = make_current_outage(label="averyveryverylongwordthatnobodywouldeverbreakinthemiddle" * 3)
    make_service("x" * 63, name="Ein sehr langer Dienstname, den niemand kürzen wollte")
    make_source_alarm(key_name="averyveryverylongkeynamethatnobodywouldeverbreak" * 2, since=timezone.now())
    log_in(phone, Role.ADMIN)

    for path in ("/dashboard", f"/dashboard/outages/{outage.pk}", "/dashboard/services", "/dashboard/keys"):
        phone.goto(path)
        expect(phone.locator("h1")).to_be_visible()
        assert overflow_pixels(phone) == 0, path


def test_the_notice_of_a_silent_source_is_reached_by_keyboard(page: Page) -> None:
    make_source_alarm(key_name="shop", since=timezone.now() - timedelta(hours=3), usual_per_hour=40)
    log_in(page, Role.ADMIN)
    notice = page.get_by_role("region", name="A source of reports is silent")
    expect(notice).to_contain_text("No reports from key “shop” (REST) for 3 h")

    link = notice.get_by_role("link", name="API keys")
    for _ in range(40):
        page.keyboard.press("Tab")
        if link.evaluate("node => node === document.activeElement"):
            break
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("/dashboard/keys$"))


def test_hostile_texts_stay_texts(page: Page) -> None:
    outage = make_current_outage(label=HOSTILE)
    now = timezone.now()
    cluster = make_cluster(outage.service, label=HOSTILE)
    count_reports(cluster, 1, region="FR", at=now - timedelta(minutes=1))
    report = make_report(outage.service, HOSTILE, at=now - timedelta(minutes=1), cluster=cluster)
    cluster.typical_report_id = report.id
    cluster.save()
    add_event(outage, EventKind.NOTED, at=now, actor=make_user(), body={"text": HOSTILE})

    log_in(page)
    page.goto(f"/dashboard/outages/{outage.pk}")

    expect(page.locator(".reports")).to_contain_text("<script>document.title")
    expect(page.locator("#chart canvas")).to_be_visible()
    assert "taken over" not in page.title().split("·")[-1]
    assert page.locator("img").count() == 0


def test_without_scripts_one_reads_and_acts(new_page: NewPage) -> None:
    outage = make_current_outage()
    page = new_page(java_script_enabled=False)
    log_in(page)

    page.get_by_role("link", name="Evidence").click()
    expect(page.locator(".spark svg")).to_be_visible()
    expect(page.get_by_role("table", name="Since the onset", exact=True)).to_contain_text("Germany")
    page.get_by_role("button", name="Confirm").click()

    expect(page.get_by_text("Confirmed.", exact=True)).to_be_visible()
    outage.refresh_from_db()
    assert outage.is_confirmed_by_person


def test_a_session_that_ends_leads_to_the_login_and_back(page: Page) -> None:
    service = make_service("mail", name="Mail")
    log_in(page)
    expect(page.locator("#liveness")).to_have_text("Live")
    page.context.clear_cookies()

    make_current_outage(service)

    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert page.url.endswith("/login?next=%2Fdashboard")


def test_an_admin_makes_a_service_and_a_key(page: Page) -> None:
    log_in(page, Role.ADMIN)

    page.get_by_role("link", name="Services", exact=True).click()
    page.get_by_label("Name").fill("Mail")
    page.get_by_label("Slug").fill("mail")
    page.get_by_role("button", name="Add service").click()
    expect(page.get_by_text("Mail takes reports now.")).to_be_visible()
    page.get_by_role("link", name="API keys").click()
    page.get_by_label("Name").fill("Import")
    page.get_by_role("button", name="Make key").click()

    expect(page.get_by_label("The key")).to_have_value(re.compile(r"outcry_\w{8}_\w{40}"))
