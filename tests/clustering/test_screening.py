"""Screening on the way to a place: what reads as no problem is kept and counted apart, and people have the last say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock
from uuid import UUID

import pytest

from ml.screening import SET_ASIDE_BELOW
from reports.clustering import screening
from reports.clustering.services import cluster_pending
from reports.enums import CorrectionKind, Symptom
from reports.models import Cluster, Correction, MinuteCount, Placement, ScreeningExample, Service
from tests.clustering.stories import a_report, a_service, assert_counts_tell_the_placements, hand_in, n_counted, tell
from tests.factories import NOW, make_user

pytestmark = pytest.mark.django_db
PRAISE = "I love this app, great work"
MINUTE = timedelta(minutes=1)


def placed(service: Service, text: str = PRAISE, **fields: Any) -> Placement:
    (report_id,) = tell(service, [text], **fields)
    cluster_pending(now=NOW)
    return Placement.objects.get(pk=report_id)


def say(service: Service, report_id: UUID, *, is_problem: bool) -> None:
    Correction.objects.create(
        service=service, kind=CorrectionKind.SCREEN, actor=make_user(), at=NOW, report_ids=[report_id],
        is_problem=is_problem,
    )  # fmt: skip
    cluster_pending(now=NOW)


def test_what_reads_as_no_problem_is_placed_and_counted_apart() -> None:
    service = a_service()

    praise, problem = placed(service), placed(service, "login fails")

    assert (praise.is_set_aside, praise.is_counted) == (True, False)
    assert (problem.is_set_aside, problem.is_counted) == (False, True)
    assert praise.p_problem is not None
    assert praise.p_problem < SET_ASIDE_BELOW <= (problem.p_problem or 0.0)
    counts = MinuteCount.objects.get(micro_cluster=praise.micro_cluster)
    assert (counts.n_reports, counts.n_counted, counts.n_set_aside) == (1, 0, 1)
    assert sum(Cluster.objects.values_list("n_reports", flat=True)) == 2
    assert_counts_tell_the_placements()


def test_whoever_chose_a_symptom_is_not_asked() -> None:
    service = a_service()

    with mock.patch.object(screening, "p_problem", wraps=screening.p_problem) as asked:
        chosen = placed(service, symptom="login")

    assert (chosen.p_problem, chosen.is_set_aside, chosen.is_counted) == (None, False, True)
    assert [list(call.args[0]) for call in asked.call_args_list] == [[]]


def test_a_symptom_that_says_nothing_is_asked() -> None:
    chosen = placed(a_service(), symptom=Symptom.OTHER.value)

    assert chosen.is_set_aside


def test_a_report_without_words_is_not_asked() -> None:
    service = a_service()
    hand_in(a_report(service, "", symptom="login"))

    cluster_pending(now=NOW)

    assert (Placement.objects.get().p_problem, Placement.objects.get().is_counted) == (None, True)


def test_a_reporters_praise_does_not_use_up_his_count() -> None:
    service = a_service()

    praise = placed(service, reporter="jane")
    problem = placed(service, "login fails", reporter="jane", at=NOW + MINUTE)
    again = placed(service, "login still fails", reporter="jane", at=NOW + 2 * MINUTE)

    assert [row.is_counted for row in (praise, problem, again)] == [False, True, False]
    assert n_counted(service) == 1


def test_praise_in_the_same_batch_does_not_use_up_a_count_either() -> None:
    service = a_service()
    ids = tell(service, [PRAISE, "login fails"], reporter="jane")

    cluster_pending(now=NOW)

    assert [Placement.objects.get(pk=report_id).is_counted for report_id in ids] == [False, True]


def test_a_persons_word_changes_what_becomes_of_the_next_similar_report() -> None:
    service = a_service()
    text = "what a power move by the router team"
    first = placed(service, text)
    assert first.is_set_aside

    say(service, first.pk, is_problem=True)
    second = placed(service, "what a power move by the router people", at=NOW + MINUTE)

    first.refresh_from_db()
    assert (first.is_set_aside, first.is_counted) == (False, True)
    assert not second.is_set_aside
    assert_counts_tell_the_placements()


def test_whoever_changes_their_mind_is_heard_at_once() -> None:
    service = a_service()
    first = placed(service)
    say(service, first.pk, is_problem=True)
    assert screening.reads_as_problem(screening.p_problem([PRAISE])[0])

    say(service, first.pk, is_problem=False)  # of the same report at the same moment: as many examples, as new ones

    assert ScreeningExample.objects.count() == 1
    assert not screening.reads_as_problem(screening.p_problem([PRAISE])[0])


def test_the_model_is_fitted_once_for_what_people_have_said() -> None:
    service = a_service()
    say(service, placed(service).pk, is_problem=False)
    placed(service, at=NOW + MINUTE)

    with mock.patch.object(screening, "fit_screen", side_effect=AssertionError("it was fitted again")):
        placed(service, "thanks a lot", at=NOW + 2 * MINUTE)

    assert Placement.objects.filter(is_set_aside=True).count() == 3


def test_the_reasons_are_the_words_that_spoke_for_and_against() -> None:
    reasons = dict(screening.reasons(PRAISE))

    assert min(reasons.values()) < 0
    assert any("love" in word or "great" in word for word, weight in reasons.items() if weight < 0)


def test_who_names_an_error_code_is_never_set_aside() -> None:
    assert screening.names_a_code("love it. 404 on every page")
    assert screening.names_a_code("404")
    assert not screening.names_a_code("love version 4.2.1")
    assert not screening.names_a_code("what a day")
