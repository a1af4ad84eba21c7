"""The spool: where submissions wait, durably, while the database is away.

Segment files in one folder. Each record is marked, counted and checksummed, so that a torn or spoilt one costs itself
alone; what was answered was synced before, file and folder. A process appends to a segment of its own and holds its
lock (flock); a segment that nobody holds is ready to be replayed (`replaying`). All processes of a machine share the
folder: what they append is in one order, under one lock, so keys and the bound are exact across them. No database here.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import mmap
import os
import re
import struct
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import msgspec
from django.conf import settings

from reports.errors import IdempotencyConflict, ReportsError, StoreUnavailable
from reports.intake.submissions import Idempotency, ReportRow, Submission, Written

logger = logging.getLogger(__name__)

SEGMENT_BYTES: Final = 16 * 1024 * 1024  # then the next is begun, so that replaying frees room as it goes
SUFFIX: Final = ".spool"
ASIDE: Final = "aside"  # the folder within for what could not be replayed

_NAME = re.compile(rf"(\d{{20}})-(\d+)-([0-9a-f]{{32}}){re.escape(SUFFIX)}\Z")
_HEADER = struct.Struct("<8sIIBI")  # the segment's mark, bytes of the payload, reports in it, whether keyed, CRC-32
_CHECKED = struct.Struct("<IIB")
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Submission)


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it lies in its segment."""

    start: int
    end: int
    n_reports: int
    is_keyed: bool
    payload: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a segment that are no record: torn by a crash, or spoilt."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SpoolState:
    """How much waits in the spool; `oldest_at` is in seconds since 1970, None where nothing waits."""

    n_reports: int
    n_bytes: int
    oldest_at: float | None
    n_aside: int


@dataclass(slots=True)
class _Known:
    """How far a segment has been read, and what was found."""

    end: int = 0
    n_reports: int = 0
    keys: set[bytes] = field(default_factory=set)


def encode(submission: Submission) -> bytes:
    """Return a submission as a record's payload. Raises UnicodeEncodeError for half of a surrogate pair."""
    return _encoder.encode(submission)


def decode(payload: bytes) -> Submission:
    """Return the submission of a record. Raises msgspec.MsgspecError for what is none."""
    return _decoder.decode(payload)


def decode_if_known(payload: bytes) -> Submission | None:
    """Return the submission of a record, None for one that another version wrote and this one can't read."""
    try:
        return decode(payload)
    except msgspec.MsgspecError:
        return None


def read_records(content: bytes | mmap.mmap, mark: bytes, *, start: int = 0) -> Iterator[Record | Damage]:
    """Yield the records from `start` on in order, and each stretch between them that is none."""
    damage_start: int | None = None
    at = start
    while at < len(content):
        record = _record_at(content, mark, at)
        if record is None:
            damage_start = at if damage_start is None else damage_start
            found = content.find(mark, at + 1)
            at = len(content) if found < 0 else found
            continue
        if damage_start is not None:
            yield Damage(damage_start, at)
            damage_start = None
        yield record
        at = record.end
    if damage_start is not None:
        yield Damage(damage_start, len(content))


def _record_at(content: bytes | mmap.mmap, mark: bytes, at: int) -> Record | None:
    start = at + _HEADER.size
    if start > len(content):
        return None
    found, n_bytes, n_reports, is_keyed, checksum = _HEADER.unpack(content[at:start])
    if found != mark or start + n_bytes > len(content):
        return None
    payload = bytes(content[start : start + n_bytes])
    if _checksum(n_reports, is_keyed, payload) != checksum:
        return None
    return Record(at, start + n_bytes, n_reports, bool(is_keyed), payload)


def _checksum(n_reports: int, is_keyed: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(_CHECKED.pack(len(payload), n_reports, is_keyed)))


def mark_of(name: str) -> bytes:
    """Return what each record of a segment begins with: chance, so that no text can pose as a record."""
    found = _NAME.match(name)
    return bytes.fromhex(found[3])[:8] if found else b""


def segments_in(folder: Path) -> list[Path]:
    """Return the segments of a folder, the oldest first; none where there is no folder, or none one may read."""
    try:
        names = sorted(name for name in os.listdir(folder) if _NAME.match(name))  # noqa: PTH208  asked a group
    except OSError:  # whoever wants to write there is told; the database can do without
        return []
    return [folder / name for name in names]


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """Hold a lock that all processes of the machine know; a process that dies lets go of it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


class Spool:
    """One process's view of a spool's folder, and the segment it appends to. Safe to use from any thread."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self.folder = folder
        self._max_bytes = max_bytes
        self._lock = threading.RLock()
        self._fd = -1
        self._size = 0
        self._mark = b""
        self._path: Path | None = None
        self._known: dict[str, _Known] = {}
        self._keys: dict[bytes, tuple[str, int]] = {}

    def is_empty(self) -> bool:
        """Tell whether no process of the machine has anything in the spool."""
        return not segments_in(self.folder)

    def append(self, submissions: Sequence[Submission]) -> list[Written | ReportsError]:
        """Store the submissions durably, with one sync for all, and return one answer each.

        A key that is in the spool gets its first answer, or IdempotencyConflict with another body; what has no room
        left gets StoreUnavailable. Raises OSError where the disk does not take them; then none is stored.
        """
        with self._lock:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.folder / ASIDE).mkdir(mode=0o700, exist_ok=True)  # now, for later there may be no room
            with lock_file(self.folder / "append.lock"):
                self._look()
                answers, drafts = self._admit(submissions)
                if drafts:
                    self._write(drafts)
                return answers

    def answer_to(self, submission: Submission) -> Written | ReportsError | None:
        """Return the first answer to a submission's key where that waits in the spool, None where it does not."""
        if submission.idempotency is None:
            return None
        with self._lock:
            self._look()
            place = self._keys.get(_digest(submission.idempotency))
            return self._answer_at(place, submission.idempotency) if place else None

    def seal(self) -> None:
        """Let go of the segment that is written to, so that it can be replayed."""
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    def state(self) -> SpoolState:
        """Return how much waits, in all processes of the machine."""
        with self._lock:
            paths = self._look()
            n_reports = sum(known.n_reports for known in self._known.values())
        aside = self.folder / ASIDE
        return SpoolState(
            n_reports=n_reports,
            n_bytes=_bytes_in(paths),
            oldest_at=_made_at(paths[0].name) if paths else None,
            n_aside=len(list(aside.iterdir())) if aside.is_dir() else 0,
        )

    def forget_set_aside(self, *, before: datetime) -> int:
        """Delete what was set aside by then and nobody has dealt with since; return how many files."""
        folder, n_files = self.folder / ASIDE, 0
        for path in folder.iterdir() if folder.is_dir() else ():
            with suppress(FileNotFoundError):  # somebody else has just done so
                if path.stat().st_mtime < before.timestamp():
                    path.unlink()
                    n_files += 1
        if n_files:
            logger.warning("%d files that were set aside in %s are past their time and deleted.", n_files, folder)
        return n_files

    def find(self, report_id: UUID) -> ReportRow | None:
        """Return a report that waits in the spool, None where it is not there. Cost: the spool is searched."""
        needle = str(report_id).encode()
        for path in segments_in(self.folder):
            with (
                suppress(FileNotFoundError, ValueError),  # replayed meanwhile, or empty
                path.open("rb") as file,
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
            ):
                if content.find(needle) < 0:
                    continue
                for record in read_records(content, mark_of(path.name)):
                    if isinstance(record, Record) and needle in record.payload:
                        submission = decode_if_known(record.payload)
                        rows = submission.rows if submission else ()
                        if found := next((row for row in rows if row.id == report_id), None):
                            return found
        return None

    def _admit(
        self, submissions: Sequence[Submission]
    ) -> tuple[list[Written | ReportsError], list[tuple[Submission, bytes]]]:
        """Return the answers, and what has to be written before they may be given."""
        room = self._max_bytes - _bytes_in(segments_in(self.folder))
        is_full = False
        answers: list[Written | ReportsError] = []
        drafts: list[tuple[Submission, bytes]] = []
        ours: dict[bytes, tuple[bytes, Written]] = {}  # the keys of this very group
        for submission in submissions:
            claim = submission.idempotency
            digest = _digest(claim) if claim else b""
            if claim and digest in ours:
                answers.append(repeated(claim, *ours[digest]))
                continue
            if claim and (place := self._keys.get(digest)) and (answer := self._answer_at(place, claim)):
                answers.append(answer)
                continue
            try:
                payload = encode(submission)
            except UnicodeEncodeError:
                answers.append(StoreUnavailable("The report could not be stored: it holds half a character."))
                continue
            if len(payload) + _HEADER.size > room:
                is_full = True
                answers.append(
                    StoreUnavailable("The database is away, and the room for reports is used up. Try again later.")
                )
                continue
            room -= len(payload) + _HEADER.size
            written = Written(tuple(row.id for row in submission.rows), submission.errors)
            if claim:
                ours[digest] = (claim.body_digest, written)
            answers.append(written)
            drafts.append((submission, payload))
        if is_full:
            logger.error("The spool is full (%d MB): reports are refused.", self._max_bytes // 2**20)
        return answers, drafts

    def _write(self, drafts: Sequence[tuple[Submission, bytes]]) -> None:
        if self._fd < 0 or self._size >= SEGMENT_BYTES:
            self._begin_segment()
        content = b"".join(
            _HEADER.pack(
                self._mark,
                len(payload),
                len(submission.rows),
                keyed := int(submission.idempotency is not None),
                _checksum(len(submission.rows), keyed, payload),
            )
            + payload
            for submission, payload in drafts
        )
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(self._fd, rest) :]
            os.fsync(self._fd)
        except OSError:
            # Whoever sent this is told that it is not stored, so it must not come back.
            with suppress(OSError):
                os.ftruncate(self._fd, self._size)
                os.fsync(self._fd)
            self.seal()  # after a sync that failed nobody knows what a file holds
            raise
        self._size += len(content)
        self._look()

    def _begin_segment(self) -> None:
        self.seal()
        name = f"{time.time_ns():020d}-{os.getpid()}-{uuid4().hex}{SUFFIX}"
        draft = self.folder / f"{name}.new"
        # Named only once it is locked: a segment nobody holds is there to be replayed, and then deleted.
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            draft.rename(self.folder / name)
            sync_folder(self.folder)
        except OSError:
            os.close(fd)
            raise
        self._fd, self._size, self._mark, self._path = fd, 0, mark_of(name), self.folder / name

    def _look(self) -> list[Path]:
        """Read what has been appended since the last look, by whomever; forget what is gone. Returns the segments."""
        paths = segments_in(self.folder)
        for name in self._known.keys() - {path.name for path in paths}:
            for digest in self._known.pop(name).keys:
                if self._keys.get(digest, ("", 0))[0] == name:
                    del self._keys[digest]
        for path in paths:
            known = self._known.setdefault(path.name, _Known())
            with suppress(FileNotFoundError):
                if path.stat().st_size > known.end:
                    self._read_on(path, known)
        return paths

    def _read_on(self, path: Path, known: _Known) -> None:
        with path.open("rb") as file:
            file.seek(known.end)
            content = file.read()
        base = known.end
        for record in read_records(content, mark_of(path.name)):
            if isinstance(record, Damage):
                continue  # it may be complete at the next look; `end` stays before it unless a record follows
            known.end = base + record.end
            known.n_reports += record.n_reports
            submission = decode_if_known(record.payload) if record.is_keyed else None
            if submission and submission.idempotency:
                digest = _digest(submission.idempotency)
                known.keys.add(digest)
                self._keys.setdefault(digest, (path.name, base + record.start))

    def _answer_at(self, place: tuple[str, int], claim: Idempotency) -> Written | ReportsError | None:
        name, start = place
        try:
            with (self.folder / name).open("rb") as file:
                file.seek(start)
                header = file.read(_HEADER.size)
                content = header + file.read(_HEADER.unpack(header)[1])
        except FileNotFoundError:
            return None  # replayed meanwhile: the database has the key
        record = _record_at(content, mark_of(name), 0)
        if record is None:
            return None
        first = decode_if_known(record.payload)
        if first is None or first.idempotency is None:
            return None
        return repeated(
            claim, first.idempotency.body_digest, Written(tuple(row.id for row in first.rows), first.errors)
        )


def repeated(claim: Idempotency, first_digest: bytes, first: Written) -> Written | ReportsError:
    """Return the answer to a key that was used before: what was stored then, or a conflict with another body."""
    if claim.body_digest != first_digest:
        return IdempotencyConflict(
            f"The idempotency key {claim.key!r} was used before with another body. Use a new key for a new request."
        )
    return Written(first.report_ids, first.errors, is_repeat=True)


def _digest(claim: Idempotency) -> bytes:
    return hashlib.blake2b(f"{claim.client}\x00{claim.key}".encode(), digest_size=16).digest()


def _bytes_in(paths: Sequence[Path]) -> int:
    total = 0
    for path in paths:
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def _made_at(name: str) -> float:
    found = _NAME.match(name)
    return int(found[1]) / 1e9 if found else 0.0


_spool: Spool | None = None
_spool_pid = 0
_spool_lock = threading.Lock()


def the_spool() -> Spool:
    """Return this process's view of the installation's spool (an open segment must not be shared after a fork)."""
    global _spool, _spool_pid
    folder, max_bytes = Path(settings.SPOOL_DIR), settings.SPOOL_MAX_MB * 1024 * 1024
    with _spool_lock:
        if _spool is None or _spool_pid != os.getpid() or _spool.folder != folder:
            _spool, _spool_pid = Spool(folder, max_bytes=max_bytes), os.getpid()
        return _spool
