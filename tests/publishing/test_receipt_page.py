"""How a reporter sees their own report go on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from reports.enums import OutageState
from reports.intake.receipts import receipt_token
from reports.models import Cluster, Outage, Report, ReportContact, Service
from reports.publishing.selectors import ReceiptPage, receipt_page
from tests.factories import NOW, make_cluster, make_outage, make_report, make_service

pytestmark = pytest.mark.django_db

CONFIRMED: dict[str, Any] = {"state": OutageState.CONFIRMED, "is_confirmed_by_person": True}


@pytest.fixture
def service() -> Service:
    return make_service("mail", name="Mail")


def page_of(report: Report) -> ReceiptPage:
    return receipt_page(receipt_token(report.id), now=NOW)


def also_reported(cluster: Cluster, n_reporters: int, *, at: Any = NOW) -> None:
    for number in range(n_reporters):
        make_report(cluster.service, reporter=f"other {number:10}".encode(), cluster=cluster, at=at)


def test_a_new_report_is_not_grouped_yet(service: Service) -> None:
    page = page_of(make_report(service, "no mail", region="DE-BY"))

    assert not page.is_grouped
    assert (page.n_similar, page.outage) == (None, None)
    assert (page.service_name, page.text, page.region_name) == ("Mail", "no mail", "Bayern, Germany")


def test_others_are_counted_without_oneself(service: Service) -> None:
    cluster = make_cluster(service)
    report = make_report(service, cluster=cluster, reporter=b"myself".ljust(16))
    make_report(service, cluster=cluster, reporter=b"myself".ljust(16), at=NOW - timedelta(hours=2))
    also_reported(cluster, 12)

    page = page_of(report)

    assert page.is_grouped
    assert page.n_similar == 12


def test_few_others_are_not_told(service: Service) -> None:
    cluster = make_cluster(service)
    report = make_report(service, cluster=cluster)
    also_reported(cluster, 9)

    assert page_of(report).n_similar is None


def test_reports_of_another_day_are_not_similar_ones_of_now(service: Service) -> None:
    cluster = make_cluster(service)
    report = make_report(service, cluster=cluster)
    also_reported(cluster, 12, at=NOW - timedelta(hours=25))

    assert page_of(report).n_similar is None


def test_an_outage_of_the_whole_service_is_the_reports_own(service: Service) -> None:
    make_outage(service, **CONFIRMED)

    outage = page_of(make_report(service)).outage

    assert outage is not None
    assert outage.state_label == "Outage"


def test_an_outage_nobody_has_confirmed_is_not_shown(service: Service) -> None:
    make_outage(service, state=OutageState.CONFIRMED)

    assert page_of(make_report(service)).outage is None


def test_an_outage_elsewhere_is_not_the_reports_own(service: Service) -> None:
    make_outage(service, scope_region="DE", **CONFIRMED)

    assert page_of(make_report(service, region="AT-9")).outage is None
    assert page_of(make_report(service, region="DE-BY")).outage is not None


def test_receipts_tell_no_place_that_the_status_page_does_not(service: Service) -> None:
    few = make_outage(service, scope_region="DE-BY", **CONFIRMED)
    Outage.objects.filter(pk=few.pk).update(reporters_by_place={"DE": 12, "DE-BY": 9})

    told = [page_of(make_report(service, region=region)).outage for region in ("DE-BY", "DE-HE", "FR")]

    assert [outage is not None for outage in told] == [True, True, False]
    assert {outage.where for outage in told if outage is not None} == {"Germany"}


def test_an_outage_of_another_cluster_is_not_the_reports_own(service: Service) -> None:
    make_outage(service, cluster=make_cluster(service), **CONFIRMED)

    assert page_of(make_report(service, cluster=make_cluster(service))).outage is None


def test_an_outage_whose_cluster_was_merged_is_still_found(service: Service) -> None:
    heir = make_cluster(service)
    make_outage(service, cluster=make_cluster(service, merged_into=heir), **CONFIRMED)

    assert page_of(make_report(service, cluster=heir)).outage is not None


def test_an_outage_that_was_over_before_is_not_the_reports_own(service: Service) -> None:
    make_outage(
        service,
        state=OutageState.RESOLVED,
        is_confirmed_by_person=True,
        started_at=NOW - timedelta(hours=5),
        now=NOW - timedelta(hours=4),
    )

    assert page_of(make_report(service)).outage is None


def test_an_outage_that_began_long_after_is_not_the_reports_own(service: Service) -> None:
    make_outage(service, started_at=NOW, **CONFIRMED)

    assert page_of(make_report(service, at=NOW - timedelta(hours=2))).outage is None


def test_a_resolved_outage_says_when(service: Service) -> None:
    make_outage(service, state=OutageState.RESOLVED, is_confirmed_by_person=True)

    outage = page_of(make_report(service, at=NOW - timedelta(minutes=5))).outage

    assert outage is not None
    assert outage.resolved_at == NOW


def test_the_page_knows_that_there_is_a_contact_but_not_which(service: Service) -> None:
    report = make_report(service)
    ReportContact.objects.create(report_id=report.id, address="me@example.org", created_at=NOW)

    page = page_of(report)

    assert page.has_contact
    assert "me@example.org" not in repr(page)


def test_a_receipt_costs_at_most_five_queries(service: Service, django_assert_max_num_queries: Any) -> None:
    cluster = make_cluster(service)
    report = make_report(service, cluster=cluster)
    also_reported(cluster, 12)
    make_outage(service, cluster=make_cluster(service, merged_into=cluster), **CONFIRMED)

    with django_assert_max_num_queries(5):
        page_of(report)
