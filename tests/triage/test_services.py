"""Each act on an outage: what it changes, what it writes, who may not, and when not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reports.enums import EventKind, OutageState, Role
from reports.errors import IllegalTransition, InvalidInput, NotAllowed, NotFound
from reports.models import Outage, OutageEvent
from reports.triage import services
from tests.factories import NOW, add_event, make_outage, make_service, make_user

pytestmark = pytest.mark.django_db


def events_by_people(outage: Outage) -> list[OutageEvent]:
    return list(OutageEvent.objects.filter(outage=outage, actor__isnull=False).order_by("id"))


def test_confirming_changes_the_state_and_writes_who_and_when() -> None:
    outage, actor = make_outage(make_service()), make_user()

    triaged = services.confirm_outage(outage_id=outage.pk, actor_id=actor.pk, text="Seen in the logs", now=NOW)

    outage.refresh_from_db()
    [event] = events_by_people(outage)
    assert triaged.is_changed
    assert (outage.state, outage.is_confirmed_by_person, outage.confirmed_at) == (OutageState.CONFIRMED, True, NOW)
    assert (event.kind, event.actor, event.at) == (EventKind.CONFIRMED, actor, NOW)
    assert event.body == {"by_person": True, "text": "Seen in the logs"}


def test_confirming_twice_writes_one_event() -> None:
    outage, actor = make_outage(make_service()), make_user()
    services.confirm_outage(outage_id=outage.pk, actor_id=actor.pk, now=NOW)

    again = services.confirm_outage(outage_id=outage.pk, actor_id=actor.pk, now=NOW + timedelta(seconds=1))

    assert not again.is_changed
    assert len(events_by_people(outage)) == 1


def test_a_person_vouches_for_what_the_detector_confirmed_and_the_first_time_stands() -> None:
    confirmed_at = NOW - timedelta(minutes=4)
    outage = make_outage(make_service(), state=OutageState.CONFIRMED, confirmed_at=confirmed_at)

    services.confirm_outage(outage_id=outage.pk, actor_id=make_user().pk, now=NOW)

    outage.refresh_from_db()
    assert outage.is_confirmed_by_person
    assert outage.confirmed_at == confirmed_at


def test_confirming_what_recovers_leaves_it_recovering() -> None:
    outage = make_outage(make_service(), state=OutageState.RECOVERING)

    triaged = services.confirm_outage(outage_id=outage.pk, actor_id=make_user().pk, now=NOW)

    assert triaged.state == OutageState.RECOVERING


def test_dismissing_closes_the_outage_and_keeps_the_reason() -> None:
    outage = make_outage(make_service())

    services.dismiss_outage(outage_id=outage.pk, actor_id=make_user().pk, reason="  A load test  ", now=NOW)

    outage.refresh_from_db()
    assert (outage.state, outage.resolved_at) == (OutageState.DISMISSED, NOW)
    assert events_by_people(outage)[0].body == {"reason": "A load test"}


@pytest.mark.parametrize("reason", ["", "  \n ", "\u202e"])
def test_dismissing_takes_a_reason(reason: str) -> None:
    outage = make_outage(make_service())

    with pytest.raises(InvalidInput, match="reason is missing"):
        services.dismiss_outage(outage_id=outage.pk, actor_id=make_user().pk, reason=reason, now=NOW)

    outage.refresh_from_db()
    assert outage.state == OutageState.SUSPECTED


def test_dismissing_twice_writes_one_event() -> None:
    outage, actor = make_outage(make_service()), make_user()

    for _ in range(2):
        services.dismiss_outage(outage_id=outage.pk, actor_id=actor.pk, reason="A test", now=NOW)

    assert len(events_by_people(outage)) == 1


def test_resolving_closes_a_confirmed_outage() -> None:
    outage = make_outage(make_service(), state=OutageState.CONFIRMED)

    services.resolve_outage(outage_id=outage.pk, actor_id=make_user().pk, text="Rolled back", now=NOW)

    outage.refresh_from_db()
    assert (outage.state, outage.resolved_at) == (OutageState.RESOLVED, NOW)
    assert events_by_people(outage)[0].body == {"by_person": True, "text": "Rolled back"}


def test_what_is_only_suspected_cannot_be_resolved_and_the_message_says_what_to_do() -> None:
    outage = make_outage(make_service())

    with pytest.raises(IllegalTransition, match=r"suspected\. Confirm it first"):
        services.resolve_outage(outage_id=outage.pk, actor_id=make_user().pk, now=NOW)


@pytest.mark.parametrize("state", [OutageState.RESOLVED, OutageState.DISMISSED])
def test_what_is_closed_cannot_be_confirmed(state: OutageState) -> None:
    outage = make_outage(make_service(), state=state)

    with pytest.raises(IllegalTransition, match=state.value):
        services.confirm_outage(outage_id=outage.pk, actor_id=make_user().pk, now=NOW)


def test_assigning_names_the_assignee_and_doing_it_again_changes_nothing() -> None:
    outage, actor, other = make_outage(make_service()), make_user(), make_user(username="ada")

    for _ in range(2):
        services.assign_outage(outage_id=outage.pk, actor_id=actor.pk, assignee_id=other.pk, now=NOW)

    outage.refresh_from_db()
    assert outage.assignee == other
    assert [event.body for event in events_by_people(outage)] == [{"assignee": "ada"}]


def test_an_outage_can_be_given_back() -> None:
    actor = make_user()
    outage = make_outage(make_service(), assignee=actor)

    services.assign_outage(outage_id=outage.pk, actor_id=actor.pk, assignee_id=None, now=NOW)

    outage.refresh_from_db()
    assert outage.assignee is None


def test_an_outage_is_not_assigned_to_somebody_who_may_not_act() -> None:
    outage, viewer = make_outage(make_service()), make_user(Role.VIEWER)

    with pytest.raises(NotAllowed):
        services.assign_outage(outage_id=outage.pk, actor_id=make_user().pk, assignee_id=viewer.pk, now=NOW)


def test_a_note_can_be_left_on_what_is_over() -> None:
    outage = make_outage(make_service(), state=OutageState.RESOLVED)

    services.add_note(outage_id=outage.pk, actor_id=make_user().pk, text="It was DNS.\r\nAgain.", now=NOW)

    assert events_by_people(outage)[0].body == {"text": "It was DNS.\nAgain."}


def test_the_same_note_twice_in_a_row_is_one_and_a_later_one_is_another() -> None:
    outage, actor = make_outage(make_service()), make_user()

    for text in ("One", "One", "Two", "One"):
        services.add_note(outage_id=outage.pk, actor_id=actor.pk, text=text, now=NOW)

    assert [event.body["text"] for event in events_by_people(outage)] == ["One", "Two", "One"]


def test_an_over_long_note_is_refused_with_its_length() -> None:
    outage = make_outage(make_service())

    with pytest.raises(InvalidInput, match="2,001 characters"):
        services.add_note(outage_id=outage.pk, actor_id=make_user().pk, text="x" * 2_001, now=NOW)


@pytest.mark.parametrize("role", [Role.VIEWER, None])
def test_who_may_only_look_changes_nothing(role: Role | None) -> None:
    outage, actor = make_outage(make_service()), make_user(role)

    with pytest.raises(NotAllowed, match="Ask an admin"):
        services.confirm_outage(outage_id=outage.pk, actor_id=actor.pk, now=NOW)

    outage.refresh_from_db()
    assert outage.state == OutageState.SUSPECTED
    assert events_by_people(outage) == []


def test_an_outage_that_is_not_there_is_named() -> None:
    with pytest.raises(NotFound, match="no outage 4711"):
        services.confirm_outage(outage_id=4711, actor_id=make_user().pk, now=NOW)


def test_an_act_and_its_event_are_one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    outage, actor = make_outage(make_service()), make_user()

    def fail(**kwargs: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(OutageEvent.objects, "create", fail)

    with pytest.raises(RuntimeError):
        services.confirm_outage(outage_id=outage.pk, actor_id=actor.pk, now=NOW)

    outage.refresh_from_db()
    assert outage.state == OutageState.SUSPECTED


def test_the_detectors_events_are_no_double_click() -> None:
    outage, actor = make_outage(make_service()), make_user()
    services.add_note(outage_id=outage.pk, actor_id=actor.pk, text="One", now=NOW)
    add_event(outage, EventKind.CONFIRMED)

    services.add_note(outage_id=outage.pk, actor_id=actor.pk, text="One", now=NOW)

    assert len(events_by_people(outage)) == 1
