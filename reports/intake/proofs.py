"""Proof of work in ALTCHA's format (version 1): a number that takes a browser a moment to find, and us a hash to check.

A challenge is the SHA-256 of a salt and a secret number; whoever finds the number has worked. It is signed, so nothing
is stored for it; it ends with its salt's `expires`, and counts once (`buckets.is_first_time`). The salt ends with "&",
so that no digit of the number can be moved into it. No network, no third party: docs at altcha.org.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from base64 import b64decode
from binascii import Error as Base64Error
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs

from django.conf import settings
from django.utils.crypto import salted_hmac

from reports.intake.buckets import is_first_time

ALGORITHM: Final = "SHA-256"
VALID_FOR: Final = timedelta(minutes=10)  # it is asked for when the form is sent, so this is generous
MAX_PROOF_CHARS: Final = 2_000
_KEY_SALT: Final = "outcry.proof"


def new_challenge(*, now: datetime) -> dict[str, Any]:
    """Return a challenge, as ALTCHA's widgets and libraries read it."""
    salt = f"{secrets.token_hex(12)}?expires={int((now + VALID_FOR).timestamp())}&"
    challenge = _digest(salt, secrets.randbelow(settings.PROOF_OF_WORK + 1))
    return {
        "algorithm": ALGORITHM,
        "challenge": challenge,
        "maxnumber": settings.PROOF_OF_WORK,
        "salt": salt,
        "signature": _signature(challenge),
    }


def is_proof(word: str, *, now: datetime) -> bool:
    """Tell whether this is the solution of a challenge of ours, in time, and for the first time."""
    if not word or len(word) > MAX_PROOF_CHARS:
        return False
    try:
        told = json.loads(b64decode(word, validate=True))
    except (Base64Error, ValueError, RecursionError):
        return False
    if not isinstance(told, dict) or told.get("algorithm") != ALGORITHM:
        return False
    challenge, salt, number, signature = (told.get(name) for name in ("challenge", "salt", "number", "signature"))
    if not (isinstance(challenge, str) and isinstance(salt, str) and isinstance(signature, str)):
        return False
    if type(number) is not int or number < 0 or not salt.endswith("&"):
        return False
    if not hmac.compare_digest(_signature(challenge).encode(), signature.encode()):
        return False
    if not hmac.compare_digest(_digest(salt, number).encode(), challenge.encode()):
        return False
    left = _expires(salt) - now.timestamp()
    return left > 0 and is_first_time(f"proof:{challenge}", keep_seconds=left + 1)


def _digest(salt: str, number: int) -> str:
    return hashlib.sha256(f"{salt}{number}".encode()).hexdigest()


def _signature(challenge: str) -> str:
    return salted_hmac(_KEY_SALT, challenge, algorithm="sha256").hexdigest()


def _expires(salt: str) -> float:
    found = parse_qs(salt.partition("?")[2]).get("expires", [""])[0]
    return float(found) if found.isdecimal() else 0.0
