"""Which services exist, as the intake needs to know it a thousand times a second: remembered for a few seconds.

A service that staff have just made is found at once (a miss looks again); one just switched off may still take reports
for `REMEMBER_SECONDS`. While the database is away the last copy serves on, for `availability.STALE_SECONDS`.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError

from reports.intake import availability
from reports.models import Service

REMEMBER_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.5  # a flood of unknown names must not become a flood of queries


@dataclass(frozen=True, slots=True)
class KnownService:
    id: int
    slug: str
    name: str


_lock = threading.Lock()
_by_word: dict[str, KnownService] = {}
_read_at = float("-inf")
_copied_at = float("-inf")  # when the table was last read; `_read_at` moves on without it while that fails


def find_service(word: str, *, ask: bool = True) -> KnownService | None:
    """Return the active service with this slug or name, in any case; None where there is none.

    With `ask=False` no query is made, and what is not remembered is not found.
    """
    key = word.casefold()
    age = time.monotonic() - _read_at
    if not ask:
        return _by_word.get(key) if age <= REMEMBER_SECONDS else None
    if age > REMEMBER_SECONDS or (key not in _by_word and age > LOOK_AGAIN_SECONDS):
        _read(seen=_read_at)
    return _by_word.get(key)


def find_numbered(number: int) -> KnownService | None:
    """Return the active service with this number; None where there is none."""
    return find_service(_by_number(number))


def known_slugs(limit: int = 10) -> list[str]:
    """Return some slugs for a message that says what would have been right."""
    return sorted({service.slug for service in _by_word.values()})[:limit]


def age_seconds() -> float:
    """Return how long ago the table was read."""
    return time.monotonic() - _read_at


def read_again() -> None:
    """Read the table now, so that nobody has to wait for it when it would have been due. Queries: one."""
    _read(seen=_read_at)


def forget_services() -> None:
    """Make the next look-up read the table."""
    global _read_at, _copied_at
    _read_at = _copied_at = float("-inf")


def _by_number(number: int) -> str:
    """Return a word no slug or name can be, for no text that is stored holds this character."""
    return f"\x00{number}"


def _read(*, seen: float) -> None:
    """Read the table, unless another thread has done so since the caller looked at `seen`.

    Raises what the database raises that is away, where there is no copy to go on with.
    """
    has_copy = time.monotonic() - _copied_at < availability.STALE_SECONDS
    if has_copy and availability.is_away():
        return
    if not _lock.acquire(timeout=availability.WAIT_FOR_READER_SECONDS if has_copy else -1):
        return
    try:
        if _read_at == seen:
            _copy_table(has_copy=has_copy)
    finally:
        _lock.release()


def _copy_table(*, has_copy: bool) -> None:
    global _by_word, _read_at, _copied_at
    found: dict[str, KnownService] = {}
    try:
        for service in Service.objects.active().only("id", "slug", "name"):
            known = KnownService(service.pk, service.slug, service.name)
            found[service.name.casefold()] = known
            found[service.slug.casefold()] = known
            found[_by_number(service.pk)] = known
    except (OperationalError, InterfaceError):
        if not has_copy:
            raise
        availability.note_away()
        _read_at = time.monotonic()
        return
    _by_word = found
    _read_at = _copied_at = time.monotonic()
