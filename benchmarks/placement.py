"""How fast waiting reports are placed on a real Postgres: claim → encode → assign → COPY → counts.

Starts a throw-away Postgres that is as durable as an installation's, writes reports about many services through the
intake, and lets workers place them: one of a backlog, two of a backlog, and two of a stream that comes in rounds, where
a transaction holds few reports. Each trial has a server of its own. Invariant checked: every report is placed exactly
once and counted exactly once. Not here: refinement, and how good the clusters are.

    python benchmarks/placement.py [--reports 100000] [--services 50] [--workers 2] [--rounds 20] [--json]
"""

from __future__ import annotations

import argparse
import cProfile
import json
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from queue import Empty
from typing import Any

import psutil
import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a script from anywhere

from feedback.embedded import postgres

SEED = 0
WRITE_GROUP = 1_000
SPREAD_MINUTES = 30  # the reports came in within so long before they are placed
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
GIVE_UP_SECONDS = 900
TRIALS = ((1, 1), (2, 1), (2, 20))  # workers at once, rounds in which reports come in
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def start_django() -> None:
    """Set Django up in this process; nothing is sent to a broker."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback.settings")
    import django

    django.setup()
    from reports import nudge

    nudge.connect(None)


def migrate(now: datetime, answer: Any) -> None:
    """Make the tables, and the partitions of today."""
    start_django()
    from django.core.management import call_command

    from reports.intake.services import prepare_storage

    call_command("migrate", verbosity=0, interactive=False)
    prepare_storage(now=now)
    answer.put({})


def write_reports(
    n_reports: int, n_services: int, n_rounds: int, now: datetime, server_folder: str, step: Barrier, answer: Any
) -> None:
    """Write synthetic reports through the intake, round by round; after each wait until they are placed.

    Answers the seconds of writing and of waiting, and the processor time of the server while it waited.
    """
    start_django()
    import numpy as np

    from ml import synth
    from reports.enums import Channel
    from reports.intake.contract import ReportIn
    from reports.intake.services import Origin, make_row
    from reports.intake.writer import Submission, write_group
    from reports.models import Service

    rng = np.random.default_rng(SEED)
    start = now - timedelta(minutes=SPREAD_MINUTES)
    waiting: list[tuple[datetime, ReportIn]] = []
    for number in range(n_services):
        service = Service.objects.create(slug=f"service-{number}", name=f"Service {number}", created_at=start)
        n = n_reports // n_services + (number < n_reports % n_services)
        written: list[synth.SyntheticReport] = []
        while len(written) < n:
            written += synth.history(rng=rng, start=start, days=1, service=service.name, per_hour=n / 23)
        for report in written[:n]:
            moment = start + timedelta(minutes=SPREAD_MINUTES * float(rng.random()))
            body = ReportIn(
                service=service.slug, text=report.text, region=report.region, symptom=report.symptom,
                reporter=report.reporter,
            )  # fmt: skip
            waiting.append((moment, body))
    waiting.sort(key=lambda one: one[0])
    origin = Origin(Channel.REST, client="benchmark")
    seconds = {"write_seconds": 0.0, "place_seconds": 0.0, "postgres_cpu_seconds": 0.0}
    step.wait()  # the workers are ready
    for turn in np.array_split(np.arange(len(waiting)), n_rounds):
        began = time.perf_counter()
        for first in range(int(turn[0]), int(turn[-1]) + 1, WRITE_GROUP):
            taken = waiting[first : min(first + WRITE_GROUP, int(turn[-1]) + 1)]
            rows = [make_row(report=body, origin=origin, now=moment) for moment, body in taken]
            write_group([Submission(tuple(rows))], now=rows[-1].received_at)
        seconds["write_seconds"] += time.perf_counter() - began
        cpu_seconds, written_at = _cpu_seconds_of_postgres(server_folder), time.perf_counter()
        step.wait()  # all is written
        step.wait()  # all is placed
        seconds["place_seconds"] += time.perf_counter() - written_at
        seconds["postgres_cpu_seconds"] += _cpu_seconds_of_postgres(server_folder) - cpu_seconds
    answer.put(seconds)


def place_reports(n_rounds: int, now: datetime, profile: str, step: Barrier, answer: Any) -> None:
    """In each round place whatever waits until nothing does, together with the other workers."""
    start_django()
    from reports.clustering import encoding, screening
    from reports.clustering.services import cluster_pending
    from reports.models import IntakeBatch

    # A worker has loaded its encoder and fitted its screening long before.
    encoding.reference_of(encoding.the_encoder())
    screening.p_problem(["no power"])
    profiler = cProfile.Profile() if profile else None
    n_placed, cpu_seconds = 0, 0.0
    step.wait()
    for _ in range(n_rounds):
        step.wait()
        began = time.process_time()
        if profiler:
            profiler.enable()
        while IntakeBatch.objects.filter(clustered_at__isnull=True).exists():
            n = cluster_pending(now=now)
            n_placed += n
            if not n:
                time.sleep(0.01)  # the rest is in the hands of another worker
        if profiler:
            profiler.disable()
        cpu_seconds += time.process_time() - began
        step.wait()
    if profiler:
        profiler.dump_stats(profile)
    answer.put({"n_placed": n_placed, "cpu_seconds": cpu_seconds})


def count(url: str) -> dict[str, int]:
    """Count what became of the reports."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM reports_report), (SELECT count(*) FROM reports_placement),"
            " (SELECT count(*) FROM reports_report r JOIN reports_placement p ON p.report_id = r.id),"
            " (SELECT coalesce(sum(n_reports), 0) FROM reports_minutecount),"
            " (SELECT coalesce(sum(n_counted), 0) FROM reports_minutecount)"
            " - (SELECT count(*) FROM reports_placement WHERE is_counted),"
            " (SELECT count(*) FROM reports_intakebatch WHERE clustered_at IS NULL),"
            " (SELECT count(*) FROM reports_microcluster), (SELECT count(*) FROM reports_cluster)"
        ).fetchone()
    assert row is not None
    names = (
        "stored", "placed", "stored_and_placed", "counted", "counted_reporters_too_many", "batches_waiting",
        "n_micro_clusters", "n_clusters",
    )  # fmt: skip
    return {name: int(value) for name, value in zip(names, row, strict=True)}


def is_sound(found: dict[str, Any]) -> bool:
    """Whether every report was placed and counted exactly once."""
    return (
        found["stored"] == found["placed"] == found["stored_and_placed"] == found["counted"]
        and found["batches_waiting"] == 0
        and found["counted_reporters_too_many"] == 0
        and sum(found["placed_by_worker"]) == found["stored"]
    )


def measure(n_workers: int, n_rounds: int, *, n_reports: int, n_services: int, profile: str) -> dict[str, Any]:
    """Write the reports on a fresh server in so many rounds, and place them with so many workers at once."""
    with postgres.scratch() as server:
        _make_durable(server.url)
        os.environ["DATABASE_URL"] = server.url
        now = datetime.now(UTC)
        step = multiprocessing.get_context("spawn").Barrier(1 + n_workers)
        _run([(migrate, (now,))])
        writer = (write_reports, (n_reports, n_services, n_rounds, now, server.host, step))
        workers = [
            (place_reports, (n_rounds, now, profile if number == 0 else "", step)) for number in range(n_workers)
        ]
        answers = _run([writer, *workers])
        found: dict[str, Any] = dict(count(server.url))
    wrote = next(one for one in answers if "place_seconds" in one)
    placed = [one for one in answers if "n_placed" in one]
    # On a machine that others use too, the wall clock says little; processor time says what the work itself costs.
    cpu_seconds = sum(one["cpu_seconds"] for one in placed) + wrote["postgres_cpu_seconds"]
    found |= {
        "n_workers": n_workers,
        "n_rounds": n_rounds,
        "placed_by_worker": [one["n_placed"] for one in placed],
        "seconds": round(wrote["place_seconds"], 2),
        "reports_per_second": round(found["placed"] / wrote["place_seconds"]),
        "reports_per_cpu_second": round(found["placed"] / cpu_seconds),
        "load_average": round(os.getloadavg()[0], 1),
        "worker_cpu_seconds": round(sum(one["cpu_seconds"] for one in placed), 2),
        "postgres_cpu_seconds": round(wrote["postgres_cpu_seconds"], 2),
        "reports_written_per_second": round(found["stored"] / wrote["write_seconds"]),
    }
    return found | {"each_placed_once": is_sound(found)}


def _run(tasks: Sequence[tuple[Any, tuple[Any, ...]]]) -> list[dict[str, Any]]:
    """Run functions at once, each in a process of its own, and return their answers in any order."""
    fresh = multiprocessing.get_context("spawn")
    answers = fresh.Queue()
    children = [fresh.Process(target=task, args=(*arguments, answers)) for task, arguments in tasks]
    for child in children:
        child.start()
    found: list[dict[str, Any]] = []
    try:
        give_up_at = time.monotonic() + GIVE_UP_SECONDS
        while len(found) < len(children):
            try:
                found.append(answers.get(timeout=1.0))
            except Empty:
                if any(child.exitcode for child in children) or time.monotonic() > give_up_at:
                    raise SystemExit("a process of the measurement failed; see above") from None
    finally:
        for child in children:
            child.join(timeout=10 if len(found) == len(children) else 0)
            child.kill()
    return found


def _make_durable(url: str) -> None:
    """Give a throw-away server the settings on which the price of a commit depends."""
    with psycopg.connect(url, autocommit=True) as connection:
        for name in DURABLE:
            connection.execute(f"ALTER SYSTEM SET {name} = 'on'")
        connection.execute("SELECT pg_reload_conf()")


def _cpu_seconds_of_postgres(folder: str) -> float:
    postmaster = psutil.Process(int((Path(folder) / "postgres" / "postmaster.pid").read_text().split()[0]))
    total = 0.0
    for process in (postmaster, *postmaster.children(recursive=True)):
        try:
            spent = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += spent.user + spent.system
        if process == postmaster:  # backends that have ended
            total += spent.children_user + spent.children_system
    return total


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--reports", type=int, default=100_000)
    parser.add_argument("--services", type=int, default=50)
    parser.add_argument("--workers", type=int, help="only one trial, with so many workers at once")
    parser.add_argument("--rounds", type=int, default=1, help="with --workers: how often reports come in")
    parser.add_argument(
        "--profile", default="", help="write the first worker's cProfile figures of the last trial here"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    os.environ.update(dict.fromkeys(THREADS, "1"))
    os.environ.setdefault("SECRET_KEY", "a key for the measurement alone, forty characters long")
    with tempfile.TemporaryDirectory(prefix="outcry-placement-") as folder:
        os.environ["DATA_DIR"] = folder
        results = []
        for n_workers, n_rounds in [(options.workers, options.rounds)] if options.workers else TRIALS:
            if sys.stderr.isatty():
                print(f"{n_workers} at once, reports in {n_rounds} rounds ...", file=sys.stderr)
            sizes = {"n_reports": options.reports, "n_services": options.services}
            results.append(measure(n_workers, n_rounds, profile=options.profile, **sizes))
    if options.json:
        about = {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
            "python": platform.python_version(),
            "seed": SEED,
            "command": " ".join(["python", "benchmarks/placement.py", *sys.argv[1:]]),
        }
        print(json.dumps({**about, "n_services": options.services, "results": results}, indent=2))
    else:
        for one in results:
            print("\n".join(f"{name:28} {value}" for name, value in one.items()), end="\n\n")
    return 0 if all(one["each_placed_once"] for one in results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
