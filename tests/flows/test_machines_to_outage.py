"""Alerts and feedback on their way through the whole house."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from reports import tasks
from reports.enums import Channel, Scope
from reports.intake.apikeys import create_key
from reports.intake.services import prepare_storage
from reports.models import Outage, Placement, Quarantine, Report, Service
from tests.api.payloads import alertmanager_message, feedback_envelope
from tests.factories import make_service

pytestmark = pytest.mark.django_db(transaction=True)  # the writer has a thread of its own


@pytest.fixture
def service() -> Service:
    prepare_storage(now=timezone.now())
    return make_service("mail", name="Mail")


def a_key(scope: Scope) -> str:
    return create_key(name=scope.label, scopes=[scope], created_by_id=None, now=timezone.now()).secret


def tell_alerts(key: str, n: int, *, now: datetime) -> Any:
    """Let an Alertmanager tell of so many pods, in one message; their alerts began a minute ago."""
    message = alertmanager_message(now=now)
    [alert] = message["alerts"]
    alerts = [
        alert
        | {
            "fingerprint": f"{number:016x}",
            "annotations": {"summary": f"Login answers with errors: 8 % of all requests of pod mail-{number} failed"},
        }
        for number in range(n)
    ]
    response: Any = Client(headers={"Authorization": f"Bearer {key}"}).post(
        "/api/v1/alertmanager", json.dumps(message | {"alerts": alerts}), content_type="application/json"
    )
    assert response.status_code == 202, response.content
    return response.json()


def run_the_stages() -> None:
    tasks.cluster_pending()
    tasks.refine_pending()
    tasks.detect_pending()


def test_many_alerts_of_one_wording_are_an_outage_and_no_campaign(service: Service) -> None:
    key = a_key(Scope.INTAKE)
    now = timezone.now()
    tell_alerts(key, 30, now=now)
    run_the_stages()
    told_again = tell_alerts(key, 30, now=now)
    run_the_stages()

    outage = Outage.objects.get()
    assert (outage.service, outage.n_reports) == (service, 30)
    assert (told_again["stored"], told_again["repeated"]) == (0, 30)
    assert not Quarantine.objects.exists()
    assert Placement.objects.filter(is_counted=True).count() == 30


def test_feedback_of_many_people_is_an_outage(service: Service) -> None:
    key = a_key(Scope.PUBLIC)
    for i in range(20):
        response = Client().post(
            f"/api/{service.pk}/envelope/?sentry_key={key}",
            feedback_envelope(f"I can't log in {i}", event_id=f"{i:032x}"),
            content_type="text/plain",
            REMOTE_ADDR=f"198.51.{i}.7",
            headers={"User-Agent": f"browser {i}"},
        )
        assert response.status_code == 200, response.content

    run_the_stages()

    assert Outage.objects.get().n_reports == 20
    assert set(Report.objects.values_list("channel", flat=True)) == {Channel.SENTRY}
