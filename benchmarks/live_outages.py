"""Into how many outages the running stage makes one: simulated outages through the real stage, in virtual time.

Each service is known for weeks and has one outage that comes within ten minutes, sags to a third for a quarter of an
hour, returns and fades, as in `detection_traces.measure_incidents_per_outage`; reports come from five regions and in
one group. The detector ticks once a minute on a throw-away Postgres, as every row was placed. Not here: how soon
(`detection_known`, `detection_learned`).

    python benchmarks/live_outages.py [--services 40] [--hours 9] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a script from anywhere

from benchmarks.live_tick import start_django
from feedback.embedded import postgres

SEED = 20260101
RATES = (1.2, 6.0, 24.0)  # usual reports an hour
PLACES = ("DE-BY", "DE-BE", "FR-IDF", "US-CA", "")
START = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KNOWN_HOURS = 4 * 168


def outage_shape(rng: np.random.Generator, *, n_minutes: int) -> np.ndarray:
    """Reports a minute that an outage adds, from its onset on."""
    added = float(np.exp(rng.uniform(np.log(0.7), np.log(8))))
    lasts = int(rng.integers(30, 240))
    shape = np.minimum((np.arange(lasts) + 0.5) / 10, 1.0)
    sag = int(rng.integers(0, lasts - 15))
    shape[sag : sag + 15] *= 0.33
    shape = added * np.concatenate([shape, np.exp(-np.arange(180) / 30.0)])
    return np.pad(shape[:n_minutes], (0, max(n_minutes - shape.size, 0)))


def make_services(rates: np.ndarray) -> list[Any]:
    """Make services with a known rate, and a cluster of what is usual there; return the clusters' micro-clusters."""
    from reports.models import Cluster, MicroCluster, MinuteCount, Service, ServiceProfile, StreamLevel

    made = []
    for number, rate in enumerate(rates.tolist()):
        service = Service.objects.create(
            slug=f"s-{number}", name=f"Service {number}", created_at=START - timedelta(hours=KNOWN_HOURS)
        )
        known = rate * KNOWN_HOURS
        ServiceProfile.objects.create(
            service=service, slot_counts=[known / 168] * 168, slot_hours=[4.0] * 168, rates_per_hour=[rate] * 168,
            dispersion=1.0, learned_until=START - timedelta(hours=1),
        )  # fmt: skip
        shares = {"": 1.0, "DE": 0.4, "FR": 0.2, "US": 0.2} | {place: 0.2 for place in PLACES if place}
        StreamLevel.objects.bulk_create(
            StreamLevel(service=service, region=region, n=known * share, e=known, share=share)
            for region, share in shares.items()
        )
        cluster = Cluster.objects.create(
            service=service, label="log in fails", first_seen_at=service.created_at, last_seen_at=START
        )
        micro_cluster = MicroCluster.objects.create(
            service=service, cluster=cluster, encoder="none", vector_sum=b"", n_reports=0, last_seen_at=START
        )
        MinuteCount.objects.create(
            service=service, minute=START - timedelta(hours=30), micro_cluster=micro_cluster, region="",
            n_reports=round(known), n_counted=round(known),
        )  # fmt: skip
        made.append(micro_cluster)
    return made


def place(micro_clusters: list[Any], counts: np.ndarray, minute: datetime, rng: np.random.Generator) -> None:
    """Write the rows of one minute's reports, as placing would."""
    from reports.intake.ids import uuid7
    from reports.models import MinuteCount, Placement

    rows, placements = [], []
    for micro_cluster, n in zip(micro_clusters, counts.tolist(), strict=True):
        regions = rng.choice(len(PLACES), size=n)
        for which in np.unique(regions).tolist():
            there = int((regions == which).sum())
            common = {
                "service_id": micro_cluster.service_id, "micro_cluster": micro_cluster, "region": PLACES[which],
            }  # fmt: skip
            rows.append(MinuteCount(minute=minute, n_reports=there, n_counted=there, **common))
            placements += [
                Placement(
                    report_id=uuid7(minute), similarity=0.9, reporter=rng.bytes(16), is_counted=True,
                    counted_at=minute, placed_at=minute, **common,
                )
                for _ in range(there)
            ]  # fmt: skip
    MinuteCount.objects.bulk_create(rows)
    Placement.objects.bulk_create(placements)


def measure(n_services: int, n_hours: int) -> dict[str, Any]:
    """Play the services' hours, the outage an hour after the start, and count what became of it."""
    rng = np.random.default_rng(SEED)
    with postgres.scratch() as server:
        os.environ["DATABASE_URL"] = server.url
        start_django()
        from reports.detection.services import detect_pending
        from reports.models import Outage

        rates = rng.choice(RATES, size=n_services)
        micro_clusters = make_services(rates)
        n_minutes, onset = n_hours * 60, 60
        mean = np.repeat(rates[:, None] / 60.0, n_minutes, axis=1)
        for row in mean:
            row[onset:] += outage_shape(rng, n_minutes=n_minutes - onset)
        counts = rng.poisson(mean)
        began = time.perf_counter()
        for at in range(n_minutes):
            now = START + at * MINUTE
            place(micro_clusters, counts[:, at], now, rng)
            detect_pending(now=now + timedelta(seconds=59))
        outages = list(Outage.objects.filter(suspected_at__gte=START + onset * MINUTE))
        before = Outage.objects.filter(suspected_at__lt=START + onset * MINUTE).count()
    by_service: dict[int, list[Any]] = {}
    for outage in outages:
        by_service.setdefault(outage.service_id, []).append(outage)
    confirmed = [sum(one.confirmed_at is not None for one in found) for found in by_service.values()]
    return {
        "n_outages": n_services,
        "found": round(len(by_service) / n_services, 3),
        "confirmed": round(sum(n > 0 for n in confirmed) / n_services, 3),
        "incidents_per_found_outage": round(len(outages) / len(by_service), 3),
        "confirmed_incidents_per_confirmed_outage": round(sum(confirmed) / max(sum(n > 0 for n in confirmed), 1), 3),
        "suspected_before_any_began": before,
        "seconds": round(time.perf_counter() - began, 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--services", type=int, default=40)
    parser.add_argument("--hours", type=int, default=9)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
    os.environ.setdefault("SECRET_KEY", "a key for the measurement alone, forty characters long")
    with tempfile.TemporaryDirectory(prefix="outcry-live-outages-") as folder:
        os.environ["DATA_DIR"] = folder
        found = measure(options.services, options.hours)
    if options.json:
        about = {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
            "python": platform.python_version(),
            "seed": SEED,
            "command": " ".join(["python", "benchmarks/live_outages.py", *sys.argv[1:]]),
        }
        print(json.dumps({**about, **found}, indent=2))
    else:
        print("\n".join(f"{name:44} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
