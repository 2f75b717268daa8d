"""Write to the audit log what is asked for, before the answer leaves; it answers nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.core.identity import public_id
from holdfast.storage.audit import record_events, told
from holdfast.storage.catalogue.engine import writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holdfast.api.served import Served
    from holdfast.core.rights import Principal


def note(
    served: Served,
    principal: Principal,
    kind: str,
    what: Mapping[str, Any],
    subjects: Iterable[tuple[str, int]] = (),
) -> None:
    """Record what is about to be shown or done; durable on return.

    Args:
        served: The archive.
        principal: Who asks; the key and the client's address are recorded with it.
        kind: `search`, `read`, `refused` …
        what: Plain values, no content of messages.
        subjects: (prefix, row id) of what it is about; none: the archive itself.
    """
    store = served.store
    detail = {**what, "from": principal.address}
    if principal.key_id is not None:
        detail["key"] = public_id("key", principal.key_id)
    by = (principal.pid, store.now_ms())
    about: list[tuple[str, int | None]] = [(public_id(p, row), row) for p, row in subjects]
    events = [told(kind, one, by, detail) for one in about or [("", None)]]
    with writing(store.engine) as connection:
        record_events(connection, events, store.ids)
