"""One outage or two: places, clusters, what people have closed, and who comes first."""

from __future__ import annotations

import threading
from unittest import mock

import pytest
from django.db import connection

from reports.detection import evidence, services
from reports.detection.places import UNSETTLED
from reports.detection.services import detect_service
from reports.enums import OPEN_STATES, EventKind, OutageState
from reports.models import Cluster, MicroCluster, Outage, OutageEvent, Service
from reports.triage.services import confirm_outage, dismiss_outage, resolve_outage
from tests.detection.streams import (
    END_OF_MINUTE,
    HOUR,
    MINUTE,
    a_flood,
    event,
    everyday_cluster,
    kinds,
    known_service,
    look,
    people,
    watch,
)
from tests.factories import NOW, make_cluster, make_outage, make_user

pytestmark = pytest.mark.django_db
REGIONS = ("DE-BY", "DE-BE", "FR-IDF", "BR-SP")
BUSY = 480.0  # reports an hour, among which a few more are lost


def busy_service() -> Service:
    """Make a service with many everyday reports, going on."""
    service = known_service(*REGIONS, rate_per_hour=BUSY)
    everyday = everyday_cluster(service, rate_per_hour=BUSY)
    for region in REGIONS:
        people(everyday, 2, region=region, at=NOW - HOUR, minutes=100)
    return service


def test_a_rise_elsewhere_within_the_hour_is_the_same_outage_spreading() -> None:
    service = known_service(*REGIONS)
    outage = a_flood(service, region="DE-BY")

    people(make_cluster(service), 6, region="BR-SP", at=NOW + 12 * MINUTE, minutes=5)
    watch(service, first=13, last=17)

    assert Outage.objects.get().pk == outage.pk
    assert {"DE-BY", "BR-SP"} == set(Outage.objects.get().regions)


def test_a_rise_elsewhere_later_is_another_outage() -> None:
    service = known_service(*REGIONS)
    outage = a_flood(service, region="DE-BY")
    # It goes on all the time.
    people(make_cluster(service), 6, region="DE-BY", at=NOW + 10 * MINUTE, minutes=75)
    watch(service, first=15, last=75, every=10)

    people(make_cluster(service), 6, region="BR-SP", at=NOW + 76 * MINUTE, minutes=5)
    watch(service, first=77, last=81)

    other = Outage.objects.exclude(pk=outage.pk).get()
    assert (other.scope_region, other.regions) == ("BR-SP", ["BR-SP"])
    assert other.n_reports == 6 * 5
    outage.refresh_from_db()
    assert "BR-SP" not in outage.regions


def test_a_cluster_alone_raises_an_outage_where_the_service_has_too_many_reports_to_show_it() -> None:
    service = busy_service()
    rare = make_cluster(service, label="two-factor code never comes")
    people(rare, 1, region="DE-BY", at=NOW, minutes=6)
    people(rare, 1, region="BR-SP", at=NOW, minutes=6)

    watch(service, first=1, last=6)

    outage = Outage.objects.get()
    assert (outage.cluster_id, outage.scope_region) == (rare.pk, "")
    assert (outage.label, outage.n_reports) == ("two-factor code never comes", 12)


def test_a_clusters_outage_counts_the_cluster_alone() -> None:
    service = busy_service()
    rare = make_cluster(service)
    people(rare, 2, region="DE-BY", at=NOW, minutes=6)

    watch(service, first=1, last=6)

    outage = Outage.objects.get()
    assert (outage.cluster_id, outage.scope_region, outage.regions) == (rare.pk, "DE-BY", ["DE-BY"])
    assert outage.n_reporters == 12


def test_a_cluster_with_a_past_has_to_rise_above_it() -> None:
    service = busy_service()
    common = everyday_cluster(service, rate_per_hour=40.0)

    people(common, 1, region="DE-BY", at=NOW, minutes=6)
    watch(service, first=1, last=6)

    assert not Outage.objects.exists()


def test_an_outage_follows_its_cluster_into_the_one_that_took_it_in() -> None:
    service = busy_service()
    gone, heir = make_cluster(service, label="gone"), make_cluster(service, label="heir")
    people(gone, 2, region="DE-BY", at=NOW, minutes=6)
    watch(service, first=1, last=6)
    MicroCluster.objects.filter(cluster=gone).update(cluster=heir)
    Cluster.objects.filter(pk=gone.pk).update(merged_into=heir)

    people(heir, 2, region="DE-BY", at=NOW + 6 * MINUTE, minutes=4)
    watch(service, first=7, last=10)

    outage = Outage.objects.get()
    assert (outage.cluster_id, outage.label, outage.state) == (heir.pk, "heir", OutageState.CONFIRMED)
    assert outage.n_reports == 2 * 10
    assert outage.p_value < 1e-6


def test_of_two_outages_whose_clusters_become_one_the_first_goes_on_with_it() -> None:
    service = busy_service()
    gone, heir = make_cluster(service), make_cluster(service)
    first = make_outage(service, cluster=heir, started_at=NOW)
    second = make_outage(service, cluster=gone, started_at=NOW)
    MicroCluster.objects.filter(cluster=gone).update(cluster=heir)
    Cluster.objects.filter(pk=gone.pk).update(merged_into=heir)

    look(service, after=5)

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.cluster_id, second.cluster_id) == (heir.pk, gone.pk)
    assert second.quiet_since == NOW + 5 * MINUTE + END_OF_MINUTE


@pytest.mark.parametrize("minutes", [1, 60, 110])
def test_what_a_person_dismissed_does_not_open_again(minutes: int) -> None:
    service = known_service(*REGIONS)
    outage = a_flood(service, region="DE-BY")
    dismiss_outage(outage_id=outage.pk, actor_id=make_user().pk, reason="a test of ours", now=NOW + 10 * MINUTE)

    people(make_cluster(service), 6, region="DE-BY", at=NOW + (5 + minutes) * MINUTE, minutes=5)
    watch(service, first=11 + minutes, last=13 + minutes)

    assert not Outage.objects.open().exists()
    assert kinds(outage)[-1] == EventKind.DISMISSED


def test_two_hours_after_it_was_dismissed_a_rise_counts_again() -> None:
    service = known_service(*REGIONS)
    outage = a_flood(service, region="DE-BY")
    dismiss_outage(outage_id=outage.pk, actor_id=make_user().pk, reason="a test of ours", now=NOW + 10 * MINUTE)

    again = a_flood(service, region="DE-BY", start=NOW + 131 * MINUTE)

    assert again.pk != outage.pk
    assert again.state == OutageState.CONFIRMED


def test_what_was_dismissed_in_one_country_opens_in_another() -> None:
    service = known_service(*REGIONS)
    outage = a_flood(service, region="DE-BY")
    dismiss_outage(outage_id=outage.pk, actor_id=make_user().pk, reason="a test of ours", now=NOW + 10 * MINUTE)

    people(make_cluster(service), 30, region="BR-SP", at=NOW + 65 * MINUTE, minutes=5)
    watch(service, first=66, last=70)

    assert Outage.objects.open().get().scope_region == "BR-SP"


def test_whoever_dismisses_a_cluster_has_not_silenced_its_service() -> None:
    service = busy_service()
    typo = make_cluster(service, label="typo on the start page")
    people(typo, 1, region="DE-BY", at=NOW, minutes=6)
    people(typo, 1, region="BR-SP", at=NOW, minutes=6)
    watch(service, first=1, last=6)
    outage = Outage.objects.get()
    dismiss_outage(outage_id=outage.pk, actor_id=make_user().pk, reason="cosmetic", now=NOW + 7 * MINUTE)

    people(make_cluster(service, label="nothing works"), 60, region="DE-BY", at=NOW + 8 * MINUTE, minutes=4)
    watch(service, first=8, last=12)

    assert Outage.objects.open().get().label == "nothing works"


def test_a_dismissed_cluster_stays_dismissed_when_it_is_what_its_service_rises_by() -> None:
    service = busy_service()
    typo = make_cluster(service, label="typo on the start page")
    people(typo, 1, region="DE-BY", at=NOW, minutes=6)
    people(typo, 1, region="BR-SP", at=NOW, minutes=6)
    watch(service, first=1, last=6)
    outage = Outage.objects.get()
    dismiss_outage(outage_id=outage.pk, actor_id=make_user().pk, reason="cosmetic", now=NOW + 7 * MINUTE)

    people(typo, 60, region="DE-BY", at=NOW + 8 * MINUTE, minutes=4)
    watch(service, first=8, last=12)

    assert not Outage.objects.open().exists()


def test_what_a_person_resolved_does_not_open_again_by_the_reports_that_led_to_it() -> None:
    service = known_service(*REGIONS)
    outage = a_flood(service, region="DE-BY")
    resolve_outage(outage_id=outage.pk, actor_id=make_user().pk, now=NOW + 10 * MINUTE)

    watch(service, first=11, last=80, every=3)

    assert Outage.objects.count() == 1
    assert kinds(outage)[-1] == EventKind.RESOLVED


def ended_flood(service: Service) -> Outage:
    """Let an outage come, be confirmed and end by itself."""
    outage = a_flood(service, region="DE-BY")
    watch(service, first=15, last=120, every=5)
    outage.refresh_from_db()
    assert outage.resolved_at is not None
    return outage


def test_a_second_wave_within_the_hour_opens_the_same_outage_again() -> None:
    service = known_service(*REGIONS)
    first = ended_flood(service)
    assert first.resolved_at is not None

    again = a_flood(service, region="DE-BY", start=first.resolved_at + 5 * MINUTE)

    assert (again.pk, again.state, again.resolved_at) == (first.pk, OutageState.CONFIRMED, None)
    assert (again.started_at, again.confirmed_at) == (first.started_at, first.confirmed_at)
    assert kinds(again)[-2:] == [EventKind.RESOLVED, EventKind.RELAPSED]
    assert event(again, EventKind.RELAPSED).body["observed"] >= 3
    assert again.n_reports == 2 * 60


def test_what_a_person_confirmed_and_the_detector_ended_opens_again_too() -> None:
    service = known_service(*REGIONS)
    outage = a_flood(service, region="DE-BY")
    confirm_outage(outage_id=outage.pk, actor_id=make_user().pk, now=NOW + 11 * MINUTE)
    watch(service, first=15, last=120, every=5)
    outage.refresh_from_db()
    assert outage.resolved_at is not None

    again = a_flood(service, region="DE-BY", start=outage.resolved_at + 5 * MINUTE)

    assert again.pk == outage.pk


def test_it_ends_again_by_itself() -> None:
    service = known_service(*REGIONS)
    first = ended_flood(service)
    assert first.resolved_at is not None
    start = first.resolved_at + 5 * MINUTE
    a_flood(service, region="DE-BY", start=start)

    watch(service, first=15, last=120, every=5, start=start)

    outage = Outage.objects.get()
    assert (outage.state, kinds(outage).count(EventKind.RESOLVED)) == (OutageState.RESOLVED, 2)


def test_a_second_wave_elsewhere_is_another_outage() -> None:
    service = known_service(*REGIONS)
    first = ended_flood(service)
    assert first.resolved_at is not None

    again = a_flood(service, region="BR-SP", start=first.resolved_at + 5 * MINUTE)

    assert (again.pk == first.pk, again.scope_region) == (False, "BR-SP")


def test_a_second_wave_after_a_person_resolved_it_is_another_outage() -> None:
    service = known_service(*REGIONS)
    outage = a_flood(service, region="DE-BY")
    resolve_outage(outage_id=outage.pk, actor_id=make_user().pk, now=NOW + 10 * MINUTE)

    again = a_flood(service, region="DE-BY", start=NOW + 75 * MINUTE)

    assert again.pk != outage.pk


def test_a_service_that_another_worker_looks_at_is_left_to_it() -> None:
    service = known_service()
    people(make_cluster(service), 30)

    with mock.patch.object(services, "lock_outages", return_value=False):
        seen = detect_service(service_id=service.pk, now=NOW + MINUTE)

    assert seen is False
    assert not Outage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_rival_that_looks_at_the_same_service_finds_it_locked() -> None:
    service = known_service()
    people(make_cluster(service), 30)
    find = services.find
    rival: list[bool] = []

    def look_too() -> None:
        try:
            rival.append(detect_service(service_id=service.pk, now=NOW + MINUTE))
        finally:
            connection.close()

    def find_with_a_rival(*args: object, **kwargs: object) -> object:
        thread = threading.Thread(target=look_too)
        thread.start()
        thread.join()
        return find(*args, **kwargs)  # type: ignore[arg-type]

    with mock.patch.object(services, "find", find_with_a_rival):
        look(service, after=1)

    assert rival == [False]
    assert Outage.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_whoever_loses_the_race_reads_the_winners_outage() -> None:
    service = known_service()
    people(make_cluster(service), 30)
    open_outage = services._open
    winner: list[int] = []

    def open_first() -> None:
        try:
            with mock.patch.object(services, "lock_outages", return_value=True):
                detect_service(service_id=service.pk, now=NOW + MINUTE)
            winner.append(Outage.objects.get().pk)
        finally:
            connection.close()

    def open_second(*args: object, **kwargs: object) -> Outage | None:
        services._open = open_outage
        thread = threading.Thread(target=open_first)
        thread.start()
        thread.join()
        return open_outage(*args, **kwargs)  # type: ignore[arg-type]

    with mock.patch.object(services, "_open", open_second):
        look(service, after=1)

    assert [outage.pk for outage in Outage.objects.filter(state__in=OPEN_STATES)] == winner
    assert OutageEvent.objects.filter(kind=EventKind.SUSPECTED).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_person_who_dismisses_while_the_detector_looks_has_the_last_word() -> None:
    service = known_service()
    outage = a_flood(service)
    actor = make_user()
    count = services._count
    thread = threading.Thread(target=lambda: _dismiss(outage, actor.pk))

    def count_meanwhile(*args: object, **kwargs: object) -> None:
        if thread.ident is None:
            thread.start()  # waits for the row that the detector holds
        count(*args, **kwargs)  # type: ignore[arg-type]

    with mock.patch.object(services, "_count", count_meanwhile):
        look(service, after=11)
    thread.join()
    look(service, after=12)

    outage.refresh_from_db()
    assert outage.state == OutageState.DISMISSED
    assert Outage.objects.count() == 1


def _dismiss(outage: Outage, actor_id: int) -> None:
    try:
        dismiss_outage(outage_id=outage.pk, actor_id=actor_id, reason="a test of ours", now=NOW + 11 * MINUTE)
    finally:
        connection.close()


def test_a_young_outage_that_turns_out_narrower_finds_its_place() -> None:
    service = known_service(*REGIONS)
    cluster = make_cluster(service)
    people(cluster, 6)  # whoever comes first does not say where
    look(service, after=1)
    people(cluster, 20, region="DE-BY", at=NOW + 2 * MINUTE, minutes=3)

    watch(service, first=3, last=5)

    outage = Outage.objects.get()
    assert (outage.scope_region, outage.regions, outage.is_located) == ("DE-BY", ["DE-BY"], True)
    assert event(outage, EventKind.LOCATED).body["scope_region"] == "DE-BY"
    assert event(outage, EventKind.SUSPECTED).body["where_settled"] is False


def test_an_outage_that_nobody_can_place_yet_is_placed_however_late_it_shows() -> None:
    service = known_service(*REGIONS)
    people(make_cluster(service), 6, minutes=20)
    watch(service, first=1, last=20, every=5)
    unplaced = Outage.objects.get()

    people(make_cluster(service), 60, region="DE-BY", at=NOW + 30 * MINUTE, minutes=3)
    watch(service, first=31, last=33)

    assert (unplaced.scope_region, unplaced.regions, unplaced.is_located) == ("", [], False)
    assert Outage.objects.get().regions == ["DE-BY"]


def test_a_region_that_fires_is_not_lost_while_it_is_too_early_to_say_where() -> None:
    service = busy_service()
    common = everyday_cluster(service, rate_per_hour=BUSY)

    with mock.patch.object(evidence, "whereabouts", return_value=UNSETTLED):
        people(common, 3, region="SE-AB", minutes=3)
        watch(service, first=1, last=3)

    outage = Outage.objects.get()
    assert (outage.cluster_id, outage.is_located, outage.state) == (None, False, OutageState.CONFIRMED)


def test_a_handful_of_reports_of_one_state_is_that_state_and_not_the_country() -> None:
    states = ("US-CA", "US-MI", "US-NY", "US-OH", "US-TX")
    service = known_service(*states)
    people(make_cluster(service), 2, region="US-TX", minutes=2)

    watch(service, first=1, last=2)

    assert Outage.objects.get().regions == ["US-TX"]


def test_a_rise_everywhere_is_one_outage_of_the_whole_service() -> None:
    service = known_service(*REGIONS)
    for region in REGIONS:
        people(make_cluster(service), 3, region=region, minutes=5)

    watch(service, first=1, last=5)

    outage = Outage.objects.get()
    assert (outage.scope_region, outage.regions, outage.is_located) == ("", [], True)


def test_regions_that_rise_together_are_one_outage_and_those_between_them_none_of_it() -> None:
    service = known_service(*REGIONS)
    people(make_cluster(service), 3, region="DE-BY", minutes=8)
    people(make_cluster(service), 3, region="BR-SP", minutes=8)
    people(make_cluster(service), 1, region="DE-BE")

    watch(service, first=1, last=8)

    assert Outage.objects.get().regions == ["BR-SP", "DE-BY"]


def test_a_rise_elsewhere_that_cant_be_placed_takes_no_outage_from_its_place() -> None:
    service = known_service(*REGIONS)
    outage = a_flood(service, region="DE-BY")

    people(make_cluster(service), 6, at=NOW + 12 * MINUTE, minutes=3)
    watch(service, first=13, last=16)

    outage.refresh_from_db()
    assert (outage.scope_region, outage.regions) == ("DE-BY", ["DE-BY"])


def test_an_outage_keeps_its_place_once_it_is_known() -> None:
    service = known_service(*REGIONS)
    cluster = make_cluster(service)
    for region in REGIONS:
        people(cluster, 3, region=region, minutes=20)
    watch(service, first=1, last=20, every=5)
    people(cluster, 60, region="DE-BY", at=NOW + 30 * MINUTE, minutes=3)

    watch(service, first=31, last=33)

    assert Outage.objects.get().scope_region == ""
