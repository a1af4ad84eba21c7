"""Refining: micro-clusters that have come to say the same thing join one cluster, and clusters that fell apart split.

Invariant: a cluster id keeps its meaning; a cluster that is merged away says into which one, and no report or count
moves. What is computed is computed off the path of placing: a picture is taken under the service's lock, and what came
of it is written under the lock, for what has not changed meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from django.db import connection, transaction
from django.db.models import Q

from ml.cluster import BURST_SHARE
from ml.refine import NO_GROUP, Constraints, adapted_factor, refine, turns_of
from ml.types import Encoder, IntArray
from reports.clustering import arrays, encoding, handover
from reports.clustering.arrays import ServiceClusters
from reports.clustering.corrections import carry_barriers
from reports.clustering.labelling import label_clusters, note_resemblances
from reports.clustering.locks import lock_service, wait_for_service
from reports.clustering.naming import learn_names
from reports.clustering.services import IDLE_SECONDS, middles_of, threshold_of
from reports.clustering.turns import each_service
from reports.models import Cluster, ClusterBarrier, ClusteringState

REFINE_AFTER: Final = timedelta(seconds=20)
REFINE_REPORTS: Final = 100  # refining every ~100 reports changes 15 % of first labels, every 2,000 25 % (FINDINGS §2)
_FRESH: Final = 1 << 62  # ids of new groups count from here: above every cluster's id


@dataclass(frozen=True, slots=True)
class _Picture:
    """A service's clusters at one moment, and what people said of them."""

    encoder: Encoder
    clusters: ServiceClusters
    constraints: Constraints
    since: datetime | None


@dataclass(frozen=True, slots=True)
class _Refined:
    """What came of a picture: the group of each of its micro-clusters, and what corrections make of the threshold."""

    groups: IntArray
    group_factor: float


def refine_pending(*, now: datetime) -> int:
    """Refine the services that got new reports since they were last refined; return how many were."""
    due = ClusteringState.objects.filter(n_unrefined__gt=0).filter(
        Q(refined_at__isnull=True) | Q(refined_at__lte=now - REFINE_AFTER) | Q(n_unrefined__gte=REFINE_REPORTS)
    )
    service_ids = due.values_list("service_id", flat=True)
    return each_service(service_ids, lambda service_id: refine_service(service_id=service_id, now=now))


def refine_service(*, service_id: int, now: datetime) -> bool:
    """Merge and split the live clusters of one service, label those that moved; false where another worker is at it.

    Concurrency: placing goes on while the grouping is computed. Whoever finds, when it comes to writing, that another
    refinement was quicker, that people said something or that the encoder changed, leaves it at that.
    """
    picture = _take_picture(service_id, now=now)
    if picture is None:
        return False
    refined = _refine(picture)
    names, names_learnt_at_n = learn_names(service_id, picture.clusters)
    with transaction.atomic():
        wait_for_service(service_id)
        current = arrays.load_clusters(service_id, encoder=picture.encoder, now=now)
        if not _still_holds(service_id, picture, current):
            return False
        groups, n_refined = _carried_over(picture.clusters, refined.groups, current)
        cluster_ids, pins = _regroup(service_id, current, groups, n_refined)
        after = replace(
            current,
            cluster_ids=cluster_ids,
            pins=pins,
            n_refined=n_refined,
            group_factor=refined.group_factor,
            n_refinements=current.n_refinements + 1,
            names=names,
            names_learnt_at_n=names_learnt_at_n,
        )
        # What was placed since then was counted at about that time or later; a wide margin costs a few more labels.
        since = picture.since and picture.since - REFINE_AFTER
        label_clusters(service_id, after, encoder=picture.encoder, since=since)
        note_resemblances(after)
        after = arrays.save_state(service_id, before=current, after=after, n_new=0)
        ClusteringState.objects.filter(service_id=service_id).update(
            n_unrefined=_reports_since(picture.clusters, current),
            refined_at=now,
            group_factor=after.group_factor,
            n_refinements=after.n_refinements,
            names=sorted(after.names),
            names_learnt_at_n=after.names_learnt_at_n,
        )
        transaction.on_commit(lambda: arrays.remember(service_id, after))
    return True


def _take_picture(service_id: int, *, now: datetime) -> _Picture | None:
    with transaction.atomic():
        if not lock_service(service_id):
            return None
        encoder = encoding.the_encoder()
        handover.to_encoder(service_id, encoder=encoder, now=now)
        clusters = arrays.load_clusters(service_id, encoder=encoder, now=now)
        transaction.on_commit(lambda: arrays.remember(service_id, clusters))
        return _Picture(
            encoder,
            clusters,
            Constraints(clusters.pins, _barriers(service_id)),
            ClusteringState.objects.values_list("refined_at", flat=True).filter(service_id=service_id).first(),
        )


def _barriers(service_id: int) -> tuple[tuple[int, int], ...]:
    barriers = ClusterBarrier.objects.filter(service_id=service_id).order_by("low_id", "high_id")
    return tuple(barriers.values_list("low_id", "high_id"))


def _still_holds(service_id: int, picture: _Picture, current: ServiceClusters) -> bool:
    """Tell whether nothing but placing has been at the clusters since the picture was taken."""
    known = ClusteringState.objects.filter(service_id=service_id).values_list("encoder", "refined_at").first()
    if known != (picture.encoder.name, picture.since) or _barriers(service_id) != picture.constraints.barred:
        return False
    then, now = _shared_rows(picture.clusters, current)
    return bool(
        np.array_equal(picture.clusters.pins[then], current.pins[now])
        and np.array_equal(picture.clusters.cluster_ids[then], current.cluster_ids[now])
    )


def _shared_rows(picture: ServiceClusters, current: ServiceClusters) -> tuple[IntArray, IntArray]:
    """Return the rows of the micro-clusters that are in both, in either."""
    _, then, now = np.intersect1d(picture.micro_ids, current.micro_ids, assume_unique=True, return_indices=True)
    return then, now


def _refine(picture: _Picture) -> _Refined:
    clusters, state = picture.clusters, picture.clusters.state
    if state.n_micro == 0 or state.calibration is None:
        return _Refined(clusters.cluster_ids, clusters.group_factor)
    sums = state.sums
    factor = adapted_factor(sums, state.n_reports, picture.constraints, usual_weighted=state.calibration.usual_weighted)
    # Ids depend on what other services did at the same time; what comes of a stream must not. So they are counted
    # through, in their order.
    ids = np.union1d(clusters.cluster_ids, clusters.pins[clusters.pins != NO_GROUP])
    place = {cluster_id: at for at, cluster_id in enumerate(ids.tolist())}
    groups = refine(
        sums,
        state.n_reports,
        np.searchsorted(ids, clusters.cluster_ids),
        threshold=threshold_of(state, factor),
        kinds=state.kinds,
        middles=middles_of(state),
        same_time=state.calibration.same_time,
        burst_seconds=IDLE_SECONDS * BURST_SHARE,
        moved=state.n_reports > clusters.n_refined,
        turn=clusters.n_refinements,
        n_turns=turns_of(state.calibration.mixed),
        constraints=Constraints(
            np.where(clusters.pins == NO_GROUP, NO_GROUP, np.searchsorted(ids, clusters.pins)),
            tuple(
                (place[low], place[high]) for low, high in picture.constraints.barred if low in place and high in place
            ),
        ),
        first_new_group=len(ids),
    )
    numbered = np.concatenate((ids, _FRESH + np.arange(groups.max() + 1 - len(ids))))
    return _Refined(numbered[groups], factor)


def _reports_since(picture: ServiceClusters, current: ServiceClusters) -> int:
    """Return how many reports were placed since the picture was taken."""
    then, _ = _shared_rows(picture, current)
    return int(current.state.n_reports.sum() - picture.state.n_reports[then].sum())


def _carried_over(picture: ServiceClusters, groups: IntArray, current: ServiceClusters) -> tuple[IntArray, IntArray]:
    """Return the current micro-clusters' groups and refined sizes.

    What is new since the picture stays, or goes where the whole of its cluster went.
    """
    then, now = _shared_rows(picture, current)
    carried, n_refined = current.cluster_ids.copy(), current.n_refined.copy()
    for cluster_id, heir in _heirs(picture.cluster_ids, groups, picture.state.n_reports).items():
        carried[current.cluster_ids == cluster_id] = heir
    carried[now] = groups[then]
    n_refined[now] = picture.state.n_reports[then]
    return carried, n_refined


def _heirs(old: IntArray, new: IntArray, n_reports: IntArray) -> dict[int, int]:
    """Return, for each id that is not used any more, the one that most of its reports went to (at a tie the lowest)."""
    heirs = {}
    for cluster_id in np.setdiff1d(old, new).tolist():
        rows = old == cluster_id
        ids, place = np.unique(new[rows], return_inverse=True)
        heirs[cluster_id] = int(ids[np.bincount(place, weights=n_reports[rows]).argmax()])
    return heirs


def _regroup(
    service_id: int, before: ServiceClusters, groups: IntArray, n_refined: IntArray
) -> tuple[IntArray, IntArray]:
    """Write the new grouping; return each micro-cluster's cluster id and pin.

    Queries: as many for many clusters as for one, a few more for each that is merged away and has barriers.
    """
    old, new = before.cluster_ids, _with_rows_for_splits(service_id, before.cluster_ids, groups)
    moved = old != new
    changed = moved | (n_refined != before.n_refined)
    if changed.any():
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE reports_microcluster m SET cluster_id = u.cluster, n_refined = u.n"
                " FROM unnest(%s::bigint[], %s::bigint[], %s::int[]) AS u (id, cluster, n) WHERE m.id = u.id",
                [before.micro_ids[changed].tolist(), new[changed].tolist(), n_refined[changed].tolist()],
            )
    if not moved.any():
        return new, before.pins
    heirs = _heirs(old, new, before.state.n_reports)
    _merge_away(service_id, heirs)
    touched = sorted(set(old[moved].tolist()) | set(new[moved].tolist()))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reports_cluster c SET n_reports = m.n, last_seen_at = greatest(c.last_seen_at, m.seen),"
            " first_seen_at = least(c.first_seen_at,"
            " (SELECT min(a.first_seen_at) FROM reports_cluster a WHERE a.merged_into_id = c.id))"
            " FROM (SELECT cluster_id, sum(n_reports) AS n, max(last_seen_at) AS seen FROM reports_microcluster"
            " WHERE cluster_id = ANY(%s) GROUP BY cluster_id) AS m WHERE c.id = m.cluster_id",
            [touched],
        )
    pins = np.array([heirs.get(pin, pin) for pin in before.pins.tolist()], dtype=np.int64)
    return new, pins


def _with_rows_for_splits(service_id: int, old: IntArray, groups: IntArray) -> IntArray:
    """Make a row for each group that has none; return each micro-cluster's cluster id."""
    # Below are clusters that a person put reports into, all of whose others are idle.
    fresh, first = np.unique(groups, return_index=True)
    fresh, first = fresh[fresh >= _FRESH], first[fresh >= _FRESH]
    if len(fresh) == 0:
        return groups
    origins = Cluster.objects.in_bulk(old[first].tolist())
    splits = Cluster.objects.bulk_create(
        Cluster(
            service_id=service_id,
            label=origins[origin_id].label,
            first_seen_at=origins[origin_id].first_seen_at,
            last_seen_at=origins[origin_id].last_seen_at,
        )
        for origin_id in old[first].tolist()
    )
    rows = groups >= _FRESH
    new = groups.copy()
    new[rows] = np.array([split.pk for split in splits])[np.searchsorted(fresh, groups[rows])]
    return new


def _merge_away(service_id: int, heirs: dict[int, int]) -> None:
    """Let clusters that hold nothing any more say into which one they went, with all that hangs on them."""
    if not heirs:
        return
    gone: dict[str, Any] = {"service": service_id, "ids": list(heirs), "heirs": list(heirs.values())}
    with connection.cursor() as cursor:
        for change in (
            # What is too idle to be refined goes with the rest: a cluster is merged whole.
            "UPDATE reports_microcluster t SET cluster_id = u.heir {} WHERE t.cluster_id = u.id",
            "UPDATE reports_microcluster t SET pinned_to_id = u.heir {}"
            " WHERE t.service_id = %(service)s AND t.pinned_to_id = u.id",
            # Whoever was merged into it before points to where it went: one step always leads to the living cluster.
            "UPDATE reports_cluster t SET merged_into_id = u.heir {} WHERE t.merged_into_id = u.id",
            "UPDATE reports_cluster t SET merged_into_id = u.heir, n_reports = 0 {} WHERE t.id = u.id",
            "UPDATE reports_cluster t SET resembles_id = nullif(u.heir, t.id) {}"
            " WHERE t.service_id = %(service)s AND t.resembles_id = u.id",
        ):
            cursor.execute(change.format("FROM unnest(%(ids)s::bigint[], %(heirs)s::bigint[]) AS u (id, heir)"), gone)
    apart = Q(low_id__in=list(heirs)) | Q(high_id__in=list(heirs))
    barred = {one for pair in ClusterBarrier.objects.filter(apart).values_list("low_id", "high_id") for one in pair}
    for cluster_id in sorted(barred & set(heirs)):
        carry_barriers(cluster_id, heirs[cluster_id])
