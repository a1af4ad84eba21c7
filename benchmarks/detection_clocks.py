"""Regions that live by different clocks: how often a service alarms whose regions have their mornings in turn.

Simulated services of four regions and reports without one, watched by the running detector (`ml.watch`) for weeks: with
one clock for all regions and with clocks seventeen hours apart, read with and without the regions' own hours of the day
(`ml.rhythm`); and outages of one region on top. Not here: services without regions (`detection_learned`).

    python benchmarks/detection_clocks.py [--services 2] [--weeks 9] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from unittest import mock

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a script from anywhere

import ml.watch
from ml.rhythm import N_HOURS, Day, Rhythms
from ml.watch import ServiceWatch

SEED = 20260101
RATES = (0.1, 0.3, 1.0, 3.0)  # reports a minute, of the whole service
FIRST_HOUR = 484_704  # a Monday
LEARNING_WEEKS = 3  # alarms count from then on
WEEKS_A_MONTH = 30.44 / 7
# Of a service: its part, and its clock's hours from UTC.
REGIONS = {
    "mail/US/US-CA": (0.32, -8),
    "mail/US/US-NY": (0.25, -5),
    "mail/DE/DE-BY": (0.2, 1),
    "mail/JP/JP-13": (0.15, 9),
}
UNNAMED = 0.08
SWING = 0.9  # six times as many at the day's peak as in its trough
WEEKEND = 0.7
OUTAGE_HOURS = 1
OUTAGE_ADDS = 5.0
EVERY_HOURS = 61  # between two outages: each at another hour of the day


def rates_of(hours_from_utc: int, n_weeks: int) -> np.ndarray:
    """Reports in each minute over the mean of all, by a clock."""
    local = np.arange(n_weeks * 7 * 1440) / 60.0 + hours_from_utc
    by_day = np.exp(SWING * np.sin((local % 24 - 9) / 24 * 2 * np.pi)) * np.where(local // 24 % 7 >= 5, WEEKEND, 1.0)
    return np.asarray(by_day / by_day.mean())


def watched(
    rate: float, *, n_weeks: int, clocks: bool, with_outages: bool, rng: np.random.Generator
) -> tuple[ServiceWatch, list[int]]:
    """A service after so many weeks, and the minutes in which outages of its Japanese region began."""
    streams = {
        path: rng.poisson(rate * part * rates_of(hours if clocks else 0, n_weeks))
        for path, (part, hours) in REGIONS.items()
    }
    streams["mail"] = rng.poisson(rate * UNNAMED * rates_of(0, n_weeks))
    began = []
    if with_outages:
        for hour in range(LEARNING_WEEKS * 168, n_weeks * 168 - 3, EVERY_HOURS):
            streams["mail/JP/JP-13"][hour * 60 : (hour + OUTAGE_HOURS) * 60] += rng.poisson(OUTAGE_ADDS, 60)
            began.append((FIRST_HOUR + hour) * 60)
    watch = ServiceWatch("mail", first_hour=FIRST_HOUR)
    for hour in range(n_weeks * 168):
        minutes = slice(hour * 60, hour * 60 + 60)
        watch.take_hour(FIRST_HOUR + hour, {path: counts[minutes].tolist() for path, counts in streams.items()})
    return watch, began


@contextmanager
def without_rhythms() -> Iterator[None]:
    """Every region's part is the same all day."""

    def even(rhythms: Rhythms, share: object, is_whole: object) -> Day:
        return Day(np.ones((len(rhythms.n), N_HOURS)), np.full((len(rhythms.n), N_HOURS), np.inf))

    with mock.patch.object(ml.watch, "day_of", even):
        yield


def measure(n_services: int, n_weeks: int) -> list[dict[str, object]]:
    """Alarms a service-month after three weeks, and outages of one region found, with their delay."""
    rows = []
    first = (FIRST_HOUR + LEARNING_WEEKS * 168) * 60
    months = n_services * (n_weeks - LEARNING_WEEKS) / WEEKS_A_MONTH
    for clocks, has_rhythms in ((False, True), (True, False), (True, True)):
        for rate in RATES:
            rng = np.random.default_rng([SEED, round(rate * 100), clocks])
            quiet, found, delays, n_outages = [], 0, [], 0
            for _ in range(n_services):
                for with_outages in (False, True):
                    with nullcontext() if has_rhythms else without_rhythms():
                        watch, began = watched(rate, n_weeks=n_weeks, clocks=clocks, with_outages=with_outages, rng=rng)
                    alarms = [alarm for alarm in [*watch.ended, *watch.alarms] if alarm.suspected >= first]
                    if not with_outages:
                        quiet += alarms
                        continue
                    n_outages += len(began)
                    for start in began:
                        after = [
                            a.suspected - start + 1 for a in alarms if 0 <= a.suspected - start < OUTAGE_HOURS * 60
                        ]
                        found += bool(after)
                        delays += after[:1]
            rows.append(
                {
                    "clocks": "four" if clocks else "one", "rhythms": has_rhythms, "rate": rate,
                    "suspected_a_month": round(len(quiet) / months, 2),
                    "confirmed_a_month": round(sum(a.confirmed is not None for a in quiet) / months, 2),
                    "n_outages": n_outages, "found_by_an_alarm_of_their_own": found,
                    "median_minutes": float(np.median(delays)) if delays else None,
                }
            )  # fmt: skip
    return rows


def main(measure: Callable[[int, int], list[dict[str, object]]], about: str | None) -> None:
    """Measure as asked for on the command line, and print."""
    parser = argparse.ArgumentParser(description=(about or "").splitlines()[0])
    parser.add_argument("--services", type=int, default=2)
    parser.add_argument("--weeks", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.weeks <= LEARNING_WEEKS:
        parser.error(f"--weeks must be more than the {LEARNING_WEEKS} of learning, not {args.weeks}")
    rows = measure(args.services, args.weeks)
    if args.json:
        print(json.dumps({"seed": SEED, "services": args.services, "weeks": args.weeks, "rows": rows}, indent=1))
        return
    for row in rows:
        print(*(f"{name}={value}" for name, value in row.items()))


if __name__ == "__main__":
    main(measure, __doc__)
