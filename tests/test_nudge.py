"""Nudges: sent after commit, coalesced, and never noticed by whoever nudges."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from reports import nudge as nudging
from reports.nudge import connect, nudge

PATIENCE_SECONDS = 10  # how long a test waits for another thread before it fails


@pytest.fixture(autouse=True)
def _a_sender_of_its_own(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(nudging, "_sender", None)
    monkeypatch.setattr(nudging, "_send", None)
    settings.NUDGE_INTERVAL_SECONDS = 0.0


@pytest.fixture
def sent() -> queue.Queue[str]:
    """The messages that were sent, as they come."""
    messages: queue.Queue[str] = queue.Queue()
    connect(messages.put)
    return messages


def next_of(messages: queue.Queue[str]) -> str:
    return messages.get(timeout=PATIENCE_SECONDS)


@pytest.mark.django_db(transaction=True)
def test_a_nudge_outside_a_transaction_is_sent(sent: queue.Queue[str]) -> None:
    nudge("cluster")

    assert next_of(sent) == "cluster"


@pytest.mark.django_db(transaction=True)
def test_a_nudge_is_sent_only_after_the_commit(sent: queue.Queue[str]) -> None:
    with transaction.atomic():
        nudge("cluster")
        before_the_commit = nudging._sender

    assert before_the_commit is None
    assert next_of(sent) == "cluster"


@pytest.mark.django_db(transaction=True)
def test_a_nudge_of_a_transaction_that_failed_is_not_sent(sent: queue.Queue[str]) -> None:
    with transaction.atomic():
        nudge("cluster")
        transaction.set_rollback(True)
    nudge("detect")

    assert next_of(sent) == "detect"


@pytest.mark.django_db
def test_without_a_way_to_send_nothing_is_kept(django_capture_on_commit_callbacks: Callable[..., Any]) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        nudge("cluster")

    assert callbacks == []


def test_many_nudges_while_one_is_sent_are_one_message() -> None:
    messages: queue.Queue[str] = queue.Queue()
    sending_may_end = threading.Event()

    def slow(stage: str) -> None:
        messages.put(stage)
        sending_may_end.wait(PATIENCE_SECONDS)

    connect(slow)
    sender = nudging._the_sender()
    sender.ask("cluster")
    first = next_of(messages)
    for _ in range(50):
        sender.ask("cluster")
    sender.ask("detect")
    sending_may_end.set()
    second = [next_of(messages), next_of(messages)]
    sender.ask("last")

    assert first == "cluster"
    assert second == ["cluster", "detect"]
    assert next_of(messages) == "last"


def test_a_broker_that_is_away_is_not_noticed_and_tried_again_next_time() -> None:
    messages: queue.Queue[str] = queue.Queue()

    failed = threading.Event()

    def away_at_first(stage: str) -> None:
        messages.put(stage)
        if not failed.is_set():
            failed.set()
            raise ConnectionError("refused")

    connect(away_at_first)
    sender = nudging._the_sender()
    sender.ask("cluster")
    failed.wait(PATIENCE_SECONDS)
    sender.ask("detect")

    assert [next_of(messages), next_of(messages)] == ["cluster", "detect"]


def test_one_sender_serves_a_process() -> None:
    assert nudging._the_sender() is nudging._the_sender()


def test_a_forked_process_gets_a_sender_of_its_own() -> None:
    inherited = nudging._the_sender()
    inherited.pid = -1

    assert nudging._the_sender() is not inherited
