"""Where in a text a cluster's terms stand, so that a page can mark them. Pure; no markup: a template escapes the parts.

Terms are matched without regard to case and accents, as whole words, with whatever signs stand between two words of one
term.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# From here on scripts are written without spaces (Han, Kana, Hangul jamo and what follows): no word has an edge there.
FIRST_UNSPACED: Final = "\u2e80"


@dataclass(frozen=True, slots=True)
class TextPart:
    """A piece of a text, and whether it is one of the terms."""

    text: str
    is_term: bool


def marked(text: str, terms: Sequence[str]) -> tuple[TextPart, ...]:
    """Return the text in pieces, which joined are the text again.

    >>> [part.text for part in marked("LOGIN: Error – 502!", ["error 502", "login"]) if part.is_term]
    ['LOGIN', 'Error – 502']
    """
    found = _spans(text, terms)
    parts: list[TextPart] = []
    end = 0
    for start, stop in found:
        if start > end:
            parts.append(TextPart(text[end:start], is_term=False))
        parts.append(TextPart(text[start:stop], is_term=True))
        end = stop
    if end < len(text):
        parts.append(TextPart(text[end:], is_term=False))
    return tuple(parts)


def terms_in(text: str, terms: Sequence[str]) -> tuple[str, ...]:
    """Return those of the terms that the text holds.

    >>> terms_in("Le café est fermé", ["cafe", "ouvert"])
    ('cafe',)
    """
    folded, _ = _folded(text)
    return tuple(term for term in terms if (pattern := _pattern(term)) is not None and pattern.search(folded))


def _spans(text: str, terms: Sequence[str]) -> list[tuple[int, int]]:
    """Return where terms begin and end, in order and without overlaps; the earlier and then the longer one wins."""
    folded, origin = _folded(text)
    hits = [
        (origin[match.start()], origin[match.end() - 1] + 1)
        for term in terms
        if (pattern := _pattern(term)) is not None
        for match in pattern.finditer(folded)
    ]
    found: list[tuple[int, int]] = []
    for start, stop in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
        if not found or start >= found[-1][1]:
            found.append((start, stop))
    return found


def _folded(text: str) -> tuple[str, list[int]]:
    """Return the text without case and accents, and for each of its characters where in the text it comes from."""
    letters: list[str] = []
    origin: list[int] = []
    for position, char in enumerate(text):
        for letter in unicodedata.normalize("NFKD", char).casefold():
            if not unicodedata.combining(letter):
                letters.append(letter)
                origin.append(position)
    return "".join(letters), origin


def _pattern(term: str) -> re.Pattern[str] | None:
    words = [word for word in re.split(r"\W+", _folded(term)[0]) if word]
    if not words:
        return None
    between = r"\W*" if any(word[0] >= FIRST_UNSPACED for word in words) else r"\W+"
    left = r"(?<!\w)" if words[0][0] < FIRST_UNSPACED else ""
    right = r"(?!\w)" if words[-1][-1] < FIRST_UNSPACED else ""
    return re.compile(left + between.join(map(re.escape, words)) + right)
