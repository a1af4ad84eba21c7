"""The pages anybody may see: the status page, the form and the receipt. Parse → one service or selector → render.

None of them reads a session, so that the status page is the same for all and a broken login never hides an outage.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers, get_conditional_response, patch_cache_control
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reports.enums import Channel, ErasureWay
from reports.errors import FieldError, InvalidReport, NotFound, StoreUnavailable
from reports.intake.abuse import asks_for_proof
from reports.intake.availability import store_needed
from reports.intake.contract import MAX_TEXT_CHARS, from_mapping
from reports.intake.proofs import new_challenge
from reports.intake.receipts import report_of
from reports.intake.regions import country_of_address
from reports.intake.selectors import services_to_choose, symptoms_to_choose
from reports.intake.services import Origin, Receipt, accept_report
from reports.privacy.erasing import erase_report
from reports.privacy.holdings import document_of, holding_of
from reports.publishing.selectors import public_services, receipt_page
from reports.web import errors
from reports.web.addresses import client_address
from reports.web.forms import FormPage, Typed, check, find_choice, form_page, read_typed

STATUS_MAX_AGE_SECONDS: Final = 10
TRY_AGAIN: Final = (
    "We couldn't store your report just now. What you wrote is still here: please send it again in a few seconds."
)

View = Callable[..., HttpResponseBase]


def says_when_the_store_is_away(view: View) -> View:
    """Answer 503 with a date to come back instead of an error nobody can act on."""

    @wraps(view)
    def answer(request: HttpRequest, **from_address: str) -> HttpResponseBase:
        try:
            return view(request, **from_address)
        except StoreUnavailable as error:
            return errors.store_unavailable(request, error)

    return answer


@require_safe
@says_when_the_store_is_away
def status(request: HttpRequest) -> HttpResponseBase:
    """Show how every service is."""
    page = render(request, "public/status.html", {"page": public_services(timezone.now())})
    etag = f'"{hashlib.sha256(page.content).hexdigest()[:32]}"'
    page.headers["ETag"] = etag
    patch_cache_control(page, public=True, max_age=STATUS_MAX_AGE_SECONDS)
    return get_conditional_response(request, etag=etag, response=page) or page


@require_http_methods(["GET", "HEAD", "POST"])
@says_when_the_store_is_away
def report(request: HttpRequest, slug: str = "") -> HttpResponseBase:
    """Show the form, take what it sends, or show it again with what else there is to choose ("update")."""
    if request.method == "POST":
        typed = read_typed(request.POST, default_country="")
        return _show(request, typed, slug) if "update" in request.POST else _take(request, typed, slug)
    typed = read_typed(request.GET, default_country=country_of_address(client_address(request)))
    if slug and find_choice(services_to_choose(), slug) is None:
        raise Http404("There is no such service. Choose one from the list in the form.")
    return _show(request, replace(typed, service=slug or typed.service), slug)


@never_cache
@require_safe
@says_when_the_store_is_away
def challenge(request: HttpRequest) -> HttpResponseBase:
    """Give a browser that is about to send the form some work, or none (204), which is the rule."""
    return work_for(request, request.GET.get("service", ""))


def work_for(request: HttpRequest, service: str) -> HttpResponse:
    """Return a challenge where a report of that service should bring a proof of work, else nothing."""
    now = timezone.now()
    with store_needed():
        is_asked = asks_for_proof(service=service, address=client_address(request), now=now)
    return JsonResponse(new_challenge(now=now)) if is_asked else HttpResponse(status=204)


@require_safe
@says_when_the_store_is_away
def receipt(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show a reporter what became of their report. The address is the secret: nothing keeps or passes it on."""
    try:
        page = receipt_page(token, now=timezone.now())
    except NotFound as error:
        raise Http404(str(error)) from error
    context = {"page": page, "token": token, "address": request.build_absolute_uri()}
    return _for_its_reporter(render(request, "public/receipt.html", context))


@require_safe
@says_when_the_store_is_away
def receipt_export(request: HttpRequest, token: str) -> HttpResponseBase:
    """Give a reporter all that is stored of their report, as a file."""
    try:
        held = holding_of(report_of(token))
    except NotFound as error:
        raise Http404(str(error)) from error
    document = document_of(held, for_reporter=True)
    response = JsonResponse(document, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response.headers["Content-Disposition"] = f'attachment; filename="report-{held.id}.json"'
    return _for_its_reporter(response)


@require_POST
@says_when_the_store_is_away
def receipt_erase(request: HttpRequest, token: str) -> HttpResponseBase:
    """Erase what a reporter told, and go back to the receipt, which says so. The second time changes nothing."""
    try:
        erase_report(report_id=report_of(token), way=ErasureWay.RECEIPT, now=timezone.now())
    except NotFound as error:
        raise Http404(str(error)) from error
    return HttpResponse(status=303, headers={"Location": reverse("receipt", kwargs={"token": token})})


def _for_its_reporter(response: HttpResponse) -> HttpResponse:
    """Keep an answer that only the holder of a receipt may see out of caches, indexes and others' referrers.

    To ourselves the address may be told: under `no-referrer` a browser names no origin, and the form that erases would
    be refused as a forged one.
    """
    add_never_cache_headers(response)
    patch_cache_control(response, private=True, no_store=True)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def accept_form(request: HttpRequest, typed: Typed, *, source: str = "") -> Receipt:
    """Store what the form sent, or a widget (`source` says where that stands). Raises what `accept_report` does."""
    now = timezone.now()
    check(typed, services_to_choose(), now=now)
    origin = Origin(
        channel=Channel.FORM,
        client="form",
        address=client_address(request),
        agent=request.headers.get("User-Agent", ""),
        signs=typed.signs,
    )
    report = from_mapping(typed.fields() | {"source": source})
    with store_needed():  # the look-ups before the writer don't wait for a database that is away
        return accept_report(report=report, origin=origin, idempotency_key=typed.idempotency_key, now=now)


def _take(request: HttpRequest, typed: Typed, slug: str) -> HttpResponse:
    try:
        taken = accept_form(request, typed)
    except InvalidReport as invalid:
        return _show(request, typed, slug, wrong=invalid.errors, http_status=422)
    except StoreUnavailable as error:
        response = _show(request, typed, slug, trouble=TRY_AGAIN, ask=False, http_status=503)
        response.headers["Retry-After"] = str(error.retry_after_seconds)
        return response
    return HttpResponse(status=303, headers={"Location": reverse("receipt", kwargs={"token": taken.token})})


def _show(
    request: HttpRequest,
    typed: Typed,
    slug: str,
    *,
    wrong: Sequence[FieldError] = (),
    trouble: str = "",
    ask: bool = True,
    http_status: int = 200,
) -> HttpResponse:
    """Render the form. With `ask=False` the database is away, and not asked for what is known without it."""
    services = services_to_choose(ask=ask)
    chosen = find_choice(services, typed.service) or (services[0] if len(services) == 1 else None)
    symptoms = symptoms_to_choose(service_id=chosen.id if chosen and ask else None, now=timezone.now())
    page: FormPage = form_page(
        typed,
        services=services,
        symptoms=symptoms,
        max_text_chars=MAX_TEXT_CHARS,
        now=timezone.now(),
        errors=wrong,
        is_linked=bool(slug),
        trouble=trouble,
    )
    response = render(request, "public/report.html", {"form": page}, status=http_status)
    add_never_cache_headers(response)
    return response
