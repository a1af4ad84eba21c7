"""The addresses of the API. Whatever else is asked for below /api/ is answered with a problem, not with a page."""

from django.urls import path, re_path

from reports.api import intake, machines, outages, privacy, sentry
from reports.api.schema import Schema
from reports.api.views import NoSuchAddress

urlpatterns = [
    path("v1/reports", intake.Reports.as_view(), name="api-reports"),
    path("v1/reports:batch", intake.ReportBatch.as_view(), name="api-reports-batch"),
    path("v1/reports/<uuid:report_id>", privacy.Report.as_view(), name="api-report"),
    path("v1/alertmanager", machines.AlertmanagerWebhook.as_view(), name="api-alertmanager"),
    path("v1/cloudevents", machines.CloudEvents.as_view(), name="api-cloudevents"),
    path("<int:project>/envelope/", sentry.SentryEnvelope.as_view(), name="api-sentry-envelope"),
    path("v1/services", outages.Services.as_view(), name="api-services"),
    path("v1/outages", outages.Outages.as_view(), name="api-outages"),
    path("v1/outages/<int:outage_id>", outages.Outage.as_view(), name="api-outage"),
    path("v1/clusters/<int:cluster_id>", outages.Cluster.as_view(), name="api-cluster"),
    path("schema/", Schema.as_view(), name="api-schema"),
    re_path(r"", NoSuchAddress.as_view()),
]
