"""A trial measures on what was not fitted on, and recommends a student only where it is clearly better."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ml.encoders import EncoderUnavailableError, HashingEncoder, load_encoder, load_teacher
from ml.student import N_LETTER_DIMS, StudentEncoder, agreement, fit_student
from ml.trial import CLEARLY_BETTER, Trial, distinct, taught, teacher_of, try_student
from ml.types import Encoder, FloatArray

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


def test_the_languages_of_the_fresh_texts_are_told_where_the_teacher_knows_many() -> None:
    fresh = ["I cannot log in to my account", "ich kann mich nicht einloggen"] * 20
    fresh = [f"{text} {n}" for n, text in enumerate(fresh)]

    of_many, of_one = (
        try_student(FITTED, fresh, teacher=NamedTeacher(name), instead=HashingEncoder(8), n_word_dims=128)
        for name in ("multilingual-use3-0.2.1", "minilm-l6-v2-int8-v1")
    )

    vectors = HashingEncoder(32).encode(fresh)
    assert (of_many.fresh_languages, of_one.fresh_languages) == (("en", "de") * 20, None)
    assert of_many.agreement == agreement(of_many.encoder.encode(fresh), vectors, of_many.fresh_languages)
    assert of_many.agreement_instead == agreement(HashingEncoder(8).encode(fresh), vectors, of_many.fresh_languages)


@pytest.mark.parametrize(
    ("learnt", "instead", "is_worth_it"),
    [(0.75, 0.71, True), (0.749, 0.3, False), (0.9, 0.9 - CLEARLY_BETTER + 0.01, False), (0.76, 0.76, False)],
)
def test_a_student_is_worth_it_if_it_agrees_and_is_clearly_better(
    learnt: float, instead: float, is_worth_it: bool
) -> None:
    assert a_trial(agreement=learnt, agreement_instead=instead).is_worth_it is is_worth_it


def test_static_vectors_become_features_and_others_do_not() -> None:
    static = load_encoder("static")

    beside = try_student(FITTED, FRESH, teacher=CountingTeacher(), instead=static, n_word_dims=64)
    alone = try_student(FITTED, FRESH, teacher=CountingTeacher(), instead=HashingEncoder(8), n_word_dims=64)

    assert (beside.student.base, len(beside.student.weights)) == (static.name, static.n_dims + 64 + 1)
    assert (alone.student.base, len(alone.student.weights)) == ("", 64 + 1)


def test_a_student_beside_its_teacher_is_judged_by_one_without() -> None:
    teacher, beside = load_teacher("minilm"), load_encoder("minilm")

    with_teacher = try_student(FITTED, FRESH, teacher=teacher, instead=beside, n_word_dims=64)
    without = try_student(FITTED, FRESH, teacher=teacher, instead=load_encoder("auto"), n_word_dims=64)

    assert with_teacher.encoder.reads_with_model
    assert not without.encoder.reads_with_model
    assert (with_teacher.student.base, len(with_teacher.student.weights)) == (beside.name, beside.n_dims + 64 + 1)
    assert with_teacher.agreement == without.agreement == without.agreement_in_use
    assert with_teacher.agreement_instead == without.agreement_instead
    fresh = agreement(with_teacher.encoder.encode(FRESH), teacher.encode(FRESH))
    assert with_teacher.agreement_in_use == pytest.approx(fresh, abs=1e-6)


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


# -- Teaching ---------------------------------------------------------------------------------------------------------
class NamedTeacher(CountingTeacher):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


def taught_by(name: str, texts: list[str], vectors: FloatArray) -> StudentEncoder:
    return StudentEncoder(
        taught(texts, vectors, teacher=NamedTeacher(name), instead=HashingEncoder(8), n_word_dims=256)
    )


def test_a_student_learns_what_is_said_and_not_how() -> None:
    # Forty problems, each said in ten wordings, of which the teacher thinks differently by chance.
    texts = [f"problem{problem} wording{n}" for problem in range(40) for n in range(10)]
    rng = np.random.default_rng(0)
    vectors = np.repeat(np.eye(40, dtype=np.float32), 10, axis=0)
    vectors += 0.12 * rng.normal(size=vectors.shape).astype(np.float32)
    plain = StudentEncoder(fit_student(texts, vectors, teacher="t", n_word_dims=256))

    learnt, unlearnt = (
        student.encode(texts).reshape(40, 10, -1) for student in (taught_by("t", texts, vectors), plain)
    )

    assert learnt.std(axis=1).mean() < 0.8 * unlearnt.std(axis=1).mean()


@pytest.mark.parametrize(
    ("name", "n_letter_dims"),
    [("minilm-l6-v2-int8-v1", 0), ("multilingual-use3-0.2.1", N_LETTER_DIMS), ("onnx-0123-v1", N_LETTER_DIMS)],
)
def test_of_a_teacher_of_many_languages_letters_are_learnt_too(name: str, n_letter_dims: int) -> None:
    student = taught(FITTED, HashingEncoder(32).encode(FITTED), teacher=NamedTeacher(name), instead=HashingEncoder(8))

    assert (student.teacher, student.n_letter_dims) == (name, n_letter_dims)


@pytest.mark.parametrize(("name", "is_of_many"), [("minilm-l6-v2-int8-v1", False), ("multilingual-use3-0.2.1", True)])
def test_of_a_teacher_of_many_languages_these_are_brought_together(
    monkeypatch: pytest.MonkeyPatch, name: str, is_of_many: bool
) -> None:
    asked: list[list[str] | None] = []

    def draw(vectors: FloatArray, languages: list[str] | None = None) -> FloatArray:
        asked.append(languages)
        return vectors

    monkeypatch.setattr("ml.trial.denoised", draw)
    texts = ["cannot log in to my account", "ich kann mich nicht einloggen", "لا أستطيع الدخول إلى حسابي"]

    taught_by(name, texts, np.eye(3, 8, dtype=np.float32))

    assert asked == [["en", "de", "ar"] if is_of_many else None]


# -- Which teacher ----------------------------------------------------------------------------------------------------
ENGLISH, GERMAN = "I cannot log in to my account", "ich kann mich nicht einloggen"


def installed(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let these teachers be installed, and no other."""

    def load(name: str, *, folder: Path | None = None) -> Encoder:
        if name not in names:
            raise EncoderUnavailableError(f"no {name} here")
        return NamedTeacher(f"{name} of {folder}" if folder else name)

    monkeypatch.setattr("ml.trial.load_teacher", load)


@pytest.mark.parametrize(
    ("texts", "teacher"),
    [
        ([ENGLISH] * 10, "minilm"),
        ([ENGLISH] * 9 + [GERMAN], "minilm"),  # a tenth is not more than a tenth
        ([ENGLISH] * 8 + [GERMAN], "multilingual"),
        ([GERMAN] * 10, "multilingual"),
        ([ENGLISH] + ["502", "xyzzy", "???"] * 10, "minilm"),  # what is of no language speaks for none
        ([], "minilm"),
    ],
)
def test_from_a_tenth_of_other_languages_on_the_teacher_is_one_of_many(
    monkeypatch: pytest.MonkeyPatch, texts: list[str], teacher: str
) -> None:
    installed(monkeypatch, "minilm", "multilingual")

    assert teacher_of(texts).name == teacher


def test_the_operators_model_comes_first_whatever_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "minilm", "multilingual")

    assert teacher_of([ENGLISH], folder=Path("/srv/model")).name == "multilingual of /srv/model"


def test_without_one_of_many_languages_the_english_one_has_its_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "minilm")

    assert teacher_of([GERMAN]).name == "minilm"


@pytest.mark.parametrize("text", [ENGLISH, GERMAN])
def test_where_no_teacher_is_installed_that_is_said(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    installed(monkeypatch)

    with pytest.raises(EncoderUnavailableError, match="no minilm here"):
        teacher_of([text])


def test_an_operators_model_that_is_not_there_is_not_replaced_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "minilm")

    with pytest.raises(EncoderUnavailableError, match="no multilingual here"):
        teacher_of([ENGLISH], folder=Path("/srv/model"))


# -- Texts ------------------------------------------------------------------------------------------------------------
def test_distinct_texts_keep_their_order_and_their_spelling() -> None:
    texts = ["b", "A", "a", "", "B", " \u200b", "c"]

    assert distinct(texts) == ["b", "A", "c"]
