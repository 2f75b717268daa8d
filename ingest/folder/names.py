"""Which names are no mail yet, and the names that results and moved files get; opens nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator

RESULT = ".result.json"
LONGEST = 255
"""Bytes of a name (NAME_MAX of every file system in use)."""
_TEMPORARY = (
    ".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".download", ".swp", ".lock",
    "~",
)  # fmt: skip
_NUMBERED = 100


def left_by_name(name: str) -> str:
    """Return the rule by which a file of this name is left where it is; empty for none."""
    folded = name.casefold()
    if name.startswith("."):
        return "hidden"
    if folded.endswith(_TEMPORARY) or folded.startswith("~"):
        return "temporary"
    return "result" if folded.endswith(RESULT) else ""


def result_name(name: str) -> str:
    """Return the name of the result of a file of this name; a long one is cut, and stays unique."""
    return _fitting(name, RESULT)


def free_name(name: str, is_taken: Callable[[str], bool], token: str) -> str:
    """Return the name, or one like it, that neither a file nor a result has.

    Args:
        name: As dropped.
        is_taken: Tells of a name in the folder whether something has it.
        token: Tells it from others when many have the name; letters and digits.
    """
    for one in _candidates(name, token):
        if not is_taken(one) and not is_taken(result_name(one)):
            return one
    raise AssertionError("a fresh token is never taken")


def _candidates(name: str, token: str) -> Iterator[str]:
    yield name
    stem, extension = os.path.splitext(name)  # noqa: PTH122 - a name, which may hold any bytes
    for number in range(2, _NUMBERED):
        yield _fitting(stem, f"~{number}{extension}")
    yield _fitting(stem, f"~{token}{extension}")


def _fitting(stem: str, suffix: str) -> str:
    raw, end = os.fsencode(stem), os.fsencode(suffix)
    if len(raw) + len(end) <= LONGEST:
        return stem + suffix
    mark = f"~{hashlib.sha256(raw).hexdigest()[:8]}".encode()
    cut = max(LONGEST - len(mark) - len(end), 0)
    while cut > 0 and raw[cut] & 0xC0 == 0x80:  # not within a character of UTF-8
        cut -= 1
    return os.fsdecode((raw[:cut] + mark + end)[-LONGEST:])
