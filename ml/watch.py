"""One service watched hour by hour: the running detector in memory, for files and for judging.

It holds what the database holds for the running system (profile, levels, the last hours, open alarms) and uses the
same test, regions and phases. What is learned lags an hour behind, so that the start of an outage is not taken for
usual before it is noticed. All streams of a service share one budget: the whole has half of it, its regions the rest.
Not here: any format, and reporters (each report counts as one).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np

from ml.baseline import (
    Levels,
    empty_levels,
    empty_profile,
    expected_per_hour,
    hour_slot,
    joint_strength,
    learn_levels,
    learn_profile,
    shares,
    slot_strength,
)
from ml.budget import rarity
from ml.detect import (
    DEFAULT_THRESHOLDS,
    LOOKBACK_MINUTES,
    RECENT_WINDOW_MINUTES,
    WINDOW_MINUTES,
    Phase,
    Thresholds,
    expected_by_minute,
    onset_minute,
    scan_p,
    step,
    tail_p,
)
from ml.local_scatter import empty_local, learn_local, region_dispersion
from ml.recent import RECENT_HOURS, SPREAD, recent_level
from ml.regions import ancestors, place, where
from ml.rhythm import N_HOURS, Day, Rhythms, day_of, empty_rhythms, learn_rhythms, shares_at
from ml.rise import log_rise
from ml.scatter import Scatter, dispersion_by_window, empty_scatter, learn_scatter
from ml.types import Float64Array, IntArray
from ml.young import Usual, is_young, raised_to_life

HISTORY_MINUTES = 180  # how far back an onset is searched
GUARD_HOURS = 1  # the newest closed hour is not learned yet
# After a day of alarm the hours teach in full again: the new level may be here to stay.
MAX_FROZEN_HOURS = 24
SHARE_OF_WHOLE = 0.5  # of the service's budget; the rest is split evenly among its regions
SPREAD_OF_REGION = 0.03  # a region's own deviation from its service's, as relative variance

_RECENT_COLUMNS = [WINDOW_MINUTES.index(window) for window in (1, 2, 5, RECENT_WINDOW_MINUTES)]


@dataclass(slots=True)
class Alarm:
    """One outage of one service, open or over; minutes since 1970. Evidence is that of its clearest minute."""

    root: str
    regions: set[str]
    suspected: int
    onset: int
    phase: Phase = Phase.SUSPECTED
    phase_since: int = 0
    loud_at: int = 0
    confirmed: int | None = None
    ended: int | None = None
    n_reports: float = 0.0
    expected: float = 0.0
    observed: float = 0.0
    p_value: float = 1.0


@dataclass(slots=True)
class _Hour:
    """The test of one hour: arrays over nodes, its 60 minutes and, where three-dimensional, the windows.

    `strength` is three-dimensional: of a young service each window is known as well as what came before it.
    `p` is each node's rarity divided by its share of the budget; `clearest` the column of its clearest window.
    """

    first_minute: int
    counts: Float64Array
    observed: Float64Array
    expected: Float64Array
    dispersion: Float64Array
    strength: Float64Array
    p: Float64Array
    clearest: IntArray


class ServiceWatch:
    """Everything that is remembered of one service between two hours.

    Parameters
    ----------
    service : str
        First part of the paths of its streams.
    first_hour : int
        Hours since 1970 of its first report: nothing is learned from the time before.
    thresholds : Thresholds
        When an alarm opens, is confirmed and ends; `phases.thresholds_for` makes them from a budget.
    watched_since : int, optional
        Minutes since 1970 from which on no report means silence (`young.watched_since`); its first hour by default.
    """

    def __init__(
        self,
        service: str,
        *,
        first_hour: int,
        thresholds: Thresholds = DEFAULT_THRESHOLDS,
        watched_since: int | None = None,
    ) -> None:
        self.next_hour = first_hour
        self._watched_since = first_hour * 60 if watched_since is None else watched_since
        self.alarms: list[Alarm] = []
        self.ended: list[Alarm] = []
        self.nodes = [service]
        self._thresholds = thresholds
        self._rows = {service: 0}
        self._lineages: dict[str, list[int]] = {}
        self._profile = empty_profile()
        self._levels = empty_levels(1)
        self._rhythms = empty_rhythms(1)
        self._scatter = empty_scatter()
        self._local = empty_local(1)
        self._history = np.zeros((1, HISTORY_MINUTES))
        self._unlearned: list[tuple[int, Float64Array, bool]] = []
        self._learned: list[tuple[int, Float64Array, bool]] = []

    def take_hour(self, epoch_hour: int, by_stream: dict[str, list[int]], *, n_minutes: int = 60) -> None:
        """Test and then remember one hour; the hours since the last one had no reports."""
        while self.next_hour < epoch_hour:
            if not self.alarms and not self._history.any():
                self._learn_silence(epoch_hour)
            else:
                self._take(self.next_hour, {}, 60)
        self._take(epoch_hour, by_stream, n_minutes)

    def fork(self, thresholds: Thresholds) -> ServiceWatch:
        """Return a watch that knows all that this one does, and goes on by itself with other thresholds."""
        other = copy.deepcopy(self)
        other._thresholds = thresholds
        return other

    def _take(self, epoch_hour: int, by_stream: dict[str, list[int]], n_minutes: int) -> None:
        lineages = [self._lineage(stream) for stream in by_stream]
        block = np.zeros((len(self.nodes), 60))
        for lineage, counts in zip(lineages, by_stream.values(), strict=True):
            block[lineage] += counts
        was_open = bool(self.alarms)
        if was_open or block.any():
            self._watch(epoch_hour, block, n_minutes)
        self._history = np.concatenate([self._history, block], axis=1)[:, -HISTORY_MINUTES:]
        is_frozen = was_open or bool(self.alarms)
        self._unlearned.append((epoch_hour, block, is_frozen))
        self.next_hour = epoch_hour + 1
        self._learn(keep=GUARD_HOURS)

    def _lineage(self, stream: str) -> list[int]:
        """Rows of the stream and all above it, nearest first; unknown ones are added, silent until now."""
        known = self._lineages.get(stream)
        if known is not None:
            return known
        # From the top down, so that a parent's row comes before its children's.
        for node in reversed([stream, *ancestors(stream, parent_of=_parent)]):
            if node not in self._rows:
                self._rows[node] = len(self.nodes)
                self.nodes.append(node)
        n_new = len(self.nodes) - self._levels.n.size
        silent = empty_levels(n_new, expected=float(self._levels.e[0]))
        self._levels = Levels(
            n=np.concatenate([self._levels.n, silent.n]), e=np.concatenate([self._levels.e, silent.e])
        )
        unheard = empty_rhythms(n_new, expected=self._rhythms.e[0])
        self._rhythms = Rhythms(
            n=np.concatenate([self._rhythms.n, unheard.n]), e=np.concatenate([self._rhythms.e, unheard.e])
        )
        untold = empty_local(n_new)
        self._local = Scatter(
            squares=np.concatenate([self._local.squares, untold.squares]),
            expected=np.concatenate([self._local.expected, untold.expected]),
        )
        self._history = np.pad(self._history, ((0, n_new), (0, 0)))
        self._unlearned = [
            (hour, np.pad(block, ((0, n_new), (0, 0))), frozen) for hour, block, frozen in self._unlearned
        ]
        self._learned = [(hour, np.pad(counts, (0, n_new)), frozen) for hour, counts, frozen in self._learned]
        lineage = [self._rows[node] for node in [stream, *ancestors(stream, parent_of=_parent)]]
        self._lineages[stream] = lineage
        return lineage

    def _test(self, epoch_hour: int, block: Float64Array) -> _Hour:
        end_minute = epoch_hour * 60 + 59
        counts = np.concatenate([self._history, block], axis=1)
        per_service = expected_by_minute(expected_per_hour(self._profile), end_minute, n_minutes=counts.shape[1])
        level, strength = self._levels_now(epoch_hour)
        observed = _rolling_sums(counts)
        expected = level[:, None, None] * _rolling_sums(per_service[None, :])
        dispersion = self._dispersion()
        strength = np.broadcast_to(strength[:, None, None], observed.shape)
        if self._is_young:
            expected, strength = self._raised_by_life(epoch_hour, counts, expected, strength)
        # Where no report came the statistic falls; most minutes of most streams hold less than matters.
        asked = (block > 0) & (observed[:, :, -1] >= self._thresholds.n_reporters_suspect)
        rows, minutes = np.nonzero(asked)
        seen, usual = observed[rows, minutes], expected[rows, minutes]
        p = np.ones(block.shape)
        if rows.size:
            rise = log_rise(seen, usual, dispersion[rows], strength[rows, minutes])
            p[rows, minutes] = np.minimum(rarity(rise, usual[:, -1]) / self._budget_shares()[rows], 1.0)
        tested = np.zeros(observed.shape)
        tested[rows, minutes] = np.where(seen > usual, seen * np.log(np.maximum(seen, 1.0) / usual) - (seen - usual), 0)
        return _Hour(
            first_minute=epoch_hour * 60,
            counts=counts,
            observed=observed,
            expected=expected,
            dispersion=dispersion,
            strength=strength,
            p=p,
            clearest=tested.argmax(axis=2),
        )

    @property
    def _is_young(self) -> bool:
        return is_young(float(self._profile.slot_hours.sum()))

    def _raised_by_life(
        self, epoch_hour: int, counts: Float64Array, expected: Float64Array, strength: Float64Array
    ) -> Usual:
        """Raise what is usual and its strength, (k, 60, 18), to what came before each window.

        What was confirmed is no usual life, neither while it goes on nor after.
        """
        minutes = epoch_hour * 60 - HISTORY_MINUTES + np.arange(HISTORY_MINUTES + 60)
        is_outage = np.zeros(minutes.size, dtype=np.bool_)
        for alarm in [*self.alarms, *self.ended]:
            if alarm.confirmed is not None:
                last = minutes[-1] if alarm.ended is None else alarm.ended
                is_outage |= (minutes >= alarm.onset) & (minutes <= last)
        watched = (minutes >= self._watched_since).astype(np.float64)
        ends = HISTORY_MINUTES + np.arange(60) + 1
        return raised_to_life(expected, strength, counts, watched, ends, is_outage=is_outage)

    def _levels_now(self, epoch_hour: int) -> tuple[Float64Array, Float64Array]:
        """Each node's share of the profile today, and how well it is known, from its long and its recent history."""
        day = self._day()
        share, strength = shares_at(self._levels, day, epoch_hour % N_HOURS + 0.5)
        hours = np.array([hour for hour, _, _ in self._learned], dtype=np.int64)
        if not hours.size:
            return share, joint_strength(strength, slot_strength(self._profile)[hour_slot(epoch_hour)])
        seen = np.array([counts for _, counts, _ in self._learned]).T
        frozen = np.array([is_frozen for _, _, is_frozen in self._learned])
        by_hour = shares(self._levels).share[:, None] * day.factor[:, hours % N_HOURS]
        usual = by_hour * expected_per_hour(self._profile)[hour_slot(hours)]
        ahead = epoch_hour + 0.5 - (hours[-1] + 1)
        slot = slot_strength(self._profile, spread=0.0)[hour_slot(epoch_hour)]
        doubt = 1.0 / joint_strength(strength[:1], slot)
        whole = recent_level(seen[:1], usual[:1], frozen, hours_ahead=ahead, spread=SPREAD + doubt)
        regions = recent_level(
            seen[1:],
            usual[1:] * whole.factor,
            frozen,
            hours_ahead=ahead,
            spread=SPREAD_OF_REGION + 1.0 / strength[1:],
        )
        factor = np.concatenate([whole.factor, whole.factor * regions.factor])
        today = np.concatenate([whole.strength, joint_strength(whole.strength, regions.strength)])
        return share * factor, today

    def _dispersion(self) -> Float64Array:
        """Each node's dispersion in each window, (k, 18): what the service's and its own hours show."""
        whole = dispersion_by_window(self._scatter, WINDOW_MINUTES)
        above = {over for node in self.nodes for over in ancestors(node, parent_of=_parent)}
        _, regions = region_dispersion(
            Scatter(self._local.squares[1:], self._local.expected[1:]),
            shares(self._levels).share[1:],
            [node not in above for node in self.nodes[1:]],
            whole,
            windows=WINDOW_MINUTES,
        )
        return np.concatenate([whole[None, :], regions])

    def _day(self) -> Day:
        """How the nodes' shares go up and down over the day; the first node is the service itself."""
        return day_of(self._rhythms, shares(self._levels).share, np.arange(len(self.nodes)) == 0)

    def _budget_shares(self) -> Float64Array:
        n_regions = len(self.nodes) - 1
        if not n_regions:
            return np.ones(1)
        return np.array([SHARE_OF_WHOLE] + [(1.0 - SHARE_OF_WHOLE) / n_regions] * n_regions)

    def _watch(self, epoch_hour: int, block: Float64Array, n_minutes: int) -> None:
        hour = self._test(epoch_hour, block)
        together = 1.0 / (1.0 / hour.p).sum(axis=0)
        for offset in range(n_minutes):
            n_confirmed = self._n_confirmed()
            if together[offset] < self._thresholds.p_suspect:
                self._open(hour, offset)
            for alarm in list(self.alarms):
                self._follow(alarm, hour, offset)
            if self._is_young and self._n_confirmed() != n_confirmed:
                hour = self._test(epoch_hour, block)
                together = 1.0 / (1.0 / hour.p).sum(axis=0)

    def _n_confirmed(self) -> int:
        return sum(alarm.confirmed is not None for alarm in self.alarms)

    def _open(self, hour: _Hour, offset: int) -> None:
        """Open what fires and belongs to no open alarm; join open ones that turn out to be one."""
        minute = hour.first_minute + offset
        p = hour.p[:, offset]
        first_row = int(p.argmin())
        column = hour.clearest[first_row, offset]
        found = where(
            self.nodes,
            hour.observed[:, offset, column],
            hour.expected[:, offset, column],
            p,
            # All nodes together may fire before any does alone.
            p_fire=max(self._thresholds.p_suspect, float(np.nextafter(p[first_row], 1.0))),
            parent_of=_parent,
        )
        for incident in found:
            related = [alarm for alarm in self.alarms if _are_related(alarm.root, incident.root)]
            if related:
                first = min(related, key=lambda alarm: alarm.suspected)
                if len(incident.root) < len(first.root):
                    first.root = incident.root
                    # What was seen apart turns out to be one.
                    absorbed = [alarm for alarm in related if alarm is not first]
                    self.alarms = [alarm for alarm in self.alarms if alarm not in absorbed]
                    first.regions.update(*(alarm.regions for alarm in absorbed))
                continue
            row = self._rows[incident.root]
            n_reports = float(hour.observed[row, offset, -1])
            phase = step(
                Phase.QUIET,
                p_value=incident.p_value,
                n_reporters=int(n_reports),
                minutes_quiet=0,
                thresholds=Thresholds(p_suspect=1.0, n_reporters_suspect=self._thresholds.n_reporters_suspect),
            )
            if phase is Phase.SUSPECTED:
                onset = self._onset(hour, row, offset)
                self.alarms.append(
                    Alarm(incident.root, set(incident.regions), minute, onset, phase_since=minute, loud_at=minute)
                )
                self._freeze_since(onset // 60)

    def _locate(self, alarm: Alarm, hour: _Hour, offset: int) -> None:
        """Say anew where an alarm is, from its clearest minute so far; what belongs to other alarms is left out."""
        seen, usual = hour.observed[:, offset].copy(), hour.expected[:, offset]
        for other in self.alarms:
            if other is not alarm and not _are_related(alarm.root, other.root):
                theirs = np.maximum(seen[self._rows[other.root]] - usual[self._rows[other.root]], 0.0)
                for node in [other.root, *ancestors(other.root, parent_of=_parent)]:
                    seen[self._rows[node]] -= theirs
                inside = [row for node, row in self._rows.items() if node.startswith(other.root + "/")]
                seen[inside] = np.minimum(seen[inside], usual[inside])
        found = place(
            self.nodes,
            np.maximum(seen, 0.0),
            usual,
            hour.dispersion,
            hour.strength[:, offset].min(axis=1),
            parent_of=_parent,
        )
        if found.is_settled:
            alarm.root, alarm.regions = found.root, set(found.regions)

    def _onset(self, hour: _Hour, row: int, offset: int) -> int:
        end = HISTORY_MINUTES + offset + 1
        start = end - HISTORY_MINUTES
        # The minute's own share of the longest window is near enough for a search that looks for a jump.
        usual = np.full(HISTORY_MINUTES, hour.expected[row, offset, -1] / LOOKBACK_MINUTES)
        first = onset_minute(hour.counts[row, start:end], usual)
        return hour.first_minute + offset - (HISTORY_MINUTES - 1) + first

    def _follow(self, alarm: Alarm, hour: _Hour, offset: int) -> None:
        minute, row = hour.first_minute + offset, self._rows[alarm.root]
        within = [at for node, at in self._rows.items() if (node + "/").startswith(alarm.root + "/")]
        p = float(1.0 / (1.0 / hour.p[within, offset]).sum())
        p_recent = self._p_recent(hour, row, offset)
        if minute == alarm.suspected:
            alarm.n_reports = float(hour.observed[row, offset, -1])
        else:
            alarm.n_reports += float(hour.counts[row, HISTORY_MINUTES + offset])
        if p_recent <= self._thresholds.p_calm:
            alarm.loud_at = minute
        if p < alarm.p_value:
            self._locate(alarm, hour, offset)
            row = self._rows[alarm.root]
            alarm.p_value = p
            column = hour.clearest[row, offset]
            alarm.observed = float(hour.observed[row, offset, column])
            alarm.expected = float(hour.expected[row, offset, column])
        phase = step(
            alarm.phase,
            p_value=p,
            p_recent=p_recent,
            n_reporters=int(alarm.n_reports),
            minutes_quiet=minute - alarm.loud_at,
            minutes_in_phase=minute - alarm.phase_since,
            thresholds=self._thresholds,
        )
        if phase is alarm.phase:
            return
        alarm.phase, alarm.phase_since = phase, minute
        if phase is Phase.CONFIRMED and alarm.confirmed is None:
            alarm.confirmed = minute
        if phase is Phase.RESOLVED:
            alarm.ended = minute
            self.alarms.remove(alarm)
            self.ended.append(alarm)

    def _p_recent(self, hour: _Hour, row: int, offset: int) -> float:
        of = row, offset, _RECENT_COLUMNS
        p = tail_p(hour.observed[of], hour.expected[of], hour.dispersion[row, _RECENT_COLUMNS], hour.strength[of])
        return float(scan_p(p[None, :])[0])

    def _freeze_since(self, epoch_hour: int) -> None:
        self._unlearned = [(hour, block, is_frozen or hour >= epoch_hour) for hour, block, is_frozen in self._unlearned]

    def _learn(self, *, keep: int) -> None:
        while len(self._unlearned) > keep:
            epoch_hour, block, is_frozen = self._unlearned.pop(0)
            oldest = min((alarm.suspected // 60 for alarm in self.alarms), default=epoch_hour)
            is_frozen = is_frozen and epoch_hour - oldest < MAX_FROZEN_HOURS
            counts = block.sum(axis=1)
            if not is_frozen and counts[0] > 1:
                self._scatter = learn_scatter(self._scatter, block[:1])
                usual = expected_per_hour(self._profile)[hour_slot(epoch_hour)] * shares(self._levels).share
                self._local = learn_local(self._local, block[:, None, :], usual[:, None])
            self._learn_hours(epoch_hour, counts[:, None], is_frozen=is_frozen)

    def _learn_silence(self, until_hour: int) -> None:
        self._learn(keep=0)
        self._learn_hours(self.next_hour, np.zeros((len(self.nodes), until_hour - self.next_hour)))
        self.next_hour = until_hour

    def _learn_hours(self, first_hour: int, counts: Float64Array, *, is_frozen: bool = False) -> None:
        hours = first_hour + np.arange(counts.shape[1], dtype=np.int64)
        frozen = np.full(hours.size, is_frozen)
        self._profile = learn_profile(self._profile, counts[0], first_hour, frozen)
        shape = expected_per_hour(self._profile)[hour_slot(hours)]
        self._levels = learn_levels(self._levels, counts, shape, frozen, dispersion=self._profile.dispersion)
        self._rhythms = learn_rhythms(
            self._rhythms,
            counts,
            shape,
            hours,
            share=shares(self._levels).share,
            dispersion=self._profile.dispersion,
        )
        latest = [(int(hour), counts[:, i], is_frozen) for i, hour in enumerate(hours)][-RECENT_HOURS:]
        self._learned = [*self._learned, *latest][-RECENT_HOURS:]


def _rolling_sums(counts: Float64Array) -> Float64Array:
    """Window sums (k, 60, 18) at each of the last 60 minutes of counts (k, n_minutes), n_minutes at least 120."""
    total = np.pad(np.cumsum(counts, axis=1), ((0, 0), (1, 0)))
    ends = np.arange(counts.shape[1] - 60, counts.shape[1]) + 1
    return np.stack([total[:, ends] - total[:, ends - window] for window in WINDOW_MINUTES], axis=2)


def _parent(path: str) -> str | None:
    head, slash, _ = path.rpartition("/")
    return head if slash else None


def _are_related(one: str, other: str) -> bool:
    return one == other or one.startswith(other + "/") or other.startswith(one + "/")
