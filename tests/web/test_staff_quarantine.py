"""The page of quarantine: what it shows, and what people say there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from reports.clustering.services import cluster_pending
from reports.enums import Channel, CorrectionKind, Role, Suspicion, Verdict
from reports.intake.contract import ReportIn
from reports.intake.services import Origin, make_row
from reports.models import Correction, Placement, Quarantine
from reports.triage.held_back import held_back
from tests.clustering.stories import a_service, hand_in
from tests.factories import make_user

pytestmark = pytest.mark.django_db

HOSTILE = '<script>alert("x")</script> login'


def client_of(role: Role) -> Client:
    client = Client()
    client.force_login(make_user(role))
    return client


def hold(n: int = 3, *, text: str = "I can't log in") -> Quarantine:
    """Let that many reports be held back a minute ago; return their group."""
    service = a_service("mail", name="Mail")
    at = timezone.now() - timedelta(minutes=1)
    rows = [
        make_row(
            report=ReportIn(service="mail", text=text),
            origin=Origin(Channel.FORM, address=f"192.0.{i}.1", suspicion=Suspicion.TRAP),
            now=at,
        )
        for i in range(n)
    ]
    hand_in(*rows, now=at)
    cluster_pending(now=at)
    return Quarantine.objects.get(service=service)


def answer_of(group: Quarantine, do: str) -> dict[str, str]:
    return {"service": "mail", "day": group.day.isoformat(), "reason": group.reason, "do": do}


def test_a_case_is_shown_with_its_reason_numbers_and_texts() -> None:
    hold(3, text=HOSTILE)

    page = client_of(Role.VIEWER).get("/dashboard/quarantine").content.decode()

    assert "Filled a field that people" in page
    assert "3 reports from 3 networks" in page
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "Release:" not in page  # a viewer only looks


def test_nothing_held_back_is_said_in_words() -> None:
    assert "Nothing is held back" in client_of(Role.VIEWER).get("/dashboard/quarantine").content.decode()


def test_a_case_that_is_released_counts() -> None:
    group = hold(2)
    responder = client_of(Role.RESPONDER)

    response = responder.post("/dashboard/quarantine/say", answer_of(group, "release"), follow=True)
    waits = "being carried out" in response.content.decode()
    cluster_pending(now=timezone.now())

    assert waits
    assert Placement.objects.filter(is_counted=True, is_quarantined=False).count() == 2
    group.refresh_from_db()
    assert group.verdict == Verdict.RELEASED
    said = Correction.objects.get()
    assert (said.kind, said.is_attack, said.quarantine_id) == (CorrectionKind.JUDGE, False, group.pk)


def test_saying_it_twice_is_said_once() -> None:
    group = hold()
    responder = client_of(Role.RESPONDER)

    for _ in range(2):
        responder.post("/dashboard/quarantine/say", answer_of(group, "attack"))

    assert Correction.objects.count() == 1


def test_a_viewer_may_say_nothing() -> None:
    group = hold()

    response = client_of(Role.VIEWER).post("/dashboard/quarantine/say", answer_of(group, "attack"))

    assert response.status_code == 403
    assert not Correction.objects.exists()


@pytest.mark.parametrize("other", [{"do": "x"}, {"day": "x"}, {"reason": "x"}])
def test_nonsense_is_answered_in_words(other: dict[str, str]) -> None:
    group = hold()

    answer = client_of(Role.RESPONDER).post(
        "/dashboard/quarantine/say", answer_of(group, "attack") | other, follow=True
    )

    assert "Reload the page" in answer.content.decode() or "Press one of the buttons" in answer.content.decode()
    assert not Correction.objects.exists()


@pytest.mark.parametrize("service", ["other", "\x00"])
def test_what_was_never_held_back_is_not_found(service: str) -> None:
    group = hold()

    answer = client_of(Role.RESPONDER).post(
        "/dashboard/quarantine/say", answer_of(group, "attack") | {"service": service}
    )

    assert answer.status_code == 404


def test_many_of_them_are_an_alarm_of_their_own_on_the_dashboard() -> None:
    hold(12)

    page = client_of(Role.VIEWER).get("/dashboard").content.decode()

    assert "12 reports of <bdi>Mail</bdi>" in page
    assert not held_back(now=timezone.now() + timedelta(hours=2))


def test_machines_read_how_many_are_held_back() -> None:
    hold(3)

    assert 'outcry_quarantined_total{service="mail",reason="trap"} 3' in Client().get("/metrics").content.decode()
