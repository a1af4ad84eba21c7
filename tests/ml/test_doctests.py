"""Every example in the library's docstrings runs as printed."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import ml

MODULES = sorted(module.name for module in pkgutil.iter_modules(ml.__path__) if module.name != "__main__")


@pytest.mark.parametrize("name", MODULES)
def test_examples_run_as_printed(name: str) -> None:
    module = importlib.import_module(f"ml.{name}")

    found = doctest.testmod(module)

    assert found.failed == 0
