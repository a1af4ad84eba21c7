"""What a database that is away means to whoever asks it: one error, which every face knows how to tell.

The writer finds out first and notes it here, so that what can do without the database does not wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import InterfaceError, OperationalError

from reports.errors import StoreUnavailable

NOTED_SECONDS: Final = 6.0  # the writer looks again within this; a note that nobody repeats is no news
# How old a copy of services, keys or salts may be that the intake works from while the database is away. Nobody can
# change them meanwhile but through a database that others still reach (docs/decisions/0036).
STALE_SECONDS: Final = 24 * 3600.0
# How long to wait for another thread that reads a copy anew, before the old one has to do.
WAIT_FOR_READER_SECONDS: Final = 0.5

_away_until = float("-inf")


@contextmanager
def store_needed() -> Iterator[None]:
    """Turn what a database says that is away into StoreUnavailable."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise StoreUnavailable("The database can't be reached right now. Try again in a few seconds.") from error


def note_away() -> None:
    """Remember for a moment that the database is away."""
    global _away_until
    _away_until = time.monotonic() + NOTED_SECONDS


def note_back() -> None:
    """Remember that the database is there."""
    global _away_until
    _away_until = float("-inf")


def is_away() -> bool:
    """Tell whether somebody has found the database away in the last moments."""
    return time.monotonic() < _away_until


def raise_if_away() -> None:
    """Raise StoreUnavailable at once where it is known that asking would only wait for it."""
    if is_away():
        raise StoreUnavailable("The database can't be reached right now. Try again in a few seconds.")
