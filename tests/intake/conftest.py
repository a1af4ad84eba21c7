"""What the tests of the writer begin with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reports.intake import writer
from reports.models import Service
from tests.factories import make_service
from tests.intake.submissions import FirstGroupWaits


@pytest.fixture
def service() -> Service:
    return make_service("mail")


@pytest.fixture
def first_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[FirstGroupWaits]:
    waiting = FirstGroupWaits()
    monkeypatch.setattr(writer, "write_group", waiting)
    yield waiting
    waiting.go.set()
