"""What was worked out for a text not long ago: in an outage most texts have been typed before.

Invariant: an answer depends on its text alone, so remembering changes no result. Bounded: what was asked for longest
ago goes first. Not here: texts that are only nearly the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class TextMemory(Generic[T]):
    """A function of texts that remembers its latest answers.

    Parameters
    ----------
    answer : callable
        From a list of texts to their answers, in order.
    n_most : int
        Answers kept, at least 1.

    Raises
    ------
    ValueError
        If `n_most` is below 1.

    Notes
    -----
    Cost O(1) a known text. Safe to be called by several threads only if they share nothing else.

    Examples
    --------
    >>> asked = []
    >>> lengths = TextMemory(lambda texts: asked.extend(texts) or [len(text) for text in texts], n_most=10)
    >>> lengths(["down", "slow", "down"]), lengths(["down"]), asked
    ([4, 4, 4], [4], ['down', 'slow'])
    """

    def __init__(self, answer: Callable[[list[str]], Sequence[T]], *, n_most: int) -> None:
        if n_most < 1:
            raise ValueError(f"n_most must be at least 1, not {n_most}")
        self._answer = answer
        self._n_most = n_most
        self._known: OrderedDict[str, T] = OrderedDict()

    def __call__(self, texts: Sequence[str]) -> list[T]:
        """The answers for these texts, in order."""
        known = self._known
        found: dict[str, T] = {}
        missing: list[str] = []
        for text in dict.fromkeys(texts):
            if text in known:
                known.move_to_end(text)
                found[text] = known[text]
            else:
                missing.append(text)
        if missing:
            for text, answer in zip(missing, self._answer(missing), strict=True):
                found[text] = known[text] = answer
            while len(known) > self._n_most:
                known.popitem(last=False)
        return [found[text] for text in texts]
