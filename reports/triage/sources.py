"""What staff are told of sources: the alarms that are open, each in a plain sentence. Only reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from reports.enums import Channel, SourceAlarmKind
from reports.models import SourceAlarm
from reports.triage.evidence import usual_words

MOST_NOTICES: Final = 10
# Programs always bring a key: what comes through their channels without one is the house's own.
_WITHOUT_KEY: Final[Mapping[str, str]] = {Channel.REST: "the mailbox", Channel.BULK: "the import command"}


@dataclass(frozen=True, slots=True)
class SourceNotice:
    """Something that is wrong with a source: what it is called, what was seen, since when."""

    id: int
    kind: SourceAlarmKind
    heading: str
    sentence: str
    since: datetime
    has_key: bool


def source_notices(*, now: datetime) -> tuple[SourceNotice, ...]:
    """Return what is wrong with sources now, the newest first. Queries: one."""
    alarms = SourceAlarm.objects.filter(until=None).select_related("source__key").order_by("-found_at", "-pk")
    return tuple(_notice(alarm, now=now) for alarm in alarms[:MOST_NOTICES])


def n_source_alarms_open() -> dict[SourceAlarmKind, int]:
    """Return how many sources are silent, and how many collect otherwise. Queries: one."""
    kinds = [SourceAlarmKind(kind) for kind in SourceAlarm.objects.filter(until=None).values_list("kind", flat=True)]
    return {kind: kinds.count(kind) for kind in SourceAlarmKind}


def _notice(alarm: SourceAlarm, *, now: datetime) -> SourceNotice:
    kind = SourceAlarmKind(alarm.kind)
    name = _name(alarm)
    is_silent = kind is SourceAlarmKind.SILENT
    return SourceNotice(
        id=alarm.pk,
        kind=kind,
        heading="A source of reports is silent" if is_silent else "A source collects otherwise than before",
        sentence=_silent_words(name, alarm, now=now) if is_silent else _changed_words(name, alarm.evidence),
        since=alarm.since,
        has_key=alarm.source.key_id is not None,
    )


def _name(alarm: SourceAlarm) -> str:
    if alarm.source.key is None and alarm.source.channel in _WITHOUT_KEY:
        return _WITHOUT_KEY[alarm.source.channel]
    channel = Channel(alarm.source.channel).label
    return f"key \u201c{alarm.source.key.name}\u201d ({channel})" if alarm.source.key else f"the {channel.lower()}"


def _silent_words(name: str, alarm: SourceAlarm, *, now: datetime) -> str:
    """No reports from key "shop" (REST) for 3 h; usual for Sunday 10:00 UTC is 40 an hour."""
    seen = alarm.evidence
    hour = alarm.found_at.astimezone(UTC)
    n = int(seen.get("observed", 0))
    few = f"Only {n} report{'s' if n != 1 else ''}" if n else "No reports"
    usual = usual_words(float(seen.get("usual_per_hour", 0)))
    return f"{few} from {name} for {_hours(alarm.since, now)}; usual for {hour:%A} {hour:%H}:00 UTC is {usual} an hour."


def _changed_words(name: str, seen: dict[str, Any]) -> str:
    n_services, n_regions = int(seen.get("n_services", 0)), int(seen.get("n_regions", 0))
    where = (
        f"{n_services} service{'s' if n_services != 1 else ''} and {n_regions} region{'s' if n_regions != 1 else ''}"
    )
    counts = f"{int(seen.get('observed', 0)):,} reports in {int(seen.get('minutes', 60))} min"
    ratio = seen.get("ratio")
    if ratio is None:
        return (
            f"Reports from {name} have begun, in {where} at once: {counts}. What it brings is not counted as an outage"
            " until it has a usual of its own."
        )
    usual = usual_words(float(seen.get("usual", 0)))
    return (
        f"Reports from {name} rose to {float(ratio):.1f} times the usual, evenly in {where}: {counts};"
        f" usual is {usual}."
        " So much of them is not counted as an outage; what stands out, and what others report, is."
    )


def _hours(since: datetime, now: datetime) -> str:
    minutes = max(int((now - since).total_seconds() // 60), 0)
    if minutes < 90:
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"
