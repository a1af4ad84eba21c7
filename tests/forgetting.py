"""What processes remember between requests, and how a test makes them forget it."""

from __future__ import annotations

import sys


def forget_everything() -> None:
    """Empty the memories of the modules that are loaded."""
    from reports.intake import catalogue, fingerprints

    catalogue.forget_services()
    fingerprints.forget_remembered_salts()
    if clustering := sys.modules.get("reports.clustering.arrays"):
        clustering.forget_states()
