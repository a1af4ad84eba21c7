"""`python -m ml detect`: counts in, alarms out, and a clear word where the input is wrong."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from ml.detect_stream import HEADER_OUT, main

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = 24 * 60


def line(minute: int, stream: str, count: int) -> str:
    return f"{(START + timedelta(minutes=minute)).strftime('%Y-%m-%dT%H:%M:%SZ')},{stream},{count}"


def detect(text: str) -> tuple[int, list[dict[str, str]], str]:
    out, err = io.StringIO(), io.StringIO()
    code = main([], io.StringIO(text), out, err)
    return code, list(csv.DictReader(io.StringIO(out.getvalue()))), err.getvalue()


def month(*, outage: dict[str, float], days: int = 21, outage_minutes: int = 40, tail_minutes: int = 240) -> str:
    """Quiet weeks over six states, then an outage with the given rates a minute, then quiet again."""
    rng = np.random.default_rng(5)
    states = ["chat/US/US-CA", "chat/US/US-TX", "chat/US/US-NY", "chat/DE/DE-BY", "chat/DE/DE-BE", "chat"]
    begin, end = days * DAY, days * DAY + outage_minutes
    lines = ["minute,stream,count"]
    for minute in range(end + tail_minutes):
        for state in states:
            rate = 0.02 + (outage.get(state, 0.0) if begin <= minute < end else 0.0)
            count = int(rng.poisson(rate))
            if count:
                lines.append(line(minute, state, count))
    return "\n".join(lines) + "\n"


def after(rows: list[dict[str, str]], days: int = 21) -> list[dict[str, str]]:
    begin = (START + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return [row for row in rows if row["suspected_minute"] >= begin]


def minutes_into(row: dict[str, str], column: str, days: int = 21) -> float:
    return (datetime.fromisoformat(row[column]) - START - timedelta(days=days)).total_seconds() / 60


def test_an_outage_of_one_state_is_found_there_and_ends() -> None:
    code, rows, _ = detect(month(outage={"chat/US/US-TX": 2.0}))

    confirmed = [row for row in after(rows) if row["confirmed_minute"]]
    assert code == 0
    assert [row["stream"] for row in confirmed] == ["chat/US/US-TX"]
    assert confirmed[0]["regions"] == "US-TX"
    assert 0 <= minutes_into(confirmed[0], "suspected_minute") <= 6
    assert -6 <= minutes_into(confirmed[0], "onset_minute") <= 6
    assert 90 <= minutes_into(confirmed[0], "ended_minute") <= 180
    assert float(confirmed[0]["observed"]) > 10 * float(confirmed[0]["expected"])
    assert float(confirmed[0]["p_value"]) < 1e-6


def test_an_outage_everywhere_is_one() -> None:
    outage = dict.fromkeys(["chat/US/US-CA", "chat/US/US-TX", "chat/DE/DE-BY", "chat/DE/DE-BE"], 2.0)

    _, rows, _ = detect(month(outage=outage))

    confirmed = [row for row in after(rows) if row["confirmed_minute"]]
    assert [row["stream"] for row in confirmed] == ["chat"]


def test_quiet_weeks_confirm_nothing() -> None:
    _, rows, _ = detect(month(outage={}))

    assert [row for row in rows if row["confirmed_minute"]] == []


def test_what_is_still_open_at_the_end_has_no_end() -> None:
    _, rows, _ = detect(month(outage={"chat/US/US-TX": 2.0}, tail_minutes=0))

    assert after(rows)[-1]["ended_minute"] == ""


def test_a_long_silence_between_two_reports_is_no_matter() -> None:
    text = line(0, "chat/US", 1) + "\n" + line(5 * 365 * DAY, "chat/US", 1) + "\n"

    assert detect(text)[:2] == (0, [])


def test_a_header_is_optional() -> None:
    text = month(outage={"chat/US/US-TX": 2.0}, days=3)

    assert detect(text) == detect(text.partition("\n")[2])


def test_rows_of_one_minute_and_stream_are_added() -> None:
    once = "\n".join(line(minute, "chat", 6) for minute in range(20))
    twice = "\n".join(f"{line(minute, 'chat', 2)}\n{line(minute, 'chat', 4)}" for minute in range(20))

    assert detect(once) == detect(twice)


def test_services_do_not_know_each_other() -> None:
    alone = month(outage={"chat/US/US-TX": 2.0}, days=3)
    lines = [text for row in alone.splitlines()[1:] for text in (row, row.replace("chat", "mail"))]

    rows = detect("\n".join(lines))[1]

    assert [row for row in rows if row["stream"].startswith("chat")] == detect(alone)[1]


def test_no_input_gives_a_header_alone() -> None:
    out = io.StringIO()

    code = main([], io.StringIO(""), out, io.StringIO())

    assert (code, out.getvalue()) == (0, ",".join(HEADER_OUT) + "\n")


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ("2026-01-05T00:01:00Z,chat", "'2026-01-05T00:01:00Z,chat' is not minute,stream,count"),
        ("count,minute,stream", "in this order, separated by commas"),
        ("yesterday,chat,1", "no RFC 3339 time"),
        ("2026-01-05T00:01:00,chat,1", "no time zone"),
        ("2026-01-04T23:59:00Z,chat,1", "earlier"),
        ("2026-01-05T00:01:00Z,chat,-1", "no whole number"),
        ("2026-01-05T00:01:00Z,chat,1.5", "no whole number"),
        ("2026-01-05T00:01:00Z,,1", "no path"),
        ("2026-01-05T00:01:00Z,chat//US,1", "no path"),
        ("2026-01-05T00:01:00Z," + "/".join("a" * 17) + ",1", "17 levels"),
        ("2026-01-05T00:01:00Z,chat,99999999999999999999", "above 1,000,000,000"),
        ("2026-01-05T00:01:00Z,chat," + "9" * 5_000, "above 1,000,000,000"),
        ("2026-01-05T00:01:00Z,chat,1000000001", "above 1,000,000,000"),
        ("9999-01-05T00:01:00Z,chat,1", "between 1970 and 2199"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_written(bad: str, complaint: str) -> None:
    out, err = io.StringIO(), io.StringIO()

    code = main([], io.StringIO(f"{line(0, 'chat', 1)}\n{bad}\n"), out, err)

    assert code == 2
    assert out.getvalue() == ""
    assert err.getvalue().startswith("line 2: ")
    assert complaint in err.getvalue()


def test_the_command_runs_from_a_shell() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "ml", "detect"],
        input=line(0, "chat", 1) + "\n",
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )

    assert found.stdout == ",".join(HEADER_OUT) + "\n"
