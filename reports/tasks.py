"""Celery's face: each task asks one service to finish what is pending.

No payload, no logic; running one twice is harmless.
"""

from celery import shared_task
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from reports.clustering import refinement, students
from reports.clustering import services as clustering
from reports.detection import fleet, sources, what_if
from reports.detection import services as detection
from reports.intake import mailbox
from reports.intake import services as intake
from reports.privacy import retention

# A database that restarts: try again soon, a few times; after that beat is the retry.
WHILE_THE_DATABASE_RESTARTS = {
    "autoretry_for": (OperationalError, InterfaceError),
    "retry_backoff": True,
    "retry_jitter": True,
    "max_retries": 3,
}


@shared_task(name="reports.cluster_pending", **WHILE_THE_DATABASE_RESTARTS)
def cluster_pending() -> None:
    clustering.cluster_pending(now=timezone.now())


@shared_task(name="reports.refine_pending", **WHILE_THE_DATABASE_RESTARTS)
def refine_pending() -> None:
    refinement.refine_pending(now=timezone.now())


@shared_task(name="reports.detect_pending", **WHILE_THE_DATABASE_RESTARTS)
def detect_pending() -> None:
    detection.detect_pending(now=timezone.now())


@shared_task(name="reports.answer_pending", **WHILE_THE_DATABASE_RESTARTS)
def answer_pending() -> None:
    what_if.answer_pending(now=timezone.now())


@shared_task(name="reports.watch_sources", **WHILE_THE_DATABASE_RESTARTS)
def watch_sources() -> None:
    sources.watch_sources(now=timezone.now())


@shared_task(name="reports.refresh_fleet", **WHILE_THE_DATABASE_RESTARTS)
def refresh_fleet() -> None:
    fleet.refresh_fleet(now=timezone.now())


@shared_task(name="reports.replay_spool", **WHILE_THE_DATABASE_RESTARTS)
def replay_spool() -> None:
    intake.replay_spool(now=timezone.now())


@shared_task(name="reports.poll_mailbox", **WHILE_THE_DATABASE_RESTARTS)
def poll_mailbox() -> None:
    mailbox.poll_mailbox(now=timezone.now())


@shared_task(name="reports.make_partitions", **WHILE_THE_DATABASE_RESTARTS)
def make_partitions() -> None:
    intake.prepare_storage(now=timezone.now())


@shared_task(name="reports.forget_expired", **WHILE_THE_DATABASE_RESTARTS)
def forget_expired() -> None:
    intake.forget_expired(now=timezone.now())
    what_if.forget_old(now=timezone.now())


@shared_task(name="reports.forget_old", **WHILE_THE_DATABASE_RESTARTS)
def forget_old() -> None:
    retention.forget_old(now=timezone.now())


@shared_task(name="reports.learn_encoder", **WHILE_THE_DATABASE_RESTARTS)
def learn_encoder() -> None:
    students.learn_student(now=timezone.now())
