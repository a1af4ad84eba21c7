"""What keeps reports apart that only look alike: the codes, versions and products they name, and their country.

Invariant: two reports with different guards never share a micro-cluster; a text that names nothing has no guard and
stays apart from none. So a guard given wrongly does harm and one that is missed does little: a number counts as a code
only by what stands beside it. Works on texts as they were typed, in every language. Not here: how names of products are
learnt (`names`), and how much less alike a different guard makes two groups (`refine`).
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np

from ml.names import named_in
from ml.types import IntArray

_URL = re.compile(r"(?:https?://|www\.)\S+|(?<![\w@.])@\w+")

# Words for an error. A number right after one is its code.
_ERROR: Final = (
    r"errors?|errorcode|errcode|err|eror|erreurs?|fehler|fehlercodes?|fehlermeldung|fehlernummer|errore|errori|erros?|"
    r"errores|fout|fouten|foutcode|foutmelding|fel|felkod|felmeddelande|fejl|fejlkode|feil|feilkode|virhe|virhekoodi|"
    r"błąd|błędu|błędem|blad|chyba|chyby|hiba|hibakód|eroare|eroarea|hata|hatası|kesalahan|galat|ralat|lỗi|greška|"
    r"ошибк\w{1,3}|помилк\w{1,3}|грешк\w{1,3}|σφάλμα\w*|σφάλματος|"
    r"エラー|エラーコード|错误|错误码|错误代码|報錯|报错|錯誤|錯誤碼|錯誤代碼|에러|에러코드|오류|오류코드|"
    r"(?:ال)?خطا|(?:ال)?خطأ|שגיאה|שגיאת|त्रुटि|एरर|ข้อผิดพลาด"
)
# Words for any code: the number must be a status of HTTP. What stands before "code" may say that it is another's.
_CODE_WORD: Final = (
    r"https?(?:/[\d.]+)?|status|codes?|código|codigo|codice|kode|kod|kodu|kód|код|κωδικός|"
    r"コード|代码|代碼|코드|رمز|كود|קוד"
)
_OTHER_CODE = re.compile(
    r"(?:area|zip|post|postal|promo|discount|coupon|voucher|gift|pin|verification|sms|otp|2fa|security|access|country|"
    r"dial|dialling|dialing|qr|bar|my|your|mein|meinen|mon|mi|meu)[\s-]+$"
)
# What may stand between the word and its code.
_BETWEEN: Final = (
    r"(?:[\s:=#№(\[\"'_,-]|(?:http|https|status|code|codes|no|nr|num|number|numéro|número|numero|nummer|n°|is|was|ist|"
    r"koodi|kodu|kode|kod|kód|cod|code|código|codigo|codice|код|номер|message|meldung|コード|代码|代碼|码|碼|코드|رقم|رمز|"
    r"कोड|รหัส)(?![^\W\d_])\.?){0,8}"
)
# What follows shows that a number counts, or is a time, an amount or part of a longer number.
_COUNTED: Final = (
    r"(?!\d|[.,:/’']\d|\s?[%€$£¥₹₽+°]|[^\W\d_](?<![\u3000-\uffef])|\s*[-–]\s*\d+\s*(?:min|sec|h\b)|"
    r"\s?(?:percent|prozent|times?|x|mal|fois|veces|vezes|volte|keer|gånger|razy|раз\w*|kez|defa|"
    r"s|ms|sec\w*|sek\w*|seg\w*|сек\w*|min|mins|minut\w*|мин\w*|dakika\w*|h|hr|hrs|hours?|std|stunden?|heures?|horas?|"
    r"ore|uur|godzin\w*|час\w*|saat\w*|days?|tag|tage|tagen|jours?|días?|dias?|giorn\w+|dagen|dni|дн\w+|день|gün\w*|"
    r"weeks?|wochen?|semaines?|semanas?|months?|monate?n?|mois|mes|meses|years?|yrs?|jahre?n?|ans|años|anos|am|pm|uhr|"
    r"usd|eur|euros?|gbp|dollars?|bucks|pounds?|pesos?|rupees?|rs|inr|reais|tl|lira|zł|zl|pln|kr|kč|руб\w*|"
    r"k|m|km|g|gb|mb|kb|mbps|mbit|kbps|people|users|customers|more|of\s(?:the\s|my\s)?time)\b|"
    r"\s?(?:円|元|人|万|千|名|台|件|個|个|年|月|日|時|时|分|秒|回|次|度|원|명|번|개|시|분|초|년|월|일|บาท|ครั้ง|นาที))"
)
_AFTER_ERROR = re.compile(
    rf"(?:(?<![^\W\d_])|(?<=[\u3000-\uffef]))(?:{_ERROR}){_BETWEEN}"
    rf"(?P<code>(?!(?:19|20)\d\d(?!\d))[1-9]\d{{1,7}}|"
    rf"(?!ios|win|wifi|v\d)[a-z]{{1,4}}-?\d{{2,6}}(?:-\d{{1,6}})*)(?:\.\d{{1,2}}(?!\d))?{_COUNTED}"
)
_STATUS: Final = r"(?:40[0-9]|41[0378]|42[2469]|431|451|50[0-578]|511|52[0-7]|530)"
_AFTER_CODE_WORD = re.compile(
    rf"(?:(?<![^\W\d_])|(?<=[\u3000-\uffef]))(?P<word>{_CODE_WORD}){_BETWEEN}"
    rf"(?P<code>{_STATUS})(?:\.\d{{1,2}}(?!\d))?{_COUNTED}"
)
# 404 error, 500er-Fehler, 502 Bad Gateway, 404 page not found.
_REASONS: Final = (
    r"bad\s?gateway|bad\s?request|gateway|(?:page\s|file\s|url\s)?not\s?found|forbidden|unauthori[sz]ed|"
    r"internal\sserver|server\serror|(?:service\s)?(?:temporarily\s)?unavailable|time-?\s?out|timed?\sout|"
    r"too\smany\s(?:requests|redirects)|method\snot|access\sdenied|web\sserver|origin\s|proxy|"
    r"seite\snicht|interner\sserver|page\s(?:non|introuvable)|página\snão|página\sno|no\sencontrad|non\strovat|"
    r"не\sнайден|страница\sне"
)
_BEFORE_ERROR = re.compile(
    rf"(?<![\w.,:/$€£#+-])(?P<code>{_STATUS})(?:er)?[\s:(–-]*(?:http[\s-]+)?(?:status[\s-]+)?"
    rf"(?:(?:{_ERROR})(?!\s?(?:messages?|reports?|meldungen))(?![^\W\d_](?<![\u3000-\uffef]))|(?:{_REASONS}))"
)
# A status that stands for itself: alone, or said to be got, shown or returned, and nothing is counted with it.
_ALONE = re.compile(
    rf"(?:^[^\w€$£¥₹+-]*|(?<!\bno)(?<!\bnr)(?<!\bapt)(?<!\bst)[.!?;:(\[\"]\s+|[(\[\"]|(?:显示|出现|提示|に|で|が)\s?|\bhttp/|\b(?:a|an|get|gets|getting|got|gives?|giving|returns?|returning|returned|says|"
    rf"shows?|showing|throws?|throwing|see|seeing|http|cloudflare|nginx|then|with|fails?|failed|mit|avec|con|com|met|med|с|"
    rf"ein|eine|einen|den|kommt|bekomme|zeigt|nur|un|une|affiche|una|uno|sale|dá|um|uma|ошибку|выдаёт|"
    rf"выдает|пишет|een|krijg|bir|veriyor)\s+)"
    rf"(?P<code>{_STATUS})(?:(?P<plural>s|er|ka|ки)\b)?(?=\s*$|\s*[.!?;)\]\"](?!\s?\d)|\s*,(?!\s?\d)|\s+[-–—]\s+(?!\d)|"
    rf"\s+(?:when\w*|on|after|every\w*|again|since|while|whenever|if|or|but|now|today|then|responses?|pages?|status|"
    rf"code|codes|please|pls|plz|help|at|in|login|log|sign|checkout|and\s\d|all\sthe\stime|from\s(?:the|your)|for\s(?:the|all|every)|bei|beim|wenn|seit|und|auf|quand|"
    rf"lors|sur|depuis|cuando|desde|quando|ao|al|при|когда|на|после|bij|als|wanneer)\b|"
    rf"\s?(?:が|と|エラー|を|も|は|で|的|错))"
)
# 404s everywhere, 500er beim Login; `_STATUS` alone, for nobody counts in plurals of numbers but of years.
_PLURAL = re.compile(rf"(?<![\w.,:/$€£#+-]){_STATUS}(?=(?:s|er|'s|’s)\b(?!\s+(?:series|plan|club|jeans)))")
# Codes that say so themselves: 0x80070005, ERR_CONNECTION_RESET, SSL_ERROR_42, ORA-01017, NW-2-5, CE-108255-1.
_SELF_EVIDENT = re.compile(
    r"(?<![\w-])(?:0x[0-9a-f]{3,8}|(?:[a-z]+_)*err(?:or)?_(?!code|mess|msg|id\b|no\b|num|log|report)[a-z0-9]+(?:_[a-z0-9]+)*|err[_-]?\d{1,5}|"
    r"(?:ora|tns|e)-(?!(?:19|20)\d\d\b)\d{3,5}|(?:nw|ui|ce|np|ws|wv|su)-\d{1,6}-\d{1,5}|m7\d{3}-\d{4}|"
    r"tvq-[a-z]{2}-\d{2,4})(?![\w-])"
)
_VERSION_WORD: Final = (
    r"version|versión|versão|versione|versie|wersj\w{1,2}|верси\w{1,2}|версі\w{1,2}|sürüm\w{0,3}|verzió|verze|versiune\w?|"
    r"έκδοση|संस्करण|バージョン|版本|버전|إصدار|الإصدار|גרסה"
)
_PREFIXED_VERSION = re.compile(
    rf"(?<!\w)(?:{_VERSION_WORD}|ver|release|v)[\s.:]{{0,2}}(?P<dotted>\d{{1,4}}(?:\.\d{{1,5}}){{1,3}})(?![\w.]*\d)|"
    rf"(?<![^\W\d_])(?:{_VERSION_WORD})\s?(?P<whole>\d{{1,4}})(?![.,/]\d)\b|"
    rf"\bbuild[\s#:]{{0,2}}(?P<build>(?!(?:19|20)\d\d\b)\d{{4,6}})\b"
)
_BARE_VERSION = re.compile(r"(?<![\w.,:/$€£+-])\d{1,4}(?:\.\d{1,5}){2,3}(?![\w%€]|[.,:/-]\d)")
# 1.5.2024, 07.04.15, 2024.5.1, 1.000.000: a day or an amount, unless a word for versions says otherwise.
_DATE_OR_AMOUNT = re.compile(
    r"(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|[12]\d|3[01])\.(?:(?:19|20)\d\d|[0-3]\d)|"
    r"(?:19|20)\d\d\.\d{1,2}\.\d{1,2}|\d{1,3}(?:\.\d{3})+"
)
# Gateways answer with any of these for one and the same failure behind them.
_GATEWAY: Final = frozenset(("502", "503", "504"))
MAX_GUARD_CHARS: Final = 40
_DIGIT_OR_JOIN = re.compile(r"[0-9_]")
# Holds "_", all that `str.isdigit` calls a digit (superscripts and numbers in circles are none to \d), and a few more.
_PERHAPS_DIGIT = re.compile(
    r"[\d_\u00b2\u00b3\u00b9\u1369-\u1371\u19da\u2070-\u2089\u2460-\u2792\U00010a40-\U0001f10a]"
)
_BITS: Final = 20  # of a country in a kind
MAX_CHARS: Final = 2_000  # of a text; bounds the time that one hostile report takes


def guard_of(text: str, *, names: frozenset[str] = frozenset()) -> str:
    """The code a report names, otherwise the version, otherwise the product, otherwise "".

    Parameters
    ----------
    text : str
        As typed.
    names : frozenset of str, optional
        Of products and features (`ml.names.learnt_names`); a text that names several has no guard by them.

    Returns
    -------
    str
        At most 40 characters; the same for different ways to write it. 502, 503 and 504 are one: `50x`. Families of
        codes (`5xx`) name none.

    Notes
    -----
    Cost O(len(text)), cut at 2,000 characters.

    Examples
    --------
    >>> [guard_of(text) for text in ("Error 404!", "HTTP 503", "504 gateway timeout", "since v4.2.1", "no power")]
    ['404', '50x', '50x', 'v4.2.1', '']
    >>> [guard_of(text) for text in ("500 people", "room 404", "error for 20 minutes", "$503 gone", "iPhone 15")]
    ['', '', '', '', '']
    >>> guard_of("Apple pay declined", names=frozenset(("apple pay", "google pay")))
    'apple pay'
    """
    text = text[:MAX_CHARS]
    return _code_or_version(text) or (named_in(text, names) if names else "")


def guards_of(texts: Sequence[str]) -> list[str]:
    """The guard of each text, as `guard_of` gives it without names.

    Parameters
    ----------
    texts : sequence of str
        As typed.

    Returns
    -------
    list of str of length n

    Notes
    -----
    Cost O(total characters); half a microsecond where no digit is, as in most texts.

    Examples
    --------
    >>> guards_of(["Error 404!", "no power"])
    ['404', '']
    """
    search = _DIGIT_OR_JOIN.search
    return ["" if text.isascii() and search(text) is None else guard_of(text) for text in texts]


def _code_or_version(text: str) -> str:
    text = _prepared(text)
    if not text:
        return ""
    if (found := _SELF_EVIDENT.search(text)) is not None:
        return found.group()[:MAX_GUARD_CHARS]
    code = _code(text)
    if code:
        return "50x" if code in _GATEWAY else code[:MAX_GUARD_CHARS]
    version = _version(text)
    return f"v{version}"[:MAX_GUARD_CHARS] if version else ""


def _prepared(text: str) -> str:
    """Case folded, with digits of every script as 0-9, without links and names; "" if it can name nothing."""
    if text.isascii():
        if _DIGIT_OR_JOIN.search(text) is None:
            return ""
    elif _PERHAPS_DIGIT.search(text) is None or ("_" not in text and not any(map(str.isdigit, text))):
        return ""
    text = text.casefold()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).casefold()
        text = "".join(str(unicodedata.digit(char)) if char > "\x7f" and char.isdecimal() else char for char in text)
    return _URL.sub(" ", text)


def _code(text: str) -> str:
    if (found := _AFTER_ERROR.search(text)) is not None:
        return found.group("code")
    for found in _AFTER_CODE_WORD.finditer(text):
        if _OTHER_CODE.search(text, max(found.start() - 20, 0), found.start()) is None:
            return found.group("code")
    if (found := _BEFORE_ERROR.search(text)) is not None:
        return found.group("code")
    if (found := _ALONE.search(text)) is not None:
        return found.group("code")
    return "" if (found := _PLURAL.search(text)) is None else found.group()


def _version(text: str) -> str:
    if (found := _PREFIXED_VERSION.search(text)) is not None:
        return found.group("dotted") or found.group("whole") or found.group("build")
    for found in _BARE_VERSION.finditer(text):
        parts = found.group().split(".")
        is_address = len(parts) == 4 and all(int(part) < 256 for part in parts)
        if not is_address and _DATE_OR_AMOUNT.fullmatch(found.group()) is None:
            return found.group()
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
