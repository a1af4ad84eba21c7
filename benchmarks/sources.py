"""How often a collector that changes is noticed, and how often an outage is taken for one: simulated counts.

    .venv/bin/python benchmarks/sources.py

Fifteen services and twenty regions of uneven size; one collector, and beside it a form with a third as many reports (or
nobody). Prints JSON: for each case the share of runs in which `ml.sources.collection_change` says that the collector
changed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from ml.sources import Cells, collection_change

N_SERVICES, N_REGIONS, N_RUNS, SEED = 15, 20, 150, 0
USUAL_REPORTS = (20, 50, 200, 1_000)


def share_noticed(usual_reports: float, factor: float, *, n_risen: int, with_form: bool) -> float:
    """Let the collector's first `n_risen` services rise by the factor; return the share of runs with a change."""
    rng = np.random.default_rng(SEED)
    times = np.where(np.arange(N_SERVICES) < n_risen, factor, 1.0)[:, None]
    service, region = (axis.ravel() for axis in np.indices((N_SERVICES, N_REGIONS)))
    n_noticed = 0
    for _ in range(N_RUNS):
        usual = usual_reports * rng.dirichlet([3.0] * N_SERVICES)[:, None] * rng.dirichlet([3.0] * N_REGIONS)[None, :]
        brought = [(usual * times, usual), *([(usual * 0.3, usual * 0.3)] if with_form else [])]
        cells = Cells(
            source=np.repeat(np.arange(len(brought)), service.size),
            service=np.tile(service, len(brought)),
            region=np.tile(region, len(brought)),
            observed=np.concatenate([rng.poisson(rate).ravel().astype(float) for rate, _ in brought]),
            usual=np.concatenate([known.ravel() for _, known in brought]),
        )
        may_change = np.arange(len(brought)) == 0
        n_noticed += collection_change(cells, may_change=may_change, is_known=may_change | True) is not None
    return round(n_noticed / N_RUNS, 3)


def main() -> None:
    found: dict[str, dict[str, float]] = {}
    for factor in (1.0, 1.5, 2.0, 3.0, 5.0):
        found[f"change, factor {factor:g}"] = {
            str(n): share_noticed(n, factor, n_risen=N_SERVICES, with_form=True) for n in USUAL_REPORTS
        }
    for n_risen in (1, 3, 8, 12):
        for factor in (3.0, 10.0):
            found[f"outage in {n_risen} services, factor {factor:g}, no other source"] = {
                str(n): share_noticed(n, factor, n_risen=n_risen, with_form=False) for n in USUAL_REPORTS
            }
    print(json.dumps({"seed": SEED, "runs": N_RUNS, "share_noticed_by_usual_reports": found}, indent=2))


if __name__ == "__main__":
    main()
