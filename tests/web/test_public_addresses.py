"""Whose address a request comes from, when anybody can claim to be a proxy."""

from __future__ import annotations

import pytest

from reports.web.addresses import address_behind


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "n_proxies", "expected"),
    [
        ("203.0.113.9", "", 0, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", 0, "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", 1, "198.51.100.1"),
        ("10.0.0.1", "192.0.2.66, 198.51.100.1", 1, "198.51.100.1"),
        ("10.0.0.1", "192.0.2.66, 198.51.100.1, 10.0.0.2", 2, "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1", 2, "198.51.100.1"),
        ("10.0.0.1", "", 1, "10.0.0.1"),
        ("10.0.0.1", "unknown", 1, "10.0.0.1"),
        ("10.0.0.1", "192.0.2.66, <script>", 1, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:4711", 1, "198.51.100.1"),
        ("10.0.0.1", '"[2001:db8::1]:4711"', 1, "2001:db8::1"),
        ("::ffff:203.0.113.9", "", 0, "203.0.113.9"),
        ("", "", 0, ""),
    ],
)
def test_only_the_entry_of_the_outermost_trusted_proxy_is_believed(
    peer: str, forwarded_for: str, n_proxies: int, expected: str
) -> None:
    assert address_behind(peer, forwarded_for, n_proxies=n_proxies) == expected
