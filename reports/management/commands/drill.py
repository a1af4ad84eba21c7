"""`manage.py drill`: would this installation notice? Plays a simulated outage and waits until the workers flag it."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from ml.synth import SCENARIOS
from reports.intake.regions import region_name
from reports.management import drills

MOST_SECONDS: Final = 120.0
PLACED_SECONDS: Final = 30.0
NAMED_REGIONS: Final = 5


class Command(BaseCommand):
    help = "Play a simulated outage through the running system, on a service of its own, and say when it is flagged."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--scenario", default="regional_login", choices=sorted(SCENARIOS), help="what breaks, and where"
        )
        parser.add_argument("--seed", type=int, default=None, help="play the same reports again")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["scenario"]
        rng = np.random.default_rng(options["seed"])
        slug, service_id = drills.prepare_service(rng=rng, now=timezone.now())
        self._wait_until_placed(service_id)
        where = _named(drills.expected_regions(name))
        self.stdout.write(f"Playing “{SCENARIOS[name].title}” on service {slug}, beginning in: {where}")
        known = ("", "")
        progress = None
        for progress in drills.play(
            name=name, slug=slug, service_id=service_id, rng=rng, clock=timezone.now, most_seconds=MOST_SECONDS
        ):
            place = _named(progress.regions) if progress.is_located else "too early to say where"
            if progress.state and (progress.state, place) != known:
                known = (progress.state, place)
                self.stdout.write(
                    f"{progress.seconds:5.0f} s, {progress.n_sent} reports: {progress.state}, {place}: {progress.label}"
                )
        if progress is None or progress.outage_id is None:
            raise CommandError(
                f"Nothing was flagged within {MOST_SECONDS:.0f} s. Does a worker run? /readyz tells the lag."
            )
        self.stdout.write(f"Look at it on the dashboard: {reverse('outage', args=[progress.outage_id])}")

    def _wait_until_placed(self, service_id: int) -> None:
        deadline = time.monotonic() + PLACED_SECONDS
        while not drills.is_placed(service_id):
            if time.monotonic() > deadline:
                raise CommandError(
                    f"The history was not placed within {PLACED_SECONDS:.0f} s: no worker runs. Start with `make run`."
                )
            time.sleep(0.2)


def _named(regions: Sequence[str]) -> str:
    """Return a few regions by name."""
    if not 0 < len(regions) <= NAMED_REGIONS:
        return "everywhere"
    return "; ".join(region_name(code) for code in regions)
