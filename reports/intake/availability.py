"""What a database that is away means to whoever asks it: one error, which every face knows how to tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError

from reports.errors import StoreUnavailable


@contextmanager
def store_needed() -> Iterator[None]:
    """Turn what a database says that is away into StoreUnavailable."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise StoreUnavailable("The database can't be reached right now. Try again in a few seconds.") from error
