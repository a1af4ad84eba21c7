"""Whether the web server's address is free, asked before anything starts.

Invariant: the message names the address and the remedy. Nothing is reserved: between asking and listening another
program may come first; then the web server's own message is shown.
"""

import errno
import socket
from collections.abc import Mapping

from feedback.embedded.errors import CannotStart, PortTaken

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000


def address(environ: Mapping[str, str]) -> tuple[str, int]:
    """HOST and PORT from the environment. Raises CannotStart for a PORT that is none."""
    host = environ.get("HOST", "").strip() or DEFAULT_HOST
    raw = environ.get("PORT", "").strip() or str(DEFAULT_PORT)
    if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw) <= 65535:
        raise CannotStart(f"PORT={raw!r} is no port. Write a whole number from 1 to 65535: PORT=8001 make run")
    return host, int(raw)


def require_free(host: str, port: int) -> None:
    """Raises PortTaken when somebody listens at the address, CannotStart when it can't be ours at all."""
    try:
        family, kind, number, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise CannotStart(
            f"HOST={host} is no address of this machine ({error.strerror}). Try HOST=127.0.0.1."
        ) from error
    with socket.socket(family, kind, number) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that linger are no listener
        try:
            probe.bind(where)
            probe.listen(1)  # some systems notice a second listener only here
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(
                    f"Port {port} on {host} is taken by another program. Stop it, or choose another port:\n"
                    f"    PORT={port + 1 if port < 65535 else port - 1} make run"
                ) from error
            if error.errno == errno.EACCES:
                raise CannotStart(
                    f"Port {port} is reserved for the system; you may not listen there. Choose one above 1023:\n"
                    f"    PORT={DEFAULT_PORT} make run"
                ) from error
            raise CannotStart(f"Can't listen on {host}:{port}: {error.strerror}. Try HOST=127.0.0.1.") from error


def probe_host(host: str) -> str:
    """Where a server that listens on `host` is reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


def browser_url(host: str, port: int) -> str:
    """What to type into a browser here."""
    shown = probe_host(host)
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/"
