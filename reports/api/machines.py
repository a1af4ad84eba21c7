"""Programs that speak a format of others: Alertmanager's webhook and CloudEvents. Thin: the formats read, intake takes.

The way of a request is that of `reports.api.intake`. What came before is answered as before, for both formats name what
they send; what is good in a message is stored, and the rest is told in the answer.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request

from reports.api import bodies
from reports.api.formats import alertmanager, cloudevents
from reports.api.formats.alertmanager import ReadAlert
from reports.api.intake import accepted, origin_of, receipt_members, receipt_url_of
from reports.api.problems import BUSY, INVALID_BATCH, INVALID_INPUT, UNSUPPORTED_MEDIA_TYPE, Problem
from reports.api.schema_machines import SEND_ALERTS, SEND_EVENT
from reports.api.views import ApiView
from reports.enums import Channel, Scope
from reports.errors import FieldError, InvalidReport, OverLimit
from reports.intake import contract
from reports.intake.contract import ReportIn
from reports.intake.services import Named, Outcome, accept_apart

logger = logging.getLogger(__name__)

_STRUCTURED: Final = "application/cloudevents+json"
_BATCHED: Final = "application/cloudevents-batch+json"
_REPORT_FIELDS: Final = frozenset(ReportIn.__struct_fields__)


class _CountedAlerts(msgspec.Struct):
    """A message of which only the alerts are looked at, to count them."""

    alerts: list[bodies.Element] = []


class AlertmanagerWebhook(ApiView):
    """A message of Alertmanager's webhook: a group of alerts.

    Alertmanager sends again what is answered with 5xx, and nothing else: so being over a limit is a 503 here, and a
    message of which nothing can be taken a 422, which it logs and counts.
    """

    scopes = {"POST": Scope.INTAKE}

    @extend_schema(**SEND_ALERTS)
    def post(self, request: Request) -> HttpResponse:
        bodies.only_parameters(request, "service", "service_label")
        bodies.media_type(request, bodies.JSON_TYPES)
        body = bodies.read_body(request, limit_bytes=contract.MAX_BODY_BYTES)
        message = bodies.decoded(body, alertmanager.Message, counted=_CountedAlerts)
        if message.version not in alertmanager.TOOLS:
            text = f"The version {message.version[:40]!r} of the webhook is not taken here. Send version '4'."
            raise Problem(INVALID_INPUT, text, [FieldError("version", text)])
        now = timezone.now()
        alerts = [
            alertmanager.read_alert(
                raw,
                tool=alertmanager.TOOLS[message.version],
                service=request.query_params.get("service", ""),
                service_label=request.query_params.get("service_label", alertmanager.SERVICE_LABEL),
                now=now,
            )
            for raw in message.alerts
        ]
        items = [alert.report for alert in alerts if alert.report is not None]
        try:
            outcomes = accept_apart(items=items, origin=origin_of(request, Channel.ALERTMANAGER), now=now)
        except OverLimit as error:
            raise Problem(BUSY, str(error), headers={"Retry-After": str(error.retry_after_seconds)}) from error
        return _alerts_answer(alerts, outcomes, message.truncatedAlerts, url_of=receipt_url_of(request))


class CloudEvents(ApiView):
    """An event whose data are a report, in structured or binary mode, or a batch of them."""

    http_method_names = ("post", "options")
    scopes = {"POST": Scope.INTAKE, "OPTIONS": Scope.INTAKE}

    @extend_schema(**SEND_EVENT)
    def post(self, request: Request) -> HttpResponse:
        bodies.only_parameters(request)
        media_type = _event_media_type(request)
        is_batch = media_type == _BATCHED
        limit_bytes = contract.MAX_BODY_BYTES if is_batch else cloudevents.MAX_EVENT_BYTES
        body = bodies.read_body(request, limit_bytes=limit_bytes)
        now = timezone.now()
        origin, url_of = origin_of(request, Channel.CLOUDEVENTS), receipt_url_of(request)
        if is_batch:
            items = [_event_of(raw, now=now) for raw in bodies.elements(body)]
            return _events_answer(accept_apart(items=items, origin=origin, now=now), url_of=url_of)
        if media_type == _STRUCTURED:
            named = cloudevents.read_structured(body, now=now)
        else:
            named = cloudevents.read_binary(dict(request.headers.items()), body, now=now)
        [outcome] = accept_apart(items=[named], origin=origin, now=now)
        if outcome.receipt is None:
            raise InvalidReport(_of_data(outcome.errors) if media_type == _STRUCTURED else outcome.errors)
        return accepted(receipt_members(outcome.receipt, url_of))

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Agree to be sent events, as CloudEvents' web hooks ask beforehand; who has a key may send them."""
        sender = str(request.META.get("HTTP_WEBHOOK_REQUEST_ORIGIN", ""))
        if not sender:
            raise MethodNotAllowed("OPTIONS")
        rate_per_minute = str(settings.KEY_REPORTS_PER_MINUTE)
        return HttpResponse(headers={"WebHook-Allowed-Origin": sender, "WebHook-Allowed-Rate": rate_per_minute})


def _alerts_answer(
    alerts: Sequence[ReadAlert], outcomes: Iterable[Outcome], n_truncated: int, *, url_of: Callable[[str], str]
) -> HttpResponse:
    """Tell what became of each alert. Raises Problem where none that fires could be taken."""
    left = iter(outcomes)
    items: list[dict[str, Any]] = []
    for number, alert in enumerate(alerts):
        told: dict[str, Any] = {"item": number, "fingerprint": alert.fingerprint}
        if alert.report is None:
            told["outcome"] = "resolved" if alert.is_resolved else "repeated"
        else:
            told |= _alert_outcome(alert, next(left), url_of)
        items.append(told)
    counts = Counter(item["outcome"] for item in items)
    if counts["rejected"]:
        logger.warning("Of %d alerts of a message %d could not be taken.", len(alerts), counts["rejected"])
    if counts["rejected"] and not counts["stored"] and not counts["repeated"]:
        errors = [
            FieldError(f"alerts.{item['item']}.{error['field']}".rstrip("."), error["message"])
            for item in items
            for error in item.get("errors", ())
        ]
        raise Problem(INVALID_BATCH, "None of the alerts that fire was accepted: `errors` says why.", errors)
    numbers = {name: counts[name] for name in ("stored", "repeated", "resolved", "rejected")}
    return accepted({**numbers, "truncated": n_truncated, "items": items})


def _alert_outcome(alert: ReadAlert, outcome: Outcome, url_of: Callable[[str], str]) -> dict[str, Any]:
    if outcome.receipt is not None:
        told = "repeated" if outcome.is_repeat else "stored"
        return {"outcome": told, **receipt_members(outcome.receipt, url_of)}
    who = f"Alert {alert.name[:100]!r}: " if alert.name else ""
    errors = [
        {"field": alert.places.get(error.field, error.field), "message": f"{who}{error.message}"}
        for error in outcome.errors
    ]
    return {"outcome": "rejected", "errors": errors}


def _event_media_type(request: Request) -> str:
    """Return the media type of an event, which tells its mode. Raises Problem."""
    header = str(request.META.get("CONTENT_TYPE", ""))
    if header.lower().startswith("application/cloudevents"):
        return bodies.media_type(request, (_STRUCTURED, _BATCHED))
    if "HTTP_CE_SPECVERSION" not in request.META and "HTTP_CE_ID" not in request.META:
        raise Problem(
            UNSUPPORTED_MEDIA_TYPE,
            f"This is no CloudEvent: there is neither a header ce-specversion nor a Content-Type of {_STRUCTURED} or"
            f" {_BATCHED}.",
        )
    return bodies.media_type(request, bodies.JSON_TYPES)


def _event_of(raw: msgspec.Raw, *, now: datetime) -> Named | InvalidReport:
    try:
        return cloudevents.read_structured(raw, now=now)
    except InvalidReport as error:
        return error


def _events_answer(outcomes: Sequence[Outcome], *, url_of: Callable[[str], str]) -> HttpResponse:
    """Tell what became of each event. Raises InvalidReport where none was taken; an empty batch is none too few."""
    items: list[dict[str, Any]] = []
    for number, outcome in enumerate(outcomes):
        if outcome.receipt is not None:
            items.append({"item": number, **receipt_members(outcome.receipt, url_of)})
        else:
            told = [{"field": error.field, "message": error.message} for error in _of_data(outcome.errors)]
            items.append({"item": number, "errors": told})
    n_accepted = sum(outcome.receipt is not None for outcome in outcomes)
    if outcomes and not n_accepted:
        raise InvalidReport(
            [
                FieldError(error.field, error.message, number)
                for number, outcome in enumerate(outcomes)
                for error in _of_data(outcome.errors)
            ]
        )
    return accepted({"accepted": n_accepted, "rejected": len(outcomes) - n_accepted, "items": items})


def _of_data(errors: Iterable[FieldError]) -> list[FieldError]:
    """Return errors with the place of a report's field in an event."""
    return [
        FieldError(f"data.{error.field}", error.message) if error.field in _REPORT_FIELDS - {"source"} else error
        for error in errors
    ]
