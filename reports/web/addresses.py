"""Whose network address a request to a page comes from (`reports.intake.addresses` says who is believed)."""

from __future__ import annotations

from django.http import HttpRequest

from reports.intake.addresses import address_behind as address_behind
from reports.intake.addresses import sender_address


def client_address(request: HttpRequest) -> str:
    """Return the address of whoever asks, or "" where it can't be known."""
    return sender_address(request.META)
