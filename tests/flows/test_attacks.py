"""Somebody plays a crowd: what floods and frauds do to detection, through the real stages in virtual time.

Each attack has to show in quarantine, none from one network may confirm an outage, and a real one at the same time has
to be found all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pytest

from ml.synth import SCENARIOS, scenario
from reports.clustering.services import cluster_pending
from reports.detection.services import detect_pending
from reports.enums import Channel, EventKind, OutageState, Suspicion
from reports.intake.contract import ReportIn
from reports.intake.services import Origin, make_row
from reports.intake.writer import Submission, write_group
from reports.models import Outage, OutageEvent, Placement, Quarantine, Service
from tests.clustering.stories import a_service
from tests.factories import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

Attack = Callable[..., list["Sent"]]

MINUTE = timedelta(minutes=1)
TICK = timedelta(seconds=15)
HALF = timedelta(seconds=30)
N_NETWORKS = 4_000  # of the people; a few of them hold many, as those of mobile carriers do
HOWS = ("fails", "is broken", "does not work", "hangs", "won't load", "gives an error")
WHATS = ("login", "the login page", "logging in", "my login", "sign in", "signing in")
WHENS = ("", " today", " again", " since noon", " for me", " on my phone", " here")
APPEAL = "I have been a customer for ten years and now the {} is gone again and nobody of you says when it comes back"


@dataclass(frozen=True, slots=True)
class Sent:
    """One report of the form, and who it pretends to be."""

    at: datetime
    text: str
    address: str
    agent: str
    region: str = ""
    symptom: str = ""


def person(rng: np.random.Generator, at: datetime, text: str, **fields: str) -> Sent:
    """Send a report from a network as people's are spread, half of them in the largest tenth."""
    network = int(N_NETWORKS * rng.random() ** 2.0)
    return Sent(
        at,
        text,
        f"10.{network // 250}.{network % 250}.{rng.integers(1, 255)}",
        f"browser {rng.integers(900)}",
        **fields,
    )


def words(rng: np.random.Generator) -> str:
    return f"{rng.choice(WHATS)} {rng.choice(HOWS)}{rng.choice(WHENS)}"


def people(rng: np.random.Generator, start: datetime, *, minutes: int, per_minute: float) -> list[Sent]:
    """Let people report at random moments."""
    n = int(rng.poisson(minutes * per_minute))
    return [person(rng, start + minutes * MINUTE * share, words(rng)) for share in np.sort(rng.random(n)).tolist()]


def real_outage(rng: np.random.Generator, start: datetime, *, minutes: int = 40) -> list[Sent]:
    """Let an outage ramp up to five reports a minute within ten minutes."""
    ramp = [person(rng, start + minute * MINUTE + MINUTE * rng.random(), words(rng)) for minute in range(minutes)
            for _ in range(int(rng.poisson(min(minute + 1, 10) / 2)))]  # fmt: skip
    return sorted(ramp, key=lambda sent: sent.at)


def one_network(start: datetime, *, n: int = 10_000, minutes: int = 30) -> list[Sent]:
    rng = np.random.default_rng(11)
    return [
        Sent(start + minutes * MINUTE * i / n, words(rng), f"203.0.113.{i % 254 + 1}", f"bot {i}") for i in range(n)
    ]


def fifty_networks(start: datetime, *, n: int = 1_000, minutes: int = 30) -> list[Sent]:
    """A thousand bots with paraphrases, at random moments, from fifty networks."""
    rng = np.random.default_rng(12)
    moments = np.sort(rng.random(n)).tolist()
    return [
        Sent(
            start + minutes * MINUTE * share,
            words(rng),
            f"198.18.{rng.integers(50)}.{rng.integers(1, 255)}",
            f"bot {i}",
        )
        for i, share in enumerate(moments)
    ]


def campaign(start: datetime, *, n: int = 300, minutes: int = 30) -> list[Sent]:
    """Many people's networks, one fluent text with a word of each one's own."""
    rng = np.random.default_rng(13)
    moments = np.sort(rng.random(n)).tolist()
    return [
        person(rng, start + minutes * MINUTE * share, ("Hello, " if i % 3 else "") + APPEAL.format(WHATS[i % 3]))
        for i, share in enumerate(moments)
    ]


def drip(start: datetime, *, every_minutes: float, hours: int = 12) -> list[Sent]:
    """One network, slowly, all day."""
    rng = np.random.default_rng(14)
    n = int(hours * 60 / every_minutes)
    return [
        Sent(
            start + MINUTE * (every_minutes * i + 2 * rng.random()), words(rng), f"203.0.113.{i % 254 + 1}", f"bot {i}"
        )
        for i in range(n)
    ]


def play(service: Service, *sent: Iterable[Sent], tick: timedelta = TICK) -> None:
    """Hand in what was sent, and run the stages as beat does, from the first report to the last."""
    waiting = sorted((one for part in sent for one in part), key=lambda one: one.at)
    now = waiting[0].at
    at = 0
    while at < len(waiting):
        now += tick
        due = at
        while due < len(waiting) and waiting[due].at <= now:
            due += 1
        hand_in(service, waiting[at:due], now=now)
        at = due
        cluster_pending(now=now)
        detect_pending(now=now)


def hand_in(service: Service, sent: Sequence[Sent], *, now: datetime) -> None:
    rows = [
        make_row(
            report=ReportIn(service=service.slug, text=one.text, region=one.region, symptom=one.symptom),
            origin=Origin(Channel.FORM, address=one.address, agent=one.agent),
            now=one.at,
        )
        for one in sent
    ]
    if rows:
        write_group([Submission(tuple(rows))], now=now)


@pytest.fixture
def service() -> Service:
    return with_a_past(a_service())


def with_a_past(service: Service) -> Service:
    """Let a service's people have reported for a week, fifty times a day."""
    Service.objects.filter(pk=service.pk).update(created_at=NOW - timedelta(days=8))
    rng = np.random.default_rng(1)
    for days_ago in range(8, 0, -1):
        start = NOW - timedelta(days=days_ago)
        hand_in(service, people(rng, start, minutes=1440, per_minute=50 / 1440), now=start + timedelta(days=1))
        cluster_pending(now=start + timedelta(days=1))
    detect_pending(now=NOW)
    assert not Outage.objects.exists()
    return service


def found_after(service: Service, begins: datetime) -> timedelta:
    """Return how long after that moment an outage of the service was confirmed, or was known to go on."""
    kinds = [EventKind.CONFIRMED, EventKind.RELAPSED]
    events = OutageEvent.objects.filter(outage__service=service, kind__in=kinds, at__gte=begins)
    first = events.order_by("at").first()
    if first is None:
        raise AssertionError(list(OutageEvent.objects.filter(outage__service=service).values_list("at", "kind")))
    return first.at - begins


def confirmed() -> list[Outage]:
    return list(Outage.objects.filter(confirmed_at__isnull=False).order_by("confirmed_at"))


def held(*reasons: Suspicion) -> int:
    groups = Quarantine.objects.filter(reason__in=reasons).values_list("pk", flat=True)
    return Placement.objects.filter(is_quarantined=True, quarantine_id__in=list(groups)).count()


def everyday(rng_seed: int = 2, *, minutes: int = 60) -> list[Sent]:
    return people(np.random.default_rng(rng_seed), NOW, minutes=minutes, per_minute=0.05)


def test_ten_thousand_reports_of_one_network_confirm_nothing_and_show_in_quarantine(service: Service) -> None:
    play(service, everyday(), one_network(NOW), tick=MINUTE)

    assert not confirmed()
    n_set_aside = Placement.objects.filter(is_set_aside=True, counted_at__gte=NOW).count()
    assert held(Suspicion.NETWORKS) >= 10_000 - n_set_aside > 9_000


def test_a_thousand_bots_of_fifty_networks_are_held_back(service: Service) -> None:
    play(service, everyday(), fifty_networks(NOW), tick=MINUTE)

    assert held(Suspicion.NETWORKS) > 950
    # The first few look like people and may confirm an outage; it is withdrawn once there are enough of them to tell.
    assert not Outage.objects.filter(state=OutageState.CONFIRMED).exists()


def test_a_copied_text_counts_as_one_reporter_however_many_send_it(service: Service) -> None:
    play(service, everyday(), campaign(NOW))

    assert held(Suspicion.COPIES) > 280


@pytest.mark.parametrize("every_minutes", [3, 7])
def test_one_network_that_drips_all_day_is_held_back_and_confirms_nothing(service: Service, every_minutes: int) -> None:
    start = NOW + timedelta(hours=13)  # early on the next day
    sent = drip(start, every_minutes=every_minutes)

    play(service, people(np.random.default_rng(2), start, minutes=720, per_minute=50 / 1440), sent, tick=10 * MINUTE)

    assert not confirmed()
    assert held(Suspicion.ONE_NETWORK, Suspicion.NETWORKS) > 0.9 * len(sent)


@pytest.mark.parametrize("attack", [one_network, fifty_networks, campaign])
def test_a_real_outage_during_an_attack_is_found_at_most_twice_as_late(service: Service, attack: Attack) -> None:
    """Beside it the same outage without an attack. What the attack had opened before goes on as that outage."""
    spared = with_a_past(a_service("chat"))
    begins = NOW + 30 * MINUTE
    outage = real_outage(np.random.default_rng(5), begins, minutes=20)

    play(spared, everyday(minutes=50), outage, tick=HALF)
    play(service, everyday(minutes=50), attack(NOW, n=600, minutes=50), outage, tick=HALF)

    undisturbed, disturbed = (found_after(one, begins) for one in (spared, service))
    assert disturbed <= 2 * undisturbed, (undisturbed, disturbed)
    assert held(*Suspicion) > 540
    counted = Placement.objects.filter(counted_at__gte=begins, is_counted=True)
    assert counted.filter(service=service).count() > 0.9 * counted.filter(service=spared).count()


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_simulated_outages_are_hardly_ever_held_back(service: Service, name: str) -> None:
    rng = np.random.default_rng(3)
    told = scenario(name, rng=rng, start=NOW, minutes=60, service="mail")
    by_reporter: dict[str, Sent] = {}
    sent = []
    for report in told:
        first = by_reporter.setdefault(report.reporter, person(rng, report.time, report.text))
        sent.append(Sent(report.time, report.text, first.address, first.agent, report.region, report.symptom))

    play(service, sent, tick=MINUTE)

    assert Placement.objects.filter(is_quarantined=True).count() < 0.02 * len(sent)
