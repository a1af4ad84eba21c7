"""The door of intake for a caller that must not wait, such as an event loop: no query, and no wait for the commit.

Invariant: what is handed in here is either refused with `AskFirst` before anything happened, and then belongs to the
door that may ask (`services`), or it becomes exactly the submission that door would have made. Hence everything here is
about what is remembered, and whether it still holds; what a report must be is said in `contract` and `services`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection
from django.utils import timezone

from reports.errors import InvalidReport, ReportsError
from reports.intake import apikeys, catalogue, fingerprints, key_limits
from reports.intake.apikeys import KnownKey, remembered_key
from reports.intake.contract import ReportIn
from reports.intake.remembered import REMEMBER_SECONDS
from reports.intake.services import ANSWER_SECONDS, Origin, give_up, idempotency_claim, make_row
from reports.intake.waiting import Answer
from reports.intake.writer import Submission, the_writer

__all__ = ["ALREADY_FAILED", "ANSWER_SECONDS", "AskFirst", "KnownKey", "give_up", "remembered_key", "submit"]

# Well before a memory has had its time: under load it is always fresh, and nobody waits for a query.
REFRESH_SECONDS: Final = REMEMBER_SECONDS / 2
# Where a face that passes a request on says in which error it has ended already, for the other one to tell.
ALREADY_FAILED: Final = "outcry.already_failed"


class AskFirst(ReportsError):
    """It can't be told without a question, or not be accepted as it is: hand it to `services` instead."""


def submit(
    *,
    reports: Sequence[ReportIn],
    origin: Origin,
    idempotency_key: str,
    body: bytes,
    now: datetime,
    on_done: Callable[[Answer], None],
) -> Answer:
    """Hand the reports of one request to the writer, as `ReportWriter.submit` does; return what will hold its answer.

    Raises AskFirst where one of them would be refused, where nobody knows without a query, or where the key has brought
    so much that its limit must be checked.
    """
    if not reports or not fingerprints.has_salt_of(now.date()):
        raise AskFirst
    try:
        rows = tuple([make_row(report=report, origin=origin, now=now, ask=False) for report in reports])
        claim = idempotency_claim(idempotency_key, origin, body)
    # The second only where something below asks the database after all: Django forbids it on an event loop.
    except (InvalidReport, SynchronousOnlyOperation) as error:
        raise AskFirst from error
    if not key_limits.take_at_once(origin.key_id, n_reports=len(rows)):
        raise AskFirst
    return the_writer(clock=timezone.now).submit(Submission(rows, claim), on_done=on_done)


def is_refresh_due(*, now: datetime) -> bool:
    """Tell whether what is remembered should be read again soon."""
    return max(catalogue.age_seconds(), apikeys.age_seconds()) > REFRESH_SECONDS or not fingerprints.has_salt_of(
        now.date()
    )


def refresh(*, now: datetime) -> None:
    """Read again what is remembered, on a thread that may wait. Queries: two, and two more once a day.

    Raises whatever a database says that is away; then what was remembered holds until its time is over.
    """
    try:
        catalogue.read_again()
        apikeys.read_again()
        fingerprints.salt_of(now.date())
    finally:
        if not connection.in_atomic_block:  # outside of requests nobody else would give it back
            connection.close()
