"""Commit to whole rows of matters, holds and notices in the audit log, whenever one changes.

The newest event of a row tells what the row is now: an edit past the product is found out by
`holdfast verify`, and so is a row that was put back to what it once was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from holdfast.core.identity import public_id
from holdfast.storage.audit import canonical_digest, record_events, told
from holdfast.storage.catalogue.governance_tables import hold_notices, holds, matters
from holdfast.storage.webhooks.happenings import About, Happening, tell

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, Table

    from holdfast.storage.store import Store


@dataclass(frozen=True, slots=True)
class Noted:
    """A table whose rows are few and of weight."""

    kind: str
    """Of the audit events."""
    prefix: str
    """Of public ids."""
    table: Table
    acts: tuple[str, ...]
    """What can be done to a row."""
    happening: str = ""
    """What others are told of when it is done; empty: nothing."""

    def digest(self, act: str, row: Row[Any]) -> bytes:
        """Digest what the audit log commits to."""
        return canonical_digest(self._said(act, row))

    def note(self, connection: Connection, store: Store, act: str, row_id: int) -> None:
        """Tell the audit log that the act left the row as it is now."""
        row = connection.execute(select(self.table).where(self.table.c.id == row_id)).one()
        subject = public_id(self.prefix, row_id), row_id
        event = told(self.kind, subject, (store.actor, store.now_ms()), self._said(act, row))
        record_events(connection, [event], store.ids)
        if self.happening:
            tell(connection, store, self.happening, [About(row_id, detail={"act": act})])

    def _said(self, act: str, row: Row[Any]) -> dict[str, Any]:
        values = {
            name: value.hex() if isinstance(value, bytes) else value
            for name, value in row._asdict().items()
        }
        return {"act": act, **values}


MATTER = Noted("matter", "mat", matters, ("open", "change", "close"))
HOLD = Noted(
    "hold",
    "hld",
    holds,
    ("place", "change", "ask", "approve", "withdraw"),
    Happening.HOLD_CHANGED,
)
NOTICE = Noted("hold_notice", "ntc", hold_notices, ("give", "acknowledge"))
NOTED = (MATTER, HOLD, NOTICE)
