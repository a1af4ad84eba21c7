"""Names of products and features, learnt from how writers spell them: what is capitalised in mid-sentence is one.

Invariant: a tally is a value of bounded size that holds words and counts, never a text; the same texts in the same
order give the same names. Names must be few and sure, because a false one tears a cluster apart and a missing one only
leaves two together. So places, people, days, shouting, headlines and German nouns are left out, and so is what every
fifth text names. Not here: what a name does to clusters (`guards`, `refine`).
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from ml.function_words import FUNCTION_WORDS, NEGATIONS
from ml.language_words import COMMON_WORDS
from ml.languages import languages_of
from ml.name_words import (
    ABOUT_PEOPLE,
    ABOUT_PLACES,
    AFTER_PRODUCTS,
    BEFORE_PRODUCTS,
    NEVER_ALONE,
    NEVER_IN_NAMES,
)

# On the first half of Banking77 and in four recordings, fewer texts or a lower share let in words of emphasis; more of
# either loses names that half the writers spell in lower case.
MIN_TEXTS: Final = 5
MIN_CAPITAL_SHARE: Final = 0.7
# A word in capitals throughout is as often stressed, or a common thing ("PIN"), as it is a name.
UPPER_CAPITAL_SHARE: Final = 0.9
PAIR_CAPITAL_FACTOR: Final = 0.85  # of that for pairs, whose second half is often small: "Apple pay"
# A name known so far stays until it falls clearly below that, for a name that comes and goes divides what it joins.
STAYS_TEXTS: Final = 2
STAYS_CAPITAL_SHARE: Final = 0.55
MAX_TEXT_SHARE: Final = 0.2  # what everybody names sets nothing apart: "Spotify" at Spotify
MAX_PLACE_SHARE: Final = 0.3
# One has or uses a product now and then. Without this, half of what is found in recordings of power cuts is quarters of
# towns and politicians; with it, next to nothing.
MIN_PRODUCT_SHARE: Final = 0.1
MIN_PRODUCT_TEXTS: Final = 2
MIN_NAMES: Final = 2  # a single one has nothing to be kept apart from
MAX_NAMES: Final = 40  # the commonest: each costs every text a look
MAX_NAME_CHARS: Final = 40
# Counts are halved when so many different texts, or so many words, have been tallied.
MAX_TEXTS: Final = 4_000
MAX_WORDS: Final = 4_000
# Names are learnt anew each time a service has grown by a quarter, from its latest texts: between two times nothing
# that is placed depends on when a worker came to it.
LEAST_SEEN: Final = 200
LATEST_TEXTS: Final = 2_000
_MAX_CHARS: Final = 400  # of a text; names come early, and the cut bounds one hostile report

# Only scripts that have capitals: Latin, Greek, Cyrillic.
_LETTERS: Final = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u03ff\u0400-\u052f\u1e00-\u1eff"
_WORD = re.compile(rf"[0-9]?[{_LETTERS}][{_LETTERS}0-9]*(?:['’][{_LETTERS}]+)?")
_LINK = re.compile(r"https?://\S+|www\.\S+|\S*[@#]\w+|\S+@\S+")
# Between two words of one sentence stands no more than this.
_WITHIN_SENTENCE: Final = frozenset((" ", "  ", ", ", "-", " & ", "/", " / "))
_WITHIN_NAME: Final = frozenset((" ", "-"))
_SELF: Final = frozenset(("I", "I'm", "I’m", "I've", "I’ve", "I'd", "I’d", "I'll", "I’ll"))
_QUANTITY = re.compile(r"\d+(?:[ap]m|[kmgt]b?|[kmg]bps|h|hrs?|s|ms|min|x|th|st|nd|rd|d|eur|usd|gbp)")
_COMMON: Final = (
    FUNCTION_WORDS | NEGATIONS | NEVER_ALONE | COMMON_WORDS["latin"].keys() | COMMON_WORDS["cyrillic"].keys()
)


class Uses(NamedTuple):
    """How texts use a word or pair of words.

    Attributes
    ----------
    n_texts : int
        Different texts with it, however spelt.
    n_naming : int
        Of these, texts that capitalise it in mid-sentence.
    n_plain : int
        Texts by people who do capitalise, but not this, in mid-sentence.
    n_upper : int
        Of `n_naming`, those in capitals throughout.
    n_places, n_products : int
        Of `n_naming`, those where a word beside it tells a place or a person, or a product.
    """

    n_texts: int
    n_naming: int
    n_plain: int
    n_upper: int
    n_places: int
    n_products: int


@dataclass(frozen=True, slots=True)
class NameTally:
    """What is known of words that may be names.

    Attributes
    ----------
    n_texts : int
        Different texts tallied, halved with the rest.
    uses : mapping of str to Uses
        Of words and pairs, case folded, that some text capitalised in mid-sentence.
    heard : frozenset of int
        Checksums of the texts tallied since counts were last halved: a text counts once however often it is sent.
    """

    n_texts: int = 0
    uses: Mapping[str, Uses] = field(default_factory=dict)
    heard: frozenset[int] = frozenset()


class _Token(NamedTuple):
    folded: str
    is_capital: bool
    is_upper: bool
    is_mid: bool  # in mid-sentence
    joins: bool  # to the word before, as the second of a pair
    before: str  # the word before the run of capitalised words it is in


def learns_at(n_seen: int) -> int:
    """At which number of texts names are to be learnt again when they were last learnt at `n_seen`.

    Examples
    --------
    >>> [learns_at(n_seen) for n_seen in (0, 200, 10_000)]
    [200, 250, 12500]
    """
    return max(LEAST_SEEN, n_seen + n_seen // 4)


def add_texts(tally: NameTally, texts: Sequence[str]) -> NameTally:
    """Tally texts, each different one once.

    Parameters
    ----------
    tally : NameTally
        Not changed.
    texts : sequence of str
        As typed.

    Returns
    -------
    NameTally

    Notes
    -----
    Cost O(total characters + words in the tally): 3 µs for a headline in small letters, 20 µs for a sentence, 50 µs for
    a tweet. A lower-case use counts from the first capitalised one on, which keeps the tally to candidates.

    Examples
    --------
    >>> tally = add_texts(NameTally(), ["my Visa fails", "MY VISA FAILS", "why is my visa gone"])
    >>> tally.n_texts, tally.uses["visa"]
    (3, Uses(n_texts=3, n_naming=1, n_plain=0, n_upper=0, n_places=0, n_products=1))
    """
    uses = dict(tally.uses)
    heard = set(tally.heard)
    n_texts = tally.n_texts
    for text in dict.fromkeys(texts):
        text = text[:_MAX_CHARS]
        if "@" in text or "#" in text or "://" in text or "www." in text:
            text = _LINK.sub(". ", text)
        checksum = zlib.crc32(text.encode(errors="surrogatepass"))
        if checksum in heard:
            continue
        heard.add(checksum)
        n_texts += 1
        words = _WORD.findall(text)
        # Most texts are in small letters but for their first, which is told quickly.
        rest = text.partition(words[0])[2] if words else ""
        has_capitals = rest != rest.lower() and any(not word.islower() and word not in _SELF for word in words[1:])
        if has_capitals or not uses.keys().isdisjoint(map(_folded, words)):
            _tally(uses, _tokens(text), text)
        if len(heard) >= MAX_TEXTS or len(uses) >= MAX_WORDS:
            n_texts, uses = n_texts // 2, _halved(uses)
            heard.clear()
    return NameTally(n_texts, uses, frozenset(heard))


def learnt_names(tally: NameTally, *, known: frozenset[str] = frozenset()) -> frozenset[str]:
    """The words and pairs that are names by now.

    Parameters
    ----------
    tally : NameTally
    known : frozenset of str, optional
        Names learnt before: they stay until they clearly are none any more.

    Returns
    -------
    frozenset of str
        Case folded, at most 40 characters each; empty if there are fewer than two.

    Notes
    -----
    Cost O(words in the tally).

    Examples
    --------
    >>> texts = [f"the {name} payment {i} fails" for i in "abcde" for name in ("Visa", "PayPal")]
    >>> tally = add_texts(NameTally(), texts)
    >>> padded = add_texts(tally, [f"other trouble {i}" for i in range(20)])
    >>> sorted(learnt_names(padded)), sorted(learnt_names(tally))  # half of all texts name each in the latter
    (['paypal', 'visa'], [])
    """
    names = {
        word: uses.n_texts for word, uses in tally.uses.items() if _is_name(word, uses, tally.n_texts, word in known)
    }
    # A word that is mostly one half of pairs is no name besides them, and a plural none besides its singular.
    n_paired: Counter[str] = Counter()
    for pair, uses in tally.uses.items():
        if " " in pair:
            n_paired.update(dict.fromkeys(pair.split(), uses.n_naming))
    for half, n in n_paired.items():
        if half in names and n > tally.uses[half].n_naming / 2:
            del names[half]
    for name in [name for name in names if name.endswith("s") and name[:-1] in names]:
        del names[name]
    commonest = sorted(names, key=lambda name: (-names[name], name))[:MAX_NAMES]
    return frozenset(commonest) if len(commonest) >= MIN_NAMES else frozenset()


def named_in(text: str, names: frozenset[str]) -> str:
    """The one name a text holds, in any case; "" if it holds none or several.

    Parameters
    ----------
    text : str
    names : frozenset of str
        As `learnt_names` gives them. Part of a longer name is no name.

    Returns
    -------
    str

    Notes
    -----
    Cost O(len(text) * len(names)) by substring search, which is a microsecond or two for forty names.

    Examples
    --------
    >>> names = frozenset(("apple", "apple pay", "google pay"))
    >>> [named_in(text, names) for text in ("APPLE-PAY fails", "my Apple's gone", "pineapple")]
    ['apple pay', 'apple', '']
    >>> named_in("Apple Pay or Google Pay", names)
    ''
    """
    text = text.casefold()
    beginnings, pattern = _matcher(names)
    for beginning in beginnings:
        if beginning in text:
            break
    else:
        return ""
    found = {match.replace("-", " ") for match in pattern.findall(text)}
    return found.pop() if len(found) == 1 else ""


@lru_cache(maxsize=256)
def _matcher(names: frozenset[str]) -> tuple[tuple[str, ...], re.Pattern[str]]:
    """What a text with a name surely holds, and the pattern that finds names, the longest first."""
    beginnings = tuple(sorted({name.split()[0] for name in names}))
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    pattern = "|".join("[ -]".join(map(re.escape, name.split())) for name in longest_first) or "(?!)"
    return beginnings, re.compile(rf"(?<![{_LETTERS}0-9])({pattern})s?(?![{_LETTERS}0-9])")


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    end = -1
    before = ""
    for match in _WORD.finditer(text):
        word = match.group()
        gap = text[end : match.start()] if found else "."
        is_mid = gap in _WITHIN_SENTENCE
        is_capital = not word.islower() and _QUANTITY.fullmatch(word.casefold()) is None
        folded = _folded(word)
        if not is_mid:
            before = ""
        elif not (is_capital and found[-1].is_capital and found[-1].is_mid):
            before = found[-1].folded
        found.append(_Token(folded, is_capital, word.isupper(), is_mid, gap in _WITHIN_NAME, before))
        end = match.end()
    return found


@lru_cache(maxsize=20_000)  # the words of a site, some 2 MB
def _folded(word: str) -> str:
    """Without case and possession."""
    return word.casefold().replace("’", "'").removesuffix("'s")


def _tally(uses: dict[str, Uses], tokens: Sequence[_Token], text: str) -> None:
    """Count what one text says of words: each word or pair once, as its capitalised use if there is one."""
    mid = _mid_uses(tokens) if _is_told_apart(tokens, text) else _MidUses(set(), set(), set(), set(), set())
    present = {token.folded for token in tokens}
    present.update(f"{first.folded} {second.folded}" for first, second in pairwise(tokens) if second.joins)
    for word in present:
        known = uses.get(word)
        is_naming = word in mid.naming
        if known is None:
            if not is_naming:
                continue
            known = Uses(0, 0, 0, 0, 0, 0)
        uses[word] = Uses(
            known.n_texts + 1,
            known.n_naming + is_naming,
            known.n_plain + (word in mid.plain and not is_naming),
            known.n_upper + (is_naming and word in mid.upper),
            known.n_places + (is_naming and word in mid.places),
            known.n_products + (is_naming and word in mid.products),
        )


class _MidUses(NamedTuple):
    """What one text does in mid-sentence: words and pairs it capitalises, does not, and how it speaks of the former."""

    naming: set[str]
    plain: set[str]
    upper: set[str]
    places: set[str]
    products: set[str]


def _mid_uses(tokens: Sequence[_Token]) -> _MidUses:
    found = _MidUses(set(), set(), set(), set(), set())
    following = [token.folded if token.joins else "" for token in tokens[1:]] + [""]
    for token, after in zip(tokens, following, strict=True):
        if token.is_mid and token.folded not in _COMMON and token.folded not in NEVER_IN_NAMES:
            _note(found, token.folded, token.is_capital, token.before, after)
            if token.is_upper:
                found.upper.add(token.folded)
    for (first, second), after in zip(pairwise(tokens), following[1:], strict=False):
        if first.is_mid and second.joins and _may_be_a_pair(first.folded, second.folded):
            _note(found, f"{first.folded} {second.folded}", first.is_capital and second.is_capital, first.before, after)
    return found


def _may_be_a_pair(first: str, second: str) -> bool:
    return not (first in _COMMON and second in _COMMON) and first not in NEVER_IN_NAMES and second not in NEVER_IN_NAMES


def _note(found: _MidUses, word: str, is_capital: bool, before: str, after: str) -> None:
    (found.naming if is_capital else found.plain).add(word)
    if before in ABOUT_PLACES or before in ABOUT_PEOPLE:
        found.places.add(word)
    if before in BEFORE_PRODUCTS or after in AFTER_PRODUCTS:
        found.products.add(word)


def _is_told_apart(tokens: Sequence[_Token], text: str) -> bool:
    """Whether the writer tells names from other words: not all small, shouted or Like a Headline, and not in German."""
    n_capital = n_small = 0
    for token in tokens:
        if token.is_mid and token.folded not in FUNCTION_WORDS:
            n_capital += token.is_capital
            n_small += not token.is_capital
    if n_capital > 2 * n_small or text == text.lower():
        return False
    return not n_capital or languages_of([text])[0] not in {"de", ""}


def _is_name(word: str, uses: Uses, n_texts: int, is_known: bool) -> bool:
    if uses.n_naming < (STAYS_TEXTS if is_known else MIN_TEXTS) or uses.n_texts > MAX_TEXT_SHARE * n_texts:
        return False
    least = STAYS_CAPITAL_SHARE if is_known else MIN_CAPITAL_SHARE
    if " " in word:
        least *= PAIR_CAPITAL_FACTOR
    elif uses.n_upper > uses.n_naming / 2:
        least = max(least, UPPER_CAPITAL_SHARE)
    if uses.n_naming < least * (uses.n_naming + uses.n_plain):
        return False
    if uses.n_places > MAX_PLACE_SHARE * uses.n_naming or not 2 <= len(word) <= MAX_NAME_CHARS:
        return False
    return uses.n_products >= max(1 if is_known else MIN_PRODUCT_TEXTS, MIN_PRODUCT_SHARE * uses.n_naming)


def _halved(uses: Mapping[str, Uses]) -> dict[str, Uses]:
    return {word: Uses(*(n // 2 for n in found)) for word, found in uses.items() if found.n_naming >= 2}
