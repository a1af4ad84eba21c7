"""How well found outages match labelled ones: the score of `manage.py replay --truth`.

A figure from five outages is no fact, so each has its interval: Wilson's for proportions, the exact Poisson one for
rates, order statistics for medians and percentiles, the bootstrap for means. Pure bookkeeping over `outage_matching`:
it neither reads files nor detects anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from statistics import mean, median

import numpy as np

from ml.intervals import CONFIDENCE, mean_interval, poisson_rate_interval, quantile_interval, wilson_interval
from ml.outage_matching import (
    Alarm,
    FoundOutage,
    LabelMatch,
    RecordedService,
    Verdict,
    judge_alarm,
    match_label,
    names_region,
    region_f1,
)
from ml.outage_truth import LabelledOutage, Truth

DAY = timedelta(days=1)
DAYS_PER_MONTH = 365.25 / 12


@dataclass(frozen=True, slots=True)
class _Entry:
    """A labelled outage with all that is measured of it; times in minutes after its start."""

    label: LabelledOutage
    match: LabelMatch
    n_confirmed: int
    has_right_regions: bool
    found_regions: tuple[str, ...]
    region_f1: float | None
    minutes_to_suspected: float | None
    minutes_to_confirmed: float | None


def recorded_services(times: Mapping[str, Iterable[datetime]]) -> tuple[RecordedService, ...]:
    """Say how long each service was listened to.

    Parameters
    ----------
    times : mapping of str to iterable of datetime
        When each service's reports came, in any order; names that differ in letter case only are one service.

    Returns
    -------
    tuple of RecordedService
        A day of UTC on which no service has a report counts for none: nobody was collecting. The first and the last day
        of a service count from its first and to its last report.

    Notes
    -----
    Cost O(reports).

    Examples
    --------
    >>> from datetime import UTC
    >>> times = [datetime(2026, 5, 1, 12, tzinfo=UTC), datetime(2026, 5, 9, tzinfo=UTC)]
    >>> [service] = recorded_services({"Mail": times})
    >>> service.days  # half of the first day; of the last nothing, for its only report came at midnight
    0.5
    """
    merged: dict[str, tuple[str, list[datetime]]] = {}
    for name, moments in times.items():
        merged.setdefault(name.casefold(), (name, []))[1].extend(moment.astimezone(UTC) for moment in moments)
    heard = {moment.date() for _, moments in merged.values() for moment in moments}
    found = []
    for name, moments in merged.values():
        if moments:
            first, last = min(moments), max(moments)
            n_days = sum(first.date() <= day <= last.date() for day in heard)
            before, after = first - _midnight(first), _midnight(last) + DAY - last
            found.append(RecordedService(name, first, last, max(n_days - (before + after) / DAY, 0.0)))
    return tuple(found)


def score(
    found: Sequence[FoundOutage],
    truth: Truth,
    *,
    recorded: Sequence[RecordedService] | None = None,
    rng: np.random.Generator | None = None,
) -> dict[str, object]:
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
    recorded : sequence of RecordedService, optional
        How long was listened; without it there are no rates.
    rng : numpy.random.Generator, optional
        For the bootstrap; by default one with a fixed seed, so that the same outages have the same score.

    Returns
    -------
    dict
        Plain JSON values. First the counts: `n_labelled`, `n_found`, `n_found_confirmed`, `n_found_right_regions`,
        `median_minutes_to_suspected`, `median_minutes_to_confirmed`, `n_confirmed`, `n_confirmed_true` (match a
        label), `n_confirmed_in_quiet` (false), `n_confirmed_unknown`, `n_suspected_only`, `precision_labelled`
        (true / (true + false), None without either), and `outages`: one entry a label, with the times of its match.

        Then estimates, each ``{value, low, high, n}`` with what it is counted from as `n`, None for what so few can't
        tell, at the level `confidence`:

        - ``recall``: ``{suspected, confirmed}``, of the labels that lie in the recording; ``n_not_recorded`` do not.
        - ``precision``: ``{suspected, confirmed}``, of the alarms that a label or a quiet period decides.
        - ``minutes_to_suspected``, ``minutes_to_confirmed``: ``{median, p90}``, of the labels found. The 90th
          percentile is the least time within which nine in ten were.
        - ``region_f1``: mean over the labels found (`outage_matching.region_f1`, over all that answers the label).
        - ``incidents_per_outage``: mean over the labels found of the outages that answer it in time, confirmed or not.
        - ``service_months``, and ``alarms_per_service_month``, ``false_alarms_per_service_month`` (in quiet periods),
          ``unknown_alarms_per_service_month``: each ``{suspected, confirmed}``, `n` being the alarms. Every outage was
          suspected, so `suspected` holds the confirmed ones too. Of the unknown ``n_late_alarms`` answer a label late.
        - ``alarms``: one entry a found outage, ``{verdict, labels, quiet}`` with positions in the truth's lists.

    Notes
    -----
    Cost O(found · labelled).

    Examples
    --------
    >>> score([], Truth(outages=(), quiet=()))["n_labelled"]
    0
    """
    entries = [_entry(label, match_label(label, found, recorded), found) for label in truth.outages]
    alarms = [judge_alarm(outage, truth) for outage in found]
    confirmed = [alarm for alarm, outage in zip(alarms, found, strict=True) if outage.confirmed_at is not None]
    n_true, n_false = _count(confirmed, Verdict.HIT), _count(confirmed, Verdict.IN_QUIET)
    return {
        "n_labelled": len(entries),
        "n_found": len(_found(entries)),
        "n_found_confirmed": sum(entry.minutes_to_confirmed is not None for entry in entries),
        "n_found_right_regions": sum(entry.has_right_regions for entry in entries),
        "median_minutes_to_suspected": _median(entry.minutes_to_suspected for entry in entries),
        "median_minutes_to_confirmed": _median(entry.minutes_to_confirmed for entry in entries),
        "n_confirmed": len(confirmed),
        "n_confirmed_true": n_true,
        "n_confirmed_in_quiet": n_false,
        "n_confirmed_unknown": len(confirmed) - n_true - n_false,
        "n_suspected_only": len(found) - len(confirmed),
        "precision_labelled": n_true / (n_true + n_false) if n_true + n_false else None,
        **_estimates(entries, rng or np.random.default_rng(0)),
        **_alarm_estimates(alarms, confirmed, recorded),
        "outages": [_plain(entry) for entry in entries],
        "alarms": [
            {"verdict": alarm.verdict.value, "labels": list(alarm.labels), "quiet": alarm.quiet} for alarm in alarms
        ],
    }


def _estimates(entries: Sequence[_Entry], rng: np.random.Generator) -> dict[str, object]:
    """Return what is told of the labels."""
    there = [entry for entry in entries if entry.match.verdict is not Verdict.NOT_RECORDED]
    hits = _found(entries)
    suspected = [entry.minutes_to_suspected for entry in entries if entry.minutes_to_suspected is not None]
    confirmed = [entry.minutes_to_confirmed for entry in entries if entry.minutes_to_confirmed is not None]
    return {
        "confidence": CONFIDENCE,
        "n_not_recorded": len(entries) - len(there),
        "recall": {
            "suspected": _proportion(len(hits), len(there)),
            "confirmed": _proportion(len(confirmed), len(there)),
        },
        "minutes_to_suspected": _times(suspected),
        "minutes_to_confirmed": _times(confirmed),
        "region_f1": _mean([entry.region_f1 for entry in hits if entry.region_f1 is not None], rng),
        "incidents_per_outage": _mean([float(len(entry.match.in_time)) for entry in hits], rng),
    }


def _alarm_estimates(
    alarms: Sequence[Alarm], confirmed: Sequence[Alarm], recorded: Sequence[RecordedService] | None
) -> dict[str, object]:
    """Return what is told of the alarms, for all of them and for those that were confirmed."""
    months = sum(one.days for one in recorded) / DAYS_PER_MONTH if recorded is not None else None
    kinds = {"suspected": alarms, "confirmed": confirmed}

    def rates(*verdicts: Verdict) -> dict[str, object]:
        return {kind: _rate(sum(_count(group, one) for one in verdicts), months) for kind, group in kinds.items()}

    return {
        "precision": {
            kind: _proportion(_count(group, Verdict.HIT), _count(group, Verdict.HIT) + _count(group, Verdict.IN_QUIET))
            for kind, group in kinds.items()
        },
        "service_months": None if months is None else round(months, 3),
        "alarms_per_service_month": rates(*Verdict),
        "false_alarms_per_service_month": rates(Verdict.IN_QUIET),
        "unknown_alarms_per_service_month": rates(Verdict.UNKNOWN, Verdict.TOO_LATE),
        "n_late_alarms": {kind: _count(group, Verdict.TOO_LATE) for kind, group in kinds.items()},
    }


def _entry(label: LabelledOutage, match: LabelMatch, found: Sequence[FoundOutage]) -> _Entry:
    matches = [found[i] for i in match.in_time]
    confirmed = [outage.confirmed_at for outage in matches if outage.confirmed_at is not None]
    regions = sorted(set(chain.from_iterable(outage.regions for outage in matches)))
    return _Entry(
        label=label,
        match=match,
        n_confirmed=len(confirmed),
        has_right_regions=any(names_region(outage, label) for outage in matches),
        found_regions=tuple(regions),
        region_f1=region_f1(regions, label.regions) if matches else None,
        minutes_to_suspected=_minutes(matches[0].suspected_at - label.start) if matches else None,
        minutes_to_confirmed=_minutes(min(confirmed) - label.start) if confirmed else None,
    )


def _plain(entry: _Entry) -> dict[str, object]:
    return {
        "service": entry.label.service,
        "regions": list(entry.label.regions),
        "start": entry.label.start.isoformat(),
        "found": bool(entry.match.in_time),
        "right_regions": entry.has_right_regions,
        "found_regions": list(entry.found_regions),
        "minutes_to_suspected": entry.minutes_to_suspected,
        "minutes_to_confirmed": entry.minutes_to_confirmed,
        "verdict": entry.match.verdict.value,
        "region_f1": entry.region_f1,
        "n_incidents": len(entry.match.in_time),
        "n_incidents_confirmed": entry.n_confirmed,
        "alarms": list(entry.match.in_time),
        "late_alarms": list(entry.match.late),
    }


def _found(entries: Sequence[_Entry]) -> list[_Entry]:
    return [entry for entry in entries if entry.match.in_time]


def _count(alarms: Sequence[Alarm], verdict: Verdict) -> int:
    return sum(alarm.verdict is verdict for alarm in alarms)


def _proportion(n_hits: int, n: int) -> dict[str, object]:
    return _estimate(n_hits / n if n else None, wilson_interval(n_hits, n), n)


def _rate(n: int, exposure: float | None) -> dict[str, object]:
    if not exposure:
        return _estimate(None, (None, None), n)
    return _estimate(n / exposure, poisson_rate_interval(n, exposure), n)


def _mean(values: Sequence[float], rng: np.random.Generator) -> dict[str, object]:
    return _estimate(mean(values) if values else None, mean_interval(values, rng=rng), len(values))


def _times(minutes: Sequence[float]) -> dict[str, object]:
    p90 = float(np.quantile(minutes, 0.9, method="inverted_cdf")) if minutes else None
    return {
        "median": _estimate(_median(minutes), quantile_interval(minutes, 0.5), len(minutes)),
        "p90": _estimate(p90, quantile_interval(minutes, 0.9), len(minutes)),
    }


def _estimate(value: float | None, interval: tuple[float | None, float | None], n: int) -> dict[str, object]:
    low, high = interval
    return {"value": value, "low": low, "high": high, "n": n}


def _minutes(span: timedelta) -> float:
    return round(span.total_seconds() / 60.0, 1)


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
