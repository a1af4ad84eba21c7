"""Whether what rises is failures: what a rise has to show beside its size before the detector confirms it.

As many reporters as a confirmation needs tell that something fails now, their reports stand out by themselves against
what is usual of such reports, and more of the outage's reporters tell of one than talk brings. A wave of bills, news or
talk is suspected, for all to see, and says why it is no more. Not here: which report tells of a failure (`clustering`),
what part of them is usual (`ml.mix`), and moving outages on (`services`).
"""

from __future__ import annotations

from typing import Any, Final

from ml.mix import are_failures
from reports.clustering import failing_now
from reports.detection.aftertalk import is_in
from reports.detection.arrays import LastHour
from reports.detection.evidence import Streams, budget_of, evidence_of, thresholds
from reports.detection.learning import Usual
from reports.models import Outage, Placement, Report

# What is told of reports that tell of no failure: the words that speak most clearly against one.
NAMED_WORDS: Final = 3
READ_REPORTS: Final = 200


def tells_of_failure(outage: Outage, hour: LastHour, usual: Usual, failing: Streams) -> bool:
    """Tell whether an outage's reports say clearly enough that something fails. Queries: none."""
    n_failing = outage.n_reporters if outage.n_failing is None else outage.n_failing
    if n_failing < thresholds().n_reporters_confirm:
        return False
    if not are_failures(usual.mix, n_failing=n_failing, n_all=outage.n_reporters):
        return False
    followed = outage.regions if outage.is_located else hour.regions
    found = evidence_of(failing, scope=outage.scope_region, regions=followed, cluster_id=outage.cluster_id)
    # What only bears out what all reports say has no budget of its own to keep.
    return found is not None and found.p_value * budget_of(usual, of_failures=True) < thresholds().p_confirm


def without_failure(outage: Outage) -> dict[str, Any]:
    """Return what an event says of an outage that is held back: how many tell of no failure, and by which words.

    Queries: two.
    """
    silent = Placement.objects.filter(
        is_in(outage),
        service_id=outage.service_id,
        counted_at__gte=outage.started_at,
        is_counted=True,
        tells_failure=False,
    ).order_by("-counted_at")
    texts = Report.objects.filter(id__in=list(silent.values_list("report_id", flat=True)[:READ_REPORTS]))
    return {"words": failing_now.words_against(list(texts.values_list("text", flat=True)), NAMED_WORDS)}
