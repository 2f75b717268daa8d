"""Make text from mail harmless on a terminal and in JSON; knows nothing of layout."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from holdfast.core.safe_text import safe_block, safe_line

__all__ = ["is_safe", "log_line", "safe_block", "safe_json", "safe_line"]

LOGGED_CHARS = 1000
"""Of each text of an event: what somebody else wrote may be of any length."""
_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def is_safe(text: str) -> bool:
    """Tell whether the text holds nothing but line feeds that could act on a terminal."""
    return safe_block(text) == text


def safe_json(value: object) -> str:
    """Return the value as JSON on one line; what could act on a terminal is escaped, not lost."""
    shown = json.dumps(value, ensure_ascii=False)
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", shown)


def log_line(event: Mapping[str, object]) -> str:
    """Return an event as one line of JSON, with its line feed; long texts are cut, and say so."""
    return safe_json({name: _cut(value) for name, value in event.items()}) + "\n"


def _cut(value: object) -> object:
    if not isinstance(value, str) or len(value) <= LOGGED_CHARS:
        return value
    return value[: LOGGED_CHARS - 1] + "\u2026"
