"""Figures as numbers."""

from __future__ import annotations

import pytest

from reports.triage.rows import PlaceRow
from reports.web.figures import SHADES, shades


def test_the_largest_excess_has_the_deepest_shade_and_what_is_usual_none() -> None:
    places = [PlaceRow("DE", 100, 1.0), PlaceRow("FR", 3, 1.0), PlaceRow("US", 50, 60.0)]

    assert [shade.level for shade in shades(places)] == [SHADES, 1, 0]


@pytest.mark.parametrize("n", [0, 1, 7, 1_000_000])
def test_every_shade_is_on_the_scale(n: int) -> None:
    found = shades([PlaceRow("DE", n, None), PlaceRow("FR", 1_000_000, 0.0)])

    assert all(0 <= shade.level <= SHADES for shade in found)


def test_no_place_has_no_shade() -> None:
    assert shades([]) == []
