"""Export and erasure over REST."""

from __future__ import annotations

import pytest
from django.utils import timezone

from reports.enums import Scope
from reports.models import ApiKey, Erasure, Report, ReportContact
from tests.api.conftest import Caller
from tests.factories import make_report, make_service


@pytest.fixture
def report(transactional_db: None) -> Report:
    made = make_report(make_service("mail"), at=timezone.now())
    ReportContact.objects.create(report_id=made.id, address="ada@example.org", created_at=made.received_at)
    return made


def test_all_that_is_held_is_exported(caller: Caller, report: Report) -> None:
    answer = caller(Scope.PRIVACY).get(f"/api/v1/reports/{report.id}")

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.json()
    assert (told["id"], told["text"], told["service"]) == (str(report.id), "I can't log in", "mail")
    assert told["contact"]["address"] == "ada@example.org"
    assert told["placement"] is None


def test_erasing_is_answered_with_what_is_left_however_often(caller: Caller, report: Report) -> None:
    client = caller(Scope.PRIVACY)

    first, second = (client.delete(f"/api/v1/reports/{report.id}") for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json() == client.get(f"/api/v1/reports/{report.id}").json()
    assert (first.json()["text"], first.json()["contact"]) == ("", None)
    assert first.json()["erased_at"] is not None
    erasure = Erasure.objects.get()
    assert (erasure.way, erasure.key, erasure.n_reports) == ("api", ApiKey.objects.get(), 1)


@pytest.mark.parametrize("scope", [Scope.INTAKE, Scope.READ, Scope.MANAGE])
def test_it_takes_a_scope_of_its_own(caller: Caller, report: Report, scope: Scope) -> None:
    client = caller(scope)

    answers = [client.get(f"/api/v1/reports/{report.id}"), client.delete(f"/api/v1/reports/{report.id}")]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].json()["type"].endswith("insufficient-scope")
    report.refresh_from_db()
    assert report.erased_at is None


def test_what_is_not_there_is_a_problem(caller: Caller) -> None:
    client = caller(Scope.PRIVACY)

    unknown = client.delete("/api/v1/reports/01890000-0000-7000-8000-000000000000")
    no_id = client.get("/api/v1/reports/4711")

    assert (unknown.status_code, no_id.status_code) == (404, 404)
    assert "is kept for 30 days" in unknown.json()["detail"]
    assert not Erasure.objects.exists()


def test_a_report_is_not_changed_otherwise(caller: Caller, report: Report) -> None:
    answer = caller(Scope.PRIVACY).post(f"/api/v1/reports/{report.id}", {}, content_type="application/json")

    assert answer.status_code == 405
    assert "DELETE" in answer.headers["Allow"]


def test_what_is_sent_again_after_erasing_is_not_stored_again(caller: Caller) -> None:
    make_service("mail")
    client = caller(Scope.INTAKE, Scope.PRIVACY)

    def send() -> str:
        answer = client.post(
            "/api/v1/reports", {"service": "mail", "text": "down"}, content_type="application/json",
            headers={"Idempotency-Key": "k"},
        )  # fmt: skip
        return str(answer.json()["id"])

    report_id = send()
    client.delete(f"/api/v1/reports/{report_id}")

    assert send() == report_id
    assert Report.objects.get().text == ""
