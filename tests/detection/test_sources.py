"""A source that goes silent is an alarm of its own, which ends when it reports again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from reports.detection.sources import watch_sources
from reports.enums import Channel, SourceAlarmKind
from reports.models import Source, SourceAlarm, SourceCount, SourceProfile
from tests.clustering.stories import a_report, a_service, hand_in
from tests.clustering.workers import at_once
from tests.detection.sources import bring, look_on, make_key, make_source
from tests.detection.streams import HOUR, MINUTE
from tests.factories import NOW, make_batch, make_cluster, make_service

pytestmark = pytest.mark.django_db
STOPPED = NOW  # every source here reports up to noon, and then no more


def everything_watched() -> list[object]:
    return [list(model.objects.order_by("pk").values()) for model in (Source, SourceAlarm, SourceProfile)]


def test_a_source_that_stops_is_an_alarm_that_says_what_is_usual() -> None:
    source = make_source(make_service(), key=make_key(), per_bin=3)

    look_on(start=STOPPED - HOUR, end=STOPPED + 3 * HOUR)

    alarm = SourceAlarm.objects.get()
    assert (alarm.source, alarm.kind, alarm.until) == (source, SourceAlarmKind.SILENT, None)
    assert alarm.since == STOPPED
    assert STOPPED + 30 * MINUTE <= alarm.found_at <= STOPPED + 2 * HOUR
    assert alarm.evidence["observed"] == 0
    assert alarm.evidence["usual_per_hour"] == pytest.approx(36, rel=0.05)
    assert alarm.evidence["log10_p"] < -6


def test_a_quiet_hour_that_chance_may_bring_is_none() -> None:
    make_source(make_service(), key=make_key(), per_bin=3)

    look_on(start=STOPPED - HOUR, end=STOPPED + 15 * MINUTE)

    assert not SourceAlarm.objects.exists()


def test_a_silence_that_builds_up_slowly_is_no_measure_of_itself() -> None:
    make_source(make_service(), key=make_key(), bins=[1, *[0] * 5, 1, *[0] * 5])

    look_on(start=STOPPED - HOUR, end=STOPPED + 24 * HOUR, every=25 * MINUTE)

    alarm = SourceAlarm.objects.get()
    assert alarm.since <= STOPPED
    assert alarm.found_at > STOPPED + 6 * HOUR


def test_it_ends_by_itself_when_reports_come_again_and_not_by_one_of_them() -> None:
    cluster = make_cluster(make_service())
    key = make_key()
    make_source(cluster.service, key=key, per_bin=3)
    look_on(start=STOPPED - HOUR, end=STOPPED + 3 * HOUR)

    bring(cluster, 1, key=key, at=STOPPED + 3 * HOUR)
    look_on(start=STOPPED + 3 * HOUR, end=STOPPED + 3 * HOUR + 10 * MINUTE)
    assert SourceAlarm.objects.get().until is None

    bring(cluster, 1, key=key, at=STOPPED + 3 * HOUR + 10 * MINUTE, minutes=15)
    look_on(start=STOPPED + 3 * HOUR + 30 * MINUTE, end=STOPPED + 4 * HOUR)

    alarm = SourceAlarm.objects.get()
    assert alarm.until == STOPPED + 3 * HOUR + 30 * MINUTE
    assert alarm.evidence["ended"] == "heard"


def test_one_source_of_two_is_silent_though_the_service_is_not_quiet() -> None:
    cluster = make_cluster(make_service())
    make_source(cluster.service, key=make_key("shop"), per_bin=3)
    form = make_source(cluster.service, key=None, channel=Channel.FORM, per_bin=3)
    bring(cluster, 1, key=None, channel=Channel.FORM, at=STOPPED, minutes=180)

    look_on(start=STOPPED - HOUR, end=STOPPED + 3 * HOUR)

    assert SourceAlarm.objects.exclude(source=form).count() == 1
    assert not SourceAlarm.objects.filter(source=form).exists()


def test_a_key_that_was_revoked_is_gone_and_not_silent() -> None:
    make_source(make_service(), key=make_key(revoked_at=STOPPED), per_bin=3)

    look_on(start=STOPPED - HOUR, end=STOPPED + 6 * HOUR)

    assert not SourceAlarm.objects.exists()


def test_revoking_the_key_of_a_silent_source_ends_its_alarm() -> None:
    key = make_key()
    make_source(make_service(), key=key, per_bin=3)
    look_on(start=STOPPED - HOUR, end=STOPPED + 3 * HOUR)

    key.revoked_at = STOPPED + 3 * HOUR
    key.save()
    watch_sources(now=STOPPED + 3 * HOUR + MINUTE)

    assert SourceAlarm.objects.get().evidence["ended"] == "gone"


def test_a_source_known_for_less_than_a_week_is_not_silent() -> None:
    make_source(make_service(), key=make_key(), per_bin=3, hours=6 * 24)

    look_on(start=STOPPED - HOUR, end=STOPPED + 6 * HOUR)

    assert not SourceAlarm.objects.exists()


def test_a_source_that_sends_a_heap_once_in_a_while_is_not_silent() -> None:
    source = make_source(make_service(), key=make_key(), per_bin=0)
    for hour in range(5, 330, 11):
        SourceCount.objects.filter(source=source, hour=NOW - hour * HOUR).update(bins=[80] + [0] * 11)

    look_on(start=STOPPED - HOUR, end=STOPPED + 30 * HOUR, every=25 * MINUTE)

    assert not SourceAlarm.objects.exists()


def test_drills_and_replays_come_and_go_as_they_like() -> None:
    make_source(make_service(), key=None, channel=Channel.DRILL, per_bin=3)

    look_on(start=STOPPED - HOUR, end=STOPPED + 6 * HOUR)

    assert not SourceAlarm.objects.exists()


def test_hours_without_a_worker_are_nobodys_silence() -> None:
    make_source(make_service(), key=make_key(), per_bin=3)
    watch_sources(now=STOPPED)

    watch_sources(now=STOPPED + 5 * HOUR)
    watch_sources(now=STOPPED + 5 * HOUR + 10 * MINUTE)

    assert not SourceAlarm.objects.exists()
    look_on(start=STOPPED + 5 * HOUR, end=STOPPED + 8 * HOUR)
    assert SourceAlarm.objects.exists()


def test_reports_that_wait_to_be_placed_are_nobodys_silence() -> None:
    service = make_service()
    make_source(service, key=make_key(), per_bin=3)
    look_on(start=STOPPED - HOUR, end=STOPPED)
    make_batch(service, at=STOPPED)

    look_on(start=STOPPED + 15 * MINUTE, end=STOPPED + 5 * HOUR)

    assert not SourceAlarm.objects.exists()


def test_what_is_usual_is_told_by_service_and_region() -> None:
    mail, chat = make_service(), make_service()
    key = make_key()
    make_source(mail, key=key, per_bin=3, regions=["DE"])
    make_source(mail, key=key, per_bin=1, regions=["FR"])
    source = make_source(chat, key=key, per_bin=1)

    watch_sources(now=NOW)

    of_mail, of_chat = (SourceProfile.objects.get(source=source, service=service) for service in (mail, chat))
    assert dict(zip(of_mail.regions, of_mail.shares, strict=True)) == {"DE": 0.75, "FR": 0.25}
    assert max(of_mail.rates_per_hour) == pytest.approx(48, rel=0.05)
    assert max(of_chat.rates_per_hour) == pytest.approx(12, rel=0.05)


def test_looking_twice_at_a_moment_changes_nothing_the_second_time() -> None:
    make_source(make_service(), key=make_key(), per_bin=3)
    look_on(start=STOPPED - HOUR, end=STOPPED + 3 * HOUR)
    before = everything_watched()

    n_changed = watch_sources(now=STOPPED + 3 * HOUR)

    assert (n_changed, everything_watched()) == (0, before)


@pytest.mark.django_db(transaction=True)
def test_of_two_watchers_at_once_one_opens_the_alarm() -> None:
    make_source(make_service(), key=make_key(), per_bin=3)
    look_on(start=STOPPED - HOUR, end=STOPPED + 30 * MINUTE)
    SourceAlarm.objects.all().delete()

    at_once([lambda: watch_sources(now=STOPPED + 55 * MINUTE)] * 4)

    assert SourceAlarm.objects.filter(until=None).count() == 1


# -- Counting ----------------------------------------------------------------------------------------------------------


def counts() -> dict[tuple[str, int | None, str], int]:
    rows = SourceCount.objects.values_list("source__channel", "source__key_id", "region", "bins")
    return {(channel, key_id, region): sum(bins) for channel, key_id, region, bins in rows}


def test_reports_are_counted_by_channel_key_and_region_when_they_are_placed() -> None:
    from reports.clustering.services import cluster_pending
    from reports.intake.contract import ReportIn
    from reports.intake.services import Origin, make_row

    service, key = a_service(), make_key()
    for channel, key_id, region in (
        (Channel.REST, key.pk, "DE"),
        (Channel.REST, key.pk, "DE"),
        (Channel.FORM, None, ""),
    ):
        report = ReportIn(service=service.slug, text="I can't log in", region=region)
        hand_in(make_row(report=report, origin=Origin(channel, key_id=key_id), now=NOW))
    assert counts() == {}

    cluster_pending(now=NOW)
    cluster_pending(now=NOW)

    assert counts() == {("rest", key.pk, "DE"): 2, ("form", None, ""): 1}


def test_each_report_falls_into_its_five_minutes() -> None:
    cluster = make_cluster(make_service())
    for minute in (0, 4, 5, 59):
        bring(cluster, 1, key=None, at=NOW + minute * MINUTE)

    assert SourceCount.objects.get().bins == [2, 1, *[0] * 9, 1]


def test_history_says_nothing_of_a_source() -> None:
    from reports.clustering.services import cluster_pending

    service = a_service()
    hand_in(a_report(service, occurred_at=NOW - timedelta(days=1)))

    cluster_pending(now=NOW)

    assert counts() == {}
    assert not Source.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_services_that_hear_of_a_source_at_once_agree_on_it() -> None:
    clusters = [make_cluster(make_service()) for _ in range(4)]
    key = make_key()

    at_once([lambda cluster=cluster: bring(cluster, 1, key=key) for cluster in clusters])  # type: ignore[misc]

    assert Source.objects.count() == 1
    assert SourceCount.objects.count() == 4
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM reports_source")
        assert cursor.fetchone()[0] == 1
