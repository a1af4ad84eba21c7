"""What a look costs: a million streams, one tick, in processor time.

A tick adds the newest minute to rolling sums, compares them with the least counts that can matter
(`rise.least_counts`, made anew once an hour), and tests the few streams that pass exactly. Streams have rates from one
report in five hours to three a minute.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ml.baseline import DEFAULT_DISPERSION
from ml.budget import DEFAULT_OFFSETS, allowed_rarity, rarity
from ml.detect import WINDOW_MINUTES, evidence, window_dispersion
from ml.recent import SPREAD
from ml.rise import least_counts, log_rise, may_rise, sizes

# Rolling sums of so many minutes stand for all windows: each bounds those between it and the next shorter one.
BANDS = (1, 3, 6, 10, 18, 33, 60)


def measure_kernels(seed: int, *, n_streams: int, n_ticks: int) -> dict[str, float]:
    """Milliseconds a tick, and of what is not done every tick."""
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.uniform(np.log(1 / 300), np.log(3.0), n_streams))
    history = np.stack([rng.poisson(rate) for _ in range(61 + n_ticks)]).astype(np.int16)
    longest = WINDOW_MINUTES[-1]
    began = time.process_time()
    least = _bounds(rate)
    bounds_seconds = time.process_time() - began
    sums = np.stack([history[longest - band : longest].sum(axis=0, dtype=np.int16) for band in BANDS])
    seconds, n_tested, n_alarms = [], 0, 0
    for tick in range(longest, longest + n_ticks):
        began = time.process_time()
        for row, band in enumerate(BANDS):
            sums[row] += history[tick]
            sums[row] -= history[tick - band]
        candidates = np.flatnonzero(may_rise(sums, least) & (history[tick] > 0))
        n_alarms += int(_test(history, tick, candidates, rate).sum())
        seconds.append(time.process_time() - began)
        n_tested += candidates.size
    found = np.array([[window] for window in WINDOW_MINUTES]) * np.ones(2000)
    counts = rng.poisson(0.3, (2000, 60))
    began = time.process_time()
    evidence(counts, found.T * 0.3, DEFAULT_DISPERSION, 1 / SPREAD)
    evidence_seconds = time.process_time() - began
    return {
        "n_streams": n_streams,
        "tick_ms_median": round(float(np.median(seconds)) * 1000, 1),
        "tick_ms_worst": round(max(seconds) * 1000, 1),
        "tested_exactly_a_tick": n_tested / n_ticks,
        "alarms_a_tick": n_alarms / n_ticks,
        "bounds_once_an_hour_ms": round(bounds_seconds * 1000, 1),
        "evidence_us_a_stream": round(evidence_seconds / 2000 * 1e6, 1),
    }


def _bounds(rate: np.ndarray) -> np.ndarray:
    """Least count of each band, (bands, streams): expected at its shortest window, size at its longest."""
    level = -np.log(allowed_rarity(1.0)) - max(DEFAULT_OFFSETS) - np.log(WINDOW_MINUTES[-1])
    spread = dict(zip(WINDOW_MINUTES, window_dispersion(DEFAULT_DISPERSION).tolist(), strict=True))
    least = np.empty((len(BANDS), rate.size), dtype=np.int16)
    shortest = 1
    for row, band in enumerate(BANDS):
        for first in range(0, rate.size, 20_000):
            part = slice(first, first + 20_000)
            size = sizes(rate[part] * band, spread[band], 1 / SPREAD)
            needed = least_counts(rate[part] * shortest, size, log_level=float(level))
            least[row, part] = np.minimum(np.ceil(needed), 32_000)
        shortest = band + 1
    return least


def _test(history: np.ndarray, tick: int, rows: np.ndarray, rate: np.ndarray) -> np.ndarray:
    newest_first = history[tick - 59 : tick + 1, rows][::-1]
    windows = np.array(WINDOW_MINUTES)
    seen = np.cumsum(newest_first, axis=0, dtype=np.float64)[windows - 1].T
    usual = rate[rows, None] * windows
    value = log_rise(seen, usual, window_dispersion(DEFAULT_DISPERSION), np.full(rows.size, 1 / SPREAD))
    return rarity(value, usual[:, -1]) < allowed_rarity(1.0)
