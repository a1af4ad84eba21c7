"""One reporter counts once an hour and service; whoever can't be told apart counts by what they wrote, or each time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reports.clustering.services import cluster_pending
from reports.models import MinuteCount, Placement
from tests.clustering.stories import a_report, a_service, hand_in, n_counted, tell
from tests.factories import NOW

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
HEADLINE = "Massive power cut hits the whole city centre this morning, officials say"


def test_a_reporter_who_writes_again_within_the_hour_counts_once_though_each_report_is_placed() -> None:
    service = a_service()
    hand_in(*(a_report(service, text, reporter="jane") for text in ("login fails", "login still fails", "my parcel")))

    cluster_pending(now=NOW)

    assert Placement.objects.count() == sum(MinuteCount.objects.values_list("n_reports", flat=True)) == 3
    assert n_counted(service) == Placement.objects.filter(is_counted=True).count() == 1


def test_it_holds_across_batches() -> None:
    service = a_service()
    for ago in (0, 20, 59):
        hand_in(a_report(service, at=NOW + ago * MINUTE, reporter="jane"))
        cluster_pending(now=NOW + ago * MINUTE)

    assert n_counted(service) == 1


def test_after_an_hour_the_reporter_counts_again() -> None:
    service = a_service()
    for minutes in (0, 59, 60, 61):
        hand_in(a_report(service, at=NOW + minutes * MINUTE, reporter="jane"))
        cluster_pending(now=NOW + minutes * MINUTE)

    counted = Placement.objects.filter(is_counted=True).values_list("counted_at", flat=True)
    assert sorted(counted) == [NOW, NOW + 60 * MINUTE]


def test_two_reporters_count_twice_and_one_reporter_counts_for_each_service() -> None:
    mail, shop = a_service("mail"), a_service("shop")
    hand_in(
        a_report(mail, reporter="jane"),
        a_report(mail, reporter="joe"),
        a_report(shop, reporter="jane"),
    )

    cluster_pending(now=NOW)

    assert (n_counted(mail), n_counted(shop)) == (2, 1)


def test_the_same_name_from_two_clients_is_two_reporters() -> None:
    service = a_service()
    hand_in(a_report(service, reporter="user-1", client="a"), a_report(service, reporter="user-1", client="b"))

    cluster_pending(now=NOW)

    assert n_counted(service) == 2


def test_history_that_comes_late_neither_counts_twice_nor_silences_what_came_since() -> None:
    service = a_service()
    now = NOW + timedelta(hours=6)
    # Jane counts at 0 and 4 h. Late come: 30 minutes (too near to the first), 2 h (counts), 4 h 30 (too near).
    for minutes in (0, 240):
        hand_in(a_report(service, at=NOW + minutes * MINUTE, reporter="jane"))
    cluster_pending(now=NOW + 240 * MINUTE)
    hand_in(
        *(a_report(service, at=now, reporter="jane", occurred_at=NOW + minutes * MINUTE) for minutes in (30, 120, 270))
    )

    cluster_pending(now=now)

    counted = Placement.objects.filter(is_counted=True).values_list("counted_at", flat=True)
    assert sorted(counted) == [NOW, NOW + 120 * MINUTE, NOW + 240 * MINUTE]


def test_a_long_wording_that_is_copied_counts_once_where_nothing_else_tells_reporters_apart() -> None:
    service = a_service()
    tell(service, [HEADLINE, HEADLINE.upper(), f"RT @someone: {HEADLINE} https://example.org/1", f"{HEADLINE}!!"])

    cluster_pending(now=NOW)

    copies = Placement.objects.order_by("report_id")
    # "RT" is a word of its own, so that one is not the same wording; the others are.
    assert [copy.is_counted for copy in copies] == [True, False, True, False]


def test_a_short_wording_counts_for_everybody_who_uses_it() -> None:
    service = a_service()
    tell(service, ["can't log in"] * 5)

    cluster_pending(now=NOW)

    assert n_counted(service) == 5


def test_named_reporters_count_each_whatever_they_copy() -> None:
    service = a_service()
    hand_in(*(a_report(service, HEADLINE, reporter=name) for name in ("jane", "joe")))

    cluster_pending(now=NOW)

    assert n_counted(service) == 2
