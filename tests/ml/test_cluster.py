"""Online leader clustering on vectors a reader can picture: directions, bursts, silence, copies, and new beginnings."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.cluster import CHUNK_REPORTS, Assignment, LeaderState, assign, empty_state, keep_micro, leader_threshold
from ml.guards import kinds_of
from ml.nearest import SMALL, index_of
from ml.types import FloatArray, IntArray

N_DIMS = 64
FOREVER = float("inf")


def unit(rows: np.ndarray) -> FloatArray:
    found: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return found


def topics(n_topics: int, seed: int = 0) -> FloatArray:
    return unit(np.random.default_rng(seed).normal(size=(n_topics, N_DIMS)))


def texts_about(topic_of_text: np.ndarray, centres: FloatArray, *, noise: float = 0.03, seed: int = 1) -> FloatArray:
    rng = np.random.default_rng(seed)
    return unit(centres[topic_of_text] + noise * rng.normal(size=(len(topic_of_text), N_DIMS)))


def mixed_texts(n: int, n_topics: int = 40, seed: int = 2) -> tuple[np.ndarray, FloatArray]:
    about = np.random.default_rng(seed).integers(n_topics, size=n)
    return about, texts_about(about, topics(n_topics), seed=seed)


REFERENCE = topics(64, seed=9)


def grouped_alike(first: np.ndarray, second: np.ndarray) -> bool:
    return bool(np.array_equal(first[:, None] == first, second[:, None] == second))


def place(
    state: LeaderState,
    vectors: FloatArray,
    *,
    start: float = 0.0,
    idle_seconds: float = FOREVER,
    kinds: IntArray | None = None,
    languages: tuple[str, ...] | None = None,
) -> Assignment:
    times = start + np.arange(len(vectors))
    return assign(
        state, vectors, times, idle_seconds=idle_seconds, kinds=kinds, languages=languages, reference=REFERENCE
    )


def place_in_batches(
    state: LeaderState, vectors: FloatArray, cuts: list[int], *, reload: bool = False, start: float = 0.0
) -> tuple[LeaderState, IntArray]:
    micro = [np.zeros(0, dtype=np.int64)]
    for begin, end in zip([0, *cuts], [*cuts, len(vectors)], strict=True):
        found = place(state, vectors[begin:end], start=start + begin)
        state = reloaded(found.state) if reload else found.state
        micro.append(found.micro)
    return state, np.concatenate(micro)


def reloaded(state: LeaderState) -> LeaderState:
    """As it comes back from storage: plain arrays, the index made anew."""
    tally, calibration = copy.deepcopy(state.tally), copy.deepcopy(state.calibration)
    sums = np.frombuffer(state.sums.tobytes(), dtype=np.float32).reshape(-1, N_DIMS)
    arrays = [array.copy() for array in (state.n_reports, state.opened_at, state.last_seen, state.kinds)]
    return LeaderState(index_of(sums), *arrays, tally, calibration)


def assert_same_state(one: LeaderState, other: LeaderState) -> None:
    np.testing.assert_allclose(one.sums, other.sums, atol=1e-4)
    for name in ("n_reports", "opened_at", "last_seen", "kinds"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(one.tally.sample, other.tally.sample)
    assert one.tally.n_seen == other.tally.n_seen


# What a batch does


def test_texts_about_one_thing_share_a_micro_cluster() -> None:
    about, vectors = mixed_texts(400)

    assert grouped_alike(place(empty_state(N_DIMS), vectors).micro, about)


def test_without_a_reference_the_first_texts_tell_what_is_usual() -> None:
    about, vectors = mixed_texts(400)

    found = assign(empty_state(N_DIMS), vectors, np.arange(400), idle_seconds=FOREVER)

    assert grouped_alike(found.micro, about)


def test_a_new_service_starts_from_the_reference() -> None:
    about = np.array([0, 1, 0, 1])

    found = place(empty_state(N_DIMS), texts_about(about, topics(2)))

    assert grouped_alike(found.micro, about)


def test_sizes_and_times_are_those_of_the_members() -> None:
    _, vectors = mixed_texts(300)

    found = place(empty_state(N_DIMS), vectors)

    members = [np.flatnonzero(found.micro == j) for j in range(found.state.n_micro)]
    np.testing.assert_array_equal(found.state.n_reports, [len(rows) for rows in members])
    np.testing.assert_array_equal(found.state.opened_at, [rows.min() for rows in members])
    np.testing.assert_array_equal(found.state.last_seen, [rows.max() for rows in members])


def test_similarity_is_1_where_a_report_opens_and_below_where_it_joins() -> None:
    _, vectors = mixed_texts(300)

    found = place(empty_state(N_DIMS), vectors)

    opens = np.unique(found.micro, return_index=True)[1]
    joins = np.setdiff1d(np.arange(300), opens)
    assert (found.similarity[opens] == 1.0).all()
    assert (found.similarity[joins] < 1.0).all()
    assert (found.similarity[joins] >= leader_threshold(0.0)).all()


def test_the_input_is_left_untouched() -> None:
    _, vectors = mixed_texts(100)
    state = place(empty_state(N_DIMS), vectors).state
    before, vectors_before = copy.deepcopy(state), vectors.copy()

    place(state, vectors, start=100)

    np.testing.assert_array_equal(vectors, vectors_before)
    assert_same_state(state, before)


def test_a_second_run_gives_the_same() -> None:
    _, vectors = mixed_texts(CHUNK_REPORTS + 300, n_topics=400)

    first, second = place(empty_state(N_DIMS), vectors), place(empty_state(N_DIMS), vectors)

    np.testing.assert_array_equal(first.micro, second.micro)
    np.testing.assert_array_equal(first.similarity, second.similarity)
    np.testing.assert_array_equal(first.state.sums, second.state.sums)


def test_an_empty_batch_changes_nothing() -> None:
    state = place(empty_state(N_DIMS), mixed_texts(50)[1]).state

    found = place(state, np.zeros((0, N_DIMS), dtype=np.float32))

    assert found.micro.shape == (0,)
    assert_same_state(found.state, state)


# Batches and beginnings


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 1_200), max_size=8), n_topics=st.sampled_from([3, 40, 600]))
def test_a_stream_without_copies_may_be_cut_anywhere(cuts: list[int], n_topics: int) -> None:
    _, vectors = mixed_texts(1_200, n_topics=n_topics)
    together = place(empty_state(N_DIMS), vectors)

    state, micro = place_in_batches(empty_state(N_DIMS), vectors, sorted(cuts))

    np.testing.assert_array_equal(micro, together.micro)
    assert_same_state(state, together.state)


def test_reports_one_by_one_go_where_they_go_together() -> None:
    _, vectors = mixed_texts(150)

    _, micro = place_in_batches(empty_state(N_DIMS), vectors, list(range(1, 150)))

    np.testing.assert_array_equal(micro, place(empty_state(N_DIMS), vectors).micro)


def test_languages_do_not_make_cuts_matter() -> None:
    _, vectors = mixed_texts(600)
    languages = ("de", "en", "en") * 200
    together = place(empty_state(N_DIMS), vectors, languages=languages)

    first = place(empty_state(N_DIMS), vectors[:217], languages=languages[:217])
    second = place(first.state, vectors[217:], start=217, languages=languages[217:])

    np.testing.assert_array_equal(np.concatenate((first.micro, second.micro)), together.micro)


@pytest.mark.parametrize("n_texts_before", [40, 700])
def test_a_restart_in_mid_stream_changes_nothing(n_texts_before: int) -> None:
    _, vectors = mixed_texts(n_texts_before + 500, n_topics=300)
    cuts = list(range(n_texts_before, len(vectors), 100))

    lived_on, micro = place_in_batches(empty_state(N_DIMS), vectors, cuts)
    came_back, again = place_in_batches(empty_state(N_DIMS), vectors, cuts, reload=True)

    np.testing.assert_array_equal(again, micro)
    assert_same_state(came_back, lived_on)


def test_a_restart_among_many_micro_clusters_changes_nothing() -> None:
    # More dimensions than the index looks at first, so that what changed is kept aside by the one that lives on.
    rng = np.random.default_rng(3)
    centres = unit(rng.normal(size=(SMALL + 400, 160)))
    more = unit(centres[rng.integers(len(centres), size=600)] + 0.02 * rng.normal(size=(600, 160)))
    reference = unit(rng.normal(size=(64, 160)))

    def follow(*, reload: bool) -> tuple[LeaderState, list[int]]:
        state = assign(
            empty_state(160), centres, np.arange(len(centres)), idle_seconds=FOREVER, reference=reference
        ).state
        micro: list[int] = []
        for start in range(0, 600, 150):
            if reload:
                state = LeaderState(
                    index_of(state.sums),
                    state.n_reports,
                    state.opened_at,
                    state.last_seen,
                    state.kinds,
                    state.tally,
                    state.calibration,
                )
            found = assign(
                state, more[start : start + 150], np.full(150, 1e4), idle_seconds=FOREVER, reference=reference
            )
            state = found.state
            micro.extend(found.micro.tolist())
        return state, micro

    lived_on, micro = follow(reload=False)
    came_back, again = follow(reload=True)

    assert lived_on.n_micro > SMALL
    assert len(lived_on.index.fresh_rows) > 0
    assert again == micro
    assert_same_state(came_back, lived_on)


# Copies


def test_copies_go_where_the_first_went_however_the_centroid_moved() -> None:
    _, vectors = mixed_texts(200, n_topics=20)
    order = np.random.default_rng(4).permutation(np.repeat(np.arange(200), 2))

    found = place(empty_state(N_DIMS), vectors[order])

    for text in range(200):
        assert len(set(found.micro[order == text].tolist())) == 1


def test_a_copy_counts_as_a_report() -> None:
    _, vectors = mixed_texts(50)
    state = place(empty_state(N_DIMS), vectors).state

    found = place(state, np.repeat(vectors[:1], 30, axis=0), start=50)

    joined = int(found.micro[0])
    assert found.state.n_reports[joined] == state.n_reports[joined] + 30
    assert found.state.last_seen[joined] == 79.0


def test_copies_of_different_kinds_stay_apart() -> None:
    twice = np.repeat(topics(1), 4, axis=0)

    found = place(empty_state(N_DIMS), twice, kinds=np.array([1, 2, 1, 2]))

    assert found.micro.tolist() == [0, 1, 0, 1]


# Kinds


def test_reports_that_name_different_codes_never_share_a_micro_cluster() -> None:
    about, vectors = mixed_texts(300, n_topics=5)
    codes = np.random.default_rng(5).choice(["", "404", "500"], size=300)

    found = place(empty_state(N_DIMS), vectors, kinds=kinds_of(list(codes), [""] * 300))

    for j in range(found.state.n_micro):
        assert len(set(codes[found.micro == j].tolist())) == 1
        assert len(set(about[found.micro == j].tolist())) == 1


def test_the_state_keeps_the_kind_of_each_micro_cluster() -> None:
    _, vectors = mixed_texts(100, n_topics=5)
    kinds = np.random.default_rng(6).integers(3, size=100)

    found = place(empty_state(N_DIMS), vectors, kinds=kinds)

    np.testing.assert_array_equal(found.state.kinds[found.micro], kinds)


# Time


def test_an_idle_micro_cluster_is_not_joined_but_keeps_its_place() -> None:
    _, vectors = mixed_texts(200)
    before = place(empty_state(N_DIMS), vectors).state

    found = place(before, vectors[:1], start=10_000, idle_seconds=60.0)

    assert found.micro.tolist() == [before.n_micro]
    np.testing.assert_array_equal(found.state.sums[: before.n_micro], before.sums)


def test_a_micro_cluster_is_live_to_the_last_second() -> None:
    _, vectors = mixed_texts(200)
    before = place(empty_state(N_DIMS), vectors).state
    joined = int(place(before, vectors[:1]).micro[0])

    found = place(before, vectors[:1], start=before.last_seen[joined] + 60.0, idle_seconds=60.0)

    assert found.micro.tolist() == [joined]


def test_a_report_that_comes_late_does_not_set_the_clock_back() -> None:
    _, vectors = mixed_texts(200)
    before = place(empty_state(N_DIMS), vectors, start=1_000).state

    found = place(before, vectors[:1], start=0.0)

    np.testing.assert_array_equal(found.state.last_seen, before.last_seen)


# Texts that say nothing


def test_texts_without_a_known_token_share_one_micro_cluster_a_kind() -> None:
    _, vectors = mixed_texts(20)
    vectors[[3, 9, 11]] = 0.0
    kinds = np.zeros(20, dtype=np.int64)
    kinds[11] = 7

    found = place(empty_state(N_DIMS), vectors, kinds=kinds)
    later = place(found.state, np.zeros((1, N_DIMS), dtype=np.float32), start=20)

    assert found.micro[3] == found.micro[9] == later.micro[0] != found.micro[11]
    assert np.count_nonzero(found.micro == found.micro[3]) == 2
    assert found.similarity[9] == 1.0
    assert not later.state.sums[later.micro[0]].any()


def test_texts_without_a_known_token_teach_nothing() -> None:
    state = place(empty_state(N_DIMS), mixed_texts(30)[1]).state

    assert place(state, np.zeros((99, N_DIMS), dtype=np.float32)).state.tally is state.tally


# Forgetting and thresholds


def test_dropped_micro_clusters_leave_the_others_in_order() -> None:
    state = place(empty_state(N_DIMS), mixed_texts(100, n_topics=5)[1]).state

    kept = keep_micro(state, np.arange(state.n_micro) != 1)

    np.testing.assert_array_equal(kept.sums, np.delete(state.sums, 1, axis=0))
    np.testing.assert_array_equal(kept.opened_at, np.delete(state.opened_at, 1))
    assert kept.tally is state.tally


def test_micro_clusters_are_tighter_than_the_usual() -> None:
    for usual in (0.0, 0.2, 0.9):
        assert usual < leader_threshold(usual) < 1.0


@pytest.mark.parametrize(
    ("vectors", "times", "idle_seconds", "message"),
    [
        (np.zeros((1, 3), dtype=np.float32), [0.0], 1.0, "vectors must have shape"),
        (np.zeros((2, N_DIMS), dtype=np.float32), [0.0], 1.0, "times and kinds must have shape"),
        (np.zeros((1, N_DIMS), dtype=np.float32), [float("nan")], 1.0, "times must be finite"),
        (np.zeros((1, N_DIMS), dtype=np.float32), [0.0], 0.0, "idle_seconds must be positive"),
    ],
)
def test_input_that_does_not_fit_is_refused(
    vectors: FloatArray, times: list[float], idle_seconds: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        assign(empty_state(N_DIMS), vectors, times, idle_seconds=idle_seconds)


def test_a_reference_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="reference must have shape"):
        assign(empty_state(N_DIMS), topics(1), [0.0], idle_seconds=1.0, reference=REFERENCE[:, :5])


def test_texts_alike_in_their_first_numbers_are_no_copies() -> None:
    vectors = np.eye(8, dtype=np.float32)[[5, 6, 5]]

    found = assign(empty_state(8), vectors, [0, 1, 2], idle_seconds=60, usual=0.5)

    assert found.micro.tolist() == [0, 1, 0]
