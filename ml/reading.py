"""Texts to what placing needs of them, those read lately from memory: in an outage most texts have been typed before.

Invariant: what is remembered follows from a text and the encoder alone, so remembering changes no result. Bounded: what
was asked for longest ago goes first. Not here: texts that are only nearly the same, and names, which a service learns.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import numpy as np

from ml.guards import MAX_CHARS, guard_of, guards_of
from ml.names import named_in
from ml.types import Encoder, FloatArray, IntArray

REMEMBERED_TEXTS: Final = 20_000  # 26 MB of vectors of 320 dimensions


class TextReader:
    """Reads texts by one encoder.

    Parameters
    ----------
    encoder : Encoder
    n_most : int
        Texts remembered, at least 1.

    Raises
    ------
    ValueError
        If `n_most` is below 1.

    Notes
    -----
    Cost: the encoder's for a new text, a microsecond or two for a known one. Not to be shared by threads.

    Examples
    --------
    >>> from ml.encoders import load_encoder
    >>> vectors, guards = TextReader(load_encoder("hashing")).read(["error 404", "no power", "error 404"])
    >>> vectors.shape, guards
    ((3, 512), ['404', '', '404'])
    """

    def __init__(self, encoder: Encoder, *, n_most: int = REMEMBERED_TEXTS) -> None:
        if n_most < 1:
            raise ValueError(f"n_most must be at least 1, not {n_most}")
        self._encoder = encoder
        self._n_most = n_most
        self._known: OrderedDict[str, tuple[int, str]] = OrderedDict()  # place of the vector, and code
        # The operating system gives memory to what is written to, so room that is not needed costs nothing.
        self._vectors: FloatArray = np.empty((n_most, encoder.n_dims), dtype=np.float32)

    def read(self, texts: Sequence[str], *, names: frozenset[str] = frozenset()) -> tuple[FloatArray, list[str]]:
        """Vectors and guards of texts.

        Parameters
        ----------
        texts : sequence of str, length n
            As typed.
        names : frozenset of str, optional
            As for `ml.guards.guard_of`.

        Returns
        -------
        vectors : ndarray of shape (n, d), float32
        guards : list of str of length n
        """
        known = self._known
        distinct = dict.fromkeys(texts)
        if len(distinct) > self._n_most:
            return self._encoder.encode(texts), [guard_of(text, names=names) for text in texts]
        missing = [text for text in distinct if text not in known]
        if len(missing) < len(distinct):
            for text in distinct.keys() & known.keys():
                known.move_to_end(text)
        if missing:
            fresh = self._encoder.encode(missing)
            codes = guards_of(missing)
            places = self._places(len(missing))
            self._vectors[places] = fresh
            known.update(zip(missing, zip(places.tolist(), codes, strict=True), strict=True))
        if missing and len(missing) == len(texts):
            vectors, guards = fresh, codes
        else:
            found = [known[text] for text in texts]
            vectors = self._vectors[[place for place, _ in found]]
            guards = [code for _, code in found]
        if names:
            guards = [code or named_in(text[:MAX_CHARS], names) for text, code in zip(texts, guards, strict=True)]
        return vectors, guards

    def _places(self, n: int) -> IntArray:
        """Room for so many more vectors: new, or that of the texts asked for longest ago."""
        n_known = len(self._known)
        n_new = min(n, self._n_most - n_known)
        freed = [self._known.popitem(last=False)[1][0] for _ in range(n - n_new)]
        return np.array([*range(n_known, n_known + n_new), *freed], dtype=np.int64)
