"""What the tests of the writer share: submissions, writers with a clock that stands, and what is stored by now."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection

from reports.enums import Channel
from reports.intake.contract import ReportIn
from reports.intake.ids import uuid7
from reports.intake.waiting import Answer
from reports.intake.writer import Idempotency, ReportRow, ReportWriter, Submission, Written, write_group, write_spooled
from reports.models import IntakeBatch, Report, Service
from tests.factories import NOW

PATIENCE_SECONDS = 20  # how long a test waits for another thread before it fails


def row_for(service: Service, text: str = "no mail", **fields: Any) -> ReportRow:
    return ReportRow(
        id=uuid7(NOW), service_id=service.pk, channel=Channel.REST.value,
        report=ReportIn(service=service.slug, text=text, **fields), reporter=b"", received_at=NOW, counted_at=NOW,
    )  # fmt: skip


def submission_for(service: Service, n: int = 1, *, key: str = "", body: bytes = b"body") -> Submission:
    idempotency = Idempotency(client="key:1", key=key, body_digest=body.ljust(32)) if key else None
    return Submission(tuple(row_for(service) for _ in range(n)), idempotency)


def new_writer() -> ReportWriter:
    return ReportWriter(clock=lambda: NOW)


def answer_of(answer: Answer) -> Written:
    return answer.result(timeout_seconds=PATIENCE_SECONDS)


def stored_ids() -> Counter[Any]:
    """Return every stored report's id with how often it is there."""
    return Counter(Report.objects.values_list("id", flat=True))


def batched_ids() -> Counter[Any]:
    return Counter(report_id for ids in IntakeBatch.objects.values_list("report_ids", flat=True) for report_id in ids)


def in_a_thread(work: Callable[[], Any]) -> Any:
    """Do the work on a thread, and so on a connection, of its own."""

    def alone() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(alone).result(timeout=PATIENCE_SECONDS)


class FirstGroupWaits:
    """Stands in for `write_group`: holds up the first group until `go`, and notes the groups' submissions."""

    def __init__(self) -> None:
        self.groups: list[Sequence[Submission]] = []
        self.has_begun = threading.Event()
        self.go = threading.Event()

    def __call__(self, submissions: Sequence[Submission], **options: Any) -> Any:
        self.groups.append(submissions)
        if len(self.groups) == 1:
            self.has_begun.set()
            self.go.wait(PATIENCE_SECONDS)
        return write_group(submissions, **options)


def wait_for_somebody_who_waits_for_a_lock() -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
    pytest.fail("Nobody waits for a lock.")


class WritesAtOnce:
    """Stands in for the writer: the same transaction, on the thread of the test."""

    def submit(self, submission: Submission) -> Answer:
        answer = Answer()
        assert answer.take_up()
        (written,) = write_group([submission], now=NOW)
        answer.give(written)
        return answer


class Database:
    """Stands in for the writer's two transactions: goes away, or stops answering, when told."""

    def __init__(self) -> None:
        self.is_there = True
        self.answers = threading.Event()
        self.answers.set()
        self.n_spooled_writes = 0

    def write_group(self, submissions: Sequence[Submission], **options: Any) -> Any:
        self._wait()
        return write_group(submissions, **options)

    def write_spooled(self, submissions: Sequence[Submission], **options: Any) -> None:
        self._wait()
        self.n_spooled_writes += 1
        write_spooled(submissions, **options)

    def _wait(self) -> None:
        self.answers.wait(PATIENCE_SECONDS)
        if not self.is_there:
            raise OperationalError("the database system is shutting down")


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > give_up_at:
            pytest.fail(f"It did not come to be that {what}.")
        time.sleep(0.01)
