"""The page of quarantine and what people say there. Each view: parse, one selector or service, render or go back."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from reports.enums import Role
from reports.errors import InvalidInput
from reports.triage.accounts import Staff
from reports.triage.clusters import lag_of_clustering
from reports.triage.quarantine import judge_case, quarantine_page
from reports.triage.transitions import includes
from reports.web.access import staff_page, wants_fragment
from reports.web.cluster_pages import SAID, SAID_BEFORE


@staff_page(Role.VIEWER)
@require_safe
def quarantine(request: HttpRequest, staff: Staff) -> HttpResponse:
    """What is held back, by case, with its numbers over time and some of its texts."""
    now = timezone.now()
    context = {
        "staff": staff,
        "page": quarantine_page(lag=lag_of_clustering(now), now=now),
        "may_act": includes(staff.role, Role.RESPONDER),
        "address": request.get_full_path(),
    }
    template = "staff/quarantine_live.html" if wants_fragment(request) else "staff/quarantine.html"
    return render(request, template, context)


@staff_page(Role.VIEWER)
@require_POST
def quarantine_act(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Say of a case what it is, and go back to the list."""
    try:
        if request.POST.get("do") not in {"release", "attack"}:
            raise InvalidInput(f"{request.POST.get('do', '')[:40]!r} is no answer. Press one of the buttons.")
        is_new = judge_case(
            service_slug=request.POST.get("service", ""),
            day=_day(request.POST.get("day", "")),
            reason=request.POST.get("reason", ""),
            is_attack=request.POST.get("do") == "attack",
            actor_id=staff.user_id,
            now=timezone.now(),
        )
    except InvalidInput as error:
        messages.error(request, str(error))
    else:
        messages.success(request, SAID if is_new else SAID_BEFORE)
    return redirect("quarantine")


def _day(word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError as error:
        raise InvalidInput(f"{word[:40]!r} is no day. Reload the page and choose anew.") from error
