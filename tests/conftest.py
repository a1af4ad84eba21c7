"""What all tests share: the development data beside the checkout, and a clean memory for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

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
