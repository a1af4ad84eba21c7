"""Late, early and backdated reports, through the real stages: which minute they count for, and what they teach."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import transaction

from reports.clustering.services import cluster_pending
from reports.detection.learning import forget_usual, what_is_usual
from reports.detection.services import detect_pending
from reports.errors import InvalidReport
from reports.models import MinuteCount, Outage, Placement, Service, ServiceProfile, SourceCount, StreamLevel
from tests.clustering.stories import a_report, a_service, hand_in
from tests.factories import NOW

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def service() -> Service:
    """A service of two weeks."""
    made = a_service()
    Service.objects.filter(pk=made.pk).update(created_at=NOW - 14 * DAY)
    return made


def people_tell(service: Service, n: int, *, of: datetime | None, at: datetime = NOW) -> None:
    """Let so many people tell at one moment of what happened then; None leaves the time out."""
    hand_in(
        *(
            a_report(service, "I can't log in", at=at, occurred_at=of, reporter=f"{of}-{at}-{i}", region="DE")
            for i in range(n)
        ),
        now=at,
    )
    cluster_pending(now=at)


def learnt(service: Service, *, at: datetime) -> tuple[list[float], list[float], list[tuple[str, float, float]]]:
    """Return all that is learnt by then."""
    forget_usual()
    with transaction.atomic():
        what_is_usual(service_id=service.pk, now=at)
    profile = ServiceProfile.objects.get(service=service)
    levels = StreamLevel.objects.filter(service=service).order_by("region").values_list("region", "n", "e")
    return profile.slot_counts, profile.slot_hours, list(levels)


@pytest.mark.parametrize(
    ("told_of", "counts_at"),
    [
        (None, NOW),
        (NOW, NOW),
        (NOW + 4 * MINUTE, NOW),  # a clock that is ahead
        (NOW - 59 * MINUTE, NOW),
        (NOW - 60 * MINUTE, NOW),
        (NOW - 61 * MINUTE, NOW - 61 * MINUTE),
        (NOW - 25 * HOUR, NOW - 25 * HOUR),
    ],
    ids=["without a time", "now", "in four minutes", "59 min ago", "60 min ago", "61 min ago", "yesterday"],
)
def test_a_report_counts_when_it_came_unless_it_is_history(
    service: Service, told_of: datetime | None, counts_at: datetime
) -> None:
    people_tell(service, 1, of=told_of)

    assert MinuteCount.objects.get().minute == counts_at
    assert Placement.objects.get().counted_at == counts_at


@pytest.mark.parametrize("told_of", [NOW + 6 * MINUTE, NOW + DAY, NOW - 367 * DAY])
def test_a_time_that_cannot_be_is_refused_and_nothing_is_counted(service: Service, told_of: datetime) -> None:
    with pytest.raises(InvalidReport, match="occurred_at"):
        people_tell(service, 1, of=told_of)

    assert not MinuteCount.objects.exists()


@pytest.mark.parametrize("told_of", [NOW - 61 * MINUTE, NOW - 2 * HOUR, NOW - DAY])
def test_history_opens_no_outage_however_much_of_it_comes(service: Service, told_of: datetime) -> None:
    people_tell(service, 60, of=told_of)

    for minute in range(0, 61, 10):
        detect_pending(now=NOW + minute * MINUTE)

    assert not Outage.objects.exists()
    assert MinuteCount.objects.get().n_counted == 60


def test_what_happened_within_the_hour_is_an_outage_though_it_is_told_late(service: Service) -> None:
    people_tell(service, 60, of=NOW - 50 * MINUTE)

    detect_pending(now=NOW + MINUTE)

    assert Outage.objects.count() == 1


def test_reports_that_are_placed_hours_after_they_came_count_when_they_came(service: Service) -> None:
    hand_in(*(a_report(service, "I can't log in", reporter=str(i)) for i in range(60)))

    cluster_pending(now=NOW + 3 * HOUR)
    detect_pending(now=NOW + 3 * HOUR)

    assert MinuteCount.objects.get().minute == NOW
    assert not Outage.objects.exists()


def test_a_backfill_of_hours_that_are_learnt_teaches_nothing_again(service: Service) -> None:
    people_tell(service, 6, of=None, at=NOW - DAY)
    before = learnt(service, at=NOW)

    people_tell(service, 200, of=NOW - DAY)

    assert learnt(service, at=NOW) == before
    assert learnt(service, at=NOW + 59 * MINUTE) == before


def test_a_backfill_of_hours_that_are_not_learnt_yet_teaches_once(service: Service) -> None:
    learnt(service, at=NOW)
    people_tell(service, 20, of=NOW - 70 * MINUTE, at=NOW + MINUTE)

    first = learnt(service, at=NOW + HOUR)
    again = learnt(service, at=NOW + HOUR + 30 * MINUTE)
    later = learnt(service, at=NOW + 2 * HOUR)

    assert first == again
    assert sum(later[0]) <= sum(first[0])  # an hour more of forgetting, and nothing more


def test_a_backfill_that_comes_before_anything_is_learnt_teaches_the_same_as_reports_in_time(service: Service) -> None:
    late, in_time = service, a_service("chat")
    Service.objects.filter(pk=in_time.pk).update(created_at=NOW - 14 * DAY)
    for hour in range(30, 40):
        people_tell(in_time, 3, of=None, at=NOW - hour * HOUR)
        people_tell(late, 3, of=NOW - hour * HOUR)

    assert learnt(late, at=NOW) == learnt(in_time, at=NOW)


def test_a_backfill_does_not_belong_to_an_outage_that_began_after_it(service: Service) -> None:
    people_tell(service, 30, of=None)
    detect_pending(now=NOW + MINUTE)

    people_tell(service, 50, of=NOW - 2 * HOUR, at=NOW + MINUTE)
    detect_pending(now=NOW + 2 * MINUTE)

    assert Outage.objects.get().n_reports == 30


def test_a_backfill_neither_rises_nor_fills_the_hours_of_a_source(service: Service) -> None:
    people_tell(service, 30, of=NOW - DAY)

    assert not SourceCount.objects.exists()
