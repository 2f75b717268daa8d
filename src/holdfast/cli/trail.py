"""Write what people looked at to the audit log, before they see it; it shows nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.storage.audit import record_events, told
from holdfast.storage.catalogue.engine import writing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.wiring.archive import Services


def note_search(services: Services, what: dict[str, object]) -> None:
    """Record a search; on return it stands in the log.

    Args:
        services: The open archive.
        what: The query as written and what was asked with it; its digest is committed to.
    """
    _note(services, [("search", "", None, what)])


def note_reading(services: Services, subjects: Iterable[tuple[str, int]], how: str) -> None:
    """Record that content was read; on return it stands in the log.

    Args:
        services: The open archive.
        subjects: Public id and row id of each thing.
        how: What was shown of it: `text`, `original`, `headers` …
    """
    _note(services, [("read", name, row, {"how": how}) for name, row in subjects])


def _note(
    services: Services, happened: Iterable[tuple[str, str, int | None, dict[str, object]]]
) -> None:
    store = services.store
    now_ms = store.now_ms()
    events = [
        told(kind, (subject, subject_id), (store.actor, now_ms), what)
        for kind, subject, subject_id, what in happened
    ]
    with writing(store.engine) as connection:
        record_events(connection, events, store.ids)
    services.desk.sequencer.run()
