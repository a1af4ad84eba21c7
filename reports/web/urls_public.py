"""The addresses of the pages anybody may see. Their names are used in templates; no namespace."""

from django.urls import path

from reports.web import public, widget

urlpatterns = [
    path("", public.status, name="status"),
    path("report", public.report, name="report"),
    path("report/<str:slug>", public.report, name="report"),
    path("challenge", public.challenge, name="challenge"),
    path("widget.js", widget.script, name="widget"),
    path("widget/<str:slug>", widget.report, name="widget-report"),
    path("widget/<str:slug>/challenge", widget.challenge, name="widget-challenge"),
    path("receipt/<str:token>", public.receipt, name="receipt"),
    path("receipt/<str:token>/data", public.receipt_export, name="receipt-data"),
    path("receipt/<str:token>/erase", public.receipt_erase, name="receipt-erase"),
]
