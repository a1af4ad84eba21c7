"""For machines that watch us: is the process alive, can it do its work, how much work is there.

`/healthz` asks nobody: it is what a container or a load balancer should look at. `/readyz` asks the database, the
broker and the stages, and answers 503 with the failing check named. Intake works on without the broker and behind
schedule, so `/readyz` is for alerts, and for the moment after a start; taking a server out of rotation over it would
lose reports. Nothing here shows a text.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime
from ipaddress import ip_address

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.backoff import NoBackoff
from redis.retry import Retry

from reports import telemetry
from reports.enums import Scope
from reports.errors import StoreUnavailable
from reports.intake.apikeys import KeyRevoked, authenticate_key
from reports.intake.spool import the_spool
from reports.telemetry import Metric, Sample
from reports.triage import gauges
from reports.triage.held_back import n_held_back
from reports.triage.sources import n_source_alarms_open
from reports.web.addresses import client_address

logger = logging.getLogger(__name__)

BROKER_TIMEOUT_SECONDS = 1.0
METRICS_KEPT_SECONDS = 5.0  # several scrapers, or an impatient one, cost no more than one

_PASSED_ON = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED")

_started_at = timezone.now()
_totals = gauges.ReportTotals()
_metrics_lock = threading.Lock()
_metrics_kept: tuple[float, str] = (float("-inf"), "")


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 where database, broker, spool and stages do as promised, else 503; each check by name. Queries: one."""
    now = timezone.now()
    checks = {"broker": _check_broker(), **_check_database_and_lag(now=now), "spool": _check_spool(now=now)}
    is_ready = all(check["ok"] for check in checks.values())
    body = {"status": "ready" if is_ready else "not ready", "checks": checks}
    headers = {} if is_ready else {"Retry-After": "5"}
    return JsonResponse(body, status=200 if is_ready else 503, headers=headers)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """What Prometheus reads, at most METRICS_KEPT_SECONDS old. Queries: at most seven.

    For who is near, or brings a key: it tells exact numbers, also of few people and of what is held back. While the
    database is away, only what is known without it: a number that is not there is no zero.
    """
    now = timezone.now()
    if not (settings.METRICS == "open" or _is_near(request) or _has_read_key(request, now=now)):
        text = "Metrics are told in private networks. Ask from there, or with an API key of the scope read.\n"
        return HttpResponse(text, status=403, content_type="text/plain; charset=utf-8")
    spool = telemetry.render(_spool_metrics(now=now))
    try:
        text = _current_metrics(now=now)
    except DatabaseError as error:
        logger.warning("The database does not answer (%s).", type(error).__name__)
        return HttpResponse(spool + _database_up(0), content_type=telemetry.CONTENT_TYPE)
    return HttpResponse(text + spool + _database_up(1), content_type=telemetry.CONTENT_TYPE)


def forget_metrics() -> None:
    """Make the next reading ask the database for everything."""
    global _metrics_kept, _totals
    _metrics_kept = (float("-inf"), "")
    _totals = gauges.ReportTotals()


def _is_near(request: HttpRequest) -> bool:
    """Tell whether the request comes from this machine or a private network; what a proxy passes on that nobody named
    in TRUSTED_PROXIES can come from anywhere."""
    if not settings.TRUSTED_PROXIES and not request.META.keys().isdisjoint(_PASSED_ON):
        return False
    address = client_address(request)
    return not address or ip_address(address).is_private


def _has_read_key(request: HttpRequest, *, now: datetime) -> bool:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return False
    try:
        key = authenticate_key(secret.strip(), now=now)
    except (KeyRevoked, StoreUnavailable):
        return False
    return key is not None and Scope.READ in key.scopes


def _check_broker() -> dict[str, object]:
    try:
        client = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=BROKER_TIMEOUT_SECONDS,
            socket_connect_timeout=BROKER_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        with client:
            client.ping()
    except (redis.RedisError, OSError) as error:
        logger.info("The broker does not answer (%s).", type(error).__name__)
        return {
            "ok": False,
            "detail": f"The broker does not answer ({type(error).__name__}). Reports are taken in all the same; "
            "they are grouped once it is back.",
        }
    return {"ok": True}


def _check_database_and_lag(*, now: datetime) -> dict[str, dict[str, object]]:
    """Return both checks from one query. What waited before this process started is not held against a fresh start."""
    promised = settings.LAG_PROMISE_SECONDS
    try:
        seconds = round(gauges.lag_seconds(now=now, since=_started_at), 1)
    except DatabaseError as error:
        logger.warning("The database does not answer (%s).", type(error).__name__)
        away = f"The database does not answer ({type(error).__name__})."
        return {
            "database": {"ok": False, "detail": away},
            "lag": {"ok": False, "detail": "Not known without the database.", "promised_seconds": promised},
        }
    lag: dict[str, object] = {"ok": seconds <= promised, "seconds": seconds, "promised_seconds": promised}
    if seconds > promised:
        lag["detail"] = "Reports wait longer than promised to be grouped. Is a worker running, and beat?"
    return {"database": {"ok": True}, "lag": lag}


def _check_spool(*, now: datetime) -> dict[str, object]:
    """Return how much waits in the spool: for moments it may, while a database restarts."""
    found = the_spool().state()
    age_seconds = round(max(now.timestamp() - found.oldest_at, 0.0), 1) if found.oldest_at is not None else 0.0
    check: dict[str, object] = {
        "ok": age_seconds <= settings.LAG_PROMISE_SECONDS,
        "reports": found.n_reports,
        "bytes": found.n_bytes,
        "oldest_seconds": age_seconds,
        "set_aside": found.n_aside,
    }
    if not check["ok"]:
        check["detail"] = "Reports wait on disk for the database. None is lost; they are stored as soon as it is back."
    return check


def _spool_metrics(*, now: datetime) -> list[Metric]:
    found = the_spool().state()
    age_seconds = max(now.timestamp() - found.oldest_at, 0.0) if found.oldest_at is not None else 0.0
    told: list[tuple[str, str, float]] = [
        ("outcry_spool_reports", "Reports that wait on disk for the database.", found.n_reports),
        ("outcry_spool_bytes", "How much of the disk they take.", found.n_bytes),
        ("outcry_spool_oldest_seconds", "How long the oldest of them has waited, at most.", age_seconds),
        ("outcry_spool_set_aside", "Records of the spool that could not be stored.", found.n_aside),
    ]
    return [Metric(name, "gauge", help_text, [Sample(value)]) for name, help_text, value in told]


def _database_up(value: int) -> str:
    return telemetry.render([Metric("outcry_database_up", "gauge", "Whether the database answers.", [Sample(value)])])


def _current_metrics(*, now: datetime) -> str:
    global _metrics_kept
    with _metrics_lock:
        kept_at, text = _metrics_kept
        if time.monotonic() - kept_at > METRICS_KEPT_SECONDS:
            text = telemetry.render(_read_metrics(now=now))
            _metrics_kept = (time.monotonic(), text)
        return text


def _read_metrics(*, now: datetime) -> list[Metric]:
    return [
        Metric(
            "outcry_reports_total",
            "counter",
            "Reports that are stored, by service and channel.",
            [
                Sample(n, {"service": service, "channel": channel})
                for (service, channel), n in sorted(_totals.read(now=now).items())
            ],
        ),
        Metric(
            "outcry_ingest_lag_seconds",
            "gauge",
            "How long the oldest report without a cluster has waited.",
            [Sample(gauges.lag_seconds(now=now))],
        ),
        Metric(
            "outcry_clusters_open",
            "gauge",
            "Clusters with a report in the last 24 hours.",
            [Sample(gauges.n_clusters_open(now=now))],
        ),
        Metric(
            "outcry_outages_open",
            "gauge",
            "Outages that go on, by state.",
            [Sample(n, {"state": state.value}) for state, n in gauges.n_outages_open().items()],
        ),
        Metric(
            "outcry_source_alarms_open",
            "gauge",
            "Sources of reports that are silent, or collect otherwise than before.",
            [Sample(n, {"kind": kind.value}) for kind, n in n_source_alarms_open().items()],
        ),
        Metric(
            "outcry_quarantined_total",
            "counter",
            "Reports that were held back, by service and reason.",
            [Sample(n, {"service": service, "reason": reason}) for (service, reason), n in n_held_back().items()],
        ),
    ]
