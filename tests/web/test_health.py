"""What machines that watch us are told, when all is well and when it is not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from reports.enums import Channel, OutageState, Scope
from reports.intake.apikeys import create_key
from reports.intake.spool import the_spool
from reports.models import Service
from reports.telemetry import Metric, Sample, render
from reports.triage import gauges
from reports.web import health
from tests.factories import NOW, make_batch, make_cluster, make_outage, make_report, make_service, make_source_alarm
from tests.intake.submissions import submission_for


@pytest.fixture(autouse=True)
def _fresh_metrics() -> None:
    health.forget_metrics()


def away(*args: object, **kwargs: object) -> Any:
    raise OperationalError("the database system is shutting down")


def metrics(client: Client) -> dict[str, float]:
    """Read the metrics as a scraper does."""
    health.forget_metrics()
    lines = client.get("/metrics").content.decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def test_the_process_says_that_it_lives_without_asking_anybody(client: Client) -> None:
    response = client.get("/healthz")  # no database mark: a query would fail the test

    assert response.status_code == 200
    assert response["Cache-Control"].startswith("max-age=0")


@pytest.mark.django_db
def test_a_fresh_installation_is_ready_without_a_worker(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        response = client.get("/readyz")

    assert response.status_code == 200
    checks = response.json()["checks"]
    assert {name for name, check in checks.items() if check["ok"]} == {"database", "broker", "spool", "lag"}
    assert checks["lag"]["seconds"] == 0


@pytest.mark.django_db
def test_reports_that_wait_too_long_are_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    monkeypatch.setattr(health, "_started_at", now - timedelta(hours=1))
    make_batch(make_service(), at=now - timedelta(seconds=31))

    response = client.get("/readyz")

    assert response.status_code == 503
    lag = response.json()["checks"]["lag"]
    assert not lag["ok"]
    assert lag["seconds"] >= 31
    assert lag["promised_seconds"] == 30
    assert int(response["Retry-After"]) > 0


@pytest.mark.django_db
def test_what_waited_before_the_start_is_not_held_against_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    monkeypatch.setattr(health, "_started_at", now)
    make_batch(make_service(), at=now - timedelta(days=1))

    response = client.get("/readyz")

    assert response.status_code == 200


@pytest.mark.django_db
def test_reports_that_are_placed_are_no_lag(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    monkeypatch.setattr(health, "_started_at", now - timedelta(days=2))
    make_batch(make_service(), at=now - timedelta(days=1), clustered_at=now)

    response = client.get("/readyz")

    assert response.json()["checks"]["lag"]["seconds"] == 0


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["unix:///nowhere/at-all.sock", "redis://127.0.0.1:1/0"])
def test_a_broker_that_is_away_is_named(client: Client, settings: Any, url: str) -> None:
    settings.REDIS_URL = url

    response = client.get("/readyz")

    assert response.status_code == 503
    checks = response.json()["checks"]
    assert not checks["broker"]["ok"]
    assert checks["database"]["ok"]


@pytest.mark.django_db
def test_a_broker_that_hangs_is_given_a_second_at_most(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    make = redis.Redis.from_url

    def remember(url: str, **options: Any) -> Any:
        asked.update(options)
        return make(url, **options)

    monkeypatch.setattr(redis.Redis, "from_url", remember)
    client.get("/readyz")

    assert (asked["socket_timeout"], asked["socket_connect_timeout"]) == (1.0, 1.0)
    assert asked["retry"].get_retries() == 0


def test_a_database_that_is_away_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "lag_seconds", away)

    response = client.get("/readyz")

    assert response.status_code == 503
    checks = response.json()["checks"]
    assert not checks["database"]["ok"]
    assert not checks["lag"]["ok"]
    assert checks["broker"]["ok"]


@pytest.mark.django_db
def test_metrics_count_reports_by_service_and_channel(client: Client) -> None:
    mail = make_service("mail")
    make_report(mail)
    make_report(mail)
    make_report(mail, channel=Channel.FORM)

    read = metrics(client)

    assert read['outcry_reports_total{service="mail",channel="rest"}'] == 2
    assert read['outcry_reports_total{service="mail",channel="form"}'] == 1


@pytest.mark.django_db
def test_metrics_say_what_is_open(client: Client) -> None:
    now = timezone.now()
    mail = make_service("mail")
    root = make_cluster(mail, at=now)
    make_cluster(mail, at=now, merged_into=root)
    make_cluster(mail, at=now - timedelta(days=3))
    make_outage(mail, state=OutageState.CONFIRMED)
    make_outage(make_service("chat"), state=OutageState.RESOLVED)
    make_batch(mail, at=now - timedelta(seconds=90))

    read = metrics(client)

    assert read["outcry_clusters_open"] == 1
    assert read['outcry_outages_open{state="confirmed"}'] == 1
    assert read['outcry_outages_open{state="suspected"}'] == 0
    assert not any("resolved" in name for name in read)
    assert read["outcry_ingest_lag_seconds"] >= 90


@pytest.mark.django_db
def test_metrics_say_which_sources_are_silent(client: Client) -> None:
    make_source_alarm(since=timezone.now())

    read = metrics(client)

    assert read['outcry_source_alarms_open{kind="silent"}'] == 1
    assert read['outcry_source_alarms_open{kind="collection_change"}'] == 0


@pytest.mark.django_db
def test_metrics_are_kept_for_a_moment(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(7):
        first = client.get("/metrics")
    with django_assert_num_queries(0):
        second = client.get("/metrics")

    assert first.content == second.content
    assert first["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_metrics_of_a_database_that_is_away_are_no_zeros(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges.ReportTotals, "read", away)

    response = client.get("/metrics")

    names = {line.split()[0] for line in response.content.decode().splitlines() if not line.startswith("#")}
    assert response.status_code == 200
    assert names == {
        "outcry_database_up",
        "outcry_spool_reports",
        "outcry_spool_bytes",
        "outcry_spool_oldest_seconds",
        "outcry_spool_set_aside",
    }
    assert b"outcry_database_up 0\n" in response.content


@pytest.mark.django_db
def test_what_waits_in_the_spool_is_told(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.SPOOL_DIR = tmp_path
    the_spool().append([submission_for(Service(pk=1, slug="mail"), 3)])

    metrics = client.get("/metrics").content.decode()
    check = client.get("/readyz").json()["checks"]["spool"]

    assert "outcry_spool_reports 3\n" in metrics
    assert (check["ok"], check["reports"]) == (True, 3)
    assert check["bytes"] > 0


@pytest.mark.django_db
def test_what_waits_in_the_spool_for_longer_than_promised_is_no_readiness(
    client: Client, settings: Any, tmp_path: Path
) -> None:
    settings.SPOOL_DIR = tmp_path
    the_spool().append([submission_for(Service(pk=1, slug="mail"))])
    ours = next(tmp_path.glob("*.spool"))
    ours.rename(tmp_path / f"{0:020d}-1-{'0' * 32}.spool")

    response = client.get("/readyz")

    assert response.status_code == 503
    assert not response.json()["checks"]["spool"]["ok"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_only_reading_is_allowed(client: Client, path: str) -> None:
    response = client.post(path)

    assert response.status_code == 405


@pytest.mark.django_db
def test_totals_grow_with_what_comes_and_count_nothing_twice() -> None:
    now = timezone.now()
    mail = make_service("mail")
    make_report(mail, at=now - timedelta(days=2))
    make_report(mail, at=now - timedelta(seconds=10))
    totals = gauges.ReportTotals()
    read = [totals.read(now=now)]

    make_report(mail, at=now)
    read.append(totals.read(now=now + timedelta(seconds=5)))
    read.append(totals.read(now=now + timedelta(minutes=10)))
    make_report(mail, at=now + timedelta(minutes=10))
    read.append(totals.read(now=now + timedelta(minutes=10)))

    assert [each["mail", "rest"] for each in read] == [2, 3, 3, 4]


@pytest.mark.django_db
def test_totals_do_not_miss_a_report_that_is_committed_late() -> None:
    now = timezone.now()
    mail = make_service("mail")
    totals = gauges.ReportTotals()
    totals.read(now=now)

    make_report(mail, at=now - timedelta(seconds=13))

    assert totals.read(now=now + timedelta(seconds=5))["mail", "rest"] == 1


def test_a_label_may_hold_anything() -> None:
    text = render([Metric("x", "gauge", "a\nb", [Sample(0.5, {"a": 'q"\\\n'})])])

    assert text == '# HELP x a\\nb\n# TYPE x gauge\nx{a="q\\"\\\\\\n"} 0.5\n'


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("10.1.2.3", {}, 200),
        ("::1", {}, 200),
        ("93.184.216.34", {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "93.184.216.34"}, 403),  # a proxy that nobody has named
        ("127.0.0.1", {"X-Forwarded-For": "10.0.0.1"}, 403),
        ("93.184.216.34", {"Authorization": "Bearer outcry_nonsense"}, 403),
    ],
)
@pytest.mark.django_db
def test_metrics_are_told_near_by(client: Client, address: str, headers: dict[str, str], status: int) -> None:
    response = client.get("/metrics", REMOTE_ADDR=address, headers=headers)

    assert response.status_code == status
    assert ("outcry_database_up" in response.content.decode()) is (status == 200)


@pytest.mark.parametrize(("scope", "status"), [(Scope.READ, 200), (Scope.INTAKE, 403)])
@pytest.mark.django_db
def test_metrics_are_told_far_off_to_who_may_read(client: Client, scope: Scope, status: int) -> None:
    key = create_key(name="Prometheus", scopes=[scope], created_by_id=None, now=NOW).secret

    response = client.get("/metrics", REMOTE_ADDR="93.184.216.34", headers={"Authorization": f"Bearer {key}"})

    assert response.status_code == status


@pytest.mark.django_db
def test_metrics_can_be_opened_to_everybody(client: Client, settings: Any) -> None:
    settings.METRICS = "open"

    assert client.get("/metrics", REMOTE_ADDR="93.184.216.34").status_code == 200
