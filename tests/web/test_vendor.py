"""Third-party files are the ones that were chosen: pinned by version, checked by digest, with their licences."""

from __future__ import annotations

import hashlib
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[2] / "reports" / "static" / "vendor"


def listed() -> dict[str, str]:
    lines = (VENDOR / "CHECKSUMS.txt").read_text().splitlines()
    return {path: digest for digest, path in (line.split("  ", 1) for line in lines)}


def test_every_file_is_listed_with_the_digest_it_has() -> None:
    files = {path for path in VENDOR.rglob("*") if path.is_file() and path.name != "CHECKSUMS.txt"}

    found = {path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    assert found == listed()


def test_every_folder_names_its_version_and_holds_its_licence() -> None:
    folders = [path for path in VENDOR.iterdir() if path.is_dir()]

    assert folders
    assert all(folder.name.rpartition("-")[2].count(".") == 2 for folder in folders)
    assert all((folder / "LICENSE").stat().st_size > 100 for folder in folders)
