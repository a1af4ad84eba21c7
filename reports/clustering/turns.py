"""One service after another, so that one that fails does not hold up the others.

Invariant: every service gets its turn in each run unless the database is away, and no failure is swallowed. Not here:
retries (a task's affair) and what is done in a turn.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)


def each_service(service_ids: Iterable[int], turn: Callable[[int], int]) -> int:
    """Give every service its turn and return the sum of what the turns return.

    Raises what the first failing turn raised, after the others had theirs; at once where the database is away, for then
    nobody fares better.
    """
    total = 0
    first_failure: Exception | None = None
    for service_id in service_ids:
        try:
            total += turn(service_id)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            # The type alone: a message of the database may quote a report.
            logger.error("The turn of service %d failed (%s); the others go on.", service_id, type(error).__name__)
            first_failure = first_failure or error
    if first_failure is not None:
        raise first_failure
    return total
