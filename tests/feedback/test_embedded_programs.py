"""The web server as it is started: what its options promise, asked of the real one."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from feedback.embedded import programs

CHECKOUT = Path(__file__).resolve().parents[2]
START_SECONDS = 30.0
N_IDLE = 1_200  # more than Granian takes unasked (1,024)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def allow_open_files(wanted: int) -> None:
    """Raise this program's own limit, which is 256 on macOS; the server raises its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def wait_until_it_answers(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not programs.answers("127.0.0.1", port, "/healthz", {}):
        assert time.monotonic() < deadline, "the web server did not start"
        time.sleep(0.1)


@pytest.mark.slow
def test_connections_that_only_wait_do_not_shut_others_out(tmp_path: Path) -> None:
    port = free_port()
    allow_open_files(N_IDLE + 200)
    environ = os.environ | {"DATA_DIR": str(tmp_path)}
    with ExitStack() as held, (tmp_path / "web.log").open("wb") as log:
        server = subprocess.Popen(
            programs.web_command("127.0.0.1", port), cwd=CHECKOUT, env=environ, stdout=log, stderr=log
        )
        held.callback(server.wait, 10)
        held.callback(server.terminate)
        wait_until_it_answers(port)
        for _ in range(N_IDLE):
            held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))

        is_answered = programs.answers("127.0.0.1", port, "/healthz", {})

    assert is_answered
