"""Timing invariants and other things that must hold together, checked at every start, in the workers too."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def redelivery_waits_for_the_longest_task(**kwargs: Any) -> list[CheckMessage]:
    """Celery on Redis delivers again what is unacknowledged after `visibility_timeout`, running or not."""
    timeout = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    if timeout > settings.CELERY_TASK_TIME_LIMIT:
        return []
    return [
        Error(
            f"visibility_timeout ({timeout} s) is not above CELERY_TASK_TIME_LIMIT"
            f" ({settings.CELERY_TASK_TIME_LIMIT} s).",
            hint="A task that is still running would be started a second time. Raise the one or lower the other.",
            id="reports.E001",
        )
    ]


@register()
def beat_does_not_pile_up(**kwargs: Any) -> list[CheckMessage]:
    """Every beat entry expires, so that hours without a worker leave no hours of messages."""
    return [
        Error(
            f"The beat entry {name!r} has no `expires`.", hint="Give it one, about its own interval.", id="reports.E002"
        )
        for name, entry in settings.CELERY_BEAT_SCHEDULE.items()
        if not entry.get("options", {}).get("expires")
    ]
