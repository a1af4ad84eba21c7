"""What anybody can bring about is no error of ours, and fills no log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client


@pytest.fixture
def logs(settings: Any, caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What an installation would log: its own levels, whatever the tests' are."""
    levels = {name: logging.getLogger(name).level for name in settings.LOGGING["loggers"]}
    for name, options in settings.LOGGING["loggers"].items():
        logging.getLogger(name).setLevel(options["level"])
    yield caplog
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.django_db
def test_a_wrong_host_and_a_form_of_too_many_fields_are_answered_and_not_logged(
    logs: pytest.LogCaptureFixture,
) -> None:
    client = Client(raise_request_exception=False)

    wrong_host = client.get("/", headers={"Host": "a b"})
    too_many = client.post("/report", {f"field{n}": "x" for n in range(2_000)})

    assert (wrong_host.status_code, too_many.status_code) == (400, 400)
    assert not [record.name for record in logs.records if record.levelno >= logging.ERROR]
