"""After an outage people talk of it: a small rise within a day is shown but wakes nobody, a large one does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reports.enums import OutageState
from reports.models import Outage, Service
from tests.detection.streams import HOUR, a_flood, everything_seen, known_service, look, people, watch
from tests.factories import NOW, make_cluster

pytestmark = pytest.mark.django_db


def a_service_after_an_outage(*regions: str, region: str = "") -> Service:
    """Ten minutes of 20 reports each, confirmed, and over two hours later."""
    service = known_service(*regions)
    outage = a_flood(service, region=region, per_minute=20)
    watch(service, first=15, last=150, every=5)
    outage.refresh_from_db()
    assert (outage.state, outage.confirmed_at is not None) == (OutageState.RESOLVED, True)
    return service


def rise(service: Service, *, per_minute: int, after: timedelta, region: str = "") -> Outage:
    start = NOW + after
    people(make_cluster(service), per_minute, region=region, at=start, minutes=10)
    watch(service, first=1, last=10, every=3, start=start)
    return Outage.objects.latest("id")


def test_a_rise_of_less_than_a_quarter_of_the_outage_of_the_day_stays_suspected() -> None:
    service = a_service_after_an_outage("DE-BY", "DE-BE")

    assert rise(service, per_minute=4, after=12 * HOUR).state == OutageState.SUSPECTED


def test_a_second_outage_of_like_size_is_confirmed() -> None:
    service = a_service_after_an_outage("DE-BY", "DE-BE")

    assert rise(service, per_minute=12, after=12 * HOUR).state == OutageState.CONFIRMED


def test_a_day_later_it_is_an_outage_like_any_other() -> None:
    service = a_service_after_an_outage("DE-BY", "DE-BE")

    assert rise(service, per_minute=4, after=28 * HOUR).state == OutageState.CONFIRMED


def test_elsewhere_it_is_an_outage_like_any_other() -> None:
    service = a_service_after_an_outage("DE-BY", "FR-IDF", region="DE-BY")

    assert rise(service, per_minute=4, after=12 * HOUR, region="FR-IDF").state == OutageState.CONFIRMED


def test_looking_twice_changes_nothing() -> None:
    service = a_service_after_an_outage("DE-BY", "DE-BE")
    rise(service, per_minute=4, after=12 * HOUR)
    seen = everything_seen(service)

    look(service, after=10, start=NOW + 12 * HOUR)

    assert everything_seen(service) == seen
