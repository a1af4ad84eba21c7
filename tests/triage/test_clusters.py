"""What the pages of clusters are told."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest

from reports.enums import CorrectionKind
from reports.errors import NotFound
from reports.models import Cluster, Correction, MicroCluster, MinuteCount, Placement, Report, Service
from reports.triage.clusters import ON_A_PAGE, cluster_list, cluster_page, set_aside_page
from reports.triage.marking import marked, terms_in
from tests.factories import (
    NOW,
    count_reports,
    make_cluster,
    make_micro_cluster,
    make_report,
    make_service,
    make_user,
)

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
MAX_QUERIES = {"list": 3, "page": 15, "aside": 8}

type_of_counter = Callable[..., AbstractContextManager[object]]


def make_heard_cluster(service: Service, *texts: str, label: str = "log in fails", **fields: Any) -> Cluster:
    """Make a cluster that has got these reports, a minute apart, and counts them."""
    cluster = make_cluster(service, label=label, n_reports=max(len(texts), 1), **fields)
    for minute, text in enumerate(texts):
        at = NOW - (len(texts) - minute) * MINUTE
        report = make_report(service, text, region="DE", at=at, cluster=cluster)
        count_reports(cluster, 1, region="DE", at=at)
        cluster.typical_report_id = report.id
    cluster.save()
    return cluster


def set_aside(report: Report, p_problem: float = 0.03) -> None:
    Placement.objects.filter(pk=report.id).update(is_set_aside=True, is_counted=False, p_problem=p_problem)


def say(cluster: Cluster, kind: CorrectionKind, **fields: Any) -> Correction:
    return Correction.objects.create(
        service_id=cluster.service_id, kind=kind, cluster=cluster, actor=make_user(), at=NOW, **fields
    )


def names(service_slug: str = "", words: str = "", page: int = 1) -> list[str]:
    found = cluster_list(service_slug=service_slug, words=words, page=page, now=NOW)
    return [cluster.name for cluster in found.clusters]


def test_the_latest_cluster_stands_first_and_what_was_merged_away_or_is_empty_nowhere() -> None:
    service = make_service()
    heir = make_cluster(service, label="older", at=NOW - MINUTE, n_reports=1)
    make_cluster(service, label="newer", n_reports=1)
    make_cluster(service, label="gone", n_reports=0, merged_into=heir)
    make_cluster(service, label="empty", n_reports=0)

    assert names() == ["newer", "older"]


def test_clusters_are_told_by_service_and_by_word() -> None:
    mail, shop = make_service("mail"), make_service("shop")
    make_cluster(mail, label="log in fails", n_reports=1)
    make_cluster(mail, label="x", given_name="Parcel 100%", n_reports=1)
    make_cluster(shop, label="parcel late", n_reports=1)

    assert set(names("mail")) == {"log in fails", "Parcel 100%"}
    assert set(names(words="PARCEL")) == {"Parcel 100%", "parcel late"}
    assert names(words="late parcel") == ["parcel late"]
    assert names(words="100%") == ["Parcel 100%"]
    assert names(words="100_") == []
    assert names(words="\x00") != []


def test_a_service_that_is_not_there_is_told() -> None:
    with pytest.raises(NotFound, match="no service 'nowhere'"):
        cluster_list(service_slug="nowhere", now=NOW)
    with pytest.raises(NotFound, match="no service 'nowhere'"):
        set_aside_page(service_slug="nowhere", now=NOW)


def test_a_long_list_goes_page_by_page() -> None:
    service = make_service()
    for number in range(ON_A_PAGE + 1):
        make_cluster(service, label=f"cluster {number}", at=NOW - number * MINUTE, n_reports=1)

    first, last = cluster_list(now=NOW), cluster_list(page=2, now=NOW)

    assert (len(first.clusters), first.next_page) == (ON_A_PAGE, 2)
    assert ([cluster.name for cluster in last.clusters], last.next_page) == ([f"cluster {ON_A_PAGE}"], None)


def test_a_page_says_what_a_cluster_is_about() -> None:
    cluster = make_heard_cluster(
        make_service("mail", name="Mail"), "can't log in", "log in fails again", term_shares=[1.0, 1.0, 0.5],
        languages=["en", "de", "xx"], regions=["DE-BY", "FR"], cohesion=0.61,
    )  # fmt: skip

    page = cluster_page(cluster_id=cluster.pk, now=NOW)

    assert (page.cluster.service_name, page.cluster.name) == ("Mail", "log in fails")
    assert page.cluster.typical_text == "log in fails again"
    assert page.cluster.language_names == "English, German, xx"
    assert page.cluster.where == "Germany (Bayern) and France"
    assert [(term.term, term.percent) for term in page.terms] == [("log", 100), ("in", 100), ("fails", 50)]
    assert page.cohesion == 0.61
    assert sum(point.observed for point in page.chart.points) == 2


def test_terms_without_shares_are_shown_all_the_same() -> None:
    cluster = make_cluster(make_service(), label="log in fails", term_shares=[0.9])

    page = cluster_page(cluster_id=cluster.pk, now=NOW)

    assert [term.percent for term in page.terms] == [90, None, None]


def test_reports_stand_newest_first_with_what_holds_them_together() -> None:
    cluster = make_heard_cluster(make_service(), "I can't LOG in", "it fails", label="log fails")

    page = cluster_page(cluster_id=cluster.pk, now=NOW)

    assert [heard.report.text for heard in page.reports] == ["it fails", "I can't LOG in"]
    assert [heard.terms_held for heard in page.reports] == [("fails",), ("log",)]
    assert [part.text for part in page.reports[1].parts if part.is_term] == ["LOG"]
    assert page.reports[0].similarity == 0.9


def test_wordings_stand_with_their_most_typical_text() -> None:
    service = make_service()
    cluster = make_heard_cluster(service, "can't log in", "so, well, hello")
    small = make_micro_cluster(cluster)
    MicroCluster.objects.filter(pk=small.pk).update(country="DE", guard="502", pinned_to=cluster, n_reports=1)
    MicroCluster.objects.exclude(pk=small.pk).update(n_reports=2)
    newest = Placement.objects.order_by("-report_id")[0]
    Placement.objects.filter(pk=newest.pk).update(similarity=0.2)

    first, second = cluster_page(cluster_id=cluster.pk, now=NOW).wordings

    assert (first.n_reports, first.typical_text, first.is_pinned) == (2, "can't log in", False)
    assert (second.country_name, second.guard, second.is_pinned, second.typical_text) == ("Germany", "502", True, "")


def test_likely_clusters_to_merge_into_stand_first() -> None:
    service = make_service()
    like = make_cluster(service, label="white page", n_reports=1, at=NOW - 9 * MINUTE)
    cluster = make_cluster(service, label="log in", resembles=like, n_reports=1)
    make_cluster(service, label="parcel", n_reports=1)
    make_cluster(service, label="in log", n_reports=1, at=NOW - MINUTE)
    make_cluster(make_service(), label="stranger", n_reports=1)

    page = cluster_page(cluster_id=cluster.pk, now=NOW)

    assert [other.name for other in page.others] == ["white page", "in log", "parcel"]
    assert page.resembles is not None
    assert page.resembles.id == like.pk


def test_the_log_tells_what_was_said_of_a_cluster_and_of_what_it_took_in() -> None:
    service = make_service()
    heir = make_cluster(service, label="heir")
    gone = make_cluster(service, label="gone", merged_into=heir)
    say(gone, CorrectionKind.RENAME, text="Old name", applied_at=NOW)
    say(gone, CorrectionKind.MERGE, into=heir, applied_at=NOW)
    say(heir, CorrectionKind.SPLIT, micro_cluster_ids=[1, 2], applied_at=NOW, refusal="None is there.")
    say(make_cluster(service), CorrectionKind.RENAME, text="Another's")
    say(heir, CorrectionKind.RENAME, text="waits")

    page = cluster_page(cluster_id=heir.pk, now=NOW)

    assert [row.kind.value for row in page.corrections] == ["rename", "split", "merge", "rename"]
    assert [row.n for row in page.corrections] == [0, 2, 0, 0]
    assert page.corrections[1].refusal == "None is there."
    assert page.n_waiting == 1


def test_reports_of_which_something_was_said_are_marked_while_it_waits() -> None:
    cluster = make_heard_cluster(make_service(), "one", "two")
    report = Report.objects.get(text="two")
    say(cluster, CorrectionKind.SCREEN, report_ids=[report.id], is_problem=False)

    page = cluster_page(cluster_id=cluster.pk, now=NOW)

    assert [heard.is_waiting for heard in page.reports] == [True, False]


def test_a_cluster_that_was_merged_away_leads_to_its_heir() -> None:
    service = make_service()
    heir = make_cluster(service)
    gone = make_cluster(service, merged_into=make_cluster(service, merged_into=heir))

    assert cluster_page(cluster_id=gone.pk, now=NOW).cluster.id == heir.pk


@pytest.mark.parametrize("cluster_id", [0, 999, 10**30])
def test_a_cluster_that_is_not_there_is_told(cluster_id: int) -> None:
    with pytest.raises(NotFound, match=f"no cluster {cluster_id}"):
        cluster_page(cluster_id=cluster_id, now=NOW)


def test_the_chart_of_a_cluster_of_long_ago_ends_with_it() -> None:
    cluster = make_cluster(make_service(), at=NOW - timedelta(days=9), n_reports=4)
    count_reports(cluster, 4, at=NOW - timedelta(days=9))

    page = cluster_page(cluster_id=cluster.pk, now=NOW)

    assert sum(point.observed for point in page.chart.points) == 4


def test_what_was_set_aside_is_told_by_service() -> None:
    mail, shop = make_service("mail"), make_service("shop")
    love = make_heard_cluster(mail, "I love it", "the app is fire", "log in fails", label="love")
    for text in ("I love it", "the app is fire"):
        set_aside(Report.objects.get(text=text))
    set_aside(make_report(shop, "what a day", at=NOW - timedelta(hours=1), cluster=make_cluster(shop)))
    set_aside(make_report(shop, "long ago", at=NOW - timedelta(days=8), cluster=make_cluster(shop)))

    latest, other = set_aside_page(now=NOW), set_aside_page(service_slug="shop", now=NOW)

    assert [(service.slug, service.n) for service in latest.services] == [("mail", 2), ("shop", 1)]
    assert latest.service_slug == "mail"
    assert [heard.report.text for heard in latest.reports] == ["the app is fire", "I love it"]
    assert latest.reports[0].percent_problem == 3
    assert latest.reports[0].cluster is not None
    assert latest.reports[0].cluster.id == love.pk
    assert [heard.report.text for heard in other.reports] == ["what a day"]


def test_set_aside_reports_are_counted_on_the_page_of_their_cluster() -> None:
    cluster = make_heard_cluster(make_service(), "I love it", "log in fails")
    MinuteCount.objects.filter(minute=NOW - MINUTE).update(n_counted=0, n_set_aside=1)

    assert cluster_page(cluster_id=cluster.pk, now=NOW).n_set_aside == 1


@pytest.mark.parametrize("n", [1, 6])
def test_pages_ask_few_questions_however_much_there_is(django_assert_max_num_queries: type_of_counter, n: int) -> None:
    for _ in range(n):
        service = make_service()
        for _ in range(n):
            cluster = make_heard_cluster(service, *["log in fails"] * n)
            make_micro_cluster(cluster)
            set_aside(make_report(service, "love it", cluster=cluster))
            say(cluster, CorrectionKind.MERGE, into=make_cluster(service))

    with django_assert_max_num_queries(MAX_QUERIES["list"]):
        cluster_list(now=NOW)
    with django_assert_max_num_queries(MAX_QUERIES["page"]):
        cluster_page(cluster_id=cluster.pk, now=NOW)
    with django_assert_max_num_queries(MAX_QUERIES["aside"]):
        set_aside_page(now=NOW)


@pytest.mark.parametrize(
    ("text", "terms", "expected"),
    [
        ("Error: 502, again", ["error 502"], ["Error: 502"]),
        ("the errors 502", ["error"], []),
        ("Das Café schließt", ["cafe", "schliesst"], ["Café", "schließt"]),
        ("登录失败了", ["失败"], ["失败"]),
        ("log in, log in", ["log in", "log"], ["log in", "log in"]),
        ("a+b (x)", ["(", "a+b"], ["a+b"]),
        ("", ["x"], []),
    ],
)
def test_terms_are_found_as_people_write_them(text: str, terms: list[str], expected: list[str]) -> None:
    parts = marked(text, terms)

    assert [part.text for part in parts if part.is_term] == expected
    assert "".join(part.text for part in parts) == text
    assert bool(terms_in(text, terms)) == bool(expected)
