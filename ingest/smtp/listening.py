"""Runs the listener: opens its port, serves sessions, and ends in order; files nothing."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

from holdfast.core.errors import Refused, Unavailable
from holdfast.ingest.smtp.committing import GroupCommit, Reception
from holdfast.ingest.smtp.door import Door
from holdfast.ingest.smtp.session import JournalSession

if TYPE_CHECKING:
    from holdfast.ingest.smtp.config import Certificate, SmtpConfig

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
    asyncio.run(_Listener(config, reception, is_asked).run())


class _Listener:
    def __init__(
        self, config: SmtpConfig, reception: Reception, is_asked: Callable[[], bool]
    ) -> None:
        self._config = config
        self._is_asked = is_asked
        self._report = reception.report
        self._tls = tls_context(config.certificate) if config.certificate else None
        self._commit = GroupCommit(reception, lambda: self._door.coming())
        self._door = Door(config, reception.spool, self._commit.hand_over, reception.report)

    async def run(self) -> None:
        try:
            server = await self._open()
            for socket in server.sockets:
                host, port = socket.getsockname()[:2]
                self._report({"event": "smtp.listening", "host": host, "port": port})
            while not self._is_asked():
                await asyncio.sleep(GLANCE_S)
            server.close()
            await self._end_sessions()
        finally:
            await asyncio.to_thread(self._commit.close)
        self._report({"event": "smtp.ended"})

    async def _open(self) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        try:
            return await loop.create_server(
                lambda: self._session(loop), self._config.host, self._config.port, backlog=512
            )
        except OSError as error:
            raise Unavailable(
                f"{self._config.host} port {self._config.port} cannot be listened on: {error}.",
                next_step="Correct smtp.host and smtp.port, or end what listens there.",
            ) from error

    def _session(self, loop: asyncio.AbstractEventLoop) -> JournalSession:
        bounds = self._config.bounds
        few = dict.fromkeys(("NOOP", "RSET", "EHLO", "HELO", "HELP", "VRFY", "AUTH"), bounds.noops)
        return JournalSession(
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
            for session in tuple(self._door.sessions):
                if not session.is_waiting:
                    session.leave()
            await asyncio.sleep(0.02)
        for session in tuple(self._door.sessions):
            session.abort()


def tls_context(certificate: Certificate) -> ssl.SSLContext:
    """Return what STARTTLS uses: TLS 1.2 and later.

    Raises:
        Refused: The files cannot be read, or do not belong together.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate.chain, certificate.key)
    except (OSError, ssl.SSLError) as error:
        raise Refused(
            f"The certificate {certificate.chain} cannot be used: {error}.",
            next_step="Check smtp.tls_certificate and smtp.tls_key.",
        ) from error
    return context
