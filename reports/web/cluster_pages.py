"""The pages of clusters and what people say there. Each view: parse, one selector or service, render or go back.

Corrections are carried out by the clustering stage, mostly within a second: a page says what waits, and is drawn anew
when it is done. Who may act is asked by the services; a reader who only looks is offered nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from reports.enums import Role
from reports.errors import InvalidInput
from reports.triage import clusters, corrections
from reports.triage.accounts import Staff
from reports.triage.corrections import MAX_CLUSTER_NAME_CHARS, Corrected
from reports.triage.transitions import includes
from reports.web import figures
from reports.web.access import staff_page, wants_fragment

SAID: Final = "Said. It is being carried out."
SAID_BEFORE: Final = "That had been said already."


@staff_page(Role.VIEWER)
@require_safe
def cluster_list(request: HttpRequest, staff: Staff) -> HttpResponse:
    """All clusters, the latest first."""
    word = request.GET.get("page", "")
    found = clusters.cluster_list(
        service_slug=request.GET.get("service", ""),
        words=request.GET.get("q", ""),
        page=int(word) if re.fullmatch(r"[0-9]{1,4}", word) else 1,
        now=timezone.now(),
    )
    asked = {"service": found.service_slug, "q": found.words}
    context = {"staff": staff, "found": found, "query": urlencode({name: word for name, word in asked.items() if word})}
    return render(request, "staff/clusters.html", context)


@staff_page(Role.VIEWER)
@require_safe
def cluster(request: HttpRequest, staff: Staff, cluster_id: int) -> HttpResponse:
    """One cluster, and why its reports are together; one that was merged away leads to its heir."""
    all_reports = "all" in request.GET
    page = clusters.cluster_page(cluster_id=cluster_id, all_reports=all_reports, now=timezone.now())
    if page.cluster.id != cluster_id:
        return redirect("cluster", page.cluster.id)
    context = {
        "staff": staff,
        "page": page,
        "spark": figures.chart_spark(page.chart),
        "may_act": includes(staff.role, Role.RESPONDER),
        "all_reports": all_reports,
        "address": request.get_full_path(),
        "max_name_chars": MAX_CLUSTER_NAME_CHARS,
    }
    return render(request, "staff/cluster_live.html" if wants_fragment(request) else "staff/cluster.html", context)


@staff_page(Role.VIEWER)
@require_safe
def set_aside(request: HttpRequest, staff: Staff) -> HttpResponse:
    """What screening set aside of late, to be looked through."""
    context = {
        "staff": staff,
        "page": clusters.set_aside_page(service_slug=request.GET.get("service", ""), now=timezone.now()),
        "may_act": includes(staff.role, Role.RESPONDER),
        "address": request.get_full_path(),
    }
    return render(request, "staff/set_aside_live.html" if wants_fragment(request) else "staff/set_aside.html", context)


@staff_page(Role.VIEWER)
@require_POST
def cluster_act(request: HttpRequest, staff: Staff, cluster_id: int, word: str) -> HttpResponse:
    """Say one thing of a cluster or of reports in it, and go back to its page."""
    if word not in _ACTS:
        raise Http404(f"{word!r} is nothing one can say of a cluster.")
    _do(request, lambda: _ACTS[word](cluster_id, staff, request.POST), "Renamed." if word == "rename" else SAID)
    return redirect("cluster", cluster_id)


@staff_page(Role.VIEWER)
@require_POST
def set_aside_act(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Say of reports that were set aside what they are, and go back to the list."""
    _do(request, lambda: _screen(0, staff, request.POST), SAID)
    slug = request.POST.get("service", "")
    return redirect(resolve_url("set-aside") + (f"?{urlencode({'service': slug})}" if slug else ""))


def _do(request: HttpRequest, act: Callable[[], Corrected], done: str) -> None:
    try:
        corrected = act()
    except InvalidInput as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done if corrected.is_new else SAID_BEFORE)


def _merge(cluster_id: int, staff: Staff, form: QueryDict) -> Corrected:
    into_id = _cluster_id(form.get("into", ""))
    return corrections.merge_clusters(
        cluster_id=cluster_id, into_id=into_id, actor_id=staff.user_id, now=timezone.now()
    )


def _split(cluster_id: int, staff: Staff, form: QueryDict) -> Corrected:
    chosen = [_number(word) for word in form.getlist("wording")]
    return corrections.split_cluster(
        cluster_id=cluster_id, micro_cluster_ids=chosen, actor_id=staff.user_id, now=timezone.now()
    )


def _rename(cluster_id: int, staff: Staff, form: QueryDict) -> Corrected:
    return corrections.rename_cluster(
        cluster_id=cluster_id, name=form.get("name", ""), actor_id=staff.user_id, now=timezone.now()
    )


def _reports(cluster_id: int, staff: Staff, form: QueryDict) -> Corrected:
    """Do with the ticked reports what the pressed button says."""
    if form.get("do") in {"problem", "no-problem"}:
        return _screen(cluster_id, staff, form)
    if form.get("do") not in {"move", "move-new"}:
        raise InvalidInput(f"{form.get('do', '')[:40]!r} is nothing one can do with reports. Press one of the buttons.")
    into_id = _cluster_id(form.get("into", "")) if form.get("do") == "move" else None
    return corrections.move_reports(
        report_ids=_report_ids(form), into_id=into_id, actor_id=staff.user_id, now=timezone.now()
    )


def _screen(_: int, staff: Staff, form: QueryDict) -> Corrected:
    if form.get("do") not in {"problem", "no-problem"}:
        raise InvalidInput(f"{form.get('do', '')[:40]!r} is no answer. Press one of the buttons.")
    return corrections.screen_reports(
        report_ids=_report_ids(form),
        is_problem=form.get("do") == "problem",
        actor_id=staff.user_id,
        now=timezone.now(),
    )


_ACTS: Final[dict[str, Callable[[int, Staff, QueryDict], Corrected]]] = {
    "merge": _merge,
    "split": _split,
    "rename": _rename,
    "reports": _reports,
}


def _cluster_id(words: str) -> int:
    """Return the number that a chosen or typed cluster begins with: "17", "#17" or "17: login loop"."""
    found = re.match(r"\s*#?([0-9]{1,18})(?![0-9])", words)
    if found is None:
        raise InvalidInput("No cluster is chosen. Choose one from the list, or write its number.")
    return int(found[1])


def _number(word: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", word):
        raise InvalidInput(f"{word!r} is no wording. Reload the page and choose anew.")
    return int(word)


def _report_ids(form: QueryDict) -> list[UUID]:
    try:
        return [UUID(word) for word in form.getlist("report")]
    except ValueError as error:
        raise InvalidInput("What is chosen is no report. Reload the page and choose anew.") from error
