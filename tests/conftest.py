"""What all tests share: the development data beside the checkout, and a clean memory for each test."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


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


@pytest.fixture(scope="session")
def broker_url() -> Iterator[str]:
    from feedback.embedded import valkey

    with valkey.scratch() as server:
        yield server.url


@pytest.fixture
def broker(broker_url: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker of the tests' own, for limits; each test has other names in it."""
    from reports.intake import buckets

    settings.REDIS_URL = broker_url
    monkeypatch.setattr(buckets, "PREFIX", f"test-{time.monotonic_ns()}:")
    monkeypatch.setattr(buckets, "CONNECT_SECONDS", 5.0)  # the machine may be busy
    buckets.forget_broker()


@pytest.fixture
def no_broker(settings: Any) -> None:
    """Limits as they are while the broker is away."""
    from reports.intake import buckets

    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    buckets.forget_broker()
