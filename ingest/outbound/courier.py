"""Tells one happening to one endpoint, once, and says how it went; it decides no next try.

It goes to a checked address only, over TLS, and follows nothing: hosts of the own network are
reached where a setting names them.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2

from holdfast import __version__
from holdfast.core.errors import HoldfastError, Refused
from holdfast.core.safe_text import safe_line
from holdfast.ingest.outbound.addresses import may_reach
from holdfast.ingest.outbound.dialling import Dial
from holdfast.ingest.outbound.posting import Transport
from holdfast.ingest.outbound.signatures import signed_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WHOLE_S = 15.0
MOST_ANSWER_CHARS = 200
_WEB_PORTS = frozenset({80, 443})
_FIRST_USER_PORT = 1024
_CHECK = "Check the address; a host of the own network must be named in outgoing.private_hosts."


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent once."""

    url: str
    message_id: str
    body: bytes
    """JSON."""
    secrets: Sequence[bytes]
    at_s: int

    def __repr__(self) -> str:
        return f"Letter(message_id={self.message_id!r})"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it."""

    status: int | None
    """None: there was no answer."""
    text: str = ""
    """The beginning of what was answered, on one line."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Courier:
    """How endpoints are reached."""

    private_hosts: frozenset[str] = frozenset()
    """May be this machine or in its network, and need no TLS."""
    ca_file: Path | None = None
    """Authorities of their HTTPS servers; the system's by default."""
    whole_s: float = WHOLE_S
    public_url: str = ""
    """How the archive's service is reached from outside, for links; empty: links are paths."""
    dial: Callable[[bool, float], Dial] = lambda is_private, connect_s: Dial(
        is_private, connect_s=connect_s
    )
    """Makes what opens connections."""

    def send(self, letter: Letter) -> Answer:
        """Send it and return what came of it; raises nothing that a receiver can cause."""
        try:
            return self._sent(letter)
        except HoldfastError as error:
            return Answer(None, error=error.cause)
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError, ValueError) as error:
            return Answer(None, error=f"The address cannot be used ({type(error).__name__}).")

    def check(self, url: str) -> None:
        """Refuse an address that would never be sent to, as far as its words tell.

        Raises:
            Refused: It wants TLS, or has a port of another service.
        """
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if host.lower() in self.private_hosts:
            return
        if parts.scheme != "https":
            raise Refused("The address is not https.", next_step=_CHECK)
        if port is not None and port not in _WEB_PORTS and port < _FIRST_USER_PORT:
            raise Refused(f"Port {port} is of another service.", next_step=_CHECK)

    def check_words(self, url: str) -> None:
        """Refuse what `check` does, and hosts written as an address that is not to be reached."""
        try:
            self.check(url)
            host = urlsplit(url).hostname or ""
            is_private = host.lower() in self.private_hosts
            is_reached = may_reach(host, allows_private=is_private)
        except ValueError:  # no address, or no URL: a name is judged when it is sent to
            return
        if not is_reached:
            raise Refused(f"{host} is no public address.", next_step=_CHECK)

    def _sent(self, letter: Letter) -> Answer:
        self.check(letter.url)
        host = (urlsplit(letter.url).hostname or "").lower()
        dial = self.dial(host in self.private_hosts, self.whole_s)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"Holdfast/{__version__}",
            **signed_headers(letter.message_id, letter.at_s, letter.body, letter.secrets),
        }
        transport = Transport(dial, _context(self.ca_file), self.whole_s)
        with httpx2.Client(transport=transport, trust_env=False, follow_redirects=False) as client:
            found = client.post(letter.url, content=letter.body, headers=headers)
        text = found.content[: 8 * MOST_ANSWER_CHARS].decode(errors="replace")
        return Answer(found.status_code, safe_line(text)[:MOST_ANSWER_CHARS])


@cache
def _context(ca_file: Path | None) -> ssl.SSLContext:
    """Read the authorities once a process: the system's are some hundred."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise Refused("The file of outgoing.ca_file cannot be used.") from error
