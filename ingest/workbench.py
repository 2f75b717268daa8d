"""The worker's side of an import: reads, prepares and drafts the items of one task.

Runs in the jail. It gives back values only; what it cannot do it says.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from holdfast.ingest.drafting import Care, How, draft_original
from holdfast.ingest.orders import Order, Report, decode_orders, encode
from holdfast.ingest.readers.offers import Unreadable, local
from holdfast.ingest.readers.reading import Reader
from holdfast.ingest.readers.sealed_files import opened
from holdfast.storage.frames import prepare

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable

    from holdfast.core.records import CaptureFacts
    from holdfast.ingest.readers.offers import Offered


def workbench(reader: Reader | None = None) -> Callable[[bytes], bytes]:
    """Return the function that a pool of children runs; each child keeps its own open files.

    Args:
        reader: Whose files stay open; by default one that lives as long as the child.
    """
    reader = reader or Reader()

    def work(payload: bytes) -> bytes:
        return encode([_report(order, reader) for order in decode_orders(payload)])

    return work


def _report(order: Order, reader: Reader) -> Report:
    if order.offered is None:
        return _drafted(order, order.raw, None)
    if order.file_key:
        return _unsealed(order, order.offered)
    item = reader.read(order.offered)
    if isinstance(item, Unreadable):
        return Report(unreadable=item.reason, is_retryable=item.retryable)
    if order.known and hashlib.sha256(item.raw).digest() == order.known:
        return Report(is_unchanged=True)
    return _drafted(order, item.raw, item.facts)


def _unsealed(order: Order, offered: Offered) -> Report:
    try:
        raw = opened(local(offered.container), order.file_key, offered.length, order.file_id)
    except OSError:
        return Report(unreadable="io_error: spool", is_retryable=True)
    return _drafted(order, raw, None)


def _drafted(order: Order, raw: bytes | mmap.mmap, facts: CaptureFacts | None) -> Report:
    care = Care(order.care)
    how = How(care, order.why, order.trust, order.opens, facts or order.facts)
    if order.key:
        drafted = draft_original(raw, order.key, how)
        made, carried = drafted.draft, drafted.carried
        return Report(facts=facts, draft=made, analysed=drafted.analysed, carried=carried)
    prepared = prepare(raw, spool=None)
    drafted = draft_original(raw, prepared.key, how)
    frames = prepared.frames
    return Report(
        facts=facts,
        content_id=prepared.content_id,
        size_bytes=prepared.size_bytes,
        key=prepared.key,
        frames=frames if isinstance(frames, bytes) else frames.read_bytes(),
        draft=drafted.draft,
        analysed=drafted.analysed,
    )
