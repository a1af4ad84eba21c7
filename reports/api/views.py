"""What all views of the API share: one media type out, no parser in, and the answer to unknown addresses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from reports.intake.at_once import ALREADY_FAILED


class AlwaysJson(BaseContentNegotiation):
    """Answers in JSON whatever the Accept header says: a report must not be lost over it."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        return None

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return JSONRenderer(), "application/json"


class ApiView(APIView):
    """A view that reads its own body, answers in JSON, and knows nothing of sessions."""

    content_negotiation_class = AlwaysJson
    parser_classes = ()
    # OPTIONS is answered with 405: the schema describes what there is.
    http_method_names: Sequence[str] = ("get", "head", "post")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises the error in which the Edge has ended for this request already: it is told here, as all errors are."""
        super().initial(request, *args, **kwargs)
        if error := getattr(request._request, "scope", {}).get(ALREADY_FAILED):
            raise error

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Let nobody on the way keep what a key was needed for: receipt links are secrets of their reporters."""
        return {**super().default_response_headers, "Cache-Control": "no-store"}


class NoSuchAddress(ApiView):
    """Anything below /api/ that is not there."""

    authentication_classes = ()
    permission_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise Http404
