"""How soon outages are found in counts, and how often there was none.

Two measurements: the first minutes of real incidents (public series of reports a quarter hour, spread evenly at random
over their minutes), and simulated quiet at known rates, which costs only false alarms. Prints JSON with `--json`.

    python benchmarks/detection.py --json --shared ../shared/data
"""

import argparse
import csv
import json
import platform
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ml.detect import WINDOW_MINUTES, scan_p, tail_p, window_dispersion
from ml.phases import DEFAULT_THRESHOLDS
from ml.watch import Alarm, ServiceWatch

SEED = 20260101
QUIET_DAYS = 14  # what each incident's service had before: its own first half, drawn again and again
MINUTES_PER_BIN = 15
MINUTES_PER_MONTH = 30 * 24 * 60


def incidents(folder: Path) -> dict[str, tuple[np.ndarray, int]]:
    """Reports by quarter hour and the quarter hour in which the crowd site flagged, for each incident with a flag."""
    bins: dict[str, list[float]] = defaultdict(list)
    with (folder / "counts" / "downdetector_incidents.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            bins[row["event"]].append(float(row["reports"]))
    with (folder / "counts" / "downdetector_flags.csv").open(newline="") as lines:
        flags = {row["event"]: int(row["flag_bin"]) for row in csv.DictReader(lines)}
    return {event: (np.array(reports), flags[event]) for event, reports in bins.items() if flags.get(event, -1) > 0}


def by_minute(bins: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    minutes = np.zeros(bins.size * MINUTES_PER_BIN)
    for i, n in enumerate(bins.astype(int)):
        np.add.at(minutes, i * MINUTES_PER_BIN + rng.integers(0, MINUTES_PER_BIN, n), 1)
    return minutes


def alarms_in(minutes: np.ndarray) -> list[Alarm]:
    watch = ServiceWatch("service", first_hour=0)
    for hour in range(-(-minutes.size // 60)):
        counts = np.zeros(60)
        part = minutes[hour * 60 : hour * 60 + 60]
        counts[: part.size] = part
        watch.take_hour(hour, {"service": counts.astype(int).tolist()}, n_minutes=part.size)
    return sorted(watch.ended + watch.alarms, key=lambda alarm: alarm.suspected)


def measure_incidents(folder: Path) -> dict[str, object]:
    rng = np.random.default_rng(SEED)
    found = confirmed = early = 0
    before_flag, reports_at_alarm, n_quiet, quiet_minutes = [], [], 0, 0
    n_quiet_confirmed = 0
    known = incidents(folder)
    for bins, flag in known.values():
        # Some series hold a flood before the flag, in some the flood comes later: the incident is where it is.
        flood = int(np.argmax(bins >= bins.max() / 2))
        rise = min(flag, flood)
        usual = bins[: max(rise - 8, 8)]  # two hours before, the rise may have begun
        past = rng.choice(usual, size=QUIET_DAYS * 96)
        past_minutes = QUIET_DAYS * 1440
        minutes = np.concatenate([by_minute(past, rng), by_minute(bins, rng)])
        flag_minute = past_minutes + flag * MINUTES_PER_BIN
        quiet_until = past_minutes + usual.size * MINUTES_PER_BIN
        alarms = alarms_in(minutes)
        rise_minute = past_minutes + rise * MINUTES_PER_BIN
        quiet = [
            alarm
            for alarm in alarms
            if past_minutes <= alarm.suspected < quiet_until and (alarm.ended or minutes.size) < rise_minute
        ]
        n_quiet += len(quiet)
        n_quiet_confirmed += sum(alarm.confirmed is not None and alarm.confirmed < quiet_until for alarm in quiet)
        quiet_minutes += quiet_until - past_minutes
        latest = past_minutes + (max(flag, int(bins.argmax())) + 1) * MINUTES_PER_BIN
        live = [alarm for alarm in alarms if alarm not in quiet and past_minutes <= alarm.suspected <= latest]
        if live:
            found += 1
            confirmed += any(alarm.confirmed is not None for alarm in live)
            first = live[0].suspected
            before_flag.append(flag_minute - first)
            early += flag_minute - first >= 15
            reports_at_alarm.append(float(minutes[first - 60 : first + 1].sum()))
    n = len(known)
    return {
        "n_incidents": n,
        "found_share": found / n,
        "confirmed_share": confirmed / n,
        "share_15_minutes_before_the_site": early / n,
        "median_minutes_before_the_site": float(np.median(before_flag)),
        "median_reports_in_the_hour_at_alarm": float(np.median(reports_at_alarm)),
        "suspected_per_quiet_week": n_quiet / (quiet_minutes / (7 * 1440)),
        "confirmed_per_quiet_week": n_quiet_confirmed / (quiet_minutes / (7 * 1440)),
    }


def measure_known_baseline(months: int) -> list[dict[str, float]]:
    """False alarms a month where the rate is known exactly; reports scatter with hourly dispersion 1 or 1.9."""
    rng = np.random.default_rng(SEED)
    cells = []
    for rate in (0.01, 0.05, 0.3, 1.2, 2.0):
        for dispersion in (1.0, 1.9):
            n_minutes = months * MINUTES_PER_MONTH
            shape = rate * 60 / (dispersion - 1) if dispersion > 1 else np.inf
            wander = rng.gamma(shape, 1 / shape, n_minutes // 60) if dispersion > 1 else np.ones(n_minutes // 60)
            p = _scan(rng.poisson(rate * np.repeat(wander, 60)), rate)
            cells.append(
                {
                    "rate_per_minute": rate,
                    "dispersion": dispersion,
                    "suspected_per_month": _episodes(p, DEFAULT_THRESHOLDS.p_suspect) / months,
                    "confirmed_per_month": _episodes(p, DEFAULT_THRESHOLDS.p_confirm) / months,
                }
            )
    return cells


def _scan(counts: np.ndarray, rate: float) -> np.ndarray:
    total = np.concatenate([[0], np.cumsum(counts)])
    start = WINDOW_MINUTES[-1]
    p = []
    for window, spread in zip(WINDOW_MINUTES, window_dispersion(1.9).tolist(), strict=True):
        seen = total[start:] - total[start - window : total.size - window]
        values, inverse = np.unique(seen, return_inverse=True)
        p.append(tail_p(values, np.full(values.size, rate * window), spread, np.inf)[inverse])
    enough = total[start:] - total[: total.size - start] >= DEFAULT_THRESHOLDS.n_reporters_suspect
    return np.where(enough, scan_p(np.stack(p, axis=1)), 1.0)


def _episodes(p: np.ndarray, threshold: float) -> int:
    """Alarms that end after an hour above the calm p-value."""
    loud = np.flatnonzero(p <= DEFAULT_THRESHOLDS.p_calm)
    if loud.size == 0:
        return 0
    groups = np.split(loud, np.flatnonzero(np.diff(loud) > DEFAULT_THRESHOLDS.resolved_minutes) + 1)
    return sum(bool((p[group] < threshold).any()) for group in groups)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON document instead of lines")
    parser.add_argument("--months", type=int, default=12, help="simulated months a cell")
    shared = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument("--shared", type=Path, default=shared, help="folder of the development data")
    options = parser.parse_args()
    began = time.perf_counter()
    result: dict[str, object] = {"seed": SEED, "machine": f"{platform.machine()}, Python {platform.python_version()}"}
    if options.shared.is_dir():
        result["incidents"] = measure_incidents(options.shared)
    result["known_baseline"] = measure_known_baseline(options.months)
    result["seconds"] = round(time.perf_counter() - began, 1)
    if options.json:
        print(json.dumps(result, indent=1))
    else:
        for name, value in result.items():
            print(name, value)


if __name__ == "__main__":
    main()
