"""The life of young services: what came in the hour before the last one, and which minutes of both are usual life.

Reads, and decides nothing. Only services that have been learnt for less than eight hours have one; all others pay
nothing for it. Not here: what is concluded from it (`ml.young`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from ml import young
from ml.detect import LOOKBACK_MINUTES
from ml.types import BoolArray, Float64Array
from reports.detection.arrays import MINUTE, LastHour, hours_before
from reports.detection.learning import Usual
from reports.enums import OutageState
from reports.models import Outage

_N_MINUTES = 2 * LOOKBACK_MINUTES


@dataclass(frozen=True, slots=True)
class Life:
    """What came of each stream in the hour before the last one.

    Of the 120 minutes until now `watched` says in which part the service was there, `is_outage` which belong to a
    confirmed outage: no usual life, neither while it goes on nor after.
    """

    before: LastHour
    watched: Float64Array
    is_outage: BoolArray

    def of_failures(self) -> Life:
        """Return the same life with nothing in it but the reports that tell of a failure."""
        return replace(self, before=self.before.of_failures())

    def of_regions(self, regions: Sequence[str]) -> Float64Array:
        """Return the counts of the hour before, a row for each region; shape (k, 60)."""
        row_of = {region: row for row, region in enumerate(self.before.regions)}
        return _rows(self.before.region_counts, [row_of.get(region) for region in regions])

    def of_clusters(self, cluster_ids: Sequence[int]) -> Float64Array:
        """Return the counts of the hour before, a row for each cluster; shape (k, 60)."""
        row_of = {pk: row for row, pk in enumerate(self.before.cluster_ids)}
        return _rows(self.before.cluster_counts, [row_of.get(pk) for pk in cluster_ids])

    def raised(
        self, counts: Float64Array, before: Float64Array, expected: Float64Array, strength: Float64Array, hour: LastHour
    ) -> young.Usual:
        """Raise what is usual of k streams, (k, 18), and its strength, (k,), to what came before each window."""
        raised = young.raised_to_life(
            expected[:, None, :],
            strength[:, None, None],
            np.concatenate([before, counts], axis=1),
            self.watched,
            [_N_MINUTES],
            is_outage=self.is_outage,
            elapsed=hour.elapsed_seconds / 60.0,
        )
        return young.Usual(raised.expected[:, 0], raised.strength[:, 0])


def lives(usuals: Mapping[int, Usual], *, now: datetime) -> dict[int, Life]:
    """Return the life of each service that is young. Queries: two where any is."""
    since = {pk: usual.young_since for pk, usual in usuals.items() if usual.young_since is not None}
    if not since:
        return {}
    newest = now.replace(second=0, microsecond=0)
    oldest = newest - (_N_MINUTES - 1) * MINUTE
    is_outage = {pk: np.zeros(_N_MINUTES, dtype=np.bool_) for pk in since}
    confirmed = (
        Outage.objects.filter(service_id__in=since, confirmed_at__isnull=False)
        .exclude(state=OutageState.DISMISSED)
        .exclude(resolved_at__lt=oldest)
    )
    for pk, started_at, resolved_at in confirmed.values_list("service_id", "started_at", "resolved_at"):
        is_over = _minutes_from(resolved_at, oldest) >= 1.0 if resolved_at is not None else False
        is_outage[pk] |= (_minutes_from(started_at, oldest) > 0.0) & ~np.asarray(is_over)
    return {
        pk: Life(before, _minutes_from(since[pk], oldest), is_outage[pk])
        for pk, before in hours_before(sorted(since), now=now).items()
    }


def _minutes_from(moment: datetime, oldest: datetime) -> Float64Array:
    """Return which part of each minute lies after a moment; shape (120,)."""
    return np.clip(np.arange(_N_MINUTES) + 1.0 - (moment - oldest) / MINUTE, 0.0, 1.0)


def _rows(counts: Float64Array, rows: Sequence[int | None]) -> Float64Array:
    found = np.zeros((len(rows), LOOKBACK_MINUTES))
    for to, row in enumerate(rows):
        if row is not None:
            found[to] = counts[row]
    return found
