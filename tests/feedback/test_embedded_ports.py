"""The web server's address is looked at before anything starts."""

import socket

import pytest

from feedback.embedded import ports
from feedback.embedded.errors import CannotStart, PortTaken


def test_a_taken_port_is_named_with_the_remedy() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]

        with pytest.raises(PortTaken) as caught:
            ports.require_free("127.0.0.1", taken)

    assert f"Port {taken}" in str(caught.value)
    assert "make run" in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_free_port_is_accepted_and_left_free() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]

    ports.require_free("127.0.0.1", free)
    ports.require_free("127.0.0.1", free)


@pytest.mark.parametrize("nonsense", ["eighty", "0", "65536", "-1", "80.5"])
def test_a_port_that_is_none_is_refused(nonsense: str) -> None:
    with pytest.raises(CannotStart, match="is no port"):
        ports.address({"PORT": nonsense})


def test_without_settings_only_this_machine_is_served() -> None:
    assert ports.address({}) == ("127.0.0.1", 8000)


def test_a_server_on_all_addresses_is_shown_by_one_that_a_browser_understands() -> None:
    assert ports.browser_url("0.0.0.0", 8000) == "http://127.0.0.1:8000/"  # noqa: S104 - compared, not bound
    assert ports.browser_url("::", 8000) == "http://[::1]:8000/"
