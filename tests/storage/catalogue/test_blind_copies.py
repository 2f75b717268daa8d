"""Whom any copy names as blind-copied takes part as long as that copy is there, in any order."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, update

from catalogue_kit import SAME_FIXTURE, START, Filing, Home, Homes, Mail
from destroying_checks import office_of
from disposal_kit import verified
from holdfast.core.custody import Intake
from holdfast.core.identity import public_id
from holdfast.core.query import Phrase
from holdfast.storage.catalogue.batches import undo_batch
from holdfast.storage.catalogue.contacts import Contact, find
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.envelopes import PEOPLE_STEP
from holdfast.storage.catalogue.filed_facts import filed_facts
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import (
    audit_events,
    identities,
    index_queue,
    interaction_versions,
    interactions,
    metadata,
    participants,
)
from holdfast.storage.store import Store

QUOKKA = "quokka@hush.com"
GOT = Mail(message_id="q@acme.com")
SENT = replace(GOT, bcc=(f"Quokka <{QUOKKA}>",))
OTHER = replace(SENT, copy=1)
"""The sender's copy in other bytes."""


@pytest.fixture
def store(home: Home) -> Store:
    return home.store()


def take(store: Store, *mails: Mail, source: str = "test") -> tuple[Intake, int]:
    """File mails of one message as one import; return it with the interaction."""
    filing = Filing(store, source=source)
    intake = filing.open()
    (row,) = {one.filed.interaction_id for one in filing.into(intake, mails)}
    return intake, row


def blind(store: Store) -> list[str]:
    """Return whom the only message in sight names as blind-copied; nobody where there is none."""
    with reading(store.engine) as connection:
        ids = connection.scalars(select(interactions.c.id)).all()
    people = [one for record in records(store, ids) for one in record.participants]
    return sorted(one.address for one in people if one.role == "bcc")


def contact(store: Store) -> Contact:
    (found,) = find(store, QUOKKA)
    return found


def rows_of(store: Store, *tables: str) -> list[int]:
    with reading(store.engine) as connection:
        counts = [select(func.count()).select_from(metadata.tables[name]) for name in tables]
        return [connection.scalars(one).one() for one in counts]


@pytest.mark.parametrize("order", list(itertools.permutations((SENT, GOT, OTHER))))
@pytest.mark.parametrize("at_once", [True, False], ids=["in one import", "one by one"])
def test_order_of_copies_changes_nothing_of_who_took_part(
    store: Store, order: Sequence[Mail], *, at_once: bool
) -> None:
    imports = [order] if at_once else [[one] for one in order]
    rows = {take(store, *mails, source=f"no {n}")[1] for n, mails in enumerate(imports)}
    (row,) = rows
    (record,) = records(store, [row])
    people = [(one.role, one.address) for one in record.participants]
    assert sorted(people) == [("bcc", QUOKKA), ("from", "ann@acme.com"), ("to", "bob@example.org")]
    who = contact(store)
    assert (who.messages, who.first_contact_at, who.last_contact_at) == (1, START, START)
    assert who.id in record.contact_ids
    (facts,) = filed_facts(store, [row])
    assert facts.contact_ids == record.contact_ids
    assert (facts.companies, facts.direction) == (record.companies, record.direction)


def test_later_copy_queues_the_message_for_the_index(store: Store) -> None:
    take(store, GOT)
    with writing(store.engine) as connection:
        connection.execute(delete(index_queue))
    _, row = take(store, SENT)
    with reading(store.engine) as connection:
        assert connection.scalars(select(index_queue.c.interaction_id)).all() == [row]


def test_second_import_of_the_same_copies_adds_nothing(store: Store) -> None:
    take(store, GOT, SENT)
    before = rows_of(store, "participants", "interaction_versions", "identities")
    take(store, SENT, GOT, source="another")
    take(store, SENT, source="a third")
    assert rows_of(store, "participants", "interaction_versions", "identities") == before
    assert contact(store).identities[0].messages == 1


def test_name_of_another_role_is_no_blind_copy(store: Store) -> None:
    """Whoever is open in all copies may be blind-copied too, and is counted once."""
    take(store, GOT)
    take(store, replace(GOT, bcc=("BOB@example.org", "bob@example.org")))
    assert blind(store) == ["bob@example.org"]
    assert find(store, "bob@example.org")[0].identities[0].messages == 1


def test_blind_copy_goes_with_the_import_that_told_of_it(home: Home) -> None:
    store = home.store()
    take(store, GOT)
    told, row = take(store, SENT)
    before = contact(store)
    undo_batch(store, told.batch_id)
    assert blind(store) == []
    (record,) = records(store, [row])
    assert len(record.participants) == 2
    assert before.id not in record.contact_ids
    left = contact(store)
    assert (left.id, left.messages, left.first_contact_at) == (before.id, 0, None)
    assert left.identities[0].name == ""
    assert verified(store, home.folder) == []
    undo_batch(store, told.batch_id)
    assert rows_of(store, "interaction_versions") == [2]
    take(store, SENT)
    assert blind(store) == [QUOKKA]
    assert contact(store) == before
    assert verified(store, home.folder) == []


def test_blind_copy_stays_while_another_copy_knows_of_it(home: Home) -> None:
    store = home.store()
    take(store, GOT)
    told = [take(store, one, source=f"box {n}")[0] for n, one in enumerate((SENT, OTHER, SENT))]
    for left, one in zip((1, 1, 0), told, strict=True):
        assert blind(store) == [QUOKKA]
        undo_batch(store, one.batch_id)
        assert contact(store).identities[0].messages == left
    assert blind(store) == []
    assert verified(store, home.folder) == []


def test_message_that_came_back_has_whom_its_copies_in_sight_name(home: Home) -> None:
    store = home.store()
    imports = [take(store, one)[0] for one in (GOT, SENT)]
    for one in imports:
        undo_batch(store, one.batch_id)
    assert blind(store) == []
    take(store, GOT)
    assert blind(store) == []
    take(store, OTHER)
    assert blind(store) == [QUOKKA]
    assert contact(store).identities[0].messages == 1
    assert verified(store, home.folder) == []


COPIES = (GOT, SENT, OTHER, replace(GOT, copy=2, bcc=("law@hush.com", QUOKKA)))


@example([0, 1, 3, -2, -1])
@settings(max_examples=12, deadline=None, suppress_health_check=SAME_FIXTURE)
@given(st.lists(st.integers(-6, len(COPIES) - 1), min_size=2, max_size=9))
def test_who_is_blind_copied_is_what_the_copies_in_sight_say(
    homes: Homes, steps: list[int]
) -> None:
    """Each step is the import of a copy, or below 0 the undoing of an import, counted from last."""
    with homes() as home:
        store = home.store()
        imports: list[tuple[int, Mail, bool]] = []
        for number, step in enumerate(steps):
            if step >= 0:
                intake, _ = take(store, COPIES[step], source=f"source {number}")
                imports.append((intake.batch_id, COPIES[step], True))
            elif imports:
                at = step % len(imports)
                undo_batch(store, imports[at][0])
                imports[at] = *imports[at][:2], False
            there = [mail for _, mail, is_there in imports if is_there]
            named = {one for mail in (*there, imports[0][1]) for one in mail.bcc} if there else ()
            expected = sorted({one.rpartition("<")[2].rstrip(">") for one in named})
            assert blind(store) == expected
            with reading(store.engine) as connection:
                counted = select(identities.c.value).where(
                    identities.c.messages > 0, identities.c.domain == "hush.com"
                )
                assert sorted(connection.scalars(counted)) == expected
        assert verified(store, home.folder) == []


@pytest.mark.parametrize("is_undone", [False, True], ids=["in sight", "undone"])
def test_destroying_a_message_forgets_whom_its_copies_named(home: Home, *, is_undone: bool) -> None:
    office, _ = office_of(home)
    take(office.store, replace(GOT, subject="A harpsichord"))
    told, _ = take(office.store, replace(SENT, subject="A harpsichord"))
    if is_undone:
        undo_batch(office.store, told.batch_id)
    office.rule("ceiling", 1, Phrase("harpsichord"))
    assert office.dispose() == ["destroyed"]
    assert find(office.store, QUOKKA) == []
    with reading(office.store.engine) as connection:
        for table in metadata.sorted_tables:
            assert "quokka" not in str(connection.execute(select(table)).all()).lower(), table.name
    assert verified(office.store, home.folder) == []


_ORDINAL, _VERSION = participants.c.ordinal, interaction_versions.c.version
_NEW: dict[str, int | str] = {"ordinal": PEOPLE_STEP, "role": "bcc", "name": "", "address": "x"}
_NEW |= {"at_ms": int(START.timestamp() * 1000)}


@pytest.mark.parametrize(
    "change",
    [
        update(participants).where(_ORDINAL >= PEOPLE_STEP).values(address="mallory@hush.com"),
        delete(participants).where(_ORDINAL >= PEOPLE_STEP),
        insert(participants).values(_NEW),
        insert(participants).values(_NEW | {"ordinal": 2 * PEOPLE_STEP}),
        delete(interaction_versions).where(_VERSION == 2),
        delete(interaction_versions).where(_VERSION == 3),
        update(interaction_versions).where(_VERSION == 2).values(change='{"undone":{}}'),
        update(interaction_versions).where(_VERSION == 2).values(change='{"undone":{"3":[]}}'),
        update(interaction_versions).where(_VERSION == 3).values(change="{"),
        delete(audit_events).where(audit_events.c.kind == "envelope"),
    ],
    ids=[
        "address", "person removed", "undone one put back", "person added", "undoing removed",
        "copy removed", "undoing emptied", "undoing moved", "copy damaged", "events removed",
    ],
)  # fmt: skip
def test_altering_what_copies_added_is_noticed(home: Home, change: object) -> None:
    """Version 1 is of a copy that version 2 takes back, version 3 of another one."""
    store = home.store()
    take(store, GOT)
    told, row = take(store, SENT)
    undo_batch(store, told.batch_id)
    take(store, OTHER)
    with writing(store.engine) as connection:
        if getattr(change, "is_insert", False):
            change = change.values(interaction_id=row)  # type: ignore[attr-defined]
        connection.execute(change)  # type: ignore[call-overload]
    assert any(public_id("msg", row) in one for one in verified(store, home.folder))
