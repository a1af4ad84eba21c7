"""A service's first day: how often a new service alarms that has no outage, and how soon an outage of it is found.

Simulated services are watched by the running detector (`ml.watch`) from their first minute on: steady ones and ones
whose first day begins at night, Poisson and in company; and outages that begin while the service is minutes or hours
old. Not here: services with a history (`detection_learned`), and the stage on a database (`live_outages --young`).

    python benchmarks/detection_firstday.py [--services 20] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a script from anywhere

from benchmarks.detection_traces import alarms_in
from ml.phases import Thresholds

SEED = 20260101
RATES = (0.1, 0.5, 2.0, 10.0)  # reports a minute
DISPERSIONS = (1.0, 1.5)
DAY = 1440
# Of a day's mean by the hour of the day: a deep night, a steep morning, an evening peak; the mean is 1.
RHYTHM = np.array(
    [0.45, 0.28, 0.19, 0.15, 0.15, 0.2, 0.38, 0.7, 1.05, 1.3, 1.42, 1.45,
     1.42, 1.4, 1.38, 1.38, 1.4, 1.45, 1.55, 1.62, 1.6, 1.4, 1.05, 0.73]
)  # fmt: skip
NIGHT_HOUR = 4
OUTAGE_ADDS = 5.0
OUTAGE_BEGINS = (20, 60, 180)
OUTAGE_LASTS = 90
STEADY_BEFORE = (0.0, 0.1, 1.0)


def rates_by_minute(rate: float, *, n_minutes: int, is_rhythmic: bool) -> np.ndarray:
    """Reports a minute that are usual, from the first minute on; a rhythmic day begins at four at night."""
    if not is_rhythmic:
        return np.full(n_minutes, rate)
    hours = (NIGHT_HOUR + np.arange(n_minutes) / 60.0) % 24
    return rate * np.interp(hours, np.arange(25), np.append(RHYTHM, RHYTHM[0]))


def drawn(mean: np.ndarray, dispersion: float, rng: np.random.Generator) -> np.ndarray:
    """Counts with that mean; in company, reports come in clumps whose sizes make the dispersion."""
    if dispersion == 1.0:
        return rng.poisson(mean).astype(float)
    # Clumps of geometric size 1 / (1 - p) have a variance over mean of (1 + p) / (1 - p).
    p = (dispersion - 1.0) / (dispersion + 1.0)
    clumps = rng.poisson(mean * (1.0 - p))
    extra = np.where(clumps > 0, rng.negative_binomial(np.maximum(clumps, 1), 1.0 - p), 0)
    return (clumps + extra).astype(float)


def measure_quiet(n_services: int) -> list[dict[str, object]]:
    """Alarms of services without an outage, in the first 24 hours of each."""
    rows = []
    for is_rhythmic in (False, True):
        for dispersion in DISPERSIONS:
            for rate in RATES:
                rng = np.random.default_rng(SEED)
                mean = rates_by_minute(rate, n_minutes=DAY, is_rhythmic=is_rhythmic)
                found = [alarms_in(drawn(mean, dispersion, rng), Thresholds()) for _ in range(n_services)]
                confirmed = [sum(a.confirmed is not None for a in alarms) for alarms in found]
                rows.append(
                    {
                        "rhythm": is_rhythmic, "dispersion": dispersion, "rate": rate,
                        "suspected_a_service": round(sum(map(len, found)) / n_services, 3),
                        "confirmed_a_service": round(sum(confirmed) / n_services, 3),
                        "services_suspected": sum(bool(alarms) for alarms in found),
                        "services_confirmed": sum(n > 0 for n in confirmed),
                    }
                )  # fmt: skip
    return rows


def measure_outages(n_services: int) -> list[dict[str, object]]:
    """Found and delay (minutes from the onset to the end of the minute) of outages within the first hours."""
    rows = []
    for rate in STEADY_BEFORE:
        for begins in OUTAGE_BEGINS:
            rng = np.random.default_rng(SEED)
            mean = np.full(begins + OUTAGE_LASTS, rate)
            mean[begins:] += OUTAGE_ADDS
            suspected, confirmed, early = [], [], 0
            for _ in range(n_services):
                alarms = alarms_in(rng.poisson(mean).astype(float), Thresholds())
                # One that was open before the onset answers the outage with no delay of its own: counted apart.
                early += any(a.suspected < begins for a in alarms)
                mine = [a for a in alarms if a.suspected >= begins]
                if mine:
                    suspected.append(mine[0].suspected + 1 - begins)
                    if mine[0].confirmed is not None:
                        confirmed.append(mine[0].confirmed + 1 - begins)
            rows.append(
                {
                    "before": rate, "begins_after": begins,
                    "open_before_the_onset": early,
                    "suspected": len(suspected), "minutes_to_suspected": _median(suspected),
                    "confirmed": len(confirmed), "minutes_to_confirmed": _median(confirmed),
                }
            )  # fmt: skip
    return rows


def _median(minutes: list[int]) -> float | None:
    return float(np.median(minutes)) if minutes else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--services", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    result = {
        "seed": SEED, "services": args.services,
        "quiet": measure_quiet(args.services), "outages": measure_outages(args.services),
    }  # fmt: skip
    if args.json:
        print(json.dumps(result, indent=1))
        return
    for part in ("quiet", "outages"):
        for row in result[part]:
            print(part, *(f"{name}={value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
