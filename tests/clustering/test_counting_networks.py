"""How much one network may move the counts: so many reports within the hour, however many people it plays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reports.clustering.counting import MOST_OF_A_NETWORK
from reports.clustering.services import cluster_pending
from reports.enums import Channel
from reports.intake.contract import ReportIn
from reports.intake.services import Origin, make_row
from reports.intake.writer import ReportRow
from reports.models import Placement, Service
from tests.clustering.stories import a_service, hand_in, n_counted
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def from_street(service: Service, n: int, *, street: int = 2, minutes: int = 0) -> list[ReportRow]:
    """Let that many people of one network report, each with an address of their own."""
    at = NOW + timedelta(minutes=minutes)
    return [
        make_row(
            report=ReportIn(service=service.slug, text="I can't log in"),
            origin=Origin(Channel.FORM, address=f"192.0.{street}.{number}"),
            now=at,
        )
        for number in range(n)
    ]


def test_a_network_counts_up_to_its_cap_within_the_hour() -> None:
    service = a_service()
    hand_in(*from_street(service, MOST_OF_A_NETWORK + 10))

    cluster_pending(now=NOW)

    assert n_counted(service) == MOST_OF_A_NETWORK
    assert Placement.objects.count() == MOST_OF_A_NETWORK + 10


def test_the_cap_holds_across_batches_and_ends_with_the_hour() -> None:
    service = a_service()
    for minutes in (0, 30, 61):
        rows = from_street(service, MOST_OF_A_NETWORK + 30, minutes=minutes)
        hand_in(*rows[minutes // 2 :], now=NOW + timedelta(minutes=minutes))
        cluster_pending(now=NOW + timedelta(minutes=minutes))

    assert n_counted(service) == 2 * MOST_OF_A_NETWORK


def test_each_network_has_a_cap_of_its_own() -> None:
    service = a_service()
    hand_in(*from_street(service, MOST_OF_A_NETWORK + 5), *from_street(service, 5, street=3))

    cluster_pending(now=NOW)

    assert n_counted(service) == MOST_OF_A_NETWORK + 5
