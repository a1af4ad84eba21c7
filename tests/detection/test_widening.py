"""An outage grows by what it is about: a topic of its own that a few share far off carries it nowhere."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ml.detect import Evidence
from reports.detection.arrays import LastHour
from reports.detection.evidence import Finding, largest_cluster
from reports.detection.services import _widen
from reports.enums import EventKind
from reports.models import Cluster, Outage
from tests.detection.streams import kinds
from tests.factories import NOW, make_cluster, make_outage, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def clusters() -> tuple[Cluster, Cluster]:
    """Two clusters of one service: the outage's, and another one."""
    service = make_service()
    return make_cluster(service), make_cluster(service)


def moment(reports: dict[Cluster, dict[str, int]]) -> Any:
    """A look at an hour in which each cluster had so many reports by region."""
    silent = np.zeros((1, 60))
    by_cluster = {cluster.pk: by_region for cluster, by_region in reports.items()}
    hour = LastHour(0, 60, [""], silent, [], silent[:0], by_cluster, len(by_cluster), silent, silent[:0])
    return SimpleNamespace(hour=hour, now=NOW)


def widened(outage: Outage, cluster: Cluster | None, look: Any) -> list[str]:
    """Let a rise in the whole country be found, of one cluster or of the service; return where the outage is then."""
    seen = Evidence(p_value=1e-7, p_recent=1e-7, window_minutes=50, observed=3, expected=0.001)
    _widen(outage, Finding("US", ("US",), cluster.pk if cluster else None, seen, 30), look)
    outage.refresh_from_db()
    return outage.regions


def in_ohio(cluster: Cluster) -> Outage:
    return make_outage(
        cluster.service, scope_region="US-OH", regions=["US-OH"], is_located=True, started_at=NOW - timedelta(hours=1)
    )


def test_another_topic_far_off_does_not_carry_it_over_the_country(clusters: tuple[Cluster, Cluster]) -> None:
    mine, other = clusters
    outage = in_ohio(mine)

    regions = widened(outage, other, moment({mine: {"US-OH": 5}, other: {"US-NY": 2, "US-TX": 1, "US-OH": 1}}))

    assert regions == ["US-OH"]
    assert EventKind.WIDENED not in kinds(outage)


@pytest.mark.parametrize("is_of_a_cluster", [True, False])
def test_its_own_topic_does_and_so_does_the_whole_service(
    clusters: tuple[Cluster, Cluster], is_of_a_cluster: bool
) -> None:
    mine, other = clusters
    look = moment({mine: {"US-OH": 5, "US-NY": 4}, other: {"US-NY": 30}})

    assert widened(in_ohio(mine), mine if is_of_a_cluster else None, look) == ["US"]


def test_the_largest_cluster_is_that_with_the_most_reports_there(clusters: tuple[Cluster, Cluster]) -> None:
    mine, other = clusters
    hour = moment({mine: {"US-OH": 5}, other: {"US-NY": 30, "US-OH": 4}}).hour

    assert largest_cluster(hour, "US-OH") == mine.pk
    assert largest_cluster(hour, "US") == largest_cluster(hour, "") == other.pk
    assert largest_cluster(hour, "DE") is None
