"""How well found outages match labelled ones: the score of `manage.py replay --truth`.

Labels are never complete: real outages are missing from them. So an alarm that matches no label is *unknown*, not
false; only one that falls into a period labelled `quiet` is false. Pure bookkeeping: it neither reads files nor
detects anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from ml.regions import are_related

ANYWHERE = "*"
EARLIEST = timedelta(minutes=30)  # labels are rounded: people may complain before the official start
LATEST = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class FoundOutage:
    """An outage the system opened. Times are aware; `regions` are ISO codes, '' for the whole service."""

    service: str
    regions: tuple[str, ...]
    suspected_at: datetime
    started_at: datetime | None = None
    confirmed_at: datetime | None = None
    resolved_at: datetime | None = None
    label: str = ""
    n_reports: int = 0


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
        other fields are ignored.

    Raises
    ------
    ValueError
        Naming the field that is missing or wrong.

    Examples
    --------
    >>> parse_truth({"outages": [], "quiet": []})
    Truth(outages=(), quiet=())
    """
    if not isinstance(document, Mapping):
        raise ValueError("truth: must be a JSON object with the lists 'outages' and 'quiet'")
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


def score(found: Sequence[FoundOutage], truth: Truth) -> dict[str, object]:
    """Match found outages with labelled ones.

    A labelled outage is *found* when an outage of the same service (letter case aside) and of a related region (same,
    containing or contained) was suspected between 30 minutes before its start and its end, at most 24 hours after the
    start. It has the *right regions* when one of them is named by the found outage or lies above one it names.

    Parameters
    ----------
    found : sequence of FoundOutage
        What the system opened, confirmed or not.
    truth : Truth
        What is known.

    Returns
    -------
    dict
        Plain JSON values. `n_labelled`, `n_found`, `n_found_confirmed`, `n_found_right_regions`,
        `median_minutes_to_suspected`, `median_minutes_to_confirmed`, `n_confirmed`, `n_confirmed_true` (match a
        label), `n_confirmed_in_quiet` (false), `n_confirmed_unknown`, `n_suspected_only`, `precision_labelled`
        (true / (true + false), None without either), and `outages`: one entry a label, with the times of its match.

    Notes
    -----
    Cost O(found · labelled).

    Examples
    --------
    >>> score([], Truth(outages=(), quiet=()))["n_labelled"]
    0
    """
    entries = [_match(label, found) for label in truth.outages]
    confirmed = [outage for outage in found if outage.confirmed_at is not None]
    is_true = [any(_is_match(outage, label) for label in truth.outages) for outage in confirmed]
    is_false = [
        not true and any(_is_in(outage, period) for period in truth.quiet)
        for outage, true in zip(confirmed, is_true, strict=True)
    ]
    n_true, n_false = sum(is_true), sum(is_false)
    return {
        "n_labelled": len(entries),
        "n_found": sum(bool(entry["found"]) for entry in entries),
        "n_found_confirmed": sum(entry["minutes_to_confirmed"] is not None for entry in entries),
        "n_found_right_regions": sum(bool(entry["right_regions"]) for entry in entries),
        "median_minutes_to_suspected": _median([entry["minutes_to_suspected"] for entry in entries]),
        "median_minutes_to_confirmed": _median([entry["minutes_to_confirmed"] for entry in entries]),
        "n_confirmed": len(confirmed),
        "n_confirmed_true": n_true,
        "n_confirmed_in_quiet": n_false,
        "n_confirmed_unknown": len(confirmed) - n_true - n_false,
        "n_suspected_only": len(found) - len(confirmed),
        "precision_labelled": n_true / (n_true + n_false) if n_true + n_false else None,
        "outages": entries,
    }


def _match(label: LabelledOutage, found: Sequence[FoundOutage]) -> dict[str, object]:
    matches = sorted((outage for outage in found if _is_match(outage, label)), key=lambda o: o.suspected_at)
    confirmed = [outage.confirmed_at for outage in matches if outage.confirmed_at is not None]
    return {
        "service": label.service,
        "regions": list(label.regions),
        "start": label.start.isoformat(),
        "found": bool(matches),
        "right_regions": any(_names_region(outage, label) for outage in matches),
        "found_regions": sorted({region for outage in matches for region in outage.regions}),
        "minutes_to_suspected": _minutes(matches[0].suspected_at - label.start) if matches else None,
        "minutes_to_confirmed": _minutes(min(confirmed) - label.start) if confirmed else None,
    }


def _is_match(outage: FoundOutage, label: LabelledOutage) -> bool:
    latest = label.start + LATEST
    if label.end is not None:
        latest = min(latest, label.end)
    return (
        outage.service.casefold() == label.service.casefold()
        and label.start - EARLIEST <= outage.suspected_at <= latest
        and _regions_related(outage.regions, label.regions)
    )


def _is_in(outage: FoundOutage, period: QuietPeriod) -> bool:
    return (
        outage.service.casefold() == period.service.casefold()
        and period.start <= outage.suspected_at < period.end
        and _regions_related(outage.regions, period.regions)
    )


def _regions_related(found: Sequence[str], labelled: Sequence[str]) -> bool:
    if ANYWHERE in labelled:
        return True
    return any(are_related(one, other) for one in found or ("",) for other in labelled)


def _names_region(outage: FoundOutage, label: LabelledOutage) -> bool:
    """Whether a labelled region is named itself, or by one of its parts; the whole service names nothing."""
    if ANYWHERE in label.regions:
        return True
    return any(
        region == wanted or region.startswith(f"{wanted}-") for region in outage.regions for wanted in label.regions
    )


def _minutes(span: timedelta) -> float:
    return round(span.total_seconds() / 60.0, 1)


def _median(values: Sequence[object]) -> float | None:
    known = [value for value in values if isinstance(value, float)]
    return median(known) if known else None


def _rows(document: Mapping[str, object], field: str) -> list[Mapping[str, object]]:
    rows = document.get(field, [])
    if not isinstance(rows, list):
        raise ValueError(f"{field}: must be a list")
    for i, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise ValueError(f"{field}[{i}]: must be an object")
    return rows


def _text(row: Mapping[str, object], field: str, name: str) -> str:
    value = row.get(field)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name}.{field}: must be a text that is not empty")
    return value


def _regions(row: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = row.get("regions")
    if not isinstance(value, list) or not value or not all(isinstance(region, str) for region in value):
        raise ValueError(f"{name}.regions: must be a list of region codes that is not empty ('*' = any)")
    return tuple(value)


def _time(row: Mapping[str, object], field: str, name: str) -> datetime:
    value = row.get(field)
    if not isinstance(value, str):
        raise ValueError(f"{name}.{field}: must be an RFC 3339 time")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{name}.{field}: {value!r} is no RFC 3339 time") from None
    if moment.tzinfo is None:
        raise ValueError(f"{name}.{field}: {value!r} has no time zone")
    return moment.astimezone(UTC)


def _check_order(start: datetime, end: datetime | None, name: str) -> None:
    if end is not None and end < start:
        raise ValueError(f"{name}.end: lies before its start")
