"""The checks at every start: they pass as shipped, and each tells what was set against it."""

from __future__ import annotations

from typing import Any

from django.core import checks

from reports.checks import beat_does_not_pile_up, redelivery_waits_for_the_longest_task


def test_the_settings_as_shipped_pass_every_check() -> None:
    assert checks.run_checks() == []


def test_a_task_that_may_outlast_redelivery_is_an_error(settings: Any) -> None:
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 120}
    settings.CELERY_TASK_TIME_LIMIT = 120

    errors = redelivery_waits_for_the_longest_task()

    assert [error.id for error in errors] == ["reports.E001"]
    assert "visibility_timeout (120 s) is not above CELERY_TASK_TIME_LIMIT (120 s)" in errors[0].msg


def test_redelivery_after_the_longest_task_is_right(settings: Any) -> None:
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 121}
    settings.CELERY_TASK_TIME_LIMIT = 120

    assert redelivery_waits_for_the_longest_task() == []


def test_each_beat_entry_that_never_expires_is_named(settings: Any) -> None:
    settings.CELERY_BEAT_SCHEDULE = {
        "good": {"task": "a", "schedule": 1.0, "options": {"expires": 2}},
        "bare": {"task": "b", "schedule": 1.0},
        "endless": {"task": "c", "schedule": 1.0, "options": {"queue": "x"}},
    }

    errors = beat_does_not_pile_up()

    assert [(error.id, error.msg) for error in errors] == [
        ("reports.E002", "The beat entry 'bare' has no `expires`."),
        ("reports.E002", "The beat entry 'endless' has no `expires`."),
    ]


def test_the_checks_run_with_all_others() -> None:
    registered = checks.registry.registry.get_checks()

    assert {redelivery_waits_for_the_longest_task, beat_does_not_pile_up} <= set(registered)
