"""`manage.py replay --html`: one page that shows what was found, what was missed, and what the labels say of it."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ml.outage_matching import Alarm, LabelMatch, Verdict
from ml.outage_truth import LabelledOutage, Truth
from reports.enums import OutageState
from reports.intake import catalogue
from reports.intake.contract import ReportIn
from reports.management import backtest
from reports.management.backtest import Witness, sections_of
from reports.management.playback import Recorded, row_of
from reports.models import ServiceProfile
from tests.factories import NOW, make_outage, make_profile, make_service
from tests.management.recordings import HOUR, START, an_outage, line, quiet_days, replay, write

BEGAN = START + 50 * HOUR  # of `an_outage`
LOADS = re.compile(r"<(?:script|img|iframe|object|embed)\b|\b(?:src|href|action)=\"(?!#|data:,)|url\(|@import|https?:")
VOID = {"meta", "link", "br", "path", "rect", "line"}


class Page(HTMLParser):
    """A page read: the words of each element with an id, and the tags that were not closed as they should be."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.words: dict[str, str] = {}
        self.unclosed: list[str] = []
        self._open: list[tuple[str, str | None]] = []
        self.feed(content)
        self.unclosed += [tag for tag, _ in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self._open.append((tag, dict(attrs).get("id")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop()[0] != tag:
            self.unclosed.append(tag)

    def handle_data(self, data: str) -> None:
        for _, name in self._open:
            if name:
                self.words[name] = " ".join(f"{self.words.get(name, '')} {data}".split())


def a_truth(folder: Path, *outages: dict[str, Any], quiet: tuple[dict[str, Any], ...] = ()) -> Path:
    return write(folder, [json.dumps({"outages": outages, "quiet": quiet})], "truth.json")


def a_label(*, at: datetime = BEGAN, region: str = "DE", **fields: Any) -> dict[str, Any]:
    end = (at + HOUR).isoformat()
    return {"service": "Mail", "start": at.isoformat(), "end": end, "regions": [region], "kind": "breakdown"} | fields


def a_backtest(folder: Path, lines: list[str], truth: Path | None = None, **options: Any) -> tuple[str, Page, str]:
    """Replay lines; return the page as it was written and as it was read, and what went to stderr."""
    file = folder / "out.html"
    _, err, complaint = replay(write(folder, lines), html=file, truth=truth, **options)
    assert complaint == ""
    content = file.read_text()
    page = Page(content)
    assert page.unclosed == []
    assert LOADS.findall(content) == []
    return content, page, err


@pytest.mark.django_db(transaction=True)
def test_a_hit_and_a_miss_are_drawn_with_their_marks_and_evidence(tmp_path: Path) -> None:
    missed = a_label(at=START + 10 * HOUR, region="FR", kind="<slow>")
    truth = a_truth(tmp_path, a_label(at=BEGAN - timedelta(minutes=3)), missed)

    content, page, _ = a_backtest(tmp_path, [*quiet_days(), *an_outage()], truth, json=tmp_path / "out.json")

    assert "1 of 2 labelled outages suspected in time" in content
    assert content.index("Labelled outages found") < content.index('id="outage-1"')  # the score stands first
    hit = page.words["outage-1"]
    assert "Mail" in hit
    assert "Labelled breakdown, Germany: suspected" in hit
    assert "after its start" in hit
    assert re.search(r"When suspected: \d+ reports in \d+ min.*; usual .* is .*; by chance at most once in", hit)
    assert re.findall(r'<text x="[\d.]+" y="[\d.]+">(\w)</text>', content)[:6] == list("LSCREX")
    lost = page.words["label-2"]
    assert "<slow> missed France" in lost
    said = "1 report came in the time in which it had to be suspected: 0 counted, 1 set aside as no problem reports"
    assert said in lost
    assert "What they said a question about my invoice" in lost
    assert list(json.loads((tmp_path / "out.json").read_text())) == ["outages", "score"]


@pytest.mark.django_db(transaction=True)
def test_what_reporters_and_labels_say_is_escaped(tmp_path: Path) -> None:
    hostile = "</title><script>alert(1)</script><img src=x onerror='alert(2)'> \"quoted\" & co"
    # Short: a long text that many send word for word is a campaign, and held back.
    texts = [f"<script>alert({n})</script> {what}" for n, what in enumerate(("login fails", "no login", "locked out"))]
    lines = [line(texts[i % 3], at=BEGAN + i * timedelta(seconds=10), service=hostile[:90]) for i in range(60)]
    quiet = {"service": hostile[:90], "start": START.isoformat(), "end": (START + 99 * HOUR).isoformat()}
    truth = a_truth(tmp_path, quiet=({**quiet, "regions": ["*"], "why": hostile},))

    content, page, _ = a_backtest(tmp_path, lines, truth)

    assert "In a period labelled quiet: </title><script>alert(1)" in page.words["outage-1"]
    assert "What they said <script>alert(" in page.words["outage-1"]
    assert content.count("<script") == content.count("<img") == 0


@pytest.mark.django_db(transaction=True)
def test_without_a_truth_nothing_is_judged(tmp_path: Path) -> None:
    content, page, _ = a_backtest(tmp_path, an_outage())

    assert "1 outages suspected, 1 of them confirmed." in content
    assert page.words["confirmed"].startswith("Confirmed (1) No labels were given: nothing is judged.")
    assert 'class="verdict' not in content
    assert "Labelled outages found" not in content


@pytest.mark.django_db(transaction=True)
def test_an_alarm_that_no_label_answers_is_unknown_and_one_in_a_quiet_period_false(tmp_path: Path) -> None:
    week = 168 * HOUR
    quiet = a_label(at=BEGAN + week - HOUR, region="*", end=(BEGAN + week + HOUR).isoformat(), why="a party")
    truth = a_truth(tmp_path, quiet=(quiet,))

    _, page, _ = a_backtest(tmp_path, [*quiet_days(), *an_outage(), *an_outage(at=BEGAN + week)], truth)

    assert "Mail" in page.words["unknown"]
    assert "In a period labelled quiet: a party" in page.words["in-quiet"]


@pytest.mark.django_db(transaction=True)
def test_a_label_that_is_not_about_the_recording_is_doubted_aloud_and_not_missed(tmp_path: Path) -> None:
    early, strange = a_label(at=START - 99 * HOUR), a_label(service="Mall")

    _, page, err = a_backtest(tmp_path, quiet_days(n_hours=3), a_truth(tmp_path, early, strange))

    told = err.strip().splitlines()
    assert len(told) == 2
    assert told[0].endswith("outages[1].service: the recording holds no report of 'Mall'. It holds 'Mail'.")
    assert "outages[0].start: 2024-05-02T06:00:00Z is not in the recording, which holds 'Mail' from" in told[1]
    for name in ("label-1", "label-2"):
        assert "not recorded" in page.words[name]
        assert "The recording holds nothing of that time." in page.words[name]


@pytest.mark.django_db(transaction=True)
def test_where_nothing_was_suspected_the_page_says_so(tmp_path: Path) -> None:
    content, _, _ = a_backtest(tmp_path, quiet_days(n_hours=3), a_truth(tmp_path))

    assert "No outage is labelled." in content
    assert "Nothing was suspected." in content


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("recording.jsonl", "Name another file for the result"),
        ("truth.json", "Name another file for the result"),
        ("out.json", "Name another file for the result"),
        ("nowhere/out.html", "can't be written (No such file or directory)"),
    ],
)
def test_a_page_that_has_no_place_of_its_own_is_refused_before_anything_is_played(
    tmp_path: Path, name: str, said: str
) -> None:
    file, truth = write(tmp_path, quiet_days(n_hours=1)), a_truth(tmp_path)

    out, _, complaint = replay(file, truth=truth, json=tmp_path / "out.json", html=tmp_path / name)

    assert said in complaint
    assert out == ""
    assert file.read_text() != ""


@pytest.mark.django_db
def test_the_usual_is_that_of_the_time_and_not_what_was_learnt_later() -> None:
    service = make_service("mail", name="Mail")
    label = LabelledOutage("MAIL", ("DE",), NOW, None)
    witness = a_witness(label)
    outage = make_outage(service, started_at=NOW, state=OutageState.RESOLVED, now=NOW + HOUR)
    make_profile(service, rate_per_hour=12.0)

    witness.look(now=NOW)
    ServiceProfile.objects.update(rates_per_hour=[900.0] * 168)
    witness.look(now=NOW + HOUR)

    for usual in (witness.of_outage[outage.pk], witness.of_label[0]):
        assert usual.expected(service.pk, (), NOW, NOW + HOUR) == pytest.approx(12.0)


@pytest.mark.django_db
def test_a_label_is_looked_at_once_it_has_begun() -> None:
    service = make_service("mail", name="Mail")
    make_profile(service)
    witness = a_witness(LabelledOutage("Mail", ("DE",), NOW, None), LabelledOutage("Chat", ("DE",), NOW, None))

    witness.look(now=NOW - timedelta(seconds=1))
    assert witness.of_label == {}
    witness.look(now=NOW)

    assert list(witness.of_label) == [0]  # of Chat nothing is recorded


@pytest.mark.django_db
def test_of_very_many_outages_the_rest_is_only_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtest, "MOST_CARDS", 2)
    service = make_service("mail", name="Mail")
    states = [OutageState.RESOLVED] * 3
    outages = [make_outage(service, state=state, started_at=NOW + i * HOUR) for i, state in enumerate(states)]

    [section] = sections_of(outages, None, truth=Truth((), ()), matches=(), witness=a_witness(), now=NOW + 9 * HOUR)

    assert (section.n, len(section.cards), section.n_left_out) == (3, 2, 1)


@pytest.mark.django_db
def test_a_label_answered_too_late_says_by_how_much() -> None:
    service = make_service("mail", name="Mail")
    label = LabelledOutage("Mail", ("*",), NOW - 5 * HOUR, NOW - 3 * HOUR)
    outage = make_outage(service, state=OutageState.RESOLVED, started_at=NOW)
    match = LabelMatch(Verdict.TOO_LATE, (), (0,))

    sections = sections_of(
        [outage],
        [Alarm(Verdict.TOO_LATE, (0,))],
        truth=Truth((label,), ()),
        matches=[match],
        witness=a_witness(label),
        now=NOW + HOUR,
    )

    [card] = next(section for section in sections if section.anchor == "missed").cards
    assert card.verdict == "too late"
    assert card.finding == (
        "0 reports came in the time in which it had to be suspected. It was suspected too late, 5 h after its start."
    )


def a_witness(*labels: LabelledOutage) -> Witness:
    catalogue.forget_services()
    rows = [row_of(Recorded(NOW, ReportIn(service="Mail", text="it is down", region="DE")))]
    return Witness(rows, labels)
