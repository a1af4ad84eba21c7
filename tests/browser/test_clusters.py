"""The pages of clusters in a real browser: by keyboard, on a phone, without scripts, and drawn anew when it is done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Page, expect

from reports.clustering.corrections import apply_corrections
from reports.enums import CorrectionKind, Role
from reports.models import Cluster, ClusteringState, Correction, MicroCluster, Placement, Service
from tests.factories import (
    PASSWORD,
    count_reports,
    make_cluster,
    make_micro_cluster,
    make_report,
    make_service,
    make_user,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NewPage = Callable[..., Page]
HOSTILE = "<script>document.title='taken over'</script><img src=x onerror=\"document.title='taken over'\">"
LONG_WORD = "averyveryverylongwordthatnobodywouldeverbreakinthemiddle" * 2
TEXTS = [
    "I can't log in since nine, the page only says the password is wrong",
    "login fails again",
    "cannot log in, log in loop on the phone",
    "Ich kann mich nicht einloggen",
    "log in fails with error 502",
]


def log_in(page: Page, role: Role = Role.RESPONDER, *, to: str = "/dashboard/clusters") -> None:
    user = make_user(role)
    page.goto(to)
    page.get_by_label("Name").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def make_current_cluster(service: Service | None = None) -> Cluster:
    """Make a cluster of now with two wordings, a few reports, and another cluster beside it."""
    now = timezone.now()
    service = service or make_service("mail", name="Mail")
    make_cluster(service, label="login loop · password", at=now - timedelta(hours=3), n_reports=4)
    cluster = make_cluster(
        service, label="log in · fails · 502", at=now - timedelta(minutes=1), n_reports=len(TEXTS) + 1, cohesion=0.63,
        languages=["en", "de"], regions=["DE-BY", "AT"],
    )  # fmt: skip
    cluster.terms, cluster.term_shares = ["log in", "fails", "error 502"], [0.83, 0.5, 0.17]
    for minute, text in enumerate(TEXTS):
        at = now - timedelta(minutes=3 * minute + 1)
        report = make_report(service, text, region="DE-BY", lang="en", at=at, cluster=cluster)
        count_reports(cluster, minute + 2, region="DE-BY", at=at)
        cluster.typical_report_id = cluster.typical_report_id or report.id
    cluster.save()
    MicroCluster.objects.filter(cluster=cluster).update(n_reports=len(TEXTS))
    other = make_micro_cluster(cluster, at=now)
    MicroCluster.objects.filter(pk=other.pk).update(n_reports=1, country="AT", guard="502")
    ClusteringState.objects.get_or_create(service=service, defaults={"encoder": "test", "mean_sum": b"", "usual": 0.25})
    return cluster


def set_aside(service: Service, text: str) -> None:
    love = Cluster.objects.filter(label="love it").first() or make_cluster(service, label="love it", n_reports=1)
    report = make_report(service, text, region="FR", at=timezone.now() - timedelta(minutes=4), cluster=love)
    Placement.objects.filter(pk=report.id).update(is_set_aside=True, is_counted=False, p_problem=0.04)


def carry_out(service: Service) -> None:
    with transaction.atomic():
        apply_corrections(service_id=service.pk, now=timezone.now())


def overflow_pixels(page: Page) -> int:
    found: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found


def test_one_finds_a_cluster_by_its_words(page: Page) -> None:
    make_current_cluster()
    log_in(page)

    page.get_by_label("With these words").fill("502 fails")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#clusters > li")).to_have_count(1)
    page.get_by_role("link", name="log in · fails · 502").click()

    expect(page.get_by_role("heading", name="Why are these together?")).to_be_visible()
    expect(page.locator("#reports-heading")).to_be_visible()
    expect(page.locator("#reports mark").first).to_have_text("log in")


def test_a_correction_is_announced_and_drawn_when_it_is_done(page: Page) -> None:
    cluster = make_current_cluster()
    log_in(page, to=f"/dashboard/clusters/{cluster.pk}")
    expect(page.locator("#liveness")).to_have_text("Live")
    page.evaluate("window.isTheSamePage = true")
    other = MicroCluster.objects.get(guard="502")

    page.locator(f"#wording-{other.pk}").check()
    page.get_by_role("button", name="Split off the ticked ones").click()
    expect(page.locator("#waiting")).to_contain_text("1 correction is being carried out")
    carry_out(cluster.service)

    expect(page.locator("#waiting")).to_have_count(0)
    expect(page.locator(".timeline")).to_contain_text("Split off 1 wording as")
    expect(page.locator("#wordings-heading")).to_have_text("Wordings (1)")
    assert page.evaluate("window.isTheSamePage")


def test_the_page_of_a_merged_cluster_becomes_that_of_its_heir(page: Page) -> None:
    cluster = make_current_cluster()
    heir = Cluster.objects.get(label="login loop · password")
    log_in(page, to=f"/dashboard/clusters/{cluster.pk}")
    expect(page.locator("#liveness")).to_have_text("Live")

    page.get_by_text("Merge…").click()
    page.get_by_label("The cluster that tells the same problem").fill(f"{heir.pk}: {heir.name}")
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator("#waiting")).to_be_visible()
    carry_out(cluster.service)

    expect(page.locator("h1")).to_have_text(heir.name)
    expect(page.locator(".timeline")).to_contain_text("Merged log in · fails · 502 into login loop · password")


def test_a_cluster_is_merged_by_keyboard_alone(page: Page) -> None:
    cluster = make_current_cluster()
    heir = Cluster.objects.get(label="login loop · password")
    log_in(page, to=f"/dashboard/clusters/{cluster.pk}")

    page.get_by_text("Merge…").press("Enter")
    expect(page.get_by_label("The cluster that tells the same problem")).to_be_focused()
    page.keyboard.type(str(heir.pk))
    page.keyboard.press("Enter")

    expect(page.get_by_text("Said. It is being carried out.")).to_be_visible()
    assert Correction.objects.get().into_id == heir.pk


def test_a_double_click_is_one_correction(page: Page) -> None:
    cluster = make_current_cluster()
    log_in(page, to=f"/dashboard/clusters/{cluster.pk}")

    page.locator("#reports input[type=checkbox]").first.check()
    page.get_by_role("button", name="Move to a new cluster").dblclick()

    expect(page.get_by_text("Said. It is being carried out.")).to_be_visible()
    assert Correction.objects.count() == 1


def test_what_is_ticked_survives_a_change(page: Page) -> None:
    cluster = make_current_cluster()
    log_in(page, to=f"/dashboard/clusters/{cluster.pk}")
    expect(page.locator("#liveness")).to_have_text("Live")
    page.locator("#reports input[type=checkbox]").nth(1).check()

    Cluster.objects.filter(pk=cluster.pk).update(given_name="Login loop")
    ClusteringState.objects.update(generation=7)

    expect(page.locator("h1")).to_have_text("Login loop")
    expect(page.locator("#reports input[type=checkbox]").nth(1)).to_be_checked()


def test_a_report_that_was_set_aside_is_taken_back(page: Page) -> None:
    service = make_service("mail", name="Mail")
    set_aside(service, "what a power move, all is dark here")
    log_in(page, to="/dashboard/set-aside")

    page.get_by_label("what a power move").check()
    page.get_by_role("button", name="The ticked ones are problem reports").click()

    expect(page.locator("#waiting")).to_contain_text("What you said of 1 report is being carried out")
    assert Correction.objects.get().kind == CorrectionKind.SCREEN


def test_without_scripts_one_reads_and_corrects(new_page: NewPage) -> None:
    cluster = make_current_cluster()
    page = new_page(java_script_enabled=False)
    log_in(page, to=f"/dashboard/clusters/{cluster.pk}")
    expect(page.locator(".spark svg")).to_be_visible()

    page.get_by_label("login fails again").check()
    page.get_by_role("button", name="Are no problem reports").click()

    expect(page.get_by_text("Said. It is being carried out.")).to_be_visible()
    expect(page.locator("#reports")).to_contain_text("being carried out")
    page.get_by_text("Rename…").click()
    page.get_by_label("What people call it").fill("Login loop")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", name="Login loop")).to_be_visible()


def test_nothing_is_wider_than_a_phone(phone: Page) -> None:
    service = make_service("x" * 63, name="Ein sehr langer Dienstname, den niemand kürzen wollte")
    cluster = make_current_cluster(service)
    Cluster.objects.update(label=LONG_WORD)
    make_report(service, LONG_WORD * 3, at=timezone.now(), cluster=cluster)
    set_aside(service, LONG_WORD)
    log_in(phone)

    for path in ("/dashboard/clusters", f"/dashboard/clusters/{cluster.pk}", "/dashboard/set-aside"):
        phone.goto(path)
        expect(phone.locator("h1")).to_be_visible()
        assert overflow_pixels(phone) == 0, path


def test_hostile_texts_stay_texts(page: Page) -> None:
    cluster = make_current_cluster()
    make_report(cluster.service, HOSTILE, at=timezone.now(), cluster=cluster)
    Cluster.objects.filter(pk=cluster.pk).update(given_name=HOSTILE[:200], terms=["script", "img"])
    log_in(page, to=f"/dashboard/clusters/{cluster.pk}")

    expect(page.locator("#reports")).to_contain_text("<script>document.title")

    assert "taken over" not in page.title().split("·")[-1]
    assert page.locator("#live img").count() == 0
