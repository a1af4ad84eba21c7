"""How fast texts find their cluster when a service has thousands of live micro-clusters.

Invariant: the texts are real or written by `ml.synth`, nothing is idle, and every micro-cluster competes for every
text. Placing is timed without refinement, which a worker does on its own beat; what refinement costs is told beside it.
Not here: how good the clusters are.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clustering_tiers import BATCH, TierMissing, load_tier
from benchmarks.labelled import SEED, find_sets, peak_memory_mb, read_set
from ml import synth
from ml.cluster_stream import Grouper
from ml.types import Encoder

# Tried in this order until a service holds as many micro-clusters as asked for: its own threshold, then tighter ones.
# The loosest that suffices is the most realistic, for then many texts join and not all of them open another.
USUAL_LADDER = (None, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
FILL_BATCH = 1_024
N_BATCHES = 20
N_SINGLE = 2_000
N_REFINEMENTS = 5
COPIES_SHARE = 0.6
N_HOT = 40  # wordings that the copies are of


class StopwatchGrouper(Grouper):
    """A grouper that refines only when told to, as a worker does, and clocks it."""

    holds = False

    def refine(self) -> None:
        """See `Grouper.refine`."""
        if not self.holds:
            super().refine()

    def clocked_refinement(self) -> dict[str, float]:
        """Refine now; milliseconds on the wall clock and of CPU."""
        self.holds = False
        wall, cpu = time.perf_counter(), time.process_time()
        self.refine()
        figures = {"wall_ms": (time.perf_counter() - wall) * 1e3, "cpu_ms": (time.process_time() - cpu) * 1e3}
        self.holds = True
        return {name: round(value, 2) for name, value in figures.items()}


def measure_speed(
    folder: Path, tier: str, *, n_live: int, n_batches: int = N_BATCHES, n_single: int = N_SINGLE
) -> dict[str, Any]:
    """All figures of speed at `n_live` micro-clusters; `{"skipped": reason}` where the tier is not installed."""
    n_fresh = n_batches * BATCH + n_single + N_REFINEMENTS * BATCH
    texts = varied_texts(folder, n=4 * n_live + n_fresh)
    stock, fresh = texts[n_fresh:], texts[:n_fresh]
    try:
        encoder = load_tier(tier, stock[:5_000])
    except TierMissing as missing:
        return {"tier": tier, "n_live": n_live, "skipped": str(missing)}
    found = filled(encoder, stock, n_live=n_live)
    if found is None:
        raise ValueError(f"{len(stock):,} texts make no {n_live:,} micro-clusters; give a folder with more texts")
    full, usual = found
    n_filled = full.n_micro
    full_refinement = full.clocked_refinement()
    refinements = []
    for number in range(N_REFINEMENTS):
        _place(full, fresh[number * BATCH : (number + 1) * BATCH], first=len(stock) + number * BATCH)
        refinements.append(full.clocked_refinement())
    fresh = fresh[N_REFINEMENTS * BATCH :]
    outage = _with_copies(fresh[: n_batches * BATCH])
    return {
        "tier": tier,
        "n_live": n_live,
        "n_micro": n_filled,
        "usual": usual,
        "batches": _batches(_twin(full, encoder), fresh[: n_batches * BATCH], first=10 * len(stock)),
        "batches_in_an_outage": _batches(_twin(full, encoder), outage, first=10 * len(stock)),
        "single": _single(_twin(full, encoder), fresh[n_batches * BATCH :][:n_single], first=10 * len(stock)),
        "full_refinement": full_refinement,
        "refinement_after_a_batch": {
            name: round(float(np.median([one[name] for one in refinements])), 2) for name in refinements[0]
        },
        "peak_memory_mb": peak_memory_mb(),
    }


def varied_texts(folder: Path, *, n: int) -> list[str]:
    """`n` different texts in an arbitrary order: those of the sets, and as many written ones as are missing."""
    rng = np.random.default_rng(SEED)
    texts = dict.fromkeys(text for path in find_sets(folder) for text in read_set(path).texts)
    start, per_day = datetime(2026, 1, 5, tzinfo=UTC), 4_000
    while len(texts) < n:
        day = synth.history(rng=rng, start=start, days=1, per_hour=per_day / 24)
        texts.update(dict.fromkeys(report.text for report in day))
    found = list(texts)
    return [found[i] for i in rng.permutation(len(found))[:n]]


def filled(encoder: Encoder, stock: Sequence[str], *, n_live: int) -> tuple[StopwatchGrouper, float | None] | None:
    """A grouper with `n_live` micro-clusters and the `usual` that it took; it holds back its refinements."""
    size = max(1, min(FILL_BATCH, n_live // 8))
    for usual in USUAL_LADDER:
        grouper = StopwatchGrouper(encoder, idle_seconds=float("inf"), usual=usual)
        grouper.holds = True
        for start in range(0, len(stock), size):
            _place(grouper, stock[start : start + size], first=start)
            if grouper.n_micro >= n_live:
                return grouper, usual
            # Ever fewer texts open a micro-cluster: who has not come half the way at half of them never arrives.
            if start > len(stock) / 2 and grouper.n_micro < n_live / 2:
                break
    return None


def _batches(grouper: StopwatchGrouper, texts: Sequence[str], *, first: int) -> dict[str, float]:
    before = grouper.n_micro
    began = time.process_time()
    for start in range(0, len(texts), BATCH):
        _place(grouper, texts[start : start + BATCH], first=first + start)
    placing = time.process_time() - began
    return {
        "texts_per_cpu_second": round(len(texts) / placing),
        "with_refinement_per_cpu_second": round(len(texts) / (placing + grouper.clocked_refinement()["cpu_ms"] / 1e3)),
        "opened_share": round((grouper.n_micro - before) / len(texts), 3),
    }


def _single(grouper: StopwatchGrouper, texts: Sequence[str], *, first: int) -> dict[str, float]:
    wall, cpu = [], []
    for number, text in enumerate(texts):
        began, began_cpu = time.perf_counter(), time.process_time()
        _place(grouper, [text], first=first + number)
        cpu.append((time.process_time() - began_cpu) * 1e3)
        wall.append((time.perf_counter() - began) * 1e3)
    return {
        f"{name}_p{share}_ms": round(float(np.percentile(taken, share)), 3)
        for name, taken in (("wall", wall), ("cpu", cpu))
        for share in (50, 99)
    }


def _place(grouper: Grouper, texts: Sequence[str], *, first: int) -> None:
    grouper.place(texts, [float(first + i) for i in range(len(texts))])


def _twin(grouper: StopwatchGrouper, encoder: Encoder) -> StopwatchGrouper:
    """A grouper in the same state; the encoder has none and is shared."""
    return copy.deepcopy(grouper, {id(encoder): encoder})


def _with_copies(texts: Sequence[str]) -> list[str]:
    """As in an outage: six texts in ten are one of a few wordings, differing in case, spaces and whom they address."""
    rng = np.random.default_rng(SEED)
    habits = (str, str.lower, str.upper, "@outcry {}".format, "  {} ".format, "{} https://example.org/x".format)
    hot = texts[:N_HOT]
    return [
        habits[rng.integers(len(habits))](hot[rng.integers(len(hot))]) if rng.random() < COPIES_SHARE else text
        for text in texts
    ]
