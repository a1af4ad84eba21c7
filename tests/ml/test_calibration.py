"""What is usual is read from a service's own texts, the same however the stream is cut."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.calibration import (
    LEAST_BETWEEN,
    LEAST_OF_LANGUAGE,
    MORE_THAN_UNRELATED,
    MOST_BETWEEN,
    PAIR_QUANTILE,
    SCALED_BY,
    calibrate,
    in_frame,
    same_time_columns,
    texts_until_due,
)
from ml.tally import MAX_SAMPLE, MEMORY_REPORTS, Tally, add_texts, empty_tally
from ml.types import Float64Array, FloatArray
from ml.vectors import remove_mean

N_DIMS = 48


def unit(rows: np.ndarray) -> FloatArray:
    found: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return found


def random_texts(n: int, *, seed: int = 0, n_dims: int = N_DIMS) -> FloatArray:
    return unit(np.random.default_rng(seed).normal(size=(n, n_dims)))


def texts_about(topics: np.ndarray, *, noise: float = 0.06, seed: int = 1) -> FloatArray:
    centres = random_texts(int(topics.max()) + 1, seed=99)
    return unit(centres[topics] + noise * np.random.default_rng(seed).normal(size=(len(topics), N_DIMS)))


def seen(vectors: FloatArray, times: Float64Array | None = None, languages: tuple[str, ...] | None = None) -> Tally:
    when = np.arange(len(vectors), dtype=np.float64) if times is None else times
    return add_texts(empty_tally(vectors.shape[1]), vectors, when, languages)


def assert_same(one: Tally, other: Tally) -> None:
    assert (one.languages, one.n_seen) == (other.languages, other.n_seen)
    np.testing.assert_allclose(one.sums, other.sums, atol=1e-9)
    for name in ("counts", "sample", "sample_languages", "sample_times"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


# The account


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 900), max_size=6), n_languages=st.integers(0, 3))
def test_a_stream_may_be_cut_anywhere(cuts: list[int], n_languages: int) -> None:
    vectors, times = random_texts(900, n_dims=4), np.arange(900.0)
    vectors[::50] = 0
    languages = tuple(f"l{i % n_languages}" for i in range(900)) if n_languages else None

    tally = empty_tally(4)
    for start, stop in zip([0, *sorted(cuts)], [*sorted(cuts), 900], strict=True):
        part = None if languages is None else languages[start:stop]
        tally = add_texts(tally, vectors[start:stop], times[start:stop], part)

    assert_same(tally, seen(vectors, times, languages))


def test_the_account_is_left_untouched() -> None:
    tally = seen(random_texts(600), languages=("de", "en") * 300)
    before = copy.deepcopy(tally)

    add_texts(tally, random_texts(600, seed=1), np.arange(600.0), ("fr", "en") * 300)
    calibrate(tally, reference=random_texts(20, seed=2))

    assert_same(tally, before)


def test_texts_that_say_nothing_leave_no_trace() -> None:
    tally = seen(random_texts(5))

    assert add_texts(tally, np.zeros((3, N_DIMS), dtype=np.float32), np.zeros(3), ("de", "de", "de")) is tally


def test_copies_enter_the_sample_once() -> None:
    vectors = np.concatenate((random_texts(100), np.repeat(random_texts(1, seed=1), 300, axis=0)))

    assert len(seen(vectors).sample) == 101


def test_the_sample_is_drawn_evenly_from_all() -> None:
    tally = seen(random_texts(MEMORY_REPORTS, n_dims=8))

    # Means of 512 even draws from 0..1 have a standard deviation of 0.29 / 512 ** 0.5 = 0.013.
    assert len(tally.sample) == MAX_SAMPLE
    assert (tally.sample_times / MEMORY_REPORTS).mean() == pytest.approx(0.5, abs=0.05)


def test_what_is_long_past_is_forgotten() -> None:
    old = random_texts(1, seed=1)
    tally = seen(np.repeat(old, MEMORY_REPORTS, axis=0))

    for start in range(0, 6 * MEMORY_REPORTS, MEMORY_REPORTS):
        tally = add_texts(tally, random_texts(MEMORY_REPORTS, seed=start), np.full(MEMORY_REPORTS, start + 1.0))
        calibration, tally = calibrate(tally)

    assert tally.counts.sum() == pytest.approx(MEMORY_REPORTS)
    assert float(calibration.means[0] @ old[0]) < 0.1
    assert np.quantile(tally.sample_times, 0.1) > 0


@pytest.mark.parametrize(
    ("n_seen", "due_after"),
    [(0, LEAST_BETWEEN), (20, LEAST_BETWEEN), (400, 200), (100_000, MOST_BETWEEN)],
)
def test_a_calibration_is_due_after_half_as_many_texts_again(n_seen: int, due_after: int) -> None:
    vectors = random_texts(n_seen, n_dims=2)
    calibration, tally = calibrate(seen(vectors))

    assert texts_until_due(calibration, tally) == due_after
    assert texts_until_due(calibration, add_texts(tally, random_texts(due_after, n_dims=2), np.zeros(due_after))) == 0


def test_the_first_calibration_is_due_at_once() -> None:
    assert texts_until_due(None, empty_tally(2)) == 0


# Means


def test_each_language_has_a_mean_of_its_own_from_16_texts_on() -> None:
    german, english = random_texts(LEAST_OF_LANGUAGE, seed=1), random_texts(LEAST_OF_LANGUAGE - 1, seed=2)
    languages = ("de",) * len(german) + ("en",) * len(english)

    calibration, _ = calibrate(seen(np.concatenate((german, english)), languages=languages))

    overall = np.concatenate((german, english)).mean(axis=0)
    np.testing.assert_allclose(calibration.means[0], german.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(calibration.means[1], overall, atol=1e-6)
    np.testing.assert_allclose(calibration.means[2], overall, atol=1e-6)


def test_texts_are_compared_without_the_mean_of_their_language() -> None:
    vectors = random_texts(60)
    languages = ("de", "en", "fr") * 20
    calibration, _ = calibrate(seen(vectors, languages=languages))

    units, _ = in_frame(calibration, vectors[:3], ("de", "fr", "it"))

    for i, row in enumerate((0, 2, 3)):
        np.testing.assert_allclose(units[i], remove_mean(vectors[i : i + 1], calibration.means[row])[0], atol=1e-6)


def test_two_languages_that_say_the_same_become_alike() -> None:
    # The same topics, each language far off in a direction of its own.
    topics = random_texts(20, seed=3)
    german, english = unit(topics + 2 * random_texts(1, seed=4)), unit(topics + 2 * random_texts(1, seed=5))
    vectors, languages = np.concatenate((german, english)), ("de",) * 20 + ("en",) * 20
    calibration, _ = calibrate(seen(vectors, languages=languages))

    units, _ = in_frame(calibration, vectors, languages)

    assert ((units[:20] @ units[20:].T).argmax(axis=1) == np.arange(20)).all()
    assert (vectors[:20] * vectors[20:]).sum(axis=1).max() < np.diag(units[:20] @ units[20:].T).min()


def test_the_mean_of_very_few_texts_is_not_taken_out() -> None:
    vectors = random_texts(3)
    calibration, _ = calibrate(seen(vectors))

    np.testing.assert_allclose(in_frame(calibration, vectors)[0], vectors, atol=1e-6)


def test_a_reference_weighs_as_much_as_16_texts() -> None:
    reference, own = random_texts(40, seed=1), random_texts(16, seed=2)

    calibration, _ = calibrate(seen(own), reference=reference)

    np.testing.assert_allclose(calibration.means[0], (reference.mean(axis=0) + own.mean(axis=0)) / 2, atol=1e-6)


def test_a_text_that_says_nothing_stays_so() -> None:
    calibration, _ = calibrate(seen(random_texts(50)))

    units, weights = in_frame(calibration, np.zeros((1, N_DIMS), dtype=np.float32))

    assert not units.any()
    assert weights.tolist() == [1.0]


# What is usual


def test_of_quiet_texts_the_usual_is_the_quantile_of_all_pairs() -> None:
    vectors = random_texts(400)
    units = remove_mean(vectors, vectors.mean(axis=0))

    calibration, _ = calibrate(seen(vectors))

    pairs = (units @ units.T)[np.triu_indices(400, 1)]
    assert calibration.usual == pytest.approx(np.quantile(pairs, PAIR_QUANTILE), abs=0.02)


def test_a_burst_about_one_thing_does_not_pass_for_usual() -> None:
    # A quarter of the texts are about one thing, so 6 % of the pairs are, and their 97 % quantile lies inside it.
    vectors = np.concatenate((random_texts(300), texts_about(np.zeros(100, dtype=int))))
    units = remove_mean(vectors, vectors.mean(axis=0))
    quantile = np.quantile((units @ units.T)[np.triu_indices(400, 1)], PAIR_QUANTILE)

    calibration, _ = calibrate(seen(vectors))

    assert calibration.usual < quantile - 0.15


def test_what_few_topics_fill_is_read_from_texts_about_different_things() -> None:
    # Without their common mean few topics lie opposite each other: the lower half of the pairs tells of topics as well.
    topics = np.arange(400) % 6
    vectors = texts_about(topics, noise=0.12)
    units = remove_mean(vectors, vectors.mean(axis=0))
    cosines = (units @ units.T)[np.triu_indices(400, 1)]
    is_same = (topics[:, None] == topics)[np.triu_indices(400, 1)]
    low, median = np.quantile(cosines, (0.16, 0.5))

    calibration, _ = calibrate(seen(vectors))

    between = MORE_THAN_UNRELATED * np.quantile(cosines[~is_same], PAIR_QUANTILE)
    assert calibration.usual <= between < median + 3 * (median - low)
    assert calibration.usual < np.quantile(cosines[is_same], 0.2)


def test_opposite_topics_leave_half_of_the_reference() -> None:
    # Two topics and nothing else: between them no pair is above 0, and a third one must not join either for that.
    reference = random_texts(200)
    alone = calibrate(empty_tally(N_DIMS), reference=reference)[0].usual

    calibration, _ = calibrate(seen(texts_about(np.arange(400) % 2, noise=0.01)), reference=reference)

    assert calibration.usual == pytest.approx(alone / 2)


def test_nothing_is_usual_where_nothing_is_known() -> None:
    calibration, _ = calibrate(seen(random_texts(2)))

    assert (calibration.usual, calibration.usual_weighted, calibration.same_time) == (1.0, 1.0, 0.0)


def test_a_new_service_has_the_usual_of_the_reference() -> None:
    reference = random_texts(200)

    new, _ = calibrate(empty_tally(N_DIMS), reference=reference)
    same, _ = calibrate(seen(reference))

    assert new.usual == pytest.approx(same.usual, abs=0.01)


def test_texts_that_are_alike_to_everything_count_for_less() -> None:
    # Half of the texts lie near one direction; the other half is like nothing else.
    rng = np.random.default_rng(5)
    common = unit(np.eye(1, N_DIMS) + 0.1 * rng.normal(size=(200, N_DIMS)))
    vectors = np.concatenate((common, random_texts(200)))
    calibration, _ = calibrate(seen(vectors))

    _, weights = in_frame(calibration, vectors)

    assert np.median(weights[:200]) < 1.0 < np.median(weights[200:])
    assert weights.min() >= 0.5
    assert weights.max() <= 2.0


def test_calibrating_again_gives_the_same() -> None:
    tally = seen(random_texts(700), languages=("de", "en") * 350)

    one, other = calibrate(tally)[0], calibrate(tally)[0]

    assert (one.usual, one.usual_weighted, one.commonness) == (other.usual, other.usual_weighted, other.commonness)
    np.testing.assert_array_equal(one.moment, other.moment)
    np.testing.assert_array_equal(one.means, other.means)


def test_what_is_common_does_not_count_for_less_where_few_topics_bring_it() -> None:
    mixed, _ = calibrate(seen(random_texts(400)))
    few, _ = calibrate(seen(texts_about(np.arange(400) % 6)))

    assert mixed.scaling == SCALED_BY
    assert few.scaling < SCALED_BY / 2


# Time


def test_time_counts_where_alike_texts_come_together_in_time() -> None:
    topics = np.repeat(np.arange(40), 10)
    vectors = texts_about(topics)

    in_bursts, _ = calibrate(seen(vectors, topics * 100.0), burst_seconds=50.0)

    assert 0 < in_bursts.same_time < 1


def test_time_does_not_count_where_alike_texts_come_at_any_time() -> None:
    topics = np.repeat(np.arange(40), 10)
    vectors = texts_about(topics)
    at_any_time = np.random.default_rng(6).permutation(topics) * 100.0

    mixed, _ = calibrate(seen(vectors, at_any_time), burst_seconds=50.0)

    assert mixed.same_time == 0.0


def test_what_is_common_counts_for_less_but_not_where_it_comes_in_bursts() -> None:
    topics = np.repeat(np.arange(40), 10)
    vectors = texts_about(topics)
    at_any_time = np.random.default_rng(6).permutation(topics) * 100.0

    mixed, _ = calibrate(seen(vectors, at_any_time), burst_seconds=50.0)
    in_bursts, _ = calibrate(seen(vectors, topics * 100.0), burst_seconds=50.0)

    assert (mixed.scaling, in_bursts.scaling) == (SCALED_BY, 0.0)
    assert np.ptp(in_frame(mixed, vectors)[1]) > 0
    np.testing.assert_array_equal(in_frame(in_bursts, vectors)[1], 1.0)


def test_time_does_not_count_where_all_comes_at_once_or_no_burst_is_told() -> None:
    topics = np.repeat(np.arange(40), 10)
    vectors = texts_about(topics)

    at_once, _ = calibrate(seen(vectors, np.zeros(400)), burst_seconds=50.0)
    never, _ = calibrate(seen(vectors, topics * 100.0))

    assert (at_once.same_time, never.same_time) == (0.0, 0.0)


def test_where_time_counts_more_is_usual() -> None:
    topics = np.repeat(np.arange(40), 10)
    tally = seen(texts_about(topics), topics * 100.0)

    with_time, without = calibrate(tally, burst_seconds=50.0)[0], calibrate(tally)[0]

    assert with_time.usual_weighted > without.usual_weighted
    assert with_time.usual == without.usual


@settings(max_examples=40, deadline=None)
@given(times=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12), burst=st.floats(1.0, 1e5))
def test_nearness_in_time_falls_from_1_to_0_within_a_burst(times: list[float], burst: float) -> None:
    moments = np.array(times)

    columns = same_time_columns(moments, burst)

    near = columns @ columns.T
    exactly = np.maximum(1.0 - np.abs(moments[:, None] - moments) / burst, 0.0)
    assert np.abs(near - exactly).max() <= 0.25 + 1e-6
    np.testing.assert_array_equal(np.diag(near), np.ones(len(times)))


@pytest.mark.parametrize("n_different", [40, 4_000])
def test_the_sample_holds_no_text_twice_however_texts_are_cut_into_batches(n_different: int) -> None:
    rng = np.random.default_rng(7)
    texts = rng.normal(size=(n_different, 8)).astype(np.float32)
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    stream = texts[rng.integers(n_different, size=3_000)]
    times = np.arange(3_000.0)

    at_once = add_texts(empty_tally(8), stream, times)
    in_batches = empty_tally(8)
    for start in range(0, 3_000, 170):
        in_batches = add_texts(in_batches, stream[start : start + 170], times[start : start + 170])

    np.testing.assert_array_equal(at_once.sample, in_batches.sample)
    np.testing.assert_array_equal(at_once.sample_times, in_batches.sample_times)
    assert len(np.unique(at_once.sample, axis=0)) == len(at_once.sample) == min(n_different, 512)
