"""Where: one nation, 8 regions, 64 cities, and outages of one city up to all of them, simulated.

A fifth of all reports names no region. Ours (`ml.tree`) next to what is simpler: each city tested by itself, and the
one node of the tree that explains the reports best. The mean F1 of the cities named, at the alarm and once the outage
has brought 40 reports.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ml.budget import allowed_rarity, rarity
from ml.detect import WINDOW_MINUTES, tail_p, window_sums
from ml.rise import log_rise
from ml.tree import locate

N_REGIONS, N_CITIES = 8, 64
PARENTS = np.array([-1] + [0] * N_REGIONS + [1 + city // 8 for city in range(N_CITIES)])
FIRST_CITY = 1 + N_REGIONS
NO_REGION = 0.2
BEFORE, LASTS, RAMP = 60, 240, 10.0
KINDS = ("one city", "2 or 3 cities", "a region", "2 or 3 regions", "the nation")


def measure_regions(seed: int, *, trials: int, talk: float = 0.0, total_per_minute: float = 1.0) -> dict[str, object]:
    """Mean F1 at the alarm and after 40 reports; `talk` is the share of the outage's reports from elsewhere."""
    rng = np.random.default_rng(seed)
    scores: dict[str, list[tuple[float, float]]] = {"ours": [], "best node": [], "each city": []}
    by_kind: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
    n_missed = 0
    for trial in range(trials):
        kind = trial % len(KINDS)
        found = _one_outage(rng, kind, talk, total_per_minute)
        if found is None:
            n_missed += 1
            continue
        for name, pair in found.items():
            scores[name].append(pair)
        by_kind[KINDS[kind]].append(found["ours"])
    return {
        "n_outages": trials,
        "n_missed": n_missed,
        **{
            name: dict(zip(("f1_at_alarm", "f1_after_40"), _means(pairs), strict=True))
            for name, pairs in scores.items()
        },
        "ours_by_kind": {kind: _means(pairs) for kind, pairs in by_kind.items()},
    }


def _means(pairs: list[tuple[float, float]]) -> list[float]:
    return np.mean(pairs, axis=0).round(3).tolist()


def _cities(rng: np.random.Generator, kind: int) -> np.ndarray:
    region = int(rng.integers(N_REGIONS))
    if kind == 0:
        return rng.integers(N_CITIES, size=1)
    if kind == 1:
        return region * 8 + rng.choice(8, int(rng.integers(2, 4)), replace=False)
    if kind == 2:
        return region * 8 + np.arange(8)
    if kind == 3:
        regions = rng.choice(N_REGIONS, int(rng.integers(2, 4)), replace=False)
        return (regions[:, None] * 8 + np.arange(8)).ravel()
    return np.arange(N_CITIES)


def _one_outage(
    rng: np.random.Generator, kind: int, talk: float, total: float
) -> dict[str, tuple[float, float]] | None:
    share = rng.permutation(1.0 / np.arange(1, N_CITIES + 1) ** 0.7)
    share /= share.sum()
    hit = _cities(rng, kind)
    added = np.exp(rng.uniform(np.log(1.0), np.log(8.0)))
    extra = talk * added * share
    extra[hit] += (1 - talk) * added * share[hit] / share[hit].sum()
    ramp = np.minimum((np.arange(LASTS) + 0.5) / RAMP, 1.0)
    outage = rng.poisson(extra[:, None] * ramp)
    counts = rng.poisson(total * share[:, None], (N_CITIES, BEFORE + LASTS))
    counts[:, BEFORE:] += outage
    unnamed = rng.binomial(counts, NO_REGION)
    own = np.zeros((FIRST_CITY + N_CITIES, BEFORE + LASTS))
    own[0], own[FIRST_CITY:] = unnamed.sum(axis=0), counts - unnamed
    rate = np.zeros(own.shape[0])
    rate[0], rate[FIRST_CITY:] = NO_REGION * total, (1 - NO_REGION) * total * share
    alarm = _alarm_minute(own, rate)
    if alarm is None:
        return None
    n_reports = outage.sum(axis=0).cumsum()
    later = max(BEFORE + int(np.searchsorted(n_reports, 40)), alarm)
    at_alarm, at_later = (_answers(own, rate, min(minute, own.shape[1] - 1)) for minute in (alarm, later))
    truth = set(hit.tolist())
    return {name: (_f1(at_alarm[name], truth), _f1(at_later[name], truth)) for name in at_alarm}


def _rolled_up(own: np.ndarray) -> np.ndarray:
    total = own.copy()
    for node in range(len(PARENTS) - 1, 0, -1):
        total[PARENTS[node]] += total[node]
    return total


def _alarm_minute(own: np.ndarray, rate: np.ndarray) -> int | None:
    """When the whole tree's budget of one false alarm a month is passed; the nation has half of it."""
    counts, rates = _rolled_up(own), _rolled_up(rate)
    budget = np.full(rates.size, 0.5 / (rates.size - 1))
    budget[0] = 0.5
    usual = rates[:, None] * np.array(WINDOW_MINUTES)
    for minute in range(BEFORE, counts.shape[1]):
        seen = window_sums(counts[:, minute - 59 : minute + 1])
        p = rarity(log_rise(seen, usual, 1.0, np.full(rates.size, 100.0)), usual[:, -1])
        if (p / budget).min() < 1 and 1 / (budget / p).sum() < allowed_rarity(1.0):
            return minute
    return None


def _answers(own: np.ndarray, rate: np.ndarray, minute: int) -> dict[str, set[int]]:
    seen, usual = window_sums(own[:, minute - 59 : minute + 1]), rate[:, None] * np.array(WINDOW_MINUTES)
    usual = np.maximum(usual, 1e-6)
    ours = locate(PARENTS, seen, usual, 1.0, np.full(rate.size, 30.0))
    rolled, expected = _rolled_up(seen), _rolled_up(usual)
    rise = log_rise(rolled, expected, 1.0, np.full(rate.size, 30.0))
    best = int(np.argmax(rise))
    p = tail_p(seen[FIRST_CITY:], usual[FIRST_CITY:], 1.0, 30.0).min(axis=1)
    return {
        "ours": set((np.flatnonzero(ours.chosen) - FIRST_CITY).tolist()),
        "best node": {city for city in range(N_CITIES) if best in (0, PARENTS[FIRST_CITY + city], FIRST_CITY + city)},
        "each city": set(np.flatnonzero(p < 1e-3 / len(WINDOW_MINUTES)).tolist()),
    }


def _f1(found: set[int], truth: set[int]) -> float:
    return 2 * len(found & truth) / (len(found) + len(truth))
