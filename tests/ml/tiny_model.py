"""A sentence model of two words, as an ONNX file and a tokenizer that are written by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

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
