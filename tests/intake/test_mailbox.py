"""The mailbox: each mail is one report, whatever dies in between, and none holds up the others."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from feedback import env
from reports.enums import Channel
from reports.intake import catalogue, mailbox
from reports.intake.alone import alone
from reports.intake.mailbox import Polled, poll_mailbox
from reports.models import IntakeBatch, Report, ReportContact, Service
from reports.tasks import poll_mailbox as poll_task
from tests.factories import make_service
from tests.intake.imap import MailServer

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
POLL_AND_DIE = """
import os, signal
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback.settings")
import django
django.setup()
from django.utils import timezone
from reports.intake import mailbox
mailbox._mark = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
mailbox.poll_mailbox(now=timezone.now())
"""


@pytest.fixture
def service() -> Service:
    return make_service("mail", name="Mail")


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    started = MailServer()
    settings.MAILBOX = env.mailbox(f"imap://reports:pa%22ss%20w%C3%B6rd@127.0.0.1:{started.port}/INBOX")
    settings.MAILBOX_SERVICE = "mail"
    settings.MAILBOX_CONTACT = False
    yield started
    started.close()


def mail(text: str = "It is down", *, number: int = 1, sender: str = "jane@example.org", more: str = "") -> str:
    return f"From: {sender}\nTo: reports@outcry.example\nMessage-ID: <{number}@example.org>\n{more}\n{text}\n"


def poll() -> Polled:
    return poll_mailbox(now=timezone.now())


def texts() -> list[str]:
    return sorted(Report.objects.values_list("text", flat=True))


def test_an_unseen_mail_becomes_a_report_and_is_marked(server: MailServer, service: Service) -> None:
    new, seen = server.add(mail()), server.add(mail("Old", number=2), "\\Seen")

    assert poll() == Polled(n_stored=1)

    report = Report.objects.get()
    assert (report.text, report.service_id, report.channel, report.key_id) == (
        "It is down", service.pk, Channel.REST, None,
    )  # fmt: skip
    assert (report.source, len(bytes(report.reporter)), bytes(report.network)) == ("mail", 16, b"")
    assert IntakeBatch.objects.get().report_ids == [report.id]
    assert (new.flags, seen.flags) == ({"\\Seen"}, {"\\Seen"})
    assert not ReportContact.objects.exists()
    assert poll() == Polled()


def test_an_address_is_kept_where_the_setting_says_so(server: MailServer, service: Service, settings: Any) -> None:
    settings.MAILBOX_CONTACT = True
    server.add(mail())

    poll()

    assert ReportContact.objects.get().address == "jane@example.org"


def test_one_writer_is_one_reporter_and_another_is_another(server: MailServer, service: Service) -> None:
    for number, sender in enumerate(("jane@example.org", "Jane <JANE@example.org>", "joe@example.org")):
        server.add(mail(f"No {number}", number=number, sender=sender))

    poll()

    assert len({bytes(each) for each in Report.objects.values_list("reporter", flat=True)}) == 2


def test_mails_find_their_service_and_only_public_ones_by_name(
    server: MailServer, service: Service, settings: Any
) -> None:
    make_service("chat", name="Team Chat")
    make_service("secret", is_public=False)
    for number, (address, subject) in enumerate(
        [("reports+chat@", "x"), ("reports@", "[team chat] y"), ("reports+secret@", "z"), ("reports@", "[EXT] w")]
    ):
        raw = mail("It is down", number=number, more=f"Subject: {subject}\n")
        server.add(raw.replace("reports@", address))

    poll()

    found = set(Report.objects.values_list("service__slug", "text"))
    assert found == {
        ("chat", "x\nIt is down"), ("chat", "y\nIt is down"), ("mail", "z\nIt is down"), ("mail", "w\nIt is down"),
    }  # fmt: skip


def test_a_mail_of_an_hour_that_is_past_counts_there(server: MailServer, service: Service) -> None:
    written = (timezone.now() - timedelta(hours=5)).replace(microsecond=0)
    server.add(mail(more=f"Date: {written:%a, %d %b %Y %H:%M:%S} +0000\n"))

    poll()

    assert Report.objects.get().counted_at == written


@pytest.mark.parametrize("date", ["Date: {:%a, %d %b %Y %H:%M:%S} +0000\n", ""])
def test_nobody_writes_history_by_the_date_of_a_mail(server: MailServer, service: Service, date: str) -> None:
    arrived = (timezone.now() - timedelta(hours=3)).replace(microsecond=0)
    kept = server.add(mail(more=date.format(arrived - timedelta(days=7))))
    kept.arrived_at = f"{arrived:%d-%b-%Y %H:%M:%S} +0000"

    poll()

    assert Report.objects.get().counted_at == arrived


@pytest.mark.parametrize("arrived", ["yesterday", " 4-Mar-2026 11:40:00 +0100"])
def test_a_time_of_arrival_that_can_not_be_read_or_is_old_does_no_harm(
    server: MailServer, service: Service, arrived: str
) -> None:
    server.add(mail()).arrived_at = arrived

    assert poll().n_refused == 0


def test_mails_of_machines_are_marked_and_make_no_report(server: MailServer, service: Service) -> None:
    kept = server.add(mail(more="Auto-Submitted: auto-replied\n"))

    assert poll() == Polled(n_skipped=1)
    assert kept.flags == {"\\Seen"}
    assert not Report.objects.exists()


def test_a_mail_that_can_not_be_taken_is_flagged_and_the_others_are_taken(
    server: MailServer, service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    read = mailbox.read_mail

    def poisoned(raw: bytes, **options: Any) -> Any:
        if b"poison" in raw:
            raise RuntimeError("poison: a secret of its writer")
        return read(raw, **options)

    monkeypatch.setattr(mailbox, "read_mail", poisoned)
    empty, poison, good = server.add(mail("")), server.add(mail("poison", number=2)), server.add(mail(number=3))

    with caplog.at_level(logging.INFO):
        polled = poll()

    assert polled == Polled(n_stored=1, n_refused=2)
    assert [each.flags for each in (empty, poison, good)] == [
        {"\\Seen", "\\Flagged"},
        {"\\Seen", "\\Flagged"},
        {"\\Seen"},
    ]
    assert "Mail 100 makes no report (text)" in caplog.text
    assert "Mail 101 can't be read (RuntimeError)" in caplog.text
    assert "secret" not in caplog.text
    assert "jane" not in caplog.text


def test_a_mail_that_names_no_service_is_flagged_where_there_is_no_default(
    server: MailServer, service: Service, settings: Any
) -> None:
    settings.MAILBOX_SERVICE = ""
    kept = server.add(mail())

    assert poll() == Polled(n_refused=1)
    assert kept.flags == {"\\Seen", "\\Flagged"}


def test_of_a_mail_with_large_attachments_only_the_beginning_is_fetched(
    server: MailServer, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "MOST_BYTES", 2_000)
    server.add(
        "From: jane@example.org\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n"
        "It is down\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n" + "A" * 50_000 + "\n--b--\n"
    )

    assert poll() == Polled(n_stored=1)
    assert texts() == ["It is down"]
    assert any("BODY.PEEK[]<0.2000>" in command for command in server.commands)


# -- What dies in between ---------------------------------------------------------------------------------------------
def test_a_process_that_dies_between_the_store_and_the_mark_counts_a_mail_once(
    server: MailServer, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """As a signal ends a process: nothing catches it."""

    def die(*_: object) -> None:
        raise Killed

    kept = server.add(mail())
    with monkeypatch.context() as patch:
        patch.setattr(mailbox, "_mark", die)
        with pytest.raises(Killed):
            poll()
    assert (Report.objects.count(), kept.flags) == (1, set())

    assert poll() == Polled(n_known=1)
    assert (Report.objects.count(), kept.flags) == (1, {"\\Seen"})


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_between_the_store_and_the_mark_counts_a_mail_once(
    server: MailServer, service: Service
) -> None:
    kept = server.add(mail())
    database = connection.settings_dict
    address = f"postgres://{database['USER']}@/{database['NAME']}?host={quote(database['HOST'], safe='')}"
    environ = {
        "DATABASE_URL": f"{address}&port={database['PORT'] or 5432}",
        "MAILBOX_URL": f"imap://reports:pa%22ss%20w%C3%B6rd@127.0.0.1:{server.port}",
        "MAILBOX_SERVICE": "mail",
    }

    killed = subprocess.run([sys.executable, "-c", POLL_AND_DIE], cwd=ROOT, env=os.environ | environ, check=False)

    assert killed.returncode == -signal.SIGKILL
    assert (Report.objects.count(), kept.flags) == (1, set())
    give_up_at = time.monotonic() + 20
    while (polled := poll()) == Polled() and time.monotonic() < give_up_at:
        time.sleep(0.05)  # the database has to notice first that the lock's holder is gone
    assert polled == Polled(n_known=1)
    assert (Report.objects.count(), kept.flags) == (1, {"\\Seen"})


def test_a_connection_that_breaks_before_the_mark_counts_a_mail_once(
    server: MailServer, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    kept = server.add(mail())
    server.fails_at = "UID STORE"
    poll()
    server.fails_at = ""

    assert "The mail server 127.0.0.1 broke off. It is tried again." in caplog.text
    assert (Report.objects.count(), kept.flags) == (1, set())
    assert poll() == Polled(n_known=1)
    assert Report.objects.count() == 1


def test_nothing_is_marked_while_the_database_is_away(
    server: MailServer, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = server.add(mail())

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(mailbox, "write_group", away)
        with pytest.raises(OperationalError):
            poll()

    assert kept.flags == set()
    assert poll() == Polled(n_stored=1)


def test_two_copies_in_the_mailbox_are_one_report(server: MailServer, service: Service) -> None:
    server.add(mail())
    server.add("Delivered-To: reports@outcry.example\n" + mail())

    assert poll() == Polled(n_stored=1, n_known=1)


def test_a_run_ends_in_time_and_the_next_goes_on(
    server: MailServer, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        server.add(mail(f"No {number}", number=number))
    monkeypatch.setattr(mailbox, "MOST_MAILS", 2)

    assert [poll().n_stored for _ in range(3)] == [2, 1, 0]
    monkeypatch.setattr(mailbox, "RUN_SECONDS", -1.0)
    server.add(mail("Late", number=9))
    assert poll() == Polled()


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_poll_at_once(server: MailServer, service: Service) -> None:
    server.add(mail())
    taken, release = threading.Event(), threading.Event()

    def hold() -> None:
        with alone(mailbox.LOCK_MAILBOX) as is_alone:
            assert is_alone
            taken.set()
            release.wait(20)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    taken.wait(20)
    try:
        assert poll() == Polled()
        assert server.n_sessions == 0
    finally:
        release.set()
        holder.join()

    assert poll() == Polled(n_stored=1)


def test_the_task_twice_in_a_row_is_harmless(server: MailServer, service: Service) -> None:
    server.add(mail())

    poll_task()
    poll_task()

    assert Report.objects.count() == 1


# -- Encryption -------------------------------------------------------------------------------------------------------
@pytest.fixture
def certificate(tmp_path: Path, server: MailServer) -> Path:
    """Return the certificate with which the server proves itself, for this machine's address."""
    if shutil.which("openssl") is None:
        message = "There is no openssl to make a certificate with. Install it (apt-get install openssl)."
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    file = tmp_path / "certificate.pem"
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2 -nodes -subj /CN=mail"
    subprocess.run(
        ["openssl", *request.split(), "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem",
         "-out", file], check=True, capture_output=True,
    )  # fmt: skip
    server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.tls.load_cert_chain(file, tmp_path / "key.pem")
    return file


@pytest.mark.parametrize("is_tls", [True, False], ids=["imaps", "STARTTLS"])
def test_a_password_goes_out_encrypted_and_to_nobody_who_can_not_prove_themselves(
    server: MailServer, service: Service, settings: Any, certificate: Path, is_tls: bool,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setattr(mailbox, "_is_this_machine", lambda host: False)
    settings.MAILBOX = settings.MAILBOX | {"is_tls": is_tls}
    server.speaks_tls_at_once = is_tls
    server.add(mail())

    stranger = poll()
    words_to_a_stranger = list(server.commands)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    known = poll()

    assert (stranger, known) == (Polled(), Polled(n_stored=1))
    assert "certificate verify failed" in caplog.text
    assert not [command for command in words_to_a_stranger if command.startswith(("LOGIN", "AUTHENTICATE"))]
    assert server.was_encrypted


def test_a_server_elsewhere_that_can_not_encrypt_gets_no_password(
    server: MailServer, service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mailbox, "_is_this_machine", lambda host: False)

    assert poll() == Polled()

    assert server.commands == ["CAPABILITY", "LOGOUT"]
    assert "The mail server 127.0.0.1 offers no encryption" in caplog.text


# -- What an operator is told -----------------------------------------------------------------------------------------
def test_without_a_mailbox_nothing_is_done(settings: Any, django_assert_num_queries: Any) -> None:
    settings.MAILBOX = {}

    with django_assert_num_queries(0):
        assert poll() == Polled()


def test_a_default_service_that_is_none_stops_the_poll_and_burns_no_mail(
    server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    kept = server.add(mail())

    assert poll() == Polled()

    assert "MAILBOX_SERVICE='mail' is no service here. Mails wait until it is one." in caplog.text
    assert (kept.flags, server.n_sessions) == (set(), 0)
    make_service("mail")
    catalogue.forget_services()
    assert poll() == Polled(n_stored=1)


def test_a_wrong_password_is_told_without_it(
    server: MailServer, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    server.password = "changed"

    assert poll() == Polled()

    assert "The mail server 127.0.0.1 refuses user and password of MAILBOX_URL." in caplog.text
    assert "wörd" not in caplog.text


def test_a_server_without_auth_plain_is_logged_in_to(server: MailServer, service: Service, settings: Any) -> None:
    server.offers_plain = False
    server.user, server.password = 'a "quoted" user', "plain\\word"
    settings.MAILBOX = settings.MAILBOX | {"user": server.user, "password": server.password}
    server.add(mail())

    assert poll() == Polled(n_stored=1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"folder": "Nowhere"}, "says NO when asked to open it (folder Nowhere)"),
        ({"port": 1}, "can't be reached (Connection refused)"),
        ({"is_tls": True}, "can't be reached"),
    ],
)
def test_what_can_not_be_read_is_told_and_tried_again(
    server: MailServer, service: Service, settings: Any, caplog: pytest.LogCaptureFixture,
    change: dict[str, Any], told: str,
) -> None:  # fmt: skip
    server.add(mail())
    right = settings.MAILBOX
    settings.MAILBOX = right | change

    assert poll() == Polled()
    settings.MAILBOX = right

    assert told in caplog.text
    assert poll() == Polled(n_stored=1)


def test_a_folder_in_which_nothing_can_be_marked_is_told(
    server: MailServer, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    server.is_read_only = True
    server.add(mail())

    assert poll() == Polled()
    assert "lets nobody mark mails in the folder" in caplog.text
    assert not Report.objects.exists()
