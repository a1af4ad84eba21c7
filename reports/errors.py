"""One root error, and a child for each thing a caller can do differently. Faces translate them once.

Messages name the thing, the value and the remedy. No HTTP here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field of one item.

    `item` is the position in a batch, counted from 0, or None for a single report; `field` is "" for the whole item.
    """

    field: str
    message: str
    item: int | None = None


class ReportsError(Exception):
    """The root: everything Outcry raises on purpose."""


MESSAGES_IN_A_SENTENCE = 10  # a batch can break the contract ten thousand times; `errors` holds them all


class InvalidReport(ReportsError):
    """The report breaks the contract: mend the named fields and send it again."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        told = dict.fromkeys(f"{error.field}: {error.message}" if error.field else error.message for error in errors)
        super().__init__("; ".join(list(told)[:MESSAGES_IN_A_SENTENCE]))
        self.errors = tuple(errors)


class TooMany(ReportsError):
    """More than one request may carry: send it in smaller parts."""


class OverLimit(ReportsError):
    """More than a sender may bring in a time: nothing was accepted, send it again after `retry_after_seconds`."""

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class IdempotencyConflict(ReportsError):
    """The same idempotency key came with another body: use a new key."""


class StoreUnavailable(ReportsError):
    """The database did not take the write in time: nothing was accepted, send it again after `retry_after_seconds`."""

    retry_after_seconds = 5


class NotFound(ReportsError):
    """There is no such thing, or it is not yours to see."""


class IllegalTransition(ReportsError):
    """The outage is in a state that does not allow the act: reload it and decide anew."""


class NotAllowed(ReportsError):
    """Your role does not include the act: ask somebody whose role does."""


class InvalidInput(ReportsError):
    """A value given by a person or a command does not fit: mend it as the message says."""
