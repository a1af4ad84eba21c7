"""Where files and sockets lie, from DATA_DIR alone."""

import os
from pathlib import Path

from feedback.embedded import paths


def test_the_default_data_dir_lies_in_the_checkout() -> None:
    assert paths.data_dir({}) == paths.CHECKOUT / ".data"


def test_a_relative_data_dir_becomes_absolute() -> None:
    found = paths.data_dir({"DATA_DIR": "somewhere/else"})

    assert found == Path.cwd() / "somewhere/else"


def test_sockets_lie_in_the_data_dir_when_their_path_is_short() -> None:
    assert paths.postgres_socket_dir(Path("/srv/outcry")) == Path("/srv/outcry/sockets")


def test_a_long_data_dir_gets_short_socket_paths() -> None:
    deep = Path("/srv") / ("x" * 200)

    socket = paths.postgres_socket_dir(deep) / f".s.PGSQL.{paths.POSTGRES_PORT}"

    assert len(os.fsencode(socket)) <= paths.SOCKET_PATH_LIMIT_BYTES
    assert len(os.fsencode(paths.valkey_socket(deep))) <= paths.SOCKET_PATH_LIMIT_BYTES


def test_long_data_dirs_get_the_same_sockets_each_time_and_different_ones_from_each_other() -> None:
    one, other = Path("/srv") / ("x" * 200), Path("/srv") / ("y" * 200)

    assert paths.socket_dir(one) == paths.socket_dir(one)
    assert paths.socket_dir(one) != paths.socket_dir(other)
