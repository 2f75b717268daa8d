"""Versions of things that change, as HTTP has them: ETags, and If-Match (RFC 9110, 13.1.1)."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Header

from holdfast.api.problems import StaleVersion

IfMatch = Annotated[str, Header(alias="If-Match", max_length=100)]
"""The field, where a client sent it."""
_TAG = re.compile(r'"v(\d{1,18})"')


def tag_of(version: int) -> str:
    """Return the ETag of a version."""
    return f'"v{version}"'


def agreed(if_match: str, version: int) -> int:
    """Return the version that a change is made to.

    Args:
        if_match: The field as it came; empty or `*`: any version will do.
        version: Of the thing as it is now.

    Raises:
        StaleVersion: The field names another version.
    """
    text = if_match.strip()
    if text in {"", "*"}:
        return version
    found = _TAG.fullmatch(text)
    if found is None or int(found[1]) != version:
        raise StaleVersion("It was changed since you read it.", next_step="Read it again.")
    return version
