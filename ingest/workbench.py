"""The worker's side of an import: reads, prepares and drafts the items of one task.

Runs in the jail. It gives back values only; what it cannot do it says.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.ingest.drafting import Care, How, Original, draft_originals
from holdfast.ingest.orders import Order, Report, decode_orders, encode, pack_cut
from holdfast.ingest.readers.offers import Unreadable, local
from holdfast.ingest.readers.reading import Reader
from holdfast.ingest.readers.sealed_files import opened
from holdfast.storage.frames import prepare

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable, Sequence

    from holdfast.core.ports import Prepared
    from holdfast.core.records import CaptureFacts
    from holdfast.ingest.drafting import Drafted
    from holdfast.ingest.readers.offers import Offered

GROUP_ITEMS = 16
"""Items that go through the stages together; more take memory and gain nothing."""


def workbench(reader: Reader | None = None) -> Callable[[bytes], bytes]:
    """Return the function that a pool of children runs; each child keeps its own open files.

    Args:
        reader: Whose files stay open; by default one that lives as long as the child.
    """
    reader = reader or Reader()

    def work(payload: bytes) -> bytes:
        orders = decode_orders(payload)
        groups = [orders[at : at + GROUP_ITEMS] for at in range(0, len(orders), GROUP_ITEMS)]
        return encode([report for group in groups for report in _reports(group, reader)])

    return work


@dataclass(frozen=True, slots=True)
class _Had:
    """An order whose bytes could be had and need work."""

    order: Order
    raw: bytes | mmap.mmap
    facts: CaptureFacts | None
    """What reading found, where it is not in the order."""


def _reports(orders: Sequence[Order], reader: Reader) -> list[Report]:
    """Take all orders through one stage after the other, as `draft_originals` does."""
    found = [_had(order, reader) for order in orders]
    had = [one for one in found if isinstance(one, _Had)]
    prepared = [None if one.order.key else prepare(one.raw, spool=None) for one in had]
    drafted = draft_originals(list(map(_original, had, prepared)))
    made = map(_report, had, prepared, drafted)
    return [one if isinstance(one, Report) else next(made) for one in found]


def _had(order: Order, reader: Reader) -> _Had | Report:
    if order.offered is None:
        return _Had(order, order.raw, None)
    if order.file_key:
        return _unsealed(order, order.offered)
    item = reader.read(order.offered)
    if isinstance(item, Unreadable):
        return Report(unreadable=item.reason, is_retryable=item.retryable)
    if order.known and hashlib.sha256(item.raw).digest() == order.known:
        return Report(is_unchanged=True)
    return _Had(order, item.raw, item.facts)


def _unsealed(order: Order, offered: Offered) -> _Had | Report:
    try:
        raw = opened(local(offered.container), order.file_key, offered.length, order.file_id)
    except OSError:
        return Report(unreadable="io_error: spool", is_retryable=True)
    return _Had(order, raw, None)


def _original(one: _Had, prepared: Prepared | None) -> Original:
    order = one.order
    facts = one.facts or order.facts
    how = How(Care(order.care), order.why, order.trust, order.opens, facts)
    return Original(one.raw, prepared.key if prepared else order.key, how)


def _report(one: _Had, prepared: Prepared | None, drafted: Drafted) -> Report:
    draft, cut = drafted.draft, pack_cut(drafted.analysed)
    if prepared is None:
        return Report(facts=one.facts, draft=draft, cut=cut, carried=drafted.carried)
    frames = prepared.frames
    return Report(
        facts=one.facts,
        content_id=prepared.content_id,
        size_bytes=prepared.size_bytes,
        key=prepared.key,
        frames=frames if isinstance(frames, bytes) else frames.read_bytes(),
        draft=draft,
        cut=cut,
    )
