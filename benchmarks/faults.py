"""What survives when parts of a running installation are killed under load.

Starts an installation of its own in a temporary DATA_DIR, sends reports over REST at a steady rate, kills the worker,
the broker and the web process with SIGKILL while they come in, and then counts: every report that was answered with 202
must be in the database, placed once and counted once. With `--json` the figures are printed as JSON.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a script from anywhere
SENDERS = 24
GONE_SECONDS = 60.0
SYMPTOMS = ("can't log in", "page does not load", "payment is refused", "messages are not sent", "app closes at once")


@contextmanager
def installation(folder: str, port: int) -> Iterator[subprocess.Popen[str]]:
    """Run Outcry in a folder until the block ends."""
    environ = {**os.environ, "DATA_DIR": folder, "PORT": str(port)}
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
        process.wait(timeout=30)


def manage(folder: str, *words: str) -> str:
    """Run a command of the installation and return what it prints."""
    environ = {**os.environ, "DATA_DIR": folder}
    return subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=environ, check=True, capture_output=True, text=True
    ).stdout


def send(port: int, key: str, number: int) -> str | None:
    """Send one report; return its id where it was accepted, None where the answer was another or none."""
    body = {
        "service": "faults",
        "text": f"{SYMPTOMS[number % len(SYMPTOMS)]} {number}",
        "region": ("DE-BY", "FR", "US-CA", "")[number % 4],
        "reporter": f"reporter-{number}",
    }
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        connection.request("POST", "/api/v1/reports", json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return json.loads(content)["id"] if answer.status == 202 else None
    except (OSError, http.client.HTTPException, ValueError):
        return None


def kill(process: subprocess.Popen[str], word: str) -> int:
    """Kill the first descendant whose command line has the word; return its process id, 0 where there is none."""
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            if word in " ".join(child.cmdline()):
                child.kill()
                return child.pid
        except psutil.NoSuchProcess:
            continue
    return 0


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
            " (SELECT count(*) FROM reports_intakebatch WHERE clustered_at IS NULL)",
            {"ids": accepted},
        ).fetchone()
        assert row is not None
    names = ("stored", "placed", "all_stored", "all_placed", "counted", "counted_reporters", "batches_waiting")
    return {name: int(value) for name, value in zip(names, row, strict=True)}


def measure(port: int, rate: int, seconds: int) -> dict[str, object]:
    """Run the trial and return its figures."""
    with tempfile.TemporaryDirectory(prefix="outcry-faults-") as folder, installation(folder, port) as process:
        key = manage(folder, "create_api_key", "faults", "--scope", "intake", "--scope", "manage").split()[-1]
        manage(folder, "shell", "-v", "0", "-c", _MAKE_SERVICE)
        time.sleep(1)
        kills = {
            seconds * (place + 1) / 5: word
            for place, word in enumerate(("-A feedback worker", "valkey-server", "granian"))
        }
        killed: dict[str, int] = {}
        accepted: list[str] = []
        n_sent = 0
        start = time.monotonic()
        with ThreadPoolExecutor(SENDERS) as senders:
            answers = []
            while (now := time.monotonic() - start) < seconds:
                for moment in [moment for moment in kills if moment <= now]:
                    word = kills.pop(moment)
                    killed[word] = kill(process, word)
                while n_sent < now * rate:
                    answers.append(senders.submit(send, port, key, n_sent))
                    n_sent += 1
                time.sleep(0.005)
            accepted = [found for answer in answers if (found := answer.result()) is not None]
        deadline = time.monotonic() + GONE_SECONDS
        finished = time.monotonic()
        while (found := count(folder, accepted))["batches_waiting"] and time.monotonic() < deadline:
            time.sleep(0.5)
        return {
            "sent": n_sent,
            "accepted": len(accepted),
            "killed": sorted(word for word, pid in killed.items() if pid),
            **found,
            "lost": len(accepted) - found["stored"],
            "double_counted": found["counted"] - found["all_stored"],
            "seconds_until_all_placed": round(time.monotonic() - finished, 1),
        }


_MAKE_SERVICE = (
    "from reports.models import Service; from django.utils import timezone;"
    " Service.objects.create(slug='faults', name='Faults', created_at=timezone.now())"
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rate", type=int, default=100, help="reports a second")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--port", type=int, default=8199)
    options = parser.parse_args()
    figures = measure(options.port, options.rate, options.seconds)
    print(json.dumps(figures) if options.json else "\n".join(f"{name}: {value}" for name, value in figures.items()))
    is_sound = figures["lost"] == 0 and figures["double_counted"] == 0 and figures["placed"] == figures["accepted"]
    return 0 if is_sound else 1


if __name__ == "__main__":
    raise SystemExit(main())
