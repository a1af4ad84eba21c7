"""Feedback from the widget of a Sentry SDK: who may send it, what becomes of it, and what a browser needs for it."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from reports.api.formats import sentry
from reports.enums import Channel, Scope, Suspicion
from reports.errors import OverLimit
from reports.intake.apikeys import create_key, revoke_key
from reports.intake.contract import MAX_BODY_BYTES
from reports.intake.services import prepare_storage
from reports.models import ApiKey, Report, ReportContact, Service
from tests.api.payloads import SDK_ENVELOPES, envelope, feedback_envelope, feedback_event
from tests.factories import make_service

EVENT_ID = "9ec79c33ec9942ab8353589fcb2e04dc"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def service(transactional_db: None) -> Service:
    """A service; rows are committed, for the writer has a thread of its own."""
    prepare_storage(now=timezone.now())
    return make_service("mail")


@pytest.fixture
def key(transactional_db: None) -> str:
    return a_key(Scope.PUBLIC)


def a_key(*scopes: Scope) -> str:
    return create_key(name="Shop pages", scopes=scopes, created_by_id=None, now=timezone.now()).secret


def send(service: Service, key: str, body: bytes | None = None, **headers: str) -> Any:
    """Send an envelope as the browser's SDK does: as text, with the key in the query."""
    client = Client(raise_request_exception=False)
    query = f"?sentry_version=7&sentry_key={key}&sentry_client=sentry.javascript.react%2F7.105.0" if key else ""
    return client.post(
        f"/api/{service.pk}/envelope/{query}",
        feedback_envelope() if body is None else body,
        content_type="text/plain;charset=UTF-8",
        headers={"User-Agent": "Mozilla/5.0", "Origin": "https://shop.example.org"} | headers,
        REMOTE_ADDR="192.0.2.7",
    )


def test_feedback_is_a_report(service: Service, key: str) -> None:
    response = send(service, key)

    assert response.status_code == 200, response.content
    assert response.json() == {"id": EVENT_ID}
    report = Report.objects.get()
    assert (report.service_id, report.channel) == (service.pk, Channel.SENTRY)
    assert report.text == "I can't log in, the page stays blank"
    assert (report.url, report.release) == ("https://sentry.io/replays/", "frontend@f00")
    assert report.source == "sentry.javascript.react"
    assert ReportContact.objects.get().address == "john@example.com"
    assert report.key == ApiKey.objects.get()
    assert report.suspicion == ""


@pytest.mark.parametrize("way", SDK_ENVELOPES)
def test_what_the_browsers_sdk_sends_is_understood(service: Service, key: str, way: str) -> None:
    query, body = SDK_ENVELOPES[way]

    response: Any = Client().post(
        f"/api/{service.pk}/envelope/?{query}".replace("KEY", key),
        body.replace(b"KEY", key.encode()),
        content_type="text/plain;charset=UTF-8",
        REMOTE_ADDR="192.0.2.7",
    )

    assert response.status_code == 200, response.content
    report = Report.objects.get()
    assert response.json()["id"] in body.decode("latin-1")
    assert report.text == "I can't log in since this morning — ständig Fehler"
    assert (report.url, report.release) == ("https://shop.example.org/login", "shop@1.4.2")
    assert report.source == "sentry.javascript.browser"
    assert len(report.trace) == 32
    assert timezone.now() - report.occurred_at < timedelta(minutes=1)
    assert ReportContact.objects.get().address == "jane@example.org"


def test_reporters_are_told_apart_by_network_and_browser(service: Service, key: str) -> None:
    send(service, key, feedback_envelope(event_id="a" * 32))
    send(service, key, feedback_envelope(event_id="b" * 32))
    send(service, key, feedback_envelope(event_id="c" * 32), **{"User-Agent": "another"})

    reporters = [bytes(reporter) for reporter in Report.objects.values_list("reporter", flat=True)]
    networks = {bytes(network) for network in Report.objects.values_list("network", flat=True)}
    assert (len(reporters), len(set(reporters)), len(networks)) == (3, 2, 1)
    assert networks != {b""}


def test_an_envelope_that_is_sent_again_is_stored_once(service: Service, key: str) -> None:
    answers = [send(service, key).json() for _ in range(2)]

    assert answers[0] == answers[1]
    assert Report.objects.count() == 1


def test_the_older_user_report_is_taken_too(service: Service, key: str) -> None:
    told = {"event_id": EVENT_ID, "name": "Jane", "email": "jane@example.com", "comments": "It broke"}

    response = send(service, key, envelope(({"type": "user_report"}, json.dumps(told).encode())))

    assert response.status_code == 200, response.content
    assert Report.objects.get().text == "It broke"
    assert ReportContact.objects.get().address == "jane@example.com"


def test_two_user_reports_of_one_error_are_two(service: Service, key: str) -> None:
    items = [
        ({"type": "user_report"}, json.dumps({"event_id": EVENT_ID, "comments": comments}).encode())
        for comments in ("It broke", "It broke again")
    ]

    send(service, key, envelope(*items))

    assert Report.objects.count() == 2


@pytest.mark.parametrize(
    "body",
    [
        b'{"event_id":"9ec79c33ec9942ab8353589fcb2e04dc"}',
        envelope(({"type": "event", "length": 41}, b'{"message":"hello world","level":"error"}')),
        envelope(({"type": "session"}, b'{"started":"2020-02-07T14:16:00Z"}'), ({"type": "hologram"}, b"\x00\xff")),
        b'{"event_id":"9ec79c33ec9942ab8353589fcb2e04dc"}\n{"type":"attachment","length":0}\n\n'
        b'{"type":"attachment","length":0}\n',
    ],
)
def test_what_is_no_feedback_is_let_pass_and_not_kept(service: Service, key: str, body: bytes) -> None:
    response = send(service, key, body)

    assert (response.status_code, response.json()) == (200, {"id": EVENT_ID})
    assert not Report.objects.exists()


@pytest.mark.parametrize("place", ["header", "envelope"])
def test_the_key_may_come_in_a_header_or_in_the_envelope(service: Service, key: str, place: str) -> None:
    dsn = f"https://{key}@outcry.example.org/{service.pk}" if place == "envelope" else None
    auth = f"Sentry sentry_version=7, sentry_client=sentry.javascript.react/7.105.0, sentry_key={key}"
    headers = {"X-Sentry-Auth": auth} if place == "header" else {}

    response = send(service, "", feedback_envelope(dsn=dsn), **headers)

    assert response.status_code == 200, response.content
    assert Report.objects.count() == 1


def test_without_a_key_nothing_is_taken(service: Service) -> None:
    response = send(service, "")

    assert response.status_code == 401
    assert "DSN" in response.json()["detail"]
    assert response["WWW-Authenticate"].startswith("Sentry ")
    assert response["Access-Control-Allow-Origin"] == "*"
    assert not Report.objects.exists()


def test_a_key_of_another_scope_is_refused(service: Service) -> None:
    response = send(service, a_key(Scope.INTAKE))

    assert response.status_code == 403
    assert "'public'" in response.json()["detail"]
    assert not Report.objects.exists()


def test_a_revoked_key_is_refused(service: Service, key: str) -> None:
    revoke_key(key_id=ApiKey.objects.get().pk, now=timezone.now())

    assert send(service, key).status_code == 401


def test_a_public_key_opens_nothing_else(service: Service, key: str) -> None:
    client = Client(headers={"Authorization": f"Bearer {key}"})

    for path in ("reports", "reports:batch", "alertmanager", "cloudevents", "services"):
        assert client.post(f"/api/v1/{path}", b"{}", content_type="application/json").status_code == 403, path
    for path in ("services", "outages", "outages/1", "clusters/1"):
        assert client.get(f"/api/v1/{path}").status_code == 403, path


def test_another_number_is_no_service(service: Service, key: str) -> None:
    service.pk += 1

    response = send(service, key)

    assert response.status_code == 404
    assert "mail" not in response.text


def test_a_browser_may_ask_first_from_any_page(service: Service) -> None:
    response = Client().options(
        f"/api/{service.pk}/envelope/",
        headers={
            "Origin": "https://shop.example.org",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-sentry-auth",
        },
    )

    allowed = {name.strip().lower() for name in response["Access-Control-Allow-Headers"].split(",")}
    assert response.status_code == 204
    assert response["Access-Control-Allow-Origin"] == "*"
    assert "POST" in response["Access-Control-Allow-Methods"]
    assert {"content-type", "content-encoding", "x-sentry-auth", "sentry-trace", "baggage"} <= allowed
    assert "Access-Control-Allow-Credentials" not in response


def test_every_answer_may_be_read_by_the_page(service: Service, key: str) -> None:
    for response in (send(service, key), send(service, "wrong"), send(service, key, b"{")):
        assert response["Access-Control-Allow-Origin"] == "*"
        assert "Retry-After" in response["Access-Control-Expose-Headers"]


def raw_deflate(body: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(body) + deflater.flush()


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate)]
)
def test_a_compressed_envelope_is_read(service: Service, key: str, encoding: str, compress: Any) -> None:
    response = send(service, key, compress(feedback_envelope()), **{"Content-Encoding": encoding})

    assert response.status_code == 200, response.content
    assert Report.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (feedback_envelope(), "br", 415),
        (feedback_envelope(), "gzip", 400),
        (gzip.compress(feedback_envelope())[:-9], "gzip", 400),
        (gzip.compress(b"0" * (MAX_BODY_BYTES + 1)), "gzip", 413),
        (zlib.compress(b"0" * (8 * MAX_BODY_BYTES)), "deflate", 413),
    ],
    ids=["another encoding", "not compressed", "broken off", "just too large", "a bomb"],
)
def test_what_cannot_be_inflated_within_bounds_is_refused(
    service: Service, key: str, body: bytes, encoding: str, status: int
) -> None:
    assert send(service, key, body, **{"Content-Encoding": encoding}).status_code == status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{}\n{"type":"feedback"',
        b'{}\n{"type":"feedback","length":9}\n{}',
        b'{}\n{"type":"feedback","length":2}\n{}x\n',
        b'{}\n{"type":"feedback","length":-2}\n{}\n',
        b'{}\n{"type":"feedback","length":true}\n{}\n',
        b"{}\n" + b"[" * 50_000 + b"\n",
        b'{"a":[' + b"[]," * 30_000 + b"[]]}\n",
        b'{}\n{"a":[' + b"[]," * 30_000 + b"[]]}\n{}\n",
    ],
)
def test_what_is_no_envelope_is_refused(service: Service, key: str, body: bytes) -> None:
    response = send(service, key, body)

    assert response.status_code == 400, response.content
    assert response.json()["type"] == "urn:problem-type:outcry:malformed-body"


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b"[]",
        b'{"contexts":{"feedback":{"message":"  "}}}',
        b'{"contexts":7}',
        b'{"a":[' + b"[]," * 400_000 + b"[]]}",
    ],
    ids=["broken", "no object", "blank", "odd", "too large"],
)
def test_feedback_that_says_nothing_is_told(service: Service, key: str, payload: bytes) -> None:
    response = send(service, key, envelope(({"type": "feedback"}, payload)))

    assert response.status_code == 422
    assert response.json()["errors"]


def test_what_a_person_wrote_is_not_lost_over_what_does_not_fit(service: Service, key: str) -> None:
    message = "It is down\u202e\x00" + "x" * 4_096
    contexts = {
        "feedback": {"message": message, "contact_email": "nobody", "url": "file:///"},
        "culture": {"locale": "?"},
        "trace": {"trace_id": "none"},
    }
    event = feedback_event(release="r" * 500, contexts=contexts, timestamp="2011-05-02T17:41:36Z")

    response = send(service, key, envelope(({"type": "feedback"}, json.dumps(event).encode())))

    assert response.status_code == 200, response.content
    report = Report.objects.get()
    assert report.text.startswith("It is downxxx")
    assert len(report.text) == 4_000
    assert (report.url, report.lang, report.trace) == ("", "", "")
    assert not ReportContact.objects.exists()
    assert timezone.now() - report.occurred_at < timedelta(minutes=5)


def test_half_a_character_costs_no_feedback(service: Service, key: str) -> None:
    contexts = {"feedback": {"message": "It is down \ud83d"}}  # a smile that was cut in two
    body = json.dumps(feedback_event(contexts=contexts)).encode()
    assert b"\\ud83d" in body

    response = send(service, key, envelope(({"type": "feedback"}, body)))

    assert response.status_code == 200, response.content
    assert Report.objects.get().text == "It is down ?"


def test_a_clock_that_is_wrong_is_corrected_by_when_it_was_sent(service: Service, key: str) -> None:
    event = feedback_event(timestamp=datetime(2031, 1, 1, 12, 0, tzinfo=UTC).timestamp())
    body = envelope(({"type": "feedback"}, json.dumps(event).encode()), sent_at="2031-01-01T12:10:00Z")

    send(service, key, body)

    ago = timezone.now() - Report.objects.get().occurred_at
    assert timedelta(minutes=9) < ago < timedelta(minutes=11)


def test_a_country_the_sdk_knows_is_the_region(service: Service, key: str) -> None:
    event = feedback_event(user={"geo": {"country_code": "AT"}})

    send(service, key, envelope(({"type": "feedback"}, json.dumps(event).encode())))

    assert Report.objects.get().region == "AT"


@pytest.mark.usefixtures("broker")
def test_too_much_of_one_network_is_held_back_and_not_refused(service: Service, key: str, settings: Any) -> None:
    settings.FORM_REPORTS_OF_A_NETWORK_PER_MINUTE = 3

    answers = [send(service, key, feedback_envelope(event_id=f"{i:032x}")).status_code for i in range(5)]

    held = Report.objects.order_by("received_at").values_list("suspicion", flat=True)
    assert answers == [200] * 5
    assert list(held) == ["", "", "", Suspicion.NO_PROOF, Suspicion.NO_PROOF]


def test_over_its_keys_limit_an_sdk_is_told_to_wait(
    service: Service, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def over(*arguments: Any, **named: Any) -> None:
        raise OverLimit("Too many.", retry_after_seconds=7)

    monkeypatch.setattr("reports.intake.key_limits.check", over)

    response = send(service, key)

    assert response.status_code == 429
    assert response["Retry-After"] == "7"


def test_too_much_feedback_in_one_envelope_is_refused(service: Service, key: str) -> None:
    items = [({"type": "feedback"}, json.dumps(feedback_event()).encode())] * 11

    assert send(service, key, envelope(*items)).status_code == 413


def test_feedback_of_marks_in_no_order_is_read_at_once(service: Service, key: str) -> None:
    event = feedback_event()
    event["contexts"]["feedback"]["message"] = "down " + "\u0301\u0316" * 100_000
    event["release"] = "\u0301\u0316" * 50_000
    payload = json.dumps(event, ensure_ascii=False).encode()
    began = time.process_time()

    response = send(service, key, envelope(({"type": "feedback"}, payload)))

    assert response.status_code == 200, response.content
    assert Report.objects.get().text.startswith("down ")
    assert time.process_time() - began < 5  # minutes, in which nobody else is answered


def test_an_event_that_is_sent_to_two_services_is_a_report_of_each(service: Service, key: str) -> None:
    other = make_service("chat")

    for each in (service, other, other):
        assert send(each, key).status_code == 200

    assert set(Report.objects.values_list("service_id", flat=True)) == {service.pk, other.pk}
    assert Report.objects.count() == 2


def test_nobody_writes_history_with_a_public_key(service: Service, key: str) -> None:
    week_ago = timezone.now() - timedelta(days=7)
    event = json.dumps(feedback_event(timestamp=week_ago.timestamp())).encode()

    response = send(service, key, envelope(({"type": "feedback"}, event), sent_at=timezone.now().isoformat()))

    assert response.status_code == 200, response.content
    report = Report.objects.get()
    assert timezone.now() - report.occurred_at > timedelta(days=6)
    assert report.counted_at == report.received_at


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
def test_without_a_key_no_more_than_the_head_is_inflated(
    service: Service, monkeypatch: pytest.MonkeyPatch, compress: Callable[[bytes], bytes]
) -> None:
    def inflated(*_: object, **__: object) -> bytes:
        raise AssertionError("a stranger's body was inflated")

    monkeypatch.setattr(sentry, "inflated", inflated)
    encoding = "gzip" if compress is gzip.compress else "deflate"

    response = send(service, "", compress(b"{}\n" + b'{"type": "x"}\n\n' * 100_000), **{"Content-Encoding": encoding})

    assert response.status_code == 401, response.content
