"""The widget on a site that is not ours, under a strict policy: a visitor reports, and nothing is left there."""

from __future__ import annotations

import json
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from reports.enums import Channel
from reports.intake.proofs import is_proof, new_challenge
from reports.models import Report, Service
from tests.browser.conftest import PHONE, NewPage
from tests.factories import make_service

pytestmark = pytest.mark.browser

METAS = '<meta name="viewport" content="width=device-width"><title>A shop</title>'

TRUSTED = "require-trusted-types-for 'script'"

Site = Callable[..., str]


@pytest.fixture
def foreign_site(site_url: str) -> Iterator[Site]:
    """Return what makes a page of another site, which carries the widget, and returns its address."""
    shown: dict[str, str] = {}

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = shown.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            policy = f"default-src 'none'; script-src {site_url}; connect-src {site_url}; style-src 'self'; {TRUSTED}"
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def make_page(service: Service, attributes: str = "", *, lang: str = "en") -> str:
        script = f'<script src="{site_url}/widget.js" data-service="{service.slug}" {attributes} async></script>'
        shown["/"] = (
            f'<!doctype html><html lang="{lang}"><head>{METAS}{script}</head>'
            '<body><h1>A shop</h1><a href="#">First</a></body></html>'
        )
        return f"http://localhost:{server.server_port}/"

    yield make_page
    server.shutdown()
    thread.join()
    server.server_close()


def in_focus(page: Page) -> str:
    """Return the words or the id of the element that has the focus within the widget."""
    return str(
        page.evaluate(
            "(() => { const it = document.querySelector('outcry-widget').shadowRoot.activeElement;"
            " if (!it) return document.activeElement.tagName;"
            " return it.id || it.getAttribute('aria-label') || it.textContent })()"
        )
    )


def test_a_visitor_reports_with_the_keyboard_alone_under_a_strict_policy(page: Page, foreign_site: Site) -> None:
    service = make_service(name="Mail")
    page.goto(foreign_site(service))
    page.get_by_role("button", name="Report a problem").wait_for()

    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="What isn't working?")).to_be_visible()
    page.get_by_role("option", name="Can't log in").wait_for(state="attached")
    assert in_focus(page) == "symptom"
    page.keyboard.type("Can't")
    page.keyboard.press("Tab")
    page.keyboard.type("I can't get in since ten", delay=90)  # longer than a machine takes
    page.keyboard.press("Tab")
    page.keyboard.type("Germany")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_have_text("Thank you. Your report counts.")
    report = Report.objects.get()
    assert (report.service_id, report.symptom, report.region) == (service.pk, "login", "DE")
    assert (report.text, report.channel, report.suspicion) == ("I can't get in since ten", Channel.FORM, "")
    assert report.source.startswith("widget localhost:")
    assert in_focus(page) == "See what becomes of it"
    assert page.context.cookies() == []
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_the_receipt_is_a_page_of_ours(page: Page, foreign_site: Site) -> None:
    page.goto(foreign_site(make_service()))
    page.get_by_role("button", name="Report a problem").click()
    page.get_by_label("What happened?").fill("Nothing loads")
    page.get_by_role("button", name="Send report").click()

    with page.context.expect_page() as opened:
        page.get_by_role("link", name="See what becomes of it").click()

    expect(opened.value.get_by_role("heading", level=1)).to_contain_text("Thank you")
    expect(opened.value.get_by_text("Nothing loads")).to_be_visible()


def test_the_focus_stays_in_the_dialog_and_comes_back(page: Page, foreign_site: Site) -> None:
    page.goto(foreign_site(make_service()))
    button = page.get_by_role("button", name="Report a problem")
    button.click()
    page.get_by_label("What happened?").fill("half a sentence")

    seen = set()
    for _ in range(12):
        page.keyboard.press("Tab")
        seen.add(in_focus(page))
    page.keyboard.press("Shift+Tab")
    seen.add(in_focus(page))
    page.keyboard.press("Escape")

    assert seen == {"symptom", "text", "country", "Send report", "Close"}
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert in_focus(page) == "Report a problem"
    button.press("Enter")
    expect(page.get_by_label("What happened?")).to_have_value("half a sentence")


def test_a_second_report_is_another_one(page: Page, foreign_site: Site) -> None:
    page.goto(foreign_site(make_service()))

    for _ in range(2):
        page.get_by_role("button", name="Report a problem").click()
        page.get_by_label("What happened?").fill("Slow")
        page.get_by_role("button", name="Send report").click()
        expect(page.get_by_role("status")).to_be_visible()
        page.get_by_role("button", name="Close").click()

    assert Report.objects.count() == 2


def test_what_is_missing_is_said_where_the_reader_hears_it(page: Page, foreign_site: Site) -> None:
    page.goto(foreign_site(make_service()))
    page.get_by_role("button", name="Report a problem").click()

    page.get_by_role("button", name="Send report").click()

    expect(page.get_by_role("alert")).to_have_text("Pick what you see, or say in a few words what is wrong.")
    assert in_focus(page) == "text"
    assert not Report.objects.exists()


def test_it_speaks_german_and_wears_the_colours_of_its_site(page: Page, foreign_site: Site) -> None:
    page.goto(foreign_site(make_service(), 'data-colour="#ffd400" data-position="left"', lang="de-AT"))

    button = page.get_by_role("button", name="Problem melden")
    button.click()

    expect(page.get_by_role("dialog", name="Was funktioniert nicht?")).to_be_visible()
    expect(page.get_by_role("option", name="Anmelden geht nicht")).to_be_attached()
    expect(page.get_by_role("option", name="Österreich")).to_be_attached()
    expect(button).to_have_css("background-color", "rgb(255, 212, 0)")
    expect(button).to_have_css("color", "rgb(0, 0, 0)")
    expect(button).to_have_css("left", "16px")


def test_the_work_that_is_asked_for_is_done(page: Page, foreign_site: Site) -> None:
    asked = new_challenge(now=timezone.now())

    def ask(route: Route) -> None:
        route.fulfill(json=asked, headers={"Access-Control-Allow-Origin": "*"})

    page.route("**/widget/*/challenge", ask)
    page.goto(foreign_site(make_service()))
    page.get_by_role("button", name="Report a problem").click()
    page.get_by_label("What happened?").fill("Nothing loads")
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.get_by_role("button", name="Send report").click()
    expect(page.get_by_role("status")).to_be_visible()

    [proof] = parse_qs(sent.value.post_data or "")["altcha"]
    assert json.loads(b64decode(proof))["challenge"] == asked["challenge"]
    assert is_proof(proof, now=timezone.now())


def test_what_was_written_stays_while_the_network_is_away(new_page: NewPage, foreign_site: Site) -> None:
    page = new_page()
    page.goto(foreign_site(make_service()))
    page.get_by_role("button", name="Report a problem").click()
    page.get_by_role("option", name="Can't log in").wait_for(state="attached")
    text = page.get_by_label("What happened?")
    text.fill("Nothing loads")
    page.evaluate("{ window.kept = window.fetch; window.fetch = () => Promise.reject(new TypeError('away')); null }")
    page.get_by_role("button", name="Send report").click()
    expect(page.get_by_role("alert")).to_contain_text("We couldn't store your report just now.")
    expect(text).to_have_value("Nothing loads")

    page.evaluate("{ window.fetch = window.kept; null }")
    page.get_by_role("button", name="Send report").click()

    expect(page.get_by_role("status")).to_be_visible()
    assert Report.objects.get().text == "Nothing loads"


def test_the_dialog_fits_a_phone(new_page: NewPage, foreign_site: Site) -> None:
    page = new_page(viewport=PHONE, has_touch=True, is_mobile=True, color_scheme="dark")
    page.goto(foreign_site(make_service()))
    page.get_by_role("button", name="Report a problem").tap()

    box = page.get_by_role("dialog").bounding_box()

    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    assert box["y"] + box["height"] <= PHONE["height"]
    expect(page.get_by_role("dialog")).to_have_css("background-color", "rgb(30, 30, 34)")
