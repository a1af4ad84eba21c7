"""The door of intake: the row a report becomes, the receipts of what is stored, and what is told when there is none."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from reports.enums import Channel
from reports.errors import FieldError, IdempotencyConflict, InvalidReport, StoreUnavailable, TooMany
from reports.intake import contract, services
from reports.intake.contract import MAX_CHARS, ReportIn
from reports.intake.ids import id_time
from reports.intake.receipts import report_of
from reports.intake.services import (
    KEEP_IDEMPOTENCY_KEYS,
    BatchResult,
    Named,
    Origin,
    Outcome,
    Receipt,
    accept_apart,
    accept_batch,
    accept_report,
    forget_expired,
    make_row,
    prepare_storage,
)
from reports.intake.waiting import Answer
from reports.intake.writer import ReportRow, Submission, write_group
from reports.models import FingerprintSalt, IdempotencyKey, IntakeBatch, Report, ReportContact, Service
from tests.factories import NOW, make_service
from tests.intake.submissions import PATIENCE_SECONDS, WritesAtOnce

pytestmark = pytest.mark.django_db

API = Origin(Channel.REST, client="key:1")


@pytest.fixture(autouse=True)
def service() -> Service:
    return make_service("mail", name="Café Mail")


@pytest.fixture(autouse=True)
def _on_the_threads_of_the_test(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "threads" not in request.fixturenames:
        monkeypatch.setattr(services, "the_writer", lambda **_: WritesAtOnce())


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Threads to call from; a test that asks for them has the real writer."""
    with ThreadPoolExecutor(12) as pool:
        yield pool


def report_in(text: str = "no mail", **fields: Any) -> ReportIn:
    return ReportIn(service=fields.pop("service", "mail"), text=text, **fields)


def row_of(*, origin: Origin = API, **fields: Any) -> ReportRow:
    return make_row(report=report_in(**fields), origin=origin, now=NOW)


def accepted(*, key: str = "", body: bytes = b"body", origin: Origin = API, **fields: Any) -> Receipt:
    return accept_report(report=report_in(**fields), origin=origin, idempotency_key=key, body=body, now=NOW)


def accepted_batch(*items: ReportIn | InvalidReport, **options: Any) -> BatchResult:
    return accept_batch(items=items, origin=API, body=b"body", now=NOW, **options)


def refused_row(**fields: Any) -> Sequence[FieldError]:
    with pytest.raises(InvalidReport) as refused:
        row_of(**fields)
    return refused.value.errors


# -- The row a report becomes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["mail", " MAIL ", "café mail", "Cafe\u0301  Mail"])
def test_the_service_is_found_by_slug_or_name_however_it_is_written(service: Service, word: str) -> None:
    assert row_of(service=word).service_id == service.pk


def test_a_row_carries_its_face_and_the_time_it_came() -> None:
    row = row_of(origin=Origin(Channel.BULK))

    assert (row.channel, row.received_at, row.counted_at, id_time(row.id)) == ("bulk", NOW, NOW, NOW)


def test_history_counts_when_it_happened() -> None:
    yesterday = NOW - timedelta(days=1)

    assert row_of(occurred_at=yesterday).counted_at == yesterday


@pytest.mark.parametrize("field", ["text", "url", "source", "release"])
def test_no_field_keeps_what_must_not_be_stored(field: str) -> None:
    row = row_of(**{field: "https://example.org/?from=me@example.org"})

    assert getattr(row.report, field) == "https://example.org/?from=[email]"


@pytest.mark.parametrize("field", ["url", "source", "release"])
def test_a_mark_longer_than_what_it_hides_still_fits_its_column(field: str) -> None:
    start = "https://x.y/?" if field == "url" else ""
    value = (start + "a@b.co,a@b.de,a@c.de," * 200)[: MAX_CHARS[field]]

    accepted(**{field: value})

    stored = getattr(Report.objects.get(), field)
    assert len(stored) <= MAX_CHARS[field]
    assert "a@" not in stored


def test_an_unknown_service_is_told_the_known_ones() -> None:
    make_service("chat")

    errors = refused_row(service="fax")

    assert errors == (FieldError("service", "'fax' is no service here. Known services: chat, mail."),)


def test_an_unknown_service_does_not_hide_what_else_is_wrong() -> None:
    errors = refused_row(service="fax", region="ZZ", text="a\x00")

    assert [error.field for error in errors] == ["service", "text", "region"]


@pytest.mark.parametrize("word", ["", "  ", "x" * 101, "a\x00", "\ud800"])
def test_a_service_that_is_no_word_is_told_once(word: str) -> None:
    errors = refused_row(service=word)

    assert [error.field for error in errors] == ["service"]


# -- One report -------------------------------------------------------------------------------------------------------


def test_the_receipt_is_of_the_stored_report() -> None:
    receipt = accepted(text="no mail since ten")

    assert report_of(receipt.token) == receipt.id
    assert Report.objects.get(id=receipt.id).text == "no mail since ten"


def test_a_contact_is_kept_as_it_was_given_and_only_there() -> None:
    receipt = accepted(contact="me@example.org")

    contact = ReportContact.objects.get()
    assert (contact.report_id, contact.address) == (receipt.id, "me@example.org")


def test_a_repeated_request_gets_the_first_receipt() -> None:
    first = accepted(key="k")

    assert accepted(key="k") == first
    assert Report.objects.count() == 1


def test_a_key_for_another_request_is_a_conflict() -> None:
    accepted(key="k", body=b"one")

    with pytest.raises(IdempotencyConflict):
        accepted(key="k", body=b"two")


@pytest.mark.parametrize("key", ["x" * 256, "a\x00", "a\nb", "\u202e", "\ud800"])
def test_a_key_that_cannot_be_kept_is_refused(key: str) -> None:
    with pytest.raises(InvalidReport, match="Idempotency-Key: Has to be 1 to 255 printable characters"):
        accepted(key=key)


def test_a_key_at_its_limit_is_kept() -> None:
    accepted(key="🔑" * 255)

    assert IdempotencyKey.objects.get().key == "🔑" * 255


@pytest.mark.django_db(transaction=True)
def test_one_key_from_many_threads_gives_one_receipt(threads: ThreadPoolExecutor) -> None:
    def accepts(_: int) -> Receipt:
        try:
            return accepted(key="k")
        finally:
            connection.close()

    receipts = set(threads.map(accepts, range(24)))

    (receipt,) = receipts
    assert Counter(Report.objects.values_list("id", flat=True)) == Counter([receipt.id])
    assert IntakeBatch.objects.get().report_ids == [receipt.id]


def n_held_elsewhere() -> int:
    """Connections that other threads of this process have from the pool; ours is given back."""
    connection.close()
    stats = connection.pool.get_stats()
    return int(stats["pool_size"] - stats["pool_available"])


@pytest.mark.usefixtures("threads")
@pytest.mark.django_db(transaction=True)
def test_callers_that_have_looked_something_up_leave_the_writer_a_connection() -> None:
    n_connections = connection.settings_dict["OPTIONS"]["pool"]["max_size"] - n_held_elsewhere()
    all_have_looked = threading.Barrier(n_connections)

    def looks_and_reports(number: int) -> Receipt:
        try:
            Service.objects.count()
            all_have_looked.wait(PATIENCE_SECONDS)
            return accepted(text=f"no mail {number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(n_connections) as callers:
        receipts = list(callers.map(looks_and_reports, range(n_connections)))

    assert Report.objects.count() == len({receipt.id for receipt in receipts}) == n_connections


@pytest.mark.django_db(transaction=True)
def test_every_receipt_from_many_threads_is_of_a_stored_report(threads: ThreadPoolExecutor) -> None:
    def accepts(number: int) -> Receipt:
        try:
            return accepted(text=f"no mail {number}")
        finally:
            connection.close()

    receipts = list(threads.map(accepts, range(96)))

    texts = dict(Report.objects.values_list("id", "text"))
    assert [texts[receipt.id] for receipt in receipts] == [f"no mail {number}" for number in range(96)]
    assert len(texts) == 96


# -- A batch ----------------------------------------------------------------------------------------------------------


def test_a_batch_gets_a_receipt_for_each_report_in_order() -> None:
    result = accepted_batch(report_in("one"), report_in("two"), report_in("three"))

    texts = [Report.objects.get(id=report_of(receipt.token)).text for receipt in result.receipts]
    assert texts == ["one", "two", "three"]
    assert result.errors == ()


def test_the_bad_items_of_a_batch_are_told_by_number_and_the_good_ones_stored() -> None:
    unread = InvalidReport([FieldError("", "This is no valid JSON.")])

    result = accepted_batch(report_in(""), report_in("good"), unread, report_in(region="ZZ", lang="?"))

    assert [(error.item, error.field) for error in result.errors] == [(0, "text"), (2, ""), (3, "region"), (3, "lang")]
    assert len(result.receipts) == 1
    assert Report.objects.get().text == "good"


def test_all_or_nothing_stores_nothing_where_one_item_is_bad() -> None:
    with pytest.raises(InvalidReport) as refused:
        accepted_batch(report_in("good"), report_in(""), all_or_nothing=True)

    assert [error.item for error in refused.value.errors] == [1]
    assert not Report.objects.exists()


def test_all_or_nothing_stores_everything_where_every_item_is_good() -> None:
    accepted_batch(report_in("one"), report_in("two"), all_or_nothing=True)

    assert Report.objects.count() == 2


def test_a_batch_without_a_good_item_is_refused() -> None:
    with pytest.raises(InvalidReport) as refused:
        accepted_batch(report_in(""), report_in(service="fax"))

    assert [(error.item, error.field) for error in refused.value.errors] == [(0, "text"), (1, "service")]


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(InvalidReport, match="holds no report"):
        accepted_batch()


def test_a_batch_of_10_001_is_refused_before_anything_is_read() -> None:
    with pytest.raises(TooMany, match="10,001 reports; at most 10,000"):
        accepted_batch(*[report_in("")] * (contract.MAX_BATCH_REPORTS + 1))


def test_a_repeated_batch_gets_the_first_answer_errors_included() -> None:
    items = [report_in("good"), report_in("")]
    first = accepted_batch(*items, idempotency_key="k")

    assert accepted_batch(*items, idempotency_key="k") == first
    assert Report.objects.count() == 1


def test_the_reports_of_a_batch_that_fails_half_way_are_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*args: Any, **options: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("reports.intake.writer._add_contacts", breaks)
    with pytest.raises(RuntimeError):
        accepted_batch(report_in("one"), report_in("two"))

    assert not Report.objects.exists()


# -- A database that does not answer ----------------------------------------------------------------------------------


class NeverAnswers:
    """Stands in for a writer whose database is away; `takes_up` tells whether it has begun to write."""

    def __init__(self, *, takes_up: bool) -> None:
        self.answer = Answer()
        self._takes_up = takes_up

    def submit(self, submission: Submission) -> Answer:
        if self._takes_up:
            self.answer.take_up()
        return self.answer


@pytest.mark.parametrize(
    ("takes_up", "told"),
    [(False, "Nothing was accepted; try again"), (True, "not known whether the reports are stored")],
)
def test_what_is_not_answered_in_time_is_told_as_far_as_it_is_known(
    monkeypatch: pytest.MonkeyPatch, takes_up: bool, told: str
) -> None:
    never = NeverAnswers(takes_up=takes_up)
    monkeypatch.setattr(services, "the_writer", lambda **_: never)
    monkeypatch.setattr(services, "ANSWER_SECONDS", 0.0)

    with pytest.raises(StoreUnavailable, match=told):
        accepted()

    assert never.answer.is_cancelled() is not takes_up


# -- Housekeeping -----------------------------------------------------------------------------------------------------


def test_idempotency_keys_are_kept_as_long_as_promised_and_then_forgotten() -> None:
    accepted(key="k")

    forget_expired(now=NOW + KEEP_IDEMPOTENCY_KEYS)
    kept = IdempotencyKey.objects.count()
    forget_expired(now=NOW + KEEP_IDEMPOTENCY_KEYS + timedelta(seconds=1))

    assert kept == 1
    assert not IdempotencyKey.objects.exists()
    assert timedelta(hours=24) <= KEEP_IDEMPOTENCY_KEYS


def test_salts_are_forgotten_with_the_keys() -> None:
    accepted(reporter="ada")

    forget_expired(now=NOW + timedelta(days=30))

    assert not FingerprintSalt.objects.exists()


def test_storage_is_prepared_for_the_coming_days() -> None:
    made = prepare_storage(now=NOW)

    row = row_of()
    write_group([Submission((row,))], now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM reports_report WHERE id = %s", [row.id])
        assert cursor.fetchone() == (made[0],)


@pytest.mark.django_db
def test_placed_batches_are_forgotten_after_two_days() -> None:
    service = make_service()
    IntakeBatch.objects.create(service=service, report_ids=[], written_at=NOW, clustered_at=NOW)
    waiting = IntakeBatch.objects.create(service=service, report_ids=[], written_at=NOW)

    forget_expired(now=NOW + timedelta(hours=49))

    assert list(IntakeBatch.objects.values_list("pk", flat=True)) == [waiting.pk]


# -- Each for itself ---------------------------------------------------------------------------------------------------
def apart(*items: Named | InvalidReport, origin: Origin = API) -> tuple[Outcome, ...]:
    return accept_apart(items=items, origin=origin, now=NOW)


def test_each_report_stands_for_itself() -> None:
    wrong = InvalidReport([FieldError("status", "Is odd.")])

    good, unknown, unread, another = apart(
        Named(report_in("one")), Named(report_in("two", service="mall")), wrong, Named(report_in("three"))
    )

    assert [bool(outcome.receipt) for outcome in (good, unknown, unread, another)] == [True, False, False, True]
    assert [error.field for error in (*unknown.errors, *unread.errors)] == ["service", "status"]
    assert set(Report.objects.values_list("text", flat=True)) == {"one", "three"}


def test_a_name_stands_for_one_report_of_a_client_and_a_channel() -> None:
    [first] = apart(Named(report_in("one"), "alert 1"))

    [again] = apart(Named(report_in("in other words"), "alert 1"))
    apart(Named(report_in("one"), "alert 1"), origin=Origin(Channel.REST, client="key:2"))
    apart(Named(report_in("one"), "alert 1"), origin=Origin(Channel.CLOUDEVENTS, client="key:1"))

    assert (first.is_repeat, again.is_repeat) == (False, True)
    assert again.receipt == first.receipt
    assert Report.objects.count() == 3


def test_a_name_with_another_content_is_refused_where_content_counts() -> None:
    apart(Named(report_in("one"), "event 1", b"one"))

    [again, other] = apart(Named(report_in("two"), "event 1", b"two"), Named(report_in("two"), "event 2", b"two"))

    assert [error.field for error in again.errors] == ["id"]
    assert other.receipt is not None
    assert set(Report.objects.values_list("text", flat=True)) == {"one", "two"}


def test_without_a_name_the_same_report_is_stored_each_time() -> None:
    apart(Named(report_in("one")), Named(report_in("one")))

    assert Report.objects.count() == 2


def test_a_name_is_no_idempotency_key_of_the_same_client() -> None:
    accepted(key="alert 1", text="one")

    [outcome] = apart(Named(report_in("two"), "alert 1"))

    assert not outcome.is_repeat
    assert Report.objects.count() == 2


def test_any_name_will_do() -> None:
    [outcome] = apart(Named(report_in("one"), "\n\x00\u00fc" * 1_000))

    assert outcome.receipt is not None


def test_nothing_is_nothing() -> None:
    assert apart() == ()


def test_more_than_a_batch_may_hold_is_refused_apart_too() -> None:
    with pytest.raises(TooMany, match="10,001"):
        apart(*[Named(report_in())] * (contract.MAX_BATCH_REPORTS + 1))


def test_while_nothing_can_be_written_the_sender_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def submit(self, submission: Submission) -> Away:
            return self

        def result(self, **options: float) -> None:
            raise StoreUnavailable("Away.")

    monkeypatch.setattr(services, "the_writer", lambda **_: Away())

    with pytest.raises(StoreUnavailable):
        apart(Named(report_in("one"), "alert 1"), Named(report_in("two"), "alert 2"))
