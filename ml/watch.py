"""One service watched hour by hour: the running detector in memory, for files and for judging.

It holds what the database holds for the running system (profile, levels, the last hours, open alarms) and uses the
same test, regions and phases. What is learned lags an hour behind, so that the start of an outage is not taken for
usual before it is noticed. Not here: any format, and reporters (each report counts as one).
"""

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
from ml.detect import (
    DEFAULT_THRESHOLDS,
    LOOKBACK_MINUTES,
    RECENT_WINDOW_MINUTES,
    WINDOW_MINUTES,
    Phase,
    expected_by_minute,
    onset_minute,
    scan_p,
    step,
    stream_dispersion,
    tail_p,
    window_dispersion,
)
from ml.regions import ancestors, where
from ml.types import BoolArray, Float64Array, IntArray

HISTORY_MINUTES = 180  # how far back an onset is searched
GUARD_HOURS = 1  # the newest closed hour is not learned yet
# After a day of alarm the hours teach in full again: the new level may be here to stay.
MAX_FROZEN_HOURS = 24

_N_RECENT = sum(window <= RECENT_WINDOW_MINUTES for window in WINDOW_MINUTES)


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
    """The test of one hour: arrays over nodes, its 60 minutes and, where three-dimensional, the windows."""

    first_minute: int
    counts: Float64Array
    observed: Float64Array
    expected: Float64Array
    p: Float64Array
    p_recent: Float64Array
    best_window: IntArray


class ServiceWatch:
    """Everything that is remembered of one service between two hours.

    Parameters
    ----------
    service : str
        First part of the paths of its streams.
    first_hour : int
        Hours since 1970 of its first report: nothing is learned from the time before.
    """

    def __init__(self, service: str, *, first_hour: int) -> None:
        self.next_hour = first_hour
        self.alarms: list[Alarm] = []
        self.ended: list[Alarm] = []
        self.nodes = [service]
        self._rows = {service: 0}
        self._lineages: dict[str, list[int]] = {}
        self._profile = empty_profile()
        self._levels = empty_levels(1)
        self._history = np.zeros((1, HISTORY_MINUTES))
        self._unlearned: list[tuple[int, Float64Array, bool]] = []

    def take_hour(self, epoch_hour: int, by_stream: dict[str, list[int]], *, n_minutes: int = 60) -> None:
        """Test and then remember one hour; the hours since the last one had no reports."""
        while self.next_hour < epoch_hour:
            if not self.alarms and not self._history.any():
                self._learn_silence(epoch_hour)
            else:
                self._take(self.next_hour, {}, 60)
        self._take(epoch_hour, by_stream, n_minutes)

    def _take(self, epoch_hour: int, by_stream: dict[str, list[int]], n_minutes: int) -> None:
        lineages = [self._lineage(stream) for stream in by_stream]
        block = np.zeros((len(self.nodes), 60))
        for lineage, counts in zip(lineages, by_stream.values(), strict=True):
            block[lineage] += counts
        was_open = bool(self.alarms)
        if was_open or block.any():
            self._watch(self._test(epoch_hour, block), n_minutes)
        self._history = np.concatenate([self._history, block], axis=1)[:, -HISTORY_MINUTES:]
        is_frozen = was_open or bool(self.alarms)
        self._unlearned.append((epoch_hour, block.sum(axis=1), is_frozen))
        self.next_hour = epoch_hour + 1
        self._learn(keep=GUARD_HOURS)

    def _lineage(self, stream: str) -> list[int]:
        """Rows of the stream and all above it; unknown ones are added, silent until now."""
        known = self._lineages.get(stream)
        if known is not None:
            return known
        for node in [stream, *ancestors(stream, parent_of=_parent)]:
            if node not in self._rows:
                self._rows[node] = len(self.nodes)
                self.nodes.append(node)
        n_new = len(self.nodes) - self._levels.n.size
        silent = empty_levels(n_new, expected=float(self._levels.e[0]))
        self._levels = Levels(
            n=np.concatenate([self._levels.n, silent.n]), e=np.concatenate([self._levels.e, silent.e])
        )
        self._history = np.pad(self._history, ((0, n_new), (0, 0)))
        self._unlearned = [(hour, np.pad(counts, (0, n_new)), frozen) for hour, counts, frozen in self._unlearned]
        lineage = [self._rows[node] for node in [stream, *ancestors(stream, parent_of=_parent)]]
        self._lineages[stream] = lineage
        return lineage

    def _test(self, epoch_hour: int, block: Float64Array) -> _Hour:
        end_minute = epoch_hour * 60 + 59
        counts = np.concatenate([self._history, block], axis=1)
        per_service = expected_by_minute(expected_per_hour(self._profile), end_minute, n_minutes=counts.shape[1])
        share, level_strength = shares(self._levels)
        strength = joint_strength(level_strength, slot_strength(self._profile)[hour_slot(epoch_hour)])
        observed = _rolling_sums(counts)
        expected = share[:, None, None] * _rolling_sums(per_service[None, :])
        # Most minutes of most streams hold less than is usual, or too little to matter: no tail is computed there.
        enough = observed[:, :, -1:] >= DEFAULT_THRESHOLDS.n_reporters_suspect
        asked = enough & (observed > expected)
        spread = window_dispersion(stream_dispersion(self._profile.dispersion, share))[:, None, :]
        p = np.ones(observed.shape)
        p[asked] = tail_p(
            observed[asked],
            expected[asked],
            np.broadcast_to(spread, p.shape)[asked],
            np.broadcast_to(strength[:, None, None], p.shape)[asked],
        )
        return _Hour(
            first_minute=epoch_hour * 60,
            counts=counts,
            observed=observed,
            expected=expected,
            p=scan_p(p),
            p_recent=scan_p(p[:, :, :_N_RECENT]),
            best_window=p.argmin(axis=2),
        )

    def _watch(self, hour: _Hour, n_minutes: int) -> None:
        is_firing: BoolArray = np.any(hour.p < DEFAULT_THRESHOLDS.p_suspect, axis=0)
        for offset in range(n_minutes):
            if is_firing[offset]:
                self._open(hour, offset)
            for alarm in list(self.alarms):
                self._follow(alarm, hour, offset)

    def _open(self, hour: _Hour, offset: int) -> None:
        """Open what fires and belongs to no open alarm; widen the open ones that it belongs to."""
        minute = hour.first_minute + offset
        window = hour.best_window[hour.p[:, offset].argmin(), offset]
        found = where(
            self.nodes,
            hour.observed[:, offset, window],
            hour.expected[:, offset, window],
            hour.p[:, offset],
            p_fire=DEFAULT_THRESHOLDS.p_suspect,
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
                first.regions.update(incident.regions)
                continue
            row = self._rows[incident.root]
            n_reports = float(hour.observed[row, offset, -1])
            phase = step(Phase.QUIET, p_value=incident.p_value, n_reporters=int(n_reports), minutes_quiet=0)
            if phase is Phase.SUSPECTED:
                onset = self._onset(hour, row, offset)
                self.alarms.append(
                    Alarm(incident.root, set(incident.regions), minute, onset, phase_since=minute, loud_at=minute)
                )
                self._freeze_since(onset // 60)

    def _onset(self, hour: _Hour, row: int, offset: int) -> int:
        end = HISTORY_MINUTES + offset + 1
        start = end - HISTORY_MINUTES
        # The minute's own share of the longest window is near enough for a search that looks for a jump.
        usual = np.full(HISTORY_MINUTES, hour.expected[row, offset, -1] / LOOKBACK_MINUTES)
        first = onset_minute(hour.counts[row, start:end], usual)
        return hour.first_minute + offset - (HISTORY_MINUTES - 1) + first

    def _follow(self, alarm: Alarm, hour: _Hour, offset: int) -> None:
        minute, row = hour.first_minute + offset, self._rows[alarm.root]
        p, p_recent = float(hour.p[row, offset]), float(hour.p_recent[row, offset])
        if minute == alarm.suspected:
            alarm.n_reports = float(hour.observed[row, offset, -1])
        else:
            alarm.n_reports += float(hour.counts[row, HISTORY_MINUTES + offset])
        if p_recent <= DEFAULT_THRESHOLDS.p_calm:
            alarm.loud_at = minute
        if p < alarm.p_value:
            window = hour.best_window[row, offset]
            alarm.p_value = p
            alarm.observed = float(hour.observed[row, offset, window])
            alarm.expected = float(hour.expected[row, offset, window])
        phase = step(
            alarm.phase,
            p_value=p,
            p_recent=p_recent,
            n_reporters=int(alarm.n_reports),
            minutes_quiet=minute - alarm.loud_at,
            minutes_in_phase=minute - alarm.phase_since,
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

    def _freeze_since(self, epoch_hour: int) -> None:
        self._unlearned = [
            (hour, counts, is_frozen or hour >= epoch_hour) for hour, counts, is_frozen in self._unlearned
        ]

    def _learn(self, *, keep: int) -> None:
        while len(self._unlearned) > keep:
            epoch_hour, counts, is_frozen = self._unlearned.pop(0)
            oldest = min((alarm.suspected // 60 for alarm in self.alarms), default=epoch_hour)
            is_frozen = is_frozen and epoch_hour - oldest < MAX_FROZEN_HOURS
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


def _rolling_sums(counts: Float64Array) -> Float64Array:
    """Window sums (k, 60, 6) at each of the last 60 minutes of counts (k, n_minutes), n_minutes at least 120."""
    total = np.pad(np.cumsum(counts, axis=1), ((0, 0), (1, 0)))
    ends = np.arange(counts.shape[1] - 60, counts.shape[1]) + 1
    return np.stack([total[:, ends] - total[:, ends - window] for window in WINDOW_MINUTES], axis=2)


def _parent(path: str) -> str | None:
    head, slash, _ = path.rpartition("/")
    return head if slash else None


def _are_related(one: str, other: str) -> bool:
    return one == other or one.startswith(other + "/") or other.startswith(one + "/")
