"""The tables of acts: complete, and in line with the roles."""

from __future__ import annotations

import pytest

from reports.enums import OPEN_STATES, OutageState, Role
from reports.triage.transitions import NEXT_STATE, Act, acts_for, includes


def test_each_act_has_a_row() -> None:
    assert set(NEXT_STATE) == set(Act)


def test_a_viewer_is_offered_nothing() -> None:
    assert all(acts_for(Role.VIEWER, state) == frozenset() for state in OutageState)


def test_a_closed_outage_takes_notes_alone() -> None:
    closed = [state for state in OutageState if state not in OPEN_STATES]

    assert all(acts_for(Role.ADMIN, state) == {Act.NOTE} for state in closed)


@pytest.mark.parametrize(
    ("role", "least", "expected"),
    [
        (Role.ADMIN, Role.RESPONDER, True),
        (Role.RESPONDER, Role.RESPONDER, True),
        (Role.VIEWER, Role.RESPONDER, False),
        (None, Role.VIEWER, False),
    ],
)
def test_a_role_includes_those_below_it(role: Role | None, least: Role, expected: bool) -> None:
    assert includes(role, least) is expected
