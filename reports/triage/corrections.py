"""What people say of clusters: merge, split, rename, move reports, and whether reports are problem reports at all.

Invariant: each act is one Correction, checked against what there is when it is said; while the same one still waits, a
second click writes nothing. Clustering carries them out within moments, under its own lock (`clustering.corrections`);
only a name is given here, for no vector is needed for that. What is said of reports names their cluster too where they
share one, so that its page can tell of it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from reports.enums import CorrectionKind, Role
from reports.errors import InvalidInput, NotAllowed, NotFound
from reports.intake.contract import without_forbidden
from reports.models import Cluster, Correction, MicroCluster, Placement, Report
from reports.nudge import nudge
from reports.triage.accounts import account_role
from reports.triage.transitions import includes

LOCK_CORRECTIONS: Final = 7103  # first half of the advisory lock's key, the service's id is the other
MAX_CLUSTER_NAME_CHARS: Final = 80  # one line of a card
MOST_REPORTS: Final = 200  # as many as a page shows; more of them are better told by splitting
MOST_WORDINGS: Final = 200


@dataclass(frozen=True, slots=True)
class Corrected:
    """What became of an act. `is_new` is false where the same had been said before; `cluster_id` is the living one."""

    cluster_id: int | None
    is_new: bool


def merge_clusters(*, cluster_id: int, into_id: int, actor_id: int, now: datetime) -> Corrected:
    """Say that two clusters tell the same problem; the first goes up in the other.

    Raises NotFound, NotAllowed, InvalidInput.
    """
    check_role(actor_id)
    cluster, into = living_cluster(cluster_id), living_cluster(into_id)
    if cluster_id == into_id:
        raise InvalidInput("A cluster can't be merged into itself. Choose another one.")
    if cluster.service_id != into.service_id:
        raise InvalidInput(f"Cluster {into.pk} is of another service, and problems of two services stay apart.")
    if cluster.pk == into.pk:
        return Corrected(into.pk, is_new=False)
    is_new = _say(CorrectionKind.MERGE, cluster.service_id, actor_id, now, cluster_id=cluster.pk, into_id=into.pk)
    return Corrected(cluster.pk, is_new=is_new)


def split_cluster(*, cluster_id: int, micro_cluster_ids: Collection[int], actor_id: int, now: datetime) -> Corrected:
    """Say that some wordings of a cluster tell another problem; they become a cluster of their own.

    Raises NotFound, NotAllowed, InvalidInput.
    """
    check_role(actor_id)
    cluster = living_cluster(cluster_id)
    chosen = sorted(set(micro_cluster_ids))
    if not chosen:
        raise InvalidInput("No wording is chosen. Tick those that tell another problem.")
    if len(chosen) > MOST_WORDINGS:
        raise InvalidInput(f"{len(chosen):,} wordings are chosen; at most {MOST_WORDINGS} are split off at once.")
    inside = set(MicroCluster.objects.filter(cluster=cluster).values_list("pk", flat=True))
    if not inside.issuperset(chosen):
        raise InvalidInput("Some of these wordings are not in this cluster any more. Reload the page and choose anew.")
    if len(chosen) == len(inside):
        raise InvalidInput("All wordings are chosen. Leave at least one behind, or rename the cluster instead.")
    is_new = _say(
        CorrectionKind.SPLIT, cluster.service_id, actor_id, now, cluster_id=cluster.pk, micro_cluster_ids=chosen
    )
    return Corrected(cluster.pk, is_new=is_new)


def rename_cluster(*, cluster_id: int, name: str, actor_id: int, now: datetime) -> Corrected:
    """Give a cluster a name; an empty one gives it the machine's label again. Takes effect at once.

    Raises NotFound, NotAllowed, InvalidInput.
    """
    check_role(actor_id)
    name = " ".join(without_forbidden(unicodedata.normalize("NFC", name)).split())
    if len(name) > MAX_CLUSTER_NAME_CHARS:
        raise InvalidInput(f"The name has {len(name)} characters; at most {MAX_CLUSTER_NAME_CHARS} fit. Shorten it.")
    with transaction.atomic():
        cluster = Cluster.objects.select_for_update().get(pk=living_cluster(cluster_id).pk)
        if cluster.given_name == name:
            return Corrected(cluster.pk, is_new=False)
        cluster.given_name = name
        cluster.save(update_fields=["given_name"])
        Correction.objects.create(
            service_id=cluster.service_id,
            kind=CorrectionKind.RENAME,
            cluster=cluster,
            text=name,
            actor_id=actor_id,
            at=now,
            applied_at=now,
        )
    return Corrected(cluster.pk, is_new=True)


def move_reports(*, report_ids: Collection[UUID], into_id: int | None, actor_id: int, now: datetime) -> Corrected:
    """Say that reports belong in another cluster, or (None) in one of their own.

    Raises NotFound, NotAllowed, InvalidInput.
    """
    check_role(actor_id)
    placed = _placed(report_ids)
    service_id, origin_id = placed.service_id, placed.only_cluster_id
    into = living_cluster(into_id) if into_id is not None else None
    if into is not None and into.service_id != service_id:
        raise InvalidInput(f"Cluster {into.pk} is of another service than these reports.")
    if into is not None and placed.cluster_ids == {into.pk}:
        return Corrected(into.pk, is_new=False)
    is_new = _say(
        CorrectionKind.MOVE, service_id, actor_id, now,
        cluster_id=origin_id, into_id=into.pk if into else None, report_ids=placed.report_ids,
    )  # fmt: skip
    return Corrected(origin_id, is_new=is_new)


def screen_reports(*, report_ids: Collection[UUID], is_problem: bool, actor_id: int, now: datetime) -> Corrected:
    """Say whether reports are problem reports at all: only those that are count, and screening learns from it.

    Raises NotFound, NotAllowed, InvalidInput.
    """
    check_role(actor_id)
    placed = _placed(report_ids)
    already = Placement.objects.filter(
        report_id__in=placed.report_ids, is_set_aside=not is_problem, p_problem=float(is_problem)
    )
    if already.count() == len(placed.report_ids):
        return Corrected(placed.only_cluster_id, is_new=False)
    is_new = _say(
        CorrectionKind.SCREEN, placed.service_id, actor_id, now,
        cluster_id=placed.only_cluster_id, report_ids=placed.report_ids, is_problem=is_problem,
    )  # fmt: skip
    return Corrected(placed.only_cluster_id, is_new=is_new)


def living_cluster(cluster_id: int) -> Cluster:
    """Return the cluster that stands for this one after all merges.

    Queries: one, and one for each merge. Raises NotFound.
    """
    cluster = Cluster.objects.select_related("merged_into").filter(pk=cluster_id).first()
    if cluster is None:
        raise NotFound(f"There is no cluster {cluster_id}.")
    while cluster.merged_into is not None:
        cluster = cluster.merged_into
    return cluster


@dataclass(frozen=True, slots=True)
class _Placed:
    """Reports of one service, and the clusters they are in."""

    service_id: int
    report_ids: Sequence[UUID]
    cluster_ids: frozenset[int]

    @property
    def only_cluster_id(self) -> int | None:
        """The cluster they are all in; None where they are in several."""
        return next(iter(self.cluster_ids)) if len(self.cluster_ids) == 1 else None


def _placed(report_ids: Collection[UUID]) -> _Placed:
    """Return where the reports are; all of them have to be there still, and of one service."""
    wanted = sorted(set(report_ids))
    if not wanted:
        raise InvalidInput("No report is chosen. Tick those you mean.")
    if len(wanted) > MOST_REPORTS:
        raise InvalidInput(f"{len(wanted):,} reports are chosen; at most {MOST_REPORTS} are corrected at once.")
    rows = Placement.objects.filter(report_id__in=wanted).values_list("service_id", "micro_cluster__cluster_id")
    found = list(rows)
    if len(found) < len(wanted) or Report.objects.filter(id__in=wanted).count() < len(wanted):
        raise InvalidInput("Some of these reports are not there any more. Reload the page and choose anew.")
    service_ids = {service_id for service_id, _ in found}
    if len(service_ids) > 1:
        raise InvalidInput("These reports are of several services. Correct those of one service at a time.")
    return _Placed(service_ids.pop(), wanted, frozenset(cluster_id for _, cluster_id in found))


def check_role(actor_id: int) -> None:
    if not includes(role := account_role(user_id=actor_id), Role.RESPONDER):
        yours = f"Your role is {role.value}" if role else "You have no role"
        raise NotAllowed(f"{yours}; to correct clusters takes a responder. Ask an admin for the role.")


def _say(kind: CorrectionKind, service_id: int, actor_id: int, now: datetime, **what: Any) -> bool:
    """Write a correction and ask for clustering; false where the same one, whoever said it, still waits."""
    meant: dict[str, Any] = {
        "cluster_id": None, "into_id": None, "micro_cluster_ids": [], "report_ids": [], "is_problem": None,
    } | what  # fmt: skip
    with one_at_a_time(service_id):
        waiting = Correction.objects.filter(service_id=service_id, kind=kind, applied_at__isnull=True)
        if waiting.filter(**_asked(meant)).exists():
            return False
        Correction.objects.create(service_id=service_id, kind=kind, actor_id=actor_id, at=now, **meant)
        nudge("cluster")
        return True


def _asked(meant: dict[str, Any]) -> dict[str, Any]:
    """Return the same as a question: a NULL equals nothing in SQL."""
    return {f"{name}__isnull" if value is None else name: value is None or value for name, value in meant.items()}


@contextmanager
def one_at_a_time(service_id: int) -> Iterator[None]:
    """Let nobody else say something of the service's clusters meanwhile: two clicks at once must see each other."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CORRECTIONS, service_id])
        yield
