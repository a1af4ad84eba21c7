"""Another encoder: clusters keep their ids, placements and counts, and later reports join the right ones."""

from __future__ import annotations

from datetime import timedelta
from unittest import mock

import pytest
from pytest_django import Settings

from reports.clustering import arrays, encoding, handover
from reports.clustering.refinement import refine_service
from reports.clustering.services import cluster_pending
from reports.enums import CorrectionKind, ErasureWay
from reports.models import (
    Cluster,
    ClusteringState,
    Correction,
    MicroCluster,
    MinuteCount,
    Placement,
    Report,
    SampleVector,
    Service,
)
from reports.privacy.erasing import erase_reports
from tests.clustering.stories import LOGIN, PARCEL, a_service, assert_counts_tell_the_placements, cluster_of, tell
from tests.clustering.workers import Memories
from tests.factories import NOW, make_user

pytestmark = pytest.mark.django_db(transaction=True)  # the memory is kept after a commit
LATER = NOW + timedelta(minutes=1)
STATIC, HASHING = "static", "hashing"
# Nothing in common but for the encoder that knows their words.
SAYINGS = ["login fails", "my parcel is late", "invoice wrong", "video slow"] * 2


@pytest.fixture
def service(settings: Settings) -> Service:
    settings.ENCODER = STATIC
    return a_service()


def encoders() -> set[str]:
    return {name.split("-")[0] for name in MicroCluster.objects.values_list("encoder", flat=True)}


def test_ids_placements_and_counts_stay(service: Service, settings: Settings) -> None:
    tell(service, [*LOGIN, *PARCEL], region="DE-BY")
    cluster_pending(now=NOW)
    what = (
        lambda: list(Placement.objects.order_by("pk").values()),
        lambda: list(MinuteCount.objects.order_by("pk").values_list()),
        lambda: list(Cluster.objects.order_by("pk").values()),
        lambda: list(MicroCluster.objects.order_by("pk").values_list("pk", "cluster", "n_reports", "country", "guard")),
    )
    before = [rows() for rows in what]

    settings.ENCODER = HASHING
    handed = tell(service, ["video is slow"], at=LATER)
    cluster_pending(now=LATER)
    Placement.objects.filter(pk=handed[0]).delete()
    MinuteCount.objects.filter(minute=LATER).delete()
    new = MicroCluster.objects.order_by("pk").last()
    assert new is not None
    new.delete()
    Cluster.objects.get(pk=new.cluster_id).delete()

    assert [rows() for rows in what] == before
    assert encoders() == {"hashing"}
    assert set(ClusteringState.objects.values_list("encoder", flat=True)) == {encoding.the_encoder().name}


def test_later_reports_join_the_right_clusters(service: Service, settings: Settings) -> None:
    ids = tell(service, SAYINGS)
    cluster_pending(now=NOW)
    before = [cluster_of(report_id) for report_id in ids]

    settings.ENCODER = HASHING
    again = tell(service, SAYINGS, at=LATER)
    cluster_pending(now=LATER)

    assert [cluster_of(report_id) for report_id in again] == before


def test_symptoms_without_words_are_handed_over_as_well(service: Service, settings: Settings) -> None:
    (first,) = tell(service, [""], symptom="login")
    cluster_pending(now=NOW)

    settings.ENCODER = HASHING
    (second,) = tell(service, [""], at=LATER, symptom="login")
    cluster_pending(now=LATER)

    assert cluster_of(second) == cluster_of(first)
    assert MicroCluster.objects.get().n_reports == 2


def test_what_has_no_texts_any_more_is_left_behind(service: Service, settings: Settings) -> None:
    (gone,) = tell(service, LOGIN[:1])
    (kept,) = tell(service, PARCEL[:1])
    cluster_pending(now=NOW)
    Report.objects.filter(pk=gone).delete()
    cluster_id = cluster_of(gone)

    settings.ENCODER = HASHING
    (login, parcel) = tell(service, [LOGIN[0], PARCEL[0]], at=LATER)
    cluster_pending(now=LATER)

    assert MicroCluster.objects.exclude(encoder=encoding.the_encoder().name).get().cluster_id == cluster_id
    assert cluster_of(login) != cluster_id
    assert cluster_of(parcel) == cluster_of(kept)
    assert Cluster.objects.get(pk=cluster_id).n_reports == 1
    assert_counts_tell_the_placements()


def test_there_and_back_again_keeps_every_cluster(
    service: Service, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One worker remembers the first encoder's space, another goes to the second, and the first comes back.
    memories = Memories()
    monkeypatch.setattr(arrays, "_remembered", memories)
    memories.hand_over("one")
    ids = tell(service, SAYINGS)
    cluster_pending(now=NOW)
    before = [cluster_of(report_id) for report_id in ids]
    memories.hand_over("other")
    settings.ENCODER = HASHING
    tell(service, SAYINGS, at=LATER)
    cluster_pending(now=LATER)

    memories.hand_over("one")
    settings.ENCODER = STATIC
    again = tell(service, SAYINGS, at=LATER)
    cluster_pending(now=LATER)

    assert [cluster_of(report_id) for report_id in again] == before
    assert encoders() == {"wordllama"}


def test_the_sample_holds_vectors_of_one_encoder_alone(service: Service, settings: Settings) -> None:
    tell(service, [*LOGIN, *PARCEL])
    cluster_pending(now=NOW)

    settings.ENCODER = HASHING
    tell(service, LOGIN[:1], at=LATER)
    cluster_pending(now=LATER)

    n_bytes = 4 * encoding.the_encoder().n_dims
    assert {len(bytes(vector)) for vector in SampleVector.objects.values_list("vector", flat=True)} == {n_bytes}


def test_refinement_goes_on_in_the_new_space(service: Service, settings: Settings) -> None:
    tell(service, SAYINGS)
    cluster_pending(now=NOW)
    refine_service(service_id=service.pk, now=NOW)
    before = {report_id: cluster_of(report_id) for report_id in Placement.objects.values_list("pk", flat=True)}

    settings.ENCODER = HASHING
    assert refine_service(service_id=service.pk, now=LATER)

    assert encoders() == {"hashing"}
    assert {report_id: cluster_of(report_id) for report_id in before} == before
    assert ClusteringState.objects.get().refined_at == LATER


def test_a_correction_is_carried_out_in_the_new_space(service: Service, settings: Settings) -> None:
    ids = tell(service, [*LOGIN, *PARCEL])
    cluster_pending(now=NOW)
    Correction.objects.create(service=service, kind=CorrectionKind.MOVE, actor=make_user(), at=NOW, report_ids=ids[:1])

    settings.ENCODER = HASHING
    cluster_pending(now=LATER)

    new = MicroCluster.objects.exclude(pinned_to=None).get()
    encoder = encoding.the_encoder()
    units = arrays.units_of(service.pk, LOGIN[:1], LATER, encoder=encoder)
    assert encoders() == {"hashing"}
    assert bytes(new.vector_sum) == arrays.sum_to_bytes(units[0])
    assert_counts_tell_the_placements()


def test_where_nothing_changes_nothing_is_read(service: Service) -> None:
    tell(service, LOGIN)
    cluster_pending(now=NOW)
    tell(service, LOGIN, at=LATER)

    with mock.patch.object(handover, "_latest_texts", side_effect=AssertionError("texts were read")):
        cluster_pending(now=LATER)

    assert Placement.objects.count() == 2 * len(LOGIN)


def test_what_was_erased_says_nothing_in_the_new_space(service: Service, settings: Settings) -> None:
    ids = tell(service, ["login fails", "login fails", "my parcel is late"], symptom="slow")
    cluster_pending(now=NOW)
    [before] = set(MicroCluster.objects.values_list("encoder", flat=True))
    erase_reports(report_ids=[ids[1], ids[2]], way=ErasureWay.RECEIPT, now=NOW)

    settings.ENCODER = HASHING
    handed = tell(service, ["login fails"], at=LATER)
    cluster_pending(now=LATER)

    assert cluster_of(handed[0]) == cluster_of(ids[0])
    # Of the parcel's wording no text is left: it stays in the old space, and takes no more reports.
    parcel = Placement.objects.select_related("micro_cluster").get(pk=ids[2]).micro_cluster
    assert parcel.encoder == before
    assert_counts_tell_the_placements()
