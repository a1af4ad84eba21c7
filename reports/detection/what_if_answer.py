"""The answer to "what would have happened": plain values, as `detection.what_if` stores and pages read them.

No numpy and no rows, for the web process reads it. Texts, labels and what people decided are not in it: pages look them
up by the outage's id, so that an answer does not keep what has been changed or forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Alarm:
    """An outage as the replay saw it; times are the ends of minutes. `ended_at` None: open at the end of the period."""

    started_at: datetime
    suspected_at: datetime
    confirmed_at: datetime | None
    ended_at: datetime | None
    regions: tuple[str, ...]
    n_reports: int


@dataclass(frozen=True, slots=True)
class Found:
    """An outage as the running system found it."""

    outage_id: int
    started_at: datetime
    suspected_at: datetime
    confirmed_at: datetime | None
    ended_at: datetime | None
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """One outage three times: as it was found, replayed with the budget in use, and with the one that was asked for.

    None: not at all. Two outages that were found may be one alarm of the replay.
    """

    found: Found | None
    in_use: Alarm | None
    asked: Alarm | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many were suspected within the period, and how many of these confirmed."""

    suspected: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """What one service's days were, and would have been. `reports` holds a number for each bar of `Answer`."""

    service_id: int
    found: Counts
    in_use: Counts
    asked: Counts
    compared: tuple[Compared, ...]
    reports: tuple[int, ...]
    n_regions_joined: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer, or as much as is known yet; `n_services_left_out` had reports but were too many."""

    since: datetime
    until: datetime
    bar_minutes: int
    services: tuple[ServiceAnswer, ...]
    n_services_left_out: int


def to_plain(answer: Answer) -> Any:
    """Return the answer as JSON knows values."""
    return msgspec.to_builtins(answer)


def from_plain(stored: Any) -> Answer:
    """Return what `to_plain` was given."""
    return msgspec.convert(stored, type=Answer)
