"""What processes remember between requests, and how a test makes them forget it."""

from __future__ import annotations

import sys


def forget_everything() -> None:
    """Empty the memories of the modules that are loaded."""
    from reports.intake import availability, catalogue, fingerprints

    availability.note_back()
    catalogue.forget_services()
    fingerprints.forget_remembered_salts()
    if buckets := sys.modules.get("reports.intake.buckets"):
        buckets.forget_broker()
    if key_limits := sys.modules.get("reports.intake.key_limits"):
        key_limits.forget_levels()
    if apikeys := sys.modules.get("reports.intake.apikeys"):
        apikeys.forget_keys()
    if health := sys.modules.get("reports.web.health"):
        health.forget_metrics()
    if clustering := sys.modules.get("reports.clustering.arrays"):
        clustering.forget_states()
    if screening := sys.modules.get("reports.clustering.screening"):
        screening.forget_screens()
    if quarantine := sys.modules.get("reports.clustering.quarantine"):
        quarantine.forget_reviews()
    if encoding := sys.modules.get("reports.clustering.encoding"):
        encoding.forget_students()
    if learning := sys.modules.get("reports.detection.learning"):
        learning.forget_usual()
    if ticks := sys.modules.get("reports.detection.ticks"):
        ticks.forget_pasts()
    if fleet := sys.modules.get("reports.detection.fleet"):
        fleet.forget_fleet()
