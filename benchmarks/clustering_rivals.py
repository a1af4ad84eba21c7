"""What others offer for grouping short texts, on the same halves of the same sets and in the same process set-up.

Invariant: a rival gets the parameters that serve it best on the first half, and K-means even the true number of labels;
so a figure here is a rival at its best. river's TextClust is the stream clusterer for texts of the largest library of
online learning. Not here: our own tiers.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from benchmarks.labelled import (
    SEED,
    LabelledSet,
    mean_scores,
    peak_memory_mb,
    read_set,
    scored,
    stream_orders,
)
from ml.encoders import load_encoder

RIVALS = ("river TextClust", "tf-idf leader", "k-means on tf-idf/LSA", "k-means on static vectors")
TEXTCLUST_RADII = (0.5, 0.6, 0.7, 0.8, 0.9)
TEXTCLUST_FADINGS = (0.0005, 0.00005)  # river's default, and a memory of ten times its length
TEXTCLUST_GAP = 100  # texts between two of its clean-ups, river's default
TUNING_TEXTS = 1_000  # of the first half, at most a third of it: a pass of TextClust takes seconds
LEADER_THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
LSA_DIMS = 100  # the size scikit-learn's own guide recommends for LSA


class Answer(NamedTuple):
    """The cluster of each text at the end and, from those who take texts one by one, at once; and what was chosen."""

    final: Sequence[int]
    immediate: Sequence[int] | None
    notes: dict[str, Any]


def measure_rival(path: Path, rival: str, *, n_orders: int, max_texts: int | None) -> dict[str, Any]:
    """All figures of one rival on one set; `{"skipped": reason}` where its package is missing."""
    whole = read_set(path)
    whole = whole.part(range(min(len(whole), max_texts or len(whole))))
    first, second = whole.first_half, whole.second_half
    try:
        ready = _tuned(rival, first)
    except ImportError as error:
        return {"set": whole.name, "rival": rival, "skipped": f"{error}; it comes with the extra `bench`"}
    # A pass of TextClust takes as long as ten of ours, so it gets the order of the file alone.
    orders = stream_orders(second, n_orders=n_orders, is_ordered=whole.is_ordered or rival == "river TextClust")
    finals, immediates, cpu_seconds, notes = [], [], 0.0, {}
    for streamed in orders:
        began = time.process_time()
        found = ready(streamed)
        cpu_seconds += time.process_time() - began
        notes = found.notes
        finals.append(scored(streamed.labels, found.final))
        if found.immediate is not None:
            immediates.append(scored(streamed.labels, found.immediate))
    return {
        "set": whole.name,
        "rival": rival,
        "n_texts": len(second),
        "n_labels": len(set(second.labels)),
        "n_orders": len(orders),
        **({"immediate": mean_scores(immediates)} if immediates else {}),
        "final": mean_scores(finals),
        "texts_per_cpu_second": round(len(second) * len(orders) / cpu_seconds),
        "peak_memory_mb": peak_memory_mb(),
        **notes,
    }


def _tuned(rival: str, first: LabelledSet) -> Callable[[LabelledSet], Answer]:
    """The rival with the parameters that gave the largest B-cubed on the first half."""
    if rival == "river TextClust":
        return _tuned_textclust(first)
    if rival == "tf-idf leader":
        return _tuned_leader(first)
    if rival == "k-means on tf-idf/LSA":
        return lambda streamed: _k_means(streamed, _lsa)
    if rival == "k-means on static vectors":
        return lambda streamed: _k_means(streamed, load_encoder("static").encode)
    raise ValueError(f"unknown rival {rival!r}: use one of {', '.join(RIVALS)}")


def _tuned_textclust(first: LabelledSet) -> Callable[[LabelledSet], Answer]:
    trial = first.part(range(min(len(first) // 3 + 1, TUNING_TEXTS)))

    def b3(radius: float, fading: float, longest: int) -> float:
        found, _ = _textclust(trial.texts, radius=radius, fading=fading, longest=longest)
        return scored(trial.labels, found)["b3"]

    radius = max(TEXTCLUST_RADII, key=lambda one: b3(one, TEXTCLUST_FADINGS[0], 1))
    fading, longest = max(itertools.product(TEXTCLUST_FADINGS, (1, 2)), key=lambda pair: b3(radius, *pair))
    notes = {"radius": radius, "fading_factor": fading, "ngram_range": [1, longest]}
    return lambda streamed: Answer(*_textclust(streamed.texts, radius=radius, fading=fading, longest=longest), notes)


def _textclust(texts: Sequence[str], *, radius: float, fading: float, longest: int) -> tuple[list[int], list[int]]:
    """The micro-cluster of each text when the mergers of river's clean-ups are followed to their end, and at once."""
    from river import cluster, feature_extraction

    words = feature_extraction.BagOfWords(
        lowercase=True, strip_accents=False, ngram_range=(1, longest), stop_words=set(ENGLISH_STOP_WORDS)
    )
    model = cluster.TextClust(real_time_fading=False, fading_factor=fading, tgap=TEXTCLUST_GAP, radius=radius)
    found: list[int] = []
    went_into: dict[int, int] = {}
    for number, text in enumerate(texts):
        bag = words.transform_one(text)
        model.learn_one(bag)
        nearest = model.predict_one(bag)
        # No cluster at all, or a text of stop words: alone, under an id river does not give.
        found.append(-1 - number if nearest is None else nearest)
        if number % TEXTCLUST_GAP == 0:
            for key, micro in model.micro_clusters.items():
                went_into.update((gone, key) for gone in micro.merged_ids if gone != key)
    return [_end_of(went_into, one) for one in found], found


def _end_of(went_into: dict[int, int], one: int) -> int:
    seen = {one}
    while (one := went_into.get(one, one)) not in seen:
        seen.add(one)
    return one


def _tuned_leader(first: LabelledSet) -> Callable[[LabelledSet], Answer]:
    # A plain leader has no idf of its own stream: it takes that of the texts before.
    vectorizer = TfidfVectorizer(sublinear_tf=True).fit(first.texts)
    threshold = max(
        LEADER_THRESHOLDS,
        key=lambda one: scored(first.labels, _leader(first.texts, vectorizer, threshold=one))["b3"],
    )

    def placed(streamed: LabelledSet) -> Answer:
        found = _leader(streamed.texts, vectorizer, threshold=threshold)
        return Answer(found, found, {"threshold": threshold})

    return placed


def _leader(texts: Sequence[str], vectorizer: TfidfVectorizer, *, threshold: float) -> list[int]:
    """Each text joins the nearest centroid if its cosine reaches the threshold, or becomes a new one."""
    rows = vectorizer.transform(texts).tocsr()
    # Term by cluster, so that the few terms of a text meet whole rows of it.
    sums = np.zeros((rows.shape[1], 256), dtype=np.float32)
    squared_lengths = np.zeros(256)
    n_clusters, found = 0, []
    for number in range(rows.shape[0]):
        terms = rows.indices[rows.indptr[number] : rows.indptr[number + 1]]
        weights = rows.data[rows.indptr[number] : rows.indptr[number + 1]].astype(np.float32)
        dots = weights @ sums[terms, :n_clusters]
        cosines = np.divide(
            dots,
            np.sqrt(squared_lengths[:n_clusters]),
            out=np.zeros(n_clusters),
            where=squared_lengths[:n_clusters] > 0,
        )
        nearest = int(cosines.argmax()) if n_clusters else 0
        if n_clusters == 0 or cosines[nearest] < threshold:
            nearest, n_clusters = n_clusters, n_clusters + 1
            if n_clusters > sums.shape[1]:
                sums = np.hstack([sums, np.zeros_like(sums)])
                squared_lengths = np.concatenate([squared_lengths, np.zeros_like(squared_lengths)])
        else:
            squared_lengths[nearest] += 2 * dots[nearest]
        squared_lengths[nearest] += float(weights @ weights)
        sums[terms, nearest] += weights
        found.append(nearest)
    return found


def _k_means(streamed: LabelledSet, encode: Callable[[Sequence[str]], np.ndarray]) -> Answer:
    n_labels = len(set(streamed.labels))
    model = MiniBatchKMeans(n_labels, random_state=SEED, n_init=3, batch_size=1024)
    found = model.fit_predict(encode(streamed.texts)).tolist()
    return Answer(found, None, {"knows_the_number_of_labels": True})


def _lsa(texts: Sequence[str]) -> np.ndarray:
    vectorizer = TfidfVectorizer(sublinear_tf=True)
    n_terms = len(vectorizer.fit(texts).vocabulary_)
    steps = make_pipeline(
        vectorizer, TruncatedSVD(max(1, min(LSA_DIMS, n_terms - 1, len(texts) - 1)), random_state=SEED), Normalizer()
    )
    return np.asarray(steps.fit_transform(texts))
