"""The right to write a service's outages, one at a time. Numpy-free: whoever erases words in them waits for it too."""

from __future__ import annotations

from typing import Final

from django.db import connection

LOCK_DETECTION: Final = 7102  # first half of the advisory lock's key, the service's id is the other


def lock_outages(service_id: int) -> bool:
    """Take the right to write a service's outages until the transaction ends; false where another has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK_DETECTION, service_id])
        return bool(cursor.fetchone()[0])


def wait_for_outages(service_id: int) -> None:
    """Take the same right once whoever has it is done: a look takes a second at most."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_DETECTION, service_id])
