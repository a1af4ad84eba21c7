"""Hashed counts are those that scikit-learn counts one by one, but for chance; however many words are remembered."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from ml import hashing
from ml.hashing import LETTERS, Terms, Unit, unit_rows
from ml.text import tokens

TEXTS = [
    "login fails again and again and again",
    "",
    "wi-fi is so slow",
    "a",
    "не могу войти",
    "接続できない",
    "🔥 " + "x" * 90,
    "login",
    "broken \ud800 pair",
    "fails login",
]
# So many places that no two terms of these texts share one.
ROOM = 2**22
UNITS: tuple[Unit, ...] = ("words", "letters")


def words_and_pairs(text: str) -> list[str]:
    words = tokens(text)
    return [*words, *(" ".join(pair) for pair in pairwise(words))]


def counted_by_scikit_learn(texts: list[str], unit: Unit) -> np.ndarray:
    if unit == "words":
        counter = CountVectorizer(analyzer=words_and_pairs)
    else:
        counter = CountVectorizer(lowercase=False, analyzer="char_wb", ngram_range=LETTERS)
        texts = [" ".join(tokens(text)) for text in texts]
    found: np.ndarray = np.sqrt(counter.fit_transform(texts).toarray())
    return found


@pytest.mark.parametrize("unit", UNITS)
def test_what_texts_share_is_what_scikit_learn_counts(unit: Unit) -> None:
    counted = counted_by_scikit_learn(TEXTS, unit)

    for _ in range(2):  # the second time from memory
        found = Terms(TEXTS).sparse(ROOM, unit=unit)
        np.testing.assert_allclose((found @ found.T).toarray(), counted @ counted.T, rtol=1e-5)


@pytest.mark.parametrize("unit", UNITS)
def test_in_few_places_products_are_right_on_average(unit: Unit) -> None:
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrst"))
    words = ["".join(rng.choice(letters, size=rng.integers(1, 9))) for _ in range(400)]
    texts = [" ".join(rng.choice(words, size=12)) for _ in range(200)]
    counted = unit_rows(counted_by_scikit_learn(texts, unit).astype(np.float32))

    found = unit_rows(Terms(texts).sparse(256, unit=unit).toarray())

    errors = (found @ found.T - counted @ counted.T)[np.triu_indices(len(texts), 1)]
    assert abs(errors.mean()) < 0.005
    assert errors.std() == pytest.approx(256**-0.5, rel=0.15)


@pytest.mark.parametrize("unit", UNITS)
def test_a_full_memory_changes_nothing(monkeypatch: pytest.MonkeyPatch, unit: Unit) -> None:
    expected = [Terms([text, "login"]).sparse(64, unit=unit).toarray() for text in TEXTS]
    monkeypatch.setattr(hashing, "MOST_WORDS", 2)

    found = [Terms([text, "login"]).sparse(64, unit=unit).toarray() for text in TEXTS]

    np.testing.assert_array_equal(found, expected)


def test_words_that_another_thread_forgets_meanwhile_are_hashed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    work_out = hashing._hashes_of

    def work_out_while_another_forgets(words: Sequence[str]) -> list[hashing._Word]:
        hashing._remembered.clear()
        return work_out(words)

    expected = Terms(["met before and new"]).dense(64, unit="letters")
    hashing._remembered.clear()
    Terms(["met before"])
    monkeypatch.setattr(hashing, "_hashes_of", work_out_while_another_forgets)

    np.testing.assert_array_equal(Terms(["met before and new"]).dense(64, unit="letters"), expected)


def test_no_more_words_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "MOST_WORDS", 10)

    Terms([" ".join(f"word{i}" for i in range(50))])

    assert len(hashing._remembered) <= 10


@pytest.mark.parametrize("unit", UNITS)
def test_a_text_is_hashed_alone_as_among_others(unit: Unit) -> None:
    together = Terms(TEXTS).sparse(64, unit=unit).toarray()

    alone = [Terms([text]).sparse(64, unit=unit).toarray()[0] for text in TEXTS]

    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together, Terms(TEXTS).dense(64, unit=unit))


@pytest.mark.parametrize(
    ("text", "unit", "places"),
    [
        ("login fails", "words", [98, 537, 760]),
        ("接続", "words", [-83]),
        ("fail", "letters", [-83, 252, 268, 324, 446, 519, 791, 938, -965]),
    ],
)
def test_places_and_signs_are_those_that_stored_vectors_were_made_by(text: str, unit: Unit, places: list[int]) -> None:
    found = Terms([text]).sparse(1_000, unit=unit)

    assert (found.indices * np.sign(found.data)).tolist() == places
