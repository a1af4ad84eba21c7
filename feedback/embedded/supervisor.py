"""Keeps a handful of programs running: starts them, waits for them, restarts them with back-off, stops them in order.

Invariant: one thread, one loop; a program that died is back after a pause that grows while it keeps dying, and before
it comes back nothing of its process group is left, so no work is done twice. Which programs there are: `programs.py`.
"""

import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from feedback.embedded import identity, launching, logs
from feedback.embedded.errors import NoRoom, StartFailed
from feedback.embedded.ledger import Ledger
from feedback.embedded.postgres import explain_failure

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 15.0
# A program that lived so long had started well: its next death is a new story.
GOOD_LIFE_SECONDS = 30.0
_TICK_SECONDS = 0.05
_CHORES_SECONDS = 10.0


def _nothing() -> None:
    """The default chore."""


class StopRequested(Exception):
    """Somebody pressed Ctrl-C, or sent SIGTERM, while something was being started."""


@dataclass(frozen=True, slots=True)
class Program:
    """How one program is started, asked whether it is ready, and stopped."""

    name: str
    command: Sequence[str]
    # None: nothing to ask, it works as soon as it runs.
    ready: Callable[[], bool] | None = None
    ready_seconds: float = 30.0
    before_start: Callable[[], object] = lambda: None
    run_as: str = "same"
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 3.0
    # What to send when it does not stop, or when Ctrl-C is pressed again.
    force_signal: signal.Signals = signal.SIGKILL
    # What the kernel sends it when the supervisor is killed.
    death_signal: signal.Signals = signal.SIGTERM


@dataclass(slots=True)
class _Life:
    """What the supervisor knows of one program."""

    program: Program
    child: subprocess.Popen[bytes] | None = None
    since: float = 0.0
    log_start_byte: int = 0
    n_deaths: int = 0
    due_at: float = field(default=0.0)


def pause_seconds(n_deaths: int, rng: random.Random) -> float:
    """How long to wait before a program that died `n_deaths` times in a row is started again: doubling, with jitter."""
    longest = min(FIRST_PAUSE_SECONDS * 2.0 ** (n_deaths - 1), LONGEST_PAUSE_SECONDS)
    return longest * rng.uniform(0.75, 1.25)


class Supervisor:
    """Owns the programs of one DATA_DIR. Signals only count requests; everything happens in the caller's thread."""

    def __init__(
        self,
        *,
        logs_dir: Path,
        working_dir: Path,
        environ: Mapping[str, str],
        ledger: Ledger,
        say: Callable[[str], None],
        rng: random.Random,
    ) -> None:
        self._logs_dir = logs_dir
        self._working_dir = working_dir
        self._environ = environ
        self._ledger = ledger
        self._say = say
        self._rng = rng
        self._lives: dict[str, _Life] = {}
        self.n_stop_requests = 0

    def request_stop(self, *_: object) -> None:
        """A signal's way in: the first stops in order, the second by force."""
        self.n_stop_requests += 1

    def start(self, program: Program) -> None:
        """Start a program without waiting for it."""
        self._launch(self._lives.setdefault(program.name, _Life(program)))
        if program.ready is None:
            self._say(f"{program.name:<10} started")

    def wait_until_ready(self, *names: str) -> None:
        """Wait for programs that were started.

        Raises StartFailed (or NoRoom) with the end of the log when one dies or takes too long, StopRequested on Ctrl-C.
        """
        waiting = [self._lives[name] for name in names]
        while waiting:
            self.raise_if_stopped()
            for life in list(waiting):
                if life.program.ready is None or life.program.ready():
                    self._say(f"{life.program.name:<10} ready after {time.monotonic() - life.since:.1f} s")
                    waiting.remove(life)
                elif life.child is None or life.child.poll() is not None:
                    raise self._start_error(life, f"{life.program.name} {_ending(life.child)} while it was starting")
                elif time.monotonic() - life.since > life.program.ready_seconds:
                    raise self._start_error(
                        life, f"{life.program.name} did not become ready within {life.program.ready_seconds:.0f} s"
                    )
            time.sleep(_TICK_SECONDS)

    def run_to_end(self, name: str, command: Sequence[str]) -> str:
        """Run a program that ends by itself; return what it printed, while its errors and notes go to its log.

        Raises StartFailed (or NoRoom) with the end of the log when it fails, StopRequested on Ctrl-C.
        """
        started_at = time.monotonic()
        log = self._log(name)
        start_byte = log.stat().st_size if log.exists() else 0
        # What it prints may hold a password: into a file without a name.
        with log.open("ab") as notes, tempfile.TemporaryFile() as answer:
            child = subprocess.Popen(  # noqa: S603 - commands are built by us
                launching.wrapped(command, death_signal=signal.SIGKILL, run_as="same"),
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=notes,
                env=dict(self._environ),
                cwd=self._working_dir,
                start_new_session=True,
            )
            try:
                while child.poll() is None:
                    self.raise_if_stopped()
                    time.sleep(_TICK_SECONDS)
            finally:
                _kill_group(child)
            answer.seek(0)
            printed = answer.read().decode(errors="replace")
        if child.returncode != 0:
            tail = logs.tail(log, since_byte=start_byte)
            raise explain_failure(tail)(f"{name} {_ending(child)}. The end of {log}:\n{_indented(tail)}")
        self._say(f"{name:<10} done in {time.monotonic() - started_at:.1f} s")
        return printed

    def watch(self, *, until: Callable[[], bool] = lambda: False, now_and_then: Callable[[], None] = _nothing) -> None:
        """Restart what dies, until a stop is requested or `until` says so; every ten seconds do `now_and_then`."""
        chores_done_at = time.monotonic()
        while not self.n_stop_requests and not until():
            self._look_after_all()
            if time.monotonic() - chores_done_at > _CHORES_SECONDS:
                chores_done_at = time.monotonic()
                self._rotate_logs()
                now_and_then()
            time.sleep(_TICK_SECONDS)

    def stop(self, *, order: Sequence[str]) -> None:
        """Stop everything: each rank of `order` (names joined by a blank) at once, one rank after the other."""
        already = self.n_stop_requests
        for rank in order:
            lives = [self._lives[name] for name in rank.split() if name in self._lives and self._lives[name].child]
            for life in lives:
                self._send(life, life.program.stop_signal)
            while any(life.child and life.child.poll() is None for life in lives):
                forced = self.n_stop_requests > max(already, 1)
                for life in lives:
                    late = time.monotonic() - life.due_at > life.program.stop_seconds
                    if life.child and life.child.poll() is None and (forced or late):
                        self._force(life, forced=forced)
                time.sleep(_TICK_SECONDS)
            for life in lives:
                if life.child:
                    _kill_group(life.child)
                self._ledger.remove(life.program.name)
                life.child = None

    def pids(self) -> dict[str, int]:
        """The running programs' numbers."""
        return {name: life.child.pid for name, life in self._lives.items() if life.child and life.child.poll() is None}

    def _launch(self, life: _Life) -> None:
        program = life.program
        program.before_start()
        log = self._log(program.name)
        life.log_start_byte = log.stat().st_size if log.exists() else 0
        with log.open("ab") as sink:
            life.child = launching.spawn(
                program.command,
                log=sink,
                environ=self._environ,
                working_dir=self._working_dir,
                death_signal=program.death_signal,
                run_as=program.run_as,
            )
        life.since = time.monotonic()
        self._ledger.add(program.name, life.child.pid, stop_signal=program.stop_signal)

    def _look_after_all(self) -> None:
        now = time.monotonic()
        for life in self._lives.values():
            if life.child is None:
                if now >= life.due_at:
                    self._launch_again(life)
            elif life.child.poll() is not None:
                self._bury(life, now)

    def _rotate_logs(self) -> None:
        for name in self._lives:
            with suppress(OSError):  # a full disk must not end the supervisor
                logs.rotate(self._log(name))

    def _bury(self, life: _Life, now: float) -> None:
        """Note a death, end what the dead one left behind, and set the time of its return."""
        child = life.child
        assert child is not None  # noqa: S101 - the caller looked
        _kill_group(child)
        life.n_deaths = 1 if now - life.since > GOOD_LIFE_SECONDS else life.n_deaths + 1
        pause = pause_seconds(life.n_deaths, self._rng)
        life.child, life.due_at = None, now + pause
        tail = logs.tail(self._log(life.program.name), since_byte=life.log_start_byte)
        why = ": the disk is full" if explain_failure(tail) is NoRoom else ""
        self._say(f"{life.program.name:<10} {_ending(child)}{why}; starting it again in {pause:.1f} s")

    def _launch_again(self, life: _Life) -> None:
        try:
            self._launch(life)
            self._say(f"{life.program.name:<10} started again")
        except (OSError, StartFailed, NoRoom) as error:
            life.n_deaths += 1
            pause = pause_seconds(life.n_deaths, self._rng)
            life.due_at = time.monotonic() + pause
            self._say(f"{life.program.name:<10} can't be started ({error}); trying again in {pause:.1f} s")

    def _send(self, life: _Life, sign: signal.Signals) -> None:
        life.due_at = time.monotonic()  # from here on its patience is counted
        if life.child and life.child.poll() is None:
            life.child.send_signal(sign)

    def _force(self, life: _Life, *, forced: bool) -> None:
        child = life.child
        if child is None:
            return
        if not forced:
            self._say(f"{life.program.name:<10} did not stop within {life.program.stop_seconds:.0f} s; ending it")
        child.send_signal(life.program.force_signal)
        try:
            child.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            _kill_group(child)

    def raise_if_stopped(self) -> None:
        """Raises StopRequested when somebody asked for a stop."""
        if self.n_stop_requests:
            raise StopRequested

    def _start_error(self, life: _Life, what: str) -> StartFailed | NoRoom:
        log = self._log(life.program.name)
        tail = logs.tail(log, since_byte=life.log_start_byte)
        kind = explain_failure(tail)
        why = " (the disk is full)" if kind is NoRoom else ""
        return kind(f"{what}{why}. The end of {log}:\n{_indented(tail)}")

    def _log(self, name: str) -> Path:
        return self._logs_dir / f"{name}.log"


def _ending(child: subprocess.Popen[bytes] | None) -> str:
    code = child.poll() if child else None
    if code is None:
        return "is not running"
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    """End all that the child started and that did not end with it; the child itself too."""
    with suppress(ProcessLookupError, PermissionError):  # macOS says EPERM for a group of zombies
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    deadline = time.monotonic() + 2.0
    while identity.group_members(child.pid) and time.monotonic() < deadline:
        time.sleep(0.01)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()) or "    (nothing was written)"
