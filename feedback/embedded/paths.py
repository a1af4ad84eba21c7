"""Where the embedded services keep their files and sockets, as a function of DATA_DIR alone.

Invariant: every program of one installation computes the same answers, so settings, supervisor and commands agree
without passing anything around. Only the standard library, and nothing is created here: it is imported by the settings.
"""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent

POSTGRES_PORT = 5432  # names the socket file only; nothing listens on the network
POSTGRES_USER = "outcry"
POSTGRES_DATABASE = "outcry"

# sockaddr_un.sun_path holds 108 bytes on Linux and 104 on macOS, with a final zero; Postgres also writes
# `<socket>.lock` and, for a moment, names of its own. 100 leaves a margin on both.
SOCKET_PATH_LIMIT_BYTES = 100
_LONGEST_SOCKET_NAME = f".s.PGSQL.{POSTGRES_PORT}"


def data_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder that holds all state: DATA_DIR, else `.data` in the checkout; absolute."""
    configured = environ.get("DATA_DIR", "").strip()
    if not configured:
        return CHECKOUT / ".data"
    return Path(os.path.abspath(Path(configured).expanduser()))  # noqa: PTH100 - resolve() would follow symlinks


def socket_dir(data_dir: Path) -> Path:
    """The private folder of unix sockets: `DATA_DIR/sockets`, or a short temporary one if that is too long."""
    wanted = data_dir / "sockets"
    if _fits(wanted):
        return wanted
    name = "outcry-" + hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / name
    return short if _fits(short) else Path("/tmp") / name  # noqa: S108 - the launcher insists on 0700 and our own uid


def postgres_socket_dir(data_dir: Path) -> Path:
    """What Django's HOST and libpq's `host` must be."""
    return socket_dir(data_dir)


def valkey_socket(data_dir: Path) -> Path:
    """The unix socket of the embedded broker."""
    return socket_dir(data_dir) / "valkey.sock"


def postgres_dir(data_dir: Path) -> Path:
    """Postgres's own data directory."""
    return data_dir / "postgres"


def valkey_dir(data_dir: Path) -> Path:
    """Where the broker keeps its append-only file."""
    return data_dir / "valkey"


def run_dir(data_dir: Path) -> Path:
    """Lock, ledger of running programs, beat's schedule: everything that a restart may throw away."""
    return data_dir / "run"


def logs_dir(data_dir: Path) -> Path:
    """One log a program."""
    return data_dir / "logs"


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / _LONGEST_SOCKET_NAME)) <= SOCKET_PATH_LIMIT_BYTES
