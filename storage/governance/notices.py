"""Keep what custodians were told of holds, and that they acknowledged it; it sends nothing."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from holdfast.core.errors import Conflict, NotFound, Refused
from holdfast.core.identity import public_id
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.governance_tables import hold_notices, holds, matters
from holdfast.storage.catalogue.held_facts import in_force
from holdfast.storage.catalogue.locks import Hold as RowLock
from holdfast.storage.catalogue.locks import lock_rows
from holdfast.storage.governance.holds import hold_in
from holdfast.storage.governance.noting import NOTICE

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store

CODE_CHARS = 20
"""Of 32 letters: 100 bits, that nobody guesses."""
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"


@dataclass(frozen=True, slots=True)
class Notice:
    """What one custodian was told of one hold; instants are Unix milliseconds."""

    id: int
    hold_id: int
    hold: str
    matter: str
    custodian: str
    text: str
    actor: str
    given_ms: int
    acknowledged_ms: int | None
    acknowledged_by: str

    @property
    def public(self) -> str:
        """The public id."""
        return public_id("ntc", self.id)


def give_notice(store: Store, hold_id: int, custodian: str, text: str) -> tuple[Notice, str]:
    """Keep that the custodian is told of the hold; return the notice and the code that answers it.

    The code is shown this once, and works once. Audited.

    Raises:
        Refused: There is nobody to tell, or nothing to say.
        NotFound: There is no such hold.
        Conflict: The hold has ended.
    """
    if not custodian.strip() or not text.strip():
        raise Refused("A notice needs a custodian and a text.", next_step="Give both.")
    code = "".join(secrets.choice(_LETTERS) for _ in range(CODE_CHARS))
    row: dict[str, Any] = {
        "id": store.ids.take(),
        "hold_id": hold_id,
        "custodian": custodian.strip(),
        "text": text.strip(),
        "actor": store.actor,
        "given_ms": store.now_ms(),
        "token_digest": _digest(code),
    }

    def act(connection: Connection) -> Notice:
        if not hold_in(connection, store, hold_id).is_active:
            raise Conflict("The hold has ended.", next_step="There is nothing to tell.")
        known = connection.scalar(select(hold_notices.c.id).where(hold_notices.c.id == row["id"]))
        if known is None:
            connection.execute(insert(hold_notices), row)
            NOTICE.note(connection, store, "give", row["id"])
        return _notice(connection.execute(_views().where(hold_notices.c.id == row["id"])).one())

    return transact(store.engine, act), code


def acknowledge(store: Store, code: str, by: str) -> Notice:
    """Keep that a custodian has read the notice that the code is of; audited.

    Args:
        store: The archive.
        code: As `give_notice` returned it, in letters of any case, with spaces or dashes if wanted.
        by: Who says so.

    Raises:
        NotFound: No notice waits for this code: it is wrong, or was used.
    """
    digest = _digest("".join(letter for letter in code.lower() if letter.isalnum()))

    def act(connection: Connection) -> Notice:
        query = select(hold_notices.c.id).where(hold_notices.c.token_digest == digest)
        found = connection.scalar(query)
        if found is not None:
            lock_rows(connection, hold_notices.c.id, [found], RowLock.CHANGING)
            found = connection.scalar(query)
        if found is None:
            raise NotFound(
                "No notice waits for this code.", next_step="Copy it whole; it works only once."
            )
        values = {
            "token_digest": None,
            "acknowledged_ms": store.now_ms(),
            "acknowledged_by": by.strip(),
        }
        connection.execute(update(hold_notices).where(hold_notices.c.id == found).values(**values))
        NOTICE.note(connection, store, "acknowledge", found)
        return _notice(connection.execute(_views().where(hold_notices.c.id == found)).one())

    return transact(store.engine, act)


def list_notices(
    store: Store, *, hold_id: int | None = None, only_outstanding: bool = False
) -> list[Notice]:
    """Return the notices, oldest first.

    Args:
        store: The archive.
        hold_id: Of this hold alone.
        only_outstanding: Not acknowledged, of holds in force.
    """
    query = _views().order_by(hold_notices.c.id)
    if hold_id is not None:
        query = query.where(hold_notices.c.hold_id == hold_id)
    if only_outstanding:
        query = query.where(hold_notices.c.acknowledged_ms.is_(None), in_force(store.now_ms()))
    with reading(store.engine) as connection:
        return [_notice(row) for row in connection.execute(query)]


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


def _views() -> Any:
    columns = [column for column in hold_notices.c if column.name != "token_digest"]
    return (
        select(*columns, holds.c.name.label("hold"), matters.c.name.label("matter"))
        .join(holds, holds.c.id == hold_notices.c.hold_id)
        .join(matters, matters.c.id == holds.c.matter_id)
    )


def _notice(row: Row[Any]) -> Notice:
    return Notice(**row._asdict())
