"""How well and how fast short texts are grouped: every encoder tier on every labelled set, next to what others offer.

Each figure comes from a process of its own with one thread, all of them set up alike and run one after the other. The
second half of a set is scored, in three stream orders where its order is arbitrary; nothing of ours is tuned on labels.
Run from the root of the checkout (rivals need the extra `bench`):

    python benchmarks/clustering.py [--data ../shared/data/clusters] [--tier static] [--quick] [--json]

Not here: the measurements themselves (`clustering_tiers`, `clustering_rivals`, `clustering_speed`), and the database
(`placement`).
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script's own folder is not the checkout

from benchmarks.clustering_rivals import RIVALS, measure_rival
from benchmarks.clustering_speed import measure_speed
from benchmarks.clustering_tiers import TIERS, measure_tier
from benchmarks.labelled import N_ORDERS, SEED, find_sets

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
QUICK_TEXTS = 2_000
N_LIVE = (1_000, 10_000)
SPEED_TIERS = ("student", "static")  # what places by default: learnt, and before anything is learnt

Job = tuple[str, str, str, Callable[[], dict[str, Any]]]  # section, who, on what, what is done


def jobs(options: argparse.Namespace) -> list[Job]:
    """All measurements asked for, in the order they are made."""
    sets = find_sets(options.data)
    tiers = options.tier or TIERS
    max_texts = QUICK_TEXTS if options.quick else None
    n_orders = 1 if options.quick else N_ORDERS
    found: list[Job] = []
    for tier in tiers:
        for path in sets:
            measure: Callable[[], dict[str, Any]] = functools.partial(
                measure_tier,
                path,
                tier,
                n_orders=n_orders,
                max_texts=max_texts,
                with_tuned=not options.quick,
                folder=options.model_folder,
            )
            found.append(("tiers", tier, path.stem, measure))
    for path in sets if not options.without_rivals else ():
        for rival in RIVALS:
            measure = functools.partial(measure_rival, path, rival, n_orders=n_orders, max_texts=max_texts)
            found.append(("rivals", rival, path.stem, measure))
    for n_live in options.live or (N_LIVE[:1] if options.quick else N_LIVE):
        for tier in [tier for tier in SPEED_TIERS if tier in tiers] or tiers[:1]:
            measure = functools.partial(measure_speed, options.data, tier, n_live=n_live)
            found.append(("speed", tier, f"{n_live:,} live micro-clusters", measure))
    return found


def measured(todo: Sequence[Job]) -> dict[str, list[dict[str, Any]]]:
    """Run the measurements, each in a fresh process with one thread."""
    os.environ.update(dict.fromkeys(THREADS, "1"))
    results: dict[str, list[dict[str, Any]]] = {"tiers": [], "rivals": [], "speed": [], "skipped": [], "failed": []}
    fresh = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(1, mp_context=fresh, max_tasks_per_child=1) as children,
        _progress(len(todo)) as tell,
    ):
        for section, who, where, measure in todo:
            tell(f"{who} on {where}")
            if any(one["who"] == who for one in results["skipped"]):
                continue  # what is missing for one set is missing for all
            try:
                found = children.submit(measure).result()
            except Exception as error:  # the other figures are not lost for one that failed
                print(f"{who} on {where} failed:", file=sys.stderr)
                traceback.print_exception(error)
                results["failed"].append({"who": who, "where": where, "error": f"{type(error).__name__}: {error}"})
                continue
            if "skipped" in found:
                results["skipped"].append({"who": who, "reason": found["skipped"]})
            else:
                results[section].append(found)
    return results


@contextmanager
def _progress(n_jobs: int) -> Iterator[Callable[[str], None]]:
    """Tell somebody who is watching what is being measured."""
    if not sys.stderr.isatty():
        yield lambda title: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=n_jobs)
        started = False

        def tell(title: str) -> None:
            nonlocal started
            bar.update(task, description=title, advance=int(started))
            started = True

        yield tell


def against_rivals(results: dict[str, list[dict[str, Any]]], *, tier: str, rival: str) -> list[dict[str, Any]]:
    """How a tier compares with a rival on each set: times as fast, and points of B-cubed better."""
    theirs = {one["set"]: one for one in results["rivals"] if one["rival"] == rival}
    ours = {one["set"]: one for one in results["tiers"] if one["tier"] == tier}
    return [
        {
            "set": name,
            "tier": tier,
            "rival": rival,
            "times_as_fast": round(ours[name]["texts_per_cpu_second"] / theirs[name]["texts_per_cpu_second"], 1),
            "b3_better_by": round(ours[name]["final"]["b3"] - theirs[name]["final"]["b3"], 4),
        }
        for name in ours
        if name in theirs
    ]


def print_tables(results: dict[str, list[dict[str, Any]]]) -> None:
    """Print the figures as plain tables."""
    print("Second half, mean over the stream orders; `now` is the id given at once, `end` the id after refinement.\n")
    print(f"{'set':16} {'who':25} {'':3} {'B3':>5} {'P':>5} {'R':>5} {'NMI':>5} {'ARI':>5} {'pairP':>5} {'pairR':>5}"
          f" {'found':>6} {'labels':>6} {'changed':>7} {'texts/s':>8} {'MB':>6}")  # fmt: skip
    for one in results["tiers"] + results["rivals"]:
        who = one.get("tier") or one["rival"]
        for when in ("immediate", "final"):
            if when not in one:
                continue
            score, is_last = one[when], when == "final"
            cost = f"{one['texts_per_cpu_second']:8,} {one['peak_memory_mb']:6.0f}" if is_last else ""
            changed = f"{one['share_of_ids_that_change']:7.1%}" if is_last and "tier" in one else " " * 7
            figures = " ".join(
                f"{score[name]:5.3f}"
                for name in ("b3", "b3_precision", "b3_recall", "nmi", "ari", "pair_precision", "pair_recall")
            )
            print(f"{one['set']:16} {who:25} {'end' if is_last else 'now':3} {figures}"
                  f" {score['n_clusters']:6.0f} {one['n_labels']:6} {changed} {cost}".rstrip())  # fmt: skip
    for one in results["tiers"]:
        if "whole_stream" in one:
            score = one["whole_stream"]["final"]
            print(
                f"{one['set']:16} {one['tier']:24} whole stream, in order: NMI {score['nmi']:.3f}, B3 {score['b3']:.3f}"
            )
    for one in results["tiers"]:
        if "tuned" in one:
            cut = one["tuned"]
            print(f"{one['set']:16} {one['tier']:24} tuned on the first half: B3 {cut['b3']:.3f} at {cut['usual']}"
                  f" (self-calibrated {-cut['costs_b3']:+.3f}); best in hindsight {cut['best_b3']:.3f} at"
                  f" {cut['best_usual']} ({-cut['costs_b3_against_best']:+.3f})")  # fmt: skip
    for one in results.get("comparison", []):
        print(f"{one['set']:16} {one['tier']} is {one['times_as_fast']}x as fast as {one['rival']},"
              f" B3 {one['b3_better_by']:+.3f}")  # fmt: skip
    for one in results["speed"]:
        print_speed(one)
    for one in results["skipped"]:
        print(f"skipped {one['who']}: {one['reason']}")
    for one in results["failed"]:
        print(f"failed {one['who']} on {one['where']}: {one['error']}")


def print_speed(one: dict[str, Any]) -> None:
    """Print the figures of speed at one number of live micro-clusters."""
    plain, outage, single = one["batches"], one["batches_in_an_outage"], one["single"]
    print(
        f"\n{one['tier']} with {one['n_micro']:,} live micro-clusters (usual similarity {one['usual'] or 'its own'}):"
    )
    for title, figures in (("batches of 256", plain), ("60 % copies", outage)):
        print(f"  {title:30} {figures['texts_per_cpu_second']:,} texts/CPU-s, and refined"
              f" {figures['with_refinement_per_cpu_second']:,}; {figures['opened_share']:.0%} open one")  # fmt: skip
    print(f"  {'one report to its id':30} p50 {single['wall_p50_ms']} ms, p99 {single['wall_p99_ms']} ms"
          f" (CPU {single['cpu_p50_ms']}, {single['cpu_p99_ms']})")  # fmt: skip
    for title, key in (("full refinement", "full_refinement"), ("after a batch of 256", "refinement_after_a_batch")):
        print(f"  {title:30} {one[key]['wall_ms']} ms ({one[key]['cpu_ms']} of CPU)")
    print(f"  {'peak memory':30} {one['peak_memory_mb']} MB")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a measurement failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data/clusters"), help="folder of sets: index, label, text a line"
    )
    parser.add_argument("--tier", choices=TIERS, action="append", help="only this tier (may be given several times)")
    parser.add_argument("--model-folder", type=Path, help="where the model of the multilingual tiers is")
    parser.add_argument("--without-rivals", action="store_true", help="leave out what others offer")
    parser.add_argument("--live", type=int, action="append", help="live micro-clusters for the speed (1000 and 10000)")
    parser.add_argument("--quick", action="store_true", help=f"the first {QUICK_TEXTS:,} texts, one order, no tuning")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args(argv)
    began = time.perf_counter()
    results = measured(jobs(options))
    tiers = sorted({one["tier"] for one in results["tiers"]}, key=TIERS.index)
    results["comparison"] = [row for tier in tiers for row in against_rivals(results, tier=tier, rival=RIVALS[0])]
    if options.json:
        about = {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
            "python": platform.python_version(),
            "kernels": sorted({one["architecture"] for one in threadpool_info() if "architecture" in one}),
            "load_average": round(os.getloadavg()[0], 1),
            "seed": SEED,
            "command": " ".join(["python", "benchmarks/clustering.py", *(sys.argv[1:] if argv is None else argv)]),
            "seconds": round(time.perf_counter() - began),
        }
        print(json.dumps({**about, **results}, indent=2))
    else:
        print_tables(results)
    return 1 if results["failed"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
