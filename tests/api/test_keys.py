"""Who may call: no key, a wrong one, a revoked one, one without the scope; and what else is told as a problem."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from reports.enums import Scope
from reports.intake import apikeys, writer
from reports.intake.spool import Spool
from reports.models import ApiKey, Report
from tests.api.conftest import Caller
from tests.factories import make_service

REPORT = json.dumps({"service": "mail", "text": "slow"})
ENDPOINTS = [
    ("post", "/api/v1/reports", Scope.INTAKE),
    ("post", "/api/v1/reports:batch", Scope.INTAKE),
    ("post", "/api/v1/alertmanager", Scope.INTAKE),
    ("post", "/api/v1/cloudevents", Scope.INTAKE),
    ("get", "/api/v1/services", Scope.READ),
    ("post", "/api/v1/services", Scope.MANAGE),
    ("get", "/api/v1/outages", Scope.READ),
    ("get", "/api/v1/outages/1", Scope.READ),
]
WRONG_KEYS = [
    "Bearer outcry_AAAAAAAA_" + "A" * 40,
    "Bearer outcry_",
    "Bearer ",
    "Bearer",
    "Basic dXNlcjpwYXNz",
    "Bearer \u00ff",
    "outcry_AAAAAAAA_" + "A" * 40,
]


def call(client: Client, method: str, path: str, **headers: str) -> Any:
    return getattr(client, method)(
        path, headers=headers, **({"content_type": "application/json"} if method == "post" else {})
    )


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "scope"), ENDPOINTS)
def test_no_key_is_told_how_to_send_one(method: str, path: str, scope: Scope) -> None:
    response = call(Client(), method, path)

    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer realm=")
    assert "Authorization: Bearer" in response.json()["detail"]


@pytest.mark.django_db
@pytest.mark.parametrize("authorization", WRONG_KEYS)
def test_a_wrong_key_is_refused(authorization: str) -> None:
    response = call(Client(), "post", "/api/v1/reports", Authorization=authorization)

    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert 'error="invalid_token"' in response["WWW-Authenticate"]


def test_a_revoked_key_is_refused_by_its_name(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)
    apikeys.revoke_key(key_id=ApiKey.objects.get().pk, now=timezone.now())

    response = client.post("/api/v1/reports", REPORT, content_type="application/json")

    assert response.status_code == 401
    assert "'Support desk' has been revoked" in response.json()["detail"]
    assert Report.objects.count() == 0


@pytest.mark.parametrize(("method", "path", "scope"), ENDPOINTS)
def test_a_missing_scope_is_named(caller: Caller, method: str, path: str, scope: Scope) -> None:
    client = caller(*(other for other in Scope if other not in {scope, Scope.PUBLIC}))

    response = call(client, method, path)

    assert response.status_code == 403
    assert response.json()["type"] == "urn:problem-type:outcry:insufficient-scope"
    assert repr(scope.value) in response.json()["detail"]
    assert f'scope="{scope.value}"' in response["WWW-Authenticate"]


@pytest.mark.parametrize(("method", "path", "scope"), ENDPOINTS)
def test_the_scope_alone_lets_in(caller: Caller, method: str, path: str, scope: Scope) -> None:
    client = caller(scope)

    response = call(client, method, path)

    assert response.status_code not in {401, 403}


@pytest.mark.django_db(transaction=True)
def test_a_key_may_come_in_a_header_of_its_own() -> None:
    key = apikeys.create_key(name="x", scopes=[Scope.READ], created_by_id=None, now=timezone.now())

    response = call(Client(), "get", "/api/v1/services", **{"X-API-Key": key.secret})

    assert response.status_code == 200


def test_a_session_does_not_count(admin_client: Client) -> None:
    response = call(admin_client, "get", "/api/v1/services")

    assert response.status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1", "/api/v1/report", "/api/v1/reports/", "/api/v1/outages/x", "/api/schema"]
)
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_address_that_is_not_there_is_told_as_a_problem(path: str, method: str) -> None:
    response = getattr(Client(), method)(path)

    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["instance"] == path


def away(*args: object, **kwargs: object) -> None:
    raise OperationalError("the database system is shutting down")


@pytest.mark.parametrize(("max_bytes", "status"), [(10_000, 202), (0, 503)], ids=["the spool has room", "it is full"])
def test_a_report_without_a_database_is_spooled_or_asks_to_try_again(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, max_bytes: int, status: int
) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)
    spooling = writer.ReportWriter(clock=timezone.now, spool=Spool(tmp_path, max_bytes=max_bytes))
    monkeypatch.setattr(writer, "_writer", spooling)
    monkeypatch.setattr(writer, "write_group", away)
    monkeypatch.setattr(writer, "write_spooled", away)
    monkeypatch.setattr(writer, "GIVE_UP_SECONDS", 0.0)

    response = client.post("/api/v1/reports", REPORT, content_type="application/json")
    spooling.close()

    assert response.status_code == status
    assert spooling.is_spooling
    if status == 503:
        assert int(response["Retry-After"]) > 0
        assert response.json()["type"] == "urn:problem-type:outcry:store-unavailable"


def test_keys_that_cannot_be_read_ask_to_try_again(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    client = caller(Scope.INTAKE)
    monkeypatch.setattr(ApiKey.objects, "only", away)
    response = client.post("/api/v1/reports", REPORT, content_type="application/json")

    assert response.status_code == 503
    assert "Retry-After" in response


def test_a_failure_of_ours_tells_nothing_but_that_it_happened(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = caller(Scope.READ)

    def broken() -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("reports.api.outages.managed_services", broken)
    response = client.get("/api/v1/services")

    assert response.status_code == 500
    assert response["Content-Type"] == "application/problem+json"
    assert b"secret" not in response.content
    assert "RuntimeError" in caplog.text
