"""UUIDv7 (RFC 9562 §5.7): ids that carry their time, so that a day of reports is a range of ids."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def uuid7(at: datetime) -> UUID:
    """Return a new id for the moment `at` (aware; milliseconds are kept), unique by 74 random bits."""
    milliseconds = (at - _EPOCH) // _MILLISECOND
    random_bits = int.from_bytes(os.urandom(10), "big")
    high = (milliseconds << 16) | 0x7000 | (random_bits >> 68)
    low = (1 << 63) | (random_bits & ((1 << 62) - 1))
    return UUID(int=(high << 64) | low)


def first_id(at: datetime) -> UUID:
    """Return the least id a moment can have: the bound of a range, not an id."""
    return UUID(int=((at - _EPOCH) // _MILLISECOND) << 80)


def id_time(value: UUID) -> datetime:
    """Return the moment an id carries."""
    return _EPOCH + (value.int >> 80) * _MILLISECOND
