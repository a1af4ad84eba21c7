"""What a worker remembers between two batches is a copy that is used only while it is the database's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any
from unittest import mock

import numpy as np
import pytest
from django.db import connection
from pytest_django import Settings

from ml.types import FloatArray
from reports.clustering import arrays, encoding, services
from reports.clustering.services import cluster_pending, place_batches
from reports.models import Cluster, ClusteringState, IntakeBatch, MicroCluster, MinuteCount, Placement, Report, Service
from tests.clustering.stories import LOGIN, PARCEL, a_service, cluster_of, n_counted, tell
from tests.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)  # the memory is kept after a commit
DAY = timedelta(days=1)


class SmallEncoder:
    """An encoder of as many dimensions as another one, in which nothing means the same."""

    n_dims = 512
    name = "small-512"

    def encode(self, texts: Sequence[str]) -> FloatArray:
        vectors = np.zeros((len(texts), self.n_dims), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row, sum(text.encode()) % self.n_dims] = 1.0
        return vectors


def in_another_process(act: Callable[[], object]) -> None:
    """Do something on a connection of its own, with a memory of its own."""
    kept = dict(arrays._remembered)
    arrays.forget_states()

    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    arrays._remembered.clear()
    arrays._remembered.update(kept)


def remembered(service: Service) -> arrays.ServiceClusters:
    return arrays._remembered[service.pk]


def assert_same_clusters(one: arrays.ServiceClusters, other: arrays.ServiceClusters) -> None:
    """Every array bit for bit, whatever it is nested in."""
    for name, value in plain(one).items():
        np.testing.assert_array_equal(value, plain(other)[name], err_msg=name, strict=True)


def plain(clusters: arrays.ServiceClusters) -> dict[str, Any]:
    state, tally, calibration = clusters.state, clusters.state.tally, clusters.state.calibration
    assert calibration is not None
    parts = (
        {field.name: getattr(whole, field.name) for field in fields(whole)}
        for whole in (clusters, state, tally, calibration)
    )
    named = {f"{at}.{name}": value for at, part in enumerate(parts) for name, value in part.items()}
    # Where languages are not told apart there are none, and an index is what its sums make of it.
    apart = {"0.state", "1.index", "1.tally", "1.calibration"}
    return {name: np.asarray(value) for name, value in named.items() if name not in apart} | {"sums": state.sums}


def test_the_second_batch_is_placed_from_memory() -> None:
    service = a_service()
    tell(service, LOGIN)
    cluster_pending(now=NOW)
    tell(service, LOGIN)

    with mock.patch.object(arrays, "_read", side_effect=AssertionError("the clusters were read again")):
        cluster_pending(now=NOW)

    assert Placement.objects.count() == 2 * len(LOGIN)


def test_what_another_process_placed_meanwhile_is_noticed() -> None:
    service = a_service()
    tell(service, LOGIN)
    cluster_pending(now=NOW)
    tell(service, PARCEL)
    in_another_process(lambda: cluster_pending(now=NOW))

    (report,) = tell(service, PARCEL[:1])
    cluster_pending(now=NOW)

    assert cluster_of(report) in {cluster_of(one) for one in IntakeBatch.objects.order_by("id")[1].report_ids}
    assert ClusteringState.objects.get().generation == 3
    assert sum(MicroCluster.objects.values_list("n_reports", flat=True)) == Placement.objects.count()


def test_a_fresh_process_places_as_one_that_remembers() -> None:
    one, other = a_service("one"), a_service("other")
    for service in (one, other):
        for start in range(0, 6, 2):
            tell(service, [*LOGIN[start : start + 2], *PARCEL[start // 2 : start // 2 + 1]])
            place_batches(service_id=service.pk, now=NOW)
            if service == other:
                arrays.forget_states()

    placed = [
        list(MicroCluster.objects.filter(service=service).order_by("id").values_list("n_reports", "vector_sum"))
        for service in (one, other)
    ]
    assert [[(n, bytes(vector)) for n, vector in rows] for rows in placed[:1]] == [
        [(n, bytes(vector)) for n, vector in rows] for rows in placed[1:]
    ]


def test_a_batch_that_failed_is_not_remembered() -> None:
    service = a_service()
    tell(service, LOGIN)
    cluster_pending(now=NOW)
    before = remembered(service)
    tell(service, PARCEL)

    with mock.patch.object(arrays, "save_state", side_effect=RuntimeError), pytest.raises(RuntimeError):
        cluster_pending(now=NOW)

    assert remembered(service) is before


def test_a_cluster_that_was_idle_for_long_takes_no_more_reports() -> None:
    service = a_service()
    (early,) = tell(service, ["login fails"])
    cluster_pending(now=NOW)
    later = NOW + arrays.IDLE_AFTER + timedelta(hours=1)  # which clusters are live is asked by the hour

    (late,) = tell(service, ["login fails"], at=later)
    cluster_pending(now=later)

    assert cluster_of(early) != cluster_of(late)


def test_a_cluster_that_is_idle_for_less_goes_on() -> None:
    service = a_service()
    (early,) = tell(service, ["login fails"])
    cluster_pending(now=NOW)
    later = NOW + arrays.IDLE_AFTER - timedelta(minutes=1)

    (late,) = tell(service, ["login fails"], at=later)
    cluster_pending(now=later)

    assert cluster_of(early) == cluster_of(late)


def test_vectors_of_another_encoder_are_left_alone_where_their_texts_are_gone(settings: Settings) -> None:
    service = a_service()
    settings.ENCODER = "static"
    tell(service, [f"{LOGIN[i % 6]} {i}" for i in range(100)])
    cluster_pending(now=NOW)
    before = list(MicroCluster.objects.order_by("id").values_list())
    Report.objects.all().delete()

    settings.ENCODER = "hashing"
    tell(service, [f"{LOGIN[i % 6]} {i}" for i in range(100)])
    cluster_pending(now=NOW)

    assert list(MicroCluster.objects.exclude(encoder__startswith="hashing").order_by("id").values_list()) == before
    assert n_counted(service) == 200


def test_a_switch_of_encoders_leaves_a_state_that_another_process_can_read(settings: Settings) -> None:
    service = a_service()
    settings.ENCODER = "static"
    tell(service, [f"{LOGIN[i % 6]} {i}" for i in range(99)])
    cluster_pending(now=NOW)
    settings.ENCODER = "hashing"
    tell(service, [f"{PARCEL[i % 4]} {i}" for i in range(99)])
    cluster_pending(now=NOW)

    kept = remembered(service)
    arrays.forget_states()
    read = arrays.load_clusters(service.pk, encoder=encoding.the_encoder(), now=NOW)

    assert read.encoder == kept.encoder == ClusteringState.objects.get().encoder
    assert read.state.tally.n_seen == kept.state.tally.n_seen == 198  # the first ones were read anew
    assert_same_clusters(read, kept)


def test_a_process_with_another_encoder_is_noticed_even_at_the_same_size(settings: Settings) -> None:
    service = a_service()
    settings.ENCODER = "hashing"
    (first,) = tell(service, ["login fails"])
    cluster_pending(now=NOW)
    tell(service, ["login fails"])
    with (
        mock.patch.object(encoding, "the_encoder", SmallEncoder),
        mock.patch.object(encoding, "reference_of", lambda encoder: encoder.encode(LOGIN)),
    ):
        in_another_process(lambda: cluster_pending(now=NOW))

    (third,) = tell(service, ["login fails"])
    cluster_pending(now=NOW)

    assert cluster_of(third) == cluster_of(first)
    assert list(MicroCluster.objects.values_list("encoder", "n_reports")) == [("hashing-512-v2", 3)]
    assert ClusteringState.objects.get().generation == 5  # three batches, and the way there and back


def test_two_workers_that_run_at_once_place_each_report_once() -> None:
    service = a_service()
    batches = [tell(service, [text]) for text in (LOGIN + PARCEL) * 3]
    start = threading.Barrier(2)
    placed: list[int] = []

    def work() -> None:
        start.wait()
        try:
            placed.extend(cluster_pending(now=NOW) for _ in batches)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sum(placed) == Placement.objects.count() == len(batches)
    assert sum(MinuteCount.objects.values_list("n_reports", flat=True)) == len(batches)
    assert sum(Cluster.objects.values_list("n_reports", flat=True)) == len(batches)


def test_a_rival_that_comes_while_a_batch_is_placed_leaves_the_service_alone() -> None:
    service, other = a_service("mail"), a_service("shop")
    tell(service, LOGIN)
    tell(other, PARCEL)
    place = services._place
    rival: list[int] = []

    def place_with_a_rival(*args: object, **kwargs: object) -> object:
        if not rival:
            rival.append(-1)
            in_another_process(lambda: rival.append(cluster_pending(now=NOW)))
        return place(*args, **kwargs)  # type: ignore[arg-type]

    with mock.patch.object(services, "_place", place_with_a_rival):
        place_batches(service_id=service.pk, now=NOW)

    assert rival[1] == len(PARCEL)  # the other service only
    assert n_counted(service) == len(LOGIN)
    assert n_counted(other) == len(PARCEL)


def test_a_claimed_batch_is_skipped_even_without_the_services_lock() -> None:
    service = a_service()
    tell(service, LOGIN)
    place = services._place
    rival: list[int] = []

    def place_with_a_rival(*args: object, **kwargs: object) -> object:
        in_another_process(lambda: rival.append(place_batches(service_id=service.pk, now=NOW)))
        return place(*args, **kwargs)  # type: ignore[arg-type]

    with (
        mock.patch.object(services, "_place", place_with_a_rival),
        mock.patch.object(services, "lock_service", return_value=True),
    ):
        n_placed = place_batches(service_id=service.pk, now=NOW)

    assert (n_placed, rival) == (len(LOGIN), [0])
    assert n_counted(service) == len(LOGIN)
