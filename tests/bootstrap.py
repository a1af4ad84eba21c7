"""A real Postgres and a real Valkey for the tests, unless addresses are given.

Loaded as a plugin (`-p tests.bootstrap`) before pytest-django reads the settings, so importing it is what starts them.
"""

import atexit
import os
import tempfile
from contextlib import ExitStack

from feedback.embedded import postgres, valkey

_services = ExitStack()
atexit.register(_services.close)

os.environ["DATA_DIR"] = _services.enter_context(tempfile.TemporaryDirectory(prefix="outcry-tests-"))
os.environ.setdefault("SECRET_KEY", "a key for the tests alone, forty characters long")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
if not os.environ.get("DATABASE_URL"):
    os.environ["DATABASE_URL"] = _services.enter_context(postgres.scratch()).url
if not os.environ.get("REDIS_URL"):
    os.environ["REDIS_URL"] = f"unix://{_services.enter_context(valkey.scratch()).socket}"


def pytest_unconfigure() -> None:
    _services.close()
