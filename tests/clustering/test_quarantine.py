"""What is held back is placed and counted apart, feeds nothing, and counts at its own minute once it is released."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models import Sum

from reports.clustering.quarantine import Arrived, hold, judge
from reports.clustering.services import cluster_pending
from reports.enums import Channel, ErasureWay, Suspicion, Verdict
from reports.intake.contract import ReportIn
from reports.intake.fingerprints import fingerprint
from reports.intake.services import Origin, make_row
from reports.intake.writer import ReportRow
from reports.models import MinuteCount, Placement, Quarantine, Report, Service
from reports.privacy.erasing import erase_reports
from tests.clustering.stories import a_report, a_service, assert_counts_tell_the_placements, hand_in
from tests.factories import NOW

pytestmark = pytest.mark.django_db

TEXT = "I have been a customer for ten years and today nobody can log in any more since noon"
MINUTE = timedelta(minutes=1)

SENTENCE = "The app does not load when I open it, it only shows a white page"


def from_form(
    service: Service,
    n: int,
    *,
    suspicion: str = "",
    text: str = "I can't log in",
    minutes: int = 0,
    network: str = "",
    channel: Channel = Channel.FORM,
) -> list[ReportRow]:
    """Let that many people report, each from a network of their own unless told from which."""
    at = NOW + minutes * MINUTE
    return [
        make_row(
            report=ReportIn(service=service.slug, text=text),
            origin=Origin(
                channel,
                address=f"{network}.{i % 250}" if network else f"10.{minutes}.{i}.1",
                agent=f"browser {i}",
                suspicion=suspicion,
            ),
            now=at + timedelta(seconds=0.013 * i**1.5),
        )
        for i in range(n)
    ]


def erase(*report_ids: UUID) -> None:
    erase_reports(report_ids=report_ids, way=ErasureWay.RECEIPT, now=NOW)


def counts() -> tuple[int, int, int]:
    """Return how many reports there are, how many count, and how many are held back, by the minute counts."""
    sums = MinuteCount.objects.aggregate(n=Sum("n_reports"), counted=Sum("n_counted"), held=Sum("n_quarantined"))
    return sums["n"], sums["counted"], sums["held"]


def counts_by_placements() -> tuple[int, int, int]:
    rows = Placement.objects.all()
    return rows.count(), rows.filter(is_counted=True).count(), rows.filter(is_quarantined=True).count()


def test_what_gave_itself_away_is_placed_and_does_not_count() -> None:
    service = a_service()
    hand_in(*from_form(service, 2), *from_form(service, 3, suspicion=Suspicion.TRAP, minutes=1))

    cluster_pending(now=NOW)

    assert counts() == counts_by_placements() == (5, 2, 3)
    group = Quarantine.objects.get()
    assert (group.reason, group.verdict, group.n_reports) == (Suspicion.TRAP, Verdict.OPEN, 3)
    assert Report.objects.filter(suspicion=Suspicion.TRAP).count() == 3


def test_what_is_released_counts_at_its_own_minute() -> None:
    service = a_service()
    hand_in(*from_form(service, 3, suspicion=Suspicion.NO_PROOF, minutes=7))
    cluster_pending(now=NOW)
    group = Quarantine.objects.get()

    judge(quarantine_id=group.pk, is_attack=False, now=NOW + timedelta(hours=1))

    assert counts() == counts_by_placements() == (3, 3, 0)
    assert MinuteCount.objects.get(n_counted=3).minute == NOW + 7 * MINUTE
    group.refresh_from_db()
    assert (group.verdict, group.judged_at) == (Verdict.RELEASED, NOW + timedelta(hours=1))


def test_what_tells_of_no_failure_does_not_either_once_it_is_released() -> None:
    service = a_service()
    bill = "overcharged again, my bill is wrong"
    hand_in(*from_form(service, 2), *from_form(service, 3, suspicion=Suspicion.NO_PROOF, text=bill, minutes=1))
    cluster_pending(now=NOW)
    assert MinuteCount.objects.aggregate(n=Sum("n_no_failure"))["n"] == 0
    assert_counts_tell_the_placements()
    group = Quarantine.objects.get()

    judge(quarantine_id=group.pk, is_attack=False, now=NOW)
    assert counts() == (5, 5, 0)
    assert MinuteCount.objects.aggregate(n=Sum("n_no_failure"))["n"] == 3
    assert_counts_tell_the_placements()

    judge(quarantine_id=group.pk, is_attack=True, now=NOW)
    assert counts() == (5, 2, 3)
    assert_counts_tell_the_placements()


def test_what_is_held_back_later_takes_what_tells_of_no_failure_with_it() -> None:
    service = a_service()
    hand_in(*from_form(service, 8, text="overcharged again, my bill is wrong", network="203.0.113"))
    cluster_pending(now=NOW)
    before = MinuteCount.objects.aggregate(n=Sum("n_no_failure"))["n"]

    hand_in(*from_form(service, 200, text="my bill is wrong", minutes=2, network="203.0.113"))
    cluster_pending(now=NOW)
    after = MinuteCount.objects.aggregate(n=Sum("n_no_failure"))["n"]

    assert (before, after, counts()) == (8, 0, (208, 0, 208))
    assert_counts_tell_the_placements()


def test_of_what_is_released_a_reporter_counts_once() -> None:
    service = a_service()
    [row] = from_form(service, 1)
    hand_in(row)
    hand_in(*from_form(service, 1, suspicion=Suspicion.TOO_FAST))
    cluster_pending(now=NOW)

    judge(quarantine_id=Quarantine.objects.get().pk, is_attack=False, now=NOW)

    assert counts() == counts_by_placements() == (2, 1, 0)


def test_after_a_release_the_same_reason_holds_nothing_back_that_day() -> None:
    service = a_service()
    hand_in(*from_form(service, 1, suspicion=Suspicion.NO_PROOF))
    cluster_pending(now=NOW)
    judge(quarantine_id=Quarantine.objects.get().pk, is_attack=False, now=NOW)

    hand_in(*from_form(service, 2, suspicion=Suspicion.NO_PROOF, minutes=5))
    cluster_pending(now=NOW)

    assert counts() == counts_by_placements() == (3, 3, 0)


def test_a_release_can_be_taken_back() -> None:
    service = a_service()
    hand_in(*from_form(service, 2, suspicion=Suspicion.TRAP))
    cluster_pending(now=NOW)
    group = Quarantine.objects.get()
    judge(quarantine_id=group.pk, is_attack=False, now=NOW)

    judge(quarantine_id=group.pk, is_attack=True, now=NOW)

    assert counts() == counts_by_placements() == (2, 0, 2)
    assert Quarantine.objects.get().verdict == Verdict.ATTACK


def test_judging_twice_changes_nothing_more() -> None:
    service = a_service()
    hand_in(*from_form(service, 2, suspicion=Suspicion.TRAP))
    cluster_pending(now=NOW)
    group = Quarantine.objects.get()

    for _ in range(2):
        judge(quarantine_id=group.pk, is_attack=False, now=NOW)

    assert counts() == counts_by_placements() == (2, 2, 0)


def test_copies_of_a_long_text_count_once_and_so_do_later_ones() -> None:
    service = a_service()
    for minutes in range(3):
        hand_in(*from_form(service, 6, text=TEXT, minutes=minutes))
        cluster_pending(now=NOW + minutes * MINUTE)

    assert counts() == counts_by_placements() == (18, 1, 17)
    assert Quarantine.objects.get().reason == Suspicion.COPIES


def test_copies_are_found_though_each_was_erased_before_the_next_came() -> None:
    service = a_service()
    for minutes in range(18):
        [report_id] = hand_in(*from_form(service, 1, text=TEXT, minutes=minutes))
        cluster_pending(now=NOW + minutes * MINUTE)
        erase(report_id)
    hand_in(*from_form(service, 4, minutes=18))

    cluster_pending(now=NOW + 18 * MINUTE)

    assert counts() == counts_by_placements() == (22, 5, 17)
    assert Quarantine.objects.get().reason == Suspicion.COPIES


def test_a_copy_is_held_back_at_once_though_the_first_of_them_were_erased() -> None:
    service = a_service()
    ids = hand_in(*from_form(service, 18, text=TEXT))
    cluster_pending(now=NOW)
    erase(*ids[:5])
    hand_in(*from_form(service, 1, text=TEXT, minutes=30))

    [group_id] = Quarantine.objects.values_list("pk", flat=True)
    held = hold(service.pk, [Arrived("", b"a network", NOW + 30 * MINUTE, TEXT, Channel.FORM)], now=NOW + 30 * MINUTE)

    assert held == [group_id]


def test_some_who_erase_what_they_told_in_other_words_are_no_crowd() -> None:
    service = a_service()
    of_two_wordings = (*from_form(service, 3), *from_form(service, 3, text=SENTENCE, minutes=1))
    ids = hand_in(*of_two_wordings, *from_form(service, 6, minutes=2))
    cluster_pending(now=NOW + 2 * MINUTE)
    erase(*ids[:2], *ids[3:5])
    hand_in(*from_form(service, 1, minutes=3))

    cluster_pending(now=NOW + 3 * MINUTE)

    assert counts() == counts_by_placements() == (13, 13, 0)


def test_nobody_can_tell_from_its_mark_whether_a_text_was_among_the_copies() -> None:
    service = a_service()
    hand_in(*from_form(service, 18, text=TEXT))
    cluster_pending(now=NOW)

    mark = bytes(Quarantine.objects.get().mark)

    assert mark == fingerprint("copies", TEXT, at=NOW)  # which a salt goes into that is forgotten
    assert mark != hashlib.sha256(TEXT.encode()).digest()[:16]


def test_short_words_are_never_copies_however_many_say_them() -> None:
    service = a_service()
    hand_in(*from_form(service, 60))

    cluster_pending(now=NOW)

    assert not Quarantine.objects.exists()


@pytest.mark.parametrize(("text", "n_counted"), [(SENTENCE, 30), (f"{SENTENCE} {SENTENCE}", 1)])
def test_a_program_that_names_its_reporters_may_give_them_a_sentence_but_no_appeal(text: str, n_counted: int) -> None:
    service = a_service()
    hand_in(*(a_report(service, text, reporter=f"customer {n}") for n in range(30)))

    cluster_pending(now=NOW)

    assert counts() == counts_by_placements() == (30, n_counted, 30 - n_counted)


def test_a_crowd_in_one_network_is_taken_out_of_the_counts_again() -> None:
    service = a_service()
    hand_in(*from_form(service, 90, network="192.0.2"))
    cluster_pending(now=NOW)
    before = counts()
    hand_in(*from_form(service, 60, network="192.0.2", minutes=5), *from_form(service, 5, minutes=6))

    cluster_pending(now=NOW + 6 * MINUTE)

    assert before == (90, 20, 0)
    assert counts() == counts_by_placements() == (155, 5, 150)


def test_a_crowd_that_a_person_released_is_left_alone() -> None:
    service = a_service()
    hand_in(*from_form(service, 150, network="192.0.2"))
    cluster_pending(now=NOW)
    judge(quarantine_id=Quarantine.objects.get().pk, is_attack=False, now=NOW)

    hand_in(*from_form(service, 150, network="192.0.2", minutes=70))
    cluster_pending(now=NOW + 70 * MINUTE)

    assert not Placement.objects.filter(is_quarantined=True).exists()


def test_what_came_by_a_key_tells_no_network_and_is_no_crowd() -> None:
    service = a_service()
    rows = [
        make_row(
            report=ReportIn(service=service.slug, text="login fails", reporter=f"user {i}"),
            origin=Origin(Channel.BULK, client="key:1"),
            now=NOW + timedelta(seconds=i),
        )
        for i in range(200)
    ]
    hand_in(*rows)

    cluster_pending(now=NOW)

    assert counts() == (200, 200, 0)


def test_machines_write_alike_and_by_a_clock_and_are_neither_copies_nor_clockwork() -> None:
    service = a_service()
    for minutes in range(3):
        for channel in (Channel.ALERTMANAGER, Channel.CLOUDEVENTS):
            hand_in(*by_machines(service, 20, channel, minutes))
        cluster_pending(now=NOW + minutes * MINUTE)

    assert not Quarantine.objects.exists()
    assert counts() == counts_by_placements() == (120, 120, 0)


def test_feedback_from_a_widget_is_written_by_people_and_its_copies_are_held_back() -> None:
    service = a_service()
    hand_in(*by_machines(service, 40, Channel.ALERTMANAGER, 0))
    hand_in(*from_form(service, 18, text=TEXT, minutes=1, channel=Channel.SENTRY))

    cluster_pending(now=NOW + MINUTE)

    assert Quarantine.objects.get().reason == Suspicion.COPIES
    assert counts() == counts_by_placements() == (58, 41, 17)


def test_a_machine_is_not_held_back_as_a_copy_of_what_people_copied() -> None:
    service = a_service()
    hand_in(*from_form(service, 18, text=TEXT))
    cluster_pending(now=NOW)

    hand_in(*by_machines(service, 5, Channel.CLOUDEVENTS, 1))
    cluster_pending(now=NOW + MINUTE)

    assert Placement.objects.filter(is_quarantined=True).count() == 17


def test_what_a_rule_says_is_a_problem_and_a_failure_however_it_reads() -> None:
    service = a_service()
    praise = "Thank you, lovely new release, works great"
    hand_in(*by_machines(service, 1, Channel.ALERTMANAGER, 0, text=praise))
    hand_in(*from_form(service, 1, text=praise, minutes=1))

    cluster_pending(now=NOW + MINUTE)

    alert, person = Placement.objects.order_by("counted_at")
    assert (alert.is_counted, alert.is_set_aside, alert.tells_failure) == (True, False, True)
    assert person.is_set_aside


def by_machines(service: Service, n: int, channel: Channel, minutes: int, *, text: str = TEXT) -> list[ReportRow]:
    """Let that many programs report at once, each by its name."""
    at = NOW + minutes * MINUTE
    return [
        make_row(
            report=ReportIn(service=service.slug, text=text, reporter=f"{channel} {minutes} {i}"),
            origin=Origin(channel, client="key:1"),
            now=at + timedelta(seconds=i),
        )
        for i in range(n)
    ]
