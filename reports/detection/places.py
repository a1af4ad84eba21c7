"""Where a rise is: the posterior of every set of regions, and what of it open outages elsewhere explain.

Invariant: a place is only told once it is settled; until then it is the whole service, and said to be unsettled.
Regions that were silent within the hour are weighed too, for that says where it is not. Pure; whether anything rises at
all is `evidence`'s matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ml.baseline import joint_strength
from ml.detect import window_expected, window_sums
from ml.regions import WHOLE, ancestors, are_related, parent, place
from reports.detection.arrays import LastHour
from reports.detection.learning import Usual
from reports.detection.life import Life

# A region is concerned where that is likelier than not. The set with the best F1 to be expected would do better, were
# regions concerned independently; of "one state or all of them" it answers "all", even where one is likelier.
LIKELY: Final = 0.5
# Silent regions that are weighed beside those heard of, the largest first. 300 nodes cost some ten milliseconds, and
# only a look that finds something pays for them.
MOST_SILENT: Final = 300


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Which regions rise together: `root` holds them all. Not settled: the whole, for it is too early to say."""

    root: str
    regions: tuple[str, ...]
    is_settled: bool


UNSETTLED: Final = Whereabouts(WHOLE, (WHOLE,), is_settled=False)


def whereabouts(hour: LastHour, usual: Usual, life: Life | None = None) -> Whereabouts:
    """Return where a service's rise is, given that there is one; `life` is a young service's hour before."""
    all_nodes = _nodes(hour, usual)
    lone = _lone_country(all_nodes)
    # Of a service in one country the country is the whole; as a level of its own it would count for the whole twice.
    nodes = [node for node in all_nodes if node != lone]
    heard = {node: row for row, node in enumerate(hour.regions)}
    counts = np.zeros((len(nodes), hour.region_counts.shape[1]))
    for row, node in enumerate(nodes):
        if node in heard:
            counts[row] = hour.region_counts[heard[node]]
    share, strength = usual.shares_of(nodes, end_minute=hour.end_minute)
    service_expected = usual.today.factor * window_expected(
        usual.rates_per_hour, hour.end_minute, elapsed_seconds=hour.elapsed_seconds
    )
    expected = share[:, None] * service_expected[None, :]
    known = np.asarray(joint_strength(strength, usual.today.strength))
    if life is not None:
        raised = life.raised(counts, life.of_regions(nodes), expected, known, hour)
        expected, known = raised.expected, raised.strength.min(axis=1)
    found = place(
        nodes,
        window_sums(counts),
        expected,
        usual.dispersion_of(nodes),
        known,
        parent_of=lambda code: WHOLE if code != WHOLE and parent(code) == lone else parent(code),
    )
    # As long as nobody names a region, "everywhere" would be as good a guess as any, and a guess it would be.
    is_named = len(nodes) == 1 or len(hour.regions) > 1
    if not (found.is_settled and is_named):
        return UNSETTLED
    above = {over for node in nodes for over in ancestors(node)}
    likely = [node for node in nodes if node not in above and found.p_concerned[node] >= LIKELY]
    return _of(in_short(likely or found.regions, all_nodes))


def apart(found: Whereabouts, standing: Sequence[Collection[str]]) -> list[Whereabouts]:
    """Split a place by the places of outages that stand apart from it: a part for each of them, and what is left.

    An outage of long standing and a new one far off rise in the same hour and would be one place; regions that are
    neither in nor around the old one's are told apart from it.
    """
    if not found.is_settled:
        return [found]
    left = list(found.regions)
    parts = []
    for places in standing:
        mine = [region for region in left if any(are_related(region, other) for other in places)]
        if mine:
            parts.append(_of(mine))
            left = [region for region in left if region not in mine]
    return [*parts, _of(left)] if left else parts


def _of(regions: Sequence[str]) -> Whereabouts:
    return Whereabouts(common_root(regions), tuple(sorted(regions)), is_settled=True)


def common_root(regions: Iterable[str]) -> str:
    """Return the narrowest region that holds all of these.

    >>> common_root(["DE-BY"]), common_root(["DE-BY", "DE-BE"]), common_root(["DE-BY", "FR"])
    ('DE-BY', 'DE', '')
    """
    lineages = [[region, *ancestors(region)] for region in regions]
    return next(node for node in lineages[0] if all(node in lineage for lineage in lineages))


def in_short(regions: Collection[str], nodes: Sequence[str]) -> list[str]:
    """Return the fewest regions that are the same place: a country for all that is known of it, one state for itself.

    >>> in_short(["DE-BE", "DE-BY", "FR-IDF"], ["", "DE", "DE-BE", "DE-BY", "FR", "FR-IDF", "US"])
    ['DE', 'FR-IDF']
    >>> in_short(["DE", "FR-IDF"], ["", "DE", "DE-BE", "DE-BY", "FR", "FR-IDF"])
    ['']
    """
    below: dict[str, list[str]] = defaultdict(list)
    for node in nodes:
        if node != WHOLE:
            below[ancestors(node)[0]].append(node)

    def covered(node: str) -> bool:
        return node in regions or (bool(below[node]) and all(covered(child) for child in below[node]))

    def shortened(node: str) -> list[str]:
        if not covered(node):
            return [region for child in below[node] for region in shortened(child)]
        while len(below[node]) == 1:
            [node] = below[node]
        return [node]

    return sorted(shortened(WHOLE))


def _lone_country(nodes: Sequence[str]) -> str | None:
    """Return the only country there is, if it has parts."""
    countries = [node for node in nodes if ancestors(node) == [WHOLE]]
    return countries[0] if len(countries) == 1 and len(nodes) > 2 else None


def _nodes(hour: LastHour, usual: Usual) -> list[str]:
    """Return the regions heard of within the hour and the largest of the silent ones, with all above them."""
    silent = sorted(usual.levels.keys() - set(hour.regions), key=lambda region: (-usual.levels[region][0], region))
    chosen = {*hour.regions, *silent[:MOST_SILENT]}
    return sorted({node for region in chosen for node in (region, *ancestors(region))})
