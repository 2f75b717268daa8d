"""Says whose an address is, and when it was theirs; it changes nothing.

An address has a home: the contact that the newest link in force gives it, else the one that it was
first met in. It belongs to the contact that its home was merged into. A link may say from when to
when that is so: what the address took part in at other times counts for nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, or_, select

from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.schema import identities, links, participants

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import ColumnElement, Connection, Row

IS_VALID = and_(
    or_(identities.c.valid_from_ms.is_(None), participants.c.at_ms >= identities.c.valid_from_ms),
    or_(identities.c.valid_to_ms.is_(None), participants.c.at_ms < identities.c.valid_to_ms),
)
"""The participation lies in the time that the address belongs to its contact."""


def contact_then() -> ColumnElement[int | None]:
    """Return whose a participation is: nobody's outside the time of its address."""
    return case((IS_VALID, identities.c.contact_id)).label("contact_id")


def links_in_force(connection: Connection, identity_ids: Iterable[int]) -> dict[int, Row[Any]]:
    """Return the newest link in force of each identity that has one."""
    query = select(links).where(links.c.undone_ms.is_(None)).order_by(links.c.turn)
    rows = by_value(connection, query, links.c.identity_id, identity_ids)
    return {row.identity_id: row for row in rows}


def homes_of(
    connection: Connection,
    identity_ids: Iterable[int],
    in_force: Mapping[int, Row[Any]] | None = None,
) -> dict[int, int | None]:
    """Return the contact that each identity is at home with; None for machines.

    Args:
        connection: To the catalogue.
        identity_ids: Of the identities.
        in_force: Their `links_in_force`, where these are known.
    """
    wanted = list(identity_ids)
    query = select(identities.c.id, identities.c.home_id)
    homes = {row.id: row.home_id for row in by_value(connection, query, identities.c.id, wanted)}
    if in_force is None:
        in_force = links_in_force(connection, wanted)
    return homes | {one: row.contact_id for one, row in in_force.items()}
