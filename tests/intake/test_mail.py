"""A mail read as a report: what it says, about what, and which mails are none."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.intake.contract import OLDEST, normalise
from reports.intake.mail import Mail, Skipped, read_mail
from tests.factories import NOW

PLAIN = """\
From: Jane Doe <Jane@Example.org>
To: reports@outcry.example
Subject: Login fails
Date: Wed, 04 Mar 2026 11:40:00 +0100
Message-ID: <1@example.org>
Content-Language: en-GB, de
Content-Type: text/plain; charset=utf-8

since nine, at work
"""


def read(raw: bytes | str = PLAIN, *, now: datetime = NOW) -> Mail:
    return read_mail(raw.encode() if isinstance(raw, str) else raw, now=now)


def with_header(line: str) -> str:
    return f"{line}\n{PLAIN}"


def test_a_mail_becomes_a_report() -> None:
    report = read().report(service="mail", wants_answer=False)

    assert report.text == "Login fails\nsince nine, at work"
    assert report.occurred_at == datetime(2026, 3, 4, 10, 40, tzinfo=UTC)
    assert report.reporter == hashlib.sha256(b"jane@example.org").hexdigest()
    assert (report.service, report.lang, report.source, report.contact) == ("mail", "en-GB", "mail", "")
    assert normalise(report, now=NOW) == report


def test_an_address_is_kept_only_where_an_answer_is_wanted() -> None:
    assert "jane" not in repr(read().report(service="mail", wants_answer=False))
    assert read().report(service="mail", wants_answer=True).contact == "jane@example.org"


@pytest.mark.parametrize(
    ("changes", "services"),
    [
        ({}, ()),
        ({"reports@outcry.example": "reports+mail@outcry.example"}, ("mail",)),
        ({"reports@outcry.example": '"Reports" <a@b.example>, <reports+chat@outcry.example>'}, ("chat",)),
        ({"Subject: ": "Subject: Re: [Café Mail] "}, ("Café Mail",)),
        ({"reports@": "reports+chat@", "Subject: ": "Subject: [mail] "}, ("chat", "mail")),
        ({"reports@": "reports+@", "Subject: ": "Subject: [] "}, ()),
    ],
)
def test_the_address_or_the_subject_names_the_service(changes: dict[str, str], services: tuple[str, ...]) -> None:
    raw = PLAIN
    for old, new in changes.items():
        raw = raw.replace(old, new)

    assert read(raw).services == services


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Auto-Submitted: auto-replied", "automatic answer"),
        ("auto-submitted: Auto-Generated; x=y", "automatic answer"),
        ("Precedence: bulk", "bulk mail"),
        ("List-Id: <news.example.org>", "mailing list"),
        ("List-Unsubscribe: <mailto:x@example.org>", "mailing list"),
        ("Return-Path: <>", "bounce"),
        ("X-Autoreply: yes", "automatic answer"),
        ("Content-Type: multipart/report; report-type=delivery-status; boundary=x", "delivery report"),
        ("Content-Type: text/calendar; method=REPLY", "calendar"),
        ("From: MAILER-DAEMON@example.org", "machine's address"),
        ("From: Shop <noreply@example.org>", "machine's address"),
    ],
)
def test_mail_of_machines_and_lists_is_skipped(line: str, reason: str) -> None:
    with pytest.raises(Skipped, match=reason):
        read(with_header(line))


def test_an_invitation_is_skipped_and_a_calendar_that_is_attached_is_not() -> None:
    message = EmailMessage()
    message["From"] = "jane@example.org"
    message.set_content("Login fails since the update in the calendar")
    message.add_attachment("BEGIN:VCALENDAR", subtype="calendar", filename="updates.ics")
    invitation = EmailMessage()
    invitation.set_content("Weekly")
    invitation.add_alternative("BEGIN:VCALENDAR", subtype="calendar", params={"method": "REQUEST"})

    assert read(message.as_bytes()).text.startswith("Login fails")
    with pytest.raises(Skipped, match="calendar"):
        read(invitation.as_bytes())


@pytest.mark.parametrize("line", ["Auto-Submitted: no", "Precedence: first-class", "Return-Path: <jane@example.org>"])
def test_mail_that_says_it_is_a_persons_is_taken(line: str) -> None:
    assert read(with_header(line)).text


def test_what_is_too_old_is_skipped_and_a_clock_that_is_ahead_is_not_believed() -> None:
    written = datetime(2026, 3, 4, 10, 40, tzinfo=UTC)

    with pytest.raises(Skipped, match="too old"):
        read(now=written + OLDEST + timedelta(minutes=1))

    assert read(now=written - timedelta(hours=1)).occurred_at is None


def test_plain_text_is_preferred_to_markup_and_attachments_are_left_alone() -> None:
    message = EmailMessage()
    message["From"] = "jane@example.org"
    message.set_content("Plain words")
    message.add_alternative("<p>Marked up</p>", subtype="html")
    message.add_attachment("Secret words", filename="notes.txt")

    assert read(message.as_bytes()).text == "Plain words"


def test_markup_alone_is_read() -> None:
    message = EmailMessage()
    message.set_content("<p>It is <b>down</b></p>", subtype="html")

    assert read(message.as_bytes()).text == "It is down"


@pytest.mark.parametrize(
    ("charset", "content"),
    [
        ("utf-8", "Störung".encode()),
        ("iso-8859-1", "Störung".encode("latin-1")),
        ("utf-8", "Störung".encode("latin-1")),
        ("us-ascii", "Störung".encode()),
        ("no-such-charset", "Störung".encode()),
        ("unicode-1-1-utf-7", "Störung".encode("cp1252")),
    ],
)
def test_a_charset_that_is_wrong_or_unknown_is_guessed(charset: str, content: bytes) -> None:
    raw = f"From: jane@example.org\nContent-Type: text/plain; charset={charset}\n\n".encode() + content

    assert read(raw).text == "Störung"


def test_a_mail_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    message = EmailMessage()
    message["From"] = "jane@example.org"
    message.set_content("It is down")
    message.add_attachment(b"\x00" * 100_000, maintype="image", subtype="png", filename="screen.png")

    assert read(message.as_bytes()[:20_000]).text == "It is down"


def test_encoded_headers_are_read_and_unreadable_ones_do_no_harm() -> None:
    encoded = PLAIN.replace("Login fails", "=?utf-8?q?St=C3=B6rung?=")
    unreadable = PLAIN.replace("Login fails", "=?no-such?b?!!!?=").replace("Wed, 04", "Someday, 99")

    assert read(encoded).text.startswith("Störung\n")
    assert read(unreadable).occurred_at is None


def test_a_copy_has_the_same_key_and_another_mail_with_its_name_has_not() -> None:
    delivered_twice = "Received: by mx2.example.org\n" + PLAIN.replace("To: reports@", "To: help@")
    forged = PLAIN.replace("since nine", "all is well")

    assert read(delivered_twice).key == read().key
    assert read(forged).key != read().key


def test_without_a_name_of_its_own_a_mail_is_told_apart_by_the_way_it_came() -> None:
    nameless = PLAIN.replace("Message-ID: <1@example.org>\n", "")

    assert read(nameless).key == read(nameless).key
    assert read(f"Received: today\n{nameless}").key != read(f"Received: tomorrow\n{nameless}").key


@given(st.binary(max_size=300))
def test_whatever_comes_is_a_mail_or_none(noise: bytes) -> None:
    for raw in (
        noise,
        PLAIN.encode().replace(b"Login", noise),
        b"Content-Type: multipart/mixed; boundary=x\n\n--x" + noise,
    ):
        with suppress(Skipped):
            read(raw)


HALF_A_MEGABYTE = 512 * 1024  # what is read of a mail


def long(piece: str | bytes) -> bytes:
    written = piece.encode() if isinstance(piece, str) else piece
    return written * (HALF_A_MEGABYTE // len(written))


@pytest.mark.parametrize(
    "raw",
    [
        b'Content-Type: text/plain; a="' + long(";") + b"\n\nbroken",
        b"Subject: " + long("\u0301")[: HALF_A_MEGABYTE // 2] + long("\u0316") + b"\n\nbroken",
        b"\n" + long("\u0301")[: HALF_A_MEGABYTE // 2] + long("\u0316"),
        *(
            b"Content-Type: text/html\n\n" + long(piece)
            for piece in ("<a ", "<a a=", '<a a="', "<!--", "<?", "</", "<")
        ),
        *(b"Content-Type: text/html\n\n" + long(piece) + b">" for piece in ("<a ", "<a a='>", "<a \"'", "<script></")),
    ],
    ids=lambda raw: raw[:40].decode(errors="replace"),
)
def test_no_mail_takes_long_to_read(raw: bytes) -> None:
    began = time.process_time()

    read(b"From: jane@example.org\n" + raw)

    assert time.process_time() - began < 5  # half an hour, for some of them
