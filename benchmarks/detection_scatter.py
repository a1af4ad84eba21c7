"""Reports that come in company, in all regions together or in each by itself: how often such a service alarms.

Simulated services of four regions and reports without one, watched by the running detector (`ml.watch`) for weeks.
Their counts scatter not at all, all together, in each region by itself, or in one region alone; read with the regions'
own scatter as it is learned (`ml.local_scatter`), and with the root of their part of the service's. And outages of a
region with a seventh of the reports on top, for whoever alarms less might see less. Not here: services without regions
(`detection_learned`), and regions by other clocks (`detection_clocks`).

    python benchmarks/detection_scatter.py [--services 2] [--weeks 9] [--json]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from unittest import mock

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a script from anywhere

import ml.watch
from benchmarks.detection_clocks import (
    FIRST_HOUR,
    LEARNING_WEEKS,
    REGIONS,
    SEED,
    UNNAMED,
    WEEKS_A_MONTH,
    main,
    rates_of,
)
from ml.detect import stream_dispersion
from ml.local_scatter import DEFAULT_EXPONENT, Local
from ml.scatter import Scatter
from ml.watch import ServiceWatch

RATES = (0.1, 0.3, 1.0, 3.0)  # reports a minute, of the whole service
# How reports scatter, and the dispersion of each minute's count.
WORLDS = {"not at all": 1.0, "all together": 1.3, "each region": 1.3, "each region, more": 2.0, "one region": 3.0}
ALONE = "mail/DE/DE-BY"
HIT = "mail/JP/JP-13"
OUTAGE_MINUTES = 60
OUTAGE_ADDS = 1.0
EVERY_HOURS = 37  # between two outages: each at another hour of the day


def counts_of(world: str, rate: float, n_weeks: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Reports of each region in each minute."""
    by_minute = rate * rates_of(0, n_weeks)
    parts = {path: part for path, (part, _) in REGIONS.items()} | {"mail": UNNAMED}
    excess = WORLDS[world] - 1.0
    if world == "not at all":
        return {path: rng.poisson(part * by_minute) for path, part in parts.items()}
    if world == "all together":
        common = rng.gamma(by_minute / excess, excess)
        return {path: rng.poisson(part * common) for path, part in parts.items()}
    return {
        path: rng.poisson(part * by_minute if world == "one region" and path != ALONE
                          else rng.gamma(part * by_minute / excess, excess))
        for path, part in parts.items()
    }  # fmt: skip


def watched(streams: dict[str, np.ndarray]) -> ServiceWatch:
    """The watch of a service after all these minutes."""
    watch = ServiceWatch("mail", first_hour=FIRST_HOUR)
    for hour in range(len(streams["mail"]) // 60):
        minutes = slice(hour * 60, hour * 60 + 60)
        watch.take_hour(FIRST_HOUR + hour, {path: counts[minutes].tolist() for path, counts in streams.items()})
    return watch


def with_outages(streams: dict[str, np.ndarray], rng: np.random.Generator) -> tuple[dict[str, np.ndarray], list[int]]:
    """The same with outages of one region, and the minutes in which these began."""
    hit, began = streams[HIT].copy(), []
    for hour in range(LEARNING_WEEKS * 168, len(hit) // 60 - 3, EVERY_HOURS):
        hit[hour * 60 : hour * 60 + OUTAGE_MINUTES] += rng.poisson(OUTAGE_ADDS, OUTAGE_MINUTES)
        began.append((FIRST_HOUR + hour) * 60)
    return streams | {HIT: hit}, began


@contextmanager
def by_the_root() -> Iterator[None]:
    """Every region has the root of its part of the service's scatter, whatever its own is."""

    def root(_: Scatter, share: np.ndarray, __: object, dispersion: np.ndarray, *, windows: tuple[int, ...]) -> Local:
        assert len(windows) == len(dispersion)
        return Local(DEFAULT_EXPONENT, stream_dispersion(dispersion[None, :], share[:, None]))

    with mock.patch.object(ml.watch, "region_dispersion", root):
        yield


def measure(n_services: int, n_weeks: int) -> list[dict[str, object]]:
    """Alarms a service-month after three weeks and within them, and outages of one region found, with their delay."""
    rows = []
    first = (FIRST_HOUR + LEARNING_WEEKS * 168) * 60
    months, early_months = (n_services * weeks / WEEKS_A_MONTH for weeks in (n_weeks - LEARNING_WEEKS, LEARNING_WEEKS))
    for at, world in enumerate(WORLDS):
        for rate in RATES:
            for is_learned in (False, True):
                rng = np.random.default_rng([SEED, at, round(rate * 100)])
                quiet, early, delays, n_outages = [], 0, [], 0
                for _ in range(n_services):
                    streams = counts_of(world, rate, n_weeks, rng)
                    ill, began = with_outages(streams, rng)
                    with nullcontext() if is_learned else by_the_root():
                        calm, troubled = watched(streams), watched(ill)
                    alarms = [*calm.ended, *calm.alarms]
                    quiet += [alarm for alarm in alarms if alarm.suspected >= first]
                    early += sum(alarm.suspected < first for alarm in alarms)
                    suspected = sorted(alarm.suspected for alarm in [*troubled.ended, *troubled.alarms])
                    n_outages += len(began)
                    for start in began:
                        delays += [at - start + 1 for at in suspected if 0 <= at - start < OUTAGE_MINUTES][:1]
                rows.append(
                    {
                        "scatter": world, "rate": rate, "learned": is_learned,
                        "suspected_a_month": round(len(quiet) / months, 2),
                        "confirmed_a_month": round(sum(a.confirmed is not None for a in quiet) / months, 2),
                        "suspected_a_month_before": round(early / early_months, 2),
                        "n_outages": n_outages, "found": len(delays),
                        "mean_minutes": round(float(np.mean(delays)), 1) if delays else None,
                    }
                )  # fmt: skip
    return rows


if __name__ == "__main__":
    main(measure, __doc__)
