"""Says what a filing transaction has to tell to others; it files nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.storage.webhooks.happenings import About, Happening, tell_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from holdfast.storage.store import Store


def tell_filed(
    connection: Connection, store: Store, new: Iterable[int], made: Sequence[dict[str, Any]]
) -> None:
    """Write down the interactions that are new, who was met, and who has a further address.

    Args:
        connection: Of the transaction that files them.
        store: The archive.
        new: Interactions.
        made: As `Recognised.made` has them.
    """
    said: dict[str, list[About]] = {Happening.ARCHIVED: [About(one) for one in new]}
    people = {row["contact_id"]: row["is_met"] for row in made if row["contact_id"] is not None}
    for kind, is_met in ((Happening.CONTACT_CREATED, True), (Happening.CONTACT_UPDATED, False)):
        said[kind] = [About(one, one) for one, met in sorted(people.items()) if met is is_met]
    if any(said.values()):
        tell_all(connection, store, said)
