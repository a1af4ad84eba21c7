"""A small IMAP server on a real socket, for the tests of the mailbox: mails with flags, and what can go wrong there."""

from __future__ import annotations

import re
import socket
import socketserver
import ssl
import threading
from base64 import b64decode
from dataclasses import dataclass, field


@dataclass(slots=True)
class Kept:
    """A mail as the server keeps it."""

    uid: int
    raw: bytes
    flags: set[str] = field(default_factory=set)
    arrived_at: str = ""  # as IMAP writes it; "" where the server does not say


class MailServer:
    """Serves one folder to one user. `fails_at` names a command that closes the connection instead of answering."""

    def __init__(self) -> None:
        self.user, self.password, self.offers_plain = "reports", 'pa"ss wörd', True
        self.mails: list[Kept] = []
        self.tls: ssl.SSLContext | None = None
        self.speaks_tls_at_once = False
        self.fails_at = ""
        self.is_read_only = False
        self.was_encrypted = False  # when a password came
        self.n_sessions = 0
        self.commands: list[str] = []
        server = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                server.n_sessions += 1
                session = _Session(server, self.request)
                try:
                    if server.speaks_tls_at_once:
                        session.begin_tls()
                    session.say("* OK ready")
                    session.serve()
                except (OSError, ValueError):
                    pass  # the other side has hung up
                finally:
                    session.close()

        self._tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._tcp.daemon_threads = True
        self._thread = threading.Thread(target=self._tcp.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._tcp.server_address[1])

    def add(self, raw: bytes | str, *flags: str) -> Kept:
        raw = raw.encode() if isinstance(raw, str) else raw
        kept = Kept(
            uid=100 + len(self.mails), raw=raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), flags=set(flags)
        )
        self.mails.append(kept)
        return kept

    def close(self) -> None:
        self._tcp.shutdown()
        self._thread.join()
        self._tcp.server_close()


class _Session:
    def __init__(self, server: MailServer, connection: socket.socket) -> None:
        self.server, self.connection = server, connection
        self.read = connection.makefile("rb")
        self.is_encrypted = False

    def begin_tls(self) -> None:
        assert self.server.tls is not None
        self.read.close()
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.read = self.connection.makefile("rb")
        self.is_encrypted = True

    def close(self) -> None:
        self.read.close()
        self.connection.close()

    def say(self, line: str | bytes) -> None:
        self.connection.sendall((line.encode() if isinstance(line, str) else line) + b"\r\n")

    def serve(self) -> None:
        while line := self.read.readline():
            tag, _, command = line.decode(errors="replace").strip().partition(" ")
            words = command.split(" ")
            name = f"UID {words[1]}" if words[0].upper() == "UID" else words[0].upper()
            self.server.commands.append(command)
            if name == self.server.fails_at:
                return
            if name == "LOGOUT":
                self.say("* BYE")
                self.say(f"{tag} OK bye")
                return
            getattr(self, "_" + name.lower().replace(" ", "_"))(tag, command)

    def _capability(self, tag: str, command: str) -> None:
        offers = " AUTH=PLAIN" if self.server.offers_plain else ""
        offers += " STARTTLS" if self.server.tls and not self.is_encrypted else ""
        self.say(f"* CAPABILITY IMAP4rev1{offers}")
        self.say(f"{tag} OK done")

    def _starttls(self, tag: str, command: str) -> None:
        self.say(f"{tag} OK go on")
        self.begin_tls()

    def _authenticate(self, tag: str, command: str) -> None:
        self.say("+ ")
        _, user, password = b64decode(self.read.readline()).decode().split("\x00")
        self._let_in(tag, user, password)

    def _login(self, tag: str, command: str) -> None:
        user, password = (re.sub(r"\\(.)", r"\1", word) for word in re.findall(r'"((?:[^"\\]|\\.)*)"', command))
        self._let_in(tag, user, password)

    def _let_in(self, tag: str, user: str, password: str) -> None:
        self.server.was_encrypted = self.is_encrypted
        is_right = (user, password) == (self.server.user, self.server.password)
        self.say(f"{tag} OK in" if is_right else f"{tag} NO [AUTHENTICATIONFAILED] wrong")

    def _select(self, tag: str, command: str) -> None:
        if command != 'SELECT "INBOX"':
            self.say(f"{tag} NO there is no such folder")
            return
        self.say(f"* {len(self.server.mails)} EXISTS")
        self.say(f"{tag} OK [{'READ-ONLY' if self.server.is_read_only else 'READ-WRITE'}] open")

    def _uid_search(self, tag: str, command: str) -> None:
        unseen = " ".join(str(each.uid) for each in self.server.mails if "\\Seen" not in each.flags)
        self.say(f"* SEARCH {unseen}".rstrip())
        self.say(f"{tag} OK done")

    def _uid_fetch(self, tag: str, command: str) -> None:
        uid, most = (int(word) for word in re.findall(r"\d+", command.replace("<0.", "<")))
        for number, each in enumerate(self.server.mails, start=1):
            if each.uid == uid:
                part = each.raw[:most]
                arrived = f'INTERNALDATE "{each.arrived_at}" ' if each.arrived_at else ""
                self.say(
                    f"* {number} FETCH (UID {uid} {arrived}BODY[]<0> {{{len(part)}}}".encode() + b"\r\n" + part + b")"
                )
        self.say(f"{tag} OK done")

    def _uid_store(self, tag: str, command: str) -> None:
        uid = int(command.split(" ")[2])
        for each in self.server.mails:
            if each.uid == uid:
                each.flags |= set(re.findall(r"\\\w+", command))
        self.say(f"{tag} OK done")
