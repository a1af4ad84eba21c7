"""The pages of clusters and of what was set aside, as HTML, and what people say there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from reports.enums import CorrectionKind, Role
from reports.models import Cluster, Correction, MinuteCount, Placement, Report
from tests.factories import (
    count_reports,
    first_micro_cluster,
    make_cluster,
    make_micro_cluster,
    make_outage,
    make_report,
    make_service,
    make_user,
)

pytestmark = pytest.mark.django_db

HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>'


@pytest.fixture
def responder() -> Client:
    return client_of(Role.RESPONDER)


def client_of(role: Role) -> Client:
    client = Client()
    client.force_login(make_user(role))
    return client


def make_heard_cluster(text: str = "I can't log in", *, label: str = "log in fails") -> Cluster:
    """Make a cluster of two wordings and one report of just now."""
    now = timezone.now() - timedelta(minutes=2)
    service = make_service("mail", name="Mail")
    cluster = make_cluster(service, label=label, at=now, n_reports=2, term_shares=[0.5, 0.5, 0.25], cohesion=0.61)
    report = make_report(service, text, region="DE", at=now, cluster=cluster)
    count_reports(cluster, 1, region="DE", at=now)
    make_micro_cluster(cluster, at=now)
    cluster.typical_report_id = report.id
    cluster.save()
    return cluster


def only_report() -> str:
    return str(Report.objects.get().id)


def test_the_list_leads_to_the_clusters(responder: Client) -> None:
    cluster = make_heard_cluster()

    page = responder.get("/dashboard/clusters").text

    assert f'href="/dashboard/clusters/{cluster.pk}"' in page
    for words in ("log in fails", "I can&#x27;t log in", "2 reports", "Mail"):
        assert words in page


def test_the_list_says_when_nothing_is_found_and_when_there_is_nothing(responder: Client) -> None:
    assert "None yet" in responder.get("/dashboard/clusters").text

    make_heard_cluster()

    assert "No cluster of that kind" in responder.get("/dashboard/clusters?q=parcel&page=x").text
    assert responder.get("/dashboard/clusters?service=nowhere").status_code == 404


def test_a_page_tells_why_reports_are_together(responder: Client) -> None:
    cluster = make_heard_cluster()

    page = responder.get(f"/dashboard/clusters/{cluster.pk}").text

    for words in (
        "Why are these together?",
        '<span class="n">50 %</span> <mark><bdi>log</bdi>',
        "<strong>0.61</strong> alike on average",
        "I can&#x27;t <mark>log</mark> <mark>in</mark>",
        "0.90 like its wording",
        "2 of 3 words",
        "Germany",
    ):
        assert words in page


def test_what_reporters_and_people_wrote_stays_text(responder: Client) -> None:
    cluster = make_heard_cluster(HOSTILE, label=f"script {HOSTILE}"[:200])
    cluster.terms = ["script", "<img"]
    cluster.given_name = HOSTILE[:80]
    cluster.save()
    Placement.objects.update(is_set_aside=True)
    Correction.objects.create(
        service=cluster.service, kind=CorrectionKind.RENAME, cluster=cluster, text=HOSTILE, actor=make_user(),
        at=timezone.now(), refusal=HOSTILE, applied_at=timezone.now(),
    )  # fmt: skip

    pages = [
        responder.get(path).text
        for path in ("/dashboard/clusters", f"/dashboard/clusters/{cluster.pk}", "/dashboard/set-aside")
    ]

    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page
    assert "&lt;<mark>script</mark>&gt;alert" in pages[1]


def test_a_page_of_a_cluster_that_was_merged_away_leads_to_its_heir(responder: Client) -> None:
    cluster = make_heard_cluster()
    gone = make_cluster(cluster.service, merged_into=cluster)

    response = responder.get(f"/dashboard/clusters/{gone.pk}")

    assert (response.status_code, response.headers["Location"]) == (302, f"/dashboard/clusters/{cluster.pk}")


def test_a_script_gets_the_changing_part_alone(responder: Client) -> None:
    cluster = make_heard_cluster()

    for path in (f"/dashboard/clusters/{cluster.pk}", "/dashboard/set-aside"):
        fragment = responder.get(path, headers={"HX-Request": "true"}).text
        assert '<div id="live"' in fragment
        assert "<html" not in fragment


def test_merging_is_said_and_being_carried_out(responder: Client) -> None:
    cluster = make_heard_cluster()
    other = make_cluster(cluster.service, label="login loop", n_reports=1)
    path = f"/dashboard/clusters/{cluster.pk}"
    assert f'<option value="{other.pk}: login loop">' in responder.get(path).text

    response = responder.post(f"{path}/merge", {"into": f"{other.pk}: login loop"}, follow=True)

    assert response.redirect_chain == [(path, 302)]
    assert "Said. It is being carried out." in response.text
    assert "1 correction is being carried out" in response.text
    assert Correction.objects.get().into == other


def test_a_second_click_is_told(responder: Client) -> None:
    cluster = make_heard_cluster()
    other = make_cluster(cluster.service)
    path = f"/dashboard/clusters/{cluster.pk}/merge"
    responder.post(path, {"into": str(other.pk)})

    response = responder.post(path, {"into": str(other.pk)}, follow=True)

    assert "That had been said already." in response.text
    assert Correction.objects.count() == 1


@pytest.mark.parametrize("into", ["", "login loop", "-1", "9" * 30])
def test_what_is_no_cluster_is_told(responder: Client, into: str) -> None:
    cluster = make_heard_cluster()

    response = responder.post(f"/dashboard/clusters/{cluster.pk}/merge", {"into": into}, follow=True)

    assert "No cluster is chosen." in response.text
    assert not Correction.objects.exists()


def test_a_cluster_is_renamed_at_once(responder: Client) -> None:
    cluster = make_heard_cluster()

    response = responder.post(f"/dashboard/clusters/{cluster.pk}/rename", {"name": "Login loop"}, follow=True)

    assert "Renamed." in response.text
    assert "<bdi>Login loop</bdi></h1>" in response.text
    assert "named by a person" in response.text
    assert "Named it <bdi>Login loop</bdi>" in response.text


def test_wordings_are_split_off(responder: Client) -> None:
    cluster = make_heard_cluster()
    wording = first_micro_cluster(cluster)

    responder.post(f"/dashboard/clusters/{cluster.pk}/split", {"wording": [wording.pk]})

    assert Correction.objects.get().micro_cluster_ids == [wording.pk]


def test_reports_are_moved_where_the_button_says(responder: Client) -> None:
    cluster = make_heard_cluster()
    other = make_cluster(cluster.service)
    path = f"/dashboard/clusters/{cluster.pk}/reports"

    responder.post(path, {"report": only_report(), "into": f"#{other.pk}", "do": "move"})
    responder.post(path, {"report": only_report(), "into": f"#{other.pk}", "do": "move-new"})

    assert list(Correction.objects.order_by("pk").values_list("into_id", flat=True)) == [other.pk, None]


@pytest.mark.parametrize(("do", "is_problem"), [("problem", True), ("no-problem", False)])
def test_reports_are_screened_as_the_button_says(responder: Client, do: str, is_problem: bool) -> None:
    cluster = make_heard_cluster()

    responder.post(f"/dashboard/clusters/{cluster.pk}/reports", {"report": only_report(), "do": do})

    assert Correction.objects.get().is_problem is is_problem


@pytest.mark.parametrize(
    ("word", "form", "message"),
    [
        ("split", {"wording": "x"}, "is no wording"),
        ("split", {}, "No wording is chosen"),
        ("reports", {"do": "move-new"}, "No report is chosen"),
        ("reports", {"do": "garbage"}, "is nothing one can do"),
        ("reports", {}, "is nothing one can do"),
        ("reports", {"do": "problem", "report": "x"}, "is no report"),
        ("rename", {"name": "x" * 81}, "81 characters"),
    ],
)
def test_what_does_not_fit_is_told(responder: Client, word: str, form: dict[str, str], message: str) -> None:
    cluster = make_heard_cluster()

    response = responder.post(f"/dashboard/clusters/{cluster.pk}/{word}", form, follow=True)

    assert message in response.text
    assert not Correction.objects.exists()


def test_what_was_set_aside_is_shown_and_corrected(responder: Client) -> None:
    make_heard_cluster("what a power move")
    Placement.objects.update(is_set_aside=True, is_counted=False, p_problem=0.031)
    page = responder.get("/dashboard/set-aside").text
    for words in ("what a power move", "problem report: 3 %", "log in fails"):
        assert words in page

    response = responder.post(
        "/dashboard/set-aside/say", {"report": only_report(), "do": "problem", "service": "mail"}, follow=True
    )

    assert response.redirect_chain == [("/dashboard/set-aside?service=mail", 302)]
    assert "What you said of 1 report is being carried out" in response.text
    assert Correction.objects.get().is_problem


def test_nothing_set_aside_is_said_so(responder: Client) -> None:
    make_service()

    assert "Nothing was set aside" in responder.get("/dashboard/set-aside").text


def test_a_viewer_sees_everything_and_is_offered_nothing() -> None:
    cluster = make_heard_cluster()
    Placement.objects.update(is_set_aside=True)
    viewer = client_of(Role.VIEWER)

    pages = [viewer.get(path).text for path in (f"/dashboard/clusters/{cluster.pk}", "/dashboard/set-aside")]

    for page in pages:
        assert "I can&#x27;t" in page
        assert "<input" not in page.partition('id="live"')[2]
        assert "<button" not in page.partition('id="live"')[2]


@pytest.mark.parametrize(
    "path", ["clusters/{}/merge", "clusters/{}/split", "clusters/{}/rename", "clusters/{}/reports", "set-aside/say"]
)
def test_a_viewer_who_acts_all_the_same_is_refused(path: str) -> None:
    cluster = make_heard_cluster()
    form = {"into": "1", "wording": "1", "report": only_report(), "do": "problem", "name": "x"}

    response = client_of(Role.VIEWER).post("/dashboard/" + path.format(cluster.pk), form)

    assert response.status_code == 403
    assert "takes a responder" in response.text
    assert not Correction.objects.exists()


def test_an_act_is_not_done_by_a_link_and_has_to_exist(responder: Client) -> None:
    cluster = make_heard_cluster()

    assert responder.get(f"/dashboard/clusters/{cluster.pk}/merge").status_code == 405
    assert responder.post(f"/dashboard/clusters/{cluster.pk}/burn").status_code == 404
    assert responder.post("/dashboard/clusters/999/rename", {"name": "x"}).status_code == 404
    assert responder.get("/dashboard/clusters/99999999999999999999").status_code == 404


@pytest.mark.parametrize("path", ["/dashboard/clusters", "/dashboard/clusters/1", "/dashboard/set-aside"])
def test_a_stranger_is_sent_to_the_login(client: Client, path: str) -> None:
    assert client.get(path).headers["Location"] == f"/login?next={path}"


def test_outages_lead_to_their_clusters_by_the_names_people_gave(responder: Client) -> None:
    cluster = make_heard_cluster()
    cluster.given_name = "Login loop"
    cluster.save()
    now = timezone.now()
    outage = make_outage(cluster.service, started_at=now - timedelta(minutes=9), now=now)

    pages = [responder.get(path).text for path in ("/dashboard", f"/dashboard/outages/{outage.pk}")]

    for page in pages:
        assert f'href="/dashboard/clusters/{cluster.pk}"><bdi>Login loop</bdi>' in page


def test_the_dashboard_tells_how_many_reports_were_set_aside(responder: Client) -> None:
    cluster = make_heard_cluster()
    now = timezone.now()
    MinuteCount.objects.update(n_counted=0, n_set_aside=1)
    count_reports(cluster, 3, at=now - timedelta(hours=2))

    page = responder.get("/dashboard").text

    assert 'href="/dashboard/set-aside?service=mail">1 set aside</a>' in page


def test_a_list_that_does_not_show_all_says_so(responder: Client) -> None:
    make_heard_cluster("what a power move")
    make_report(Report.objects.get().service, "gone by now", at=timezone.now(), cluster=Cluster.objects.get())
    Placement.objects.update(is_set_aside=True)
    Report.objects.filter(text="gone by now").delete()

    assert "The latest 1 of 2 are shown" in responder.get("/dashboard/set-aside").text
