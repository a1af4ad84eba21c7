"""`python -m ml cluster`: group a stream of texts as the running system would, from standard input to standard output.

Invariant: reports are placed in order and never looked at again; what is kept of each is two numbers. So the figures
measured here are those of the system: the immediate id is what a reporter sees at once, the final id what the group is
called after the last refinement. Not here: labels, tuning, and regions, which the input carries for later use.
"""

from __future__ import annotations

import argparse
import itertools
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final, NamedTuple, Protocol, TextIO

import numpy as np

from ml.cluster import LeaderState, assign, empty_state, keep_micro, usual_similarity
from ml.encoders import EncoderUnavailableError, load_encoder, reference_vectors
from ml.refine import NO_GROUP, adopt, refine
from ml.types import Encoder, FloatArray, IntArray

# With times: a problem nobody mentions for three days has ended. Without: the line number is the clock, and 5,000
# reports without a mention stand for the same (on the first halves of Banking77 and News-T anything from 2,000 to no
# limit gives the same B-cubed within 0.02).
IDLE_SECONDS: Final = 3 * 86_400.0
IDLE_REPORTS: Final = 5_000.0
# Refinement is due after so many reports, or after the live micro-clusters have grown by this share, whichever is more:
# its cost grows with their square.
REFINE_EVERY_REPORTS: Final = 200
REFINE_GROWTH: Final = 0.1
# The most micro-clusters refined at once (64 MB of similarities); beyond, the longest silent keep their groups.
MAX_REFINED: Final = 4_000
BATCH_LINES: Final = 256


class BadLineError(ValueError):
    """A line of the input that is no report; the message holds its number and what is wrong."""


class Regroup(Protocol):
    """What `refine` and `adopt` have in common."""

    def __call__(
        self,
        sums: FloatArray,
        n_reports: IntArray,
        groups: IntArray,
        *,
        threshold: float,
        first_new_group: int | None = None,
    ) -> IntArray: ...


class Line(NamedTuple):
    """One report of the input; its time is epoch seconds, or its number if the input has no times."""

    number: int
    timed: bool
    time: float
    text: str


class Grouper:
    """Places reports one batch at a time and refines now and then; keeps no text.

    Parameters
    ----------
    encoder : Encoder
    idle_seconds : float
        As for `ml.cluster.assign`, in the unit of the times given to `place`.
    """

    def __init__(self, encoder: Encoder, *, idle_seconds: float) -> None:
        self._encoder = encoder
        self._reference = reference_vectors(encoder)
        self._idle_seconds = idle_seconds
        self._state: LeaderState = empty_state(encoder.n_dims)
        # Micro-clusters are numbered for good; `_live` holds the numbers of those still in the state.
        self._live: IntArray = np.zeros(0, dtype=np.int64)
        self._group_of_micro: IntArray = np.zeros(0, dtype=np.int64)
        self._micro_of_report: list[IntArray] = []
        self._next_group = 1
        self._since_refined = 0
        self._now = -np.inf

    def place(self, texts: Sequence[str], times: Sequence[float]) -> IntArray:
        """Place a batch and return the immediate cluster id of each report, shape (n,), int64.

        The batch should span much less than the idle time, because what went idle within it is only let go at the next.
        """
        self._now = max(self._now, *times)
        self._let_idle_go()
        found = assign(
            self._state,
            self._encoder.encode(texts),
            times,
            idle_seconds=self._idle_seconds,
            reference=self._reference,
        )
        n_new = found.state.n_micro - self._state.n_micro
        first = len(self._group_of_micro)
        self._state = found.state
        self._live = np.concatenate((self._live, np.arange(first, first + n_new)))
        self._group_of_micro = np.concatenate((self._group_of_micro, np.full(n_new, NO_GROUP, dtype=np.int64)))
        if n_new:
            self._regroup(adopt, np.arange(len(self._live)))
        micro = self._live[found.micro]
        immediate: IntArray = self._group_of_micro[micro]
        self._micro_of_report.append(micro)
        self._since_refined += len(texts)
        if self._since_refined >= max(REFINE_EVERY_REPORTS, REFINE_GROWTH * len(self._live)):
            self.refine()
        return immediate

    def refine(self) -> None:
        """Merge and split the groups of micro-clusters that can still be joined."""
        newest_first = np.argsort(-self._state.last_seen, kind="stable")
        self._regroup(refine, np.sort(newest_first[:MAX_REFINED]))
        self._since_refined = 0

    def final_groups(self) -> IntArray:
        """The cluster id of every report placed so far, in order, as of the last refinement."""
        if not self._micro_of_report:
            return np.zeros(0, dtype=np.int64)
        final: IntArray = self._group_of_micro[np.concatenate(self._micro_of_report)]
        return final

    def _let_idle_go(self) -> None:
        """Forget micro-clusters that nothing can join any more; their groups stay as they are."""
        keep = self._state.last_seen >= self._now - self._idle_seconds
        self._state, self._live = keep_micro(self._state, keep), self._live[keep]

    def _regroup(self, regroup: Regroup, chosen: IntArray) -> None:
        numbers = self._live[chosen]
        groups = regroup(
            self._state.sums[chosen],
            self._state.n_reports[chosen],
            self._group_of_micro[numbers],
            threshold=usual_similarity(self._state, reference=self._reference),
            first_new_group=self._next_group,
        )
        self._group_of_micro[numbers] = groups
        self._next_group = max(self._next_group, int(groups.max(initial=0)) + 1)


def main(argv: Sequence[str], stdin: TextIO, stdout: TextIO, stderr: TextIO) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str
        Options, without the name of the command.
    stdin : TextIO
        One report a line: `text`, or `time<TAB>region<TAB>text` with an RFC 3339 time. The first line decides which.
    stdout : TextIO
        One line a report: its line number, immediate and final cluster id, tab-separated.
    stderr : TextIO
        Progress, if it is a terminal, and errors.

    Returns
    -------
    int
        0, or 2 after a bad line or option; then nothing has been written to `stdout`.
    """
    parser = argparse.ArgumentParser(
        prog="python -m ml cluster",
        description="Group short texts. In: one report a line, `text` or `time<TAB>region<TAB>text`. "
        "Out: line number, immediate cluster id, final cluster id.",
    )
    parser.add_argument(
        "--encoder", choices=("auto", "static", "hashing"), default="auto", help="how texts become vectors"
    )
    options = parser.parse_args(argv)
    numbers: list[int] = []
    immediate: list[int] = []
    try:
        encoder = load_encoder(options.encoder)
        with _progress(stdin, stderr) as lines:
            reports = read_lines(lines)
            first = next(reports, None)
            if first is None:
                return 0
            idle = IDLE_SECONDS if first.timed else IDLE_REPORTS
            grouper = Grouper(encoder, idle_seconds=idle)
            for batch in _batches(itertools.chain((first,), reports), span=idle / 10):
                times = [line.time for line in batch]
                immediate.extend(grouper.place([line.text for line in batch], times).tolist())
                numbers.extend(line.number for line in batch)
            grouper.refine()
    except (BadLineError, EncoderUnavailableError) as error:
        stderr.write(f"cluster: {error}\n")
        return 2
    for number, at_once, final in zip(numbers, immediate, grouper.final_groups().tolist(), strict=True):
        stdout.write(f"{number}\t{at_once}\t{final}\n")
    return 0


def read_lines(lines: Iterator[str]) -> Iterator[Line]:
    """Parse the input, whose first line decides whether lines are texts alone or begin with time and region.

    Raises
    ------
    BadLineError
        At the first line that is no report, with its number.

    Examples
    --------
    >>> [line.text for line in read_lines(iter(["login fails\\n", "no power\\n"]))]
    ['login fails', 'no power']
    """
    n_fields = 0
    for number, raw in enumerate(lines, start=1):
        fields = raw.rstrip("\r\n").split("\t")
        if any("\udc80" <= char <= "\udcff" for char in raw):
            raise BadLineError(f"line {number}: not UTF-8")
        if len(fields) not in (1, 3):
            raise BadLineError(
                f"line {number}: {len(fields)} tab-separated fields; a line is `text` or `time<TAB>region<TAB>text`"
            )
        if n_fields and len(fields) != n_fields:
            raise BadLineError(f"line {number}: {len(fields)} fields, but the lines before it have {n_fields}")
        n_fields = len(fields)
        timed = n_fields == 3
        time = _epoch_seconds(fields[0].removeprefix("\ufeff"), number) if timed else float(number)
        yield Line(number, timed, time, fields[-1])


def _epoch_seconds(text: str, number: int) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadLineError(f"line {number}: {text[:40]!r} is no RFC 3339 time such as 2018-09-09T18:30:00Z") from None
    if moment.tzinfo is None:
        raise BadLineError(f"line {number}: the time {text[:40]!r} has no offset; write Z for UTC")
    return moment.timestamp()


def _batches(reports: Iterator[Line], *, span: float) -> Iterator[list[Line]]:
    """Cut the stream where a batch is full or would reach over more than `span`."""
    batch: list[Line] = []
    for report in reports:
        if batch and (len(batch) == BATCH_LINES or abs(report.time - batch[0].time) > span):
            yield batch
            batch = []
        batch.append(report)
    if batch:
        yield batch


@contextmanager
def _progress(stdin: TextIO, stderr: TextIO) -> Iterator[Iterator[str]]:
    """The lines of `stdin`, with a bar while they are read if somebody is watching."""
    if not stderr.isatty():
        yield iter(stdin)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.fields[n_reports]:,} reports"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(file=stderr), transient=True) as bar:
        task = bar.add_task("cluster", total=_n_bytes(stdin), n_reports=0)

        def watched() -> Iterator[str]:
            n_bytes = 0
            for n_reports, line in enumerate(stdin, start=1):
                yield line
                n_bytes += len(line.encode(errors="surrogateescape"))
                if n_reports % BATCH_LINES == 0:
                    bar.update(task, completed=n_bytes, n_reports=n_reports)

        yield watched()


def _n_bytes(stdin: TextIO) -> int | None:
    """Size of the input if it is a file; a pipe has none."""
    try:
        status = os.fstat(stdin.fileno())
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
