"""What taking a report in costs, beside what it could cost, and whether the whole chain keeps up.

One run on one machine: a Postgres as durable as an installation's, a Valkey, and one granian server after the other
with the same options. Measured is the server's processor time a report (from /proc, so that a busy machine distorts it
little), and Postgres's beside it; ratios of one run are what to trust, single figures are not. Then the chain: web,
worker and clock as `manage.py up` starts them, a steady load and a burst. What was answered with 202 is compared with
the rows, and the rows with the counts.

    python benchmarks/intake.py [--json] [--full] [--seconds 3] [--rounds 2] [--only floor,single,bulk,chain]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import itertools
import json
import os
import platform
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import psycopg

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT))  # run as a script from anywhere

from benchmarks.intake_load import Load, at_rate, close_to  # noqa: E402
from feedback.embedded import postgres, valkey  # noqa: E402

SEED = 0
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
N_TEXTS = 2_000
N_CONNECTIONS = 512  # as many as the burst comes by
# And a quarter of them: groups are smaller, and between two the server sleeps and wakes, which the floor never does.
N_FEWER = 128
BATCH_REPORTS = 1_000
STEADY_RATE, BURST_RATE = 450.0, 5_000.0
BACKLOG_SECONDS = 300.0
START_SECONDS = 60.0
LOOK_BACK = 5_000  # batches commit out of the order of their numbers
# Each a ratio of processor times of one report.
RATIOS = {
    "single_vs_floor": ("floor", "single"),
    "single_vs_floor_by_128": ("floor_by_128", "single_by_128"),
    "single_vs_floor_in_groups": ("floor_in_groups", "single"),
    "single_vs_drf": ("drf_insert", "single"),
    "single_vs_celery": ("celery_task", "single"),
    "bulk_vs_single": ("single", "bulk"),
}
GRANIAN = ("--interface", "asgi", "--workers", "1", "--backpressure", "8192", "--no-ws", "--log-level", "warning")
OPENINGS = ("I can't log in", "No signal since this morning", "The app hangs", "Payment fails", "Everything is slow")
MIDDLES = ("for an hour now", "again and again", "as soon as I open it", "on both phones", "since the last update")
ENDS = (
    "please help",
    "it says error 503 after a while",
    "nobody answers",
    "is it only me?",
    "code E4711 on the screen",
)
REGIONS = ("DE-BY", "DE-BE", "FR-IDF", "GB-LND", "US-CA", "")
SYMPTOMS = ("down", "login", "slow", "")


def made_up_reports(rng: random.Random) -> list[dict[str, str]]:
    """Return reports of some hundred bytes, half of them with a number in the text, one in forty with an address."""
    made = []
    for number in range(N_TEXTS):
        text = f"{rng.choice(OPENINGS)} {rng.choice(MIDDLES)}, {rng.choice(ENDS)}"
        if rng.random() < 1 / 40:
            text += f", write to reporter{number}@example.org"
        made.append(
            {
                "service": "mail", "text": text, "region": rng.choice(REGIONS), "symptom": rng.choice(SYMPTOMS),
                "reporter": f"customer-{rng.randrange(10**6)}", "lang": "en",
            }
        )  # fmt: skip
    return made


def post(path: str, body: bytes, key: str = "") -> bytes:
    """Return the bytes of a request as clients with keep-alive send it."""
    bearer = f"Authorization: Bearer {key}\r\n" if key else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: load\r\nAccept: */*\r\n{bearer}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and all below it, with what has ended there."""
    total = 0.0
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            spent = process.cpu_times()
            total += spent.user + spent.system
            if process == root:
                total += spent.children_user + spent.children_system
    return total


def peak_megabytes(pid: int) -> float:
    """Return the most memory that the greatest process below (or at) `pid` has held."""
    peaks = [0.0]
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess, OSError, IndexError):
            status = Path(f"/proc/{process.pid}/status").read_text()
            peaks.append(int(status.partition("VmHWM:")[2].split()[0]) / 1024)
    return max(peaks)


@contextmanager
def running(*command: str) -> Iterator[int]:
    """A program in a session of its own, ended at last with all it started."""
    child = subprocess.Popen([sys.executable, *command], cwd=CHECKOUT, stdout=sys.stderr, start_new_session=True)
    try:
        yield child.pid
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


@contextmanager
def serving(application: str) -> Iterator[tuple[int, int]]:
    """A granian server of the application: its pid and its port."""
    port = free_port()
    with running("-m", "granian", application, "--host", "127.0.0.1", "--port", str(port), *GRANIAN) as pid:
        until = time.monotonic() + 30
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
                connection.request("GET", "/healthz")
                connection.getresponse().read()
                break
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
        yield pid, port


@dataclass(frozen=True)
class Trial:
    """What is measured: an application, what it is asked, by how many at once; `each` reports a request."""

    application: str
    requests: list[bytes]
    n_connections: int = N_CONNECTIONS
    each: int = 1


def measure(trial: Trial, *, postmaster: int, seconds: float) -> dict[str, float]:
    """Return what a report costs the server and Postgres, and how many come through."""
    application, n_connections, each = trial.application, trial.n_connections, trial.each
    with serving(application) as (pid, port):
        endless = itertools.cycle(trial.requests)
        asyncio.run(close_to(port, endless, n_connections=min(n_connections, 8), seconds=1.0))
        server, database = cpu_seconds(pid), cpu_seconds(postmaster)
        load = asyncio.run(close_to(port, endless, n_connections=n_connections, seconds=seconds))
        server, database = cpu_seconds(pid) - server, cpu_seconds(postmaster) - database
        megabytes = peak_megabytes(pid)
    if load.n_refused or load.n_unanswered or not load.n_ok:
        raise SystemExit(f"{application}: {load.n_refused} refused, {load.n_unanswered} not answered: no measurement.")
    n_reports = load.n_ok * each
    return {
        "cpu_us": round(1e6 * server / n_reports, 1),
        "postgres_cpu_us": round(1e6 * database / n_reports, 1),
        "reports_per_second": round(n_reports / load.seconds),
        "reports_per_server_cpu_second": round(n_reports / server),
        "reports_per_two_cpu_seconds": round(2 * n_reports / (server + database)),
        "p50_ms": load.milliseconds(0.5),
        "p99_ms": load.milliseconds(0.99),
        "web_peak_mb": round(megabytes),
    }


class Watch(threading.Thread):
    """Notes when reports are first seen placed, as a page that asks every 100 ms would see them."""

    def __init__(self, url: str, *, after: int) -> None:
        super().__init__(daemon=True)
        self._after = after
        self._url = url
        self._is_over = threading.Event()
        self.delays: list[float] = []

    def run(self) -> None:
        seen: set[int] = set()
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._is_over.is_set():
                rows = connection.execute(
                    "SELECT id, report_ids FROM reports_intakebatch WHERE clustered_at IS NOT NULL AND id > %s",
                    [max(self._after, max(seen) - LOOK_BACK if seen else 0)],
                ).fetchall()
                now = time.time()
                for batch_id, report_ids in rows:
                    if batch_id not in seen:
                        seen.add(batch_id)
                        self.delays += [now - (report_id.int >> 80) / 1000 for report_id in report_ids]
                self._is_over.wait(0.1)

    def stop(self) -> None:
        self._is_over.set()
        self.join()


def say(what: str) -> None:
    if sys.stderr.isatty():
        print(f"{what} ...", file=sys.stderr)


def count(url: str, query: str, *values: object) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query, values or None).fetchone()  # type: ignore[arg-type]
    return int(row[0]) if row else 0


def empty(url: str) -> None:
    """Forget the reports of what was measured before."""
    with psycopg.connect(url, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename LIKE 'reports\\_%%'"
            " AND tablename NOT IN ('reports_service', 'reports_apikey') AND tablename !~ '_[0-9]{8}$'"
        ).fetchall()
        connection.execute(f"TRUNCATE {', '.join(name for (name,) in tables)}")  # type: ignore[arg-type]


def chain(
    requests: list[bytes], url: str, *, rate: float, seconds: float, n_connections: int, folder: str
) -> dict[str, Any]:
    """Return how the whole chain bears a load that comes at a rate, and whether the books agree afterwards."""
    worker = ("-m", "celery", "-A", "feedback", "worker", "--pool", "prefork", "--concurrency", "2", "-l", "ERROR")
    beat = (
        "-m",
        "celery",
        "-A",
        "feedback",
        "beat",
        "-l",
        "ERROR",
        "--schedule",
        f"{folder}/schedule",
        "--pidfile",
        "",
    )
    empty(url)
    with serving("feedback.asgi:application") as (web, port), running(*worker), running(*beat):
        endless = itertools.cycle(requests)
        warmed = asyncio.run(at_rate(port, endless, rate=20, n_connections=8, seconds=5))
        waiting = "SELECT count(*) FROM reports_intakebatch WHERE clustered_at IS NULL"
        until = time.monotonic() + START_SECONDS
        while count(url, waiting) and time.monotonic() < until:  # the worker loads its encoder
            time.sleep(0.2)
        watch = Watch(url, after=count(url, "SELECT coalesce(max(id), 0) FROM reports_intakebatch"))
        watch.start()
        load: Load = asyncio.run(at_rate(port, endless, rate=rate, n_connections=n_connections, seconds=seconds))
        ended = time.monotonic()
        while count(url, waiting) and time.monotonic() - ended < BACKLOG_SECONDS:
            time.sleep(0.2)
        backlog_gone = time.monotonic() - ended
        time.sleep(0.3)
        watch.stop()
        megabytes = peak_megabytes(web)
    told = [json.loads(body)["id"] for body in (*warmed.bodies, *load.bodies)]
    n_stored = count(url, "SELECT count(*) FROM reports_report")
    n_told_stored = count(url, "SELECT count(*) FROM reports_report WHERE id = ANY(%s::uuid[])", told)
    n_placed = count(url, "SELECT count(*) FROM reports_placement")
    n_counted = count(url, "SELECT coalesce(sum(n_reports), 0) FROM reports_minutecount")
    delays = sorted(watch.delays)
    return {
        "offered_per_second": rate,
        "accepted_per_second": round(load.n_ok / load.seconds),
        "accepted": load.n_ok,
        "refused": load.n_refused,
        "unanswered": load.n_unanswered,
        "lost": len(told) - n_told_stored,
        "stored": n_stored,
        "placed": n_placed,
        "counted_twice": n_counted - n_stored,
        "answer_p50_ms": load.milliseconds(0.5),
        "answer_p99_ms": load.milliseconds(0.99),
        "visible_p50_s": round(delays[len(delays) // 2], 2) if delays else None,
        "visible_p99_s": round(delays[int(0.99 * len(delays))], 2) if delays else None,
        "backlog_gone_after_s": round(backlog_gone, 1),
        "web_peak_mb": round(megabytes),
    }


def prepare(url: str) -> str:
    """Make the tables, a service and a key; return the key."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections
    from django.utils import timezone

    from reports.enums import Scope
    from reports.intake.apikeys import create_key
    from reports.intake.services import prepare_storage
    from reports.models import Service

    call_command("migrate", verbosity=0, interactive=False)
    now = timezone.now()
    prepare_storage(now=now)
    Service.objects.create(slug="mail", name="Mail", created_at=now)
    key = create_key(name="load", scopes=[Scope.INTAKE], created_by_id=None, now=now).secret
    connections.close_all()
    return key


def run(options: argparse.Namespace, url: str, server_folder: Path, folder: str) -> dict[str, Any]:
    key = prepare(url)
    postmaster = int((server_folder / "postgres" / "postmaster.pid").read_text().split()[0])
    reports = made_up_reports(random.Random(SEED))
    bodies = [json.dumps(report).encode() for report in reports]
    single = [post("/api/v1/reports", body, key) for body in bodies]
    bulk = [
        post("/api/v1/reports:batch", b"[" + b",".join(bodies[start : start + BATCH_REPORTS]) + b"]", key)
        for start in range(0, N_TEXTS, BATCH_REPORTS)
    ]
    plain = {path: [post(path, body) for body in bodies] for path in ("/", "/insert", "/task")}
    rivals = "benchmarks.intake_rivals"
    trials: dict[str, Trial] = {
        "floor": Trial(f"{rivals}:floor", plain["/"]),
        "floor_in_groups": Trial(f"{rivals}:floor_in_groups", plain["/"]),
        "single": Trial("feedback.asgi:application", single),
        "floor_by_128": Trial(f"{rivals}:floor", plain["/"], n_connections=N_FEWER),
        "single_by_128": Trial("feedback.asgi:application", single, n_connections=N_FEWER),
        "single_by_django": Trial("feedback.asgi:django_application", single, n_connections=32),
        "drf_insert": Trial(f"{rivals}:django", plain["/insert"], n_connections=32),
        "celery_task": Trial(f"{rivals}:django", plain["/task"], n_connections=32),
        "bulk": Trial("feedback.asgi:application", bulk, n_connections=4, each=BATCH_REPORTS),
    }
    only = set(options.only.split(","))
    figures: dict[str, Any] = {}
    # Round by round, so that a machine that is busy for a while is so for all.
    found: dict[str, list[dict[str, float]]] = {name: [] for name in trials if name in only or "all" in only}
    for number in range(options.rounds):
        for name in found:
            say(f"{name}, round {number + 1}")
            found[name].append(measure(trials[name], postmaster=postmaster, seconds=options.seconds))
            empty(url)
    for name, rounds in found.items():
        figures[name] = {word: round(median(each[word] for each in rounds), 2) for word in rounds[0]}
    ratios: dict[str, float] = {}
    for ratio, (over, under) in RATIOS.items():
        if over in found and under in found:
            each = [a["cpu_us"] / b["cpu_us"] for a, b in zip(found[over], found[under], strict=True)]
            ratios[ratio] = round(median(each), 2)
    if only & {"chain", "all"}:
        loads = {"steady": (STEADY_RATE, options.steady_seconds), "burst": (BURST_RATE, options.burst_seconds)}
        for name, (rate, seconds) in loads.items():
            say(name)
            figures[name] = chain(single, url, rate=rate, seconds=seconds, n_connections=N_CONNECTIONS, folder=folder)
    return {"ratios": ratios, "figures": figures}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="of each comparison")
    parser.add_argument("--rounds", type=int, default=2, help="how often each comparison is made; the median counts")
    parser.add_argument("--steady-seconds", type=float, default=15.0, help=f"of {STEADY_RATE:.0f} reports a second")
    parser.add_argument("--burst-seconds", type=float, default=5.0, help=f"of {BURST_RATE:.0f} reports a second")
    parser.add_argument(
        "--full", action="store_true", help="10 s each in 5 rounds, then 300 s steady and a burst of 60 s"
    )
    parser.add_argument("--only", default="all", help="trials by name, and chain; separated by commas")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    if options.full:
        options.seconds, options.rounds, options.steady_seconds, options.burst_seconds = 10.0, 5, 300.0, 60.0
    os.environ.update({"OMP_NUM_THREADS": "1", "DJANGO_SETTINGS_MODULE": "feedback.settings", "LOG_LEVEL": "ERROR"})
    os.environ.setdefault("SECRET_KEY", "a key for the measurement alone, forty characters long")
    os.environ["KEY_REPORTS_PER_MINUTE"] = "100000000"  # one key sends everything here
    with tempfile.TemporaryDirectory(prefix="outcry-intake-") as folder, postgres.scratch() as server:
        os.environ["DATA_DIR"], os.environ["DATABASE_URL"] = folder, server.url
        with psycopg.connect(server.url, autocommit=True) as connection:
            for name in DURABLE:
                connection.execute(f"ALTER SYSTEM SET {name} = 'on'")  # type: ignore[arg-type]
            connection.execute("SELECT pg_reload_conf()")
        with valkey.scratch() as broker:
            os.environ["REDIS_URL"] = f"unix://{broker.socket}"
            found = run(options, server.url, Path(server.host), folder)
    found = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "python": platform.python_version(),
        "seed": SEED,
        "load_average": round(os.getloadavg()[0], 1),  # of all that ran, ourselves with it
        "command": f"python benchmarks/intake.py{' --full' if options.full else ''} --json",
        **found,
    }
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        for name, figure in (found["figures"] | {"ratios": found["ratios"]}).items():
            print(f"{name:>18}  " + "  ".join(f"{word} {value}" for word, value in figure.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
