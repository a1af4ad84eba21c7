"""Learning what is usual, from closed hours only: the service's week and its regions' levels.

Invariant: an hour is learnt once, in order; hours in which an outage was open teach little. The last closed hour waits
another one, so that a slow beginning of an outage is not learnt before it is suspected.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
from django.db import transaction
from django.db.models import Min

from ml.baseline import (
    N_SLOTS,
    PRIOR_SHAPE,
    Levels,
    Profile,
    Shares,
    empty_profile,
    expected_per_hour,
    hour_slot,
    joint_strength,
    learn_levels,
    learn_profile,
    shares,
    slot_strength,
)
from ml.detect import stream_dispersion
from ml.local_scatter import DEFAULT_EXPONENT
from ml.mix import Mix, learn_mix
from ml.recent import RECENT_HOURS, SPREAD, recent_level
from ml.rhythm import N_HOURS, Day, Rhythms, day_of, learn_rhythms, shares_at
from ml.types import BoolArray, Float64Array
from ml.young import is_young
from reports.detection.arrays import (
    DAY,
    HOUR,
    epoch_hour,
    floor_hour,
    hourly_counts,
    hourly_failing,
    slots_of,
)
from reports.detection.fleet import fleet_in_use, scatter_of
from reports.detection.scatter import ServiceScatter, learn_scatters, scatter_of_regions
from reports.enums import OutageState
from reports.models import MinuteCount, Outage, Service, ServiceProfile, StreamLevel

GUARD = timedelta(hours=1)
# Where nothing rises an hour is learnt within the next ten minutes, not by all services in the same tick.
LEARNT_WITHIN_TICKS = 40
TICK = timedelta(seconds=15)
FROZEN_AT_MOST = timedelta(hours=24)
MINUTES_A_DAY = 24 * 60
_EVEN = (np.ones(N_HOURS), np.full(N_HOURS, np.inf))  # a region whose part is the same all day, or that is not known
_NEVER = [0.0] * N_HOURS


@dataclass(frozen=True, slots=True)
class Today:
    """How far a service's latest hours lie from its profile (1 = not at all), and how well that is known."""

    factor: float
    strength: float


@dataclass(frozen=True, slots=True)
class Usual:
    """What a service usually gets: its profile, rates by hour of the week, its regions' levels by code, and today.

    The rates are by hour in UTC and true of the days around now. `dispersion` is that of its counts in each of the
    detector's windows, shape (18,). `mix` says what part of it tells of a failure. `young_since` tells of a young
    service since when it can have had reports; None of one that is not. `days` says at what hours of the day (UTC) a
    region's part is larger: factors and their strengths, of shape (24,) each; who is missing has none.
    `dispersions` are those of the service ("") and of the regions by themselves; `exponent` says what part of the
    service's excess a region has that is not among them (`ml.local_scatter`).
    """

    profile: Profile
    rates_per_hour: Float64Array
    levels: dict[str, tuple[float, float]]
    today: Today
    dispersion: Float64Array
    mix: Mix
    young_since: datetime | None = None
    days: dict[str, tuple[Float64Array, Float64Array]] = field(default_factory=dict)
    dispersions: dict[str, Float64Array] = field(default_factory=dict)
    exponent: float = DEFAULT_EXPONENT

    def of_failures(self) -> Usual:
        """Return what is usual of the reports that tell of a failure: the same part in every region and hour."""
        strength = float(joint_strength(self.today.strength, self.mix.strength))
        return replace(
            self, rates_per_hour=self.rates_per_hour * self.mix.share, today=replace(self.today, strength=strength)
        )

    def levels_of(self, regions: list[str]) -> Levels:
        """Return the levels in the order asked for; a region never heard of was silent all the time that was learnt."""
        return _levels_of(self.levels, regions)

    def shares_of(self, regions: list[str], *, end_minute: int) -> Shares:
        """Return what part of the service the regions have at that minute (since 1970), in the order asked for."""
        days = [self.days.get(region, _EVEN) for region in regions]
        day = Day(np.array([factor for factor, _ in days]), np.array([strength for _, strength in days]))
        return shares_at(self.levels_of(regions), day, end_minute % MINUTES_A_DAY / 60)

    def dispersion_of(self, regions: list[str]) -> Float64Array:
        """Return the dispersion of the regions' counts in each window, in the order asked for, of shape (k, 18)."""
        if all(region in self.dispersions for region in regions):
            return np.array([self.dispersions[region] for region in regions])
        by_share = shares(self.levels_of(regions)).share
        unheard = stream_dispersion(self.dispersion[None, :], by_share[:, None], exponent=self.exponent)
        return np.array([self.dispersions.get(region, one) for region, one in zip(regions, unheard, strict=True)])


@dataclass(frozen=True, slots=True)
class _Known:
    """What was learnt until some hour; of the rhythms a region's and its service's reports by hour of the day."""

    profile: Profile
    levels: dict[str, tuple[float, float]]
    rhythms: dict[str, tuple[list[float], list[float]]]
    scatter: ServiceScatter
    mix: Mix


def _levels_of(levels: dict[str, tuple[float, float]], regions: list[str]) -> Levels:
    silent = (0.0, levels.get("", (0.0, 0.0))[1])
    found = [levels.get(region, silent) for region in regions]
    return Levels(n=np.array([n for n, _ in found]), e=np.array([e for _, e in found]))


def _rhythms_of(rhythms: dict[str, tuple[list[float], list[float]]], regions: list[str]) -> Rhythms:
    silent = (_NEVER, rhythms.get("", (_NEVER, _NEVER))[1])
    found = [rhythms.get(region, silent) for region in regions]
    return Rhythms(n=np.array([n for n, _ in found]), e=np.array([e for _, e in found]))


def _days(known: _Known) -> dict[str, tuple[Float64Array, Float64Array]]:
    """Return how the regions' parts go up and down over the day."""
    regions = list(known.levels)
    if not regions:
        return {}
    day = day_of(
        _rhythms_of(known.rhythms, regions),
        shares(_levels_of(known.levels, regions)).share,
        [region == "" for region in regions],
    )
    return dict(zip(regions, zip(day.factor, day.strength, strict=True), strict=True))


_remembered: dict[int, tuple[datetime, Usual]] = {}  # by service: learnt until when, and what


def what_is_usual(*, service_id: int, now: datetime) -> Usual:
    """Return what is usual for a service, after learning the hours that have been closed since.

    Concurrency: only under the service's detection lock. Queries: one where no hour has passed.
    """
    until = floor_hour(now - GUARD)
    learned_until = ServiceProfile.objects.filter(service_id=service_id).values_list("learned_until", flat=True).first()
    known = _remembered.get(service_id)
    if known is not None and known[0] == learned_until and learned_until is not None and learned_until >= until:
        return known[1]
    learned_until, usual = _read_and_learn(service_id, until=until, now=now)
    # What is learnt from an hour is decided once, so the hour tells whether the memory is still true.
    transaction.on_commit(lambda: _remembered.__setitem__(service_id, (learned_until, usual)))
    return usual


def still_usual(service_ids: Collection[int], *, now: datetime) -> dict[int, Usual]:
    """Return what this process remembers and is true enough for a glance; whoever is missing has to be learnt first.

    Needs no lock. Queries: one.
    """
    known = {pk: _remembered[pk] for pk in service_ids if pk in _remembered}
    learned = dict(ServiceProfile.objects.filter(pk__in=known).values_list("pk", "learned_until"))
    return {
        pk: usual
        for pk, (learned_until, usual) in known.items()
        if learned.get(pk) == learned_until
        and learned_until >= floor_hour(now - GUARD - pk % LEARNT_WITHIN_TICKS * TICK)
    }


def forget_usual() -> None:
    """Empty this process's memory: for a process that changes its database."""
    _remembered.clear()


def _read_and_learn(service_id: int, *, until: datetime, now: datetime) -> tuple[datetime, Usual]:
    row = ServiceProfile.objects.select_related("service").filter(service_id=service_id).first()
    service = row.service if row is not None else Service.objects.get(pk=service_id)
    rows = list(StreamLevel.objects.filter(service_id=service_id))
    if row is not None and row.time_zone != service.zone.key:
        row, rows = None, []  # other clocks, other hours of the week: all is learnt anew from the counts
    levels = {level.region: (level.n, level.e) for level in rows}
    rhythms = {level.region: (level.day_n or _NEVER, level.day_e or _NEVER) for level in rows}
    profile = (
        Profile(np.array(row.slot_counts), np.array(row.slot_hours), row.dispersion)
        if row is not None
        else empty_profile()
    )
    mix = Mix(row.mix_failing, row.mix_all) if row is not None else Mix()
    start = row.learned_until if row is not None else _first_hour(service, now)
    n_hours = (until - start) // HOUR
    scatter = ServiceScatter(
        scatter_of(row) if row is not None else None,
        {
            level.region: (level.scatter_squares, level.scatter_expected)
            for level in rows
            if level.scatter_squares is not None and level.scatter_expected is not None
        },
    )
    known = _Known(profile, levels, rhythms, scatter, mix)
    if n_hours > 0:
        known = _learn(service, known, start=start, n_hours=n_hours, now=now)
    profile = known.profile
    rates = _rates_around(service, profile, now=now)
    today = _today(service, profile, until=max(start, until), now=now)
    dispersion = fleet_in_use(now=now).dispersion(known.scatter.whole, float(rates.mean()), hourly=profile.dispersion)
    young_since = _first_moment(service, now) if is_young(float(profile.slot_hours.sum())) else None
    regions = [region for region in known.levels if region]
    local = scatter_of_regions(known.scatter, regions, shares(_levels_of(known.levels, regions)).share, dispersion)
    usual = Usual(
        profile, rates, known.levels, today, dispersion, known.mix, young_since, _days(known),
        {"": dispersion, **dict(zip(regions, local.dispersion, strict=True))}, local.exponent,
    )  # fmt: skip
    return max(start, until), usual


def _rates_around(service: Service, profile: Profile, *, now: datetime) -> Float64Array:
    """Return the reports usual in the two days before now and the five after, by the hour of the week in UTC."""
    start = floor_hour(now) - 2 * DAY
    rates = np.empty(N_SLOTS)
    rates[hour_slot(epoch_hour(start) + np.arange(N_SLOTS))] = expected_per_hour(profile)[
        slots_of(service, start=start, n_hours=N_SLOTS)
    ]
    return rates


def _today(service: Service, profile: Profile, *, until: datetime, now: datetime) -> Today:
    """Follow the last day's closed hours against the profile. Queries: two, once an hour and process."""
    n_hours = min(RECENT_HOURS, int(profile.slot_hours.sum()))  # no further back than it was learnt from
    slot = int(slots_of(service, start=floor_hour(now), n_hours=1)[0])
    doubt = float(
        1.0 / joint_strength(profile.slot_counts.sum() + PRIOR_SHAPE, slot_strength(profile, spread=0.0)[slot])
    )
    if not n_hours:
        return Today(factor=1.0, strength=1.0 / (SPREAD + doubt))
    start = until - n_hours * HOUR
    regions, counts = hourly_counts(service.pk, start=start, n_hours=n_hours)
    frozen = _frozen_hours(service.pk, start=start, n_hours=n_hours, now=now)
    usual = expected_per_hour(profile)[slots_of(service, start=start, n_hours=n_hours)]
    ahead = (floor_hour(now) - until) / HOUR + 0.5
    found = recent_level(counts[[regions.index("")]], usual[None, :], frozen, hours_ahead=ahead, spread=SPREAD + doubt)
    return Today(factor=float(found.factor[0]), strength=float(found.strength[0]))


def _learn(service: Service, known: _Known, *, start: datetime, n_hours: int, now: datetime) -> _Known:
    service_id, levels = service.pk, known.levels
    seen, seen_counts = hourly_counts(service_id, start=start, n_hours=n_hours)
    regions = sorted({"", *levels, *seen})
    counts = np.zeros((len(regions), n_hours))
    counts[[regions.index(region) for region in seen]] = seen_counts
    frozen = _frozen_hours(service_id, start=start, n_hours=n_hours, now=now)
    slots = slots_of(service, start=start, n_hours=n_hours)
    profile = learn_profile(known.profile, counts[0], epoch_hour(start), frozen, slots=slots)
    usual = expected_per_hour(profile)[slots]
    before = _levels_of(levels, regions)
    after = learn_levels(before, counts, usual, frozen, dispersion=profile.dispersion)
    part = shares(after).share
    scatter = learn_scatters(
        service_id, known.scatter, regions[1:], counts[0], part[1:, None] * usual, frozen, start=start
    )
    rhythms = learn_rhythms(
        _rhythms_of(known.rhythms, regions),
        counts,
        usual,
        epoch_hour(start) + np.arange(n_hours),
        share=part,
        dispersion=profile.dispersion,
    )
    rates = _rates_around(service, profile, now=now)
    failing, all_counts = hourly_failing(service_id, start=start, n_hours=n_hours)
    mix = learn_mix(known.mix, failing, all_counts, usual, frozen)
    learnt = _Known(
        profile,
        dict(zip(regions, zip(after.n.tolist(), after.e.tolist(), strict=True), strict=True)),
        dict(zip(regions, zip(rhythms.n.tolist(), rhythms.e.tolist(), strict=True), strict=True)),
        scatter,
        mix,
    )
    _save(service, learnt, rates, until=start + n_hours * HOUR)
    return learnt


def _save(service: Service, known: _Known, rates: Float64Array, *, until: datetime) -> None:
    whole, of_regions = known.scatter.whole, known.scatter.regions
    ServiceProfile.objects.update_or_create(
        service=service,
        defaults={
            "slot_counts": known.profile.slot_counts.tolist(),
            "slot_hours": known.profile.slot_hours.tolist(),
            "rates_per_hour": rates.tolist(),
            "dispersion": known.profile.dispersion,
            "scatter_squares": whole.squares.tolist() if whole is not None else None,
            "scatter_expected": whole.expected.tolist() if whole is not None else None,
            "time_zone": service.zone.key,
            "mix_failing": known.mix.n_failing,
            "mix_all": known.mix.n_all,
            "learned_until": until,
        },
    )
    regions, days = list(known.levels), _days(known)
    parts = shares(_levels_of(known.levels, regions)).share.tolist()
    StreamLevel.objects.bulk_create(
        (
            StreamLevel(
                service=service, region=region, n=n, e=e, share=part, day_n=day_n, day_e=day_e,
                day_shares=(part * days[region][0]).tolist(),
                scatter_squares=squares, scatter_expected=expected,
            )
            for (region, (n, e)), part, (day_n, day_e) in zip(
                known.levels.items(), parts, known.rhythms.values(), strict=True
            )
            for squares, expected in [of_regions.get(region, (None, None))]
        ),
        update_conflicts=True,
        unique_fields=["service", "region"],
        update_fields=["n", "e", "share", "day_n", "day_e", "day_shares", "scatter_squares", "scatter_expected"],
    )  # fmt: skip


def _first_hour(service: Service, now: datetime) -> datetime:
    return floor_hour(_first_moment(service, now))


def _first_moment(service: Service, now: datetime) -> datetime:
    """Return from when on a service can have had reports: when it was made, or its oldest report. Queries: one."""
    oldest = MinuteCount.objects.filter(service=service).aggregate(oldest=Min("minute"))["oldest"] or now
    return min(service.created_at, oldest)


def _frozen_hours(service_id: int, *, start: datetime, n_hours: int, now: datetime) -> BoolArray:
    """Mark the hours with an open outage, up to a day of each: what goes on for longer has become the usual."""
    frozen = np.zeros(n_hours, dtype=np.bool_)
    outages = (
        Outage.objects.filter(service_id=service_id, started_at__lt=start + n_hours * HOUR)
        .exclude(state=OutageState.DISMISSED)
        .exclude(resolved_at__lt=start)
    )
    for started_at, resolved_at in outages.values_list("started_at", "resolved_at"):
        first = max((floor_hour(started_at) - start) // HOUR, 0)
        last = (floor_hour(min(resolved_at or now, started_at + FROZEN_AT_MOST)) - start) // HOUR
        frozen[first : max(last + 1, 0)] = True
    return frozen
