"""A mail read as a report: who wrote it, what they say, when, about which service. Pure: no network, no database.

Whatever somebody sends comes out as a `Mail`, or as the reason why it is none of ours (`Skipped`): machines' mail, and
that of lists, is no report. Broken MIME, unknown charsets and missing headers are no errors; a header that can't be
read is as one that is not there. What is told of a sender is only what they wrote themselves: nothing here proves it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from itertools import islice
from typing import Final

from reports.intake.contract import CLOCK_SKEW, HISTORY_AFTER, OLDEST, ReportIn
from reports.intake.mail_text import own_text, text_of_html

SOURCE: Final = "mail"
_TAG: Final = re.compile(r"\s*(?:(?:re|fwd?|aw|wg)\s*:\s*)*\[([^\]]{1,100})\]", re.IGNORECASE)
_LANG: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_RECIPIENTS: Final = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")
_MACHINES: Final = ("mailer-daemon", "postmaster", "no-reply", "noreply", "do-not-reply", "donotreply")
_MOST_RECIPIENTS: Final = 100
_MOST_PARTS: Final = 200
# Reading parameters, names and encoded words takes a time that grows with the square of a header's length.
_MOST_HEADER_CHARS: Final = 2_000


class Skipped(Exception):
    """The mail is no report; `str` says in a word or two why."""


class _Message(Message):
    """A message whose headers are cut where none of a person's mail is as long."""

    def set_raw(self, name: str, value: str) -> None:
        """Keep a header as it came; how the parser stores each."""
        super().set_raw(name, value[:_MOST_HEADER_CHARS])


@dataclass(frozen=True, slots=True)
class Mail:
    """What a mail says. `services` are the names it may mean, the likeliest first; `key` is the same for its copies."""

    key: str
    services: tuple[str, ...]
    text: str
    sender: str
    occurred_at: datetime | None
    lang: str

    def report(self, *, service: str, wants_answer: bool) -> ReportIn:
        """Return the report, about one of the services; `reporter` is a digest, of which only a fingerprint is kept."""
        return ReportIn(
            service=service,
            text=self.text,
            occurred_at=self.occurred_at,
            reporter=hashlib.sha256(self.sender.encode()).hexdigest() if self.sender else "",
            source=SOURCE,
            lang=self.lang,
            contact=self.sender if wants_answer else "",
        )


def read_mail(raw: bytes, *, now: datetime, arrived_at: datetime | None = None) -> Mail:
    """Return what a mail says; of one that was cut off somewhere what is there.

    `arrived_at` is when the mail server got it, where that is known: by its Date anybody could write into the past what
    will be taken for usual, and so hide what comes.

    Raises Skipped for what machines and lists send, and for what is too old to be taken.
    """
    message = message_from_bytes(raw, _Message, policy=policy.compat32)
    if reason := _machine(message):
        raise Skipped(reason)
    sender = _sender(message)
    subject = _header(message, "Subject")
    text = own_text(_body(message), subject=subject)
    occurred_at = _time(message)
    if arrived_at is not None and (occurred_at is None or occurred_at < arrived_at - HISTORY_AFTER):
        occurred_at = arrived_at
    if occurred_at is not None and occurred_at < now - OLDEST:
        raise Skipped("too old")
    if occurred_at is not None and occurred_at > now + CLOCK_SKEW:
        occurred_at = None  # a clock that is ahead
    # Beside the name that a mail gives itself what it says: names can be forged to keep another's mail out. Where it
    # has none, all of its bytes, with the way it came: the same words on another day are another mail.
    name = _header(message, "Message-ID") or hashlib.sha256(raw).hexdigest()
    told = "\x00".join((name, sender, _header(message, "Date"), text))
    return Mail(
        key=hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest(),
        services=tuple(dict.fromkeys(_services(message, subject))),
        text=text,
        sender=sender,
        occurred_at=occurred_at,
        lang=_language(message),
    )


def _machine(message: Message) -> str:
    """Return what sort of machine sent it; "" where it seems to be a person (RFC 3834, RFC 2919)."""
    submitted = _header(message, "Auto-Submitted").partition(";")[0].strip().casefold()
    if submitted and submitted != "no":
        return "automatic answer"
    if message.get_content_type() == "multipart/report":
        return "delivery report"
    if _header(message, "Return-Path").strip() == "<>":
        return "bounce"
    if _header(message, "Precedence").strip().casefold() in {"bulk", "junk", "list", "auto_reply"}:
        return "bulk mail"
    if any(part.get_content_type() == "text/calendar" and part.get_param("method") for part in _parts(message)):
        return "calendar"
    if message["List-Id"] is not None or message["List-Unsubscribe"] is not None:
        return "mailing list"
    if any(message[name] is not None for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply")):
        return "automatic answer"
    return "machine's address" if _sender(message).partition("@")[0] in _MACHINES else ""


def _header(message: Message, name: str) -> str:
    """Return a header in plain characters, "" where it is missing; where it can't be read, as it came."""
    written = next((value for key, value in message.raw_items() if key.casefold() == name.casefold()), "")
    raw = str(written).encode(errors="surrogateescape")
    plain = raw.decode(errors="replace")  # some programs write UTF-8 as it is
    with suppress(ValueError, LookupError):  # an encoding that does not exist, or words that are not in it
        plain = str(make_header(decode_header(plain)))
    return " ".join(plain.split())


def _sender(message: Message) -> str:
    """Return the writer's address in small letters, "" where there is none."""
    found = getaddresses([str(value) for value in message.get_all("From", [])[:1]])
    address = found[0][1].strip().casefold() if found else ""
    return address if "@" in address and len(address) <= 254 and address.isprintable() else ""


def _services(message: Message, subject: str) -> Iterator[str]:
    """Yield the names that stand for a service: `reports+NAME@…` in the recipients, [NAME] in the subject."""
    for name in _RECIPIENTS:
        values = [str(value) for value in message.get_all(name, [])]
        for _, address in getaddresses(values)[:_MOST_RECIPIENTS]:
            local, plus, tag = address.rpartition("@")[0].partition("+")
            if local and plus and tag:
                yield tag
    if found := _TAG.match(subject):
        yield found.group(1).strip()


def _time(message: Message) -> datetime | None:
    try:
        written = parsedate_to_datetime(str(message["Date"]))
        return written.replace(tzinfo=UTC) if written.tzinfo is None else written.astimezone(UTC)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def _language(message: Message) -> str:
    first = _header(message, "Content-Language").partition(",")[0].strip()
    return first if _LANG.fullmatch(first) and len(first) <= 35 else ""


def _body(message: Message) -> str:
    """Return the first plain text that is no attachment, else the words of the first HTML."""
    markup = ""
    for part in _parts(message):
        if part.is_multipart() or part.get_content_disposition() == "attachment":
            continue
        kind = part.get_content_type()
        if kind == "text/plain" and (text := _decoded(part)).strip():
            return text
        if kind == "text/html" and not markup:
            markup = _decoded(part)
    return text_of_html(markup) if markup else ""


def _parts(message: Message) -> Iterator[Message]:
    return islice(message.walk(), _MOST_PARTS)


def _decoded(part: Message) -> str:
    """Return a part's text, whatever its charset is called: as told, else as UTF-8, else as Western mail often is."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    for charset in (part.get_content_charset(), "utf-8"):
        try:
            return payload.decode(charset or "utf-8")
        except (LookupError, ValueError):  # no such charset, or it is not what it says
            continue
    return payload.decode("windows-1252", errors="replace")
