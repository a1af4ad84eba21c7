"""What programs may read and take back of single reports: all that is held of one, and its erasure."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from reports.api import bodies, serializers
from reports.api.schema import ERASE_REPORT, READ_REPORT
from reports.api.views import ApiView
from reports.enums import ErasureWay, Scope
from reports.intake.apikeys import KnownKey
from reports.privacy.erasing import erase_report
from reports.privacy.holdings import document_of, holding_of


class Report(ApiView):
    """One stored report with all that is held of it."""

    scopes = {"GET": Scope.PRIVACY, "DELETE": Scope.PRIVACY}
    http_method_names = ("get", "head", "delete")

    @extend_schema(**READ_REPORT)
    def get(self, request: Request, report_id: UUID) -> Response:
        bodies.only_parameters(request)
        return _told(report_id)

    @extend_schema(**ERASE_REPORT)
    def delete(self, request: Request, report_id: UUID) -> Response:
        bodies.only_parameters(request)
        key = request.auth
        erase_report(
            report_id=report_id,
            way=ErasureWay.API,
            key_id=key.id if isinstance(key, KnownKey) else None,
            now=timezone.now(),
        )
        return _told(report_id)


def _told(report_id: UUID) -> Response:
    document = document_of(holding_of(report_id), for_reporter=False)
    return Response(serializers.HeldReport(document).data)
