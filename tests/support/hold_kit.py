"""Places holds on small archives of tests, by rows or by the product, and says what they hold."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import insert

from catalogue_kit import Filing, Mail
from holdfast.core.holds import HoldTerms, hold_predicate
from holdfast.core.query import EVERYTHING, Node
from holdfast.core.query_form import write_tree
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.governance_tables import held, holds, matters
from holdfast.storage.governance.holding import holds_on
from holdfast.storage.store import Store


def matter_row(store: Store, name: str = "Dispute") -> int:
    """Write a matter's row and return its id."""
    row = {"id": store.ids.take(), "name": name, "opened_ms": store.now_ms()}
    with writing(store.engine) as connection:
        connection.execute(insert(matters), row)
    return row["id"]


def hold_row(store: Store, matter_id: int, node: Node = EVERYTHING, **columns: object) -> int:
    """Write a hold's row, past all rules, and return its id."""
    row = {
        "id": store.ids.take(),
        "matter_id": matter_id,
        "name": "hold",
        "tree": write_tree(hold_predicate(HoldTerms(query=node, spares_unindexed=False))),
        "spares_unindexed": False,
        "analyser_version": 1,
        "placed_ms": store.now_ms(),
        **columns,
    }
    with writing(store.engine) as connection:
        connection.execute(insert(holds), row)
    return int(str(row["id"]))


def ids_of(filing: Filing, *mails: Mail) -> list[int]:
    """File the mails and return their interactions."""
    return [one.filed.interaction_id for one in filing(*mails)]


def names_on(store: Store, interaction_ids: Iterable[int]) -> dict[int, list[str]]:
    """Return the names of the holds on each interaction that has some."""
    with reading(store.engine) as connection:
        found = holds_on(connection, store, list(interaction_ids))
    return {one: [by.name for by in by_all] for one, by_all in found.items()}


def membership(store: Store) -> set[tuple[int, int]]:
    """Return (hold, interaction) of the index of what is held."""
    with reading(store.engine) as connection:
        return {(row.hold_id, row.interaction_id) for row in connection.execute(held.select())}
