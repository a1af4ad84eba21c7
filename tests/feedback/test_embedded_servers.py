"""Real servers: they start, answer, leave nothing behind, and get over what a crash leaves behind."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import redis

from feedback.embedded import binaries, identity, launching, postgres, scratch_dir, valkey
from feedback.embedded.errors import StartFailed

pytestmark = pytest.mark.slow


def cluster_in(folder: Path) -> postgres.Cluster:
    sockets = folder / "sockets"
    sockets.mkdir()
    made = postgres.Cluster(folder / "postgres", sockets, binaries.find_binaries())
    postgres.prepare(made, log=folder / "log")
    return made


def test_scratch_servers_run_side_by_side_and_leave_nothing() -> None:
    with postgres.scratch() as one, postgres.scratch() as other:
        with psycopg.connect(one.url) as connection:
            connection.execute("CREATE TABLE only_here ()")
        with psycopg.connect(other.url) as connection:
            row = connection.execute("SELECT to_regclass('only_here')").fetchone()

    assert row == (None,)
    assert not Path(one.host).exists()
    assert not Path(other.host).exists()


def test_a_scratch_server_sorts_by_code_point_on_every_system() -> None:
    with postgres.scratch() as server, psycopg.connect(server.url) as connection:
        row = connection.execute("SELECT 'Z' < 'a', 'é' > 'z', upper('ä')").fetchone()

    assert row == (True, True, "Ä")


def test_its_log_tells_what_failed_and_nothing_of_what_was_stored() -> None:
    with postgres.scratch() as server, psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE contact (address text CHECK (address = ''))")
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("INSERT INTO contact VALUES ('ada@example.org')")

        log = (Path(server.host) / "postgres.log").read_text()

    assert "violates check constraint" in log
    assert "ada@example.org" not in log


def test_a_scratch_server_is_gone_after_an_exception() -> None:
    def fail_inside() -> None:
        with postgres.scratch() as server:
            seen.append(Path(server.host))
            raise KeyboardInterrupt

    seen: list[Path] = []

    with pytest.raises(KeyboardInterrupt):
        fail_inside()

    assert not seen[0].exists()


def test_a_scratch_server_ends_with_its_killed_maker_and_is_swept_away_later() -> None:
    code = (
        "from feedback.embedded import postgres; import os, signal\n"
        "with postgres.scratch() as server:\n"
        "    print(server.host, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    maker = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    folder = Path(maker.stdout.strip())
    os.utime(folder, (0, 0))

    scratch_dir.sweep()

    assert not folder.exists()


def test_postgres_runs_without_root_when_user_namespaces_are_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launching, "namespaces_work", lambda: False)

    with postgres.scratch() as server, psycopg.connect(server.url) as connection:
        row = connection.execute("SELECT 1").fetchone()

    assert row == (1,)


def test_a_scratch_broker_answers() -> None:
    with valkey.scratch() as server:
        client = redis.Redis.from_url(server.url)
        answer = client.ping()
        client.close()

    assert answer is True
    assert not Path(server.socket).exists()


def test_a_stale_pid_file_that_names_a_living_stranger_is_removed(tmp_path: Path) -> None:
    cluster = cluster_in(tmp_path)
    (cluster.folder / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster.folder}\n")

    done = postgres.clear_leftovers(cluster)

    assert done == "removed a stale postmaster.pid"
    assert identity.started(os.getpid()) is not None
    assert not (cluster.folder / "postmaster.pid").exists()


def test_stale_socket_files_are_removed(tmp_path: Path) -> None:
    cluster = cluster_in(tmp_path)
    for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        (cluster.socket_dir / name).write_text("1\n")

    postgres.clear_leftovers(cluster)

    assert list(cluster.socket_dir.iterdir()) == []


def test_an_orphaned_server_of_this_folder_is_stopped(tmp_path: Path) -> None:
    cluster = cluster_in(tmp_path)
    with (tmp_path / "log").open("ab") as log:
        orphan = launching.spawn(
            cluster.command(), log=log, environ=os.environ, working_dir=tmp_path, run_as=cluster.run_as
        )
    while not postgres.is_ready(cluster):
        assert orphan.poll() is None

    done = postgres.clear_leftovers(cluster)

    assert done == f"ended the Postgres of an earlier run (pid {orphan.pid})"
    assert orphan.wait() == 0


def test_a_folder_of_another_major_version_is_refused_with_the_remedy(tmp_path: Path) -> None:
    cluster = cluster_in(tmp_path)
    newer = replace(cluster, binaries=replace(cluster.binaries, major=99))

    with pytest.raises(StartFailed, match="POSTGRES_BIN_DIR"):
        postgres.prepare(newer, log=tmp_path / "log")


def test_an_interrupted_initdb_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "postgres.making").mkdir()
    (tmp_path / "postgres.making" / "half").write_text("")

    cluster = cluster_in(tmp_path)

    assert (cluster.folder / "PG_VERSION").exists()


def test_the_installation_s_cluster_is_durable_and_silent_on_the_network(tmp_path: Path) -> None:
    cluster = cluster_in(tmp_path)

    written = (cluster.folder / "postgresql.conf").read_text()

    assert "fsync = on" in written
    assert "synchronous_commit = on" in written
    assert "listen_addresses = ''" in written
