"""Alertmanager's webhook, version 4, and Grafana's, which has the same alerts: a firing alert is a report.

An alert is known by its fingerprint and the moment it began to fire: Alertmanager tells it again every few minutes or
hours, with annotations that have changed meanwhile, and that is no new report. One that is resolved is none either.
Fields nobody knows here are let pass, as the format asks for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import msgspec

from reports.api.formats.fields import cut, fitting, moment
from reports.errors import FieldError, InvalidReport
from reports.intake.regions import is_region
from reports.intake.services import KEEP_IDEMPOTENCY_KEYS, Named

TOOLS: Final = {"4": "alertmanager", "1": "grafana"}  # who sends which version
SERVICE_LABEL: Final = "service"
# What was taken is remembered for so long after its first arrival, which is never before its start. Of an alert that
# began earlier nobody can tell whether it was counted; for detection it is history in any case.
REMEMBERED_FOR: Final[timedelta] = KEEP_IDEMPOTENCY_KEYS
_SAID_IN: Final = ("summary", "message", "description")
_NOT_TOLD: Final = frozenset({"alertname", "region"})  # of labels that stand for words: it is told otherwise
_MAY_LACK: Final = frozenset({"url"})


class Message(msgspec.Struct):
    """What one request of the webhook carries."""

    version: str
    alerts: list[msgspec.Raw]
    truncatedAlerts: int = 0


class Alert(msgspec.Struct):
    """One alert of a message."""

    status: str
    startsAt: str
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    generatorURL: str = ""
    fingerprint: str = ""

    @property
    def name(self) -> str:
        return self.labels.get("alertname") or self.fingerprint or "without a name"


@dataclass(frozen=True, slots=True)
class ReadAlert:
    """An alert, and what it comes to: a report to take, or nothing as it is over (`is_resolved`) or long known."""

    fingerprint: str = ""
    name: str = ""
    is_resolved: bool = False
    is_long_known: bool = False
    report: Named | InvalidReport | None = None
    places: Mapping[str, str] = field(default_factory=dict)  # where in the alert a report's field stands


def read_alert(raw: msgspec.Raw, *, tool: str, service: str, service_label: str, now: datetime) -> ReadAlert:
    """Return what an alert comes to. `service` is the one all alerts are for; "": their label says which."""
    try:
        alert = msgspec.json.decode(raw, type=Alert)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = str(error).replace("`", "").rstrip(".")
        return ReadAlert(report=InvalidReport([FieldError("", f"This is no alert: {message}.")]))
    fingerprint = alert.fingerprint or _fingerprint_of(alert.labels)
    if alert.status == "resolved":
        return ReadAlert(fingerprint, alert.name, is_resolved=True)
    started_at = moment(alert.startsAt)
    errors = _errors(alert, started_at, service=service, service_label=service_label)
    if errors or started_at is None:
        return ReadAlert(fingerprint, alert.name, report=InvalidReport(errors))
    if now - started_at >= REMEMBERED_FOR:
        return ReadAlert(fingerprint, alert.name, is_long_known=True)
    fields = {
        "service": service or alert.labels[service_label],
        "text": _text(alert, service_label),
        "region": _region(alert),
        "occurred_at": started_at,
        "reporter": cut(fingerprint, "reporter"),
        "source": tool,
        "url": alert.generatorURL,
    }
    try:
        # Two receivers may tell one alert, each of another service.
        name = f"{fingerprint} {started_at.isoformat()} {str(fields['service']).casefold()}"
        report = Named(fitting(fields, may_lack=_MAY_LACK, now=now), name)
    except InvalidReport as invalid:
        return ReadAlert(fingerprint, alert.name, report=invalid)
    places = {"text": "annotations", "occurred_at": "startsAt"}
    if not service:
        places["service"] = f"labels.{service_label}"
    return ReadAlert(fingerprint, alert.name, report=report, places=places)


def _errors(alert: Alert, started_at: datetime | None, *, service: str, service_label: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if alert.status != "firing":
        errors.append(FieldError("status", f"{alert.status[:40]!r} is neither firing nor resolved."))
    if started_at is None:
        errors.append(FieldError("startsAt", f"{alert.startsAt[:40]!r} is no moment. Write it as RFC 3339 has it."))
    if not service and not alert.labels.get(service_label):
        errors.append(
            FieldError(
                f"labels.{service_label}",
                "Is missing, so nobody can tell which service the alert is about. Give its rule this label with a"
                " service's slug, or write ?service=SLUG (or ?service_label=NAME) into the webhook's address.",
            )
        )
    return errors


def _text(alert: Alert, service_label: str) -> str:
    """Return the words of an alert: its annotations for people, and without any its labels."""
    said = dict.fromkeys(alert.annotations.get(name, "").strip() for name in _SAID_IN)
    if words := "\n".join(word for word in said if word):
        return cut(words, "text")
    labels = [f"{name}: {value}" for name, value in sorted(alert.labels.items()) if name not in _NOT_TOLD]
    known = [alert.name, *(label for label in labels if not label.startswith(f"{service_label}: "))]
    return cut(", ".join(known), "text")


def _region(alert: Alert) -> str:
    """Return the region a label names, "" where it names another kind of place, such as eu-west-1."""
    region = alert.labels.get("region", "").strip().upper()
    return region if is_region(region) else ""


def _fingerprint_of(labels: dict[str, str]) -> str:
    """Return a name for an alert whose sender gives none (Alertmanager did so before 0.19): its labels are its name."""
    return hashlib.sha256(msgspec.json.encode(sorted(labels.items()))).hexdigest()[:16]
