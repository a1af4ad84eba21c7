"""What tells a crowd from somebody who plays one."""

from __future__ import annotations

import numpy as np
import pytest

from ml import suspicion
from ml.suspicion import crowded, is_clockwork, near_copies, p_same_network

USUAL = 1 / 2_000  # people of some two thousand networks
APPEAL = "Dear all, the login of this service has been broken since monday and nobody there cares about us"


def drawn(rng: np.random.Generator, n: int, *, n_networks: int = 4_000, skew: float = 0.7) -> np.ndarray:
    """Return reports by network, where some networks hold far more people than others."""
    weights = 1.0 / np.arange(1, n_networks + 1) ** skew
    sizes: np.ndarray = rng.multinomial(n, weights / weights.sum())
    return sizes[sizes > 0]


def test_one_network_that_floods_is_crowded_and_the_others_are_not() -> None:
    found = crowded([10_000, *[1] * 300], p_same=USUAL)

    assert found.tolist() == [True] + [False] * 300


def test_a_thousand_reports_from_fifty_networks_are_crowded_beside_a_real_outage() -> None:
    found = crowded([20] * 50 + [1] * 500, p_same=USUAL)

    assert found[:50].all()
    assert not found[50:].any()


@pytest.mark.parametrize("n", [10, 50, 200, 1_000, 5_000])
def test_an_outage_of_everybody_is_not_crowded(n: int) -> None:
    rng = np.random.default_rng(n)
    usual = p_same_network([drawn(rng, 300) for _ in range(14)])

    assert not any(crowded(drawn(rng, n), p_same=usual).any() for _ in range(200))


def test_an_outage_of_one_city_is_not_crowded() -> None:
    """Its people sit in an eighth of the networks."""
    rng = np.random.default_rng(7)
    usual = p_same_network([drawn(rng, 300, skew=0.3) for _ in range(14)])

    assert not any(crowded(drawn(rng, 400, n_networks=500, skew=0.3), p_same=usual).any() for _ in range(200))


def test_an_office_is_too_small_to_be_crowded() -> None:
    assert not crowded([25, 1, 1, 2], p_same=USUAL).any()


def test_a_service_that_lives_in_one_network_is_not_crowded_by_it() -> None:
    usual = p_same_network([[40, 2], [35, 1, 1]])

    assert not crowded([500, 3], p_same=usual).any()


def test_without_a_usual_it_takes_a_larger_crowd() -> None:
    assert not crowded([90, 5, 5], p_same=None).any()
    assert crowded([200, 5, 5], p_same=None).tolist() == [True, False, False]


def test_order_does_not_matter_to_networks() -> None:
    sizes = np.array([1, 50, 2, 80, 1, 1])

    assert crowded(sizes[::-1], p_same=USUAL)[::-1].tolist() == crowded(sizes, p_same=USUAL).tolist()


def test_nothing_is_crowded_without_reports() -> None:
    assert crowded([], p_same=USUAL).size == 0


def test_copies_with_a_greeting_and_a_typo_are_one_group() -> None:
    texts = [
        APPEAL,
        "Hello! " + APPEAL,
        APPEAL.replace("monday", "mondy"),
        "the login page stays empty when I try it on my phone",
    ]

    assert near_copies(texts).tolist() == [0, 0, 0, -1]


def test_short_complaints_are_never_copies() -> None:
    assert near_copies(["login does not work"] * 50).tolist() == [-1] * 50


def test_two_people_who_tell_the_same_in_their_own_words_are_no_copies() -> None:
    own = [
        "since this morning I can't log in any more, it always says that my password is wrong",
        "can't log in since this morning although my password is right, I have tried it ten times",
    ]

    assert near_copies(own).tolist() == [-1, -1]


def test_a_machine_that_waits_is_clockwork_even_with_some_jitter() -> None:
    rng = np.random.default_rng(1)

    assert is_clockwork(np.arange(40) * 60.0 + rng.uniform(-5, 5, 40))


def test_people_are_no_clockwork() -> None:
    rng = np.random.default_rng(2)

    n_even = sum(is_clockwork(np.cumsum(rng.exponential(60.0, 21))) for _ in range(20_000))

    assert n_even == 0


def test_few_reports_have_no_rhythm() -> None:
    assert not is_clockwork(np.arange(suspicion.LEAST_INTERVALS) * 60.0)


def test_a_past_of_few_reports_is_no_usual() -> None:
    assert p_same_network([[1, 1, 1]]) is None
    assert p_same_network([]) is None
