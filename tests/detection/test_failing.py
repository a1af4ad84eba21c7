"""What rises is confirmed where its reports tell of a failure; bills, news and talk are suspected, and it says why."""

from __future__ import annotations

import pytest

from reports.enums import Channel, EventKind, HeldBack, OutageState
from reports.models import MinuteCount, Outage, Placement, Report, Service, ServiceProfile
from reports.triage.selectors import dashboard, outage_page
from tests.detection.streams import HOUR, MINUTE, event, everything_seen, kinds, known_service, look, people, watch
from tests.factories import NOW, make_cluster

pytestmark = pytest.mark.django_db


def a_talkative_service(*regions: str) -> Service:
    """A service known for four weeks, of whose reports a quarter usually tell of a failure."""
    service = known_service(*(regions or ("DE-BY", "DE-BE")))
    ServiceProfile.objects.filter(service=service).update(mix_failing=1_000.0, mix_all=4_000.0)
    return service


def rise(service: Service, *, failing: int, others: int, region: str = "DE-BY") -> Outage:
    """Ten minutes of so many reports of either kind."""
    cluster = make_cluster(service)
    if failing:
        people(cluster, failing, region=region, at=NOW, minutes=10)
    if others:
        people(cluster, others, region=region, at=NOW, minutes=10, tells_failure=False)
    watch(service, first=1, last=10)
    return Outage.objects.get()


def test_a_wave_that_tells_of_no_failure_is_suspected_and_says_why_it_is_no_more() -> None:
    outage = rise(a_talkative_service(), failing=1, others=6)

    assert (outage.state, outage.held_back_for) == (OutageState.SUSPECTED, HeldBack.NO_FAILURE)
    assert (outage.n_failing, outage.n_reporters) == (10, 70)
    assert kinds(outage).count(EventKind.HELD_BACK) == 1
    assert event(outage, EventKind.HELD_BACK).body["held_back_for"] == HeldBack.NO_FAILURE


def test_a_rise_of_failures_is_confirmed_and_says_how_many_tell_of_one() -> None:
    outage = rise(a_talkative_service(), failing=5, others=1)

    assert (outage.state, outage.held_back_for) == (OutageState.CONFIRMED, "")
    body = event(outage, EventKind.CONFIRMED).body
    assert body["n_failing"] > 0.7 * body["n_reporters"]


def test_a_wave_of_talk_is_held_back_where_nothing_is_known_of_the_mix() -> None:
    assert rise(known_service("DE-BY", "DE-BE"), failing=1, others=6).state == OutageState.SUSPECTED


def test_where_all_tell_of_a_failure_nothing_is_held_back() -> None:
    assert rise(known_service("DE-BY", "DE-BE"), failing=6, others=0).state == OutageState.CONFIRMED


def test_an_outage_that_begins_as_talk_is_confirmed_once_failures_come() -> None:
    service = a_talkative_service()
    outage = rise(service, failing=0, others=4)
    people(make_cluster(service), 8, region="DE-BY", at=NOW + 11 * MINUTE, minutes=15)

    watch(service, first=11, last=25)

    outage.refresh_from_db()
    assert (outage.state, outage.held_back_for) == (OutageState.CONFIRMED, "")


def test_talk_from_elsewhere_does_not_widen_an_outage() -> None:
    service = a_talkative_service("DE-BY", "DE-BE", "FR-IDF", "FR-NOR")
    people(make_cluster(service), 4, region="DE-BY", at=NOW, minutes=10)
    people(make_cluster(service), 1, region="FR-IDF", at=NOW, minutes=10, tells_failure=False)

    watch(service, first=1, last=10)

    assert Outage.objects.get(state=OutageState.CONFIRMED).regions == ["DE-BY"]


def test_looking_twice_changes_nothing() -> None:
    service = a_talkative_service()
    rise(service, failing=1, others=6)
    seen = everything_seen(service)

    look(service, after=10)

    assert everything_seen(service) == seen


def test_the_dashboard_and_the_page_say_why_in_one_sentence() -> None:
    outage = rise(a_talkative_service(), failing=1, others=6)

    [row] = dashboard(now=NOW + 10 * MINUTE).open
    page = outage_page(outage_id=outage.pk, now=NOW + 10 * MINUTE)

    assert row.held_back == "Not confirmed: 60 of 70 reporters tell of no failure now."
    assert page.outage.held_back == row.held_back


def test_the_words_that_tell_of_no_failure_are_named() -> None:
    service = a_talkative_service()
    cluster = make_cluster(service)
    people(cluster, 7, region="DE-BY", at=NOW, minutes=10, tells_failure=False)
    Report.objects.bulk_create(
        Report(
            id=placed, service=service, channel=Channel.REST, text="my bill is too high", reporter=b"",
            occurred_at=NOW, received_at=NOW, counted_at=NOW,
        )
        for placed in Placement.objects.filter(service=service).values_list("report_id", flat=True)
    )  # fmt: skip

    watch(service, first=1, last=10)

    assert "bill" in event(Outage.objects.get(), EventKind.HELD_BACK).body["words"]


def test_the_mix_is_learnt_with_the_hours() -> None:
    service = a_talkative_service()
    ServiceProfile.objects.filter(service=service).update(mix_failing=0.0, mix_all=0.0)
    cluster = make_cluster(service)
    people(cluster, 1, at=NOW, minutes=3)
    people(cluster, 1, at=NOW + 4 * MINUTE, minutes=2, tells_failure=False)
    Outage.objects.all().delete()

    look(service, after=0, start=NOW + 3 * HOUR)

    profile = ServiceProfile.objects.get(service=service)
    assert MinuteCount.objects.filter(service=service, n_no_failure__gt=0).count() == 2
    assert (profile.mix_failing, profile.mix_all) == (pytest.approx(3, abs=0.1), pytest.approx(5, abs=0.1))
