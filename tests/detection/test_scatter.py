"""How a service's regions scatter is learnt from quiet hours, with the service's own, and told where it is used."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from ml.detect import stream_dispersion
from reports.detection.fleet import fleet_in_use
from reports.detection.learning import Usual, forget_usual, what_is_usual
from reports.enums import OutageState
from reports.models import MinuteCount, Service, StreamLevel
from tests.detection.streams import HOUR, MINUTE
from tests.factories import NOW, first_micro_cluster, make_cluster, make_outage, make_service

pytestmark = pytest.mark.django_db
DAYS = 14
N_MINUTES = DAYS * 24 * 60


def counted(service: Service, region: str, by_minute: np.ndarray) -> None:
    """Count so many reports of a region in each minute up to now."""
    micro_cluster = first_micro_cluster(make_cluster(service))
    start = NOW - len(by_minute) * MINUTE
    MinuteCount.objects.bulk_create(
        MinuteCount(
            service=service, minute=start + int(at) * MINUTE, micro_cluster=micro_cluster, region=region,
            n_reports=int(by_minute[at]), n_counted=int(by_minute[at]),
        )
        for at in np.flatnonzero(by_minute)
    )  # fmt: skip


def a_service() -> Service:
    service = make_service()
    Service.objects.filter(pk=service.pk).update(created_at=NOW - timedelta(days=DAYS))
    return service


def a_service_of_singles_and_pairs() -> Service:
    """Reports of Berlin come one by one, those of Bavaria two at a time, both on 200 occasions a day."""
    rng = np.random.default_rng(1)
    service = a_service()
    counted(service, "DE-BE", rng.poisson(200 / 1440, N_MINUTES))
    counted(service, "DE-BY", 2 * rng.poisson(200 / 1440, N_MINUTES))
    return service


def usual(service: Service, *, hours_later: int = 0) -> Usual:
    with transaction.atomic():
        return what_is_usual(service_id=service.pk, now=NOW + hours_later * HOUR)


def test_a_region_whose_reports_come_in_pairs_is_known_for_it() -> None:
    service = a_service_of_singles_and_pairs()

    learnt = usual(service)
    forget_usual()
    read_again = usual(service)

    for one in (learnt, read_again):
        [whole, single, pairs] = one.dispersion_of(["", "DE-BE", "DE-BY"])
        assert whole.tolist() == one.dispersion.tolist()
        assert single[0] == pytest.approx(1.0, abs=0.15)
        assert pairs[0] == pytest.approx(2.0, abs=0.15)


def test_an_hour_learnt_later_adds_to_it() -> None:
    service = a_service_of_singles_and_pairs()
    usual(service)
    before = StreamLevel.objects.get(region="DE-BY").scatter_expected
    counted(service, "DE-BY", np.array([0] * 59 + [2]))
    forget_usual()

    usual(service, hours_later=1)

    after = StreamLevel.objects.get(region="DE-BY").scatter_expected
    assert before is not None
    assert after is not None
    assert after[0] > before[0] + 1


def test_what_was_learnt_before_regions_had_a_scatter_of_their_own_stays_true() -> None:
    service = a_service_of_singles_and_pairs()
    usual(service)
    StreamLevel.objects.update(scatter_squares=None, scatter_expected=None)
    forget_usual()

    known = usual(service)

    by_share = stream_dispersion(known.dispersion, 2 / 3)
    assert known.dispersion_of(["DE-BY"])[0] == pytest.approx(by_share, abs=0.02)


def test_a_region_never_heard_of_has_a_small_part_of_the_services() -> None:
    known = usual(a_service_of_singles_and_pairs())

    [unheard] = known.dispersion_of(["FR"])

    assert (unheard >= 1).all()
    assert unheard == pytest.approx(stream_dispersion(known.dispersion, 0.001, exponent=known.exponent), abs=0.1)


@pytest.mark.parametrize(("state", "teaches"), [(OutageState.RESOLVED, False), (OutageState.DISMISSED, True)])
def test_hours_of_an_outage_do_not_teach_it_unless_it_was_none(state: OutageState, teaches: bool) -> None:
    service = a_service_of_singles_and_pairs()
    make_outage(service, state=state, started_at=NOW - DAYS * 24 * HOUR, now=NOW - (DAYS - 1) * 24 * HOUR)
    with_outage = a_service_of_singles_and_pairs()

    known = [usual(one) for one in (service, with_outage)]

    assert known[0].dispersion_of(["DE-BY"]).shape == known[1].dispersion_of(["DE-BY"]).shape
    learnt = StreamLevel.objects.filter(region="DE-BY").order_by("service_id")
    [of_one, of_other] = [level.scatter_expected for level in learnt]
    assert of_one is not None
    assert of_other is not None
    assert (of_one[0] == pytest.approx(of_other[0])) is teaches


def test_learning_reads_all_regions_by_the_same_queries() -> None:
    few, many = a_service(), a_service()
    rng = np.random.default_rng(1)
    counted(few, "DE-BE", rng.poisson(0.1, 120))
    for region in ("DE-BE", "DE-BY", "DE-HH", "FR-IDF", "FR-BRE", "US-CA", "US-NY", "US-TX"):
        counted(many, region, rng.poisson(0.1, 120))
    fleet_in_use(now=NOW)
    n_queries = []

    for service in (few, many):
        with CaptureQueriesContext(connection) as queries:
            usual(service)
        n_queries.append(len(queries))

    assert n_queries[0] == n_queries[1]
