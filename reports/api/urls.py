"""The addresses of the API. Whatever else is asked for below /api/ is answered with a problem, not with a page."""

from django.urls import path, re_path

from reports.api.views import NoSuchAddress

urlpatterns = [
    re_path(r"^.*$", NoSuchAddress.as_view()),
]
