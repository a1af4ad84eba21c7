"""`manage.py replay FILE.jsonl`: what would have been found, had this recording come in live.

Reads one JSON object a line (time, service, region, text, id), plays it through the real stages in virtual time on a
scratch database, prints the outages found and, with `--truth`, how right they were. A line that can't be used is named
and left out; the rest is played all the same.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ml.outage_matching import FoundOutage
from ml.outage_scores import score
from ml.outage_truth import Truth, parse_truth
from reports.errors import InvalidReport
from reports.intake.contract import ReportIn, normalise, without_forbidden
from reports.intake.writer import ReportRow
from reports.management.playback import Recorded, make_services, play, row_of
from reports.management.scratch import scratch_database
from reports.models import Outage

NAMED_LINES: Final = 20


class Command(BaseCommand):
    help = "Play a recording through the real stages on a scratch database and print the outages found."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, metavar="FILE.jsonl", help="one report a line: time, service, region, text, id"
        )
        parser.add_argument(
            "--truth", type=Path, metavar="T.json", help="labelled outages and quiet periods to score against"
        )
        parser.add_argument("--json", type=Path, metavar="OUT.json", help="write outages and score here")

    def handle(self, *args: Any, **options: Any) -> None:
        truth = _read_truth(options["truth"]) if options["truth"] else None
        if options["json"]:
            _refuse_to_overwrite(options["json"], options["file"], options["truth"])
            _write(options["json"], "", mode="a")  # minutes of playing must not end with a folder that is not there
        recording, unusable = _read_recording(options["file"])
        with scratch_database():
            make_services(recording)
            self._play(sorted(map(row_of, recording), key=lambda row: row.received_at))
            outages = list(_outages())
        result: dict[str, Any] = {"outages": outages}
        if truth is not None:
            result["score"] = score([_found(outage) for outage in outages], truth)
        self._print(result)
        if options["json"]:
            _write(options["json"], json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        if unusable:
            for message in unusable[:NAMED_LINES]:
                self.stderr.write(message)
            raise CommandError(
                f"{len(unusable)} lines could not be used and were left out; mend them and replay again."
            )

    def _play(self, rows: list[ReportRow]) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        console = Console(stderr=True)
        with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task("reports", total=len(rows))
            for n_played in play(rows):
                progress.update(task, completed=n_played)

    def _print(self, result: dict[str, Any]) -> None:
        outages = result["outages"]
        n_confirmed = sum(outage["confirmed_at"] is not None for outage in outages)
        self.stdout.write(f"{len(outages)} outages suspected, {n_confirmed} of them confirmed")
        for outage in outages:
            if outage["confirmed_at"]:
                self.stdout.write(
                    f"  {outage['service']} [{', '.join(outage['regions']) or 'everywhere'}]"
                    f" began {outage['started_at']}, suspected {outage['suspected_at']},"
                    f" confirmed {outage['confirmed_at']},"
                    f" over {outage['resolved_at'] or 'not yet'}; {outage['n_reports']} reports; {outage['label']}"
                )
        if "score" in result:
            for name, value in result["score"].items():
                if not isinstance(value, (list, dict)):
                    self.stdout.write(f"{name}: {value}")


def _read_recording(file: Path) -> tuple[list[Recorded], list[str]]:
    """Return the usable lines, and what is wrong with the others."""
    recording: list[Recorded] = []
    unusable: list[str] = []
    try:
        for number, line in _lines(file):
            try:
                recording.append(_parse(line))
            except (ValueError, InvalidReport) as error:
                unusable.append(f"{file}:{number}: {error}")
    except OSError as error:
        raise CommandError(f"{file} can't be read ({error.strerror}). Give the path of a JSON Lines file.") from error
    if not recording:
        named = f" {unusable[0]}" if unusable else ""
        raise CommandError(f"{file} holds no report that could be played.{named}")
    return recording, unusable


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield number, line.decode("utf-8-sig", errors="replace")


def _parse(line: str) -> Recorded:
    """Return a recorded report in the form that is stored.

    Raises ValueError or InvalidReport with a sentence that says what is wrong.
    """
    try:
        fields = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON at character {error.pos + 1} ({error.msg}). Write one object a line.") from error
    except RecursionError as error:
        raise ValueError("this JSON is nested too deeply. A report is one flat object.") from error
    except ValueError as error:  # Python's own limit
        raise ValueError("this JSON holds a number of thousands of digits. A report holds none.") from error
    if not isinstance(fields, dict):
        raise ValueError(f"a JSON object is needed, not {type(fields).__name__}.")
    for name in ("time", "service", "text"):
        if not isinstance(fields.get(name), str):
            raise ValueError(f"`{name}` is missing or no string.")
    region = fields.get("region") or ""
    if not isinstance(region, str):
        raise ValueError(f"region {region!r} is no string.")
    time = _time(fields["time"])
    report = ReportIn(service=fields["service"], text=without_forbidden(fields["text"]), region=region)
    return Recorded(time, normalise(report, now=time))


def _time(written: str) -> datetime:
    try:
        time = datetime.fromisoformat(written)
    except ValueError as error:
        raise ValueError(f"time {written!r} is no RFC 3339 time, such as 2026-05-01T09:30:00Z.") from error
    if time.tzinfo is None:
        raise ValueError(f"time {written!r} has no time zone. Add one, such as Z.")
    if not 1970 <= time.year < 9999:  # what an id can carry, and room for any offset
        raise ValueError(f"time {written!r} is not of this age. Write a year from 1970 on.")
    return max(time.astimezone(UTC), datetime(1970, 1, 1, tzinfo=UTC))


def _refuse_to_overwrite(result: Path, *inputs: Path | None) -> None:
    for file in inputs:
        if file is not None and file.exists() and result.exists() and file.samefile(result):
            raise CommandError(f"{result} is what is read here. Name another file for the result.")


def _write(file: Path, content: str, *, mode: str = "w") -> None:
    try:
        with file.open(mode, encoding="utf-8") as opened:
            opened.write(content)
    except OSError as error:
        raise CommandError(
            f"{file} can't be written ({error.strerror}). Name a file in a folder that exists."
        ) from error


def _read_truth(file: Path) -> Truth:
    try:
        return parse_truth(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise CommandError(f"{file} can't be read ({error.strerror}).") from error
    except RecursionError as error:
        raise CommandError(f"{file}: this JSON is nested too deeply for a truth.") from error
    except ValueError as error:
        raise CommandError(f"{file}: {error}") from error


def _outages() -> Iterator[dict[str, Any]]:
    for outage in Outage.objects.select_related("service").order_by("suspected_at", "id"):
        yield {
            "service": outage.service.name,
            "regions": outage.regions,
            "started_at": _rfc3339(outage.started_at),
            "suspected_at": _rfc3339(outage.suspected_at),
            "confirmed_at": _rfc3339(outage.confirmed_at),
            "resolved_at": _rfc3339(outage.resolved_at),
            "label": outage.label,
            "n_reports": outage.n_reports,
            "peak_p_value": outage.peak_p_value,
        }


def _found(outage: dict[str, Any]) -> FoundOutage:
    def moment(name: str) -> datetime | None:
        return datetime.fromisoformat(outage[name]) if outage[name] else None

    return FoundOutage(
        service=outage["service"],
        regions=tuple(outage["regions"]) or ("",),
        suspected_at=datetime.fromisoformat(outage["suspected_at"]),
        started_at=moment("started_at"),
        confirmed_at=moment("confirmed_at"),
        resolved_at=moment("resolved_at"),
        label=outage["label"],
        n_reports=outage["n_reports"],
    )


def _rfc3339(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if moment else None
