"""Readers for the environment that are loud on nonsense.

A setting that can't be understood stops the start with its name, its value and the remedy; it never falls back in
silence. No defaults live here: those stand in `settings.py`, beside what they mean.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off", ""})


def text(name: str, default: str, *, environ: Mapping[str, str] = os.environ) -> str:
    """Return the variable, or `default` where it is unset or empty."""
    return environ.get(name, "").strip() or default


def flag(name: str, default: bool, *, environ: Mapping[str, str] = os.environ) -> bool:
    """Return a yes or no.

    Raises ImproperlyConfigured for any other word.
    """
    raw = environ.get(name)
    if raw is None:
        return default
    word = raw.strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name}={raw!r} is neither yes nor no. Write {name}=1 or {name}=0.")


def integer(name: str, default: int, *, least: int, most: int, environ: Mapping[str, str] = os.environ) -> int:
    """Return a whole number between `least` and `most`.

    Raises ImproperlyConfigured for anything else.
    """
    raw = environ.get(name, "").strip()
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={raw!r} is no whole number. Write one from {least} to {most}.") from error
    if not least <= value <= most:
        raise ImproperlyConfigured(f"{name}={value} is out of range. Write a whole number from {least} to {most}.")
    return value


def number(name: str, default: float, *, least: float, most: float, environ: Mapping[str, str] = os.environ) -> float:
    """Return a number between `least` and `most`, whole or not.

    Raises ImproperlyConfigured for anything else.
    """
    raw = environ.get(name, "").strip()
    if not raw:
        return default
    try:
        value = float(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={raw!r} is no number. Write one from {least:g} to {most:g}.") from error
    if not least <= value <= most:  # true of "nan" as well
        raise ImproperlyConfigured(f"{name}={raw} is out of range. Write a number from {least:g} to {most:g}.")
    return value


def words(name: str, default: tuple[str, ...], *, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return a comma-separated list without blanks."""
    raw = environ.get(name, "")
    return [word.strip() for word in raw.split(",") if word.strip()] or list(default)


def origins(name: str, given: list[str]) -> list[str]:
    """Return a list of sites as browsers name them, or of "*" alone, as given but for their case.

    Raises ImproperlyConfigured for what is none, such as an address with a path.
    """
    found = [word.lower() for word in given]
    for word in found:
        if word != "*" and not re.fullmatch(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", word):
            raise ImproperlyConfigured(
                f"{name} holds {word!r}, which is no site. Write one such as https://example.org."
            )
    if "*" in found and len(found) > 1:
        raise ImproperlyConfigured(f"{name} holds * and sites. Write * alone for any site, or leave it out.")
    return found


def choice(name: str, default: str, allowed: tuple[str, ...], *, environ: Mapping[str, str] = os.environ) -> str:
    """Return one of `allowed`.

    Raises ImproperlyConfigured for any other word.
    """
    value = text(name, default, environ=environ)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name}={value!r} is not known. Write one of: {', '.join(allowed)}.")
    return value


def time_zone(name: str, zone: str) -> str:
    """Return the name of a time zone as given.

    Raises ImproperlyConfigured for one that is not known.
    """
    try:
        return ZoneInfo(zone).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ImproperlyConfigured(
            f"{name}={zone!r} is no time zone. Write one such as Europe/Berlin, or UTC."
        ) from None


def database(url: str) -> dict[str, object]:
    """Translate a `postgres://user:password@host:port/name?option=value` address into Django's terms.

    Raises ImproperlyConfigured for another scheme, a missing database name, and what is no address at all.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # its message can hold a part of the password, where that has an unquoted / or :
        raise ImproperlyConfigured(
            "DATABASE_URL is no address: its host or port can't be read. Write postgres://user:password@host:5432/name,"
            " with %-codes for special characters of the password."
        ) from None
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(
            f"DATABASE_URL starts with {parts.scheme + '://' if parts.scheme else repr(url[:12])}: "
            "Outcry runs on PostgreSQL 15 or later. Write postgres://user:password@host:5432/name."
        )
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise ImproperlyConfigured("DATABASE_URL names no database. Write postgres://user:password@host:5432/name.")
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or unquote(parts.hostname or "")
    return {
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port or options.pop("port", "")),
        "OPTIONS": options,
    }


def mailbox(url: str) -> dict[str, Any]:
    """Translate an `imaps://user:password@host:port/FOLDER` address into its parts; nothing into nothing.

    `imap://` is encrypted too (STARTTLS), but to this machine. Raises ImproperlyConfigured for another scheme, a
    missing host, user or password, and what is no address at all; never with the password in the message.
    """
    if not url:
        return {}
    example = "Write imaps://user:password@mail.example.org/INBOX, with %-codes for special characters."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured(f"MAILBOX_URL is no address: its host or port can't be read. {example}") from None
    if parts.scheme not in {"imaps", "imap"}:
        raise ImproperlyConfigured(
            f"MAILBOX_URL starts with {parts.scheme + '://' if parts.scheme else 'no scheme'}. {example}"
        )
    found = {
        "host": parts.hostname or "",
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "folder": unquote(parts.path.strip("/")) or "INBOX",
    }
    if missing := [name for name, value in found.items() if not value]:
        raise ImproperlyConfigured(f"MAILBOX_URL names no {missing[0]}. {example}")
    if parts.query or parts.fragment:
        raise ImproperlyConfigured(f"MAILBOX_URL has something after ? or #, which means nothing here. {example}")
    for name in ("user", "password", "folder"):
        if not found[name].isprintable():
            raise ImproperlyConfigured(f"MAILBOX_URL's {name} holds a control character. {example}")
    if not found["folder"].isascii():
        raise ImproperlyConfigured(
            f"MAILBOX_URL's folder {found['folder']!r} is not in ASCII. Write its name as IMAP does (modified UTF-7)."
        )
    is_tls = parts.scheme == "imaps"
    return {**found, "port": port or (993 if is_tls else 143), "is_tls": is_tls}


def celery_broker(url: str) -> str:
    """Return the address in the spelling Celery uses: a socket's `unix://` becomes `redis+socket://`.

    Raises ImproperlyConfigured for a scheme that is not Redis's.
    """
    scheme = urlsplit(url).scheme
    if scheme == "unix":
        return "redis+socket://" + url.removeprefix("unix://")
    if scheme in {"redis", "rediss"}:
        return url
    raise ImproperlyConfigured(
        f"REDIS_URL starts with {scheme}://: write redis://host:6379/0, rediss://host:6379/0 or unix:///path/to/socket."
    )
