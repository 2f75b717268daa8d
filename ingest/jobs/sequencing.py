"""Numbers audit events and appends them to the signed log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.core.identity import made_ms
from holdfast.ingest.jobs.task import Task, Workshop
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import audit_events

if TYPE_CHECKING:
    from collections.abc import Mapping


def run(_task: Task, workshop: Workshop) -> Mapping[str, object]:
    """Append what waits; does nothing while another process is at it."""
    return {"appended": workshop.desk.sequencer.run()}


def is_waiting(workshop: Workshop) -> bool:
    """Tell whether an event waits that whoever wrote it did not number."""
    store = workshop.store
    first = select(audit_events.c.id).where(audit_events.c.seq.is_(None)).limit(1)
    with reading(store.engine) as connection:
        event = connection.scalar(first)
    return event is not None and made_ms(event) <= store.now_ms() - workshop.patience_s * 1000
