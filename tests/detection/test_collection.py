"""A collector that starts or doubles is one alarm about the source; an outage is still an outage."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from reports.detection.services import detect_pending
from reports.detection.sources import watch_sources
from reports.enums import Channel, SourceAlarmKind
from reports.models import ApiKey, Cluster, MinuteCount, Outage, SourceAlarm
from tests.clustering.workers import at_once
from tests.detection.sources import REGIONS, bring, known_services, make_key, make_source
from tests.detection.streams import HOUR, MINUTE
from tests.factories import NOW, first_micro_cluster, make_cluster, make_service

pytestmark = pytest.mark.django_db
N_SERVICES = 5
PER_HOUR = 60.0  # a service's usual: 12 reports an hour of the collector from each region, and 8 of the form


@pytest.fixture
def key() -> ApiKey:
    return make_key("collector")


@pytest.fixture
def clusters(key: ApiKey) -> list[Cluster]:
    """Five services that a collector and the form have brought reports of for two weeks."""
    found = known_services(N_SERVICES, per_hour=PER_HOUR)
    for cluster in found:
        make_source(cluster.service, key=key, per_bin=1, regions=REGIONS)
        make_source(cluster.service, key=None, channel=Channel.FORM, bins=[1, 1, 0] * 4, regions=REGIONS)
    watch_sources(now=NOW)
    return found


def form_as_usual(clusters: list[Cluster], *, times: int = 1, minutes: int = 20) -> None:
    """Let the form bring eight reports an hour of each service and region, or so many times that."""
    for cluster in clusters:
        for region in REGIONS:
            for minute in range(2, minutes, 8):
                bring(cluster, times, key=None, channel=Channel.FORM, region=region, at=NOW + minute * MINUTE)


def collector(
    clusters: list[Cluster], key: ApiKey, *, per_minute: int = 1, minutes: int = 20, regions: tuple[str, ...] = REGIONS
) -> None:
    """Let the collector bring so many reports a minute of each service and region: one is five times its usual."""
    for cluster in clusters:
        for region in regions:
            bring(cluster, per_minute, key=key, region=region, minutes=minutes)


def watch(*, last: int, first: int = 1) -> None:
    for minute in range(first, last + 1):
        detect_pending(now=NOW + minute * MINUTE)


def test_a_collector_that_brings_five_times_as_much_of_everything_is_one_alarm_and_no_outage(
    clusters: list[Cluster], key: ApiKey
) -> None:
    collector(clusters, key)
    form_as_usual(clusters)

    detect_pending(now=NOW + 19 * MINUTE)

    assert not Outage.objects.exists()
    alarm = SourceAlarm.objects.get()
    assert (alarm.source.key, alarm.kind, alarm.until) == (key, SourceAlarmKind.COLLECTION_CHANGE, None)
    assert alarm.evidence["ratio"] == pytest.approx(5, rel=0.2)
    assert (alarm.evidence["n_services"], alarm.evidence["n_regions"]) == (N_SERVICES, len(REGIONS))


def test_looked_at_every_minute_nothing_is_confirmed(clusters: list[Cluster], key: ApiKey) -> None:
    collector(clusters, key)
    form_as_usual(clusters)

    watch(last=19)

    assert SourceAlarm.objects.filter(until=None).count() == 1
    assert not Outage.objects.filter(confirmed_at__isnull=False).exists()


def test_without_the_change_of_one_source_it_would_be_an_outage_of_each_service(
    clusters: list[Cluster], key: ApiKey
) -> None:
    collector(clusters, key)
    form_as_usual(clusters, times=5)

    detect_pending(now=NOW + 19 * MINUTE)

    assert not SourceAlarm.objects.exists()
    assert Outage.objects.count() == N_SERVICES


@pytest.mark.parametrize(("channel", "is_alarm"), [(Channel.REST, True), (Channel.ALERTMANAGER, False)])
def test_an_alertmanager_that_speaks_up_of_all_at_once_has_not_changed_how_it_collects(
    clusters: list[Cluster], channel: Channel, is_alarm: bool
) -> None:
    key = make_key("monitoring")
    for cluster in clusters:
        for region in REGIONS:
            bring(cluster, 1, key=key, channel=channel, region=region, minutes=20)
    form_as_usual(clusters)

    detect_pending(now=NOW + 19 * MINUTE)

    assert SourceAlarm.objects.exists() is is_alarm
    assert Outage.objects.exists() is not is_alarm


def test_an_outage_of_one_service_that_one_source_tells_is_found(clusters: list[Cluster], key: ApiKey) -> None:
    collector(clusters[:1], key)
    form_as_usual(clusters)

    detect_pending(now=NOW + 19 * MINUTE)

    assert not SourceAlarm.objects.exists()
    assert Outage.objects.get().service == clusters[0].service


def test_an_outage_of_one_region_that_one_source_tells_is_found(clusters: list[Cluster], key: ApiKey) -> None:
    collector(clusters, key, per_minute=2, regions=("DE",))
    form_as_usual(clusters)

    detect_pending(now=NOW + 19 * MINUTE)

    assert not SourceAlarm.objects.exists()
    assert {outage.scope_region for outage in Outage.objects.all()} == {"DE"}


def test_an_outage_in_the_midst_of_a_change_is_found_and_has_its_place(clusters: list[Cluster], key: ApiKey) -> None:
    collector(clusters, key)
    form_as_usual(clusters)
    detect_pending(now=NOW + 19 * MINUTE)

    bring(clusters[2], 30, key=key, region="FR", at=NOW + 20 * MINUTE, minutes=6)
    watch(first=21, last=25)

    outage = Outage.objects.get()
    assert (outage.service, outage.scope_region) == (clusters[2].service, "FR")
    assert SourceAlarm.objects.filter(until=None).count() == 1


def test_an_outage_that_the_others_tell_is_found_in_the_midst_of_a_change(clusters: list[Cluster], key: ApiKey) -> None:
    collector(clusters, key)
    form_as_usual(clusters)
    detect_pending(now=NOW + 19 * MINUTE)

    bring(clusters[1], 8, key=None, channel=Channel.FORM, region="BR", at=NOW + 20 * MINUTE, minutes=6)
    watch(first=21, last=25)

    outage = Outage.objects.get()
    assert (outage.service, outage.scope_region) == (clusters[1].service, "BR")


def test_a_collector_that_starts_is_one_alarm_and_no_outage(clusters: list[Cluster]) -> None:
    fresh = make_key("fresh")
    collector(clusters, fresh)
    form_as_usual(clusters)

    detect_pending(now=NOW + 19 * MINUTE)

    assert not Outage.objects.exists()
    alarm = SourceAlarm.objects.get()
    assert (alarm.source.key, alarm.evidence["ratio"]) == (fresh, None)


def test_people_at_the_form_who_report_everything_are_an_outage(clusters: list[Cluster], key: ApiKey) -> None:
    form_as_usual(clusters, times=12)

    detect_pending(now=NOW + 19 * MINUTE)

    assert not SourceAlarm.objects.exists()
    assert Outage.objects.count() == N_SERVICES


def test_a_second_look_at_the_same_moment_changes_nothing(clusters: list[Cluster], key: ApiKey) -> None:
    collector(clusters, key, per_minute=2)
    detect_pending(now=NOW + 19 * MINUTE)
    before = list(SourceAlarm.objects.values()), list(Outage.objects.values())

    detect_pending(now=NOW + 19 * MINUTE)

    assert (list(SourceAlarm.objects.values()), list(Outage.objects.values())) == before


@pytest.mark.django_db(transaction=True)
def test_workers_that_notice_a_change_at_once_agree_on_one_alarm(clusters: list[Cluster], key: ApiKey) -> None:
    collector(clusters, key, per_minute=2)

    at_once([lambda: detect_pending(now=NOW + 19 * MINUTE)] * 4)

    assert SourceAlarm.objects.count() == 1
    assert not Outage.objects.exists()


def an_old_change(clusters: list[Cluster], key: ApiKey) -> SourceAlarm:
    collector(clusters, key, per_minute=2)
    detect_pending(now=NOW + 19 * MINUTE)
    return SourceAlarm.objects.get()


def hours_of(cluster: Cluster, *, n: int, start: datetime, hours: int) -> None:
    MinuteCount.objects.bulk_create(
        MinuteCount(
            service_id=cluster.service_id, minute=start + hour * HOUR, micro_cluster=first_micro_cluster(cluster),
            region="DE", n_reports=n, n_counted=n,
        )
        for hour in range(hours)
    )  # fmt: skip


@pytest.mark.parametrize(("per_hour", "is_over"), [(60, True), (300, False)])
def test_it_ends_when_what_comes_is_usual_for_the_services(
    clusters: list[Cluster], key: ApiKey, per_hour: int, is_over: bool
) -> None:
    alarm = an_old_change(clusters, key)
    for cluster in clusters:
        hours_of(cluster, n=per_hour, start=NOW + HOUR, hours=4)
        bring(cluster, 1, key=key, at=NOW + 4 * HOUR)

    watch_sources(now=NOW + 5 * HOUR)

    alarm.refresh_from_db()
    assert (alarm.until is not None) is is_over


def test_where_nobody_uses_a_key_one_query_is_all_it_costs(django_assert_num_queries: object) -> None:
    from reports.detection.arrays import last_hour
    from reports.detection.collection import as_collected

    cluster = make_cluster(make_service())
    bring(cluster, 5, key=None, channel=Channel.FORM)
    hour = last_hour(cluster.service_id, now=NOW + timedelta(minutes=1), least_in_cluster=3)

    with django_assert_num_queries(1):  # type: ignore[operator]
        assert as_collected(hour, service_id=cluster.service_id, now=NOW + timedelta(minutes=1)) is hour
