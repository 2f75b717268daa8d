"""What an extractor learned from one file, and how it says that it could not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.core.records import MAX_INDEXED_CHARS, Defect, TextState
from holdfast.parsers.surrogates import without_surrogates

_MAX_DETAIL_CHARS = 200


@dataclass(frozen=True, slots=True)
class Extracted:
    """The text of one file."""

    text: str
    """At most `MAX_INDEXED_CHARS`, without NUL and lone surrogates."""
    state: TextState
    defects: tuple[Defect, ...] = ()


class Unreadable(Exception):  # a fact about a file, turned into a value by the registry
    """The file gives no text.

    Args:
        code: `extract_failed`, `extract_encrypted`, `extract_limit` or `extract_dtd`.
        detail: For people.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def of_failure(trouble: Unreadable) -> Extracted:
    """Return the value that stands for a failure."""
    is_locked = trouble.code == "extract_encrypted"
    state = TextState.ENCRYPTED if is_locked else TextState.FAILED
    detail = clean("".join(c if c.isprintable() else " " for c in trouble.detail))
    return Extracted("", state, (Defect(trouble.code, detail[:_MAX_DETAIL_CHARS]),))


def of_pieces(pieces: Iterable[str]) -> Extracted:
    """Join pieces of text as far as they are kept and indexed; take no more than needed."""
    kept: list[str] = []
    room = MAX_INDEXED_CHARS
    for piece in pieces:
        kept.append(piece[:room])
        room -= len(piece)
        if room < 0:
            defect = Defect("extract_truncated", f"cut at {MAX_INDEXED_CHARS} characters")
            return Extracted(clean("".join(kept)), TextState.TRUNCATED, (defect,))
    text = clean("".join(kept))
    if not text.strip():
        return Extracted("", TextState.EMPTY)
    return Extracted(text, TextState.EXTRACTED)


def clean(text: str) -> str:
    """Drop NUL; join surrogate pairs and replace lone surrogates."""
    if not text.isascii():
        text = without_surrogates(text)
    return text.replace("\0", "")
