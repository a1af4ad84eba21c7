"""The report widget: its script, and what it asks and sends from other sites. The same way as the form, told in JSON.

Nothing here reads or sets a cookie, so there is nothing that another site could misuse in somebody's name: that is why
the check against forged forms is left out, and why any site may ask. `WIDGET_ORIGINS` narrows that for browsers; who
sends no `Origin`, or a wrong one, is no browser, and is judged by what it sends, as at the form.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache, wraps
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from reports.errors import InvalidReport, NotFound, StoreUnavailable
from reports.intake.regions import countries, country_of_address
from reports.intake.selectors import ServiceChoice, services_to_choose, symptoms_to_choose
from reports.web import public
from reports.web.addresses import client_address
from reports.web.forms import find_choice, in_form_words, new_form, read_typed

SCRIPT_MAX_AGE_SECONDS: Final = 3600
_SCRIPT: Final = Path(__file__).resolve().parents[1] / "static" / "widget.js"
_HOST: Final = re.compile(r"[a-z0-9.:-]{1,80}")

View = Callable[..., HttpResponseBase]


def from_other_sites(view: View) -> View:
    """Let the sites that may carry the widget ask, and say what is wrong in JSON."""

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, slug: str) -> HttpResponseBase:
        origin = request.headers.get("Origin", "").lower()
        try:
            if _may_ask(origin, request):
                response = view(request, slug)
            else:
                response = _problem(f"{origin} may not carry the widget. The operator names it in WIDGET_ORIGINS.", 403)
        except NotFound as error:
            response = _problem(str(error), 404)
        except StoreUnavailable as error:
            response = _problem(public.TRY_AGAIN, 503)
            response.headers["Retry-After"] = str(error.retry_after_seconds)
        if origin or _is_open():  # a refusal too, so that the widget can say what is wrong
            response.headers["Access-Control-Allow-Origin"] = "*" if _is_open() else origin
        patch_vary_headers(response, ["Origin"])
        return response

    return answer


@require_safe
def script(request: HttpRequest) -> HttpResponseBase:
    """The widget itself."""
    content, etag = _script()
    response = HttpResponse(content, content_type="text/javascript; charset=utf-8")
    response.headers["ETag"] = etag
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    patch_cache_control(response, public=True, max_age=SCRIPT_MAX_AGE_SECONDS)
    return get_conditional_response(request, etag=etag, response=response) or response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@from_other_sites
def report(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Tell what the dialog offers, or take what it sends."""
    if request.method == "POST":
        return _take(request, slug)
    chosen = _choice(slug)
    now = timezone.now()
    typed = new_form(now=now)
    return JsonResponse(
        {
            "service": chosen.name,
            "nonce": typed.nonce,
            "mark": typed.mark,
            "symptoms": [[one.value, one.label] for one in symptoms_to_choose(service_id=chosen.id, now=now)],
            "countries": [one.code for one in countries()],
            "country": country_of_address(client_address(request)),
            "proof": request.build_absolute_uri(static("proof.js")),
        }
    )


@never_cache
@require_safe
@from_other_sites
def challenge(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Give a browser that is about to send some work, or none (204), which is the rule."""
    return public.work_for(request, slug)


def _take(request: HttpRequest, slug: str) -> HttpResponse:
    typed = replace(read_typed(request.POST, default_country=""), service=slug, contact="")
    try:
        taken = public.accept_form(request, typed, source=_source(request))
    except InvalidReport as invalid:
        messages = [in_form_words(error, typed).message for error in invalid.errors]
        return JsonResponse({"errors": messages}, status=422)
    address = reverse("receipt", kwargs={"token": taken.token})
    return JsonResponse({"receipt_url": request.build_absolute_uri(address)}, status=202)


def _choice(slug: str) -> ServiceChoice:
    """Return the service. Raises NotFound where the public may not report about one of that name."""
    chosen = find_choice(services_to_choose(), slug)
    if chosen is None:
        raise NotFound(f"There is no service {slug[:50]!r} that anybody may report about. Mend data-service.")
    return chosen


def _source(request: HttpRequest) -> str:
    """Return where a widget stands, as a report's source."""
    host = urlsplit(request.headers.get("Origin", "").lower()).netloc
    return f"widget {host}" if _HOST.fullmatch(host) else "widget"


def _is_open() -> bool:
    return "*" in settings.WIDGET_ORIGINS


def _may_ask(origin: str, request: HttpRequest) -> bool:
    """Tell whether a site may ask; browsers name it whenever another site's page does."""
    return _is_open() or not origin or origin in settings.WIDGET_ORIGINS or origin == _own_origin(request)


def _own_origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}".lower()


def _problem(message: str, status: int) -> HttpResponse:
    return JsonResponse({"errors": [message]}, status=status)


@cache
def _script() -> tuple[bytes, str]:
    content = _SCRIPT.read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'
