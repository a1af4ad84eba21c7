"""Which act is allowed in which state, for whom, and what becomes of the outage. Pure tables.

What the detector does on its own is not here (`ml.phases`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from reports.enums import OPEN_STATES, OutageState, Role
from reports.errors import IllegalTransition, NotAllowed


class Act(StrEnum):
    """What a person can do with an outage."""

    CONFIRM = "confirm"
    DISMISS = "dismiss"
    ASSIGN = "assign"
    NOTE = "note"
    RESOLVE = "resolve"


_RANK: Final[Mapping[Role, int]] = {role: rank for rank, role in enumerate(Role)}  # each role includes those before it

LEAST_ROLE: Final[Mapping[Act, Role]] = dict.fromkeys(Act, Role.RESPONDER)

# From a state to the state after the act; an act that is not listed for a state is not allowed in it.
NEXT_STATE: Final[Mapping[Act, Mapping[OutageState, OutageState]]] = {
    Act.CONFIRM: {
        OutageState.SUSPECTED: OutageState.CONFIRMED,
        OutageState.CONFIRMED: OutageState.CONFIRMED,  # the detector was sure; now a person vouches for it
        OutageState.RECOVERING: OutageState.RECOVERING,  # it was real, and is still on the mend
    },
    Act.DISMISS: dict.fromkeys(OPEN_STATES, OutageState.DISMISSED),
    Act.RESOLVE: {
        OutageState.CONFIRMED: OutageState.RESOLVED,
        OutageState.RECOVERING: OutageState.RESOLVED,
    },
    Act.ASSIGN: {state: state for state in OPEN_STATES},
    Act.NOTE: {state: state for state in OutageState},
}

_REMEDY: Final[Mapping[OutageState, str]] = {
    OutageState.SUSPECTED: "Confirm it first, or dismiss it if it is none.",
    OutageState.CONFIRMED: "Reload the page and decide anew.",
    OutageState.RECOVERING: "Reload the page and decide anew.",
    OutageState.RESOLVED: "Leave a note; if reports rise again, it opens again or a new one does.",
    OutageState.DISMISSED: "Leave a note; if reports keep rising, a new outage opens.",
}


def includes(role: Role | None, least: Role) -> bool:
    """Tell whether a role may do what `least` may."""
    return role is not None and _RANK[role] >= _RANK[least]


def check_role(act: Act, role: Role | None) -> None:
    """Raise NotAllowed where the role does not include the act."""
    if not includes(role, LEAST_ROLE[act]):
        yours = f"Your role is {role.value}" if role else "You have no role"
        raise NotAllowed(
            f"{yours}; to {act.value} an outage takes a {LEAST_ROLE[act].value}. Ask an admin for the role."
        )


def next_state(act: Act, state: OutageState) -> OutageState:
    """Return the state after the act.

    Raises IllegalTransition with the state and what can be done instead.
    """
    after = NEXT_STATE[act].get(state)
    if after is None:
        raise IllegalTransition(f"Can't {act.value} an outage that is {state.value}. {_REMEDY[state]}")
    return after


def acts_for(role: Role | None, state: OutageState) -> frozenset[Act]:
    """Return the acts that a page may offer."""
    return frozenset(act for act in Act if includes(role, LEAST_ROLE[act]) and state in NEXT_STATE[act])
