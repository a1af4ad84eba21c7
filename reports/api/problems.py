"""The one shape of an error on the API: RFC 9457 `application/problem+json`, and the one place that makes it.

Each kind of problem has a lasting `type` (docs/api.md lists them); `detail` and `errors` name the thing, the value and
the remedy. Errors are translated here and nowhere else; views only raise them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.request import Request

from reports.errors import (
    FieldError,
    IdempotencyConflict,
    IllegalTransition,
    InvalidInput,
    InvalidReport,
    NotAllowed,
    NotFound,
    OverLimit,
    StoreUnavailable,
    TooMany,
)
from reports.triage.catalogue import InvalidService

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:problem-type:outcry:"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: the last word of its type, its status and its title."""

    word: str
    status: int
    title: str


BAD_REQUEST = Kind("bad-request", 400, "The request can't be understood")
MALFORMED_BODY = Kind("malformed-body", 400, "The body is not valid JSON")
INVALID_PARAMETER = Kind("invalid-parameter", 400, "A query parameter does not fit")
UNAUTHENTICATED = Kind("unauthenticated", 401, "A valid API key is needed")
FORBIDDEN = Kind("forbidden", 403, "This is not allowed")
INSUFFICIENT_SCOPE = Kind("insufficient-scope", 403, "The API key lacks a scope")
NOT_FOUND = Kind("not-found", 404, "There is no such thing")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "This address does not know the method")
NOT_ACCEPTABLE = Kind("not-acceptable", 406, "The answer can't be given in that format")
CONFLICT = Kind("conflict", 409, "It stands against what is there")
TOO_LARGE = Kind("too-large", 413, "The request is too large")
UNSUPPORTED_MEDIA_TYPE = Kind("unsupported-media-type", 415, "The body's media type is not taken here")
INVALID_REPORT = Kind("invalid-report", 422, "The report breaks the contract")
INVALID_BATCH = Kind("invalid-batch", 422, "No report of the batch was accepted")
INVALID_INPUT = Kind("invalid-input", 422, "A value does not fit")
IDEMPOTENCY_CONFLICT = Kind("idempotency-conflict", 422, "The idempotency key came with another body before")
OVER_LIMIT = Kind("over-limit", 429, "The API key is over its limit")
BUSY = Kind("busy", 503, "The API key is over its limit, and the sender tries again by itself")
INTERNAL_ERROR = Kind("internal-error", 500, "Something went wrong on our side")
STORE_UNAVAILABLE = Kind("store-unavailable", 503, "The database is not available")

KINDS = tuple(value for value in list(globals().values()) if isinstance(value, Kind))


@dataclass(slots=True, eq=False)
class Problem(Exception):
    """A problem that only the API knows of, such as a wrong media type; raised by its views."""

    kind: Kind
    detail: str
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def exception_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """Translate whatever a view raised, as Django REST framework asks for it."""
    return response(problem_of(error), context["request"])


def response(problem: Problem, request: HttpRequest | Request) -> HttpResponse:
    """Return the problem as an answer to the request."""
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + problem.kind.word,
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": problem.detail,
        "instance": request.path,
    }
    if problem.errors:
        body["errors"] = [error_members(error) for error in problem.errors]
    return HttpResponse(
        msgspec.json.encode(body),
        status=problem.kind.status,
        content_type=CONTENT_TYPE,
        headers=dict(problem.headers),
    )


def error_members(error: FieldError) -> dict[str, Any]:
    """Return one error as a member of `errors`: where in the body it is (RFC 6901), and what is wrong."""
    members: dict[str, Any] = {"field": error.field, "message": error.message}
    if not error.field[:1].isupper():  # headers such as Idempotency-Key stand in no body
        steps = [str(error.item)] if error.item is not None else []
        steps += [error.field.replace("~", "~0").replace(".", "/")] if error.field else []
        members["pointer"] = "#" + "".join(f"/{step}" for step in steps)
    if error.item is not None:
        members["item"] = error.item
    return members


def problem_of(error: Exception) -> Problem:
    """Return the problem an exception stands for; an unforeseen one is logged and told without details."""
    match error:
        case Problem():
            return error
        case InvalidReport() if is_malformed(error):
            return Problem(MALFORMED_BODY, str(error))
        case InvalidReport():
            kind = INVALID_BATCH if any(each.item is not None for each in error.errors) else INVALID_REPORT
            return Problem(kind, "Mend what `errors` names and send it again. Nothing was accepted.", error.errors)
        case IdempotencyConflict():
            return Problem(IDEMPOTENCY_CONFLICT, str(error), [FieldError("Idempotency-Key", str(error))])
        case InvalidService():
            return Problem(INVALID_INPUT, "Mend what `errors` names and send it again.", error.errors)
        case InvalidInput():
            return Problem(INVALID_INPUT, str(error))
        case TooMany():
            return Problem(TOO_LARGE, str(error))
        case OverLimit():
            return Problem(OVER_LIMIT, str(error), headers={"Retry-After": str(error.retry_after_seconds)})
        case NotFound():
            return Problem(NOT_FOUND, str(error))
        case IllegalTransition():
            return Problem(CONFLICT, str(error))
        case NotAllowed():
            return Problem(FORBIDDEN, str(error))
        case StoreUnavailable():
            return Problem(STORE_UNAVAILABLE, str(error), headers={"Retry-After": str(error.retry_after_seconds)})
        case OperationalError() | InterfaceError():
            return Problem(
                STORE_UNAVAILABLE,
                "The database is away. Nothing was accepted; try again.",
                headers={"Retry-After": str(StoreUnavailable.retry_after_seconds)},
            )
        case RequestDataTooBig():
            return Problem(TOO_LARGE, "The body is larger than this installation takes. Send it in parts.")
        case TooManyFieldsSent():
            return Problem(
                INVALID_PARAMETER, "There are more query parameters than any address here knows. Leave them out."
            )
        case SuspiciousOperation():
            return Problem(
                BAD_REQUEST, "The request is not put together as HTTP asks for. Mend it before sending it again."
            )
        case Http404():
            return Problem(NOT_FOUND, "There is nothing at this address. docs/api.md lists what there is.")
        case exceptions.APIException():
            return _framework_problem(error)
        case _:
            logger.error("A request failed: %s", type(error).__name__, exc_info=error)
            return Problem(INTERNAL_ERROR, "The failure has been logged. Try again; if it stays, tell the operator.")


def is_malformed(error: InvalidReport) -> bool:
    """Tell whether a report is no JSON at all (400), in contrast to JSON that says the wrong thing (422)."""
    cause = error.__cause__
    return isinstance(cause, UnicodeDecodeError) or type(cause) is msgspec.DecodeError


def _framework_problem(error: exceptions.APIException) -> Problem:
    headers: dict[str, str] = {}
    detail = str(error.detail)
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(challenge)
    match error:
        case exceptions.NotAuthenticated():
            detail = (
                "This address needs an API key. Send it as `Authorization: Bearer outcry_…`; "
                "staff make keys on the dashboard."
            )
            return Problem(UNAUTHENTICATED, detail, headers=headers)
        case exceptions.AuthenticationFailed():
            headers["WWW-Authenticate"] = f'{headers.get("WWW-Authenticate", "Bearer")}, error="invalid_token"'
            return Problem(UNAUTHENTICATED, detail, headers=headers)
        case exceptions.PermissionDenied():
            return Problem(FORBIDDEN, detail)
        case exceptions.MethodNotAllowed():
            return Problem(METHOD_NOT_ALLOWED, detail)
        case exceptions.NotAcceptable():
            return Problem(NOT_ACCEPTABLE, detail)
        case exceptions.UnsupportedMediaType():
            return Problem(UNSUPPORTED_MEDIA_TYPE, detail)
        case exceptions.NotFound():
            return Problem(NOT_FOUND, detail)
        case _:
            return Problem(BAD_REQUEST, detail)
