"""The dashboard and the page of an outage, and what people do there. Each view: parse, one selector or service, render.

A page is its frame and its changing part (`#live`); a script that refreshes asks for that part alone, at the same
address. Acts answer with a redirect to where they were done, so that reloading repeats nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from reports.enums import Role
from reports.errors import IllegalTransition, InvalidInput
from reports.triage import selectors, services
from reports.triage.accounts import Staff
from reports.triage.rows import OutageRow
from reports.triage.services import MAX_TEXT_CHARS, Triaged
from reports.triage.transitions import Act, acts_for
from reports.web import figures
from reports.web.access import staff_page, wants_fragment

DONE: Final[dict[Act, str]] = {
    Act.CONFIRM: "Confirmed.",
    Act.DISMISS: "Dismissed.",
    Act.RESOLVE: "Resolved.",
    Act.ASSIGN: "Assigned.",
    Act.NOTE: "Noted.",
}


@dataclass(frozen=True, slots=True)
class Card:
    """An outage as a page shows it: its row, its small chart, and the acts this reader is offered."""

    row: OutageRow
    spark: figures.Spark | None
    acts: frozenset[Act]
    is_mine: bool


@staff_page(Role.VIEWER)
@require_safe
def dashboard(request: HttpRequest, staff: Staff) -> HttpResponse:
    """What emerges now."""
    found = selectors.dashboard(now=timezone.now())
    context = {
        "staff": staff,
        "dashboard": found,
        "cards": [_card(row, staff) for row in found.open],
        "shades": figures.shades(found.countries),
        "max_text_chars": MAX_TEXT_CHARS,
        "next": resolve_url("dashboard"),
    }
    return render(request, "staff/dashboard_live.html" if wants_fragment(request) else "staff/dashboard.html", context)


@staff_page(Role.VIEWER)
@require_safe
def outage(request: HttpRequest, staff: Staff, outage_id: int) -> HttpResponse:
    """One outage with all its evidence."""
    page = selectors.outage_page(outage_id=outage_id, now=timezone.now())
    context = {
        "staff": staff,
        "page": page,
        "card": _card(page.outage, staff),
        "shades": figures.shades(page.countries),
        "max_text_chars": MAX_TEXT_CHARS,
        "next": resolve_url("outage", outage_id),
    }
    return render(request, "staff/outage_live.html" if wants_fragment(request) else "staff/outage.html", context)


@staff_page(Role.VIEWER)
@require_POST
def act(request: HttpRequest, staff: Staff, outage_id: int, word: str) -> HttpResponse:
    """Do one thing with an outage and go back to where it was done."""
    if word not in set(Act):
        raise Http404(f"{word!r} is nothing one can do with an outage.")
    act = Act(word)
    try:
        triaged = _do(act, outage_id, staff, request.POST)
    except (IllegalTransition, InvalidInput) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, DONE[act] if triaged.is_changed else "That had been done already.")
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None) or not back.startswith("/"):
        back = resolve_url("outage", outage_id)
    return redirect(back)


def _do(act: Act, outage_id: int, staff: Staff, form: QueryDict) -> Triaged:
    actor_id, now, text = staff.user_id, timezone.now(), form.get("text") or ""
    if act is Act.CONFIRM:
        return services.confirm_outage(outage_id=outage_id, actor_id=actor_id, text=text, now=now)
    if act is Act.DISMISS:
        reason = form.get("reason") or ""
        return services.dismiss_outage(outage_id=outage_id, actor_id=actor_id, reason=reason, now=now)
    if act is Act.RESOLVE:
        return services.resolve_outage(outage_id=outage_id, actor_id=actor_id, text=text, now=now)
    if act is Act.ASSIGN:
        assignee_id = _account(form.get("assignee") or "")
        return services.assign_outage(outage_id=outage_id, actor_id=actor_id, assignee_id=assignee_id, now=now)
    return services.add_note(outage_id=outage_id, actor_id=actor_id, text=text, now=now)


def _account(word: str) -> int | None:
    if not word:
        return None
    if not word.isascii() or not word.isdigit():
        raise InvalidInput(f"{word!r} is no account. Choose one from the list.")
    return int(word)


def _card(row: OutageRow, staff: Staff) -> Card:
    offered = acts_for(staff.role, row.state)
    if row.is_confirmed_by_person:
        offered -= {Act.CONFIRM}
    return Card(row, figures.spark(row), offered, is_mine=row.assignee_id == staff.user_id)
