"""The mailbox: each unseen mail becomes a report, once. IMAP, spoken when beat says so.

Invariant: a mail is marked as seen only after its report is durably stored, or after it is known to be none. So a
process that dies in between reads it again, and its idempotency key, made of what it says, keeps it one report. What
can't be taken is marked (`\\Flagged`) for a person to find and left where it is; it never holds up the others. One poll
at a time, by a lock of the database. Logs name mails by their number in the mailbox, never by their words.
"""

from __future__ import annotations

import hashlib
import imaplib
import ipaddress
import logging
import re
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings

from reports.enums import Channel
from reports.errors import InvalidReport, ReportsError
from reports.intake import catalogue
from reports.intake.alone import alone
from reports.intake.mail import Mail, Skipped, read_mail
from reports.intake.selectors import services_to_choose
from reports.intake.services import Origin, make_row
from reports.intake.writer import Idempotency, Submission, Written, write_group

logger = logging.getLogger(__name__)

LOCK_MAILBOX: Final = 7140  # first half of the advisory lock's key; the other is 0
ANSWER_SECONDS: Final = 10.0  # how long the mail server may take for an answer
RUN_SECONDS: Final = 40.0  # no mail is begun later: well within a task's time
MOST_MAILS: Final = 1_000  # a run; the next one takes what is left
MOST_BYTES: Final = 512 * 1024  # of a mail: its text comes before what is attached to it
_ORIGIN: Final = Origin(Channel.REST, client="mail")
_SAME_BODY: Final = hashlib.sha256(b"mail").digest()  # the key names the content already
_INTERNALDATE: Final = re.compile(rb'INTERNALDATE "([^"]{1,40})"', re.IGNORECASE)
_SEEN: Final = r"(\Seen)"
_SEEN_AND_FLAGGED: Final = r"(\Seen \Flagged)"


@dataclass(frozen=True, slots=True)
class Polled:
    """What a run did with the mails it found: `n_known` were stored by one that was cut off."""

    n_stored: int = 0
    n_known: int = 0
    n_skipped: int = 0
    n_refused: int = 0


class _Refused(imaplib.IMAP4.error):
    """The server said no; `doing` says to what."""

    def __init__(self, doing: str) -> None:
        super().__init__(doing)
        self.doing = doing


def poll_mailbox(*, now: datetime) -> Polled:
    """Take the unseen mails of MAILBOX_URL; does nothing where that is not set.

    A mail server that can't be reached is told in the log, and tried again at the next beat. Concurrency: one at a
    time; whoever comes second does nothing. Raises what the database raises that is away; mails wait meanwhile.
    """
    if not settings.MAILBOX:
        return Polled()
    catalogue.read_again()  # a mail about a service that was just made must not be refused
    if settings.MAILBOX_SERVICE and catalogue.find_service(settings.MAILBOX_SERVICE) is None:
        logger.error("MAILBOX_SERVICE=%r is no service here. Mails wait until it is one.", settings.MAILBOX_SERVICE)
        return Polled()
    with alone(LOCK_MAILBOX) as is_alone:
        if not is_alone:
            return Polled()
        done: Counter[str] = Counter()
        try:
            with _opened() as mailbox:
                _take_all(mailbox, done, now=now)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            logger.error(
                "The mail server %s can't be reached (%s). It is tried again.", settings.MAILBOX["host"], reason
            )
        except imaplib.IMAP4.error as error:
            # Its message may quote the server, and so a mail.
            is_cut = isinstance(error, imaplib.IMAP4.abort)
            doing = error.doing if isinstance(error, _Refused) else "broke off" if is_cut else "speaks no IMAP"
            logger.error("The mail server %s %s. It is tried again.", settings.MAILBOX["host"], doing)
    polled = Polled(done["stored"], done["known"], done["skipped"], done["refused"])
    if polled != Polled():
        logger.info(
            "Mailbox: %d reports stored, %d stored before, %d mails of machines skipped, %d refused.",
            polled.n_stored, polled.n_known, polled.n_skipped, polled.n_refused,
        )  # fmt: skip
    return polled


def _take_all(mailbox: imaplib.IMAP4, done: Counter[str], *, now: datetime) -> None:
    give_up_at = time.monotonic() + RUN_SECONDS
    public = {word.casefold(): one.slug for one in services_to_choose() for word in (one.slug, one.name)}
    for uid in _unseen(mailbox)[:MOST_MAILS]:
        if time.monotonic() > give_up_at:
            return
        fetched = _fetch(mailbox, uid)
        if fetched is None:  # somebody else has taken it away meanwhile
            continue
        outcome = _take(*fetched, uid, public.get, now=now)
        _mark(mailbox, uid, _SEEN_AND_FLAGGED if outcome == "refused" else _SEEN)
        done[outcome] += 1


def _take(
    raw: bytes, arrived_at: datetime | None, uid: str, find_public: Callable[[str], str | None], *, now: datetime
) -> str:
    """Store what a mail says, and return what became of it. Raises what the database raises that is away."""
    try:
        mail = read_mail(raw, now=now, arrived_at=arrived_at)
    except Skipped as reason:
        logger.info("Mail %s is no report: %s.", uid, reason)
        return "skipped"
    except Exception as error:  # whatever a stranger may write: the others must not wait for it
        logger.warning("Mail %s can't be read (%s); it is flagged in the mailbox.", uid, type(error).__name__)
        return "refused"
    try:
        return "known" if _store(mail, find_public, now=now).is_repeat else "stored"
    except InvalidReport as invalid:
        fields = ", ".join(sorted({error.field for error in invalid.errors}))
        logger.warning("Mail %s makes no report (%s); it is flagged in the mailbox.", uid, fields)
        return "refused"


def _store(mail: Mail, find_public: Callable[[str], str | None], *, now: datetime) -> Written:
    """Store a mail's report. Raises InvalidReport where it names no service, or says nothing."""
    named = (find_public(name.casefold()) for name in mail.services)
    service = next((slug for slug in named if slug is not None), settings.MAILBOX_SERVICE)
    report = mail.report(service=service, wants_answer=settings.MAILBOX_CONTACT)
    row = make_row(report=report, origin=_ORIGIN, now=now)
    claim = Idempotency(client=_ORIGIN.client, key=mail.key, body_digest=_SAME_BODY)
    answer: Written | ReportsError = write_group([Submission((row,), claim)], now=now)[0]
    if isinstance(answer, ReportsError):
        raise answer
    return answer


# -- IMAP -------------------------------------------------------------------------------------------------------------
@contextmanager
def _opened() -> Iterator[imaplib.IMAP4]:
    """Yield the mailbox, logged in and with its folder open. Raises imaplib's error, and OSError."""
    given = settings.MAILBOX
    host, port = given["host"], given["port"]
    if given["is_tls"]:
        mailbox: imaplib.IMAP4 = imaplib.IMAP4_SSL(
            host, port, ssl_context=ssl.create_default_context(), timeout=ANSWER_SECONDS
        )
    else:
        mailbox = imaplib.IMAP4(host, port, timeout=ANSWER_SECONDS)
    try:
        if not given["is_tls"] and not _is_this_machine(host):
            if "STARTTLS" not in mailbox.capabilities:
                raise _Refused("offers no encryption (STARTTLS), and no password goes out without")
            mailbox.starttls(ssl.create_default_context())
        _log_in(mailbox, given["user"], given["password"])
        try:
            _checked(mailbox.select(_quoted(given["folder"])), "open it")
        except mailbox.readonly as error:
            raise _Refused("lets nobody mark mails in the folder of MAILBOX_URL") from error
        yield mailbox
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            mailbox.logout()
        with suppress(OSError):
            mailbox.shutdown()  # which a logout that fails leaves out


def _log_in(mailbox: imaplib.IMAP4, user: str, password: str) -> None:
    try:
        if "AUTH=PLAIN" in mailbox.capabilities:  # takes characters that LOGIN does not
            mailbox.authenticate("PLAIN", lambda _: f"\x00{user}\x00{password}".encode())
        else:
            mailbox.login(_quoted(user), password)
    except UnicodeEncodeError as error:
        raise _Refused("takes no password that is not in ASCII") from error
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        raise _Refused("refuses user and password of MAILBOX_URL") from error


def _unseen(mailbox: imaplib.IMAP4) -> Sequence[str]:
    """Return the numbers of the mails nobody has seen, the oldest first."""
    found = _checked(mailbox.uid("SEARCH", "UNSEEN"), "search it")
    return [number.decode() for part in found if isinstance(part, bytes) for number in part.split()]


def _fetch(mailbox: imaplib.IMAP4, uid: str) -> tuple[bytes, datetime | None] | None:
    """Return the beginning of a mail and when it arrived, without marking it; None where it is gone."""
    parts = _checked(mailbox.uid("FETCH", uid, f"(INTERNALDATE BODY.PEEK[]<0.{MOST_BYTES}>)"), "fetch a mail")
    raw = next((part[1] for part in parts if isinstance(part, tuple) and b"BODY[" in part[0].upper()), None)
    said = b" ".join(part[0] if isinstance(part, tuple) else part for part in parts if part)
    return None if raw is None else (raw, _arrival(said))


def _arrival(said: bytes) -> datetime | None:
    """Return the moment in a server's words, None where there is none that can be read."""
    found = _INTERNALDATE.search(said)
    try:
        return datetime.strptime(found.group(1).decode().strip(), "%d-%b-%Y %H:%M:%S %z") if found else None
    except ValueError:
        return None


def _mark(mailbox: imaplib.IMAP4, uid: str, flags: str) -> None:
    _checked(mailbox.uid("STORE", uid, "+FLAGS.SILENT", flags), "mark a mail")


def _checked(answer: tuple[str, list[Any]], asked: str) -> list[Any]:
    """Return what the server said. Raises _Refused where it said no."""
    status, found = answer
    if status != "OK":
        raise _Refused(f"says {status} when asked to {asked} (folder {settings.MAILBOX['folder']})")
    return found


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
