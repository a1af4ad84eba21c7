"""Refining: clusters that say the same become one, those that do not are taken apart, and all get their labels."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import numpy as np
import pytest
from django.db import OperationalError
from pytest_django import DjangoAssertNumQueries

from ml.types import IntArray
from reports.clustering import refinement, services
from reports.clustering.refinement import REFINE_AFTER, REFINE_REPORTS, refine_pending, refine_service
from reports.clustering.services import cluster_pending
from reports.models import Cluster, ClusteringState, MicroCluster, MinuteCount, Placement, Report, Service
from tests.clustering.stories import LOGIN, PARCEL, a_service, cluster_of, everything_placed, tell
from tests.factories import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)
SAYINGS = ("login fails", "my parcel is late", "the invoice is wrong", "video is slow")


def four_clusters(service: Service, *, n_reports: int = 2) -> list[int]:
    """Place reports about four things, one after the other, which make a cluster each; return the clusters."""
    ids = [tell(service, [said] * n_reports, at=NOW - timedelta(minutes=9 - i))[0] for i, said in enumerate(SAYINGS)]
    cluster_pending(now=NOW)
    clusters = [cluster_of(report_id) for report_id in ids]
    assert len(set(clusters)) == len(SAYINGS)
    return clusters


def refine_into(service: Service, regroup: Callable[[IntArray], list[int]], *, now: Any = LATER) -> None:
    """Refine, with the mathematics replaced by a rule from old to new groups."""

    def grouped(picture: refinement._Picture) -> refinement._Refined:
        return refinement._Refined(np.array(regroup(picture.clusters.cluster_ids), dtype=np.int64), 1.0)

    with mock.patch.object(refinement, "_refine", grouped):
        assert refine_service(service_id=service.pk, now=now)


def merge(service: Service, **into: int) -> None:
    """Refine so that some clusters (`c7=9`: 7) go into others (9)."""
    moves = {int(name.removeprefix("c")): target for name, target in into.items()}
    refine_into(service, lambda groups: [moves.get(group, group) for group in groups.tolist()])


def test_wordings_of_one_problem_become_one_cluster_and_those_of_another_stay_out() -> None:
    service = a_service()
    with mock.patch.object(services, "threshold_of", return_value=9.0):  # nothing is so alike that it is adopted
        logins, parcels = tell(service, LOGIN), tell(service, PARCEL, at=NOW + timedelta(seconds=30))
        cluster_pending(now=LATER)
    n_before = Cluster.objects.count()

    refine_pending(now=LATER)

    assert Cluster.objects.filter(merged_into=None).count() < n_before
    assert {cluster_of(report) for report in logins}.isdisjoint(cluster_of(report) for report in parcels)


def test_a_merged_cluster_says_into_which_one_and_its_reports_are_summed_there() -> None:
    service = a_service()
    kept, gone, *_ = four_clusters(service, n_reports=3)

    merge(service, **{f"c{gone}": kept})

    assert Cluster.objects.get(pk=gone).merged_into_id == kept
    assert Cluster.objects.get(pk=gone).n_reports == 0
    assert Cluster.objects.get(pk=kept).n_reports == 6
    assert Cluster.objects.get(pk=kept).merged_into is None


def test_no_count_and_no_placement_moves_in_a_merge() -> None:
    service = a_service()
    kept, gone, *_ = four_clusters(service)
    before = (list(MinuteCount.objects.order_by("pk").values_list()), list(Placement.objects.order_by("pk").values()))

    merge(service, **{f"c{gone}": kept})

    after = (list(MinuteCount.objects.order_by("pk").values_list()), list(Placement.objects.order_by("pk").values()))
    assert after == before


def test_a_living_cluster_is_one_step_away_however_often_clusters_were_merged() -> None:
    service = a_service()
    first, second, third, fourth = four_clusters(service)
    merge(service, **{f"c{first}": second})

    merge(service, **{f"c{second}": third})
    merge(service, **{f"c{third}": fourth})

    merged = Cluster.objects.exclude(pk=fourth)
    assert set(merged.values_list("merged_into_id", flat=True)) == {fourth}
    assert Cluster.objects.get(pk=fourth).n_reports == 8


def test_a_merged_cluster_began_when_the_first_of_its_parts_began() -> None:
    service = a_service()
    tell(service, ["login fails"], at=NOW - timedelta(hours=3))
    cluster_pending(now=NOW)
    early = Cluster.objects.get()
    (report_id,) = tell(service, ["my parcel is late"])
    cluster_pending(now=NOW)
    late = cluster_of(report_id)

    merge(service, **{f"c{early.pk}": late})

    merged = Cluster.objects.get(pk=late)
    assert (merged.first_seen_at, merged.last_seen_at) == (NOW - timedelta(hours=3), NOW)


def test_micro_clusters_that_are_idle_go_with_the_cluster_they_belong_to() -> None:
    service = a_service()
    kept, gone, *_ = four_clusters(service)
    idle = MicroCluster.objects.create(
        service=service, cluster_id=gone, encoder="of another time", vector_sum=b"", n_reports=5,
        last_seen_at=NOW - timedelta(days=9),
    )  # fmt: skip

    merge(service, **{f"c{gone}": kept})

    idle.refresh_from_db()
    assert idle.cluster_id == kept
    assert Cluster.objects.get(pk=kept).n_reports == 2 + 2 + 5


def test_new_reports_go_to_the_cluster_that_took_the_other_in() -> None:
    service = a_service()
    kept, gone, *_ = four_clusters(service)
    merge(service, **{f"c{gone}": kept})

    (report_id,) = tell(service, SAYINGS[1:2])
    cluster_pending(now=LATER)

    assert cluster_of(report_id) == kept


def test_a_split_leaves_the_id_with_the_greater_part() -> None:
    service = a_service()
    whole, *others = four_clusters(service, n_reports=3)
    merge(service, **{f"c{other}": whole for other in others})
    (more,) = tell(service, ["login fails"])
    cluster_pending(now=LATER)

    refine_into(service, lambda groups: [whole if i == 0 else refinement._FRESH + i for i in range(len(groups))])

    assert cluster_of(more) == whole
    assert Cluster.objects.get(pk=whole).n_reports == 4
    split = Cluster.objects.filter(merged_into=None).exclude(pk=whole)
    assert sorted(split.values_list("n_reports", flat=True)) == [3, 3, 3]
    assert sum(Cluster.objects.values_list("n_reports", flat=True)) == Placement.objects.count()


def test_two_splits_at_once_stay_two_whatever_numbers_their_rows_get() -> None:
    service = a_service()
    whole, *others = four_clusters(service)
    merge(service, **{f"c{other}": whole for other in others})

    refine_into(service, lambda groups: [whole, whole, refinement._FRESH + 1, refinement._FRESH])

    members = MicroCluster.objects.values_list("cluster_id", flat=True)
    assert len(set(members)) == len(set(members) & set(Cluster.objects.values_list("pk", flat=True))) == 3


def test_a_label_is_what_sets_the_reports_apart_and_the_typical_one_is_among_them() -> None:
    service = a_service()
    logins = tell(service, [f"{text} {i}" for i, text in enumerate(LOGIN)])
    tell(service, [f"{text} {i}" for i, text in enumerate(PARCEL * 3)])
    cluster_pending(now=NOW)

    refine_pending(now=LATER)

    cluster = Cluster.objects.get(pk=cluster_of(logins[2]))
    assert "login" in cluster.label.lower()
    assert cluster.label == " · ".join(cluster.terms)
    assert cluster_of(cluster.typical_report_id) == cluster.pk  # type: ignore[arg-type]


def test_a_cluster_of_one_report_is_called_by_it() -> None:
    service = a_service()
    tell(service, [*PARCEL, "the invoice names the wrong company"])
    cluster_pending(now=NOW)

    refine_pending(now=LATER)

    assert Cluster.objects.filter(label="the invoice names the wrong company").exists()


def test_a_cluster_without_any_words_keeps_the_label_of_its_symptom() -> None:
    service = a_service()
    tell(service, [""] * 3, symptom="login")
    cluster_pending(now=NOW)

    refine_pending(now=LATER)

    assert Cluster.objects.get().label == "Can't log in"


def test_a_label_stands_after_the_reports_text_was_erased() -> None:
    service = a_service()
    tell(service, ["login fails"] * 4)
    cluster_pending(now=NOW)
    refine_pending(now=LATER)
    before = Cluster.objects.get().label
    Report.objects.all().delete()
    ClusteringState.objects.update(n_unrefined=1)

    refine_pending(now=LATER + REFINE_AFTER)

    assert Cluster.objects.get().label == before != ""


def test_running_it_again_changes_nothing() -> None:
    service = a_service()
    tell(service, LOGIN + PARCEL)
    cluster_pending(now=NOW)
    refine_pending(now=LATER)
    before = everything_placed()

    n_refined = refine_pending(now=LATER + timedelta(hours=1))

    assert n_refined == 0
    assert everything_placed() == before


def test_refining_what_has_not_changed_moves_nothing_but_the_generation() -> None:
    service = a_service()
    tell(service, LOGIN + PARCEL)
    cluster_pending(now=NOW)
    refine_service(service_id=service.pk, now=LATER)
    before = everything_placed()

    refine_service(service_id=service.pk, now=LATER)

    after = everything_placed()
    assert after.pop("ClusteringState") != before.pop("ClusteringState")
    assert after == before


def test_a_service_waits_a_little_between_two_refinements_unless_much_came_in() -> None:
    service = a_service()
    tell(service, LOGIN)
    cluster_pending(now=NOW)
    assert refine_pending(now=NOW) == 1
    tell(service, LOGIN)
    cluster_pending(now=NOW)

    n_too_soon = refine_pending(now=NOW + REFINE_AFTER / 2)
    ClusteringState.objects.update(n_unrefined=REFINE_REPORTS)
    n_after_a_flood = refine_pending(now=NOW + REFINE_AFTER / 2)

    assert (n_too_soon, n_after_a_flood) == (0, 1)


def test_a_service_that_another_worker_is_at_is_left_to_it() -> None:
    service = a_service()
    tell(service, LOGIN)
    cluster_pending(now=NOW)

    with mock.patch.object(refinement, "lock_service", return_value=False):
        n_refined = refine_pending(now=LATER)

    assert n_refined == 0
    assert ClusteringState.objects.get().n_unrefined == len(LOGIN)


def test_a_service_whose_clusters_are_all_idle_is_refined_without_a_word() -> None:
    service = a_service()
    tell(service, LOGIN)
    cluster_pending(now=NOW)

    n_refined = refine_pending(now=NOW + timedelta(days=30))

    assert n_refined == 1
    assert ClusteringState.objects.get().n_unrefined == 0


def test_what_fails_half_way_leaves_nothing_behind() -> None:
    service = a_service()
    four_clusters(service)
    before = everything_placed()

    with mock.patch.object(refinement, "label_clusters", side_effect=OperationalError), pytest.raises(OperationalError):
        refine_pending(now=LATER)

    assert everything_placed() == before


@pytest.mark.parametrize("n_clusters", [2, 7])
def test_the_queries_do_not_grow_with_the_clusters(
    n_clusters: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    service = a_service()
    seven = ("login fails", "parcel late", "invoice wrong", "video slow", "no sound", "map empty", "app crashes")
    for saying in seven[:n_clusters]:
        tell(service, [saying] * 5)
    cluster_pending(now=NOW)

    # Twice the clusters and what people said of them are read: before the grouping is computed and after it.
    with django_assert_max_num_queries(28):
        refine_service(service_id=service.pk, now=LATER)


@pytest.mark.parametrize("n_merged", [1, 3])
def test_the_queries_do_not_grow_with_what_is_merged(
    n_merged: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    service = a_service()
    kept, *others = four_clusters(service)

    with django_assert_max_num_queries(28 + 7):  # six tables' columns name a cluster, and its size is summed anew
        merge(service, **{f"c{gone}": kept for gone in others[:n_merged]})


@pytest.mark.parametrize("n_split", [1, 3])
def test_the_queries_do_not_grow_with_what_is_split(
    n_split: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    service = a_service()
    kept, *others = four_clusters(service)
    merge(service, **{f"c{gone}": kept for gone in others})

    with django_assert_max_num_queries(28 + 3):  # the clusters they come from, their own rows, and the sizes
        refine_into(service, lambda groups: [kept if i >= n_split else refinement._FRESH + i for i in range(4)])
