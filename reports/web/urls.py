"""The addresses of the pages: for the public, for staff, for machines that watch us."""

from django.urls import include, path

urlpatterns = [
    path("", include("reports.web.urls_health")),
    path("", include("reports.web.urls_public")),
    path("", include("reports.web.urls_staff")),
]
