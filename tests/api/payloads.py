"""What others really send: payloads of the formats' own documentation and of the programs themselves.

Only moments are changed, for a report must not be older than a year. Sources: the example of Alertmanager's webhook
(version 4) and of Grafana's webhook notifier, the CloudEvents HTTP binding and JSON format 1.0.2, and the full
envelope of Sentry's specification of feedback.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any


def alertmanager_message(*, now: datetime, **changes: Any) -> dict[str, Any]:
    """Return a message with one alert that began a minute ago; `changes` go into the alert."""
    alert: dict[str, Any] = {
        "status": "firing",
        "labels": {
            "alertname": "ProbeFailure",
            "instance": "https://server.example.org",
            "job": "http_checks",
            "monitor": "master",
            "severity": "critical",
            "service": "mail",
        },
        "annotations": {
            "description": "Instance https://server.example.org has been down for over 5m. Job: http_checks",
            "summary": "BlackBox Probe Failure: https://server.example.org",
        },
        "startsAt": (now - timedelta(minutes=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.org:9090/graph?g0.expr=probe_success+%3D%3D+0&g0.tab=1",
        "fingerprint": "1a30ba71cca2921f",
    }
    return {
        "receiver": "sms",
        "status": "firing",
        "alerts": [alert | changes],
        "groupLabels": {"alertname": "ProbeFailure"},
        "commonLabels": alert["labels"],
        "commonAnnotations": alert["annotations"],
        "externalURL": "http://prometheus.example.org:9093",
        "version": "4",
        "groupKey": '{}/{severity="critical"}:{alertname="ProbeFailure"}',
        "truncatedAlerts": 0,
    }


def grafana_message(*, now: datetime) -> dict[str, Any]:
    """Return a message with two alerts that began some minutes ago."""

    def alert(name: str, zone: str, fingerprint: str) -> dict[str, Any]:
        return {
            "status": "firing",
            "labels": {"alertname": name, "team": "blue", "zone": zone},
            "annotations": {
                "description": "The system has " + name.lower(),
                "runbook_url": "https://myrunbook.com/runbook/1234",
                "summary": f"This alert was triggered for zone {zone}",
            },
            "startsAt": (now - timedelta(minutes=5)).isoformat(),
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "https://play.grafana.org/alerting/1afz29v7z/edit",
            "fingerprint": fingerprint,
            "silenceURL": "https://play.grafana.org/alerting/silence/new?alertmanager=grafana",
            "dashboardURL": "",
            "panelURL": "",
            "values": {"B": 44.23943737541908, "C": 1},
        }

    return {
        "receiver": "My Super Webhook",
        "status": "firing",
        "orgId": 1,
        "alerts": [
            alert("High memory usage", "us-1", "c6eadffa33fcdf37"),
            alert("High CPU usage", "eu-1", "bc97ff14869b13e3"),
        ],
        "groupLabels": {},
        "commonLabels": {"team": "blue"},
        "commonAnnotations": {},
        "externalURL": "https://play.grafana.org/",
        "version": "1",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
        "title": "[FIRING:2]  (blue)",
        "state": "alerting",
        "message": "**Firing**",
    }


def cloud_event(*, now: datetime, **changes: Any) -> dict[str, Any]:
    """Return an event as the JSON format has it, with extensions and an attribute that is null; its data a report."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "type": "outcry.report.v1",
        "source": "/mycontext",
        "subject": None,
        "id": "C234-1234-1234",
        "time": (now - timedelta(minutes=2)).isoformat().replace("+00:00", "Z"),
        "comexampleextension1": "value",
        "comexampleothervalue": 5,
        "datacontenttype": "application/json",
        "data": {"service": "mail", "text": "can't log in", "region": "DE-BY"},
    }
    return event | changes


def feedback_event(message: str = "I can't log in, the page stays blank", **changes: Any) -> dict[str, Any]:
    """Return the payload of a feedback item, its moment left out."""
    event: dict[str, Any] = {
        "event_id": "9ec79c33ec9942ab8353589fcb2e04dc",
        "platform": "javascript",
        "contexts": {
            "organization": {"id": "0", "slug": "sentry"},
            "feedback": {
                "contact_email": "john@example.com",
                "name": "John Smith",
                "message": message,
                "url": "https://sentry.io/replays/",
                "associated_event_id": "32fd1995636d446385016e2747623e11",
                "replay_id": "82840977e85b4ed3bc27f7b5b25cec15",
            },
        },
        "level": "error",
        "environment": "prod",
        "release": "frontend@f00",
        "sdk": {"integrations": ["BrowserTracing", "Replay"], "name": "sentry.javascript.react", "version": "7.105.0"},
        "tags": {"sentry_version": "24.4.0.dev0"},
        "user": {"ip_address": "127.0.0.1", "email": "john@example.com", "id": 1, "name": "John Smith"},
    }
    return event | changes


def envelope(*items: tuple[dict[str, Any], bytes], **headers: Any) -> bytes:
    """Return an envelope; `dsn=None` and the like leave a header out."""
    head = {
        "event_id": "9ec79c33ec9942ab8353589fcb2e04dc",
        "sent_at": "2024-03-19T15:18:27.581Z",
        "sdk": {"name": "sentry.javascript.react", "version": "7.105.0"},
    } | headers
    lines = [json.dumps({name: value for name, value in head.items() if value is not None}).encode()]
    for header, payload in items:
        lines += [json.dumps(header).encode(), payload]
    return b"\n".join(lines) + b"\n"


def feedback_envelope(message: str = "I can't log in, the page stays blank", **headers: Any) -> bytes:
    """Return the envelope of the specification: feedback, a screenshot with line breaks in it, and a log."""
    screenshot = b"\x89PNG\r\n\x1a\n\x00\x00\n\n{}"
    return envelope(
        ({"type": "feedback"}, json.dumps(feedback_event(message)).encode()),
        ({"type": "attachment", "length": len(screenshot), "filename": "screenshot.png"}, screenshot),
        ({"type": "attachment", "length": 4, "filename": "debug-logs.txt"}, b"a\nb\n"),
        **headers,
    )


# What @sentry/browser 11.12.0 sent for `captureFeedback`: to the address of a DSN, by `tunnel` with a screenshot, and
# by `makeMultiplexedTransport` beside a DSN of Sentry's. KEY stands for the key.
SDK_ENVELOPES: dict[str, tuple[str, bytes]] = {
    "dsn": (
        "sentry_version=7&sentry_key=KEY&sentry_client=sentry.javascript.browser%2F11.12.0",
        b'{"event_id":"36c49c25f0f54f4e8f549bbb273adfea","sent_at":"2026-11-26T02:13:57.071Z","sdk":'
        b'{"name":"sentry.javascript.browser","version":"11.12.0"},"trace":{"environment":"productio'
        b'n","release":"shop@1.4.2","public_key":"KEY","trace_id":"e66f59b30a7c4928839193dfb5517bb6"'
        b"}}\n"
        b'{"type":"feedback"}\n'
        b'{"contexts":{"trace":{"trace_id":"e66f59b30a7c4928839193dfb5517bb6","span_id":"b3c6e0a012a'
        b'1dca0"},"feedback":{"contact_email":"jane@example.org","name":"Jane Doe","message":"I can\''
        b't log in since this morning \xe2\x80\x94 st\xc3\xa4ndig Fehler","url":"https://shop.example.org/login","s'
        b'ource":"widget"}},"type":"feedback","level":"info","tags":{"a":"b"},"platform":"javascript'
        b'","event_id":"36c49c25f0f54f4e8f549bbb273adfea","timestamp":1795659237.07,"environment":"p'
        b'roduction","release":"shop@1.4.2","sdk":{"name":"sentry.javascript.browser","version":"11.'
        b'12.0","integrations":[],"packages":[{"name":"npm:@sentry/browser","version":"11.12.0"}],"s'
        b'ettings":{"infer_ip":"auto"}}}\n',
    ),
    "tunnel": (
        "",
        b'{"event_id":"7b09e8dee3104f98b8e2e398d50b1e4b","sent_at":"2026-11-26T02:13:57.110Z","sdk":'
        b'{"name":"sentry.javascript.browser","version":"11.12.0"},"dsn":"http://KEY@outcry.example.'
        b'org/3","trace":{"environment":"production","release":"shop@1.4.2","public_key":"KEY","trac'
        b'e_id":"9dbf85fd78784dd2b7e68d3efdc14e5e"}}\n'
        b'{"type":"feedback"}\n'
        b'{"contexts":{"trace":{"trace_id":"9dbf85fd78784dd2b7e68d3efdc14e5e","span_id":"ac0175e5a7c'
        b'e59d8"},"feedback":{"contact_email":"jane@example.org","name":"Jane Doe","message":"I can\''
        b't log in since this morning \xe2\x80\x94 st\xc3\xa4ndig Fehler","url":"https://shop.example.org/login","s'
        b'ource":"widget"}},"type":"feedback","level":"info","tags":{"a":"b"},"platform":"javascript'
        b'","event_id":"7b09e8dee3104f98b8e2e398d50b1e4b","timestamp":1795659237.11,"environment":"p'
        b'roduction","release":"shop@1.4.2","sdk":{"name":"sentry.javascript.browser","version":"11.'
        b'12.0","integrations":[],"packages":[{"name":"npm:@sentry/browser","version":"11.12.0"}],"s'
        b'ettings":{"infer_ip":"auto"}}}\n'
        b'{"type":"attachment","length":8,"filename":"screenshot.png","content_type":"image/png"}\n'
        b"\x89PNG\r\n"
        b"\x1a\n"
        b"\n",
    ),
    "multiplexed": (
        "sentry_version=7&sentry_key=KEY",
        b'{"event_id":"b9a2580b09954b82bb50e490c3c3c042","sent_at":"2026-11-26T02:13:57.113Z","sdk":'
        b'{"name":"sentry.javascript.browser","version":"11.12.0"},"trace":{"environment":"productio'
        b'n","release":"shop@1.4.2","public_key":"abc","trace_id":"6d0a05588a4d4685a57c39b1e44bacd8"'
        b',"org_id":"1"},"dsn":"http://KEY@outcry.example.org/3"}\n'
        b'{"type":"feedback"}\n'
        b'{"contexts":{"trace":{"trace_id":"6d0a05588a4d4685a57c39b1e44bacd8","span_id":"b17fccdadc1'
        b'5f4b3"},"feedback":{"contact_email":"jane@example.org","name":"Jane Doe","message":"I can\''
        b't log in since this morning \xe2\x80\x94 st\xc3\xa4ndig Fehler","url":"https://shop.example.org/login","s'
        b'ource":"widget"}},"type":"feedback","level":"info","tags":{"a":"b"},"platform":"javascript'
        b'","event_id":"b9a2580b09954b82bb50e490c3c3c042","timestamp":1795659237.113,"environment":"'
        b'production","release":"shop@1.4.2","sdk":{"name":"sentry.javascript.browser","version":"11'
        b'.12.0","integrations":[],"packages":[{"name":"npm:@sentry/browser","version":"11.12.0"}],"'
        b'settings":{"infer_ip":"auto"}}}\n',
    ),
}
