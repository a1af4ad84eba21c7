"""A trial measures on what was not fitted on, and recommends a student only where it is clearly better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml.encoders import HashingEncoder, load_encoder
from ml.student import agreement
from ml.trial import CLEARLY_BETTER, Trial, distinct, try_student
from ml.types import FloatArray

SAID = [
    f"{what} {how} {n}" for n in range(6) for what in ("login", "card", "video") for how in ("fails", "late", "slow")
]
FITTED, FRESH = SAID[:30], SAID[30:]


class CountingTeacher:
    """Hashed words, and how many texts were asked for at once."""

    name = "counting"
    n_dims = 32

    def __init__(self) -> None:
        self.asked: list[int] = []

    def encode(self, texts: list[str]) -> FloatArray:
        self.asked.append(len(texts))
        return HashingEncoder(32).encode(texts)


def a_trial(**figures: float) -> Trial:
    trial = try_student(FITTED, FRESH, teacher=CountingTeacher(), instead=HashingEncoder(8), n_word_dims=128)
    return replace(trial, **figures)


def test_figures_are_those_of_the_fresh_texts() -> None:
    trial = a_trial()

    teacher_vectors = HashingEncoder(32).encode(FRESH)
    assert trial.n_texts == 30
    np.testing.assert_array_equal(trial.fresh_vectors, teacher_vectors)
    assert trial.agreement == agreement(trial.encoder.encode(FRESH), teacher_vectors)
    assert trial.agreement_instead == agreement(HashingEncoder(8).encode(FRESH), teacher_vectors)


@pytest.mark.parametrize(
    ("learnt", "instead", "is_worth_it"),
    [(0.65, 0.57, True), (0.649, 0.3, False), (0.9, 0.9 - CLEARLY_BETTER + 0.01, False), (0.66, 0.66, False)],
)
def test_a_student_is_worth_it_if_it_agrees_and_is_clearly_better(
    learnt: float, instead: float, is_worth_it: bool
) -> None:
    assert a_trial(agreement=learnt, agreement_instead=instead).is_worth_it is is_worth_it


def test_static_vectors_become_features_and_others_do_not() -> None:
    static = load_encoder("static")

    beside = try_student(FITTED, FRESH, teacher=CountingTeacher(), instead=static, n_word_dims=64)
    alone = try_student(FITTED, FRESH, teacher=CountingTeacher(), instead=HashingEncoder(8), n_word_dims=64)

    assert (beside.student.base, len(beside.student.weights)) == (static.name, 256 + 64 + 1)
    assert (alone.student.base, len(alone.student.weights)) == ("", 64 + 1)


def test_the_teacher_reads_in_pieces_and_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.trial.CHUNK_TEXTS", 20)
    teacher = CountingTeacher()
    told: list[tuple[int, int]] = []

    try_student(
        FITTED, FRESH, teacher=teacher, instead=HashingEncoder(8), n_word_dims=64,
        progress=lambda n_read, n_all: told.append((n_read, n_all)),
    )  # fmt: skip

    assert teacher.asked == [20, 4, 20, 10]
    assert told == [(20, 54), (24, 54), (44, 54), (54, 54)]


def test_the_same_trial_twice_gives_the_same_student() -> None:
    assert a_trial().encoder.name == a_trial().encoder.name


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(ValueError, match="none of 2 texts"):
        try_student(["", " "], FRESH, teacher=CountingTeacher(), instead=HashingEncoder(8), n_word_dims=64)


def test_distinct_texts_keep_their_order_and_their_spelling() -> None:
    texts = ["b", "A", "a", "", "B", " \u200b", "c"]

    assert distinct(texts) == ["b", "A", "c"]
