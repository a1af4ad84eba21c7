"""What every template may say without being told: whose site this is. Reads settings only, never a row or a session."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Site:
    """The site as its pages name it."""

    name: str


def site(request: HttpRequest | None) -> dict[str, Site]:
    """Return the context processor's one variable, `site`."""
    return {"site": Site(name=settings.SITE_NAME)}
