"""The programs of one installation and how each is started: the one place for their command lines.

Invariant: web, worker and beat have one command line each, made here. Not here: when they start and stop (`up.py`), nor
how (`supervisor.py`).
"""

import http.client
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from feedback.embedded import paths, ports, postgres, valkey
from feedback.embedded.errors import CannotStart
from feedback.embedded.supervisor import Program

# Ranks of the stop: the first stops taking reports in, the last holds them. Names in a rank stop together.
STOP_ORDER = ("web beat", "worker", "valkey postgres")

_PROBE_SECONDS = 2.0
MAX_CONCURRENCY = 64
# Granian takes no connection beyond this, and an idle one counts: at its own 1,024, so many open pages shut everyone
# else out for as long as browsers keep them.
MAX_CONNECTIONS = 8192


def web_command(host: str, port: int) -> list[str]:
    """One ASGI server on one port; one process, since each keeps a group-commit writer of its own."""
    return [
        *(sys.executable, "-m", "granian", "feedback.asgi:application"),
        *("--interface", "asgi", "--host", host, "--port", str(port), "--workers", "1"),
        *("--backpressure", str(MAX_CONNECTIONS)),
        *("--no-ws", "--workers-kill-timeout", "2", "--log-level", "warning"),
    ]


def worker_command(*, concurrency: int) -> list[str]:
    """The background worker. Gossip and mingle talk to other workers, of which a small installation has none."""
    return [
        *(sys.executable, "-m", "celery", "-A", "feedback", "worker", "--pool", "prefork"),
        *("--concurrency", str(concurrency), "--without-gossip", "--without-mingle", "--loglevel", "INFO"),
    ]


def beat_command(schedule: Path) -> list[str]:
    """The clock: exactly one an installation."""
    return [
        *(sys.executable, "-m", "celery", "-A", "feedback", "beat"),
        *("--schedule", str(schedule), "--pidfile", "", "--loglevel", "INFO"),
    ]


def schema_command() -> list[str]:
    """Brings the tables up to date and fills in what must be there; harmless to run again."""
    return [sys.executable, "-m", "feedback.embedded.schema"]


def embedded_postgres(data_dir: Path) -> Program:
    """The database, with crash recovery at each start."""
    cluster = postgres.embedded_cluster(data_dir)
    log = paths.logs_dir(data_dir) / "postgres.log"

    def before_start() -> None:
        postgres.clear_leftovers(cluster)
        postgres.prepare(cluster, log=log)

    before_start()  # the folder must exist before it can be told who serves it
    return Program(
        name="postgres",
        command=cluster.command(),
        ready=lambda: postgres.is_ready(cluster),
        ready_seconds=postgres.READY_SECONDS,
        before_start=before_start,
        run_as=cluster.run_as,
        stop_signal=signal.SIGINT,  # "fast": ends connections, writes a checkpoint
        stop_seconds=5.0,
        force_signal=signal.SIGQUIT,  # "immediate": recovers at the next start
        death_signal=signal.SIGINT,
    )


def embedded_valkey(data_dir: Path) -> Program:
    """The broker."""
    broker = valkey.embedded_broker(data_dir)
    return Program(
        name="valkey",
        command=broker.command(),
        ready=lambda: valkey.is_ready(broker),
        ready_seconds=valkey.READY_SECONDS,
        stop_seconds=3.0,
    )


def web(host: str, port: int, environ: Mapping[str, str] = os.environ) -> Program:
    """The web server. `/readyz` is not asked here: after a long pause it may rightly be behind its promise."""
    return Program(
        name="web",
        command=web_command(host, port),
        ready=lambda: answers(host, port, "/healthz", environ),
        ready_seconds=30.0,
        stop_seconds=2.5,
    )


def worker(environ: Mapping[str, str] = os.environ) -> Program:
    """The background worker; a warm stop finishes the tasks at hand, SIGQUIT gives them back to the queue."""
    concurrency = environ.get("WORKER_CONCURRENCY", "").strip() or "2"
    if not (concurrency.isdecimal() and 1 <= int(concurrency) <= MAX_CONCURRENCY):
        raise CannotStart(f"WORKER_CONCURRENCY={concurrency!r} is no whole number from 1 to {MAX_CONCURRENCY}.")
    return Program(
        name="worker",
        command=worker_command(concurrency=int(concurrency)),
        stop_seconds=4.0,
        force_signal=signal.SIGKILL,
        death_signal=signal.SIGQUIT,  # its database is on its way out too
    )


def beat(data_dir: Path) -> Program:
    """The clock of the background work."""
    return Program(name="beat", command=beat_command(paths.run_dir(data_dir) / "celerybeat-schedule"), stop_seconds=2.0)


def answers(host: str, port: int, path: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the web server answers `path` with 200."""
    allowed = environ.get("ALLOWED_HOSTS", "").split(",")[0].strip().lstrip(".")
    connection = http.client.HTTPConnection(ports.probe_host(host), port, timeout=_PROBE_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": allowed if allowed not in {"", "*"} else "localhost"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
