"""A student gives what its teacher would, as far as words can tell, and says how far that is."""

from __future__ import annotations

import numpy as np
import pytest

from ml.encoders import EncoderUnavailableError, load_encoder, load_teacher
from ml.student import (
    AGREEMENT_TO_KEEP,
    AGREEMENT_TO_SWITCH_ON,
    N_DIMS,
    N_NEIGHBOURS,
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


# -- Leading directions -----------------------------------------------------------------------------------------------
def rank_of_three() -> tuple[list[str], FloatArray]:
    """Texts of three problems, whose vectors lie in as many directions of a space of 24."""
    texts = [f"{what} {how}" for what in ("login", "card", "parcel") for how in ("fails", "hangs", "late", "again")]
    directions, _ = np.linalg.qr(random_vectors(24, 5, n_dims=3))
    return texts, np.repeat(directions.T, 4, axis=0).astype(np.float32)


@pytest.mark.parametrize("n_dims", [3, 5, 23])
def test_as_many_directions_as_there_are_give_the_same_cosines_as_all(n_dims: int) -> None:
    texts, vectors = rank_of_three()
    fresh = ["card late", "login", "the parcel hangs", "something else"]

    whole, part = (
        StudentEncoder(fit_student(texts, vectors, teacher="t", n_word_dims=256, n_dims=kept)) for kept in (24, n_dims)
    )

    assert (whole.n_dims, part.n_dims) == (24, n_dims)
    ours, theirs = part.encode(texts + fresh), whole.encode(texts + fresh)
    np.testing.assert_allclose(ours @ ours.T, theirs @ theirs.T, atol=5e-3)


def test_what_is_kept_is_what_most_texts_differ_by() -> None:
    # Ten texts of each of two problems and one of a third: of two directions, the third has to go.
    texts = [f"{what} {n}" for what in ("login", "parcel") for n in "abcdefghij"] + ["power"]
    vectors = np.repeat(np.eye(3, dtype=np.float32), [10, 10, 1], axis=0)

    kept = fit_student(texts, vectors, teacher="t", n_word_dims=256, n_dims=2)

    login, parcel = StudentEncoder(kept).encode(["login", "parcel"])
    assert kept.weights.shape[1] == 2
    assert login @ parcel < 0.3


def test_by_default_a_student_has_no_more_directions_than_that() -> None:
    many = fit_student(TEXTS, random_vectors(8, 0, n_dims=N_DIMS + 9), teacher="t", n_word_dims=64)
    few = fit_student(TEXTS, random_vectors(8, 0, n_dims=N_DIMS - 9), teacher="t", n_word_dims=64)

    assert (many.weights.shape[1], few.weights.shape[1]) == (N_DIMS, N_DIMS - 9)


def test_the_kept_directions_of_the_same_texts_are_the_same_again() -> None:
    texts, vectors = rank_of_three()

    digests = {fit_student(texts, vectors, teacher="t", n_word_dims=256, n_dims=3).digest for _ in range(3)}

    assert len(digests) == 1


def test_fewer_than_one_direction_is_refused() -> None:
    with pytest.raises(ValueError, match="n_dims must be at least 1, not 0"):
        fit_student(TEXTS, VECTORS, teacher="t", n_dims=0)


# -- Agreement --------------------------------------------------------------------------------------------------------
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


def tight_groups(seed: int) -> FloatArray:
    """Twenty groups of thirty texts; all that a seed changes is the order within them."""
    centres = np.repeat(np.eye(20, dtype=np.float32), 30, axis=0)
    return np.hstack((centres, np.float32(0.1) * random_vectors(600, seed)))


def test_a_student_that_reorders_only_within_tight_groups_agrees() -> None:
    student, teacher = tight_groups(0), tight_groups(1)

    nearest = [np.argsort(-(rows @ rows.T), axis=1)[:, 1 : 1 + N_NEIGHBOURS] for rows in (student, teacher)]
    shared = np.mean([len(set(ours) & set(theirs)) / N_NEIGHBOURS for ours, theirs in zip(*nearest, strict=True)])
    assert shared < 0.5
    assert agreement(student, teacher) > 0.9


def test_a_student_that_draws_each_group_into_a_point_agrees_as_well() -> None:
    drawn = np.repeat(np.eye(20, dtype=np.float32), 30, axis=0)

    assert agreement(drawn, tight_groups(1)) > 0.9


def test_a_student_that_gets_half_of_the_groups_right_gets_about_half() -> None:
    teacher = tight_groups(0)
    student = np.vstack((teacher[:300], teacher[300:][np.random.default_rng(2).permutation(300)]))

    assert agreement(student, teacher) == pytest.approx(0.5, abs=0.1)


def test_a_student_that_takes_the_farthest_for_the_nearest_gets_nothing() -> None:
    teacher = tight_groups(0)
    swapped = np.roll(np.arange(600).reshape(20, 30), 10, axis=0).T.ravel()

    assert agreement(teacher[swapped], teacher) == 0.0


def test_where_all_texts_are_alike_to_the_teacher_nothing_speaks_for_a_student() -> None:
    corners = np.eye(30, dtype=np.float32)

    assert agreement(random_vectors(30, 0), corners) == 0.0


def test_where_languages_are_told_to_know_them_apart_is_no_merit() -> None:
    # Ten problems in each of two languages, which the teacher has farther from each other than the problems.
    problems = np.tile(np.repeat(np.eye(10, dtype=np.float32), 20, axis=0), (2, 1))
    spoken = np.repeat(2 * np.eye(2, dtype=np.float32), 200, axis=0)
    languages = ["en"] * 200 + ["ar"] * 200
    teacher = np.hstack((problems, spoken, np.float32(0.05) * random_vectors(400, 0)))
    knows_languages = np.hstack((spoken, np.float32(0.5) * random_vectors(400, 1)))
    knows_problems = np.hstack((problems, np.float32(0.05) * random_vectors(400, 2)))

    assert agreement(knows_languages, teacher) > agreement(knows_problems, teacher)
    assert agreement(knows_languages, teacher, languages) < 0.1
    assert agreement(knows_problems, teacher, languages) > 0.9


def test_agreement_does_not_depend_on_the_order_of_the_texts() -> None:
    student, teacher = tight_groups(0), tight_groups(1)
    order = np.random.default_rng(3).permutation(600)

    assert agreement(student[order], teacher[order]) == pytest.approx(agreement(student, teacher), abs=1e-5)


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
