"""The secret key: given, or made once for the installation and kept where only its owner reads it."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from feedback import settings as project


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new installation: an empty folder, and no key given."""
    monkeypatch.setattr(project, "DATA_DIR", tmp_path / "data")
    monkeypatch.delenv("SECRET_KEY", raising=False)
    return tmp_path / "data"


def test_a_key_is_made_on_the_first_start(data_dir: Path) -> None:
    key = project._secret_key()

    assert len(key) == 64
    assert (data_dir / "secret_key").read_text() == key


def test_the_next_start_finds_the_same_key() -> None:
    assert project._secret_key() == project._secret_key()


def test_two_installations_have_two_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = project._secret_key()
    monkeypatch.setattr(project, "DATA_DIR", tmp_path / "other")

    assert project._secret_key() != first


def test_nobody_but_the_owner_reads_the_key(data_dir: Path) -> None:
    project._secret_key()

    assert stat.S_IMODE((data_dir / "secret_key").stat().st_mode) == 0o600


def test_nothing_else_is_left_in_the_folder(data_dir: Path) -> None:
    project._secret_key()

    assert [path.name for path in data_dir.iterdir()] == ["secret_key"]


def test_processes_that_start_at_once_have_one_key() -> None:
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: project._secret_key(), range(32)))

    assert len(keys) == 1


def test_a_given_key_goes_before_the_kept_one(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "k" * 32)

    assert project._secret_key() == "k" * 32
    assert not data_dir.exists()


def test_a_given_key_that_is_too_short_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "k" * 31)

    with pytest.raises(ImproperlyConfigured, match="fewer than 32 characters") as stopped:
        project._secret_key()

    assert "kkk" not in str(stopped.value)


def test_a_folder_that_cannot_be_written_stops_the_start(data_dir: Path) -> None:
    data_dir.write_text("a file where the folder should be")

    with pytest.raises(ImproperlyConfigured, match=r"DATA_DIR=.* can't be written \(.+\)\. Name another folder"):
        project._secret_key()
