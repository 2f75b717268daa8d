"""One signed-in connection to an IMAP server, which can only look: no command of it changes mail.

Built on IMAPClient, whose own methods send whatever they are given: every argument that goes to the
server is checked here first.
"""

from __future__ import annotations

import re
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientError

from holdfast.core.errors import Refused
from holdfast.ingest.imap.abilities import (
    Namespace,
    as_literal,
    enabled,
    foreign_prefix,
    is_worth_compressing,
    namespaces_of,
)
from holdfast.ingest.imap.failures import Lost, SaidNo, refusal, translated
from holdfast.ingest.imap.hosts import refuse_controls
from holdfast.ingest.imap.metering import MIB, SMALL_ANSWER, Meter
from holdfast.ingest.imap.names import Folder
from holdfast.ingest.imap.replies import Reply, replies
from holdfast.ingest.imap.resyncing import Examined, Since, examined
from holdfast.ingest.imap.signing.entrance import by_password, by_token, quoted
from holdfast.ingest.imap.uid_sets import MOST, packed
from holdfast.ingest.imap.wire.client import Client
from holdfast.ingest.imap.wire.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.ingest.imap.account import Account

CONNECT_S = 30.0
READ_S = 120.0
SEARCH_BYTES = 128 * MIB
"""Room for more than ten million UIDs."""
DESCRIPTION_BYTES = 16 * 1024
"""Room for what is said of one message apart from its body."""
HEADER_BYTES = 256 * 1024
"""Room for the addresses of one message."""
PART_BYTES = MIB
"""Of a large body, for one round trip."""
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_PEOPLE = "FROM SENDER TO CC BCC"
_ID = ("name", "holdfast", "vendor", "Holdfast")


@dataclass(slots=True)
class Session:
    """Made by `connect`; close it at the end."""

    account: Account
    client: IMAPClient
    meter: Meter
    capabilities: frozenset[str] = field(default_factory=frozenset)
    is_encrypted: bool = False
    has_utf8_names: bool = False
    """Names of folders cross the wire as UTF-8, not as modified UTF-7."""
    has_resync: bool = False
    """The server tells what changed in a folder while it is opened (QRESYNC)."""

    def sign_in(self, secret: bytes) -> None:
        """Sign in, then say who we are where the server asks for it (RFC 2971).

        Raises:
            SignInRefused: Once is enough; the same again would be refused again.
            Lost: The connection broke, or the server is busy.
        """
        with translated(self.account):
            by_password(self.account, self.client, self.capabilities, secret)
            self._settle()

    def sign_in_by_token(self, token: str) -> None:
        """Sign in with an access token (RFC 7628), then as `sign_in`.

        Raises:
            TokenRefused: The server does not take it; the connection is of no use any more.
            SignInRefused: It takes no tokens at all.
            Lost: The connection broke, or the server is busy.
        """
        with translated(self.account):
            by_token(self.account, self.client, self.capabilities, token)
            self._settle()

    def _settle(self) -> None:
        """Say who we are, and learn what the server offers from here on."""
        self.client._cached_capabilities = None
        self.capabilities = _capabilities(self.client)
        if "ID" in self.capabilities:  # some services give nothing before it
            with suppress(IMAPClientError):
                self._plain("ID", "(" + " ".join(map(quoted, _ID)) + ")")
        stream = self.meter.stream
        if "COMPRESS=DEFLATE" in self.capabilities and is_worth_compressing(self.account, stream):
            typ, _ = self._imap.xatom("COMPRESS", "DEFLATE")
            if typ == "OK":
                stream.compress()
        # Without it a server may hide or rewrite messages with UTF-8 in their header (RFC 6855, 3).
        if {"ENABLE", "UTF8=ACCEPT"} <= self.capabilities and enabled(self._imap, "UTF8=ACCEPT"):
            self._imap._mode_utf8()
            self.has_utf8_names = True
        # Gmail's labels would be missing from what it tells.
        if {"ENABLE", "QRESYNC"} <= self.capabilities and "X-GM-EXT-1" not in self.capabilities:
            self.has_resync = enabled(self._imap, "QRESYNC")

    def folders(self) -> list[Folder]:
        """Return the folders of the account in the order of the server.

        Raises:
            Lost: The connection broke.
            SaidNo: The server gives no list.
        """
        namespaces = self._namespaces()
        others = [one.prefix for one in namespaces if one.kind != "personal" and one.prefix]
        found: dict[bytes, Folder] = {}
        for pattern in ("*", *(one + b"*" for one in others)):
            self.meter.allow(SMALL_ANSWER)
            with translated(self.account):
                listed = self.client.list_folders("", pattern)
            for flags, _, name in listed:
                folder = self._folder(flags, name, namespaces)
                found.setdefault(folder.wire, folder)
        return list(found.values())

    def _namespaces(self) -> list[Namespace]:
        if "NAMESPACE" not in self.capabilities:
            return []
        self.meter.allow(SMALL_ANSWER)
        with translated(self.account):
            self._imap.untagged_responses.pop("NAMESPACE", None)
            typ, data = self._imap.namespace()
        return namespaces_of(data) if typ == "OK" else []

    def _folder(
        self, flags: Iterable[bytes], name: bytes | str, namespaces: Sequence[Namespace]
    ) -> Folder:
        wire = name.encode() if isinstance(name, str) else name
        said = tuple(flag.decode("ascii", "replace").lower() for flag in flags)
        prefix = foreign_prefix(wire, namespaces)
        return Folder(wire, said, self.has_utf8_names, prefix)

    def examine(self, folder: Folder, since: Since | None = None) -> Examined:
        """Open a folder for reading only.

        Args:
            folder: Which.
            since: Ask for what changed since, where the server can tell.

        Raises:
            SaidNo: It is not there any more, may not be read, or its name cannot be sent.
            Lost: The connection broke.
        """
        name = self._checked(folder)
        if name is None or not self.has_resync:
            since = None
        self.meter.allow(SEARCH_BYTES if since else SMALL_ANSWER)
        with translated(self.account):
            return examined(self.client, name, since)

    def counts(self, folder: Folder) -> dict[bytes, int]:
        """Return MESSAGES and UIDVALIDITY of a folder that need not be open (RFC 9051, 6.3.11).

        Raises:
            SaidNo: The server does not tell, or the name cannot be sent within a command.
            Lost: The connection broke.
        """
        name = self._checked(folder)
        if name is None:
            self._imap.literal = None  # it would follow the command, and more words must
            raise SaidNo("The folder's name can only be sent at the end of a command.")
        self.meter.allow(SMALL_ANSWER)
        with translated(self.account):
            typ, data = self._imap.status(name, "(MESSAGES UIDVALIDITY)")
            if typ != "OK":
                raise refusal("STATUS", data[-1])
            words = (data[-1] or b"").rpartition(b"(")[2].strip(b") ").split()
            return dict(zip(words[::2], map(int, words[1::2]), strict=False))

    def _checked(self, folder: Folder) -> str | bytes | None:
        """Return the name as an argument; None when it comes as a literal behind the command."""
        if _CONTROL.search(folder.wire):
            raise SaidNo("The folder's name holds control characters.", next_step="Rename it.")
        if folder.wire.isascii():
            return quoted(folder.wire.decode())
        if folder.is_utf8:
            with suppress(UnicodeDecodeError):
                return quoted(folder.wire.decode())
        literal = as_literal(folder.wire, self.capabilities)
        if literal is None:
            self._imap.literal = folder.wire
        return literal

    def uids(self, among: Iterable[int] | None = None) -> list[int]:
        """Return the UIDs of the open folder, or which of these it still has; ascending.

        Raises:
            Lost: The connection broke.
            SaidNo: The server refused.
        """
        self.meter.allow(SEARCH_BYTES)
        if among is None:
            return self._searched("ALL")
        self._noop()  # so that expunges of others come to light
        return self._searched("UID " + packed(among))

    def uids_above(self, uid: int) -> list[int]:
        """Return the UIDs of the open folder that are larger than this one; ascending."""
        self.meter.allow(SEARCH_BYTES)
        found = self._searched(f"UID {min(uid + 1, MOST)}:*")
        return [one for one in found if one > uid]  # `n:*` is never empty: the last one counts

    def changed_flags(self, uids: Sequence[int], since: int | None = None) -> list[Reply]:
        """Return the flags, and Gmail's labels, of messages of the open folder.

        Args:
            uids: Which.
            since: Only of those that changed after this MODSEQ (RFC 7162, 3.1.4.1).
        """
        self.meter.allow(SMALL_ANSWER + DESCRIPTION_BYTES * len(uids))
        gmail = " X-GM-LABELS" if "X-GM-EXT-1" in self.capabilities else ""
        changed = "" if since is None else f" (CHANGEDSINCE {since})"
        return self._fetch(uids, f"(UID FLAGS{gmail}){changed}")

    def headers(self, uids: Sequence[int]) -> list[Reply]:
        """Return whose the messages are, as their headers say; sets no flag."""
        self.meter.allow(SMALL_ANSWER + HEADER_BYTES * len(uids))
        return self._fetch(uids, f"(UID BODY.PEEK[HEADER.FIELDS ({_PEOPLE})])")

    def _searched(self, criteria: str) -> list[int]:
        lines = self._uid("SEARCH", criteria)
        found: set[int] = set()
        with translated(self.account):
            for line in lines:
                words = line.partition(b"(")[0].split()  # what follows is a MODSEQ (RFC 7162)
                found.update(map(int, words))
        return sorted(uid for uid in found if 0 < uid <= MOST)

    def describe(self, uids: Sequence[int]) -> list[Reply]:
        """Return size, time and flags of messages, as far as the server tells them."""
        self.meter.allow(SMALL_ANSWER + DESCRIPTION_BYTES * len(uids))
        gmail = " X-GM-LABELS X-GM-MSGID" if "X-GM-EXT-1" in self.capabilities else ""
        return self._fetch(uids, f"(UID RFC822.SIZE INTERNALDATE FLAGS{gmail})")

    def bodies(self, uids: Sequence[int], size_bytes: int) -> list[Reply]:
        """Return whole messages; sets no flag.

        Args:
            uids: Few and small ones.
            size_bytes: What they come to by the server's own account; twice as much may come.
        """
        self.meter.allow(2 * size_bytes + MIB + DESCRIPTION_BYTES * len(uids))
        return self._fetch(uids, "(UID BODY.PEEK[])")

    def part(self, uid: int, offset: int) -> bytes | None:
        """Return at most `PART_BYTES` of a message from an offset; None when there is no message.

        Sets no flag.
        """
        self.meter.allow(PART_BYTES + MIB)
        found = self._fetch([uid], f"(UID BODY.PEEK[]<{offset}.{PART_BYTES}>)")
        return next((one.body for one in found if one.uid == uid and one.body is not None), None)

    def close(self) -> None:
        """Sign out and close the connection."""
        self.meter.allow(SMALL_ANSWER)
        with suppress(IMAPClientError, OSError, Lost):
            self.client.logout()
        self.abandon()

    def abandon(self) -> None:
        """Close a connection that is of no use any more, without a word."""
        with suppress(OSError):
            self.client.shutdown()

    @property
    def _imap(self) -> Any:
        return self.client._imap

    def _noop(self) -> None:
        with translated(self.account):
            self._plain("NOOP")

    def _plain(self, command: str, *arguments: str) -> None:
        for one in arguments:
            refuse_controls(one)
        typ, data = self._imap._simple_command(command, *arguments)
        if typ != "OK":
            raise refusal(command, data[-1])

    def _uid(self, command: str, *arguments: str) -> list[Any]:
        """Run a command on UIDs; return what came with it, also where it ended with NO."""
        for one in arguments:
            refuse_controls(one)
        with translated(self.account):
            self._imap.untagged_responses.pop(command, None)
            typ, data = self._imap.uid(command, *arguments)
            if typ == "OK":
                return [one for one in data if one]
            kept = self._imap.untagged_responses.pop(command, [])
            if command == "FETCH" and typ == "NO" and kept:  # some of the messages were expunged
                return list(kept)
            raise refusal(f"UID {command}", data[-1])

    def _fetch(self, uids: Sequence[int], items: str) -> list[Reply]:
        lines = self._uid("FETCH", packed(uids), items)
        with translated(self.account):
            wanted = set(uids)
            return [one for one in replies(lines) if one.uid in wanted]


def connect(account: Account, proxy_password: str = "") -> Session:
    """Connect, encrypted as the account says; nobody is signed in yet.

    Raises:
        Unavailable: The server cannot be found or reached, or the connection broke.
        Refused: It may not be reached, its certificate is not valid for it, or it offers no
            STARTTLS.
    """
    with translated(account):
        stream = Stream(account.dial(proxy_password).open(account.target))
        try:
            return _prepared(account, stream)
        except BaseException:
            with suppress(OSError):
                stream.close()
            raise


def _prepared(account: Account, stream: Stream) -> Session:
    if account.tls == "implicit":
        stream.encrypt(context_of(account), account.host)
    meter = Meter(stream)
    client = Client(meter, account.host, account.port, SocketTimeout(CONNECT_S, READ_S))
    client._imap.debug = 0  # else every line, the secret's too, is made into text for a log
    client.folder_encode = False
    if account.tls == "starttls":
        _start_tls(account, client, meter)
    return Session(account, client, meter, _capabilities(client), account.tls != "none")


def _start_tls(account: Account, client: IMAPClient, meter: Meter) -> None:
    """Go over to TLS, and forget all that was said before: anybody may have said it."""
    imap = client._imap
    if imap.state != "NONAUTH":
        raise Refused(
            f"{account.place} greets us as signed in already, which rules out STARTTLS.",
            next_step="Try --tls implicit with --port 993.",
        )
    if not client.has_capability("STARTTLS"):
        raise Refused(
            f"{account.place} does not offer STARTTLS.",
            next_step="Try --tls implicit with --port 993.",
        )
    typ, data = imap._simple_command("STARTTLS")
    if typ != "OK":
        raise refusal("STARTTLS", data[-1])
    meter.stream.encrypt(context_of(account), account.host)
    imap.sock = meter.stream.wire
    imap._tls_established = True
    imap.untagged_responses = {}
    client._cached_capabilities = None
    imap._get_capabilities()


def context_of(account: Account) -> ssl.SSLContext:
    """Return what is trusted.

    Raises:
        Refused: The file of the authority cannot be read.
    """
    try:
        return ssl.create_default_context(cafile=account.ca_file or None)
    except OSError as error:
        raise Refused(
            f"The certificates in {account.ca_file} cannot be read.", next_step="Check --ca-file."
        ) from error


def _capabilities(client: IMAPClient) -> frozenset[str]:
    return frozenset(one.decode("ascii", "replace").upper() for one in client.capabilities())


__all__ = ["Examined", "Lost", "Session", "connect"]
