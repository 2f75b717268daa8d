"""Runs the listener: opens its port, serves sessions, and ends in order; files nothing."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.core.errors import Refused, Unavailable
from holdfast.ingest.library_notes import libraries_told
from holdfast.ingest.smtp.chunking import ChunkingSession
from holdfast.ingest.smtp.committing import Gathering, GroupCommit, Reception
from holdfast.ingest.smtp.door import Door
from holdfast.ingest.smtp.lmtp import LmtpSession
from holdfast.ingest.smtp.open_files import room_for
from holdfast.ingest.smtp.session import JournalSession

if TYPE_CHECKING:
    from socket import socket as Socket  # noqa: N812 - a class

    from holdfast.ingest.smtp.config import Clients, SmtpConfig

SWITCH_S = 0.0005
"""Python's default of 5 ms makes the thread that writes wait for that which talks at every step."""
GLANCE_S = 0.2
"""A request to end is heeded within this time."""
FAREWELL_S = 10.0
"""How long sessions are given to take their last answer."""


def listen(config: SmtpConfig, reception: Reception, is_asked: Callable[[], bool]) -> None:
    """Serve until asked to end; then take no more, settle what was received, and return.

    Raises:
        Refused: The certificate or its key cannot be used.
        Unavailable: The address cannot be listened on.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        with libraries_told(reception.report, "mail.log"):
            asyncio.run(_Listener(_with_files(config, reception), reception, is_asked).run())
    finally:
        sys.setswitchinterval(before)


def _with_files(config: SmtpConfig, reception: Reception) -> SmtpConfig:
    """Let in no more clients than there may be files: one above would be left without a word."""
    bounds = config.bounds
    room = room_for(bounds.connections)
    if room < bounds.connections:
        facts = {"asked": bounds.connections, "connections": room}
        reception.report({"event": "smtp.few_files", **facts})
    return replace(config, bounds=replace(bounds, connections=room))


class _Listener:
    def __init__(
        self, config: SmtpConfig, reception: Reception, is_asked: Callable[[], bool]
    ) -> None:
        self._config = config
        self._is_asked = is_asked
        self._report = reception.report
        self._tls = tls_context(config) if config.certificate else None
        self._lmtp_ports: set[int] = set()
        self._commit = GroupCommit(reception, Gathering(lambda: self._door.coming()))
        self._door = Door(config, reception, self._commit.hand_over)

    async def run(self) -> None:
        try:
            servers = await self._open_all()
            for server in servers:
                for socket in server.sockets:
                    self._tell_place(socket)
            while not self._is_asked():
                await asyncio.sleep(GLANCE_S)
            for server in servers:
                server.close()
            await self._end_sessions()
        finally:
            await asyncio.to_thread(self._commit.close)
        self._report({"event": "smtp.ended"})

    def _tell_place(self, socket: Socket) -> None:
        host, port = socket.getsockname()[:2]
        event = "smtp.listening" if port not in self._lmtp_ports else "lmtp.listening"
        self._report({"event": event, "host": host, "port": port})

    async def _open_all(self) -> list[asyncio.Server]:
        servers = []
        if self._config.lmtp_port is not None:
            server = await self._open(self._config.lmtp_port, LmtpSession)
            self._lmtp_ports = {one.getsockname()[1] for one in server.sockets}
            servers.append(server)
        return [*servers, await self._open(self._config.port, ChunkingSession)]

    async def _open(self, port: int, kind: type[JournalSession]) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        pattern = self._session(loop, kind)
        try:
            return await loop.create_server(pattern.another, self._config.host, port, backlog=512)
        except OSError as error:
            raise Unavailable(
                f"{self._config.host} port {port} cannot be listened on: {error}.",
                next_step="Correct smtp.host and smtp.port, or end what listens there.",
            ) from error

    def _session(
        self, loop: asyncio.AbstractEventLoop, kind: type[JournalSession]
    ) -> JournalSession:
        bounds = self._config.bounds
        few = dict.fromkeys(("NOOP", "RSET", "EHLO", "HELO", "LHLO", "HELP", "VRFY"), bounds.noops)
        return kind(
            self._door,
            loop=loop,
            hostname=self._config.hostname,
            ident="ESMTP Holdfast",
            data_size_limit=bounds.message_bytes,
            enable_SMTPUTF8=True,
            timeout=bounds.idle_s,
            tls_context=self._tls,
            authenticator=self._door.authenticate,
            command_call_limit={**few, "AUTH": 5, "*": 1 << 30},
        )

    async def _end_sessions(self) -> None:
        """Let those that wait for their 250 have it; the others keep their mail and come back."""
        deadline = asyncio.get_running_loop().time() + FAREWELL_S
        while self._door.sessions and asyncio.get_running_loop().time() < deadline:
            for session in self._door.sessions:
                if not session.is_waiting:
                    session.leave()
            await asyncio.sleep(0.02)
        for session in self._door.sessions:
            session.abort()


def tls_context(config: SmtpConfig) -> ssl.SSLContext:
    """Return what STARTTLS uses: TLS 1.2 and later, and certificates of clients where they count.

    Raises:
        Refused: The files cannot be read, or do not belong together.
    """
    certificate = config.certificate
    if certificate is None:
        raise AssertionError("it is asked for with a certificate alone")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate.chain, certificate.key)
    except (OSError, ssl.SSLError) as error:
        raise Refused(
            f"The certificate {certificate.chain} cannot be used: {error}.",
            next_step="Check smtp.tls_certificate and smtp.tls_key.",
        ) from error
    if config.clients is not None:
        context.verify_mode = ssl.CERT_OPTIONAL
        _load_authority(context, config.clients)
    return context


def _load_authority(context: ssl.SSLContext, clients: Clients) -> None:
    try:
        context.load_verify_locations(clients.authority)
    except (OSError, ssl.SSLError) as error:
        raise Refused(
            f"The authorities in {clients.authority} cannot be used: {error}.",
            next_step="Check smtp.client_ca.",
        ) from error
