"""Online leader clustering on vectors a reader can picture: directions, bursts, silence, copies."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from ml.cluster import (
    MAX_CHUNK_REPORTS,
    MEMORY_REPORTS,
    PAIR_QUANTILE,
    Assignment,
    LeaderState,
    assign,
    empty_state,
    keep_micro,
    leader_threshold,
    usual_similarity,
)
from ml.types import FloatArray
from ml.vectors import MAX_SAMPLE, pair_quantiles, remove_mean

N_DIMS = 64
FOREVER = float("inf")


def topics(n_topics: int, seed: int = 0) -> FloatArray:
    return unit(np.random.default_rng(seed).normal(size=(n_topics, N_DIMS)))


def unit(rows: np.ndarray) -> FloatArray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def texts_about(topic_of_text: np.ndarray, centres: FloatArray, *, noise: float = 0.03, seed: int = 1) -> FloatArray:
    rng = np.random.default_rng(seed)
    return unit(centres[topic_of_text] + noise * rng.normal(size=(len(topic_of_text), N_DIMS)))


def mixed_texts(n: int, n_topics: int = 40, seed: int = 2) -> tuple[np.ndarray, FloatArray]:
    about = np.random.default_rng(seed).integers(n_topics, size=n)
    return about, texts_about(about, topics(n_topics), seed=seed)


def grouped_alike(first: np.ndarray, second: np.ndarray) -> bool:
    return bool(np.array_equal(first[:, None] == first, second[:, None] == second))


def place(state: LeaderState, vectors: FloatArray, *, start: float = 0.0, idle_seconds: float = FOREVER) -> Assignment:
    return assign(state, vectors, start + np.arange(len(vectors)), idle_seconds=idle_seconds)


def test_texts_about_one_thing_share_a_micro_cluster() -> None:
    about, vectors = mixed_texts(400)

    found = place(empty_state(N_DIMS), vectors)

    assert grouped_alike(found.micro, about)


def test_sums_sizes_and_times_are_those_of_the_members() -> None:
    _, vectors = mixed_texts(300)

    found = place(empty_state(N_DIMS), vectors)

    sizes = np.bincount(found.micro)
    np.testing.assert_array_equal(found.state.n_reports, sizes)
    np.testing.assert_array_equal(
        found.state.last_seen, [np.flatnonzero(found.micro == j).max() for j in range(len(sizes))]
    )
    # A sum of n unit vectors that are nearly parallel is nearly n long, never longer.
    lengths = np.linalg.norm(found.state.sums, axis=1)
    assert np.all(lengths <= sizes * (1 + 1e-5))
    assert np.all(lengths >= sizes * 0.8)


def test_the_input_is_left_untouched() -> None:
    _, vectors = mixed_texts(100)
    state = place(empty_state(N_DIMS), vectors).state
    before, vectors_before = copy.deepcopy(state), vectors.copy()

    place(state, vectors, start=100)

    np.testing.assert_array_equal(vectors, vectors_before)
    for name in ("sums", "n_reports", "last_seen", "mean_sum", "sample"):
        np.testing.assert_array_equal(getattr(state, name), getattr(before, name))


def test_a_second_run_gives_the_same() -> None:
    _, vectors = mixed_texts(MAX_SAMPLE + 300, n_topics=400)

    first, second = place(empty_state(N_DIMS), vectors), place(empty_state(N_DIMS), vectors)

    np.testing.assert_array_equal(first.micro, second.micro)
    np.testing.assert_array_equal(first.state.sample, second.state.sample)


def test_one_batch_and_many_agree() -> None:
    _, vectors = mixed_texts(600)
    together = place(empty_state(N_DIMS), vectors)

    state, micro = empty_state(N_DIMS), []
    for start in range(0, len(vectors), 7):
        found = place(state, vectors[start : start + 7], start=start)
        state = found.state
        micro.extend(found.micro.tolist())

    assert grouped_alike(np.array(micro), together.micro)
    np.testing.assert_array_equal(state.n_reports, together.state.n_reports)


def test_batches_cut_where_chunks_end_agree_exactly() -> None:
    _, vectors = mixed_texts(40, n_topics=30)
    together = place(empty_state(N_DIMS), vectors)

    first = place(empty_state(N_DIMS), vectors[:16])
    second = place(first.state, vectors[16:32], start=16)
    third = place(second.state, vectors[32:], start=32)

    np.testing.assert_array_equal(np.concatenate((first.micro, second.micro, third.micro)), together.micro)
    np.testing.assert_array_equal(third.state.sums, together.state.sums)


def test_an_idle_micro_cluster_is_not_joined_but_keeps_its_place() -> None:
    _, vectors = mixed_texts(200)
    before = place(empty_state(N_DIMS), vectors).state

    found = assign(before, vectors[:1], [10_000.0], idle_seconds=60.0)

    assert found.micro.tolist() == [before.n_micro]
    np.testing.assert_array_equal(found.state.sums[: before.n_micro], before.sums)


def test_a_micro_cluster_is_live_to_the_last_second() -> None:
    _, vectors = mixed_texts(200)
    before = place(empty_state(N_DIMS), vectors).state
    joined = int(place(before, vectors[:1]).micro[0])

    found = assign(before, vectors[:1], [before.last_seen[joined] + 60.0], idle_seconds=60.0)

    assert found.micro.tolist() == [joined]


def test_a_report_that_comes_late_does_not_set_the_clock_back() -> None:
    _, vectors = mixed_texts(200)
    before = place(empty_state(N_DIMS), vectors, start=1_000).state

    found = assign(before, vectors[:1], [0.0], idle_seconds=FOREVER)

    np.testing.assert_array_equal(found.state.last_seen, before.last_seen)


def test_texts_without_a_known_token_share_one_micro_cluster() -> None:
    _, vectors = mixed_texts(20)
    vectors[[3, 9]] = 0.0

    found = place(empty_state(N_DIMS), vectors)
    later = place(found.state, np.zeros((1, N_DIMS), dtype=np.float32), start=20)

    assert found.micro[3] == found.micro[9] == later.micro[0]
    assert np.count_nonzero(found.micro == found.micro[3]) == 2
    assert found.similarity[9] == 1.0
    assert not later.state.sums[later.micro[0]].any()


def test_a_new_service_starts_from_the_reference() -> None:
    reference = topics(64, seed=9)
    twice = texts_about(np.array([0, 1, 0, 1]), topics(2))

    found = assign(empty_state(N_DIMS), twice, np.arange(4), idle_seconds=FOREVER, reference=reference)

    assert grouped_alike(found.micro, np.array([0, 1, 0, 1]))


def test_without_reference_and_texts_only_copies_are_alike() -> None:
    assert usual_similarity(empty_state(N_DIMS)) == 1.0


def test_a_burst_about_one_thing_does_not_pass_for_usual() -> None:
    # A quarter of the texts are about one thing, so 6 % of the pairs are, and their 97 % quantile lies inside it.
    _, quiet = mixed_texts(300, n_topics=300)
    burst = texts_about(np.zeros(100, dtype=int), topics(1, seed=5), noise=0.05)
    vectors = np.concatenate((quiet, burst))
    plain = pair_quantiles(remove_mean(vectors, vectors.mean(axis=0)), (PAIR_QUANTILE,))
    assert plain is not None

    usual = usual_similarity(place(empty_state(N_DIMS), vectors).state)

    assert usual < float(plain[0]) - 0.15


def test_copies_do_not_pass_for_usual() -> None:
    _, vectors = mixed_texts(200)
    plain = place(empty_state(N_DIMS), vectors).state

    copied = place(empty_state(N_DIMS), np.concatenate((vectors, np.repeat(vectors[:1], 400, axis=0)))).state

    assert len(copied.sample) == len(plain.sample)


def test_what_is_remembered_is_bounded() -> None:
    _, vectors = mixed_texts(MAX_CHUNK_REPORTS, n_topics=500)
    state = place(empty_state(N_DIMS), vectors).state

    for _ in range(MEMORY_REPORTS // MAX_CHUNK_REPORTS + 1):
        state = place(state, vectors).state

    assert state.mean_n == MEMORY_REPORTS
    assert len(state.sample) <= MAX_SAMPLE
    np.testing.assert_allclose(state.mean_sum / state.mean_n, vectors.mean(axis=0), atol=1e-4)


def test_a_state_survives_being_stored_as_bytes() -> None:
    _, vectors = mixed_texts(200)
    state = place(empty_state(N_DIMS), vectors[:100]).state
    stored = LeaderState(
        sums=np.frombuffer(state.sums.tobytes(), dtype=np.float32).reshape(-1, N_DIMS),
        n_reports=state.n_reports,
        last_seen=state.last_seen,
        mean_sum=np.frombuffer(state.mean_sum.tobytes(), dtype=np.float64),
        mean_n=state.mean_n,
        sample=np.frombuffer(state.sample.tobytes(), dtype=np.float32).reshape(-1, N_DIMS),
    )

    found = place(stored, vectors[100:], start=100)

    np.testing.assert_array_equal(found.micro, place(state, vectors[100:], start=100).micro)


def test_dropped_micro_clusters_leave_the_others_in_order() -> None:
    _, vectors = mixed_texts(100, n_topics=5)
    state = place(empty_state(N_DIMS), vectors).state

    kept = keep_micro(state, np.arange(state.n_micro) != 1)

    np.testing.assert_array_equal(kept.sums, np.delete(state.sums, 1, axis=0))
    assert kept.mean_n == state.mean_n


def test_micro_clusters_are_tighter_than_the_usual() -> None:
    for usual in (0.0, 0.2, 0.9):
        assert usual < leader_threshold(usual) < 1.0


def test_an_empty_batch_changes_nothing() -> None:
    _, vectors = mixed_texts(50)
    state = place(empty_state(N_DIMS), vectors).state

    found = place(state, vectors[:0])

    assert found.micro.shape == (0,)
    np.testing.assert_array_equal(found.state.sums, state.sums)


@pytest.mark.parametrize(
    ("vectors", "times", "idle_seconds", "message"),
    [
        (np.zeros((1, 3), dtype=np.float32), [0.0], 1.0, "vectors must have shape"),
        (np.zeros((2, N_DIMS), dtype=np.float32), [0.0], 1.0, "times must have shape"),
        (np.zeros((1, N_DIMS), dtype=np.float32), [float("nan")], 1.0, "times must be finite"),
        (np.zeros((1, N_DIMS), dtype=np.float32), [0.0], 0.0, "idle_seconds must be positive"),
    ],
)
def test_input_that_does_not_fit_is_refused(
    vectors: FloatArray, times: list[float], idle_seconds: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        assign(empty_state(N_DIMS), vectors, times, idle_seconds=idle_seconds)
