"""Versions of things that change, as HTTP has them: ETags, and If-Match (RFC 9110, 13.1.1)."""

from __future__ import annotations

import re

from holdfast.api.problems import StaleVersion

_TAG = re.compile(r'"v(\d{1,18})"')


def tag_of(version: int) -> str:
    """Return the ETag of a version."""
    return f'"v{version}"'


def expected(if_match: str) -> int | None:
    """Return the version that a change is made for; None where any will do.

    Raises:
        StaleVersion: The field names something that no version ever was.
    """
    text = if_match.strip()
    if text in {"", "*"}:
        return None
    found = _TAG.fullmatch(text)
    if found is None:
        raise StaleVersion("If-Match names no version of this.", next_step="Read it again.")
    return int(found[1])
