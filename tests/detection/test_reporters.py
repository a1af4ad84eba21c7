"""How many people report from each place of an outage: never more than there are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reports.detection.reporters import reporters_by_place
from reports.models import Cluster, Outage, Placement
from tests.factories import NOW, count_reports, make_cluster, make_outage, make_report, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def cluster() -> Cluster:
    return make_cluster(make_service("mail"))


def outage_of(cluster: Cluster, *regions: str, scope: str = "DE") -> Outage:
    return make_outage(cluster.service, scope_region=scope, regions=list(regions), started_at=NOW - timedelta(hours=3))


def told(cluster: Cluster, region: str, *reporters: str, hours_ago: float = 0) -> None:
    for name in reporters:
        make_report(
            cluster.service, cluster=cluster, region=region, reporter=name.encode().ljust(16) if name else b"",
            at=NOW - timedelta(hours=hours_ago),
        )  # fmt: skip


def test_each_reporter_counts_once_for_a_place_and_once_for_its_country(cluster: Cluster) -> None:
    told(cluster, "DE-BY", "ada", "grace")
    told(cluster, "DE-BY", "ada", hours_ago=2)
    told(cluster, "DE-HE", "ada", "edsger")

    found = reporters_by_place(outage_of(cluster, "DE-BY", "DE-HE"), exactly=True)

    assert found == {"DE": 3, "DE-BY": 2, "DE-HE": 2}


def test_who_is_told_apart_by_nothing_counts_for_each_report(cluster: Cluster) -> None:
    told(cluster, "DE-BY", "", "", "ada")

    assert reporters_by_place(outage_of(cluster, "DE-BY"), exactly=True)["DE-BY"] == 3


def test_what_does_not_count_is_nobodys_witness(cluster: Cluster) -> None:
    told(cluster, "DE-BY", "ada", "grace")
    Placement.objects.filter(reporter=b"grace".ljust(16)).update(is_counted=False)

    assert reporters_by_place(outage_of(cluster, "DE-BY"), exactly=True)["DE-BY"] == 1


def test_reports_from_before_belong_to_no_place(cluster: Cluster) -> None:
    told(cluster, "DE-BY", "ada", hours_ago=4)

    assert reporters_by_place(outage_of(cluster, "DE-BY"), exactly=True)["DE-BY"] == 0


def test_in_a_large_outage_it_is_the_fullest_hour(cluster: Cluster) -> None:
    count_reports(cluster, 3, region="DE-BY", at=NOW - timedelta(hours=1))
    count_reports(cluster, 5, region="DE-BY", at=NOW)
    count_reports(cluster, 4, region="DE-HE", at=NOW)

    found = reporters_by_place(outage_of(cluster, "DE-BY", "DE-HE"), exactly=False)

    assert found == {"DE": 9, "DE-BY": 5, "DE-HE": 4}


def test_an_outage_of_everywhere_has_no_place(cluster: Cluster) -> None:
    told(cluster, "DE-BY", "ada")

    assert reporters_by_place(outage_of(cluster, scope=""), exactly=True) == {}
