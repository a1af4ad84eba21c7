"""What keeps reports apart that read alike, codes, places and days, and what a cluster tells of itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reports.clustering.refinement import refine_service
from reports.clustering.services import cluster_pending
from reports.models import Cluster, MicroCluster, Service
from tests.clustering.stories import LOGIN, PARCEL, a_service, cluster_of, tell
from tests.factories import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def service() -> Service:
    """A service that has heard of some things before, so that it knows what is usual."""
    service = a_service()
    tell(service, [*PARCEL, "the invoice is wrong", "video is slow", "no sound in the call"], at=NOW - DAY / 24)
    cluster_pending(now=NOW)
    return service


def test_one_wording_from_two_countries_at_one_time_is_one_cluster(service: Service) -> None:
    german, french = tell(service, LOGIN, region="DE-BY"), tell(service, LOGIN, region="FR")
    cluster_pending(now=NOW)

    refine_service(service_id=service.pk, now=LATER)

    assert {cluster_of(one) for one in german} == {cluster_of(one) for one in french}
    assert {"DE", "FR"} <= set(MicroCluster.objects.values_list("country", flat=True))


def test_one_wording_from_two_countries_on_far_off_days_is_two_clusters_that_resemble_each_other(
    service: Service,
) -> None:
    (german,) = tell(service, LOGIN[:1], region="DE-BY")
    cluster_pending(now=NOW)
    two_days_on = NOW + 2 * DAY
    (french,) = tell(service, LOGIN[:1], region="FR", at=two_days_on)
    cluster_pending(now=two_days_on)

    refine_service(service_id=service.pk, now=two_days_on)

    one, other = Cluster.objects.get(pk=cluster_of(german)), Cluster.objects.get(pk=cluster_of(french))
    assert one != other
    assert (one.resembles_id, other.resembles_id) == (other.pk, one.pk)


def test_one_wording_of_no_place_goes_on_for_days(service: Service) -> None:
    (early,) = tell(service, LOGIN[:1])
    cluster_pending(now=NOW)
    two_days_on = NOW + 2 * DAY
    (late,) = tell(service, LOGIN[:1], at=two_days_on)
    cluster_pending(now=two_days_on)

    refine_service(service_id=service.pk, now=two_days_on)

    assert cluster_of(early) == cluster_of(late)


def test_reports_that_name_different_codes_stay_apart(service: Service) -> None:
    missing = tell(service, ["error 404 on the start page", "start page shows error 404"])
    failing = tell(service, ["error 503 on the start page", "start page shows error 502"])
    cluster_pending(now=NOW)

    refine_service(service_id=service.pk, now=LATER)

    assert len({cluster_of(one) for one in missing}) == len({cluster_of(one) for one in failing}) == 1
    assert cluster_of(missing[0]) != cluster_of(failing[0])
    assert {"404", "50x"} <= set(MicroCluster.objects.values_list("guard", flat=True))


def test_what_resembles_nothing_says_so(service: Service) -> None:
    tell(service, LOGIN)
    cluster_pending(now=NOW)

    refine_service(service_id=service.pk, now=LATER)

    assert set(Cluster.objects.filter(merged_into=None).values_list("resembles", flat=True)) == {None}


def test_a_cluster_tells_its_terms_and_how_many_say_them_where_and_in_which_language(service: Service) -> None:
    ids = tell(service, ["login fails today"] * 3, region="DE-BY")
    ids += tell(service, ["login fails again"], region="FR", at=NOW + timedelta(seconds=10))
    cluster_pending(now=NOW)

    refine_service(service_id=service.pk, now=LATER)

    (cluster_id,) = {cluster_of(one) for one in ids}
    cluster = Cluster.objects.get(pk=cluster_id)
    assert 1 <= len(cluster.terms) <= 3
    assert len(cluster.term_shares) == len(cluster.terms)
    shares = dict(zip(cluster.terms, cluster.term_shares, strict=True))
    assert all(0 < share <= 1 for share in shares.values())
    assert max(shares.values()) == 1.0  # all of them say that the login fails
    assert cluster.regions == ["DE-BY", "FR"]
    assert cluster.languages == ["en"]
    assert cluster.cohesion is not None
    assert 0.5 < cluster.cohesion <= 1.0
    assert cluster.typical_report_id in ids


def test_alike_reports_hold_together_more_than_different_ones(service: Service) -> None:
    same = tell(service, ["login fails"] * 4)
    varied = tell(service, PARCEL, at=NOW + timedelta(seconds=30))
    alone = tell(service, ["…"])  # no word in it is like any other
    cluster_pending(now=NOW)

    refine_service(service_id=service.pk, now=LATER)

    cohesion = [Cluster.objects.get(pk=cluster_of(ids[0])).cohesion for ids in (same, varied, alone)]
    assert cohesion[2] is None
    assert cohesion[0] is not None
    assert cohesion[1] is not None
    assert cohesion[0] > cohesion[1]
