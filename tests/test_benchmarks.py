"""The measurements run and print what they promise: clustering on labelled texts, detection by simulation.

How fast is not asked. Rivals from packages that only the extra `bench` installs are not run here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from benchmarks.clustering_rivals import measure_rival
from benchmarks.clustering_tiers import measure_tier
from benchmarks.detection_regions import measure_regions
from benchmarks.detection_rules import SILENT, ears_c2, rise, tails, window
from benchmarks.detection_sim import find_level, mean_delay, n_bouts, peaks, told_cusum
from benchmarks.labelled import LabelledSet, find_sets, read_set, stream_orders
from feedback.embedded.paths import CHECKOUT
from ml import synth


def make_set(folder: Path, name: str = "made_up", *, n: int = 160) -> Path:
    """Write a set of synthetic texts in an arbitrary order, labelled by the symptom that was ticked."""
    start = datetime(2026, 1, 5, tzinfo=UTC)
    reports = synth.history(rng=np.random.default_rng(3), start=start, days=2, per_hour=n / 24)[:n]
    path = folder / f"{name}.tsv"
    path.write_text(
        "".join(f"{i}\t{report.symptom or 'none'}\t{report.text}\n" for i, report in enumerate(reports)),
        encoding="utf-8",
    )
    return path


def test_it_finds_whatever_sets_a_folder_holds(tmp_path: Path) -> None:
    make_set(tmp_path, "second")
    make_set(tmp_path, "first")
    (tmp_path / "notes.txt").write_text("no set")

    assert [path.stem for path in find_sets(tmp_path)] == ["first", "second"]


def test_the_lock_of_the_benchmarks_agrees_with_that_of_the_tests() -> None:
    def versions(lock: str) -> dict[str, str]:
        lines = (CHECKOUT / lock).read_text().splitlines()
        names = [line.split(" ")[0].partition("==") for line in lines if "==" in line.split(" ")[0]]
        return {name: version for name, _, version in names}

    bench, dev = versions("requirements-bench.lock"), versions("requirements-dev.lock")

    assert "river" in bench
    assert {name: version for name, version in bench.items() if dev.get(name, version) != version} == {}
    assert "://" not in (CHECKOUT / "requirements-bench.lock").read_text()


def test_a_line_without_a_label_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.tsv"
    path.write_text("0\tlogin\tcannot log in\n1\tlogin fails\n")

    with pytest.raises(SystemExit, match="line 2: 2 fields"):
        read_set(path)


def test_a_stream_in_bursts_keeps_its_one_order() -> None:
    labels = tuple(str(number // 20) for number in range(200))
    bursts = LabelledSet("bursts", labels, labels)

    orders = stream_orders(bursts, n_orders=3, is_ordered=bursts.is_ordered)

    assert orders == [bursts]


def test_an_arbitrary_order_is_shuffled_the_same_way_each_time() -> None:
    labels = tuple(str(number) for number in np.random.default_rng(1).integers(10, size=200))
    mixed = LabelledSet("mixed", labels, tuple(str(number) for number in range(200)))

    orders = stream_orders(mixed, n_orders=3, is_ordered=mixed.is_ordered)

    assert len({one.texts for one in orders}) == 3
    assert orders == stream_orders(mixed, n_orders=3, is_ordered=False)


def test_a_tier_is_scored_on_the_second_half(tmp_path: Path) -> None:
    path = make_set(tmp_path)

    found = measure_tier(path, "hashing", n_orders=2, max_texts=None, with_tuned=False)

    assert found["n_texts"] == 80
    assert found["n_orders"] == 2
    assert all(0 < found[when][score] <= 1 for when in ("immediate", "final") for score in ("b3", "nmi"))


def test_the_cost_of_self_calibration_is_told(tmp_path: Path) -> None:
    path = make_set(tmp_path)

    found = measure_tier(path, "hashing", n_orders=1, max_texts=None, with_tuned=True)

    assert found["tuned"]["best_b3"] >= found["tuned"]["b3"]
    assert found["tuned"]["costs_b3"] == pytest.approx(found["tuned"]["b3"] - found["final"]["b3"], abs=2e-4)


@pytest.mark.parametrize("rival", ["tf-idf leader", "k-means on tf-idf/LSA"])
def test_a_rival_is_scored_on_the_same_half(tmp_path: Path, rival: str) -> None:
    path = make_set(tmp_path)

    found = measure_rival(path, rival, n_orders=1, max_texts=None)

    assert found["n_texts"] == 80
    assert 0 < found["final"]["b3"] <= 1


@pytest.mark.slow
def test_the_command_prints_json(tmp_path: Path) -> None:
    make_set(tmp_path)

    words = ["--data", str(tmp_path), "--tier", "hashing", "--without-rivals", "--quick", "--live", "40", "--json"]
    done = subprocess.run(
        [sys.executable, "benchmarks/clustering.py", *words], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert {"machine", "python", "seed", "command"} < set(printed)
    assert [(one["set"], one["tier"]) for one in printed["tiers"]] == [("made_up", "hashing")]
    assert [one["n_live"] for one in printed["speed"]] == [40]


def test_alarms_within_an_hour_are_one_and_streams_are_apart() -> None:
    score = np.zeros((2, 300))
    score[0, [10, 60, 121]] = [5.0, 9.0, 5.0]  # the third is an hour and a minute after the second
    score[1, 0] = 5.0

    assert n_bouts(score, 4.0) == 3
    assert sorted(peaks(score, 4.0).tolist()) == [5.0, 5.0, 9.0]


def test_a_level_is_found_that_raises_so_many_alarms() -> None:
    score = np.zeros((1, 100_000))
    score[0, 100::1000] = np.arange(100.0)

    level = find_level([score], 7)

    assert n_bouts(score, level) == 7


def test_a_delay_counts_from_the_onset_and_a_miss_as_the_whole_recording() -> None:
    score = np.zeros((2, 50))
    score[0, 24] = score[0, 3] = 9.0

    assert mean_delay(score, 5.0, onset=20) == (5 + 30) / 2


def test_the_clairvoyant_forgets_what_was_before_the_rise() -> None:
    quiet_then_loud = np.array([[0, 0, 0, 0, 3, 3]])

    told = told_cusum(quiet_then_loud, np.float64(1.0), 1.0, 1.0)

    assert told[0, :4].tolist() == [-1, -1, -1, -1]  # below its lowest point: nothing to start from
    assert told[0, 5] == pytest.approx(2 * (3 * np.log(2) - 1))


@pytest.mark.parametrize("rule", [rise, tails, ears_c2])
def test_rules_speak_up_when_reports_rise_and_only_then(rule: Callable[..., np.ndarray]) -> None:
    counts = np.ones((1, 400), dtype=np.int64)
    counts[0, 300:310] = 12

    score = rule(counts, np.ones((1, 400)))

    assert score[0, 300:310].argmax() == 9
    assert score[0, 309] > score[0, 200:300].max() + 3


def test_a_minute_without_reports_is_not_looked_at() -> None:
    counts = np.array([[0, 4, 0]])

    assert (rise(counts, np.full((1, 3), 0.1))[0] == SILENT).tolist() == [True, False, True]
    assert window(counts, 2).tolist() == [[0.0, 4.0, 4.0]]


def test_outages_are_placed_better_by_sets_than_by_nodes_or_cities() -> None:
    found = measure_regions(1, trials=25)

    assert found["n_missed"] == 0
    assert found["ours"]["f1_after_40"] > max(found[name]["f1_after_40"] for name in ("best node", "each city"))


@pytest.mark.slow
def test_the_command_of_detection_prints_json() -> None:
    words = ["--theme", "quiet", "--theme", "ticks", "--theme", "kernels", "--quick", "--json"]

    done = subprocess.run(
        [sys.executable, "benchmarks/detection.py", *words], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert {"quiet", "ticks", "kernels", "seed", "machine", "command"} < set(printed)
    assert printed["quiet"]["median_reports_to_confirmed"] < 20
