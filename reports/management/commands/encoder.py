"""`manage.py encoder`: which encoder places reports here, what was learnt and how good it is; learns or retires one."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from reports.clustering.encoding import the_encoder
from reports.clustering.students import Lesson, Outcome, learn_student, retire_student
from reports.models import LearntEncoder

# What an operator asked for and did not get ends the command with an error.
_REFUSALS = {Outcome.NOT_WANTED, Outcome.BUSY, Outcome.NO_TEACHER, Outcome.TOO_FEW_TEXTS}


class Command(BaseCommand):
    help = "Say which encoder places reports, and how good the ones are that were learnt from the reports."

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_mutually_exclusive_group()
        acts.add_argument("--learn", action="store_true", help="learn now what is otherwise learnt at night")
        acts.add_argument(
            "--retire", action="store_true", help="put the learnt encoder out of use until the next night"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["learn"]:
            self._learn()
        if options["retire"]:
            name = retire_student()
            self.stdout.write(f"{name} is out of use." if name else "No learnt encoder is in use.")
        self._show()

    def _learn(self) -> None:
        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task("texts", total=None)
            lesson = learn_student(
                now=timezone.now(),
                is_due=True,
                progress=lambda n_read, n_all: progress.update(task, completed=n_read, total=n_all),
            )
        if lesson.outcome in _REFUSALS:
            raise CommandError(lesson.outcome.value + (f" Found: {lesson.n_texts}." if lesson.n_texts else ""))
        self.stdout.write(f"{lesson.outcome.value} {_figures(lesson)}")

    def _show(self) -> None:
        self.stdout.write(f"In use: {the_encoder().name} (ENCODER={settings.ENCODER})")
        for learnt in LearntEncoder.objects.defer("weights").order_by("-measured_at", "-id"):
            self.stdout.write(
                f"  {learnt.get_state_display().lower()}: {learnt.name}, from {learnt.n_texts} texts,"
                f" agreement with {learnt.teacher} {learnt.agreement:.2f},"
                f" learnt {learnt.fitted_at:%Y-%m-%d %H:%M}, measured {learnt.measured_at:%Y-%m-%d %H:%M} UTC"
            )


def _figures(lesson: Lesson) -> str:
    """Return the agreements with the teacher that the outcome rests on."""
    told = [
        f"learnt from {lesson.n_texts} texts {lesson.agreement:.2f}",
        f"without learning {lesson.agreement_instead:.2f}",
    ]
    if lesson.agreement_in_use is not None:
        told.append(f"in use until now {lesson.agreement_in_use:.2f}")
    return f"Agreement with the teacher: {', '.join(told)}."
