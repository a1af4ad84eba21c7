"""What other programs may read: services, outages and clusters; and the one thing they may manage: making a service."""

from __future__ import annotations

from datetime import date

import msgspec
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from reports.api import bodies, serializers
from reports.api.problems import INVALID_PARAMETER, Problem
from reports.api.schema import CREATE_SERVICE, LIST_OUTAGES, LIST_SERVICES, READ_CLUSTER, READ_OUTAGE
from reports.api.views import ApiView
from reports.enums import OutageState, Scope
from reports.errors import FieldError, NotFound
from reports.intake import contract
from reports.triage.catalogue import create_service, managed_services
from reports.triage.clusters import cluster_facts
from reports.triage.outage_rows import list_outages, outage_story

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_ID = 2**63 - 1


class NewService(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A service to be made, as it is sent in; what fits is `create_service`'s affair."""

    slug: str
    name: str
    description: str = ""
    is_public: bool = True
    time_zone: str = ""
    holidays: list[date] = msgspec.field(default_factory=list)


class Services(ApiView):
    """The services reports can be about."""

    scopes = {"GET": Scope.READ, "POST": Scope.MANAGE}

    @extend_schema(**LIST_SERVICES)
    def get(self, request: Request) -> Response:
        bodies.only_parameters(request)
        return Response({"services": serializers.Service(managed_services(), many=True).data})

    @extend_schema(**CREATE_SERVICE)
    def post(self, request: Request) -> Response:
        bodies.only_parameters(request)
        bodies.media_type(request, bodies.JSON_TYPES)
        body = bodies.read_body(request, limit_bytes=contract.MAX_REPORT_BYTES)
        wanted = bodies.decoded(body, NewService)
        service = create_service(
            slug=wanted.slug,
            name=wanted.name,
            description=wanted.description,
            is_public=wanted.is_public,
            time_zone=wanted.time_zone,
            holidays=wanted.holidays,
            now=timezone.now(),
        )
        return Response(serializers.Service(service).data, status=201)


class Outages(ApiView):
    """Outages, the newest first."""

    scopes = {"GET": Scope.READ}

    @extend_schema(**LIST_OUTAGES)
    def get(self, request: Request) -> Response:
        bodies.only_parameters(request, "state", "service", "limit", "before")
        try:
            page = list_outages(
                states=bodies.choices(request, "state", OutageState.values),
                service_slug=request.query_params.get("service", ""),
                before_id=bodies.whole_number(request, "before", default=MAX_ID, least=1, most=MAX_ID),
                limit=bodies.whole_number(request, "limit", default=DEFAULT_LIMIT, least=1, most=MAX_LIMIT),
            )
        except NotFound as error:
            raise Problem(INVALID_PARAMETER, str(error), [FieldError("service", str(error))]) from error
        return Response(serializers.OutagePage(page).data)


class Outage(ApiView):
    """One outage with everything that happened to it."""

    scopes = {"GET": Scope.READ}

    @extend_schema(**READ_OUTAGE)
    def get(self, request: Request, outage_id: int) -> Response:
        bodies.only_parameters(request)
        if outage_id > MAX_ID:
            raise NotFound(f"There is no outage {outage_id}.")
        story = outage_story(outage_id=outage_id)
        return Response(
            {**serializers.Outage(story.outage).data, "events": serializers.Event(story.events, many=True).data}
        )


class Cluster(ApiView):
    """One cluster: what its reports are about. One that was merged away stands for the one it has gone up in."""

    scopes = {"GET": Scope.READ}

    @extend_schema(**READ_CLUSTER)
    def get(self, request: Request, cluster_id: int) -> Response:
        bodies.only_parameters(request)
        return Response(serializers.Cluster(cluster_facts(cluster_id=cluster_id)).data)
