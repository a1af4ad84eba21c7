"""How bad an outage is: by the share of a usual day's reporters, and by how far it spreads."""

from __future__ import annotations

import doctest

import pytest

from reports.detection import places, severity
from reports.detection.severity import severity_of
from reports.enums import EventKind, Severity
from reports.models import Outage
from tests.detection.streams import MINUTE, a_flood, event, known_service, look, people
from tests.factories import NOW, make_cluster

MINOR, MAJOR, CRITICAL = Severity


@pytest.mark.parametrize(
    ("scope_region", "is_located", "expected"),
    [
        ("DE-BY", True, (MINOR, MINOR, MAJOR)),
        ("DE", True, (MINOR, MAJOR, MAJOR)),
        ("", False, (MINOR, MAJOR, MAJOR)),
        ("", True, (MINOR, MAJOR, CRITICAL)),
    ],
)
def test_severity_follows_the_table(scope_region: str, is_located: bool, expected: tuple[Severity, ...]) -> None:
    found = tuple(
        severity_of(n_reporters=n, usual_per_day=100.0, scope_region=scope_region, is_located=is_located)
        for n in (24, 25, 100)
    )

    assert found == expected


@pytest.mark.parametrize("module", [places, severity])
def test_examples_run(module: object) -> None:
    found = doctest.testmod(module)  # type: ignore[arg-type]

    assert (found.failed, found.attempted > 0) == (0, True)


@pytest.mark.django_db
def test_an_outage_has_its_severity_and_so_have_its_events() -> None:
    service = known_service("DE-BY", "DE-BE", "FR-IDF", rate_per_hour=1.0)

    outage = a_flood(service, region="DE-BY")

    assert outage.severity == Severity.MAJOR  # 60 reporters in one region, 24 are usual in a day
    assert event(outage, EventKind.SUSPECTED).body["severity"] == Severity.MAJOR


@pytest.mark.django_db
def test_an_outage_is_as_bad_as_it_ever_was() -> None:
    service = known_service("DE-BY", "FR-IDF", rate_per_hour=1.0)
    people(make_cluster(service), 6, region="DE-BY", minutes=5)
    look(service, after=5)
    Outage.objects.update(severity=Severity.CRITICAL)

    look(service, after=6)

    assert Outage.objects.get().severity == Severity.CRITICAL
    assert Outage.objects.get().evaluated_at > NOW + 6 * MINUTE
