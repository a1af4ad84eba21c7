"""Whatever is sent in, the answer is never an error of ours."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.api.formats.cloudevents import EVENT_TYPE
from reports.enums import Scope
from reports.intake.apikeys import create_key
from reports.intake.contract import ReportIn
from tests.api.conftest import Caller
from tests.factories import make_service

# The fixture is made once for all examples: rows that pile up do not change what is answered.
FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
MEDIA_TYPES = st.one_of(
    st.sampled_from(
        [
            "application/json",
            "application/x-ndjson",
            "application/json; charset=utf-8",
            "application/cloudevents+json",
            "application/cloudevents-batch+json",
        ]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30),
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NEARLY_REPORTS = st.fixed_dictionaries(
    {"service": st.sampled_from(["mail", "Mail", "mall"]) | ANY_JSON},
    optional={name: st.text(max_size=40) | ANY_JSON for name in ReportIn.__struct_fields__ if name != "service"},
)
MOMENTS = st.datetimes().map(lambda moment: f"{moment.isoformat()}Z") | st.floats() | ANY_JSON
NEARLY_ALERTS = st.fixed_dictionaries(
    {"status": st.sampled_from(["firing", "resolved"]) | ANY_JSON, "startsAt": MOMENTS},
    optional={
        "labels": st.just({"service": "mail"}) | ANY_JSON,
        "annotations": st.dictionaries(st.sampled_from(["summary", "message"]), st.text()) | ANY_JSON,
        "fingerprint": st.text(max_size=300) | ANY_JSON,
        "generatorURL": st.text() | ANY_JSON,
    },
)
NEARLY_EVENTS = st.fixed_dictionaries(
    {"specversion": st.just("1.0"), "type": st.just(EVENT_TYPE), "data": NEARLY_REPORTS | ANY_JSON},
    optional={
        "time": MOMENTS,
        **{name: st.text() | ANY_JSON for name in ("id", "source", "traceparent", "data_base64", "datacontenttype")},
    },
)
NEARLY_FEEDBACK = st.fixed_dictionaries(
    {"contexts": st.fixed_dictionaries({"feedback": st.fixed_dictionaries({"message": st.text()}) | ANY_JSON})},
    optional={"timestamp": MOMENTS, "user": ANY_JSON, "release": st.text(), "sdk": ANY_JSON},
)
PATHS = ("/api/v1/reports", "/api/v1/reports:batch", "/api/v1/alertmanager", "/api/v1/cloudevents")


def check(client: Client, path: str, body: bytes, content_type: str, *, taken: int = 202) -> None:
    response: Any = client.post(path, body, content_type=content_type)

    assert response.status_code < 500, response.content
    if response.status_code != taken:
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["detail"]


def test_random_bytes_are_refused_politely(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)

    @FUZZ
    @given(body=st.binary(max_size=200), content_type=MEDIA_TYPES, path=st.sampled_from(PATHS))
    def run(body: bytes, content_type: str, path: str) -> None:
        check(client, path, body, content_type)

    run()


def test_random_json_is_taken_or_refused_politely(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)

    @FUZZ
    @given(value=ANY_JSON | NEARLY_REPORTS | st.lists(NEARLY_REPORTS, max_size=3), path=st.sampled_from(PATHS))
    def run(value: Any, path: str) -> None:
        check(client, path, json.dumps(value).encode(), "application/json")

    run()


def test_random_alerts_events_and_envelopes_are_taken_or_refused_politely(caller: Caller) -> None:
    service = make_service("mail")
    client = caller(Scope.INTAKE)
    key = create_key(name="Pages", scopes=[Scope.PUBLIC], created_by_id=None, now=timezone.now()).secret
    path = f"/api/{service.pk}/envelope/?sentry_key={key}"

    @FUZZ
    @given(alerts=st.lists(NEARLY_ALERTS, max_size=3), event=NEARLY_EVENTS, told=NEARLY_FEEDBACK, sent_at=MOMENTS)
    def run(alerts: list[Any], event: Any, told: Any, sent_at: Any) -> None:
        message = {"version": "4", "alerts": alerts}
        check(client, "/api/v1/alertmanager", json.dumps(message).encode(), "application/json")
        check(client, "/api/v1/cloudevents", json.dumps(event).encode(), "application/cloudevents+json")
        lines = [json.dumps({"sent_at": sent_at}), '{"type":"feedback"}', json.dumps(told)]
        check(client, path, "\n".join(lines).encode(), "text/plain", taken=200)

    run()


def test_random_headers_and_parameters_are_refused_politely(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)
    text = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=300)

    @FUZZ
    @given(key=text, authorization=st.none() | text, flag=st.text(max_size=10))
    def run(key: str, authorization: str | None, flag: str) -> None:
        headers = {"Idempotency-Key": key} | ({} if authorization is None else {"Authorization": authorization})
        response: Any = client.post(
            "/api/v1/reports:batch",
            b'[{"service":"mail","text":"slow"}]',
            content_type="application/json",
            headers=headers,
            query_params={"all_or_nothing": flag},
        )

        assert response.status_code < 500, response.content

    run()


def test_random_addresses_are_refused_politely(caller: Caller) -> None:
    client = caller(Scope.READ)

    @FUZZ
    @given(query=st.dictionaries(st.sampled_from(["state", "service", "limit", "before", "x"]), st.text(max_size=10)))
    def run(query: dict[str, str]) -> None:
        response: Any = client.get("/api/v1/outages", query_params=query)

        assert response.status_code in {200, 400}, response.content

    run()
