"""What a person reads when something went wrong: what happened, and what to do now.

These pages need neither the database nor a session, for they are shown when those fail. Programs under /api/ get the
same as RFC 9457 problem details.
"""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils.cache import add_never_cache_headers

from reports.errors import StoreUnavailable
from reports.web.context import site


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 400, "This request can't be read", "Go back, load the page again and repeat what you did.")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    detail = str(exception) if exception and exception.args else ""
    return _answer(request, 403, "Not for you to see", detail or "Log in with an account that may see it.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that was sent from another site, or whose page had lain too long."""
    return _answer(
        request,
        403,
        "Please send that again",
        "The page you sent this from is too old, or your browser refuses cookies from this site. Go back, copy what "
        "you wrote, load the page again and send it once more.",
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if request.method in {"GET", "HEAD"} and _is_page_with_slash(request.path_info):
        return HttpResponsePermanentRedirect(request.path[:-1])  # where it leads is one of our own addresses
    # A resolver's own exception carries patterns, which tell a reader nothing.
    given = exception.args[0] if exception and exception.args else ""
    detail = given if isinstance(given, str) and given else "The address may be mistyped, or the page is gone."
    return _answer(request, 404, "There is no such page", detail)


def server_error(request: HttpRequest) -> HttpResponse:
    return _answer(
        request,
        500,
        "Something broke on our side",
        "It has been written down. Try again in a minute; nothing you did is wrong.",
    )


def store_unavailable(request: HttpRequest, error: StoreUnavailable) -> HttpResponse:
    """Answer while the database is away, and say when to come back."""
    response = _answer(
        request,
        503,
        "Not available right now",
        "We can't reach our own data at the moment. Try again in a few seconds.",
    )
    response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _is_page_with_slash(path: str) -> bool:
    """Tell whether somebody only typed a slash too many. Programs have to be exact."""
    if not path.endswith("/") or path.startswith("/api/"):
        return False
    try:
        resolve(path[:-1])
    except Resolver404:
        return False
    return True


def _answer(request: HttpRequest, status: int, title: str, detail: str) -> HttpResponse:
    response: HttpResponse
    if request.path_info.startswith("/api/"):
        problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        response = HttpResponse(json.dumps(problem), content_type="application/problem+json", status=status)
    else:
        # Without the request: context processors may need what has just failed.
        is_for_staff = request.path_info.startswith("/dashboard")
        context = {"title": title, "detail": detail, "status": status, "is_for_staff": is_for_staff, **site(None)}
        page = render_to_string("errors/error.html", context)
        response = HttpResponse(page, status=status)
    add_never_cache_headers(response)
    return response
