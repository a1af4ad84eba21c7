"""What people said of clusters outlives refinement: pins, barriers, and what they make of the threshold."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock
from uuid import UUID

import pytest

from ml.refine import adapted_factor
from reports.clustering import arrays, refinement
from reports.clustering.refinement import refine_service
from reports.clustering.services import cluster_pending, place_batches
from reports.enums import CorrectionKind
from reports.models import Cluster, ClusterBarrier, ClusteringState, Correction, MicroCluster, Service
from tests.clustering.stories import (
    LOGIN,
    PARCEL,
    a_service,
    assert_clusters_are_sound,
    assert_counts_tell_the_placements,
    cluster_of,
    tell,
)
from tests.factories import NOW, make_user

pytestmark = pytest.mark.django_db(transaction=True)  # the memory is kept after a commit
LATER = NOW + timedelta(minutes=1)


def say(service: Service, kind: CorrectionKind, **fields: Any) -> Correction:
    return Correction.objects.create(service=service, kind=kind, actor=make_user(), at=NOW, **fields)


def refine_often(service: Service, *, times: int = 4, with_restarts: bool = False) -> None:
    """Refine again and again, with a few more reports each time."""
    for step in range(1, times + 1):
        now = LATER + step * timedelta(minutes=5)
        tell(service, [*LOGIN[step % 3 :: 3], *PARCEL[step % 3 :: 3]], at=now)
        cluster_pending(now=now)
        if with_restarts:
            arrays.forget_states()
        assert refine_service(service_id=service.pk, now=now)


def clusters_of(report_ids: list[UUID]) -> set[int]:
    return {cluster_of(report_id) for report_id in report_ids}


@pytest.fixture
def service() -> Service:
    return a_service()


@pytest.mark.parametrize("with_restarts", [False, True])
def test_what_a_person_put_together_stays_together(service: Service, with_restarts: bool) -> None:
    logins, parcels = tell(service, LOGIN[:1] * 3), tell(service, PARCEL[:1] * 3, at=NOW + timedelta(seconds=30))
    cluster_pending(now=NOW)
    (login,), (parcel,) = clusters_of(logins), clusters_of(parcels)
    say(service, CorrectionKind.MERGE, cluster_id=login, into_id=parcel)
    cluster_pending(now=LATER)

    refine_often(service, with_restarts=with_restarts)

    assert clusters_of(logins) == clusters_of(parcels) == {parcel}
    assert_clusters_are_sound()
    assert_counts_tell_the_placements()


@pytest.mark.parametrize("with_restarts", [False, True])
def test_what_a_person_took_apart_stays_apart(service: Service, with_restarts: bool) -> None:
    ids = tell(service, [*LOGIN, *LOGIN])
    cluster_pending(now=NOW)
    whole = cluster_of(ids[0])
    inside = list(MicroCluster.objects.filter(cluster_id=whole).order_by("pk"))
    assert len(inside) > 1
    correction = say(service, CorrectionKind.SPLIT, cluster_id=whole, micro_cluster_ids=[inside[0].pk])
    cluster_pending(now=LATER)
    correction.refresh_from_db()

    refine_often(service, with_restarts=with_restarts)

    assert MicroCluster.objects.get(pk=inside[0].pk).cluster_id == correction.into_id
    assert {MicroCluster.objects.get(pk=micro.pk).cluster_id for micro in inside[1:]} == {whole}
    assert ClusterBarrier.objects.filter(low_id=whole, high_id=correction.into_id).exists()
    assert_clusters_are_sound()


def test_reports_that_a_person_moved_out_do_not_come_back(service: Service) -> None:
    ids = tell(service, LOGIN[:2] * 3)
    cluster_pending(now=NOW)
    correction = say(service, CorrectionKind.MOVE, report_ids=ids[::2])
    cluster_pending(now=LATER)
    correction.refresh_from_db()

    refine_often(service)

    assert clusters_of(ids[::2]) == {correction.into_id}
    assert correction.into_id not in clusters_of(ids[1::2])
    assert_counts_tell_the_placements()


@pytest.mark.parametrize("is_remembered", [True, False])
def test_a_merge_by_refinement_carries_pins_and_barriers(service: Service, is_remembered: bool) -> None:
    ids = [tell(service, [text], at=NOW + timedelta(seconds=at))[0] for at, text in enumerate((LOGIN[0], PARCEL[0]))]
    ids += tell(service, ["the invoice is wrong"], at=NOW + timedelta(seconds=9))
    cluster_pending(now=NOW)
    kept, gone, other = (cluster_of(report_id) for report_id in ids)
    MicroCluster.objects.filter(cluster_id=gone).update(pinned_to_id=gone)
    ClusterBarrier.objects.create(service=service, low_id=min(gone, other), high_id=max(gone, other))
    arrays.forget_states()

    def merged(picture: refinement._Picture) -> refinement._Refined:
        return refinement._Refined(
            picture.clusters.cluster_ids + (picture.clusters.cluster_ids == gone) * (kept - gone), 1.0
        )

    with mock.patch.object(refinement, "_refine", merged):
        refine_service(service_id=service.pk, now=LATER)
    if not is_remembered:
        arrays.forget_states()
    refine_often(service, times=2)

    assert MicroCluster.objects.get(pk=_micro_of(ids[1])).pinned_to_id == kept
    assert Cluster.objects.get(pk=gone).merged_into_id == kept
    assert list(ClusterBarrier.objects.values_list("low_id", "high_id")) == [(min(kept, other), max(kept, other))]
    assert_clusters_are_sound()


def _micro_of(report_id: UUID) -> int:
    return MicroCluster.objects.values_list("pk", flat=True).get(
        pk__in=MicroCluster.objects.filter(cluster=cluster_of(report_id), pinned_to__isnull=False)
    )


def test_corrections_are_carried_out_before_placing_and_the_memory_dropped(service: Service) -> None:
    ids = tell(service, [LOGIN[0], PARCEL[0]])
    cluster_pending(now=NOW)
    login, parcel = (cluster_of(report_id) for report_id in ids)
    say(service, CorrectionKind.MERGE, cluster_id=login, into_id=parcel)
    (more,) = tell(service, LOGIN[:1], at=LATER)
    forgotten: list[int] = []
    forget = arrays.forget

    def forget_and_tell(service_id: int) -> None:
        forgotten.append(service_id)
        forget(service_id)

    with mock.patch.object(arrays, "forget", forget_and_tell):
        place_batches(service_id=service.pk, now=LATER)

    assert forgotten == [service.pk]
    assert cluster_of(more) == parcel
    assert arrays._remembered[service.pk].cluster_ids.tolist() == [parcel, parcel]
    assert arrays._remembered[service.pk].pins.tolist() == [parcel, parcel]


def test_what_corrections_make_of_the_threshold_is_saved_and_used(service: Service) -> None:
    ids = tell(service, [*LOGIN, *PARCEL])
    cluster_pending(now=NOW)
    login, parcel = cluster_of(ids[0]), cluster_of(ids[-1])
    say(service, CorrectionKind.MERGE, cluster_id=login, into_id=parcel)
    cluster_pending(now=LATER)

    with mock.patch.object(refinement, "adapted_factor", return_value=0.9):
        refine_service(service_id=service.pk, now=LATER)

    clusters = arrays._remembered[service.pk]
    saved = ClusteringState.objects.get().group_factor
    assert saved == 0.9
    arrays.forget_states()
    with mock.patch("reports.clustering.services.threshold_of", wraps=refinement.threshold_of) as asked:
        tell(service, ["the invoice is wrong"], at=LATER)
        cluster_pending(now=LATER)
    assert clusters.group_factor == saved == asked.call_args.args[1]
    assert refinement.threshold_of(clusters.state, saved) < refinement.threshold_of(clusters.state, 1.0)


def test_without_corrections_the_threshold_is_the_calibrations(service: Service) -> None:
    tell(service, [*LOGIN, *PARCEL])
    cluster_pending(now=NOW)

    with mock.patch.object(refinement, "adapted_factor", wraps=adapted_factor) as asked:
        refine_service(service_id=service.pk, now=LATER)

    assert asked.call_count == 1
    assert ClusteringState.objects.get().group_factor == 1.0
