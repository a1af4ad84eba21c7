"""What is held of a report: all of it, and nothing of anybody else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.serializers.json import DjangoJSONEncoder

from reports.clustering.services import cluster_pending
from reports.enums import Suspicion
from reports.errors import NotFound
from reports.models import Report, ReportContact, ScreeningExample
from reports.privacy.holdings import document_of, holding_of
from tests.clustering.stories import a_report, a_service, hand_in
from tests.factories import NOW, make_report, make_service

pytestmark = pytest.mark.django_db

MINE: dict[str, Any] = {
    "region": "DE-BY",
    "symptom": "login",
    "lang": "en",
    "url": "https://example.org/mine",
    "release": "7.1",
    "source": "kiosk",
    "contact": "ada@example.org",
    "reporter": "ada",
}


def given_out(report_id: Any, *, for_reporter: bool = True) -> str:
    return json.dumps(document_of(holding_of(report_id), for_reporter=for_reporter), cls=DjangoJSONEncoder)


def test_everything_the_reporter_told_is_in_it() -> None:
    service = a_service("mail")
    [report_id] = hand_in(a_report(service, "I can't log in", **MINE))
    cluster_pending(now=NOW)

    told = json.loads(given_out(report_id))

    assert {name: told[name] for name in MINE if name not in {"contact", "reporter"}} == {
        name: value for name, value in MINE.items() if name not in {"contact", "reporter"}
    }
    assert told["text"] == "I can't log in"
    assert told["contact"] == {"address": "ada@example.org", "given_at": "2026-03-04T12:00:00Z"}
    assert told["received_at"] == "2026-03-04T12:00:00Z"
    assert len(told["reporter_fingerprint"]) == 32
    assert told["placement"]["placed_at"] == "2026-03-04T12:00:00Z"
    assert told["erased_at"] is None


def test_no_field_of_a_report_is_left_out() -> None:
    told = document_of(holding_of(make_report(make_service()).id), for_reporter=False)
    fields = {field.name for field in Report._meta.get_fields()}

    renamed = {"reporter": "reporter_fingerprint", "network": "network_fingerprint"}
    assert {renamed.get(name, name) for name in fields} <= told.keys()


def test_nothing_of_anybody_else_is_in_it() -> None:
    service = a_service("mail")
    others = [
        a_report(service, f"I can't log in, says {name}", contact=f"{name}@example.org", reporter=name)
        for name in ("grace", "edsger", "barbara")
    ]
    ids = hand_in(a_report(service, "I can't log in", **MINE), *others)
    cluster_pending(now=NOW)
    for report_id in ids[1:]:
        ScreeningExample.objects.create(report_id=report_id, service=service, text="grace", is_problem=True, at=NOW)

    for for_reporter in (True, False):
        told = given_out(ids[0], for_reporter=for_reporter)
        assert not [name for name in ("grace", "edsger", "barbara") if name in told]
        assert not [str(other) for other in ids[1:] if str(other) in told]


def test_a_reporter_is_not_told_what_would_help_a_crowds_player() -> None:
    report = make_report(make_service(), suspicion=Suspicion.TRAP)

    assert "trap" not in given_out(report.id)
    assert "trap" in given_out(report.id, for_reporter=False)


def test_a_reporter_is_not_told_whether_somebody_else_told_the_same() -> None:
    service = a_service("mail")
    hand_in(a_report(service, "The kiosk in Wunsiedel swallowed my card"))
    cluster_pending(now=NOW)
    [guess] = hand_in(a_report(service, "the kiosk in wunsiedel swallowed my card"))
    cluster_pending(now=NOW)

    told, told_to_staff = (
        document_of(holding_of(guess), for_reporter=for_reporter)["placement"] for for_reporter in (True, False)
    )

    assert told_to_staff["similarity"] > 0.9
    assert not {"cluster_id", "similarity"} & told.keys()


def test_it_says_until_when_it_is_kept() -> None:
    held = holding_of(make_report(make_service(), at=NOW).id)

    assert held.kept_until == datetime(2026, 4, 4, tzinfo=UTC)  # 30 days after the day is over


def test_a_report_costs_four_queries(django_assert_num_queries: Any) -> None:
    report = make_report(make_service())
    ReportContact.objects.create(report_id=report.id, address="a@example.org", created_at=NOW + timedelta(seconds=1))

    with django_assert_num_queries(4):
        holding_of(report.id)


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(NotFound, match="is kept for 30 days"):
        holding_of(uuid4())
