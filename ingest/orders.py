"""What travels between the importing process and its jailed workers, as msgpack; no behaviour."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from holdfast.core.custody import Draft
from holdfast.core.records import NO_FACTS, NO_TRUST, CaptureFacts, Trust
from holdfast.indexer.documents import Analysed
from holdfast.ingest.readers.offers import Offered
from holdfast.parsers.carried import Carried


@dataclass(frozen=True, slots=True)
class Order:
    """One item to read and draft."""

    offered: Offered | None
    """Where the bytes are; None when they come along in `raw`."""
    care: int = 0
    """`drafting.Care`."""
    why: str = ""
    """Why care was raised."""
    known: bytes = b""
    """Content id that this item had before; the same bytes again need no work."""
    key: bytes = b""
    """The original's key, when the importing process has prepared it already."""
    raw: bytes = b""
    file_key: bytes = b""
    """Of a sealed file, which `offered` names; see `sealed_files`."""
    file_id: bytes = b""
    trust: Trust = NO_TRUST
    """Of the source, beside what the facts of the item say."""
    opens: bool = False
    """Take out the messages attached to it as well."""
    facts: CaptureFacts = NO_FACTS
    """Of an item that comes along in `raw`: see `drafting.How.facts`."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker made of one order, in the order of the orders."""

    is_unchanged: bool = False
    unreadable: str = ""
    is_retryable: bool = False
    facts: CaptureFacts | None = None
    content_id: bytes = b""
    size_bytes: int = 0
    key: bytes = b""
    frames: bytes = b""
    draft: Draft | None = None
    cut: bytes = b""
    """An `Analysed`, packed: who needs it packed need not pack it again."""
    carried: tuple[Carried, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """What a worker made of an original, for whoever files it."""

    draft: Draft
    cut: bytes
    """As `Report.cut`."""
    carried: tuple[Carried, ...] = ()
    """Messages attached to it, where they were asked for."""


encode = msgspec.msgpack.Encoder().encode
pack_cut = encode
unpack_cut = msgspec.msgpack.Decoder(Analysed).decode
decode_orders = msgspec.msgpack.Decoder(list[Order]).decode
reports_decoder = msgspec.msgpack.Decoder(list[Report])
