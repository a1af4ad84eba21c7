"""`ReportWriter`: the single way into the Report table, one durable transaction for whatever has come in meanwhile.

Invariant: a submission is answered after the commit that holds all of its reports, or not at all. While one group is
being committed the next one gathers, so an idle system writes at once and a loaded one writes up to GROUP_REPORTS with
one COPY; nobody waits on a timer. `write_group` is the transaction itself, for callers with a clock of their own
(replay).
"""

from __future__ import annotations

import json
import logging
import os
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction

from reports.errors import IdempotencyConflict, ReportsError, StoreUnavailable
from reports.intake.contract import ReportIn
from reports.models import IntakeBatch, Report, ReportContact
from reports.nudge import nudge

logger = logging.getLogger(__name__)

GROUP_REPORTS = 1_000  # rows a COPY; beyond it a commit's fixed cost no longer shows
BATCH_REPORTS = 1_000  # reports an IntakeBatch: what one clustering transaction takes at the least
GIVE_UP_SECONDS = 8.0  # how long a group is tried while the database is away, before its callers get a 503
RETRY_PAUSE_SECONDS = 0.2

_COLUMNS = (
    "id", "service_id", "channel", "region", "text", "symptom", "lang", "reporter", "network", "source", "url",
    "release", "trace", "occurred_at", "received_at", "counted_at", "key_id",
    "suspicion",
)  # fmt: skip
_COPY = f"COPY {Report._meta.db_table} ({', '.join(_COLUMNS)}) FROM STDIN (FORMAT BINARY)"
_TYPES = (
    "uuid",
    "int8",
    *["varchar"] * 2,
    "text",
    *["varchar"] * 2,
    "bytea",
    "bytea",
    *["varchar"] * 4,
    *["timestamptz"] * 3,
    "int8",
    "varchar",
)


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A report ready to be stored: normalised, scrubbed, its reporter and network fingerprints, its service known."""

    id: UUID
    service_id: int
    channel: str
    report: ReportIn
    reporter: bytes
    received_at: datetime
    counted_at: datetime
    network: bytes = b""
    key_id: int | None = None
    suspicion: str = ""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A client's key, and the digest of the body it came with."""

    client: str
    key: str
    body_digest: bytes


@dataclass(frozen=True, slots=True)
class Submission:
    """The reports of one request, accepted or refused together; `errors` is what a batch's other items were told."""

    rows: tuple[ReportRow, ...]
    idempotency: Idempotency | None = None
    errors: tuple[dict[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """What was stored for a submission; for a repeated key what was stored the first time."""

    report_ids: tuple[UUID, ...]
    errors: tuple[dict[str, object], ...] = ()
    is_repeat: bool = False


def write_group(submissions: Sequence[Submission], *, now: datetime) -> list[Written | ReportsError]:
    """Store the submissions in one transaction and return one answer each.

    Concurrency: a key that another transaction is writing makes this one wait for it. Queries: one COPY, one INSERT for
    the batches, and one each for keys and contacts where there are any. Raises whatever the database raises; then
    nothing is stored.
    """
    with transaction.atomic():
        answers = [_claim_key(submission, now=now) for submission in submissions]
        rows = [
            row
            for submission, answer in zip(submissions, answers, strict=True)
            if isinstance(answer, Written) and not answer.is_repeat
            for row in submission.rows
        ]
        if rows:
            _copy(rows)
            _add_batches(rows, now=now)
            _add_contacts(rows, now=now)
            nudge("cluster")
    return answers


def _claim_key(submission: Submission, *, now: datetime) -> Written | ReportsError:
    fresh = Written(tuple(row.id for row in submission.rows), submission.errors)
    if submission.idempotency is None:
        return fresh
    claim = submission.idempotency
    # Raw SQL: only RETURNING tells whether this transaction or an earlier one owns the key.
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO reports_idempotencykey (client, key, body_digest, report_ids, errors, created_at)"
            " VALUES (%s, %s, %s, %s, %s::jsonb, %s) ON CONFLICT (client, key) DO NOTHING RETURNING id",
            [claim.client, claim.key, claim.body_digest, list(fresh.report_ids), json.dumps(fresh.errors), now],
        )
        if cursor.fetchone():
            return fresh
        cursor.execute(
            "SELECT body_digest, report_ids, errors::text FROM reports_idempotencykey WHERE client = %s AND key = %s",
            [claim.client, claim.key],
        )
        digest, report_ids, errors = cursor.fetchone()
    if bytes(digest) != claim.body_digest:
        return IdempotencyConflict(
            f"The idempotency key {claim.key!r} was used before with another body. Use a new key for a new request."
        )
    return Written(tuple(report_ids), tuple(json.loads(errors)), is_repeat=True)


def _copy(rows: Sequence[ReportRow]) -> None:
    # COPY's errors reach us past Django's wrapper; a broken connection must look as it does elsewhere.
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(_COPY) as copy:
        copy.set_types(_TYPES)
        for row in rows:
            report = row.report
            copy.write_row(
                (
                    row.id, row.service_id, row.channel, report.region, report.text, report.symptom, report.lang,
                    row.reporter, row.network, report.source, report.url, report.release, report.trace,
                    report.occurred_at or row.received_at, row.received_at, row.counted_at,
                    row.key_id, row.suspicion,
                )
            )  # fmt: skip


def _add_batches(rows: Sequence[ReportRow], *, now: datetime) -> None:
    by_service: dict[int, list[UUID]] = defaultdict(list)
    for row in rows:
        by_service[row.service_id].append(row.id)
    IntakeBatch.objects.bulk_create(
        IntakeBatch(service_id=service_id, report_ids=ids[start : start + BATCH_REPORTS], written_at=now)
        for service_id, ids in by_service.items()
        for start in range(0, len(ids), BATCH_REPORTS)
    )


def _add_contacts(rows: Sequence[ReportRow], *, now: datetime) -> None:
    contacts = [
        ReportContact(report_id=row.id, address=row.report.contact, created_at=now)
        for row in rows
        if row.report.contact
    ]
    if contacts:
        ReportContact.objects.bulk_create(contacts)


def _is_stored(submissions: Sequence[Submission]) -> bool:
    """Tell whether a group whose commit was cut off is there after all; its rows are there together or not at all."""
    ids = [row.id for submission in submissions for row in submission.rows]
    return Report.objects.filter(id__in=ids[:GROUP_REPORTS]).exists()


class ReportWriter:
    """Gathers submissions from any thread and writes them group by group on a thread of its own."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self.pid = os.getpid()
        self._clock = clock
        self._queue: queue.SimpleQueue[tuple[Submission, Future[Written]]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="report-writer", daemon=True).start()

    def submit(self, submission: Submission) -> Future[Written]:
        """Return the future answer: `Written` once it is durable, or a ReportsError.

        It can be cancelled until the writer takes it up; then nothing of it is stored.
        """
        answer: Future[Written] = Future()
        self._queue.put((submission, answer))
        return answer

    def _run(self) -> None:
        while True:
            if self._queue.empty():
                connection.close()  # goes back to the pool: an idle writer holds nothing
            group = self._gather()
            try:
                self._write(group)
            except Exception as error:  # the thread must outlive any one group
                logger.exception("A group of %d submissions could not be written.", len(group))
                for _, answer in group:
                    if not answer.done():
                        answer.set_exception(
                            StoreUnavailable(f"The reports could not be stored ({type(error).__name__}).")
                        )

    def _gather(self) -> list[tuple[Submission, Future[Written]]]:
        group: list[tuple[Submission, Future[Written]]] = []
        n_reports = 0
        while n_reports < GROUP_REPORTS:
            try:
                submission, answer = self._queue.get(block=not group)
            except queue.Empty:
                break
            if answer.set_running_or_notify_cancel():  # else its caller has given up, and was told so
                group.append((submission, answer))
                n_reports += len(submission.rows)
        return group

    def _write(self, group: list[tuple[Submission, Future[Written]]]) -> None:
        submissions = [submission for submission, _ in group]
        try:
            answers = self._write_patiently(submissions)
        except (OperationalError, InterfaceError) as error:
            logger.warning(
                "The database has been away for %.0f s; %d submissions refused.", GIVE_UP_SECONDS, len(group)
            )
            answers = [StoreUnavailable(f"The database is away ({type(error).__name__}). Try again.")] * len(group)
        except Exception:
            if len(group) == 1:
                raise
            for single in group:  # one of them is at fault: the others must not pay for it
                self._write_alone(single)
            return
        for (_, future), answer in zip(group, answers, strict=True):
            if isinstance(answer, Written):
                future.set_result(answer)
            else:
                future.set_exception(answer)

    def _write_alone(self, single: tuple[Submission, Future[Written]]) -> None:
        try:
            self._write([single])
        except Exception as error:
            logger.exception("A submission could not be written.")
            single[1].set_exception(StoreUnavailable(f"The report could not be stored ({type(error).__name__})."))

    def _write_patiently(self, submissions: Sequence[Submission]) -> list[Written | ReportsError]:
        """Write, and outlast a database that restarts.

        A connection that breaks during COMMIT leaves open whether it happened; the ids tell.
        """
        give_up_at = time.monotonic() + GIVE_UP_SECONDS
        is_second_try = False
        while True:
            try:
                if is_second_try and _is_stored(submissions):
                    return self._stored_answers(submissions)
                return write_group(submissions, now=self._clock())
            except IntegrityError:
                # The first COMMIT may have come through between the look and the second write.
                if is_second_try and _is_stored(submissions):
                    return self._stored_answers(submissions)
                raise
            except (OperationalError, InterfaceError):
                connection.close()
                if time.monotonic() > give_up_at:
                    raise
                is_second_try = True
                time.sleep(RETRY_PAUSE_SECONDS)

    def _stored_answers(self, submissions: Sequence[Submission]) -> list[Written | ReportsError]:
        # A key's row was committed with the group, so claiming it again reads the stored answer.
        return [_claim_key(submission, now=self._clock()) for submission in submissions]


_writer: ReportWriter | None = None
_writer_lock = threading.Lock()


def the_writer(*, clock: Callable[[], datetime]) -> ReportWriter:
    """Return this process's writer, started on first use (a thread does not survive a fork)."""
    global _writer
    with _writer_lock:
        if _writer is None or _writer.pid != os.getpid():
            _writer = ReportWriter(clock=clock)
        return _writer
