"""The pages "what would have happened": a form with the latest questions, and one question with its answer.

A worker finds the answer; until it is there the page says how far that is, and draws itself anew where scripts run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from reports.enums import Role
from reports.errors import InvalidInput
from reports.triage import what_if
from reports.triage.accounts import Staff
from reports.triage.transitions import includes
from reports.triage.what_if import InvalidWhatIf
from reports.web import figures
from reports.web.access import staff_page, wants_fragment

USUAL_DAYS: Final = "7"
USUAL_BUDGET: Final = "4"
SUGGESTED: Final = ("0.25", "1", "4", "12")  # once in four months, once a month, once a week, three times a week


@dataclass(frozen=True, slots=True)
class WhatIfForm:
    """What stands in the form's fields, and what is wrong with it; "" is what belongs to no field."""

    service: str = ""
    days: str = USUAL_DAYS
    budget: str = USUAL_BUDGET
    errors: dict[str, str] = field(default_factory=dict)


@staff_page(Role.VIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
def what_ifs(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Ask a question, or see the latest."""
    form = WhatIfForm(service=request.GET.get("service", "")[:63])
    if request.method == "POST":
        given = request.POST
        form = WhatIfForm(given.get("service", ""), given.get("days", "").strip(), given.get("budget", "").strip())
        try:
            asked = what_if.ask_what_if(
                service_slug=form.service,
                days=form.days,
                budget=form.budget,
                actor_id=staff.user_id,
                now=timezone.now(),
            )
        except InvalidWhatIf as invalid:
            errors = {error.field: error.message for error in invalid.errors}
            form = WhatIfForm(form.service, form.days, form.budget, errors)
        except InvalidInput as error:
            form = WhatIfForm(form.service, form.days, form.budget, {"": str(error)})
        else:
            if not asked.is_new:
                messages.success(request, "That has been asked already, and is not answered yet.")
            return redirect("what-if", asked.id)
    context = {
        "staff": staff,
        "found": what_if.what_if_list(),
        "form": form,
        "may_ask": includes(staff.role, Role.RESPONDER),
        "suggested": SUGGESTED,
    }
    return render(request, "staff/what_ifs.html", context, status=422 if form.errors else 200)


@staff_page(Role.VIEWER)
@require_safe
def what_if_one(request: HttpRequest, staff: Staff, what_if_id: int) -> HttpResponse:
    """One question, and its answer as far as it is known."""
    page = what_if.what_if_page(what_if_id=what_if_id, now=timezone.now())
    outcome = page.outcome
    sections = [(one, figures.what_if_chart(one, outcome)) for one in outcome.services] if outcome else []
    context = {"staff": staff, "page": page, "sections": sections}
    return render(request, "staff/what_if_live.html" if wants_fragment(request) else "staff/what_if.html", context)
