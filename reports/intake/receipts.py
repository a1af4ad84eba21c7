"""Receipts: a link only its reporter has, because only we can sign it. Nothing is stored for it.

The token carries the report's id; whoever holds the link may see how their report went on.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from binascii import b2a_base64
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer

from reports.errors import NotFound
from reports.intake.keyed import Keyed

_SALT = "outcry.receipt"
_CHARS_OF_16_BYTES, _CHARS_OF_32_BYTES = 22, 43  # of base64, without the "=" at its end
_URLSAFE = bytes.maketrans(b"+/", b"-_")  # RFC 4648 §5


def receipt_token(report_id: UUID) -> str:
    """Return the token of a report's receipt link: what Django's `Signer` makes, its key worked out once."""
    value = _urlsafe(report_id.bytes)[:_CHARS_OF_16_BYTES]
    signature = _urlsafe(_keyed(settings.SECRET_KEY).digest(value))
    return (value + b"." + signature[:_CHARS_OF_32_BYTES]).decode()


def _urlsafe(given: bytes) -> bytes:
    """Return what `base64.urlsafe_b64encode` returns, which takes twice as long."""
    return b2a_base64(given, newline=False).translate(_URLSAFE)


@lru_cache(maxsize=2)
def _keyed(secret_key: str) -> Keyed:
    """Return what signs, with the key that `django.utils.crypto.salted_hmac` derives."""
    return Keyed(hashlib.sha256(f"{_SALT}signer{secret_key}".encode()).digest())


def report_of(token: str) -> UUID:
    """Return the report a token was made for.

    Raises NotFound where the token was not signed by this installation.
    """
    try:
        return UUID(bytes=urlsafe_b64decode(Signer(salt=_SALT, sep=".").unsign(token) + "=="))
    except (BadSignature, ValueError, Base64Error) as error:
        raise NotFound("This receipt link is not complete. Copy the whole link from where you saved it.") from error
