"""What may be said of a host, a user or a folder before it goes to a server; opens nothing."""

from __future__ import annotations

import ipaddress
import re

from holdfast.core.errors import Refused

_CONTROL = re.compile("[\r\n\0\x01]")
"""The last separates what SASL messages hold (RFC 7628, 3.1)."""


def is_loopback(host: str) -> bool:
    """Tell whether nothing sent to this host leaves the machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() in {"localhost", "localhost."}


def refuse_controls(value: str | bytes) -> None:
    """Refuse what would begin another line, and so another command, at the server.

    Raises:
        Refused: The value holds CR, LF or NUL (RFC 9051, section 9), or what parts a sign-in.
    """
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if _CONTROL.search(text):
        raise Refused(
            "A value for the server holds a line break or NUL.", next_step="Write it on one line."
        )
