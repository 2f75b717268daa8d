"""What can go wrong between us and an IMAP server, told apart by what helps; it retries nothing."""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from imapclient.exceptions import ProtocolError

from holdfast.core.errors import HoldfastError, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.ingest.imap.account import Account

_CONTROL = re.compile("[\x00-\x1f\x7f]+")
_MOST_WORDS = 200
_FEWER = "Wait, then repeat; or let fewer programs use the account."
_BUSY = re.compile(
    r"\[(LIMIT|UNAVAILABLE|INUSE|SERVERBUG)\]|too many|try again|back[- ]?off|\bbusy\b",
    re.IGNORECASE,
)
_CODED = re.compile(r"\[(LIMIT|UNAVAILABLE|INUSE|SERVERBUG|OVERQUOTA|THROTTLED)\]", re.IGNORECASE)
_SECRET = re.compile(
    r"\[(AUTHENTICATIONFAILED|AUTHORIZATIONFAILED|EXPIRED)\]"
    r"|password\b.{0,20}\b(incorrect|wrong|invalid|error)"
    r"|\b(incorrect|wrong|invalid) .{0,20}password",
    re.IGNORECASE,
)
_THROTTLED = re.compile(r"\[(OVERQUOTA|THROTTLED)\]|throttl", re.IGNORECASE)
_CROWDED = re.compile(r"\[LIMIT\]|too many", re.IGNORECASE)
_WAIT = re.compile(
    r"(?:back[- ]?off time:?|wait|after)\s*(\d{1,9})\s*(milliseconds|ms|seconds|s)\b", re.IGNORECASE
)


class Lost(Unavailable):
    """The connection is gone or cannot be trusted any more; another one may do better."""


class Busy(Lost):
    """The server asks us to come back later: RFC 5530 codes, or words of large services."""

    is_connected = False
    """It said so in answer to a command: the connection is fine, and signing in anew no help."""


class Throttled(Busy):
    """It asks so of the account, whatever we ask for: asking for less is no help."""


class SaidNo(Unavailable):
    """The server refused one command, and the connection is fine."""


class SignInRefused(Refused):
    """The server does not take this user or secret: asking again would lock the account."""


class TokenRefused(SignInRefused):
    """The server does not take this access token; a new one may do."""


def told(words: object) -> str:
    """Return what a server said as one short line."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    return _CONTROL.sub(" ", text).strip(" .")[:_MOST_WORDS]


def asked_wait_s(words: str) -> float:
    """Return how many seconds a server says that it wants to be left alone; 0 when it says none."""
    asked = _WAIT.search(words)
    if asked is None:
        return 0.0
    return int(asked[1]) / (1000 if asked[2].lower().startswith("m") else 1)


def refusal(command: str, words: object) -> HoldfastError:
    """Return the error for a NO or BAD that answered a command."""
    said = told(words)
    cause = f"The server refused {command}: {said or 'no reason given'}."
    kind = _busy_kind(said)
    if kind is None:
        return SaidNo(cause)
    busy = kind(cause, next_step=_FEWER)
    busy.is_connected = True
    return busy


def _busy_kind(said: str) -> type[Busy] | None:
    if _THROTTLED.search(said):
        return Throttled
    return Busy if _BUSY.search(said) else None


def turned_away(said: str) -> type[Busy] | None:
    """Return what it is that a server says when it lets nobody in, or hangs up.

    Then a limit is one of connections; after a command it may be one of what the command asks for.
    """
    kind = _busy_kind(said)
    return Throttled if kind is not None and _CROWDED.search(said) else kind


def blames_secret(words: object) -> bool:
    """Tell whether a server that lets nobody in names the secret among its reasons.

    QQ has one answer for a wrong password, a service that is switched off, and a busy system. To
    ask again at once does not help with the first two, and locks the account.
    """
    said = told(words)
    return _SECRET.search(said) is not None and _CODED.search(said) is None


def sign_in_refusal(account: Account, words: object) -> HoldfastError:
    """Return the error for a NO that answered signing in."""
    said = told(words)
    kind = None if blames_secret(words) else turned_away(said)
    if kind is not None:
        return kind(f"The server refused signing in: {said}.", next_step=_FEWER)
    return SignInRefused(
        f"{account.host} does not let {account.user} in: {said or 'no reason given'}.",
        next_step="Check user and secret; many services want an app password or code for IMAP.",
    )


@contextmanager
def translated(account: Account) -> Iterator[None]:
    """Turn what the libraries raise into ours; ours pass through."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise Refused(
            f"The certificate of {account.place} is not valid for it: {error.verify_message}.",
            next_step="Check --host; give the authority of a private server by --ca-file.",
        ) from error
    except socket.gaierror as error:
        raise Unavailable(
            f"The name {account.host} cannot be resolved.", next_step="Check --host and DNS."
        ) from error
    except (imaplib.IMAP4.abort, OSError, EOFError) as error:
        kind = turned_away(told(error)) or Lost
        raise kind(
            f"The connection to {account.place} broke: {told(error)}.",
            next_step="Check that the server runs and can be reached, then repeat.",
        ) from error
    except (ProtocolError, ValueError, AssertionError) as error:
        raise Lost(
            f"{account.place} answered with what is no IMAP.", next_step="Check host and port."
        ) from error
    except imaplib.IMAP4.error as error:
        raise refusal("a command", error) from error
