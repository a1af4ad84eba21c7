"""The pages on which an admin looks after services."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from reports.enums import Role
from reports.errors import FieldError
from reports.triage import catalogue
from reports.triage.accounts import Staff
from reports.triage.catalogue import InvalidService, ServiceRow
from reports.web.access import staff_page

_FIELDS: Final = ("name", "slug", "description", "position", "time_zone", "holidays")  # in the order of the page


@dataclass(frozen=True, slots=True)
class ServiceForm:
    """What stands in the form's fields, and what is wrong with it."""

    slug: str = ""
    name: str = ""
    description: str = ""
    is_active: bool = True
    is_public: bool = True
    position: str = ""
    time_zone: str = ""
    holidays: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@staff_page(Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def services(request: HttpRequest, staff: Staff) -> HttpResponse:
    """All services, and a form for a new one."""
    form = ServiceForm()
    if request.method == "POST":
        form = _posted(request.POST)
        try:
            made = catalogue.create_service(
                slug=form.slug,
                name=form.name,
                description=form.description,
                is_public=form.is_public,
                position=_position(form) if form.position else None,
                time_zone=form.time_zone,
                holidays=_holidays(form),
                actor_id=staff.user_id,
                now=timezone.now(),
            )
        except InvalidService as invalid:
            form = _with_errors(form, invalid)
        else:
            messages.success(request, f"{made.name} takes reports now.")
            return redirect("services")
    context = {"staff": staff, "services": catalogue.managed_services(), "form": form}
    return render(request, "staff/services.html", context, status=422 if form.errors else 200)


@staff_page(Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def service(request: HttpRequest, staff: Staff, service_id: int) -> HttpResponse:
    """One service, to be changed."""
    row = catalogue.managed_service(service_id=service_id)
    form = _of(row)
    if request.method == "POST":
        form = _posted(request.POST)
        try:
            saved = catalogue.edit_service(
                service_id=service_id,
                slug=form.slug,
                name=form.name,
                description=form.description,
                is_active=form.is_active,
                is_public=form.is_public,
                position=_position(form),
                time_zone=form.time_zone,
                holidays=_holidays(form),
                actor_id=staff.user_id,
            )
        except InvalidService as invalid:
            form = _with_errors(form, invalid)
        else:
            messages.success(request, f"{saved.name} is saved.")
            return redirect("services")
    context = {
        "staff": staff,
        "service": row,
        "form": form,
        "site_address": request.build_absolute_uri("/").rstrip("/"),
        "widget_address": request.build_absolute_uri(reverse("widget")),
        "widget_sites": [site for site in settings.WIDGET_ORIGINS if site != "*"],
    }
    return render(request, "staff/service.html", context, status=422 if form.errors else 200)


def _of(row: ServiceRow) -> ServiceForm:
    return ServiceForm(
        row.slug, row.name, row.description, row.is_active, row.is_public, str(row.position), row.time_zone,
        " ".join(day.isoformat() for day in row.holidays),
    )  # fmt: skip


def _posted(form: Any) -> ServiceForm:
    return ServiceForm(
        slug=form.get("slug", ""),
        name=form.get("name", ""),
        description=form.get("description", ""),
        is_active="is_active" in form,
        is_public="is_public" in form,
        position=form.get("position", "").strip(),
        time_zone=form.get("time_zone", "").strip(),
        holidays=form.get("holidays", ""),
    )


def _position(form: ServiceForm) -> int:
    """Return the position; what is no number is one that can't be, so that it is told with the other errors."""
    return int(form.position) if form.position.isascii() and form.position.isdigit() else -1


def _holidays(form: ServiceForm) -> list[date]:
    """Return the days. Raises InvalidService, naming the first word that is none."""
    found = []
    for word in form.holidays.replace(",", " ").split():
        try:
            found.append(date.fromisoformat(word))
        except ValueError:
            message = f"“{word[:20]}” is no day. Write days such as 2026-12-25, with blanks between them."
            raise InvalidService([FieldError("holidays", message)]) from None
    return found


def _with_errors(form: ServiceForm, invalid: InvalidService) -> ServiceForm:
    first: dict[str, str] = {}
    for error in invalid.errors:
        first.setdefault(error.field, error.message)
    return ServiceForm(
        form.slug, form.name, form.description, form.is_active, form.is_public, form.position, form.time_zone,
        form.holidays,
        errors={name: first[name] for name in (*_FIELDS, *first) if name in first},
    )  # fmt: skip
