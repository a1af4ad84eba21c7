"""Deciding about outages: open, confirm, widen, let recover, close. Each decision is an event with its evidence.

Invariant: what an outage is follows from its events; a second run at the same moment changes nothing. One run a service
(advisory lock); should two ever meet, a unique constraint lets one row through and the loser reads the winner's.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, F, Max, Q, Sum

from ml.detect import Evidence
from ml.phases import Phase, step
from ml.regions import are_related
from reports.clustering.turns import each_service
from reports.detection.aftertalk import is_aftertalk, is_in
from reports.detection.arrays import LastHour, cluster_pasts, last_hour
from reports.detection.collection import as_collected
from reports.detection.evidence import (
    LEAST_P,
    Finding,
    Streams,
    evidence_of,
    find,
    find_in_both,
    is_within,
    largest_cluster,
    main_cluster,
    n_regions_heard,
    rises,
    surer_of,
    thresholds,
    weigh,
)
from reports.detection.failing import tells_of_failure, without_failure
from reports.detection.fleet import fleet_in_use
from reports.detection.learning import Usual, still_usual, what_is_usual
from reports.detection.life import Life, lives
from reports.detection.locks import lock_outages
from reports.detection.reporters import reporters_by_place
from reports.detection.severity import severity_of, worse
from reports.detection.slow import services_to_look_at, slow_rise
from reports.detection.ticks import CLUSTER_MEMORY, LAST_HOUR, glance
from reports.enums import OPEN_STATES, EventKind, HeldBack, OutageState, Severity
from reports.models import Cluster, MinuteCount, Outage, OutageEvent, Placement

logger = logging.getLogger(__name__)

# Reports that rise elsewhere so soon after an outage was suspected are its spreading, not another outage.
SPREADS_WITHIN: Final = timedelta(minutes=60)
# Within the first quarter of an hour reports may still show that an outage is narrower than its first ones said.
LOCATED_WITHIN: Final = timedelta(minutes=15)
# A second wave so soon after the end is the same outage; the detector closed it, and nobody has said otherwise.
REOPENS_WITHIN: Final = timedelta(minutes=60)
# A person has decided; the hour's reports that led to it must not open the same outage again.
MUTED_AFTER_RESOLVED: Final = timedelta(minutes=60)
MUTED_AFTER_DISMISSED: Final = timedelta(hours=2)
EXACT_REPORTERS_UP_TO: Final = 5_000

_KIND: Final[dict[tuple[Phase, Phase], EventKind]] = {
    (Phase.QUIET, Phase.SUSPECTED): EventKind.SUSPECTED,
    (Phase.SUSPECTED, Phase.CONFIRMED): EventKind.CONFIRMED,
    (Phase.CONFIRMED, Phase.RECOVERING): EventKind.RECOVERING,
    (Phase.RECOVERING, Phase.CONFIRMED): EventKind.RELAPSED,
    (Phase.RECOVERING, Phase.RESOLVED): EventKind.RESOLVED,
    (Phase.SUSPECTED, Phase.RESOLVED): EventKind.FADED,
}
_SILENT: Final = Evidence(p_value=1.0, p_recent=1.0, window_minutes=60, observed=0.0, expected=0.0)


@dataclass(frozen=True, slots=True)
class _Moment:
    """All that one look at a service knows."""

    service_id: int
    now: datetime
    hour: LastHour
    usual: Usual
    streams: Streams
    failing: Streams
    p_allowed: float
    life: Life | None

    @property
    def usual_per_day(self) -> float:
        return float(self.usual.rates_per_hour.mean()) * 24

    @property
    def clearest(self) -> Streams:
        """The streams that say best what it is about: failures, where they are watched by themselves."""
        return self.failing if self.usual.mix.is_watched else self.streams


def detect_pending(*, now: datetime) -> int:
    """Glance at all services, and look at those where something rises or is open; return how many were seen."""
    tick = glance(now=now)
    with_outage = set(Outage.objects.open().values_list("service_id", flat=True).distinct())
    to_look_at = tick.to_look_at | with_outage | _may_gather_slowly(now=now)
    n_looked_at = each_service(
        sorted(to_look_at),
        lambda service_id: detect_service(service_id=service_id, now=now, p_allowed=tick.p_allowed),
    )
    return n_looked_at + len(tick.seen - to_look_at)


def detect_service(*, service_id: int, now: datetime, p_allowed: float = 1.0) -> bool:
    """Compare a service's last hour with what is usual, move its outages on; false where another worker is at it.

    An outage is opened only below `p_allowed`, which is what all services of a tick leave to each of them (`ticks`).
    """
    with transaction.atomic():
        if not lock_outages(service_id):
            return False
        usual = what_is_usual(service_id=service_id, now=now)
        hour = last_hour(service_id, now=now, least_in_cluster=thresholds().n_reporters_suspect)
        cluster_past = cluster_pasts(hour.cluster_ids, before=now - LAST_HOUR, since=now - CLUSTER_MEMORY)
        life = lives({service_id: usual}, now=now).get(service_id)
        moment = _weigh(service_id, hour, usual, cluster_past, life, now=now, p_allowed=p_allowed)
        # What rises may be one source that collects otherwise: then that much of it is taken out, and we look again.
        if _rises(moment) and (collected := as_collected(hour, service_id=service_id, now=now)) is not hour:
            moment = _weigh(service_id, collected, usual, cluster_past, life, now=now, p_allowed=p_allowed)
        outages = _open_outages(service_id)
        muted = _muted_outages(service_id, now=now) if _rises(moment) else []
        standing = _standing(outages, muted, now=now)
        findings = find(moment.hour, usual, moment.streams, standing=standing, life=life)
        if usual.mix.is_watched:
            of_failures = life.of_failures() if life is not None else None
            in_failures = find(
                moment.hour.of_failures(), usual.of_failures(), moment.failing, standing=standing, life=of_failures
            )
            findings = find_in_both(in_failures, findings)
        if not findings and not outages and (slow := slow_rise(service_id, moment.hour, usual, now=now)) is not None:
            findings = [slow]
        for finding in findings:
            if any(_is_muted(finding, outage, moment) for outage in muted):
                continue
            known = _outage_for(finding, outages, now=now)
            if known is not None and len(findings) == 1 and _is_located(known, finding, moment):
                _locate(known, finding, moment)
            elif known is not None:
                _widen(known, finding, moment)
            elif (opened := _reopen(finding, moment) or _open(finding, moment)) is not None:
                outages.append(opened)
        since = _phase_since(outages)
        for outage in outages:
            _look_again(outage, moment, phase_since=since.get(outage.pk, now))
    return True


def _may_gather_slowly(*, now: datetime) -> set[int]:
    """Return the services in which failures may gather over hours; where that can't be told yet, a close look does."""
    service_ids = services_to_look_at(now=now)
    usuals = still_usual(service_ids, now=now)
    return {pk for pk in service_ids if pk not in usuals or usuals[pk].mix.is_watched}


def _weigh(
    service_id: int,
    hour: LastHour,
    usual: Usual,
    cluster_past: dict[int, float],
    life: Life | None,
    *,
    now: datetime,
    p_allowed: float,
) -> _Moment:
    calibration = fleet_in_use(now=now).calibration
    streams, failing = (
        weigh(hour, usual, cluster_past=cluster_past, life=life, calibration=calibration, of_failures=of_failures)
        for of_failures in (False, True)
    )
    return _Moment(service_id, now, hour, usual, streams, failing, p_allowed, life)


def _rises(moment: _Moment) -> bool:
    """Tell whether any stream stands out, so that there is something to be found."""
    return rises(moment.streams) or (moment.usual.mix.is_watched and rises(moment.failing))


def _seen_of(
    moment: _Moment, *, scope: str, regions: Sequence[str], cluster_id: int | None
) -> tuple[Evidence | None, bool]:
    """Return the surest evidence of a place, and whether it counts only what tells of a failure."""
    seen = evidence_of(moment.streams, scope=scope, regions=regions, cluster_id=cluster_id)
    if not moment.usual.mix.is_watched:
        return seen, False
    failing = evidence_of(moment.failing, scope=scope, regions=regions, cluster_id=cluster_id)
    return surer_of(seen, failing)


def _standing(outages: list[Outage], muted: list[Outage], *, now: datetime) -> list[set[str]]:
    """Return the places of outages that a rise far from them is none of: old ones, and what a person has closed."""
    old = [outage for outage in outages if now - outage.suspected_at > SPREADS_WITHIN]
    return [{outage.scope_region, *outage.regions} for outage in (*old, *muted) if outage.scope_region]


def _open_outages(service_id: int) -> list[Outage]:
    """Return the open outages, locked; one whose cluster was merged away goes on with the cluster that took it in."""
    rows = Outage.objects.select_for_update(of=("self",)).select_related("cluster")
    outages = list(rows.filter(service_id=service_id, state__in=OPEN_STATES).order_by("id"))
    stands_for = {(outage.cluster_id, outage.scope_region) for outage in outages}
    for outage in outages:
        heir_id = _living_cluster(outage)
        # Where the heir has an outage of its own there, that one goes on and this one falls silent.
        if heir_id != outage.cluster_id and (heir_id, outage.scope_region) not in stands_for:
            stands_for.add((heir_id, outage.scope_region))
            outage.cluster_id = heir_id
            outage.save(update_fields=["cluster"])
    return outages


def _living_cluster(outage: Outage) -> int | None:
    if outage.cluster is None:
        return None
    return outage.cluster.merged_into_id or outage.cluster.pk


def _muted_outages(service_id: int, *, now: datetime) -> list[Outage]:
    """Return the outages a person closed so recently that the reports behind them are still in the windows."""
    return list(
        Outage.objects.select_related("cluster")
        .filter(service_id=service_id)
        .filter(
            Q(state=OutageState.DISMISSED, resolved_at__gt=now - MUTED_AFTER_DISMISSED)
            | Q(
                state=OutageState.RESOLVED,
                resolved_at__gt=now - MUTED_AFTER_RESOLVED,
                events__kind=EventKind.RESOLVED,
                events__actor__isnull=False,
            )
        )
    )


def _is_muted(finding: Finding, outage: Outage, moment: _Moment) -> bool:
    """Tell whether what a person closed is what is found again.

    Whoever dismisses one cluster has said nothing about a service or region that rises for another reason.
    """
    if not any(are_related(finding.root, region) for region in {outage.scope_region, *outage.regions}):
        return False
    if outage.cluster_id is None:
        return True
    cluster_id = finding.cluster_id or main_cluster(moment.hour, moment.clearest, finding.root)
    return cluster_id == _living_cluster(outage)


def _is_about(finding: Finding, outage: Outage) -> bool:
    """Tell whether a finding is about what an outage is about."""
    if outage.cluster_id is not None and finding.cluster_id is not None and outage.cluster_id != finding.cluster_id:
        return False
    return any(are_related(finding.root, region) for region in {outage.scope_region, *outage.regions})


def _outage_for(finding: Finding, outages: list[Outage], *, now: datetime) -> Outage | None:
    """Return the open outage a finding belongs to: one about the same place, or one that may just be spreading."""
    for outage in outages:
        if _is_about(finding, outage):
            return outage
    for outage in outages:
        if outage.cluster_id is None and finding.cluster_id is None and now - outage.suspected_at <= SPREADS_WITHIN:
            return outage
    return None


def _is_enough(finding: Finding, moment: _Moment) -> bool:
    """Tell whether a finding passes the test for an outage, among all services too, and enough people speak of it."""
    if finding.evidence.p_value > moment.p_allowed:
        return False
    phase = step(
        Phase.QUIET,
        p_value=finding.evidence.p_value,
        n_reporters=int(finding.evidence.observed),
        minutes_quiet=0,
        thresholds=thresholds(),
    )
    return phase is Phase.SUSPECTED


def _reopen(finding: Finding, moment: _Moment) -> Outage | None:
    """Open the outage again that ended within the hour and that a finding is about; None where there is none.

    One that faded or was withdrawn never was an outage, and what a person closed stays closed.
    """
    if not _is_enough(finding, moment):
        return None
    for_good = OutageEvent.objects.filter(Q(kind=EventKind.RESOLVED, actor__isnull=False) | Q(kind=EventKind.WITHDRAWN))
    ended = (
        Outage.objects.select_for_update(of=("self",))
        .select_related("cluster")
        .filter(
            service_id=moment.service_id,
            state=OutageState.RESOLVED,
            resolved_at__gt=moment.now - REOPENS_WITHIN,
            confirmed_at__isnull=False,
        )
        .exclude(pk__in=for_good.values("outage_id"))
        .order_by("-resolved_at", "-id")
    )
    for outage in ended:
        if _living_cluster(outage) == outage.cluster_id and _is_about(finding, outage):
            outage.state = OutageState.CONFIRMED
            outage.resolved_at = outage.quiet_since = None
            outage.save(update_fields=["state", "resolved_at", "quiet_since"])
            _count(outage, moment)
            _write_event(outage, EventKind.RELAPSED, moment, seen=finding.evidence, of_failures=finding.of_failures)
            return outage
    return None


def _open(finding: Finding, moment: _Moment) -> Outage | None:
    """Open an outage for a finding that passes the test; None where too few people speak of it."""
    if not _is_enough(finding, moment):
        return None
    started_at = moment.now.replace(second=0, microsecond=0) - timedelta(minutes=finding.onset_minutes_ago)
    outage, is_new = Outage.objects.get_or_create(
        service_id=moment.service_id,
        cluster_id=finding.cluster_id,  # type: ignore[misc]  # None is looked up as IS NULL
        scope_region=finding.root,
        state__in=OPEN_STATES,
        defaults={
            "state": OutageState.SUSPECTED,
            "regions": _regions(finding),
            "is_located": finding.is_settled,
            "started_at": started_at,
            "suspected_at": moment.now,
            "observed": round(finding.evidence.observed),
            "expected": finding.evidence.expected,
            "window_minutes": finding.evidence.window_minutes,
            "p_value": max(finding.evidence.p_value, LEAST_P),
            "peak_p_value": max(finding.evidence.p_value, LEAST_P),
            "peak_n_regions": n_regions_heard(moment.hour, finding.root, finding.evidence.window_minutes),
            "peak_at": moment.now,
            "counts_failing": finding.of_failures,
            "evaluated_at": moment.now,
        },
    )
    if is_new:
        _count(outage, moment)
        _write_event(outage, EventKind.SUSPECTED, moment, seen=finding.evidence, of_failures=finding.of_failures)
    return outage


def _is_located(outage: Outage, finding: Finding, moment: _Moment) -> bool:
    """Tell whether a finding says where an outage is: one that nobody could place yet, or a young one, narrower.

    Later on an outage keeps its place: where reports still come from while it recovers is not where it was.
    """
    if outage.cluster_id is not None or finding.cluster_id is not None or not finding.is_settled:
        return False
    if outage.is_located:
        is_young = moment.now - outage.suspected_at <= LOCATED_WITHIN
        # Only a surer look than all before narrows a place, or it would flicker between two that are as likely.
        inside = [region for region in moment.hour.regions if is_within(region, outage.scope_region)]
        now_seen, _ = _seen_of(moment, scope=outage.scope_region, regions=inside, cluster_id=None)
        is_surer = now_seen is not None and now_seen.p_value <= outage.peak_p_value
        may_move = is_young and is_surer and _regions(finding) != outage.regions
    else:
        may_move = outage.state != OutageState.RECOVERING
    places = outage.regions or [outage.scope_region]
    return (
        may_move
        and all(any(is_within(region, place) for place in places) for region in finding.regions)
        and not _is_taken(outage, finding.root)
    )


def _regions(finding: Finding) -> list[str]:
    return sorted(region for region in finding.regions if region)


def _locate(outage: Outage, finding: Finding, moment: _Moment) -> None:
    outage.scope_region = finding.root
    outage.regions = _regions(finding)
    outage.is_located = True
    outage.save(update_fields=["scope_region", "regions", "is_located"])
    _write_event(outage, EventKind.LOCATED, moment, seen=finding.evidence, of_failures=finding.of_failures)


def _widen(outage: Outage, finding: Finding, moment: _Moment) -> None:
    """Take up regions that stand out now and did not before. What can't be placed yet widens nothing."""
    if not finding.is_settled or not _is_the_same_matter(finding, outage, moment):
        return
    known = [*outage.regions, *([outage.scope_region] if outage.scope_region and not outage.regions else [])]
    wider = {region for region in finding.regions if region and not any(is_within(region, one) for one in known)}
    grows = (
        finding.cluster_id is None
        and is_within(outage.scope_region, finding.root)
        and finding.root != outage.scope_region
    )
    if not wider and not grows:
        return
    if grows and not _is_taken(outage, finding.root):
        outage.scope_region = finding.root
    kept = {region for region in outage.regions if not any(is_within(region, one) for one in wider)}
    outage.regions = sorted(kept | wider)
    outage.is_located = True
    outage.save(update_fields=["scope_region", "regions", "is_located"])
    _write_event(outage, EventKind.WIDENED, moment, seen=finding.evidence, of_failures=finding.of_failures)


def _is_the_same_matter(finding: Finding, outage: Outage, moment: _Moment) -> bool:
    """Tell whether a finding says where an outage is: as the whole service does, or the cluster it is mostly about.

    Three people in three states who share another topic have not carried an outage of one city over the country.
    """
    if finding.cluster_id is None or finding.cluster_id == outage.cluster_id:
        return True
    return finding.cluster_id == largest_cluster(moment.hour, outage.scope_region)


def _is_taken(outage: Outage, scope_region: str) -> bool:
    """Tell whether another open outage already stands for the place an outage grows to."""
    others = Outage.objects.open().filter(service_id=outage.service_id, cluster__isnull=True, scope_region=scope_region)
    return others.exclude(pk=outage.pk).exists()


def _look_again(outage: Outage, moment: _Moment, *, phase_since: datetime) -> None:
    """Test an open outage against this moment, move it on where it passes, and write down what was seen."""
    # Of an outage that nobody can place yet any region may show that it goes on.
    followed = outage.regions if outage.is_located else moment.hour.regions
    seen, of_failures = _seen_of(moment, scope=outage.scope_region, regions=followed, cluster_id=outage.cluster_id)
    found = seen or _SILENT
    if found.p_recent <= thresholds().p_calm:
        outage.quiet_since = None
    elif outage.quiet_since is None:
        outage.quiet_since = moment.now
    outage.p_value = max(found.p_value, LEAST_P)
    if outage.p_value <= outage.peak_p_value:
        _keep_as_peak(outage, found, moment, of_failures=of_failures)
    outage.evaluated_at = moment.now
    _count(outage, moment)
    if _has_lost_its_witnesses(outage):
        _move(outage, Phase.RESOLVED, moment)
        _write_event(outage, EventKind.WITHDRAWN, moment, seen=found, of_failures=of_failures)
        outage.save()
        return
    minutes_in_phase = _minutes(phase_since, moment.now)
    # Until it stands still: after a long time without a look an outage recovers and is over in one, and a second look
    # at the same moment finds nothing left to do.
    while (
        moved := step(
            phase := Phase(outage.state),
            p_value=found.p_value,
            p_recent=found.p_recent,
            n_reporters=outage.n_reporters,
            n_networks=outage.n_networks,
            minutes_quiet=_minutes(outage.quiet_since, moment.now),
            minutes_in_phase=minutes_in_phase,
            thresholds=thresholds(),
        )
    ) is not phase:
        if (phase, moved) == (Phase.SUSPECTED, Phase.CONFIRMED) and (reason := _held_back(outage, moment)):
            _hold_back(outage, reason, moment, seen=found, of_failures=of_failures)
            break
        _move(outage, moved, moment)
        _write_event(outage, _KIND[phase, moved], moment, seen=found, of_failures=of_failures)
        minutes_in_phase = 0.0
    outage.save()


def _has_lost_its_witnesses(outage: Outage) -> bool:
    """Tell whether reports that went to quarantine since leave too few people to confirm an outage.

    What a person has confirmed stands. Queries: at most one.
    """
    is_confirmed = outage.confirmed_at is not None and not outage.is_confirmed_by_person
    if not is_confirmed or outage.n_reporters >= thresholds().n_reporters_confirm:
        return False
    held = Placement.objects.filter(is_in(outage), service_id=outage.service_id, is_quarantined=True)
    return held.filter(counted_at__gte=outage.started_at).exists()


def _held_back(outage: Outage, moment: _Moment) -> HeldBack | None:
    """Return why an outage whose reports rise clearly enough is not confirmed; None where it is."""
    if not tells_of_failure(outage, moment.hour, moment.usual, moment.failing):
        return HeldBack.NO_FAILURE
    return HeldBack.AFTERTALK if is_aftertalk(outage, now=moment.now) else None


def _hold_back(outage: Outage, reason: HeldBack, moment: _Moment, *, seen: Evidence, of_failures: bool) -> None:
    """Say why an outage is not confirmed: once for each reason in a row, for a look is every few seconds."""
    if outage.held_back_for == reason:
        return
    outage.held_back_for = reason
    extra = {"held_back_for": reason.value, **(without_failure(outage) if reason is HeldBack.NO_FAILURE else {})}
    _write_event(outage, EventKind.HELD_BACK, moment, seen=seen, of_failures=of_failures, extra=extra)


def _keep_as_peak(outage: Outage, found: Evidence, moment: _Moment, *, of_failures: bool) -> None:
    """Keep the surest look whole: its counts explain its p-value, and no later silence may blur them."""
    outage.peak_p_value = max(found.p_value, LEAST_P)
    outage.observed = round(found.observed)
    outage.expected = found.expected
    outage.window_minutes = found.window_minutes
    outage.peak_n_regions = n_regions_heard(moment.hour, outage.scope_region, found.window_minutes)
    outage.peak_at = moment.now
    outage.counts_failing = of_failures


def _move(outage: Outage, phase: Phase, moment: _Moment) -> None:
    outage.state = OutageState(phase.value)
    if phase is Phase.CONFIRMED:
        outage.held_back_for = ""
        outage.confirmed_at = outage.confirmed_at or moment.now
    if phase is Phase.RESOLVED:
        outage.resolved_at = moment.now


def _minutes(since: datetime | None, now: datetime) -> float:
    return (now - since).total_seconds() / 60 if since is not None else 0.0


def _phase_since(outages: list[Outage]) -> dict[int, datetime]:
    """Return when each outage entered the phase it is in. Queries: one where there is any."""
    if not outages:
        return {}
    moves = [kind.value for kind in _KIND.values()]
    found = OutageEvent.objects.filter(outage__in=outages, kind__in=moves).values("outage_id").annotate(at=Max("at"))
    return {row["outage_id"]: row["at"] for row in found}


def _count(outage: Outage, moment: _Moment) -> None:
    """Bring an outage's reports, reporters, severity and label up to date. Queries: two to four."""
    started = outage.started_at
    counts = MinuteCount.objects.filter(is_in(outage), service_id=outage.service_id, minute__gte=started)
    sums = counts.aggregate(
        n_reports=Sum(F("n_reports") - F("n_quarantined")),
        n_counted=Sum("n_counted"),
        n_no_failure=Sum("n_no_failure"),
    )
    outage.n_reports = sums["n_reports"] or 0
    outage.n_reporters = sums["n_counted"] or 0
    outage.n_failing = outage.n_reporters - (sums["n_no_failure"] or 0)
    is_exact = outage.n_reporters <= EXACT_REPORTERS_UP_TO
    outage.reporters_by_place = reporters_by_place(outage, exactly=is_exact)
    if is_exact:
        # The counts hold a reporter once an hour; while it is cheap, count heads instead.
        placements = Placement.objects.filter(
            is_in(outage),
            service_id=outage.service_id,
            counted_at__gte=started,
            # Whom the cap of a network leaves out, or quarantine holds back, is nobody's witness either.
            is_counted=True,
        )
        heads = placements.aggregate(
            known=Count("reporter", distinct=True, filter=~Q(reporter=b"")),
            anonymous=Count("pk", filter=Q(reporter=b"")),
            known_failing=Count("reporter", distinct=True, filter=~Q(reporter=b"") & Q(tells_failure=True)),
            anonymous_failing=Count("pk", filter=Q(reporter=b"", tells_failure=True)),
            placed=Count("pk"),
            from_a_network=Count("pk", filter=~Q(network=b"")),
            networks=Count("network", distinct=True, filter=~Q(network=b"")),
        )
        outage.n_reporters = heads["known"] + heads["anonymous"]
        outage.n_failing = heads["known_failing"] + heads["anonymous_failing"]
        # Reports by API and of recordings tell no network; where most do not, there is none to ask for.
        outage.n_networks = heads["networks"] if 2 * heads["from_a_network"] > heads["placed"] else None
    found = severity_of(
        n_reporters=outage.n_reporters,
        usual_per_day=moment.usual_per_day,
        scope_region=outage.scope_region,
        is_located=outage.is_located,
    )
    outage.severity = worse(Severity(outage.severity), found)
    cluster_id = outage.cluster_id or main_cluster(moment.hour, moment.clearest, outage.scope_region)
    if cluster_id is not None and (label := Cluster.objects.values_list("label", flat=True).get(pk=cluster_id)):
        outage.label = label


def _write_event(
    outage: Outage,
    kind: EventKind,
    moment: _Moment,
    *,
    seen: Evidence,
    of_failures: bool,
    extra: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    OutageEvent.objects.create(
        outage=outage,
        kind=kind,
        at=moment.now,
        body={
            "observed": round(seen.observed),
            "expected": round(seen.expected, 4),
            "window_minutes": seen.window_minutes,
            "n_regions": n_regions_heard(moment.hour, outage.scope_region, seen.window_minutes),
            "p_value": max(seen.p_value, LEAST_P),
            "regions": outage.regions,
            "scope_region": outage.scope_region,
            "where_settled": outage.is_located,
            "cluster_id": outage.cluster_id,
            "n_reports": outage.n_reports,
            "n_reporters": outage.n_reporters,
            "n_networks": outage.n_networks,
            "n_failing": outage.n_failing,
            "counts_failing": of_failures,
            "severity": outage.severity,
            **extra,
        },
    )
