"""Keys of integrations: made, recognised, revoked.

The secret is shown once, by `create_key`, and never stored: what we keep and compare is its SHA-256 (it holds 238
random bits, so nothing slower is needed, and looking a digest up tells nothing by its timing). All keys are remembered
for `REMEMBER_SECONDS` by each process: a revoked key is refused everywhere after that time at the latest, and at once
in the process that revoked it. While the database is away the last copy serves on. Who may manage keys is not asked
here.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from django.db import InterfaceError, OperationalError
from django.db.models import Q

from reports.enums import Scope
from reports.errors import InvalidInput, NotFound, ReportsError, StoreUnavailable
from reports.intake import availability
from reports.intake.remembered import TableCopy
from reports.models import ApiKey

logger = logging.getLogger(__name__)

TOUCH_INTERVAL = timedelta(minutes=1)  # how exact `last_used_at` is
MAX_NAME_CHARS = 100
MAX_REMEMBERED_SECRETS = 256  # of those that were asked with, right or wrong; in memory alone

_ALPHABET = string.ascii_letters + string.digits  # one double-click selects a whole key
_PREFIX_CHARS = 8
_RANDOM_CHARS = 40
_SHAPE = re.compile(rf"outcry_[A-Za-z0-9]{{{_PREFIX_CHARS}}}_[A-Za-z0-9]{{{_RANDOM_CHARS}}}\Z")


class KeyRevoked(ReportsError):
    """The key was right once and has been revoked: ask for a new one."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made. `secret` is known here and to whoever it is shown to, and to nobody later."""

    id: int
    name: str
    prefix: str
    secret: str


@dataclass(frozen=True, slots=True)
class KnownKey:
    """The key a request came with."""

    id: int
    name: str
    scopes: frozenset[Scope]


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as people see it in a list."""

    id: int
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    created_by: str
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Remembered:
    key: KnownKey
    is_revoked: bool


_touched: dict[int, datetime] = {}


def create_key(*, name: str, scopes: Iterable[str], created_by_id: int | None, now: datetime) -> NewKey:
    """Make a key and return it with its secret, which can't be had again.

    Raises InvalidInput for an empty or over-long name, no scope or an unknown one, and for `public` beside another.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= MAX_NAME_CHARS or not name.isprintable():
        raise InvalidInput(
            f"A key's name has 1 to {MAX_NAME_CHARS} printable characters. Name it after what will use it."
        )
    wanted = tuple(scopes)
    if unknown := [scope for scope in wanted if scope not in Scope.values]:
        raise InvalidInput(f"{unknown[0]!r} is no scope. Choose from: {', '.join(Scope.values)}.")
    if not wanted:
        raise InvalidInput(f"A key without a scope may do nothing. Choose at least one of: {', '.join(Scope.values)}.")
    if Scope.PUBLIC in wanted and set(wanted) != {Scope.PUBLIC}:
        raise InvalidInput(
            f"A key of the scope {Scope.PUBLIC.value!r} stands in web pages for everybody to read, so it may do nothing"
            " else. Make another key for the rest."
        )
    prefix = _random(_PREFIX_CHARS)
    secret = f"outcry_{prefix}_{_random(_RANDOM_CHARS)}"
    row = ApiKey.objects.create(
        name=name,
        prefix=prefix,
        digest=_digest(secret),
        scopes=[scope.value for scope in Scope if scope in wanted],
        created_by_id=created_by_id,
        created_at=now,
    )
    forget_keys()
    return NewKey(row.pk, name, prefix, secret)


def authenticate_key(secret: str, *, now: datetime) -> KnownKey | None:
    """Return the key with this secret, or None where there is none.

    Queries: none while the keys are remembered, but for one UPDATE a minute and key that notes the use.
    Raises KeyRevoked, and StoreUnavailable where the keys can't be read.
    """
    digest = _digest_of_key(secret)
    if digest is None:
        return None
    try:
        found = table.find(digest)
    except (OperationalError, InterfaceError) as error:
        raise _unreadable() from error
    if found is None:
        return None
    if found.is_revoked:
        raise KeyRevoked(f"The API key {found.key.name!r} has been revoked. Ask staff for a new one.")
    _touch(found.key.id, now=now)
    return found.key


def remembered_key(secret: str, *, now: datetime) -> KnownKey | None:
    """Return the key with this secret if that can be told without a query, and None whenever a query is due.

    None also for a key that is not known or revoked: `authenticate_key` tells which.
    """
    digest = _digest_of_key(secret)
    found = table.recall(digest) if digest is not None else None
    if found is None or found.is_revoked:
        return None
    last = _touched.get(found.key.id)
    is_noted = last is not None and now - last < TOUCH_INTERVAL
    # While the database is away its use can't be noted, and is no reason to wait.
    return found.key if is_noted or availability.is_away() else None


def age_seconds() -> float:
    """Return how long ago the table was read."""
    return table.age_seconds()


def read_again() -> None:
    """Read the table now, so that nobody has to wait for it when it would have been due. Queries: one.

    Raises StoreUnavailable.
    """
    try:
        table.read_again()
    except (OperationalError, InterfaceError) as error:
        raise _unreadable() from error


def revoke_key(*, key_id: int, now: datetime) -> KeyRow:
    """Refuse the key from now on; doing it again changes nothing.

    Raises NotFound.
    """
    ApiKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=now)
    forget_keys()
    row = ApiKey.objects.select_related("created_by").filter(pk=key_id).first()
    if row is None:
        raise NotFound(f"There is no API key {key_id}.")
    return _as_row(row)


def list_keys() -> tuple[KeyRow, ...]:
    """Return all keys, the ones in use first, the newest first. Queries: one."""
    rows = ApiKey.objects.select_related("created_by").order_by("-created_at", "-pk")
    return tuple(sorted((_as_row(row) for row in rows), key=lambda row: row.revoked_at is not None))


def forget_keys() -> None:
    """Make the next look-up read the table."""
    table.forget()
    _touched.clear()


def _random(n_chars: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(n_chars))


@lru_cache(maxsize=MAX_REMEMBERED_SECRETS)
def _digest_of_key(secret: str) -> bytes | None:
    """Return the digest of what has the shape of a key's secret, else None: worked out once for a thousand requests."""
    return _digest(secret) if _SHAPE.match(secret) else None


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _read() -> dict[bytes, _Remembered]:
    found: dict[bytes, _Remembered] = {}
    for row in ApiKey.objects.only("id", "name", "digest", "scopes", "revoked_at"):
        known = KnownKey(row.pk, row.name, frozenset(Scope(scope) for scope in row.scopes))
        found[bytes(row.digest)] = _Remembered(known, is_revoked=row.revoked_at is not None)
    return found


def _unreadable() -> StoreUnavailable:
    return StoreUnavailable("The API keys can't be read right now. Nothing was accepted; try again.")


def _touch(key_id: int, *, now: datetime) -> None:
    """Note that the key was used, at most once a minute; failing to do so must not cost a request."""
    if (last := _touched.get(key_id)) is not None and now - last < TOUCH_INTERVAL:
        return
    if availability.is_away():
        return
    _touched[key_id] = now
    try:
        ApiKey.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lte=now - TOUCH_INTERVAL), pk=key_id, revoked_at=None
        ).update(last_used_at=now)
    except (OperationalError, InterfaceError) as error:
        logger.info("The use of API key %d was not noted (%s).", key_id, type(error).__name__)


def _as_row(row: ApiKey) -> KeyRow:
    return KeyRow(
        id=row.pk,
        name=row.name,
        prefix=row.prefix,
        scopes=tuple(Scope(scope) for scope in row.scopes),
        created_by=row.created_by.get_username() if row.created_by else "",
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )


table = TableCopy(_read)
