"""What people do with an outage: confirm, dismiss, assign, note, resolve.

Invariant: each act is one OutageEvent, written in the transaction that changes the outage, with the row locked. A
second click on the same button changes nothing and writes nothing. What is allowed when and for whom: `transitions`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from reports.enums import EventKind, OutageState
from reports.errors import InvalidInput, NotFound
from reports.intake.contract import without_forbidden
from reports.models import Outage, OutageEvent
from reports.triage.accounts import Staff, account_role, find_staff
from reports.triage.transitions import Act, check_role, next_state

MAX_TEXT_CHARS: Final = 2_000  # a note is a note; what is longer belongs in a ticket


@dataclass(frozen=True, slots=True)
class Triaged:
    """What became of an outage. `is_changed` is false where the same act had been done before."""

    outage_id: int
    state: OutageState
    is_changed: bool


def confirm_outage(*, outage_id: int, actor_id: int, text: str = "", now: datetime) -> Triaged:
    """Say that it is an outage. Where a person has said so before, nothing changes.

    Raises NotFound, NotAllowed, IllegalTransition, InvalidInput.
    """
    text = _tidy(text)
    with _outage(outage_id, Act.CONFIRM, actor_id) as outage:
        after = next_state(Act.CONFIRM, OutageState(outage.state))
        if outage.is_confirmed_by_person:
            return Triaged(outage_id, after, is_changed=False)
        outage.state = after
        outage.is_confirmed_by_person = True
        outage.confirmed_at = outage.confirmed_at or now
        outage.save(update_fields=["state", "is_confirmed_by_person", "confirmed_at"])
        body = {"by_person": True} | ({"text": text} if text else {})
        _write(outage, EventKind.CONFIRMED, actor_id, now, body)
        return Triaged(outage_id, after, is_changed=True)


def dismiss_outage(*, outage_id: int, actor_id: int, reason: str, now: datetime) -> Triaged:
    """Say that it is none, and why. It closes.

    Raises NotFound, NotAllowed, IllegalTransition, InvalidInput.
    """
    reason = _required(reason, "A reason", "Say in a few words why this is no outage")
    with _outage(outage_id, Act.DISMISS, actor_id) as outage:
        if outage.state == OutageState.DISMISSED:
            return Triaged(outage_id, OutageState.DISMISSED, is_changed=False)
        after = next_state(Act.DISMISS, OutageState(outage.state))
        _close(outage, after, now)
        _write(outage, EventKind.DISMISSED, actor_id, now, {"reason": reason})
        return Triaged(outage_id, after, is_changed=True)


def resolve_outage(*, outage_id: int, actor_id: int, text: str = "", now: datetime) -> Triaged:
    """Say that it is over. It closes.

    Raises NotFound, NotAllowed, IllegalTransition, InvalidInput.
    """
    text = _tidy(text)
    with _outage(outage_id, Act.RESOLVE, actor_id) as outage:
        if outage.state == OutageState.RESOLVED:
            return Triaged(outage_id, OutageState.RESOLVED, is_changed=False)
        after = next_state(Act.RESOLVE, OutageState(outage.state))
        _close(outage, after, now)
        body = {"by_person": True} | ({"text": text} if text else {})
        _write(outage, EventKind.RESOLVED, actor_id, now, body)
        return Triaged(outage_id, after, is_changed=True)


def assign_outage(*, outage_id: int, actor_id: int, assignee_id: int | None, now: datetime) -> Triaged:
    """Give it to somebody who may act on it, or (None) to nobody.

    Raises NotFound, NotAllowed (also where the assignee may not act), IllegalTransition.
    """
    with _outage(outage_id, Act.ASSIGN, actor_id) as outage:
        state = next_state(Act.ASSIGN, OutageState(outage.state))
        if outage.assignee_id == assignee_id:
            return Triaged(outage_id, state, is_changed=False)
        assignee = _assignee(assignee_id)
        outage.assignee_id = assignee_id
        outage.save(update_fields=["assignee"])
        _write(outage, EventKind.ASSIGNED, actor_id, now, {"assignee": assignee.username if assignee else ""})
        return Triaged(outage_id, state, is_changed=True)


def add_note(*, outage_id: int, actor_id: int, text: str, now: datetime) -> Triaged:
    """Write a note into the timeline. The same words by the same person twice in a row are a double click.

    Raises NotFound, NotAllowed, InvalidInput.
    """
    text = _required(text, "A note", "Write what others should know")
    with _outage(outage_id, Act.NOTE, actor_id) as outage:
        state = next_state(Act.NOTE, OutageState(outage.state))
        last = OutageEvent.objects.filter(outage=outage, actor_id=actor_id).order_by("-id").first()
        if last is not None and last.kind == EventKind.NOTED and last.body.get("text") == text:
            return Triaged(outage_id, state, is_changed=False)
        _write(outage, EventKind.NOTED, actor_id, now, {"text": text})
        return Triaged(outage_id, state, is_changed=True)


@contextmanager
def _outage(outage_id: int, act: Act, actor_id: int) -> Iterator[Outage]:
    """Lock the outage for one act of one person, in one transaction."""
    check_role(act, account_role(user_id=actor_id))
    with transaction.atomic():
        outage = Outage.objects.select_for_update().filter(pk=outage_id).first()
        if outage is None:
            raise NotFound(f"There is no outage {outage_id}.")
        yield outage


def _assignee(assignee_id: int | None) -> Staff | None:
    if assignee_id is None:
        return None
    assignee = find_staff(user_id=assignee_id)
    check_role(Act.ASSIGN, assignee.role)
    return assignee


def _close(outage: Outage, state: OutageState, now: datetime) -> None:
    outage.state = state
    outage.resolved_at = now
    outage.save(update_fields=["state", "resolved_at"])


def _write(outage: Outage, kind: EventKind, actor_id: int, now: datetime, body: dict[str, Any]) -> None:
    OutageEvent.objects.create(outage=outage, kind=kind, at=now, actor_id=actor_id, body=body)


def _required(text: str, what: str, remedy: str) -> str:
    tidied = _tidy(text)
    if not tidied:
        raise InvalidInput(f"{what} is missing. {remedy}.")
    return tidied


def _tidy(text: str) -> str:
    """Return the text as it is stored.

    Raises InvalidInput where it is too long. Controls that could make it show something else than it says are left out.
    """
    tidied = without_forbidden(unicodedata.normalize("NFC", text).replace("\r\n", "\n")).strip()
    if len(tidied) > MAX_TEXT_CHARS:
        raise InvalidInput(f"The text has {len(tidied):,} characters; at most {MAX_TEXT_CHARS:,} are kept. Shorten it.")
    return tidied
