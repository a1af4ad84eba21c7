"""A chart drawn: what is where, worked out by hand."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime, timedelta

import pytest

from reports.management import drawing
from reports.management.drawing import BOTTOM, LANES, LEFT, RIGHT, TOP, Mark, draw
from reports.triage.streams import Chart, Point

START = datetime(2026, 3, 1, 9, 50, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def a_chart(observed: list[int], expected: list[float | None] | None = None, *, bin_minutes: int = 5) -> Chart:
    usual = expected or [None] * len(observed)
    points = [
        Point(START + i * bin_minutes * MINUTE, n, e) for i, (n, e) in enumerate(zip(observed, usual, strict=True))
    ]
    return Chart(bin_minutes, tuple(points), is_partial=False)


def test_bars_stand_on_the_axis_and_the_highest_number_has_a_round_top() -> None:
    figure = draw(a_chart([0, 8], [1.0, 2.0]))

    assert figure is not None
    middle = (LEFT + RIGHT) / 2
    assert figure.observed == f"M{LEFT} {BOTTOM}V{BOTTOM}H{middle}V{TOP}H{RIGHT}V{BOTTOM}Z"
    assert (figure.top, figure.peak, figure.n_reports) == (8, 8, 8)
    assert figure.expected == "M110.5 138.5L271.5 125.0"  # an eighth and a quarter of the way up


def test_where_the_usual_is_not_known_the_line_is_broken() -> None:
    figure = draw(a_chart([1, 1, 1, 1], [0.0, None, 0.0, 0.0]))

    assert figure is not None
    assert [command for command in figure.expected if command.isalpha()] == ["M", "M", "L"]


def test_without_reports_and_without_points() -> None:
    silent = draw(a_chart([0, 0]))

    assert silent is not None
    assert (silent.top, silent.expected) == (1, "")
    assert draw(a_chart([])) is None


def test_flags_stand_at_their_time_and_never_on_each_other() -> None:
    marks = [Mark("S", "suspected", START + 10 * MINUTE), Mark("L", "label", START + 10 * MINUTE)]
    marks += [Mark("X", "resolved", START + 100 * MINUTE), Mark("C", "confirmed", START + 11 * MINUTE)]

    figure = draw(a_chart([1] * 20), marks=marks)

    assert figure is not None
    assert [(flag.letter, flag.x, flag.y) for flag in figure.flags] == [
        ("S", 62.2, LANES[0]),
        ("L", 62.2, LANES[1]),
        ("C", 65.4, LANES[2]),
        ("X", RIGHT, LANES[0]),
    ]


def test_more_flags_than_lanes_are_drawn_all_the_same() -> None:
    figure = draw(a_chart([1] * 20), marks=[Mark("L", "label", START)] * 7)

    assert figure is not None
    assert len(figure.flags) == 7


def test_what_lies_outside_is_left_out_and_spans_are_cut() -> None:
    marks = [Mark("L", "label", START - MINUTE), Mark("X", "resolved", START + 101 * MINUTE)]
    spans = [
        (START - 60 * MINUTE, START + 50 * MINUTE),
        (START + 90 * MINUTE, START + 900 * MINUTE),
        (START - 60 * MINUTE, START),
        (START + 100 * MINUTE, START + 200 * MINUTE),
    ]

    figure = draw(a_chart([1] * 20), marks=marks, spans=spans)

    assert figure is not None
    assert figure.flags == ()
    assert [(band.x, band.width) for band in figure.bands] == [(30.0, 161.0), (319.8, 32.2)]


@pytest.mark.parametrize(
    ("bin_minutes", "labels"),
    [
        (1, ["09:50", "09:55", "10:00", "10:05", "10:10"]),
        (15, ["10:00", "12:00", "14:00"]),
        (60, ["12:00", "18:00", "2 Mar"]),
        (1440, ["5 Mar", "12 Mar", "19 Mar"]),
    ],
)
def test_ticks_are_round_times_and_days_are_named(bin_minutes: int, labels: list[str]) -> None:
    figure = draw(a_chart([1] * 20, bin_minutes=bin_minutes))

    assert figure is not None
    assert [tick.label for tick in figure.ticks] == labels


def test_examples_run_as_printed() -> None:
    assert doctest.testmod(drawing).failed == 0
