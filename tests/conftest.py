"""What all tests stand on: a real Postgres and a real Valkey of their own, unless addresses are given; the shared data."""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

_services = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Start what is not given. Runs before Django reads its settings."""
    if config.option.collectonly or hasattr(config, "workerinput"):
        return
    from feedback.embedded import postgres, valkey

    atexit.register(_services.close)
    os.environ["DATA_DIR"] = _services.enter_context(tempfile.TemporaryDirectory(prefix="outcry-tests-"))
    os.environ.setdefault("SECRET_KEY", "a key for the tests alone, forty characters long")
    if not os.environ.get("DATABASE_URL"):
        server = _services.enter_context(postgres.scratch())
        os.environ["DATABASE_URL"] = f"postgres://{server.user}@/{server.dbname}?host={server.host}"
    if not os.environ.get("REDIS_URL"):
        os.environ["REDIS_URL"] = f"unix://{_services.enter_context(valkey.scratch()).socket}"


def pytest_unconfigure(config: pytest.Config) -> None:
    _services.close()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real reports beside the checkout; without it the test is skipped, or fails where CI=true."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        message = f"The development data is not at {folder}."
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """Each test begins with empty memories: the database behind them is another one."""
    from tests.forgetting import forget_everything

    forget_everything()
    yield
    forget_everything()
