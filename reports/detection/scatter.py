"""How a service's reports scatter within minutes, and its regions' by themselves: learnt from quiet closed hours.

Invariant: service and regions learn from the same hours, so that one can be held against the other. Not here: the
mathematics (`ml.scatter`, `ml.local_scatter`), and which hours are quiet (`learning`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np

from ml.detect import WINDOW_MINUTES
from ml.local_scatter import Local, empty_local, learn_local, region_dispersion
from ml.regions import WHOLE, ancestors
from ml.scatter import Scatter, empty_scatter, learn_scatter
from ml.types import BoolArray, Float64Array
from reports.detection.arrays import HOUR, minute_counts

SCATTER_HOURS: Final = 4 * 168  # of a long past only so many teach how reports scatter
_HOURS_AT_ONCE: Final = 24  # all regions' minutes of so many hours are held in memory


@dataclass(frozen=True, slots=True)
class ServiceScatter:
    """What is known: of the service, None until anything is; and of its regions by code, squares and expected."""

    whole: Scatter | None = None
    regions: dict[str, tuple[list[float], list[float]]] = field(default_factory=dict)

    def of(self, regions: list[str]) -> Scatter:
        """Return the regions' own scatter in the order asked for; nothing is known of one that was never heard of."""
        known = empty_local(len(regions))
        for row, region in enumerate(regions):
            if region in self.regions:
                known.squares[row], known.expected[row] = self.regions[region]
        return known


def learn_scatters(
    service_id: int,
    known: ServiceScatter,
    regions: list[str],
    counts: Float64Array,
    usual: Float64Array,
    frozen: BoolArray,
    *,
    start: datetime,
) -> ServiceScatter:
    """Learn from the quiet hours in which the service had more than one report. Queries: one a day with any.

    `counts` are the service's by hour, `usual` those that are usual of each of the `regions`, of shape (k, n_hours).
    """
    whole, own = known.whole, known.of(regions)
    row_of = {region: row for row, region in enumerate(regions)}
    is_telling = (counts > 1) & ~frozen
    for first in range(max(len(counts) - SCATTER_HOURS, 0), len(counts), _HOURS_AT_ONCE):
        telling = np.flatnonzero(is_telling[first : first + _HOURS_AT_ONCE])
        if not telling.size:
            continue
        n_hours = int(telling[-1]) + 1
        heard, by_minute = minute_counts(service_id, start=start + first * HOUR, n_minutes=60 * n_hours)
        by_hour = by_minute.reshape(len(heard), n_hours, 60)[:, telling]
        whole = learn_scatter(whole or empty_scatter(), by_hour[heard.index(WHOLE)])
        of_regions = np.zeros((len(regions), telling.size, 60))
        rows = [(row_of[region], at) for at, region in enumerate(heard) if region in row_of]
        of_regions[[row for row, _ in rows]] = by_hour[[at for _, at in rows]]
        own = learn_local(own, of_regions, usual[:, first + telling])
    learnt = zip(own.squares.tolist(), own.expected.tolist(), strict=True)
    return ServiceScatter(whole, dict(zip(regions, learnt, strict=True)))


def scatter_of_regions(
    known: ServiceScatter, regions: list[str], share: Float64Array, dispersion: Float64Array
) -> Local:
    """Conclude how the regions scatter, none of them the whole; `dispersion` is the service's in each window."""
    above = {over for region in regions for over in ancestors(region)}
    return region_dispersion(
        known.of(regions), share, [region not in above for region in regions], dispersion, windows=WINDOW_MINUTES
    )
