"""UUIDv7 (RFC 9562 §5.7): ids that carry their time, so that a day of reports is a range of ids."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# Ids are no secrets, but must differ. Asking the system for each one's bits hands the interpreter to another thread,
# and under load an event loop waits for it longer than all else it does for a report.
_random = random.Random()  # noqa: S311
os.register_at_fork(after_in_child=_random.seed)


def uuid7(at: datetime) -> UUID:
    """Return a new id for the moment `at` (aware; milliseconds are kept), unique by 74 random bits."""
    milliseconds = (at - _EPOCH) // _MILLISECOND
    high = (milliseconds << 16) | 0x7000 | _random.getrandbits(12)
    low = (1 << 63) | _random.getrandbits(62)
    return UUID(int=(high << 64) | low)


def first_id(at: datetime) -> UUID:
    """Return the least id a moment can have: the bound of a range, not an id."""
    return UUID(int=((at - _EPOCH) // _MILLISECOND) << 80)


def id_time(value: UUID) -> datetime:
    """Return the moment an id carries."""
    return _EPOCH + (value.int >> 80) * _MILLISECOND
