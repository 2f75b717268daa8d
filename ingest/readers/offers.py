"""The values between planning and reading: what a path offers, and what could not be had; no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_to_bytes

from holdfast.core.records import CaptureFacts


@dataclass(frozen=True, slots=True)
class Offered:
    """A reference to one thing that a path holds; light, and encodable by msgspec.

    Everything met ends as one of these, so the number of references is what the source offered.
    """

    key: str
    """Unique within the source; the same again for the same member of the same, or the grown, path.

    Built from the path below the imported one, the position in the container and, where a position
    can be given to other bytes later, a digest. It never depends on where the imported path lies.
    """
    container: str
    """Absolute path of the file on disk, `portable`."""
    kind: str
    """`eml`, `emlx`, `maildir`, `mbox`: can be read. `unknown`: to be quarantined, `skipped`: passed
    over by a rule; for both, `facts.note` is the reason."""
    offset: int
    """First byte, after all `layers` are taken off."""
    length: int
    """Bytes of the raw range; an mbox member loses its quoting after that."""
    facts: CaptureFacts = field(default_factory=CaptureFacts)
    layers: tuple[str, ...] = ()
    """What wraps the bytes, outermost first: `gz`, `bz2`, `xz`, or a ZIP entry (`zips.Entry.layer`)."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The bytes of a reference could not be had whole."""

    reason: str
    """Stable and snake_case, with details after a colon."""
    retryable: bool
    """The same reference may be readable later (permission, I/O fault)."""


def portable(name: str) -> str:
    """Return a file name as text that any encoder takes; `local` turns it back.

    Bytes that are not UTF-8 (held as lone surrogates, PEP 383) and `%` become `%XX`.
    """
    return re.sub(
        "[%\ud800-\udfff]",
        lambda found: (
            "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogateescape"))
            if "\udc80" <= found[0] <= "\udcff" or found[0] == "%"
            else "%3F"
        ),
        name,
    )


def local(name: str) -> Path:
    """Return the path that `portable` was given."""
    return Path(unquote_to_bytes(name).decode("utf-8", "surrogateescape"))
