"""The door for an event loop: the submission the other door would have made, or none at all; never a query."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import SynchronousOnlyOperation

from reports.enums import Channel, Scope
from reports.intake import apikeys, at_once, catalogue, fingerprints, key_limits, remembered
from reports.intake.apikeys import create_key, remembered_key, revoke_key
from reports.intake.at_once import AskFirst
from reports.intake.contract import ReportIn
from reports.intake.services import Origin
from tests.factories import NOW, make_service

pytestmark = pytest.mark.django_db
ORIGIN = Origin(Channel.REST, client="key:1")


class Writer:
    """Notes what it is handed."""

    def __init__(self) -> None:
        self.submissions: list[Any] = []

    def submit(self, submission: Any, *, on_done: Any) -> None:
        self.submissions.append(submission)


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> Writer:
    noting = Writer()
    monkeypatch.setattr(at_once, "the_writer", lambda clock: noting)
    return noting


def hand_in(*reports: ReportIn, key: str = "", origin: Origin = ORIGIN) -> None:
    at_once.submit(reports=reports, origin=origin, idempotency_key=key, body=b"{}", now=NOW, on_done=lambda _: None)


def test_what_is_remembered_is_handed_in_without_a_query(writer: Writer, django_assert_num_queries: Any) -> None:
    service = make_service("mail")
    at_once.refresh(now=NOW)

    with django_assert_num_queries(0):
        hand_in(ReportIn(service="Mail", text="one", reporter="u1"), ReportIn(service="mail", text="two"), key="k")

    (submission,) = writer.submissions
    assert [(row.service_id, row.report.text) for row in submission.rows] == [(service.pk, "one"), (service.pk, "two")]
    assert [len(row.reporter) for row in submission.rows] == [16, 0]
    assert submission.idempotency.key == "k"


@pytest.mark.parametrize(
    "report", [ReportIn(service="mall", text="x"), ReportIn(service="mail"), ReportIn(service="mail", text="a\x00")]
)
def test_what_would_be_refused_belongs_to_the_other_door(writer: Writer, report: ReportIn) -> None:
    make_service("mail")
    at_once.refresh(now=NOW)

    with pytest.raises(AskFirst):
        hand_in(ReportIn(service="mail", text="x"), report)

    assert writer.submissions == []


def test_nothing_at_all_belongs_to_the_other_door(writer: Writer) -> None:
    at_once.refresh(now=NOW)

    with pytest.raises(AskFirst):
        hand_in()


@pytest.mark.usefixtures("no_broker")
def test_a_key_that_must_be_checked_belongs_to_the_other_door(writer: Writer) -> None:
    make_service("mail")
    at_once.refresh(now=NOW)
    origin = Origin(Channel.REST, client="key:1", key_id=1)
    report = ReportIn(service="mail", text="x")

    with pytest.raises(AskFirst):
        hand_in(report, origin=origin)
    key_limits.check(1, n_reports=1)
    hand_in(report, origin=origin)

    assert len(writer.submissions) == 1


def test_without_the_days_salt_it_must_be_asked_for(writer: Writer) -> None:
    make_service("mail")
    at_once.refresh(now=NOW - timedelta(days=1))

    with pytest.raises(AskFirst):
        hand_in(ReportIn(service="mail", text="x"))


def test_a_memory_that_has_had_its_time_is_not_used(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    make_service("mail")
    at_once.refresh(now=NOW)
    monkeypatch.setattr(remembered, "REMEMBER_SECONDS", -1.0)

    with pytest.raises(AskFirst):
        hand_in(ReportIn(service="mail", text="x"))


def test_a_question_that_slips_through_is_no_failure(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    def asks(day: Any) -> bytes:
        raise SynchronousOnlyOperation

    make_service("mail")
    at_once.refresh(now=NOW)
    monkeypatch.setattr(fingerprints, "salt_of", asks)

    with pytest.raises(AskFirst):
        hand_in(ReportIn(service="mail", text="x", reporter="u1"))


def test_a_refresh_is_due_before_the_memory_has_had_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    before = at_once.is_refresh_due(now=NOW)
    at_once.refresh(now=NOW)
    after = at_once.is_refresh_due(now=NOW)
    monkeypatch.setattr(catalogue.table, "read_at", catalogue.table.read_at - at_once.REFRESH_SECONDS - 0.1)
    later = at_once.is_refresh_due(now=NOW)

    assert (before, after, later) == (True, False, True)
    assert remembered.REMEMBER_SECONDS > at_once.REFRESH_SECONDS


def test_a_key_is_remembered_until_something_must_be_asked_or_noted(django_assert_num_queries: Any) -> None:
    made = create_key(name="Desk", scopes=[Scope.INTAKE], created_by_id=None, now=NOW)
    unknown = remembered_key(made.secret, now=NOW)
    apikeys.authenticate_key(made.secret, now=NOW)

    with django_assert_num_queries(0):
        known = remembered_key(made.secret, now=NOW)
        use_is_to_be_noted = remembered_key(made.secret, now=NOW + apikeys.TOUCH_INTERVAL)
        other = remembered_key(f"outcry_{'a' * 8}_{'b' * 40}", now=NOW)
    revoke_key(key_id=made.id, now=NOW)

    assert known is not None
    assert known.id == made.id
    assert (unknown, use_is_to_be_noted, other, remembered_key(made.secret, now=NOW)) == (None, None, None, None)
