"""Batches over REST: each item answers for itself, unless all or nothing is asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from reports.enums import Channel, Scope
from reports.intake.contract import MAX_BATCH_REPORTS, MAX_BODY_BYTES
from reports.models import IntakeBatch, Report
from tests.api.conftest import Caller
from tests.factories import make_service

URL = "/api/v1/reports:batch"
GOOD = {"service": "mail", "text": "slow"}
BAD_REGION = {"service": "mail", "text": "slow", "region": "XX"}
NDJSON = "application/x-ndjson"


def send(client: Client, body: Any, content_type: str = "application/json", query: str = "", **headers: str) -> Any:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(URL + query, sent, content_type=content_type, headers=headers)


def test_an_array_is_stored_in_one_batch(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)

    response = send(client, [GOOD] * 3)

    answer = response.json()
    assert response.status_code == 202
    assert (answer["accepted"], answer["rejected"]) == (3, 0)
    assert [item["item"] for item in answer["items"]] == [0, 1, 2]
    assert {item["id"] for item in answer["items"]} == {str(pk) for pk in Report.objects.values_list("pk", flat=True)}
    assert IntakeBatch.objects.count() == 1
    assert set(Report.objects.values_list("channel", flat=True)) == {Channel.BULK}


@pytest.mark.parametrize("media_type", ["application/x-ndjson", "application/ndjson", "application/jsonl"])
def test_lines_of_json_are_stored_and_blank_lines_do_not_count(caller: Caller, media_type: str) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)
    body = b'\n{"service":"mail","text":"slow"}\r\n\n   \n{"service":"mail","symptom":"down"}'

    response = send(client, body, media_type)

    assert [item["item"] for item in response.json()["items"]] == [0, 1]
    assert Report.objects.count() == 2


def test_good_items_are_stored_and_bad_ones_told_with_their_errors(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)

    response = send(client, [GOOD, BAD_REGION, "slow", {"service": "mall", "lang": "?"}, GOOD])

    answer = response.json()
    assert response.status_code == 202
    assert (answer["accepted"], answer["rejected"]) == (2, 3)
    assert ["id" in item for item in answer["items"]] == [True, False, False, False, True]
    assert [error["field"] for error in answer["items"][1]["errors"]] == ["region"]
    assert [error["field"] for error in answer["items"][2]["errors"]] == [""]
    assert {error["field"] for error in answer["items"][3]["errors"]} == {"service", "lang", "text"}
    assert Report.objects.count() == 2


def test_each_receipt_belongs_to_its_item(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)

    response = send(client, [BAD_REGION, {"service": "mail", "text": "one"}, {"service": "mail", "text": "two"}])

    texts = {str(pk): text for pk, text in Report.objects.values_list("pk", "text")}
    assert [texts[item["id"]] for item in response.json()["items"][1:]] == ["one", "two"]


def test_a_line_that_is_no_json_is_the_error_of_that_line_alone(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)
    lines = b'{"service":"mail","text":"slow"}\n{"service":\n\xff\n' + b"[" * 50_000 + b"\n"

    response = send(client, lines, NDJSON)

    answer = response.json()
    assert (answer["accepted"], answer["rejected"]) == (1, 3)
    assert "JSON" in answer["items"][1]["errors"][0]["message"]


def test_all_or_nothing_stores_nothing_where_one_item_is_wrong(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)

    response = send(client, [GOOD, BAD_REGION], query="?all_or_nothing=true")

    told = response.json()
    assert response.status_code == 422
    assert told["type"] == "urn:problem-type:outcry:invalid-batch"
    assert [(error["item"], error["pointer"]) for error in told["errors"]] == [(1, "#/1/region")]
    assert Report.objects.count() == 0


def test_all_or_nothing_stores_all_where_all_are_good(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)

    response = send(client, [GOOD, GOOD], query="?all_or_nothing=1")

    assert response.json()["accepted"] == 2


def test_a_batch_without_a_good_item_is_refused(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)

    response = send(client, [BAD_REGION, BAD_REGION])

    assert response.status_code == 422
    assert [error["item"] for error in response.json()["errors"]] == [0, 1]


@pytest.mark.parametrize("body", [b"[]", b"[ ]"])
def test_an_empty_batch_is_refused(caller: Caller, body: bytes) -> None:
    client = caller(Scope.INTAKE)

    response = send(client, body)

    assert response.status_code == 422
    assert "no report" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "body", [b"[", b"{", b'[{"service":]', b"nonsense", b'{"service":"mail","text":"slow"}', b"[" * 50_000]
)
def test_a_body_that_is_no_array_is_malformed(caller: Caller, body: bytes) -> None:
    client = caller(Scope.INTAKE)

    response = send(client, body)

    assert response.status_code == 400
    assert response.json()["type"] == "urn:problem-type:outcry:malformed-body"


@pytest.mark.parametrize("content_type", ["application/json", NDJSON])
def test_ten_thousand_and_one_reports_are_refused(caller: Caller, content_type: str) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)
    items = [json.dumps(GOOD)] * (MAX_BATCH_REPORTS + 1)
    body = "\n".join(items) if content_type == NDJSON else f"[{','.join(items)}]"

    response = send(client, body.encode(), content_type)

    assert response.status_code == 413
    assert "10,000" in response.json()["detail"]
    assert Report.objects.count() == 0


def test_ten_thousand_reports_are_taken_at_once(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)

    response = send(client, [GOOD] * MAX_BATCH_REPORTS)

    answer = response.json()
    assert answer["accepted"] == MAX_BATCH_REPORTS
    assert Report.objects.count() == MAX_BATCH_REPORTS


def test_a_body_beyond_the_limit_is_refused(caller: Caller) -> None:
    client = caller(Scope.INTAKE)

    response = send(client, b" " * (MAX_BODY_BYTES + 1))

    assert response.status_code == 413
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("query", ["?all_or_nothing=maybe", "?all_or_nothing=", "?all_or_nothing=1&all_or_nothing=0"])
def test_nonsense_for_a_flag_is_named(caller: Caller, query: str) -> None:
    client = caller(Scope.INTAKE)

    response = send(client, [GOOD], query=query)

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "all_or_nothing"


def test_a_misspelt_flag_is_refused(caller: Caller) -> None:
    client = caller(Scope.INTAKE)

    response = send(client, [GOOD], query="?all-or-nothing=true")

    assert response.status_code == 400
    assert "all_or_nothing" in response.json()["detail"]


def test_thousands_of_parameters_are_refused_as_the_senders_mistake(caller: Caller) -> None:
    client = caller(Scope.INTAKE)

    response = send(client, [GOOD], query="?" + "a=1&" * 2_000)

    assert response.status_code == 400
    assert response.json()["type"] == "urn:problem-type:outcry:invalid-parameter"


def test_a_repeated_idempotency_key_gives_the_first_answer_with_its_errors(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE)

    first = send(client, [GOOD, BAD_REGION], **{"Idempotency-Key": "k1"})
    second = send(client, [GOOD, BAD_REGION], **{"Idempotency-Key": "k1"})

    assert second.json() == first.json()
    assert Report.objects.count() == 1
