"""On the way to a place each report is judged for whether it tells of a failure; none is lost for it."""

from __future__ import annotations

from unittest import mock

import pytest

from reports.clustering import failing_now
from reports.clustering.services import cluster_pending
from reports.models import MinuteCount, Placement
from tests.clustering.stories import a_service, assert_counts_tell_the_placements, tell
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def test_a_bill_counts_and_tells_of_no_failure() -> None:
    service = a_service()
    tell(service, ["overcharged again, my bill is wrong"])

    cluster_pending(now=NOW)

    placement = Placement.objects.get()
    assert (placement.is_counted, placement.tells_failure) == (True, False)
    assert (MinuteCount.objects.get().n_counted, MinuteCount.objects.get().n_no_failure) == (1, 1)
    assert_counts_tell_the_placements()


def test_a_failure_tells_of_one() -> None:
    service = a_service()
    tell(service, ["no internet since this morning"])

    cluster_pending(now=NOW)

    assert Placement.objects.get().tells_failure
    assert MinuteCount.objects.get().n_no_failure == 0


@pytest.mark.parametrize(("text", "symptom"), [("my bill is wrong", "login"), ("error 502 on my bill", "")])
def test_a_symptom_or_a_code_says_that_something_fails(text: str, symptom: str) -> None:
    service = a_service()
    tell(service, [text], **({"symptom": symptom} if symptom else {}))

    with mock.patch.object(failing_now, "p_failing", wraps=failing_now.p_failing) as asked:
        cluster_pending(now=NOW)

    assert (Placement.objects.get().p_failing, Placement.objects.get().tells_failure) == (None, True)
    assert [list(call.args[0]) for call in asked.call_args_list] == [[]]


def test_what_is_set_aside_is_not_asked() -> None:
    service = a_service()
    tell(service, ["I love this app, great work"])

    cluster_pending(now=NOW)

    assert (Placement.objects.get().is_set_aside, Placement.objects.get().p_failing) == (True, None)
    assert_counts_tell_the_placements()


def test_words_against_are_those_of_all_texts_together() -> None:
    words = failing_now.words_against(["wrong bill", "the bill doubled", "rude agent"], 2)

    assert len(words) == 2
    assert "bill" in words
