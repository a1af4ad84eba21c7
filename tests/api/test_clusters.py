"""What other programs read of a cluster."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from django.test import Client

from reports.enums import Scope
from reports.models import MinuteCount
from tests.api.conftest import Caller
from tests.factories import count_reports, make_cluster, make_service


def test_a_cluster_says_what_its_reports_are_about(caller: Caller) -> None:
    cluster = make_cluster(
        make_service("mail"), label="log in fails", given_name="Login loop", n_reports=4, cohesion=0.5,
        term_shares=[1.0, 0.5, 0.25], languages=["de"], regions=["DE-BY"],
    )  # fmt: skip
    count_reports(cluster, 4)
    MinuteCount.objects.update(n_counted=3, n_set_aside=1)
    client = caller(Scope.READ)

    answer = client.get(f"/api/v1/clusters/{cluster.pk}").json()

    assert answer == {
        "id": cluster.pk, "service": "mail", "name": "Login loop", "label": "log in fails",
        "terms": ["log", "in", "fails"], "term_shares": [1.0, 0.5, 0.25], "languages": ["de"], "regions": ["DE-BY"],
        "cohesion": 0.5, "n_reports": 4, "n_set_aside": 1,
        "first_seen_at": "2026-03-04T12:00:00Z", "last_seen_at": "2026-03-04T12:00:00Z",
    }  # fmt: skip


def test_a_cluster_that_was_merged_away_stands_for_its_heir(caller: Caller) -> None:
    heir = make_cluster(make_service())
    gone = make_cluster(heir.service, merged_into=make_cluster(heir.service, merged_into=heir))
    client = caller(Scope.READ)

    assert client.get(f"/api/v1/clusters/{gone.pk}").json()["id"] == heir.pk


@pytest.mark.parametrize("cluster_id", ["0", "999", "99999999999999999999999"])
def test_a_cluster_that_is_not_there_is_told(caller: Caller, cluster_id: str) -> None:
    client = caller(Scope.READ)

    response = client.get(f"/api/v1/clusters/{cluster_id}")

    assert response.status_code == 404
    assert cluster_id in response.json()["detail"]


def test_a_key_that_may_not_read_is_refused(caller: Caller) -> None:
    cluster = make_cluster(make_service())
    client = caller(Scope.INTAKE, Scope.MANAGE)

    assert client.get(f"/api/v1/clusters/{cluster.pk}").status_code == 403


def test_what_is_read_fits_the_schema(caller: Caller) -> None:
    cluster = make_cluster(make_service())
    accept = {"Accept": "application/vnd.oai.openapi+json"}
    schema: dict[str, Any] = Client().get("/api/schema/", headers=accept).json()
    client = caller(Scope.READ)

    answer = client.get(f"/api/v1/clusters/{cluster.pk}").json()

    answers = schema["paths"]["/api/v1/clusters/{cluster_id}"]["get"]["responses"]
    described = answers["200"]["content"]["application/json"]["schema"]
    jsonschema.validate(answer, {**described, "components": schema["components"]})
