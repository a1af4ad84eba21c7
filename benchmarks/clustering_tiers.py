"""How well each encoder tier groups a labelled set, through `Grouper` as the running system uses it.

Invariant: one configuration for every set, and no label is seen; only the tuned runs, which tell what self-calibration
costs, look at labels. Every run starts empty. Not here: rivals, and speed at a given number of live clusters.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.labelled import LabelledSet, mean_scores, peak_memory_mb, read_set, scored, stream_orders
from ml.cluster_stream import IDLE_REPORTS, Grouper
from ml.encoders import EncoderUnavailableError, load_encoder
from ml.types import Encoder, FloatArray, IntArray

BATCH = 256
# What "usual" may be set to when it is tuned: the best constants of all sets and tiers seen lie well inside.
USUAL_GRID = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6)
TIERS = ("hashing", "static", "student", "minilm", "minilm-student", "multilingual", "multilingual-student")
# Of what is learnt: the teacher, and what is beside it among the features.
_TEACHERS = {
    "student": ("minilm", "static"),
    "minilm-student": ("minilm", "minilm"),
    "multilingual-student": ("multilingual", "static"),
}


class TierMissing(Exception):
    """A tier is not installed here; the message says why."""


class RememberingEncoder:
    """An encoder that encodes a text once: the first run costs what it costs, further ones only the grouping."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder, self.name, self.n_dims = encoder, encoder.name, encoder.n_dims
        self.encoded: dict[str, FloatArray] = {}
        self.cpu_seconds = 0.0

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """See `ml.types.Encoder.encode`."""
        new = [text for text in dict.fromkeys(texts) if text not in self.encoded]
        if new:
            began = time.process_time()
            vectors = self.encoder.encode(new)
            self.cpu_seconds += time.process_time() - began
            self.encoded.update(zip(new, vectors, strict=True))
        if not texts:
            return np.zeros((0, self.n_dims), dtype=np.float32)
        return np.stack([self.encoded[text] for text in texts])


def load_tier(name: str, own_texts: Sequence[str], *, folder: Path | None = None) -> Encoder:
    """The encoder of a tier; a student learns from its teacher on a service's own texts, without labels.

    `folder` holds the model of the multilingual tiers. Raises TierMissing, with the reason.
    """
    try:
        if name in _TEACHERS:
            return _fitted_student(*_TEACHERS[name], own_texts, folder)
        return load_encoder(name, folder=folder) if folder and name == "multilingual" else load_encoder(name)
    except (EncoderUnavailableError, ImportError, ValueError) as error:
        raise TierMissing(str(error)) from error


def _fitted_student(teacher_name: str, beside: str, own_texts: Sequence[str], folder: Path | None) -> Encoder:
    from ml.encoders import load_teacher
    from ml.student import StudentEncoder
    from ml.trial import taught

    teacher = load_teacher(teacher_name, folder=folder if teacher_name == "multilingual" else None)
    vectors = np.concatenate(
        [teacher.encode(own_texts[start : start + BATCH]) for start in range(0, len(own_texts), BATCH)]
    )
    return StudentEncoder(taught(own_texts, vectors, teacher=teacher, instead=load_encoder(beside)))


def measure_tier(
    path: Path, tier: str, *, n_orders: int, max_texts: int | None, with_tuned: bool, folder: Path | None = None
) -> dict[str, Any]:
    """All figures of one tier on one set; `{"skipped": reason}` where the tier is not installed."""
    whole = read_set(path)
    whole = whole.part(range(min(len(whole), max_texts or len(whole))))
    first, second = whole.first_half, whole.second_half
    try:
        encoder = RememberingEncoder(load_tier(tier, first.texts, folder=folder))
    except TierMissing as missing:
        return {"set": whole.name, "tier": tier, "skipped": str(missing)}
    loaded_mb = peak_memory_mb()
    is_ordered = whole.is_ordered
    runs = []
    for streamed in stream_orders(second, n_orders=n_orders, is_ordered=is_ordered):
        runs.append(grouped(streamed, encoder))
        if len(runs) == 1:  # only the first run encodes
            cpu_seconds, memory_mb = runs[0]["cpu_seconds"], peak_memory_mb()
    result = {
        "set": whole.name,
        "tier": tier,
        "encoder": encoder.name,
        "n_texts": len(second),
        "n_labels": len(set(second.labels)),
        "n_orders": len(runs),
        "immediate": mean_scores([run["immediate"] for run in runs]),
        "final": mean_scores([run["final"] for run in runs]),
        "b3_spread": round(max(run["final"]["b3"] for run in runs) - min(run["final"]["b3"] for run in runs), 4),
        "share_of_ids_that_change": round(float(np.mean([run["changed"] for run in runs])), 4),
        "n_micro": runs[0]["n_micro"],
        "texts_per_cpu_second": round(len(second) / cpu_seconds),
        "encoding_share_of_cpu": round(encoder.cpu_seconds / cpu_seconds, 3),
        "peak_memory_mb": memory_mb,
        "memory_before_texts_mb": loaded_mb,
    }
    if is_ordered:
        run = grouped(whole, encoder)
        result["whole_stream"] = {"immediate": mean_scores([run["immediate"]]), "final": mean_scores([run["final"]])}
    if with_tuned:
        result["tuned"] = tuned(first, second, encoder, self_calibrated=runs[0]["final"]["b3"])
    return result


def tuned(first: LabelledSet, second: LabelledSet, encoder: Encoder, *, self_calibrated: float) -> dict[str, float]:
    """What a constant threshold reaches: chosen by the labels of the first half, and the best there is in hindsight."""
    on_first = {usual: grouped(first, encoder, usual=usual)["final"]["b3"] for usual in USUAL_GRID}
    on_second = {usual: grouped(second, encoder, usual=usual)["final"]["b3"] for usual in USUAL_GRID}
    chosen = max(on_first, key=on_first.__getitem__)
    best = max(on_second, key=on_second.__getitem__)
    return {
        "usual": chosen,
        "b3": round(on_second[chosen], 4),
        "costs_b3": round(on_second[chosen] - self_calibrated, 4),
        "best_usual": best,
        "best_b3": round(on_second[best], 4),
        "costs_b3_against_best": round(on_second[best] - self_calibrated, 4),
    }


def grouped(labelled: LabelledSet, encoder: Encoder, *, usual: float | None = None) -> dict[str, Any]:
    """Stream a set through a new grouper and score the id of each text at once and at the end."""
    began = time.process_time()
    grouper = Grouper(encoder, idle_seconds=IDLE_REPORTS, usual=usual)
    immediate: list[IntArray] = []
    for start in range(0, len(labelled), BATCH):
        texts = labelled.texts[start : start + BATCH]
        immediate.append(grouper.place(texts, [float(start + i) for i in range(len(texts))]))
    grouper.refine()
    final = grouper.final_groups()
    cpu_seconds = time.process_time() - began
    at_once = np.concatenate(immediate)
    return {
        "immediate": scored(labelled.labels, at_once.tolist()),
        "final": scored(labelled.labels, final.tolist()),
        "changed": float((at_once != final).mean()),
        "cpu_seconds": cpu_seconds,
        "n_micro": grouper.n_micro,
    }
