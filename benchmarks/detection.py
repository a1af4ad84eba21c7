"""How soon outages are found in counts, how often there was none, and where: all that `docs/detection.md` publishes.

One theme a file: known baselines against a detector that is told the truth (`detection_known`), learned and drifting
ones (`detection_learned`), regions (`detection_regions`), real incidents (`detection_traces`), cost
(`detection_kernels`). Rules that others publish (`detection_rules`) stand next to ours in the same run. Prints JSON
with `--json`.

    python benchmarks/detection.py --json --shared ../shared/data
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.detection_kernels import measure_kernels
from benchmarks.detection_known import measure_grid, measure_quiet_streams, measure_ticks
from benchmarks.detection_learned import measure_budget, measure_delays
from benchmarks.detection_regions import measure_regions
from benchmarks.detection_traces import measure_incidents, measure_incidents_per_outage

SEED = 20260101
THEMES = ("known", "quiet", "ticks", "learned", "budget", "regions", "traces", "lives", "kernels")


def themes(*, quick: bool, shared: Path) -> dict[str, Callable[[], object]]:
    """Each theme as a call without arguments; the quick ones show that all runs, not how well."""
    found: dict[str, Callable[[], object]] = {
        "known": lambda: measure_grid(SEED, months=2 if quick else 36, trials=20 if quick else 400),
        "quiet": lambda: measure_quiet_streams(SEED, trials=5 if quick else 200),
        "ticks": lambda: measure_ticks(SEED, trials=20 if quick else 1000),
        "learned": lambda: measure_delays(SEED, n=3 if quick else 24, trials=20 if quick else 200),
        "budget": lambda: measure_budget(SEED, n=2 if quick else 32),
        "regions": lambda: {
            "silent_elsewhere": measure_regions(SEED, trials=10 if quick else 500),
            "a_tenth_talk_elsewhere": measure_regions(SEED, trials=10 if quick else 500, talk=0.1),
        },
        "lives": lambda: measure_incidents_per_outage(SEED, trials=2 if quick else 60),
        "kernels": lambda: measure_kernels(SEED, n_streams=20_000 if quick else 1_000_000, n_ticks=4 if quick else 12),
    }
    if shared.is_dir():
        found["traces"] = lambda: measure_incidents(shared, SEED, limit=4 if quick else None)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON document instead of lines")
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes; the figures mean nothing")
    parser.add_argument("--theme", choices=THEMES, action="append", help="only this; may be given again")
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument("--shared", type=Path, default=default, help="folder of the development data")
    options = parser.parse_args()
    result: dict[str, object] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "python": platform.python_version(),
        "seed": SEED,
        "command": " ".join(["python", "benchmarks/detection.py", *sys.argv[1:]]),
    }
    seconds = {}
    for name, measure in themes(quick=options.quick, shared=options.shared).items():
        if options.theme is None or name in options.theme:
            began = time.perf_counter()
            result[name] = measure()
            seconds[name] = round(time.perf_counter() - began, 1)
            if not options.json:
                print(f"{name} ({seconds[name]} s)", json.dumps(result[name], indent=1), flush=True)
    result["seconds"] = seconds
    if options.json:
        print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
