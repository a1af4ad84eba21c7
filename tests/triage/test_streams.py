"""What a chart draws as usual: the service's week, and of it a region's part at each hour of the day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reports.models import StreamLevel
from reports.triage.streams import read_usual
from tests.factories import NOW, make_level, make_profile, make_service

pytestmark = pytest.mark.django_db
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
HOUR = timedelta(hours=1)


def test_a_regions_usual_follows_its_own_day_as_the_detector_reads_it() -> None:
    service = make_service()
    make_profile(service, rate_per_hour=12)
    level = make_level(service, "JP", share=0.5)
    StreamLevel.objects.filter(pk=level.pk).update(day_shares=[0.25] * 12 + [0.75] * 12)

    usual = read_usual([service.pk], ["JP"])

    assert usual.expected(service.pk, ["JP"], MIDNIGHT, MIDNIGHT + HOUR) == pytest.approx(3.0)
    assert usual.expected(service.pk, ["JP"], MIDNIGHT + 11.5 * HOUR, MIDNIGHT + 12.5 * HOUR) == pytest.approx(6.0)
    assert usual.expected(service.pk, [], MIDNIGHT, MIDNIGHT + HOUR) == pytest.approx(12.0)


def test_a_level_from_before_regions_had_hours_of_their_own_is_the_same_all_day() -> None:
    service = make_service()
    make_profile(service, rate_per_hour=12)
    make_level(service, "DE", share=0.5)

    usual = read_usual([service.pk], ["DE"])

    assert usual.expected(service.pk, ["DE"], MIDNIGHT, MIDNIGHT + HOUR) == pytest.approx(6.0)
    assert usual.expected(service.pk, ["FR"], MIDNIGHT, MIDNIGHT + HOUR) is None
