"""Reports of a failure that gather over hours in one region are suspected, and told once."""

from __future__ import annotations

import pytest

from reports.detection.services import detect_pending
from reports.enums import OutageState
from reports.models import Outage, Service, ServiceProfile
from tests.detection.streams import END_OF_MINUTE, HOUR, MINUTE, known_service, look, people
from tests.factories import NOW, make_cluster

pytestmark = pytest.mark.django_db


def a_quiet_service(*, mix_failing: float = 100.0) -> Service:
    """Two reports a day in two regions, of which half usually tell of a failure."""
    service = known_service("DE-BY", "DE-BE", rate_per_hour=2 / 24)
    ServiceProfile.objects.filter(service=service).update(mix_failing=mix_failing, mix_all=200.0)
    return service


def gather(service: Service, n: int = 5, *, every_minutes: int = 35, tells_failure: bool = True) -> None:
    cluster = make_cluster(service)
    for i in range(n):
        people(cluster, 1, region="DE-BY", at=NOW + i * every_minutes * MINUTE, tells_failure=tells_failure)
        look(service, after=i * every_minutes)


def test_failures_that_gather_over_hours_are_suspected_where_they_gather() -> None:
    gather(a_quiet_service())

    outage = Outage.objects.get()
    assert (outage.state, outage.regions, outage.counts_failing) == (OutageState.SUSPECTED, ["DE-BY"], True)
    assert outage.window_minutes > 60


def test_talk_that_gathers_is_not_suspected() -> None:
    gather(a_quiet_service(), tells_failure=False)

    assert not Outage.objects.exists()


def test_where_failures_are_not_watched_by_themselves_an_hour_is_all() -> None:
    gather(a_quiet_service(mix_failing=195.0))

    assert not Outage.objects.exists()


def test_a_clump_that_faded_is_not_told_again() -> None:
    service = a_quiet_service()
    gather(service)
    for minute in range(145, 300, 5):
        look(service, after=minute)

    assert [outage.state for outage in Outage.objects.all()] == [OutageState.RESOLVED]


def test_a_service_with_one_report_within_the_hour_is_looked_at() -> None:
    service = a_quiet_service()
    cluster = make_cluster(service)
    people(cluster, 4, region="DE-BY", at=NOW - 2 * HOUR)
    people(cluster, 1, region="DE-BY", at=NOW)

    n_looked = detect_pending(now=NOW + END_OF_MINUTE)

    assert n_looked == 1
    assert Outage.objects.exists()
