"""What the intake is measured against, each an ASGI application for the same server.

`floor` reads and checks a report and stores nothing: what any server of this kind costs at the least. `floor_in_groups`
does the same and answers when others are answered, as whoever commits in groups has to. `django` has two
usual ways: REST framework's serializer with one INSERT a report, and a view with one Celery task a report. They are
written as one would write them with care (no signals, no query but the INSERT, no authentication).
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.intake_settings"

from django.core.asgi import get_asgi_application

django = get_asgi_application()

import msgspec  # noqa: E402  the app registry must be ready first
from celery import Celery  # noqa: E402
from django.conf import settings  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from reports.enums import Channel, Symptom  # noqa: E402
from reports.intake import contract  # noqa: E402
from reports.intake.ids import uuid7  # noqa: E402
from reports.models import Report, Service  # noqa: E402

_HEAD = [(b"content-type", b"application/json"), (b"content-length", b"2")]
celery = Celery("rival", broker=settings.CELERY_BROKER_URL, set_as_current=False)
_service_ids: dict[str, int] = {}
GROUP_SECONDS = 0.008  # what a group waits for company and for its commit
_group: list[asyncio.Future[None]] = []


async def floor(scope: Any, receive: Any, send: Any) -> None:
    """Read, decode against the types of the contract, answer."""
    if scope["type"] != "http":
        return
    message = await receive()
    body = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    try:
        contract.decode(body)
        status = 202
    except contract.InvalidReport:
        status = 422
    await send({"type": "http.response.start", "status": status, "headers": _HEAD})
    await send({"type": "http.response.body", "body": b"{}"})


async def floor_in_groups(scope: Any, receive: Any, send: Any) -> None:
    """Read and decode as `floor` does, without its refusals; answer together with all that came in meanwhile."""
    if scope["type"] != "http":
        return
    message = await receive()
    body = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    if body:  # the server is asked without one whether it is there
        contract.decode(body)
    loop = asyncio.get_running_loop()
    if not _group:
        loop.call_later(GROUP_SECONDS, _let_go)
    _group.append(waiter := loop.create_future())
    await waiter
    await send({"type": "http.response.start", "status": 202, "headers": _HEAD})
    await send({"type": "http.response.body", "body": b"{}"})


def _let_go() -> None:
    for waiter in _group:
        if not waiter.done():
            waiter.set_result(None)
    _group.clear()


class ReportSerializer(serializers.Serializer[Any]):
    service = serializers.CharField(max_length=100)
    text = serializers.CharField(max_length=contract.MAX_TEXT_CHARS, required=False, allow_blank=True, default="")
    region = serializers.CharField(max_length=6, required=False, allow_blank=True, default="")
    symptom = serializers.ChoiceField(choices=Symptom.choices, required=False, allow_blank=True, default="")
    reporter = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    lang = serializers.CharField(max_length=35, required=False, allow_blank=True, default="")


class WithInsert(APIView):
    authentication_classes = ()
    permission_classes = ()
    parser_classes = (__import__("rest_framework.parsers", fromlist=["JSONParser"]).JSONParser,)

    def post(self, request: Request) -> Response:
        given = ReportSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        now, values = timezone.now(), dict(given.validated_data)
        slug, _ = values.pop("service"), values.pop("reporter")
        if slug not in _service_ids:
            _service_ids[slug] = Service.objects.get(slug=slug).pk
        row = Report.objects.create(
            id=uuid7(now), service_id=_service_ids[slug], channel=Channel.REST, reporter=b"", network=b"",
            occurred_at=now, received_at=now, counted_at=now, **values,
        )  # fmt: skip
        return Response({"id": str(row.pk)}, status=202)


@csrf_exempt
def with_task(request: HttpRequest) -> JsonResponse:
    report = msgspec.to_builtins(contract.decode(request.body))
    sent = celery.send_task("rival.store", args=[report], ignore_result=True, queue="rival")
    return JsonResponse({"id": str(sent.id)}, status=202)


urlpatterns = [path("insert", WithInsert.as_view()), path("task", with_task)]
