"""The judge tells failures that go on from complaints, news and talk, and leans to a failure where it can't tell.

The texts here were written apart from those the model learns from; none is a rewording of one of them.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from ml.failing import FAILS_FROM, fit_judge
from ml.failing_texts import COMPLAINTS, FAILURE, NO_FAILURE
from ml.screening_texts_problems import PROBLEMS
from ml.screening_texts_problems_en import PROBLEMS_EN
from ml.text import normalise

HELD_OUT_FAILURES = (
    "lost electricity in our whole street a minute ago",
    "the tram line has no current, nothing moves",
    "router has been dead since breakfast",
    "can't open the portal, error 500",
    "card reader offline in the bakery",
    "calls drop after two seconds all afternoon",
    "no water on the fourth floor",
    "everything is dark in the old town",
    "login fails for all of us",
    "video stops after ten seconds on every device",
    "seit einer stunde kein netz hier",
    "desde la tarde sin luz en mi calle",
    "plus de courant dans la rue depuis midi",
    "sem energia na rua inteira",
    "non va internet da stamattina",
    "hier ligt alles plat",
)
HELD_OUT_OTHERS = (
    "my invoice has a strange item of nine dollars",
    "they put another fee on my statement",
    "the limit of 200 gigabytes a month is greedy",
    "cheating salesman, contract without my signature",
    "agent was rude and hung up",
    "tariffs will rise again next spring",
    "they lied about the discount",
    "council votes on the new electricity prices",
    "documentary about the blackout of 1977",
    "maintenance is planned for sunday morning",
    "power came back, thanks to the crew",
    "please add a cheaper plan",
    "die rechnung ist schon wieder falsch",
    "la factura subió otra vez",
    "la facture a encore augmenté",
    "a conta veio muito cara",
)


def test_it_takes_most_failures_it_has_not_seen_for_failures() -> None:
    p = fit_judge().p_failing(HELD_OUT_FAILURES)

    missed = [text for text, p_text in zip(HELD_OUT_FAILURES, p, strict=True) if p_text < FAILS_FROM]
    assert len(missed) <= 0.1 * len(HELD_OUT_FAILURES), missed


def test_it_takes_few_complaints_news_and_wishes_for_failures() -> None:
    p = fit_judge().p_failing(HELD_OUT_OTHERS)

    taken = [text for text, p_text in zip(HELD_OUT_OTHERS, p, strict=True) if p_text >= FAILS_FROM]
    assert len(taken) <= 0.25 * len(HELD_OUT_OTHERS), taken


@pytest.mark.parametrize("text", ["", "qzxw vrrk", "🦭", "ᚠᚢᚦ", "https://example.com/a"])
def test_what_it_cannot_read_may_be_a_failure(text: str) -> None:
    assert fit_judge().p_failing([text])[0] >= FAILS_FROM


def test_a_failure_in_the_midst_of_small_talk_stays_one() -> None:
    text = "Lovely day with my sister and the dogs. Our internet is down since noon. Off to the beach now, love you all"

    assert fit_judge().p_failing([text])[0] >= FAILS_FROM


def test_reasons_name_the_words_that_speak_against_a_failure() -> None:
    against = {word for word, value in fit_judge().reasons("Overage Charges on my bill", n=3) if value < 0}

    assert "bill" in against


def test_probabilities_do_not_depend_on_neighbours() -> None:
    judge = fit_judge()

    together = judge.p_failing(HELD_OUT_FAILURES)

    np.testing.assert_array_equal(together, [judge.p_failing([text])[0] for text in HELD_OUT_FAILURES])


def test_less_than_one_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="n must be at least 1, not 0"):
        fit_judge().reasons("no power", n=0)


def test_what_is_marked_as_a_complaint_is_a_problem_of_the_screening() -> None:
    problems = {text for side in (PROBLEMS_EN, PROBLEMS) for texts in side.values() for text in texts}

    assert set(COMPLAINTS) <= problems


def test_no_text_is_shipped_on_both_sides() -> None:
    failing = {normalise(text) for texts in FAILURE.values() for text in texts}
    others = {normalise(text) for texts in NO_FAILURE.values() for text in texts} | set(map(normalise, COMPLAINTS))

    assert failing & others == set()


def test_held_out_texts_are_not_among_those_it_learns_from() -> None:
    learnt = {
        normalise(text)
        for side in (FAILURE, NO_FAILURE, PROBLEMS_EN, PROBLEMS)
        for texts in side.values()
        for text in texts
    }

    assert {text for text in (*HELD_OUT_FAILURES, *HELD_OUT_OTHERS) if normalise(text) in learnt} == set()


def test_importing_the_module_does_not_load_scikit_learn() -> None:
    code = "import sys, ml.failing; sys.exit('sklearn' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
