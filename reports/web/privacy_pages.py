"""The page on which a responder finds what is held of a reporter, gives it out and erases it.

What is asked for comes by POST: an address in an address bar would end up in histories and logs.
"""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from reports.enums import Role
from reports.errors import InvalidInput, NotFound, StoreUnavailable, TooMany
from reports.privacy.holdings import document_of
from reports.privacy.search import Found, erase_found, export_found, find_held, latest_erasures
from reports.triage.accounts import Staff
from reports.web.access import staff_page


@staff_page(Role.RESPONDER)
@require_http_methods(["GET", "HEAD", "POST"])
def privacy(request: HttpRequest, staff: Staff) -> HttpResponse:
    """A search, what it found, and what was erased lately."""
    asked = request.POST.get("asked", "")
    found: Found | None = None
    error = ""
    if request.method == "POST":
        try:
            found = find_held(asked, actor_id=staff.user_id, now=timezone.now())
        except (InvalidInput, NotFound, StoreUnavailable) as reason:
            error = str(reason)
    context = {"staff": staff, "asked": asked, "found": found, "error": error, "erasures": latest_erasures()}
    return render(request, "staff/privacy.html", context, status=422 if error else 200)


@staff_page(Role.RESPONDER)
@require_POST
def privacy_act(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Give out what is held of the chosen reports as a file, or erase it and go back."""
    try:
        chosen = _chosen(request)
        if request.POST.get("do") == "export":
            held = export_found(report_ids=chosen, actor_id=staff.user_id)
            return _file([document_of(one, for_reporter=False) for one in held])
        if request.POST.get("do") != "erase":
            raise InvalidInput(f"{request.POST.get('do', '')[:40]!r} is no answer. Press one of the buttons.")
        erased = erase_found(report_ids=chosen, actor_id=staff.user_id, now=timezone.now())
    except (InvalidInput, TooMany, StoreUnavailable) as reason:
        messages.error(request, str(reason))
    else:
        before = f" {erased.n_before} had been erased before." if erased.n_before else ""
        messages.success(request, f"{erased.n} report{'' if erased.n == 1 else 's'} erased.{before} They still count.")
    return redirect("privacy")


def _chosen(request: HttpRequest) -> list[UUID]:
    try:
        return [UUID(word) for word in request.POST.getlist("report")]
    except ValueError as error:
        raise InvalidInput("One of the chosen reports has no valid id. Search again and choose anew.") from error


def _file(documents: list[dict[str, object]]) -> HttpResponse:
    response = JsonResponse({"reports": documents}, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response.headers["Content-Disposition"] = 'attachment; filename="reports.json"'
    return response
