"""Figures as numbers a template can draw: sparklines as SVG paths, places in shades. Pure; no markup, no colours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from reports.triage.rows import OutageRow, PlaceRow
from reports.triage.streams import Chart
from reports.triage.what_if import Outcome, ServiceLines, Side

SPARK_WIDTH: Final = 320
SPARK_HEIGHT: Final = 64
SHADES: Final = 5
LEAST_BAR: Final = 2.5  # an outage of an hour in a fortnight would be a hair
DEEPEST_FROM: Final = 20.0  # reports above usual: one report in a quiet hour must not look like a disaster


@dataclass(frozen=True, slots=True)
class Spark:
    """A small chart: two SVG paths in a box of SPARK_WIDTH × SPARK_HEIGHT, and where in it the onset's bar begins."""

    observed: str
    expected: str
    onset_x: float
    peak: int
    width: int = SPARK_WIDTH
    height: int = SPARK_HEIGHT


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when something was open, as a bar from `x` on."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class WhatIfChart:
    """Reports over the period as one SVG path, and above it a lane of bars for each side."""

    observed: str
    peak: int
    found: tuple[Span, ...]
    asked: tuple[Span, ...]
    width: int = SPARK_WIDTH
    height: int = SPARK_HEIGHT


@dataclass(frozen=True, slots=True)
class Shade:
    """A place with its step on the map's scale: 0 (no more than usual) to SHADES (the most of all, if it is many)."""

    place: PlaceRow
    level: int


def spark(row: OutageRow) -> Spark | None:
    """Return the small chart of an outage, or None where there is nothing to draw."""
    return chart_spark(row.chart, onset_at=row.started_at) if row.chart is not None else None


def chart_spark(chart: Chart, *, onset_at: datetime | None = None) -> Spark | None:
    """Return a chart drawn small, or None where there is nothing to draw; without an onset its line lies at 0."""
    if len(chart.points) < 2:
        return None
    expected = [point.expected or 0.0 for point in chart.points]
    top = max(1.0, *(point.observed for point in chart.points), *expected)
    start = chart.points[0].at
    bars = ((onset_at or start) - start) // timedelta(minutes=chart.bin_minutes)  # before the one the onset is in
    onset = bars / len(chart.points) * SPARK_WIDTH
    return Spark(
        observed=_steps([point.observed for point in chart.points], top),
        expected=_line(expected, top) if _is_known(chart) else "",
        onset_x=round(min(max(onset, 0.0), SPARK_WIDTH), 1),
        peak=max(point.observed for point in chart.points),
    )


def what_if_chart(service: ServiceLines, outcome: Outcome) -> WhatIfChart:
    """Return the chart of one service's days: what was found above what would have been."""
    return WhatIfChart(
        observed=_steps(service.reports, max(1.0, *service.reports)),
        peak=max(service.reports),
        found=tuple(_span(line.found, outcome) for line in service.lines if line.found),
        # Two outages that were found may be one alarm.
        asked=tuple(dict.fromkeys(_span(line.asked, outcome) for line in service.lines if line.asked)),
    )


def _span(side: Side, outcome: Outcome) -> Span:
    """Return the bar of an outage from its suspicion to its end, cut to the period and wide enough to be seen."""
    whole = outcome.until - outcome.since
    start = min(max((side.suspected_at - outcome.since) / whole, 0.0), 1.0)
    end = min(((side.ended_at or outcome.until) - outcome.since) / whole, 1.0)
    width = max((end - start) * SPARK_WIDTH, LEAST_BAR)
    return Span(x=round(min(start * SPARK_WIDTH, SPARK_WIDTH - width), 1), width=round(width, 1))


def shades(places: Iterable[PlaceRow]) -> list[Shade]:
    """Return the places with their shades. By the square root, so that one large country does not pale all others."""
    found = list(places)
    most = max([DEEPEST_FROM, *(place.excess for place in found)])
    return [Shade(place, _level(place.excess, most)) for place in found]


def _level(excess: float, most: float) -> int:
    if excess < 0.5:
        return 0
    return max(1, round(SHADES * math.sqrt(excess / most)))


def _is_known(chart: Chart) -> bool:
    return any(point.expected is not None for point in chart.points)


def _y(value: float, top: float) -> float:
    return round(SPARK_HEIGHT - 1 - value / top * (SPARK_HEIGHT - 4), 1)


def _steps(values: Sequence[float], top: float) -> str:
    """Draw bars without gaps, as one closed area."""
    width = SPARK_WIDTH / len(values)
    steps = [f"V{_y(value, top)}H{round((number + 1) * width, 1)}" for number, value in enumerate(values)]
    return f"M0 {SPARK_HEIGHT}{''.join(steps)}V{SPARK_HEIGHT}Z"


def _line(values: Sequence[float], top: float) -> str:
    width = SPARK_WIDTH / len(values)
    points = [f"{round((number + 0.5) * width, 1)} {_y(value, top)}" for number, value in enumerate(values)]
    return f"M{'L'.join(points)}"
