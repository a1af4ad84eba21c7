"""Detectors that the benchmarks of detection compare: one number a minute, and alarms where it is high.

Each rule is a function of counts and what is expected, both (streams, minutes), that gives a score of the same shape,
higher where it is more alarming. Next to ours stand the multi-window tail test that Outcry had before, and three rules
others publish: the ratio to the time of day (what crowd-report sites say of themselves), EARS C2 (syndromic
surveillance) and the tail of a Poisson. Thresholds are not theirs: `detection_sim.find_level` sets each to one budget.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ml.budget import rarity
from ml.detect import tail_p
from ml.rise import log_rise, windows_within

SILENT = -50.0  # the score of a minute that is not looked at: without a new report no alarm begins
LONGEST = 240
_ROWS = 200_000

Score = Callable[..., np.ndarray]


def window(counts: np.ndarray, minutes: int) -> np.ndarray:
    """Sums of the newest minutes at every minute, along the last axis."""
    total = np.cumsum(counts, axis=-1, dtype=np.float64)
    sums = total.copy()
    sums[..., minutes:] -= total[..., :-minutes]
    return sums


def rise(
    counts: np.ndarray,
    expected: np.ndarray,
    *,
    dispersion: Callable[[int], np.ndarray | float] = lambda minutes: 1.0,
    strength: np.ndarray | float = np.inf,
    lookback: int = 60,
    rate_per_hour: float | None = None,
) -> np.ndarray:
    """Ours: log return period in minutes by `ml.rise`, calibrated by `ml.budget` where the rate is given."""
    windows = windows_within(lookback)
    score = np.full(counts.shape, SILENT)
    rows, columns = np.nonzero(counts)
    known = np.broadcast_to(np.asarray(strength, dtype=np.float64), counts.shape)
    seen = np.empty((rows.size, len(windows)), dtype=np.float32)
    usual = np.empty_like(seen)
    spread = np.empty_like(seen)
    for i, minutes in enumerate(windows):
        seen[:, i] = window(counts, minutes)[rows, columns]
        usual[:, i] = np.maximum(window(expected, minutes)[rows, columns], 1e-9)
        spread[:, i] = np.broadcast_to(dispersion(minutes), counts.shape)[rows, columns]
    found = np.empty(rows.size)
    for first in range(0, rows.size, _ROWS):
        part = slice(first, first + _ROWS)
        found[part] = log_rise(seen[part], usual[part], spread[part], known[rows[part], columns[part]], windows=windows)
    if rate_per_hour is not None:
        found = -np.log(rarity(found, np.full(found.size, rate_per_hour)))
    score[rows, columns] = found
    return score


def tails(
    counts: np.ndarray,
    expected: np.ndarray,
    *,
    windows: Sequence[int] = (1, 2, 5, 15, 30, 60),
    dispersion: Callable[[int], np.ndarray | float] = lambda minutes: 1.0,
    strength: np.ndarray | float = np.inf,
) -> np.ndarray:
    """The smallest tail probability of several windows, as minus its logarithm."""
    score = np.full(counts.shape, SILENT)
    asked = counts > 0
    known = np.broadcast_to(np.asarray(strength, dtype=np.float64), counts.shape)[asked]
    best = np.ones(int(asked.sum()))
    for minutes in windows:
        seen, usual = window(counts, minutes)[asked], np.maximum(window(expected, minutes)[asked], 1e-9)
        spread = np.broadcast_to(dispersion(minutes), counts.shape)[asked]
        raised = seen > usual
        best[raised] = np.minimum(best[raised], tail_p(seen[raised], usual[raised], spread[raised], known[raised]))
    score[asked] = -np.log(np.maximum(best, 1e-300))
    return score


def poisson(counts: np.ndarray, expected: np.ndarray, *, minutes: int = 15, **_: object) -> np.ndarray:
    """Tail of a Poisson in one window."""
    return tails(counts, expected, windows=(minutes,))


def ratio(counts: np.ndarray, expected: np.ndarray, **_: object) -> np.ndarray:
    """A quarter of an hour's reports over what is usual at this time; at least three of them."""
    seen = window(counts, 15)
    return np.where(seen >= 3, np.log(np.maximum(seen, 1) / np.maximum(window(expected, 15), 1e-9)), SILENT)


def ears_c2(counts: np.ndarray, expected: np.ndarray, **_: object) -> np.ndarray:
    """EARS C2 on quarters of an hour: standard deviations above the mean of seven, with a gap of two.

    Hutwagner et al. (2003), Journal of Urban Health 80. DOI 10.1007/PL00022319. The deviation is at least one half.
    """
    now = window(counts, 15)
    past = np.stack([np.roll(now, 15 * lag, axis=-1) for lag in range(3, 10)])
    score = (now - past.mean(axis=0)) / np.maximum(past.std(axis=0, ddof=1), 0.5)
    score[..., : 15 * 10] = SILENT
    return np.where(counts > 0, score, SILENT)


def cusum(steps: np.ndarray) -> np.ndarray:
    """Page's CUSUM of log likelihood ratios: the sum since its lowest point. DOI 10.1093/biomet/41.1-2.100"""
    total = np.cumsum(steps, axis=-1)
    lowest = np.minimum.accumulate(np.concatenate([np.zeros_like(total[..., :1]), total], axis=-1), axis=-1)
    return total - lowest[..., :-1]
