"""What the tests of the writer begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reports.intake import writer
from reports.intake.spool import Spool
from reports.intake.writer import ReportWriter
from reports.models import Service
from tests.factories import NOW, make_service
from tests.intake.submissions import Database, FirstGroupWaits


@pytest.fixture
def service() -> Service:
    return make_service("mail")


@pytest.fixture
def first_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[FirstGroupWaits]:
    waiting = FirstGroupWaits()
    monkeypatch.setattr(writer, "write_group", waiting)
    yield waiting
    waiting.go.set()


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    standing_in = Database()
    monkeypatch.setattr(writer, "write_group", standing_in.write_group)
    monkeypatch.setattr(writer, "write_spooled", standing_in.write_spooled)
    monkeypatch.setattr(writer, "LOOK_AGAIN_SECONDS", 0.02)
    monkeypatch.setattr(writer, "GIVE_UP_SECONDS", 0.3)
    monkeypatch.setattr(writer, "WATCH_SECONDS", 0.02)
    monkeypatch.setattr(writer, "LEAVE_SECONDS", 0.02)
    return standing_in


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool", max_bytes=2**20)
    yield made
    made.seal()


@pytest.fixture
def start_writer(spool: Spool) -> Iterator[Callable[..., ReportWriter]]:
    """Make writers of processes of their own, which share a spool's folder and end with the test."""
    started: list[ReportWriter] = []

    def start(**options: Spool) -> ReportWriter:
        started.append(ReportWriter(clock=lambda: NOW, **{"spool": spool, **options}))
        return started[-1]

    yield start
    for each in started:
        each.close()
    for each in started:
        each.join()
