"""Counts roll up the tree, and an outage is placed where its reports are."""

from __future__ import annotations

import numpy as np
import pytest

from ml.regions import Incident, Place, ancestors, are_related, parent, place, roll_up, where

P_FIRE = 1e-4


def placed(counts: dict[str, tuple[float, float, float]]) -> list[Incident]:
    """Where the outage is, for nodes given as (observed, expected, p-value)."""
    observed, expected, p = np.array(list(counts.values())).T
    return where(list(counts), observed, expected, p, p_fire=P_FIRE)


def test_a_subdivision_lies_in_its_country_and_that_in_the_whole() -> None:
    assert ancestors("DE-BY") == ["DE", ""]
    assert parent("") is None


def test_siblings_are_not_related() -> None:
    assert are_related("", "US-TX")
    assert not are_related("DE", "DK-84")


def test_everything_counts_in_the_whole_and_what_has_no_region_nowhere_else() -> None:
    nodes, sums = roll_up(["DE-BY", "DE-BE", "FR", ""], [[1, 0], [2, 0], [0, 4], [8, 8]])

    assert dict(zip(nodes, sums.tolist(), strict=True)) == {
        "": [11.0, 12.0],
        "DE": [3.0, 0.0],
        "DE-BE": [2.0, 0.0],
        "DE-BY": [1.0, 0.0],
        "FR": [0.0, 4.0],
    }


def test_the_same_region_twice_is_added_up() -> None:
    nodes, sums = roll_up(["FR", "FR"], [[1], [2]])

    assert sums[nodes.index("FR")].tolist() == [3.0]


def test_nothing_rolls_up_to_an_empty_whole() -> None:
    nodes, sums = roll_up([], np.zeros((0, 2)))

    assert nodes == [""]
    assert sums.tolist() == [[0.0, 0.0]]


def test_counts_must_fit_the_codes() -> None:
    with pytest.raises(ValueError, match="counts must be of shape"):
        roll_up(["DE"], [[1], [2]])


def test_where_nothing_fires_there_is_no_outage() -> None:
    assert placed({"": (3, 1, 0.1), "DE": (3, 1, 0.1)}) == []


def test_an_outage_of_one_state_is_that_states() -> None:
    found = placed({"": (22, 2, 1e-9), "US": (21, 1, 1e-12), "US-TX": (19, 0.3, 1e-20), "US-CA": (2, 0.3, 0.2)})

    assert [(one.root, one.regions) for one in found] == [("US-TX", ["US-TX"])]


def test_a_national_outage_is_one_and_names_its_states() -> None:
    found = placed(
        {
            "": (40, 2, 1e-20),
            "US": (39, 1, 1e-22),
            "US-TX": (14, 0.3, 1e-9),
            "US-CA": (13, 0.3, 1e-9),
            "US-NY": (3, 0.3, 0.01),
        }
    )

    assert [(one.root, one.regions) for one in found] == [("US", ["US-CA", "US-TX"])]


def test_a_world_wide_outage_is_one() -> None:
    found = placed({"": (90, 2, 1e-60), "DE": (30, 0.5, 1e-20), "FR": (30, 0.5, 1e-20), "US": (30, 0.5, 1e-20)})

    assert [(one.root, one.regions) for one in found] == [("", ["DE", "FR", "US"])]


def test_regions_that_fire_alone_are_outages_apart() -> None:
    found = placed({"": (60, 50, 0.1), "US": (40, 30, 0.1), "US-MI": (9, 0.3, 1e-7), "US-TX": (8, 0.3, 1e-6)})

    assert [(one.root, one.p_value) for one in found] == [("US-MI", 1e-7), ("US-TX", 1e-6)]


def test_a_small_fire_beside_a_large_one_is_not_lost() -> None:
    found = placed(
        {
            "": (100, 1, 1e-90),
            "DE": (94, 0.1, 1e-90),
            "US": (6, 0.1, 1e-7),
            "DE-BY": (93, 0.1, 1e-90),
            "US-TX": (6, 0.1, 1e-7),
        }
    )

    assert [one.root for one in found] == ["DE-BY", "US-TX"]


def test_reports_without_a_region_keep_the_outage_at_the_whole() -> None:
    found = placed({"": (30, 1, 1e-20), "US": (2, 0.5, 0.1), "US-TX": (2, 0.1, 0.02)})

    assert [(one.root, one.regions) for one in found] == [("", [""])]


def test_the_order_of_nodes_does_not_matter() -> None:
    counts = {"": (22, 2, 1e-9), "US": (21, 1, 1e-12), "US-TX": (19, 0.3, 1e-20), "FR": (9, 0.1, 1e-8)}

    assert placed(counts) == placed(dict(reversed(counts.items())))


def test_nodes_and_counts_must_match() -> None:
    with pytest.raises(ValueError, match="must all be of shape"):
        where(["", "DE"], [1], [1], [1], p_fire=P_FIRE)


def reports_in(own: dict[str, int]) -> Place:
    """Place what the last five minutes brought, each report named with the narrowest region it tells of."""
    codes = ["", "US", "US-CA", "US-NY", "US-TX", "DE", "DE-BY", "DE-BE"]
    nodes, seen = roll_up(codes, [[own.get(code, 0)] * 3 for code in codes])
    _, usual = roll_up(codes, [[0.02 * minutes for minutes in (5, 15, 60)] for _ in codes])
    return place(nodes, seen, usual, 1.0, np.full(len(nodes), 30.0), windows=(5, 15, 60))


def test_an_outage_is_placed_in_the_regions_that_report_it() -> None:
    found = reports_in({"US-CA": 8, "US-TX": 9, "": 3})

    assert (found.root, found.regions) == ("US", ["US-CA", "US-TX"])
    assert found.p_concerned["US-TX"] > 0.9 > 0.2 > found.p_concerned["DE"]


def test_where_all_parts_report_the_whole_is_named() -> None:
    found = reports_in({"DE-BY": 6, "DE-BE": 7})

    assert (found.root, found.regions) == ("DE", ["DE"])


def test_three_reports_without_a_region_do_not_say_where() -> None:
    found = reports_in({"": 3})

    assert found.root == ""
    assert found.confidence < reports_in({"": 3, "US-TX": 6}).confidence


def test_the_order_of_nodes_does_not_matter_to_a_place() -> None:
    usual = np.full((3, 1), 0.1)
    one = place(["", "DE", "FR"], [[9], [9], [0]], usual, 1.0, [9.0] * 3, windows=(5,))
    other = place(["FR", "DE", ""], [[0], [9], [9]], usual, 1.0, [9.0] * 3, windows=(5,))

    assert one == other


@pytest.mark.parametrize("nodes", [[], ["DE", "FR"], ["", "DE-BY"]])
def test_nodes_without_their_parents_are_no_tree(nodes: list[str]) -> None:
    with pytest.raises(ValueError, match="one tree"):
        place(nodes, np.ones((len(nodes), 1)), np.ones((len(nodes), 1)), 1.0, np.ones(len(nodes)), windows=(5,))
