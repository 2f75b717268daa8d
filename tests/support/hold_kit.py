"""Places holds on small archives of tests, by rows or by the product, and says what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import insert

from catalogue_kit import Filing, Mail
from holdfast.core.holds import HoldTerms, hold_predicate
from holdfast.core.matching import matches
from holdfast.core.query import EVERYTHING, Node
from holdfast.core.query_form import write_tree
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.governance_tables import held, holds, matters
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.rights_tables import persons, users
from holdfast.storage.governance.holding import holds_on
from holdfast.storage.governance.holds import Hold, NewHold, place_hold
from holdfast.storage.governance.matters import list_matters, open_matter
from holdfast.storage.governance.sweeping import Find
from holdfast.storage.store import Store


def matter_row(store: Store, name: str = "Dispute") -> int:
    """Write a matter's row and return its id."""
    matter_id = store.ids.take()
    row = {"id": matter_id, "name": name, "opened_ms": store.now_ms()}
    with writing(store.engine) as connection:
        connection.execute(insert(matters), row)
    return matter_id


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


def new_hold(matter_id: int, terms: HoldTerms, **said: str) -> NewHold:
    """Say what a hold is to be."""
    return NewHold(matter_id, **{"name": "hold", "reason": "why", **said}, terms=terms)


def placed(store: Store, terms: HoldTerms, *, matter: str = "Case", **said: str) -> Hold:
    """Place a hold as the product does, in a matter that is opened where there is none."""
    known = {one.name: one.id for one in list_matters(store)}
    matter_id = known.get(matter) or open_matter(store, matter).id
    return place_hold(store, new_hold(matter_id, terms, **said))


def find_all(store: Store, indexed: Sequence[int]) -> Find:
    """Return an index of these interactions that shows them as they are."""

    def find(node: Node) -> list[list[int]]:
        found = [one.id for one in records(store, indexed) if matches(node, one)]
        return [found[:1], found[1:]]

    return find


def add_person(store: Store, login: str) -> int:
    """Keep a person with one account, and return the person."""
    person_id = store.ids.take()
    person = {"id": person_id, "name": login, "created_ms": store.now_ms()}
    add_account(store, login, person_id, person)
    return person_id


def add_account(
    store: Store, login: str, person_id: int, person: dict[str, object] | None = None
) -> None:
    """Keep an account of a person that there is already, or of a new one."""
    row = {"id": store.ids.take(), "person_id": person_id, "login": login, "role": "legal"}
    with writing(store.engine) as connection:
        if person is not None:
            connection.execute(insert(persons), person)
        connection.execute(insert(users), {**row, "created_ms": store.now_ms()})
