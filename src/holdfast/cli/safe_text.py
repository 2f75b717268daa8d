"""Make text from mail harmless on a terminal and in JSON; knows nothing of layout."""

from __future__ import annotations

import json
import re

from holdfast.core.safe_text import safe_block, safe_line

__all__ = ["is_safe", "safe_block", "safe_json", "safe_line"]

_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def is_safe(text: str) -> bool:
    """Tell whether the text holds nothing but line feeds that could act on a terminal."""
    return safe_block(text) == text


def safe_json(value: object) -> str:
    """Return the value as JSON on one line; what could act on a terminal is escaped, not lost."""
    shown = json.dumps(value, ensure_ascii=False)
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", shown)
