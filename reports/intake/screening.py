"""What must not be stored is taken out of a text before it is stored. Pure.

Takes out e-mail addresses, phone numbers, card numbers (checked by Luhn's digit), bank accounts, tokens, keys and
passwords; each leaves a mark such as `[email]`, so that the sentence still reads. When in doubt about a secret it goes;
when in doubt about a number it stays, because error codes and order numbers are what clustering lives on.
"""

from __future__ import annotations

import re
from itertools import combinations_with_replacement
from typing import Final

_NAMES_OF_SECRETS = (  # in the languages whose speakers told us theirs
    r"(?i:password|passwort|passwd|pwd|secret|token|api[_-]?key|apikey|access[_-]?key"
    r"|contraseña|clave|mot de passe|senha)"
)

_MARK: Final = re.compile(r"\[(?:secret|email|account|card|phone)\]")
_DIGIT: Final = re.compile(r"\d")
_LETTERS_AND_DIGITS: Final = re.compile(r"[A-Z]{2}\d{2}")  # how an IBAN begins
_DIGITS_ALONE: Final = b"0123456789"
_NO_PART_OF_AN_IBAN: Final = bytes(set(range(128)) - set(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
_LEAST_PHONE_DIGITS: Final = 7
_LEAST_CARD_DIGITS: Final = 13
_LEAST_IBAN_CHARS: Final = 16
_LEAST_TOKEN_CHARS: Final = 32
# The four letters that match an ASCII letter when case is ignored, and are not made one by `casefold`.
_ODD_CASES: Final = ("\u0130", "\u0131", "\u017f", "\u212a")
_EMAIL: Final = re.compile(r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.)+[^\W\d_]{2,24}")
_URL_CREDENTIALS: Final = re.compile(r"(?<=://)[^/\s:@]{1,100}:[^/\s@]{1,100}(?=@)")
_ASSIGNED_SECRET: Final = re.compile(
    rf"\b({_NAMES_OF_SECRETS}\s*(?:=|:|\bis\b|\bist\b|\bes\b)\s*)(\"[^\"]+\"|'[^']+'|[^\s,;&]+)"
)
_BEARER: Final = re.compile(r"(?i)\b(bearer|basic)\s+([A-Za-z0-9._~+/=-]{12,})")
_KNOWN_TOKENS: Final = re.compile(
    r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?"  # JSON web tokens
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # AWS
    r"|\b(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,}"  # Stripe
    r"|\bsk-[A-Za-z0-9_-]{16,}"  # model APIs
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}|\bglpat-[A-Za-z0-9_-]{16,}"  # code hosts
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}"  # Slack
    r"|\bAIza[A-Za-z0-9_-]{30,}"  # Google
    r"|\bwhsec_[A-Za-z0-9+/=]{16,}|\boutcry_[A-Za-z0-9_-]{16,}"  # webhooks, ours
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)"
)
_LONG_TOKEN: Final = re.compile(
    # Letters and digits mixed in one piece, also as a part of an address (links that reset a password).
    r"(?<![\w+-])(?=[\w+-]*\d)(?=[\w+-]*[A-Za-z])[A-Za-z0-9_+-]{32,}={0,2}(?![\w-])"
    # Base64 with its strokes, but no address.
    r"|(?<![\w/+.:-])(?=[\w+/]*\d)(?=[\w+/]*[A-Z])(?=[\w+/]*[a-z])[A-Za-z0-9+/]{40,}={0,2}(?![\w/-])"
)
_IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")
# Up to 30 digits in groups, for a month and a code may stand beside the number. ISO 7812: money begins with 2 to 6.
_CARD: Final = re.compile(r"(?<![\w.+/-])\d(?:[ -]?\d){12,29}(?![\w-])")
_DIGITS: Final = re.compile(r"\d+")
_PHONE: Final = re.compile(
    r"(?<![\w.])(?:"
    r"(?:\+|00)\d{1,3}[\s./-]?(?:\(\d{1,5}\)[\s./-]?)?\d(?:[\s./-]?\d){5,12}"  # international
    r"|\(\d{2,5}\)[\s./-]?\d(?:[\s./-]?\d){4,9}"  # area code in brackets
    r"|0\d{1,4}[\s./-]\d(?:[\s./-]?\d){4,9}"  # national with a trunk 0 and a separator
    r"|\d{3}[\s.-]\d{3}[\s.-]\d{4}"  # North America
    r"|0\d{9,11}"  # national, in one piece
    r")(?!\w)(?!\.\d)"
)


def scrub(text: str) -> str:
    """Return the text with everything personal or secret replaced by a mark.

    Applying it twice changes nothing more. Cost: O(length), once for a text with nothing to hide, and then without
    running a pattern: each is asked only where the text holds what it can't do without.
    """
    if not text:
        return text
    # A mark can bare what stood too close to be seen ("+49 170 1234567(030)7654321"), so look until nothing is found.
    while (scrubbed := _scrub_once(text)) != text:
        text = scrubbed
    return text


def _scrub_once(text: str) -> str:
    if _may_hold_known_token(text):
        text = _KNOWN_TOKENS.sub("[secret]", text)
    folded = text.casefold()
    is_odd = not text.isascii() and any(letter in text for letter in _ODD_CASES)
    if is_odd or "bearer" in folded or "basic" in folded:
        text = _BEARER.sub(_hide_bearer, text)
    if is_odd or _may_name_a_secret(folded):
        text = _ASSIGNED_SECRET.sub(_hide_assigned, text)
    if "@" in text:
        text = _URL_CREDENTIALS.sub("[secret]", text)
        text = _EMAIL.sub("[email]", text)
    n_digits = _count_digits(text)
    return _scrub_digits(text, n_digits) if n_digits else text


def _scrub_digits(text: str, n_digits: int) -> str:
    """Replace what has a digit in it, in a text with so many."""
    if max(map(len, text.split())) >= _LEAST_TOKEN_CHARS:
        text = _LONG_TOKEN.sub(_hide_long_token, text)
    if _may_hold_iban(text):
        text = _IBAN.sub(_hide_iban, text)
    if n_digits >= _LEAST_CARD_DIGITS:
        text = _CARD.sub(_hide_card, text)
    if n_digits >= _LEAST_PHONE_DIGITS:
        text = _PHONE.sub("[phone]", text)
    return text


def _count_digits(text: str) -> int:
    """Return how many of the text's characters a pattern's "\\d" matches."""
    if text.isascii():  # by bytes a third of what the pattern takes
        return len(text) - len(text.encode().translate(None, _DIGITS_ALONE))
    return len(_DIGIT.findall(text))


def _may_hold_iban(text: str) -> bool:
    """Tell whether the text holds the beginning of an IBAN, and as many of its characters as the shortest has."""
    if text.isascii() and len(text.encode().translate(None, _NO_PART_OF_AN_IBAN)) < _LEAST_IBAN_CHARS:
        return False
    return _LETTERS_AND_DIGITS.search(text) is not None


def _may_hold_known_token(text: str) -> bool:
    """Tell whether the text holds the beginning that one of `_KNOWN_TOKENS` needs."""
    return (
        "_" in text  # sk_live_, ghp_, github_pat_, whsec_, outcry_
        or "eyJ" in text
        or "AKIA" in text
        or "ASIA" in text
        or "AIza" in text
        or ("-" in text and ("sk-" in text or "glpat-" in text or "xox" in text or "-----BEGIN" in text))
    )


def _may_name_a_secret(folded: str) -> bool:
    """Tell whether a casefolded text holds a part of one of `_NAMES_OF_SECRETS`."""
    return (
        "passw" in folded
        or "pwd" in folded
        or "secret" in folded
        or "token" in folded
        or "key" in folded
        or "contrase" in folded
        or "clave" in folded
        or "mot de passe" in folded
        or "senha" in folded
    )


def _hide_bearer(match: re.Match[str]) -> str:
    # "basic functionality" tells a problem, "basic dXNlcjpwYXNz" a secret: a secret is no plain word.
    word = match.group(2).rstrip(".-/")
    if word.isalpha() and (word.islower() or word.istitle() or word.isupper()):
        return match.group(0)
    return f"{match.group(1)} [secret]"


def _hide_assigned(match: re.Match[str]) -> str:
    value = match.group(2)
    if _MARK.match(value):
        return match.group(0)
    # "my password is wrong" tells a problem, "my password is hunter2" a secret: a secret has a digit or a sign in it.
    if not re.search(r"[=:]", match.group(1)) and value.rstrip(".!?").isalpha():
        return match.group(0)
    return f"{match.group(1)}[secret]"


def _hide_long_token(match: re.Match[str]) -> str:
    # A path or a run of words joined by strokes is no key: keys have few separators for their length.
    token = match.group(0)
    return (
        token if sum(token.count(sign) for sign in "/-_") > len(token) / 8 and not _is_uuid_like(token) else "[secret]"
    )


def _is_uuid_like(token: str) -> bool:
    return re.fullmatch(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", token) is not None


def _hide_iban(match: re.Match[str]) -> str:
    """Hide what passes the check of ISO 13616 (remainder 1 modulo 97)."""
    account = match.group(0).replace(" ", "")
    digits = "".join(str(int(character, 36)) for character in account[4:] + account[:4])
    return "[account]" if int(digits) % 97 == 1 else match.group(0)


def _hide_card(match: re.Match[str]) -> str:
    """Hide the groups of digits that are a card, and keep what stands around it, such as its month and year."""
    groups = list(_DIGITS.finditer(match.group(0)))
    for first, last in combinations_with_replacement(groups, 2):
        if len(first.group(0)) < 4:  # cards are printed in groups that begin with four; lists of numbers are no cards
            continue
        start, end = first.start(), last.end()
        digits = [int(character) for character in match.group(0)[start:end] if character.isdigit()]
        if 13 <= len(digits) <= 19 and 2 <= digits[0] <= 6 and len(set(digits)) > 1 and _passes_luhn(digits):
            return f"{match.group(0)[:start]}[card]{match.group(0)[end:]}"
    return match.group(0)


def _passes_luhn(digits: list[int]) -> bool:
    """Check the last digit as ISO/IEC 7812-1 annex B says."""
    doubled = [
        digit if place % 2 == 0 else (2 * digit - 9 if digit > 4 else 2 * digit)
        for place, digit in enumerate(reversed(digits))
    ]
    return sum(doubled) % 10 == 0
