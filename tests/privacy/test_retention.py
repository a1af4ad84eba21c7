"""Retention: days of reports go whole and with all copies of their words, counts stay, and the intake does not wait."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client, override_settings

from reports.checks import counts_outlive_texts
from reports.clustering.refinement import refine_pending
from reports.clustering.services import cluster_pending
from reports.enums import EventKind, OutageState, Role
from reports.intake import partitions
from reports.intake.partitions import make_partitions, partition_name
from reports.intake.receipts import receipt_token
from reports.intake.spool import ASIDE
from reports.models import (
    Cluster,
    MicroCluster,
    MinuteCount,
    Outage,
    OutageEvent,
    Placement,
    Report,
    ReportContact,
    ScreeningExample,
    Service,
)
from reports.privacy.retention import forget_old
from tests.clustering.stories import LOGIN, a_report, a_service, hand_in, n_counted
from tests.factories import (
    add_event,
    count_reports,
    make_batch,
    make_cluster,
    make_outage,
    make_report,
    make_service,
    make_user,
)
from tests.privacy.looking import tables_that_hold

# A month of its own, so that no other test's partitions are in the way.
OLD = datetime(2032, 5, 3, 9, 30, tzinfo=UTC)
NOW = OLD + timedelta(days=32)
YEARS_LATER = OLD + timedelta(days=402)
ALL_DAYS = [partition_name((start + timedelta(days=ahead)).date()) for start in (OLD, NOW) for ahead in range(8)]
WORDS = "quincunx mollusc is broken"


@pytest.fixture(autouse=True)
def _a_spool_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.SPOOL_DIR = tmp_path


@pytest.fixture
def _dropped_afterwards() -> Iterator[None]:
    """A test without a transaction around it leaves tables behind."""
    yield
    with connection.cursor() as cursor:
        for name in ALL_DAYS:
            cursor.execute(f'DROP TABLE IF EXISTS "{name}"')


@pytest.fixture
def service() -> Service:
    return a_service("mail", name="Mail")


def partitions_there() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'reports_report'::regclass")
        return {name for (name,) in cursor.fetchall()}


# -- What goes --------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_dropped_afterwards")
def test_a_day_past_its_time_is_dropped_whole_and_counts_stay(service: Service) -> None:
    make_partitions(now=OLD)
    make_partitions(now=NOW)
    hand_in(*(a_report(service, text, at=OLD) for text in LOGIN), now=OLD)
    cluster_pending(now=OLD)
    [fresh] = hand_in(a_report(service, at=NOW), now=NOW)

    forgotten = forget_old(now=NOW)

    assert {"2032-05-03", "2032-05-04"} <= set(forgotten.days)  # other tests leave days of today
    assert partition_name(OLD.date()) not in partitions_there()
    assert partition_name((NOW - timedelta(days=30)).date()) in partitions_there()
    assert list(Report.objects.values_list("id", flat=True)) == [fresh]
    assert n_counted(service) == Placement.objects.count() == len(LOGIN)


@pytest.mark.django_db
def test_reports_of_the_default_partition_go_by_row(service: Service) -> None:
    make_report(service, at=OLD)
    young = make_report(service, at=NOW - timedelta(days=29))

    forgotten = forget_old(now=NOW)

    assert forgotten.n_reports == 1
    assert list(Report.objects.values_list("id", flat=True)) == [young.id]


@pytest.mark.django_db
def test_the_clock_is_that_of_receipt_not_of_what_it_tells(service: Service) -> None:
    backdated = make_report(service, at=NOW)
    Report.objects.update(occurred_at=OLD, counted_at=OLD)

    forget_old(now=NOW)

    assert list(Report.objects.values_list("id", flat=True)) == [backdated.id]


@pytest.mark.django_db
def test_with_a_report_goes_every_copy_of_its_words(service: Service) -> None:
    [report_id] = hand_in(a_report(service, WORDS, contact="ada@lovelace.example", at=OLD), now=OLD)
    cluster_pending(now=OLD)
    refine_pending(now=OLD + timedelta(minutes=1))
    ScreeningExample.objects.create(report_id=report_id, service=service, text=WORDS, is_problem=True, at=OLD)
    Placement.objects.update(is_set_aside=True, is_counted=False, set_aside_for=["mollusc"])
    outage = make_outage(service, state=OutageState.RESOLVED, label=WORDS, started_at=OLD, now=OLD)
    add_event(outage, EventKind.HELD_BACK, at=OLD, body={"words": ["mollusc"], "n_reports": 3})
    assert tables_that_hold("mollusc")

    forget_old(now=NOW)

    assert not tables_that_hold("mollusc")
    assert not tables_that_hold("lovelace")
    assert OutageEvent.objects.get(kind=EventKind.HELD_BACK).body == {"n_reports": 3}
    assert MinuteCount.objects.count() == Cluster.objects.count() == 1


@pytest.mark.django_db
def test_what_many_said_remains_as_the_name_of_their_cluster(service: Service) -> None:
    gone = make_report(service, at=OLD)
    of_many = make_cluster(service, label="log in fails", at=OLD, n_reports=10, typical_report_id=gone.id)
    of_few = make_cluster(service, label="mollusc", at=OLD, n_reports=9, typical_report_id=gone.id)
    alive = make_cluster(service, label="no mail at all", at=NOW, typical_report_id=gone.id)
    Cluster.objects.filter(pk=of_many.pk).update(term_shares=[1.0, 1.0, 1.0])
    of_terms = make_outage(service, label="log · fails", state=OutageState.RESOLVED, started_at=OLD, now=OLD)
    of_a_term = make_outage(service, label="fails", state=OutageState.RESOLVED, started_at=OLD, now=OLD)

    forget_old(now=NOW)

    labels = dict(Cluster.objects.values_list("pk", "label"))
    assert labels == {of_many.pk: "log · in · fails", of_few.pk: "", alive.pk: "no mail at all"}
    assert dict(Outage.objects.values_list("pk", "label")) == {of_terms.pk: "log · fails", of_a_term.pk: "fails"}


@pytest.mark.django_db
def test_what_few_of_many_said_goes(service: Service) -> None:
    gone = make_report(service, at=OLD)
    cluster = make_cluster(service, label="log · mollusc", at=OLD, n_reports=20, typical_report_id=gone.id)
    Cluster.objects.update(terms=["log", "mollusc"], term_shares=[1.0, 0.45])
    make_outage(service, label="log · mollusc", state=OutageState.RESOLVED, started_at=OLD, now=OLD)

    forget_old(now=NOW)

    cluster.refresh_from_db()
    assert (cluster.label, cluster.terms, cluster.term_shares) == ("log", ["log"], [1.0])
    assert not tables_that_hold("mollusc")


@pytest.mark.django_db
def test_the_words_of_a_cluster_without_a_typical_report_go_too(service: Service) -> None:
    """It has none where that was erased; then its terms are what two others say."""
    make_cluster(service, label="log · mollusc", at=OLD, n_reports=3)
    Cluster.objects.update(terms=["log", "mollusc"], term_shares=[1.0, 0.7])
    make_outage(service, label="log · mollusc", state=OutageState.RESOLVED, started_at=OLD, now=OLD)

    forget_old(now=NOW)

    assert not tables_that_hold("mollusc")


@pytest.mark.django_db
def test_copies_of_reports_that_are_kept_stay(service: Service) -> None:
    report = make_report(service, at=NOW - timedelta(days=29))
    ReportContact.objects.create(report_id=report.id, address="a@example.org", created_at=NOW)
    ScreeningExample.objects.create(report_id=report.id, service=service, text="x", is_problem=True, at=NOW)

    forget_old(now=NOW)

    assert ReportContact.objects.count() == ScreeningExample.objects.count() == 1


@pytest.mark.django_db
def test_nothing_is_forgotten_before_it_is_counted(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    waiting = make_report(service, at=OLD)
    make_report(service, at=OLD - timedelta(days=3))
    batch = make_batch(service, report_ids=[waiting.id], at=OLD)

    early = forget_old(now=NOW).n_reports
    batch.clustered_at = NOW
    batch.save()
    late = forget_old(now=NOW).n_reports

    assert (early, late) == (1, 1)
    assert "wait to be counted" in caplog.text


@pytest.mark.django_db
def test_counts_have_a_time_of_their_own(service: Service) -> None:
    cluster = make_cluster(service, at=OLD)
    make_report(service, cluster=cluster, at=OLD)
    count_reports(cluster, 3, at=OLD)
    kept = make_cluster(service, at=YEARS_LATER)
    make_report(service, cluster=kept, at=YEARS_LATER)
    count_reports(kept, 5, at=YEARS_LATER)

    n_counts = forget_old(now=YEARS_LATER).n_counts

    assert n_counts == 2  # a placement and a minute
    assert MinuteCount.objects.get().n_reports == 5
    assert MicroCluster.objects.get().cluster_id == kept.pk
    assert Cluster.objects.count() == 2


@pytest.mark.django_db
def test_what_was_set_aside_on_the_disk_goes_too(settings: Any) -> None:
    folder = Path(settings.SPOOL_DIR) / ASIDE
    folder.mkdir()
    for name, at in (("old", OLD), ("young", NOW)):
        (folder / name).write_text(WORDS)
        os.utime(folder / name, (at.timestamp(), at.timestamp()))

    forget_old(now=NOW)

    assert [path.name for path in folder.iterdir()] == ["young"]


@pytest.mark.django_db
def test_a_second_run_finds_nothing(service: Service) -> None:
    make_report(service, at=OLD)
    forget_old(now=NOW)

    again = forget_old(now=NOW)

    assert (again.days, again.n_reports, again.n_counts) == ((), 0, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(("texts", "counts", "n_errors"), [(30, 400, 0), (400, 400, 0), (401, 400, 1)])
def test_counts_must_outlive_texts(texts: int, counts: int, n_errors: int) -> None:
    with override_settings(RETENTION_TEXT_DAYS=texts, RETENTION_COUNTS_DAYS=counts):
        assert len(counts_outlive_texts()) == n_errors


# -- What is left of it on pages --------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_pages_do_without_the_texts(service: Service) -> None:
    [report_id] = hand_in(a_report(service, WORDS, at=OLD), now=OLD)
    cluster_pending(now=OLD)
    forget_old(now=NOW)
    staff = Client()
    staff.force_login(make_user(Role.RESPONDER))

    receipt = Client().get(f"/receipt/{receipt_token(report_id)}")
    cluster = staff.get(f"/dashboard/clusters/{Cluster.objects.get().pk}")

    assert receipt.status_code == 404
    assert "What a report says is deleted after 30 days. That there was one still counts." in receipt.text
    assert cluster.status_code == 200
    assert "No words in common" in cluster.text
    for path in ("/dashboard", "/dashboard/clusters", "/dashboard/set-aside", "/dashboard/quarantine"):
        assert staff.get(path).status_code == 200


@pytest.mark.django_db
def test_placing_and_refining_go_on_without_the_texts(service: Service) -> None:
    hand_in(*(a_report(service, text, at=OLD) for text in LOGIN), now=OLD)
    cluster_pending(now=OLD)
    forget_old(now=NOW)

    hand_in(*(a_report(service, text, at=NOW) for text in LOGIN), now=NOW)
    cluster_pending(now=NOW)
    refine_pending(now=NOW + timedelta(minutes=1))

    assert n_counted(service) == 2 * len(LOGIN)


# -- Beside the intake ------------------------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_dropped_afterwards")
def test_writes_go_on_while_days_are_dropped() -> None:
    service = make_service("mail")
    make_partitions(now=OLD)
    make_partitions(now=NOW)
    for day in range(2):
        for _ in range(50):
            make_report(service, at=OLD + timedelta(days=day))
    stop, slowest, n_written = threading.Event(), [0.0], [0]

    def write() -> None:
        try:
            while not stop.is_set():
                began = time.monotonic()
                with transaction.atomic():
                    make_report(service, at=NOW)
                slowest[0] = max(slowest[0], time.monotonic() - began)
                n_written[0] += 1
        finally:
            connection.close()

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    time.sleep(0.2)
    forgotten = forget_old(now=NOW)
    time.sleep(0.2)
    stop.set()
    for writer in writers:
        writer.join()

    assert {"2032-05-03", "2032-05-04"} <= set(forgotten.days)  # other tests leave days of today
    assert Report.objects.count() == n_written[0] > 10
    assert slowest[0] < 1.0  # from then on it would go to the spool


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_dropped_afterwards")
def test_a_day_that_is_being_read_waits_and_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "LOCK_TRIES", 3)
    monkeypatch.setattr(partitions, "LOCK_PAUSE_SECONDS", 0.05)
    service = make_service("mail")
    make_partitions(now=OLD)
    make_partitions(now=NOW)
    make_report(service, at=OLD)
    is_reading, let_go = threading.Event(), threading.Event()
    slowest = [0.0]

    def read() -> None:
        try:
            with transaction.atomic():
                list(Report.objects.values_list("id"))
                is_reading.set()
                while not let_go.is_set():
                    began = time.monotonic()
                    make_report(service, at=NOW)
                    slowest[0] = max(slowest[0], time.monotonic() - began)
        finally:
            connection.close()

    reading = threading.Thread(target=read)
    reading.start()
    is_reading.wait(10)
    held_up = forget_old(now=NOW)
    let_go.set()
    reading.join()

    assert held_up.days == ()
    assert slowest[0] < 1.0
    assert {"2032-05-03", "2032-05-04"} <= set(forget_old(now=NOW).days)  # other tests leave days of today
    assert not Report.objects.filter(received_at=OLD).exists()
