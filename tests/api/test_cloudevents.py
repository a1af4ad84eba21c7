"""CloudEvents 1.0 over HTTP: structured, binary and batched, stored once under source and id."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from reports.api.formats.cloudevents import EVENT_TYPE, MAX_EVENT_BYTES, header_value
from reports.enums import Channel, Scope
from reports.models import Report
from tests.api.conftest import Caller
from tests.api.payloads import cloud_event
from tests.factories import make_service

URL = "/api/v1/cloudevents"
STRUCTURED = "application/cloudevents+json; charset=UTF-8"
BATCHED = "application/cloudevents-batch+json; charset=UTF-8"
ATTRIBUTES = {"ce-specversion": "1.0", "ce-type": EVENT_TYPE, "ce-source": "/mycontext", "ce-id": "1234-1234-1234"}
DATA = {"service": "mail", "text": "can't log in"}


def send(client: Client, event: Any, content_type: str = STRUCTURED) -> Any:
    body = event if isinstance(event, bytes) else json.dumps(event)
    return client.post(URL, body, content_type=content_type)


def send_binary(client: Client, data: Any = DATA, content_type: str = "application/json", **changes: str) -> Any:
    headers = ATTRIBUTES | {f"ce-{name}": value for name, value in changes.items()}
    body = data if isinstance(data, bytes) else json.dumps(data)
    return client.post(URL, body, content_type=content_type, headers=headers)


def an_event(**changes: Any) -> dict[str, Any]:
    return cloud_event(now=timezone.now(), **changes)


def test_a_structured_event_is_a_report(caller: Caller) -> None:
    make_service("mail")
    event = an_event(traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

    response = send(caller(Scope.INTAKE), event)

    assert response.status_code == 202, response.content
    report = Report.objects.get()
    assert response.json()["id"] == str(report.pk)
    assert response.json()["receipt_url"].startswith("http://testserver/receipt/")
    assert (report.channel, report.text, report.region) == (Channel.CLOUDEVENTS, "can't log in", "DE-BY")
    assert report.occurred_at.isoformat().replace("+00:00", "Z") == event["time"]
    assert (report.source, report.trace) == ("/mycontext", "0af7651916cd43dd8448eb211c80319c")


def test_a_binary_event_is_the_same_report(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)
    event = an_event()
    first = send(client, event)

    again = send_binary(client, event["data"], id=event["id"], time=event["time"])

    assert again.status_code == 202, again.content
    assert again.json() == first.json()
    assert Report.objects.count() == 1


def test_the_data_go_before_the_attributes(caller: Caller) -> None:
    make_service("mail")
    occurred_at = timezone.now().isoformat()

    send(caller(Scope.INTAKE), an_event(data={**DATA, "source": "desk", "occurred_at": occurred_at}))

    report = Report.objects.get()
    assert (report.source, report.occurred_at.isoformat()) == ("desk", occurred_at)


def test_data_in_base64_are_read(caller: Caller) -> None:
    make_service("mail")
    event = an_event(data_base64=b64encode(json.dumps(DATA).encode()).decode())
    del event["data"]

    assert send(caller(Scope.INTAKE), event).status_code == 202
    assert Report.objects.get().text == "can't log in"


def test_an_event_that_is_sent_again_is_stored_once_and_another_source_is_another_event(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)
    event = an_event()

    answers = [send(client, event).json() for _ in range(2)]
    send(client, event | {"source": "/other"})

    assert answers[0] == answers[1]
    assert Report.objects.count() == 2


def test_an_id_that_comes_with_another_content_is_refused(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)
    send(client, an_event())

    response = send(client, an_event(data={**DATA, "text": "slow"}))

    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "id"
    assert Report.objects.count() == 1


def test_a_batch_is_answered_event_by_event(caller: Caller) -> None:
    make_service("mail")
    events = [
        an_event(id="1"),
        an_event(id="2", data={"service": "mall", "text": "slow"}),
        an_event(id="3", type="com.example.someevent"),
        "no event",
        an_event(id="5", data={**DATA, "text": "x" * MAX_EVENT_BYTES}),
    ]

    response = send(caller(Scope.INTAKE), events, BATCHED)

    answer = response.json()
    assert response.status_code == 202, response.content
    assert (answer["accepted"], answer["rejected"]) == (1, 4)
    assert [item["errors"][0]["field"] for item in answer["items"][1:]] == ["data.service", "type", "", ""]
    assert "65,536" in answer["items"][4]["errors"][0]["message"]


def test_an_empty_batch_is_valid(caller: Caller) -> None:
    response = send(caller(Scope.INTAKE), [], BATCHED)

    assert (response.status_code, response.json()) == (202, {"accepted": 0, "rejected": 0, "items": []})


def test_a_batch_without_a_good_event_is_refused(caller: Caller) -> None:
    response = send(caller(Scope.INTAKE), [an_event(type="com.example.someevent")], BATCHED)

    told = response.json()
    assert response.status_code == 422
    assert told["type"] == "urn:problem-type:outcry:invalid-batch"
    assert (told["errors"][0]["item"], told["errors"][0]["pointer"]) == (0, "#/0/type")


@pytest.mark.parametrize(
    ("changes", "field", "word"),
    [
        ({"specversion": "0.3"}, "specversion", "'0.3'"),
        ({"specversion": None}, "specversion", "'1.0'"),
        ({"id": ""}, "id", "missing"),
        ({"source": None}, "source", "missing"),
        ({"type": "com.example.someevent"}, "type", EVENT_TYPE),
        ({"time": "yesterday"}, "time", "'yesterday'"),
        ({"time": "2026-03-04T12:00:00"}, "time", "offset"),
        ({"datacontenttype": "application/xml"}, "datacontenttype", "application/json"),
        ({"data": {"service": "mail"}}, "data.text", "empty"),
        ({"data": {"service": "mall", "text": "slow"}}, "data.service", "'mall'"),
        ({"data": {"service": "mail", "colour": "red"}}, "data.colour", "no field"),
        ({"data": "I'm just a string"}, "data", ""),
        ({"data_base64": "e30="}, "data_base64", "beside data"),
        ({"id": 7}, "id", "str"),
    ],
)
def test_what_is_wrong_with_an_event_is_named(caller: Caller, changes: dict[str, Any], field: str, word: str) -> None:
    make_service("mail")

    response = send(caller(Scope.INTAKE), an_event(**changes))

    told = response.json()
    assert response.status_code == 422, told
    assert told["type"] == "urn:problem-type:outcry:invalid-report"
    assert [error["field"] for error in told["errors"]] == [field]
    assert told["errors"][0]["pointer"] == "#/" + field.replace(".", "/")
    assert word in told["errors"][0]["message"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"type": "com.example.someevent"}, "Ce-Type"), ({"time": "x"}, "Ce-Time"), ({"id": "%C0%A0"}, "Ce-Id")],
)
def test_what_is_wrong_with_a_header_is_named(caller: Caller, changes: dict[str, str], field: str) -> None:
    make_service("mail")

    response = send_binary(caller(Scope.INTAKE), **changes)

    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert "pointer" not in response.json()["errors"][0]


def test_a_field_of_a_binary_event_stands_in_its_body(caller: Caller) -> None:
    make_service("mail")

    response = send_binary(caller(Scope.INTAKE), {**DATA, "region": "BY-DE"})

    assert [error["field"] for error in response.json()["errors"]] == ["region"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),  # the binding's own example
        ("%45uro", "Euro"),
        ("%e2%82%ac", "€"),
        ('"with \\"quotes\\" and \\\\"', 'with "quotes" and \\'),
        ('"%22"', '"'),
        ("/mycontext/subcontext", "/mycontext/subcontext"),
        ("50%", "50%"),
        ('"', '"'),
        ("", ""),
    ],
)
def test_header_values_are_decoded_as_the_binding_says(given: str, expected: str) -> None:
    assert header_value(given) == expected


@pytest.mark.parametrize("value", ["%C0%A0", "%FF", "a%E2%82"])
def test_a_header_value_that_is_no_utf_8_is_refused(value: str) -> None:
    with pytest.raises(UnicodeDecodeError):
        header_value(value)


def test_a_source_with_other_letters_arrives(caller: Caller) -> None:
    make_service("mail")

    send_binary(caller(Scope.INTAKE), source="/b%C3%BCro%20eins")

    assert Report.objects.get().source == "/büro eins"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "kind"),
    [
        (b"{", STRUCTURED, 400, "malformed-body"),
        (b"[" * 50_000, STRUCTURED, 422, "invalid-report"),
        (b"{", BATCHED, 400, "malformed-body"),
        (b"{}", "application/cloudevents+avro", 415, "unsupported-media-type"),
        (b"{}", "application/json", 415, "unsupported-media-type"),
        (b" " * (MAX_EVENT_BYTES + 1), STRUCTURED, 413, "too-large"),
    ],
)
def test_what_is_no_event_is_refused(caller: Caller, body: bytes, content_type: str, status: int, kind: str) -> None:
    response = send(caller(Scope.INTAKE), body, content_type)

    assert response.status_code == status, response.content
    assert response.json()["type"] == f"urn:problem-type:outcry:{kind}"


def test_binary_data_that_are_no_json_are_refused(caller: Caller) -> None:
    response = send_binary(caller(Scope.INTAKE), b'<much wow="xml"/>')

    assert response.status_code == 400
    assert response.json()["type"] == "urn:problem-type:outcry:malformed-body"


def test_binary_data_of_another_type_are_refused(caller: Caller) -> None:
    response = send_binary(caller(Scope.INTAKE), b'<much wow="xml"/>', "application/xml")

    assert response.status_code == 415


def test_a_sender_that_asks_beforehand_is_told_that_it_may_send(caller: Caller, settings: Any) -> None:
    settings.KEY_REPORTS_PER_MINUTE = 70_000
    asking = {"WebHook-Request-Origin": "eventemitter.example.com", "WebHook-Request-Rate": "120"}

    agreed = caller(Scope.INTAKE).options(URL, headers=asking)
    refused = [Client().options(URL, headers=asking), caller(Scope.READ).options(URL, headers=asking)]

    assert agreed.status_code == 200
    assert "POST" in agreed["Allow"]
    assert (agreed["WebHook-Allowed-Origin"], agreed["WebHook-Allowed-Rate"]) == ("eventemitter.example.com", "70000")
    assert [answer.status_code for answer in refused] == [401, 403]
    assert not any("WebHook-Allowed-Origin" in answer for answer in refused)
    assert caller(Scope.INTAKE).options(URL).status_code == 405


def test_an_event_of_exactly_64_kib_is_taken(caller: Caller) -> None:
    make_service("mail")
    event = an_event(padding="")
    event["padding"] = "x" * (MAX_EVENT_BYTES - len(json.dumps(event)))

    assert send(caller(Scope.INTAKE), event).status_code == 202
