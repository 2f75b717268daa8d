from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import event, update

from catalogue_kit import START, Filing, Home, Mail
from holdfast.core.errors import Corrupt, NotFound, Refused
from holdfast.core.identity import public_id
from holdfast.core.kinds import Role
from holdfast.storage.catalogue.companies import add_internal
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.reading import (
    captures_of,
    find_interaction,
    headers_of,
    original_bytes,
    records,
    thread_members,
)
from holdfast.storage.catalogue.schema import interactions, originals
from holdfast.storage.store import Store


@pytest.fixture
def store(home: Home) -> Store:
    return home.store()


def test_record_holds_everything_that_was_filed(store: Store) -> None:
    mail = Mail(
        cc=("Noa <no-reply@news.acme.com>",),
        body="Grüße",
        message_id="a@acme.com",
        attachments=(("plan.txt", "the plan"), ("b.txt", "")),
        folder="Sent Items",
        flags=("\\Seen", "My label"),
    )
    [filed] = Filing(store, source="box", custodian="ann")(mail)
    [record] = records(store, [filed.filed.interaction_id])
    assert (record.subject, record.body, record.at) == ("Hello", "Grüße", START)
    assert [(p.role, p.name, p.address) for p in record.participants] == [
        (Role.FROM, "Ann", "ann@acme.com"),
        (Role.TO, "Bob", "bob@example.org"),
        (Role.CC, "Noa", "no-reply@news.acme.com"),
    ]
    assert [bool(p.contact_id) for p in record.participants] == [True, True, False]
    assert [(a.filename, a.text) for a in record.attachments] == [
        ("plan.txt", "the plan"),
        ("b.txt", ""),
    ]
    assert (record.sources, record.custodians) == (("box",), ("ann",))
    assert (record.folders, record.labels) == (("Sent Items",), ("\\Seen", "My label"))
    assert record.companies == ("acme.com", "example.org")
    assert record.defects == ("header_8bit",)
    assert record.headers == (("Subject", "Hello"),)
    assert thread_members(store, record.thread_id) == [record.id]
    assert not record.is_duplicate
    assert not record.shares_message_id


def test_second_capture_and_second_original_make_a_duplicate(store: Store) -> None:
    filing = Filing(store)
    [one, same, other] = filing(Mail(), Mail(key="again"), Mail(copy=1))
    assert one.filed.interaction_id == same.filed.interaction_id == other.filed.interaction_id
    [record] = records(store, [one.filed.interaction_id])
    assert record.is_duplicate
    assert len(record.sha256s) == 2
    assert len(captures_of(store, record.id)) == 3


def test_same_message_id_with_other_content_is_flagged_on_both(store: Store) -> None:
    filing = Filing(store)
    filed = filing(Mail(message_id="x@y"), Mail(message_id="x@y", body="Other"))
    assert all(r.shares_message_id for r in records(store, [f.filed.interaction_id for f in filed]))


def test_messages_without_message_id_share_none(store: Store) -> None:
    filed = Filing(store)(Mail(body="1"), Mail(body="2"))
    made = records(store, [f.filed.interaction_id for f in filed])
    assert [r.shares_message_id for r in made] == [False, False]


def test_records_come_in_the_order_asked_for_and_unknown_ids_are_left_out(store: Store) -> None:
    filed = Filing(store)(*(Mail(body=str(n)) for n in range(5)))
    ids = [f.filed.interaction_id for f in filed]
    asked = [ids[3], 12345, ids[0], ids[3], ids[4]]
    assert [r.id for r in records(store, asked)] == [ids[3], ids[0], ids[4]]
    assert records(store, []) == []


def test_number_of_statements_does_not_grow_with_the_number_of_records(store: Store) -> None:
    filed = Filing(store)(*(Mail(body=str(n), message_id=f"{n}@x") for n in range(60)))
    ids = [f.filed.interaction_id for f in filed]
    counted: list[str] = []

    def count(*arguments: object) -> None:
        counted.append(str(arguments[2]))

    event.listen(store.engine, "before_cursor_execute", count)
    records(store, ids[:1])
    few = len(counted)
    records(store, ids)
    assert len(counted) == 2 * few


def test_text_of_a_disposed_original_is_empty(store: Store) -> None:
    [filed] = Filing(store)(Mail(attachments=(("a.txt", "secret"),)))
    with writing(store.engine) as connection:
        connection.execute(update(originals).values(wrapped_key=None, shredded_ms=1))
    [record] = records(store, [filed.filed.interaction_id])
    assert record.body == ""
    assert [a.text for a in record.attachments] == [""]


def test_altered_text_is_reported_not_shown(store: Store) -> None:
    [filed] = Filing(store)(Mail())
    with writing(store.engine) as connection:
        connection.execute(update(interactions).values(sealed_text=b"\x01" + bytes(40)))
    with pytest.raises(Corrupt):
        records(store, [filed.filed.interaction_id])


def test_direction_follows_the_internal_domains(store: Store) -> None:
    [filed] = Filing(store)(Mail())
    assert records(store, [filed.filed.interaction_id])[0].direction == "unknown"
    add_internal(store, "Acme.com")
    assert records(store, [filed.filed.interaction_id])[0].direction == "out"


def test_interaction_is_found_by_id_message_id_and_hash(store: Store) -> None:
    filing = Filing(store)
    [filed, _] = filing(Mail(message_id="Mixed@Case"), Mail(body="Another"))
    wanted = filed.filed.interaction_id
    sha256 = captures_of(store, wanted)[0].sha256
    names = [public_id("msg", wanted), "<Mixed@Case>", "Mixed@Case", sha256, sha256[:9].upper()]
    assert [find_interaction(store, name) for name in names] == [wanted] * 5


@pytest.mark.parametrize("name", ["<no@such>", "msg_0000000000000", "abcdef", "", "?"])
def test_unknown_name_is_not_found(store: Store, name: str) -> None:
    Filing(store)(Mail())
    with pytest.raises(NotFound):
        find_interaction(store, name)


def test_broken_public_id_is_refused(store: Store) -> None:
    with pytest.raises(Refused):
        find_interaction(store, "msg_short")


def test_name_of_several_is_refused_and_lists_them(store: Store) -> None:
    filed = Filing(store)(Mail(message_id="x@y"), Mail(message_id="x@y", body="Other"))
    with pytest.raises(Refused) as caught:
        find_interaction(store, "x@y")
    assert caught.value.facts["ids"] == [public_id("msg", f.filed.interaction_id) for f in filed]


def test_original_is_read_back_byte_for_byte(store: Store) -> None:
    [filed] = Filing(store)(Mail(body="x" * 3_000_000))
    [capture] = captures_of(store, filed.filed.interaction_id)
    raw = b"".join(original_bytes(store, capture.original_id))
    assert hashlib.sha256(raw).hexdigest() == capture.sha256
    assert len(raw) == capture.size_bytes


def test_original_that_is_not_there_is_not_found(store: Store) -> None:
    Filing(store)(Mail())
    with pytest.raises(NotFound):
        original_bytes(store, 1)


def test_thread_members_come_oldest_first_also_by_the_id_of_a_joined_thread(store: Store) -> None:
    filing = Filing(store)
    later = START + timedelta(days=1)
    mails = [Mail(message_id="1@x", at=later), Mail(message_id="2@x", body="two")]
    ids = [f.filed.interaction_id for f in filing(*mails)]
    before = [record.thread_id for record in records(store, ids)]
    assert before[0] != before[1]
    joining = Mail(
        message_id="3@x", body="three", at=later + timedelta(days=1), refers_to=("1@x", "2@x")
    )
    [three] = filing(joining)
    expected = [ids[1], ids[0], three.filed.interaction_id]
    for thread_id in before:
        assert thread_members(store, thread_id) == expected


def test_headers_of_an_unknown_interaction_are_none(store: Store) -> None:
    [filed] = Filing(store)(Mail())
    assert headers_of(store, filed.filed.interaction_id) == (("Subject", "Hello"),)
    assert headers_of(store, 1) == ()
