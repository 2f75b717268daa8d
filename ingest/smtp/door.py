"""Decides who may come in, for how many, and what may be delivered; keeps nothing itself."""

from __future__ import annotations

import hmac
from collections import Counter
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import AuthResult, LoginPassword

from holdfast.ingest.smtp.session import TROUBLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aiosmtpd.smtp import Envelope, Session

    from holdfast.ingest.smtp.committing import Letter, Note
    from holdfast.ingest.smtp.config import SmtpConfig
    from holdfast.ingest.smtp.session import JournalSession


class Door:
    """What all sessions of one listener share: aiosmtpd calls it a handler."""

    def __init__(
        self,
        config: SmtpConfig,
        spool: Path,
        hand_over: Callable[[Letter], None],
        report: Callable[[Note], None],
    ) -> None:
        self.config = config
        self.spool = spool
        self.hand_over = hand_over
        self.sessions: set[JournalSession] = set()
        self.addresses: dict[str, tuple[str | None, str | None]] = {}
        """Argument of a command → what it names; kept by the sessions."""
        self._report = report
        self._by_peer: Counter[str] = Counter()

    def lets_in(self, peer: str, session: JournalSession) -> bool:
        """Count a client in; False when there are too many already."""
        bounds = self.config.bounds
        if len(self.sessions) >= bounds.connections:
            return self._refuses(peer, "connections")
        if self._by_peer[peer] >= bounds.connections_per_peer:
            return self._refuses(peer, "connections_per_peer")
        self._by_peer[peer] += 1
        self.sessions.add(session)
        return True

    def lets_out(self, peer: str, session: JournalSession) -> None:
        """Count a client out; once."""
        if session in self.sessions:
            self.sessions.remove(session)
            self._by_peer[peer] -= 1
            if not self._by_peer[peer]:
                del self._by_peer[peer]

    def coming(self) -> int:
        """Count the messages that are on their way; may be called in any thread."""
        return sum(one.is_coming for one in tuple(self.sessions))

    def authenticate(
        self, _server: Any, session: Session, _envelope: Any, _mechanism: str, given: Any
    ) -> AuthResult:
        """Compare name and password, in the same time whatever is wrong with them."""
        login = self.config.login
        if login is None or not isinstance(given, LoginPassword):
            return AuthResult(success=False, handled=False)
        is_name = hmac.compare_digest(given.login, login.name.encode())
        is_password = hmac.compare_digest(given.password, login.password.encode())
        if is_name and is_password:
            return AuthResult(success=True, auth_data=login.name)
        self._report({"event": "smtp.refused", "peer": _peer(session), "cause": "login"})
        return AuthResult(success=False, handled=False)

    def user_of(self, session: Session) -> str:
        """Return as whom the client was authenticated; empty where it was not."""
        return str(session.auth_data) if session.authenticated else ""

    async def handle_EHLO(  # noqa: N802 - the library's name
        self, _server: Any, session: Session, _envelope: Envelope, name: str, said: list[str]
    ) -> list[str]:
        """Offer a login only where there is one."""
        session.host_name = name
        return [one for one in said if self.config.login or not one.startswith("250-AUTH")]

    async def handle_MAIL(  # noqa: N802 - the library's name
        self, _server: Any, session: Session, envelope: Envelope, sender: str, options: list[str]
    ) -> str:
        """Take mail from those who may deliver."""
        if not session.authenticated and not self.config.trusts(_peer(session)):
            self._refuses(_peer(session), "peer")
            return "550 5.7.1 You may not deliver here"
        envelope.mail_from = sender
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: Any, session: Session, envelope: Envelope, to: str, options: list[str]
    ) -> str:
        """Take mail for the journal's addresses alone: nothing is relayed."""
        if not self.config.takes(to):
            self._refuses(_peer(session), "recipient")
            return "550 5.1.1 No journal has this address"
        envelope.rcpt_tos.append(to)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_exception(self, error: Exception) -> str:
        """Answer for a fault of ours: a permanent refusal would lose the message for ever."""
        self._report({"event": "smtp.fault", "cause": repr(error)[:300]})
        return TROUBLE

    def _refuses(self, peer: str, cause: str) -> bool:
        self._report({"event": "smtp.refused", "peer": peer, "cause": cause})
        return False


def _peer(session: Session) -> str:
    return str(session.peer[0]) if session.peer else ""
