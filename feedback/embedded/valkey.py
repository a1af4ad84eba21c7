"""A Valkey of our own as broker: one private unix socket, an append-only file synced each second.

Invariant: nothing in it is the only copy of anything, so losing its last second is harmless; it never listens on the
network. Not here: restarts (supervisor).
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from feedback.embedded import launching, paths
from feedback.embedded.binaries import find_valkey
from feedback.embedded.errors import StartFailed
from feedback.embedded.scratch_dir import scratch_dir

READY_SECONDS = 30.0
_NO_RETRY = Retry(NoBackoff(), 0)


@dataclass(frozen=True, slots=True)
class Broker:
    """One folder with the socket and the program that serve it."""

    folder: Path
    socket: Path
    program: str
    durable: bool = True

    def command(self) -> list[str]:
        """The server's command line; there is no configuration file."""
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "daemonize": "no",
            "save": "",
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",  # a broker that forgets tasks silently would be worse than a full one
            "loglevel": "notice",
        }
        return [self.program, *(word for name, value in settings.items() for word in (f"--{name}", value))]


@dataclass(frozen=True, slots=True)
class ScratchBroker:
    """How to reach a throw-away broker."""

    socket: str

    @property
    def url(self) -> str:
        """The same as an address that REDIS_URL and redis-py understand."""
        return f"unix://{self.socket}"


def embedded_broker(data_dir: Path) -> Broker:
    """The installation's own broker below DATA_DIR; touches nothing."""
    return Broker(paths.valkey_dir(data_dir), paths.valkey_socket(data_dir), find_valkey())


def is_ready(broker: Broker) -> bool:
    """Whether the server answers now; not while it still reads its file."""
    client = redis.Redis(
        unix_socket_path=str(broker.socket), socket_timeout=2, socket_connect_timeout=2, retry=_NO_RETRY
    )
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


@contextmanager
def scratch() -> Iterator[ScratchBroker]:
    """A throw-away broker; call it from a thread that outlives it. Raises StartFailed with the end of the log."""
    with scratch_dir() as home:
        broker = Broker(home, home / "valkey.sock", find_valkey(), durable=False)
        log = home / "valkey.log"
        with log.open("ab") as sink:
            server = launching.spawn(
                [*broker.command(), "--pidfile", str(home / "valkey.pid")],
                log=sink,
                environ=os.environ,
                working_dir=home,
            )
        try:
            deadline = time.monotonic() + READY_SECONDS
            while not is_ready(broker):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise StartFailed(f"A throw-away Valkey did not start:\n{log.read_text(errors='replace')[-2000:]}")
                time.sleep(0.02)
            yield ScratchBroker(str(broker.socket))
        finally:
            server.kill()
            server.wait()
