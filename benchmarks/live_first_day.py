"""Into how many outages the running stage makes a first day without one: new services through the real stage.

Services are made, and from that minute on get a steady number of reports in two groups from five regions; the detector
ticks once a minute in virtual time on a throw-away Postgres, as every row was placed. Not here: more services, rhythms
and true outages (`detection_firstday`).

    python benchmarks/live_first_day.py [--services 12] [--hours 3]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a script from anywhere

from benchmarks.live_outages import MINUTE, SEED, START, place
from benchmarks.live_tick import start_django
from feedback.embedded import postgres

RATES = (0.1, 0.5, 2.0, 6.0)  # reports a minute
GROUPS = ("log in fails", "page is slow")


def make_services(n_services: int) -> list[list[Any]]:
    """Make services that are new at the start; return the micro-clusters of each group."""
    from reports.models import Cluster, MicroCluster, Service

    groups: list[list[Any]] = [[] for _ in GROUPS]
    for number in range(n_services):
        service = Service.objects.create(slug=f"s-{number}", name=f"Service {number}", created_at=START)
        for group, label in zip(groups, GROUPS, strict=True):
            cluster = Cluster.objects.create(service=service, label=label, first_seen_at=START, last_seen_at=START)
            group.append(
                MicroCluster.objects.create(
                    service=service, cluster=cluster, encoder="none", vector_sum=b"", n_reports=0, last_seen_at=START
                )
            )
    return groups


def measure(n_services: int, n_hours: int) -> list[dict[str, Any]]:
    """Play the services' hours and count what was opened, by rate."""
    rng = np.random.default_rng(SEED)
    with postgres.scratch() as server:
        os.environ["DATABASE_URL"] = server.url
        start_django()
        from reports.detection.services import detect_pending
        from reports.models import Outage

        rates = np.resize(RATES, n_services)
        groups = make_services(n_services)
        for at in range(n_hours * 60):
            now = START + at * MINUTE
            for group in groups:
                place(group, rng.poisson(rates / len(groups)), now, rng)
            detect_pending(now=now + timedelta(seconds=59))
        outages = list(Outage.objects.select_related("service"))
    rate_of = {f"s-{number}": rate for number, rate in enumerate(rates.tolist())}
    found = []
    for rate in RATES:
        mine = [one for one in outages if rate_of[one.service.slug] == rate]
        confirmed = [one for one in mine if one.confirmed_at is not None]
        found.append(
            {
                "rate": rate, "services": int((rates == rate).sum()),
                "suspected": len(mine), "services_suspected": len({one.service_id for one in mine}),
                "confirmed": len(confirmed), "services_confirmed": len({one.service_id for one in confirmed}),
            }
        )  # fmt: skip
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--services", type=int, default=12)
    parser.add_argument("--hours", type=int, default=3)
    args = parser.parse_args()
    print(json.dumps({"seed": SEED, "hours": args.hours, "by_rate": measure(args.services, args.hours)}, indent=1))


if __name__ == "__main__":
    main()
