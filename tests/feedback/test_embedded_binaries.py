"""Which Postgres and which Valkey are taken."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from feedback.embedded import binaries
from feedback.embedded.errors import BinaryMissing


@pytest.fixture(autouse=True)
def _forget_what_was_found() -> Iterator[None]:
    binaries.find_binaries.cache_clear()
    binaries.find_valkey.cache_clear()
    yield
    binaries.find_binaries.cache_clear()
    binaries.find_valkey.cache_clear()


def program(folder: Path, name: str, *, says: str) -> Path:
    made = folder / name
    made.write_text(f"#!{sys.executable} -ISE\nprint({says!r})\n")
    made.chmod(0o755)
    return made


def test_the_named_folder_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "postgres", says="postgres (PostgreSQL) 17.2")
    program(tmp_path, "initdb", says="")
    monkeypatch.setenv("POSTGRES_BIN_DIR", str(tmp_path))

    found = binaries.find_binaries()

    assert (found.folder, found.major) == (tmp_path, 17)


def test_a_named_folder_without_postgres_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_BIN_DIR", str(tmp_path))

    with pytest.raises(BinaryMissing, match=r"POSTGRES_BIN_DIR=.*there is no postgres"):
        binaries.find_binaries()


def test_a_named_postgres_that_is_too_old_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "postgres", says="postgres (PostgreSQL) 13.9")
    program(tmp_path, "initdb", says="")
    monkeypatch.setenv("POSTGRES_BIN_DIR", str(tmp_path))

    with pytest.raises(BinaryMissing, match="it is version 13"):
        binaries.find_binaries()


def test_when_there_is_no_postgres_each_place_and_the_remedy_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "_postgres_folders", lambda _environ: iter([(tmp_path, False)]))

    with pytest.raises(BinaryMissing) as caught:
        binaries.find_binaries()

    assert str(tmp_path) in str(caught.value)
    assert "make install" in str(caught.value)


def test_the_wheel_brings_a_postgres_new_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POSTGRES_BIN_DIR", raising=False)

    assert binaries.find_binaries().major >= binaries.POSTGRES_MIN_MAJOR


def test_a_redis_may_serve_as_the_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = program(tmp_path, "redis-server", says="Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc")
    monkeypatch.setenv("VALKEY_SERVER_BIN", str(named))

    assert binaries.find_valkey() == str(named)


def test_a_broker_that_is_too_old_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = program(tmp_path, "redis-server", says="Redis server v=5.0.3 sha=00000000:0")
    monkeypatch.setenv("VALKEY_SERVER_BIN", str(named))

    with pytest.raises(BinaryMissing, match=r"it is version 5\.0"):
        binaries.find_valkey()
