"""What a page of another site may send: a real browser asks first where it has to, and may read the answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from reports.enums import Scope
from reports.intake.apikeys import create_key
from reports.intake.services import prepare_storage
from reports.models import Report
from tests.api.payloads import SDK_ENVELOPES
from tests.browser.conftest import NewPage
from tests.factories import make_service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SEND = """
async ([address, body, headers]) => {
  const answer = await fetch(address, {method: "POST", body, headers, referrerPolicy: "strict-origin"});
  return [answer.status, await answer.json()];
}
"""


class Shop(BaseHTTPRequestHandler):
    """Another site: one page. A real one, for a browser does not let just any page call a server on its own machine."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b'<!doctype html><link rel="icon" href="data:,"><p>A shop')

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere(new_page: NewPage) -> Iterator[Page]:
    """Return a page of another site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as shop:
        threading.Thread(target=shop.serve_forever, daemon=True).start()
        page = new_page()
        page.goto(f"http://127.0.0.1:{shop.server_port}/login")
        yield page
        page.context.close()  # else its kept connection holds the server up
        shop.shutdown()


@pytest.mark.parametrize("way", ["as text, without asking first", "with a header it has to ask for"])
def test_a_page_of_another_site_may_send_feedback(elsewhere: Page, site_url: str, way: str) -> None:
    prepare_storage(now=timezone.now())
    service = make_service("mail")
    key = create_key(name="Shop pages", scopes=[Scope.PUBLIC], created_by_id=None, now=timezone.now()).secret
    address = f"{site_url}/api/{service.pk}/envelope/"
    headers = {"X-Sentry-Auth": f"Sentry sentry_version=7, sentry_key={key}"} if "header" in way else {}
    body = SDK_ENVELOPES["dsn"][1].decode()

    status, told = elsewhere.evaluate(SEND, [address if headers else f"{address}?sentry_key={key}", body, headers])

    assert (status, len(told["id"])) == (200, 32)
    assert Report.objects.get().service_id == service.pk
