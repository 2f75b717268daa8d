"""The way into one account: connects, and signs in with what the source's secret holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.core.errors import Refused
from holdfast.ingest.imap.failures import SignInRefused, TokenRefused, translated
from holdfast.ingest.imap.session import Session, connect, context_of
from holdfast.ingest.imap.signing.oauth import Credentials, unsealed

if TYPE_CHECKING:
    from holdfast.ingest.imap.account import Account
    from holdfast.ingest.imap.signing.tokens import Kept, Tokens


@dataclass(slots=True)
class Door:
    """One account; `connected`, then `entered`, as often as connections are needed."""

    account: Account
    secret: bytes = field(repr=False)
    kept: Kept | None = None
    """Where the secret lies; tokens need it, since they change."""
    _tokens: Tokens | None = None

    def connected(self) -> Session:
        """Connect, encrypted as the account says.

        Raises:
            As `connect`.
        """
        return connect(self.account, self._credentials().proxy_password)

    def entered(self, session: Session) -> Session:
        """Sign in; return the session to work with, another one where a token was renewed.

        A session that is not returned is closed.

        Raises:
            SignInRefused: Once is enough, by password; a token is renewed once.
            Lost: The connection broke, or somebody is busy.
        """
        try:
            if self.account.oauth is None:
                session.sign_in(self._credentials().password.encode())
                return session
            tokens = self._kept_tokens()
            token = tokens.access()
            try:
                session.sign_in_by_token(token)
            except TokenRefused:
                session.abandon()
                session = self.connected()
                self._again(session, tokens.access(refused=token))
        except BaseException:
            session.abandon()
            raise
        return session

    def _again(self, session: Session, token: str) -> None:
        try:
            session.sign_in_by_token(token)
        except TokenRefused as error:
            raise SignInRefused(
                f"{error.cause} The token was new.",
                next_step="Check --user and --scope, and that the service lets the client in.",
            ) from None

    def _kept_tokens(self) -> Tokens:
        account = self.account
        if self._tokens is None:
            if account.oauth is None or self.kept is None:
                raise Refused("Tokens have no place to be kept.")
            # Its clients are an eighth of what an import or a worker would load before it begins.
            from holdfast.ingest.imap.signing.tokens import Tokens

            dial = account.dial(self._credentials().proxy_password)
            with translated(account):
                context = context_of(account)
            self._tokens = Tokens(account.oauth, account.user, self.kept, dial, context)
        return self._tokens

    def _credentials(self) -> Credentials:
        if self.account.has_plain_secret:
            try:
                return Credentials(password=self.secret.decode())
            except UnicodeDecodeError as error:
                raise Refused("The secret is not UTF-8.", next_step="Write it anew.") from error
        return unsealed(self.secret)
