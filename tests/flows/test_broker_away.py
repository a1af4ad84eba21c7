"""A real broker that stops: the intake does not notice, and the stages catch up by themselves once it is back."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.utils import timezone

from feedback.embedded import programs
from feedback.embedded.binaries import find_valkey
from feedback.embedded.valkey import Broker, is_ready
from reports.clustering.services import cluster_pending
from reports.enums import Channel
from reports.intake.contract import ReportIn
from reports.intake.services import Origin, accept_report, prepare_storage
from reports.models import Placement, Report
from tests.clustering.stories import a_service
from tests.test_architecture import ROOT, database_address

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PATIENCE_SECONDS = 30.0


@contextmanager
def a_broker(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a broker in a folder until the block ends; in the same folder it comes back under the same address."""
    broker = Broker(home, home / "v.sock", find_valkey(), durable=True)
    server = subprocess.Popen(broker.command(), cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: is_ready(broker))
        yield server
    finally:
        server.send_signal(signal.SIGCONT)
        server.kill()
        server.wait()


@contextmanager
def programs_on(home: Path) -> Iterator[None]:
    """Run a worker and beat as `make run` does until the block ends."""
    environment = os.environ | {
        "DATABASE_URL": database_address(),
        "REDIS_URL": f"unix://{home}/v.sock",
        "DJANGO_SETTINGS_MODULE": "feedback.settings",
    }
    running = []
    for name, command in (
        ("worker", programs.worker_command(concurrency=1)),
        ("beat", programs.beat_command(schedule=home / "schedule")),
    ):
        with (home / f"{name}.log").open("wb") as log:
            running.append(
                subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
            )
    try:
        wait_until(lambda: b" ready." in (home / "worker.log").read_bytes())
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # the group this test has started
                process.wait()


def wait_until(is_so: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def seconds_to_report(text: str) -> float:
    start = time.monotonic()
    accept_report(
        report=ReportIn(service="mail", text=text), origin=Origin(Channel.REST, client="test"), now=timezone.now()
    )
    return time.monotonic() - start


def a_report_stays_unplaced() -> bool:
    seconds_to_report("is anybody there?")
    time.sleep(1)
    return Placement.objects.count() < Report.objects.count()


@pytest.fixture
def home(short_folder: Path) -> Path:
    prepare_storage(now=timezone.now())
    a_service("mail")
    return short_folder


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose sockets have paths short enough."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="outcry-") as folder:
        yield Path(folder)


def test_a_broker_that_stops_and_comes_back_delays_the_stages_and_nobody_else(home: Path) -> None:
    with a_broker(home) as broker, programs_on(home):
        seconds_to_report("before")
        wait_until(lambda: Placement.objects.count() == 1)
        broker.kill()
        broker.wait()
        wait_until(a_report_stays_unplaced)  # what the worker had at hand it finishes first
        while_away = [seconds_to_report(f"while it is away {number}") for number in range(20)]
        time.sleep(2)
        n_placed, n_reports = Placement.objects.count(), Report.objects.count()

        with a_broker(home):
            wait_until(lambda: Placement.objects.count() == n_reports)

    assert max(while_away) < 0.5
    assert n_placed <= n_reports - 20
    assert Report.objects.count() == n_reports
    assert cluster_pending(now=timezone.now()) == 0


def test_a_broker_that_hangs_holds_up_no_report(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from celery import Celery

    from reports import nudge

    application = Celery("test", broker=f"redis+socket://{home}/v.sock")
    before = nudge._send
    with a_broker(home) as broker:
        nudge.connect(lambda stage: application.send_task(f"reports.{stage}_pending", retry=False, ignore_result=True))
        seconds_to_report("before")
        broker.send_signal(signal.SIGSTOP)
        while_it_hangs = [seconds_to_report(f"while it hangs {number}") for number in range(20)]
        broker.send_signal(signal.SIGCONT)
        nudge.connect(before)

    assert max(while_it_hangs) < 0.5
