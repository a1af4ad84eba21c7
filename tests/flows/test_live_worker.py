"""A real worker on the tests' own Postgres and Valkey: nudges alone bring a report to its place, in time and once."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from django.db import connection
from django.utils import timezone

from feedback.embedded import programs
from reports import nudge
from reports.clustering.locks import LOCK_CLUSTERING as LOCK
from reports.enums import Channel
from reports.intake.contract import ReportIn
from reports.intake.services import Origin, accept_batch, accept_report, prepare_storage
from reports.models import MinuteCount, Outage, Placement, Report, Service
from tests.clustering.stories import a_service

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 30.0
IN_TIME_SECONDS = 10.0  # what the measure allows from a report to its place
ORIGIN = Origin(Channel.REST, client="test")


@pytest.fixture(autouse=True)
def _nudges_reach_the_broker() -> Iterator[None]:
    from feedback.celery import send_nudge

    before = nudge._send
    nudge.connect(send_nudge)
    yield
    nudge.connect(before)


@pytest.fixture
def service() -> Service:
    prepare_storage(now=timezone.now())
    return a_service("mail")


@contextmanager
def a_worker(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker as `make run` starts it, without beat, until the end of the block."""
    environment = os.environ | {"DATABASE_URL": _database_url(), "DJANGO_SETTINGS_MODULE": "feedback.settings"}
    with log.open("wb") as output:
        running = subprocess.Popen(
            programs.worker_command(concurrency=1), cwd=CHECKOUT, env=environment, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    try:
        wait_until(lambda: b" ready." in log.read_bytes(), log)
        yield running
    finally:
        running.terminate()
        try:
            running.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait(PATIENCE_SECONDS)


def wait_until(is_so: Callable[[], bool], log: Path, *, seconds: float = PATIENCE_SECONDS) -> None:
    give_up_at = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < give_up_at, log.read_text(errors="replace")[-3000:]
        time.sleep(0.02)


def send(n: int, *, start: int = 0) -> None:
    accept_batch(
        items=[
            ReportIn(service="mail", text=f"I can't log in {i}", region="DE-BY", reporter=f"user-{start + i}")
            for i in range(n)
        ],
        origin=ORIGIN,
        now=timezone.now(),
    )


def test_a_nudge_has_a_report_placed_within_seconds(service: Service, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with a_worker(log):
        receipt = accept_report(report=ReportIn(service="mail", text="login fails"), origin=ORIGIN, now=timezone.now())

        wait_until(lambda: Placement.objects.filter(pk=receipt.id).exists(), log, seconds=IN_TIME_SECONDS)


def test_a_flood_is_flagged_within_seconds_by_nudges_alone(service: Service, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with a_worker(log):
        send(40)

        wait_until(Outage.objects.filter(confirmed_at__isnull=False).exists, log, seconds=IN_TIME_SECONDS)

    outage = Outage.objects.get()
    assert (outage.service_id, outage.regions) == (service.pk, ["DE-BY"])


def test_reports_outlive_a_worker_that_is_killed_at_work(service: Service, tmp_path: Path) -> None:
    first, second = tmp_path / "first.log", tmp_path / "second.log"
    with a_worker(first) as doomed:
        send(2_000)
        wait_until(is_at_work, first)
        os.killpg(doomed.pid, signal.SIGKILL)  # the group this test has started: the worker and its children

    with a_worker(second):
        send(1, start=2_000)
        wait_until(lambda: Placement.objects.count() == 2_001, second)

    assert Report.objects.count() == 2_001
    counts = MinuteCount.objects.values_list("n_reports", "n_counted")
    assert [sum(column) for column in zip(*counts, strict=True)] == [2_001, 2_001]


def is_at_work() -> bool:
    """Tell whether somebody is placing reports this very moment."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = %s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _database_url() -> str:
    database = connection.settings_dict
    query = {"host": database["HOST"]} | ({"port": database["PORT"]} if database["PORT"] else {})
    password = f":{quote(database['PASSWORD'], safe='')}" if database["PASSWORD"] else ""
    return f"postgres://{quote(database['USER'], safe='')}{password}@/{quote(database['NAME'])}?{urlencode(query)}"
