"""The addresses of the staff's pages. Their names are used in templates; no namespace."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from reports.web import dashboard

urlpatterns = [
    path("login", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("dashboard", dashboard.dashboard, name="dashboard"),
]
