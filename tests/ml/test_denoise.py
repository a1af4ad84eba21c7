"""Neighbourhoods draw a teacher's vectors together, across languages too, and leave what has no neighbours alone."""

from __future__ import annotations

import numpy as np
import pytest

from ml.denoise import LEAST_OF_LANGUAGE, N_ROUNDS, denoised, without_means
from ml.types import FloatArray

N_PROBLEMS, N_EACH = 30, 6
ENGLISH = np.repeat(np.arange(N_PROBLEMS), N_EACH)


def vectors_of(problems: np.ndarray[tuple[int], np.dtype[np.int64]], *, seed: int, noise: float = 0.1) -> FloatArray:
    """A direction for each problem, the same for every seed, and wording as noise around it."""
    directions = np.eye(N_PROBLEMS, 40, dtype=np.float32)
    wording = np.random.default_rng(seed).normal(scale=noise, size=(len(problems), 40))
    return (directions[problems] + wording).astype(np.float32)


def two_languages(seed: int = 0) -> tuple[FloatArray, list[str]]:
    """The same problems in two languages, each of which says everything with an accent of its own."""
    accents = np.zeros((2, 40), dtype=np.float32)
    accents[0, 38] = accents[1, 39] = 0.8
    parts = [vectors_of(ENGLISH, seed=seed + n, noise=0.15) + accents[n] for n in range(2)]
    return np.vstack(parts), ["en"] * len(ENGLISH) + ["ar"] * len(ENGLISH)


def beside_two_near_ones(n_far: int = 7) -> FloatArray:
    """Two texts with a cosine of 0.8, and others that have nothing in common with any."""
    rows = np.zeros((2 + n_far, 2 + n_far), dtype=np.float32)
    rows[0, :2], rows[1, :2] = (1, 0), (0.8, 0.6)
    rows[2:, 2:] = np.eye(n_far)
    return rows


# -- Numbers known by hand --------------------------------------------------------------------------------------------
def test_one_round_moves_two_neighbours_as_it_can_be_worked_out_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    # Of 36 pairs one has a similarity (0.8) and all others have none, so 3 % of the pairs lie above 0, and the weight
    # is 0.8² = 0.64: (1, 0) + 0.64 (0.8, 0.6) = (1.512, 0.384), whose length is 1.56.
    monkeypatch.setattr("ml.denoise.N_ROUNDS", 1)

    found = denoised(beside_two_near_ones())

    np.testing.assert_allclose(found[0, :2], [63 / 65, 16 / 65], atol=1e-6)
    np.testing.assert_allclose(found[1, :2], [12 / 13, 5 / 13], atol=1e-6)


def test_each_round_brings_them_nearer_by_the_weight_their_nearness_has() -> None:
    # Half the angle between the two: its tangent is 1/3, and shrinks by (1 - w) / (1 + w) in a round.
    half = 1 / 3
    for _ in range(N_ROUNDS):
        weight = ((1 - half**2) / (1 + half**2)) ** 2
        half *= (1 - weight) / (1 + weight)

    found = denoised(beside_two_near_ones())

    assert found[0] @ found[1] == pytest.approx((1 - half**2) / (1 + half**2), abs=1e-6)


def test_a_lonely_text_stays_where_it_is() -> None:
    vectors = beside_two_near_ones()

    found = denoised(3 * vectors)

    np.testing.assert_allclose(found[2:], vectors[2:], atol=1e-6)


# -- What it is for ---------------------------------------------------------------------------------------------------
def test_wordings_of_a_problem_come_together_and_problems_stay_apart() -> None:
    vectors = vectors_of(ENGLISH, seed=0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    found = denoised(vectors)

    before, after, same = vectors @ vectors.T, found @ found.T, ENGLISH[:, None] == ENGLISH
    assert before[same].mean() < 0.8
    assert after[same].mean() > 0.95
    assert abs(after[~same].mean()) < 0.05


def test_languages_are_brought_nearer_to_each_other() -> None:
    vectors, languages = two_languages()
    n = len(ENGLISH)

    together, by_themselves = denoised(vectors, languages), denoised(vectors)

    same = ENGLISH[:, None] == ENGLISH
    met, apart_still = together[:n] @ together[n:].T, by_themselves[:n] @ by_themselves[n:].T
    assert met[same].mean() > 0.9
    assert met[same].mean() > apart_still[same].mean() + 0.2
    assert met[same].mean() > met[~same].mean() + 0.8


def test_what_a_language_has_in_common_is_taken_out_of_it() -> None:
    vectors, languages = two_languages()

    found = denoised(vectors, languages)

    n = len(ENGLISH)
    assert [vectors[:n, 38].mean() > 0.7, vectors[n:, 39].mean() > 0.7] == [True, True]
    assert max(abs(found[:n, 38].mean()), abs(found[n:, 39].mean())) < 0.02


def test_without_means_is_what_a_language_says_beside_what_all_of_it_says() -> None:
    # Half of each language says one thing and half another; the mean of the unit rows lies between them.
    rows = np.repeat(np.array([[4, 3], [4, -3], [3, 4], [-3, 4]], dtype=np.float32), 50, axis=0)
    languages = ["en"] * 100 + ["ar"] * 100

    found = without_means(rows, languages)

    np.testing.assert_allclose(found[::50], [[0, 1], [0, -1], [1, 0], [-1, 0]], atol=1e-6)
    np.testing.assert_allclose(without_means(rows[:49], languages[:49]), rows[:49] / 5, atol=1e-6)
    assert without_means(rows[:0]).shape == (0, 2)


def test_of_texts_that_all_say_the_same_no_direction_is_left() -> None:
    # Rounding would leave one of any length, and length one is what it would be given.
    rows = np.repeat(np.array([[0.6, 0.8, 0.1], [0.3, 0.1, 0.9]], dtype=np.float32), 77, axis=0)

    assert not without_means(rows, ["en"] * 77 + ["ar"] * 77).any()
    assert not denoised(rows, ["en"] * 77 + ["ar"] * 77).any()


# -- Invariances ------------------------------------------------------------------------------------------------------
def test_rows_are_float32_of_unit_length_and_all_zero_rows_stay_so() -> None:
    vectors, languages = two_languages()
    vectors[[3, 200]] = 0

    for found in (denoised(vectors), denoised(vectors, languages)):
        assert found.dtype == np.float32
        np.testing.assert_allclose(np.delete(np.linalg.norm(found, axis=1), [3, 200]), 1.0, atol=1e-5)
        assert not found[[3, 200]].any()


def test_all_zero_rows_do_not_move_the_others() -> None:
    vectors, languages = two_languages()
    holes = np.arange(0, len(vectors), 9)

    with_holes = denoised(np.insert(vectors, holes, 0, axis=0), np.insert(languages, holes, "ar").tolist())

    np.testing.assert_allclose(
        np.delete(with_holes, holes + np.arange(len(holes)), axis=0), denoised(vectors, languages)
    )


@pytest.mark.parametrize("has_languages", [False, True])
def test_the_order_of_the_rows_does_not_matter(has_languages: bool) -> None:
    vectors, languages = two_languages()
    order = np.random.default_rng(7).permutation(len(vectors))
    shuffled = [languages[i] for i in order.tolist()]

    found = denoised(vectors[order], shuffled if has_languages else None)

    np.testing.assert_allclose(found, denoised(vectors, languages if has_languages else None)[order], atol=1e-5)


def test_the_length_of_the_rows_does_not_matter() -> None:
    vectors = vectors_of(ENGLISH, seed=0)
    lengths = np.linspace(0.1, 10, len(vectors), dtype=np.float32)[:, None]

    np.testing.assert_allclose(denoised(lengths * vectors), denoised(vectors), atol=1e-5)


def test_neither_does_the_size_of_the_pieces_it_works_in(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, languages = two_languages()
    at_once = denoised(vectors, languages)

    monkeypatch.setattr("ml.denoise.CHUNK_TEXTS", 7)

    np.testing.assert_allclose(denoised(vectors, languages), at_once, atol=1e-5)


def test_it_leaves_its_input_alone_and_gives_the_same_again() -> None:
    vectors, languages = two_languages()
    before = vectors.copy()

    first, second = denoised(vectors, languages), denoised(vectors, languages)

    np.testing.assert_array_equal(vectors, before)
    np.testing.assert_array_equal(first, second)


# -- Languages that are few, or unknown -------------------------------------------------------------------------------
def test_unknown_and_rare_languages_count_with_the_most_frequent_one() -> None:
    vectors, languages = two_languages()
    languages[:40] = [""] * 20 + ["sv"] * 20
    more_arabic = ["ar" if language in ("", "sv") else language for language in languages]

    found = denoised(vectors, languages)

    # Arabic has the most texts now.
    np.testing.assert_array_equal(found, denoised(vectors, more_arabic))


@pytest.mark.parametrize("languages", [["en"] * len(ENGLISH), [""] * len(ENGLISH), ["en", "de"] * 12 + ["en"] * 156])
def test_one_language_is_as_good_as_none(languages: list[str]) -> None:
    vectors = vectors_of(ENGLISH, seed=0)

    np.testing.assert_array_equal(denoised(vectors, languages), denoised(vectors))


def test_a_handful_of_texts_keeps_its_mean() -> None:
    few = np.tile(np.array([[3, 4]], dtype=np.float32), (LEAST_OF_LANGUAGE - 1, 1))

    np.testing.assert_allclose(denoised(few), few / 5, atol=1e-6)


# -- Little and nothing -----------------------------------------------------------------------------------------------
def test_a_single_text_is_alone() -> None:
    np.testing.assert_allclose(denoised(np.array([[0, 2]], dtype=np.float32), ["en"]), [[0, 1]])


@pytest.mark.parametrize("languages", [None, []])
def test_no_text_gives_no_row(languages: list[str] | None) -> None:
    assert denoised(np.zeros((0, 4), dtype=np.float32), languages).shape == (0, 4)


def test_nothing_but_unknown_texts_stays_nothing() -> None:
    assert not denoised(np.zeros((3, 4), dtype=np.float32), ["en", "", "de"]).any()


def test_vectors_and_languages_must_go_together() -> None:
    with pytest.raises(ValueError, match="1 languages do not go with 3 vectors"):
        denoised(np.ones((3, 4), dtype=np.float32), ["en"])
