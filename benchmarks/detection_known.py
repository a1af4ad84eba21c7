"""Known baselines: how near to the clairvoyant, how sure, how few reports, how soon.

The rate is known and reports are Poisson, so nothing but the test is judged: against a CUSUM that is told the rate and
the outage's, and next to the rules of others, all at one false alarm a stream and month with one level for all rates.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.detection_rules import Score, ears_c2, poisson, ratio, rise, tails
from benchmarks.detection_sim import MONTH, find_level, mean_delay, n_bouts, told_cusum
from ml.baseline import DEFAULT_DISPERSION
from ml.budget import rarity
from ml.detect import WINDOW_MINUTES, evidence, window_dispersion
from ml.phases import DEFAULT_THRESHOLDS
from ml.recent import SPREAD
from ml.rise import log_rise
from ml.scatter import dispersion_by_window, empty_scatter, learn_scatter

RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
ADDED = (0.03, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
FAST_MINUTES, WEAKEST_MINUTES = 12.0, 150.0
ONSET, LASTS = 250, 500
TICK_SECONDS = 15
HISTORY_MINUTES = 42 * 1440  # six weeks


def _ours(counts: np.ndarray, expected: np.ndarray) -> np.ndarray:
    return rise(counts, expected, rate_per_hour=float(expected[0, 0]) * 60)


RULES: dict[str, Score] = {
    "ours": _ours,
    "ours, uncalibrated": rise,
    "ours, 4 hours back": lambda counts, expected: rise(counts, expected, lookback=240),
    "multi-window tail": tails,
    "Poisson tail 15 min": poisson,
    "Poisson tail 1 min": lambda counts, expected: poisson(counts, expected, minutes=1),
    "EARS C2": ears_c2,
    "time-of-day ratio": ratio,
}


def measure_grid(seed: int, *, months: int, trials: int) -> dict[str, object]:
    """Delays over the clairvoyant's, for each rule; and false alarms by rate at the common level."""
    rng = np.random.default_rng(seed)
    quiet = {rate: rng.poisson(rate, (months, MONTH)).astype(np.int32) for rate in RATES}
    cells = _cells(quiet, rng, months=months, trials=trials)
    result: dict[str, object] = {"n_fast": sum(cell[2] <= FAST_MINUTES for cell in cells), "n_cells": len(cells)}
    for name, rule in RULES.items():
        scores = {rate: rule(counts, np.full(counts.shape, rate)) for rate, counts in quiet.items()}
        level = find_level(list(scores.values()), months * len(RATES))
        factors = [
            (mean_delay(rule(counts, np.full(counts.shape, rate)), level, ONSET) / oracle, oracle)
            for rate, counts, oracle in cells
        ]
        fast = [factor for factor, oracle in factors if oracle <= FAST_MINUTES]
        weak = [factor for factor, oracle in factors if oracle > FAST_MINUTES]
        result[name] = {
            "fast_mean": round(float(np.mean(fast)), 3),
            "fast_worst": round(max(fast), 3),
            "weak_geometric_mean": round(float(np.exp(np.mean(np.log(weak)))), 3),
            "false_alarms_by_rate": {rate: round(n_bouts(one, level) / months, 2) for rate, one in scores.items()},
        }
        del scores
    return result


def _cells(
    quiet: dict[float, np.ndarray], rng: np.random.Generator, *, months: int, trials: int
) -> list[tuple[float, np.ndarray, float]]:
    """Rate, counts around outages, and the clairvoyant's mean delay, where it has one of less than 150 minutes."""
    cells = []
    for rate, past in quiet.items():
        for added in ADDED:
            if added < 0.2 * rate:
                continue
            level = find_level([told_cusum(past, np.float64(rate), added, 1.0)], months)
            mean = np.full(ONSET + LASTS, rate)
            mean[ONSET:] += added
            counts = rng.poisson(mean, (trials, mean.size)).astype(np.int32)
            oracle = mean_delay(told_cusum(counts, np.float64(rate), added, 1.0), level, ONSET)
            if oracle <= WEAKEST_MINUTES:
                cells.append((rate, counts, oracle))
    return cells


def measure_quiet_streams(seed: int, *, trials: int) -> dict[str, object]:
    """Reports from the onset until suspected and confirmed, for streams with at most a report a quarter of an hour."""
    rng = np.random.default_rng(seed)
    cells = []
    medians: dict[float, list[float]] = {}
    for rate in (1 / 240, 1 / 60, 1 / 30, 1 / 15):
        usual = np.array(WINDOW_MINUTES) * rate
        strength = 1.0 / (SPREAD + 1.0 / (rate * HISTORY_MINUTES))
        history = learn_scatter(empty_scatter(), rng.poisson(rate, (HISTORY_MINUTES // 60, 60)))
        spread = dispersion_by_window(history, WINDOW_MINUTES)[None, :]
        for added in (0.25, 1.0, 4.0):
            suspected, confirmed = [], []
            for _ in range(trials):
                counts = rng.poisson(rate + added * (np.arange(60 + 180) >= 60))
                seen = np.lib.stride_tricks.sliding_window_view(counts, 60)[1:]
                p = np.array([one.p_value for one in evidence(seen, usual, spread, strength)])
                total = np.cumsum(counts[60:])
                suspected.append(_reports_until(p < DEFAULT_THRESHOLDS.p_suspect, total, 3))
                confirmed.append(_reports_until(p < DEFAULT_THRESHOLDS.p_confirm, total, 5))
            medians.setdefault(added, []).extend(confirmed)
            cells.append(
                {
                    "rate_per_hour": round(rate * 60, 2),
                    "added_per_minute": added,
                    "reports_to_suspected": float(np.median(suspected)),
                    "reports_to_confirmed": float(np.median(confirmed)),
                }
            )
    return {
        "median_reports_to_confirmed": float(np.median(np.concatenate(list(medians.values())))),
        "median_reports_to_confirmed_by_added": {added: float(np.median(found)) for added, found in medians.items()},
        "cells": cells,
    }


def _reports_until(is_firing: np.ndarray, total: np.ndarray, least: int) -> float:
    hit = np.flatnonzero(is_firing & (total >= least))
    return float(total[hit[0]]) if hit.size else float("inf")


def measure_ticks(seed: int, *, trials: int) -> list[dict[str, float]]:
    """Seconds from the onset to the tick that suspects: +5 a minute, a look every 15 s at the running minute."""
    rng = np.random.default_rng(seed)
    cells = []
    for rate in (0.02, 0.1, 0.3):
        for ramp in (0.0, 5.0):
            delays = np.array([_tick_delay(rng, rate, 5.0, ramp) for _ in range(trials)]) / 60
            p50, p95 = np.quantile(delays, [0.5, 0.95])
            cells.append(
                {
                    "rate_per_minute": rate,
                    "ramp_minutes": ramp,
                    "minutes_p50": round(float(p50), 2),
                    "minutes_p95": round(float(p95), 2),
                }
            )
    return cells


def _tick_delay(rng: np.random.Generator, rate: float, added: float, ramp: float) -> float:
    """Reports at any second over an hour of quiet and half an hour of outage; the outage begins at any second too."""
    onset = 3600 + rng.uniform(0, 60)
    end = onset + 1800
    quiet = rng.uniform(0, end, rng.poisson(rate * end / 60))
    candidates = rng.uniform(onset, end, rng.poisson(added * (end - onset) / 60))
    kept = rng.random(candidates.size) < (np.minimum((candidates - onset) / (ramp * 60), 1.0) if ramp else 1.0)
    times = np.concatenate([quiet, candidates[kept]])
    ticks = np.arange(onset - onset % TICK_SECONDS + TICK_SECONDS, end, TICK_SECONDS)
    lengths = np.array(WINDOW_MINUTES)
    running = np.ceil(ticks / 60).astype(int)  # the minute that ends at or after the tick
    elapsed = ticks - (running - 1) * 60
    since = (running[:, None] - lengths) * 60
    seen = ((times > since[:, :, None]) & (times <= ticks[:, None, None])).sum(axis=2)
    usual = rate * (lengths - 1 + elapsed[:, None] / 60)
    spread = window_dispersion(DEFAULT_DISPERSION)
    p = rarity(log_rise(seen, usual, spread, np.full(ticks.size, 1 / SPREAD)), usual[:, -1])
    hit = np.flatnonzero((p < DEFAULT_THRESHOLDS.p_suspect) & (seen[:, -1] >= 3))
    return float(ticks[hit[0]] - onset) if hit.size else 1800.0
