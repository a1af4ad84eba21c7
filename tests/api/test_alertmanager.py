"""Alertmanager's webhook, version 4, and Grafana's: which alert becomes a report, once, and what the rest is told."""

from __future__ import annotations

import json
import tracemalloc
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from reports.enums import Channel, Scope
from reports.errors import OverLimit, StoreUnavailable
from reports.intake import services
from reports.models import ApiKey, IntakeBatch, Report
from tests.api.conftest import Caller
from tests.api.payloads import alertmanager_message, grafana_message
from tests.factories import make_service

URL = "/api/v1/alertmanager"


def send(client: Client, message: Any, query: str = "") -> Any:
    body = message if isinstance(message, bytes) else json.dumps(message)
    return client.post(URL + query, body, content_type="application/json")


def firing(n: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a message of so many alerts, told apart by their fingerprints."""
    message = alertmanager_message(now=timezone.now(), **changes)
    [alert] = message["alerts"]
    return message | {"alerts": [alert | {"fingerprint": f"{number:016x}"} for number in range(n)]}


def outcomes(response: Any) -> list[str]:
    return [item["outcome"] for item in response.json()["items"]]


def test_an_alert_that_fires_is_a_report(caller: Caller) -> None:
    make_service("mail")
    message = alertmanager_message(now=timezone.now())

    response = send(caller(Scope.INTAKE), message)

    assert response.status_code == 202, response.content
    answer = response.json()
    assert (answer["stored"], answer["repeated"], answer["resolved"], answer["rejected"]) == (1, 0, 0, 0)
    report = Report.objects.get()
    assert answer["items"][0]["id"] == str(report.pk)
    assert answer["items"][0]["fingerprint"] == "1a30ba71cca2921f"
    assert (report.channel, report.source) == (Channel.ALERTMANAGER, "alertmanager")
    assert report.key == ApiKey.objects.get()
    assert report.text == (
        "BlackBox Probe Failure: https://server.example.org\n"
        "Instance https://server.example.org has been down for over 5m. Job: http_checks"
    )
    assert (
        report.occurred_at.isoformat(timespec="milliseconds").replace("+00:00", "Z") == message["alerts"][0]["startsAt"]
    )
    assert abs(report.occurred_at - (timezone.now() - timedelta(minutes=1))) < timedelta(seconds=30)
    assert report.url.startswith("http://prometheus.example.org:9090/graph")
    assert len(report.reporter) == 16
    assert report.network == b""


def test_grafana_is_understood_and_its_alerts_are_for_the_service_in_the_address(caller: Caller) -> None:
    make_service("mail")

    response = send(caller(Scope.INTAKE), grafana_message(now=timezone.now()), "?service=mail")

    assert outcomes(response) == ["stored", "stored"]
    assert set(Report.objects.values_list("source", flat=True)) == {"grafana"}
    assert len({bytes(reporter) for reporter in Report.objects.values_list("reporter", flat=True)}) == 2


def test_an_alert_that_is_told_again_counts_once_whatever_its_words_are_now(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)
    message = alertmanager_message(now=timezone.now())
    first = send(client, message)
    message["alerts"][0]["annotations"] = {"summary": "Still down, for 4 hours now"}

    again = send(client, message)

    assert outcomes(again) == ["repeated"]
    assert again.json()["items"][0]["id"] == first.json()["items"][0]["id"]
    assert Report.objects.count() == IntakeBatch.objects.count() == 1


def test_an_alert_that_fires_anew_is_another_report(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)
    send(client, alertmanager_message(now=timezone.now() - timedelta(minutes=30)))

    again = send(client, alertmanager_message(now=timezone.now()))

    assert outcomes(again) == ["stored"]
    assert Report.objects.count() == 2


def test_an_alert_that_stands_twice_in_a_message_counts_once(caller: Caller) -> None:
    make_service("mail")
    message = alertmanager_message(now=timezone.now())

    response = send(caller(Scope.INTAKE), message | {"alerts": message["alerts"] * 2})

    assert sorted(outcomes(response)) == ["repeated", "stored"]
    assert Report.objects.count() == 1


def test_an_alert_that_fires_for_days_is_not_told_as_new_once_its_name_is_forgotten(caller: Caller) -> None:
    make_service("mail")
    days_ago = timezone.now() - services.KEEP_IDEMPOTENCY_KEYS - timedelta(minutes=1)

    response = send(caller(Scope.INTAKE), firing(startsAt=days_ago.isoformat()))

    assert outcomes(response) == ["repeated"]
    assert not Report.objects.exists()


def test_an_alert_that_is_over_is_no_report(caller: Caller) -> None:
    make_service("mail")
    message = alertmanager_message(now=timezone.now(), status="resolved", endsAt=timezone.now().isoformat())

    response = send(caller(Scope.INTAKE), message | {"status": "resolved"})

    assert response.status_code == 202
    assert outcomes(response) == ["resolved"]
    assert not Report.objects.exists()


def test_what_is_good_in_a_message_is_stored_and_the_rest_is_told(caller: Caller) -> None:
    make_service("mail")
    message = firing(4)
    message["alerts"][1]["labels"] = {"alertname": "Nameless"}
    message["alerts"][2]["labels"] = {"alertname": "Odd", "service": "mall"}
    message["alerts"][3] = "no alert"

    response = send(caller(Scope.INTAKE), message)

    assert response.status_code == 202
    assert outcomes(response) == ["stored", "rejected", "rejected", "rejected"]
    told = [item["errors"][0] for item in response.json()["items"][1:]]
    assert [error["field"] for error in told] == ["labels.service", "labels.service", ""]
    assert "'Nameless'" in told[0]["message"]
    assert "?service=" in told[0]["message"]
    assert "'mall' is no service here. Known services: mail" in told[1]["message"]
    assert Report.objects.count() == 1


def test_a_message_of_which_nothing_can_be_taken_is_refused_for_good(caller: Caller) -> None:
    message = firing(2)

    response = send(caller(Scope.INTAKE), message)

    told = response.json()
    assert response.status_code == 422
    assert told["type"] == "urn:problem-type:outcry:invalid-batch"
    assert [error["pointer"] for error in told["errors"]] == ["#/alerts/0/labels/service", "#/alerts/1/labels/service"]


def test_once_its_service_is_there_an_alert_that_was_refused_is_taken(caller: Caller) -> None:
    client = caller(Scope.INTAKE)
    message = firing()
    refused = send(client, message)
    make_service("mail")
    services.catalogue.forget_services()

    response = send(client, message)

    assert (refused.status_code, outcomes(response)) == (422, ["stored"])


def test_another_label_may_name_the_service(caller: Caller) -> None:
    make_service("mail")
    labels = {"alertname": "Down", "service": "k8s-svc-17", "app": "mail"}

    response = send(caller(Scope.INTAKE), firing(labels=labels), "?service_label=app")

    assert outcomes(response) == ["stored"]


def test_the_service_in_the_address_goes_before_the_label(caller: Caller) -> None:
    service = make_service("shop")

    send(caller(Scope.INTAKE), firing(labels={"alertname": "Down", "service": "k8s-svc-17"}), "?service=shop")

    assert Report.objects.get().service_id == service.pk


@pytest.mark.parametrize(("given", "expected"), [("DE-BY", "DE-BY"), ("de", "DE"), ("eu-west-1", ""), ("", "")])
def test_a_region_is_taken_where_it_is_one(caller: Caller, given: str, expected: str) -> None:
    make_service("mail")

    response = send(caller(Scope.INTAKE), firing(labels={"alertname": "Down", "service": "mail", "region": given}))

    assert outcomes(response) == ["stored"]
    assert Report.objects.get().region == expected


def test_without_annotations_the_labels_are_told(caller: Caller) -> None:
    make_service("mail")
    labels = {"alertname": "DiskFull", "service": "mail", "region": "DE", "mount": "/var", "job": "node"}

    send(caller(Scope.INTAKE), firing(labels=labels, annotations={}))

    assert Report.objects.get().text == "DiskFull, job: node, mount: /var"


def test_words_that_break_the_contract_are_mended_for_nobody_else_can(caller: Caller) -> None:
    make_service("mail")
    annotations = {"summary": "Down\x1b[31m", "description": "x" * 5_000}

    response = send(caller(Scope.INTAKE), firing(annotations=annotations, generatorURL="ftp://nowhere"))

    assert outcomes(response) == ["stored"]
    report = Report.objects.get()
    assert report.text.startswith("Down[31m\nxxx")
    assert len(report.text) == 4_000
    assert report.url == ""


def test_an_old_alertmanager_gives_no_fingerprint_and_its_alerts_still_count_once(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)
    message = alertmanager_message(now=timezone.now())
    del message["alerts"][0]["fingerprint"]

    answers = [outcomes(send(client, message)) for _ in range(2)]

    assert answers == [["stored"], ["repeated"]]


def test_what_was_left_out_is_told(caller: Caller) -> None:
    make_service("mail")

    response = send(caller(Scope.INTAKE), firing() | {"truncatedAlerts": 7})

    assert response.json()["truncated"] == 7


def test_a_message_without_alerts_is_accepted(caller: Caller) -> None:
    response = send(caller(Scope.INTAKE), firing(0))

    assert (response.status_code, response.json()["items"]) == (202, [])


@pytest.mark.parametrize(
    ("message", "status", "kind"),
    [
        (b"{", 400, "malformed-body"),
        (b'{"a":' + b"[" * 50_000, 400, "malformed-body"),
        ({"version": "3", "alerts": []}, 422, "invalid-input"),
        ({"version": "4"}, 422, "invalid-input"),
        ({"alerts": []}, 422, "invalid-input"),
        ([], 422, "invalid-input"),
    ],
)
def test_what_is_no_message_is_refused(caller: Caller, message: Any, status: int, kind: str) -> None:
    response = send(caller(Scope.INTAKE), message)

    assert response.status_code == status, response.content
    assert response.json()["type"] == f"urn:problem-type:outcry:{kind}"


@pytest.mark.parametrize(
    ("changes", "field", "word"),
    [
        ({"status": "pending"}, "status", "'pending'"),
        ({"startsAt": "yesterday"}, "startsAt", "'yesterday'"),
        ({"startsAt": "2999-01-01T00:00:00Z"}, "startsAt", "future"),
    ],
)
def test_what_is_wrong_with_an_alert_is_named(caller: Caller, changes: dict[str, Any], field: str, word: str) -> None:
    make_service("mail")

    response = send(caller(Scope.INTAKE), firing(**changes))

    [error] = response.json()["errors"]
    assert response.status_code == 422
    assert error["field"] == f"alerts.0.{field}"
    assert word in error["message"]
    assert "'ProbeFailure'" in error["message"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [(OverLimit("Too many.", retry_after_seconds=7), "busy"), (StoreUnavailable("Away."), "store-unavailable")],
)
def test_what_should_be_sent_again_is_a_5xx_for_nothing_else_is_repeated(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, error: Exception, kind: str
) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)

    def fail(*arguments: Any, **named: Any) -> None:
        raise error

    monkeypatch.setattr("reports.intake.key_limits.check", fail)
    response = send(client, firing())

    assert response.status_code == 503
    assert response.json()["type"] == f"urn:problem-type:outcry:{kind}"
    assert int(response["Retry-After"]) > 0


def test_a_parameter_nobody_knows_is_refused(caller: Caller) -> None:
    response = send(caller(Scope.INTAKE), firing(), "?servce=mail")

    assert response.status_code == 400
    assert "service_label" in response.json()["detail"]


def test_each_alert_is_counted_by_channel(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)
    send(client, firing(3))

    metrics = Client().get("/metrics").text

    assert 'outcry_reports_total{service="mail",channel="alertmanager"} 3' in metrics


def test_an_alert_that_two_receivers_tell_of_two_services_is_a_report_of_each(caller: Caller) -> None:
    make_service("mail")
    make_service("chat")
    client, message = caller(Scope.INTAKE), firing()

    answers = [outcomes(send(client, message, f"?service={slug}")) for slug in ("mail", "chat", "chat")]

    assert answers == [["stored"], ["stored"], ["repeated"]]
    assert set(Report.objects.values_list("service__slug", flat=True)) == {"mail", "chat"}


@pytest.mark.parametrize("alert", ["0", "{}"])
def test_more_alerts_than_are_taken_cost_no_memory(caller: Caller, alert: str) -> None:
    client = caller(Scope.INTAKE)
    body = f'{{"version": "4", "alerts": [{",".join([alert] * 2_000_000)}]}}'.encode()
    tracemalloc.start()

    try:
        response = send(client, body)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert response.status_code == 413, response.content
    assert peak_bytes < 4 * len(body)
