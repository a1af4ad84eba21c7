"""Of a service in one country, the country is no level of its own."""

from __future__ import annotations

import pytest

from reports.detection.places import _lone_country


@pytest.mark.parametrize(
    ("nodes", "lone"),
    [
        (["", "US", "US-CA", "US-TX"], "US"),
        (["", "DE", "US", "US-CA"], None),  # two countries
        (["", "US"], None),  # without parts it is all there is
        ([""], None),
    ],
)
def test_the_only_country_is_known_by_its_parts(nodes: list[str], lone: str | None) -> None:
    assert _lone_country(nodes) == lone
