"""Seals and opens derived text under its original's key; where it is stored is others' business."""

from __future__ import annotations

import msgspec

from holdfast.core.custody import DerivedText
from holdfast.storage.frames import open_text, seal_text

PURPOSE = b"derived text"
OPENED = b"opened item"
"""Purpose of the seal of `records.CaptureFacts.opened`."""
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(DerivedText).decode


def seal_derived(text: DerivedText, key: bytes) -> bytes:
    """Pack, compress and encrypt; `key` is the original's own."""
    return seal_text(_pack(text), key, PURPOSE)


def open_derived(sealed: bytes, key: bytes) -> DerivedText:
    """Read back what `seal_derived` made.

    Raises:
        Corrupt: The key is another's, or a byte was altered.
    """
    return _unpack(open_text(sealed, key, PURPOSE))
