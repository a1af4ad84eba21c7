"""What staff read of a source that is silent or collects otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from reports.enums import Channel, SourceAlarmKind
from reports.triage.sources import n_source_alarms_open, source_notices
from tests.factories import NOW, make_source_alarm

pytestmark = pytest.mark.django_db
SUNDAY = datetime(2026, 3, 1, 10, 20, tzinfo=UTC)


def test_a_silent_key_is_told_with_its_hours_and_its_usual() -> None:
    make_source_alarm(key_name="shop", since=SUNDAY, observed=0, usual_per_hour=40.0)

    [notice] = source_notices(now=SUNDAY + timedelta(hours=3))

    assert notice.heading == "A source of reports is silent"
    assert notice.sentence == ("No reports from key “shop” (REST) for 3 h; usual for Sunday 10:00 UTC is 40 an hour.")
    assert notice.has_key


def test_a_silent_form_is_told_without_a_key() -> None:
    make_source_alarm(channel=Channel.FORM, since=SUNDAY, observed=1, usual_per_hour=40.0)

    [notice] = source_notices(now=SUNDAY + timedelta(minutes=50))

    assert notice.sentence.startswith("Only 1 report from the web form for 50 min; usual for")
    assert not notice.has_key


def test_a_collector_that_doubled_is_told_with_its_ratio() -> None:
    make_source_alarm(
        kind=SourceAlarmKind.COLLECTION_CHANGE, key_name="posts", observed=400, usual=200.0, ratio=2.0, minutes=15,
        n_services=15, n_regions=20,
    )  # fmt: skip

    [notice] = source_notices(now=NOW)

    assert (
        "from key “posts” (REST) rose to 2.0 times the usual, evenly in 15 services and 20 regions" in notice.sentence
    )
    assert "400 reports in 15 min; usual is 200." in notice.sentence


def test_a_collector_that_began_has_no_ratio() -> None:
    make_source_alarm(
        kind=SourceAlarmKind.COLLECTION_CHANGE, key_name="posts", observed=40, ratio=None, n_services=3, n_regions=1
    )

    [notice] = source_notices(now=NOW)

    assert "have begun, in 3 services and 1 region at once" in notice.sentence


def test_what_is_over_is_not_told() -> None:
    alarm = make_source_alarm()
    alarm.until = NOW
    alarm.save()

    assert source_notices(now=NOW) == ()
    assert set(n_source_alarms_open().values()) == {0}


def test_all_of_them_cost_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(12):
        make_source_alarm(key_name=f"key {number}")

    with django_assert_num_queries(1):
        found = source_notices(now=NOW)

    assert len(found) == 10
