"""Products that a service's own reports name keep clusters apart that only look alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from reports.clustering import arrays
from reports.clustering.refinement import refine_service
from reports.clustering.services import place_batches
from reports.models import ClusteringState, MicroCluster, Placement, Service
from tests.clustering.stories import a_service, cluster_of, many_sayings, story_of, tell
from tests.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)  # the memory is kept after a commit
PAYING = [
    "I can't pay with {} at the shop",
    "Paying with {} fails again",
    "Since the update my {} is refused",
    "The till says no to my {} every time",
    "My card vanished from my {} today",
    "Why is the {} payment declined",
    "It is impossible to use {} on my phone",
]
PRODUCTS = ("Apple Pay", "Google Pay")
LATER = NOW + timedelta(minutes=30)


def paying(*products: str) -> list[str]:
    return [saying.format(product) for product in products for saying in PAYING]


def live_through(service: Service, texts: Sequence[str], *, restarts: bool = False) -> None:
    """Place texts in batches some minutes apart, each refined."""
    for step, start in enumerate(range(0, len(texts), 90)):
        now = NOW + step * timedelta(minutes=5)
        tell(service, texts[start : start + 90], at=now)
        place_batches(service_id=service.pk, now=now)
        if restarts:
            arrays.forget_states()
        refine_service(service_id=service.pk, now=now)


def names_of(service: Service) -> list[str]:
    return ClusteringState.objects.get(service=service).names


def guard_of_report(service: Service, text: str) -> str:
    (report,) = tell(service, [text], at=LATER)
    place_batches(service_id=service.pk, now=LATER)
    return Placement.objects.get(pk=report).micro_cluster.guard


def test_products_that_many_reports_name_are_learnt_at_a_refinement() -> None:
    service = a_service()

    live_through(service, [*paying(*PRODUCTS), *many_sayings(240)])

    assert names_of(service) == ["apple pay", "google pay"]


def test_nothing_is_learnt_from_few_reports() -> None:
    service = a_service()

    live_through(service, [*paying(*PRODUCTS), *many_sayings(60)])

    assert names_of(service) == []
    assert ClusteringState.objects.get().names_learnt_at_n == 0


def test_reports_that_name_different_products_are_two_clusters_once_these_are_known() -> None:
    service, ignorant = a_service("pays"), a_service("does-not")
    live_through(service, [*paying(*PRODUCTS), *many_sayings(240)])
    live_through(ignorant, many_sayings(240))
    declined = ["apple pay was declined", "google pay was declined", "apple pay declined", "google pay declined"]

    told, alike = tell(service, declined, at=LATER), tell(ignorant, declined, at=LATER)
    for one in (service, ignorant):
        place_batches(service_id=one.pk, now=LATER)
        refine_service(service_id=one.pk, now=LATER)

    apple, google, apple_again, google_again = map(cluster_of, told)
    assert apple == apple_again
    assert google == google_again
    assert apple != google
    assert len(set(map(cluster_of, alike))) == 1


def test_a_report_that_names_both_products_or_a_code_is_not_told_apart_by_a_product() -> None:
    service = a_service()
    live_through(service, [*paying(*PRODUCTS), *many_sayings(240)])

    assert guard_of_report(service, "APPLE PAY IS DEAD") == "apple pay"
    assert guard_of_report(service, "apple pay and google pay are dead") == ""
    assert guard_of_report(service, "apple pay shows error 404") == "404"


def test_a_name_of_one_service_is_no_name_of_another() -> None:
    service, other = a_service("pays"), a_service("does-not")
    live_through(service, [*paying(*PRODUCTS), *many_sayings(240)])
    live_through(other, many_sayings(240))

    assert guard_of_report(other, "apple pay is dead") == ""
    assert guard_of_report(service, "apple pay is dead") == "apple pay"


def test_names_are_learnt_again_only_when_the_service_has_grown_by_a_quarter() -> None:
    service = a_service()
    live_through(service, [*paying(*PRODUCTS), *many_sayings(240)])
    learnt_at = ClusteringState.objects.get().names_learnt_at_n

    tell(service, paying("Samsung Wallet"), at=LATER)
    place_batches(service_id=service.pk, now=LATER)
    refine_service(service_id=service.pk, now=LATER)
    kept = names_of(service)
    much_later = LATER + timedelta(minutes=30)
    tell(service, many_sayings(120, seed=1), at=much_later)
    place_batches(service_id=service.pk, now=much_later)
    refine_service(service_id=service.pk, now=much_later)

    assert kept == ["apple pay", "google pay"]
    assert names_of(service) == ["apple pay", "google pay", "samsung wallet"]
    assert ClusteringState.objects.get().names_learnt_at_n >= learnt_at * 1.25


def test_a_restart_changes_nothing_of_what_names_keep_apart() -> None:
    texts = [*paying(*PRODUCTS), *many_sayings(256), *paying(*reversed(PRODUCTS)), *many_sayings(120, seed=1)]
    never, always = a_service("never"), a_service("always")

    live_through(never, texts)
    live_through(always, texts, restarts=True)

    assert story_of(never) == story_of(always)
    assert names_of(never) == names_of(always) == ["apple pay", "google pay"]
    assert MicroCluster.objects.filter(service=always, guard="apple pay").exists()
