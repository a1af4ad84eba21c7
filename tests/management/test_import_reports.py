"""`manage.py import_reports`: a file becomes reports once, each at its own minute; what is wrong is told by line."""

from __future__ import annotations

import io
import json
import os
import sys
import tracemalloc
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from reports.clustering.services import cluster_pending
from reports.enums import Channel
from reports.errors import InvalidInput
from reports.intake import imports
from reports.intake.services import KEEP_IDEMPOTENCY_KEYS, KEEP_IMPORT_KEYS, forget_expired
from reports.management import importing
from reports.management.commands import import_reports
from reports.management.importing import Record, opened, read
from reports.models import IdempotencyKey, IntakeBatch, MinuteCount, Report
from tests.factories import make_service

YESTERDAY = (timezone.now() - timedelta(days=1)).replace(microsecond=0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "reports.csv"


def run(file: Path | str, *words: str, is_refusing: bool = False) -> tuple[str, str]:
    """Import a file and return what was said on standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_reports", str(file), *words, stdout=out, stderr=err)
    except CommandError as error:
        if not is_refusing:
            raise
        err.write(str(error))
    return out.getvalue(), err.getvalue()


def records_of(path: Path, *, file_format: str = "csv", **defaults: str) -> list[Record]:
    with opened(str(path)) as given:
        return list(read(given, file_format=file_format, defaults=defaults).records)


def texts() -> list[str]:
    return sorted(Report.objects.values_list("text", flat=True))


# -- What is stored ---------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_table_becomes_reports_with_all_their_fields(file: Path) -> None:
    service = make_service("mail")
    file.write_text(
        "service,text,region,symptom,occurred_at,source,lang\n"
        f'mail,"No login, since ""nine""\nat work",de-by,login,{YESTERDAY.isoformat()},desk,en\n'
    )

    out, _ = run(file)

    report = Report.objects.get()
    assert out == "1 reports stored; 0 lines refused.\n"
    assert (report.service_id, report.channel, report.key_id) == (service.pk, Channel.BULK, None)
    assert report.text == 'No login, since "nine"\nat work'
    assert (report.region, report.symptom, report.source, report.lang) == ("DE-BY", "login", "desk", "en")
    assert report.occurred_at == report.counted_at == YESTERDAY


@pytest.mark.django_db
def test_history_is_counted_at_its_own_minute(file: Path) -> None:
    make_service("mail")
    minutes = [YESTERDAY.replace(second=0), YESTERDAY.replace(second=0) - timedelta(minutes=7)]
    file.write_text("time,service,text\n" + "".join(f"{each.isoformat()},mail,No login here\n" for each in minutes))

    run(file)
    cluster_pending(now=timezone.now())

    assert set(MinuteCount.objects.values_list("minute", flat=True)) == set(minutes)


@pytest.mark.django_db
def test_a_recording_is_taken_as_it_is(tmp_path: Path) -> None:
    make_service("mail")
    file = tmp_path / "recording.jsonl"
    line = {"time": YESTERDAY.isoformat(), "service": "Mail", "region": None, "text": "No login", "id": "4711"}
    file.write_text(json.dumps(line) + "\n\n" + json.dumps(line | {"text": "Slow", "id": 4712}) + "\n")

    run(file)

    assert texts() == ["No login", "Slow"]
    assert set(Report.objects.values_list("counted_at", flat=True)) == {YESTERDAY}


@pytest.mark.django_db
def test_lines_without_service_and_source_take_those_of_the_command(file: Path) -> None:
    make_service("mail")
    make_service("chat")
    file.write_text("service,text,source\n,Slow,\nchat,Slow too,desk\n")

    run(file, "--service", "Mail", "--source", "old system")

    found = set(Report.objects.values_list("service__slug", "source"))
    assert found == {("mail", "old system"), ("chat", "desk")}


@pytest.mark.django_db
def test_who_gives_no_time_is_told_that_it_counts_now(file: Path) -> None:
    make_service("mail")
    file.write_text("service,text\nmail,Slow\n")

    _, err = run(file)

    assert err.startswith("1 of them have no time, and count as of now.")


@pytest.mark.django_db
def test_secrets_are_taken_out_as_everywhere(file: Path) -> None:
    make_service("mail")
    file.write_text("service,text\nmail,write to me@example.org\n")

    run(file)

    assert texts() == ["write to [email]"]


@pytest.mark.django_db
def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    make_service("mail")
    given = io.TextIOWrapper(io.BytesIO(b'{"service": "mail", "text": "Slow"}\n'))
    monkeypatch.setattr(sys, "stdin", given)

    run("-")

    assert texts() == ["Slow"]


# -- Once -------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_the_same_file_twice_is_stored_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_reports, "BATCH_LINES", 2)
    make_service("mail")
    file.write_text("service,text\n" + "mail,Slow\n" * 5)

    run(file)
    out, _ = run(file)

    assert Report.objects.count() == 5  # the same words five times are five reports
    assert out == "0 reports stored, 5 stored before; 0 lines refused.\n"
    assert sum(len(ids) for ids in IntakeBatch.objects.values_list("report_ids", flat=True)) == 5


@pytest.mark.django_db
def test_a_copy_under_another_name_and_by_standard_input_is_the_same_file(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_service("mail")
    file.write_text("service,text\nmail,Slow\n")
    copy = tmp_path / "copy.csv"
    copy.write_bytes(file.read_bytes())

    run(file)
    run(copy)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))
    run("-")

    assert Report.objects.count() == 1


@pytest.mark.django_db
def test_another_file_with_the_same_lines_at_its_beginning_is_another(file: Path, tmp_path: Path) -> None:
    make_service("mail")
    file.write_text("service,text\nmail,Slow\n")
    other = tmp_path / "other.csv"
    other.write_text("service,text\nmail,Slow\nmail,Down\n")

    run(file)
    run(other)

    assert texts() == ["Down", "Slow", "Slow"]


@pytest.mark.django_db
def test_lines_refused_for_want_of_their_service_are_stored_when_it_is_there(file: Path) -> None:
    make_service("mail")
    file.write_text("service,text\nmail,Slow\nchat,Down\n")
    run(file, is_refusing=True)
    make_service("chat")
    from reports.intake import catalogue

    catalogue.forget_services()

    outs = [run(file)[0] for _ in range(2)]

    assert texts() == ["Down", "Slow"]
    assert outs == [
        "1 reports stored, 1 stored before; 0 lines refused.\n",
        "0 reports stored, 2 stored before; 0 lines refused.\n",
    ]


@pytest.mark.django_db
def test_a_file_is_known_for_as_long_as_its_reports_are_young_enough_to_be_taken(file: Path) -> None:
    make_service("mail")
    file.write_text(f"service,text,time\nmail,Slow,{YESTERDAY.isoformat()}\n")
    run(file)

    forget_expired(now=timezone.now() + KEEP_IDEMPOTENCY_KEYS + timedelta(hours=1))
    assert IdempotencyKey.objects.count() == 1
    forget_expired(now=timezone.now() + KEEP_IMPORT_KEYS + timedelta(hours=1))

    assert IdempotencyKey.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("is_stored", [True, False], ids=["after the commit", "before it"])
def test_who_stops_it_loses_nothing_and_goes_on_there(
    file: Path, monkeypatch: pytest.MonkeyPatch, is_stored: bool
) -> None:
    monkeypatch.setattr(import_reports, "BATCH_LINES", 2)
    make_service("mail")
    file.write_text("service,text\n" + "".join(f"mail,Slow {n}\n" for n in range(7)))
    n_calls = 0

    def interrupted(**options: Any) -> imports.StoredLines:
        nonlocal n_calls
        n_calls += 1
        if n_calls == 2:
            if is_stored:
                imports.store_lines(**options)
            raise KeyboardInterrupt
        return imports.store_lines(**options)

    with monkeypatch.context() as patch:
        patch.setattr(import_reports, "store_lines", interrupted)
        with pytest.raises(CommandError) as stopped:
            run(file)
    n_then = Report.objects.count()
    run(file)

    assert str(stopped.value).startswith("Stopped after line 3. What is stored stays;")
    assert stopped.value.returncode == 130
    assert n_then == (4 if is_stored else 2)
    assert texts() == [f"Slow {n}" for n in range(7)]


@pytest.mark.django_db
def test_a_database_that_goes_away_is_told_with_the_line(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_service("mail")
    file.write_text("service,text\nmail,Slow\n")

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(imports, "write_group", away)

    with pytest.raises(CommandError, match=r"The database went away \(OperationalError\) after line 0\."):
        run(file)


# -- What is refused --------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_bad_lines_are_told_by_number_and_written_to_be_mended(file: Path, tmp_path: Path) -> None:
    make_service("mail")
    rejects = tmp_path / "rejects.csv"
    file.write_text(
        'service,text,region\nmail,"two\nlines",DE\nmail,Slow,XX\nmail,one cell too few\nmail,,\nmail,Down,FR\n'
    )

    out, err = run(file, "--rejects", str(rejects), is_refusing=True)

    assert texts() == ["Down", "two\nlines"]
    assert out == "2 reports stored; 3 lines refused.\n"
    assert [line.split(" ")[0] for line in err.splitlines()[:3]] == [f"{file}:{number}:" for number in (4, 5, 6)]
    assert "'XX' is no ISO 3166 code" in err
    assert "This line has 2 cells, the header 3." in err
    assert f"3 lines were refused. Mend them in {rejects} and import that" in err
    assert rejects.read_text() == "service,text,region\nmail,Slow,XX\nmail,one cell too few\nmail,,\n"

    rejects.write_text(rejects.read_text().replace("XX", "AT").replace("too few", "too few,").replace(",,", ",Off,"))
    run(rejects)

    assert texts() == ["Down", "Off", "Slow", "one cell too few", "two\nlines"]


@pytest.mark.django_db
def test_what_a_file_holds_steers_no_terminal(tmp_path: Path) -> None:
    file = tmp_path / "reports.jsonl"
    file.write_bytes(b'{"service": "mail", "x\\u001b[2J\\n5 reports stored": 1}\n')

    _, err = run(file, is_refusing=True)

    assert err.splitlines()[0].startswith(f"{file}:1: x\\x1b[2J\\n5 reports stored: Is no field of a report.")


@pytest.mark.django_db
def test_a_dry_run_tells_the_same_and_stores_nothing(file: Path, tmp_path: Path) -> None:
    make_service("mail")
    file.write_text("service,text\nmail,Slow\nnowhere,Down\n")

    out, err = run(file, "--dry-run", is_refusing=True)

    assert out == "1 reports could be stored; 1 lines refused.\n"
    assert "'nowhere' is no service here. Known services: mail." in err
    assert not Report.objects.exists()
    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db
def test_bytes_of_another_encoding_are_refused_line_by_line_with_the_remedy(file: Path, tmp_path: Path) -> None:
    make_service("mail")
    rejects = tmp_path / "rejects.csv"
    file.write_bytes(b"service,text\nmail,Langsam\nmail,St\xf6rung\n")

    _, err = run(file, "--rejects", str(rejects), is_refusing=True)

    assert texts() == ["Langsam"]
    assert f"{file}:3: text: Holds bytes that are no UTF-8. Save the file as UTF-8 (in Excel: “CSV UTF-8”)" in err
    assert rejects.read_bytes() == b"service,text\nmail,St\xf6rung\n"


@pytest.mark.django_db
def test_the_file_that_is_read_is_not_overwritten(file: Path) -> None:
    make_service("mail")
    file.write_text("service,text\nmail,Slow\n")

    with pytest.raises(CommandError, match="is what is read here"):
        run(file, "--rejects", str(file))

    assert file.read_text() == "service,text\nmail,Slow\n"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--service", "nowhere"), "'nowhere' is no service here. Known services: mail."),
        (("--rejects", "/nowhere/rejects.csv"), "/nowhere/rejects.csv can't be written"),
    ],
)
def test_what_can_not_work_is_said_before_anything_is_read(file: Path, words: tuple[str, ...], message: str) -> None:
    make_service("mail")
    file.write_text("service,text\nmail,Slow\n")

    with pytest.raises(CommandError, match=message):
        run(file, *words)

    assert not Report.objects.exists()


@pytest.mark.django_db
def test_a_file_that_is_not_there_or_holds_nothing_is_told(file: Path) -> None:
    with pytest.raises(CommandError, match="No such file or directory"):
        run(file)
    file.write_text("service,text\n\n")
    with pytest.raises(CommandError, match="holds no report"):
        run(file)


# -- Tables as programs save them ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "content",
    [
        b"service,text\r\nmail,Slow\r\n",
        b"\xef\xbb\xbfservice;text\r\nmail;Slow\r\n",
        b"sep=;\r\nservice;text\r\nmail;Slow\r\n;\r\n",
        b"service\ttext\nmail\tSlow",
        b'"Service" , TEXT\n"mail","Slow"\n',
        b"service;text;;\r\nmail;Slow;;\r\n;;;\r\n",
    ],
    ids=["CRLF", "Excel", "Excel with sep=", "tabs, no last line break", "spaces and capitals", "empty columns"],
)
def test_tables_are_read_as_they_are_saved(file: Path, content: bytes) -> None:
    file.write_bytes(content)

    (record,) = records_of(file)

    assert (record.line.report.service, record.line.report.text) == ("mail", "Slow")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfes\x00e\x00", "The file is UTF-16"),
        (b"\x1f\x8b\x08\x00", "The file is compressed"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00", "The file is a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "The file is a workbook"),
        (b"service,text\rmail,Slow\r", "Its lines end as on old Macs"),
        (b"service,,text\n", "'' is no column of a report"),
        (b"mail,Slow\n", "The first line, 'mail,Slow', is no header. Name the columns in it; they are: service, text"),
        (b"service,words\n", "'words' is no column of a report"),
        (b"service,text,text\n", "There are 2 columns 'text'"),
        (b"text,region\n", "There is no column `service`"),
        (b"service,text,time,occurred_at\n", "which mean the same"),
    ],
)
def test_a_file_that_can_not_be_meant_is_refused_as_a_whole(file: Path, content: bytes, message: str) -> None:
    file.write_bytes(content)

    with pytest.raises(InvalidInput, match=message.replace("(", r"\(")):
        records_of(file)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (b'mail,"never closed\n', 'A quote (") that is opened here is not closed'),
        (b'mail,"a"b"\n', "This is no CSV"),
        (b'mail,"Slow",one too many,\n', "This line has 4 cells, the header 2"),
        (b"mail,Slow,yesterday\n", "occurred_at: 'yesterday' is no RFC 3339 time. Write one such as"),
    ],
)
def test_a_row_that_can_not_be_read_is_told_and_the_others_are_read(file: Path, row: bytes, message: str) -> None:
    names = b"service,text,time\n" if row.count(b",") == 2 else b"service,text\n"
    first = b"mail,Slow,\n" if row.count(b",") == 2 else b"mail,Slow\n"
    file.write_bytes(names + first + row)

    good, bad = records_of(file)

    assert message in str(bad.line.report)
    assert (good.line.number, bad.line.number, bad.raw) == (2, 3, row)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"not json\n", "This is no valid JSON"),
        (b"[1]\n", "jq -c"),
        (b'{"service": "mail", "text": "\xe9"}\n', importing.NO_UTF8),
        (b'{"service": "mail", "words": "x"}\n', "Is no field of a report"),
        (b'{"service": "mail", "text": 7}\n', "Expected str, got int"),
        (b"[" * 100_000 + b"\n", "no report has"),
        (b'{"time": "2026-05-01T00:00:00Z", "occurred_at": "2026-05-01T00:00:00Z"}\n', "means the same"),
    ],
)
def test_a_line_of_json_that_can_not_be_read_is_told(tmp_path: Path, raw: bytes, message: str) -> None:
    file = tmp_path / "reports.ndjson"
    file.write_bytes(b'{"service": "mail", "text": "Slow"}\n' + raw)

    good, bad = records_of(file, file_format="ndjson")

    assert message in str(bad.line.report)
    assert (good.line.number, bad.line.number) == (1, 2)


def test_a_large_file_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    def peak(n_lines: int) -> int:
        file = tmp_path / f"{n_lines}.csv"
        file.write_text("service,text\n" + "mail,Slow\n" * n_lines + "x" * 3_000_000 + "\n")
        tracemalloc.start()
        with opened(str(file)) as given:
            n = sum(1 for _ in read(given, file_format="csv", defaults={}).records)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert n == n_lines + 1
        return most

    small, large = peak(100), peak(20_000)

    assert large < small + 200_000


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setitem(os.environ, "TERM", "xterm")
    return Terminal()


@pytest.mark.django_db
def test_a_bar_is_shown_on_a_terminal_alone(file: Path, terminal: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    make_service("mail")
    file.write_text("service,text\nmail,Slow\n")
    elsewhere = io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)  # only here: pytest has its own before

    run(file)
    monkeypatch.setattr(sys, "stderr", elsewhere)
    run(file)

    assert "import" in terminal.getvalue()
    assert elsewhere.getvalue() == ""
