"""The index finds what is found by looking at all sums, whatever was ruled out or kept aside on the way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.heads import HEAD_DIMS
from ml.nearest import AXES_LAST, MOST_FRESH, SMALL, Index, index_of
from ml.types import Float64Array, FloatArray, IntArray

THRESHOLD = 0.5
ALWAYS = -np.inf


def topics_with_texts(n_topics: int, n_texts: int, n_dims: int, *, seed: int) -> tuple[FloatArray, FloatArray]:
    """Directions that lie mostly in the first dimensions, as those of an encoder do, and texts near them."""
    rng = np.random.default_rng(seed)
    spread = 0.99 ** np.arange(n_dims)
    topics = unit(rng.normal(size=(n_topics, n_dims)) * spread)
    about = rng.integers(n_topics, size=n_texts)
    noise = rng.normal(size=(n_texts, n_dims)) * spread * rng.uniform(0.02, 0.12, size=(n_texts, 1))
    return topics, unit(topics[about] + noise)


def unit(rows: np.ndarray) -> FloatArray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


class PlainSums:
    """What the index must agree with: every sum is looked at for every row, in float64."""

    def __init__(self, sums: FloatArray) -> None:
        self.sums = sums.astype(np.float64)

    def nearest(
        self, row: FloatArray, kind: int, kinds: IntArray, last_seen: Float64Array, since: float
    ) -> tuple[int, float] | None:
        k = len(self.sums)
        lengths = np.linalg.norm(self.sums, axis=1)
        cosines = self.sums @ row / np.where(lengths > 0, lengths, np.inf)
        cosines[(lengths == 0) | (kinds[:k] != kind) | (last_seen[:k] < since)] = -np.inf
        best = int(cosines.argmax()) if k else 0
        return (best, float(cosines[best])) if k and cosines[best] >= THRESHOLD else None

    def add(self, row: FloatArray, j: int, weight: float) -> None:
        if j == len(self.sums):
            self.sums = np.concatenate((self.sums, np.zeros((1, len(row)))))
        self.sums[j] += weight * row.astype(np.float64)


def follow(
    index: Index, batches: list[FloatArray], *, n_kinds: int = 1, idle: float = np.inf, seed: int = 0
) -> tuple[Index, PlainSums]:
    """Let index and plain sums place the same texts as leader clustering would, and compare each answer."""
    rng = np.random.default_rng(seed)
    plain = PlainSums(index.sums())
    k = len(plain.sums)
    room = k + sum(len(batch) for batch in batches)
    kinds, last_seen = np.zeros(room, dtype=np.int64), np.full(room, ALWAYS)
    kinds[:k], last_seen[:k] = rng.integers(n_kinds, size=k), rng.uniform(-2 * idle if idle < np.inf else 0, 0, size=k)
    now = 0.0
    for batch in batches:
        search = index.search(batch, THRESHOLD)
        for i, row in enumerate(batch):
            kind, weight = int(rng.integers(n_kinds)), float(rng.uniform(0.5, 3.0))
            found = search.nearest(i, kind, kinds, last_seen, now - idle)
            expected = plain.nearest(row, kind, kinds, last_seen, now - idle)
            if expected is None or found is None:
                assert found == expected
                j, k = k, k + 1
                kinds[j] = kind
            else:
                assert found[0] == expected[0]
                assert found[1] == pytest.approx(expected[1], abs=1e-5)
                j = found[0]
            search.add(i, j, weight)
            plain.add(row, j, weight)
            last_seen[j] = now
            now += 1.0
        index = search.index()
    return index, plain


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n_kinds=st.integers(1, 3), idle=st.sampled_from([np.inf, 20.0]))
def test_few_centroids_give_the_answers_of_looking_at_all(seed: int, n_kinds: int, idle: float) -> None:
    topics, texts = topics_with_texts(15, 60, 8, seed=seed)

    index, plain = follow(index_of(topics[:7]), [texts[:1], texts[1:30], texts[30:]], n_kinds=n_kinds, idle=idle)

    np.testing.assert_allclose(index.sums(), plain.sums, atol=1e-4)


@pytest.mark.parametrize(("n_kinds", "idle"), [(1, np.inf), (3, 150.0)])
def test_many_centroids_give_the_answers_of_looking_at_all(n_kinds: int, idle: float) -> None:
    n_dims = 2 * HEAD_DIMS
    topics, texts = topics_with_texts(SMALL + 300, 240, n_dims, seed=3)

    index, plain = follow(index_of(topics[:-200]), np.split(texts, 4), n_kinds=n_kinds, idle=idle)

    assert index.heads is not None
    assert len(index.fresh_rows) > 0
    np.testing.assert_allclose(index.sums(), plain.sums, atol=1e-4)


def test_answers_stay_right_when_many_rows_have_changed() -> None:
    n_dims = HEAD_DIMS + 8
    topics, _ = topics_with_texts(SMALL + 1, 1, n_dims, seed=4)
    strangers = unit(np.random.default_rng(5).normal(size=(MOST_FRESH + 90, n_dims)))

    before = follow(index_of(topics), [strangers[:400]])[0]
    index, plain = follow(index_of(topics), np.array_split(strangers, 6))

    assert 0 < len(before.fresh_rows) <= MOST_FRESH
    assert len(index.base) > len(topics)
    np.testing.assert_allclose(index.sums(), plain.sums, atol=1e-4)


def test_growing_from_nothing_beyond_the_small_size_stays_right() -> None:
    n_dims = HEAD_DIMS + 4
    strangers = unit(np.random.default_rng(6).normal(size=(SMALL + 200, n_dims)))
    index = index_of(strangers[:0])
    kinds, last_seen = np.zeros(len(strangers), dtype=np.int64), np.zeros(len(strangers))

    for start in range(0, len(strangers), 500):
        search = index.search(strangers[start : start + 500], 0.999)
        for i in range(len(strangers[start : start + 500])):
            assert search.nearest(i, 0, kinds[: start + i], last_seen[: start + i], ALWAYS) is None
            search.add(i, start + i, 1.0)
        index = search.index()

    assert index.heads is not None
    np.testing.assert_allclose(index.sums(), strangers)
    again = index.search(strangers[::97], 0.999)
    found = [again.nearest(i, 0, kinds, last_seen, ALWAYS) for i in range(len(strangers[::97]))]
    assert [answer[0] for answer in found if answer is not None] == list(range(0, len(strangers), 97))


def test_where_nothing_can_be_ruled_out_answers_are_the_same() -> None:
    # All centroids lie near one direction, so that all are candidates for each row.
    rng = np.random.default_rng(7)
    n_dims = 2 * HEAD_DIMS
    crowd = unit(rng.normal(size=n_dims) + 0.6 * rng.normal(size=(SMALL + 50, n_dims)))
    texts = unit(crowd[::200] + 0.3 * rng.normal(size=crowd[::200].shape) / n_dims**0.5)

    index, plain = follow(index_of(crowd), [texts])

    np.testing.assert_allclose(index.sums(), plain.sums, atol=1e-4)


def test_any_axes_give_the_same_answers() -> None:
    n_dims = 2 * HEAD_DIMS
    topics, texts = topics_with_texts(SMALL + 20, 60, n_dims, seed=8)
    anyhow, _ = np.linalg.qr(np.random.default_rng(9).normal(size=(n_dims, HEAD_DIMS)))

    index, _ = follow(index_of(topics, after=replace(index_of(topics), axes=anyhow.astype(np.float32))), [texts])

    np.testing.assert_array_equal(index.sums(), follow(index_of(topics), [texts])[0].sums())


def test_a_search_leaves_its_index_untouched() -> None:
    topics, texts = topics_with_texts(30, 20, 8, seed=10)
    index = index_of(topics)
    before = index.sums().copy()

    follow(index, [texts])

    np.testing.assert_array_equal(index.sums(), before)


def test_rows_are_those_of_all_sums() -> None:
    topics, texts = topics_with_texts(SMALL + 20, 200, HEAD_DIMS + 8, seed=11)
    index, _ = follow(index_of(topics), [texts])
    some = np.array([0, len(index.sums()) - 1, 7, int(index.fresh_rows[0]), 7])

    np.testing.assert_array_equal(index.rows(some), index.sums()[some])


def test_lengths_and_groups_are_those_of_all_sums() -> None:
    topics, texts = topics_with_texts(SMALL + 20, 200, HEAD_DIMS + 8, seed=12)
    topics[5] = 0
    index, _ = follow(index_of(topics), [texts])

    np.testing.assert_allclose(index.lengths(), np.linalg.norm(index.sums(), axis=1), rtol=1e-4)
    groups = np.random.default_rng(12).integers(-1, 40, len(index.sums()))
    expected = np.array([index.sums()[groups == group].sum(axis=0) for group in range(41)])
    for n in (0, 1, 200):
        found = index.products_with_groups(texts[:n], groups, 41)
        np.testing.assert_allclose(found, expected @ texts[:n].T, atol=1e-3)


def test_a_row_of_zeros_joins_the_sum_of_zeros_of_its_kind_alone() -> None:
    index = index_of(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]], dtype=np.float32))
    kinds, last_seen = np.array([4, 5, 5]), np.zeros(3)

    search = index.search(np.zeros((1, 2), dtype=np.float32), THRESHOLD)

    assert search.nearest(0, 5, kinds, last_seen, ALWAYS) == (2, 1.0)
    assert search.nearest(0, 6, kinds, last_seen, ALWAYS) is None
    assert search.nearest(0, 4, kinds, last_seen, 1.0) is None


def test_a_known_row_never_joins_a_sum_of_zeros() -> None:
    index = index_of(np.zeros((1, 2), dtype=np.float32))

    search = index.search(np.array([[1.0, 0.0]], dtype=np.float32), THRESHOLD)

    assert search.nearest(0, 0, np.zeros(1, dtype=np.int64), np.zeros(1), ALWAYS) is None


def test_at_a_tie_the_lowest_row_is_found() -> None:
    index = index_of(np.array([[0.0, 1.0], [2.0, 0.0], [1.0, 0.0]], dtype=np.float32))

    search = index.search(np.array([[1.0, 0.0]], dtype=np.float32), THRESHOLD)

    assert search.nearest(0, 0, np.zeros(3, dtype=np.int64), np.zeros(3), ALWAYS) == (1, 1.0)


def test_a_sum_at_the_threshold_is_near() -> None:
    index = index_of(np.array([[3.0, 4.0]], dtype=np.float32))

    search = index.search(np.array([[0.0, 1.0]], dtype=np.float32), 0.8)

    found = search.nearest(0, 0, np.zeros(1, dtype=np.int64), np.zeros(1), ALWAYS)
    assert found is not None
    assert found[0] == 0


def test_an_index_searched_twice_gives_two_indexes_that_know_nothing_of_each_other() -> None:
    # As when a transaction failed and its batch is placed again, or when another batch comes before it.
    topics, texts = topics_with_texts(SMALL + 20, 60, 2 * HEAD_DIMS, seed=13)
    index, _ = follow(index_of(topics), [texts[:20]])
    before = index.sums()

    one, plain_one = follow(index, [texts[20:40]])
    other, plain_other = follow(index, [texts[40:]])
    one, plain_one = follow(one, [texts[:20]])

    np.testing.assert_array_equal(index.sums(), before)
    np.testing.assert_allclose(one.sums(), plain_one.sums, atol=1e-4)
    np.testing.assert_allclose(other.sums(), plain_other.sums, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), spread=st.floats(0.2, 1.5))
def test_rows_much_like_each_other_move_the_sums_they_join(seed: int, spread: float) -> None:
    # All of one crowd: nearly every sum is within reach of every row, and each row moves one.
    rng = np.random.default_rng(seed)
    crowd = unit(rng.normal(size=12) + spread * rng.normal(size=(80, 12)))

    index, plain = follow(index_of(crowd[:5]), [crowd[5:40], crowd[40:]], n_kinds=2)

    np.testing.assert_allclose(index.sums(), plain.sums, atol=1e-4)


def test_a_higher_threshold_looks_at_fewer_dimensions_first() -> None:
    topics, _ = topics_with_texts(2 * SMALL, 1, 2 * HEAD_DIMS, seed=14)

    tight, loose = index_of(topics, threshold=0.95), index_of(topics, threshold=0.3)

    assert tight.heads is not None
    assert loose.heads is not None
    assert tight.heads.shape[1] < loose.heads.shape[1]


def test_a_cosine_does_not_tell_where_its_sum_is_kept_nor_what_else_was_asked_for() -> None:
    topics, texts = topics_with_texts(SMALL + 20, 200, 2 * HEAD_DIMS, seed=15)
    kinds, last_seen = np.zeros(2 * SMALL, dtype=np.int64), np.zeros(2 * SMALL)
    kept_aside, _ = follow(index_of(topics), [texts[:100]])
    copied = index_of(kept_aside.sums())

    together, one_by_one, cosines = [], [], []
    search = kept_aside.search(texts[100:], THRESHOLD)
    for i in range(100):
        found = search.nearest(i, 0, kinds, last_seen, ALWAYS)
        together.append(found and found[0])
        alone = copied.search(texts[100 + i : 101 + i], THRESHOLD)
        answer = alone.nearest(0, 0, kinds, last_seen, ALWAYS)
        one_by_one.append(answer and answer[0])
        row = len(copied.place) if found is None else found[0]
        search.add(i, row, 1.0)
        alone.add(0, row, 1.0)
        copied = alone.index()
        cosines.extend(alone.cosines().tolist())

    assert together == one_by_one
    assert search.cosines().tolist() == cosines


def test_leading_directions_are_looked_for_anew_when_most_sums_have_changed() -> None:
    topics, _ = topics_with_texts(SMALL + 20, 200, HEAD_DIMS + 8, seed=16)
    index = index_of(topics)
    stale = replace(index, axes=index.axes[:, ::-1], n_changed=AXES_LAST * len(topics))

    kept = index_of(topics[:-1], after=replace(stale, n_changed=0))
    anew = index_of(topics[:-1], after=stale)

    assert np.array_equal(kept.axes, stale.axes)
    assert kept.n_changed == 0
    assert not np.array_equal(anew.axes, stale.axes)
    assert anew.n_changed == 0
