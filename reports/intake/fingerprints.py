"""Telling reporters apart without knowing them: keyed hashes under a salt that changes every day and is then forgotten.

A network address enters here and goes no further. After the salts of a day are deleted (`forget_expired`), nobody can
find out whether a fingerprint belongs to an address, not even with the whole database.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache

from django.db import InterfaceError, OperationalError

from reports.intake import availability
from reports.intake.keyed import Keyed
from reports.models import FingerprintSalt

SALT_BYTES = 32
KEEP_DAYS = 2  # a salt outlives its day by the longest window that compares fingerprints, with room
ANONYMOUS = b""
_DAY = timedelta(days=1)
# From so many words on the same wording is a copy. Short complaints are alike because the trouble is; of 812 reports of
# a real blackout the copied ones were headlines and appeals of 8 words and more.
OWN_WORDING_WORDS = 8
_WORD = re.compile(r"\w+")
_LINK_OR_ADDRESSEE = re.compile(r"https?://\S+|@\w+")

_salts: dict[date, bytes] = {}  # per process; rows never change


def salt_of(day: date) -> bytes:
    """Return the day's salt, made by whoever asks first. The next day's is made with it: a database that is away at
    midnight must not stop the intake.

    Concurrency: two processes that make it at once both read the one row that won. Raises what the database raises that
    is away, where the salt is not remembered.
    """
    if day not in _salts:
        _read_salts(day)
    elif day + _DAY not in _salts and not availability.is_away():
        try:
            _read_salts(day)
        except (OperationalError, InterfaceError):
            availability.note_away()
    return _salts[day]


def _read_salts(day: date) -> None:
    days = (day, day + _DAY)
    FingerprintSalt.objects.bulk_create(
        [FingerprintSalt(day=each, salt=os.urandom(SALT_BYTES)) for each in days], ignore_conflicts=True
    )
    found = {row.day: bytes(row.salt) for row in FingerprintSalt.objects.filter(day__in=days)}
    for old in [known for known in list(_salts) if known < day - timedelta(days=KEEP_DAYS)]:
        _salts.pop(old, None)  # other threads do the same at midnight
    _salts.update(found)


def has_salt_of(day: date) -> bool:
    """Tell whether the salts of the day and the next are at hand, so that fingerprints of the day cost no query."""
    return day in _salts and day + _DAY in _salts


def fingerprint(*parts: str, at: datetime) -> bytes:
    """Return 16 bytes that are the same for the same parts on the same day, and tell nothing else.

    Returns ANONYMOUS where every part is empty: nothing tells the reporter apart, and each report counts for itself.
    """
    if not any(parts):
        return ANONYMOUS
    return _told_apart(salt_of(at.date()), parts)


def still_known(kind: str, *, parts: Iterable[Sequence[str]], now: datetime) -> list[bytes]:
    """Return the fingerprints that these parts had on the days whose salts are kept; makes no salt. Queries: one.

    `parts` are what stands behind the kind in `fingerprint(kind, *parts)`, one sequence for each of those asked for.
    """
    since = now.date() - timedelta(days=KEEP_DAYS)
    salts = [bytes(salt) for salt in FingerprintSalt.objects.filter(day__gte=since).values_list("salt", flat=True)]
    return [_told_apart(salt, (kind, *each)) for each in parts for salt in salts]


def _told_apart(salt: bytes, parts: Sequence[str]) -> bytes:
    return _keyed(salt).digest("\x00".join(parts).encode())[:16]


@lru_cache(maxsize=2)
def _keyed(salt: bytes) -> Keyed:
    """Return what makes a day's fingerprints."""
    return Keyed(salt)


def network_of(address: str) -> str:
    """Return the network an address lies in, /24 or /48: about what one office, household or provider's street shares.

    "" for what is no address.

    >>> network_of("192.0.2.7"), network_of("::ffff:192.0.2.9"), network_of("2001:db8:1:2::3"), network_of("unix")
    ('192.0.2.0/24', '192.0.2.0/24', '2001:db8:1::/48', '')
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))


def wording(text: str) -> str:
    """Return a long text without case, punctuation, links and addressees; "" for a short one.

    Where nothing else tells reporters apart, their words do: two people write "can't log in", but not the same
    eight words.
    """
    words = _WORD.findall(_LINK_OR_ADDRESSEE.sub(" ", text.casefold()))
    return " ".join(words) if len(words) >= OWN_WORDING_WORDS else ""


def forget_salts(*, now: datetime) -> int:
    """Delete the salts whose day is over for good; return how many."""
    return FingerprintSalt.objects.filter(day__lt=now.date() - timedelta(days=KEEP_DAYS)).delete()[0]


def forget_remembered_salts() -> None:
    """Empty this process's memory of salts: for a process that changes its database (tests, replay)."""
    _salts.clear()
    _keyed.cache_clear()
