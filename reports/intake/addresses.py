"""Whose network address a request comes from, believing only the proxies the operator has named.

`X-Forwarded-For` grows to the right, an entry a proxy, and anybody can send one: only the entry that the outermost
trusted proxy added is true. The address is used to tell reporters apart and to guess a country; it is never stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any

from django.conf import settings


def sender_address(meta: Mapping[str, Any]) -> str:
    """Return the address of whoever sends a request with this environment (CGI), or "" where it can't be known."""
    return address_behind(
        str(meta.get("REMOTE_ADDR", "")),
        str(meta.get("HTTP_X_FORWARDED_FOR", "")),
        n_proxies=settings.TRUSTED_PROXIES,
    )


def address_behind(peer: str, forwarded_for: str, *, n_proxies: int) -> str:
    """Return the address that stands `n_proxies` hops before the connection.

    A chain that is shorter than promised, or an entry that is no address, gives the nearest one that can be believed.
    """
    chain = [entry for entry in forwarded_for.split(",") if entry.strip()] if n_proxies else []
    for entry in chain[-n_proxies:]:
        if address := _plain_address(entry):
            return address
    return _plain_address(peer)


def _plain_address(entry: str) -> str:
    """Return the address in an entry without port, brackets and IPv4's IPv6 clothing; "" where there is none."""
    text = entry.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)
