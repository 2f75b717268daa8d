"""Decides who may come in, for how many, and what may be delivered; keeps nothing itself."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import AuthResult, LoginPassword

from holdfast.core.records import NO_TRUST, Trust
from holdfast.ingest.smtp.crowd import Crowd
from holdfast.ingest.smtp.session import TROUBLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiosmtpd.smtp import Envelope, Session

    from holdfast.ingest.smtp.committing import Letter, Reception
    from holdfast.ingest.smtp.config import SmtpConfig
    from holdfast.ingest.smtp.session import JournalSession

STRANGER = "554 5.7.1 You may not deliver here"
TOO_MANY = "421 4.7.0 Too many connections; try again later"
TOO_OFTEN = "454 4.7.0 Too many failed logins; try again later"


class Door:
    """What all sessions of one listener share: aiosmtpd calls it a handler."""

    def __init__(
        self,
        config: SmtpConfig,
        reception: Reception,
        hand_over: Callable[[Letter], None],
    ) -> None:
        self.config = config
        self.spool = reception.spool
        self.hand_over = hand_over
        self.crowd = Crowd(config)
        self.addresses: dict[str, tuple[str | None, str | None]] = {}
        """Argument of a command → what it names; kept by the sessions."""
        self.tally = reception.tally
        self._sessions: set[JournalSession] = set()
        self._begun: set[JournalSession] = set()
        """Those that have begun a message at some time, which are few of those that are there."""
        self._report = reception.report
        self._pressure = reception.pressure

    @property
    def sessions(self) -> tuple[JournalSession, ...]:
        """All that are there just now."""
        return tuple(self._sessions)

    def lets_in(self, session: JournalSession) -> str:
        """Count a client in; else return what to tell it."""
        cause = self.crowd.refusal(session.peer)
        if cause:
            self.refuse(session.peer, cause, **self.crowd.bound_of(cause))
            return STRANGER if cause == "peer" else TOO_MANY
        self.crowd.let_in(session)
        self._sessions.add(session)
        self.tally.connections = len(self._sessions)
        return ""

    def lets_out(self, session: JournalSession) -> None:
        """Count a client out; may be repeated."""
        self.crowd.let_out(session)
        self._sessions.discard(session)
        self._begun.discard(session)
        self.tally.connections = len(self._sessions)

    def coming(self) -> int:
        """Count the messages that are on their way; may be called in any thread."""
        return sum(one.is_coming for one in tuple(self._begun))

    def authenticate(
        self, _server: Any, session: Session, _envelope: Any, _mechanism: str, given: Any
    ) -> AuthResult:
        """Compare name and password, in the same time whatever is wrong with them."""
        login, peer = self.config.login, _peer(session)
        if login is None or not isinstance(given, LoginPassword):
            return AuthResult(success=False, handled=False)
        if not self.crowd.may_log_in(peer):
            self.refuse(peer, "login_failures")
            return AuthResult(success=False, handled=False, message=TOO_OFTEN)
        is_name = hmac.compare_digest(given.login, login.name.encode())
        is_password = hmac.compare_digest(given.password, login.password.encode())
        if is_name and is_password:
            return AuthResult(success=True, auth_data=login.name)
        self.crowd.note_failed_login(peer)
        self.refuse(peer, "login")
        return AuthResult(success=False, handled=False)

    def user_of(self, session: Session) -> str:
        """Return as whom the client was authenticated; empty where it was not."""
        return str(session.auth_data) if session.authenticated else ""

    def name_of(self, session: Session) -> str:
        """Return the name of the certificate that lets the client in; empty without."""
        given = session.ssl.get("peercert") if session.ssl else None
        return self.config.clients.name_in(given) if given and self.config.clients else ""

    def trust_in(self, session: Session, recipients: Sequence[str]) -> Trust:
        """Return how far a client that may deliver is believed of a message for these addresses."""
        if self.config.is_drop(recipients):  # people send there, through a server that may journal
            return NO_TRUST
        is_vouched = bool(self.user_of(session) or self.name_of(session))
        if not is_vouched and not self.config.believes(_peer(session)):
            return NO_TRUST
        reports, fields = not self.config.is_copy(recipients), self.config.envelope_fields
        return Trust(reports, fields, tuple(sorted(self.config.own)))

    async def handle_EHLO(  # noqa: N802 - the library's name
        self, _server: Any, session: Session, _envelope: Envelope, name: str, said: list[str]
    ) -> list[str]:
        """Offer a login only where there is one, and to take messages in chunks."""
        session.host_name = name
        some = [one for one in said if self.config.login or not one.startswith("250-AUTH")]
        return [*some[:-1], "250-CHUNKING", *some[-1:]]

    async def handle_MAIL(  # noqa: N802 - the library's name
        self,
        server: JournalSession,
        session: Session,
        envelope: Envelope,
        sender: str,
        options: list[str],
    ) -> str:
        """Take mail from those who may deliver."""
        is_vouched = session.authenticated or self.name_of(session)
        if not is_vouched and not self.config.trusts(_peer(session)):
            self.refuse(_peer(session), "peer")
            return "550 5.7.1 You may not deliver here"
        if self._pressure.backlog >= self.config.bounds.backlog:
            self.refuse(_peer(session), "backlog")
            return "452 4.3.1 Too much waits to be filed; try again later"
        self._begun.add(server)
        envelope.mail_from = sender
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: Any, session: Session, envelope: Envelope, to: str, options: list[str]
    ) -> str:
        """Take mail for the journal's addresses alone: nothing is relayed."""
        if not self.config.takes(to):
            self.refuse(_peer(session), "recipient")
            return "550 5.1.1 No journal has this address"
        envelope.rcpt_tos.append(to)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_exception(self, error: Exception) -> str:
        """Answer for a fault of ours: a permanent refusal would lose the message for ever."""
        self._report({"event": "smtp.fault", "cause": repr(error)[:300]})
        return TROUBLE

    def refuse(self, peer: str, cause: str, **facts: object) -> None:
        """Count a refusal, and tell of it."""
        self.tally.refused[cause] += 1
        self._report({"event": "smtp.refused", "peer": peer, "cause": cause, **facts})


def _peer(session: Session) -> str:
    return str(session.peer[0]) if session.peer else ""
