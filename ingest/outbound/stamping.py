"""Gets a token of time for a checkpoint from an authority, over HTTP (RFC 3161, 3.4)."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx2

from holdfast.core.errors import Corrupt, HoldfastError, Refused, Unavailable
from holdfast.ingest.outbound.dialling import Dial
from holdfast.ingest.outbound.posting import Transport
from holdfast.storage.anchoring.tokens import ask, check_answer

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.storage.anchoring.anchors import Stamped
    from holdfast.storage.anchoring.tokens import Trust

CONNECT_S = 15.0
WHOLE_S = 45.0
"""Of the question and the answer; a checkpoint waits for the next try behind it."""
_CHECK = (
    "Check anchors.tsa_url; an authority in the own network needs anchors.tsa_private_allowed, one "
    "with a certificate of a private authority anchors.tsa_tls_ca_file."
)
_HEADERS = {
    "Content-Type": "application/timestamp-query",
    "Accept": "application/timestamp-reply",
}


@dataclass(frozen=True, slots=True)
class Authority:
    """A time-stamping authority, and how it is reached."""

    url: str
    is_private_allowed: bool = False
    """It may be this machine, or be in its network."""
    tls_ca_file: Path | None = None
    """Authorities of its HTTPS server; the system's by default."""
    whole_s: float = WHOLE_S

    def stamp(self, note: bytes, trust: Trust) -> Stamped:
        """Return a token over these bytes, checked.

        Raises:
            Refused: The host is not to be reached, or gives no token that is good; a repeat may
                help, for the authority may be mended.
            Unavailable: It is not reached, or not now.
        """
        asked = ask(note)
        try:
            answer = self._sent(asked.as_bytes())
        except HoldfastError as error:
            kind = Refused if isinstance(error, Refused) else Unavailable
            raise kind(error.cause, next_step=_CHECK) from error
        try:
            return check_answer(answer, note, trust, asked)
        except Corrupt as error:
            raise Refused(
                f"{httpx2.URL(self.url).host} gives no token that we can use. {error.cause}",
                next_step=error.next_step or "Ask whoever runs the authority.",
            ) from error

    def _sent(self, question: bytes) -> bytes:
        dial = Dial(self.is_private_allowed, connect_s=CONNECT_S)
        transport = Transport(dial, self._context(), self.whole_s)
        try:
            with httpx2.Client(transport=transport, trust_env=False) as client:
                answer = client.post(self.url, content=question, headers=_HEADERS)
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise Refused("The URL of the authority is not understood.") from error
        if answer.status_code != httpx2.codes.OK:
            host = httpx2.URL(self.url).host
            raise Unavailable(f"{host} gives no token: HTTP {answer.status_code}.")
        return answer.content

    def _context(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.tls_ca_file)
        except (OSError, ssl.SSLError) as error:
            raise Refused("The file of anchors.tsa_tls_ca_file cannot be used.") from error
