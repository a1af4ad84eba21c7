"""DATA_DIR is proven usable before anything starts."""

from pathlib import Path

import pytest

from feedback.embedded import paths, room
from feedback.embedded.errors import NoRoom


def test_a_full_disk_is_named_with_what_is_left_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(NoRoom) as caught:
        room.require_room(tmp_path / "data", free_bytes=lambda _folder: 7 * 1024 * 1024)

    assert "7 MB left" in str(caught.value)
    assert "DATA_DIR=" in str(caught.value)


def test_a_new_data_dir_is_private(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"

    room.require_room(data_dir)

    assert data_dir.stat().st_mode & 0o777 == 0o700
    assert paths.socket_dir(data_dir).stat().st_mode & 0o777 == 0o700


def test_a_data_dir_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(NoRoom, match="can't be written"):
        room.require_room(tmp_path / "file" / "data")


def test_a_socket_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    data_dir, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    data_dir.mkdir()
    elsewhere.mkdir()
    paths.socket_dir(data_dir).symlink_to(elsewhere)

    with pytest.raises(NoRoom, match="belongs to somebody else"):
        room.require_room(data_dir)


def test_nothing_is_left_of_the_write_probe(tmp_path: Path) -> None:
    room.require_room(tmp_path)

    assert list(paths.run_dir(tmp_path).iterdir()) == []


def test_a_disk_that_runs_full_is_mentioned_once_and_so_is_its_end(tmp_path: Path) -> None:
    said: list[str] = []
    left = iter([10**9, 10**6, 10**6, 10**9])
    look = room.shortage_warner(tmp_path, say=said.append, free_bytes=lambda _folder: next(left))

    for _ in range(4):
        look()

    assert [("nearly full" in line, "room again" in line) for line in said] == [(True, False), (False, True)]
