"""`python -m ml cluster` keeps its contract: a line in, a line out, and a clear end at a line that is no report."""

from __future__ import annotations

import io
import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from ml.cluster_stream import main
from ml.scores import b_cubed

ROOT = Path(__file__).parents[2]


def run(text: str, *options: str) -> tuple[int, list[list[int]], str]:
    out, err = io.StringIO(), io.StringIO()
    code = main(options, io.StringIO(text), out, err)
    return code, [[int(field) for field in line.split("\t")] for line in out.getvalue().splitlines()], err.getvalue()


def test_each_line_gets_its_number_and_two_ids() -> None:
    code, rows, err = run("no power at home\nlogin fails\nno power at home\n")

    assert (code, err) == (0, "")
    assert [row[0] for row in rows] == [1, 2, 3]
    assert rows[0][1:] == rows[2][1:]
    assert rows[0][1] != rows[1][1]


def test_lines_with_time_and_region_are_grouped_by_text_within_the_idle_time() -> None:
    code, rows, _ = run(
        "2024-01-01T00:00:00Z\tDE\tno power at home\n"
        "2024-01-01T03:00:00+02:00\tDE-BY\tno power at home\n"
        "2024-02-01T00:00:00Z\t\tno power at home\n"
    )

    assert code == 0
    assert rows[0][2] == rows[1][2]
    assert rows[2][2] != rows[0][2]


def test_an_empty_line_is_a_report_that_says_nothing() -> None:
    code, rows, _ = run("\nno power\n\n")

    assert code == 0
    assert rows[0][1:] == rows[2][1:] != rows[1][1:]


def test_no_input_gives_no_output() -> None:
    assert run("") == (0, [], "")


def test_the_last_line_needs_no_line_end_and_windows_line_ends_are_fine() -> None:
    _, rows, _ = run("no power\r\nno power")

    assert rows[0][1:] == rows[1][1:]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fine\na\tb\n", "line 2: 2 tab-separated fields"),
        ("a\tb\tc\td\n", "line 1: 4 tab-separated fields"),
        ("fine\n2024-01-01T00:00:00Z\tDE\ttext\n", "line 2: 3 fields, but the lines before it have 1"),
        ("yesterday\tDE\ttext\n", "line 1: 'yesterday' is no RFC 3339 time"),
        ("2024-01-01T00:00:00\tDE\ttext\n", "line 1: the time '2024-01-01T00:00:00' has no offset"),
        ("fine\nnot \udcff utf-8\n", "line 2: not UTF-8"),
    ],
)
def test_a_bad_line_ends_the_command_with_its_number_and_no_output(text: str, message: str) -> None:
    code, rows, err = run(text)

    assert (code, rows) == (2, [])
    assert message in err


def test_the_command_runs_from_the_shell_in_any_locale() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ml", "cluster", "--encoder", "hashing"],
        cwd=ROOT,
        input="kein Strom in München\nkein Strom in München\n".encode(),
        capture_output=True,
        env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        check=True,
    )

    assert done.stdout.decode().splitlines() == ["1\t1\t1", "2\t1\t1"]
    assert done.stderr == b""


def test_a_bad_byte_in_the_shell_ends_with_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ml", "cluster", "--encoder", "hashing"],
        cwd=ROOT,
        input=b"fine\n\xff\xfe\n",
        capture_output=True,
        check=False,
    )

    assert done.returncode == 2
    assert b"line 2: not UTF-8" in done.stderr


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "least_final", "least_immediate"), [("banking77", 0.46, 0.40), ("news_t", 0.71, 0.64)]
)
def test_second_halves_of_labelled_sets_are_grouped_about_as_well_as_the_best_known_recipe(
    shared_data: Path, name: str, least_final: float, least_immediate: float
) -> None:
    lines = (shared_data / "clusters" / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    half = [line.split("\t") for line in lines[len(lines) // 2 :]]

    _, rows, _ = run("".join(f"{text}\n" for _, _, text in half))

    labels = [label for _, label, _ in half]
    assert b_cubed(labels, [row[2] for row in rows]).f1 >= least_final
    assert b_cubed(labels, [row[1] for row in rows]).f1 >= least_immediate


def test_a_longer_stream_is_read_in_batches_and_refined_on_the_way() -> None:
    sayings = ["no power in my street", "login fails with error 502", "video keeps buffering", "card was declined"]
    stream = list(itertools.islice(itertools.cycle(sayings), 1_000))

    code, rows, _ = run("".join(f"{text}\n" for text in stream))

    assert code == 0
    assert [row[0] for row in rows] == list(range(1, 1_001))
    assert b_cubed(stream, [row[2] for row in rows]).f1 == 1.0
