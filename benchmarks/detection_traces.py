"""Real incidents, and whole outages: the running detector (`ml.watch`) on minutes, from the first report to the last.

The incidents are public series of reports a quarter of an hour around the moment at which a crowd-report site said
"problems"; they are spread evenly at random over their minutes. What came before each is drawn from its own quiet
quarters; an outage's last reports are no such thing. The second half of the series is reported apart: nothing was
chosen by looking at it.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ml.phases import Thresholds, thresholds_for
from ml.watch import Alarm, ServiceWatch

QUIET_DAYS = 14
MINUTES_PER_BIN = 15
WEEK = 7 * 1440
BINS_BEFORE = 40  # of the 47 before the site's word: the rise may have begun in the rest
# A series may begin in another outage, and its fading is not what is usual: the first hours after it are left out.
BINS_FADING = 16
BINS_LEAST = 4  # of what is usual; a series that has no more is taken as it is
BINS_AROUND = 12  # an alarm up to three hours before the site's word is about the same incident


def incidents(folder: Path) -> dict[str, tuple[np.ndarray, int]]:
    """Reports by quarter hour, and the quarter hour in which the crowd site flagged."""
    bins: dict[str, list[float]] = defaultdict(list)
    with (folder / "counts" / "downdetector_incidents.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            bins[row["event"]].append(float(row["reports"]))
    with (folder / "counts" / "downdetector_flags.csv").open(newline="") as lines:
        flags = {row["event"]: int(row["flag_bin"]) for row in csv.DictReader(lines)}
    return {event: (np.array(reports), flags[event]) for event, reports in bins.items() if flags.get(event, -1) > 0}


@dataclass(frozen=True)
class _Trace:
    is_found: bool
    is_confirmed: bool
    lead_minutes: float
    reports_at_alarm: float
    is_visible: bool
    n_quiet_alarms: int
    quiet_minutes: int


def measure_incidents(folder: Path, seed: int, *, budget: float = 1.0, limit: int | None = None) -> dict[str, object]:
    """Found, how early, and quiet alarms, at a budget of false alarms a month; of all series and of the second half."""
    rng = np.random.default_rng(seed)
    traces = [
        _follow(bins, flag, rng, thresholds_for(budget))
        for _, (bins, flag) in sorted(incidents(folder).items())[:limit]
    ]
    return {"budget_a_month": budget, "all": _sum_up(traces), "second_half": _sum_up(traces[len(traces) // 2 :])}


def _follow(bins: np.ndarray, flag: int, rng: np.random.Generator, thresholds: Thresholds) -> _Trace:
    is_quiet = _quiet_bins(bins[:BINS_BEFORE])
    usual = bins[:BINS_BEFORE][_far_from_outages(is_quiet)]
    minutes = np.concatenate([by_minute(rng.choice(usual, size=QUIET_DAYS * 96), rng), by_minute(bins, rng)])
    start = QUIET_DAYS * 1440
    word = start + flag * MINUTES_PER_BIN  # it fell within the quarter that begins here
    earliest = word - BINS_AROUND * MINUTES_PER_BIN
    latest = word + (int(bins[flag:].argmax()) + 1) * MINUTES_PER_BIN
    alarms = alarms_in(minutes, thresholds)
    # The week before the series is quiet, and so are its first quarters up to an hour before one that is not.
    n_first = max((int(np.argmin(is_quiet)) if not is_quiet.all() else BINS_BEFORE) - 4, 0)
    quiet_until = start + n_first * MINUTES_PER_BIN
    quiet = [a for a in alarms if start - WEEK <= a.suspected < quiet_until]
    live = [a for a in alarms if a not in quiet and a.suspected <= latest and (a.ended is None or a.ended >= earliest)]
    first = max(live[0].suspected, earliest) if live else latest
    excess = float(bins[flag - BINS_AROUND : flag - 1].max() - usual.mean())
    return _Trace(
        is_found=bool(live),
        is_confirmed=any(a.confirmed is not None for a in live),
        lead_minutes=float(word - first),
        reports_at_alarm=float(minutes[first - 59 : first + 1].sum()),
        is_visible=excess > max(5.0, 4 * np.sqrt(usual.mean())),
        n_quiet_alarms=len(quiet),
        quiet_minutes=quiet_until - (start - WEEK),
    )


def _sum_up(traces: list[_Trace]) -> dict[str, float]:
    n = len(traces)
    found = [one for one in traces if one.is_found]
    return {
        "n_incidents": n,
        "found": round(len(found) / n, 3),
        "confirmed": round(sum(one.is_confirmed for one in traces) / n, 3),
        "15_min_before_the_words_quarter": round(sum(one.lead_minutes >= MINUTES_PER_BIN for one in found) / n, 3),
        "15_min_before_that_quarters_end": round(sum(one.lead_minutes >= 0 for one in found) / n, 3),
        # What is not there can't be seen: series with 5 reports and 4 standard deviations more than usual in a quarter.
        "with_a_rise_15_min_before_the_words_quarter": round(sum(one.is_visible for one in traces) / n, 3),
        "median_minutes_before_the_words_quarter": float(np.median([one.lead_minutes for one in found])),
        "median_reports_in_the_hour_at_alarm": float(np.median([one.reports_at_alarm for one in found])),
        "alarms_per_quiet_week": round(
            sum(one.n_quiet_alarms for one in traces) / (sum(one.quiet_minutes for one in traces) / WEEK), 3
        ),
    }


def _quiet_bins(bins: np.ndarray) -> np.ndarray:
    """Which quarters are usual: not far above the lowest quarter of them. Some series begin in another outage."""
    usual = np.sort(bins)[: bins.size // 4].mean()
    return bins <= usual + 4 * np.sqrt(2 * usual) + 4


def _far_from_outages(is_quiet: np.ndarray) -> np.ndarray:
    """Which quiet quarters neither come before a loud one within the hour nor after one while it fades."""
    far = is_quiet.copy()
    for loud in np.flatnonzero(~is_quiet):
        far[max(loud - 4, 0) : loud + BINS_FADING + 1] = False
    return far if far.sum() >= BINS_LEAST else is_quiet


def by_minute(bins: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    minutes = np.zeros(bins.size * MINUTES_PER_BIN)
    for i, n in enumerate(bins.astype(int)):
        np.add.at(minutes, i * MINUTES_PER_BIN + rng.integers(0, MINUTES_PER_BIN, n), 1)
    return minutes


def alarms_in(minutes: np.ndarray, thresholds: Thresholds) -> list[Alarm]:
    """All alarms of one stream, by the minute they were suspected."""
    watch = ServiceWatch("service", first_hour=0, thresholds=thresholds)
    for hour in range(-(-minutes.size // 60)):
        counts = np.zeros(60)
        part = minutes[hour * 60 : hour * 60 + 60]
        counts[: part.size] = part
        watch.take_hour(hour, {"service": counts.astype(int).tolist()}, n_minutes=part.size)
    return sorted(watch.ended + watch.alarms, key=lambda alarm: alarm.suspected)


def measure_incidents_per_outage(seed: int, *, trials: int) -> dict[str, float]:
    """How many alarms one outage becomes: it swells, sags to a third for a quarter of an hour, returns and fades."""
    rng = np.random.default_rng(seed)
    n_alarms = n_found = n_confirmed = 0
    for _ in range(trials):
        rate, added = float(rng.choice([0.02, 0.1, 0.4])), float(np.exp(rng.uniform(np.log(0.7), np.log(8))))
        lasts = int(rng.integers(30, 240))
        shape = np.minimum((np.arange(lasts) + 0.5) / 10, 1.0)
        sag = int(rng.integers(0, lasts - 15))
        shape[sag : sag + 15] *= 0.33
        shape = np.concatenate([shape, np.exp(-np.arange(180) / 30.0)])
        onset = 10 * 1440
        mean = np.full(onset + 12 * 60, rate)
        mean[onset : onset + shape.size] += added * shape
        alarms = [a for a in alarms_in(rng.poisson(mean).astype(float), Thresholds()) if a.suspected >= onset]
        n_alarms += len(alarms)
        n_found += bool(alarms)
        n_confirmed += any(a.confirmed is not None for a in alarms)
    return {
        "n_outages": trials,
        "found": n_found / trials,
        "confirmed": n_confirmed / trials,
        "incidents_per_found_outage": round(n_alarms / n_found, 3),
    }
