"""Labelled texts for the measurements of clustering: reading sets, the orders they are streamed in, and scores.

Invariant: labels are used to score and, where a rival or a threshold is tuned, on the first half alone; what is
reported is the second half. Any folder of `index, label, text` files will do. Not here: whoever groups the texts.
"""

from __future__ import annotations

import resource
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from ml.scores import b_cubed, pair_precision_recall

SEED = 0
N_ORDERS = 3
# In a stream whose order means something, neighbours share a label several times as often as any two texts do (News-T:
# 4.7 times, Banking77: 1.0).
ORDERED_FROM = 2.0
NEIGHBOURS = 10


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Texts in stream order, each with the label somebody gave it."""

    name: str
    labels: tuple[str, ...]
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def part(self, rows: Sequence[int] | range) -> LabelledSet:
        """The set made of these rows, in their order."""
        return LabelledSet(self.name, tuple(self.labels[i] for i in rows), tuple(self.texts[i] for i in rows))

    @property
    def first_half(self) -> LabelledSet:
        """What may be tuned on."""
        return self.part(range(len(self) // 2))

    @property
    def second_half(self) -> LabelledSet:
        """What is reported."""
        return self.part(range(len(self) // 2, len(self)))

    @property
    def is_ordered(self) -> bool:
        """Whether the order of the stream means something: neighbours share labels more often than chance would."""
        share = np.array(list(Counter(self.labels).values())) / max(len(self), 1)
        near = [
            first == second
            for lag in range(1, NEIGHBOURS + 1)
            for first, second in zip(self.labels, self.labels[lag:], strict=False)
        ]
        return bool(near) and float(np.mean(near)) > ORDERED_FROM * float((share**2).sum())


def find_sets(folder: Path) -> list[Path]:
    """The labelled sets in a folder, by name."""
    if not folder.is_dir():
        raise SystemExit(f"there is no folder {folder}; give it with --data")
    found = sorted(folder.glob("*.tsv"))
    if not found:
        raise SystemExit(f"{folder} holds no .tsv file with index, label and text a line; give another with --data")
    return found


def read_set(path: Path) -> LabelledSet:
    """Read a file of `index<TAB>label<TAB>text` lines."""
    rows = [line.split("\t", 2) for line in path.read_text(encoding="utf-8").split("\n") if line]
    for number, row in enumerate(rows, start=1):
        if len(row) != 3:
            raise SystemExit(f"{path}, line {number}: {len(row)} fields instead of index, label and text")
    return LabelledSet(path.stem, tuple(row[1] for row in rows), tuple(row[2] for row in rows))


def stream_orders(labelled: LabelledSet, *, n_orders: int = N_ORDERS, is_ordered: bool) -> list[LabelledSet]:
    """The set as it is and, where its order is arbitrary, shuffled with fixed seeds."""
    shuffled = [
        labelled.part(np.random.default_rng(SEED + number).permutation(len(labelled)).tolist())
        for number in range(1, n_orders)
    ]
    return [labelled] if is_ordered else [labelled, *shuffled]


def scored(labels: Sequence[str], found: Sequence[object]) -> dict[str, float]:
    """The scores of one grouping."""
    clusters = np.unique(np.array([str(one) for one in found]), return_inverse=True)[1]
    cubed, pairs = b_cubed(labels, clusters), pair_precision_recall(labels, clusters)
    return {
        "b3": cubed.f1,
        "b3_precision": cubed.precision,
        "b3_recall": cubed.recall,
        "nmi": float(normalized_mutual_info_score(labels, clusters)),
        "ari": float(adjusted_rand_score(labels, clusters)),
        "pair_precision": pairs.precision,
        "pair_recall": pairs.recall,
        "n_clusters": len(set(clusters.tolist())),
    }


def mean_scores(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each score over several runs, rounded for printing."""
    return {name: round(float(np.mean([one[name] for one in scores])), 4) for name in scores[0]}


def peak_memory_mb() -> float:
    """The most memory this process has held at once."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss of a child may be what its parent held
        kilobytes = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        kilobytes = peak // 1024 if sys.platform == "darwin" else peak
    return round(kilobytes / 1024, 1)
