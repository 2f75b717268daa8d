"""What chat has that mail has not: addresses of systems, conversations, versions; no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

_CHAT_ADDRESS = re.compile(r"[a-z][a-z0-9_]{1,15}:[^\s@\x00-\x1f]+")
_NOT_IN_CHAT_ADDRESS = re.compile(r"[\s@%\x00-\x1f]")
_MAX_KNOWN_CHARS = 320


def chat_address(scheme: str, value: str) -> str:
    """Return the address of a person in a chat system, `wecom:zhangsan`; empty without a value.

    It holds no `@`, so that no mail can name it in its fields.
    """
    value = value.strip()
    return f"{scheme}:{_NOT_IN_CHAT_ADDRESS.sub(_percent, value)}" if value else ""


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass"))


def is_chat_address(text: str) -> bool:
    """Tell whether a text has the form that `chat_address` gives."""
    return "@" not in text and _CHAT_ADDRESS.fullmatch(text) is not None


def address_key(address: str) -> str:
    """Return an address as identities compare it: mail case folded, chat addresses as they are."""
    return _known_key(address) if len(address) <= _MAX_KNOWN_CHARS else _found_key(address)


def _found_key(address: str) -> str:
    text = address.strip()
    return text if is_chat_address(text) else text.casefold()


_known_key = lru_cache(maxsize=1 << 13)(_found_key)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A room, a group, or what two people exchange in one system."""

    key: str
    """The system's own, unique within a channel: tenant and room."""
    name: str = ""
    """Empty between two."""


@dataclass(frozen=True, slots=True)
class Chat:
    """What a chat message has that mail has not."""

    channel: str
    """`slack`, `wecom`, `feishu` …; of typed events the name that their source gives."""
    conversation: Conversation | None = None
    version_at: datetime | None = None
    """When this version of the message was written; None for the first."""
    answers: str = ""
    """Name of the message that its thread begins with; empty for none. See `Parsed.message_id`."""
    due_at: datetime | None = None
    """Until when somebody means to be in touch again, and has not said that it is done."""
