"""The door of intake: every face hands its reports in here.

normalise → find the service → scrub → fingerprint → `ReportWriter`. What comes back was durably stored before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db import connection
from django.utils import timezone

from reports.enums import Channel
from reports.errors import FieldError, IdempotencyConflict, InvalidReport, StoreUnavailable, TooMany
from reports.intake import abuse, catalogue, contract, key_limits
from reports.intake.abuse import FormSigns
from reports.intake.availability import store_needed
from reports.intake.contract import ReportIn
from reports.intake.fingerprints import ANONYMOUS, fingerprint, forget_salts, network_of, wording
from reports.intake.ids import uuid7
from reports.intake.partitions import make_partitions
from reports.intake.receipts import receipt_token
from reports.intake.replaying import Replayer
from reports.intake.screening import scrub
from reports.intake.spool import the_spool
from reports.intake.waiting import Answer
from reports.intake.writer import (
    GIVE_UP_SECONDS,
    Idempotency,
    ReportRow,
    Submission,
    Written,
    the_writer,
    write_spooled,
)
from reports.models import IdempotencyKey, IntakeBatch, SourceCount

ANSWER_SECONDS = GIVE_UP_SECONDS + 5.0  # the writer gives up first, and then the spool's disk
KEEP_IDEMPOTENCY_KEYS = timedelta(hours=48)  # at least 24 h are promised
KEEP_IMPORT_KEYS = contract.OLDEST  # after that a dated report is refused for its age
KEEP_PLACED_BATCHES = timedelta(hours=48)  # long enough to look into what happened yesterday
KEEP_SOURCE_COUNTS = timedelta(weeks=4, hours=2)  # what `detection.sources` learns from, and a little more
IMPORT_CLIENT = "import"  # whose keys name parts of files (`imports`)
MAX_KEY_CHARS = 255
REPLAY_REPORTS = 100_000  # a run's share: half a minute, well within a task's time


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a report came from: which face, which client, and what tells one reporter from another.

    `address` and `agent` are only fingerprinted. `client` scopes idempotency keys and reporters' names.
    `key_id` is the API key it came with: with the channel it is the report's source. `signs` are what a form
    brings beside its report; `suspicion` (`enums.Suspicion`) is what they come to, and nobody is told of it.
    """

    channel: Channel
    client: str = ""
    address: str = ""
    agent: str = ""
    key_id: int | None = None
    suspicion: str = ""
    signs: FormSigns | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The proof that a report is stored: its id, and the token of its receipt page."""

    id: UUID
    token: str


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch: a receipt for each accepted item in order, and the errors of the others."""

    receipts: tuple[Receipt, ...]
    errors: tuple[FieldError, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """A report under its sender's own lasting name for it: what comes again under that name is the same report.

    "" is no name. `content` is what has to be the same under one name: with other content it is refused. Left empty,
    the name alone decides, for senders who tell the same thing again in other words.
    """

    report: ReportIn
    name: str = ""
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one report: a receipt, the first one where it came before (`is_repeat`), or what is wrong."""

    receipt: Receipt | None = None
    is_repeat: bool = False
    errors: tuple[FieldError, ...] = ()


def accept_report(
    *, report: ReportIn, origin: Origin, idempotency_key: str = "", body: bytes = b"", now: datetime
) -> Receipt:
    """Store one report durably and return its receipt; for a repeated idempotency key the first receipt.

    Raises InvalidReport, OverLimit, IdempotencyConflict, StoreUnavailable.
    """
    key_limits.check(origin.key_id, n_reports=1)
    with store_needed():
        row = make_row(report=report, origin=_judged(origin, report, now), now=now)
    written = _write(Submission((row,), idempotency_claim(idempotency_key, origin, body)))
    return Receipt(written.report_ids[0], receipt_token(written.report_ids[0]))


def accept_batch(
    *,
    items: Sequence[ReportIn | InvalidReport],
    origin: Origin,
    all_or_nothing: bool = False,
    idempotency_key: str = "",
    body: bytes = b"",
    now: datetime,
) -> BatchResult:
    """Store the good items of a batch in one transaction, and tell what is wrong with the others.

    An item that could not even be read comes as the InvalidReport it raised. With `all_or_nothing`, or where no item is
    good, raises InvalidReport with all errors (each with its item's number) and stores nothing. Raises also TooMany,
    OverLimit, IdempotencyConflict, StoreUnavailable.
    """
    if len(items) > contract.MAX_BATCH_REPORTS:
        raise TooMany(
            f"The batch has {len(items):,} reports; at most {contract.MAX_BATCH_REPORTS:,} are taken at once."
            " Send it in parts."
        )
    if not items:
        raise InvalidReport([FieldError("", "The batch holds no report. Send at least one.")])
    key_limits.check(origin.key_id, n_reports=len(items))
    rows: list[ReportRow] = []
    errors: list[FieldError] = []
    for number, item in enumerate(items):
        try:
            if isinstance(item, InvalidReport):
                raise item
            with store_needed():
                rows.append(make_row(report=item, origin=origin, now=now))
        except InvalidReport as invalid:
            errors += [FieldError(error.field, error.message, number) for error in invalid.errors]
    if errors and (all_or_nothing or not rows):
        raise InvalidReport(errors)
    stored_errors: tuple[dict[str, object], ...] = tuple(
        {"item": error.item, "field": error.field, "message": error.message} for error in errors
    )
    # The same items asked for in another way are another request.
    asked = body + (b"\x00all_or_nothing" if all_or_nothing else b"")
    written = _write(Submission(tuple(rows), idempotency_claim(idempotency_key, origin, asked), stored_errors))
    return BatchResult(
        receipts=tuple(Receipt(report_id, receipt_token(report_id)) for report_id in written.report_ids),
        errors=tuple(msgspec.convert(error, FieldError) for error in written.errors),
    )


def accept_apart(*, items: Sequence[Named | InvalidReport], origin: Origin, now: datetime) -> tuple[Outcome, ...]:
    """Store reports that came together and stand each for itself, and return what became of each, in their order.

    Each that is good is stored, whatever the others are, and none twice under one name; an item that could not even be
    read comes as the InvalidReport it raised. The writer puts them into one transaction as far as it can.

    Raises TooMany, OverLimit, and StoreUnavailable where it is not known of all whether they are stored: sent again,
    those that have a name are stored once.
    """
    if len(items) > contract.MAX_BATCH_REPORTS:
        raise TooMany(
            f"These are {len(items):,} reports; at most {contract.MAX_BATCH_REPORTS:,} are taken at once."
            " Send them in parts."
        )
    key_limits.check(origin.key_id, n_reports=len(items))
    submissions = [_submission_of(item, origin, now) for item in items]
    _give_back_connection()
    writer = the_writer(clock=timezone.now)
    answers = [writer.submit(one) if isinstance(one, Submission) else one for one in submissions]
    return tuple(_outcome_of(answer) for answer in answers)


def make_row(*, report: ReportIn, origin: Origin, now: datetime, ask: bool = True) -> ReportRow:
    """Return the row a report becomes.

    With `ask=False` the catalogue is not asked for a service that is not remembered; the day's salt must be at hand.
    Raises InvalidReport for what breaks the contract or names a service that does not exist.
    """
    errors: list[FieldError] = []
    try:
        report = contract.normalise(report, now=now)
    except InvalidReport as invalid:
        errors += invalid.errors
    service = catalogue.find_service(report.service.strip(), ask=ask)
    if service is None and all(error.field != "service" for error in errors):
        known = ", ".join(catalogue.known_slugs()) or "none yet; staff add services on the dashboard"
        errors.insert(0, FieldError("service", f"{report.service!r} is no service here. Known services: {known}."))
    if errors or service is None:
        raise InvalidReport(errors)
    return ReportRow(
        id=uuid7(now),
        service_id=service.id,
        channel=origin.channel.value,
        report=_without_secrets(report),
        reporter=_reporter(report, origin, now),
        network=_network(report, origin, now),
        received_at=now,
        # With a public key anybody could write into the past what will be taken for usual, and so hide what comes.
        counted_at=now if origin.channel == Channel.SENTRY else contract.counted_at(report, received_at=now),
        key_id=origin.key_id,
        suspicion=origin.suspicion,
    )


def forget_expired(*, now: datetime) -> None:
    """Delete the idempotency keys, placed batches, sources' counts and fingerprint salts that served their time."""
    SourceCount.objects.filter(hour__lt=now - KEEP_SOURCE_COUNTS).delete()
    IntakeBatch.objects.filter(clustered_at__lt=now - KEEP_PLACED_BATCHES).delete()
    expired = IdempotencyKey.objects.filter(created_at__lt=now - KEEP_IDEMPOTENCY_KEYS)
    expired.exclude(client=IMPORT_CLIENT, created_at__gte=now - KEEP_IMPORT_KEYS).delete()
    forget_salts(now=now)


def replay_spool(*, now: datetime) -> int:
    """Store what processes that have died left in the spool; return how many reports were gone through.

    At most `REPLAY_REPORTS`, and what is left the next time. Concurrency: safe to run any number of times at once; one
    replays, the others leave it to it.
    """
    replayer = Replayer(the_spool().folder, write=lambda submissions: write_spooled(submissions, now=now))
    total = 0
    try:
        while total < REPLAY_REPORTS and (n_reports := replayer.replay_chunk()):
            total += n_reports
    finally:
        replayer.let_go()
    return total


def prepare_storage(*, now: datetime) -> list[str]:
    """Make room for the reports of today and the coming days; return what was made."""
    return make_partitions(now=now)


def _judged(origin: Origin, report: ReportIn, now: datetime) -> Origin:
    """Return the origin with what its form gives away. This is the one place where a report is judged by itself."""
    if origin.channel == Channel.SENTRY:
        suspicion = abuse.suspicion_in_a_crowd(service=report.service, address=origin.address, now=now)
        return replace(origin, suspicion=suspicion)
    if origin.signs is None:
        return origin
    suspicion = abuse.suspicion_of(origin.signs, service=report.service, address=origin.address, now=now)
    return replace(origin, suspicion=suspicion)


def _without_secrets(report: ReportIn) -> ReportIn:
    scrubbed = {}
    if (text := scrub(report.text)) != report.text:
        scrubbed["text"] = text
    if report.url or report.source or report.release:  # seldom, so not looked at one by one
        for field in ("url", "source", "release"):
            if (hidden := scrub(given := getattr(report, field))) != given:
                # A mark can be longer than what it hides, and these columns have the contract's limits.
                scrubbed[field] = hidden[: contract.MAX_CHARS[field]]
    return msgspec.structs.replace(report, **scrubbed) if scrubbed else report


def _reporter(report: ReportIn, origin: Origin, now: datetime) -> bytes:
    """Return the reporter's fingerprint: by the client's name for them, network and browser, wording, or none."""
    if report.reporter:
        return fingerprint("name", origin.client, report.reporter, at=now)
    if origin.address:
        return fingerprint("network", origin.address, origin.agent, at=now)
    own_words = wording(report.text)
    return fingerprint("wording", own_words, at=now) if own_words else ANONYMOUS


def _network(report: ReportIn, origin: Origin, now: datetime) -> bytes:
    """Return the network's fingerprint. Beside a client's name for its reporter the address is not the reporter's."""
    network = "" if report.reporter or not origin.address else network_of(origin.address)
    return fingerprint("subnet", network, at=now) if network else ANONYMOUS


def idempotency_claim(key: str, origin: Origin, body: bytes) -> Idempotency | None:
    """Return the claim a request's idempotency key makes, if it has one. Raises InvalidReport for an unfit one."""
    if not key:
        return None
    if len(key) > MAX_KEY_CHARS or not key.isprintable():
        raise InvalidReport(
            [
                FieldError(
                    "Idempotency-Key", f"Has to be 1 to {MAX_KEY_CHARS} printable characters. A UUID is a good key."
                )
            ]
        )
    return Idempotency(client=origin.client, key=key, body_digest=hashlib.sha256(body).digest())


def _submission_of(item: Named | InvalidReport, origin: Origin, now: datetime) -> Submission | tuple[FieldError, ...]:
    if isinstance(item, InvalidReport):
        return item.errors
    try:
        with store_needed():
            row = make_row(report=item.report, origin=_judged(origin, item.report, now), now=now)
    except InvalidReport as invalid:
        return invalid.errors
    # A sender's names have any length and any letters, and must not meet the idempotency keys of its other requests.
    key = f"{origin.channel.value}:{hashlib.sha256(item.name.encode()).hexdigest()}" if item.name else ""
    return Submission((row,), idempotency_claim(key, origin, item.content))


def _outcome_of(answer: Answer | tuple[FieldError, ...]) -> Outcome:
    if isinstance(answer, tuple):
        return Outcome(errors=answer)
    try:
        written = answer.result(timeout_seconds=ANSWER_SECONDS)
    except IdempotencyConflict:
        message = "Came before with another content, and that is stored. Give what is new an id of its own."
        return Outcome(errors=(FieldError("id", message),))
    except TimeoutError as error:
        raise give_up(answer) from error
    receipt = Receipt(written.report_ids[0], receipt_token(written.report_ids[0]))
    return Outcome(receipt, is_repeat=written.is_repeat)


def _give_back_connection() -> None:
    # Whoever looked something up still holds a connection. Were they all held by those who wait for the writer, it
    # would wait for one of them in turn, and all would be told that the database is away.
    if not connection.in_atomic_block:
        connection.close()


def _write(submission: Submission) -> Written:
    _give_back_connection()
    answer = the_writer(clock=timezone.now).submit(submission)
    try:
        return answer.result(timeout_seconds=ANSWER_SECONDS)
    except TimeoutError as error:
        raise give_up(answer) from error


def give_up(answer: Answer) -> StoreUnavailable:
    """Wait no longer for an answer of the writer, and return what its caller is told."""
    if answer.cancel():
        return StoreUnavailable("The database does not take reports right now. Nothing was accepted; try again.")
    return StoreUnavailable(  # the writer is at it
        "The database does not answer in time, so it is not known whether the reports are stored."
        " Try again; with an idempotency key they are stored once."
    )
