"""What is signed with a key that was worked in before is what the standard library signs."""

from __future__ import annotations

import hmac

import pytest

from reports.intake.keyed import Keyed


@pytest.mark.parametrize("n_bytes", [0, 1, 32, 63, 64, 65, 200])
@pytest.mark.parametrize("message", [b"", b"a", b"x" * 1_000])
def test_a_digest_is_that_of_hmac_whatever_the_length_of_the_key(n_bytes: int, message: bytes) -> None:
    key = bytes(range(n_bytes))

    assert Keyed(key).digest(message) == hmac.digest(key, message, "sha256")


def test_a_digest_leaves_nothing_behind_for_the_next() -> None:
    keyed = Keyed(b"key")

    first, _, again = (keyed.digest(message) for message in (b"one", b"two", b"one"))

    assert first == again
