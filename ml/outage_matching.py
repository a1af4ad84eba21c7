"""Which found outage answers which labelled one, and what each is therefore called.

Labels are never complete: real outages are missing from them. So an alarm that answers no label is *unknown*, not
false; only one in a period labelled quiet is false. Times and regions alone decide, for alarms of either strength. Not
here: figures over all of them (`outage_scores`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ml.outage_truth import ANYWHERE, LabelledOutage, QuietPeriod, Truth
from ml.regions import WHOLE, ancestors, are_related

EARLIEST = timedelta(minutes=30)  # labels are rounded: people may complain before the official start
LATEST = timedelta(hours=24)
RELATED_CREDIT = 0.5  # for a region that contains the right one, or lies in it


class Verdict(StrEnum):
    """What an alarm or a label turns out to be; the first two words are for both."""

    HIT = "hit"
    TOO_LATE = "too late"
    IN_QUIET = "in quiet"
    UNKNOWN = "unknown"
    MISSED = "missed"
    NOT_RECORDED = "not recorded"


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
class RecordedService:
    """How long a recording holds reports of a service: from when to when, and how many days of that it covers."""

    service: str
    first_at: datetime
    last_at: datetime
    days: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """A found outage judged: the labels it answers (in time where it is a hit, else too late), the quiet it broke."""

    verdict: Verdict
    labels: tuple[int, ...] = ()
    quiet: int | None = None


@dataclass(frozen=True, slots=True)
class LabelMatch:
    """A labelled outage judged: which found outages answer it in time, and which too late; earliest first."""

    verdict: Verdict
    in_time: tuple[int, ...] = ()
    late: tuple[int, ...] = ()


def judge_alarm(outage: FoundOutage, truth: Truth) -> Alarm:
    """Say what a found outage is.

    Parameters
    ----------
    outage : FoundOutage
        Suspected or confirmed.
    truth : Truth
        What is known.

    Returns
    -------
    Alarm
        A label outweighs a quiet period, a quiet period a label that is answered too late.

    Notes
    -----
    Cost O(labels).
    """
    labels = tuple(i for i, label in enumerate(truth.outages) if is_in_time(outage, label))
    if labels:
        return Alarm(Verdict.HIT, labels)
    for i, period in enumerate(truth.quiet):
        if _is_in(outage, period):
            return Alarm(Verdict.IN_QUIET, quiet=i)
    late = tuple(i for i, label in enumerate(truth.outages) if is_late(outage, label))
    return Alarm(Verdict.TOO_LATE, late) if late else Alarm(Verdict.UNKNOWN)


def match_label(
    label: LabelledOutage, found: Sequence[FoundOutage], recorded: Sequence[RecordedService] | None = None
) -> LabelMatch:
    """Say what became of a labelled outage.

    Parameters
    ----------
    label : LabelledOutage
        What happened.
    found : sequence of FoundOutage
        What the system opened.
    recorded : sequence of RecordedService, optional
        What there was to find it in; without it every label is taken to lie in the recording.

    Returns
    -------
    LabelMatch
        Not recorded where the recording holds no time at which it could have been suspected in time.

    Notes
    -----
    Cost O(found · log(found)).
    """
    by_time = sorted(range(len(found)), key=lambda i: found[i].suspected_at)
    in_time = tuple(i for i in by_time if is_in_time(found[i], label))
    late = tuple(i for i in by_time if is_late(found[i], label))
    if in_time:
        return LabelMatch(Verdict.HIT, in_time, late)
    if recorded is not None and not any(_holds(one, label) for one in recorded):
        return LabelMatch(Verdict.NOT_RECORDED)
    return LabelMatch(Verdict.TOO_LATE if late else Verdict.MISSED, (), late)


def in_time_until(label: LabelledOutage) -> datetime:
    """Give the last moment at which a suspicion is in time: the label's end, at most 24 hours after its start."""
    latest = label.start + LATEST
    return latest if label.end is None else min(latest, label.end)


def is_in_time(outage: FoundOutage, label: LabelledOutage) -> bool:
    """Tell whether a labelled outage is answered: same service (letter case aside), related region, in time."""
    return label.start - EARLIEST <= outage.suspected_at <= in_time_until(label) and _is_about(outage, label)


def is_late(outage: FoundOutage, label: LabelledOutage) -> bool:
    """Tell whether it is answered only within the 24 hours after that, or before its end where that is later."""
    until = in_time_until(label)
    last = until + LATEST if label.end is None else max(until + LATEST, label.end)
    return until < outage.suspected_at <= last and _is_about(outage, label)


def names_region(outage: FoundOutage, label: LabelledOutage) -> bool:
    """Tell whether a labelled region is named itself, or by one of its parts; the whole service names nothing."""
    if ANYWHERE in label.regions:
        return True
    return any(
        region == wanted or region.startswith(f"{wanted}-") for region in outage.regions for wanted in label.regions
    )


def region_f1(found: Sequence[str], labelled: Sequence[str]) -> float | None:
    """Say how well a set of regions matches another, with half a credit for one that is too wide or too narrow.

    Parameters
    ----------
    found, labelled : sequence of str
        ISO codes; '' is the whole service, '*' any region.

    Returns
    -------
    float or None
        Between 0 and 1. None where the label says '*' or nothing: there is nothing to be right about.

    Notes
    -----
    Of a region and its parts only the parts count, on both sides. The credit of two regions is 1 where they are the
    same, `RELATED_CREDIT` where one contains the other, else 0; the whole service contains all and names none, so it
    has credit only with itself. Precision is the mean over found regions of the best credit with a labelled one, recall
    the mean over labelled regions of the best credit with a found one, and F1 their harmonic mean. With codes that are
    all of one level that is the ordinary F1 of two sets. Cost O(found · labelled).

    Examples
    --------
    >>> region_f1(["DE-BY", "DE-BE"], ["DE-BY"])  # precision 1/2, recall 1
    0.6666666666666666
    >>> region_f1(["DE"], ["DE-BY"]), region_f1([""], ["DE-BY"])
    (0.5, 0.0)
    """
    if ANYWHERE in labelled or not labelled:
        return None
    ours, theirs = _narrowest(found), _narrowest(labelled)
    if not ours:
        return 0.0
    precision = sum(max(_credit(one, other) for other in theirs) for one in ours) / len(ours)
    recall = sum(max(_credit(one, other) for one in ours) for other in theirs) / len(theirs)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _narrowest(codes: Sequence[str]) -> list[str]:
    wider = {above for code in codes for above in ancestors(code)}
    return sorted(set(codes) - wider)


def _credit(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if WHOLE in (one, other):
        return 0.0
    return RELATED_CREDIT if are_related(one, other) else 0.0


def _is_about(outage: FoundOutage, label: LabelledOutage) -> bool:
    return outage.service.casefold() == label.service.casefold() and _regions_related(outage.regions, label.regions)


def _is_in(outage: FoundOutage, period: QuietPeriod) -> bool:
    return (
        outage.service.casefold() == period.service.casefold()
        and period.start <= outage.suspected_at < period.end
        and _regions_related(outage.regions, period.regions)
    )


def _holds(recorded: RecordedService, label: LabelledOutage) -> bool:
    return (
        recorded.service.casefold() == label.service.casefold()
        and recorded.first_at <= in_time_until(label)
        and recorded.last_at >= label.start - EARLIEST
    )


def _regions_related(found: Sequence[str], labelled: Sequence[str]) -> bool:
    if ANYWHERE in labelled:
        return True
    return any(are_related(one, other) for one in found or (WHOLE,) for other in labelled)
