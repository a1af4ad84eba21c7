"""What is known about a recorded stream: labelled outages and quiet periods, read from a truth document.

Every mistake in the document is an error that names the field, what it says, and what to write: a label that silently
matched nothing would count as an outage the system missed. Not here: how labels are compared with what was found
(`outage_matching`), and files.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

ANYWHERE = "*"

_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]+)*")
_EXAMPLE_TIME = "2026-05-01T09:30:00Z"
_MOST_QUOTED = 80  # characters: a message must not repeat a whole file


@dataclass(frozen=True, slots=True)
class LabelledOutage:
    """An outage known from elsewhere; `end` is None where nobody knows it."""

    service: str
    regions: tuple[str, ...]
    start: datetime
    end: datetime | None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class QuietPeriod:
    """A time for which it is known that there was no outage; region '*' stands for all."""

    service: str
    regions: tuple[str, ...]
    start: datetime
    end: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known about a recorded stream."""

    outages: tuple[LabelledOutage, ...]
    quiet: tuple[QuietPeriod, ...]


def parse_truth(document: object) -> Truth:
    """Read a truth document, as decoded from JSON.

    Parameters
    ----------
    document : object
        ``{"outages": [{service, start, end|null, regions, kind, …}], "quiet": [{service, regions, start, end, why}]}``;
        other fields are ignored, and one of the two lists may be missing. A region is an ISO 3166 code, '' the service
        as a whole, '*' any.

    Raises
    ------
    ValueError
        Naming the field that is missing or wrong, its value, and what is needed.

    Notes
    -----
    Cost O(rows).

    Examples
    --------
    >>> parse_truth({"outages": [], "quiet": []})
    Truth(outages=(), quiet=())
    """
    if not isinstance(document, Mapping):
        raise ValueError(
            f"truth: must be a JSON object with the lists 'outages' and 'quiet', not {type(document).__name__}"
        )
    if not document.keys() & {"outages", "quiet"}:
        there = ", ".join(repr(str(key)[:_MOST_QUOTED]) for key in list(document)[:5]) or "nothing"
        raise ValueError(f"truth: holds neither 'outages' nor 'quiet', but {there}. Give at least one, if only []")
    outages, quiet = [], []
    for i, row in enumerate(_rows(document, "outages")):
        name = f"outages[{i}]"
        start = _time(row, "start", name)
        end = None if row.get("end") is None else _time(row, "end", name)
        _check_order(start, end, name)
        outages.append(
            LabelledOutage(_text(row, "service", name), _regions(row, name), start, end, str(row.get("kind") or ""))
        )
    for i, row in enumerate(_rows(document, "quiet")):
        name = f"quiet[{i}]"
        start, until = _time(row, "start", name), _time(row, "end", name)
        _check_order(start, until, name)
        quiet.append(
            QuietPeriod(_text(row, "service", name), _regions(row, name), start, until, str(row.get("why") or ""))
        )
    return Truth(outages=tuple(outages), quiet=tuple(quiet))


def _rows(document: Mapping[str, object], field: str) -> list[Mapping[str, object]]:
    rows = document.get(field, [])
    if not isinstance(rows, list):
        raise ValueError(f"{field}: must be a list, not {_quoted(rows)}")
    for i, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise ValueError(f"{field}[{i}]: must be an object, not {_quoted(row)}")
    return rows


def _text(row: Mapping[str, object], field: str, name: str) -> str:
    value = row.get(field)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name}.{field}: must be a text that is not empty, not {_quoted(value)}")
    return value.strip()


def _regions(row: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = row.get("regions")
    if not isinstance(value, list) or not value:
        raise ValueError(
            f"{name}.regions: must be a list of region codes that is not empty ('*' = any), not {_quoted(value)}"
        )
    for region in value:
        if not isinstance(region, str) or not (region in {"", ANYWHERE} or _REGION.fullmatch(region)):
            raise ValueError(
                f"{name}.regions: {_quoted(region)} is no region. Write an ISO 3166 code such as DE or DE-BY,"
                " '' for the whole service, or '*' for any"
            )
    return tuple(value)


def _time(row: Mapping[str, object], field: str, name: str) -> datetime:
    value = row.get(field)
    if not isinstance(value, str):
        raise ValueError(
            f"{name}.{field}: must be an RFC 3339 time such as {_EXAMPLE_TIME}, not {_quoted(value)}"
            + (" (only the end of an outage may be null: nobody knows it)" if value is None else "")
        )
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{name}.{field}: {_quoted(value)} is no RFC 3339 time such as {_EXAMPLE_TIME}") from None
    if moment.tzinfo is None:
        raise ValueError(f"{name}.{field}: {value!r} has no time zone. Add one, such as Z: {_EXAMPLE_TIME}")
    if not 1970 < moment.year < 9999:  # room for any zone, and for the day after
        raise ValueError(f"{name}.{field}: {value!r} is not of this age. Write a year after 1970")
    return moment.astimezone(UTC)


def _check_order(start: datetime, end: datetime | None, name: str) -> None:
    if end is not None and end < start:
        raise ValueError(
            f"{name}.end: {end.isoformat()} lies before its start, {start.isoformat()}. Exchange them,"
            " or mind their time zones"
        )


def _quoted(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= _MOST_QUOTED else f"{shown[: _MOST_QUOTED - 1]}…"
