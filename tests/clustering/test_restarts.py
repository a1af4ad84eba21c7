"""A restart in mid-stream changes nothing, bit for bit, and the same stream twice gives the same clusters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from ml import calibration, tally
from reports.clustering import arrays
from reports.clustering.refinement import refine_service
from reports.clustering.services import place_batches
from reports.models import ClusteringState, MicroCluster, SampleVector, Service
from tests.clustering.stories import LOGIN, a_service, many_sayings, story_of, tell
from tests.clustering.workers import Memories
from tests.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)  # the memory is kept after a commit
PRAISE = "thank you, what a lovely app"
A_WHILE = timedelta(hours=7)


@pytest.fixture(autouse=True)
def _short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Means and sample forget after so few texts that they do so in a test."""
    for module in (tally, calibration):
        monkeypatch.setattr(module, "MEMORY_REPORTS", 600)


def live_through(
    service: Service, texts: Sequence[str], *, n_each: int = 70, between: Callable[[int], None] = lambda _: None
) -> None:
    """Place texts in batches some hours apart, refined every third time; `between` comes after each of the steps."""
    for step, start in enumerate(range(0, len(texts), n_each)):
        now = NOW + step * A_WHILE
        batch = [*texts[start : start + n_each], PRAISE]
        tell(service, batch[::2], at=now, region="DE-BY", reporter=f"jane {step // 2}")
        tell(service, batch[1::2], at=now + timedelta(minutes=5))
        place_batches(service_id=service.pk, now=now)
        between(2 * step)
        if step % 3 == 2:
            refine_service(service_id=service.pk, now=now)
            between(2 * step + 1)


def assert_same_story(one: Service, other: Service) -> None:
    told, retold = story_of(one), story_of(other)
    for what, rows in told.items():
        assert retold[what] == rows, what


def test_a_restart_after_every_step_changes_nothing() -> None:
    texts = many_sayings(900)
    never, always = a_service("never"), a_service("always")

    live_through(never, texts)
    live_through(always, texts, between=lambda _: arrays.forget_states())

    assert_same_story(never, always)
    assert len(set(texts)) > tally.MAX_SAMPLE == SampleVector.objects.filter(service=never).count()
    assert ClusteringState.objects.get(service=never).n_seen > tally.MEMORY_REPORTS
    assert sum(ClusteringState.objects.get(service=never).mean_counts) < 900
    idle = NOW + 12 * A_WHILE - arrays.IDLE_AFTER
    assert MicroCluster.objects.filter(service=never, last_seen_at__lt=idle).exists()


def test_a_restart_between_two_calibrations_changes_nothing() -> None:
    # Sixteen texts at least lie between two calibrations, so here some batches have one and some have none.
    texts = many_sayings(120, seed=1)
    never, always = a_service("never"), a_service("always")

    live_through(never, texts, n_each=5)
    live_through(always, texts, n_each=5, between=lambda _: arrays.forget_states())

    assert_same_story(never, always)


def test_a_service_handed_from_worker_to_worker_at_every_step_is_as_in_one_hand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    memories = Memories()
    monkeypatch.setattr(arrays, "_remembered", memories)
    texts = many_sayings(600, seed=2)
    alone, shared = a_service("alone"), a_service("shared")

    live_through(alone, texts)
    live_through(shared, texts, between=lambda step: memories.hand_over(f"worker {step % 3}"))

    assert_same_story(alone, shared)


def test_the_same_stream_twice_gives_the_same_clusters_whatever_else_is_placed() -> None:
    texts = many_sayings(1_800, seed=3)  # beyond what a young service is regrouped freely in
    first, second, other = a_service("first"), a_service("second"), a_service("other")

    def meanwhile(step: int) -> None:
        tell(other, many_sayings(7, seed=step), at=NOW)
        place_batches(service_id=other.pk, now=NOW)

    live_through(first, texts, n_each=150)
    live_through(second, texts, n_each=150, between=meanwhile)

    assert_same_story(first, second)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "MOST_REMEMBERED", 2)
    services = [a_service(slug) for slug in ("one", "two", "three")]
    for service in services:
        tell(service, LOGIN)
        place_batches(service_id=service.pk, now=NOW)

    tell(services[1], LOGIN)
    place_batches(service_id=services[1].pk, now=NOW)

    assert list(arrays._remembered) == [services[2].pk, services[1].pk]
