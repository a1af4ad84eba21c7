"""Replaying the spool: each segment that no living process writes, in order, into the database, and then deleted.

Invariant: one replayer at a time on a machine (flock), and a segment goes only after the commit that holds the last of
it. A crash in between replays it again, which stores nothing twice: ids that are there are skipped. What can't be read,
or is refused by a database that is there, is set aside with an error in the log, and the rest goes on.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from django.db import InterfaceError, OperationalError

from reports.intake.spool import ASIDE, Damage, Record, decode, mark_of, read_records, segments_in, sync_folder
from reports.intake.submissions import Submission

logger = logging.getLogger(__name__)

CHUNK_REPORTS: Final = 1_000  # a transaction: what comes in meanwhile waits no longer than one takes

Write = Callable[[Sequence[Submission]], None]


class Replayer:
    """Goes through a spool's segments chunk by chunk. Used by one thread."""

    def __init__(self, folder: Path, *, write: Write) -> None:
        self._folder = folder
        self._write = write
        self._lock_fd = -1
        self._segment: _Segment | None = None

    def replay_chunk(self) -> int:
        """Store the next reports of the spool; return how many were gone through, 0 where there are none to take.

        None to take are also those that another process writes, or replays. Raises what the database raises that is
        away; then the same chunk comes again.
        """
        try:
            while self._segment is not None or self._take_next():
                if n_reports := self._next_chunk():
                    return n_reports
            self.let_go()
        except BaseException:
            self.let_go()
            raise
        return 0

    def let_go(self) -> None:
        """Leave the rest to whoever comes next."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1

    def _take_next(self) -> bool:
        """Take over the oldest segment that nobody writes; false where there is none, or another replays."""
        paths = segments_in(self._folder)
        if not paths or not self._lock():
            return False
        for path in paths:
            if (segment := _Segment.take(path)) is not None:
                self._segment = segment
                return True
        return False

    def _lock(self) -> bool:
        if self._lock_fd >= 0:
            return True
        fd = os.open(self._folder / "replay.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        self._lock_fd = fd
        return True

    def _next_chunk(self) -> int:
        segment = self._segment
        assert segment is not None  # noqa: S101  the caller looked
        chunk: list[tuple[Record, Submission]] = []
        n_reports = 0
        while n_reports < CHUNK_REPORTS and (found := next(segment.records, None)) is not None:
            if isinstance(found, Damage):
                segment.set_aside(found.start, found.end, why="is no whole record")
                continue
            try:
                chunk.append((found, decode(found.payload)))
            except msgspec.MsgspecError:
                segment.set_aside(found.start, found.end, why="can't be read by this version")
                continue
            n_reports += found.n_reports
        if chunk:
            self._store(segment, chunk)
        else:
            segment.delete()
            self._segment = None
        return n_reports

    def _store(self, segment: _Segment, chunk: Sequence[tuple[Record, Submission]]) -> None:
        try:
            self._write([submission for _, submission in chunk])
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            for record, submission in chunk:  # one of them is at fault: the others must not wait for it
                self._store_alone(segment, record, submission)

    def _store_alone(self, segment: _Segment, record: Record, submission: Submission) -> None:
        for is_last_try in (False, True):
            try:
                self._write([submission])
            except (OperationalError, InterfaceError):
                raise
            except Exception as error:
                # The first failure may be a commit that came through late: then the second look finds its rows.
                if is_last_try:
                    # The type alone: a message of the database may quote a report.
                    segment.set_aside(record.start, record.end, why=f"is refused ({type(error).__name__})")
            else:
                return


class _Segment:
    """A segment that has been taken over: locked, read, and on its way into the database."""

    def __init__(self, path: Path, fd: int, content: bytes) -> None:
        self._path = path
        self._fd = fd
        self._content = content
        self._is_kept = False
        self.records: Iterator[Record | Damage] = read_records(content, mark_of(path.name))

    @classmethod
    def take(cls, path: Path) -> _Segment | None:
        """Return the segment, None where a living process writes it or another has just replayed it."""
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            content = path.read_bytes()
        except (BlockingIOError, FileNotFoundError):
            os.close(fd)
            return None
        return cls(path, fd, content)

    def set_aside(self, start: int, end: int, *, why: str) -> None:
        """Keep bytes that can't be replayed where somebody can look at them."""
        folder = self._path.parent / ASIDE
        kept = folder / f"{self._path.stem}-{start}"
        logger.error("Bytes %d to %d of the spool's %s: %s. Set aside as %s.", start, end, self._path.name, why, kept)
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            fd = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "wb") as file:
                file.write(self._content[start:end])
                file.flush()
                os.fsync(file.fileno())
            sync_folder(folder)
        except OSError as error:
            # No room for a copy: the segment itself goes there, which needs none.
            logger.error("It could not be copied (%s): the whole segment is kept there.", error.strerror)
            self._is_kept = True

    def delete(self) -> None:
        """Remove the segment, for all of it is stored or set aside."""
        with suppress(FileNotFoundError):
            if self._is_kept:
                self._path.rename(self._path.parent / ASIDE / self._path.name)
            else:
                self._path.unlink()
        self.close()

    def close(self) -> None:
        os.close(self._fd)
