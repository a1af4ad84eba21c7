"""`manage.py drill`: a simulated outage goes the way of every report, and is flagged where it was simulated."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from reports.clustering.refinement import refine_pending
from reports.clustering.services import cluster_pending
from reports.detection.services import detect_pending
from reports.enums import Channel
from reports.management import drills
from reports.management.commands import drill
from reports.models import IntakeBatch, Outage, Placement, Report, Service
from tests.factories import make_outage, make_service

pytestmark = pytest.mark.django_db(transaction=True)  # the writer has a thread of its own


@contextmanager
def workers() -> Iterator[None]:
    """Run the stages on a thread, as often as one can, until the drill is over."""
    is_over = threading.Event()
    failures: list[Exception] = []

    def work() -> None:
        try:
            while not is_over.wait(0.1):
                cluster_pending(now=timezone.now())
                refine_pending(now=timezone.now())
                detect_pending(now=timezone.now())
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
    assert not failures, failures


@pytest.fixture
def in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Play twenty minutes in twenty seconds, and stop some seconds after the outage is confirmed and located."""
    monkeypatch.setattr(drills, "SPEED", 60)
    monkeypatch.setattr(drills, "STEP_SECONDS", 0.2)
    # By then thirty reports tell where it is, however late the first look.
    monkeypatch.setattr(drills, "LEAST_SECONDS", 6.0)
    monkeypatch.setattr(drills, "HISTORY_DAYS", 3)
    monkeypatch.setattr(drill, "MOST_SECONDS", 60.0)


def prepare(seed: int = 1) -> Service:
    slug, service_id = drills.prepare_service(rng=np.random.default_rng(seed), now=timezone.now())
    service = Service.objects.get(pk=service_id)
    assert service.slug == slug
    return service


@pytest.mark.slow
@pytest.mark.parametrize(("scenario", "country"), [("regional_login", "DE"), ("slow_api", "US")])
@pytest.mark.usefixtures("in_haste")
def test_it_is_flagged_on_its_service_where_it_was_simulated(scenario: str, country: str) -> None:
    bystander = make_service("bystander")
    out = io.StringIO()

    with workers():
        call_command("drill", scenario=scenario, seed=5, stdout=out)

    outage = Outage.objects.get()
    service = Service.objects.get(slug="drill-1")
    assert outage.service_id == service.pk != bystander.pk
    assert [region for region in (outage.scope_region, *outage.regions) if not region.startswith(country)] == []
    assert outage.confirmed_at is not None
    told = out.getvalue()
    assert "on service drill-1" in told
    assert "confirmed" in told
    assert f"/{outage.pk}" in told


@pytest.mark.slow
@pytest.mark.usefixtures("in_haste")
def test_without_workers_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drill, "PLACED_SECONDS", 0.5)

    with pytest.raises(CommandError, match=r"no worker runs. Start with `make run`"):
        call_command("drill", stdout=io.StringIO())


@pytest.mark.usefixtures("in_haste")
def test_a_drill_that_is_not_noticed_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drill, "MOST_SECONDS", 0.5)
    monkeypatch.setattr(drills, "is_placed", lambda _: True)

    with pytest.raises(CommandError, match=r"Nothing was flagged within 0 s\. Does a worker run"):
        call_command("drill", seed=1, stdout=io.StringIO())


def test_an_unknown_scenario_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid choice: 'flood'"):
        call_command("drill", "--scenario", "flood")


@pytest.mark.usefixtures("in_haste")
def test_its_service_is_not_public_and_has_a_past_that_counts_as_past() -> None:
    service = prepare()

    cluster_pending(now=timezone.now())
    detect_pending(now=timezone.now())

    assert not service.is_public
    newest = Placement.objects.filter(service=service).latest("counted_at").counted_at
    assert newest < timezone.now() - timedelta(hours=1)
    assert Report.objects.filter(service=service).count() == Placement.objects.count() > 100
    assert set(Report.objects.values_list("channel", flat=True)) == {Channel.DRILL}
    assert not Outage.objects.exists()


@pytest.mark.usefixtures("in_haste")
def test_its_past_is_one_batch_so_that_nothing_is_learnt_from_half_of_it() -> None:
    service = prepare()

    assert IntakeBatch.objects.filter(service=service).count() == 1


@pytest.mark.usefixtures("in_haste")
def test_a_second_drill_takes_the_same_service_while_no_outage_is_near() -> None:
    first = prepare()

    assert prepare(seed=2) == first
    assert Service.objects.count() == 1


@pytest.mark.usefixtures("in_haste")
def test_a_drill_soon_after_another_takes_a_service_of_its_own() -> None:
    first = prepare()
    make_outage(first, started_at=timezone.now() - timedelta(hours=1), now=timezone.now())

    second = prepare(seed=2)

    first.refresh_from_db()
    assert (second.slug, second.is_active, first.is_active) == ("drill-2", True, False)


@pytest.mark.usefixtures("in_haste")
def test_a_real_service_with_such_a_name_is_left_alone() -> None:
    theirs = [make_service("drill-press"), make_service("drill-1")]

    ours = prepare()

    assert ours.slug == "drill-2"
    assert list(Service.objects.filter(pk__in=[one.pk for one in theirs], is_active=True)) == theirs
