"""This tree against another one: the same clusters to the byte, and how much quicker texts find theirs.

Invariant: both trees read the same input by the same interpreter, each in processes of its own, and take turns, so that
what else the machine does falls on both. Not here: whether the clusters are good, and speed by itself.

    git worktree add ../before COMMIT
    python benchmarks/clustering_against.py --other ../before --data FOLDER
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script's own folder is not the checkout

from benchmarks.labelled import SEED, find_sets, read_set

ROOT = Path(__file__).resolve().parents[1]
SECONDS_BETWEEN = 90.0
REGIONS = ("", "DE", "US-CA", "US", "FR-75", "IT")
# A process a repetition: the state of memory and of the machine is another each time, as in a worker's life.
REPEATED = """
import json, sys
from pathlib import Path
from benchmarks.clustering_speed import measure_speed
print(json.dumps(measure_speed(Path(sys.argv[1]), sys.argv[2], n_live=int(sys.argv[3]))))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--other", type=Path, required=True, help="root of the other tree")
    parser.add_argument("--data", type=Path, required=True, help="folder of labelled sets (index, label, text a line)")
    parser.add_argument(
        "--encoder", action="append", choices=("static", "hashing", "student"), help="static by default"
    )
    parser.add_argument("--live", type=int, action="append", help="micro-clusters at which speed is compared")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    trees = {"other": options.other.resolve(), "this": ROOT}
    encoders = options.encoder or ["static"]
    same = [
        compared(trees, encoder, name, lines)
        for encoder in encoders
        for path in find_sets(options.data)
        for name, lines in inputs(path).items()
    ]
    speed = [
        timed(trees, encoder, options.data.resolve(), n_live, options.repeat)
        for encoder in encoders
        for n_live in options.live or []
    ]
    print(json.dumps({"clusters": same, "speed": speed}, indent=2))
    if not all(one["same"] for one in same):
        raise SystemExit("the trees do not give the same clusters")


def inputs(path: Path) -> dict[str, str]:
    """The texts of a set as the command reads them: bare, and with times that come in bursts and regions."""
    texts = [" ".join(text.split()) for text in read_set(path).texts]
    rng = np.random.default_rng(SEED)
    gaps = rng.exponential(SECONDS_BETWEEN, size=len(texts)) * rng.choice([0.05, 1.0, 8.0], size=len(texts))
    start = datetime(2026, 1, 5, tzinfo=UTC)
    times = [start + timedelta(seconds=round(seconds)) for seconds in np.cumsum(gaps).tolist()]
    regions = [REGIONS[i] for i in rng.integers(len(REGIONS), size=len(texts)).tolist()]
    lines = [
        f"{time.isoformat()}\t{region}\t{text}\n" for time, region, text in zip(times, regions, texts, strict=True)
    ]
    return {path.stem: "".join(f"{text}\n" for text in texts), f"{path.stem}, with times and regions": "".join(lines)}


def compared(trees: dict[str, Path], encoder: str, name: str, lines: str) -> dict[str, Any]:
    """Whether both give the same ids, at once and in the end."""
    found = {
        tree: run(root, ["-m", "ml", "cluster", "--encoder", encoder], stdin=lines.encode())
        for tree, root in trees.items()
    }
    digests = {tree: hashlib.sha256(ids).hexdigest()[:16] for tree, ids in found.items()}
    return {"input": name, "encoder": encoder, "same": found["this"] == found["other"], "sha256": digests}


def timed(trees: dict[str, Path], encoder: str, data: Path, n_live: int, repeat: int) -> dict[str, Any]:
    """Medians of the speed of both, taken in turn."""
    figures: dict[str, dict[str, list[float]]] = {tree: {} for tree in trees}
    for number in range(repeat):
        for tree in sorted(trees, reverse=bool(number % 2)):
            result = json.loads(run(trees[tree], ["-c", REPEATED, str(data), encoder, str(n_live)]))
            for part in ("batches", "batches_in_an_outage", "single"):
                for name, value in result[part].items():
                    figures[tree].setdefault(f"{part}: {name}", []).append(value)
    rows: dict[str, Any] = {}
    for name in figures["this"]:
        this, other = (statistics.median(figures[tree][name]) for tree in ("this", "other"))
        rows[name] = {"this": this, "other": other, "ratio": round(this / other, 3) if other else None}
    return {"encoder": encoder, "n_live": n_live, "repeat": repeat, "medians": rows}


def run(root: Path, arguments: list[str], *, stdin: bytes = b"") -> bytes:
    """Run Python in a tree, on one thread; what it prints."""
    surroundings = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=root, env=surroundings, input=stdin, stdout=subprocess.PIPE, check=True
    ).stdout


if __name__ == "__main__":
    main()
