"""The Celery application. Tasks carry no payload; the database says what is pending (docs/pipeline.md)."""

import os

from celery import Celery

from reports import nudge

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback.settings")

app = Celery("outcry")
app.config_from_object("django.conf:settings", namespace="CELERY")


def send_nudge(stage: str) -> None:
    """Ask the workers for a stage, as `reports.nudge` wants it: one try, no longer than the broker takes to refuse."""
    queue = {"cluster": "clustering", "refine": "clustering", "detect": "detection", "answer": "default"}[stage]
    app.send_task(f"reports.{stage}_pending", queue=queue, expires=5, ignore_result=True, retry=False)


nudge.connect(send_nudge)
