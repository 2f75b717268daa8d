from __future__ import annotations

from sqlalchemy import insert, update

from catalogue_kit import Filing, Home, Mail
from hold_kit import hold_row, ids_of, matter_row, names_on
from holdfast.core.identity import public_id
from holdfast.core.query import Field, Part, Phrase, Term
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.governance_tables import held, holds
from holdfast.storage.catalogue.merging import merge
from holdfast.storage.catalogue.schema import identities, interactions
from holdfast.storage.governance.holding import active_holds, lock_holds


def test_holds_on_judges_records_by_the_predicates(home: Home) -> None:
    store = home.store()
    price, lunch = ids_of(Filing(store), Mail(body="the price"), Mail(body="lunch"))
    matter = matter_row(store)
    hold_row(store, matter, Phrase("price", Part.BODY), name="prices")
    hold_row(store, matter, Phrase("acme.com", Part.FROM), name="acme")
    assert names_on(store, [price, lunch, 5]) == {price: ["prices", "acme"], lunch: ["acme"]}
    assert names_on(store, []) == {}


def test_without_holds_nothing_is_held(home: Home) -> None:
    store = home.store()
    (one,) = ids_of(Filing(store), Mail())
    assert names_on(store, [one]) == {}


def test_a_hold_whose_release_waits_still_holds_until_the_instant(home: Home) -> None:
    store = home.store()
    matter = matter_row(store)
    ends_ms = store.now_ms() + 1000
    with writing(store.engine) as connection:
        connection.exec_driver_sql("INSERT INTO persons (id, name, created_ms) VALUES (1, 'p', 1)")
    hold_row(store, matter, ends_ms=ends_ms, release_approved_by=1, release_approved_ms=1)
    with reading(store.engine) as connection:
        assert len(active_holds(connection, ends_ms - 1)) == 1
        assert active_holds(connection, ends_ms) == []


def test_what_was_once_held_stays_held_whatever_the_predicate_says_later(home: Home) -> None:
    store = home.store()
    (one,) = ids_of(Filing(store), Mail())
    matter = matter_row(store)
    hold = hold_row(store, matter, Term(Field.TAG, "hot"), name="tags")
    assert names_on(store, [one]) == {}
    with writing(store.engine) as connection:
        lock_holds(connection, is_shared=True)
        connection.execute(insert(held), {"hold_id": hold, "interaction_id": one, "since_ms": 1})
    assert names_on(store, [one]) == {one: ["tags"]}
    with writing(store.engine) as connection:
        connection.execute(update(interactions).values(removed_ms=1))
    assert names_on(store, [one]) == {one: ["tags"]}


def test_a_hold_whose_tree_was_spoilt_holds_everything(home: Home) -> None:
    store = home.store()
    (one,) = ids_of(Filing(store), Mail())
    hold_row(store, matter_row(store), Phrase("never"))
    assert names_on(store, [one]) == {}
    with writing(store.engine) as connection:
        connection.execute(update(holds).values(tree="[[broken"))
    assert names_on(store, [one]) == {one: ["hold"]}


def test_a_hold_on_a_contact_follows_it_through_merges(home: Home) -> None:
    store = home.store()
    from_ann, from_bea = ids_of(
        Filing(store), Mail(sender="ann@x.com", to=()), Mail(sender="bea@x.com", to=())
    )
    with reading(store.engine) as connection:
        of = dict(
            connection.execute(
                identities.select().with_only_columns(identities.c.value, identities.c.contact_id)
            ).all()
        )
    ann, bea = of["ann@x.com"], of["bea@x.com"]
    hold_row(store, matter_row(store), Term(Field.CONTACT, public_id("con", ann)), name="Ann")
    hold_row(store, matter_row(store, "B"), Term(Field.CONTACT, "con_nobody"), name="nobody")
    assert names_on(store, [from_ann, from_bea]) == {from_ann: ["Ann"]}
    merge(store, bea, ann)
    assert names_on(store, [from_ann, from_bea]) == {from_ann: ["Ann"], from_bea: ["Ann"]}
