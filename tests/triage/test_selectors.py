"""What the dashboard and an outage's page are told."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from reports.enums import EventKind, OutageState, Role
from reports.errors import NotFound
from reports.models import ClusteringState, Service
from reports.triage.rows import PlaceRow
from reports.triage.selectors import dashboard, dashboard_version, outage_page
from tests.factories import (
    NOW,
    add_event,
    count_reports,
    make_batch,
    make_cluster,
    make_level,
    make_outage,
    make_profile,
    make_report,
    make_service,
    make_source_alarm,
    make_user,
)

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
MAX_QUERIES = 21

type_of_counter = Callable[..., AbstractContextManager[object]]


def make_busy_service(slug: str = "") -> Service:
    """Make a service with an open outage of everything a page can show."""
    service = make_service(slug)
    make_profile(service, rate_per_hour=12)
    make_level(service)
    make_level(service, "DE", share=0.5)
    cluster = make_cluster(service)
    for region, n in (("DE-BY", 4), ("DE", 2), ("FR", 1), ("", 1)):
        count_reports(cluster, n, region=region, at=NOW - MINUTE, minutes=8)
    report = make_report(service, "The page stays white", region="DE-BY", at=NOW - 2 * MINUTE, cluster=cluster)
    cluster.typical_report_id = report.id
    cluster.save()
    make_outage(service)
    return service


def test_what_waits_for_a_decision_stands_first_and_what_recovers_last() -> None:
    for slug, state, by_person in (
        ("recovering", OutageState.RECOVERING, False),
        ("known", OutageState.CONFIRMED, True),
        ("sure", OutageState.CONFIRMED, False),
        ("new", OutageState.SUSPECTED, False),
    ):
        make_outage(make_service(slug), state=state, is_confirmed_by_person=by_person)

    found = dashboard(now=NOW)

    assert {row.service_slug for row in found.open[:2]} == {"sure", "new"}
    assert [row.service_slug for row in found.open[2:]] == ["known", "recovering"]


def test_what_is_closed_stands_apart() -> None:
    make_outage(make_service("over"), state=OutageState.RESOLVED)

    found = dashboard(now=NOW)

    assert found.open == ()
    assert [(row.service_slug, row.is_open) for row in found.closed] == [("over", False)]


def test_an_outage_comes_with_its_evidence_chart_and_clusters() -> None:
    make_busy_service()

    [row] = dashboard(now=NOW).open

    assert row.evidence.startswith("41 reports in 5 min; usual is 2; by chance less than once in 1,000 years")
    assert row.where == "everywhere"
    assert row.chart is not None
    assert sum(point.observed for point in row.chart.points) == 8 * 8
    assert [(cluster.label, cluster.n_reports) for cluster in row.clusters] == [("log in fails", 8 * 8)]
    assert row.clusters[0].typical_text == "The page stays white"


def test_a_place_that_nobody_knows_yet_is_said_to_be_unknown() -> None:
    make_outage(make_service(), is_located=False)

    [row] = dashboard(now=NOW).open

    assert row.where == "too early to say where"


@pytest.mark.parametrize(
    ("age", "lead"),
    [
        (timedelta(minutes=8), timedelta(minutes=20)),
        (timedelta(minutes=40), timedelta(hours=1)),
        (timedelta(hours=5), timedelta(hours=2)),
    ],
)
def test_a_chart_shows_more_of_the_usual_the_older_the_outage_and_ends_now(age: timedelta, lead: timedelta) -> None:
    make_outage(make_service(), started_at=NOW - age)

    [row] = dashboard(now=NOW).open

    assert row.chart is not None
    assert lead <= row.started_at - row.chart.points[0].at < lead + timedelta(hours=1)
    assert NOW - row.chart.points[-1].at <= row.chart.bin_minutes * MINUTE


def test_a_chart_of_many_days_has_no_more_bars_than_a_screen_can_show() -> None:
    make_outage(make_service(), started_at=NOW - timedelta(days=30))

    [row] = dashboard(now=NOW).open

    assert row.chart is not None
    assert len(row.chart.points) <= 301


def test_the_usual_follows_the_service_and_the_share_of_the_place() -> None:
    service = make_busy_service()
    page = outage_page(outage_id=service.outages.get().pk, now=NOW)

    whole = page.outage.chart
    germany = next(place for place in page.countries if place.code == "DE")

    assert whole is not None
    assert whole.points[0].expected == pytest.approx(12 / 60 * whole.bin_minutes)
    assert germany.expected == pytest.approx(12 / 60 * 11 * 0.5)


def test_a_country_counts_its_subdivisions_and_what_has_no_place_is_told_apart() -> None:
    service = make_busy_service()

    page = outage_page(outage_id=service.outages.get().pk, now=NOW)

    assert [(place.code, place.n_reports) for place in page.countries] == [("DE", 48), ("FR", 8)]
    assert [(place.code, place.n_reports) for place in page.subdivisions] == [("DE-BY", 32)]
    assert page.n_unplaced == 8


def test_an_outage_in_a_region_shows_only_what_came_from_there() -> None:
    service = make_service()
    cluster = make_cluster(service)
    count_reports(cluster, 3, region="DE-BY", at=NOW - MINUTE)
    count_reports(cluster, 5, region="FR", at=NOW - MINUTE)
    make_report(service, "from there", region="DE-BY", at=NOW - MINUTE, cluster=cluster)
    make_report(service, "from elsewhere", region="FR", at=NOW - MINUTE, cluster=cluster)
    outage = make_outage(service, scope_region="DE", regions=["DE-BY"])

    page = outage_page(outage_id=outage.pk, now=NOW)

    assert [(place.code, place.n_reports) for place in page.countries] == [("DE", 3)]
    assert [report.text for report in page.reports] == ["from there"]
    assert page.outage.where == "Bayern, Germany"


def test_an_outage_of_a_merged_cluster_follows_the_merge() -> None:
    service = make_service()
    kept, merged, other = (make_cluster(service, label=label) for label in ("kept", "merged", "other"))
    merged.merged_into = kept
    merged.save()
    count_reports(kept, 3, at=NOW - MINUTE)
    count_reports(other, 5, at=NOW - MINUTE)
    outage = make_outage(service, cluster=merged)

    page = outage_page(outage_id=outage.pk, now=NOW)

    assert [(cluster.label, cluster.n_reports) for cluster in page.outage.clusters] == [("kept", 3)]
    assert page.outage.chart is not None
    assert sum(point.observed for point in page.outage.chart.points) == 3


def test_where_nothing_is_learnt_the_usual_is_what_the_detector_took() -> None:
    outage = make_outage(make_service(), expected=10.0, window_minutes=5)

    page = outage_page(outage_id=outage.pk, now=NOW)

    assert page.outage.chart is not None
    assert page.outage.chart.points[0].expected == pytest.approx(2.0 * page.outage.chart.bin_minutes)


@pytest.mark.parametrize("state", [OutageState.CONFIRMED, OutageState.RECOVERING, OutageState.RESOLVED])
def test_the_sentence_says_from_how_many_regions_and_for_which_hour(state: OutageState) -> None:
    outage = make_outage(make_service(), state=state, peak_n_regions=3, peak_at=NOW - timedelta(hours=2))

    sentence = outage_page(outage_id=outage.pk, now=NOW).outage.evidence

    assert "41 reports in 5 min from 3 regions; usual for Wednesday 10:00 is 2; by chance" in sentence


def test_the_hour_is_that_of_the_services_clocks() -> None:
    outage = make_outage(make_service(time_zone="Asia/Kolkata"), peak_n_regions=1, peak_at=NOW)

    page = outage_page(outage_id=outage.pk, now=NOW)

    assert "usual for Wednesday 17:00 is 2" in page.outage.evidence
    assert "usual for Wednesday 17:00 is 2" in page.events[0].evidence


def test_what_recovers_shows_the_evidence_at_its_clearest() -> None:
    outage = make_outage(make_service(), state=OutageState.RECOVERING)
    outage.observed, outage.p_value = 1, 0.5
    outage.save()

    [row] = dashboard(now=NOW).open

    assert row.evidence.startswith("At its clearest: 41 reports in 5 min")


def test_a_state_counts_from_its_first_event_in_a_row() -> None:
    outage = make_outage(make_service(), state=OutageState.CONFIRMED)
    add_event(outage, EventKind.CONFIRMED, at=NOW - 5 * MINUTE)
    add_event(outage, EventKind.CONFIRMED, at=NOW - MINUTE, actor=make_user(), body={"by_person": True})

    [row] = dashboard(now=NOW).open

    assert row.since == NOW - 5 * MINUTE


def test_a_timeline_tells_people_and_detector_apart() -> None:
    outage = make_outage(make_service(), regions=["DE"], scope_region="DE")
    add_event(outage, EventKind.NOTED, actor=make_user(username="ada"), body={"text": "Looking"})

    events = outage_page(outage_id=outage.pk, now=NOW).events

    assert [(event.kind, event.actor, event.text) for event in events] == [
        (EventKind.NOTED, "ada", "Looking"),
        (EventKind.SUSPECTED, "", ""),
    ]
    assert events[1].evidence.startswith("41 reports")
    assert events[1].regions == "Germany"


def test_services_are_told_with_their_last_hour_and_its_usual() -> None:
    make_busy_service("mail")
    make_service("new")

    services = {pulse.slug: pulse for pulse in dashboard(now=NOW).services}

    assert (services["mail"].n_last_hour, services["mail"].n_open) == (64, 1)
    assert services["mail"].expected_last_hour == pytest.approx(12)
    assert (services["new"].n_last_hour, services["new"].expected_last_hour) == (0, None)


@pytest.mark.parametrize(("seconds", "is_late"), [(29, False), (31, True)])
def test_data_older_than_promised_is_told(seconds: int, is_late: bool) -> None:
    make_batch(make_service(), at=NOW - timedelta(seconds=seconds))

    lag = dashboard(now=NOW).lag

    assert lag.clustering_seconds == seconds
    assert lag.is_late is is_late


def test_a_detector_that_stopped_is_told() -> None:
    make_outage(make_service(), evaluated_at=NOW - timedelta(seconds=90))

    assert dashboard(now=NOW).lag.is_late


def test_an_outage_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match="4711"):
        outage_page(outage_id=4711, now=NOW)


def test_the_page_offers_those_who_may_act() -> None:
    make_user(Role.VIEWER, username="viewer")
    make_user(None, username="nobody")
    make_user(Role.RESPONDER, username="ada", is_active=False)
    make_user(Role.RESPONDER, username="grace")
    outage = make_outage(make_service())

    assert [staff.username for staff in outage_page(outage_id=outage.pk, now=NOW).responders] == ["grace"]


def test_the_dashboards_queries_do_not_grow(django_assert_max_num_queries: type_of_counter) -> None:
    for number in range(6):
        make_busy_service()
        make_source_alarm(key_name=f"key {number}")

    with django_assert_max_num_queries(MAX_QUERIES):
        found = dashboard(now=NOW)

    assert len(found.open) == len(found.notices) == 6


def test_an_outages_queries_do_not_grow(django_assert_max_num_queries: type_of_counter) -> None:
    service = make_busy_service()
    outage = service.outages.get()
    for number in range(20):
        cluster = make_cluster(service, label=f"cluster {number}")
        count_reports(cluster, 1, region="FR-75C", at=NOW - MINUTE)
        make_report(service, at=NOW - MINUTE, cluster=cluster)
        add_event(outage, EventKind.NOTED, actor=make_user(), body={"text": str(number)})

    with django_assert_max_num_queries(MAX_QUERIES):
        page = outage_page(outage_id=outage.pk, now=NOW)

    assert len(page.outage.clusters) == 10


def test_the_version_moves_with_events_looks_placements_and_lag(django_assert_num_queries: type_of_counter) -> None:
    service = make_service()
    outage = make_outage(service)
    versions = [dashboard_version(now=NOW)]

    add_event(outage, EventKind.NOTED, body={"text": "x"})
    versions.append(dashboard_version(now=NOW))
    outage.evaluated_at = NOW + MINUTE
    outage.save()
    versions.append(dashboard_version(now=NOW))
    ClusteringState.objects.create(service=service, encoder="test", generation=1, mean_sum=b"")
    versions.append(dashboard_version(now=NOW))
    alarm = make_source_alarm()
    versions.append(dashboard_version(now=NOW))
    alarm.until = NOW
    alarm.save()
    versions.append(dashboard_version(now=NOW))
    make_batch(service, at=NOW - timedelta(minutes=5))
    with django_assert_num_queries(1):
        versions.append(dashboard_version(now=NOW))

    assert len(set(versions)) == len(versions)


def test_the_version_rests_while_nothing_happens() -> None:
    make_outage(make_service())

    assert dashboard_version(now=NOW) == dashboard_version(now=NOW + MINUTE)


def test_more_than_usual_is_never_less_than_none() -> None:
    assert PlaceRow("DE", 3, 5.0).excess == 0
    assert PlaceRow("DE", 3, None).excess == 3
