"""What the OpenAPI schema says of each endpoint, with examples; and the address that serves it.

Kept apart from the views so that they read as what they do. The tests send every request example and hold the answers
against the schema.
"""

from __future__ import annotations

from typing import Any

from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_page
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import AllowAny

from reports.api import problems, serializers
from reports.api.problems import Kind
from reports.enums import OutageState
from reports.intake.contract import MAX_BATCH_REPORTS

REPORT_ID = "0195a3c1-5a00-7c3e-9d41-6f2b8c0e4a77"
RECEIPT_URL = "https://status.example.org/receipt/AZWjwVoAfD6dQW8rjA5Kdw.kq3o0hJ6w1m5oH0Wm3mXb8mC8aQ"
REPORT = {
    "service": "mail",
    "text": "Can't log in since nine, it says the password is wrong",
    "region": "DE-BY",
    "symptom": "login",
    "reporter": "customer-4711",
}
_SHORT_REPORT = {"service": "mail", "symptom": "down"}
_SERVICE = {
    "slug": "mail",
    "name": "Mail",
    "description": "Mailboxes and calendars",
    "is_active": True,
    "is_public": True,
    "time_zone": "Europe/Berlin",
    "holidays": ["2026-12-25"],
    "position": 0,
    "created_at": "2026-01-05T08:00:00Z",
}
_OUTAGE = {
    "id": 17,
    "service": "mail",
    "state": "confirmed",
    "label": "password is wrong",
    "severity": "major",
    "is_located": True,
    "scope_region": "DE",
    "regions": ["DE-BY", "DE-BW"],
    "cluster_id": 240,
    "is_confirmed_by_person": False,
    "assignee": "",
    "started_at": "2026-03-04T09:02:00Z",
    "suspected_at": "2026-03-04T09:06:00Z",
    "confirmed_at": "2026-03-04T09:11:00Z",
    "resolved_at": None,
    "n_reports": 131,
    "n_reporters": 118,
    "observed": 41,
    "expected": 2.1,
    "window_minutes": 5,
    "p_value": 3.1e-36,
    "peak_p_value": 3.1e-36,
    "evaluated_at": "2026-03-04T09:15:00Z",
    "together_with": [18],
}
_EVENT = {
    "id": 52,
    "kind": "suspected",
    "at": "2026-03-04T09:06:00Z",
    "actor": "",
    "body": {"observed": 9, "expected": 2.1, "window_minutes": 5, "p_value": 2.6e-4, "regions": ["DE-BY"]},
}

_CLUSTER = {
    "id": 240,
    "service": "mail",
    "name": "Login loop after the update",
    "label": "password · wrong · log in",
    "terms": ["password", "wrong", "log in"],
    "term_shares": [0.71, 0.64, 0.52],
    "languages": ["en", "de"],
    "regions": ["DE-BY", "DE-BW"],
    "cohesion": 0.58,
    "n_reports": 131,
    "n_set_aside": 2,
    "first_seen_at": "2026-03-04T09:02:00Z",
    "last_seen_at": "2026-03-04T09:15:00Z",
}
_HELD_REPORT: dict[str, Any] = {
    "format": "outcry-report-1",
    "id": REPORT_ID,
    "service": "mail",
    "channel": "rest",
    "key": "Support desk",
    "region": "DE-BY",
    "text": "Can't log in since nine, it says the password is wrong",
    "symptom": "login",
    "lang": "en",
    "source": "",
    "url": "",
    "release": "",
    "trace": "",
    "occurred_at": "2026-03-04T09:02:00Z",
    "received_at": "2026-03-04T09:02:11Z",
    "counted_at": "2026-03-04T09:02:11Z",
    "kept_until": "2026-04-04T00:00:00Z",
    "erased_at": None,
    "reporter_fingerprint": "5f1c7a3e9b0d4c2a8e6f7d1b3a5c9e0f",
    "network_fingerprint": "",
    "contact": {"address": "ada@example.org", "given_at": "2026-03-04T09:02:11Z"},
    "placement": {
        "cluster_id": 240,
        "placed_at": "2026-03-04T09:02:12Z",
        "similarity": 0.83,
        "is_counted": True,
        "is_set_aside": False,
        "set_aside_for": [],
        "p_problem": None,
        "p_failing": None,
        "tells_failure": True,
        "quarantine": "",
    },
    "said_to_be_a_problem": None,
    "suspicion": "",
}


def _problem(kind: Kind, detail: str, path: str, errors: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": problems.TYPE_PREFIX + kind.word,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": path,
    }
    return body | ({"errors": errors} if errors else {})


def told(*kinds: Kind, path: str = "/api/v1/reports") -> dict[tuple[int, str], OpenApiResponse]:
    """Return the description of problems an endpoint may answer with, those of one status together."""
    by_status: dict[int, list[Kind]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, []).append(kind)
    return {
        (status, problems.CONTENT_TYPE): OpenApiResponse(
            serializers.Problem,
            description="; ".join(kind.title for kind in same),
            examples=[
                OpenApiExample(
                    kind.title,
                    value=_problem(kind, _DETAILS.get(kind, f"{kind.title}."), path, _ERRORS.get(kind)),
                    response_only=True,
                    status_codes=[str(status)],
                    media_type=problems.CONTENT_TYPE,
                )
                for kind in same
            ],
        )
        for status, same in by_status.items()
    }


_DETAILS = {
    problems.MALFORMED_BODY: "This is no valid JSON: Input data was truncated.",
    problems.INVALID_PARAMETER: "'maybe' is neither true nor false. Write all_or_nothing=true or all_or_nothing=false.",
    problems.UNAUTHENTICATED: "The API key 'Support desk' has been revoked. Ask staff for a new one.",
    problems.INSUFFICIENT_SCOPE: "The API key 'Status page' lacks the scope 'read'. Ask staff for a key that has it.",
    problems.NOT_FOUND: "There is no outage 99.",
    problems.TOO_LARGE: f"The batch has more than {MAX_BATCH_REPORTS:,} reports. Send it in parts of at most so many.",
    problems.UNSUPPORTED_MEDIA_TYPE: "Content-Type 'text/plain' is not taken here. Send application/json.",
    problems.INVALID_REPORT: "Mend what `errors` names and send it again. Nothing was accepted.",
    problems.INVALID_BATCH: "Mend what `errors` names and send it again. Nothing was accepted.",
    problems.OVER_LIMIT: "This API key may send 120,000 reports a minute. Nothing was accepted; send it again later.",
    problems.STORE_UNAVAILABLE: "The database does not take reports right now. Nothing was accepted; try again.",
}
_REGION_MESSAGE = "'BY-DE' is no ISO 3166 code. Write a country such as DE, or a subdivision such as DE-BY."
_ERRORS: dict[Kind, list[dict[str, Any]]] = {
    problems.INVALID_REPORT: [{"field": "region", "message": _REGION_MESSAGE, "pointer": "#/region"}],
    problems.INVALID_BATCH: [{"field": "region", "message": _REGION_MESSAGE, "pointer": "#/3/region", "item": 3}],
    problems.INVALID_PARAMETER: [
        {"field": "all_or_nothing", "message": "'maybe' is neither true nor false. Write true or false."}
    ],
}
_IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="A name of your own for this request, such as a UUID: sent again within 48 hours with the same body, "
    "it is answered as the first time and nothing is stored twice.",
)
KEY_PROBLEMS = (problems.UNAUTHENTICATED, problems.INSUFFICIENT_SCOPE)
INTAKE_PROBLEMS = (
    problems.MALFORMED_BODY,
    *KEY_PROBLEMS,
    problems.TOO_LARGE,
    problems.UNSUPPORTED_MEDIA_TYPE,
    problems.IDEMPOTENCY_CONFLICT,
    problems.OVER_LIMIT,
    problems.STORE_UNAVAILABLE,
)


def sent(name: str, value: Any, media_type: str = "application/json") -> OpenApiExample:
    return OpenApiExample(name, value=value, request_only=True, media_type=media_type)


def answered(name: str, value: Any, status: int = 200) -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True, status_codes=[str(status)])


SEND_REPORT: dict[str, Any] = {
    "operation_id": "send_report",
    "tags": ["intake"],
    "summary": "Send one report",
    "description": "Answers 202 once the report is durable. Needs the scope `intake`.",
    "parameters": [_IDEMPOTENCY_KEY],
    "request": {"application/json": serializers.Report},
    "responses": {
        (202, "application/json"): serializers.Receipt,
        **told(*INTAKE_PROBLEMS, problems.INVALID_REPORT),
    },
    "examples": [
        sent("A report", REPORT),
        sent("The least that is needed", _SHORT_REPORT),
        answered("Stored", {"id": REPORT_ID, "receipt_url": RECEIPT_URL}, 202),
    ],
}
SEND_BATCH: dict[str, Any] = {
    "operation_id": "send_batch",
    "tags": ["intake"],
    "summary": f"Send up to {MAX_BATCH_REPORTS:,} reports",
    "description": "A JSON array, or lines of JSON. Good items are stored in one transaction and the others told with "
    "their errors; where no item is good, or one is not and `all_or_nothing` is set, nothing is stored (422). "
    "Needs the scope `intake`.",
    "parameters": [
        _IDEMPOTENCY_KEY,
        OpenApiParameter(
            "all_or_nothing", OpenApiTypes.BOOL, default=False, description="Store all items, or none and answer 422."
        ),
    ],
    "request": {
        "application/json": serializers.Report(many=True),
        "application/x-ndjson": OpenApiTypes.STR,
        "application/ndjson": OpenApiTypes.STR,
        "application/jsonl": OpenApiTypes.STR,
    },
    "responses": {
        (202, "application/json"): serializers.BatchAnswer,
        **told(problems.INVALID_PARAMETER, *INTAKE_PROBLEMS, problems.INVALID_BATCH, path="/api/v1/reports:batch"),
    },
    "examples": [
        sent("An array", REPORT),  # the generator makes a list of it
        *(
            sent("Lines of JSON", '{"service":"mail","symptom":"down"}\n{"service":"mail","text":"slow"}\n', media_type)
            for media_type in ("application/x-ndjson", "application/ndjson", "application/jsonl")
        ),
        answered(
            "One stored, one not",
            {
                "accepted": 1,
                "rejected": 1,
                "items": [
                    {"item": 0, "id": REPORT_ID, "receipt_url": RECEIPT_URL},
                    {"item": 1, "errors": [{"field": "region", "message": _REGION_MESSAGE}]},
                ],
            },
            202,
        ),
    ],
}
READ_REPORT: dict[str, Any] = {
    "operation_id": "read_report",
    "tags": ["privacy"],
    "summary": "Export all that is held of a report",
    "description": "For the person it is about: with its contact, and with nothing of anybody else. While the report "
    "still waits to be stored in the database it is 503. Needs the scope `privacy`.",
    "responses": {
        (200, "application/json"): serializers.HeldReport,
        **told(*KEY_PROBLEMS, problems.NOT_FOUND, problems.STORE_UNAVAILABLE, path=f"/api/v1/reports/{REPORT_ID}"),
    },
    "examples": [answered("A report", _HELD_REPORT)],
}
ERASE_REPORT: dict[str, Any] = {
    "operation_id": "erase_report",
    "tags": ["privacy"],
    "summary": "Erase what a report tells",
    "description": "Its words, contact and fingerprints, wherever they were copied to; an empty report stays, so that "
    "counts hold, and is the answer. Sent again it changes nothing and is answered alike. Needs the scope `privacy`.",
    "responses": {
        (200, "application/json"): serializers.HeldReport,
        **told(*KEY_PROBLEMS, problems.NOT_FOUND, problems.STORE_UNAVAILABLE, path=f"/api/v1/reports/{REPORT_ID}"),
    },
    "examples": [
        answered(
            "What is left",
            {
                **_HELD_REPORT,
                "text": "",
                "lang": "",
                "contact": None,
                "erased_at": "2026-03-05T10:00:00Z",
            },
        )
    ],
}
LIST_SERVICES: dict[str, Any] = {
    "operation_id": "list_services",
    "tags": ["reading"],
    "summary": "List the services",
    "description": "All of them, in the order staff gave them. Needs the scope `read`.",
    "responses": {
        (200, "application/json"): serializers.ServiceList,
        **told(*KEY_PROBLEMS, problems.STORE_UNAVAILABLE, path="/api/v1/services"),
    },
    "examples": [answered("Services", {"services": [_SERVICE]})],
}
CREATE_SERVICE: dict[str, Any] = {
    "operation_id": "create_service",
    "tags": ["managing"],
    "summary": "Make a service",
    "description": "A slug can be taken once, so a second try makes nothing twice: it is told that the slug is taken "
    "(422). Needs the scope `manage`.",
    "request": {"application/json": serializers.NewService},
    "responses": {
        (201, "application/json"): serializers.Service,
        **told(
            problems.MALFORMED_BODY,
            *KEY_PROBLEMS,
            problems.UNSUPPORTED_MEDIA_TYPE,
            problems.INVALID_INPUT,
            problems.STORE_UNAVAILABLE,
            path="/api/v1/services",
        ),
    },
    "examples": [
        sent("A service", {"slug": "mail", "name": "Mail", "description": "Mailboxes and calendars"}),
        answered("Made", _SERVICE, 201),
    ],
}
LIST_OUTAGES: dict[str, Any] = {
    "operation_id": "list_outages",
    "tags": ["reading"],
    "summary": "List outages",
    "description": "The newest first, a page at a time. Needs the scope `read`.",
    "parameters": [
        OpenApiParameter(
            "state",
            OpenApiTypes.STR,
            description=f"One or more of {', '.join(OutageState.values)}, separated by commas.",
            examples=[OpenApiExample("Those that go on", value="suspected,confirmed,recovering")],
        ),
        OpenApiParameter("service", OpenApiTypes.STR, description="Slug of a service."),
        OpenApiParameter("limit", OpenApiTypes.INT, default=50, description="How many at once, 1 to 200."),
        OpenApiParameter("before", OpenApiTypes.INT, description="Read on: `next_before_id` of the page before."),
    ],
    "responses": {
        (200, "application/json"): serializers.OutagePage,
        **told(problems.INVALID_PARAMETER, *KEY_PROBLEMS, problems.STORE_UNAVAILABLE, path="/api/v1/outages"),
    },
    "examples": [answered("Outages", {"outages": [_OUTAGE], "next_before_id": None})],
}
READ_OUTAGE: dict[str, Any] = {
    "operation_id": "read_outage",
    "tags": ["reading"],
    "summary": "Read one outage with its events",
    "description": "Needs the scope `read`.",
    "responses": {
        (200, "application/json"): serializers.OutageStory,
        **told(*KEY_PROBLEMS, problems.NOT_FOUND, problems.STORE_UNAVAILABLE, path="/api/v1/outages/99"),
    },
    "examples": [answered("An outage", {**_OUTAGE, "events": [_EVENT]})],
}

READ_CLUSTER: dict[str, Any] = {
    "operation_id": "read_cluster",
    "tags": ["reading"],
    "summary": "Read one cluster",
    "description": "What its reports are about. A cluster that was merged away is answered with the one it has gone up "
    "in, whose id differs then. Needs the scope `read`.",
    "responses": {
        (200, "application/json"): serializers.Cluster,
        **told(*KEY_PROBLEMS, problems.NOT_FOUND, problems.STORE_UNAVAILABLE, path="/api/v1/clusters/99"),
    },
    "examples": [answered("A cluster", _CLUSTER)],
}


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers by subclassing
    """How a key is sent; found by the schema's generator because this module is loaded."""

    target_class = "reports.api.authentication.ApiKeyAuthentication"
    name = ["bearer", "header"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "An API key: `Authorization: Bearer outcry_…`"},
            {
                "type": "apiKey",
                "in": "header",
                "name": "X-API-Key",
                "description": "The same key, for tools that can't.",
            },
        ]


@method_decorator(cache_page(3600), name="dispatch")
class Schema(SpectacularAPIView):
    """The schema in YAML or, by the Accept header, in JSON. For everybody; it changes only with the software."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
