"""Figures as numbers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reports.enums import OutageState
from reports.triage.rows import OutageRow, PlaceRow
from reports.triage.streams import Chart, Point
from reports.web.figures import SHADES, SPARK_WIDTH, shades, spark
from tests.factories import NOW


def test_the_largest_excess_has_the_deepest_shade_and_what_is_usual_none() -> None:
    places = [PlaceRow("DE", 100, 1.0), PlaceRow("FR", 3, 1.0), PlaceRow("US", 50, 60.0)]

    assert [shade.level for shade in shades(places)] == [SHADES, 1, 0]


def test_a_few_reports_in_a_quiet_hour_stay_pale() -> None:
    assert [shade.level for shade in shades([PlaceRow("ES", 1, 0.1)])] == [1]


@pytest.mark.parametrize("n", [0, 1, 7, 1_000_000])
def test_every_shade_is_on_the_scale(n: int) -> None:
    found = shades([PlaceRow("DE", n, None), PlaceRow("FR", 1_000_000, 0.0)])

    assert all(0 <= shade.level <= SHADES for shade in found)


def test_no_place_has_no_shade() -> None:
    assert shades([]) == []


@pytest.mark.parametrize(("expected", "words"), [(None, ""), (0.0, "< 0.1"), (0.09, "< 0.1"), (1.26, "1.3")])
def test_a_usual_number_never_reads_as_never(expected: float | None, words: str) -> None:
    assert PlaceRow("DE", 1, expected).usual == words


def test_the_onset_is_marked_where_its_bar_begins() -> None:
    points = tuple(Point(NOW + timedelta(minutes=5 * number), 1, 1.0) for number in range(4))
    row = OutageRow(
        id=1, service_name="Mail", service_slug="mail", is_service_public=True, label="", state=OutageState.SUSPECTED,
        is_confirmed_by_person=False, assignee_id=None, assignee="", scope_region="", regions=(),
        started_at=NOW + timedelta(minutes=13), suspected_at=NOW, confirmed_at=None, resolved_at=None, since=NOW,
        n_reports=4, n_reporters=4, evidence="", chart=Chart(5, points, is_partial=False),
    )  # fmt: skip

    drawn = spark(row)

    assert drawn is not None
    assert drawn.onset_x == SPARK_WIDTH / 2
