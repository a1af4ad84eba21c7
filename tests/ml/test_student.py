"""A student gives what its teacher would, as far as words can tell, and says how far that is."""

from __future__ import annotations

import numpy as np
import pytest

from ml.encoders import EncoderUnavailableError, load_encoder, load_teacher
from ml.student import (
    AGREEMENT_TO_KEEP,
    AGREEMENT_TO_SWITCH_ON,
    Student,
    StudentEncoder,
    agreement,
    fit_student,
)
from ml.types import FloatArray

ASKED = ["cannot log in", "login fails", "password refused", "sign in broken"]
SENT = ["parcel is late", "parcel never came", "delivery missing", "package lost"]
TEXTS = ASKED + SENT
# A teacher that knows two problems and nothing else.
VECTORS = np.repeat(np.eye(2, dtype=np.float32), 4, axis=0)


def small(texts: list[str] = TEXTS, vectors: FloatArray = VECTORS, *, n_letter_dims: int = 0) -> Student:
    return fit_student(texts, vectors, teacher="two-problems", n_word_dims=512, n_letter_dims=n_letter_dims)


def random_vectors(n_texts: int, seed: int, n_dims: int = 16) -> FloatArray:
    return np.random.default_rng(seed).normal(size=(n_texts, n_dims)).astype(np.float32)


def test_a_new_text_gets_the_vector_of_the_problem_it_is_about() -> None:
    encoder = StudentEncoder(small())

    login, parcel = encoder.encode(["my login is refused", "where is the parcel"])

    assert login[0] > login[1]
    assert parcel[1] > parcel[0]


def test_one_word_and_a_constant_give_the_ridge_solution_known_by_hand() -> None:
    # Features (±1 for the word, 0.5), target 3, ridge 1: w = (1, 0.5) * 3 / (1 + 0.25 + 1).
    student = fit_student(["power"], np.array([[3.0]], dtype=np.float32), teacher="t", n_word_dims=8, ridge=1.0)

    assert np.abs(student.weights).sum() == pytest.approx(3 / 2.25 * 1.5, rel=1e-3)
    assert student.weights[-1, 0] == pytest.approx(0.5 * 3 / 2.25, rel=1e-3)


def test_rows_are_float32_of_unit_length_and_zero_for_the_unknown() -> None:
    vectors = StudentEncoder(small()).encode(["login", "", "https://example.com/x", "something else"])

    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 0, 0, 1], atol=1e-6)


def test_no_text_gives_no_row() -> None:
    assert StudentEncoder(small()).encode([]).shape == (0, 2)


def test_a_text_has_the_same_vector_alone_and_in_a_batch() -> None:
    encoder = StudentEncoder(small(n_letter_dims=256))

    together = encoder.encode(TEXTS)

    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_letter_groups_reach_forms_of_a_word_that_it_has_not_met() -> None:
    words, letters = small(n_letter_dims=0), small(n_letter_dims=2_048)

    unmet = ["deliveries"]

    # Without letters nothing but the constant speaks, which is even between the two problems.
    by_words, by_letters = StudentEncoder(words).encode(unmet)[0], StudentEncoder(letters).encode(unmet)[0]
    assert by_letters[1] - by_letters[0] > by_words[1] - by_words[0]


def test_a_student_comes_back_from_storage_as_it_was() -> None:
    student = small()

    again = Student.from_bytes(student.to_bytes())

    assert again.digest == student.digest
    np.testing.assert_array_equal(StudentEncoder(again).encode(TEXTS), StudentEncoder(student).encode(TEXTS))
    assert StudentEncoder(again).name == StudentEncoder(student).name


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b"PK\x03\x04" + b[4:], lambda b: b[:-1], lambda b: b[:12]])
def test_damaged_bytes_are_refused_with_the_remedy(damage: object) -> None:
    stored = small().to_bytes()

    with pytest.raises(ValueError, match="fit it anew"):
        Student.from_bytes(damage(stored))  # type: ignore[operator]


def test_the_same_texts_give_the_same_student_and_others_another() -> None:
    same, other = small().digest, small(list(reversed(TEXTS))).digest

    assert small().digest == same
    assert other != same


def test_the_name_tells_students_and_teachers_apart_within_80_characters() -> None:
    one = StudentEncoder(small())
    other = StudentEncoder(fit_student(TEXTS, VECTORS, teacher="x" * 100, n_word_dims=512))

    assert "two-problems" in one.name
    assert one.name != other.name
    assert len(other.name) == 80


def test_texts_unknown_to_the_teacher_teach_nothing() -> None:
    with_unknown = small([*TEXTS, "login parcel"], np.vstack((VECTORS, np.zeros((1, 2), dtype=np.float32))))

    assert with_unknown.digest == small().digest


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(ValueError, match="none of 2 texts is known"):
        small(["", "https://example.com/x"], np.eye(2, dtype=np.float32))


def test_texts_and_vectors_must_go_together() -> None:
    with pytest.raises(ValueError, match="8 texts do not go with teacher vectors of shape"):
        small(TEXTS, VECTORS[:3])


def test_a_ridge_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match="ridge must be positive"):
        fit_student(TEXTS, VECTORS, teacher="t", ridge=0.0)


def test_a_student_of_another_base_is_refused() -> None:
    student = Student("t", "wordllama-of-another-year", 8, 0, np.zeros((265, 2), dtype=np.float16))

    with pytest.raises(EncoderUnavailableError, match="fitted on vectors of wordllama-of-another-year"):
        StudentEncoder(student)


def test_weights_that_do_not_fit_the_features_are_refused() -> None:
    student = Student("t", "", 8, 0, np.zeros((8, 2), dtype=np.float16))

    with pytest.raises(ValueError, match="weights for 8 features, not for 9"):
        StudentEncoder(student)


def test_a_student_of_the_sentence_model_agrees_on_texts_it_was_fitted_on() -> None:
    words = ["login", "password", "card", "payment", "transfer", "parcel", "delivery", "refund", "balance", "account"]
    troubles = ["fails", "late", "missing", "refused", "twice", "broken", "slow", "pending", "declined", "lost"]
    texts = [f"my {word} is {trouble}" for word in words for trouble in troubles]
    teacher, base = load_teacher("minilm"), load_encoder("static")
    vectors = teacher.encode(texts)

    student = StudentEncoder(fit_student(texts, vectors, teacher=teacher.name, base=base))

    assert agreement(student.encode(texts), vectors) > agreement(base.encode(texts), vectors)


def test_agreement_is_one_for_the_same_neighbours_whatever_scale_and_turn() -> None:
    vectors = random_vectors(200, 0)
    turn, _ = np.linalg.qr(random_vectors(16, 1))

    assert agreement((3 * vectors @ turn).astype(np.float32), vectors) > 0.99


def test_agreement_of_strangers_is_about_zero() -> None:
    assert agreement(random_vectors(400, 0), random_vectors(400, 1)) < 0.03


def test_agreement_falls_with_noise() -> None:
    vectors, noise = random_vectors(400, 0), random_vectors(400, 1)

    found = [agreement(vectors + np.float32(share) * noise, vectors) for share in (0.1, 0.3, 1.0)]

    assert found == sorted(found, reverse=True)
    assert found[0] > AGREEMENT_TO_SWITCH_ON > AGREEMENT_TO_KEEP > found[2]


def test_copies_and_unknown_texts_count_for_nothing() -> None:
    vectors, noise = random_vectors(100, 0), random_vectors(100, 1)
    copied = np.vstack((vectors, np.repeat(vectors[:1], 50, axis=0), np.zeros((5, 16), dtype=np.float32)))
    copied_noise = np.vstack((noise, np.repeat(noise[:1], 50, axis=0), noise[:5]))

    assert agreement(copied_noise, copied) == agreement(noise, vectors)


def test_too_few_texts_speak_for_no_student() -> None:
    vectors = random_vectors(19, 0)

    assert agreement(vectors, vectors) == 0.0


def test_agreement_needs_the_same_texts() -> None:
    with pytest.raises(ValueError, match="3 rows of the student do not go with 4"):
        agreement(random_vectors(3, 0), random_vectors(4, 0))
