"""Charts as numbers a template can draw: paths, marks and ticks within one box. Pure; no markup, no colours.

The box has the size the chart usually has on the page, so that its letters keep a readable size on a phone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from reports.triage.streams import Chart, Point

WIDTH: Final = 360
HEIGHT: Final = 176
LEFT: Final = 30.0
RIGHT: Final = 352.0
TOP: Final = 44.0
BOTTOM: Final = 152.0
LANES: Final = (11.0, 23.0, 35.0)  # where the flags of marks stand; more than three at one spot are rare
FLAG_WIDTH: Final = 14.0
MOST_TICKS: Final = 4

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = 1440
_TICK_MINUTES: Final = (5, 10, 15, 30, 60, 120, 180, 360, 720, _DAY, 2 * _DAY, 7 * _DAY, 28 * _DAY, 364 * _DAY)
_NICE: Final = (1, 2, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment to mark: the letter on its flag, the word for its look."""

    letter: str
    look: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Flag:
    """A mark where it is drawn: a line at `x` up to a letter at `y`."""

    letter: str
    look: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A time written below the chart."""

    label: str
    x: float


@dataclass(frozen=True, slots=True)
class Band:
    """A labelled time, from its start to its end."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart ready to be drawn. `expected` is "" where nobody knows what is usual."""

    observed: str
    expected: str
    flags: tuple[Flag, ...]
    bands: tuple[Band, ...]
    ticks: tuple[Tick, ...]
    top: int
    peak: int
    n_reports: int
    bin_minutes: int
    since: datetime
    until: datetime
    width: int = WIDTH
    height: int = HEIGHT
    left: float = LEFT
    right: float = RIGHT
    y_top: float = TOP
    y_bottom: float = BOTTOM
    plot_height: float = BOTTOM - TOP


def draw(chart: Chart, *, marks: Iterable[Mark] = (), spans: Iterable[tuple[datetime, datetime]] = ()) -> Figure | None:
    """Return a chart drawn with its marks and labelled spans, or None where it has no points.

    What lies outside the chart's time is left out; a span is cut to it.
    """
    if not chart.points:
        return None
    since = chart.points[0].at
    until = since + len(chart.points) * timedelta(minutes=chart.bin_minutes)
    peak = max(point.observed for point in chart.points)
    top = _nice(max(peak, *(point.expected or 0.0 for point in chart.points)))
    return Figure(
        observed=_area(chart.points, top),
        expected=_line(chart.points, top),
        flags=_flags([mark for mark in marks if since <= mark.at <= until], since, until),
        bands=tuple(_band(start, end, since, until) for start, end in spans if start < until and end > since),
        ticks=_ticks(since, until),
        top=top,
        peak=peak,
        n_reports=sum(point.observed for point in chart.points),
        bin_minutes=chart.bin_minutes,
        since=since,
        until=until,
    )


def _x(at: datetime, since: datetime, until: datetime) -> float:
    return round(LEFT + (at - since) / (until - since) * (RIGHT - LEFT), 1)


def _y(value: float, top: float) -> float:
    return round(BOTTOM - value / top * (BOTTOM - TOP), 1)


def _nice(value: float) -> int:
    """Return the next number up that reads well on an axis.

    >>> [_nice(n) for n in (0, 1, 7, 41, 350)]
    [1, 1, 8, 50, 400]
    """
    if value <= 1:
        return 1
    magnitude = int(10 ** math.floor(math.log10(value)))
    return next(step * magnitude for step in _NICE if step * magnitude >= value)


def _area(points: Sequence[Point], top: float) -> str:
    """Draw bars without gaps, as one closed area."""
    width = (RIGHT - LEFT) / len(points)
    steps = [f"V{_y(point.observed, top)}H{round(LEFT + (i + 1) * width, 1)}" for i, point in enumerate(points)]
    return f"M{LEFT} {BOTTOM}{''.join(steps)}V{BOTTOM}Z"


def _line(points: Sequence[Point], top: float) -> str:
    """Draw what is usual as a line, broken where it is not known."""
    width = (RIGHT - LEFT) / len(points)
    path, pen = [], "M"
    for i, point in enumerate(points):
        if point.expected is None:
            pen = "M"
            continue
        path.append(f"{pen}{round(LEFT + (i + 0.5) * width, 1)} {_y(point.expected, top)}")
        pen = "L"
    return "".join(path)


def _flags(marks: Sequence[Mark], since: datetime, until: datetime) -> tuple[Flag, ...]:
    """Put each flag into the first lane in which it covers no other; in need into the one with the most room."""
    ends = [-math.inf] * len(LANES)
    flags = []
    for mark in sorted(marks, key=lambda mark: mark.at):
        x = _x(mark.at, since, until)
        free = [lane for lane, end in enumerate(ends) if x - end >= FLAG_WIDTH]
        lane = free[0] if free else ends.index(min(ends))
        ends[lane] = x
        flags.append(Flag(mark.letter, mark.look, x, LANES[lane]))
    return tuple(flags)


def _band(start: datetime, end: datetime, since: datetime, until: datetime) -> Band:
    left, right = _x(max(start, since), since, until), _x(min(end, until), since, until)
    return Band(left, round(right - left, 1))


def _ticks(since: datetime, until: datetime) -> tuple[Tick, ...]:
    span = (until - since) / timedelta(minutes=1)
    step = next((step for step in _TICK_MINUTES if span / step <= MOST_TICKS), _TICK_MINUTES[-1])
    width = timedelta(minutes=step)
    at = _EPOCH + math.ceil((since - _EPOCH) / width) * width
    ticks = []
    while at <= until:
        is_day = step >= _DAY or (at.hour, at.minute) == (0, 0)
        ticks.append(Tick(f"{at.day} {at:%b}" if is_day else f"{at:%H:%M}", _x(at, since, until)))
        at += width
    return tuple(ticks)
