"""Logging in: Django's own view, with the names our pages use."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.views import LoginView


class StaffLogin(LoginView):
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        del context["site"]  # the request's host, which would hide the site's name from the frame of the page
        return context
