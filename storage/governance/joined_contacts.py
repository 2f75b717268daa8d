"""Let a query on a contact follow it into the contact that it was merged into; it merges none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.core.errors import Refused
from holdfast.core.holds import leaves, with_leaves
from holdfast.core.identity import public_id, row_id
from holdfast.core.query import Field, Or, Term
from holdfast.storage.catalogue.contacts import contact_root

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.core.query import Node


def follow_merges(connection: Connection, node: Node) -> Node:
    """Return the query with each merged contact's winner beside it.

    A merge moves a contact's messages to its winner: a hold on the one must not lose them.
    """
    winners = {
        leaf: winner
        for leaf in leaves(node)
        if isinstance(leaf, Term)
        and leaf.field is Field.CONTACT
        and (winner := _winner(connection, leaf.value))
    }
    if not winners:
        return node
    return with_leaves(node, lambda leaf: Or((leaf, winners[leaf])) if leaf in winners else leaf)


def _winner(connection: Connection, text: str) -> Term | None:
    try:
        asked = row_id("con", text)
        root = contact_root(connection, asked)
    except Refused:  # no such contact, or not even an id: it matches nothing
        return None
    return None if root == asked else Term(Field.CONTACT, public_id("con", root))
