"""The pages anybody may see: the status page, the form and the receipt. Parse → one service or selector → render."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def status(request: HttpRequest) -> HttpResponse:
    return render(request, "errors/error.html")


def report(request: HttpRequest, slug: str = "") -> HttpResponse:
    return render(request, "errors/error.html")


def receipt(request: HttpRequest, token: str) -> HttpResponse:
    return render(request, "errors/error.html")
