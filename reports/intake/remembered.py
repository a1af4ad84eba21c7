"""A small table as the intake needs to know it a thousand times a second: remembered by each process for a few seconds.

A miss looks again, so that a new row is found at once. While the database is away the last copy serves on, for
`availability.STALE_SECONDS`; and one thread that reads the table for long holds up nobody who has a copy.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

from django.db import InterfaceError, OperationalError

from reports.intake import availability

REMEMBER_SECONDS: Final = 5.0
LOOK_AGAIN_SECONDS: Final = 0.5  # a flood of unknown keys must not become a flood of queries

Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row")


class TableCopy(Generic[Key, Row]):
    """The rows of a table by what they are looked up by; `read` makes one query and returns them all."""

    def __init__(self, read: Callable[[], dict[Key, Row]]) -> None:
        self.rows: dict[Key, Row] = {}
        self.lock = threading.Lock()
        self.read_at = float("-inf")
        self._copied_at = float("-inf")  # when it was last read; `read_at` moves on without it while that fails
        self._read = read

    def find(self, key: Key) -> Row | None:
        """Return the row with this key, or None; reads the table where the copy is old, or does not know the key.

        Raises what the database raises that is away, where there is no copy to go on with.
        """
        age = self.age_seconds()
        if age > REMEMBER_SECONDS or (key not in self.rows and age > LOOK_AGAIN_SECONDS):
            self.read_again()
        return self.rows.get(key)

    def recall(self, key: Key) -> Row | None:
        """Return the row with this key if that can be told without a query, so also while there is nobody to ask."""
        serves = self.age_seconds() <= REMEMBER_SECONDS or (availability.is_away() and self._has_copy())
        return self.rows.get(key) if serves else None

    def age_seconds(self) -> float:
        """Return how long ago the table was read."""
        return time.monotonic() - self.read_at

    def read_again(self) -> None:
        """Read the table now, unless another thread does so meanwhile. Queries: one. Raises as `find` does."""
        seen = self.read_at
        has_copy = self._has_copy()
        if has_copy and availability.is_away():
            return
        if not self.lock.acquire(timeout=availability.WAIT_FOR_READER_SECONDS if has_copy else -1):
            return
        try:
            if self.read_at == seen:
                self._copy(has_copy=has_copy)
        finally:
            self.lock.release()

    def forget(self) -> None:
        """Make the next look-up read the table."""
        self.read_at = self._copied_at = float("-inf")

    def _has_copy(self) -> bool:
        """Tell whether there is a copy to go on with."""
        return time.monotonic() - self._copied_at < availability.STALE_SECONDS

    def _copy(self, *, has_copy: bool) -> None:
        try:
            rows = self._read()
        except (OperationalError, InterfaceError):
            availability.note_away()
            if not has_copy:
                raise
            self.read_at = time.monotonic()
            return
        self.rows = rows
        self.read_at = self._copied_at = time.monotonic()
