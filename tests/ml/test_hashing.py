"""Hashed counts are those of scikit-learn's own vectorizer, however many words are remembered."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import HashingVectorizer

from ml import hashing
from ml.hashing import LETTERS, hashed

TEXTS = [
    "login fails again and again",
    "",
    "wi-fi is so slow",
    "a",
    "не могу войти",
    "接続できない",
    "🔥 " + "x" * 90,
    "login",
]


def counted_by_scikit_learn(texts: list[str], n_dims: int) -> np.ndarray:
    counter = HashingVectorizer(
        n_features=n_dims, norm=None, lowercase=False, dtype=np.float32, analyzer="char_wb", ngram_range=LETTERS
    )
    counts = counter.transform([" ".join(hashing.tokens(text)) for text in texts]).toarray()
    found: np.ndarray = np.sign(counts) * np.sqrt(np.abs(counts))
    return found


@pytest.mark.parametrize("n_dims", [16, 512])
def test_letters_are_counted_as_by_scikit_learn(n_dims: int) -> None:
    for _ in range(2):  # the second time from memory
        np.testing.assert_array_equal(
            hashed(TEXTS, n_dims, unit="letters").toarray(), counted_by_scikit_learn(TEXTS, n_dims)
        )


def test_a_full_memory_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "MOST_WORDS", 2)

    for text in TEXTS * 2:
        found = hashed([text, "login"], 64, unit="letters").toarray()
        np.testing.assert_array_equal(found, counted_by_scikit_learn([text, "login"], 64))
