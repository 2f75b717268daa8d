"""Give exact values the form in which they are compared, in records and queries alike."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from holdfast.core.analysis import normalise
from holdfast.core.file_types import fold_type
from holdfast.core.query import Field

if TYPE_CHECKING:
    from collections.abc import Callable

_LIST_ID = re.compile(r"<([^<>]*)>\s*$")


def fold_unrepeated(field: Field, value: str) -> str:
    """Return what `fold_value` returns, and do not remember it: for values that hardly repeat."""
    folded = " ".join(normalise(value).split())
    special = _FOLDS.get(field)
    return special(folded) if special else folded


@lru_cache(maxsize=1 << 16)
def fold_value(field: Field, value: str) -> str:
    """Return the form in which values of a field are compared; records and queries alike."""
    return fold_unrepeated(field, value)


def folder_paths(folder: str) -> list[str]:
    """Return a folder and the folders above it."""
    steps = folder.split("/")
    return ["/".join(steps[:end]) for end in range(len(steps), 0, -1)]


def _fold_list(value: str) -> str:
    found = _LIST_ID.search(value)
    return (found[1] if found else value).strip()


_FOLDS: dict[Field, Callable[[str], str]] = {
    Field.TYPE: fold_type,
    Field.EXTENSION: lambda value: value.removeprefix("."),
    Field.LIST: _fold_list,
    Field.MESSAGE_ID: lambda value: value.removeprefix("<").removesuffix(">").strip(),
    Field.DOMAIN: lambda value: value.removeprefix("@").strip("."),
    Field.FOLDER: lambda value: value.strip("/"),
}
