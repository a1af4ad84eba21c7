"""Who calls: an API key in `Authorization: Bearer …` or `X-API-Key`, and whether its scopes include what is asked.

A view names its scopes by method (`scopes = {"POST": Scope.INTAKE}`); one that names none for a method lets nobody in.
Sessions do not count here: the API is for machines, and a cookie would need CSRF protection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from reports.api import bodies
from reports.api.formats import sentry
from reports.api.problems import INSUFFICIENT_SCOPE, Problem
from reports.enums import Scope
from reports.intake.apikeys import KeyRevoked, KnownKey, authenticate_key

if TYPE_CHECKING:  # the framework loads this module while it loads its views
    from rest_framework.views import APIView

REALM = 'Bearer realm="Outcry"'
SENTRY_REALM = 'Sentry realm="Outcry"'


class ApiKeyAuthentication(BaseAuthentication):
    """Sets `request.auth` to the KnownKey; a request without any key passes on unauthenticated."""

    def authenticate(self, request: Request) -> tuple[Any, KnownKey] | None:
        secret = _secret(request)
        if secret is None:
            return None
        return None, _known(secret)

    def authenticate_header(self, request: Request) -> str:
        return REALM


class DsnAuthentication(BaseAuthentication):
    """Sets `request.auth` to the key of a Sentry DSN: in the query, in `X-Sentry-Auth`, or in the envelope itself."""

    def authenticate(self, request: Request) -> tuple[Any, KnownKey] | None:
        secret = (
            str(request.query_params.get("sentry_key", ""))
            or sentry.key_of_header(str(request.META.get("HTTP_X_SENTRY_AUTH", "")))
            or sentry.key_of_dsn(bodies.dsn_of_envelope(request))
        )
        if not secret:
            raise AuthenticationFailed(
                "The request carries no key. Write the DSN as https://KEY@host/NUMBER, its key of the scope 'public'.",
                code="no_key",
            )
        return None, _known(secret)

    def authenticate_header(self, request: Request) -> str:
        return SENTRY_REALM


class HasScope(BasePermission):
    """Lets a key pass that has the scope the view names for the method."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, KnownKey):
            return False
        scopes: Mapping[str, Scope] = getattr(view, "scopes", {})
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method not in scopes:
            return method not in view.allowed_methods  # what the view can't do is answered with 405, not with 403
        if scopes[method] in request.auth.scopes:
            return True
        raise Problem(
            INSUFFICIENT_SCOPE,
            f"The API key {request.auth.name!r} lacks the scope {scopes[method].value!r}. "
            "Ask staff for a key that has it.",
            headers={"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{scopes[method].value}"'},
        )


def _known(secret: str) -> KnownKey:
    try:
        key = authenticate_key(secret, now=timezone.now())
    except KeyRevoked as error:
        raise AuthenticationFailed(str(error), code="revoked_key") from error
    if key is None:
        raise AuthenticationFailed(
            "This API key is not known here. Check that it was copied whole (outcry_…), or ask staff for another.",
            code="unknown_key",
        )
    return key


def _secret(request: Request) -> str | None:
    """Return the key the request carries, or None where it carries none."""
    authorization = str(request.META.get("HTTP_AUTHORIZATION", ""))
    if not authorization:
        return str(request.META.get("HTTP_X_API_KEY", "")).strip() or None
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise AuthenticationFailed(
            "The Authorization header is not of the form: Bearer outcry_…. Write the key so, or in X-API-Key.",
            code="unknown_scheme",
        )
    return secret.strip()
