"""The checks at every start: they pass as shipped, and each tells what was set against it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core import checks

from reports.checks import (
    a_mailbox_is_whole,
    a_multilingual_encoder_has_its_model,
    beat_does_not_pile_up,
    redelivery_waits_for_the_longest_task,
)


def test_the_settings_as_shipped_pass_every_check() -> None:
    assert checks.run_checks() == []


def test_a_task_that_may_outlast_redelivery_is_an_error(settings: Any) -> None:
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 120}
    settings.CELERY_TASK_TIME_LIMIT = 120
    settings.CELERY_TASK_ANNOTATIONS = {}

    errors = redelivery_waits_for_the_longest_task()

    assert [error.id for error in errors] == ["reports.E001"]
    assert "visibility_timeout (120 s) is not above CELERY_TASK_TIME_LIMIT (120 s)" in errors[0].msg


def test_redelivery_after_the_longest_task_is_right(settings: Any) -> None:
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 121}
    settings.CELERY_TASK_TIME_LIMIT = 120
    settings.CELERY_TASK_ANNOTATIONS = {"a": {"time_limit": 120}, "b": {"rate_limit": "1/s"}}

    assert redelivery_waits_for_the_longest_task() == []


def test_a_task_with_a_longer_limit_of_its_own_is_watched_too(settings: Any) -> None:
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 300}
    settings.CELERY_TASK_ANNOTATIONS = {"reports.long": {"time_limit": 400}}

    errors = redelivery_waits_for_the_longest_task()

    assert [error.msg for error in errors] == [
        "visibility_timeout (300 s) is not above the time limit of reports.long (400 s)."
    ]


@pytest.mark.parametrize(
    ("encoder", "folder", "problem"),
    [
        ("multilingual", "", "ENCODER=multilingual, but no model of many languages is installed."),
        ("multilingual", "/srv/none", "ENCODER_FOLDER=/srv/none does not hold model.onnx and tokenizer.json."),
        ("auto", "/srv/none", "ENCODER_FOLDER=/srv/none does not hold model.onnx and tokenizer.json."),
    ],
)
def test_a_model_that_is_not_there_is_an_error(
    settings: Any, monkeypatch: pytest.MonkeyPatch, encoder: str, folder: str, problem: str
) -> None:
    settings.ENCODER, settings.ENCODER_FOLDER = encoder, folder
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    errors = a_multilingual_encoder_has_its_model()

    assert [(error.id, error.msg) for error in errors] == [("reports.E003", problem)]
    assert errors[0].hint is not None
    assert "ENCODER_FOLDER" in errors[0].hint


@pytest.mark.parametrize("encoder", ["auto", "static", "hashing", "minilm"])
def test_other_encoders_need_no_model_of_many_languages(
    settings: Any, monkeypatch: pytest.MonkeyPatch, encoder: str
) -> None:
    settings.ENCODER, settings.ENCODER_FOLDER = encoder, ""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    assert a_multilingual_encoder_has_its_model() == []


def test_an_installed_model_of_many_languages_needs_no_folder(settings: Any) -> None:
    settings.ENCODER, settings.ENCODER_FOLDER = "multilingual", ""

    assert a_multilingual_encoder_has_its_model() == []


def test_a_folder_that_holds_a_model_and_its_tokenizer_is_right(settings: Any, tmp_path: Path) -> None:
    settings.ENCODER, settings.ENCODER_FOLDER = "multilingual", str(tmp_path)
    (tmp_path / "model.onnx").touch()
    (tmp_path / "tokenizer.json").touch()

    assert a_multilingual_encoder_has_its_model() == []


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

    assert {
        redelivery_waits_for_the_longest_task,
        beat_does_not_pile_up,
        a_multilingual_encoder_has_its_model,
    } <= set(registered)


def test_a_mailbox_without_a_service_of_its_own_is_told(settings: Any) -> None:
    settings.MAILBOX, settings.MAILBOX_SERVICE = {"host": "mail.example.org"}, ""

    assert [warning.id for warning in a_mailbox_is_whole()] == ["reports.W001"]
    settings.MAILBOX_SERVICE = "mail"
    assert a_mailbox_is_whole() == []


@pytest.mark.parametrize(("service", "wants_contact"), [("mail", False), ("", True)])
def test_settings_of_a_mailbox_that_is_not_named_are_an_error(settings: Any, service: str, wants_contact: bool) -> None:
    settings.MAILBOX, settings.MAILBOX_SERVICE, settings.MAILBOX_CONTACT = {}, service, wants_contact

    assert [error.id for error in a_mailbox_is_whole()] == ["reports.E004"]
