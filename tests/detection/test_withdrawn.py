"""An outage whose reports went to quarantine: too few people are left to confirm it."""

from __future__ import annotations

import pytest

from reports.enums import EventKind, OutageState
from reports.models import MinuteCount, Outage, OutageEvent, Placement
from tests.detection.streams import everyday_cluster, known_service, look, people
from tests.factories import NOW, make_cluster

pytestmark = pytest.mark.django_db


def confirmed_outage() -> Outage:
    """Let twelve people report at once, and the detector confirm it."""
    service = known_service()
    everyday_cluster(service, rate_per_hour=6.0)
    people(make_cluster(service), 12, networks=[bytes([i]) * 16 for i in range(12)])
    for minute in range(2):
        look(service, after=minute)
    outage = Outage.objects.get()
    assert outage.state == OutageState.CONFIRMED
    return outage


def hold_back(n: int) -> None:
    """Hold back so many of the reports, as a review does."""
    chosen = list(Placement.objects.values_list("pk", flat=True)[:n])
    Placement.objects.filter(pk__in=chosen).update(is_counted=False, is_quarantined=True)
    MinuteCount.objects.filter(n_counted=12).update(n_counted=12 - n, n_quarantined=n)


def test_an_outage_is_withdrawn_when_too_few_people_are_left() -> None:
    outage = confirmed_outage()
    hold_back(9)

    look(outage.service, after=2)
    look(outage.service, after=3)

    outage.refresh_from_db()
    assert (outage.state, outage.n_reporters) == (OutageState.RESOLVED, 3)
    assert OutageEvent.objects.filter(kind=EventKind.WITHDRAWN).count() == 1


def test_an_outage_with_people_enough_stands() -> None:
    outage = confirmed_outage()
    hold_back(6)

    look(outage.service, after=2)

    outage.refresh_from_db()
    assert outage.state == OutageState.CONFIRMED


def test_what_a_person_confirmed_stands() -> None:
    outage = confirmed_outage()
    Outage.objects.update(is_confirmed_by_person=True)
    hold_back(11)

    look(outage.service, after=2)

    outage.refresh_from_db()
    assert outage.state == OutageState.CONFIRMED


def test_a_withdrawn_outage_is_not_opened_again_by_what_comes_next() -> None:
    outage = confirmed_outage()
    hold_back(11)
    look(outage.service, after=2)

    people(make_cluster(outage.service), 8, at=NOW.replace(minute=5), networks=[bytes([i]) * 16 for i in range(8)])
    look(outage.service, after=5)

    outage.refresh_from_db()
    assert outage.state == OutageState.RESOLVED
    assert Outage.objects.count() == 2
