"""How many reports a key may bring: exactly, for who may wait for the broker, and at once, for an event loop.

What is taken at once is owed to the key's bucket and paid within a second or so from a thread, coalesced, never
raising. A process takes no more at once than a share of what it last knew to be in the bucket; whoever wants more is
checked exactly, and what this process owes is paid before. So a process lets pass at the most that share too much, and
only where others emptied the bucket meanwhile; what was too much is missing from the bucket then.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from reports.errors import OverLimit
from reports.intake import buckets
from reports.intake.buckets import Bucket

logger = logging.getLogger(__name__)

SHARE_AT_ONCE: Final = 0.25
PAY_SECONDS: Final = 1.0  # between two payments of a process


@dataclass(slots=True)
class _Account:
    """What this process knew last to be in a key's bucket, and what it has taken since."""

    tokens: float
    n_owed: int = 0
    n_being_paid: int = 0


_lock = threading.Lock()  # never held while the broker is asked
_accounts: dict[int, _Account] = {}
_payer: _Payer | None = None


def check(key_id: int | None, *, n_reports: int) -> None:
    """Take so many reports from what a key may bring; may wait for the broker. Raises OverLimit."""
    if key_id is None:
        return
    _pay(key_id)
    bucket = _bucket(key_id)
    [level] = buckets.take([bucket], cost=n_reports)
    _learn(key_id, level.tokens)
    if level.wait_seconds:
        raise OverLimit(
            f"This API key may send {bucket.capacity:,} reports a minute (KEY_REPORTS_PER_MINUTE). Nothing was"
            " accepted; send it again after the time in Retry-After.",
            retry_after_seconds=int(level.wait_seconds) + 1,
        )


def take_at_once(key_id: int | None, *, n_reports: int) -> bool:
    """Take so many reports from what a key may bring, without waiting; false where only `check` can tell."""
    if key_id is None:
        return True
    with _lock:
        account = _accounts.get(key_id)
        if account is None:
            return False
        if account.n_owed + account.n_being_paid + n_reports > SHARE_AT_ONCE * account.tokens:
            return False
        account.n_owed += n_reports
        payer = _the_payer()
    payer.wake()
    return True


def forget_levels() -> None:
    """Forget what this process knows and owes: for tests."""
    with _lock:
        _accounts.clear()


def _bucket(key_id: int) -> Bucket:
    return Bucket(f"key:{key_id}", settings.KEY_REPORTS_PER_MINUTE)


def _learn(key_id: int, tokens: float) -> None:
    with _lock:
        _accounts.setdefault(key_id, _Account(tokens)).tokens = tokens


def _pay(key_id: int) -> None:
    """Take from the bucket what is owed to it, also where that is more than it holds."""
    with _lock:
        account = _accounts.get(key_id)
        if account is None or not account.n_owed:
            return
        n_paid, account.n_owed = account.n_owed, 0
        account.n_being_paid += n_paid
    tokens = 0.0
    try:
        [level] = buckets.take([_bucket(key_id)], cost=n_paid, may_owe=True)
        tokens = level.tokens
    finally:
        with _lock:
            account.n_being_paid -= n_paid
            account.tokens = tokens


def _the_payer() -> _Payer:
    global _payer
    if _payer is None:
        _payer = _Payer()
    return _payer


def _forget_payer() -> None:
    """A thread does not survive a fork, and the lock may have been held in one."""
    global _payer, _lock
    _payer, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_payer)


class _Payer:
    """Pays what this process owes, at most once in PAY_SECONDS."""

    def __init__(self) -> None:
        self._is_owing = threading.Event()
        threading.Thread(target=self._run, name="key-limits", daemon=True).start()

    def wake(self) -> None:
        if not self._is_owing.is_set():
            self._is_owing.set()

    def _run(self) -> None:
        while True:
            self._is_owing.wait()
            self._is_owing.clear()
            with _lock:
                owing = [key_id for key_id, account in _accounts.items() if account.n_owed]
            for key_id in owing:
                try:
                    _pay(key_id)
                except Exception:  # a thread that ends here would be missed by nobody
                    logger.exception("What an API key's reports owe to its limit could not be paid.")
            time.sleep(PAY_SECONDS)
