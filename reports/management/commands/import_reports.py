"""`manage.py import_reports FILE`: reports from a file, each counted at its own minute.

CSV with a header, or JSON lines; the columns are the fields of a report. What is good is stored in batches, what is not
is told by line and left out. The same file imported again stores nothing twice, so a run that was stopped is simply
run again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from reports.errors import InvalidInput
from reports.intake.catalogue import find_service, known_slugs
from reports.intake.imports import BATCH_LINES, store_lines
from reports.management.importing import FORMATS, Given, Reading, Record, format_of, opened, read

STOPPED: Final = 130  # what a shell says of a program that was interrupted


@dataclass(slots=True)
class _Sum:
    """What has become of the lines so far."""

    n_stored: int = 0
    n_known: int = 0
    n_refused: int = 0
    n_undated: int = 0
    last_line: int = 0


@dataclass(slots=True)
class _Rejects:
    """The file of the lines that were refused, made when there is the first one."""

    path: Path | None
    head: bytes
    file: IO[bytes] | None = field(default=None)

    def add(self, raw: bytes) -> None:
        if self.path is None:
            return
        if self.file is None:
            self.file = self.path.open("wb")
            self.file.write(self.head)
        self.file.write(raw if raw.endswith(b"\n") else raw + b"\n")

    def close(self) -> None:
        if self.file is not None:
            self.file.close()
        elif self.path is not None:
            self.path.write_bytes(b"")  # what an earlier run left there is refused no longer


class Command(BaseCommand):
    help = "Store the reports of a CSV or JSON lines file, each at its own time. Twice is harmless."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the file, or - for standard input")
        parser.add_argument("--format", choices=FORMATS, help="by default what the file's name or first line says")
        parser.add_argument("--service", default="", help="the service of lines that name none")
        parser.add_argument("--source", default="", help="where it comes from, for lines that don't say")
        parser.add_argument("--dry-run", action="store_true", help="only say what is wrong; store nothing")
        parser.add_argument("--rejects", type=Path, metavar="FILE", help="write the lines that were refused here")

    def handle(self, *args: Any, **options: Any) -> None:
        defaults = {name: options[name] for name in ("service", "source") if options[name]}
        if options["dry_run"]:
            options["rejects"] = None
        _check_rejects(options["rejects"], options["file"])
        done = _Sum()
        try:
            if options["service"] and find_service(options["service"]) is None:
                known = ", ".join(known_slugs()) or "none yet"
                raise CommandError(f"{options['service']!r} is no service here. Known services: {known}.")
            with opened(options["file"]) as given:
                file_format = options["format"] or format_of(given)
                reading = read(given, file_format=file_format, defaults=defaults)
                name = "\x1f".join((given.digest, file_format, options["service"], options["source"]))
                self._import(given, reading, done, name=_digest(name), **options)
        except InvalidInput as error:
            raise CommandError(f"{options['file']}: {error}") from error
        except OSError as error:
            raise CommandError(
                f"{error.filename or options['file']}: {error.strerror}. Nothing more was read."
            ) from error
        except KeyboardInterrupt:
            raise CommandError(f"Stopped after line {done.last_line}. {_GO_ON}", returncode=STOPPED) from None
        except (OperationalError, InterfaceError) as error:
            problem = f"The database went away ({type(error).__name__}) after line {done.last_line}."
            raise CommandError(f"{problem} {_GO_ON}") from error
        self._tell(done, **options)

    def _import(self, given: Given, reading: Reading, done: _Sum, *, name: str, **options: Any) -> None:
        rejects = _Rejects(options["rejects"], reading.head)
        try:
            with _progress(given) as show:
                for batch in _batches(reading.records):
                    stored = store_lines(
                        lines=[record.line for record in batch],
                        file_name=name,
                        now=timezone.now(),
                        is_trial=options["dry_run"],
                    )
                    for record in batch:
                        if invalid := stored.refused.get(record.line.number):
                            self.stderr.write(f"{options['file']}:{record.line.number}: {_shown(str(invalid))}")
                            rejects.add(record.raw)
                        else:
                            done.n_undated += getattr(record.line.report, "occurred_at", None) is None
                    done.n_stored += stored.n_stored
                    done.n_known += stored.n_known
                    done.n_refused += len(stored.refused)
                    done.last_line = batch[-1].line.number
                    show(given.file.tell())
        finally:
            rejects.close()

    def _tell(self, done: _Sum, **options: Any) -> None:
        verb = "could be stored" if options["dry_run"] else "stored"
        known = f", {done.n_known:,} stored before" if done.n_known else ""
        self.stdout.write(f"{done.n_stored:,} reports {verb}{known}; {done.n_refused:,} lines refused.")
        if done.n_undated:
            self.stderr.write(
                f"{done.n_undated:,} of them have no time, and count as of now."
                " Give them a column `time` where they are of the past."
            )
        if not done.n_stored and not done.n_known and not done.n_refused:
            raise CommandError(f"{options['file']} holds no report.")
        if done.n_refused and options["dry_run"]:
            raise CommandError(f"{done.n_refused:,} lines would be refused, for the reasons above.")
        if done.n_refused:
            remedy = f"Mend them in {options['rejects']} and import that" if options["rejects"] else _USE_REJECTS
            raise CommandError(f"{done.n_refused:,} lines were refused. {remedy}; the others need not come again.")


_GO_ON: Final = "What is stored stays; run the same command again, and it goes on there."
_USE_REJECTS: Final = "Run it again with --rejects FILE, mend them there, and import that file"


def _shown(message: str) -> str:
    """Return a message in which nothing that a file holds steers the terminal, or looks like a line of ours."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in message)


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    while batch := list(islice(records, BATCH_LINES)):
        yield batch


def _check_rejects(rejects: Path | None, file: str) -> None:
    """Refuse a file for the rejects that can't be written, or that is what is read."""
    if rejects is None:
        return
    try:
        if file != "-" and rejects.exists() and rejects.samefile(file):
            raise CommandError(f"{rejects} is what is read here. Name another file for --rejects.")
        with rejects.open("ab"):
            pass
    except OSError as error:
        raise CommandError(
            f"{rejects} can't be written ({error.strerror}). Name a file in a folder that exists."
        ) from error


@contextmanager
def _progress(given: Given) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, and nothing elsewhere; yields what is told how many bytes are done."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("import", total=given.n_bytes)
        yield lambda n_bytes: progress.update(task, completed=n_bytes)
