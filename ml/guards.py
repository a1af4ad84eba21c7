"""What keeps reports apart that only look alike: the error codes and versions they name, and the country they are from.

Invariant: two reports with different guards never share a micro-cluster; a text that names nothing has no guard and
stays apart from none. Works on texts as they were typed, in every language. Not here: how much less alike a different
guard makes two groups (`refine`).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np

from ml.text import normalise
from ml.types import IntArray

# What is written in hexadecimal or with letters and digits and calls itself an error: 0x80070005, err_10060, ORA-01017,
# SSL_ERROR_42, E-1020.
_CODE = re.compile(r"\b(?:0x[0-9a-f]{3,8}|[a-z]{1,4}-\d{2,5}|(?:[a-z]+_)*err(?:or)?[_-]?[a-z_]*\d{1,5})\b")
# A number of three or four digits (or one such as 5xx) right after or before a word for error, or alone with "http".
_WORDS: Final = (
    r"http|https|status|code|codes|error|errors|err|errore|erreur|fehler|fehlercode|erro|código|codigo|fout|foutcode|"
    r"hata|kod|kodu|ошибка|ошибку|код|błąd|blad|エラー|错误|错误码|خطأ|رمز"
)
_NUMBER = re.compile(
    rf"(?:{_WORDS})\b[\s:#=]*(?:no\.?|nr\.?|code|number|kodu?)?[\s:#=]*([1-9]\d{{1,4}}|[45]xx)\b"
    rf"|\b([1-9]\d{{2,4}}|[45]xx)[\s-]+(?:{_WORDS}|bad|gateway|gone|forbidden|unauthorized|service|internal|not|too)\b"
)
# A status of HTTP says what it is without any word beside it, where the number stands for itself.
_STATUS = re.compile(
    r"(?<![\w.,:/$€£#-])(?:40[0-9]|41[0-9]|42[0-9]|429|451|50[0-9]|51[01]|52[0-9]|530)(?![\w.,:/%€$£-]*\d|[\w%€$£])"
)
# Gateways answer with any of these for one and the same failure behind them.
_GATEWAY: Final = frozenset(("502", "503", "504"))
_VERSION = re.compile(
    r"\bv?(\d{1,4}\.\d{1,4}(?:\.\d{1,5}){1,2})\b|\b(?:v|version|ver|build|release|versión|versão)\.?\s?(\d{1,4}(?:\.\d{1,4})?)\b"
)
MAX_GUARD_CHARS: Final = 40
_BITS: Final = 20  # of a country in a kind
_MAX_CHARS: Final = 2_000


def guard_of(text: str) -> str:
    """The code a report names, otherwise the version, otherwise "".

    Parameters
    ----------
    text : str
        As typed.

    Returns
    -------
    str
        At most 40 characters; the same for different ways to write it. 502, 503 and 504 are one: `50x`.

    Notes
    -----
    Cost O(len(text)), cut at 2,000 characters.

    Examples
    --------
    >>> [guard_of(text) for text in ("Error 404!", "HTTP 503", "504 gateway timeout", "since v4.2.1", "no power")]
    ['404', '50x', '50x', 'v4.2.1', '']
    """
    text = text[:_MAX_CHARS]
    if not any(char.isdigit() for char in text):
        return ""
    lowered = normalise(text)
    if (found := _CODE.search(lowered)) is not None:
        return found.group()[:MAX_GUARD_CHARS]
    if (found := _NUMBER.search(lowered)) is not None:
        number = found.group(1) or found.group(2)
        return "50x" if number in _GATEWAY else number
    if (found := _STATUS.search(lowered)) is not None:
        return "50x" if found.group() in _GATEWAY else found.group()
    # Versions are looked for in the text as typed: "4.2.1" may be taken for a date when texts are normalised.
    if (found := _VERSION.search(text.casefold())) is not None:
        return f"v{found.group(1) or found.group(2)}"[:MAX_GUARD_CHARS]
    return ""


def kinds_of(guards: Sequence[str], regions: Sequence[str]) -> IntArray:
    """One number for what reports of a micro-cluster share beside wording: the code they name and their country.

    Parameters
    ----------
    guards : sequence of str
        As `guard_of` gives them.
    regions : sequence of str
        ISO 3166-1 or -2; "" where unknown. Only the country counts.

    Returns
    -------
    ndarray of shape (n,), int64

    Examples
    --------
    >>> kinds = kinds_of(["", "404", "404"], ["", "DE-BY", "DE"])
    >>> int(kinds[0]), bool(kinds[1] == kinds[2])
    (0, True)
    """
    return np.array(
        [
            (guard_number(guard) << _BITS) | country_number(region)
            for guard, region in zip(guards, regions, strict=True)
        ],
        dtype=np.int64,
    )


def parts_of(kinds: IntArray) -> tuple[IntArray, IntArray]:
    """Guard and country numbers of each kind, 0 for none.

    Examples
    --------
    >>> guards, countries = parts_of(kinds_of(["404"], ["DE"]))
    >>> bool(guards[0] == guard_number("404")), bool(countries[0] == country_number("DE"))
    (True, True)
    """
    return kinds >> _BITS, kinds & ((1 << _BITS) - 1)


def country_number(region: str) -> int:
    """A number for the country of a region, 0 for none.

    Examples
    --------
    >>> country_number(""), country_number("US-CA") == country_number("US") > 0
    (0, True)
    """
    country = region[:2].upper()
    if len(country) < 2 or not country.isascii():
        return 0
    return ord(country[0]) * 128 + ord(country[1])


def guard_number(guard: str) -> int:
    """A number for a guard, 0 for none; two guards of one service have the same once in billions.

    Examples
    --------
    >>> guard_number(""), guard_number("404") > 0
    (0, True)
    """
    return zlib.crc32(guard.encode()) + 1 if guard else 0
