"""The Makefile's choices, tried in an empty folder with stand-ins for Python."""

import shutil
import subprocess
from pathlib import Path

import pytest

from feedback.embedded.paths import CHECKOUT


def make(folder: Path, *words: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    shutil.copy(CHECKOUT / "Makefile", folder / "Makefile")
    for lock in ("requirements-embedded.lock", "requirements-models.lock", "requirements-dev.lock"):
        (folder / lock).touch()
    tool = shutil.which("make")
    assert tool is not None
    return subprocess.run(
        [tool, *words],
        cwd=folder,
        env={"PATH": path or f"{folder / 'bin'}:/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def stand_in(folder: Path, name: str, script: str) -> None:
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / "bin" / name).chmod(0o755)


def only_stand_ins(folder: Path) -> str:
    """A PATH with the shell's tools but without any Python."""
    for tool in ("sh", "touch", "rm", "find", "echo"):
        found = shutil.which(tool)
        if found:
            (folder / "bin").mkdir(exist_ok=True)
            (folder / "bin" / tool).symlink_to(found)
    return str(folder / "bin")


def test_make_alone_lists_the_commands(tmp_path: Path) -> None:
    listed = make(tmp_path)

    assert listed.returncode == 0
    words = ("run", "test", "install", "install-models", "lint", "bench", "lock")
    assert [word for word in words if f"make {word} " not in listed.stdout] == []


def test_without_python_the_remedy_is_named(tmp_path: Path) -> None:
    failed = make(tmp_path, "install", path=only_stand_ins(tmp_path))

    assert failed.returncode != 0
    assert "Python 3.11 or newer" in failed.stderr
    assert "apt-get install python3" in failed.stderr


def test_an_old_python_is_passed_over(tmp_path: Path) -> None:
    path = only_stand_ins(tmp_path)
    stand_in(tmp_path, "python3.13", "echo shim: command not found; exit 127")
    stand_in(tmp_path, "python3", "exit 1")

    failed = make(tmp_path, "install", path=path)

    assert "none was found" in failed.stderr


def test_a_python_that_was_named_but_is_too_old_is_refused(tmp_path: Path) -> None:
    stand_in(tmp_path, "python2", "exit 1")

    failed = make(tmp_path, "install", "PYTHON=python2")

    assert "PYTHON=python2 is not Python 3.11 or newer" in failed.stderr


def test_a_python_without_venv_names_the_package(tmp_path: Path) -> None:
    path = only_stand_ins(tmp_path)
    stand_in(tmp_path, "python3", 'case "$*" in *ensurepip*) exit 1;; esac')

    failed = make(tmp_path, "install", path=path)

    assert "apt-get install python3-venv" in failed.stderr


@pytest.mark.parametrize(
    ("command", "stamp"),
    [("install", ".installed"), ("install-models", ".installed-models"), ("install-dev", ".installed-dev")],
)
def test_nothing_is_installed_again_while_the_lock_is_unchanged(tmp_path: Path, command: str, stamp: str) -> None:
    pip_is_called = "echo called >> calls"
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").write_text(f"#!/bin/sh\n{pip_is_called}\n")
    (tmp_path / ".venv" / "bin" / "python").chmod(0o755)
    make(tmp_path, command)
    first = (tmp_path / "calls").read_text()

    again = make(tmp_path, command, *(f"--old-file=requirements-{lock}.lock" for lock in ("embedded", "models", "dev")))

    assert again.returncode == 0
    assert (tmp_path / "calls").read_text() == first
    assert (tmp_path / ".venv" / stamp).exists()
