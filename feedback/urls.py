"""Which face answers which address."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("reports.api.urls")),
    path("", include("reports.web.urls")),
]

handler400 = "reports.web.errors.bad_request"
handler403 = "reports.web.errors.forbidden"
handler404 = "reports.web.errors.not_found"
handler500 = "reports.web.errors.server_error"
