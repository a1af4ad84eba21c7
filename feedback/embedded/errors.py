"""Why a start was refused, each with the remedy in its message.

Invariant: whoever runs `make run` sees one of these as one paragraph and an exit code, never a traceback.
"""


class CannotStart(Exception):
    """Something that a person has to change before a start can succeed."""

    exit_code = 1


class PortTaken(CannotStart):
    """Another program listens where the web server should."""

    exit_code = 2


class AlreadyRunning(CannotStart):
    """This DATA_DIR is in use by another supervisor."""

    exit_code = 3


class NoRoom(CannotStart):
    """The disk is full, or DATA_DIR cannot be written."""

    exit_code = 4


class BinaryMissing(CannotStart):
    """No usable Postgres or Valkey was found."""

    exit_code = 5


class StartFailed(CannotStart):
    """A program was started and died, or did not become ready in time; carries the end of its log."""

    exit_code = 6
