"""Which reports count: each reporter once an hour, and nothing that reads as no problem report.

Invariant: `MinuteCount` tells what the placements say, before and after. Here are the rule, and what changes when a
person says of placed reports whether they are problem reports; counting while placing is `services`'. Only to be
called under the service's lock.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection

from reports.models import Placement, Report, ScreeningExample

# A reporter counts once in every window of the detector; its longest is an hour.
COUNT_ONCE_WITHIN: Final = timedelta(minutes=60)
# So many reports of one network (an office, a street of a provider, a rented server that plays a crowd) count within
# that time, and no more: enough for a suspicion, and too few to look like the whole world.
MOST_OF_A_NETWORK: Final = 20
MOST_OF_EVIDENCE: Final = 1 / 3
FEW_OF_A_NETWORK: Final = 2  # a third of the five reporters that a confirmation takes


@dataclass(frozen=True, slots=True)
class Heard:
    """A placement as far as counting goes."""

    report_id: UUID
    counted_at: datetime
    reporter: bytes
    micro_cluster_id: int
    region: str
    tells_failure: bool


class Cells:
    """Changes of minute counts, gathered and written at once."""

    def __init__(self) -> None:
        self._changes: defaultdict[tuple[datetime, int, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])

    def add(self, heard: Heard, *, n_counted: int = 0, n_set_aside: int = 0, n_quarantined: int = 0) -> None:
        minute = heard.counted_at.replace(second=0, microsecond=0)
        change = self._changes[minute, heard.micro_cluster_id, heard.region]
        change[0] += n_counted
        change[1] += n_set_aside
        change[2] += n_quarantined
        change[3] += 0 if heard.tells_failure else n_counted

    def write(self, service_id: int) -> None:
        if not self._changes:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE reports_minutecount c SET n_counted = c.n_counted + u.counted,"
                " n_set_aside = c.n_set_aside + u.aside, n_quarantined = c.n_quarantined + u.held,"
                " n_no_failure = c.n_no_failure + u.no_failure"
                " FROM unnest(%s::timestamptz[], %s::bigint[], %s::varchar[],"
                " %s::int[], %s::int[], %s::int[], %s::int[])"
                " AS u (minute, micro, region, counted, aside, held, no_failure) WHERE c.service_id = %s"
                " AND c.minute = u.minute AND c.micro_cluster_id = u.micro AND c.region = u.region",
                [
                    [minute for minute, _, _ in self._changes],
                    [micro_id for _, micro_id, _ in self._changes],
                    [region for _, _, region in self._changes],
                    *(list(changes) for changes in zip(*self._changes.values(), strict=True)),
                    service_id,
                ],
            )


def most_of_a_network(usual_sharing: float | None, *, n_counted: int) -> int:
    """Return how many reports of one network count within an hour in which so many of the service do.

    No network is more than a third of the evidence, where a service's reports usually come from many: the others have
    to say so too. `usual_sharing` is how likely two reports of a day share a network; None
    where that is not known.
    """
    if usual_sharing is None or usual_sharing >= MOST_OF_EVIDENCE**2:  # as in a company where one network is usual
        return MOST_OF_A_NETWORK
    return min(max(FEW_OF_A_NETWORK, int(MOST_OF_EVIDENCE * n_counted)), MOST_OF_A_NETWORK)


def counts_again(times: list[datetime], moment: datetime) -> bool:
    """Tell whether a reporter who counted at these times counts at that moment too; if so, add it to them.

    Reports of the past come among those of now, so neighbours on both sides are looked at.
    """
    position = bisect_right(times, moment)
    if any(abs(moment - near) < COUNT_ONCE_WITHIN for near in times[max(position - 1, 0) : position + 1]):
        return False
    times.insert(position, moment)
    return True


def is_crowded(times: list[datetime], moment: datetime, *, n_most: int = MOST_OF_A_NETWORK) -> bool:
    """Tell whether as many of a network count around a moment as may; `times` are sorted."""
    first, last = bisect_right(times, moment - COUNT_ONCE_WITHIN), bisect_left(times, moment + COUNT_ONCE_WITHIN)
    return last - first >= n_most


def screen_by_word(*, service_id: int, report_ids: Collection[UUID], is_problem: bool, now: datetime) -> bool:
    """Take a person's word on whether placed reports are problem reports; false where none of them is known.

    The texts become examples. Where a report counts no longer, a later one of the same reporter that was left out for
    its sake counts instead.
    """
    placements = list(Placement.objects.filter(service_id=service_id, report_id__in=report_ids))
    if not placements:
        return False
    _remember_examples(service_id, [row.report_id for row in placements], is_problem=is_problem, now=now)
    cells = Cells()
    for row in placements:
        if is_problem:
            cells.add(heard_of(row), n_set_aside=-int(row.is_set_aside), n_quarantined=-int(row.is_quarantined))
        else:
            cells.add(
                heard_of(row),
                n_counted=-int(row.is_counted),
                n_set_aside=1 - int(row.is_set_aside),
                n_quarantined=-int(row.is_quarantined),
            )
    said = Placement.objects.filter(pk__in=[row.pk for row in placements])
    if is_problem:
        said.update(p_problem=1.0, is_set_aside=False, is_quarantined=False)
        candidates = [heard_of(row) for row in placements if not row.is_counted]
    else:
        said.update(p_problem=0.0, is_set_aside=True, is_counted=False, is_quarantined=False)
        candidates = _left_out_for(service_id, [heard_of(row) for row in placements if row.is_counted])
    counted = choose_counted(service_id, candidates)
    for heard in counted:
        cells.add(heard, n_counted=1)
    Placement.objects.filter(pk__in=[heard.report_id for heard in counted]).update(is_counted=True)
    cells.write(service_id)
    return True


def heard_of(row: Placement) -> Heard:
    """Return what counting needs of a placement."""
    return Heard(
        row.report_id, row.counted_at, bytes(row.reporter), row.micro_cluster_id, row.region, row.tells_failure
    )


def _remember_examples(service_id: int, report_ids: Sequence[UUID], *, is_problem: bool, now: datetime) -> None:
    """Keep the texts with what was said of them. A report without words teaches nothing."""
    texts = Report.objects.filter(id__in=report_ids).exclude(text="").values_list("id", "text")
    ScreeningExample.objects.bulk_create(
        (
            ScreeningExample(report_id=report_id, service_id=service_id, text=text, is_problem=is_problem, at=now)
            for report_id, text in texts
        ),
        update_conflicts=True,
        unique_fields=["report_id"],
        update_fields=["text", "is_problem", "at"],
    )


def _left_out_for(service_id: int, freed: Iterable[Heard]) -> list[Heard]:
    """Return what the same reporters said within the hour around these, and what did not count."""
    known = [heard for heard in freed if heard.reporter]
    if not known:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT p.report_id, p.counted_at, p.reporter, p.micro_cluster_id, p.region, p.tells_failure"
            " FROM unnest(%s::bytea[], %s::timestamptz[], %s::timestamptz[]) AS f (reporter, since, until)"
            " JOIN reports_placement p ON p.service_id = %s AND p.counted_at > f.since AND p.counted_at < f.until"
            " AND p.reporter = f.reporter WHERE NOT p.is_counted AND NOT p.is_set_aside AND NOT p.is_quarantined",
            [
                [heard.reporter for heard in known],
                [heard.counted_at - COUNT_ONCE_WITHIN for heard in known],
                [heard.counted_at + COUNT_ONCE_WITHIN for heard in known],
                service_id,
            ],
        )
        return [Heard(row[0], row[1], bytes(row[2]), *row[3:]) for row in cursor.fetchall()]


def choose_counted(service_id: int, candidates: Sequence[Heard]) -> list[Heard]:
    """Return those of the candidates that count, beside what counts already: each reporter once an hour."""
    if not candidates:
        return []
    moments = [heard.counted_at for heard in candidates]
    times: defaultdict[bytes, list[datetime]] = defaultdict(list)
    counting = Placement.objects.filter(
        service_id=service_id,
        reporter__in={heard.reporter for heard in candidates if heard.reporter},
        is_counted=True,
        counted_at__gt=min(moments) - COUNT_ONCE_WITHIN,
        counted_at__lt=max(moments) + COUNT_ONCE_WITHIN,
    ).order_by("counted_at")
    for reporter, counted_at in counting.values_list("reporter", "counted_at"):
        times[bytes(reporter)].append(counted_at)
    in_turn = sorted(candidates, key=lambda heard: (heard.counted_at, heard.report_id))
    return [heard for heard in in_turn if not heard.reporter or counts_again(times[heard.reporter], heard.counted_at)]
