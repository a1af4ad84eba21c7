"""Quiet and outages to judge detectors by: levels that keep a budget, delays, and services that drift and are learned.

Chance is a generator that is passed in. Nothing here is about one detector.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.special import gammaln

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.detection_rules import cusum
from ml.baseline import empty_profile, expected_per_hour, hour_slot, joint_strength, learn_profile, slot_strength
from ml.budget import MINUTES_PER_MONTH
from ml.recent import RECENT_HOURS, SPREAD, recent_level
from ml.scatter import dispersion_by_window, empty_scatter, learn_scatter, pool_scatter

MONTH = int(MINUTES_PER_MONTH)
BOUT_MINUTES = 60  # alarms less than an hour apart are one
FIRST_HOUR = 96  # a Monday, in hours since 1970


def n_bouts(score: np.ndarray, level: float) -> int:
    """Alarms of streams (rows) at a level, those less than an hour apart counted once."""
    above = np.flatnonzero(score.ravel() > level)
    if above.size == 0:
        return 0
    stream = above // score.shape[-1]
    return 1 + int(((np.diff(above) > BOUT_MINUTES) | (np.diff(stream) > 0)).sum())


def peaks(score: np.ndarray, level: float) -> np.ndarray:
    """The highest score of each bout above a level."""
    found = []
    for row in np.atleast_2d(score):
        above = np.flatnonzero(row > level)
        if above.size:
            first = np.concatenate([[0], np.flatnonzero(np.diff(above) > BOUT_MINUTES) + 1])
            found.append(np.maximum.reduceat(row[above], first))
    return np.concatenate(found) if found else np.zeros(0)


def find_level(scores: Sequence[np.ndarray], n_alarms: float) -> float:
    """The level at which all of these together raise so many alarms."""
    low, high = min(float(s.min()) for s in scores), max(float(s.max()) for s in scores)
    for _ in range(26):
        middle = (low + high) / 2
        # Where a score is above the level most of the time its bouts melt into one: no level of that kind is meant.
        busy = max(float((s > middle).mean()) for s in scores) > 0.05
        if busy or sum(n_bouts(s, middle) for s in scores) > n_alarms:
            low = middle
        else:
            high = middle
    return high


def mean_delay(score: np.ndarray, level: float, onset: int) -> float:
    """Minutes from the onset to the first alarm; the rest of the recording where there is none."""
    hit = score[:, onset:] > level
    return float(np.where(hit.any(axis=1), hit.argmax(axis=1) + 1.0, hit.shape[1]).mean())


def in_company(rng: np.random.Generator, mean: np.ndarray, dispersion: float) -> np.ndarray:
    """Counts with a variance of `dispersion` times their mean (negative binomial, independent minutes)."""
    if dispersion <= 1:
        return rng.poisson(mean)
    return rng.poisson(rng.gamma(mean / (dispersion - 1), 1.0) * (dispersion - 1))


def told_cusum(counts: np.ndarray, rate: np.ndarray, added: float, dispersion: float) -> np.ndarray:
    """The clairvoyant: a CUSUM that is told the true rate of every minute, the outage's, and how reports scatter."""
    if dispersion <= 1:
        return cusum(counts * np.log1p(added / rate) - added)
    before, after = rate / (dispersion - 1), (rate + added) / (dispersion - 1)
    steps = gammaln(counts + after) - gammaln(after) - gammaln(counts + before) + gammaln(before)
    return cusum(steps - (after - before) * np.log(dispersion))


def true_rates(
    rng: np.random.Generator, rate: float, *, weeks: int, n: int, memory_hours: float, sd: float
) -> np.ndarray:
    """Rates a minute: hours of the day (5:1), weekends (0.65), and a log rate that wanders (AR(1))."""
    minutes = np.arange(weeks * 7 * 1440)
    daily = np.exp(0.8 * np.sin((minutes / 60 % 24 - 9) / 24 * 2 * np.pi))
    daily = daily * np.where(minutes // 1440 % 7 >= 5, 0.65, 1.0)
    n_steps = minutes.size // 10 + 2
    kept = np.exp(-10 / 60 / memory_hours)
    shocks = rng.standard_normal((n_steps, n)) * sd * np.sqrt(1 - kept**2)
    wander = np.empty((n_steps, n))
    wander[0] = rng.standard_normal(n) * sd
    for step in range(1, n_steps):
        wander[step] = kept * wander[step - 1] + shocks[step]
    at, part = minutes // 10, (minutes % 10 / 10)[:, None]
    log_rate = (wander[at] * (1 - part) + wander[at + 1] * part).T
    return rate * daily / daily.mean() * np.exp(log_rate - sd**2 / 2)


@dataclass
class World:
    """Services of one rate: weeks to learn from, weeks to watch, and what our baseline makes of them.

    `counts`, `rate`, `profile_only` (what the profile alone expects), `expected` and `strength` are (n, minutes) of the
    watched weeks; `known` and `dispersion` belong to them.
    """

    rate_per_minute: float
    rng: np.random.Generator
    n: int = 24
    weeks: int = 14
    learned_weeks: int = 6
    memory_hours: float = 12.0
    sd: float = 0.25
    scatter: float = 1.5
    counts: np.ndarray = field(init=False)
    rate: np.ndarray = field(init=False)
    expected: np.ndarray = field(init=False)
    strength: np.ndarray = field(init=False)
    profile_only: np.ndarray = field(init=False)
    profile_strength: np.ndarray = field(init=False)
    months: float = field(init=False)

    def __post_init__(self) -> None:
        rate = true_rates(
            self.rng, self.rate_per_minute, weeks=self.weeks, n=self.n, memory_hours=self.memory_hours, sd=self.sd
        )
        counts = in_company(self.rng, rate, self.scatter)
        first = self.learned_weeks * 168
        hourly = counts.reshape(self.n, -1, 60).sum(axis=2)
        usual, slot, level = self._learn(hourly, first)
        factor, recent = np.ones_like(usual), np.ones_like(usual)
        for hour in range(first, hourly.shape[1]):
            past = slice(hour - 1 - RECENT_HOURS, hour - 1)  # the running hour and the one before are left out
            doubt = 1.0 / joint_strength(level[:, hour], slot[:, hour])
            now = recent_level(hourly[:, past], usual[:, past], spread=SPREAD + doubt)
            factor[:, hour], recent[:, hour] = now.factor, now.strength
        watched = slice(first, None)
        minutes = slice(first * 60, None)
        self.counts, self.rate = counts[:, minutes].astype(np.int32), rate[:, minutes]
        self.expected = _each_minute(usual * factor, watched) / 60
        self.strength = _each_minute(recent, watched)
        self.profile_only = _each_minute(usual, watched) / 60
        self.profile_strength = _each_minute(joint_strength(joint_strength(level, slot), 1.0 / SPREAD), watched)
        self.months = self.counts.size / MONTH
        blocks = counts[:, : first * 60].reshape(self.n, -1, 60)
        scatters = [learn_scatter(empty_scatter(), block) for block in blocks]
        fleet = pool_scatter(scatters)
        by_length = np.arange(1, 241)
        self._spread = np.array([dispersion_by_window(one, by_length, fleet=fleet) for one in scatters])

    def _learn(self, hourly: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What the profile expected of every hour before it came, learned day by day; sd and level likewise."""
        usual, slot, level = np.ones(hourly.shape), np.ones(hourly.shape), np.ones(hourly.shape)
        for i, hours in enumerate(hourly):
            profile, done = empty_profile(), 0
            for start in range(first - RECENT_HOURS - 2, hours.size, 24):
                until = max(start - 2, 0)
                profile = learn_profile(profile, hours[done:until], FIRST_HOUR + done)
                done = until
                at = slice(start, start + 24)
                slots = hour_slot(FIRST_HOUR + np.arange(start, min(start + 24, hours.size)))
                usual[i, at] = expected_per_hour(profile)[slots]
                slot[i, at] = slot_strength(profile, spread=0.0)[slots]
                level[i, at] = profile.slot_counts.sum() + 0.5
        return usual, slot, level

    def dispersion(self, rows: np.ndarray | None = None):
        """Learned dispersion by window, for the streams (rows) asked for."""
        spread = self._spread if rows is None else self._spread[rows]
        return lambda minutes: spread[:, minutes - 1 : minutes]


def _each_minute(hourly: np.ndarray, hours: slice) -> np.ndarray:
    return np.repeat(hourly[:, hours], 60, axis=1)


@dataclass
class Outages:
    """Outages that begin at random minutes of a world: everything cut out around them, (trials, minutes)."""

    onset: int
    stream: np.ndarray
    index: np.ndarray
    counts: np.ndarray

    @classmethod
    def draw(cls, world: World, rng: np.random.Generator, *, added: float, ramp_minutes: float, trials: int) -> Outages:
        onset, lasts = 300, 180
        stream = rng.integers(world.n, size=trials)
        begin = rng.integers(onset, world.counts.shape[1] - lasts, size=trials)
        index = begin[:, None] + np.arange(-onset, lasts)
        counts = world.counts[stream[:, None], index]
        rate = added * np.minimum((np.arange(lasts) + 0.5) / ramp_minutes, 1.0)
        counts[:, onset:] += in_company(rng, np.broadcast_to(rate, (trials, lasts)), world.scatter).astype(np.int32)
        return cls(onset, stream, index, counts)

    def cut(self, by_minute: np.ndarray) -> np.ndarray:
        return by_minute[self.stream[:, None], self.index]
