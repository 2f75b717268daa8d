"""Workers that die over certain words, as a crash in native code would."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from holdfast.ingest.orders import Order, decode_orders
from holdfast.ingest.readers.offers import Unreadable
from holdfast.ingest.readers.reading import Reader
from holdfast.ingest.workbench import workbench

POISON, STRONG_POISON = "poisonword", "strongpoisonword"


def dying_workbench() -> Callable[[bytes], bytes]:
    """Work as the product does, but die over poison as a crash in native code would."""
    reader, work = Reader(), workbench()

    def is_deadly(order: Order) -> bool:
        item = reader.read(order.offered) if order.offered is not None else order
        if isinstance(item, Unreadable):
            return False
        return STRONG_POISON.encode() in item.raw or (
            POISON.encode() in item.raw and order.care == 0
        )

    def work_or_die(payload: bytes) -> bytes:
        if any(map(is_deadly, decode_orders(payload))):
            os.kill(os.getpid(), signal.SIGKILL)
        return work(payload)

    return work_or_die
