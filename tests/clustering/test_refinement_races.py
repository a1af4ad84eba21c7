"""What happens between refinement's picture and its writing is not lost, and what people say then goes before it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from unittest import mock
from uuid import UUID

import pytest

from reports.clustering import encoding, refinement
from reports.clustering.refinement import refine_service
from reports.clustering.services import cluster_pending
from reports.enums import CorrectionKind
from reports.models import Cluster, ClusteringState, Correction, MicroCluster, Placement, Service
from tests.clustering.stories import (
    LOGIN,
    PARCEL,
    a_service,
    assert_clusters_are_sound,
    assert_counts_tell_the_placements,
    cluster_of,
    story_of,
    tell,
)
from tests.factories import NOW, make_user

pytestmark = pytest.mark.django_db(transaction=True)  # the memory is kept after a commit
LATER = NOW + timedelta(minutes=1)


def placed(service: Service, *sayings: str) -> list[int]:
    """Place reports of each saying; return their clusters."""
    ids = [tell(service, [saying] * 2, at=NOW - timedelta(minutes=9 - at))[0] for at, saying in enumerate(sayings)]
    cluster_pending(now=NOW)
    clusters = [cluster_of(report_id) for report_id in ids]
    assert len(set(clusters)) == len(sayings)
    return clusters


def refine_while(act: Callable[[], object], service: Service, *, into: dict[int, int] | None = None) -> bool:
    """Refine, with something done after the picture was taken; `into` says which clusters then go into which."""
    compute = refinement._refine

    def act_and_compute(picture: refinement._Picture) -> refinement._Refined:
        found = compute(picture)
        with mock.patch.object(refinement, "_refine", compute):
            act()
        if into is not None:
            found.groups[:] = [into.get(group, group) for group in picture.clusters.cluster_ids.tolist()]
        return found

    with mock.patch.object(refinement, "_refine", act_and_compute):
        return refine_service(service_id=service.pk, now=LATER)


def say(service: Service, kind: CorrectionKind, **fields: object) -> None:
    Correction.objects.create(service=service, kind=kind, actor=make_user(), at=NOW, **fields)
    cluster_pending(now=NOW)


def test_what_is_placed_meanwhile_is_kept_in_full() -> None:
    service = a_service()
    tell(service, LOGIN)
    cluster_pending(now=NOW)

    def place() -> None:
        tell(service, [*LOGIN, *PARCEL], at=NOW + timedelta(seconds=30))
        cluster_pending(now=NOW)

    assert refine_while(place, service)

    assert Placement.objects.count() == 2 * len(LOGIN) + len(PARCEL)
    assert sum(MicroCluster.objects.values_list("n_reports", flat=True)) == Placement.objects.count()
    assert ClusteringState.objects.get().n_unrefined == len(LOGIN) + len(PARCEL)
    assert_counts_tell_the_placements()


def test_new_wordings_stay_in_the_cluster_they_opened() -> None:
    service = a_service()
    tell(service, LOGIN)
    cluster_pending(now=NOW)
    ids: list[UUID] = []
    opened: list[int] = []

    def place() -> None:
        ids.extend(tell(service, PARCEL))
        cluster_pending(now=NOW)
        opened.extend(cluster_of(report_id) for report_id in ids)

    assert refine_while(place, service)

    assert opened == [cluster_of(report_id) for report_id in ids] != []
    assert set(opened) <= set(Cluster.objects.filter(merged_into=None).values_list("pk", flat=True))


def test_a_new_wording_goes_where_the_whole_of_its_cluster_went() -> None:
    service = a_service()
    kept, gone = placed(service, "login fails", "my parcel is late")
    (micro,) = MicroCluster.objects.filter(cluster_id=gone)
    new = MicroCluster(
        service=service, cluster_id=gone, encoder=micro.encoder, vector_sum=micro.vector_sum, n_reports=1,
        country="FR", opened_at=NOW, last_seen_at=NOW,
    )  # fmt: skip

    def place() -> None:
        new.save()
        Cluster.objects.filter(pk=gone).update(n_reports=3)
        ClusteringState.objects.update(generation=99)

    assert refine_while(place, service, into={gone: kept})

    new.refresh_from_db()
    assert (new.cluster_id, new.n_refined) == (kept, 0)
    assert Cluster.objects.get(pk=kept).n_reports == 5
    assert_clusters_are_sound()


def test_of_two_refinements_at_once_the_later_one_leaves_it_at_that() -> None:
    service = a_service()
    kept, gone = placed(service, "login fails", "my parcel is late")
    won: list[bool] = []

    lost = refine_while(
        lambda: won.append(refine_service(service_id=service.pk, now=LATER)), service, into={gone: kept}
    )

    assert (won, lost) == ([True], False)
    assert Cluster.objects.get(pk=gone).merged_into_id is None
    assert ClusteringState.objects.get().n_refinements == 1


def test_a_move_meanwhile_is_not_undone() -> None:
    service = a_service()
    origin, target = placed(service, "login fails", "my parcel is late")
    (report_id, _) = Placement.objects.filter(micro_cluster__cluster=origin).values_list("pk", flat=True)

    done = refine_while(
        lambda: say(service, CorrectionKind.MOVE, report_ids=[report_id], into_id=target),
        service,
        into={origin: target},
    )

    assert not done
    assert cluster_of(report_id) == target
    assert Cluster.objects.get(pk=origin).merged_into_id is None
    assert ClusteringState.objects.get().n_unrefined > 0  # the next refinement has something to do
    assert_counts_tell_the_placements()


def test_what_a_person_puts_together_meanwhile_is_not_sent_elsewhere() -> None:
    service = a_service()
    login, parcel, invoice = placed(service, "login fails", "my parcel is late", "the invoice is wrong")

    done = refine_while(
        lambda: say(service, CorrectionKind.MERGE, cluster_id=login, into_id=parcel), service, into={parcel: invoice}
    )

    assert not done
    assert Cluster.objects.get(pk=login).merged_into_id == parcel
    assert Cluster.objects.get(pk=parcel).merged_into_id is None
    assert_clusters_are_sound()


def test_another_encoder_meanwhile_takes_no_cluster_from_the_service() -> None:
    service = a_service()
    tell(service, [*LOGIN, *PARCEL])
    cluster_pending(now=NOW)
    before = story_of(service)
    hashing = encoding.load_encoder("hashing")

    with mock.patch.object(encoding, "the_encoder", return_value=encoding.the_encoder()) as in_use:
        done = refine_while(lambda: setattr(in_use, "return_value", hashing), service)
        refine_service(service_id=service.pk, now=LATER + timedelta(minutes=1))

    assert done
    assert set(MicroCluster.objects.values_list("encoder", flat=True)) == {hashing.name}
    assert [row[3] for row in story_of(service)["micro-clusters"]] == [row[3] for row in before["micro-clusters"]]


def test_a_handover_meanwhile_is_not_undone() -> None:
    service = a_service()
    tell(service, [*LOGIN, *PARCEL])
    cluster_pending(now=NOW)
    hashing = encoding.load_encoder("hashing")

    def hand_over() -> None:
        with mock.patch.object(encoding, "the_encoder", return_value=hashing):
            tell(service, LOGIN)
            cluster_pending(now=NOW)

    done = refine_while(hand_over, service)

    assert not done
    assert ClusteringState.objects.get().encoder == hashing.name
    assert set(MicroCluster.objects.values_list("encoder", flat=True)) == {hashing.name}
