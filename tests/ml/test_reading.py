"""A reader gives what encoder and guards give, whatever it remembers, and asks the encoder once for a text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from ml.guards import guard_of
from ml.reading import TextReader
from ml.types import FloatArray

TEXTS = ["error 404", "no power", "PayPal declined", "no power", "since v4.2.1 it hangs"]
NAMES = frozenset(("paypal", "visa"))


class CountingEncoder:
    """Vectors that tell texts apart, and a list of what was asked for."""

    name = "counting"
    n_dims = 3

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> FloatArray:
        self.asked.extend(texts)
        rows = [[len(text), sum(text.encode()), text.count("o")] for text in texts]
        return np.array(rows, dtype=np.float32).reshape(len(texts), 3)


def assert_reads_as_without_memory(reader: TextReader, texts: list[str]) -> None:
    vectors, guards = reader.read(texts, names=NAMES)

    np.testing.assert_array_equal(vectors, CountingEncoder().encode(texts))
    assert guards == [guard_of(text, names=NAMES) for text in texts]


def test_a_text_is_encoded_once() -> None:
    encoder = CountingEncoder()
    reader = TextReader(encoder)

    reader.read(TEXTS)
    reader.read(["no power", "a new one"])

    assert encoder.asked == [*dict.fromkeys(TEXTS), "a new one"]


def test_names_learnt_later_are_found_in_texts_read_before() -> None:
    reader = TextReader(CountingEncoder())

    before = reader.read(TEXTS)[1]

    assert before[2] == ""
    assert reader.read(TEXTS, names=NAMES)[1][2] == "paypal"


@pytest.mark.parametrize("n_most", [1, 3, 7, 100])
def test_forgetting_changes_no_answer(n_most: int) -> None:
    rng = np.random.default_rng(1)
    reader = TextReader(CountingEncoder(), n_most=n_most)

    for n in rng.integers(0, 9, size=60).tolist():
        assert_reads_as_without_memory(reader, [f"error {400 + word}, oh" for word in rng.integers(12, size=n)])


def test_what_was_asked_for_longest_ago_is_forgotten_first() -> None:
    encoder = CountingEncoder()
    reader = TextReader(encoder, n_most=2)

    for text in ("a", "b", "a", "c", "a", "b"):
        reader.read([text])

    assert encoder.asked == ["a", "b", "c", "b"]


def test_an_encoder_that_fails_leaves_the_memory_as_it_was() -> None:
    encoder = CountingEncoder()
    reader = TextReader(encoder, n_most=2)
    reader.read(["a", "b"])
    works = encoder.encode

    def fails(texts: Sequence[str]) -> FloatArray:
        raise RuntimeError

    encoder.encode = fails  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        reader.read(["c"])
    encoder.encode = works  # type: ignore[method-assign]

    assert_reads_as_without_memory(reader, ["a"])
    assert_reads_as_without_memory(reader, ["b", "c"])


def test_a_memory_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        TextReader(CountingEncoder(), n_most=0)
