"""Texts to vectors, in tiers behind one protocol: `static` (token embeddings from a wheel) and `hashing` (no model).

Invariant: stateless and offline. The same text gives the same vector on every machine, alone or in a batch, and
nothing here ever opens a network connection. Not here: anything learnt from a site's own reports, which belongs to the
state of a service and not to the encoder.
"""

from __future__ import annotations

import functools
import importlib.util
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from scipy.sparse import csr_array

from ml.reference_texts import REFERENCE_TEXTS
from ml.text import normalise, tokens
from ml.types import Encoder, FloatArray

EncoderName = Literal["auto", "static", "hashing"]

# Texts longer than this say what they say at the beginning; the cut bounds time and memory of one hostile report.
MAX_CHARACTERS: Final = 2_000

# Files of the `wordllama` wheel (0.3.x). `WordLlama.load()` is not used: it looks for the tokenizer online although
# the wheel holds it, and importing the package configures the root logger.
_STATIC_TOKENIZER: Final = Path("tokenizers") / "l2_supercat_tokenizer_config.json"
_STATIC_WEIGHTS: Final = Path("weights") / "l2_supercat_256.safetensors"


class EncoderUnavailableError(RuntimeError):
    """The files of an encoder are not installed; the message says which and what to do."""


class HashingEncoder:
    """Signed feature hashing of words, word pairs and character n-grams: no model, no vocabulary, every language.

    Hashing with random signs into `n_dims` places keeps inner products right on average, so it is the projection to
    dense vectors at once. Counts enter by their square root: the second mention of a word says less than the first.

    Parameters
    ----------
    n_dims : int, default 512
        At least 2. The standard error of an inner product of two unit vectors is about `1 / sqrt(n_dims)`.

    Notes
    -----
    Cost O(total characters). About 13,000 short texts a second on one core.

    References
    ----------
    Weinberger, K. et al. (2009). Feature hashing for large scale multitask learning. doi:10.1145/1553374.1553516

    Examples
    --------
    >>> vectors = HashingEncoder().encode(["login fails", "LOGIN fails!", "slow video", ""])
    >>> vectors.shape
    (4, 512)
    >>> bool(vectors[0] @ vectors[1] > 0.9 > vectors[0] @ vectors[2])
    True
    >>> float(abs(vectors[3]).sum())
    0.0
    """

    def __init__(self, n_dims: int = 512) -> None:
        if n_dims < 2:
            raise ValueError(f"n_dims must be at least 2, not {n_dims}")
        # Imported here: it takes half a second, and who uses the static encoder never needs it.
        from sklearn.feature_extraction.text import HashingVectorizer

        self.name = f"hashing-{n_dims}-v1"
        self.n_dims = n_dims
        common: dict[str, Any] = {"n_features": n_dims, "norm": None, "lowercase": False, "alternate_sign": True}
        self._words = HashingVectorizer(analyzer=_words_and_pairs, dtype=np.float32, **common)
        self._characters = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), dtype=np.float32, **common)

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """See `ml.types.Encoder.encode`."""
        if not texts:
            return np.zeros((0, self.n_dims), dtype=np.float32)
        clean = [" ".join(tokens(normalise(text[:MAX_CHARACTERS]))) for text in texts]
        words, characters = self._words.transform(clean), self._characters.transform(clean)
        for counts in (words, characters):
            counts.data = np.sign(counts.data) * np.sqrt(np.abs(counts.data))
        # Either half weighs the same, however many n-grams a text has.
        return _unit_rows(_unit_rows(words.toarray()) + _unit_rows(characters.toarray()))


class StaticEncoder:
    """WordLlama: mean of 256-dimensional token embeddings, read from the wheel's own files.

    Parameters
    ----------
    folder : pathlib.Path, optional
        Where the package's `tokenizers` and `weights` folders are; by default the installed `wordllama` package.

    Raises
    ------
    EncoderUnavailableError
        If the package or one of its two files is missing.

    Notes
    -----
    Loading takes about 0.2 s and 32 MB. Cost O(total tokens), about 30,000 short texts a second on one core.
    The package is MIT; its weights derive from Llama-2 token embeddings, whose licence is named in `docs/licences.md`.

    References
    ----------
    Miller, D. L. (2024). WordLlama: recycled token embeddings from large language models.
    https://github.com/dleemiller/WordLlama

    Examples
    --------
    >>> vectors = StaticEncoder().encode(["cannot log in", "login does not work", "parcel is late"])
    >>> vectors.shape
    (3, 256)
    >>> bool(vectors[0] @ vectors[1] > vectors[0] @ vectors[2])
    True
    """

    def __init__(self, folder: Path | None = None) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        folder = folder or _wordllama_folder()
        for file in (_STATIC_TOKENIZER, _STATIC_WEIGHTS):
            if not (folder / file).is_file():
                raise EncoderUnavailableError(
                    f"the static encoder needs {folder / file}; reinstall wordllama or use the hashing encoder"
                )
        self._tokenizer = Tokenizer.from_file(str(folder / _STATIC_TOKENIZER))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        embedding: FloatArray = load_file(folder / _STATIC_WEIGHTS)["embedding.weight"].astype(np.float32)
        self._embedding = embedding
        self.n_dims = int(embedding.shape[1])
        self.name = f"wordllama-l2-supercat-{self.n_dims}-v1"

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """See `ml.types.Encoder.encode`."""
        clean = [normalise(text[:MAX_CHARACTERS]) for text in texts]
        encoded = self._tokenizer.encode_batch_fast(clean, add_special_tokens=False)
        ids = [item.ids for item in encoded]
        starts = np.concatenate(([0], np.cumsum([len(row) for row in ids], dtype=np.int64)))
        tokens_flat = np.fromiter(itertools.chain.from_iterable(ids), dtype=np.int64, count=int(starts[-1]))
        # The sum of a text's tokens points where their mean points. As a sparse product it needs no copy of the
        # embeddings of all tokens of the batch, which is 50 times quicker than gathering and adding them up.
        ones = np.ones(len(tokens_flat), dtype=np.float32)
        counts = csr_array((ones, tokens_flat, starts), shape=(len(ids), len(self._embedding)))
        return _unit_rows(counts @ self._embedding)


@functools.cache
def load_encoder(name: EncoderName = "auto") -> Encoder:
    """The encoder of that name, loaded once a process.

    Parameters
    ----------
    name : {"auto", "static", "hashing"}
        `auto` is `static` where its files are installed, otherwise `hashing`.

    Returns
    -------
    Encoder
        Safe to share between threads.

    Raises
    ------
    EncoderUnavailableError
        If `static` is asked for and its files are missing.
    ValueError
        If the name is unknown.

    Notes
    -----
    Cost: about 0.1 s (static) or 0.5 s (hashing) at the first call, nothing later. No network.

    Examples
    --------
    >>> load_encoder("hashing").n_dims
    512
    """
    if name == "hashing":
        return HashingEncoder()
    if name == "static":
        return StaticEncoder()
    if name == "auto":
        try:
            return load_encoder("static")
        except (EncoderUnavailableError, ImportError):
            return load_encoder("hashing")
    raise ValueError(f"unknown encoder {name!r}: use auto, static or hashing")


def reference_vectors(encoder: Encoder) -> FloatArray:
    """Vectors of the written examples with which a new service begins (`ml.reference_texts`).

    Parameters
    ----------
    encoder : Encoder

    Returns
    -------
    ndarray of shape (n_reference, encoder.n_dims), float32

    Notes
    -----
    Cost: one encoding of 64 short texts, about 5 ms; keep the result beside the encoder.

    Examples
    --------
    >>> reference_vectors(load_encoder("hashing")).shape
    (64, 512)
    """
    return encoder.encode(REFERENCE_TEXTS)


def _wordllama_folder() -> Path:
    # For a top-level name `find_spec` finds the package without importing it.
    spec = importlib.util.find_spec("wordllama")
    if spec is None or spec.origin is None:
        raise EncoderUnavailableError(
            "the static encoder needs the package wordllama; install it or use the hashing encoder"
        )
    return Path(spec.origin).parent


def _words_and_pairs(text: str) -> list[str]:
    words = text.split()
    return words + [f"{first} {second}" for first, second in itertools.pairwise(words)]


def _unit_rows(rows: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: FloatArray = np.divide(rows, lengths, out=np.zeros_like(rows, dtype=np.float32), where=lengths > 0)
    return unit
