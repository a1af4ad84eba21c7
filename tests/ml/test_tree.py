"""Where a rise is: sets of regions weighed against each other, not regions one by one."""

from __future__ import annotations

import numpy as np
import pytest

from ml.rise import steepness_grid
from ml.tree import Placement, locate

# The whole; two countries, rows 1 and 2; three states of the first, rows 3 to 5; two of the second, rows 6 and 7.
PARENTS = [-1, 0, 0, 1, 1, 1, 2, 2]
WINDOWS = (5, 15, 60)
PER_MINUTE = np.array([0.02, 0.01, 0.01, 0.02, 0.02, 0.02, 0.02, 0.02])


def located(reports: dict[int, int], *, talk: float = 0.08) -> Placement:
    """Reports of the last five minutes, by the row they name."""
    observed = np.zeros((8, 3))
    for row, n in reports.items():
        observed[row] = n
    return locate(PARENTS, observed, PER_MINUTE[:, None] * WINDOWS, 1.0, np.full(8, 30.0), windows=WINDOWS, talk=talk)


def chosen(found: Placement) -> list[int]:
    return np.flatnonzero(found.chosen).tolist()


def test_reports_of_one_state_are_that_states() -> None:
    found = located({3: 9})

    assert chosen(found) == [3]
    assert found.p_any[3] > 0.95
    assert found.p_any[[4, 6]].max() < 0.1


def test_reports_of_all_states_are_the_whole() -> None:
    found = located(dict.fromkeys([3, 4, 5, 6, 7], 5))

    assert chosen(found) == [3, 4, 5, 6, 7]
    assert found.p_whole[0] > 0.7


def test_reports_of_all_states_of_a_country_are_that_countrys() -> None:
    found = located({3: 5, 4: 6, 5: 4})

    assert chosen(found) == [3, 4, 5]
    assert found.p_whole[1] > 0.6
    assert found.p_any[2] < 0.2


def test_two_states_in_two_countries_are_two_states() -> None:
    assert chosen(located({3: 9, 6: 9})) == [3, 6]


def test_a_report_without_a_region_tells_nothing_about_where() -> None:
    found, with_others = located({3: 6}), located({3: 6, 0: 4})

    assert with_others.p_any == pytest.approx(found.p_any, abs=0.15)
    assert chosen(with_others) == chosen(found)


def test_reports_that_name_only_the_country_leave_its_states_open() -> None:
    found = located({1: 9})

    assert found.p_any[1] > 0.95
    assert found.p_any[2] < 0.1
    assert found.confidence < located({3: 9}).confidence


def test_a_region_that_merely_talks_is_not_concerned() -> None:
    found = located({3: 60, 6: 1, 7: 1})

    assert chosen(found) == [3]
    assert found.p_any[6] < located({3: 60, 6: 1, 7: 1}, talk=0.0).p_any[6]


def test_the_more_reports_the_surer() -> None:
    assert located({3: 2, 6: 1}).confidence < located({3: 8, 6: 4}).confidence


def test_chances_are_chances_and_a_part_is_no_surer_than_the_whole_it_lies_in() -> None:
    found = located({3: 4, 5: 1, 6: 2, 0: 3})

    assert found.p_any[0] == pytest.approx(1.0)
    assert ((found.p_whole >= 0) & (found.p_whole <= found.p_any + 1e-12) & (found.p_any <= 1 + 1e-9)).all()
    assert (found.p_any[1:] <= found.p_any[np.array(PARENTS[1:])] + 1e-9).all()


def test_it_agrees_with_counting_every_set_of_regions() -> None:
    """A whole of three leaves: seven sets, each with its chance by the prior of the module's docstring."""
    usual = np.full((4, 1), 0.5)
    observed = np.array([[0.0], [3.0], [1.0], [0.0]])

    found = locate([-1, 0, 0, 0], observed, usual, 1.0, np.full(4, 1e12), windows=(1,), talk=0.0)

    grid = steepness_grid([usual.sum() / 3])[0]
    posterior = np.zeros((8, grid.size))
    for members in range(1, 8):
        inside = [leaf for leaf in range(3) if members >> leaf & 1]
        p = 0.5  # one and a half of three children
        prior = 0.5 * p ** len(inside) * (1 - p) ** (3 - len(inside)) / (1 - (1 - p) ** 3) + 0.5 * (members == 7)
        ratio = np.prod([grid ** observed[leaf + 1, 0] * np.exp(-(grid - 1) * 0.5) for leaf in inside], axis=0)
        posterior[members] = prior * ratio
    posterior /= posterior.sum()
    by_hand = [posterior[[members for members in range(8) if members >> leaf & 1]].sum() for leaf in range(3)]

    assert found.p_any[1:] == pytest.approx(by_hand, rel=1e-6)


def test_a_single_node_is_where_it_is() -> None:
    found = locate([-1], np.ones((1, 3)), np.ones((1, 3)), 1.0, [5.0], windows=WINDOWS)

    assert found.chosen.tolist() == [True]
    assert found.p_any == pytest.approx(1.0)


@pytest.mark.parametrize("parents", [[0, -1], [-1, 2, 0], [-1, -1, 0], [-1, 0]])
def test_parents_come_before_their_children(parents: list[int]) -> None:
    with pytest.raises(ValueError, match=r"parent|fit"):
        locate(parents, np.ones((3, 1)), np.ones((3, 1)), 1.0, np.ones(3), windows=(1,))
