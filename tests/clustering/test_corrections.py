"""People's word carried out: clusters merged, split, and their reports moved and screened, with every count right."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import transaction

from reports.clustering import arrays, encoding
from reports.clustering.corrections import (
    apply_corrections,
    carry_barriers,
    corrected_clusters,
    services_with_corrections,
)
from reports.clustering.locks import lock_service
from reports.clustering.services import cluster_pending
from reports.detection.services import detect_pending
from reports.enums import CorrectionKind, ErasureWay
from reports.models import (
    Cluster,
    ClusterBarrier,
    ClusteringState,
    Correction,
    MicroCluster,
    MinuteCount,
    Outage,
    Placement,
    Report,
    ScreeningExample,
    Service,
)
from reports.privacy.erasing import erase_reports
from tests.clustering.stories import (
    LOGIN,
    PARCEL,
    a_service,
    assert_clusters_are_sound,
    assert_counts_tell_the_placements,
    cluster_of,
    everything_placed,
    tell,
)
from tests.factories import NOW, make_outage, make_report, make_user

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=5)


def a_wording(
    service: Service,
    texts: Sequence[str],
    *,
    cluster: Cluster | None = None,
    at: datetime = NOW,
    reporter: bytes = b"",
    **fields: Any,
) -> MicroCluster:
    """Place texts, one a minute, in a micro-cluster of their own, as placing does; without a cluster in a new one."""
    last = at + timedelta(minutes=len(texts) - 1)
    if cluster is None:
        cluster = Cluster.objects.create(service=service, label=texts[0], first_seen_at=at, last_seen_at=last)
    encoder = encoding.the_encoder()
    vectors = encoder.encode(list(texts))
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    micro = MicroCluster.objects.create(
        service=service, cluster=cluster, encoder=encoder.name, vector_sum=arrays.sum_to_bytes(units.sum(axis=0)),
        n_reports=len(texts), opened_at=at, last_seen_at=last, **fields,
    )  # fmt: skip
    for minute, text in enumerate(texts):
        moment = at + timedelta(minutes=minute)
        report = make_report(service, text, region="DE-BY", at=moment, reporter=reporter)
        place(report, micro, is_counted=not reporter or minute == 0)
    cluster.n_reports += len(texts)
    cluster.save()
    ClusteringState.objects.get_or_create(
        service=service, defaults={"encoder": encoder.name, "mean_sum": bytes(8 * encoder.n_dims)}
    )
    return micro


def place(report: Report, micro: MicroCluster, *, is_counted: bool = True) -> None:
    Placement.objects.create(
        report_id=report.id, service_id=report.service_id, micro_cluster=micro, similarity=0.9, region=report.region,
        reporter=report.reporter, is_counted=is_counted, counted_at=report.counted_at, placed_at=report.counted_at,
    )  # fmt: skip
    cell, _ = MinuteCount.objects.get_or_create(
        service_id=report.service_id, minute=report.counted_at.replace(second=0, microsecond=0), micro_cluster=micro,
        region=report.region, defaults={"n_reports": 0, "n_counted": 0},
    )  # fmt: skip
    cell.n_reports += 1
    cell.n_counted += is_counted
    cell.save()


def said(service: Service, kind: CorrectionKind, **fields: Any) -> Correction:
    actor = User.objects.filter(username="ada").first() or make_user(username="ada")
    return Correction.objects.create(service=service, kind=kind, actor=actor, at=NOW, **fields)


def carry_out(service: Service, *, now: datetime = LATER) -> bool:
    with transaction.atomic():
        assert lock_service(service.pk)
        return apply_corrections(service_id=service.pk, now=now)


def reports_of(*micros: MicroCluster) -> list[UUID]:
    return list(Placement.objects.filter(micro_cluster__in=micros).order_by("report_id").values_list("pk", flat=True))


def barriers() -> set[tuple[int, int]]:
    return set(ClusterBarrier.objects.values_list("low_id", "high_id"))


def test_merged_clusters_are_one_and_stay_so() -> None:
    service = a_service()
    login, parcel = a_wording(service, LOGIN), a_wording(service, PARCEL, at=NOW + timedelta(hours=1))
    said(service, CorrectionKind.MERGE, cluster=login.cluster, into=parcel.cluster)

    assert carry_out(service)

    assert set(MicroCluster.objects.values_list("cluster_id", "pinned_to_id")) == {(parcel.cluster_id,) * 2}
    gone, heir = Cluster.objects.get(pk=login.cluster_id), Cluster.objects.get(pk=parcel.cluster_id)
    assert (gone.merged_into_id, gone.n_reports) == (heir.pk, 0)
    assert (heir.n_reports, heir.first_seen_at) == (len(LOGIN) + len(PARCEL), NOW)
    assert heir.last_seen_at == NOW + timedelta(hours=1, minutes=len(PARCEL) - 1)
    assert_counts_tell_the_placements()


def test_one_step_leads_to_the_living_cluster_after_several_merges() -> None:
    service = a_service()
    first, second, third = (a_wording(service, [text]) for text in LOGIN[:3])
    said(service, CorrectionKind.MERGE, cluster=first.cluster, into=second.cluster)
    said(service, CorrectionKind.MERGE, cluster=second.cluster, into=third.cluster)

    carry_out(service)

    heirs = Cluster.objects.filter(pk__in=[first.cluster_id, second.cluster_id])
    assert set(heirs.values_list("merged_into_id", flat=True)) == {third.cluster_id}
    assert_counts_tell_the_placements()


def test_a_merge_finds_clusters_that_refinement_has_merged_away_since() -> None:
    service = a_service()
    login, parcel = a_wording(service, LOGIN), a_wording(service, PARCEL)
    heir = a_wording(service, ["nothing works"]).cluster
    said(service, CorrectionKind.MERGE, cluster=login.cluster, into=parcel.cluster)
    MicroCluster.objects.filter(cluster=parcel.cluster).update(cluster=heir)
    Cluster.objects.filter(pk=parcel.cluster_id).update(merged_into=heir, n_reports=0)

    carry_out(service)

    assert set(MicroCluster.objects.values_list("cluster_id", flat=True)) == {heir.pk}


def test_what_resembled_a_cluster_that_is_merged_away_resembles_its_heir() -> None:
    service = a_service()
    login, parcel = a_wording(service, LOGIN), a_wording(service, PARCEL)
    like = a_wording(service, ["login"]).cluster
    Cluster.objects.filter(pk__in=[like.pk, parcel.cluster_id]).update(resembles=login.cluster)
    said(service, CorrectionKind.MERGE, cluster=login.cluster, into=parcel.cluster)

    carry_out(service)

    assert Cluster.objects.get(pk=like.pk).resembles_id == parcel.cluster_id
    assert Cluster.objects.get(pk=parcel.cluster_id).resembles_id is None


def test_a_split_takes_wordings_off_and_keeps_them_apart() -> None:
    service = a_service()
    login = a_wording(service, LOGIN)
    parcel = a_wording(service, PARCEL, cluster=login.cluster, at=NOW + timedelta(hours=1))
    correction = said(
        service, CorrectionKind.SPLIT, cluster=login.cluster, micro_cluster_ids=[parcel.pk, parcel.pk + 99]
    )

    assert carry_out(service)

    correction.refresh_from_db()
    new, old = Cluster.objects.get(pk=correction.into_id), Cluster.objects.get(pk=login.cluster_id)
    assert (new.n_reports, new.first_seen_at) == (len(PARCEL), NOW + timedelta(hours=1))
    assert (old.n_reports, old.last_seen_at) == (len(LOGIN), NOW + timedelta(minutes=len(LOGIN) - 1))
    assert set(MicroCluster.objects.values_list("pk", "pinned_to_id")) == {(login.pk, old.pk), (parcel.pk, new.pk)}
    assert barriers() == {(old.pk, new.pk)}
    assert new.typical_report_id in reports_of(parcel)
    assert new.label in PARCEL
    assert_counts_tell_the_placements()


def test_a_split_that_leaves_nothing_behind_is_refused() -> None:
    service = a_service()
    login = a_wording(service, LOGIN)
    correction = said(service, CorrectionKind.SPLIT, cluster=login.cluster, micro_cluster_ids=[login.pk])

    assert not carry_out(service)

    correction.refresh_from_db()
    assert correction.applied_at == LATER
    assert "No wording would stay behind" in correction.refusal
    assert Cluster.objects.count() == 1


def test_what_was_split_can_be_merged_and_split_again() -> None:
    service = a_service()
    login = a_wording(service, LOGIN)
    parcel = a_wording(service, PARCEL, cluster=login.cluster)
    first = said(service, CorrectionKind.SPLIT, cluster=login.cluster, micro_cluster_ids=[parcel.pk])
    carry_out(service)
    first.refresh_from_db()

    said(service, CorrectionKind.MERGE, cluster=first.into, into=login.cluster)
    carry_out(service)
    assert barriers() == set()
    assert set(MicroCluster.objects.values_list("cluster_id", "pinned_to_id")) == {(login.cluster_id,) * 2}
    again = said(service, CorrectionKind.SPLIT, cluster=first.into, micro_cluster_ids=[parcel.pk])
    carry_out(service)

    again.refresh_from_db()
    assert barriers() == {(login.cluster_id, again.into_id)}
    assert MicroCluster.objects.get(pk=parcel.pk).pinned_to_id == again.into_id
    assert_counts_tell_the_placements()


def test_both_parts_stay_apart_from_what_the_whole_was_kept_apart_from() -> None:
    service = a_service()
    login = a_wording(service, LOGIN)
    other = a_wording(service, ["charged twice"]).cluster
    parcel = a_wording(service, PARCEL, cluster=login.cluster)
    ClusterBarrier.objects.create(service=service, low=login.cluster, high=other)
    correction = said(service, CorrectionKind.SPLIT, cluster=login.cluster, micro_cluster_ids=[parcel.pk])

    carry_out(service)

    correction.refresh_from_db()
    assert {(login.cluster_id, other.pk), (other.pk, correction.into_id)} < barriers()


def test_the_heir_takes_over_barriers() -> None:
    service = a_service()
    one, two, three = (a_wording(service, [text]).cluster for text in LOGIN[:3])
    ClusterBarrier.objects.create(service=service, low=one, high=three)
    ClusterBarrier.objects.create(service=service, low=one, high=two)

    carry_barriers(one.pk, two.pk)

    assert barriers() == {(two.pk, three.pk)}


def test_moved_reports_take_their_counts_along() -> None:
    service = a_service()
    mixed, parcel = a_wording(service, [*LOGIN, *PARCEL]), a_wording(service, ["parcel is late"])
    moving = reports_of(mixed)[len(LOGIN) :]
    said(service, CorrectionKind.MOVE, report_ids=moving, into=parcel.cluster)

    assert carry_out(service)

    assert {cluster_of(report_id) for report_id in moving} == {parcel.cluster_id}
    assert {cluster_of(report_id) for report_id in reports_of(mixed)} == {mixed.cluster_id}
    new = MicroCluster.objects.exclude(pk__in=[mixed.pk, parcel.pk]).get()
    assert (new.n_reports, new.pinned_to_id) == (len(PARCEL), parcel.cluster_id)
    assert MicroCluster.objects.get(pk=mixed.pk).n_reports == len(LOGIN)
    assert barriers() == {(mixed.cluster_id, parcel.cluster_id)}
    assert_counts_tell_the_placements()


def test_an_erased_report_stays_where_it_is() -> None:
    service = a_service()
    mixed, parcel = a_wording(service, LOGIN), a_wording(service, ["parcel is late"])
    erased, other = reports_of(mixed)[:2]
    erase_reports(report_ids=[erased], way=ErasureWay.RECEIPT, now=NOW)
    said(service, CorrectionKind.MOVE, report_ids=[erased, other], into=parcel.cluster)

    carry_out(service)

    assert cluster_of(other) == parcel.cluster_id
    assert cluster_of(erased) == mixed.cluster_id
    assert_counts_tell_the_placements()


def test_moved_reports_leave_the_sum_of_their_wording() -> None:
    service = a_service()
    mixed = a_wording(service, ["the login fails", "my parcel is late"])
    login, parcel = arrays.units_of(
        service.pk, ["the login fails", "my parcel is late"], NOW, encoder=encoding.the_encoder()
    )
    mixed.vector_sum = arrays.sum_to_bytes(login + parcel)
    mixed.save()
    said(service, CorrectionKind.MOVE, report_ids=reports_of(mixed)[1:])

    carry_out(service)

    left, new = MicroCluster.objects.order_by("pk")
    assert np.allclose(arrays.sums_from_bytes([left.vector_sum], len(login)), login, atol=1e-5)
    assert np.allclose(arrays.sums_from_bytes([new.vector_sum], len(login)), parcel, atol=1e-5)


def test_reports_of_different_places_and_codes_get_a_wording_each() -> None:
    service = a_service()
    french = a_wording(service, LOGIN[:2], country="FR")
    coded = a_wording(service, LOGIN[2:4], cluster=french.cluster, guard="502")
    a_wording(service, LOGIN[4:], cluster=french.cluster)
    correction = said(service, CorrectionKind.MOVE, report_ids=reports_of(french, coded))

    carry_out(service)

    correction.refresh_from_db()
    new = MicroCluster.objects.filter(cluster_id=correction.into_id)
    assert set(new.values_list("country", "guard", "n_reports")) == {("FR", "", 2), ("", "502", 2)}
    assert not MicroCluster.objects.filter(pk__in=[french.pk, coded.pk]).exists()
    assert_counts_tell_the_placements()


def test_reports_go_into_a_cluster_of_their_own() -> None:
    service = a_service()
    mixed = a_wording(service, [*LOGIN, *PARCEL])
    moving = reports_of(mixed)[len(LOGIN) :]
    correction = said(service, CorrectionKind.MOVE, report_ids=moving)

    carry_out(service)

    correction.refresh_from_db()
    new = Cluster.objects.get(pk=correction.into_id)
    assert new.pk != mixed.cluster_id
    assert (new.n_reports, new.typical_report_id in moving) == (len(PARCEL), True)
    assert new.first_seen_at == NOW + timedelta(minutes=len(LOGIN))
    assert_counts_tell_the_placements()


def test_a_cluster_that_all_reports_have_left_is_merged_away() -> None:
    service = a_service()
    login, parcel = a_wording(service, LOGIN), a_wording(service, PARCEL)
    said(service, CorrectionKind.MOVE, report_ids=reports_of(login), into=parcel.cluster)

    carry_out(service)

    assert Cluster.objects.get(pk=login.cluster_id).merged_into_id == parcel.cluster_id
    assert not MicroCluster.objects.filter(pk=login.pk).exists()
    assert barriers() == set()
    assert_counts_tell_the_placements()


def test_reports_that_are_gone_by_now_are_refused() -> None:
    service = a_service()
    login = a_wording(service, LOGIN)
    moving = reports_of(login)[:2]
    correction = said(service, CorrectionKind.MOVE, report_ids=moving)
    Report.objects.filter(id__in=moving).delete()

    assert not carry_out(service)

    correction.refresh_from_db()
    assert correction.refusal == "None of these reports is there any more."


def test_what_is_said_to_be_no_problem_is_set_aside_and_learnt_from() -> None:
    service = a_service()
    praise = a_wording(service, ["what a power move", "login broken"])
    [report_id, _] = reports_of(praise)
    said(service, CorrectionKind.SCREEN, report_ids=[report_id], is_problem=False)

    assert not carry_out(service)

    placement = Placement.objects.get(pk=report_id)
    assert (placement.is_set_aside, placement.is_counted, placement.p_problem) == (True, False, 0.0)
    assert ScreeningExample.objects.values_list("text", "is_problem").get() == ("what a power move", False)
    assert_counts_tell_the_placements()


def test_what_is_a_problem_after_all_counts_again() -> None:
    service = a_service()
    [report_id] = reports_of(a_wording(service, ["what a power outage"]))
    said(service, CorrectionKind.SCREEN, report_ids=[report_id], is_problem=False)
    carry_out(service)

    said(service, CorrectionKind.SCREEN, report_ids=[report_id], is_problem=True)
    carry_out(service)

    placement = Placement.objects.get(pk=report_id)
    assert (placement.is_set_aside, placement.is_counted, placement.p_problem) == (False, True, 1.0)
    assert ScreeningExample.objects.get().is_problem
    assert_counts_tell_the_placements()


def test_a_reporter_who_counts_already_does_not_count_twice_by_a_persons_word() -> None:
    service = a_service()
    [first, second] = reports_of(a_wording(service, LOGIN[:2], reporter=b"ada"))

    said(service, CorrectionKind.SCREEN, report_ids=[second], is_problem=True)
    carry_out(service)

    assert set(Placement.objects.values_list("pk", "is_counted")) == {(first, True), (second, False)}
    assert_counts_tell_the_placements()


def test_what_was_left_out_for_the_sake_of_a_report_that_is_none_counts_instead() -> None:
    service = a_service()
    [first, second, third] = reports_of(a_wording(service, ["love it", *LOGIN[:2]], reporter=b"ada"))

    said(service, CorrectionKind.SCREEN, report_ids=[first], is_problem=False)
    carry_out(service)

    counted = Placement.objects.values_list("pk", "is_counted")
    assert set(counted) == {(first, False), (second, True), (third, False)}
    assert_counts_tell_the_placements()


def test_what_has_been_carried_out_is_not_carried_out_again() -> None:
    service = a_service()
    login, parcel = a_wording(service, LOGIN), a_wording(service, PARCEL)
    said(service, CorrectionKind.MOVE, report_ids=reports_of(login)[:2], into=parcel.cluster)
    said(service, CorrectionKind.SCREEN, report_ids=reports_of(login)[2:4], is_problem=False)
    said(service, CorrectionKind.MERGE, cluster=login.cluster, into=parcel.cluster)
    carry_out(service)
    before = everything_placed()

    assert not carry_out(service, now=LATER + timedelta(hours=1))

    assert everything_placed() == before


def test_one_that_breaks_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    service = a_service()
    login, parcel = a_wording(service, LOGIN), a_wording(service, PARCEL)
    broken = said(service, CorrectionKind.MOVE, report_ids=reports_of(login)[:1])
    said(service, CorrectionKind.MERGE, cluster=login.cluster, into=parcel.cluster)

    def break_down(*_: Any) -> None:
        raise ValueError("a text of a reporter")

    monkeypatch.setattr(arrays, "units_of", break_down)
    assert carry_out(service)

    broken.refresh_from_db()
    assert "could not be carried out" in broken.refusal
    assert "reporter" not in broken.refusal
    assert broken.into_id is None
    assert Cluster.objects.get(pk=login.cluster_id).merged_into_id == parcel.cluster_id
    assert_counts_tell_the_placements()


def test_only_services_with_something_to_carry_out_are_named() -> None:
    mail, _ = a_service(), a_service("shop")
    login, parcel = a_wording(mail, LOGIN), a_wording(mail, PARCEL)
    said(mail, CorrectionKind.MERGE, cluster=login.cluster, into=parcel.cluster)
    assert services_with_corrections() == [mail.pk]

    carry_out(mail)

    assert services_with_corrections() == []
    assert corrected_clusters(service_id=mail.pk, since=LATER) == {login.cluster_id, parcel.cluster_id}
    assert corrected_clusters(service_id=mail.pk, since=LATER + timedelta(seconds=1)) == set()


def test_workers_drop_what_they_remember_and_refinement_has_something_to_do() -> None:
    service = a_service()
    login, parcel = a_wording(service, LOGIN), a_wording(service, PARCEL)
    before = ClusteringState.objects.get(service=service)
    said(service, CorrectionKind.MERGE, cluster=login.cluster, into=parcel.cluster)

    carry_out(service)

    after = ClusteringState.objects.get(service=service)
    assert after.generation == before.generation + 1
    assert after.n_unrefined == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_is_said_counts_and_clusters_stay_sound(seed: int) -> None:
    rng = random.Random(seed)
    service = a_service()
    words = [*LOGIN, *PARCEL]
    for _ in range(5):
        cluster = a_wording(service, rng.choices(words, k=4), country=rng.choice(["", "DE"])).cluster
        a_wording(service, rng.choices(words, k=3), cluster=cluster, reporter=rng.choice([b"", b"ada"]))
    n_reports = Placement.objects.count()
    clusters, reports = list(Cluster.objects.all()), list(Placement.objects.values_list("pk", flat=True))

    for _ in range(25):
        kind = rng.choice(
            [kind for kind in CorrectionKind if kind not in {CorrectionKind.RENAME, CorrectionKind.JUDGE}]
        )
        one, other = rng.sample(clusters, 2)
        about: dict[CorrectionKind, dict[str, Any]] = {
            CorrectionKind.MERGE: {"cluster": one, "into": other},
            CorrectionKind.SPLIT: {
                "cluster": one,
                "micro_cluster_ids": rng.sample(list(MicroCluster.objects.values_list("pk", flat=True)), 3),
            },
            CorrectionKind.MOVE: {"report_ids": rng.sample(reports, 4), "into": rng.choice([None, other])},
            CorrectionKind.SCREEN: {"report_ids": rng.sample(reports, 4), "is_problem": rng.random() < 0.5},
        }
        correction = said(service, kind, **about[kind])
        carry_out(service)
        correction.refresh_from_db()
        clusters = list(Cluster.objects.all())

        assert "log of the worker" not in correction.refusal
        assert Placement.objects.count() == n_reports
        assert_counts_tell_the_placements()
        assert_clusters_are_sound()


def test_reports_go_on_being_placed_after_corrections() -> None:
    service = a_service()
    placed = tell(service, [*LOGIN, *PARCEL])
    cluster_pending(now=NOW)
    said(service, CorrectionKind.MOVE, report_ids=placed[:1])
    said(service, CorrectionKind.SCREEN, report_ids=placed[1:2], is_problem=False)
    carry_out(service)

    tell(service, LOGIN, at=NOW + timedelta(minutes=10))
    cluster_pending(now=NOW + timedelta(minutes=10))

    assert Placement.objects.count() == 2 * len(LOGIN) + len(PARCEL)
    assert_counts_tell_the_placements()


def test_an_outage_goes_on_with_the_cluster_that_took_its_own_in() -> None:
    service = a_service()
    login, parcel = a_wording(service, LOGIN), a_wording(service, PARCEL)
    make_outage(service, cluster=login.cluster, started_at=NOW)
    said(service, CorrectionKind.MERGE, cluster=login.cluster, into=parcel.cluster)
    carry_out(service)

    detect_pending(now=LATER)

    assert Outage.objects.get().cluster_id == parcel.cluster_id
