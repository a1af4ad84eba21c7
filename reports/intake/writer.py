"""`ReportWriter`: the single way into the Report table, one durable transaction for whatever has come in meanwhile.

Invariant: a submission is answered after the commit that holds all of its reports, or after they are synced to the
spool, or not at all. While one group is being committed the next one gathers, so an idle system writes at once and a
loaded one writes up to GROUP_REPORTS with one COPY; nobody waits on a timer. Where the database does not answer within
GIVE_UP_SECONDS a second thread takes over and spools, until the first has replayed its way back. `write_group` is the
transaction itself, for callers with a clock of their own (replay).
"""

from __future__ import annotations

import json
import logging
import os
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime

from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction

from reports.errors import IdempotencyConflict, ReportsError, StoreUnavailable
from reports.intake import availability
from reports.intake.copying import copy_rows
from reports.intake.replaying import Replayer
from reports.intake.spool import Spool, repeated, the_spool
from reports.intake.submissions import Idempotency as Idempotency
from reports.intake.submissions import ReportRow as ReportRow
from reports.intake.submissions import Submission as Submission
from reports.intake.submissions import Written as Written
from reports.intake.waiting import Answer
from reports.models import Report, ReportContact
from reports.nudge import nudge

logger = logging.getLogger(__name__)

GROUP_REPORTS = 1_000  # rows a COPY; beyond it a commit's fixed cost no longer shows
# Under load a group waits so long for company: a commit costs what a hundred rows do. After a group of so many
# submissions the thread does not look for the next before, or it would begin with the first that comes and have no
# crowd again; whoever is alone is written at once.
GATHER_SECONDS = 0.004
CROWD = 8
GIVE_UP_SECONDS = 1.0  # how long the database may take for a group before that goes to the spool
KEEP_SECONDS = 0.1  # how long a connection is kept for the next group: taken from the pool it costs a trip
RETRY_PAUSE_SECONDS = 0.2
LOOK_AGAIN_SECONDS = 1.0  # how often a database that is away is asked again
WATCH_SECONDS = 0.1  # how late the second thread notices that the first is held up
STAND_IN_SECONDS = 0.01  # how often the second thread looks for reports while it stands in
LEAVE_SECONDS = 0.25  # what other processes have in the spool is looked at again after so long
REMEMBER_KEYS = 10_000  # the latest keys the database has, for those who repeat themselves while it is away


def write_group(submissions: Sequence[Submission], *, now: datetime) -> list[Written | ReportsError]:
    """Store the submissions in one transaction and return one answer each.

    Concurrency: a key that another transaction is writing makes this one wait for it. Queries: two trips for rows and
    batches, and where there are keys or contacts one each, BEGIN and COMMIT. Raises whatever the database raises; then
    nothing is stored.
    """
    with _transaction(submissions):
        answers = [_claim_key(submission, now=now) for submission in submissions]
        rows = [
            row
            for submission, answer in zip(submissions, answers, strict=True)
            if isinstance(answer, Written) and not answer.is_repeat
            for row in submission.rows
        ]
        if rows:
            copy_rows(rows, now=now)
            _add_contacts(rows, now=now)
            nudge("cluster")
    return answers


def _transaction(submissions: Sequence[Submission]) -> AbstractContextManager[object]:
    """Return the transaction of a group. Where nothing is stored but rows and batches, these are one by themselves."""
    others = [row for each in submissions for row in each.rows if each.idempotency or row.report.contact]
    return transaction.atomic() if others or connection.in_atomic_block else nullcontext()


def write_spooled(submissions: Sequence[Submission], *, now: datetime) -> None:
    """Store what was spooled, except for what is stored already, in one transaction.

    Each was answered with 202, so each is stored once: reports whose commit had come through after all are skipped by
    their ids, and those whose key the database had from before are the repeat of what is stored. Where that had another
    body (two answers that could not know of each other) both stay. Raises whatever the database raises; then nothing is
    stored.
    """
    with transaction.atomic():
        ids = [row.id for submission in submissions for row in submission.rows]
        stored = set(Report.objects.filter(id__in=ids).values_list("id", flat=True))
        rows: list[ReportRow] = []
        for submission in submissions:
            answer = _claim_key(submission, now=now)
            ours = tuple(row.id for row in submission.rows)
            if isinstance(answer, Written) and answer.is_repeat and answer.report_ids != ours:
                logger.info("A spooled submission of %d reports repeats one that is stored.", len(ours))
                continue
            if not isinstance(answer, Written):
                logger.warning("A spooled submission's key was used before with another body; it is stored without.")
            rows += [row for row in submission.rows if row.id not in stored]
        if rows:
            copy_rows(rows, now=now)
            _add_contacts(rows, now=now)
            nudge("cluster")


def _claim_key(submission: Submission, *, now: datetime) -> Written | ReportsError:
    fresh = Written(tuple([row.id for row in submission.rows]), submission.errors)
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


class _Group:
    """Submissions on their way into the database; whoever claims them answers them."""

    def __init__(self, members: list[tuple[Submission, Answer]]) -> None:
        self.members = members
        self._claim = threading.Lock()

    @property
    def submissions(self) -> list[Submission]:
        return [submission for submission, _ in self.members]

    def claim(self) -> bool:
        """Take the right to answer; true for the first that asks."""
        return self._claim.acquire(blocking=False)

    def answer(self, outcomes: Sequence[Written | ReportsError]) -> None:
        for (_, answer), outcome in zip(self.members, outcomes, strict=True):
            answer.give(outcome)


class ReportWriter:
    """Gathers submissions from any thread and writes them group by group.

    One thread writes to the database, a second to the spool while the first is held up. A group that hangs in the
    database is spooled by its ids, so it does not matter whether it comes through later.
    """

    def __init__(self, *, clock: Callable[[], datetime], spool: Spool | None = None) -> None:
        self._clock = clock
        self._spool = spool if spool is not None else the_spool()
        self._replayer = Replayer(self._spool.folder, write=lambda found: write_spooled(found, now=self._clock()))
        self._n_latest = 0  # submissions in the group before
        self._queue: queue.SimpleQueue[tuple[Submission, Answer] | None] = queue.SimpleQueue()  # None: look
        self._known: OrderedDict[tuple[str, str], tuple[bytes, Written]] = OrderedDict()
        self._group: _Group | None = None  # what the database has been asked to take
        self._busy_since: float | None = None  # when it was last asked for anything, None while it is not
        self._is_away = False
        self._is_closed = False
        self._something_to_watch = threading.Event()
        self._threads = (
            threading.Thread(target=self._run, name="report-writer", daemon=True),
            threading.Thread(target=self._stand_in, name="report-spooler", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def submit(self, submission: Submission, *, on_done: Callable[[Answer], None] | None = None) -> Answer:
        """Return what will hold the answer: `Written` once it is durable, or a ReportsError.

        It can be cancelled until the writer takes it up; then nothing of it is stored. `on_done` as in `Answer`.
        """
        answer = Answer(on_done)
        self._queue.put((submission, answer))
        return answer

    @property
    def is_spooling(self) -> bool:
        """Tell whether the database has been found away, and not back yet."""
        return self._is_away

    def close(self) -> None:
        """Have both threads end once what they are at is done, and let go of the spool: for tests."""
        self._is_closed = True
        self._something_to_watch.set()
        for _ in self._threads:
            self._queue.put(None)

    def join(self) -> None:
        """Wait until both threads have ended."""
        for thread in self._threads:
            thread.join()

    # -- The database's side ---------------------------------------------------------------------------------------
    def _run(self) -> None:
        pause_seconds = 0.0
        while not self._is_closed:
            try:
                if self._is_away and not self._is_back():
                    time.sleep(LOOK_AGAIN_SECONDS)
                    continue
                pause_seconds = self._turn(pause_seconds)
            except Exception as error:  # the thread must outlive any one group
                logger.exception("Writing reports failed (%s).", type(error).__name__)
                time.sleep(RETRY_PAUSE_SECONDS)
        self._replayer.let_go()
        self._spool.seal()
        connection.close()

    def _turn(self, pause_seconds: float) -> float:
        """Write what has come in, then some of what was spooled; return how long to wait for more before the next."""
        is_spooled = not self._spool.is_empty()
        members = self._gather(wait_seconds=pause_seconds if is_spooled else None)
        if members and is_spooled:
            members = self._without_spooled_keys(members)
        if members:
            self._write(members)
        if not is_spooled or self._is_away:
            return 0.0
        try:
            return 0.0 if self._replay_chunk() else LEAVE_SECONDS
        except (OperationalError, InterfaceError) as error:
            self._note_away(error)
            return 0.0

    def _gather(self, *, wait_seconds: float | None) -> list[tuple[Submission, Answer]]:
        """Return what has come in; wait for the first, for ever with None."""
        members: list[tuple[Submission, Answer]] = []
        n_reports = 0
        if self._n_latest >= CROWD:
            time.sleep(GATHER_SECONDS)
        while n_reports < GROUP_REPORTS and not (self._is_closed and not members):
            try:
                found = self._next(block=not members, wait_seconds=wait_seconds)
            except queue.Empty:
                break
            if found is None:
                break
            submission, answer = found
            if answer.take_up():  # else its caller has given up, and was told so
                members.append((submission, answer))
                n_reports += len(submission.rows)
        self._n_latest = len(members)
        return members

    def _next(self, *, block: bool, wait_seconds: float | None) -> tuple[Submission, Answer] | None:
        """Return what has come in next, None for a wish to look around. Raises queue.Empty where nothing comes."""
        if not block or wait_seconds == 0:
            return self._queue.get_nowait()
        if connection.connection is not None:
            with suppress(queue.Empty):
                return self._queue.get(timeout=min(KEEP_SECONDS, wait_seconds or KEEP_SECONDS))
            connection.close()  # goes back to the pool: an idle writer holds nothing
        return self._queue.get(timeout=wait_seconds)

    def _write(self, members: list[tuple[Submission, Answer]]) -> None:
        group = _Group(members)
        submissions = group.submissions
        try:
            with self._asking(group):
                answers = self._write_patiently(submissions)
        except (OperationalError, InterfaceError) as error:
            self._note_away(error)
            if group.claim():
                self._to_spool(group)
        except Exception as error:
            if not group.claim():
                return  # it is in the spool, and what is wrong with it is found out there
            if len(members) == 1:
                logger.exception("A submission could not be written.")
                group.answer([StoreUnavailable(f"The report could not be stored ({type(error).__name__}).")])
                return
            for single in members:  # one of them is at fault: the others must not pay for it
                if self._is_away:
                    self._to_spool(_Group([single]))
                else:
                    self._write([single])
        else:
            self._remember_keys(submissions, answers)
            if availability.is_away():
                availability.note_back()
            if group.claim():
                group.answer(answers)

    def _write_patiently(self, submissions: Sequence[Submission]) -> list[Written | ReportsError]:
        """Write, and outlast a connection that breaks.

        One that breaks during COMMIT leaves open whether it happened; the ids tell.
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
                if time.monotonic() + RETRY_PAUSE_SECONDS > give_up_at:
                    raise
                is_second_try = True
                time.sleep(RETRY_PAUSE_SECONDS)

    def _stored_answers(self, submissions: Sequence[Submission]) -> list[Written | ReportsError]:
        # A key's row was committed with the group, so claiming it again reads the stored answer.
        return [_claim_key(submission, now=self._clock()) for submission in submissions]

    def _is_back(self) -> bool:
        """Ask the database again, and let it prove itself with the oldest of what waits in the spool."""
        try:
            with self._asking(None), connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            self._replay_chunk()
        except (OperationalError, InterfaceError) as error:
            self._note_away(error)
            return False
        self._is_away = False
        availability.note_back()
        logger.warning("The database is back. Reports in the spool: %d.", self._spool.state().n_reports)
        return True

    def _replay_chunk(self) -> int:
        self._spool.seal()
        with self._asking(None):
            return self._replayer.replay_chunk()

    def _note_away(self, error: Exception) -> None:
        connection.close()
        availability.note_away()
        if not self._is_away:
            self._is_away = True
            logger.warning("The database is away (%s): reports go to the spool.", type(error).__name__)
        self._something_to_watch.set()

    @contextmanager
    def _asking(self, group: _Group | None) -> Iterator[None]:
        """Note what the database is asked, and since when."""
        self._group, self._busy_since = group, time.monotonic()
        if not self._something_to_watch.is_set():
            self._something_to_watch.set()
        try:
            yield
        finally:
            self._group, self._busy_since = None, None

    # -- The spool's side ------------------------------------------------------------------------------------------
    def _stand_in(self) -> None:
        """Spool what comes in while the other thread is held up."""
        while not self._is_closed:
            try:
                if self._is_held_up():
                    self._spool_for_a_moment()
                elif self._busy_since is None:
                    self._something_to_watch.wait()
                    self._something_to_watch.clear()
                    time.sleep(WATCH_SECONDS)
                else:
                    time.sleep(WATCH_SECONDS)
            except Exception as error:
                logger.exception("Spooling reports failed (%s).", type(error).__name__)
                time.sleep(RETRY_PAUSE_SECONDS)

    def _is_held_up(self) -> bool:
        since = self._busy_since
        return self._is_away or (since is not None and time.monotonic() - since > GIVE_UP_SECONDS)

    def _spool_for_a_moment(self) -> None:
        availability.note_away()
        group, since = self._group, self._busy_since
        is_overdue = since is not None and time.monotonic() - since > GIVE_UP_SECONDS
        if group is not None and is_overdue and group.claim():
            logger.warning("The database has not answered for %.1f s: reports go to the spool.", GIVE_UP_SECONDS)
            self._to_spool(group)
            self._queue.put(None)
        if self._queue.empty():
            # Not waiting in the queue itself: what comes in just when the database is back belongs there.
            time.sleep(STAND_IN_SECONDS)
        elif members := self._gather(wait_seconds=0):
            self._to_spool(_Group(members))
            if not self._is_away:
                self._queue.put(None)  # the other thread may be waiting already, and not know of what was just spooled

    def _to_spool(self, group: _Group) -> None:
        """Store a group in the spool and answer it. It must have been claimed."""
        answers: list[Written | ReportsError | None] = [self._known_answer(each) for each in group.submissions]
        rest = [each for each, answer in zip(group.submissions, answers, strict=True) if answer is None]
        try:
            spooled = iter(self._spool.append(rest))
        except OSError as error:
            logger.error("The spool can't be written (%s): %d submissions refused.", error.strerror, len(rest))
            away = "The database is away, and the disk takes no reports for later. Nothing was accepted; try again."
            spooled = iter([StoreUnavailable(away)] * len(rest))
        except Exception as error:
            logger.exception("A group of %d submissions could not be spooled.", len(rest))
            spooled = iter([StoreUnavailable(f"The reports could not be stored ({type(error).__name__}).")] * len(rest))
        group.answer([answer if answer is not None else next(spooled) for answer in answers])

    def _without_spooled_keys(self, members: list[tuple[Submission, Answer]]) -> list[tuple[Submission, Answer]]:
        """Answer what repeats a key that waits in the spool; return the others."""
        rest = []
        for submission, answer in members:
            outcome = self._spool.answer_to(submission)
            if outcome is None:
                rest.append((submission, answer))
            else:
                answer.give(outcome)
        return rest

    def _remember_keys(self, submissions: Sequence[Submission], answers: Sequence[Written | ReportsError]) -> None:
        for submission, answer in zip(submissions, answers, strict=True):
            if (claim := submission.idempotency) and isinstance(answer, Written):
                self._known[claim.client, claim.key] = (claim.body_digest, answer)
        while len(self._known) > REMEMBER_KEYS:
            self._known.popitem(last=False)

    def _known_answer(self, submission: Submission) -> Written | ReportsError | None:
        claim = submission.idempotency
        first = self._known.get((claim.client, claim.key)) if claim else None
        return repeated(claim, *first) if claim and first else None


_writer: ReportWriter | None = None
_writer_lock = threading.Lock()


def the_writer(*, clock: Callable[[], datetime]) -> ReportWriter:
    """Return this process's writer, started on first use."""
    global _writer
    if _writer is None:
        with _writer_lock:
            if _writer is None:
                _writer = ReportWriter(clock=clock)
    return _writer


def _forget_writer() -> None:
    """A thread does not survive a fork, and the lock may have been held in one."""
    global _writer, _writer_lock
    _writer, _writer_lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_writer)
