"""`python -m ml cluster`: group a stream of texts as the running system would, from standard input to standard output.

Invariant: reports are placed in order and never looked at again; what is kept of each is two numbers (a student is
learnt from the first of them, before they are placed). So the figures
measured here are those of the system: the immediate id is what a reporter sees at once, the final id what the group is
called after the last refinement. Not here: labels, tuning, and regions, which the input carries for later use.
"""

from __future__ import annotations

import argparse
import itertools
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final, NamedTuple, TextIO

import numpy as np

from ml.adopt import adopt, joining_threshold
from ml.cluster import BURST_SHARE, LeaderState, assign, empty_state, keep_micro
from ml.encoders import EncoderUnavailableError, load_encoder, load_teacher, reference_vectors
from ml.guards import kinds_of
from ml.languages import languages_of
from ml.multilingual import is_multilingual
from ml.names import NameTally, add_texts, learns_at, learnt_names
from ml.reading import TextReader
from ml.refine import NO_GROUP, group_threshold, refine, turns_of
from ml.trial import distinct, teacher_of, try_student
from ml.types import BoolArray, Encoder, Float64Array, IntArray

# With times: a problem nobody mentions for three days has ended. Without: the line number is the clock, and 2,500
# reports without a mention stand for the same (on the first halves of Banking77 and News-T anything from 2,000 to no
# limit gives the same B-cubed within 0.02).
IDLE_SECONDS: Final = 3 * 86_400.0
IDLE_REPORTS: Final = 2_500.0
# Refinement looks at what moved since the last one, so it may come often: refining every ~100 reports changes 15 % of
# first labels, every 2,000 25 % (FINDINGS of the project's beginning, on Banking77).
REFINE_EVERY_REPORTS: Final = 200
# What is idle is let go when this share of the idle time has gone by.
LET_GO_SHARE: Final = 0.02
BATCH_LINES: Final = 256
# Names are tallied in so many texts before they are learnt, not in all: a tally costs a fifth of what placing does.
NAMES_FROM_LATEST: Final = 400
# A student is learnt from the stream's first lines and measured on the newest of them. (Banking77, fitted on one half
# and scored on the other: B-cubed .554 from 1,700 texts, .564 from 3,700, .587 from 6,500; without a student .494.)
LEARN_LINES: Final = 4_000
FRESH_TEXTS: Final = 300
LEAST_TEXTS: Final = 1_000 + FRESH_TEXTS


class BadLineError(ValueError):
    """A line of the input that is no report; the message holds its number and what is wrong."""


class Line(NamedTuple):
    """One report of the input; its time is epoch seconds, or its number if the input has no times."""

    number: int
    timed: bool
    time: float
    region: str
    text: str


class Grouper:
    """Places reports one batch at a time and refines now and then; keeps no text but the latest, which it need not read
    again, only words that may be names.

    Parameters
    ----------
    encoder : Encoder
    idle_seconds : float
        As for `ml.cluster.assign`, in the unit of the times given to `place`.
    usual : float, optional
        To be used instead of what the calibration reads: for measurements alone.
    timed : bool, default True
        Whether times are epoch seconds; only then do far-off bursts keep apart.
    """

    def __init__(
        self, encoder: Encoder, *, idle_seconds: float, usual: float | None = None, timed: bool = True
    ) -> None:
        self._reader = TextReader(encoder)
        self._reference = reference_vectors(encoder)
        self._by_language = is_multilingual(encoder)
        self._idle_seconds = idle_seconds
        self._usual = usual
        self._timed = timed
        self._state: LeaderState = empty_state(encoder.n_dims)
        # Micro-clusters are numbered for good; `_live` holds the numbers of those still in the state.
        self._live: IntArray = np.zeros(0, dtype=np.int64)
        self._group_of_micro: IntArray = np.zeros(0, dtype=np.int64)
        self._n_refined: IntArray = np.zeros(0, dtype=np.int64)
        self._micro_of_report: list[IntArray] = []
        self._next_group = 1
        self._since_refined = 0
        self._n_refinements = 0
        self._now = -np.inf
        self._let_go_at = -np.inf
        self._names: frozenset[str] = frozenset()
        self._name_tally = NameTally()
        self._learns_names_at = learns_at(0)

    @property
    def n_micro(self) -> int:
        """Number of micro-clusters that can still be joined."""
        return self._state.n_micro

    def place(self, texts: Sequence[str], times: Sequence[float], regions: Sequence[str] | None = None) -> IntArray:
        """Place a batch, refine where that is due, and return each report's immediate cluster id, shape (n,), int64.

        The batch should span much less than the idle time, because what went idle within it is only let go at the next.
        """
        self._now = max(self._now, *times)
        self._let_idle_go()
        vectors, guards = self._reader.read(texts, names=self._names)
        found = assign(
            self._state,
            vectors,
            times,
            idle_seconds=self._idle_seconds,
            kinds=kinds_of(guards, regions or [""] * len(texts)),
            languages=tuple(languages_of(texts)) if self._by_language else None,
            reference=self._reference,
            usual=self._usual,
        )
        n_new = found.state.n_micro - self._state.n_micro
        first = len(self._group_of_micro)
        self._state = found.state
        self._live = np.concatenate((self._live, np.arange(first, first + n_new)))
        self._group_of_micro = np.concatenate((self._group_of_micro, np.full(n_new, NO_GROUP, dtype=np.int64)))
        self._n_refined = np.concatenate((self._n_refined, np.zeros(n_new, dtype=np.int64)))
        if n_new:
            self._keep(
                adopt(
                    self._state.index,
                    self._state.n_reports,
                    self._group_of_micro[self._live],
                    threshold=joining_threshold(self._threshold, self._mixed),
                    kinds=self._state.kinds,
                    middles=self._middles,
                    same_time=self._same_time,
                    burst_seconds=self._idle_seconds * BURST_SHARE,
                    first_new_group=self._next_group,
                )
            )
        micro = self._live[found.micro]
        self._micro_of_report.append(micro)
        self._since_refined += len(texts)
        if abs(self._state.tally.n_seen - self._learns_names_at) <= NAMES_FROM_LATEST:
            self._name_tally = add_texts(self._name_tally, texts)
        if self._since_refined >= REFINE_EVERY_REPORTS:
            self.refine()
        immediate: IntArray = self._group_of_micro[micro]
        return immediate

    def refine(self, *, everything: bool = False) -> None:
        """Merge and split the groups of micro-clusters that can still be joined."""
        if self._state.n_micro == 0:
            return
        moved: BoolArray | None = self._state.n_reports > self._n_refined[self._live]
        self._keep(
            refine(
                self._state.sums,
                self._state.n_reports,
                self._group_of_micro[self._live],
                threshold=self._threshold,
                kinds=self._state.kinds,
                middles=self._middles,
                same_time=self._same_time,
                burst_seconds=self._idle_seconds * BURST_SHARE,
                moved=None if everything else moved,
                turn=self._n_refinements,
                n_turns=turns_of(self._mixed),
                first_new_group=self._next_group,
            )
        )
        self._n_refined[self._live] = self._state.n_reports
        self._n_refinements += 1
        if (n_seen := self._state.tally.n_seen) >= self._learns_names_at:
            self._names = learnt_names(self._name_tally, known=self._names)
            self._learns_names_at = learns_at(n_seen)
        self._since_refined = 0

    def final_groups(self) -> IntArray:
        """The cluster id of every report placed so far, in order, as of the last refinement."""
        if not self._micro_of_report:
            return np.zeros(0, dtype=np.int64)
        final: IntArray = self._group_of_micro[np.concatenate(self._micro_of_report)]
        return final

    @property
    def _threshold(self) -> float:
        calibration = self._state.calibration
        if calibration is None:
            return 1.0
        usual = calibration.usual_weighted if self._usual is None else self._usual
        return group_threshold(usual)

    @property
    def _mixed(self) -> float:
        calibration = self._state.calibration
        return 0.0 if calibration is None else calibration.mixed

    @property
    def _same_time(self) -> float:
        calibration = self._state.calibration
        return 0.0 if calibration is None else calibration.same_time

    @property
    def _middles(self) -> Float64Array | None:
        return (self._state.opened_at + self._state.last_seen) / 2

    def _keep(self, groups: IntArray) -> None:
        self._group_of_micro[self._live] = groups
        self._next_group = max(self._next_group, int(groups.max(initial=0)) + 1)

    def _let_idle_go(self) -> None:
        """Forget micro-clusters that nothing can join any more; their groups stay as they are."""
        if self._now < self._let_go_at:
            return
        self._let_go_at = self._now + LET_GO_SHARE * self._idle_seconds
        keep = self._state.last_seen >= self._now - self._idle_seconds
        if not keep.all():
            self._state, self._live = keep_micro(self._state, keep), self._live[keep]


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
        "--encoder",
        choices=("auto", "student", "static", "hashing", "minilm", "multilingual"),
        default="auto",
        help="how texts become vectors; `auto` learns from the first lines where a teacher is installed and that is "
        "measured to be better, and takes `static` or `hashing` otherwise; `student` insists on a teacher; `minilm` "
        "reads every line with that model, and learns besides where that helps",
    )
    options = parser.parse_args(argv)
    numbers: list[int] = []
    immediate: list[int] = []
    try:
        learns = options.encoder in ("auto", "student", "minilm")
        encoder = unlearnt = load_encoder("auto" if options.encoder == "student" else options.encoder)
        with _progress(stdin, stderr) as (lines, say, tell_learnt):
            reports = read_lines(lines)
            beginning = list(itertools.islice(reports, LEARN_LINES if learns else 1))
            if not beginning:
                return 0
            if learns:
                insists = options.encoder == "student"
                encoder, verdict = learnt_encoder(
                    [line.text for line in beginning],
                    instead=unlearnt,
                    teacher=load_teacher("minilm") if options.encoder == "minilm" else None,
                    insists=insists,
                    progress=tell_learnt,
                )
                if insists or encoder is not unlearnt:
                    say(f"cluster: {verdict}")
            timed = beginning[0].timed
            idle = IDLE_SECONDS if timed else IDLE_REPORTS
            grouper = Grouper(encoder, idle_seconds=idle, timed=timed)
            span = idle / 10 if timed else np.inf
            for batch in _batches(itertools.chain(beginning, reports), span=span):
                times = [line.time for line in batch]
                regions = [line.region for line in batch]
                immediate.extend(grouper.place([line.text for line in batch], times, regions).tolist())
                numbers.extend(line.number for line in batch)
            grouper.refine()
    except (BadLineError, EncoderUnavailableError) as error:
        stderr.write(f"cluster: {error}\n")
        return 2
    for number, at_once, final in zip(numbers, immediate, grouper.final_groups().tolist(), strict=True):
        stdout.write(f"{number}\t{at_once}\t{final}\n")
    return 0


def learnt_encoder(
    texts: Sequence[str],
    *,
    instead: Encoder,
    teacher: Encoder | None = None,
    insists: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Encoder, str]:
    """A student of a teacher that is installed where it is worth using, otherwise what needs no learning; and why.

    Parameters
    ----------
    texts : sequence of str
        In the order of the stream; measured on are the newest.
    instead : Encoder
        What needs no learning.
    teacher : Encoder, optional
        By default the one that suits the texts, of those that are installed.
    insists : bool, default False
        Whether it is an error that no teacher is installed.
    progress : callable, optional
        As for `ml.trial.try_student`.

    Returns
    -------
    encoder : Encoder
    verdict : str
        One line for people.

    Raises
    ------
    EncoderUnavailableError
        If no teacher is installed and one was insisted on.

    Notes
    -----
    Cost: the teacher's on all distinct texts (10 s for 4,000 with MiniLM), and that of `ml.trial.try_student`.

    Examples
    --------
    >>> learnt_encoder(["no power", "login fails"], instead=load_encoder("hashing"))[1]
    'too few different texts to learn from (2, 1,300 are wanted): hashing-512-v2 is used'
    """
    told = distinct(texts)
    try:
        if len(told) < LEAST_TEXTS:
            if insists:
                teacher_of(told)
            few = f"too few different texts to learn from ({len(told):,}, {LEAST_TEXTS:,} are wanted)"
            return instead, f"{few}: {instead.name} is used"
        teacher = teacher or teacher_of(told)
    except EncoderUnavailableError as error:
        if insists:
            raise
        return instead, f"no teacher to learn from ({error}): {instead.name} is used"
    trial = try_student(told[:-FRESH_TEXTS], told[-FRESH_TEXTS:], teacher=teacher, instead=instead, progress=progress)
    encoder = trial.encoder if trial.is_worth_it else instead
    figures = (
        f"{trial.agreement:.2f} learnt from {trial.n_texts:,} texts, {trial.agreement_instead:.2f} without learning"
    )
    return encoder, f"agreement with {teacher.name} {figures}: {encoder.name} is used"


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
        yield Line(number, timed, time, fields[1] if timed else "", fields[-1])


def _epoch_seconds(text: str, number: int) -> float:
    try:
        moment = datetime.fromisoformat(text.upper())  # RFC 3339 allows t and z as well
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
def _progress(
    stdin: TextIO, stderr: TextIO
) -> Iterator[tuple[Iterator[str], Callable[[str], object], Callable[[int, int], None] | None]]:
    """The lines of `stdin`, with a bar while they are read if somebody is watching; a way to say something; and one to
    tell how many texts a teacher has read and has to read."""
    if not stderr.isatty():
        yield iter(stdin), lambda said: stderr.write(f"{said}\n"), None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.fields[n_reports]:,} reports {task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(file=stderr), transient=True) as bar:
        task = bar.add_task("read", total=_n_bytes(stdin), n_reports=0)

        def watched() -> Iterator[str]:
            n_bytes = 0
            for n_reports, line in enumerate(stdin, start=1):
                yield line
                n_bytes += len(line.encode(errors="surrogateescape"))
                if n_reports % BATCH_LINES == 0:
                    bar.update(task, completed=n_bytes, n_reports=n_reports)

        lesson = bar.add_task("learnt from", total=None, n_reports=0, visible=False)

        def learnt(n_read: int, n_all: int) -> None:
            bar.update(lesson, completed=n_read, total=n_all, n_reports=n_read, visible=n_read < n_all)

        yield watched(), lambda said: bar.console.print(said, markup=False, highlight=False, soft_wrap=True), learnt


def _n_bytes(stdin: TextIO) -> int | None:
    """Size of the input if it is a file; a pipe has none."""
    try:
        status = os.fstat(stdin.fileno())
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
