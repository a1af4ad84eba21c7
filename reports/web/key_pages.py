"""The page on which an admin makes and revokes API keys. A new secret is in one answer and nowhere else."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from reports.enums import Role, Scope
from reports.errors import InvalidInput
from reports.intake import apikeys
from reports.intake.apikeys import NewKey
from reports.intake.remembered import REMEMBER_SECONDS
from reports.triage.accounts import Staff
from reports.web.access import staff_page


@staff_page(Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: HttpRequest, staff: Staff) -> HttpResponse:
    """All keys, and a form for a new one.

    The answer to the form is the page itself and no redirect: the secret would have to be kept to survive one.
    """
    new: NewKey | None = None
    error, name, chosen = "", "", [Scope.INTAKE.value]
    if request.method == "POST":
        name, chosen = request.POST.get("name", ""), request.POST.getlist("scopes")
        try:
            new = apikeys.create_key(name=name, scopes=chosen, created_by_id=staff.user_id, now=timezone.now())
        except InvalidInput as invalid:
            error = str(invalid)
        else:
            name, chosen = "", [Scope.INTAKE.value]
    context = {
        "staff": staff,
        "keys": apikeys.list_keys(),
        "scopes": [(scope.value, scope.label, scope.value in chosen) for scope in Scope],
        "name": name,
        "new": new,
        "error": error,
    }
    return render(request, "staff/keys.html", context, status=422 if error else 200)


@staff_page(Role.ADMIN)
@require_POST
def revoke(request: HttpRequest, staff: Staff, key_id: int) -> HttpResponse:
    """Refuse a key from now on."""
    row = apikeys.revoke_key(key_id=key_id, now=timezone.now())
    messages.success(request, f"{row.name} is revoked; within {REMEMBER_SECONDS:.0f} seconds nobody takes it.")
    return redirect("keys")
