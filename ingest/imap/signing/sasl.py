"""What is said to sign in with a token: OAUTHBEARER (RFC 7628), Google's XOAUTH2; sends nothing."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

BEARER = "OAUTHBEARER"
XOAUTH2 = "XOAUTH2"
MECHANISMS = (BEARER, XOAUTH2)
"""The standard before the other."""


@dataclass(slots=True)
class Exchange:
    """One sign-in; hand `answer` to imaplib's `authenticate`."""

    mechanism: str
    user: str
    host: str
    port: int
    token: str = field(repr=False)
    refusal: str = ""
    """What the server said before it said no: a JSON object with a status, mostly."""
    _is_begun: bool = False

    def answer(self, challenge: bytes) -> bytes:
        """Return the message for what the server sent; the second is an error and ends it."""
        if not self._is_begun:
            self._is_begun = True
            return _FIRST[self.mechanism](self)
        self.refusal = challenge.decode("utf-8", "replace")
        # RFC 7628, 3.2.3: a dummy; XOAUTH2 wants nothing.
        return b"\x01" if self.mechanism == BEARER else b""

    @property
    def status(self) -> str:
        """The `status` of the refusal, or what stands for it."""
        try:
            said = msgspec.json.decode(self.refusal)
        except msgspec.DecodeError:
            return self.refusal
        return str(said.get("status", "")) if isinstance(said, dict) else ""

    def forms(self) -> list[str]:
        """Return the token as it crosses the wire."""
        whole = base64.b64encode(_FIRST[self.mechanism](self)).decode()
        return [whole, self.token]


def _bearer(one: Exchange) -> bytes:
    user = one.user.replace("=", "=3D").replace(",", "=2C")  # RFC 5801, section 4: saslname
    head = f"n,a={user},\x01host={one.host}\x01port={one.port}\x01"
    return f"{head}auth=Bearer {one.token}\x01\x01".encode()


def _xoauth2(one: Exchange) -> bytes:
    return f"user={one.user}\x01auth=Bearer {one.token}\x01\x01".encode()


_FIRST: dict[str, Callable[[Exchange], bytes]] = {BEARER: _bearer, XOAUTH2: _xoauth2}
