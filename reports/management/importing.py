"""Files of reports, read line by line: CSV as spreadsheets save it, and JSON lines. Any size, in the same memory.

Invariant: every line that is not blank comes out once, as a report or as what is wrong with it, with its number and the
bytes it had; a file is refused as a whole only where none of its lines could be read. What a report must be is said in
`intake.contract`; nothing is stored here.
"""

from __future__ import annotations

import csv
import hashlib
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any, Final

import msgspec

from reports.errors import FieldError, InvalidInput, InvalidReport
from reports.intake.contract import MAX_REPORT_BYTES, ReportIn, from_mapping
from reports.intake.imports import Line

FORMATS: Final = ("csv", "ndjson")
MAX_LINE_BYTES: Final = 4 * MAX_REPORT_BYTES  # what is longer is no line of a report; the rest of it is left out
CHUNK_BYTES: Final = 1024 * 1024
MAX_CELL_CHARS: Final = 131_072  # the csv module's own
NO_UTF8: Final = (
    "Holds bytes that are no UTF-8. Save the file as UTF-8 (in Excel: “CSV UTF-8”), or convert it:"
    " iconv -f WINDOWS-1252 -t UTF-8."
)
_DELIMITERS: Final = ",;\t|"
_SUFFIXES: Final = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .ods, which are archives; .xls
_BOM: Final = b"\xef\xbb\xbf"
# A recording's name for when it happened; its lines' own names say nothing to us.
_TIME: Final = "time"
_NOT_READ: Final = "id"
COLUMNS: Final = (*ReportIn.__struct_fields__, _TIME, _NOT_READ)
_ESCAPED_BYTE: Final = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Given:
    """A file that is to be imported: its bytes, how many they are, and a digest that names what they say."""

    file: IO[bytes]
    n_bytes: int
    digest: str
    suffix: str


@dataclass(frozen=True, slots=True)
class Record:
    """A line, with the bytes it had."""

    line: Line
    raw: bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """The lines of a file; `head` is what has to stand before them for them to be read again (a CSV's header)."""

    records: Iterator[Record]
    head: bytes = b""


@contextmanager
def opened(path: str) -> Iterator[Given]:
    """Open a file, or keep what comes by standard input ("-") where it can be read twice: by digest and by line.

    Raises OSError.
    """
    if path == "-":
        with tempfile.TemporaryFile() as kept:
            shutil.copyfileobj(sys.stdin.buffer, kept)
            yield _given(kept, "")
    else:
        with open(path, "rb") as file:  # noqa: PTH123  the name may be one that Path would tidy
            yield _given(file, path[path.rfind(".") :].lower() if "." in path else "")


def format_of(given: Given) -> str:
    """Return the format a file's name says, else the one its first line looks like."""
    if found := _SUFFIXES.get(given.suffix):
        return found
    beginning = given.file.read(4096).removeprefix(_BOM).lstrip()
    given.file.seek(0)
    return "ndjson" if beginning[:1] in (b"{", b"[") else "csv"


def read(given: Given, *, file_format: str, defaults: Mapping[str, str]) -> Reading:
    """Return the lines of a file. `defaults` fills in fields that a line leaves empty.

    Raises InvalidInput for a file none of whose lines could be read: another encoding, no header, unknown columns.
    """
    lines = _lines(given.file)
    first = next(lines, b"")
    if first.startswith(b"\x1f\x8b"):
        raise InvalidInput("The file is compressed. Unpack it on the way: zcat FILE | manage.py import_reports -")
    if first.startswith(_WORKBOOKS):
        raise InvalidInput(
            "The file is a workbook. Save its sheet as a table (in Excel: “CSV UTF-8”), and import that."
        )
    if first[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in first[:64]:
        raise InvalidInput("The file is UTF-16. Save it as UTF-8 (in Excel: “CSV UTF-8”), or: iconv -f UTF-16 -t UTF-8")
    first = first.removeprefix(_BOM)
    if file_format == "ndjson":
        return Reading(_json_records(first, lines, defaults))
    return _table(_Tape(first, lines), defaults)


def _given(file: IO[bytes], suffix: str) -> Given:
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(CHUNK_BYTES):
        digest.update(piece)
    n_bytes = file.tell()
    file.seek(0)
    return Given(file, n_bytes, digest.hexdigest(), suffix)


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield lines of at most MAX_LINE_BYTES; of a longer one the beginning."""
    while line := file.readline(MAX_LINE_BYTES):
        rest = line
        while len(rest) == MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE_BYTES)
        yield line


# -- JSON lines -------------------------------------------------------------------------------------------------------
def _json_records(first: bytes, lines: Iterator[bytes], defaults: Mapping[str, str]) -> Iterator[Record]:
    number, line = 1, first
    while line:
        if line.strip():
            yield Record(Line(number, _or_error(lambda raw=line: _of_json(raw, defaults))), line)
        number, line = number + 1, next(lines, b"")


def _of_json(raw: bytes, defaults: Mapping[str, str]) -> ReportIn:
    if len(raw) > MAX_REPORT_BYTES:
        raise _wrong(f"This line has more than {MAX_REPORT_BYTES:,} bytes, which no report has. Shorten it.")
    try:
        fields = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if not _is_utf8(raw):
            raise _wrong(NO_UTF8) from error
        raise _wrong(f"This is no valid JSON: {str(error).rstrip('.')}. Write one object a line.") from error
    except RecursionError as error:
        raise _wrong("This JSON is nested too deeply. A report is one flat object.") from error
    if not isinstance(fields, dict):
        raise _wrong("This is no JSON object. Write one object a line; of an array make lines: jq -c '.[]'.")
    return _of_fields(fields, defaults)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


# -- Tables -----------------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class _Tape:
    """The lines on their way into the csv reader, with what the record at hand was made of."""

    first: bytes
    rest: Iterator[bytes]
    number: int = 0
    raw: list[bytes] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        line = self.first
        while line:
            self.number += 1
            self.raw.append(line)
            yield line.decode(errors="surrogateescape")
            line = next(self.rest, b"")

    def cut(self) -> bytes:
        raw = b"".join(self.raw)
        self.raw.clear()
        return raw


def _table(tape: _Tape, defaults: Mapping[str, str]) -> Reading:
    lines = iter(tape)
    header = next((line for line in lines if line.strip() and not re.match("sep=.$", line.strip(), re.I)), "")
    head = tape.raw[-1] if tape.raw else b""
    tape.cut()
    delimiter = max(_DELIMITERS, key=lambda sign: sum(name in COLUMNS for name in _names(header, sign)))
    names = _names(header, delimiter)
    while names and not names[-1]:  # columns that spreadsheets take for used
        names.pop()
    if b"\r" in head.rstrip(b"\r\n"):
        raise InvalidInput("Its lines end as on old Macs. Save it as “CSV UTF-8”, or convert it: tr '\\r' '\\n'.")
    _check_header(names, header, defaults)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    return Reading(_table_records(reader, tape, names, defaults), head if head.endswith(b"\n") else head + b"\n")


def _names(header: str, delimiter: str) -> list[str]:
    try:
        return [name.strip().lower() for name in next(csv.reader([header], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _check_header(names: list[str], header: str, defaults: Mapping[str, str]) -> None:
    known = ", ".join(COLUMNS)
    if not any(name in COLUMNS for name in names):
        shown = header.strip()[:60].encode(errors="replace").decode()
        raise InvalidInput(f"The first line, {shown!r}, is no header. Name the columns in it; they are: {known}.")
    for name in names:
        if name not in COLUMNS:
            shown = _ESCAPED_BYTE.sub("�", name)
            raise InvalidInput(f"{shown!r} is no column of a report. Rename it, or leave it out; they are: {known}.")
        if names.count(name) > 1:
            raise InvalidInput(f"There are {names.count(name)} columns {name!r}. Leave all but one of them out.")
    if "service" not in names and not defaults.get("service"):
        raise InvalidInput("There is no column `service`. Add one, or name the service of all lines with --service.")
    if {_TIME, "occurred_at"} <= set(names):
        raise InvalidInput("There is a column `time` and a column `occurred_at`, which mean the same. Leave one out.")


def _table_records(reader: Any, tape: _Tape, names: list[str], defaults: Mapping[str, str]) -> Iterator[Record]:
    while True:
        number = tape.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(Line(number, _no_csv(error)), tape.cut())
            continue
        raw = tape.cut()
        if any(cell.strip() for cell in cells):  # spreadsheets leave rows of nothing at the end
            yield Record(Line(number, _or_error(lambda row=cells: _of_cells(row, names, defaults))), raw)


def _of_cells(cells: list[str], names: list[str], defaults: Mapping[str, str]) -> ReportIn:
    if len(cells) > len(names) and not any(cell.strip() for cell in cells[len(names) :]):
        cells = cells[: len(names)]
    if len(cells) != len(names):
        raise _wrong(
            f"This line has {len(cells)} cells, the header {len(names)}."
            " Put text that holds the separator or a line break into quotes."
        )
    return _of_fields(dict(zip(names, cells, strict=True)), defaults)


def _no_csv(error: csv.Error) -> InvalidReport:
    words = str(error)
    if "field limit" in words or "unexpected end" in words:
        return _wrong(
            f'A quote (") that is opened here is not closed, or a cell has over {MAX_CELL_CHARS:,} characters.'
        )
    return _wrong(f"This is no CSV: {words}. Double a quote that belongs to the text.")


# -- Fields -----------------------------------------------------------------------------------------------------------
def _of_fields(given: Mapping[str, Any], defaults: Mapping[str, str]) -> ReportIn:
    fields = {name: value for name, value in given.items() if value not in ("", None) and name != _NOT_READ}
    for name, value in fields.items():
        if isinstance(value, str) and _ESCAPED_BYTE.search(value):
            raise InvalidReport([FieldError(name, NO_UTF8)])
    if _TIME in fields:
        if "occurred_at" in fields:
            raise InvalidReport([FieldError(_TIME, "Stands beside occurred_at, which means the same. Leave one out.")])
        fields["occurred_at"] = fields.pop(_TIME)
    if "occurred_at" in fields:
        fields["occurred_at"] = _time(fields["occurred_at"])
    return from_mapping({**defaults, **fields})


def _time(written: object) -> datetime:
    try:
        return datetime.fromisoformat(str(written).strip())
    except ValueError as error:
        message = f"{str(written)[:40]!r} is no RFC 3339 time. Write one such as 2026-05-01T09:30:00Z."
        raise InvalidReport([FieldError("occurred_at", message)]) from error


def _or_error(make: Any) -> ReportIn | InvalidReport:
    try:
        report: ReportIn = make()
    except InvalidReport as invalid:
        return invalid
    return report


def _wrong(message: str) -> InvalidReport:
    return InvalidReport([FieldError("", message)])
