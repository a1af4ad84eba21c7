"""The addresses of the staff's pages. Their names are used in templates; no namespace.

`/dashboard/stream` is not here: it never ends, and so it is the Edge's (`reports/edge/stream.py`).
"""

from django.contrib.auth.views import LogoutView
from django.urls import path

from reports.web import (
    cluster_pages,
    dashboard,
    key_pages,
    privacy_pages,
    quarantine_pages,
    service_pages,
    what_if_pages,
)
from reports.web.login import StaffLogin

urlpatterns = [
    path("login", StaffLogin.as_view(), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("dashboard", dashboard.dashboard, name="dashboard"),
    path("dashboard/outages/<int:outage_id>", dashboard.outage, name="outage"),
    path("dashboard/outages/<int:outage_id>/<slug:word>", dashboard.act, name="outage-act"),
    path("dashboard/clusters", cluster_pages.cluster_list, name="clusters"),
    path("dashboard/clusters/<int:cluster_id>", cluster_pages.cluster, name="cluster"),
    path("dashboard/clusters/<int:cluster_id>/<slug:word>", cluster_pages.cluster_act, name="cluster-act"),
    path("dashboard/set-aside", cluster_pages.set_aside, name="set-aside"),
    path("dashboard/set-aside/say", cluster_pages.set_aside_act, name="set-aside-act"),
    path("dashboard/quarantine", quarantine_pages.quarantine, name="quarantine"),
    path("dashboard/quarantine/say", quarantine_pages.quarantine_act, name="quarantine-act"),
    path("dashboard/what-if", what_if_pages.what_ifs, name="what-ifs"),
    path("dashboard/what-if/<int:what_if_id>", what_if_pages.what_if_one, name="what-if"),
    path("dashboard/privacy", privacy_pages.privacy, name="privacy"),
    path("dashboard/privacy/say", privacy_pages.privacy_act, name="privacy-act"),
    path("dashboard/services", service_pages.services, name="services"),
    path("dashboard/services/<int:service_id>", service_pages.service, name="service"),
    path("dashboard/keys", key_pages.keys, name="keys"),
    path("dashboard/keys/<int:key_id>/revoke", key_pages.revoke, name="key-revoke"),
]
