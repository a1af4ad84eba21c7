"""`python -m ml cluster` keeps its contract: a line in, a line out, and a clear end at a line that is no report."""

from __future__ import annotations

import functools
import io
import itertools
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from ml import cluster_stream
from ml.cluster_stream import main, read_lines
from ml.encoders import EncoderUnavailableError, load_encoder
from ml.scores import b_cubed
from ml.trial import try_student
from ml.types import FloatArray

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


def test_the_same_input_twice_gives_the_same_ids() -> None:
    sayings = ["no power in my street", "login fails", "video keeps buffering", "card was declined", "slow"]
    text = "".join(f"{sayings[i * i % 5]} {'at home' * (i % 3 == 0)}\n" for i in range(700))

    assert run(text) == run(text)


def test_different_codes_are_different_clusters_and_no_code_is_none_of_its_own() -> None:
    # Said in words the stream has not seen: these count most, and would come together by their wording alone.
    stream = ["no power in my street", "card was declined", "video keeps buffering", "where is my parcel"] * 30
    stream += ["Anmeldung schlägt fehl mit Fehler 404", "Anmeldung schlägt fehl mit Fehler 500"] * 3

    _, rows, _ = run("".join(f"{text}\n" for text in stream))

    finals = {text: {row[2] for row, other in zip(rows, stream, strict=True) if other == text} for text in stream}
    assert all(len(ids) == 1 for ids in finals.values())
    assert finals[stream[-2]] != finals[stream[-1]]


def test_one_wording_in_two_countries_on_one_day_is_one_cluster_and_days_apart_two() -> None:
    _, rows, _ = run(
        "2024-01-01T08:00:00Z\tDE\tno power at home\n"
        "2024-01-01T09:00:00Z\tFR\tno power at home\n"
        "2024-01-03T09:00:00Z\tIT\tno power at home\n"
    )

    assert rows[0][2] == rows[1][2] != rows[2][2]


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
    ("name", "encoder", "least_final", "least_immediate"),
    [("banking77", "static", 0.46, 0.40), ("banking77", "auto", 0.57, 0.55), ("news_t", "auto", 0.75, 0.70)],
)
def test_second_halves_of_labelled_sets_are_grouped_about_as_well_as_the_best_known_recipe(
    shared_data: Path, name: str, encoder: str, least_final: float, least_immediate: float
) -> None:
    lines = (shared_data / "clusters" / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    half = [line.split("\t") for line in lines[len(lines) // 2 :]]

    _, rows, _ = run("".join(f"{text}\n" for _, _, text in half), "--encoder", encoder)

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


WHATS = ["login", "card", "parcel", "video", "router", "invoice", "map", "chat", "upload", "alarm", "camera", "ticket"]
HOWS = ["fails", "hangs", "vanished", "crashed", "froze", "late", "twice", "wrong", "empty", "stuck", "slow", "refused"]
FILLERS = ["today", "again", "please", "now", "here", "somehow", "yesterday", "honestly", "still", "suddenly", "often"]


class Teacher:
    """Knows words of its own, or, where `words` are none, nothing that words could say."""

    name = "teacher"
    n_dims = 24

    def __init__(self, *words: str) -> None:
        self._words = set(words)

    def encode(self, texts: list[str]) -> FloatArray:
        known = [[word for word in text.split() if word in self._words] or [text] for text in texts]
        sums = np.array([sum(self._vector(word) for word in words) for words in known])
        rows: FloatArray = (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)
        return rows

    def _vector(self, word: str) -> FloatArray:
        return np.random.default_rng(zlib.crc32(word.encode())).normal(size=self.n_dims).astype(np.float32)


@pytest.fixture
def _little_is_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_stream, "LEARN_LINES", 360)
    monkeypatch.setattr(cluster_stream, "FRESH_TEXTS", 60)
    monkeypatch.setattr(cluster_stream, "LEAST_TEXTS", 200)
    monkeypatch.setattr(cluster_stream, "try_student", functools.partial(try_student, n_word_dims=256))
    monkeypatch.setattr(cluster_stream, "teacher_of", lambda texts: Teacher(*WHATS, *HOWS))


def wordy_stream(n: int) -> str:
    rng = np.random.default_rng(1)
    return "".join(
        f"{rng.choice(WHATS)} {rng.choice(HOWS)} {' '.join(rng.choice(FILLERS, size=3, replace=False))}\n"
        for _ in range(n)
    )


@pytest.mark.usefixtures("_little_is_learnt_from")
def test_a_student_that_agrees_with_its_teacher_reads_the_stream_from_its_first_line() -> None:
    code, rows, err = run(wordy_stream(500), "--encoder", "student")

    assert code == 0
    assert [row[0] for row in rows] == list(range(1, 501))
    assert err.startswith("cluster: agreement with teacher 0.")
    assert err.endswith("-of-teacher is used\n")
    assert err.count("\n") == 1


@pytest.mark.usefixtures("_little_is_learnt_from")
def test_a_student_that_agrees_too_little_leaves_the_stream_as_it_would_be_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster_stream, "teacher_of", lambda texts: Teacher())

    code, rows, err = run(wordy_stream(500), "--encoder", "student")

    assert code == 0
    assert rows == run(wordy_stream(500), "--encoder", "static")[1]
    assert err.endswith(f"{load_encoder('auto').name} is used\n")


# -- Learning unasked -------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("_little_is_learnt_from")
def test_unasked_a_student_is_used_where_it_is_better_and_that_is_said() -> None:
    unasked, asked = run(wordy_stream(500)), run(wordy_stream(500), "--encoder", "student")

    assert unasked == asked
    assert unasked[2].endswith("-of-teacher is used\n")
    assert unasked[1] != run(wordy_stream(500), "--encoder", "static")[1]


@pytest.mark.usefixtures("_little_is_learnt_from")
def test_unasked_a_student_that_is_no_better_is_not_spoken_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_stream, "teacher_of", lambda texts: Teacher())

    assert run(wordy_stream(500)) == run(wordy_stream(500), "--encoder", "static")


@pytest.mark.usefixtures("_little_is_learnt_from")
def test_unasked_no_teacher_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_stream, "teacher_of", missing)

    assert run(wordy_stream(500)) == run(wordy_stream(500), "--encoder", "static")


@pytest.mark.usefixtures("_little_is_learnt_from")
def test_unasked_few_texts_do_not_load_a_teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    def loaded(texts: list[str]) -> None:
        raise AssertionError("a teacher was loaded")

    monkeypatch.setattr(cluster_stream, "teacher_of", loaded)

    code, rows, err = run("no power\nlogin fails\n")

    assert (code, len(rows), err) == (0, 2, "")


@pytest.mark.usefixtures("_little_is_learnt_from")
@pytest.mark.parametrize("encoder", ["static", "hashing"])
def test_an_encoder_that_was_asked_for_is_taken_without_a_trial(monkeypatch: pytest.MonkeyPatch, encoder: str) -> None:
    monkeypatch.setattr(cluster_stream, "try_student", missing)

    code, rows, err = run(wordy_stream(500), "--encoder", encoder)

    assert (code, len(rows), err) == (0, 500, "")


# -- Learning beside a model -----------------------------------------------------------------------------------------
@pytest.mark.usefixtures("_little_is_learnt_from")
def test_what_minilm_reads_is_learnt_from_too_where_that_is_better() -> None:
    code, rows, err = run(wordy_stream(500), "--encoder", "minilm")
    learnt = run(wordy_stream(500), "--encoder", "student")

    assert (code, len(rows)) == (0, 500)
    assert rows != learnt[1]
    assert err == "" or "-of-minilm" in err


# -- Insisting on a teacher -------------------------------------------------------------------------------------------
def missing(*_: object, **__: object) -> None:
    raise EncoderUnavailableError("run `make install`")


@pytest.mark.usefixtures("_little_is_learnt_from")
def test_few_texts_are_grouped_without_a_student() -> None:
    code, rows, err = run("no power\nlogin fails\n", "--encoder", "student")

    assert (code, len(rows)) == (0, 2)
    assert "too few different texts to learn from (2, 200 are wanted)" in err


def test_no_input_is_learnt_nothing_from() -> None:
    assert run("", "--encoder", "student") == (0, [], "")


@pytest.mark.usefixtures("_little_is_learnt_from")
@pytest.mark.parametrize("n_lines", [1, 500])
def test_without_a_teacher_a_student_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch, n_lines: int) -> None:
    monkeypatch.setattr(cluster_stream, "teacher_of", missing)

    assert run(wordy_stream(n_lines), "--encoder", "student") == (2, [], "cluster: run `make install`\n")


@pytest.mark.usefixtures("_little_is_learnt_from")
def test_the_verdict_stands_above_the_bar_of_a_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    err = Terminal()

    code = main(["--encoder", "student"], io.StringIO(wordy_stream(500)), io.StringIO(), err)

    assert code == 0
    assert "-of-teacher is used\n" in err.getvalue()


def test_the_sentence_model_can_be_asked_for() -> None:
    code, rows, _ = run("no power at home\nlogin fails\nno power at home\n", "--encoder", "minilm")

    assert code == 0
    assert rows[0][1:] == rows[2][1:]


def test_models_of_many_languages_can_be_asked_for() -> None:
    code, rows, _ = run("no power at home\nlogin fails\nno power at home\n", "--encoder", "multilingual")

    assert code == 0
    assert rows[0][1:] == rows[2][1:]


def test_without_a_model_of_many_languages_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_stream, "load_encoder", missing)

    assert run("no power\n", "--encoder", "multilingual") == (2, [], "cluster: run `make install`\n")


@pytest.mark.slow
def test_minilm_teaches_a_student_or_is_said_to_have_nothing_to_teach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_stream, "LEAST_TEXTS", 350)

    code, rows, err = run(wordy_stream(500), "--encoder", "student")

    assert (code, len(rows)) == (0, 500)
    assert "cluster: agreement with minilm-l6-v2-int8-v1 0." in err


def test_times_may_be_written_in_small_letters() -> None:
    lines = list(read_lines(iter(["2018-09-09t18:30:00z\tDE\tno power\n", "2018-09-09T18:30:00Z\tDE\tno power\n"])))

    assert lines[0].time == lines[1].time
