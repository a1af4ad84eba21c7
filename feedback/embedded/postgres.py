"""A Postgres of our own: made by initdb once, configured anew at each start, reachable by one private unix socket.

Invariant: durable (fsync and synchronous commit stay on) except for `scratch()`; no network; trust instead of passwords
only because the socket's folder has mode 0700. `postgresql.conf` and `pg_hba.conf` are ours and overwritten at each
start; an operator's own settings live in `postgresql.auto.conf` (ALTER SYSTEM). Not here: restarts, schema.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from feedback.embedded import identity, launching, paths
from feedback.embedded.binaries import PostgresBinaries, find_binaries
from feedback.embedded.errors import NoRoom, StartFailed
from feedback.embedded.scratch_dir import scratch_dir

READY_SECONDS = 60.0  # crash recovery after a power cut reads up to max_wal_size of log
_STOP_SECONDS = 8.0

_HBA = """\
# Written at each start. The socket lies in a folder of mode 0700: whoever gets here is the owner.
local all all trust
"""

_COMMON = {
    "listen_addresses": "''",
    "port": str(paths.POSTGRES_PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "jit": "off",  # queries are short; planning must not cost milliseconds
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "log_checkpoints": "off",
    "log_line_prefix": "'%m [%p] '",
    # A statement that fails, and the detail of why, may hold a reporter's words or address (a full disk while a contact
    # is stored). What went wrong is still told.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "wal_compression": "on"}
_THROW_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "64MB",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """One data directory with the socket folder and the programs that serve it."""

    folder: Path
    socket_dir: Path
    binaries: PostgresBinaries
    durable: bool = True

    @property
    def run_as(self) -> str:
        return launching.unprivileged_identity(self.folder)

    def command(self) -> list[str]:
        """The postmaster's command line."""
        return [self.binaries.postgres, "-D", str(self.folder)]


@dataclass(frozen=True, slots=True)
class ScratchServer:
    """How to reach a throw-away server."""

    host: str
    user: str
    dbname: str

    @property
    def url(self) -> str:
        """The same as an address that DATABASE_URL and libpq understand."""
        return f"postgresql://{self.user}@/{self.dbname}?host={quote(self.host)}&port={paths.POSTGRES_PORT}"


def embedded_cluster(data_dir: Path) -> Cluster:
    """The installation's own cluster below DATA_DIR; touches nothing."""
    return Cluster(paths.postgres_dir(data_dir), paths.postgres_socket_dir(data_dir), find_binaries())


def prepare(cluster: Cluster, *, log: Path) -> None:
    """Make the data directory if there is none, and write its configuration.

    Raises StartFailed for a directory of another major version or a failing initdb, NoRoom for a full disk.
    """
    kept = cluster.folder / "PG_VERSION"
    if not kept.exists():
        _initdb(cluster, log=log)
    elif (major := kept.read_text().strip()) != str(cluster.binaries.major):
        raise StartFailed(
            f"{cluster.folder} was made by Postgres {major}, but the one found here is {cluster.binaries.major} "
            f"({cluster.binaries.folder}). Name a folder with version {major} in POSTGRES_BIN_DIR, or dump and restore."
        )
    launching.give_to(cluster.run_as, cluster.socket_dir)
    settings = {**_COMMON, **(_DURABLE if cluster.durable else _THROW_AWAY)}
    settings["unix_socket_directories"] = "'" + str(cluster.socket_dir).replace("'", "''") + "'"
    lines = ["# Written at each start; put settings of your own into postgresql.auto.conf by ALTER SYSTEM."]
    lines += [f"{name} = {value}" for name, value in settings.items()]
    _replace(cluster.folder / "postgresql.conf", "\n".join(lines) + "\n")
    _replace(cluster.folder / "pg_hba.conf", _HBA)


def clear_leftovers(cluster: Cluster) -> str | None:
    """End a server that a killed supervisor left in this directory and remove stale files; return what was done.

    Only to be called by the holder of DATA_DIR's lock.
    """
    done = None
    pid_file = cluster.folder / "postmaster.pid"
    if pid_file.exists():
        pid = _first_number(pid_file)
        if pid is not None and _serves(pid, cluster):
            identity.end(pid, first=signal.SIGINT, wait_seconds=_STOP_SECONDS)  # fast shutdown
            done = f"ended the Postgres of an earlier run (pid {pid})"
        elif pid is not None and identity.started(pid) is not None:
            # Postgres itself would refuse: the number is alive, though it is another program's by now.
            pid_file.unlink(missing_ok=True)
            done = f"removed a stale {pid_file.name}"
    for stale in cluster.socket_dir.glob(f".s.PGSQL.{paths.POSTGRES_PORT}*"):
        stale.unlink(missing_ok=True)
    return done


def is_ready(cluster: Cluster, *, dbname: str = "postgres") -> bool:
    """Whether the server answers a connection now."""
    try:
        _connect(cluster, dbname).close()
    except psycopg.OperationalError:
        return False
    return True


def create_database(cluster: Cluster) -> None:
    """Make the installation's database unless it is there."""
    with _connect(cluster, "postgres") as connection:
        row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [paths.POSTGRES_DATABASE]).fetchone()
        if row is None:
            connection.execute(f'CREATE DATABASE "{paths.POSTGRES_DATABASE}"')


@contextmanager
def scratch() -> Iterator[ScratchServer]:
    """A throw-away server with an empty database, several at once if wanted; nothing is left, not even after Ctrl-C.

    Call it from a thread that outlives it (see `launching`). Raises StartFailed with the end of the log.
    """
    with scratch_dir() as home:
        cluster = Cluster(home / "postgres", home, find_binaries(), durable=False)
        log = home / "postgres.log"
        prepare(cluster, log=log)
        with log.open("ab") as sink:
            server = launching.spawn(
                cluster.command(),
                log=sink,
                environ=server_environ(os.environ),
                working_dir=home,
                death_signal=signal.SIGQUIT,
                run_as=cluster.run_as,
            )
        try:
            _wait_until_ready(cluster, server, log)
            create_database(cluster)
            yield ScratchServer(str(home), paths.POSTGRES_USER, paths.POSTGRES_DATABASE)
        finally:
            _stop_now(server)


def server_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without libpq's variables, which would bend the server and its tools."""
    return {name: value for name, value in environ.items() if not name.startswith("PG")}


def explain_failure(log_tail: str) -> type[StartFailed] | type[NoRoom]:
    """The kind of error that a log's end speaks of."""
    return NoRoom if "No space left on device" in log_tail or "Disk quota exceeded" in log_tail else StartFailed


def _initdb(cluster: Cluster, *, log: Path) -> None:
    # A half-made directory of an interrupted start has no PG_VERSION or was built beside: initdb wants an empty one.
    making = cluster.folder.with_name(cluster.folder.name + ".making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    run_as = launching.unprivileged_identity(making)
    launching.give_to(run_as, making)
    arguments = [f"--username={paths.POSTGRES_USER}", "--auth=trust", "--encoding=UTF8", "--no-instructions"]
    if cluster.binaries.major >= 17:
        # Postgres's own C.UTF-8 sorts alike on every system and every version of its C library (and macOS has none).
        arguments += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    else:
        arguments += ["--locale=C" if sys.platform == "darwin" else "--locale=C.UTF-8"]
    if cluster.durable:
        arguments += ["--data-checksums"]
    else:
        arguments += ["--no-sync", *(["--no-data-checksums"] if cluster.binaries.major >= 18 else [])]
    with log.open("ab") as sink:
        made = subprocess.run(  # noqa: S603 - a program found by `binaries`
            launching.wrapped(
                [cluster.binaries.initdb, "-D", str(making), *arguments], death_signal=signal.SIGKILL, run_as=run_as
            ),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=server_environ(os.environ),
            cwd=making,
            start_new_session=True,
            check=False,
        )
    if made.returncode != 0:
        tail = log.read_text(errors="replace")[-2000:]
        raise explain_failure(tail)(f"initdb failed for {cluster.folder}:\n{tail}")
    making.rename(cluster.folder)


def _wait_until_ready(cluster: Cluster, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not is_ready(cluster):
        if server.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-2000:]
            raise explain_failure(tail)(f"A throw-away Postgres in {cluster.folder} did not start:\n{tail}")
        time.sleep(0.02)


def _stop_now(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGQUIT)  # immediate: the data is thrown away
    try:
        server.wait(timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _serves(pid: int, cluster: Cluster) -> bool:
    """Whether `pid` is a postmaster of this very directory (it works inside it, and says so in its arguments)."""
    folder = identity.working_dir(pid)
    return folder == cluster.folder or f"-D {cluster.folder}" in identity.command_line(pid)


def _connect(cluster: Cluster, dbname: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=str(cluster.socket_dir),
        port=paths.POSTGRES_PORT,
        user=paths.POSTGRES_USER,
        dbname=dbname,
        connect_timeout=3,
        autocommit=True,
    )


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all, for the owner of its folder; not if it says so already (a disk may be full)."""
    if path.exists() and path.read_text() == text:
        return
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.chmod(0o600)
    folder = path.parent.stat()
    if folder.st_uid != os.geteuid():
        os.chown(new, folder.st_uid, folder.st_gid)
    new.replace(path)


def _first_number(path: Path) -> int | None:
    try:
        return int(path.read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None
