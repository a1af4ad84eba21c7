"""Feedback from the widget of a Sentry SDK, which a site has in its pages anyway: its DSN points here.

The key in a DSN is read by everybody who looks at the page, so it is one of the scope `public`, which may do nothing
but this, and what comes with it is judged as what comes with the form: by its sender's network, and held back where
there is too much of it. An SDK can't mend or send again what it is refused, so only what is no envelope is.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from reports.api import bodies
from reports.api.authentication import DsnAuthentication
from reports.api.formats import sentry
from reports.api.problems import INVALID_REPORT, TOO_LARGE, Problem
from reports.api.schema_machines import SEND_ENVELOPE
from reports.api.views import ApiView
from reports.enums import Channel, Scope
from reports.errors import FieldError, InvalidReport
from reports.intake.addresses import sender_address
from reports.intake.apikeys import KnownKey
from reports.intake.regions import country_of_address
from reports.intake.selectors import service_numbered
from reports.intake.services import Named, Origin, Outcome, accept_apart

_CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After, X-Sentry-Rate-Limits, X-Sentry-Error",
}
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Authorization, Baggage, Content-Encoding, Content-Type, Sentry-Trace, "
    "Traceparent, X-Requested-With, X-Sentry-Auth",
    "Access-Control-Max-Age": "86400",
}


class SentryEnvelope(ApiView):
    """An envelope of which feedback is taken."""

    http_method_names = ("post", "options")
    authentication_classes = (DsnAuthentication,)
    scopes = {"POST": Scope.PUBLIC}

    @extend_schema(**SEND_ENVELOPE)
    def post(self, request: Request, project: int) -> HttpResponse:
        now = timezone.now()
        envelope = bodies.envelope(request)
        address = sender_address(request.META)
        service, country = service_numbered(project), country_of_address(address)
        items: list[Named | InvalidReport] = []
        if len(envelope.feedback) > sentry.MAX_FEEDBACK:
            raise Problem(
                TOO_LARGE,
                f"The envelope has {len(envelope.feedback)} items of feedback; {sentry.MAX_FEEDBACK} are taken.",
            )
        for kind, payload in envelope.feedback:
            try:
                items.append(sentry.read_feedback(kind, payload, envelope, service=service, country=country, now=now))
            except InvalidReport as invalid:
                items.append(invalid)
        outcomes = accept_apart(items=items, origin=_origin(request, address), now=now)
        _raise_if_nothing_was_taken(outcomes)
        members = {"id": envelope.event_id or uuid.uuid4().hex}
        return HttpResponse(msgspec.json.encode(members), content_type="application/json")

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Let a browser send what it asks for, from whatever page: the key decides, and there are no cookies."""
        return HttpResponse(status=204, headers=_PREFLIGHT)

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [] if self._is_preflight() else super().get_authenticators()

    def get_permissions(self) -> Any:
        return [] if self._is_preflight() else super().get_permissions()

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Let the page's script read every answer, errors too."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        for name, value in _CORS.items():
            answer.headers[name] = value
        return answer

    def _is_preflight(self) -> bool:
        return getattr(self, "request", None) is not None and self.request.method == "OPTIONS"


def _origin(request: Request, address: str) -> Origin:
    """Return where the feedback comes from: a browser, which the key tells nothing of."""
    key = request.auth
    if not isinstance(key, KnownKey):
        raise TypeError("The envelope's view was reached without a key.")  # HasScope lets nobody through without
    agent = str(request.META.get("HTTP_USER_AGENT", ""))
    return Origin(Channel.SENTRY, client=f"key:{key.id}", address=address, agent=agent, key_id=key.id)


def _raise_if_nothing_was_taken(outcomes: tuple[Outcome, ...]) -> None:
    if not outcomes or any(outcome.receipt for outcome in outcomes):
        return
    errors = [FieldError(error.field, error.message) for outcome in outcomes for error in outcome.errors]
    raise Problem(INVALID_REPORT, "Nothing of the envelope's feedback was accepted: `errors` says why.", errors)
