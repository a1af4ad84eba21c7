"""A real server on the test database, and a real Chromium in front of it.

The server lives as long as the session, the browser as long as a module: Playwright keeps an event loop running in this
thread, which tests of other modules must not find there. An error in the browser's console, a breach of the content
policy among them, fails the test. Rows have to be committed: every fixture here brings `transactional_db`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, sync_playwright

from feedback.embedded import programs
from reports.intake.remembered import LOOK_AGAIN_SECONDS

CHECKOUT = Path(__file__).resolve().parents[2]
CHROMIUM_FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
START_SECONDS = 30.0
WAIT_MILLISECONDS = 10_000  # Playwright waits for what it is told to expect, at most so long

NewPage = Callable[..., Page]


@pytest.fixture(scope="session")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a server that works on the test database."""
    port = _free_port()
    log = tmp_path_factory.mktemp("server") / "log"
    command = programs.web_command("127.0.0.1", port)  # as `make run` starts it
    environment = os.environ | {"DATABASE_URL": _database_url(), "DJANGO_SETTINGS_MODULE": "feedback.settings"}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=output, stderr=output)
    try:
        _wait_until_it_answers(f"http://127.0.0.1:{port}/healthz", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@pytest.fixture
def site_url(server: str, transactional_db: None) -> str:
    """Return the server's address, with an empty database behind it."""
    # The server looks for a service it does not know at most so often; the test's own must be found.
    time.sleep(LOOK_AGAIN_SECONDS)
    return server


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as started:
        # Playwright's loop makes Django take this thread for an asynchronous one.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Return a Chromium; without one the test is skipped, or fails where CI=true."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        message = "There is no Chromium. Install it (apt-get install chromium) or name it in CHROMIUM."
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    started = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
    yield started
    started.close()


@pytest.fixture
def new_page(browser: Browser, site_url: str) -> Iterator[NewPage]:
    """Return what opens a page in a context of its own; options are those of `Browser.new_context`."""
    complaints: list[str] = []

    def watch(message: ConsoleMessage) -> None:
        if message.type == "error" and not _is_the_page_itself(message):
            complaints.append(f"{message.text} ({message.location.get('url', '')})")

    with ExitStack() as contexts:

        def open_page(**options: Any) -> Page:
            context = browser.new_context(**{"viewport": DESKTOP, "base_url": site_url, "locale": "en-GB"} | options)
            contexts.callback(context.close)
            context.set_default_timeout(WAIT_MILLISECONDS)
            page = context.new_page()
            page.on("console", watch)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            return page

        yield open_page
    assert not complaints, "The browser's console tells of errors:\n" + "\n".join(complaints)


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """Return a page as wide as a desk."""
    return new_page()


@pytest.fixture
def phone(new_page: NewPage) -> Page:
    """Return a page as wide as a phone."""
    return new_page(viewport=PHONE, has_touch=True, is_mobile=True)


def _is_the_page_itself(message: ConsoleMessage) -> bool:
    """Tell whether the browser only says that the page shown was answered with 4xx or 503, as pages with errors are."""
    address = message.location.get("url", "")
    shown = message.page.url if message.page else ""
    return message.text.startswith("Failed to load resource: the server responded") and address == shown.split("#")[0]


def _database_url() -> str:
    from django.db import connection

    database = connection.settings_dict
    query = {"host": database["HOST"]} | ({"port": database["PORT"]} if database["PORT"] else {})
    password = f":{quote(database['PASSWORD'], safe='')}" if database["PASSWORD"] else ""
    return f"postgres://{quote(database['USER'], safe='')}{password}@/{quote(database['NAME'])}?{urlencode(query)}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310  our own address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"The server did not start. It said:\n{log.read_text(errors='replace')[-3000:]}")
