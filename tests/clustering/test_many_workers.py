"""Many services and several workers: each report placed once, whoever is at work, and no service in two hands."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from django.db import connection

from reports.clustering import arrays
from reports.clustering.refinement import refine_pending
from reports.clustering.services import cluster_pending
from reports.models import Cluster, IntakeBatch, MicroCluster, MinuteCount, Placement, Service
from tests.clustering.stories import (
    a_service,
    assert_clusters_are_sound,
    assert_counts_tell_the_placements,
    many_sayings,
    tell,
)
from tests.clustering.workers import Memories, at_once
from tests.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)
CHECKOUT = Path(__file__).resolve().parents[2]
N_SERVICES = 20
WORKER = """
import django; django.setup()
from datetime import datetime
from reports.clustering.services import cluster_pending
from reports.models import IntakeBatch
now, n_placed = datetime.fromisoformat("{now}"), 0
while IntakeBatch.objects.filter(clustered_at=None).exists():
    n_placed += cluster_pending(now=now)
print(n_placed)
"""


def hand_in_everywhere(services: list[Service], *, n_rounds: int, n_each: int) -> int:
    for step in range(n_rounds):
        for at, service in enumerate(services):
            tell(service, many_sayings(n_each, seed=100 * at + step), at=NOW + timedelta(minutes=step), region="DE-BY")
    return len(services) * n_rounds * n_each


def assert_each_is_placed_once(n_reports: int) -> None:
    assert not IntakeBatch.objects.filter(clustered_at=None).exists()
    assert Placement.objects.count() == n_reports
    for counted in (MinuteCount, Cluster, MicroCluster):
        assert sum(counted.objects.values_list("n_reports", flat=True)) == n_reports, counted
    assert_counts_tell_the_placements()
    assert_clusters_are_sound()


def test_two_workers_on_many_services_place_each_report_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "_remembered", Memories())
    services = [a_service(f"service-{at}") for at in range(N_SERVICES)]
    n_reports = hand_in_everywhere(services, n_rounds=4, n_each=12)
    placed: list[int] = []

    def work() -> None:
        while IntakeBatch.objects.filter(clustered_at=None).exists():
            placed.append(cluster_pending(now=NOW))

    at_once([work, work])

    assert sum(placed) == n_reports
    assert_each_is_placed_once(n_reports)


def test_placing_and_refining_at_once_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "_remembered", Memories())
    services = [a_service(f"service-{at}") for at in range(4)]
    n_reports = hand_in_everywhere(services, n_rounds=12, n_each=10)
    monkeypatch.setattr("reports.clustering.services.CLAIM_REPORTS", 20)  # many turns instead of one

    def place() -> None:
        while IntakeBatch.objects.filter(clustered_at=None).exists():
            cluster_pending(now=NOW)

    def refine() -> None:
        for step in range(12):
            refine_pending(now=NOW + timedelta(minutes=step))

    at_once([place, place, refine, refine])

    assert_each_is_placed_once(n_reports)


@pytest.mark.slow
def test_two_processes_on_many_services_place_each_report_once() -> None:
    services = [a_service(f"service-{at}") for at in range(N_SERVICES)]
    n_reports = hand_in_everywhere(services, n_rounds=4, n_each=12)
    environment = os.environ | {"DATABASE_URL": _database_url(), "DJANGO_SETTINGS_MODULE": "feedback.settings"}

    command = [sys.executable, "-c", WORKER.format(now=NOW.isoformat())]
    with ExitStack() as until_both_ended:
        running = [
            until_both_ended.enter_context(
                subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(2)
        ]
        said = [worker.communicate()[0] for worker in running]

    assert [worker.returncode for worker in running] == [0, 0]
    assert sum(map(int, said)) == n_reports
    assert_each_is_placed_once(n_reports)


def _database_url() -> str:
    database = connection.settings_dict
    query = {"host": database["HOST"]} | ({"port": database["PORT"]} if database["PORT"] else {})
    password = f":{quote(database['PASSWORD'], safe='')}" if database["PASSWORD"] else ""
    return f"postgres://{quote(database['USER'], safe='')}{password}@/{quote(database['NAME'])}?{urlencode(query)}"
