"""Who may see which page of the staff's. What somebody may do there is asked again by the service that does it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils.cache import add_never_cache_headers, patch_vary_headers

from reports.enums import Role
from reports.errors import NotAllowed, NotFound
from reports.triage.accounts import Staff, staff_of
from reports.triage.transitions import includes

View = Callable[..., HttpResponseBase]
StaffView = Callable[Concatenate[HttpRequest, Staff, ...], HttpResponseBase]


def staff_page(least: Role) -> Callable[[StaffView], View]:
    """Let only staff of at least this role in, hand the view who it is, and keep the page out of every cache.

    The view's NotFound and NotAllowed become pages here, once for all.
    """

    def decorate(view: StaffView) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            staff = staff_of(request.user)
            if staff is None:
                response = _no_staff(request)
            elif not includes(staff.role, least):
                raise PermissionDenied(f"This page takes the role {least.value}; yours is {staff.role.value}.")
            else:
                try:
                    response = view(request, staff, *args, **kwargs)
                except NotFound as error:
                    raise Http404(str(error)) from error
                except NotAllowed as error:
                    raise PermissionDenied(str(error)) from error
            add_never_cache_headers(response)
            patch_vary_headers(response, ["HX-Request"])
            return response

        return guarded

    return decorate


def wants_fragment(request: HttpRequest) -> bool:
    """Tell whether a script on the page asks, to which the changing part is enough."""
    return request.headers.get("HX-Request") == "true"


def _no_staff(request: HttpRequest) -> HttpResponseBase:
    if request.user.is_authenticated:
        return render(request, "staff/no_role.html", status=403)
    if wants_fragment(request):
        # A session ended below an open page: the page as a whole has to go to the login, and to come back to itself.
        came_from = urlsplit(request.headers.get("HX-Current-URL", "")).path or resolve_url("dashboard")
        login = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': came_from})}"
        return HttpResponse(status=204, headers={"HX-Redirect": login})
    return redirect_to_login(request.get_full_path() if request.method == "GET" else resolve_url("dashboard"))
