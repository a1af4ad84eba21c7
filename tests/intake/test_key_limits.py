"""What a key may bring: exactly where one may wait, and at once on an event loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from reports.errors import OverLimit
from reports.intake import buckets, key_limits
from reports.intake.buckets import Bucket

LIMIT = 80
AT_ONCE = 20  # a quarter


@pytest.fixture(autouse=True)
def _a_low_limit(settings: Any) -> None:
    settings.KEY_REPORTS_PER_MINUTE = LIMIT


def left(key_id: int) -> float:
    return buckets.take([Bucket(f"key:{key_id}", LIMIT)], cost=0)[0].tokens


def wait_until(is_so: Callable[[], bool]) -> bool:
    until = time.monotonic() + 20
    while not is_so() and time.monotonic() < until:
        time.sleep(0.01)
    return is_so()


def owes_nothing(key_id: int) -> bool:
    account = key_limits._accounts[key_id]
    return account.n_owed == account.n_being_paid == 0


@pytest.fixture
def nobody_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that pays does not come to it."""

    class Busy:
        def wake(self) -> None: ...

    monkeypatch.setattr(key_limits, "_the_payer", Busy)


@pytest.mark.usefixtures("broker")
def test_a_key_over_its_limit_is_told_when_to_come_back(settings: Any) -> None:
    settings.KEY_REPORTS_PER_MINUTE = 60
    key_limits.check(1, n_reports=60)

    with pytest.raises(OverLimit, match="60 reports a minute") as caught:
        key_limits.check(1, n_reports=30)

    assert 25 < caught.value.retry_after_seconds <= 31
    key_limits.check(2, n_reports=30)


@pytest.mark.usefixtures("broker")
def test_a_key_nobody_has_checked_yet_is_checked_first() -> None:
    before = key_limits.take_at_once(1, n_reports=1)
    key_limits.check(1, n_reports=1)

    assert not before
    assert key_limits.take_at_once(1, n_reports=1)
    assert key_limits.take_at_once(None, n_reports=10_000)


@pytest.mark.usefixtures("broker")
def test_what_was_taken_at_once_is_paid_afterwards() -> None:
    key_limits.check(1, n_reports=1)
    taken = [key_limits.take_at_once(1, n_reports=4) for _ in range(4)]

    assert taken == [True] * 4
    assert wait_until(lambda: owes_nothing(1))
    assert LIMIT - 17 <= left(1) < LIMIT - 10


@pytest.mark.usefixtures("broker", "nobody_pays")
def test_no_more_than_a_share_of_what_is_left_is_taken_at_once() -> None:
    key_limits.check(1, n_reports=LIMIT // 2)

    taken = [key_limits.take_at_once(1, n_reports=1) for _ in range(LIMIT)]

    assert sum(taken) == AT_ONCE // 2


@pytest.mark.usefixtures("broker", "nobody_pays")
def test_an_exact_check_counts_what_is_still_owed() -> None:
    key_limits.check(1, n_reports=1)
    assert key_limits.take_at_once(1, n_reports=15)

    with pytest.raises(OverLimit):
        key_limits.check(1, n_reports=LIMIT - 10)

    assert owes_nothing(1)
    key_limits.check(1, n_reports=LIMIT - 16)


@pytest.mark.usefixtures("broker", "nobody_pays")
def test_what_others_took_meanwhile_is_owed_and_stops_what_comes_at_once() -> None:
    key_limits.check(1, n_reports=1)
    assert key_limits.take_at_once(1, n_reports=15)
    buckets.take([Bucket("key:1", LIMIT)], cost=LIMIT - 5)

    with pytest.raises(OverLimit):
        key_limits.check(1, n_reports=1)

    assert left(1) < 0
    assert not key_limits.take_at_once(1, n_reports=1)


@pytest.mark.usefixtures("no_broker")
def test_without_a_broker_everything_passes_and_is_soon_owed_no_more() -> None:
    key_limits.check(1, n_reports=10 * LIMIT)
    n_taken = sum(key_limits.take_at_once(1, n_reports=1) for _ in range(AT_ONCE))

    assert n_taken == AT_ONCE
    assert wait_until(lambda: owes_nothing(1))
    assert key_limits.take_at_once(1, n_reports=AT_ONCE)


@pytest.mark.usefixtures("broker")
def test_a_payment_that_fails_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: Any, **options: Any) -> Any:
        raise ValueError

    monkeypatch.setattr(key_limits, "PAY_SECONDS", 0.01)
    key_limits.check(1, n_reports=1)
    with monkeypatch.context() as patched:
        patched.setattr(buckets, "take", fails)
        assert key_limits.take_at_once(1, n_reports=1)
        assert wait_until(lambda: owes_nothing(1))
    assert not key_limits.take_at_once(1, n_reports=1)  # nobody knows any more: it is checked

    key_limits.check(1, n_reports=1)
    assert key_limits.take_at_once(1, n_reports=1)
    assert wait_until(lambda: owes_nothing(1))
