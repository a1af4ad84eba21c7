"""What a tick of the detector costs with ten thousand active streams: the running stage on a real Postgres.

Starts a throw-away Postgres, fills it with services that are known for weeks (profiles, levels, clusters with a past)
and report as usual, lets some have an outage, and asks the detector every 15 s of a virtual clock. The first ticks warm
the process's memory up; then ticks are timed one by one, and those of a whole hour's turn, in which every service
learns, together. Not here: whether what is found is right.

    python benchmarks/live_tick.py [--services 500] [--outages 5] [--days 7] [--ticks 20] [--profile FILE] [--json]
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a script from anywhere

from feedback.embedded import postgres

SEED = 0.42
TICK = timedelta(seconds=15)
CLUSTERS = 8
PLACES = ("DE-BY", "DE-BE", "DE-HH", "FR-IDF", "FR-BRE", "US-CA", "US-NY", "US-TX")  # in three countries
STREAMS = 1 + 3 + len(PLACES) + CLUSTERS  # of a service: the whole, countries, subdivisions, clusters
REPORTS_PER_HOUR = 40  # of a service: five a cluster
START = datetime(2026, 3, 4, 12, 10, tzinfo=UTC)

FILL = """
SELECT setseed({seed});
INSERT INTO reports_minutecount (service_id, minute, micro_cluster_id, region, n_reports, n_counted, n_set_aside)
    SELECT m.service_id, date_trunc('hour', '{start}'::timestamptz) - h * interval '1 hour' + interval '17 minutes',
        m.id, ('{{{places}}}'::text[])[1 + floor(random() * {n_places})::int], 5, 5, 0
    FROM reports_microcluster m, generate_series(2, {n_hours}) h;
INSERT INTO reports_minutecount (service_id, minute, micro_cluster_id, region, n_reports, n_counted, n_set_aside)
    SELECT m.service_id, '{start}'::timestamptz + (floor(random() * 150) - 90) * interval '1 minute', m.id,
        ('{{{places}}}'::text[])[1 + floor(random() * {n_places})::int], 1, 1, 0
    FROM reports_microcluster m, generate_series(1, {n_latest})
    ON CONFLICT DO NOTHING;
ANALYZE;
"""


def start_django() -> None:
    """Set Django up in this process, with tables; nothing is sent to a broker."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from reports import nudge

    nudge.connect(None)
    call_command("migrate", verbosity=0, interactive=False)


def fill(n_services: int, n_days: int) -> None:
    """Make services that are known, their clusters with a past, and a last hour as usual."""
    from django.db import connection

    from reports.models import Cluster, MicroCluster, Service, ServiceProfile, StreamLevel

    known = {
        "seed": SEED,
        "start": START.isoformat(),
        "places": ",".join(PLACES),
        "n_places": len(PLACES),
        "n_hours": n_days * 24,
        "n_latest": REPORTS_PER_HOUR * 5 // 2 // CLUSTERS,  # over two and a half hours, the coming ones included
    }
    steps = [step for step in FILL.format(**known).split(";\n") if step.strip()]
    born = START - timedelta(days=28)
    services = Service.objects.bulk_create(
        Service(slug=f"s-{i}", name=f"Service {i}", created_at=born, position=i) for i in range(n_services)
    )
    clusters = Cluster.objects.bulk_create(
        Cluster(service=service, label="log in fails", first_seen_at=born, last_seen_at=START)
        for service in services
        for _ in range(CLUSTERS)
    )
    MicroCluster.objects.bulk_create(
        MicroCluster(service_id=one.service_id, cluster=one, encoder="none", vector_sum=b"", n_reports=0,
                     last_seen_at=START)
        for one in clusters
    )  # fmt: skip
    with connection.cursor() as cursor:
        for step in steps:
            cursor.execute(step)
    learned_until = START.replace(minute=0) - timedelta(hours=1)
    hours = n_days * 24
    shares = {"": 1.0} | {place: 1 / len(PLACES) for place in PLACES}
    for place in PLACES:
        shares[place[:2]] = shares.get(place[:2], 0.0) + 1 / len(PLACES)
    rate = float(REPORTS_PER_HOUR)
    ids = [service.pk for service in services]
    ServiceProfile.objects.bulk_create(
        ServiceProfile(service_id=pk, slot_counts=[rate * hours / 168] * 168, slot_hours=[hours / 168] * 168,
                       rates_per_hour=[rate] * 168, dispersion=1.1, learned_until=learned_until)
        for pk in ids
    )  # fmt: skip
    StreamLevel.objects.bulk_create(
        StreamLevel(service_id=pk, region=region, n=rate * hours * share, e=rate * hours, share=share)
        for pk in ids
        for region, share in shares.items()
    )


def break_down(n_outages: int) -> None:
    """Let some services have an outage: six reports a minute of one cluster for the last ten minutes."""
    from reports.models import MicroCluster, MinuteCount, Service

    for service in Service.objects.order_by("pk")[:n_outages]:
        micro_cluster = MicroCluster.objects.filter(service=service).order_by("pk")[0]
        MinuteCount.objects.bulk_create(
            (
                MinuteCount(service=service, minute=START - timedelta(minutes=ago), micro_cluster=micro_cluster,
                            region="DE-BY", n_reports=6, n_counted=6)
                for ago in range(10)
            ),
            ignore_conflicts=True,
        )  # fmt: skip


def measure(n_services: int, n_outages: int, n_days: int, n_ticks: int, profile: str) -> dict[str, Any]:
    """Fill a fresh server and time the detector's ticks on it."""
    with postgres.scratch() as server:
        os.environ["DATABASE_URL"] = server.url
        start_django()
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        from reports.detection.services import detect_pending
        from reports.models import Outage

        fill(n_services, n_days)
        break_down(n_outages)
        now = START
        warming = []
        for _ in range(3):
            warming.append(_timed(detect_pending, now)[0])
            now += TICK
        with CaptureQueriesContext(connection) as queries:
            detect_pending(now=now)
        profiler = cProfile.Profile() if profile else None
        seconds, cpu_seconds = [], []
        for _ in range(n_ticks):
            now += TICK
            if profiler:
                profiler.enable()
            wall, cpu = _timed(detect_pending, now)
            if profiler:
                profiler.disable()
            seconds.append(wall)
            cpu_seconds.append(cpu)
        if profiler:
            profiler.dump_stats(profile)
        turn = []
        now = START.replace(minute=59, second=45)
        for _ in range(60):  # the first quarter of the next hour
            now += TICK
            turn.append(_timed(detect_pending, now)[0])
        n_found = Outage.objects.count()
    return {
        "n_services": n_services,
        "n_streams": n_services * STREAMS,
        "n_outages": n_outages,
        "n_outages_found": n_found,
        "n_days_of_counts": n_days,
        "n_queries": len(queries),
        "seconds_median": round(statistics.median(seconds), 3),
        "seconds_worst": round(max(seconds), 3),
        "worker_cpu_seconds_median": round(statistics.median(cpu_seconds), 3),
        "first_tick_seconds": round(warming[0], 2),
        "worst_tick_while_all_learn_an_hour": round(max(turn), 3),
        "load_average": round(os.getloadavg()[0], 1),
    }


def _timed(detect_pending: Callable[..., int], now: datetime) -> tuple[float, float]:
    began, cpu_began = time.perf_counter(), time.process_time()
    detect_pending(now=now)
    return time.perf_counter() - began, time.process_time() - cpu_began


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--services", type=int, default=500)
    parser.add_argument("--outages", type=int, default=5)
    parser.add_argument("--days", type=int, default=7, help="days of counts in the database")
    parser.add_argument("--ticks", type=int, default=20)
    parser.add_argument("--profile", default="", help="write cProfile figures of the timed ticks here")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
    os.environ.setdefault("SECRET_KEY", "a key for the measurement alone, forty characters long")
    with tempfile.TemporaryDirectory(prefix="outcry-live-tick-") as folder:
        os.environ["DATA_DIR"] = folder
        found = measure(options.services, options.outages, options.days, options.ticks, options.profile)
    if options.json:
        about = {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
            "python": platform.python_version(),
            "seed": SEED,
            "command": " ".join(["python", "benchmarks/live_tick.py", *sys.argv[1:]]),
        }
        print(json.dumps({**about, **found}, indent=2))
    else:
        print("\n".join(f"{name:36} {value}" for name, value in found.items()))
    return 0 if found["n_outages_found"] >= options.outages else 1


if __name__ == "__main__":
    raise SystemExit(main())
