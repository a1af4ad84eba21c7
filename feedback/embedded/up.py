"""What `make run` does, from the first check to the last goodbye.

Invariant: everything that can be refused is refused before anything starts, in one paragraph with a remedy; whatever
was started is stopped again on every way out. Django is not loaded here: this program is small and quick to speak.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from feedback.embedded import paths, ports, postgres, programs, room
from feedback.embedded.errors import CannotStart
from feedback.embedded.ledger import DataDirLock, Ledger
from feedback.embedded.supervisor import StopRequested, Supervisor
from feedback.embedded.terminal import foreground


def main() -> int:
    """Run until Ctrl-C; return the exit code."""
    try:
        with foreground():
            return run(data_dir=paths.data_dir(), say=_say)
    except CannotStart as refusal:
        _say(f"\nOutcry can't start. {refusal}", to_error=True)
        return refusal.exit_code


def run(*, data_dir: Path, say: Callable[[str], None]) -> int:
    """Start everything on `data_dir`, look after it, stop it. Raises CannotStart."""
    started_at = time.monotonic()
    host, port = ports.address(os.environ)
    room.require_room(data_dir)
    say(f"Outcry: data in {data_dir}")
    with DataDirLock(data_dir) as lock:
        ledger = Ledger(data_dir)
        for line in ledger.end_leftovers():
            say(line)
        ports.require_free(host, port)
        # What Make tells its children is not meant for programs that run for weeks.
        environ = {
            name: value for name, value in os.environ.items() if name not in {"MAKELEVEL", "MAKEFLAGS", "MFLAGS"}
        }
        environ |= {"DATA_DIR": str(data_dir), "HOST": host, "PORT": str(port), "PYTHONUNBUFFERED": "1"}
        supervisor = Supervisor(
            logs_dir=paths.logs_dir(data_dir),
            working_dir=paths.CHECKOUT,
            environ=environ,
            ledger=ledger,
            say=say,
            rng=random.Random(),  # noqa: S311 - jitter
        )
        _listen(supervisor.request_stop)
        try:
            credentials = _start_all(supervisor, data_dir=data_dir, host=host, port=port)
            say(_welcome(ports.browser_url(host, port), credentials, data_dir, time.monotonic() - started_at))
            supervisor.watch(until=_parent_is_gone())
        except StopRequested:
            pass
        finally:
            lock.announce_stop()
            say("\nStopping (Ctrl-C again forces it)")
            stop_began = time.monotonic()
            supervisor.stop(order=programs.STOP_ORDER)
            say(f"Stopped in {time.monotonic() - stop_began:.1f} s.")
    return 0


def _start_all(supervisor: Supervisor, *, data_dir: Path, host: str, port: int) -> str:
    """Start the programs in order; return the credentials that were made, if this is the first start."""
    embedded = []
    if not os.environ.get("REDIS_URL"):
        supervisor.start(programs.embedded_valkey(data_dir))
        embedded.append("valkey")
    if not os.environ.get("DATABASE_URL"):
        supervisor.start(programs.embedded_postgres(data_dir))
        embedded.append("postgres")
    supervisor.wait_until_ready(*embedded)
    if "postgres" in embedded:
        postgres.create_database(postgres.embedded_cluster(data_dir))
    printed = supervisor.run_to_end("schema", programs.schema_command())
    supervisor.start(programs.web(host, port))
    supervisor.start(programs.worker())
    supervisor.start(programs.beat(data_dir))
    supervisor.wait_until_ready("web")
    return printed


def _welcome(url: str, printed: str, data_dir: Path, seconds: float) -> str:
    lines = ["", f"Outcry is ready at {url}  ({seconds:.1f} s)"]
    for line in printed.splitlines():
        words = line.split()
        if words[:1] == ["staff"] and len(words) == 3:
            lines += [
                f"Staff sign-in: {words[1]}  password: {words[2]}",
                "(shown this once; change it after signing in)",
            ]
    lines += [f"Logs: {paths.logs_dir(data_dir)}", "Stop: Ctrl-C"]
    return "\n".join(lines)


def _listen(request_stop: Callable[..., None]) -> None:
    """Stop on Ctrl-C and `kill` (also where a script's `&` made us ignore them), on hang-up unless under nohup."""
    signal.signal(signal.SIGINT, request_stop)
    signal.signal(signal.SIGTERM, request_stop)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, request_stop)


def _parent_is_gone() -> Callable[[], bool]:
    """When Make started us and is killed, nobody could stop us from the terminal any more: then stop by ourselves."""
    parent = os.getppid()
    under_make = "MAKELEVEL" in os.environ
    return lambda: under_make and os.getppid() != parent


def _say(line: str, *, to_error: bool = False) -> None:
    with suppress(OSError):  # the terminal may be gone while we stop
        print(line, file=sys.stderr if to_error else sys.stdout, flush=True)
