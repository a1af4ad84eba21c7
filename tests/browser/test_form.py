"""A person reports a problem: with the keyboard alone, on a phone, without JavaScript, and with mistakes."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from reports.enums import Channel
from reports.models import Report
from tests.browser.conftest import PHONE, NewPage
from tests.factories import make_cluster, make_report, make_service

pytestmark = pytest.mark.browser


def no_horizontal_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_report_is_sent_with_the_keyboard_alone(page: Page) -> None:
    service = make_service(name="Mail")
    make_service(name="Chat")
    page.goto("/report")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("Mail")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.type("I can't get in since ten")
    page.keyboard.press("Tab")
    page.keyboard.type("Germany")
    region = page.get_by_label("State or region")
    region.wait_for()
    page.keyboard.press("Tab")
    expect(region).to_be_focused()
    page.keyboard.type("Bayern")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Send report")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")
    report = Report.objects.get()
    assert (report.service_id, report.region, report.symptom) == (service.pk, "DE-BY", "login")
    assert report.text == "I can't get in since ten"
    assert report.channel == Channel.FORM


def test_enter_in_a_field_sends_the_report(page: Page) -> None:
    make_service(name="Mail")
    page.goto("/report")
    page.get_by_label("What happened?").fill("Nothing loads")

    page.get_by_label("E-mail").press("Enter")

    page.wait_for_url("**/receipt/**")
    assert Report.objects.get().text == "Nothing loads"


def test_a_report_is_sent_without_javascript(new_page: NewPage) -> None:
    service = make_service(name="Mail")
    page = new_page(java_script_enabled=False)
    page.goto("/report")
    page.get_by_label("Which service?").select_option("Mail")
    page.get_by_label("What happened?").fill("Nothing loads")
    page.get_by_label("Country").select_option("Germany")

    page.get_by_role("button", name="Show regions").click()
    expect(page.get_by_label("What happened?")).to_have_value("Nothing loads")
    page.get_by_label("State or region").select_option("Bayern")
    page.get_by_role("button", name="Send report").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")
    report = Report.objects.get()
    assert (report.service_id, report.region) == (service.pk, "DE-BY")


def test_the_whole_way_fits_a_phone(phone: Page) -> None:
    service = make_service(name="Mail", description="Webmail, IMAP and the mobile app")
    phone.goto(f"/report/{service.slug}")
    assert no_horizontal_scroll(phone)

    phone.get_by_text("Nothing works").tap()
    phone.get_by_label("What happened?").fill("W" * 300)
    phone.get_by_role("button", name="Send report").tap()

    expect(phone.get_by_role("heading", level=1)).to_contain_text("Thank you")
    assert no_horizontal_scroll(phone)
    assert Report.objects.get().symptom == "down"


def test_errors_fit_a_phone(new_page: NewPage) -> None:
    make_service(name="Mail")
    page = new_page(viewport=PHONE)
    page.goto("/report")
    page.get_by_label("E-mail").fill("x" * 200)

    page.get_by_role("button", name="Send report").click()

    expect(page.get_by_role("alert")).to_be_visible()
    assert no_horizontal_scroll(page)


def test_errors_stand_beside_their_fields_and_what_was_typed_is_kept(page: Page) -> None:
    make_service(name="Mail")
    page.goto("/report")
    contact = page.get_by_label("E-mail")
    contact.fill("nobody at home")

    page.get_by_role("button", name="Send report").click()

    expect(page.get_by_role("alert")).to_be_focused()
    expect(contact).to_have_value("nobody at home")
    expect(contact).to_have_accessible_description(re.compile("is no e-mail address"))
    expect(page.get_by_label("What happened?")).to_have_accessible_description(re.compile("Pick what you see"))
    page.get_by_role("alert").get_by_role("link", name="is no e-mail address").click()
    expect(contact).to_be_focused()
    assert not Report.objects.exists()


def test_choosing_a_service_shows_what_others_report_of_it(page: Page) -> None:
    make_service(name="Chat")
    service = make_service(name="Mail")
    cluster = make_cluster(service)
    for number in range(12):
        at = timezone.now() - timedelta(seconds=number)
        make_report(service, symptom="slow", reporter=f"{number:16}".encode(), cluster=cluster, at=at)
    page.goto("/report")
    page.get_by_text("Can't log in").click()

    page.get_by_label("Which service?").select_option("Mail")

    expect(page.get_by_label("Slow · 12 now")).to_be_visible()
    expect(page.get_by_label("Can't log in")).to_be_checked()


def test_what_others_report_arrives_under_a_finger_without_taking_it_away(page: Page) -> None:
    make_service(name="Chat")
    service = make_service("mail", name="Mail")
    cluster = make_cluster(service)
    for number in range(12):
        make_report(service, symptom="slow", reporter=f"{number:16}".encode(), cluster=cluster, at=timezone.now())
    page.goto("/report")
    held: list[Route] = []
    page.route("**/report?*", lambda route: held.append(route))
    with page.expect_request("**/report?*"):
        page.get_by_label("Which service?").select_option("mail")
    chosen = page.get_by_label("Can't log in")
    chosen.focus()
    page.keyboard.press("Space")

    held[0].continue_()

    expect(page.get_by_label("Slow · 12 now")).to_be_visible()
    expect(chosen).to_be_focused()
    expect(chosen).to_be_checked()


def test_text_beyond_the_limit_is_announced_while_typing(page: Page) -> None:
    make_service(name="Mail")
    page.goto("/report")

    page.get_by_label("What happened?").fill("😀" * 4_002)

    expect(page.locator("#text-counter")).to_have_text("2 characters too many")


def test_the_receipt_link_shows_the_report_again(page: Page, new_page: NewPage) -> None:
    service = make_service(name="Mail")
    page.goto(f"/report/{service.slug}")
    page.get_by_label("What happened?").fill("<b>Nothing</b> loads, write to me@example.org")
    page.get_by_role("button", name="Send report").click()
    link = page.get_by_label("The link to this page").input_value()

    later = new_page()
    later.goto(link)

    expect(later.get_by_text("<b>Nothing</b> loads, write to [email]")).to_be_visible()


def test_a_browser_does_the_work_it_is_asked_for(page: Page) -> None:
    make_service(name="Mail")
    salt = "00112233445566778899aabb?expires=1900000000&"
    asked = {"algorithm": "SHA-256", "maxnumber": 900, "salt": salt, "signature": "of-the-server"}
    asked["challenge"] = hashlib.sha256(f"{salt}777".encode()).hexdigest()
    page.route("**/challenge?*", lambda route: route.fulfill(json=asked))
    page.goto("/report")

    page.get_by_label("What happened?").fill("nothing loads")
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.get_by_role("button", name="Send report").last.click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")
    [proof] = parse_qs(sent.value.post_data or "")["altcha"]
    told = json.loads(b64decode(proof))
    assert (told["number"], told["challenge"], told["salt"]) == (777, asked["challenge"], salt)
