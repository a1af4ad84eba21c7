"""The OpenAPI schema: valid, complete, true to what is sent and answered; and the documentation beside it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from drf_spectacular.validation import validate_schema

from reports.api import problems, serializers
from reports.api.formats.cloudevents import EVENT_TYPE
from reports.api.urls import urlpatterns
from reports.enums import EventKind, OutageState, Scope
from reports.intake.apikeys import create_key
from reports.intake.contract import MAX_CHARS, ReportIn
from tests.api.conftest import Caller
from tests.factories import NOW, add_event, make_outage, make_service

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text()


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    response = Client().get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert response.status_code == 200
    found: dict[str, Any] = json.loads(response.content)
    return found


def operations(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, each) for path, methods in schema["paths"].items() for method, each in methods.items()]


def check(answer: Any, schema: dict[str, Any], path: str, method: str, status: int, media_type: str) -> None:
    """Assert that an answer is what the schema says."""
    described = schema["paths"][path][method]["responses"][str(status)]["content"][media_type]["schema"]
    jsonschema.validate(answer, {**described, "components": schema["components"]})


def test_the_schema_is_valid_openapi_3_1(schema: dict[str, Any]) -> None:
    validate_schema(schema)

    assert schema["openapi"].startswith("3.1")


def test_the_schema_is_made_without_a_warning(tmp_path: Path) -> None:
    call_command("spectacular", "--fail-on-warn", "--validate", file=str(tmp_path / "schema.yml"))

    assert (tmp_path / "schema.yml").stat().st_size > 0


def test_every_address_is_in_the_schema(schema: dict[str, Any]) -> None:
    addresses = {"/api/" + re.sub(r"<\w+:(.*?)>", r"{\1}", str(each.pattern)) for each in urlpatterns if each.name}

    assert set(schema["paths"]) == addresses - {"/api/schema/"}


def test_every_operation_has_examples_of_what_is_sent_and_answered(schema: dict[str, Any]) -> None:
    for path, method, operation in operations(schema):
        contents = [each["content"] for each in operation["responses"].values()]
        if "requestBody" in operation:
            contents.append(operation["requestBody"]["content"])
        for content in contents:
            for media_type, described in content.items():
                assert described.get("examples"), f"{method} {path} {media_type} has no example"


def test_every_operation_says_which_errors_it_answers_with(schema: dict[str, Any]) -> None:
    for path, method, operation in operations(schema):
        assert {"401", "403", "503"} <= operation["responses"].keys(), f"{method} {path}"


def test_examples_of_answers_fit_their_schema(schema: dict[str, Any]) -> None:
    for path, method, operation in operations(schema):
        for status, answer in operation["responses"].items():
            for media_type, described in answer["content"].items():
                for example in described["examples"].values():
                    check(example["value"], schema, path, method, int(status), media_type)


def send_examples(client: Client, schema: dict[str, Any], path: str) -> int:
    """Send every example of a request, assert that it is taken whole, and return how many there were."""
    n_sent = 0
    for media_type, described in schema["paths"][path]["post"]["requestBody"]["content"].items():
        for example in described["examples"].values():
            value = example["value"]
            body = value if isinstance(value, str) else json.dumps(value)
            response: Any = client.post(path, body, content_type=media_type)
            assert response.status_code in {201, 202}, response.content
            assert response.json().get("rejected", 0) == 0
            check(response.json(), schema, path, "post", response.status_code, "application/json")
            n_sent += 1
    return n_sent


@pytest.mark.parametrize(("path", "n_examples"), [("/api/v1/reports", 2), ("/api/v1/reports:batch", 4)])
def test_examples_of_reports_are_taken(caller: Caller, schema: dict[str, Any], path: str, n_examples: int) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)

    assert send_examples(client, schema, path) == n_examples


def test_the_example_of_a_message_of_alerts_is_taken(caller: Caller, schema: dict[str, Any]) -> None:
    make_service("mail")
    path = "/api/v1/alertmanager"
    [example] = schema["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"].values()
    message = example["value"]
    message = message | {
        "alerts": [alert | {"startsAt": timezone.now().isoformat()} for alert in message["alerts"]]
    }  # an example grows older than a report may be

    response: Any = caller(Scope.INTAKE).post(path, json.dumps(message), content_type="application/json")

    assert response.status_code == 202, response.content
    assert (response.json()["stored"], response.json()["resolved"]) == (1, 1)
    check(response.json(), schema, path, "post", 202, "application/json")


def test_examples_of_events_are_taken(caller: Caller, schema: dict[str, Any]) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)
    path = "/api/v1/cloudevents"
    content = schema["paths"][path]["post"]["requestBody"]["content"]
    attributes = {"ce-specversion": "1.0", "ce-type": EVENT_TYPE, "ce-source": "/desk", "ce-id": "1"}
    now = timezone.now().isoformat()

    for media_type, described in content.items():
        [example] = described["examples"].values()
        headers = attributes if media_type == "application/json" else {}
        body = json.dumps(as_of(now, example["value"]))
        response: Any = client.post(path, body, content_type=media_type, headers=headers)

        assert response.status_code == 202, response.content
        assert response.json().get("rejected", 0) == 0
        check(response.json(), schema, path, "post", 202, "application/json")
    assert len(content) == 3


def as_of(now: str, value: Any) -> Any:
    """Return an event, or several, with another time: an example grows older than a report may be."""
    if isinstance(value, list):
        return [as_of(now, each) for each in value]
    return value | {"time": now} if "specversion" in value else value


def test_the_examples_of_envelopes_are_taken(caller: Caller, schema: dict[str, Any]) -> None:
    service = make_service("mail")
    key = create_key(name="Pages", scopes=[Scope.PUBLIC], created_by_id=None, now=timezone.now()).secret
    caller(Scope.READ)
    path = "/api/{project}/envelope/"
    content = schema["paths"][path]["post"]["requestBody"]["content"]

    for media_type, described in content.items():
        [example] = described["examples"].values()
        address = f"{path.format(project=service.pk)}?sentry_key={key}"
        response: Any = Client().post(address, example["value"], content_type=media_type)

        assert response.status_code == 200, response.content
        check(response.json(), schema, path, "post", 200, "application/json")


def test_the_example_of_a_service_is_taken(caller: Caller, schema: dict[str, Any]) -> None:
    client = caller(Scope.MANAGE)

    assert send_examples(client, schema, "/api/v1/services") == 1


def test_what_is_read_fits_the_schema(caller: Caller, schema: dict[str, Any]) -> None:
    outage = make_outage(make_service("mail"), state=OutageState.CONFIRMED, regions=["DE"])
    add_event(outage, EventKind.CONFIRMED, at=NOW)
    client = caller(Scope.READ)

    for path in ("/api/v1/services", "/api/v1/outages", "/api/v1/outages/{outage_id}"):
        answer = client.get(path.format(outage_id=outage.pk)).json()

        check(answer, schema, path, "get", 200, "application/json")


def test_the_described_report_is_the_one_that_is_decoded() -> None:
    described = serializers.Report().fields

    assert tuple(described) == ReportIn.__struct_fields__
    assert [name for name, field in described.items() if field.required] == ["service"]
    assert {name: field.max_length for name, field in described.items() if getattr(field, "max_length", None)} == dict(
        MAX_CHARS
    )


def test_the_schema_needs_no_key_and_comes_in_yaml_as_well(client: Client) -> None:
    response = client.get("/api/schema/")

    assert response.status_code == 200
    assert b"openapi: 3.1" in response.content


def test_the_documentation_names_every_operation(schema: dict[str, Any]) -> None:
    undocumented = [
        f"{method.upper()} {path}" for path, method, _ in operations(schema) if f"`{method.upper()} {path}`" not in DOCS
    ]

    assert not undocumented


def test_the_documentation_names_every_kind_of_problem_field_and_scope() -> None:
    words = [f"`{kind.word}`" for kind in problems.KINDS]
    words += [f"`{name}`" for name in ReportIn.__struct_fields__]
    words += [f"`{scope.value}`" for scope in Scope]
    words += ["`/healthz`", "`/readyz`", "`/metrics`", "`/api/schema/`"]

    assert [word for word in words if word not in DOCS] == []
