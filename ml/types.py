"""The array types and the one protocol that the library speaks.

Invariant: nothing here computes. Every other module of the library may import this one; it imports none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class Encoder(Protocol):
    """What turns texts into vectors; every tier (hashing, static, learnt) fits behind it.

    Attributes
    ----------
    name : str
        Names the method and its version. Vectors of encoders with different names must never be compared, so whoever
        stores vectors stores the name with them.
    n_dims : int
        Length of each vector.
    """

    @property
    def name(self) -> str: ...

    @property
    def n_dims(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Encode texts, each for itself: the row of a text does not depend on its neighbours.

        Parameters
        ----------
        texts : sequence of str, length n_texts

        Returns
        -------
        ndarray of shape (n_texts, n_dims), float32
            Rows of unit length; an all-zero row says that nothing in the text is known to the encoder.
        """
        ...
