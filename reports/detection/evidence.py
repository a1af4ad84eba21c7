"""From counts to evidence: every stream of a service tested, and the findings that follow.

Reads nothing, writes nothing.

A stream is the service as a whole, a country, a subdivision, or a cluster.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np
from django.conf import settings

from ml.baseline import Levels, Shares, joint_strength, shares
from ml.budget import Calibration
from ml.detect import Evidence, evidence, expected_by_minute, onset_minute, stream_dispersion, window_expected
from ml.mix import BUDGET_OF_FAILURES
from ml.phases import Thresholds, thresholds_for
from ml.regions import WHOLE, ancestors, are_related
from ml.types import Float64Array
from reports.detection.arrays import LastHour
from reports.detection.learning import Usual
from reports.detection.life import Life
from reports.detection.places import Whereabouts, apart, whereabouts

# A service has many clusters, and one in which three people agree is no rarity: each is tested against the number of
# those that are tried, at least as many as a service of middling size has in an hour.
LEAST_CLUSTERS_TRIED: Final = 20
# A cluster is somewhere when so much of it is there; less is everywhere.
CLUSTER_IN_REGION: Final = 0.7
# Nothing is impossible: a p-value of 0 can't be drawn, compared by logarithm or put into words.
LEAST_P: Final = 1e-300


@dataclass(frozen=True, slots=True)
class Streams:
    """The evidence of every stream of a service at one moment: of all reports, or of those that tell of a failure."""

    regions: dict[str, Evidence]
    clusters: dict[int, Evidence]
    of_failures: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that rises now: where, in which cluster (None: not one alone), how sure, since when.

    Not settled: it is too early to say where, and the place is the whole service.
    """

    root: str
    regions: tuple[str, ...]
    cluster_id: int | None
    evidence: Evidence
    onset_minutes_ago: int
    is_settled: bool = True
    of_failures: bool = False


def thresholds() -> Thresholds:
    """Return when an outage is suspected, confirmed and over, by the budget this installation has set."""
    return thresholds_for(settings.FALSE_ALARMS_PER_MONTH)


def weigh(
    hour: LastHour,
    usual: Usual,
    *,
    cluster_past: dict[int, float],
    life: Life | None = None,
    calibration: Calibration | None = None,
    of_failures: bool = False,
) -> Streams:
    """Test every stream of a service: all its reports, or those that tell of a failure.

    `cluster_past` holds the reports each cluster had before the last hour, `life` a young service's hour before it.
    """
    [streams] = weigh_all(
        [hour], [usual], cluster_past=cluster_past, lives=[life], calibration=calibration, of_failures=of_failures
    )
    return streams


def weigh_all(
    hours: Sequence[LastHour],
    usuals: Sequence[Usual],
    *,
    cluster_past: dict[int, float],
    lives: Sequence[Life | None],
    calibration: Calibration | None = None,
    of_failures: bool = False,
) -> list[Streams]:
    """Test every stream of services, all of them at once: the arrays' overhead is paid once a tick, not a service.

    Of failures, a region is expected to have the service's usual part of them. A cluster is of one kind, so all it
    usually has may be failures.
    """
    parts = []
    for whole, whole_usual, whole_life in zip(hours, usuals, lives, strict=True):
        hour = whole.of_failures() if of_failures else whole
        usual = whole_usual.of_failures() if of_failures else whole_usual
        life = whole_life.of_failures() if whole_life is not None and of_failures else whole_life
        service_e = usual.levels.get(WHOLE, (0.0, 0.0))[1]
        cluster_levels = Levels(
            n=np.array([cluster_past.get(pk, 0.0) for pk in hour.cluster_ids], dtype=np.float64),
            e=np.full(len(hour.cluster_ids), service_e),
        )
        in_regions, in_clusters = _expected(hour, usual), _expected(hour, whole_usual)
        known_regions = usual.shares_of(hour.regions, end_minute=hour.end_minute)
        known_clusters = shares(cluster_levels)
        spread = stream_dispersion(usual.dispersion[None, :], known_clusters.share[:, None])
        of_regions = _prepared(hour.region_counts, known_regions, in_regions, usual.dispersion_of(hour.regions), usual)
        of_clusters = _prepared(hour.cluster_counts, known_clusters, in_clusters, spread, usual)
        if life is not None:
            of_regions = _raised(of_regions, life.of_regions(hour.regions), life, hour)
            of_clusters = _raised(of_clusters, life.of_clusters(hour.cluster_ids), life, hour)
        parts += [of_regions, of_clusters]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    tested = iter(evidence(*columns, calibration=calibration) if columns else ())
    found = []
    for hour, usual in zip(hours, usuals, strict=True):
        part = budget_of(usual, of_failures=of_failures)
        # The budget is the service's: half of it is for the whole, the rest for the regions heard of within the hour
        # (in the others nothing can be), all alike.
        n_regions = len(hour.regions) - 1
        tries = {region: 2 * n_regions if region else min(2, 1 + n_regions) for region in hour.regions}
        n_tried = max(hour.n_clusters, LEAST_CLUSTERS_TRIED)
        regions = dict(zip(hour.regions, islice(tested, len(hour.regions)), strict=True))
        clusters = dict(zip(hour.cluster_ids, islice(tested, len(hour.cluster_ids)), strict=True))
        found.append(
            Streams(
                regions={
                    region: replace(one, p_value=min(one.p_value * tries[region] / part, 1.0))
                    for region, one in regions.items()
                },
                clusters={pk: _among(one, n_tried / part) for pk, one in clusters.items()},
                of_failures=of_failures,
            )
        )
    return found


def rises(streams: Streams) -> bool:
    """Tell whether any stream stands out, so that there is something to be found."""
    return least_p(streams) < thresholds().p_suspect


def least_p(streams: Streams) -> float:
    """Return the p-value of a service's clearest stream."""
    return min(one.p_value for one in (*streams.regions.values(), *streams.clusters.values()))


def budget_of(usual: Usual, *, of_failures: bool) -> float:
    """Return which part of the budget of false alarms a view may spend.

    Failures get none of it where they are not watched by themselves: there they open nothing, and are only asked
    whether they bear out what all reports say.
    """
    if not usual.mix.is_watched:
        return 1.0
    return BUDGET_OF_FAILURES if of_failures else 1.0 - BUDGET_OF_FAILURES


def find(
    hour: LastHour,
    usual: Usual,
    streams: Streams,
    *,
    standing: Sequence[Collection[str]] = (),
    life: Life | None = None,
) -> list[Finding]:
    """Return what rises: where the regions' rise is, and clusters that rise where no region does.

    `standing` are the places of outages that a rise elsewhere does not belong to (`places.apart`).
    """
    findings = _in_regions(hour, usual, streams, standing, life)
    explained = {finding.root for finding in findings}
    for cluster_id, one in sorted(streams.clusters.items(), key=lambda item: item[1].p_value):
        if one.p_value >= thresholds().p_suspect:
            break
        root = _place_of(hour.cluster_regions[cluster_id])
        if any(is_within(root, other) or is_within(other, root) for other in explained):
            continue  # the cluster is what the region's rise is made of
        row = hour.cluster_ids.index(cluster_id)
        ago = _onset(hour.cluster_counts[row], usual, hour, None, one)
        findings.append(Finding(root, (root,) if root else (), cluster_id, one, ago, of_failures=streams.of_failures))
        explained.add(root)
    return findings


def find_in_both(of_failures: Sequence[Finding], of_all: Sequence[Finding]) -> list[Finding]:
    """Join what rises of failures and of all reports; of one place the failures say where and since when."""
    return [
        *of_failures,
        *(one for one in of_all if not any(are_related(one.root, other.root) for other in of_failures)),
    ]


def surer_of(of_all: Evidence | None, of_failures: Evidence | None) -> tuple[Evidence | None, bool]:
    """Return the surer of two looks at one place, and whether it is the one at failures.

    It goes on as long as either does.
    """
    if of_all is None or of_failures is None:
        return of_all or of_failures, of_all is None and of_failures is not None
    is_failures = _surer(of_failures) < _surer(of_all)
    surer = of_failures if is_failures else of_all
    return replace(surer, p_recent=min(of_all.p_recent, of_failures.p_recent)), is_failures


def _in_regions(
    hour: LastHour, usual: Usual, streams: Streams, standing: Sequence[Collection[str]], life: Life | None
) -> list[Finding]:
    p_suspect = thresholds().p_suspect
    if min(one.p_value for one in streams.regions.values()) >= p_suspect:
        return []
    findings = []
    for part in apart(whereabouts(hour, usual, life), standing):
        found = _evidence_for(part, streams, standing)
        if found is not None and found.p_value < p_suspect:
            row = hour.regions.index(part.root) if part.root in hour.regions else 0
            ago = _onset(hour.region_counts[row], usual, hour, hour.regions[row], found)
            findings.append(Finding(part.root, part.regions, None, found, ago, part.is_settled, streams.of_failures))
    return findings


def _evidence_for(part: Whereabouts, streams: Streams, standing: Sequence[Collection[str]]) -> Evidence | None:
    """Return the surest evidence of a place; None where nothing of it was heard within the hour.

    Where the place as a whole is not clear enough, a region that gave the alarm still counts: one state may fire
    while it is too early to say whether it is alone. Beside an outage that stands apart a region that holds both says
    nothing.
    """
    p_suspect = thresholds().p_suspect
    elsewhere = [place for places in standing for place in places]
    own = set(part.regions) | ({part.root} if not any(are_related(part.root, place) for place in elsewhere) else set())
    found = [streams.regions[code] for code in own if code in streams.regions]
    if not elsewhere and all(one.p_value >= p_suspect for one in found):
        found += [one for code, one in streams.regions.items() if code and not is_within(part.root, code)]
    return min(found, key=_surer, default=None)


def is_within(region: str, other: str) -> bool:
    """Tell whether `region` is `other` or lies in it."""
    return region == other or other in ancestors(region)


def n_regions_heard(hour: LastHour, scope: str, window_minutes: int) -> int:
    """Return from how many regions within a place reports came in the window; of a country and its parts, the parts."""
    counts = hour.region_counts[:, -window_minutes:].sum(axis=1)
    heard = [
        region
        for region, n in zip(hour.regions, counts, strict=True)
        if region and n > 0 and (scope == WHOLE or is_within(region, scope))
    ]
    return sum(not any(other != region and is_within(other, region) for other in heard) for region in heard)


def evidence_of(streams: Streams, *, scope: str, regions: Sequence[str], cluster_id: int | None) -> Evidence | None:
    """Return the surest evidence that an open outage still goes on; None where its streams are silent."""
    if cluster_id is not None:
        return streams.clusters.get(cluster_id)
    return _surest(streams, scope, regions) if scope in streams.regions else None


def main_cluster(hour: LastHour, streams: Streams, scope: str) -> int | None:
    """Return the cluster that rises most clearly within a region; where none does, the one with the most reports."""
    n_by_cluster = _clusters_within(hour, scope)

    def telling(pk: int) -> tuple[float, int, int]:
        return (streams.clusters[pk].p_value if pk in streams.clusters else 1.0, -n_by_cluster[pk], pk)

    return min(n_by_cluster, key=telling, default=None)


def largest_cluster(hour: LastHour, scope: str) -> int | None:
    """Return the cluster with the most reports within a region; None where there is none."""
    n_by_cluster = _clusters_within(hour, scope)
    return min(n_by_cluster, key=lambda pk: (-n_by_cluster[pk], pk), default=None)


def _clusters_within(hour: LastHour, scope: str) -> dict[int, int]:
    """Return how many reports of the hour each cluster has within a region, without those that have none."""
    counted = {
        pk: sum(n for region, n in found.items() if scope == WHOLE or is_within(region, scope))
        for pk, found in hour.cluster_regions.items()
    }
    return {pk: n for pk, n in counted.items() if n > 0}


def _expected(hour: LastHour, usual: Usual) -> Float64Array:
    """Return what a service usually gets in each of the windows that end now."""
    return usual.today.factor * window_expected(
        usual.rates_per_hour, hour.end_minute, elapsed_seconds=hour.elapsed_seconds
    )


def _prepared(
    counts: Float64Array, parts: Shares, service_expected: Float64Array, dispersion: Float64Array, usual: Usual
) -> tuple[Float64Array, ...]:
    """Return what `evidence` asks of a service's streams: counts, expected, dispersion and strength."""
    share, strength = parts
    return (
        counts,
        share[:, None] * service_expected[None, :],
        dispersion,
        # Of each window, for a young service knows them unlike well.
        np.broadcast_to(joint_strength(strength, usual.today.strength)[:, None], (share.size, service_expected.size)),
    )


def _raised(
    prepared: tuple[Float64Array, ...], before: Float64Array, life: Life, hour: LastHour
) -> tuple[Float64Array, ...]:
    """Return the same with what is usual raised to what a young service's streams had before each window."""
    counts, expected, dispersion, strength = prepared
    raised = life.raised(counts, before, expected, strength[:, 0], hour)
    return counts, raised.expected, dispersion, raised.strength


def _among(one: Evidence, n_tried: float) -> Evidence:
    return Evidence(
        p_value=min(one.p_value * n_tried, 1.0),
        p_recent=min(one.p_recent * n_tried, 1.0),
        window_minutes=one.window_minutes,
        observed=one.observed,
        expected=one.expected,
    )


def _surest(streams: Streams, root: str, regions: Sequence[str]) -> Evidence:
    found = [streams.regions[code] for code in {root, *regions} if code in streams.regions]
    return min(found, key=_surer)


def _surer(one: Evidence) -> tuple[float, float]:
    return (one.p_value, -one.observed)


def _onset(counts: Float64Array, usual: Usual, hour: LastHour, region: str | None, found: Evidence) -> int:
    """Return how many minutes ago the rise began. A cluster (region None) is usually all but silent.

    Of a young service is usual what the rise was tested against, for little is learnt.
    """
    by_minute = expected_by_minute(usual.rates_per_hour, hour.end_minute, n_minutes=len(counts))
    share = 0.05
    if region is not None:
        share = float(usual.shares_of([region or WHOLE], end_minute=hour.end_minute).share[0])
    least = found.expected / found.window_minutes if usual.young_since is not None else 0.0
    return len(counts) - 1 - onset_minute(counts, np.maximum(by_minute * share, least))


def _place_of(counts: dict[str, int]) -> str:
    """Return the narrowest region that holds most of a cluster's reports with a region; "" where none does."""
    placed = {region: n for region, n in counts.items() if region}
    total = sum(placed.values())
    root = WHOLE
    candidates = sorted({node for region in placed for node in (region, *ancestors(region)) if node}, key=len)
    for node in candidates:
        n_there = sum(n for region, n in placed.items() if is_within(region, node))
        if n_there >= CLUSTER_IN_REGION * total and 2 * total >= sum(counts.values()):
            root = node
    return root
