from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from catalogue_kit import START, Filing, Home, Mail
from hold_kit import hold_row, ids_of, matter_row, membership, names_on
from holdfast.core.errors import Conflict
from holdfast.core.holds import HoldTerms, hold_predicate
from holdfast.core.identity import public_id
from holdfast.core.query import And, Field, Node, Not, Part, Phrase, Term
from holdfast.core.query_form import write_tree
from holdfast.core.records import HeldBy
from holdfast.storage.catalogue import filing as filing_module
from holdfast.storage.catalogue.batches import undo_batch
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.filed_facts import filed_facts
from holdfast.storage.catalogue.merging import merge, undo
from holdfast.storage.catalogue.queueing import dequeue, queued
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import batches, identities
from holdfast.storage.store import Store
from retention_checks import held_original_is_not_shredded, mail_after_a_hold_is_held


def tree(terms: HoldTerms) -> str:
    return write_tree(hold_predicate(terms))


def all_held(store: Store) -> set[int]:
    return {one for _, one in membership(store)}


def test_f53_mail_that_comes_after_a_hold_is_held_when_it_is_filed(home: Home) -> None:
    mail_after_a_hold_is_held(home.store())


def test_f53_filing_that_does_not_look_at_holds_is_found_out(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filing_module, "hold_matching", lambda *_: set())
    store = home.store()
    with pytest.raises(AssertionError, match="came after the hold is not held"):
        mail_after_a_hold_is_held(store)
    (one,) = ids_of(Filing(store), Mail(body="the price again"))
    assert names_on(store, [one]) == {one: ["hold"]}  # the predicate is the truth all the same


def test_a_copy_at_another_custodian_brings_what_is_known_under_the_hold(home: Home) -> None:
    store = home.store()
    terms = HoldTerms(("Ann",), spares_unindexed=False)
    hold = hold_row(store, matter_row(store), tree=tree(terms))
    (one,) = ids_of(Filing(store, source="a", custodian="Bob"), Mail(message_id="x@y"))
    assert membership(store) == set()
    ids_of(Filing(store, source="b", custodian="ann"), Mail(message_id="x@y"))
    assert membership(store) == {(hold, one)}


def test_dates_bound_what_is_held_and_what_is_not_fully_indexed_is_held_anyway(home: Home) -> None:
    store = home.store()
    terms = HoldTerms((), START, START + timedelta(days=1), Phrase("price"))
    hold_row(store, matter_row(store), tree=tree(terms))
    inside = Mail(body="price")
    ids = ids_of(
        Filing(store), inside, replace(inside, at=START - timedelta(milliseconds=1)),
        replace(inside, at=START + timedelta(days=1)), Mail(body="lunch"),
    )  # fmt: skip
    assert all_held(store) == {ids[0]}


def test_another_mail_with_the_same_message_id_changes_what_is_held(home: Home) -> None:
    store = home.store()
    hold_row(store, matter_row(store), Term(Field.IS, "conflict"))
    (one,) = ids_of(Filing(store), Mail(message_id="x@y"))
    assert all_held(store) == set()
    (two,) = ids_of(Filing(store, source="b"), Mail(message_id="x@y", body="other"))
    assert all_held(store) == {one, two}


def test_a_later_copy_that_ends_the_match_frees_nothing(home: Home) -> None:
    store = home.store()
    hold_row(store, matter_row(store), Not(Term(Field.IS, "duplicate")))
    (one,) = ids_of(Filing(store), Mail(message_id="x@y"))
    ids_of(Filing(store, source="b"), Mail(message_id="x@y"))
    assert names_on(store, [one]) == {one: ["hold"]}


def test_merging_contacts_holds_what_the_hold_now_means_and_taking_it_back_frees_nothing(
    home: Home,
) -> None:
    store = home.store()
    from_ann, from_bea = ids_of(
        Filing(store), Mail(sender="ann@x.com", to=()), Mail(sender="bea@x.com", to=())
    )
    query = select(identities.c.value, identities.c.contact_id)
    with reading(store.engine) as connection:
        of = {row.value: row.contact_id for row in connection.execute(query)}
    node = Term(Field.CONTACT, public_id("con", of["bea@x.com"]))
    hold = hold_row(store, matter_row(store), node)
    merged = merge(store, of["bea@x.com"], of["ann@x.com"])
    assert membership(store) == {(hold, from_ann)}
    undo(store, merged)
    assert names_on(store, [from_ann, from_bea]) == {from_ann: ["hold"], from_bea: ["hold"]}


def test_records_and_facts_for_the_index_say_what_holds_them(home: Home) -> None:
    store = home.store()
    matter = matter_row(store, "Case")
    hold = hold_row(store, matter, Phrase("price"), name="Prices")
    one, two = ids_of(Filing(store), Mail(body="price"), Mail())
    by = (HeldBy(hold, "Prices", matter, "Case"),)
    assert [record.held_by for record in records(store, [one, two])] == [by, ()]
    assert {fact.id: fact.held_by for fact in filed_facts(store, [one, two])} == {one: by, two: ()}


def test_what_begins_to_be_held_is_queued_for_the_index(home: Home) -> None:
    store = home.store()
    filing = Filing(store, source="a")
    ids_of(filing, Mail(message_id="x@y"))
    with writing(store.engine) as connection:
        dequeue(connection, queued(connection, 10))
    hold_row(store, matter_row(store))
    (one,) = ids_of(Filing(store, source="b"), Mail(message_id="x@y"))
    with reading(store.engine) as connection:
        assert list(queued(connection, 10)) == [one]


def batch_of(store: Store) -> int:
    with reading(store.engine) as connection:
        return int(connection.scalars(select(batches.c.id)).one())


HELD_TERMS: list[Node] = [Phrase("price", Part.BODY), And(()), Term(Field.SOURCE, "test")]


@pytest.mark.parametrize("node", HELD_TERMS)
def test_undoing_an_import_is_refused_while_one_of_its_messages_is_held(
    home: Home, node: Node
) -> None:
    store = home.store()
    filing = Filing(store)
    ids = ids_of(filing, Mail(body="price"), Mail(body="lunch"))
    batch = batch_of(store)
    hold = hold_row(store, matter_row(store, "Case 7"), node)
    with pytest.raises(Conflict) as refused:
        undo_batch(store, batch)
    assert refused.value.facts["matters"] == ["Case 7"]
    assert refused.value.facts["holds"] == [public_id("hld", hold)]
    assert refused.value.exit_status == 5
    assert len(records(store, ids)) == 2


def test_an_import_that_nothing_holds_can_be_undone_beside_a_hold(home: Home) -> None:
    store = home.store()
    filing = Filing(store)
    ids = ids_of(filing, Mail(body="lunch"))
    hold_row(store, matter_row(store), Phrase("price"))
    assert undo_batch(store, batch_of(store)).interactions == 1
    assert records(store, ids) == []


def test_f58_shredding_is_refused_for_originals_that_a_held_message_stands_on(home: Home) -> None:
    held_original_is_not_shredded(home.store())


def test_f58_shredding_that_does_not_look_at_holds_is_found_out(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.storage.upkeep._refuse_held", lambda *_: None)
    with pytest.raises(AssertionError, match="the key of what is held was destroyed"):
        held_original_is_not_shredded(home.store())
