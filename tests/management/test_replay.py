"""`manage.py replay`: what would have been found, told as DESIGN says, and never a trace in the live database."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from reports.management import playback
from reports.management.commands import replay as command
from reports.models import Cluster, Outage, Placement, Report, Service
from tests.clustering.stories import a_service, tell
from tests.factories import make_outage
from tests.management.recordings import HOUR, START, an_outage, line, quiet_days, replay, write

pytestmark = pytest.mark.django_db(transaction=True)  # the command goes to another database
CHECKOUT = Path(__file__).resolve().parents[2]
FIELDS = [
    "service", "regions", "started_at", "suspected_at", "confirmed_at", "resolved_at", "label", "n_reports",
    "peak_p_value",
]  # fmt: skip


def a_truth(folder: Path, **changes: Any) -> Path:
    outage = {"service": "Mail", "start": "2024-05-08T11:00:00Z", "end": None, "regions": ["DE"], "kind": "x"}
    document = {"outages": [outage | changes], "quiet": []}
    return write(folder, [json.dumps(document)], "truth.json")


def databases() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database")
        return {name for (name,) in cursor.fetchall()}


def test_it_finds_an_outage_and_tells_it_in_the_agreed_shape(tmp_path: Path) -> None:
    file = write(tmp_path, [*quiet_days(), *an_outage()])

    out, _, complaint = replay(file, json=tmp_path / "out.json", truth=a_truth(tmp_path))

    assert complaint == ""
    result = json.loads((tmp_path / "out.json").read_text())
    assert list(result) == ["outages", "score"]
    (found,) = result["outages"]
    assert list(found) == FIELDS
    assert (found["service"], found["regions"], found["n_reports"]) == ("Mail", ["DE-BY"], 60)
    assert (result["score"]["n_found"], result["score"]["n_found_right_regions"]) == (1, 1)
    assert found["started_at"] == "2024-05-08T11:00:00Z"
    times = [datetime.fromisoformat(found[name]) for name in FIELDS[2:6]]
    assert times == sorted(times)
    assert times[1] - times[0] < timedelta(minutes=3)
    assert "1 outages suspected, 1 of them confirmed" in out
    assert "1 of 1 labelled outages suspected in time" in out
    assert re.search(r"^ *Labelled outages found +100 % +21 to 100 % +100 % +21 to 100 % *$", out, re.MULTILINE)


def test_without_a_truth_there_is_no_score(tmp_path: Path) -> None:
    file = write(tmp_path, quiet_days(n_hours=5))

    out, _, _ = replay(file, json=tmp_path / "out.json")

    assert json.loads((tmp_path / "out.json").read_text()) == {"outages": []}
    assert "0 outages suspected" in out


def test_the_live_database_is_left_as_it_was(tmp_path: Path) -> None:
    service = a_service("mail", name="Mail")
    tell(service, ["login fails"])
    make_outage(service)
    tables = (Service, Report, Placement, Cluster, Outage)
    before = [list(table.objects.values()) for table in tables]
    server_before = databases()

    replay(write(tmp_path, an_outage()))

    assert [list(table.objects.values()) for table in tables] == before
    assert databases() == server_before


def test_the_scratch_database_goes_away_even_where_playing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = connection.settings_dict["NAME"]
    before = databases()

    def fail(_rows: object) -> None:
        raise RuntimeError("while playing")

    monkeypatch.setattr(command, "play", fail)
    with pytest.raises(RuntimeError, match="while playing"):
        replay(write(tmp_path, an_outage()))

    assert connection.settings_dict["NAME"] == live
    assert databases() == before


@pytest.mark.slow
def test_without_a_database_address_it_plays_on_a_server_of_its_own(tmp_path: Path) -> None:
    before = databases()

    with override_settings(DATABASE_URL=""):
        out, _, complaint = replay(write(tmp_path, an_outage()))

    assert complaint == ""
    assert "1 outages suspected" in out
    assert databases() == before


def test_a_line_that_can_not_be_used_is_named_and_the_rest_is_played(tmp_path: Path) -> None:
    bad = {
        1: "not json",
        3: "[1, 2]",
        5: line("no such country", at=START, region="XX"),
        7: json.dumps({"time": "2024-05-06T09:00:00Z", "text": "no service"}),
        9: json.dumps({"time": "yesterday", "service": "Mail", "text": "no time"}),
        11: json.dumps({"time": "2024-05-06T09:00:00", "service": "Mail", "text": "no zone"}),
        13: line("", at=START),
        15: line("a service with too long a name", at=START, service="x" * 101),
        17: json.dumps({"time": "0001-01-01T00:00:00+14:00", "service": "Mail", "text": "before our age"}),
        19: "[" * 200_000,
        21: json.dumps({"time": "2024-05-06T09:00:00Z", "service": "Mail", "region": 7, "text": "no region"}),
        23: line("x" * 4_001, at=START),
        25: "9" * 5_000,
    }
    good = iter(an_outage())
    lines = [bad[number] if number in bad else next(good) for number in range(1, 60)]

    out, err, complaint = replay(file := write(tmp_path, lines), json=tmp_path / "out.json")

    assert complaint == f"{len(bad)} lines could not be used and were left out; mend them and replay again."
    told = err.strip().splitlines()
    assert [one.split(": ")[0] for one in told] == [f"{file}:{number}" for number in bad]
    assert "no JSON at character 1" in told[0]
    assert "'XX' is no ISO 3166 code" in told[2]
    assert json.loads((tmp_path / "out.json").read_text())["outages"][0]["n_reports"] == 59 - len(bad)
    assert "1 outages suspected" in out


def test_no_more_than_twenty_bad_lines_are_named(tmp_path: Path) -> None:
    file = write(tmp_path, ["not json"] * 30 + quiet_days(n_hours=1))

    _, err, complaint = replay(file)

    assert len(err.strip().splitlines()) == command.NAMED_LINES
    assert complaint.startswith("30 lines could not be used")


def test_lines_may_come_in_any_order_with_marks_and_blank_lines_between(tmp_path: Path) -> None:
    file = write(tmp_path, ["\ufeff" + an_outage()[0], "", *reversed(an_outage()[1:]), "  "])

    _, _, complaint = replay(file, json=tmp_path / "out.json")

    assert complaint == ""
    assert json.loads((tmp_path / "out.json").read_text())["outages"][0]["n_reports"] == 60


def test_services_whose_names_are_nearly_the_same_stay_apart(tmp_path: Path) -> None:
    names = ["Chat App", "chat-app", "chat-app-2", "Chat App!", "CHAT APP", "メール", "障害"]
    file = write(tmp_path, [line("it is down", at=START, service=name) for name in names])
    made: list[tuple[str, str]] = []
    make_services = playback.make_services

    def watch(recording: Any) -> None:
        make_services(recording)
        made.extend(Service.objects.order_by("position").values_list("name", "slug"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "make_services", watch)
        _, _, complaint = replay(file)

    assert complaint == ""
    assert [name for name, _ in made] == ["Chat App", "chat-app", "chat-app-2", "Chat App!", "メール", "障害"]
    assert len({slug for _, slug in made}) == len(made)


@pytest.mark.parametrize("content", ["", "\n\n", "not json\n"])
def test_a_file_without_any_report_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "recording.jsonl"
    file.write_text(content)

    _, _, complaint = replay(file)

    assert complaint.startswith(f"{file} holds no report that could be played.")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    _, _, complaint = replay(tmp_path / "nowhere.jsonl")

    assert "nowhere.jsonl can't be read (No such file or directory)" in complaint


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "truth.json: no JSON at line 2, column 1 (Expecting property name"),
        ("[]", "must be a JSON object"),
        ('{"outages": [{"service": "Mail"}]}', "outages[0].start"),
        ('{"quiet": [{"service": "Mail", "start": "2024-05-08"}]}', "quiet[0].start"),
        ("[" * 200_000, "nested too deeply"),
    ],
)
def test_a_truth_that_is_none_is_refused_before_anything_is_played(tmp_path: Path, content: str, said: str) -> None:
    truth = write(tmp_path, [content], "truth.json")

    out, _, complaint = replay(write(tmp_path, quiet_days(n_hours=1)), truth=truth)

    assert said in complaint
    assert out == ""


def test_a_truth_in_another_encoding_is_refused_and_a_mark_at_its_beginning_read_over(tmp_path: Path) -> None:
    recording, truth = write(tmp_path, quiet_days(n_hours=1)), tmp_path / "truth.json"

    truth.write_bytes('{"outages": [], "kind": "Störung"}'.encode("latin-1"))
    assert replay(recording, truth=truth)[2] == f"{truth}: byte 28 (0xf6) is no UTF-8. Save it as UTF-8."
    truth.write_bytes(b'\xef\xbb\xbf{"outages": []}')
    assert replay(recording, truth=truth)[2] == ""


def test_a_truth_that_is_not_there_is_named(tmp_path: Path) -> None:
    _, _, complaint = replay(write(tmp_path, quiet_days(n_hours=1)), truth=tmp_path / "nowhere.json")

    assert "nowhere.json can't be read" in complaint


def test_a_result_that_could_not_be_written_is_told_before_anything_is_played(tmp_path: Path) -> None:
    out, _, complaint = replay(write(tmp_path, quiet_days(n_hours=1)), json=tmp_path / "nowhere" / "out.json")

    assert "out.json can't be written (No such file or directory)" in complaint
    assert out == ""


@pytest.mark.parametrize("name", ["recording.jsonl", "truth.json"])
def test_a_result_does_not_overwrite_what_is_read(tmp_path: Path, name: str) -> None:
    file, truth = write(tmp_path, quiet_days(n_hours=1)), a_truth(tmp_path)
    before = (tmp_path / name).read_bytes()

    _, _, complaint = replay(file, truth=truth, json=tmp_path / name)

    assert "Name another file for the result" in complaint
    assert (tmp_path / name).read_bytes() == before


def test_an_earlier_result_stays_where_nothing_could_be_played(tmp_path: Path) -> None:
    earlier = write(tmp_path, ["{}"], "out.json")

    replay(tmp_path / "nowhere.jsonl", json=earlier)

    assert earlier.read_text() == "{}\n"


def test_reports_that_gather_while_nothing_can_be_suspected_are_all_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playback, "GATHER_REPORTS", 7)
    seen: list[int] = []
    play = playback.play

    def watch(rows: Any) -> Any:
        for n_played in play(rows):
            seen.append(n_played)
            yield n_played
        assert Report.objects.count() == Placement.objects.count() == len(rows)

    monkeypatch.setattr(command, "play", watch)
    _, _, complaint = replay(write(tmp_path, [line("a question", at=START + 3 * i * HOUR) for i in range(20)]))

    assert complaint == ""
    assert seen == [7, 14, 20]


@pytest.mark.slow
def test_its_exit_status_says_whether_every_line_was_played(tmp_path: Path) -> None:
    good, bad = write(tmp_path, quiet_days(n_hours=2)), write(tmp_path, ["{", *quiet_days(n_hours=2)], "bad.jsonl")

    runs = [_from_the_shell("replay", str(file)) for file in (good, bad)]

    assert [run.returncode for run in runs] == [0, 1], runs
    assert "0 outages suspected" in runs[1].stdout
    assert "bad.jsonl:1: no JSON" in runs[1].stderr
    assert "Traceback" not in runs[1].stderr


def _from_the_shell(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words], cwd=CHECKOUT, env=os.environ, capture_output=True, text=True, timeout=120
    )


@pytest.mark.slow
@pytest.mark.shared_data
def test_the_blackout_of_venezuela_is_found_within_ten_minutes_as_one_outage(tmp_path: Path, shared_data: Path) -> None:
    recording = shared_data / "replay" / "venezuela_2018.jsonl"

    _, _, complaint = replay(recording, truth=recording.with_suffix(".truth.json"), json=tmp_path / "out.json")

    assert complaint == ""
    result = json.loads((tmp_path / "out.json").read_text())
    (blackout,) = [outage for outage in result["outages"] if outage["confirmed_at"]]
    began = datetime.fromisoformat("2018-09-09T16:15:00Z")
    assert timedelta(0) <= datetime.fromisoformat(blackout["suspected_at"]) - began <= timedelta(minutes=10)
    assert (blackout["service"], blackout["regions"]) == ("electricity", ["VE"])
    assert result["score"]["n_found_right_regions"] == result["score"]["n_confirmed_true"] == 1
