"""Placing: every report once, counted with its placement or not at all, whoever else is at it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError, connection
from pytest_django import DjangoAssertNumQueries

from reports.clustering import services, writing
from reports.clustering.services import cluster_pending, place_batches
from reports.intake.ids import uuid7
from reports.models import Cluster, IntakeBatch, MicroCluster, MinuteCount, Placement, Report
from tests.clustering.stories import (
    LOGIN,
    PARCEL,
    a_report,
    a_service,
    cluster_of,
    everything_placed,
    hand_in,
    n_counted,
    tell,
)
from tests.factories import NOW, make_batch

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def test_reports_that_say_the_same_share_a_cluster_and_others_do_not() -> None:
    service = a_service()
    logins, parcels = tell(service, LOGIN), tell(service, PARCEL)

    n_placed = cluster_pending(now=NOW)

    assert n_placed == len(LOGIN) + len(PARCEL)
    assert cluster_of(logins[0]) == cluster_of(logins[1])
    assert {cluster_of(report) for report in logins}.isdisjoint(cluster_of(report) for report in parcels)


def test_a_placement_says_what_detection_needs_without_the_report() -> None:
    service = a_service()
    (report_id,) = tell(service, ["login fails"], region="de-by", reporter="jane")

    cluster_pending(now=NOW + MINUTE)

    placed = Placement.objects.get()
    report = Report.objects.get()
    assert placed.report_id == report_id
    assert (placed.region, placed.is_counted, placed.counted_at) == ("DE-BY", True, NOW)
    assert bytes(placed.reporter) == bytes(report.reporter) != b""
    assert placed.placed_at == NOW + MINUTE


def test_minutes_hold_as_many_reports_as_were_placed() -> None:
    service = a_service()
    hand_in(*(a_report(service, at=NOW + i * timedelta(seconds=20), region="DE") for i in range(7)))
    hand_in(*(a_report(service, at=NOW + i * timedelta(seconds=20), region="FR") for i in range(4)))

    cluster_pending(now=NOW + 5 * MINUTE)

    by_minute = {
        (row.region, (row.minute - NOW) // MINUTE): row.n_reports for row in MinuteCount.objects.filter(service=service)
    }
    assert by_minute == {("DE", 0): 3, ("DE", 1): 3, ("DE", 2): 1, ("FR", 0): 3, ("FR", 1): 1}
    assert Placement.objects.count() == 11


def test_a_second_batch_in_the_same_minute_adds_to_the_first() -> None:
    service = a_service()
    tell(service, ["login fails"] * 3)
    cluster_pending(now=NOW)
    tell(service, ["login fails"] * 2)

    cluster_pending(now=NOW)

    assert MinuteCount.objects.get().n_reports == 5
    assert Cluster.objects.get().n_reports == MicroCluster.objects.get().n_reports == 5


def test_running_it_again_changes_nothing() -> None:
    service = a_service()
    tell(service, LOGIN + PARCEL)
    cluster_pending(now=NOW)
    before = everything_placed()

    n_placed = cluster_pending(now=NOW + MINUTE)

    assert n_placed == 0
    assert everything_placed() == before


def test_services_are_placed_apart() -> None:
    mail, shop = a_service("mail"), a_service("shop")
    (in_mail,), (in_shop,) = tell(mail, ["login fails"]), tell(shop, ["login fails"])

    cluster_pending(now=NOW)

    assert cluster_of(in_mail) != cluster_of(in_shop)


def test_a_report_without_words_is_placed_by_its_symptom() -> None:
    service = a_service()
    hand_in(a_report(service, "", symptom="login"), a_report(service, "", symptom="login"))

    cluster_pending(now=NOW)

    cluster = Cluster.objects.get()
    assert (cluster.label, cluster.n_reports) == ("Can't log in", 2)


def test_a_text_without_any_known_word_is_placed_all_the_same() -> None:
    service = a_service()
    tell(service, ["\u200d", "…", "…"])

    cluster_pending(now=NOW)

    assert Placement.objects.count() == 3


def test_a_new_cluster_is_called_by_the_beginning_of_its_first_report() -> None:
    service = a_service()
    tell(service, ["the app\nshows an empty page " + "after the update " * 10])

    cluster_pending(now=NOW)

    label = Cluster.objects.get().label
    assert label.startswith("the app shows an empty page after")
    assert label.endswith("…")
    assert len(label) <= writing.LABEL_CHARS


def test_a_batch_whose_reports_are_gone_is_done_with() -> None:
    batch = make_batch(a_service(), report_ids=[uuid7(NOW)])

    cluster_pending(now=NOW)

    batch.refresh_from_db()
    assert batch.clustered_at == NOW
    assert not Placement.objects.exists()


def test_a_backlog_of_many_small_batches_is_worked_off_in_one_go() -> None:
    service = a_service()
    ids = [uuid7(NOW) for _ in range(2 * services.CLAIM_BATCHES + 1)]
    IntakeBatch.objects.bulk_create(IntakeBatch(service=service, report_ids=[one], written_at=NOW) for one in ids)

    cluster_pending(now=NOW)

    assert not IntakeBatch.objects.filter(clustered_at=None).exists()


def test_a_transaction_takes_no_more_than_its_share_of_a_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "CLAIM_REPORTS", 8)
    service = a_service()
    for _ in range(3):
        tell(service, ["login fails"] * 5)

    n_placed = place_batches(service_id=service.pk, now=NOW)

    assert n_placed == 5


def test_of_a_backlog_the_newest_are_placed_first_and_the_oldest_do_not_wait_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "CLAIM_REPORTS", 5)
    service = a_service()
    batches = [frozenset(tell(service, ["login fails"] * 5, at=NOW + timedelta(minutes=i))) for i in range(7)]
    order: list[int] = []
    place = services._place

    def notes(service_id: int, reports: Any, **options: Any) -> Any:
        order.append(batches.index(frozenset(report.id for report in reports)))
        return place(service_id, reports, **options)

    monkeypatch.setattr(services, "_place", notes)
    n_placed = cluster_pending(now=NOW)

    assert order == [6, 5, 0, 4, 3, 1, 2]
    assert n_placed == Placement.objects.count() == 35


def test_what_fits_into_one_claim_is_placed_in_its_order() -> None:
    service = a_service()
    ids = [one for i in range(3) for one in tell(service, LOGIN, at=NOW + timedelta(minutes=i))]

    place_batches(service_id=service.pk, now=NOW)

    assert list(Placement.objects.order_by("counted_at").values_list("report_id", flat=True)) == ids


@pytest.mark.parametrize("n_reports", [20, 200])
def test_the_queries_of_a_batch_do_not_grow_with_its_reports(
    n_reports: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    service = a_service()
    tell(service, LOGIN + PARCEL)
    cluster_pending(now=NOW)
    tell(service, [f"{LOGIN[i % 6]} {i % 7}" for i in range(n_reports)], region="DE", reporter="")

    # Of these four read the clusters, which a worker remembers, two keep the sample from which "alike" is read, and
    # two count by source. Whether clusters merge by the way is the texts' affair: one more.
    with django_assert_max_num_queries(31):
        place_batches(service_id=service.pk, now=NOW)

    assert Placement.objects.count() == n_reports + len(LOGIN) + len(PARCEL)


def test_what_fails_half_way_leaves_nothing_behind_and_is_placed_the_next_time() -> None:
    service = a_service()
    tell(service, ["login fails"] * 3)
    cluster_pending(now=NOW)
    tell(service, LOGIN)
    before = everything_placed()

    with mock.patch.object(writing, "count_minutes", side_effect=OperationalError), pytest.raises(OperationalError):
        cluster_pending(now=NOW)

    assert everything_placed() == before
    assert cluster_pending(now=NOW) == len(LOGIN)
    assert n_counted(service) == 3 + len(LOGIN)


@pytest.mark.django_db(transaction=True)
def test_a_connection_killed_half_way_leaves_nothing_behind_and_is_placed_the_next_time() -> None:
    service = a_service()
    tell(service, LOGIN)
    place = writing.write_placements

    def place_and_die(*args: object, **kwargs: object) -> None:
        place(*args, **kwargs)  # type: ignore[arg-type]
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with mock.patch.object(writing, "write_placements", place_and_die), pytest.raises(OperationalError):
        cluster_pending(now=NOW)
    connection.close()

    assert not Placement.objects.exists()
    assert not Cluster.objects.exists()
    assert IntakeBatch.objects.get().clustered_at is None
    assert cluster_pending(now=NOW) == len(LOGIN)
    assert n_counted(service) == Placement.objects.count() == len(LOGIN)
