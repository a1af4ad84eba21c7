"""Where words of reports were copied to, and how they are taken out there: labels, terms, what an event quotes.

Invariant: what stays is what several other reports say too, or what a person wrote. Refinement gives a cluster new
terms as soon as it moves. Only to be called under the services' locks of clusters and outages.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Q

from reports.enums import EventKind
from reports.models import Cluster, Outage, OutageEvent, Placement, Report

OTHERS_LOOKED_AT: Final = 60  # of a cluster's newest reports; its terms were made of thirty
OTHERS_OF_AN_OUTAGE: Final = 300  # of those of all clusters while it went on
OTHERS_AT_LEAST: Final = 2  # that have to say a word too
BEFORE_ONSET: Final = timedelta(hours=2)  # an onset is an estimate; reports shortly before it belong to it
TERMS_JOINED_BY: Final = " · "
LABEL_CHARS: Final = 200
_WORD: Final = re.compile(r"\w+")


def take_words_out(reports: Sequence[Report]) -> None:
    """Take the words of these reports, which are still there, out of clusters and outages.

    Queries: five, and one or two for each cluster and outage that changes.
    """
    with_words = [report for report in reports if report.text]
    cluster_of = dict(
        Placement.objects.filter(report_id__in=[report.id for report in with_words]).values_list(
            "report_id", "micro_cluster__cluster_id"
        )
    )
    by_service: defaultdict[int, list[Report]] = defaultdict(list)
    for report in with_words:
        by_service[report.service_id].append(report)
    for service_id, theirs in by_service.items():
        ids = {cluster_of[report.id] for report in theirs if report.id in cluster_of}
        _out_of_clusters(ids, theirs)
        _out_of_outages(service_id, theirs)


def _out_of_clusters(cluster_ids: set[int], reports: Sequence[Report]) -> None:
    """Take words out of the clusters, of those that were merged into them, and of any that quotes a report."""
    erased = {report.id for report in reports}
    said = [_words_of(report.text) for report in reports]
    said_by_others: dict[int, list[str]] = {}
    concerned = Q(pk__in=cluster_ids) | Q(merged_into__in=cluster_ids) | Q(typical_report_id__in=erased)
    for cluster in Cluster.objects.filter(concerned, service_id=reports[0].service_id):
        heir_id = cluster.pk if cluster.pk in cluster_ids else cluster.merged_into_id or cluster.pk
        if heir_id not in said_by_others:
            said_by_others[heir_id] = _others_of_cluster(heir_id, erased)
        others = said_by_others[heir_id]
        shares = [*cluster.term_shares, *[0.0] * (len(cluster.terms) - len(cluster.term_shares))]
        kept = [
            (term, share)
            for term, share in zip(cluster.terms, shares, strict=False)
            if sum(term.casefold() in text for text in others) >= OTHERS_AT_LEAST
        ]
        is_made_of_terms = cluster.label == TERMS_JOINED_BY.join(cluster.terms)[:LABEL_CHARS]
        is_quoted = any(is_beginning(cluster.label, report.text) for report in reports)
        if is_made_of_terms or is_quoted:
            label = TERMS_JOINED_BY.join(term for term, _ in kept)[:LABEL_CHARS]
        else:  # of terms it had before it was split off, or quoted from somebody else
            label = _without(cluster.label, said, others)
        if label != cluster.label:
            Outage.objects.filter(service_id=cluster.service_id, label=cluster.label).update(label=label)
        Cluster.objects.filter(pk=cluster.pk).update(
            label=label,
            terms=[term for term, _ in kept],
            term_shares=[share for _, share in kept] if cluster.term_shares else [],
            typical_report_id=None if cluster.typical_report_id in erased else cluster.typical_report_id,
        )


def _out_of_outages(service_id: int, reports: Sequence[Report]) -> None:
    """Take what quotes the reports out of the outages they may belong to: a label, and the words of an event."""
    first = min(report.counted_at for report in reports)
    last = max(report.counted_at for report in reports)
    outages = Outage.objects.filter(service_id=service_id, started_at__lte=last + BEFORE_ONSET).filter(
        Q(resolved_at__isnull=True) | Q(resolved_at__gte=first)
    )
    erased = {report.id for report in reports}
    said = [_words_of(report.text) for report in reports]
    ids = []
    for outage in outages.only("pk", "label", "service_id", "started_at", "resolved_at"):
        ids.append(outage.pk)
        is_quoted = any(is_beginning(outage.label, report.text) for report in reports)
        if not (is_quoted or _says_some(said, outage.label)) or _is_of_a_cluster(outage.label, service_id):
            continue
        if is_quoted:
            label = ""
        else:  # of terms its cluster had then, and has no more
            label = _without(outage.label, said, _others_of_outage(outage, erased))
        Outage.objects.filter(pk=outage.pk).update(label=label)
    events = OutageEvent.objects.filter(outage__in=ids, kind=EventKind.HELD_BACK, at__gte=first, body__has_key="words")
    texts = [report.text.casefold() for report in reports]
    for event in events:
        words = [word for word in event.body["words"] if not any(str(word).casefold() in text for text in texts)]
        if words != event.body["words"]:
            event.body = {**event.body, "words": words}
            event.save(update_fields=["body"])


def _is_of_a_cluster(label: str, service_id: int) -> bool:
    """Tell whether a label is what a group has in common: clusters are looked through before outages are."""
    return Cluster.objects.filter(service_id=service_id, label=label).exists()


def is_beginning(label: str, text: str) -> bool:
    """Tell whether a label is the beginning of a text, as `clustering.writing.shortened` makes one.

    >>> is_beginning("I can't log…", "I can't log  in today"), is_beginning("", "I can't"), is_beginning("in", "out")
    (True, False, False)
    """
    return bool(label) and " ".join(text.split()).startswith(label.removesuffix("…"))


def _without(label: str, said: Sequence[str], others: Sequence[str]) -> str:
    """Return a label without those of its terms that are said here, and by hardly anybody else."""
    terms = label.split(TERMS_JOINED_BY)
    return TERMS_JOINED_BY.join(
        term
        for term in terms
        if not _says_some(said, term) or sum(term.casefold() in text for text in others) >= OTHERS_AT_LEAST
    )


def _says_some(said: Sequence[str], label: str) -> bool:
    """Tell whether one of a label's terms is said, with whatever signs between its words."""
    terms = [_words_of(term) for term in label.split(TERMS_JOINED_BY)]
    return any(term in words for term in terms if term for words in said)


def _words_of(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))


def _others_of_outage(outage: Outage, erased: set[UUID]) -> list[str]:
    """Return the newest texts of an outage's service and time but for those, casefolded. Queries: one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.text FROM (SELECT report_id FROM reports_placement WHERE service_id = %s AND counted_at >= %s"
            " AND counted_at <= coalesce(%s, 'infinity') AND report_id <> ALL(%s::uuid[])"
            " ORDER BY counted_at DESC LIMIT %s) AS newest"
            " JOIN reports_report r ON r.id = newest.report_id WHERE r.text <> ''",
            [outage.service_id, outage.started_at, outage.resolved_at, list(erased), OTHERS_OF_AN_OUTAGE],
        )
        return [text.casefold() for (text,) in cursor.fetchall()]


def _others_of_cluster(cluster_id: int, erased: set[UUID]) -> list[str]:
    """Return the newest texts of a cluster but for those, casefolded. Queries: one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.text FROM (SELECT p.report_id FROM reports_microcluster m"
            " JOIN reports_placement p ON p.micro_cluster_id = m.id"
            " WHERE m.cluster_id = %s AND p.report_id <> ALL(%s::uuid[]) ORDER BY p.report_id DESC LIMIT %s) AS newest"
            " JOIN reports_report r ON r.id = newest.report_id WHERE r.text <> ''",
            [cluster_id, list(erased), OTHERS_LOOKED_AT],
        )
        return [text.casefold() for (text,) in cursor.fetchall()]
