"""A small IMAP server that answers as RFC 9051 says, until a test twists its answers."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

DEADLINE_S = 60.0
CAPABILITIES = "IMAP4rev1 ID"
_ATTRIBUTE = re.compile(r"BODY\.PEEK\[\](?:<(\d+)\.(\d+)>)?")


@dataclass(frozen=True, slots=True)
class Cut(Exception):
    """Raised by a twist: send this, then break the connection."""

    sent: bytes = b""


@dataclass(frozen=True, slots=True)
class Asked:
    """One command."""

    tag: str
    words: str
    """Without the tag."""
    uids: tuple[int, ...] = ()
    """That a UID FETCH names and the folder has."""


Twist = Callable[[Asked, bytes], bytes]
"""Gets a command and the honest answer; returns what is sent, or raises Cut."""


def honest(asked: Asked, answer: bytes) -> bytes:
    """Twist nothing."""
    return answer


def signing_in_gets(answer: str) -> Twist:
    """Return a twist that lets nobody in, and says so in these words."""

    def twist(asked: Asked, honest_answer: bytes) -> bytes:
        if asked.words.startswith("LOGIN"):
            return f"{asked.tag} {answer}\r\n".encode()
        return honest_answer

    return twist


refusing = signing_in_gets("NO [AUTHENTICATIONFAILED] no")


@dataclass(slots=True)
class Script:
    """A server with one folder, INBOX."""

    mail: dict[int, bytes]
    """UID → message."""
    twist: Twist = honest
    uidvalidity: int = 7
    capabilities: str = CAPABILITIES
    greeting: bytes = b"* OK ready\r\n"
    listed: tuple[bytes, ...] = (b'(\\HasNoChildren) "/" INBOX',)
    said_sizes: dict[int, int] = field(default_factory=dict)
    """RFC822.SIZE where it is not the size."""
    flags: str = "\\Seen"
    more: str = ""
    """Further attributes in each description."""
    tls: ssl.SSLContext | None = None
    """With which certificate it encrypts: from the beginning, unless it offers STARTTLS."""
    port: int = 0
    tag: str = ""
    """For a twist to remember a command by."""
    asked: list[str] = field(default_factory=list)
    """Every command, without its tag."""

    def of(self, words: str) -> list[str]:
        """Return the commands that hold the words."""
        return [one for one in self.asked if words in one]

    def talk(self, client: socket.socket) -> None:
        """Serve one connection to its end."""
        with client:
            client.sendall(self.greeting)
            self._converse(client)

    def _converse(self, client: socket.socket) -> None:
        with client.makefile("rb") as lines:
            for line in lines:
                tag, _, words = line.decode("latin-1").strip().partition(" ")
                self.asked.append(words)
                uids = self._named(words)
                asked = Asked(tag, words, uids)
                try:
                    client.sendall(self.twist(asked, self.answer(asked)))
                except Cut as cut:
                    with suppress(OSError):
                        client.sendall(cut.sent)
                        client.shutdown(socket.SHUT_RDWR)
                    return
                if words == "LOGOUT":
                    return
                if words == "STARTTLS" and self.tls is not None:
                    with self.tls.wrap_socket(client, server_side=True) as secured:
                        self._converse(secured)
                    return

    def answer(self, asked: Asked) -> bytes:
        """Return the honest answer."""
        said = b"".join(b"* " + one + b"\r\n" for one in self._said(asked))
        return said + f"{asked.tag} OK done\r\n".encode()

    def _said(self, asked: Asked) -> Iterator[bytes]:
        words = asked.words
        if words == "CAPABILITY":
            yield f"CAPABILITY {self.capabilities}".encode()
        elif words.startswith("ID"):
            yield b'ID ("name" "script")'
        elif words.startswith("LIST"):
            yield from (b"LIST " + one for one in self.listed)
        elif words.startswith("EXAMINE"):
            yield f"{len(self.mail)} EXISTS".encode()
            yield f"OK [UIDVALIDITY {self.uidvalidity}] stable".encode()
        elif words.startswith("STATUS"):
            yield f'STATUS "INBOX" (MESSAGES {len(self.mail)} UIDVALIDITY 7)'.encode()
        elif words.startswith("UID SEARCH"):
            found = self._named(words) if "UID SEARCH UID" in words else tuple(self.mail)
            yield ("SEARCH " + " ".join(map(str, found))).strip().encode()
        elif words.startswith("UID FETCH"):
            for uid in asked.uids:
                yield self.fetched(uid, words)
        elif words == "LOGOUT":
            yield b"BYE"

    def fetched(self, uid: int, words: str) -> bytes:
        """Return the FETCH response of one message for what a command asks."""
        number = list(self.mail).index(uid) + 1
        raw = self.mail[uid]
        if found := _ATTRIBUTE.search(words):
            start, count = found.groups()
            part = raw if start is None else raw[int(start) : int(start) + int(count)]
            at = "" if start is None else f"<{start}>"
            head = f"{number} FETCH (UID {uid} BODY[]{at} {{{len(part)}}}\r\n"
            return head.encode() + part + b")"
        size = self.said_sizes.get(uid, len(raw))
        date = '"15-Mar-2024 10:22:00 +0800"'
        said = f"UID {uid} RFC822.SIZE {size} INTERNALDATE {date} FLAGS ({self.flags}){self.more}"
        return f"{number} FETCH ({said})".encode()

    def _named(self, words: str) -> tuple[int, ...]:
        found = re.match(r"UID (?:FETCH|SEARCH UID) ([\d,:*]+)", words)
        if not found:
            return ()
        text = found[1].replace("*", str(max(self.mail, default=1)))
        ranges = [part.partition(":") for part in text.split(",")]
        bounds = [sorted((int(first), int(last or first))) for first, _, last in ranges]
        return tuple(u for u in self.mail if any(low <= u <= high for low, high in bounds))

    def serve(self, listener: socket.socket) -> None:
        """Serve connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._one, args=(client,), daemon=True).start()

    def _one(self, client: socket.socket) -> None:
        with suppress(OSError):
            if self.tls is not None and "STARTTLS" not in self.capabilities:
                client = self.tls.wrap_socket(client, server_side=True)
            self.talk(client)


@contextmanager
def scripted(script: Script) -> Iterator[Script]:
    """Serve on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        script.port = listener.getsockname()[1]
        thread = threading.Thread(target=script.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield script
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(DEADLINE_S)


__all__ = ["Asked", "Cut", "Script", "honest", "scripted"]
