"""From a text as somebody typed it to a comparable form, and to words.

Invariant: `normalise` is idempotent and never raises, whatever the script. It removes what differs between two people
with the same problem (case, links, names of people, order numbers) and keeps what tells problems apart (error codes,
product names, emoji). Not here: scrubbing of personal details, which happens before a text is stored; stemming,
because it exists for a few languages only and n-grams do its work for all.
"""

from __future__ import annotations

import functools
import itertools
import re
import sys
import unicodedata
from collections.abc import Sequence
from typing import Final

# With a scheme, or a host and a path (pic.twitter.com/x); a bare host (example.com) may be what the report is about.
_URL = re.compile(r"(?:https?://|www\.)\S+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/\S+")
_MENTION = re.compile(r"(?<![\w@.])@\w+")
_TAG = re.compile(r"(?<!\w)#(?=\w)")
# Clock times and dates say when, amounts say how much: neither says what is broken.
_TIME_OR_DATE = re.compile(r"\b\d{1,2}[:h]\d{2}(?::\d{2})?\b|\b\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}\b")
_AMOUNT = re.compile(r"[$€£¥₹]\s?\d[\d.,]*|\b\d[\d.,]*\s?[$€£¥₹]")
# Five digits and more are order, account and telephone numbers; error codes (404, 5xx, 1020) have at most four.
# A number with a letter before it (0x80070005, err10060) is a code and stays.
_LONG_NUMBER = re.compile(r"(?<![\w])\+?\d(?:[\s.-]?\d){4,}(?!\w)")
_ELONGATION = re.compile(r"([^\W\d_])\1{2,}")  # "sooo" -> "soo"; two stay, for "too" and "weekend" need them
# What the full pattern of `tokens` comes to where there is neither another script nor an emoji: ten times as quick.
_ASCII_TOKENS = re.compile(r"\w+(?:['-]\w+|(?<=\d)\.(?=\d)\w+)*", re.ASCII)
_DIGIT = re.compile(r"\d")
# No more than a sign that one of the above may be found: what is not plain by this is looked at in its text.
_PERHAPS_NOT_PLAIN = re.compile(r"[\d/@#]|www\.|([^\W\d_])\1\1")
_CONTROL = re.compile(
    r"[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)

# Words that are remembered, and their letters at most: some 15 MB.
MOST_WORDS: Final = 50_000
LONGEST_WORD: Final = 40
# Words in which `normalise` has found nothing to change, and what `tokens` has made of what stood between two spaces.
_plain_words: set[str] = set()
_tokens_of_piece: dict[str, tuple[str, ...]] = {}

# Scripts written without spaces between words: Thai, Lao, Myanmar, Khmer, Kana, Han (with extensions).
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_UNSPACED_CHARACTER = re.compile(f"[{_UNSPACED}]")
_PLAIN_ENDS = ".,:;!?\u060c\u061b\u061f"  # of clauses, the last three in Arabic script: no part of a word
_EMOJI = "\u2600-\u27bf\U0001f300-\U0001faff"


def normalise(text: str) -> str:
    """Bring a text into the form in which texts are compared.

    Unicode compatibility form (NFKC), case folded; links and @names removed, `#tag` turned into `tag`; clock times,
    dates, amounts of money and numbers of five and more digits removed, shorter numbers (error codes) kept; letters
    repeated more than twice cut to two; control and bidirectional marks removed; white space collapsed.

    Parameters
    ----------
    text : str
        Any text in any script; may be empty.

    Returns
    -------
    str
        The normalised text, possibly empty. Normalising it again changes nothing.

    Notes
    -----
    Cost O(len(text)).

    References
    ----------
    Unicode Standard Annex #15, Unicode Normalization Forms.

    Examples
    --------
    >>> normalise("@AcmeHelp  LOGIN is sooooo broken!! error 502 at 10:45 https://t.co/x #acmedown")
    'login is soo broken!! error 502 at acmedown'
    """
    # Removing one thing may bring two others together ("1 @x 2345"): repeat until nothing is removed, which real texts
    # reach in the first or second round. The bound only guards against a hostile text.
    if text.isprintable():
        # What is looked for below reaches over a space only where there is a digit, and case and compatibility form
        # never do. So a text of words in which nothing was found before needs no search: four times as quick.
        words = text.casefold().split()
        if _plain_words.issuperset(words) or _are_plain(set(words) - _plain_words):
            return " ".join(words)
    n_removed = 1
    for _ in range(8):
        if not n_removed:
            break
        text, n_removed = _normalise_once(text)
    return text


def plain_words(words: set[str]) -> set[str]:
    """Which of these words stay as they are, whatever stands beside them.

    Parameters
    ----------
    words : set of str
        Case folded, printable, without white space.

    Returns
    -------
    set of str
        A text that case folds to such words alone is normalised to them with single spaces between. Words of more than
        40 characters, and odd ones that would stay as well, may be missing.

    Notes
    -----
    Cost O(total characters), and one look for words that were met before. New ones are looked at together.

    Examples
    --------
    >>> sorted(plain_words({"no", "power", "9", "@acme", "soooo", "here/there"}))
    ['no', 'power']
    """
    new = words - _plain_words
    suspicious = _PERHAPS_NOT_PLAIN.search
    usual = {word for word in new if len(word) <= LONGEST_WORD and suspicious(word) is None}
    # Of other words than these many change when they are brought into compatibility form: each for itself.
    ascii_words = set(filter(str.isascii, usual))
    plain = ascii_words if _are_plain(ascii_words) else set()
    return (words - new) | plain | {word for word in usual - ascii_words if _are_plain({word})}


def _are_plain(words: set[str]) -> bool:
    """Whether nothing is to be changed in these words, whatever stands beside them; if so they are remembered."""
    together = " ".join(words)
    if _DIGIT.search(together) or _normalise_once(together) != (together, 0):
        return False
    if len(max(words, key=len, default="")) <= LONGEST_WORD:
        if len(_plain_words) > MOST_WORDS:
            _plain_words.clear()
        _plain_words.update(words)
    return True


def _normalise_once(text: str) -> tuple[str, int]:
    """One round, and how many things it removed."""
    # The guards are for speed alone: most texts have no digit, link or name in them.
    text = text.casefold()
    if not text.isascii():
        # Case folding may undo the compatibility form, and the form may bring out new capitals.
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    n_removed = 0
    if not text.isprintable():
        text, n_removed = _CONTROL.subn("", text)
    text = " ".join(text.split())
    if "/" in text or "www." in text:
        text, n = _URL.subn(" ", text)
        n_removed += n
    if "@" in text:
        text, n = _MENTION.subn(" ", text)
        n_removed += n
    if "#" in text:
        text, n = _TAG.subn("", text)
        n_removed += n
    if _DIGIT.search(text):
        for pattern in (_TIME_OR_DATE, _AMOUNT, _LONG_NUMBER):
            text, n = pattern.subn(" ", text)
            n_removed += n
    if _ELONGATION.search(text):
        text, n = _ELONGATION.subn(r"\1\1", text)
        n_removed += n
    # White space is in order already where nothing was taken out.
    return (" ".join(text.split()) if n_removed else text), n_removed


def tokens(text: str) -> list[str]:
    """Split a text into words, in every script.

    Words may hold inner apostrophes, hyphens and (between digits) points: `can't`, `wi-fi`, `2.4`. Scripts without
    spaces give overlapping pairs of characters. An emoji is a word. The text is split as it is: normalise it first if
    words are to be compared.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
        In order of appearance.

    Notes
    -----
    Cost O(len(text)).

    Examples
    --------
    >>> tokens("can't reach wi-fi, error 502 🔥")
    ["can't", 'reach', 'wi-fi', 'error', '502', '🔥']
    >>> tokens("接続できない")
    ['接続', '続で', 'でき', 'きな', 'ない']
    """
    return tokens_of_all([text])[0]


def tokens_of_all(texts: Sequence[str]) -> list[list[str]]:
    """What `tokens` gives of each text.

    Parameters
    ----------
    texts : sequence of str

    Returns
    -------
    list of list of str

    Notes
    -----
    Cost O(total characters), and a look for pieces between spaces that were met before: no word reaches over a space,
    and the same few thousand make up most texts.

    Examples
    --------
    >>> tokens_of_all(["no power", ""])
    [['no', 'power'], []]
    """
    pieces = [text.split() for text in texts]
    try:
        return [list(itertools.chain.from_iterable(map(_tokens_of_piece.__getitem__, row))) for row in pieces]
    except KeyError:
        pass
    # What is answered with is this call's own: another thread may clear what is remembered at any moment.
    known = {piece: _tokens_of_piece.get(piece) for piece in itertools.chain.from_iterable(pieces)}
    new = {piece: _tokens_of(piece) for piece, words in known.items() if words is None}
    found = {piece: new[piece] if words is None else words for piece, words in known.items()}
    if len(_tokens_of_piece) + len(new) > MOST_WORDS:
        _tokens_of_piece.clear()
    kept = ((piece, words) for piece, words in new.items() if len(piece) <= LONGEST_WORD)
    _tokens_of_piece.update(itertools.islice(kept, MOST_WORDS))
    return [list(itertools.chain.from_iterable(map(found.__getitem__, row))) for row in pieces]


def _tokens_of(piece: str) -> tuple[str, ...]:
    if piece.isascii():
        return tuple(_ASCII_TOKENS.findall(piece))
    word = piece.rstrip(_PLAIN_ENDS)
    if word.isalpha() and _UNSPACED_CHARACTER.search(word) is None:
        return (word,)  # letters alone are one word: what the pattern finds as well, five times as quick
    found: list[str] = []
    for match in _token_pattern().finditer(piece):
        word = match.group()
        if match.lastgroup == "unspaced" and len(word) > 2:
            found.extend(word[i : i + 2] for i in range(len(word) - 1))
        else:
            found.append(word)
    return tuple(found)


@functools.cache
def _token_pattern() -> re.Pattern[str]:
    # `\w` of the standard library leaves out combining marks, which would cut Hindi or Tamil words to pieces.
    # (Zero width joiners bind letters in those scripts as well.)
    letter = rf"[^\W{_UNSPACED}]"
    mark = f"[{_combining_marks()}\u200c\u200d]"
    word = rf"(?:{letter}|(?<=\w){mark}|(?<={mark}){mark})+"
    return re.compile(
        rf"(?P<unspaced>[{_UNSPACED}]+)|(?P<word>{word}(?:['’-]{word}|(?<=\d)\.(?=\d){word})*)|(?P<emoji>[{_EMOJI}])"
    )


@functools.cache
def _combining_marks() -> str:
    """All combining marks outside the unspaced scripts as ranges of a character class."""
    ranges: list[list[int]] = []
    for point in range(0x300, min(0x1F000, sys.maxunicode)):
        char = chr(point)
        # Variation selectors only say how an emoji is drawn.
        if (
            not unicodedata.category(char).startswith("M")
            or 0xFE00 <= point <= 0xFE0F
            or _UNSPACED_CHARACTER.match(char)
        ):
            continue
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)
