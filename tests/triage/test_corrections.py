"""What staff may say of clusters, and what is written down of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from reports.enums import CorrectionKind, Role
from reports.errors import InvalidInput, NotAllowed, NotFound
from reports.intake.ids import uuid7
from reports.models import Cluster, Correction, Placement, Report, Service
from reports.triage import corrections
from reports.triage.corrections import (
    MAX_CLUSTER_NAME_CHARS,
    Corrected,
    merge_clusters,
    move_reports,
    rename_cluster,
    screen_reports,
    split_cluster,
)
from tests.factories import (
    NOW,
    first_micro_cluster,
    make_cluster,
    make_micro_cluster,
    make_report,
    make_service,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def service() -> Service:
    return make_service("mail")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the stages that are nudged."""
    stages: list[str] = []
    monkeypatch.setattr(corrections, "nudge", stages.append)
    return stages


def by(role: Role | None = Role.RESPONDER) -> dict[str, Any]:
    return {"actor_id": make_user(role).pk, "now": NOW}


def test_merging_is_written_down_and_asked_for(service: Service, asked: list[str]) -> None:
    one, other = make_cluster(service), make_cluster(service)
    ada = make_user(username="ada")

    done = merge_clusters(cluster_id=one.pk, into_id=other.pk, actor_id=ada.pk, now=NOW)

    assert done == Corrected(one.pk, is_new=True)
    correction = Correction.objects.get()
    assert (correction.kind, correction.cluster, correction.into) == (CorrectionKind.MERGE, one, other)
    assert (correction.actor, correction.at, correction.applied_at) == (ada, NOW, None)
    assert asked == ["cluster"]


def test_a_second_click_writes_nothing(service: Service, asked: list[str]) -> None:
    one, other = make_cluster(service), make_cluster(service)
    merge_clusters(cluster_id=one.pk, into_id=other.pk, **by())

    done = merge_clusters(cluster_id=one.pk, into_id=other.pk, **by())

    assert not done.is_new
    assert Correction.objects.count() == 1
    assert asked == ["cluster"]


def test_what_was_carried_out_may_be_said_again(service: Service) -> None:
    one, other = make_cluster(service), make_cluster(service)
    merge_clusters(cluster_id=one.pk, into_id=other.pk, **by())
    Correction.objects.update(applied_at=NOW)

    assert merge_clusters(cluster_id=one.pk, into_id=other.pk, **by()).is_new


def test_a_cluster_that_was_merged_away_stands_for_its_heir(service: Service) -> None:
    heir, other = make_cluster(service), make_cluster(service)
    gone = make_cluster(service, merged_into=make_cluster(service, merged_into=heir))

    done = merge_clusters(cluster_id=gone.pk, into_id=other.pk, **by())

    assert done.cluster_id == heir.pk
    assert Correction.objects.get().cluster == heir


def test_what_is_one_already_need_not_be_merged(service: Service) -> None:
    heir = make_cluster(service)
    gone = make_cluster(service, merged_into=heir)

    done = merge_clusters(cluster_id=gone.pk, into_id=heir.pk, **by())

    assert done == Corrected(heir.pk, is_new=False)
    assert not Correction.objects.exists()


def test_a_cluster_is_not_merged_into_itself_or_into_another_service(service: Service) -> None:
    one, stranger = make_cluster(service), make_cluster(make_service())

    with pytest.raises(InvalidInput, match="itself"):
        merge_clusters(cluster_id=one.pk, into_id=one.pk, **by())
    with pytest.raises(InvalidInput, match="another service"):
        merge_clusters(cluster_id=one.pk, into_id=stranger.pk, **by())
    with pytest.raises(NotFound, match="no cluster 999"):
        merge_clusters(cluster_id=one.pk, into_id=999, **by())


def test_splitting_names_the_wordings(service: Service) -> None:
    cluster = make_cluster(service)
    second, third = make_micro_cluster(cluster), make_micro_cluster(cluster)

    split_cluster(cluster_id=cluster.pk, micro_cluster_ids=[third.pk, second.pk, third.pk], **by())

    correction = Correction.objects.get()
    assert (correction.kind, correction.micro_cluster_ids) == (CorrectionKind.SPLIT, [second.pk, third.pk])


def test_at_least_one_wording_stays_behind(service: Service) -> None:
    cluster = make_cluster(service)
    others = [make_micro_cluster(cluster).pk, first_micro_cluster(cluster).pk]

    with pytest.raises(InvalidInput, match="Leave at least one behind"):
        split_cluster(cluster_id=cluster.pk, micro_cluster_ids=others, **by())


@pytest.mark.parametrize("n_chosen", [0, 201])
def test_wordings_have_to_be_chosen_and_not_too_many(service: Service, n_chosen: int) -> None:
    cluster = make_cluster(service)

    with pytest.raises(InvalidInput, match="chosen"):
        split_cluster(cluster_id=cluster.pk, micro_cluster_ids=range(n_chosen), **by())


def test_wordings_of_another_cluster_are_refused(service: Service) -> None:
    cluster = make_cluster(service)
    stranger = first_micro_cluster(make_cluster(service))

    with pytest.raises(InvalidInput, match="not in this cluster any more"):
        split_cluster(cluster_id=cluster.pk, micro_cluster_ids=[stranger.pk], **by())


def test_a_name_is_given_at_once(service: Service, asked: list[str]) -> None:
    cluster = make_cluster(service)

    rename_cluster(cluster_id=cluster.pk, name="  Login\u202e   loop ", **by())

    cluster.refresh_from_db()
    assert (cluster.given_name, cluster.name) == ("Login loop", "Login loop")
    correction = Correction.objects.get()
    assert (correction.text, correction.applied_at) == ("Login loop", NOW)
    assert asked == []


def test_the_same_name_twice_is_one_correction_and_none_gives_the_label_back(service: Service) -> None:
    cluster = make_cluster(service, label="log in fails")
    rename_cluster(cluster_id=cluster.pk, name="Login loop", **by())

    assert not rename_cluster(cluster_id=cluster.pk, name="Login loop", **by()).is_new
    assert rename_cluster(cluster_id=cluster.pk, name=" ", **by()).is_new

    cluster.refresh_from_db()
    assert cluster.name == "log in fails"


def test_a_name_has_to_fit_on_a_line(service: Service) -> None:
    cluster = make_cluster(service)

    with pytest.raises(InvalidInput, match=f"has {MAX_CLUSTER_NAME_CHARS + 1} characters"):
        rename_cluster(cluster_id=cluster.pk, name="x" * (MAX_CLUSTER_NAME_CHARS + 1), **by())


def test_moving_names_reports_and_where_they_go(service: Service, asked: list[str]) -> None:
    cluster, other = make_cluster(service), make_cluster(service)
    ids = sorted(make_report(service, cluster=cluster).id for _ in range(2))

    moved = move_reports(report_ids=ids, into_id=other.pk, **by())
    parted = move_reports(report_ids=ids[:1], into_id=None, **by())

    assert (moved, parted) == (Corrected(cluster.pk, is_new=True), Corrected(cluster.pk, is_new=True))
    first, second = Correction.objects.order_by("pk")
    assert (first.kind, first.cluster, first.into, first.report_ids) == (CorrectionKind.MOVE, cluster, other, ids)
    assert (second.into, second.report_ids) == (None, ids[:1])
    assert asked == ["cluster", "cluster"]


def test_reports_that_are_there_already_need_not_be_moved(service: Service) -> None:
    cluster = make_cluster(service)
    report = make_report(service, cluster=cluster)

    assert not move_reports(report_ids=[report.id], into_id=cluster.pk, **by()).is_new
    assert not Correction.objects.exists()


def test_reports_stay_within_their_service(service: Service) -> None:
    mine = make_report(service, cluster=make_cluster(service))
    stranger = make_cluster(make_service())
    theirs = make_report(stranger.service, cluster=stranger)

    with pytest.raises(InvalidInput, match="of another service"):
        move_reports(report_ids=[mine.id], into_id=stranger.pk, **by())
    with pytest.raises(InvalidInput, match="several services"):
        screen_reports(report_ids=[mine.id, theirs.id], is_problem=False, **by())


def test_reports_have_to_be_known_and_placed(service: Service) -> None:
    unplaced = make_report(service)
    gone = make_report(service, cluster=make_cluster(service)).id
    Report.objects.filter(id=gone).delete()

    for report_ids in ([unplaced.id], [gone], [uuid7(NOW)]):
        with pytest.raises(InvalidInput, match="not there any more"):
            move_reports(report_ids=report_ids, into_id=None, **by())


@pytest.mark.parametrize("n_chosen", [0, 201])
def test_reports_have_to_be_chosen_and_not_too_many(n_chosen: int) -> None:
    with pytest.raises(InvalidInput, match="chosen"):
        screen_reports(report_ids=[UUID(int=number) for number in range(n_chosen)], is_problem=True, **by())


def test_screening_says_what_the_reports_are(service: Service, asked: list[str]) -> None:
    report = make_report(service, cluster=make_cluster(service))

    screen_reports(report_ids=[report.id], is_problem=False, **by())
    again = screen_reports(report_ids=[report.id], is_problem=False, **by())

    assert not again.is_new
    correction = Correction.objects.get()
    assert (correction.kind, correction.is_problem, correction.report_ids) == ("screen", False, [report.id])
    assert asked == ["cluster"]


def test_what_is_known_of_reports_need_not_be_said_again(service: Service) -> None:
    report = make_report(service, cluster=make_cluster(service))
    Placement.objects.update(p_problem=0.0, is_set_aside=True, is_counted=False)

    assert not screen_reports(report_ids=[report.id], is_problem=False, **by()).is_new
    assert screen_reports(report_ids=[report.id], is_problem=True, **by()).is_new


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_are_one_correction() -> None:
    mail = make_service("mail")
    one, other = make_cluster(mail), make_cluster(mail)
    who, start = by(), threading.Barrier(2)

    def click() -> bool:
        try:
            start.wait()
            return merge_clusters(cluster_id=one.pk, into_id=other.pk, **who).is_new
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        clicks = [threads.submit(click) for _ in range(2)]

    assert sorted(done.result() for done in clicks) == [False, True]
    assert Correction.objects.count() == 1


@pytest.mark.parametrize("role", [None, Role.VIEWER])
def test_who_only_looks_corrects_nothing(service: Service, role: Role | None) -> None:
    cluster, other = make_cluster(service), make_cluster(service)
    report = make_report(service, cluster=cluster)
    acts: list[Callable[..., Corrected]] = [
        lambda **who: merge_clusters(cluster_id=cluster.pk, into_id=other.pk, **who),
        lambda **who: split_cluster(cluster_id=cluster.pk, micro_cluster_ids=[1], **who),
        lambda **who: rename_cluster(cluster_id=cluster.pk, name="x", **who),
        lambda **who: move_reports(report_ids=[report.id], into_id=None, **who),
        lambda **who: screen_reports(report_ids=[report.id], is_problem=False, **who),
    ]

    for act in acts:
        with pytest.raises(NotAllowed, match="takes a responder"):
            act(**by(role))

    assert not Correction.objects.exists()
    assert not Cluster.objects.exclude(given_name="").exists()
