"""What a session makes of what its server offers beyond IMAP4rev1; changes no mail."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imapclient.exceptions import IMAPClientError, ProtocolError
from imapclient.response_parser import parse_response

from holdfast.core.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.ingest.imap.account import Account
    from holdfast.ingest.imap.wire.stream import Stream

LITERAL_MINUS_BYTES = 4096
"""Longest literal that LITERAL- lets go without waiting (RFC 7888, section 4)."""
_KINDS = ("personal", "others", "shared")


@dataclass(frozen=True, slots=True)
class Namespace:
    """One part of the server's folders (RFC 2342)."""

    kind: str
    """`personal`, `others` (users), `shared`."""
    prefix: bytes
    """That the names of its folders begin with, as the server writes it."""


def is_worth_compressing(account: Account, stream: Stream) -> bool:
    """Tell whether DEFLATE saves anything: within one machine it only costs."""
    if account.compress != "auto":
        return account.compress == "always"
    if account.proxy:
        return True
    with suppress(OSError, ValueError):
        return not ipaddress.ip_address(stream.wire.getpeername()[0]).is_loopback
    return False


def namespaces_of(data: Sequence[Any]) -> list[Namespace]:
    """Return what an answer to NAMESPACE tells; what is not understood is passed over.

    Args:
        data: What imaplib collected of it.
    """
    try:
        parts = parse_response([one for one in data if one])
    except (ProtocolError, ValueError):
        return []
    found: list[Namespace] = []
    for kind, part in zip(_KINDS, parts, strict=False):
        for one in part if isinstance(part, tuple) else ():
            if isinstance(one, tuple) and one and isinstance(one[0], bytes):
                found.append(Namespace(kind, one[0]))
    return found


def foreign_prefix(name: bytes, namespaces: Sequence[Namespace]) -> bytes | None:
    """Return the prefix of the namespace a folder lies in; None for the user's own folders."""
    if name.upper() == b"INBOX":
        return None
    holding = [one for one in namespaces if name.startswith(one.prefix)]
    nearest = max(holding, key=lambda one: len(one.prefix), default=None)
    return nearest.prefix if nearest is not None and nearest.kind != "personal" else None


def enabled(imap: Any, ability: str) -> bool:
    """Ask for an ability (RFC 5161); tell whether the server says that it is on from here."""
    with suppress(IMAPClientError, HoldfastError):
        imap.untagged_responses.pop("ENABLED", None)
        typ, _ = imap.xatom("ENABLE", ability)
        said = b" ".join(one for one in imap.untagged_responses.pop("ENABLED", []) if one)
        return typ == "OK" and ability.encode() in said.upper().split()
    return False


def as_literal(name: bytes, capabilities: frozenset[str]) -> bytes | None:
    """Return a literal that needs no consent (RFC 7888), or None."""
    is_short = len(name) <= LITERAL_MINUS_BYTES
    if "LITERAL+" in capabilities or ("LITERAL-" in capabilities and is_short):
        return b"{%d+}\r\n%s" % (len(name), name)
    return None
