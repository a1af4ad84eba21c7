"""Labels are made of words that reporters typed, and set one group apart from the rest in any language."""

from __future__ import annotations

import numpy as np
import pytest

from ml.describe import distinctive_terms, typical_index

LOGIN = ["Login fails with error 502", "cannot login, error 502", "the login is broken", "Login gives error 502 again"]
PARCEL = ["my parcel is late", "where is the parcel?", "the parcel was lost", "parcel not here yet"]
CHATTER = [
    "I like the new design",
    "the price is too high",
    "how do I cancel?",
    "is this the right number?",
    "thank you",
]


def test_each_group_is_named_by_its_own_words() -> None:
    login, parcel = distinctive_terms([LOGIN, PARCEL], CHATTER * 3)

    assert "error 502" in login
    assert any("login" in term.casefold() for term in login)
    assert parcel[0] == "parcel"


def test_words_common_to_all_groups_name_none() -> None:
    found = distinctive_terms([LOGIN, PARCEL], CHATTER * 3)

    assert not {"the", "is", "my"} & {term for terms in found for term in terms}


def test_function_words_of_a_rare_language_do_not_name_a_group() -> None:
    spanish = [
        "no hay luz en la casa de mi abuela",
        "se fue la luz en la calle",
        "otra vez sin luz en la zona",
        "la luz se va",
    ]

    (found,) = distinctive_terms([spanish], CHATTER * 5)

    assert found[0] in {"luz", "sin luz"}
    assert not {"la", "en la", "en", "se"} & set(found)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["интернет не работает", "не работает интернет с утра", "опять интернет пропал"], "интернет"),
        (["الإنترنت مقطوع", "الإنترنت بطيء", "لا يوجد الإنترنت"], "الإنترنت"),
        (["ログインできない", "ログインに失敗", "ログイン画面が出ない"], "ログ"),
        (["🔥 everything", "🔥 again", "🔥🔥"], "🔥"),
    ],
)
def test_words_of_every_script_name_groups(texts: list[str], expected: str) -> None:
    (found,) = distinctive_terms([texts], CHATTER * 5)

    assert any(expected in term for term in found)


def test_a_term_is_spelt_as_most_reporters_spell_it() -> None:
    (found,) = distinctive_terms([["PayPal down", "paypal broken", "PayPal again"]], CHATTER * 3, n_terms=1)

    assert found == ["PayPal"]


def test_no_word_appears_twice() -> None:
    (found,) = distinctive_terms([LOGIN], CHATTER * 3, n_terms=5)

    words = [word.casefold() for term in found for word in term.split()]
    assert len(words) == len(set(words))


def test_links_and_names_of_people_are_no_terms() -> None:
    (found,) = distinctive_terms([["@anna down https://a.example/x"] * 4], CHATTER * 3)

    assert found == ["down"]


def test_a_group_of_one_text_has_terms() -> None:
    (found,) = distinctive_terms([["certificate expired"]], CHATTER * 3)

    assert found


def test_groups_without_texts_or_words_have_no_terms() -> None:
    assert distinctive_terms([[], [""]], []) == [[], []]


def test_at_least_one_term_must_be_asked_for() -> None:
    with pytest.raises(ValueError, match="n_terms"):
        distinctive_terms([LOGIN], [], n_terms=0)


def test_the_nearest_to_the_centroid_is_typical() -> None:
    vectors = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]], dtype=np.float32)

    assert typical_index(vectors, np.array([2.0, 1.6], dtype=np.float32)) == 1


def test_among_equals_the_text_of_middling_length_is_typical() -> None:
    vectors = np.ones((4, 2), dtype=np.float32)

    assert typical_index(vectors, vectors.sum(axis=0), lengths=[2, 900, 40, 60]) == 2


def test_zero_vectors_are_never_preferred_and_never_an_error() -> None:
    vectors = np.array([[0.0, 0.0], [0.0, 1.0]], dtype=np.float32)

    assert typical_index(vectors, np.array([0.0, 1.0], dtype=np.float32)) == 1
    assert typical_index(vectors[:1], np.zeros(2, dtype=np.float32)) == 0


def test_no_candidate_is_an_error() -> None:
    with pytest.raises(ValueError, match="n > 0"):
        typical_index(np.zeros((0, 2), dtype=np.float32), np.zeros(2, dtype=np.float32))
