"""Brings the index up to what is queued for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.core.identity import made_ms
from holdfast.ingest.jobs.task import Task, Workshop
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import index_queue

if TYPE_CHECKING:
    from collections.abc import Mapping


def run(task: Task, workshop: Workshop) -> Mapping[str, object]:
    """Index everything that is queued."""
    done = 0

    def count(drained: int) -> None:
        nonlocal done
        done += drained
        task.headway({"indexed": done})

    return {"indexed": workshop.desk.feed.drain(count)}


def is_waiting(workshop: Workshop) -> bool:
    """Tell whether something is queued that whoever filed it did not index."""
    store = workshop.store
    oldest = select(index_queue.c.ticket).order_by(index_queue.c.ticket).limit(1)
    with reading(store.engine) as connection:
        ticket = connection.scalar(oldest)
    return ticket is not None and made_ms(ticket) <= store.now_ms() - workshop.patience_s * 1000
