"""What the OpenAPI schema says of the formats that others speak, with examples; `reports.api.schema` has the rest."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, PolymorphicProxySerializer

from reports.api import problems, serializers
from reports.api.formats.cloudevents import EVENT_TYPE
from reports.api.schema import INTAKE_PROBLEMS, KEY_PROBLEMS, RECEIPT_URL, REPORT, REPORT_ID, answered, sent, told

_ALERT = {
    "status": "firing",
    "labels": {"alertname": "HighErrorRate", "service": "mail", "region": "DE-BY", "severity": "critical"},
    "annotations": {
        "summary": "Mail answers with errors",
        "description": "8 % of the requests of the last 5 minutes failed",
    },
    "startsAt": "2026-03-04T09:02:11.204Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "https://prometheus.example.org/graph?g0.expr=errors",
    "fingerprint": "1a30ba71cca2921f",
}
_MESSAGE = {
    "version": "4",
    "groupKey": '{}:{alertname="HighErrorRate"}',
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "outcry",
    "groupLabels": {"alertname": "HighErrorRate"},
    "commonLabels": {"alertname": "HighErrorRate"},
    "commonAnnotations": {},
    "externalURL": "https://alertmanager.example.org",
    "alerts": [_ALERT, {**_ALERT, "status": "resolved", "fingerprint": "bc97ff14869b13e3"}],
}
_EVENT = {
    "specversion": "1.0",
    "type": EVENT_TYPE,
    "source": "https://desk.example.org/tickets",
    "id": "4711",
    "time": "2026-03-04T09:02:11Z",
    "data": REPORT,
}
_ENVELOPE = (
    '{"event_id":"9ec79c33ec9942ab8353589fcb2e04dc","sent_at":"2026-03-04T09:02:11.581Z",'
    '"sdk":{"name":"sentry.javascript.browser","version":"9.1.0"}}\n'
    '{"type":"feedback"}\n'
    '{"contexts":{"feedback":{"message":"I can\'t log in since this morning","url":"https://shop.example.org/login"}}}\n'
)
_ALERTS_PATH, _EVENTS_PATH, _ENVELOPE_PATH = "/api/v1/alertmanager", "/api/v1/cloudevents", "/api/1/envelope/"
_NOT_KNOWN_HERE = (problems.IDEMPOTENCY_CONFLICT,)  # these formats have no Idempotency-Key
_PROBLEMS = tuple(kind for kind in INTAKE_PROBLEMS if kind not in _NOT_KNOWN_HERE)

SEND_ALERTS: dict[str, Any] = {
    "operation_id": "send_alerts",
    "tags": ["intake"],
    "summary": "Take alerts from Alertmanager",
    "description": "The webhook of Alertmanager (version 4) and of Grafana. Each alert that fires is a report, once, "
    "however often it is told; what is good is stored, the rest is told. Where nothing that fires could be taken the "
    "answer is 422, and 503 where it should be sent again. Needs the scope `intake`.",
    "parameters": [
        OpenApiParameter("service", OpenApiTypes.STR, description="The service all alerts are for, whatever they say."),
        OpenApiParameter(
            "service_label",
            OpenApiTypes.STR,
            default="service",
            description="The label that names the service, where `service` is not given.",
        ),
    ],
    "request": {"application/json": serializers.AlertMessage},
    "responses": {
        (202, "application/json"): serializers.AlertsAnswer,
        **told(
            problems.INVALID_PARAMETER,
            *(kind for kind in _PROBLEMS if kind != problems.OVER_LIMIT),
            problems.BUSY,
            problems.INVALID_BATCH,
            problems.INVALID_INPUT,
            path=_ALERTS_PATH,
        ),
    },
    "examples": [
        sent("A message", _MESSAGE),
        answered(
            "One stored, one over",
            {
                "stored": 1,
                "repeated": 0,
                "resolved": 1,
                "rejected": 0,
                "truncated": 0,
                "items": [
                    {
                        "item": 0,
                        "fingerprint": "1a30ba71cca2921f",
                        "outcome": "stored",
                        "id": REPORT_ID,
                        "receipt_url": RECEIPT_URL,
                    },
                    {"item": 1, "fingerprint": "bc97ff14869b13e3", "outcome": "resolved"},
                ],
            },
            202,
        ),
    ],
}
SEND_EVENT: dict[str, Any] = {
    "operation_id": "send_event",
    "tags": ["intake"],
    "summary": "Take CloudEvents",
    "description": f"CloudEvents 1.0 of the type `{EVENT_TYPE}`, whose data are a report: structured, batched, or "
    "binary with the attributes as `ce-` headers and the report as the body. Each is stored once under its source and "
    "id. A batch is answered as one of reports. Needs the scope `intake`.",
    "parameters": [
        OpenApiParameter(f"ce-{name}", OpenApiTypes.STR, OpenApiParameter.HEADER, description="In binary mode.")
        for name in ("specversion", "type", "source", "id", "time")
    ],
    "request": {
        "application/cloudevents+json": serializers.CloudEvent,
        "application/cloudevents-batch+json": serializers.CloudEvent(many=True),
        "application/json": serializers.Report,
    },
    "responses": {
        (202, "application/json"): PolymorphicProxySerializer(
            component_name="EventAnswer",
            serializers=[serializers.Receipt, serializers.BatchAnswer],
            resource_type_field_name=None,
        ),
        **told(
            problems.INVALID_PARAMETER, *_PROBLEMS, problems.INVALID_REPORT, problems.INVALID_BATCH, path=_EVENTS_PATH
        ),
    },
    "examples": [
        sent("An event", _EVENT, "application/cloudevents+json"),
        sent("A batch", _EVENT, "application/cloudevents-batch+json"),  # the generator makes a list of it
        sent("The data of a binary event", REPORT),
        answered("An event is stored", {"id": REPORT_ID, "receipt_url": RECEIPT_URL}, 202),
        answered(
            "A batch is stored",
            {"accepted": 1, "rejected": 0, "items": [{"item": 0, "id": REPORT_ID, "receipt_url": RECEIPT_URL}]},
            202,
        ),
    ],
}
SEND_ENVELOPE: dict[str, Any] = {
    "operation_id": "send_envelope",
    "tags": ["intake"],
    "summary": "Take feedback from a Sentry SDK",
    "description": "An envelope as Sentry's SDKs send it. Items of the types `feedback` and `user_report` become "
    "reports of the service with that number, others are let pass. The key, of the scope `public`, comes as "
    "`sentry_key` in the query, in `X-Sentry-Auth`, or in the envelope's `dsn`. From any page (CORS).",
    "parameters": [
        OpenApiParameter(
            "project", OpenApiTypes.INT, OpenApiParameter.PATH, description="The service's number, on its staff page."
        ),
        OpenApiParameter(
            "Content-Encoding",
            OpenApiTypes.STR,
            OpenApiParameter.HEADER,
            enum=["gzip", "deflate"],
            description="How the body is compressed, if it is.",
        ),
    ],
    "request": {"application/x-sentry-envelope": OpenApiTypes.STR, "text/plain": OpenApiTypes.STR},
    "responses": {
        (200, "application/json"): serializers.EnvelopeAnswer,
        **told(
            problems.MALFORMED_BODY,
            *KEY_PROBLEMS,
            problems.NOT_FOUND,
            problems.TOO_LARGE,
            problems.UNSUPPORTED_MEDIA_TYPE,
            problems.INVALID_REPORT,
            problems.OVER_LIMIT,
            problems.STORE_UNAVAILABLE,
            path=_ENVELOPE_PATH,
        ),
    },
    "examples": [
        *(
            OpenApiExample("An envelope", value=_ENVELOPE, request_only=True, media_type=media_type)
            for media_type in ("application/x-sentry-envelope", "text/plain")
        ),
        answered("Taken", {"id": "9ec79c33ec9942ab8353589fcb2e04dc"}),
    ],
}


class DsnScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers by subclassing
    """How the key of a DSN is sent."""

    target_class = "reports.api.authentication.DsnAuthentication"
    name = "dsn"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "query",
            "name": "sentry_key",
            "description": "A key of the scope `public`, as Sentry's SDKs send that of their DSN.",
        }
