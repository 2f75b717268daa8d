"""Says who we are to a server that is connected, by password or token; shows no secret."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from imapclient.exceptions import IMAPClientError

from holdfast.core.errors import Refused
from holdfast.ingest.imap.failures import (
    Lost,
    SaidNo,
    TokenRefused,
    blames_secret,
    refusal,
    sign_in_refusal,
    told,
)
from holdfast.ingest.imap.hosts import refuse_controls
from holdfast.ingest.imap.signing.sasl import MECHANISMS, Exchange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.ingest.imap.account import Account


def by_password(account: Account, client: Any, capabilities: frozenset[str], secret: bytes) -> None:
    """Sign in by AUTHENTICATE PLAIN, else by LOGIN.

    Raises:
        SignInRefused: The server does not let us in.
        Refused: It offers no way, or the secret cannot be sent.
    """
    user = account.user
    try:
        password = secret.decode()
        refuse_controls(password)
        if "AUTH=PLAIN" in capabilities:
            client.plain_login(user, password)
            return
        if "LOGINDISABLED" in capabilities or not (user + password).isascii():
            raise Refused(
                f"{account.host} offers no way to sign in that we know.",
                next_step="Check --tls and --port; the server may want tokens: --oauth.",
            )
        typ, data = client._imap._simple_command("LOGIN", quoted(user), quoted(password))
        if typ != "OK":
            said = data[-1]
            raise SaidNo(told(said)) if blames_secret(said) else refusal("LOGIN", said)
        client._imap.state = "AUTH"
    except UnicodeDecodeError as error:
        raise Refused("The secret is not UTF-8.", next_step="Write it anew.") from error
    except (IMAPClientError, SaidNo) as error:
        if isinstance(error, client.AbortError):
            raise
        words = _without(str(error), _forms(user, secret))
        raise sign_in_refusal(account, words) from None


def by_token(account: Account, client: Any, capabilities: frozenset[str], token: str) -> None:
    """Sign in by OAUTHBEARER, else by XOAUTH2.

    Raises:
        TokenRefused: The server does not take it.
        Refused: It takes no tokens.
        Busy: It asks to come back later.
    """
    offered = [one for one in MECHANISMS if f"AUTH={one}" in capabilities]
    if not offered:
        raise Refused(
            f"{account.host} takes no tokens.",
            next_step="Check --host; leave --oauth out for signing in by password.",
        )
    refuse_controls(account.user)
    exchange = Exchange(offered[0], account.user, account.host, account.port, token)
    imap = client._imap
    try:
        imap.authenticate(offered[0], exchange.answer)
    except imap.error as error:
        if isinstance(error, imap.abort):
            raise
        found = sign_in_refusal(account, _without(str(error), exchange.forms()))
        if isinstance(found, Lost):
            raise found from None
        words = told(_without(exchange.status or str(error), exchange.forms()))
        raise TokenRefused(
            f"{account.host} does not take the token of {account.user}: {words}."
        ) from None


def _forms(user: str, secret: bytes) -> list[str]:
    """Return the secret as it may have crossed the wire, and as a server may quote it."""
    plain = b"\0" + user.encode() + b"\0" + secret
    encoded = [base64.b64encode(one).decode() for one in (plain, secret)]
    return [*encoded, quoted(secret.decode())[1:-1], secret.decode()]


def _without(words: str, hidden: Sequence[str]) -> str:
    for one in hidden:
        words = words.replace(one, "…") if one else words
    return words


def quoted(text: str) -> str:
    """Return a quoted string (RFC 9051, section 4.3)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
