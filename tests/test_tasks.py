"""Celery's face: each task asks for one stage, running one twice changes nothing, and beat's words are theirs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from feedback.schedule import BEAT_SCHEDULE
from ml.encoders import HashingEncoder
from ml.trial import try_student
from reports import tasks
from reports.clustering import services as clustering
from reports.clustering import students
from reports.intake.spool import the_spool
from reports.intake.writer import Submission
from reports.models import FingerprintSalt, IdempotencyKey, Outage, Placement, WhatIf
from tests.clustering.stories import LOGIN, PARCEL, a_report, a_service, hand_in
from tests.factories import NOW, make_profile, make_report, make_service
from tests.intake.imap import MailServer

pytestmark = pytest.mark.django_db
ALL = [
    tasks.cluster_pending,
    tasks.refine_pending,
    tasks.detect_pending,
    tasks.watch_sources,
    tasks.answer_pending,
    tasks.refresh_fleet,
    tasks.make_partitions,
    tasks.replay_spool,
    tasks.poll_mailbox,
    tasks.forget_expired,
    tasks.forget_old,
    tasks.learn_encoder,
]


@pytest.fixture(autouse=True)
def _the_clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "timezone", SimpleNamespace(now=lambda: NOW))


@pytest.fixture(autouse=True)
def _a_spool_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.SPOOL_DIR = tmp_path


@pytest.fixture(autouse=True)
def _a_mailbox_with_a_mail(settings: Any) -> Iterator[None]:
    server = MailServer()
    server.add("From: jane@example.org\nSubject: [tasks] Login fails\n\nsince nine\n")
    settings.MAILBOX = {"host": "127.0.0.1", "port": server.port, "is_tls": False, "folder": "INBOX"} | {
        "user": server.user,
        "password": server.password,
    }
    yield
    server.close()


@pytest.fixture(autouse=True)
def _little_is_enough_to_learn_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a lesson end with an encoder on trial, without the time that a real teacher takes."""
    monkeypatch.setattr(students, "FRESH_TEXTS", 10)
    monkeypatch.setattr(students, "LEAST_TEXTS", 20)
    monkeypatch.setattr(students, "teacher_of", lambda texts, folder=None: HashingEncoder(16))
    monkeypatch.setattr(students, "try_student", functools.partial(try_student, n_word_dims=64))


def every_row() -> dict[str, list[str]]:
    """Return the whole database but for the tables of Django itself."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE 'reports_%' ORDER BY 1")
        tables = [table for (table,) in cursor.fetchall()]
        rows = {}
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" AS t ORDER BY 1')  # noqa: S608  a table's own name
            rows[table] = [row for (row,) in cursor.fetchall()]
    return rows


def something_to_do() -> None:
    """Leave work for every task: reports of a rise, and what is past its time."""
    service = a_service()
    texts = [f"{text} {i}" for i in range(4) for text in LOGIN + PARCEL]
    hand_in(*(a_report(service, text, at=NOW, region="DE-BY") for text in texts))
    the_spool().append([Submission((a_report(service, "left by a process that has died", at=NOW),))])
    the_spool().seal()
    FingerprintSalt.objects.create(day=NOW.date() - timedelta(days=9), salt=b"x")
    IdempotencyKey.objects.create(
        client="a", key="b", body_digest=b"", report_ids=[], created_at=NOW - timedelta(days=9)
    )
    make_report(service, at=NOW - timedelta(days=40))
    make_service("tasks")
    WhatIf.objects.create(days=1, budget_per_month=4.0, created_at=NOW)
    known = make_profile(make_service())
    known.scatter_squares, known.scatter_expected = [60.0] * 3, [50.0] * 3
    known.save()


def test_the_tasks_one_after_the_other_bring_reports_to_an_outage() -> None:
    something_to_do()

    for task in ALL:
        task()

    assert Placement.objects.count() == 40
    assert Outage.objects.get().regions == ["DE-BY"]
    assert not IdempotencyKey.objects.filter(client="a").exists()
    assert not FingerprintSalt.objects.filter(salt=b"x").exists()


@pytest.mark.parametrize("task", ALL, ids=lambda task: str(task.name))
def test_running_a_task_twice_in_a_row_changes_nothing(task: Callable[[], None]) -> None:
    something_to_do()
    for earlier in ALL[: ALL.index(task)]:
        earlier()
    before = every_row()
    task()
    after = every_row()

    task()

    assert every_row() == after != before


@pytest.mark.parametrize("task", ALL, ids=lambda task: str(task.name))
def test_with_nothing_to_do_a_task_does_nothing(task: Callable[[], None]) -> None:
    tasks.make_partitions()
    before = every_row()

    task()

    assert every_row() == before


def test_a_task_is_tried_again_while_the_database_restarts() -> None:
    outcomes: list[Any] = [OperationalError("starting up"), OperationalError("starting up"), 0]

    with mock.patch.object(clustering, "cluster_pending", side_effect=outcomes) as asked:
        result = tasks.cluster_pending.apply()

    assert result.successful()
    assert asked.call_count == 3


def test_a_task_gives_up_after_a_while_and_leaves_the_rest_to_beat() -> None:
    with mock.patch.object(clustering, "cluster_pending", side_effect=OperationalError("gone")) as asked:
        result = tasks.cluster_pending.apply()

    assert result.failed()
    assert asked.call_count == 4


def test_a_mistake_of_ours_is_not_tried_again() -> None:
    with mock.patch.object(clustering, "cluster_pending", side_effect=ValueError("a mistake")) as asked:
        result = tasks.cluster_pending.apply()

    assert result.failed()
    assert asked.call_count == 1


def test_learning_may_take_longer_than_other_tasks() -> None:
    limits = settings.CELERY_TASK_ANNOTATIONS[tasks.learn_encoder.name]

    assert limits["soft_time_limit"] < limits["time_limit"]
    assert limits["time_limit"] > settings.CELERY_TASK_TIME_LIMIT


def test_tasks_take_no_payload() -> None:
    for task in ALL:
        assert task.run.__code__.co_argcount == 0


def test_beat_asks_for_every_task_by_its_name_on_a_queue_that_is_served() -> None:
    names = {entry["task"] for entry in BEAT_SCHEDULE.values()}
    queues = {entry["options"].get("queue", settings.CELERY_TASK_DEFAULT_QUEUE) for entry in BEAT_SCHEDULE.values()}

    assert names == {task.name for task in ALL}
    assert queues == set(settings.CELERY_TASK_QUEUES)
