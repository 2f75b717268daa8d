from __future__ import annotations

import pytest
from sqlalchemy import delete, select, update

from catalogue_kit import START, Filing, Home, Homes, Mail
from holdfast.core.errors import NotFound, Refused
from holdfast.storage.catalogue.contacts import find, show
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.linking import Wanted, link, link_by_id, links_of, unlink
from holdfast.storage.catalogue.merging import merge, undo
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import audit_events, identities, index_queue, links
from holdfast.storage.catalogue.timeline import Window, contact_timeline
from holdfast.storage.store import Store
from people_kit import PeopleMachine, contact_at, findings_about_people, run_people


@pytest.fixture
def store(home: Home) -> Store:
    store = home.store()
    Filing(store)(
        Mail(sender="ann@acme.com", to=("bob@example.org",), subject="one"),
        Mail(sender="bob@example.org", to=("ann@home.org",), subject="two"),
    )
    return store


def test_external_id_and_phone_that_were_never_seen_are_given_to_a_contact(store: Store) -> None:
    ann = contact_at(store, "ann@acme.com")
    for key in ("salesforce:0035g00000XyZ", "phone:+8613800138000"):
        link(store, Wanted(key, ann))
    kinds = {(one.kind, one.value) for one in show(store, ann).identities}
    assert ("salesforce", "0035g00000XyZ") in kinds
    assert ("phone", "+8613800138000") in kinds
    assert findings_about_people(store) == []


def test_address_goes_to_another_contact_with_its_trail_and_comes_back(store: Store) -> None:
    ann, home = contact_at(store, "ann@acme.com"), contact_at(store, "ann@home.org")
    made = link(store, Wanted("ann@home.org", ann))
    trail = [e.subject for e in contact_timeline(store, ann, Window()).entries]
    assert sorted(trail) == ["one", "two"]
    assert contact_timeline(store, home, Window()).entries == ()
    unlink(store, made.id)
    unlink(store, made.id)
    assert contact_at(store, "ann@home.org") == home
    assert [e.subject for e in contact_timeline(store, home, Window()).entries] == ["two"]
    assert [one.undone_ms is not None for one in links_of(store, ann)] == [True]


def test_split_address_has_a_contact_of_its_own_of_the_company_of_its_domain(store: Store) -> None:
    ann, home = contact_at(store, "ann@acme.com"), contact_at(store, "ann@home.org")
    merge_id = merge(store, home, ann)
    made = link(store, Wanted("ann@acme.com"))
    own = contact_at(store, "ann@acme.com")
    assert own == made.contact_id not in (ann, home)
    assert show(store, own).company_domain == "acme.com"
    undo(store, merge_id)
    assert contact_at(store, "ann@acme.com") == own
    unlink(store, made.id)
    assert contact_at(store, "ann@acme.com") == ann


def test_address_counts_for_its_contact_only_in_its_time(store: Store) -> None:
    ann = contact_at(store, "ann@acme.com")
    start_ms = int(START.timestamp() * 1000)
    made = link(store, Wanted("ann@home.org", ann, valid_to_ms=start_ms))
    assert [e.subject for e in contact_timeline(store, ann, Window()).entries] == ["one"]
    (home,) = (one for one in show(store, ann).identities if one.value == "ann@home.org")
    assert (home.messages, home.first_contact_at) == (0, None)
    unlink(store, made.id)
    link(store, Wanted("ann@home.org", ann, valid_from_ms=start_ms))
    assert len(contact_timeline(store, ann, Window()).entries) == 2


def test_link_queues_what_the_address_took_part_in(store: Store) -> None:
    ann = contact_at(store, "ann@acme.com")
    with writing(store.engine) as connection:
        connection.execute(delete(index_queue))
    link(store, Wanted("ann@home.org", ann))
    with reading(store.engine) as connection:
        queued = list(connection.scalars(select(index_queue.c.interaction_id)))
    (record,) = records(store, queued)
    assert record.subject == "two"
    assert ann in record.contact_ids


def test_links_are_audited_once(store: Store) -> None:
    made = link(store, Wanted("ann@home.org", contact_at(store, "ann@acme.com")))
    unlink(store, made.id)
    unlink(store, made.id)
    with reading(store.engine) as connection:
        kinds = list(connection.scalars(select(audit_events.c.kind).order_by(audit_events.c.id)))
    assert kinds[-2:] == ["identity_link", "identity_unlink"]


@pytest.mark.parametrize("key", ["nonsense", "Salesforce:1", "", "no address@"])
def test_what_is_no_address_is_refused(store: Store, key: str) -> None:
    with pytest.raises(Refused, match="no address"):
        link(store, Wanted(key, contact_at(store, "ann@acme.com")))


def test_link_that_changes_nothing_or_ends_before_it_begins_is_refused(store: Store) -> None:
    ann = contact_at(store, "ann@acme.com")
    with pytest.raises(Refused, match="already"):
        link(store, Wanted("ann@acme.com", ann))
    with pytest.raises(Refused, match="ends before"):
        link(store, Wanted("ann@home.org", ann, 5, 5))


def test_address_of_a_machine_is_nobodys(store: Store) -> None:
    with pytest.raises(Refused, match="machine"):
        link(store, Wanted("no-reply@acme.com", contact_at(store, "ann@acme.com")))


def test_what_is_unknown_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        link(store, Wanted("ann@home.org", 1))
    with pytest.raises(NotFound):
        unlink(store, 1)
    with pytest.raises(NotFound):
        link_by_id(store, 1)
    with pytest.raises(NotFound):
        links_of(store, 1)


TAMPERED = {
    "another contact": lambda c: c.execute(update(links).values(contact_id=links.c.before_id)),
    "another time": lambda c: c.execute(update(links).values(valid_to_ms=5)),
    "taken back": lambda c: c.execute(update(links).values(undone_ms=5)),
    "removed": lambda c: c.execute(delete(links)),
    "moved": lambda c: c.execute(update(identities).values(contact_id=identities.c.home_id)),
    "limited": lambda c: c.execute(update(identities).values(valid_to_ms=7)),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_tampered_link_is_named(store: Store, how: str) -> None:
    link(store, Wanted("ann@home.org", contact_at(store, "ann@acme.com")))
    assert findings_about_people(store) == []
    with writing(store.engine) as connection:
        TAMPERED[how](connection)
    assert findings_about_people(store)


def test_contacts_are_as_if_undone_links_and_merges_had_never_been(homes: Homes) -> None:
    assert run_people(homes, examples=2, steps=12) > 2


def test_control_link_that_is_not_taken_back_is_caught(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("people_kit.unlink", lambda store, link_id: None)
    monkeypatch.setattr(PeopleMachine, "homes", [homes], raising=False)
    machine = PeopleMachine()
    machine.begin()
    machine.link(one=0, other=1, since=None, until=None)
    machine.undo_link(which=0)
    with pytest.raises(AssertionError):
        machine.teardown()


def test_contact_is_found_by_an_external_id(store: Store) -> None:
    ann = contact_at(store, "ann@acme.com")
    link(store, Wanted("salesforce:0035g", ann))
    assert [one.id for one in find(store, "0035g")] == [ann]
