"""A service that fails does not hold up the others, in any stage that goes from service to service."""

from __future__ import annotations

import logging
from datetime import timedelta
from unittest import mock

import pytest
from django.db import OperationalError

from reports.clustering import refinement
from reports.clustering import services as clustering
from reports.clustering.turns import each_service
from reports.detection import services as detection
from reports.models import ClusteringState, Outage, Placement, Service
from tests.clustering.stories import LOGIN, a_report, a_service, hand_in, tell
from tests.factories import NOW


def test_every_service_gets_its_turn_and_the_first_failure_is_told() -> None:
    turns: list[int] = []

    def turn(service_id: int) -> int:
        turns.append(service_id)
        if service_id % 2:
            raise ValueError(f"service {service_id}")
        return service_id

    with pytest.raises(ValueError, match="service 1"):
        each_service([0, 1, 2, 3, 4], turn)

    assert turns == [0, 1, 2, 3, 4]


def test_the_turns_are_summed() -> None:
    assert each_service([1, 2, 3], lambda service_id: service_id) == 6


def test_where_the_database_is_away_the_others_are_not_tried() -> None:
    turn = mock.Mock(side_effect=OperationalError("gone"))

    with pytest.raises(OperationalError):
        each_service([1, 2, 3], turn)

    assert turn.call_count == 1


def test_the_log_names_the_service_and_the_kind_of_failure_but_not_what_it_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(ValueError, match="jane"):
        each_service([7], mock.Mock(side_effect=ValueError("jane's words")))

    assert caplog.messages == ["The turn of service 7 failed (ValueError); the others go on."]


@pytest.fixture
def two_services(db: None) -> tuple[Service, Service]:
    """Return a service that will fail and one that came later."""
    known_since = NOW - timedelta(hours=12)  # what a service says in its first minutes has nothing to be compared with
    return a_service("broken", created_at=known_since), a_service("sound", created_at=known_since)


def test_placing_goes_on(two_services: tuple[Service, Service]) -> None:
    broken, sound = two_services
    for service in two_services:
        tell(service, LOGIN)
    place = clustering._place

    def place_or_fail(service_id: int, *args: object, **kwargs: object) -> object:
        if service_id == broken.pk:
            raise ValueError
        return place(service_id, *args, **kwargs)  # type: ignore[arg-type]

    with mock.patch.object(clustering, "_place", place_or_fail), pytest.raises(ValueError):  # noqa: PT011
        clustering.cluster_pending(now=NOW)

    assert set(Placement.objects.values_list("service_id", flat=True)) == {sound.pk}


def test_refining_goes_on(two_services: tuple[Service, Service]) -> None:
    broken, sound = two_services
    for service in two_services:
        tell(service, LOGIN)
    clustering.cluster_pending(now=NOW)
    label = refinement.label_clusters

    def label_or_fail(service_id: int, *args: object, **kwargs: object) -> None:
        if service_id == broken.pk:
            raise ValueError
        label(service_id, *args, **kwargs)  # type: ignore[arg-type]

    with mock.patch.object(refinement, "label_clusters", label_or_fail), pytest.raises(ValueError):  # noqa: PT011
        refinement.refine_pending(now=NOW)

    assert ClusteringState.objects.get(n_unrefined=0).service_id == sound.pk


def test_detecting_goes_on(two_services: tuple[Service, Service]) -> None:
    broken, sound = two_services
    for service in two_services:
        hand_in(*(a_report(service, f"{LOGIN[i % 6]} {i}", reporter=f"user-{i}") for i in range(30)))
    clustering.cluster_pending(now=NOW)
    usual = detection.what_is_usual

    def usual_or_fail(*, service_id: int, **kwargs: object) -> object:
        if service_id == broken.pk:
            raise ValueError
        return usual(service_id=service_id, **kwargs)  # type: ignore[arg-type]

    with mock.patch.object(detection, "what_is_usual", usual_or_fail), pytest.raises(ValueError):  # noqa: PT011
        detection.detect_pending(now=NOW)

    assert Outage.objects.get().service_id == sound.pk
