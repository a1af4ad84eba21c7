"""One report over REST: what is stored, what is answered, and every way in which it can be wrong."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from reports.enums import Channel, Scope
from reports.intake.contract import MAX_REPORT_BYTES, MAX_TEXT_CHARS
from reports.intake.receipts import report_of
from reports.models import ApiKey, IntakeBatch, Report, ReportContact
from tests.api.conftest import Caller
from tests.factories import make_service

URL = "/api/v1/reports"


def send(client: Client, report: Any, **headers: str) -> Any:
    body = report if isinstance(report, bytes) else json.dumps(report)
    return client.post(URL, body, content_type="application/json", headers=headers)


def problem(response: Any, status: int, kind: str) -> dict[str, Any]:
    """Assert the shape of an error and return it."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert told["type"] == f"urn:problem-type:outcry:{kind}"
    assert told["status"] == status
    assert told["instance"] == URL
    assert told["title"]
    assert told["detail"]
    return told


def test_a_report_is_durable_when_it_is_accepted(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)

    response = send(client, {"service": "Mail", "text": "can't log in", "region": "de-by", "contact": "a@example.org"})

    assert response.status_code == 202
    assert response["Cache-Control"] == "no-store"
    answer = response.json()
    report = Report.objects.get(pk=UUID(answer["id"]))
    assert (report.text, report.region, report.channel) == ("can't log in", "DE-BY", Channel.REST)
    assert IntakeBatch.objects.get().report_ids == [report.pk]
    assert ReportContact.objects.get().report_id == report.pk
    assert answer["receipt_url"].startswith("http://testserver/receipt/")
    assert report_of(answer["receipt_url"].rpartition("/")[2]) == report.pk
    assert report.key == ApiKey.objects.get()


def test_a_named_reporter_is_stored_as_a_fingerprint_and_an_unnamed_one_not_at_all(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)

    send(client, {"service": "mail", "text": "slow", "reporter": "customer-1"})
    send(client, {"service": "mail", "text": "slow"})

    reporters = sorted(bytes(reporter) for reporter in Report.objects.values_list("reporter", flat=True))
    assert reporters[0] == b""
    assert len(reporters[1]) == 16


def test_a_report_costs_no_query_of_its_own(caller: Caller, django_assert_num_queries: Any) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)
    send(client, {"service": "mail", "text": "slow"})

    with django_assert_num_queries(0):
        response = send(client, {"service": "mail", "text": "slow"})

    assert response.status_code == 202


def test_a_repeated_idempotency_key_is_answered_as_the_first_time(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)
    report = {"service": "mail", "text": "slow"}

    first = send(client, report, **{"Idempotency-Key": "k1"})
    second = send(client, report, **{"Idempotency-Key": "k1"})

    assert first.json() == second.json()
    assert Report.objects.count() == 1


def test_an_idempotency_key_with_another_body_is_refused(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)
    send(client, {"service": "mail", "text": "slow"}, **{"Idempotency-Key": "k1"})

    response = send(client, {"service": "mail", "text": "down"}, **{"Idempotency-Key": "k1"})

    told = problem(response, 422, "idempotency-conflict")
    assert told["errors"][0]["field"] == "Idempotency-Key"
    assert "pointer" not in told["errors"][0]
    assert Report.objects.count() == 1


@pytest.mark.parametrize("body", [b"{", b'{"service":', b"\xff\xfe", b'{"service": "\xff"}', b"nul"])
def test_malformed_json_is_refused(caller: Caller, body: bytes) -> None:
    client = caller(Scope.INTAKE)

    response = send(client, body)

    problem(response, 400, "malformed-body")


def test_json_nested_beyond_reason_is_refused(caller: Caller) -> None:
    client = caller(Scope.INTAKE)

    response = send(client, b"[" * 50_000)

    assert response.status_code in {400, 422}
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("fields", "field", "word"),
    [
        ({"service": "mall"}, "service", "'mall'"),
        ({"service": ""}, "service", "empty"),
        ({"region": "BY-DE"}, "region", "'BY-DE' is no ISO 3166"),
        ({"region": "Bavaria"}, "region", "ISO 3166"),
        ({"text": "x" * (MAX_TEXT_CHARS + 1)}, "text", "4,001"),
        ({"text": "a\x00b"}, "text", "U+0000"),
        ({"text": "a\x1bb"}, "text", "U+001B"),
        ({"text": "a\u202eb"}, "text", "U+202E"),
        ({"text": ""}, "text", "empty"),
        ({"text": 7}, "text", "str"),
        ({"symptom": "sick"}, "symptom", "'sick'"),
        ({"occurred_at": "yesterday"}, "occurred_at", ""),
        ({"occurred_at": "2026-03-04T12:00:00"}, "occurred_at", ""),
        ({"occurred_at": "2999-01-01T00:00:00Z"}, "occurred_at", ""),
        ({"url": "javascript:alert(1)"}, "url", "http"),
        ({"lang": "german!"}, "lang", "BCP 47"),
        ({"trace": "xyz"}, "trace", "W3C"),
        ({"contact": "nobody"}, "contact", "e-mail"),
        ({"colour": "red"}, "colour", ""),
    ],
)
def test_what_breaks_the_contract_is_named_with_its_field(
    caller: Caller, fields: dict[str, Any], field: str, word: str
) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)

    response = send(client, {"service": "mail", "text": "slow"} | fields)

    told = problem(response, 422, "invalid-report")
    assert [error["field"] for error in told["errors"]] == [field]
    assert told["errors"][0]["pointer"] == f"#/{field}"
    assert word in told["errors"][0]["message"]
    assert Report.objects.count() == 0


def test_all_wrong_fields_are_named_at_once(caller: Caller) -> None:
    client = caller(Scope.INTAKE)

    response = send(client, {"service": "mall", "text": "slow", "region": "Bavaria", "lang": "?"})

    told = problem(response, 422, "invalid-report")
    assert {error["field"] for error in told["errors"]} == {"service", "region", "lang"}


def test_a_report_that_is_no_object_is_refused(caller: Caller) -> None:
    client = caller(Scope.INTAKE)

    response = send(client, ["slow"])

    problem(response, 422, "invalid-report")


def test_a_body_beyond_the_limit_is_refused(caller: Caller) -> None:
    client = caller(Scope.INTAKE)

    response = send(client, b" " * (MAX_REPORT_BYTES + 1))

    told = problem(response, 413, "too-large")
    assert "65,536" in told["detail"]


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        ("text/plain", "identity"),
        ("application/x-www-form-urlencoded", "identity"),
        ("application/json; charset=utf-16", "identity"),
        ("", "identity"),
        ("application/json", "gzip"),
    ],
)
def test_another_media_type_is_refused(caller: Caller, content_type: str, encoding: str) -> None:
    client = caller(Scope.INTAKE)

    response = client.post(URL, b"{}", content_type=content_type, headers={"Content-Encoding": encoding})

    problem(response, 415, "unsupported-media-type")


@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", "Application/JSON"])
def test_a_media_type_may_be_written_as_the_standard_allows(caller: Caller, content_type: str) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)

    response = client.post(URL, b'{"service":"mail","text":"slow"}', content_type=content_type)

    assert response.status_code == 202


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options", "trace"])
def test_another_method_is_refused(caller: Caller, method: str) -> None:
    client = caller(Scope.INTAKE)

    response = getattr(client, method)(URL)

    problem(response, 405, "method-not-allowed")
    assert response["Allow"] == "POST"


def test_a_parameter_nobody_knows_is_refused(caller: Caller) -> None:
    client = caller(Scope.INTAKE)

    response = client.post(f"{URL}?dry_run=1", b"{}", content_type="application/json")

    told = problem(response, 400, "invalid-parameter")
    assert told["errors"][0]["field"] == "dry_run"


def test_any_accept_header_will_do(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)

    response = send(client, {"service": "mail", "text": "slow"}, Accept="text/html")

    assert response.status_code == 202
    assert response["Content-Type"] == "application/json"
