"""Which products and features a service's reports are told apart by, learnt from the latest of them.

Invariant: names change with a refinement alone, and only when the service has grown by a quarter since they were
learnt. In between, where a report is placed does not depend on when a worker comes to it, and a restart changes
nothing. Not here: what is a name (`ml.names`).
"""

from __future__ import annotations

from django.db import connection

from ml.names import LATEST_TEXTS, NameTally, add_texts, learns_at, learnt_names
from reports.clustering.arrays import ServiceClusters


def learn_names(service_id: int, clusters: ServiceClusters) -> tuple[frozenset[str], int]:
    """Return a service's names and how many texts it had seen when they were learnt: the ones it has, or new ones.

    Queries: one when they are due.
    """
    n_seen, learnt_at = clusters.state.tally.n_seen, clusters.names_learnt_at_n
    if n_seen < learns_at(learnt_at if learnt_at <= n_seen else 0):  # another encoder counts from the beginning
        return clusters.names, learnt_at
    tally = add_texts(NameTally(), _latest_texts(service_id))
    return learnt_names(tally, known=clusters.names), n_seen


def _latest_texts(service_id: int) -> list[str]:
    """Return the latest reports' words, oldest first, without what was set aside as no problem report."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.text FROM (SELECT report_id, counted_at FROM reports_placement"
            " WHERE service_id = %s AND NOT is_set_aside ORDER BY counted_at DESC, report_id DESC LIMIT %s) AS p"
            " JOIN reports_report r ON r.id = p.report_id WHERE r.text <> '' ORDER BY p.counted_at, r.id",
            [service_id, LATEST_TEXTS],
        )
        return [text for (text,) in cursor.fetchall()]
