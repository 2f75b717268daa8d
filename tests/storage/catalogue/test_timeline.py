from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from catalogue_kit import SAME_FIXTURE, START, Filing, Home, Homes, Mail
from holdfast.core.errors import NotFound, Refused
from holdfast.storage.catalogue.batches import undo_batch
from holdfast.storage.catalogue.companies import add_internal
from holdfast.storage.catalogue.company_views import company
from holdfast.storage.catalogue.contacts import find
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.merging import merge
from holdfast.storage.catalogue.schema import contacts
from holdfast.storage.catalogue.timeline import Window, company_timeline, contact_timeline
from holdfast.storage.store import Store


@pytest.fixture
def store(home: Home) -> Store:
    return home.store()


def at(minutes: int) -> Mail:
    return Mail(at=START + timedelta(minutes=minutes), subject=f"{minutes}")


def contact_of(store: Store, address: str) -> int:
    return find(store, address)[0].id


def walk(store: Store, contact_id: int, window: Window) -> list[list[str]]:
    pages = []
    cursor = ""
    while True:
        page = contact_timeline(
            store, contact_id, Window(window.after, window.before, cursor, window.limit)
        )
        pages.append([entry.subject for entry in page.entries])
        cursor = page.cursor
        if not cursor:
            return pages


def test_pages_come_newest_first_and_end(store: Store) -> None:
    Filing(store)(*(at(n) for n in (3, 1, 5, 2, 4)))
    ann = contact_of(store, "ann@acme.com")
    assert walk(store, ann, Window(limit=2)) == [["5", "4"], ["3", "2"], ["1"]]
    assert walk(store, ann, Window(limit=5)) == [["5", "4", "3", "2", "1"]]


def test_window_is_from_after_up_to_before(store: Store) -> None:
    Filing(store)(*(at(n) for n in range(6)))
    window = Window(START + timedelta(minutes=1), START + timedelta(minutes=4), limit=2)
    assert walk(store, contact_of(store, "ann@acme.com"), window) == [["3", "2"], ["1"]]


def test_entry_that_arrives_meanwhile_does_not_disturb_the_cursor(store: Store) -> None:
    filing = Filing(store)
    filing(*(at(n) for n in (1, 2, 3)))
    ann = contact_of(store, "ann@acme.com")
    first = contact_timeline(store, ann, Window(limit=2))
    filing(at(9))
    second = contact_timeline(store, ann, Window(cursor=first.cursor, limit=2))
    assert [entry.subject for entry in second.entries] == ["1"]


def test_interaction_of_several_identities_of_one_contact_comes_once(store: Store) -> None:
    Filing(store)(Mail(sender="ann@acme.com", to=("ann@home.org", "ann@acme.com")))
    ann = contact_of(store, "ann@acme.com")
    merge(store, ann, contact_of(store, "ann@home.org"))
    assert walk(store, ann, Window()) == [["Hello"]]


def test_undone_interactions_are_left_out_and_pages_stay_full(store: Store) -> None:
    filing = Filing(store)
    intake = filing.open()
    filing.into(intake, [at(n) for n in range(10, 30)])
    filing(*(at(n) for n in range(6)))
    undo_batch(store, intake.batch_id)
    ann = contact_of(store, "ann@acme.com")
    assert walk(store, ann, Window(limit=4)) == [["5", "4", "3", "2"], ["1", "0"]]


def test_entry_tells_direction_people_and_attachments(store: Store) -> None:
    add_internal(store, "acme.com")
    Filing(store)(Mail(attachments=(("a.txt", "x"), ("b.txt", "y"))))
    ann = contact_of(store, "ann@acme.com")
    [entry] = contact_timeline(store, ann, Window()).entries
    assert (entry.direction, entry.attachments, entry.at) == ("out", 2, START)
    assert [p.contact_id for p in entry.participants] == [ann, contact_of(store, "bob@example.org")]


def test_company_timeline_joins_its_contacts(store: Store) -> None:
    Filing(store)(
        Mail(sender="a@acme.com", to=("b@acme.com",), subject="both"),
        Mail(sender="b@eu.acme.com", subject="below", at=START + timedelta(days=1)),
        Mail(sender="c@x.org", to=("d@x.org",), subject="other"),
    )
    acme = company(store, "acme.com").id
    page = company_timeline(store, acme, Window())
    assert [entry.subject for entry in page.entries] == ["below", "both"]


def test_company_keeps_a_contact_whose_other_address_won(store: Store) -> None:
    Filing(store)(
        Mail(sender="ann@gmail.com", to=("x@y.org",), subject="private"),
        Mail(sender="ann@acme.com", to=("x@y.org",), subject="at work"),
    )
    merge(store, contact_of(store, "ann@gmail.com"), contact_of(store, "ann@acme.com"))
    page = company_timeline(store, company(store, "acme.com").id, Window())
    assert {entry.subject for entry in page.entries} == {"private", "at work"}


def test_contacts_silent_in_the_window_do_not_show(store: Store) -> None:
    Filing(store)(
        Mail(sender="a@acme.com", to=("x@y.org",), subject="early"),
        Mail(sender="b@acme.com", to=("x@y.org",), subject="late", at=START + timedelta(days=1)),
    )
    acme = company(store, "acme.com").id
    page = company_timeline(store, acme, Window(after=START + timedelta(hours=1)))
    assert [entry.subject for entry in page.entries] == ["late"]


def test_unknown_contact_and_company_are_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        contact_timeline(store, 1, Window())
    with pytest.raises(NotFound):
        company_timeline(store, 1, Window())


@pytest.mark.parametrize("window", [Window(cursor="x"), Window(limit=0), Window(limit=10**6)])
def test_broken_window_is_refused(store: Store, window: Window) -> None:
    Filing(store)(at(1))
    with pytest.raises(Refused):
        contact_timeline(store, contact_of(store, "ann@acme.com"), window)


PEOPLE = ["a@x.org", "b@x.org", "c@y.org"]
MESSAGES = st.lists(
    st.tuples(st.integers(0, 4), st.sets(st.sampled_from(PEOPLE), min_size=1)), max_size=60
)


@settings(max_examples=8, suppress_health_check=SAME_FIXTURE)
@given(MESSAGES, st.integers(1, 7))
def test_pages_equal_a_sort_of_everything(
    homes: Homes,
    messages: list[tuple[int, set[str]]],
    limit: int,
) -> None:
    with homes() as home:
        store = home.store()
        mails = [
            Mail(
                sender="z@z.org",
                to=tuple(sorted(people)),
                subject=str(n),
                at=START + timedelta(hours=hour),
            )
            for n, (hour, people) in enumerate(messages)
        ]
        everybody = Mail(sender="z@z.org", to=tuple(PEOPLE), subject="first", at=START)
        filed = Filing(store)(everybody, *mails)
        merge(store, contact_of(store, "a@x.org"), contact_of(store, "b@x.org"))
        wanted = [
            (mail.at, one.filed.interaction_id, mail.subject)
            for mail, one in zip([everybody, *mails], filed, strict=True)
            if {"a@x.org", "b@x.org"} & set(mail.to)
        ]
        expected = [subject for _, _, subject in sorted(wanted, reverse=True)]
        pages = walk(store, contact_of(store, "b@x.org"), Window(limit=limit))
        assert [subject for page in pages for subject in page] == expected
        assert all(len(page) == limit for page in pages[:-1])
        with reading(store.engine) as connection:
            assert len(connection.execute(select(contacts)).all()) == 4
