"""Reports come in over REST: one, or a batch. Both answer 202 only once everything they accepted is durable.

The way of a request: media type and size → decode → `reports.intake.services` → receipt links. No query is made here;
the sender's key is remembered, so a report costs its share of one COPY.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import msgspec
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from reports.api import bodies
from reports.api.schema import SEND_BATCH, SEND_REPORT
from reports.api.views import ApiView
from reports.enums import Channel, Scope
from reports.errors import FieldError
from reports.intake import contract
from reports.intake.apikeys import KnownKey
from reports.intake.services import BatchResult, Origin, Receipt, accept_batch, accept_report


class Reports(ApiView):
    """One report."""

    scopes = {"POST": Scope.INTAKE}

    @extend_schema(**SEND_REPORT)
    def post(self, request: Request) -> HttpResponse:
        bodies.only_parameters(request)
        bodies.media_type(request, bodies.JSON_TYPES)
        body = bodies.read_body(request, limit_bytes=contract.MAX_REPORT_BYTES)
        receipt = accept_report(
            report=bodies.one_report(body),
            origin=origin_of(request, Channel.REST),
            idempotency_key=_idempotency_key(request),
            body=body,
            now=timezone.now(),
        )
        return accepted(receipt_members(receipt, receipt_url_of(request)))


class ReportBatch(ApiView):
    """Up to 10,000 reports, as a JSON array or as lines of JSON."""

    scopes = {"POST": Scope.INTAKE}

    @extend_schema(**SEND_BATCH)
    def post(self, request: Request) -> HttpResponse:
        bodies.only_parameters(request, "all_or_nothing")
        all_or_nothing = bodies.flag(request, "all_or_nothing")
        media_type = bodies.media_type(request, (*bodies.JSON_TYPES, *bodies.NDJSON_TYPES))
        body = bodies.read_body(request, limit_bytes=contract.MAX_BODY_BYTES)
        items = bodies.batch_items(body, is_lines=media_type in bodies.NDJSON_TYPES)
        result = accept_batch(
            items=items,
            origin=origin_of(request, Channel.BULK),
            all_or_nothing=all_or_nothing,
            idempotency_key=_idempotency_key(request),
            body=body,
            now=timezone.now(),
        )
        return accepted(_batch_members(result, n_items=len(items), url_of=receipt_url_of(request)))


def origin_of(request: Request, channel: Channel) -> Origin:
    """Return where the report comes from. A machine's address says nothing of the reporters it speaks for."""
    key = request.auth
    if not isinstance(key, KnownKey):
        raise TypeError("An intake view was reached without a key.")  # HasScope lets nobody through without
    return Origin(channel, client=f"key:{key.id}", key_id=key.id)


def _idempotency_key(request: Request) -> str:
    return str(request.META.get("HTTP_IDEMPOTENCY_KEY", ""))


def receipt_url_of(request: Request) -> Callable[[str], str]:
    """Return what makes a receipt's absolute address from its token: resolved once, for a batch asks 10,000 times."""
    start = request.build_absolute_uri(reverse("receipt", args=["-"])).removesuffix("-")
    return lambda token: start + token


def receipt_members(receipt: Receipt, url_of: Callable[[str], str]) -> dict[str, Any]:
    """Return a receipt as a member of an answer."""
    return {"id": str(receipt.id), "receipt_url": url_of(receipt.token)}


def _batch_members(result: BatchResult, *, n_items: int, url_of: Callable[[str], str]) -> dict[str, Any]:
    """Return the answer to a batch: each item by its number, with its receipt or with its errors."""
    errors: dict[int, list[FieldError]] = defaultdict(list)
    for error in result.errors:
        if error.item is not None:
            errors[error.item].append(error)
    receipts = iter(result.receipts)
    items: list[dict[str, Any]] = []
    for number in range(n_items):
        if number in errors:
            told = [{"field": error.field, "message": error.message} for error in errors[number]]
            items.append({"item": number, "errors": told})
        else:
            items.append({"item": number, **receipt_members(next(receipts), url_of)})
    return {"accepted": len(result.receipts), "rejected": len(errors), "items": items}


def accepted(members: dict[str, Any]) -> HttpResponse:
    """Return the answer to what is stored durably."""
    return HttpResponse(msgspec.json.encode(members), status=202, content_type="application/json")
