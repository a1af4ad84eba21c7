"""A nudge makes a stage look for work sooner. It guarantees nothing: beat does.

Coalesced (many nudges within `NUDGE_INTERVAL_SECONDS` are one message), sent after commit, on a thread of its own, and
never raising: a broker that is away must not be noticed by whoever nudges. How a message is sent is told by the project
(`connect`); without that a nudge does nothing.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import transaction

logger = logging.getLogger(__name__)

Send = Callable[[str], None]

_send: Send | None = None
_sender: _Sender | None = None
_lock = threading.Lock()


def connect(send: Send | None) -> None:
    """Tell how to ask for a stage; `send` takes its name and may block or fail."""
    global _send
    _send = send


def nudge(stage: str) -> None:
    """Ask for `stage` ("cluster", "refine", "detect", "answer") once the running transaction, if any, is committed."""
    if _send is not None:
        transaction.on_commit(lambda: _the_sender().ask(stage), robust=True)


def _the_sender() -> _Sender:
    global _sender
    with _lock:
        if _sender is None or _sender.pid != os.getpid():  # a thread does not survive a fork
            _sender = _Sender()
        return _sender


class _Sender:
    """Sends what was asked for, at most once per interval and stage."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._asked: set[str] = set()
        self._wake = threading.Condition()
        threading.Thread(target=self._run, name="nudge", daemon=True).start()

    def ask(self, stage: str) -> None:
        with self._wake:
            self._asked.add(stage)
            self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._asked)
                stages, self._asked = sorted(self._asked), set()
            for stage in stages:
                try:
                    if _send is not None:
                        _send(stage)
                except Exception as error:
                    logger.info("Nudging %s failed (%s); beat will see to it.", stage, type(error).__name__)
            time.sleep(settings.NUDGE_INTERVAL_SECONDS)
