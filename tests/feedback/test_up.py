"""`up` as a whole, with real servers and stand-ins for Django's programs: start, refusal, crash, stop."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from feedback.embedded import identity, paths

pytestmark = pytest.mark.slow

STAND_INS = Path(__file__).with_name("stand_ins.py")
PATIENCE_SECONDS = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environ(data_dir: Path, port: int) -> dict[str, str]:
    configured = {"DATABASE_URL", "REDIS_URL", "HOST", "MAKELEVEL"}
    own = {name: value for name, value in os.environ.items() if name not in configured}
    return own | {"DATA_DIR": str(data_dir), "PORT": str(port)}


@contextmanager
def outcry(data_dir: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """A running `up`, ended at the end whatever happened; its output goes to `<data_dir>.out`."""
    with Path(f"{data_dir}.out").open("a") as out:
        running = subprocess.Popen(
            [sys.executable, str(STAND_INS)], env=environ(data_dir, port), stdout=out, stderr=subprocess.STDOUT
        )
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGINT)
        running.wait(timeout=PATIENCE_SECONDS)


def said(data_dir: Path) -> str:
    return Path(f"{data_dir}.out").read_text()


def wait_for(condition: Callable[[], bool], running: subprocess.Popen[str] | None = None) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        assert running is None or running.poll() is None, "it ended"
        time.sleep(0.05)


def wait_until_up(data_dir: Path, running: subprocess.Popen[str], *, times: int = 1) -> None:
    wait_for(lambda: said(data_dir).count("Outcry is ready at") == times, running)


def pids(data_dir: Path) -> dict[str, int]:
    kept = json.loads((paths.run_dir(data_dir) / "running.json").read_text())
    return {entry["name"]: entry["pid"] for entry in kept["programs"]}


def answer(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as response:
            return str(response.read().decode())
    except OSError:
        return ""


def run_briefly(data_dir: Path, port: int) -> subprocess.CompletedProcess[str]:
    """An `up` that is expected to refuse."""
    return subprocess.run(
        [sys.executable, str(STAND_INS)],
        env=environ(data_dir, port),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_it_ends_with_the_address_the_credentials_the_logs_and_how_to_stop(tmp_path: Path) -> None:
    data_dir, port = tmp_path / "data", free_port()

    with outcry(data_dir, port) as running:
        wait_until_up(data_dir, running)
        wait_for(lambda: "Stop: Ctrl-C" in said(data_dir))

    assert f"http://127.0.0.1:{port}/" in said(data_dir)
    assert "Staff sign-in: admin  password: correct-horse" in said(data_dir)
    assert str(paths.logs_dir(data_dir)) in said(data_dir)


def test_ctrl_c_stops_everything_and_is_no_error(tmp_path: Path) -> None:
    data_dir, port = tmp_path / "data", free_port()
    with outcry(data_dir, port) as running:
        wait_until_up(data_dir, running)
        started = pids(data_dir)

        running.send_signal(signal.SIGINT)
        code = running.wait(timeout=PATIENCE_SECONDS)

    assert code == 0
    assert sorted(started) == ["beat", "postgres", "valkey", "web", "worker"]
    assert [pid for pid in started.values() if identity.started(pid)] == []


@pytest.mark.parametrize("name", ["postgres", "valkey", "web", "worker", "beat"])
def test_a_killed_program_is_back(tmp_path: Path, name: str) -> None:
    data_dir, port = tmp_path / "data", free_port()
    with outcry(data_dir, port) as running:
        wait_until_up(data_dir, running)
        killed = pids(data_dir)[name]

        os.kill(killed, signal.SIGKILL)

        wait_for(lambda: pids(data_dir)[name] != killed and identity.started(pids(data_dir)[name]) is not None, running)
        wait_for(lambda: answer(port) != "", running)
    assert f"{name:<10} was killed by SIGKILL; starting it again" in said(data_dir)


def test_after_kill_9_of_itself_it_starts_again_alone(tmp_path: Path) -> None:
    data_dir, port = tmp_path / "data", free_port()
    with outcry(data_dir, port) as killed:
        wait_until_up(data_dir, killed)
        before = pids(data_dir)
        killed.kill()
        killed.wait()

    with outcry(data_dir, port) as running:
        wait_until_up(data_dir, running, times=2)
        survivors = [name for name, pid in before.items() if identity.started(pid)]
        web = answer(port)
        after = pids(data_dir)

    assert survivors == []
    assert web == str(after["web"])


def test_a_second_one_on_the_same_data_dir_is_refused_and_the_first_is_not_disturbed(tmp_path: Path) -> None:
    data_dir, port = tmp_path / "data", free_port()
    with outcry(data_dir, port) as running:
        wait_until_up(data_dir, running)

        second = run_briefly(data_dir, free_port())

        assert f"running already on DATA_DIR={data_dir} (pid {running.pid})" in second.stderr
        assert second.returncode == 3
        assert answer(port) != ""


def test_a_taken_port_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = int(other.getsockname()[1])

        refused = run_briefly(tmp_path / "data", port)

    assert refused.returncode == 2
    assert f"Port {port} on 127.0.0.1 is taken" in refused.stderr
    assert f"PORT={port + 1} make run" in refused.stderr
    assert not paths.postgres_dir(tmp_path / "data").exists()


def test_a_data_dir_with_a_long_path_works(tmp_path: Path) -> None:
    data_dir, port = tmp_path / ("long-" * 30) / "data", free_port()
    data_dir.mkdir(parents=True)

    with outcry(data_dir, port) as running:
        wait_until_up(data_dir, running)
        sockets = paths.socket_dir(data_dir)
        found = sorted(path.name for path in sockets.iterdir())

    assert "valkey.sock" in found
    assert ".s.PGSQL.5432" in found
    assert not sockets.exists()


def test_configured_services_are_not_started(tmp_path: Path) -> None:
    data_dir, port = tmp_path / "data", free_port()
    given = {"DATABASE_URL": "postgres://elsewhere/outcry", "REDIS_URL": "redis://elsewhere"}
    with Path(f"{data_dir}.out").open("w") as out:
        running = subprocess.Popen([sys.executable, str(STAND_INS)], env=environ(data_dir, port) | given, stdout=out)

    try:
        wait_until_up(data_dir, running)
        started = pids(data_dir)
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(timeout=PATIENCE_SECONDS)

    assert sorted(started) == ["beat", "web", "worker"]
    assert running.returncode == 0
