"""The life of an outage as the detector leads it: each move is an event that carries its evidence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from reports.detection.services import detect_pending, detect_service
from reports.enums import EventKind, OutageState
from reports.models import Outage, Placement
from tests.detection.streams import (
    END_OF_MINUTE,
    HOUR,
    MINUTE,
    a_flood,
    event,
    everyday_cluster,
    everything_seen,
    kinds,
    known_service,
    look,
    people,
    watch,
)
from tests.factories import NOW, make_cluster

pytestmark = pytest.mark.django_db
REGIONS = ("DE-BY", "DE-BE", "FR-IDF", "BR-SP")


def test_what_is_usual_opens_nothing() -> None:
    service = known_service(*REGIONS, rate_per_hour=240.0)
    everyday = everyday_cluster(service, rate_per_hour=240.0)
    for region in REGIONS:
        people(everyday, 1, region=region, at=NOW, minutes=30)

    watch(service, first=0, last=30, every=5)

    assert not Outage.objects.exists()


def test_a_rise_opens_an_outage_with_its_place_time_and_evidence() -> None:
    service = known_service(*REGIONS)
    people(make_cluster(service, label="log in fails"), 2, region="FR-IDF", at=NOW, minutes=2)

    look(service, after=2)

    outage = Outage.objects.get()
    assert (outage.state, outage.scope_region, outage.regions) == (OutageState.SUSPECTED, "FR-IDF", ["FR-IDF"])
    assert (outage.started_at, outage.suspected_at) == (NOW, NOW + 2 * MINUTE + END_OF_MINUTE)
    assert (outage.n_reports, outage.n_reporters, outage.label) == (4, 4, "log in fails")
    assert outage.reporters_by_place == {"FR": 4, "FR-IDF": 4}
    assert (outage.cluster, outage.confirmed_at, outage.resolved_at) == (None, None, None)
    assert outage.observed == 4
    assert outage.p_value < 1e-4
    assert outage.expected < 0.5


def test_the_event_that_opens_it_carries_the_evidence() -> None:
    service = known_service(*REGIONS)
    people(make_cluster(service), 2, region="FR-IDF", at=NOW, minutes=2)

    look(service, after=2)

    opened = event(Outage.objects.get(), EventKind.SUSPECTED)
    assert (opened.at, opened.actor) == (NOW + 2 * MINUTE + END_OF_MINUTE, None)
    assert set(opened.body) == {
        "observed", "expected", "window_minutes", "p_value", "regions", "scope_region", "cluster_id",
        "n_reports", "n_reporters", "n_networks", "where_settled", "severity", "n_regions",
        "n_failing", "counts_failing",
    }  # fmt: skip
    assert (opened.body["observed"], opened.body["regions"], opened.body["n_reporters"]) == (4, ["FR-IDF"], 4)
    assert 0 < opened.body["p_value"] < 1e-4
    assert opened.body["n_regions"] == 1


def test_it_is_confirmed_when_enough_people_speak_of_it() -> None:
    service = known_service(*REGIONS)
    cluster = make_cluster(service)
    people(cluster, 2, region="FR-IDF", at=NOW, minutes=2)
    look(service, after=2)

    people(cluster, 3, region="FR-IDF", at=NOW + 3 * MINUTE)
    look(service, after=3)

    outage = Outage.objects.get()
    assert kinds(outage) == [EventKind.SUSPECTED, EventKind.CONFIRMED]
    assert (outage.state, outage.confirmed_at) == (OutageState.CONFIRMED, NOW + 3 * MINUTE + END_OF_MINUTE)
    assert event(outage, EventKind.CONFIRMED).body["n_reporters"] == 7


@pytest.mark.parametrize(("per_month", "n_open"), [(30.0, 1), (0.01, 0)])
def test_the_budget_of_false_alarms_decides_what_is_suspected(settings: Any, per_month: float, n_open: int) -> None:
    settings.FALSE_ALARMS_PER_MONTH = per_month
    service = known_service(*REGIONS, rate_per_hour=60.0)
    people(everyday_cluster(service, rate_per_hour=60.0), 4, region="DE-BY", at=NOW, minutes=2)

    look(service, after=2)

    assert Outage.objects.count() == n_open


def test_two_people_are_no_outage_however_unusual_they_are() -> None:
    service = known_service(*REGIONS, rate_per_hour=0.05)
    people(make_cluster(service), 2, region="DE-BY")

    look(service, after=1)

    assert not Outage.objects.exists()


def test_few_people_who_write_often_do_not_confirm() -> None:
    service = known_service(*REGIONS, rate_per_hour=1.0)
    cluster = make_cluster(service)
    for minutes in (0, 60, 120):  # each counts again after an hour
        people(cluster, 3, region="DE-BY", at=NOW + minutes * MINUTE, reporters=[b"a" * 16, b"b" * 16, b"c" * 16])
        watch(service, first=minutes, last=minutes + 3)

    outage = Outage.objects.get()
    assert (outage.state, outage.n_reports, outage.n_reporters) == (OutageState.SUSPECTED, 9, 3)


def test_many_people_of_two_networks_do_not_confirm() -> None:
    service = known_service(*REGIONS)
    people(make_cluster(service), 6, region="DE-BY", minutes=5, networks=[b"office", b"home"])

    watch(service, first=1, last=5)

    outage = Outage.objects.get()
    assert (outage.state, outage.n_reporters, outage.n_networks) == (OutageState.SUSPECTED, 30, 2)


def test_three_networks_confirm() -> None:
    service = known_service(*REGIONS)
    people(make_cluster(service), 6, region="DE-BY", minutes=5, networks=[b"office", b"home", b"train"])

    watch(service, first=1, last=5)

    outage = Outage.objects.get()
    assert outage.state == OutageState.CONFIRMED
    assert event(outage, EventKind.CONFIRMED).body["n_networks"] == 3


def test_where_most_reports_tell_no_network_none_is_asked_for() -> None:
    service = known_service(*REGIONS)
    people(make_cluster(service), 2, region="DE-BY", minutes=5, networks=[b"office"])
    people(make_cluster(service), 3, region="DE-BY", minutes=5)

    watch(service, first=1, last=5)

    outage = Outage.objects.get()
    assert (outage.state, outage.n_networks) == (OutageState.CONFIRMED, None)


def test_a_flood_is_suspected_and_confirmed_in_one_look() -> None:
    service = known_service(*REGIONS)
    people(make_cluster(service), 30, region="DE-BY")

    look(service, after=1)

    assert kinds(Outage.objects.get()) == [EventKind.SUSPECTED, EventKind.CONFIRMED]


def test_it_takes_up_regions_that_stand_out_later() -> None:
    service = known_service(*REGIONS)
    outage = a_flood(service, region="DE-BY")

    people(make_cluster(service), 6, region="DE-BE", at=NOW + 10 * MINUTE, minutes=5)
    watch(service, first=11, last=15)

    outage.refresh_from_db()
    assert Outage.objects.count() == 1
    assert (outage.scope_region, outage.regions) == ("DE", ["DE"])  # all that is known of the country
    assert event(outage, EventKind.WIDENED).body["regions"] == ["DE"]


def test_reports_of_the_regions_it_took_up_are_its_own() -> None:
    service = known_service(*REGIONS)
    outage = a_flood(service, region="DE-BY", per_minute=6)

    people(make_cluster(service), 6, region="DE-BE", at=NOW + 10 * MINUTE, minutes=5)
    people(make_cluster(service), 1, region="BR-SP", at=NOW + 10 * MINUTE)
    watch(service, first=11, last=15)

    outage.refresh_from_db()
    assert (outage.n_reports, outage.n_reporters) == (6 * 10 + 6 * 5, 6 * 10 + 6 * 5)


def test_it_recovers_after_a_quarter_hour_of_quiet_and_is_resolved_after_an_hour() -> None:
    service = known_service(*REGIONS)
    outage = a_flood(service, region="DE-BY")

    watch(service, first=11, last=100)

    outage.refresh_from_db()
    assert kinds(outage) == [EventKind.SUSPECTED, EventKind.CONFIRMED, EventKind.RECOVERING, EventKind.RESOLVED]
    recovering, resolved = event(outage, EventKind.RECOVERING).at, event(outage, EventKind.RESOLVED).at
    assert 25 * MINUTE <= recovering - NOW <= 45 * MINUTE
    assert 60 * MINUTE <= resolved - NOW <= 90 * MINUTE
    assert (outage.state, outage.resolved_at) == (OutageState.RESOLVED, resolved)


def test_the_surest_look_is_kept_through_the_silence_after_it() -> None:
    service = known_service(*REGIONS)
    outage = a_flood(service, region="DE-BY")
    peak = clearest_look(outage)

    watch(service, first=40, last=60, every=5)

    outage.refresh_from_db()
    assert clearest_look(outage) == peak
    assert outage.p_value > outage.peak_p_value


def test_the_surest_look_is_kept_with_its_time_and_the_regions_heard() -> None:
    service = known_service(*REGIONS)
    people(make_cluster(service), 3, region="DE-BY", minutes=4)
    people(make_cluster(service), 3, region="FR-IDF", minutes=4)

    watch(service, first=1, last=3)

    outage = Outage.objects.get()
    assert (outage.peak_n_regions, outage.peak_at) == (2, NOW + 3 * MINUTE + END_OF_MINUTE)
    assert outage.peak_at == outage.evaluated_at


def test_reports_that_rise_again_while_it_recovers_are_the_same_outage() -> None:
    service = known_service(*REGIONS)
    outage = a_flood(service, region="DE-BY")
    watch(service, first=11, last=45, every=2)
    confirmed_at = outage.confirmed_at

    people(make_cluster(service), 6, region="DE-BY", at=NOW + 46 * MINUTE, minutes=4)
    watch(service, first=47, last=50)

    outage.refresh_from_db()
    assert kinds(outage)[-2:] == [EventKind.RECOVERING, EventKind.RELAPSED]
    assert (outage.state, outage.confirmed_at) == (OutageState.CONFIRMED, confirmed_at)
    assert Outage.objects.count() == 1


def test_one_that_was_never_confirmed_fades() -> None:
    service = known_service(*REGIONS)
    people(make_cluster(service), 2, region="DE-BY", at=NOW, minutes=2)
    look(service, after=2)

    watch(service, first=5, last=100, every=5)

    outage = Outage.objects.get()
    assert kinds(outage) == [EventKind.SUSPECTED, EventKind.FADED]
    assert (outage.state, outage.confirmed_at) == (OutageState.RESOLVED, None)


def test_what_rises_after_it_was_resolved_is_another_outage() -> None:
    service = known_service(*REGIONS)
    first = a_flood(service, region="DE-BY")
    watch(service, first=15, last=120, every=5)

    second = a_flood(service, region="DE-BY", start=NOW + 3 * HOUR)

    assert second.pk != first.pk
    assert (second.started_at, second.n_reports) == (NOW + 3 * HOUR, 60)


def test_an_outage_that_nobody_looked_at_for_long_is_brought_to_its_end_in_one_look() -> None:
    service = known_service(*REGIONS)
    outage = a_flood(service, region="DE-BY")
    look(service, after=30)

    look(service, after=150)

    assert kinds(outage)[-2:] == [EventKind.RECOVERING, EventKind.RESOLVED]


def test_a_second_look_at_the_same_moment_changes_nothing() -> None:
    service = known_service(*REGIONS)
    a_flood(service, region="DE-BY")
    for minutes in (10, 30, 100):
        look(service, after=minutes)
        before = everything_seen(service)

        look(service, after=minutes)

        assert everything_seen(service) == before


def test_too_few_reports_for_a_suspicion_are_not_looked_at() -> None:
    people(make_cluster(known_service()), 2)

    assert detect_pending(now=NOW) == 0


def test_services_with_neither_reports_nor_an_outage_are_not_looked_at() -> None:
    quiet, busy, ailing = known_service(), known_service(), known_service()
    people(make_cluster(quiet), 1, at=NOW - 2 * HOUR)
    people(make_cluster(busy), 3, at=NOW + 3 * HOUR)
    a_flood(ailing)

    n_seen = detect_pending(now=NOW + 3 * HOUR)

    assert n_seen == 2


def test_an_outage_is_brought_to_its_end_though_nobody_reports_any_more() -> None:
    service = known_service()
    outage = a_flood(service)

    for minutes in range(15, 120, 5):
        detect_pending(now=NOW + minutes * MINUTE)

    outage.refresh_from_db()
    assert outage.state == OutageState.RESOLVED


def test_the_queries_of_a_look_do_not_grow_with_clusters_and_regions(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    service = known_service(*REGIONS)
    outage = a_flood(service, region="DE-BY")
    for region in REGIONS:
        for _ in range(6):
            people(make_cluster(service), 3, region=region, at=NOW + 10 * MINUTE)
    look(service, after=11)
    assert outage.pk == Outage.objects.get().pk

    # Two of them read the last day, once an hour and process; one asks whether anybody uses a key.
    with django_assert_max_num_queries(19):
        detect_service(service_id=service.pk, now=NOW + timedelta(minutes=12))


def test_who_was_set_aside_is_no_reporter_of_an_outage() -> None:
    service = known_service(*REGIONS)
    people(make_cluster(service), 3, at=NOW, minutes=2)
    aside = Placement.objects.order_by("report_id").values_list("pk", flat=True)[:2]
    Placement.objects.filter(pk__in=list(aside)).update(is_set_aside=True, is_counted=False)

    look(service, after=2)

    assert Outage.objects.get().n_reporters == 4


def clearest_look(outage: Outage) -> tuple[object, ...]:
    return (
        outage.peak_p_value, outage.observed, outage.expected, outage.window_minutes, outage.peak_n_regions,
        outage.peak_at,
    )  # fmt: skip
