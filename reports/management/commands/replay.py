"""`manage.py replay FILE.jsonl`: what would have been found, had this recording come in live.

Reads one JSON object a line (time, service, region, text, id), plays it through the real stages in virtual time on a
scratch database, prints the outages found and, with `--truth`, how right they were; `--html` draws each of them. A line
that can't be used is named and left out; the rest is played all the same.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.template.loader import render_to_string
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from ml.outage_matching import FoundOutage, RecordedService, Verdict, judge_alarm, match_label
from ml.outage_scores import recorded_services, score
from ml.outage_truth import Truth, parse_truth
from reports.errors import InvalidReport
from reports.intake.contract import ReportIn, normalise, without_forbidden
from reports.intake.writer import ReportRow
from reports.management.backtest import BacktestPage, Section, Witness, sections_of
from reports.management.playback import Recorded, make_services, play, row_of
from reports.management.scoreboard import headline, score_rows
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
        parser.add_argument(
            "--html", type=Path, metavar="OUT.html", help="draw the outages, with the score, as one page to look at"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        truth = _read_truth(options["truth"]) if options["truth"] else None
        _prepare_results(options["json"], options["html"], inputs=(options["file"], options["truth"]))
        recording, unusable = _read_recording(options["file"])
        recorded = _recorded(recording)
        if truth is not None:
            for warning in _doubts(truth, recorded):
                self.stderr.write(f"{options['truth']}: {warning}")
        with scratch_database():
            make_services(recording)
            rows = sorted(map(row_of, recording), key=lambda row: row.received_at)
            witness = Witness(rows, truth.outages if truth is not None else ()) if options["html"] else None
            self._play(rows, witness)
            outages = list(Outage.objects.select_related("service").order_by("suspected_at", "id"))
            result: dict[str, Any] = {"outages": [_plain(outage) for outage in outages]}
            found = [_found(plain) for plain in result["outages"]]
            sections = _sections(outages, found, truth, recorded, witness) if witness else ()
        if truth is not None:
            result["score"] = score(found, truth, recorded=recorded)
        self._print(result)
        if options["json"]:
            _write(options["json"], json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        if options["html"]:
            page = _page(options["file"], options["truth"], result, len(recording), recorded, sections)
            _write(options["html"], render_to_string("management/backtest.html", {"page": page}))
        if unusable:
            for message in unusable[:NAMED_LINES]:
                self.stderr.write(message)
            raise CommandError(
                f"{len(unusable)} lines could not be used and were left out; mend them and replay again."
            )

    def _play(self, rows: list[ReportRow], witness: Witness | None) -> None:
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
                if witness is not None:
                    witness.look(now=rows[n_played - 1].received_at)
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
            self.stdout.write(headline(result["score"]))
            table = _score_table(result["score"])
            Console(file=self.stdout, markup=False, highlight=False).print(table)  # type: ignore[arg-type]


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


def _prepare_results(*results: Path | None, inputs: Sequence[Path | None]) -> None:
    """Refuse a result that can't be written now: minutes of playing must not end with a folder that is not there."""
    taken = [file.resolve() for file in inputs if file is not None]
    for result in results:
        if result is None:
            continue
        if result.resolve() in taken:
            raise CommandError(f"{result} is read here, or written already. Name another file for the result.")
        _refuse_to_overwrite(result, *inputs)
        _write(result, "", mode="a")
        taken.append(result.resolve())


def _score_table(scores: dict[str, Any]) -> Table:
    table = Table(box=box.SIMPLE)
    for name in ("", "suspected", "95 %", "confirmed", "95 %"):
        table.add_column(name, justify="right" if name in ("suspected", "confirmed") else "left")
    for row in score_rows(scores):
        cells = [row.suspected, *([row.confirmed] if row.confirmed is not None else [])]
        table.add_row(row.name, *(words for cell in cells for words in (cell.value, cell.interval)))
    return table


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
        return parse_truth(json.loads(file.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise CommandError(f"{file} can't be read ({error.strerror}). Give the path of a JSON file.") from error
    except UnicodeDecodeError as error:
        raise CommandError(
            f"{file}: byte {error.start + 1} ({error.object[error.start]:#04x}) is no UTF-8. Save it as UTF-8."
        ) from error
    except json.JSONDecodeError as error:
        raise CommandError(
            f"{file}: no JSON at line {error.lineno}, column {error.colno} ({error.msg}). A truth is one object."
        ) from error
    except RecursionError as error:
        raise CommandError(f"{file}: this JSON is nested too deeply for a truth.") from error
    except ValueError as error:
        raise CommandError(f"{file}: {error}") from error


def _recorded(recording: Sequence[Recorded]) -> tuple[RecordedService, ...]:
    times: dict[str, list[datetime]] = defaultdict(list)
    for one in recording:
        times[one.report.service].append(one.time)
    return recorded_services(times)


def _doubts(truth: Truth, recorded: Sequence[RecordedService]) -> Iterator[str]:
    """Return what in a truth can't be about the recording: a slip more often than a wish."""
    spans = {one.service.casefold(): one for one in recorded}
    there = ", ".join(repr(one.service) for one in recorded[:NAMED_LINES])
    named = [(f"outages[{i}]", label.service) for i, label in enumerate(truth.outages)]
    named += [(f"quiet[{i}]", period.service) for i, period in enumerate(truth.quiet)]
    for name, service in named:
        if service.casefold() not in spans:
            yield f"{name}.service: the recording holds no report of {service!r}. It holds {there}."
    for i, label in enumerate(truth.outages):
        span = spans.get(label.service.casefold())
        if span is not None and match_label(label, (), recorded).verdict is Verdict.NOT_RECORDED:
            yield (
                f"outages[{i}].start: {_rfc3339(label.start)} is not in the recording, which holds {label.service!r}"
                f" from {_rfc3339(span.first_at)} to {_rfc3339(span.last_at)}."
                " It counts as not recorded, not as missed."
            )


def _sections(
    outages: Sequence[Outage],
    found: Sequence[FoundOutage],
    truth: Truth | None,
    recorded: Sequence[RecordedService],
    witness: Witness,
) -> tuple[Section, ...]:
    known = truth or Truth((), ())
    return sections_of(
        outages,
        [judge_alarm(one, known) for one in found] if truth is not None else None,
        truth=known,
        matches=[match_label(label, found, recorded) for label in known.outages],
        witness=witness,
        now=max([*(one.last_at for one in recorded), *(outage.evaluated_at for outage in outages)]),
    )


def _page(
    file: Path,
    truth: Path | None,
    result: dict[str, Any],
    n_reports: int,
    recorded: Sequence[RecordedService],
    sections: tuple[Section, ...],
) -> BacktestPage:
    n_confirmed = sum(outage["confirmed_at"] is not None for outage in result["outages"])
    return BacktestPage(
        recording=file.name,
        truth=truth.name if truth is not None else "",
        headline=headline(result["score"])
        if "score" in result
        else f"{len(result['outages'])} outages suspected, {n_confirmed} of them confirmed.",
        n_reports=n_reports,
        services=tuple(recorded),
        rows=tuple(score_rows(result["score"])) if "score" in result else (),
        sections=sections,
    )


def _plain(outage: Outage) -> dict[str, Any]:
    return {
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
