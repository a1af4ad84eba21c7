"""What survives when parts of a running installation are killed, or its database is away, under load.

Starts an installation of its own in a temporary DATA_DIR, sends reports over REST at a steady rate, and brings about
one fault after another, each `--times` times, each at a random moment of a trial of its own. Every second report
carries an idempotency key and is sent again until it is answered. After each trial it counts: every report that was
answered with 202 must be in the database, placed once and counted once, and no key stored twice. With `--json` the
figures are printed as JSON.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a script from anywhere
SENDERS = 48
TRIES = 8  # of a report with a key
GONE_SECONDS = 120.0
SYMPTOMS = ("can't log in", "page does not load", "payment is refused", "messages are not sent", "app closes at once")
DATABASE = "postgres -D"


@contextmanager
def installation(folder: str, port: int, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Run Outcry in a folder until the block ends."""
    environ = {**os.environ, "DATA_DIR": folder, "PORT": str(port), **settings}
    process = subprocess.Popen(
        [sys.executable, "-m", "feedback.embedded"], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "is ready at" in line:
                break
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def manage(folder: str, *words: str) -> str:
    """Run a command of the installation and return what it prints."""
    environ = {**os.environ, "DATA_DIR": folder}
    return subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=environ, check=True, capture_output=True, text=True
    ).stdout


@dataclass
class Answered:
    """What senders were told, by number of the report."""

    ids: dict[int, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    n_refused: int = 0
    n_unanswered: int = 0
    last_at: float = 0.0
    longest_pause_seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, number: int, report_id: str, seconds: float) -> None:
        with self.lock:
            now = time.monotonic()
            if self.last_at:
                self.longest_pause_seconds = max(self.longest_pause_seconds, now - self.last_at)
            self.last_at = now
            self.ids[number] = report_id
            self.seconds.append(seconds)


class Sender(threading.local):
    """A thread's connection to the server, made anew where it broke."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def post(self, body: str, headers: dict[str, str]) -> tuple[int, bytes]:
        try:
            self.connection.request("POST", "/api/v1/reports", body, headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise


def send(sender: Sender, key: str, number: int, answered: Answered) -> None:
    """Send one report and note its answer; every second has a key, and is sent again where there was none."""
    body = {
        "service": "faults",
        "text": f"{SYMPTOMS[number % len(SYMPTOMS)]} {number}",
        "region": ("DE-BY", "FR", "US-CA", "")[number % 4],
        "reporter": f"reporter-{number}",
    }
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    is_keyed = number % 2 == 0
    if is_keyed:
        headers["Idempotency-Key"] = f"faults-{number}"
    for number_of_try in range(TRIES if is_keyed else 1):
        time.sleep(0.25 * number_of_try)
        start = time.monotonic()
        try:
            status, content = sender.post(json.dumps(body), headers)
        except (OSError, http.client.HTTPException):
            answered.n_unanswered += 1
            continue
        if status == 202:
            answered.note(number, json.loads(content)["id"], time.monotonic() - start)
            return
        answered.n_refused += 1


def kill(process: subprocess.Popen[str], word: str) -> int:
    """Kill the first descendant whose command line has the word; return its process id, 0 where there is none."""
    for child in descendants(process, word):
        with suppress(psutil.NoSuchProcess):
            child.kill()
            return child.pid
    return 0


def descendants(process: subprocess.Popen[str], word: str) -> list[psutil.Process]:
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if word in " ".join(child.cmdline()):
                found.append(child)
    return found


def keep_away(process: subprocess.Popen[str], seconds: float) -> None:
    """Kill the database as often as it comes back."""
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        kill(process, DATABASE)
        time.sleep(0.1)


def let_hang(process: subprocess.Popen[str], seconds: float) -> None:
    """Have the database take connections and answer nothing."""
    stopped = []
    for server in descendants(process, DATABASE):
        for one in (server, *server.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                one.suspend()
                stopped.append(one)
    time.sleep(seconds)
    for one in stopped:
        with suppress(psutil.NoSuchProcess):
            one.resume()


def keep_away_and_kill_web(process: subprocess.Popen[str], seconds: float) -> None:
    """Kill the web process while reports wait in its spool."""
    killing = threading.Timer(seconds / 2, kill, [process, "granian"])
    killing.start()
    keep_away(process, seconds)
    killing.join()


@dataclass(frozen=True)
class Fault:
    """What is brought about, and how long a trial goes on after it began."""

    bring_about: Callable[[subprocess.Popen[str]], object]
    seconds: float
    settings: dict[str, str] = field(default_factory=dict)


def faults(away_seconds: float) -> dict[str, Fault]:
    return {
        "web": Fault(lambda process: kill(process, "granian"), 8),
        "worker": Fault(lambda process: kill(process, "-A feedback worker"), 8),
        "beat": Fault(lambda process: kill(process, "-A feedback beat"), 8),
        "broker": Fault(lambda process: kill(process, "valkey-server"), 8),
        "database": Fault(lambda process: kill(process, DATABASE), 8),
        "hang": Fault(lambda process: let_hang(process, 10), 15),
        "both": Fault(lambda process: keep_away_and_kill_web(process, 10), 20),
        "full": Fault(lambda process: keep_away(process, 15), 20, {"SPOOL_MAX_MB": "1"}),
        "away": Fault(lambda process: keep_away(process, away_seconds), away_seconds + 5),
    }


def count(folder: str, accepted: list[str]) -> dict[str, int]:
    """Count what became of the accepted reports."""
    from feedback.embedded import paths

    host = paths.postgres_socket_dir(Path(folder))
    with psycopg.connect(host=str(host), user="outcry", dbname="outcry", port=5432) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM reports_report WHERE id = ANY(%(ids)s)),"
            " (SELECT count(*) FROM reports_placement WHERE report_id = ANY(%(ids)s)),"
            " (SELECT count(*) FROM reports_report), (SELECT count(*) FROM reports_placement),"
            " (SELECT coalesce(sum(n_reports), 0) FROM reports_minutecount),"
            " (SELECT coalesce(sum(n_counted), 0) FROM reports_minutecount),"
            " (SELECT count(*) FROM reports_intakebatch WHERE clustered_at IS NULL),"
            " (SELECT count(*) - count(DISTINCT text) FROM reports_report"
            " WHERE substring(text from '[0-9]+$')::bigint %% 2 = 0)",
            {"ids": accepted},
        ).fetchone()
        assert row is not None
    names = (
        "stored", "placed", "all_stored", "all_placed", "counted", "counted_reporters", "batches_waiting",
        "keys_stored_twice",
    )  # fmt: skip
    return {name: int(value) for name, value in zip(names, row, strict=True)}


def trial(
    process: subprocess.Popen[str], port: int, key: str, fault: Fault, *, rate: int, first: int, moment: float
) -> tuple[int, Answered]:
    """Send reports at a rate, bring the fault about at a moment, and return how many were sent and what was told."""
    answered = Answered()
    sender = Sender(port)
    seconds = moment + fault.seconds
    breaking = threading.Timer(moment, fault.bring_about, [process])
    n_sent = 0
    start = time.monotonic()
    breaking.start()
    with ThreadPoolExecutor(SENDERS) as senders:
        while (now := time.monotonic() - start) < seconds:
            while n_sent < now * rate:
                senders.submit(send, sender, key, first + n_sent, answered)
                n_sent += 1
            time.sleep(0.005)
    breaking.join()
    return n_sent, answered


def settled(folder: str, accepted: list[str]) -> dict[str, int]:
    """Wait until nothing waits any more, and count."""
    give_up_at = time.monotonic() + GONE_SECONDS
    found: dict[str, int] = {}
    while time.monotonic() < give_up_at:
        with suppress(psycopg.OperationalError):
            is_spooled = any(Path(folder, "spool").glob("*.spool"))
            found = count(folder, accepted)
            if not is_spooled and not found["batches_waiting"]:
                break
        time.sleep(0.5)
    return found


def measure(options: argparse.Namespace, names: list[str], **settings: str) -> list[dict[str, object]]:
    """Run the trials of some faults on one installation and return a row of figures each."""
    rng = random.Random(options.seed)
    rows: list[dict[str, object]] = []
    told: dict[int, str] = {}
    first = 0
    with (
        tempfile.TemporaryDirectory(prefix="outcry-faults-") as folder,
        installation(folder, options.port, **settings) as process,
    ):
        key = manage(folder, "create_api_key", "faults", "--scope", "intake", "--scope", "manage").split()[-1]
        manage(folder, "shell", "-v", "0", "-c", _MAKE_SERVICE)
        time.sleep(1)
        for number in range(options.times):
            for name in names:
                fault = faults(options.away_seconds)[name]
                moment = rng.uniform(1.0, 5.0)
                n_sent, answered = trial(
                    process, options.port, key, fault, rate=options.rate, first=first, moment=moment
                )
                finished = time.monotonic()
                told |= answered.ids
                found = settled(folder, list(told.values()))
                first += n_sent
                seconds = sorted(answered.seconds) or [0.0]
                rows.append(
                    {
                        "fault": name,
                        "number": number + 1,
                        "moment_seconds": round(moment, 2),
                        "sent": n_sent,
                        "accepted": len(answered.ids),
                        "refused": answered.n_refused,
                        "unanswered": answered.n_unanswered,
                        "p50_ms": round(seconds[len(seconds) // 2] * 1e3, 1),
                        "p99_ms": round(seconds[int(len(seconds) * 0.99)] * 1e3, 1),
                        "longest_ms": round(seconds[-1] * 1e3, 1),
                        "longest_without_202_seconds": round(answered.longest_pause_seconds, 2),
                        "lost": len(told) - found["stored"],
                        "not_placed": len(told) - found["placed"],
                        "double_counted": found["counted"] - found["all_stored"],
                        "keys_stored_twice": found["keys_stored_twice"],
                        "seconds_until_all_placed": round(time.monotonic() - finished, 1),
                    }
                )
                if not options.json:
                    print(" ".join(f"{name}={value}" for name, value in rows[-1].items()), flush=True)
    return rows


_MAKE_SERVICE = (
    "from reports.models import Service; from django.utils import timezone;"
    " Service.objects.create(slug='faults', name='Faults', created_at=timezone.now())"
)


def main() -> int:
    known = faults(0)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rate", type=int, default=300, help="reports a second")
    parser.add_argument("--times", type=int, default=1, help="how often each fault is brought about")
    parser.add_argument("--fault", action="append", choices=sorted(known), help="only this one (repeatable)")
    parser.add_argument("--away-seconds", type=float, default=60.0, help="how long the database is kept away")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=8199)
    options = parser.parse_args()
    names = options.fault or list(known)
    rows = []
    # A fault that wants settings of its own gets an installation of its own.
    for settings in ({}, known["full"].settings):
        if ours := [name for name in names if known[name].settings == settings]:
            rows += measure(options, ours, **settings)
    wrong = ("lost", "not_placed", "double_counted", "keys_stored_twice")
    is_sound = all(row[name] == 0 for row in rows for name in wrong)
    if options.json:
        machine = {"machine": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()}
        print(json.dumps({**machine, "command": sys.argv, "seed": options.seed, "is_sound": is_sound, "trials": rows}))
    return 0 if is_sound else 1


if __name__ == "__main__":
    raise SystemExit(main())
