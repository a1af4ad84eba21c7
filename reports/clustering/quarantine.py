"""What is suspect is held back: placed like any other, counted apart, and no evidence until a person lets it be.

Two ways lead here. A report may give itself away at intake (`Report.suspicion`), or many may do so together: then
those of the last hour, and of the day, are looked at each time enough new ones have come (`review`), and what is
suspect is taken out of the counts at the minutes it had counted at, before the detector can see them. A group that a
person has released is not suspected again that day.

Invariant: `MinuteCount` tells what the placements say; a report is counted, set aside, in quarantine or none of it, and
never two. Only to be called under the service's lock. Not here: the tests themselves (`ml.suspicion`), and what people
see (`triage.quarantine`).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import F, Sum
from django.db.models.functions import Greatest, Least

from ml import suspicion
from ml.types import BoolArray
from reports.clustering.counting import COUNT_ONCE_WITHIN, Cells, Heard, choose_counted, heard_of
from reports.clustering.screening import reads_as_problem
from reports.enums import MACHINE_CHANNELS, Suspicion, Verdict
from reports.intake.fingerprints import fingerprint
from reports.models import MinuteCount, Placement, Quarantine, Report

logger = logging.getLogger(__name__)

LEAST_TO_REVIEW: Final = 4  # reports within the hour: fewer confirm nothing
MOST_REVIEWED: Final = 2_000  # of the hour, the newest; all others of a suspect network go with them
MOST_OF_A_DAY: Final = 20_000
# Up to so many in the hour every batch is followed by a review, then it takes a share of new reports: a review reads
# all of the hour, so each report is read about five times.
ALWAYS_REVIEWED: Final = 200
REVIEW_AGAIN_AFTER: Final = 0.2
# A day is looked at each time so many have come; one network that drips all day brings no more than that in two hours.
DAY_AGAIN_AFTER: Final = 40
# What a network may bring in a day before its share of it is asked about: three full hours.
LEAST_OF_A_DAY: Final = 60
MOST_OF_A_DAY_SHARE: Final = 1 / 3
# Wording that was common before the day is a template people are given, not a campaign.
NEW_WORDING_WITHIN: Final = timedelta(hours=24)
# From so many words on not even an app's users send the same by themselves: a sentence to choose from is shorter.
APPEAL_WORDS: Final = 20
# Until so long after its last report a network that was held back is held back at once.
HELD_FOR: Final = timedelta(hours=1)
PAST_DAYS: Final = 14
MOST_ERASED: Final = 50  # first copies that are passed over to find one that was not erased

_usual: dict[tuple[int, date], float | None] = {}
_reviewed: dict[int, tuple[int, int]] = {}  # by service: reports placed since its hour and its day were looked at


@dataclass(frozen=True, slots=True)
class Seen:
    """A report as far as suspicion goes."""

    heard: Heard
    network: bytes
    text: str
    is_counted: bool
    quarantine_id: int | None
    is_quarantined: bool
    is_wording_new: bool
    channel: str = ""
    is_erased: bool = False

    @property
    def is_released(self) -> bool:
        """Whether a person has let it count."""
        return self.quarantine_id is not None and not self.is_quarantined


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a report that is to be placed brings: its own suspicion, its network, its words."""

    suspicion: str
    network: bytes
    counted_at: datetime
    text: str = ""
    channel: str = ""


def hold(service_id: int, arrived: Sequence[Arrived], *, now: datetime) -> list[int | None]:
    """Return for each report the group it is held back in; None where it is not. Queries: one to three.

    By what it gave away itself, else because its network or its wording is held back at that time.
    """
    found: list[int | None] = [None] * len(arrived)
    if not arrived:
        return found
    held = _held_networks(service_id, {one.network for one in arrived if one.network})
    groups: defaultdict[tuple[str, date], list[int]] = defaultdict(list)
    for at, one in enumerate(arrived):
        if one.suspicion:
            groups[one.suspicion, day_of(one.counted_at)].append(at)
        elif one.network in held:
            quarantine_id, last_at = held[one.network]
            if abs(one.counted_at - last_at) < HELD_FOR:
                found[at] = quarantine_id
    for at, quarantine_id in _known_copies(service_id, arrived):
        if found[at] is None:
            found[at] = quarantine_id
    for (reason, _), places in groups.items():
        times = [arrived[at].counted_at for at in places]
        group = _group(service_id, Suspicion(reason), b"", times, evidence={}, now=now)
        if group.verdict != Verdict.RELEASED:
            for at in places:
                found[at] = group.pk
    return found


def add_to_groups(quarantine_ids: Sequence[int | None], moments: Sequence[datetime]) -> None:
    """Count what was placed in groups that are held back. Queries: one a group."""
    times: defaultdict[int, list[datetime]] = defaultdict(list)
    for quarantine_id, moment in zip(quarantine_ids, moments, strict=True):
        if quarantine_id is not None:
            times[quarantine_id].append(moment)
    for quarantine_id, of_group in times.items():
        _extend(quarantine_id, of_group)


def review(service_id: int, *, until: datetime, n_new: int, now: datetime) -> int:
    """Look at the hour, and now and then the day, that end with `until`; return how many reports were held back.

    Queries: one; with enough new reports three to five, and what is found is written.
    """
    since = until - COUNT_ONCE_WITHIN
    n_hour = (
        MinuteCount.objects.filter(service_id=service_id, minute__gte=since, minute__lte=until).aggregate(
            n=Sum("n_reports")
        )["n"]
        or 0
    )
    of_hour, of_day = (n + n_new for n in _reviewed.get(service_id, (0, DAY_AGAIN_AFTER)))
    n_held = 0
    is_due = n_hour <= ALWAYS_REVIEWED or of_hour >= REVIEW_AGAIN_AFTER * min(n_hour, MOST_REVIEWED)
    if n_hour >= LEAST_TO_REVIEW and is_due:
        of_hour = 0
        n_held += _review_hour(service_id, since=since, until=until, now=now)
    if of_day >= DAY_AGAIN_AFTER:
        of_day = 0
        n_held += _review_day(service_id, until=until, now=now)
    _reviewed[service_id] = (of_hour, of_day)
    return n_held


def judge(*, quarantine_id: int, is_attack: bool, now: datetime) -> None:
    """Take a person's word on a group: released, its reports count at their own minutes; an attack, they do not.

    Of what is released a reporter counts once an hour as always, and what reads as no problem report is set aside.
    """
    group = Quarantine.objects.get(pk=quarantine_id)
    cells = Cells()
    of_group = Placement.objects.filter(quarantine_id=quarantine_id)
    if is_attack:
        free = list(of_group.filter(is_quarantined=False))
        _hold_placed(
            group.service_id, [(heard_of(row), row.is_counted, row.is_set_aside) for row in free], quarantine_id
        )
    else:
        held = list(of_group.filter(is_quarantined=True))
        aside = [row for row in held if row.p_problem is not None and not reads_as_problem(row.p_problem)]
        # What named a code was never set aside, whatever its probability: its group would not tell, so it counts.
        of_group.update(is_quarantined=False)
        for row in held:
            cells.add(heard_of(row), n_quarantined=-1)
        counted = choose_counted(group.service_id, [heard_of(row) for row in held if row not in aside])
        for heard in counted:
            cells.add(heard, n_counted=1)
        Placement.objects.filter(pk__in=[heard.report_id for heard in counted]).update(is_counted=True)
        for row in aside:
            cells.add(heard_of(row), n_set_aside=1)
        Placement.objects.filter(pk__in=[row.pk for row in aside]).update(is_set_aside=True)
        cells.write(group.service_id)
    group.verdict = Verdict.ATTACK if is_attack else Verdict.RELEASED
    group.judged_at = now
    group.save(update_fields=["verdict", "judged_at"])


def usual_sharing(service_id: int, *, day: date) -> float | None:
    """Return how likely two reports of a day share a network, before that day; None where it is not known.

    Remembered for the day. Queries: one a service and day.
    """
    if (service_id, day) not in _usual:
        for known in [known for known in _usual if known[0] == service_id]:
            _usual.pop(known, None)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT day, array_agg(n) FROM (SELECT (p.counted_at AT TIME ZONE 'UTC')::date AS day, count(*) AS n"
                " FROM (SELECT counted_at, network FROM reports_placement WHERE service_id = %s AND counted_at < %s"
                " AND counted_at >= %s AND network <> '' AND NOT is_quarantined"
                " ORDER BY counted_at DESC LIMIT %s) AS p GROUP BY 1, p.network) AS s GROUP BY day",
                [service_id, _start(day), _start(day) - timedelta(days=PAST_DAYS), MOST_OF_A_DAY],
            )
            _usual[service_id, day] = suspicion.p_same_network([sizes for _, sizes in cursor.fetchall()])
    return _usual[service_id, day]


def forget_reviews() -> None:
    """Empty this process's memory: for a process that changes its database."""
    _usual.clear()
    _reviewed.clear()


def day_of(moment: datetime) -> date:
    """Return the UTC day, for which fingerprints are comparable."""
    return moment.astimezone(UTC).date()


def _start(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


def _held_networks(service_id: int, networks: Collection[bytes]) -> dict[bytes, tuple[int, datetime]]:
    if not networks:
        return {}
    groups = Quarantine.objects.filter(
        service_id=service_id,
        reason__in=[Suspicion.NETWORKS, Suspicion.ONE_NETWORK],
        mark__in=list(networks),
    ).exclude(verdict=Verdict.RELEASED)
    return {
        bytes(mark): (pk, last_at)
        for mark, pk, last_at in groups.order_by("last_at").values_list("mark", "pk", "last_at")
    }


def _known_copies(service_id: int, arrived: Sequence[Arrived]) -> list[tuple[int, int]]:
    """Return which of these are copies of a text that is held back, each with its group."""
    first, last = min(one.counted_at for one in arrived), max(one.counted_at for one in arrived)
    groups = Quarantine.objects.filter(
        service_id=service_id, reason=Suspicion.COPIES, last_at__gt=first - HELD_FOR, first_at__lt=last + HELD_FOR
    ).exclude(verdict=Verdict.RELEASED)
    ids = list(groups.order_by("pk").values_list("pk", flat=True))
    samples = [_oldest_text(quarantine_id) for quarantine_id in ids]
    if not any(samples):
        return []
    labels = suspicion.near_copies([*samples, *map(_words_of, arrived)]).tolist()
    by_label = {label: quarantine_id for label, quarantine_id in zip(labels, ids, strict=False) if label >= 0}
    return [(at, by_label[label]) for at, label in enumerate(labels[len(ids) :]) if label in by_label]


def _words_of(one: Arrived | Seen) -> str:
    """Return the words that may be a copy of another's; "" where alike words prove nothing.

    Machines write alike by nature. And a program that names its reporters vouches for them: it may well give them a
    list of sentences to choose from, but hardly a whole appeal.
    """
    is_vouched_for = not one.network
    if one.channel in MACHINE_CHANNELS or (is_vouched_for and len(one.text.split()) < APPEAL_WORDS):
        return ""
    return one.text


def _oldest_text(quarantine_id: int) -> str:
    """Return the oldest text of a group of copies that was not erased; "" where all of the first were."""
    oldest = Placement.objects.filter(quarantine_id=quarantine_id).order_by("counted_at", "pk")[:MOST_ERASED]
    kept = Report.objects.filter(id__in=list(oldest.values_list("pk", flat=True))).exclude(text="")
    return kept.order_by("counted_at", "id").values_list("text", flat=True).first() or ""


def _group(
    service_id: int,
    reason: Suspicion,
    mark: bytes,
    moments: Sequence[datetime],
    *,
    evidence: Mapping[str, Any],
    now: datetime,
) -> Quarantine:
    """Return the day's group, made where there is none; it holds no report of its own yet."""
    group, is_new = Quarantine.objects.get_or_create(
        service_id=service_id,
        day=day_of(moments[-1]),
        reason=reason,
        mark=mark,
        defaults={
            "opened_at": now, "first_at": min(moments), "last_at": max(moments), "evidence": dict(evidence),
        },
    )  # fmt: skip
    if is_new:
        # A person reads the rest on the page; nothing of a report is written to a log.
        logger.info("Reports of service %d are held back: %s.", service_id, reason.label)
    return group


def _extend(quarantine_id: int, moments: Sequence[datetime]) -> None:
    Quarantine.objects.filter(pk=quarantine_id).update(
        n_reports=F("n_reports") + len(moments),
        first_at=Least("first_at", min(moments)),
        last_at=Greatest("last_at", max(moments)),
    )


def _review_hour(service_id: int, *, since: datetime, until: datetime, now: datetime) -> int:
    seen = [one for one in _read_hour(service_id, since=since, until=until) if not one.is_released]
    if not seen:
        return 0
    usual = usual_sharing(service_id, day=day_of(until))
    released = _released(service_id, day_of(until))
    n_held = 0
    with_network = [one for one in seen if one.network and (Suspicion.NETWORKS, one.network) not in released]
    keys, sizes = suspicion.gathered([one.network for one in with_network])
    suspects = _chosen(keys, suspicion.crowded(sizes, p_same=usual))
    evidence = {"n_reports": len(with_network), "n_networks": len(keys), "p_same": usual}
    for network in suspects:
        n_held += _hold_network(service_id, network, Suspicion.NETWORKS, since, until, evidence=evidence, now=now)
    left = [one for one in seen if one.network not in suspects]
    n_held += _hold_copies(service_id, left, now=now)
    with_clock = [one for one in left if one.network and not one.is_quarantined and one.channel not in MACHINE_CHANNELS]
    if (Suspicion.CLOCKWORK, b"") not in released and suspicion.is_clockwork(
        [one.heard.counted_at.timestamp() for one in with_clock]
    ):
        n_held += _hold_seen(service_id, with_clock, Suspicion.CLOCKWORK, b"", now=now)
    return n_held


def _hold_copies(service_id: int, seen: Sequence[Seen], *, now: datetime) -> int:
    """Hold back all but the first of many copies of one new long text: a wording counts as one reporter.

    Only copies that move the counts are looked at: of those that nothing tells apart one counts anyway. Machines write
    alike by nature, so theirs are neither copies nor the crowd that copies are measured by. Erased reports of one
    wording are taken for copies, or a crowd's player would send, erase, and send again: hardly any reporter erases
    within the hour.
    """
    seen = [one for one in seen if (one.is_counted or one.is_quarantined) and one.channel not in MACHINE_CHANNELS]
    labels = suspicion.near_copies([_words_of(one) for one in seen]).tolist()
    of_micro = {one.heard.micro_cluster_id: label for one, label in zip(seen, labels, strict=True) if label >= 0}
    groups: defaultdict[int, list[Seen]] = defaultdict(list)
    for one, own_label in zip(seen, labels, strict=True):
        micro_cluster_id = one.heard.micro_cluster_id
        is_erased_copy = one.is_erased and one.network
        label = of_micro.get(micro_cluster_id, len(seen) + micro_cluster_id) if is_erased_copy else own_label
        if label >= 0 and one.is_wording_new:
            groups[label].append(one)
    n_held = 0
    for copies in groups.values():
        n_copies = len({one.heard.reporter or one.heard.report_id for one in copies})
        if not suspicion.is_campaign(n_copies, n_reports=len(seen)):
            continue
        known = next((one.quarantine_id for one in copies if one.is_quarantined), None)
        fresh = [one for one in copies[1:] if not one.is_quarantined]
        if not fresh:
            continue
        if known is not None and Quarantine.objects.filter(pk=known, reason=Suspicion.COPIES).exists():
            n_held += _hold_placed(service_id, _counted(fresh), known)
        else:
            # Under the day's salt: of a bare digest anybody could tell, for as long as it stands, what the text was.
            told = copies[0].text or f"micro-cluster {copies[0].heard.micro_cluster_id}"
            mark = fingerprint("copies", told, at=now)
            n_held += _hold_seen(service_id, fresh, Suspicion.COPIES, mark, now=now)
    return n_held


def _hold_seen(service_id: int, seen: Sequence[Seen], reason: Suspicion, mark: bytes, *, now: datetime) -> int:
    moments = [one.heard.counted_at for one in seen]
    group = _group(service_id, reason, mark, moments, evidence={"n_reports": len(seen)}, now=now)
    return 0 if group.verdict == Verdict.RELEASED else _hold_placed(service_id, _counted(seen), group.pk)


def _counted(seen: Iterable[Seen]) -> list[tuple[Heard, bool, bool]]:
    return [(one.heard, one.is_counted, False) for one in seen]


def _review_day(service_id: int, *, until: datetime, now: datetime) -> int:
    """Find networks that bring more of a day than any does, or by a clock: a drip that no hour shows."""
    day = day_of(until)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT network, counted_at FROM reports_placement WHERE service_id = %s AND counted_at >= %s"
            " AND counted_at <= %s AND network <> '' AND NOT is_set_aside"
            " AND (quarantine_id IS NULL OR is_quarantined) ORDER BY counted_at DESC LIMIT %s",
            [service_id, _start(day), until, MOST_OF_A_DAY],
        )
        rows = [(bytes(network), counted_at) for network, counted_at in cursor.fetchall()]
    usual = usual_sharing(service_id, day=day)
    released = _released(service_id, day)
    times: defaultdict[bytes, list[datetime]] = defaultdict(list)
    for network, counted_at in rows:
        times[network].append(counted_at)
    n_held = 0
    for network, moments in times.items():
        if (Suspicion.ONE_NETWORK, network) in released:
            continue
        is_clockwork = suspicion.is_clockwork([moment.timestamp() for moment in moments])
        is_most_of_it = (
            usual is not None
            and usual < MOST_OF_A_DAY_SHARE**2
            and len(moments) >= max(LEAST_OF_A_DAY, MOST_OF_A_DAY_SHARE * len(rows))
        )
        if is_clockwork or is_most_of_it:
            evidence = {"n_reports": len(moments), "n_of_day": len(rows), "is_clockwork": is_clockwork}
            n_held += _hold_network(
                service_id, network, Suspicion.ONE_NETWORK, _start(day), until, evidence=evidence, now=now
            )
    return n_held


def _chosen(keys: Sequence[bytes], is_chosen: BoolArray) -> set[bytes]:
    return {key for key, one in zip(keys, is_chosen.tolist(), strict=True) if one}


def _released(service_id: int, day: date) -> set[tuple[str, bytes]]:
    groups = Quarantine.objects.filter(service_id=service_id, day=day, verdict=Verdict.RELEASED)
    return {(reason, bytes(mark)) for reason, mark in groups.values_list("reason", "mark")}


def _read_hour(service_id: int, *, since: datetime, until: datetime) -> list[Seen]:
    """Return the newest reports of the hour that were not set aside, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.report_id, p.counted_at, p.reporter, p.micro_cluster_id, p.region, p.tells_failure,"
            " p.network, r.text, p.is_counted, p.quarantine_id, p.is_quarantined,"
            " coalesce(m.opened_at, p.counted_at) > %s, r.channel, r.erased_at IS NOT NULL"
            " FROM reports_placement p JOIN reports_microcluster m ON m.id = p.micro_cluster_id"
            " JOIN reports_report r ON r.id = p.report_id"
            " WHERE p.service_id = %s AND p.counted_at > %s AND p.counted_at <= %s AND NOT p.is_set_aside"
            " ORDER BY p.counted_at DESC, p.report_id DESC LIMIT %s",
            [until - NEW_WORDING_WITHIN, service_id, since, until, MOST_REVIEWED],
        )
        rows = cursor.fetchall()
    return [Seen(Heard(row[0], row[1], bytes(row[2]), *row[3:6]), bytes(row[6]), *row[7:]) for row in reversed(rows)]


def _hold_network(
    service_id: int,
    network: bytes,
    reason: Suspicion,
    since: datetime,
    until: datetime,
    *,
    evidence: Mapping[str, Any],
    now: datetime,
) -> int:
    """Hold back all that a network brought in a time, also what was not looked at."""
    found = list(
        Placement.objects.filter(
            service_id=service_id,
            network=network,
            counted_at__gt=since,
            counted_at__lte=until,
            is_set_aside=False,
            quarantine__isnull=True,
        )
    )
    if not found:
        return 0
    group = _group(service_id, reason, network, [row.counted_at for row in found], evidence=evidence, now=now)
    if group.verdict == Verdict.RELEASED:
        return 0
    return _hold_placed(service_id, [(heard_of(row), row.is_counted, False) for row in found], group.pk)


def _hold_placed(service_id: int, found: Sequence[tuple[Heard, bool, bool]], quarantine_id: int) -> int:
    """Take placed reports (each with whether it counted, and was set aside) out of the counts."""
    if not found:
        return 0
    cells = Cells()
    for heard, is_counted, is_set_aside in found:
        cells.add(heard, n_counted=-int(is_counted), n_set_aside=-int(is_set_aside), n_quarantined=1)
    ids: list[UUID] = [heard.report_id for heard, _, _ in found]
    with connection.cursor() as cursor:
        # As an array: thousands of placeholders take longer to write than to look up.
        cursor.execute(
            "UPDATE reports_placement SET is_quarantined = true, is_counted = false, is_set_aside = false,"
            " quarantine_id = %s WHERE report_id = ANY(%s)",
            [quarantine_id, ids],
        )
    cells.write(service_id)
    _extend(quarantine_id, [heard.counted_at for heard, _, _ in found])
    return len(found)
