"""How well and how fast labelled short texts are grouped, through the steps of the running system.

Second half of each set, in stream order, no labels used: B-cubed, NMI and pairs for the immediate and the final id, and
texts a second from text to both ids on one thread. Run from the root of the checkout:

    OMP_NUM_THREADS=1 python -m benchmarks.clustering [--data ../shared/data/clusters] [--encoder static] [--json]
"""

from __future__ import annotations

import argparse
import io
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import normalized_mutual_info_score

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script's own folder is not the checkout

from ml.cluster import assign, empty_state
from ml.cluster_stream import main as cluster_command
from ml.encoders import load_encoder, reference_vectors
from ml.scores import b_cubed, pair_precision_recall

SETS = ("banking77", "news_t", "banking77_en_ar")
SEED = 0


def measured(labels: list[str], found: list[str]) -> dict[str, float]:
    """The scores of one grouping."""
    cubed, pairs = b_cubed(labels, found), pair_precision_recall(labels, found)
    return {
        "b_cubed_f1": round(cubed.f1, 3),
        "b_cubed_precision": round(cubed.precision, 3),
        "b_cubed_recall": round(cubed.recall, 3),
        "nmi": round(float(normalized_mutual_info_score(labels, found)), 3),
        "pair_precision": round(pairs.precision, 3),
        "pair_recall": round(pairs.recall, 3),
        "n_clusters": len(set(found)),
    }


def grouped(path: Path, encoder: str, half: str) -> dict[str, Any]:
    """Group half a file and score it."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    rows = rows[: len(rows) // 2] if half == "first" else rows[len(rows) // 2 :]
    labels = [label for _, label, _ in rows]
    out, err = io.StringIO(), io.StringIO()
    began = time.perf_counter()
    code = cluster_command(["--encoder", encoder], io.StringIO("".join(f"{text}\n" for *_, text in rows)), out, err)
    seconds = time.perf_counter() - began
    if code:
        raise SystemExit(err.getvalue())
    ids = [line.split("\t") for line in out.getvalue().splitlines()]
    return {
        "set": path.stem,
        "half": half,
        "encoder": load_encoder(encoder).name,  # type: ignore[arg-type]
        "n_texts": len(rows),
        "n_labels": len(set(labels)),
        "immediate": measured(labels, [at_once for _, at_once, _ in ids]),
        "final": measured(labels, [final for *_, final in ids]),
        "texts_per_second": round(len(rows) / seconds),
    }


def placed(path: Path, encoder_name: str) -> dict[str, Any]:
    """Cost of the steps before refinement: encoding, and placing in batches of 256."""
    texts = [line.split("\t")[2] for line in path.read_text(encoding="utf-8").splitlines()]
    encoder = load_encoder(encoder_name)  # type: ignore[arg-type]
    reference = reference_vectors(encoder)
    began = time.perf_counter()
    vectors = encoder.encode(texts)
    encoded = time.perf_counter()
    state = empty_state(encoder.n_dims)
    for start in range(0, len(vectors), 256):
        batch = vectors[start : start + 256]
        state = assign(
            state, batch, start + np.arange(len(batch)), idle_seconds=float("inf"), reference=reference, rng_seed=SEED
        ).state
    done = time.perf_counter()
    return {
        "set": path.stem,
        "encoder": encoder.name,
        "encoded_per_second": round(len(texts) / (encoded - began)),
        "placed_per_second": round(len(texts) / (done - encoded)),
        "n_micro": state.n_micro,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data/clusters"), help="folder of the labelled sets"
    )
    parser.add_argument("--encoder", choices=("static", "hashing"), default="static")
    parser.add_argument(
        "--half", choices=("first", "second"), default="second", help="tune on the first, report the second"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    if not options.data.is_dir():
        raise SystemExit(f"there is no folder {options.data}; give it with --data")
    results = [grouped(options.data / f"{name}.tsv", options.encoder, options.half) for name in SETS]
    costs = [placed(options.data / f"{name}.tsv", options.encoder) for name in SETS]
    if options.json:
        print(
            json.dumps(
                {
                    "machine": platform.processor() or platform.machine(),
                    "seed": SEED,
                    "results": results,
                    "costs": costs,
                },
                indent=2,
            )
        )
        return
    for result in results:
        now, final = result["immediate"], result["final"]
        print(
            f"{result['set']:16} B3 {now['b_cubed_f1']:.3f} -> {final['b_cubed_f1']:.3f}  "
            f"NMI {now['nmi']:.3f} -> {final['nmi']:.3f}  "
            f"{final['n_clusters']} clusters of {result['n_labels']} labels  {result['texts_per_second']:,} texts/s"
        )
    for cost in costs:
        print(
            f"{cost['set']:16} encoded {cost['encoded_per_second']:,}/s  placed {cost['placed_per_second']:,}/s  "
            f"{cost['n_micro']:,} micro-clusters"
        )


if __name__ == "__main__":
    main()
