"""The way of a report through the whole house: handed in, placed, compared, shown, decided on, told."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from reports import tasks
from reports.enums import Channel, EventKind, OutageState, Role, Scope, ServiceState
from reports.intake.abuse import form_mark
from reports.intake.apikeys import create_key
from reports.intake.services import prepare_storage
from reports.models import Outage, Placement, Report, Service
from reports.publishing.selectors import public_services, receipt_page
from reports.triage.selectors import dashboard, outage_page
from reports.triage.services import add_note, assign_outage, confirm_outage, resolve_outage
from tests.factories import make_service, make_user

pytestmark = pytest.mark.django_db(transaction=True)  # the writer has a thread of its own
LOGIN = ("I can't log in", "login fails", "login is broken for me", "cannot log in any more", "log in does not work")


@pytest.fixture
def service() -> Service:
    prepare_storage(now=timezone.now())
    return make_service("mail", name="Mail")


@pytest.fixture
def program() -> Client:
    key = create_key(name="Support desk", scopes=[Scope.INTAKE], created_by_id=None, now=timezone.now())
    return Client(headers={"Authorization": f"Bearer {key.secret}"})


def over_rest(program: Client, n: int) -> None:
    send_batch(program, [{"text": f"{LOGIN[i % 5]} {i}", "region": "DE-BY", "reporter": f"user-{i}"} for i in range(n)])


def send_batch(program: Client, items: list[dict[str, str]]) -> None:
    body = json.dumps([{"service": "mail"} | item for item in items])
    response = program.post("/api/v1/reports:batch", body, content_type="application/json")
    assert response.status_code == 202, response.content


def by_form(n: int) -> list[str]:
    """Send reports by the public form, each from a browser of its own; return the tokens of the receipts."""
    tokens = []
    a_minute_ago = timezone.now() - timedelta(minutes=1)
    for i in range(n):
        given = {
            "service": "mail", "nonce": f"form-{i:020}", "mark": form_mark(f"form-{i:020}", now=a_minute_ago),
            "symptom": "login", "text": "I can't log in",
            "country": "DE", "subdivision": "DE-BY",
        }  # fmt: skip
        response = Client().post("/report", given, headers={"User-Agent": f"browser {i}"})
        assert response.status_code == 303, response.content
        tokens.append(response.headers["Location"].removeprefix("/receipt/"))
    return tokens


def run_the_stages() -> None:
    tasks.cluster_pending()
    tasks.refine_pending()
    tasks.detect_pending()


def test_reports_of_form_and_rest_become_one_outage_that_people_bring_to_its_end(
    service: Service, program: Client
) -> None:
    over_rest(program, 20)
    receipt, *_ = by_form(4)
    run_the_stages()

    # It emerges, with its evidence.
    (row,) = dashboard(now=timezone.now()).open
    assert (row.service_slug, row.state, row.regions, row.n_reports) == (
        "mail", OutageState.CONFIRMED, ("DE-BY",), 24,
    )  # fmt: skip
    assert row.chart is not None
    assert sum(cluster.n_reports for cluster in row.clusters) > 0
    page = outage_page(outage_id=row.id, now=timezone.now())
    assert page.reports

    # Nothing is told before a person has said so.
    assert public_services(timezone.now()).state == ServiceState.OPERATIONAL
    assert receipt_page(receipt, now=timezone.now()).outage is None

    # People decide.
    responder = make_user(Role.RESPONDER, username="jane")
    confirm_outage(outage_id=row.id, actor_id=responder.pk, now=timezone.now())
    assign_outage(outage_id=row.id, actor_id=responder.pk, assignee_id=responder.pk, now=timezone.now())
    add_note(outage_id=row.id, actor_id=responder.pk, text="The login server is full.", now=timezone.now())
    told = public_services(timezone.now())
    assert (told.state, told.services[0].slug) == (ServiceState.PARTIAL_OUTAGE, "mail")
    known = receipt_page(receipt, now=timezone.now())
    assert known.is_grouped
    assert known.outage is not None

    # It ends, and the reports that led to it do not open it again.
    resolve_outage(outage_id=row.id, actor_id=responder.pk, now=timezone.now())
    run_the_stages()
    assert dashboard(now=timezone.now()).open == ()
    assert public_services(timezone.now()).state == ServiceState.OPERATIONAL
    timeline = outage_page(outage_id=row.id, now=timezone.now()).events
    assert {(event.kind, event.actor) for event in timeline} == {
        (EventKind.SUSPECTED, ""), (EventKind.CONFIRMED, ""), (EventKind.CONFIRMED, "jane"),
        (EventKind.ASSIGNED, "jane"), (EventKind.NOTED, "jane"), (EventKind.RESOLVED, "jane"),
    }  # fmt: skip
    assert Outage.objects.count() == 1


def test_the_same_report_sent_twice_is_placed_and_counted_once(service: Service, program: Client) -> None:
    body = json.dumps({"service": "mail", "text": "login fails", "reporter": "jane"})
    for _ in range(3):
        response = program.post(
            "/api/v1/reports", body, content_type="application/json", headers={"Idempotency-Key": "one-and-the-same"}
        )
        assert response.status_code == 202
    run_the_stages()
    run_the_stages()

    assert Report.objects.count() == Placement.objects.count() == 1


def test_reports_go_their_way_whatever_face_they_came_through(service: Service, program: Client) -> None:
    over_rest(program, 2)
    by_form(2)
    run_the_stages()

    channels = sorted(Report.objects.values_list("channel", flat=True))
    assert channels == [Channel.BULK, Channel.BULK, Channel.FORM, Channel.FORM]
    assert set(Placement.objects.values_list("report_id", flat=True)) == set(
        Report.objects.values_list("id", flat=True)
    )


def test_history_sent_in_bulk_teaches_what_is_usual_and_opens_nothing(service: Service, program: Client) -> None:
    now = timezone.now()
    Service.objects.update(created_at=now - timedelta(days=3))
    times = [now - timedelta(minutes=70 + 10 * i) for i in range(400)]
    send_batch(
        program,
        [
            {"text": f"login fails {time:%d %H %M} {n}", "region": "DE-BY", "occurred_at": time.isoformat()}
            for time in times
            for n in range(3)
        ],
    )
    run_the_stages()

    # Three at once are usual now, six times an hour: three more are no outage, though nobody had told before.
    over_rest(program, 3)
    run_the_stages()

    assert not Outage.objects.exists()
