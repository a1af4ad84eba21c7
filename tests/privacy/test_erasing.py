"""Erasing: nothing of what a report told is left anywhere, and everything that was counted stays."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from reports.clustering.locks import wait_for_service
from reports.clustering.refinement import refine_pending
from reports.clustering.services import cluster_pending
from reports.detection.locks import wait_for_outages
from reports.enums import CorrectionKind, ErasureWay, EventKind, OutageState
from reports.errors import NotFound, StoreUnavailable, TooMany
from reports.intake.spool import the_spool
from reports.intake.writer import Submission
from reports.models import (
    Cluster,
    Correction,
    Erasure,
    MinuteCount,
    Outage,
    OutageEvent,
    Placement,
    Report,
    ReportContact,
    ScreeningExample,
    Service,
)
from reports.privacy import erasing
from reports.privacy.erasing import erase_report, erase_reports, finish_erasures
from reports.privacy.holdings import holding_of
from tests.clustering.stories import LOGIN, a_report, a_service, hand_in, n_counted, tell
from tests.factories import NOW, add_event, make_cluster, make_outage, make_report, make_user
from tests.intake.submissions import in_a_thread
from tests.privacy.looking import tables_that_hold

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=4)
# Words that nobody else uses, in every field that takes words.
SECRETS = {
    "text": "quincunx mollusc is broken",
    "url": "https://example.org/zanzibar",
    "release": "wombat-7",
    "source": "aardvark",
    "trace": "4bf92f3577b34da6a3ce929d0e0e4736",
    "contact": "ada@lovelace.example",
}
NEEDLES = ("quincunx", "mollusc", "zanzibar", "wombat", "aardvark", "4bf92f3577b34da6a3ce929d0e0e4736", "lovelace")


@pytest.fixture(autouse=True)
def _a_spool_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.SPOOL_DIR = tmp_path


@pytest.fixture
def service() -> Service:
    return a_service("mail", name="Mail")


def counts_of(service: Service) -> list[tuple[Any, ...]]:
    return sorted(MinuteCount.objects.filter(service=service).values_list("minute", "n_reports", "n_counted"))


def erase(*report_ids: Any, now: datetime = NOW) -> erasing.Erased:
    return erase_reports(report_ids=report_ids, way=ErasureWay.RECEIPT, now=now)


def test_of_an_erased_report_nothing_is_left_in_any_table(service: Service) -> None:
    [report_id] = hand_in(a_report(service, reporter="ada", lang="la", **SECRETS))
    cluster_pending(now=NOW)
    refine_pending(now=NOW + timedelta(minutes=1))
    Correction.objects.create(
        service=service, kind=CorrectionKind.SCREEN, report_ids=[report_id], is_problem=False, actor=make_user(), at=NOW
    )
    cluster_pending(now=NOW)
    Placement.objects.update(is_set_aside=True, is_counted=False, set_aside_for=["mollusc"])
    outage = make_outage(service, label=Cluster.objects.get().label)
    add_event(outage, EventKind.HELD_BACK, body={"words": ["mollusc", "bill"]})
    assert all(tables_that_hold(needle) for needle in NEEDLES)  # it was there to be found
    assert ScreeningExample.objects.exists()

    assert erase(report_id) == erasing.Erased(n=1, n_before=0)

    assert {needle: tables_that_hold(needle) for needle in NEEDLES} == {needle: set() for needle in NEEDLES}
    assert not ReportContact.objects.exists()
    assert OutageEvent.objects.get(kind=EventKind.HELD_BACK).body == {"words": ["bill"]}
    assert Report.objects.get().erased_at == NOW


def test_what_was_counted_stays_counted(service: Service) -> None:
    ids = tell(service, LOGIN)
    cluster_pending(now=NOW)
    before = counts_of(service)

    erase(*ids[:3])
    refine_pending(now=NOW + timedelta(minutes=1))

    assert counts_of(service) == before
    assert Placement.objects.count() == Report.objects.count() == len(LOGIN)
    assert Cluster.objects.get(merged_into=None).n_reports == len(LOGIN)


def test_erasing_twice_is_erasing_once(service: Service) -> None:
    [report_id] = hand_in(a_report(service, **SECRETS))

    erase(report_id)
    again = erase(report_id, now=NOW + timedelta(hours=1))

    assert again == erasing.Erased(n=0, n_before=1)
    assert Report.objects.get().erased_at == NOW
    assert Erasure.objects.get().n_reports == 1


def test_a_report_that_is_erased_before_it_is_placed_still_counts_once(service: Service) -> None:
    [report_id] = hand_in(a_report(service, **SECRETS))

    erase(report_id)
    cluster_pending(now=NOW)
    cluster_pending(now=NOW)

    assert n_counted(service) == 1
    assert Placement.objects.get().report_id == report_id
    assert Cluster.objects.get().label == ""
    assert all(not tables_that_hold(needle) for needle in NEEDLES)


def test_among_others_a_report_that_is_erased_before_it_is_placed_disturbs_nobody(service: Service) -> None:
    ids = tell(service, [*LOGIN, SECRETS["text"]])

    erase(ids[-1])
    cluster_pending(now=NOW)
    refine_pending(now=NOW + timedelta(minutes=1))

    assert n_counted(service) == len(LOGIN) + 1
    assert not tables_that_hold("quincunx")


def test_who_erases_and_reports_again_within_the_hour_still_counts_once(service: Service) -> None:
    for minute in range(3):
        at = NOW + timedelta(minutes=minute)
        [report_id] = hand_in(a_report(service, reporter="ada", at=at), now=at)
        cluster_pending(now=at)
        erase(report_id, now=at)

    assert n_counted(service) == 1


def test_fingerprints_go_as_soon_as_no_count_needs_them(service: Service) -> None:
    ids = hand_in(a_report(service, reporter="ada"), a_report(service, reporter="ada"), a_report(service))
    cluster_pending(now=NOW)
    known = bytes(Report.objects.get(id=ids[0]).reporter)
    erase(*ids)

    early = finish_erasures(now=NOW + timedelta(days=2))
    held_early = tables_that_hold(known.hex())
    done = finish_erasures(now=LATER)

    assert (early, done, finish_erasures(now=LATER)) == (0, 3, 0)
    assert held_early
    assert not tables_that_hold(known.hex())
    assert not Erasure.objects.exclude(fingerprints_of=[]).exists()
    # Whom they told apart they still do, and a report without one has none: no count of the past moves.
    one, other, anonymous = (bytes(Placement.objects.get(pk=report_id).reporter) for report_id in ids)
    assert one == other != known
    assert anonymous == b""


def test_fingerprints_of_an_old_report_go_at_once(service: Service) -> None:
    report = make_report(service, reporter=b"a fingerprint 16", network=b"a network's 16 b")

    erase(report.id, now=LATER)

    report.refresh_from_db()
    assert bytes(report.reporter) != b"a fingerprint 16"
    assert bytes(report.network) != b"a network's 16 b"
    assert Erasure.objects.get().fingerprints_of == []


def test_words_that_others_say_too_stay(service: Service) -> None:
    cluster = make_cluster(service, label="login · mollusc")
    cluster.terms, cluster.term_shares = ["login", "mollusc"], [1.0, 0.2]
    cluster.save()
    mine, *_ = [make_report(service, text, cluster=cluster) for text in ["login mollusc", "Login", "my login", "login"]]
    outage = make_outage(service, label="login · mollusc")

    erase(mine.id)

    cluster.refresh_from_db()
    outage.refresh_from_db()
    assert (cluster.label, cluster.terms, cluster.term_shares) == ("login", ["login"], [1.0])
    assert outage.label == "login"


def test_a_label_that_quotes_somebody_else_stays(service: Service) -> None:
    cluster = make_cluster(service, label="no mail at all")
    cluster.terms = []
    cluster.save()
    other = make_report(service, "no mail at all", cluster=cluster)
    Cluster.objects.update(typical_report_id=other.id)
    mine = make_report(service, "mollusc", cluster=cluster)

    erase(mine.id)

    cluster.refresh_from_db()
    assert (cluster.label, cluster.typical_report_id) == ("no mail at all", other.id)


def test_a_cluster_that_was_merged_away_quotes_nobody_either(service: Service) -> None:
    heir = make_cluster(service, label="login")
    mine = make_report(service, SECRETS["text"], cluster=heir)
    gone = make_cluster(service, label=SECRETS["text"], merged_into=heir, typical_report_id=mine.id)

    erase(mine.id)

    gone.refresh_from_db()
    assert (gone.label, gone.typical_report_id) == ("", None)


def test_a_name_that_a_person_gave_stays(service: Service) -> None:
    cluster = make_cluster(service, label=SECRETS["text"], given_name="Mollusc trouble")
    mine = make_report(service, SECRETS["text"], cluster=cluster)

    erase(mine.id)

    cluster.refresh_from_db()
    assert (cluster.given_name, cluster.label) == ("Mollusc trouble", "")


def test_an_outage_that_quotes_it_quotes_it_no_more(service: Service) -> None:
    mine = make_report(service, SECRETS["text"])
    quoting = make_outage(service, label="quincunx mollusc is…")
    other = make_outage(
        service, label="log in fails", state=OutageState.RESOLVED, started_at=NOW - timedelta(minutes=20)
    )

    erase(mine.id)

    assert Outage.objects.get(pk=quoting.pk).label == ""
    assert Outage.objects.get(pk=other.pk).label == "log in fails"


def test_an_outage_that_is_over_keeps_no_term_that_its_cluster_has_lost_since(service: Service) -> None:
    cluster = make_cluster(service, label="login")
    mine, *_ = [
        make_report(service, text, cluster=cluster)
        for text in ("quincunx-mollusc login", "login", "log in, login", "something")
    ]
    outage = make_outage(service, label="login · quincunx mollusc", state=OutageState.RESOLVED)
    alone = make_outage(service, label="quincunx mollusc", state=OutageState.RESOLVED)
    other = make_outage(service, label="something · else")

    erase(mine.id)

    assert dict(Outage.objects.values_list("pk", "label")) == {
        outage.pk: "login", alone.pk: "", other.pk: "something · else",
    }  # fmt: skip


def test_a_cluster_that_its_report_has_left_quotes_it_no_more(service: Service) -> None:
    mine = make_report(service, SECRETS["text"], cluster=make_cluster(service))
    left = make_cluster(service, label=SECRETS["text"], typical_report_id=mine.id)

    erase(mine.id)

    left.refresh_from_db()
    assert (left.label, left.terms, left.typical_report_id) == ("", [], None)


def test_a_label_that_a_cluster_was_split_off_with_loses_the_words_too(service: Service) -> None:
    split_off = make_cluster(service, label="login · mollusc")
    Cluster.objects.update(terms=[])
    mine, *_ = [make_report(service, text, cluster=split_off) for text in ("login mollusc", "login", "login fails")]

    erase(mine.id)

    assert Cluster.objects.get().label == "login"


def test_who_erased_and_when_is_written_down_and_no_content(service: Service) -> None:
    user = make_user()
    ids = hand_in(a_report(service, **SECRETS), a_report(service))

    erase_reports(report_ids=ids, way=ErasureWay.STAFF, actor_id=user.pk, now=NOW)

    erasure = Erasure.objects.get()
    assert (erasure.at, erasure.way, erasure.actor, erasure.n_reports) == (NOW, "staff", user, 2)


def test_a_report_that_waits_in_the_spool_is_erased_later(service: Service) -> None:
    waiting = a_report(service, **SECRETS)
    the_spool().append([Submission((waiting,))])

    with pytest.raises(StoreUnavailable, match="Try again in a minute"):
        erase_report(report_id=waiting.id, way=ErasureWay.RECEIPT, now=NOW)
    with pytest.raises(StoreUnavailable, match="Try again in a minute"):
        holding_of(waiting.id)


def test_what_is_not_there_is_said(service: Service) -> None:
    with pytest.raises(NotFound, match="kept for 30 days"):
        erase_report(report_id=uuid4(), way=ErasureWay.RECEIPT, now=NOW)

    assert not Erasure.objects.exists()


def test_too_many_at_once_are_refused() -> None:
    with pytest.raises(TooMany, match="at most 1,000"):
        erase(*(uuid4() for _ in range(1_001)))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wait", [wait_for_service, wait_for_outages])
def test_it_waits_for_whoever_may_hold_its_words(monkeypatch: pytest.MonkeyPatch, wait: Callable[[int], None]) -> None:
    monkeypatch.setattr(erasing, "WAIT_SECONDS", 1)
    service = a_service("mail")
    [report_id] = hand_in(a_report(service, **SECRETS))
    is_held, let_go = threading.Event(), threading.Event()

    def place_for_ever() -> None:
        try:
            with transaction.atomic():
                wait(service.pk)
                is_held.set()
                let_go.wait(10)
        finally:
            connection.close()

    placing = threading.Thread(target=place_for_ever)
    placing.start()
    is_held.wait(10)
    try:
        with pytest.raises(StoreUnavailable):
            in_a_thread(lambda: erase(report_id))
    finally:
        let_go.set()
        placing.join()

    assert Report.objects.get().erased_at is None
    assert erase(report_id).n == 1
