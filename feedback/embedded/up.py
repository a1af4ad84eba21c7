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

READYZ_SECONDS = 10.0


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
        if not os.environ.get("DATABASE_URL"):
            environ = postgres.server_environ(environ)  # a PGPORT in the shell must not lead Django elsewhere
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
            credentials = _start_all(supervisor, data_dir=data_dir, host=host, port=port, say=say)
            say(_welcome(ports.browser_url(host, port), credentials, data_dir, time.monotonic() - started_at))
            supervisor.watch(until=_parent_is_gone(), now_and_then=room.shortage_warner(data_dir, say=say))
        except StopRequested:
            pass
        finally:
            lock.announce_stop()
            say("\nStopping (Ctrl-C again forces it)")
            stop_began = time.monotonic()
            supervisor.stop(order=programs.STOP_ORDER)
            if paths.socket_dir(data_dir).parent != data_dir:
                with suppress(OSError):  # in the shared temp folder nothing of ours shall stay
                    paths.socket_dir(data_dir).rmdir()
            say(f"Stopped in {time.monotonic() - stop_began:.1f} s.")
    return 0


def _start_all(supervisor: Supervisor, *, data_dir: Path, host: str, port: int, say: Callable[[str], None]) -> str:
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
    credentials = _credentials(supervisor.run_to_end("schema", programs.schema_command()))
    try:
        supervisor.start(programs.web(host, port))
        supervisor.start(programs.worker())
        supervisor.start(programs.beat(data_dir))
        supervisor.wait_until_ready("web")
        _wait_for_readyz(supervisor, host=host, port=port, say=say)
    except BaseException:
        if credentials:  # they are made once; the next start could not show them
            say(credentials)
        raise
    return credentials


def _wait_for_readyz(supervisor: Supervisor, *, host: str, port: int, say: Callable[[str], None]) -> None:
    """Give the stages a moment to catch up; a backlog is a reason for a word, not for refusing to start."""
    deadline = time.monotonic() + READYZ_SECONDS
    is_ready = False

    def settled() -> bool:
        nonlocal is_ready
        is_ready = programs.answers(host, port, "/readyz")
        return is_ready or time.monotonic() > deadline

    supervisor.watch(until=settled)
    supervisor.raise_if_stopped()
    if not is_ready:
        say(f"web answers, but not all is in order yet: {ports.browser_url(host, port)}readyz names what is missing")


def _credentials(printed: str) -> str:
    """What `manage.py prepare` printed, for people; empty unless it has just made the first account."""
    lines = [line.split() for line in printed.splitlines()]
    accounts = [words[1:] for words in lines if words[:1] == ["staff"] and len(words) == 3]
    return "".join(f"Staff sign-in: {user}  password: {password}  (shown only now)\n" for user, password in accounts)


def _welcome(url: str, credentials: str, data_dir: Path, seconds: float) -> str:
    return f"\nOutcry is ready at {url}  ({seconds:.1f} s)\n{credentials}Logs: {paths.logs_dir(data_dir)}\nStop: Ctrl-C"


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
