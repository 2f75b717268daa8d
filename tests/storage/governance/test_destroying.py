"""What destroying one interaction leaves behind, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, func, select, update

from catalogue_kit import START, Filing, Home, Mail
from destroying_checks import (
    OTHER,
    SECRET,
    destroyed,
    filed,
    office_of,
    shared_original_stays,
    waiting_copy_keeps_the_original,
)
from disposal_kit import Office, verified
from holdfast.core.errors import NotFound, Unavailable
from holdfast.core.identity import public_id
from holdfast.core.ports import Placement, Prepared
from holdfast.core.query import Field, Not, Phrase, Term
from holdfast.storage.annotations.values import Change
from holdfast.storage.annotations.writing import annotate
from holdfast.storage.catalogue.batches import undo_batch
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.contacts import find
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.later_facts import Known, known_now, note_later
from holdfast.storage.catalogue.ledger import sums
from holdfast.storage.catalogue.merging import merge
from holdfast.storage.catalogue.reading import find_interaction, records
from holdfast.storage.catalogue.schema import (
    captures,
    companies,
    contacts,
    identities,
    index_queue,
    interactions,
    metadata,
    originals,
    source_items,
    sources,
    thread_keys,
    threads,
)
from holdfast.storage.governance import destroying
from holdfast.storage.governance.tombstones import tombstone_of

RULED = Phrase("harpsichord")
"""What policies are about; it stands in them, so it is not among the words that must go."""


def words_in(home: Home, *words: str) -> dict[str, list[str]]:
    """Return the tables and columns in which each word stands, however it is written."""
    found: dict[str, list[str]] = {}
    with reading(home.engine()) as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                for column, value in row.items():
                    text = value if isinstance(value, bytes) else str(value).encode()
                    for word in words:
                        if word.lower().encode() in text.lower():
                            found.setdefault(word, []).append(f"{table.name}.{column}")
    return found


WORDS = ("xylophone", "zanzibar", "zoe", "quentin", "quux", "xenon", "xmas", "xflag", "secret@")


def test_nothing_of_it_is_left_in_any_row_and_the_archive_verifies(home: Home) -> None:
    office, filing = office_of(home)
    secret, other = filed(filing, SECRET, OTHER)
    assert set(words_in(home, *WORDS)) >= {"zanzibar", "quentin", "xmas", "xenon", "xflag"}
    office.rule("ceiling", 1, RULED)
    assert office.dispose() == ["destroyed"]
    assert words_in(home, *WORDS) == {}
    assert verified(office.store, home.folder) == []
    assert [one.id for one in records(office.store, [secret, other])] == [other]
    with pytest.raises(NotFound, match="disposed of on"):
        find_interaction(office.store, public_id("msg", secret))
    with pytest.raises(NotFound):
        find_interaction(office.store, "secret@zanzibar.com")


def test_what_people_added_to_it_goes_with_it(home: Home) -> None:
    office, filing = office_of(home)
    secret, other = filed(filing, SECRET, OTHER)
    change = Change(add_tags=("xtag",), add_notes=("xnote",), summary="xsummary", owner="xowner")
    for one in (secret, other):
        annotate(office.store, one, change)
    before = words_in(home, "xtag", "xnote", "xsummary", "xowner")
    office.rule("ceiling", 1, RULED)
    office.dispose()
    after = words_in(home, "xtag", "xnote", "xsummary", "xowner")
    assert {word: 2 * len(places) for word, places in after.items()} == {
        word: len(places) for word, places in before.items()
    }
    assert verified(office.store, home.folder) == []


def test_sums_of_the_ledger_stay_and_its_contacts_are_counted_again(home: Home) -> None:
    office, filing = office_of(home)
    filed(filing, SECRET, OTHER)
    before = sums(office.store)
    office.rule("ceiling", 1, RULED)
    office.dispose()
    assert sums(office.store) == before == {"box": {"filed": 2}}
    (bob,) = find(office.store, "bob@example.org")
    assert bob.identities[0].messages == 1
    assert find(office.store, "zanzibar") == []
    assert find(office.store, "quentin") == []


def test_the_tombstone_says_why_and_by_whom_and_holds_commitments(home: Home) -> None:
    office, filing = office_of(home)
    (secret,) = filed(filing, SECRET)
    office.rule("ceiling", 1)
    disposal = office.approved()
    office.execute(disposal.id)
    stone = tombstone_of(office.store, secret)
    assert stone is not None
    assert stone.disposal_id == disposal.id
    rules = msgspec.json.decode(stone.rules)["rules"]
    assert [(one["name"], one["version"], one["citation"]) for one in rules] == [
        ("ceiling 1", 1, "§ 1")
    ]
    assert msgspec.json.decode(stone.approvers) == {
        "planned": public_id("per", office.ann),
        "reviewed": public_id("per", office.ann),
        "approved": public_id("per", office.ben),
    }
    with reading(office.store.engine) as connection:
        row = connection.execute(select(originals)).one()
    assert (row.wrapped_key, row.salt) == (None, None)
    said = msgspec.json.decode(stone.commitments)["originals"]
    assert said == {
        public_id("org", row.id): {"commit": row.content_id.hex(), "is_destroyed": True}
    }
    assert tombstone_of(office.store, 1) is None


def test_the_index_is_told_to_forget_it_and_to_renew_its_namesakes(home: Home) -> None:
    office, filing = office_of(home)
    namesake = replace(OTHER, message_id=SECRET.message_id)
    secret, twin, _ = filed(filing, SECRET, namesake, OTHER)
    with writing(office.store.engine) as connection:
        connection.execute(index_queue.delete())
    office.rule("ceiling", 1, RULED)
    office.dispose()
    with reading(office.store.engine) as connection:
        assert set(connection.scalars(select(index_queue.c.interaction_id))) == {secret, twin}
    assert verified(office.store, home.folder) == []


def test_a_second_import_of_the_same_mail_is_a_new_capture(home: Home) -> None:
    office, filing = office_of(home)
    mail = replace(SECRET, key="place 1")
    (first,) = filed(filing, mail)
    office.rule("ceiling", 1, RULED)
    office.dispose()
    (second,) = filed(filing, mail)
    assert second != first
    assert sums(office.store) == {"box": {"filed": 2}}
    assert records(office.store, [second])[0].subject == SECRET.subject
    (zoe,) = find(office.store, "zoe@zanzibar.com")
    assert zoe.identities[0].messages == 1
    assert verified(office.store, home.folder) == []


def test_a_mailbox_is_not_taken_from_again_after_disposal(home: Home) -> None:
    office, filing = office_of(home)
    filed(filing, replace(SECRET, key="INBOX/1/7"))
    with writing(office.store.engine) as connection:
        connection.execute(update(sources).values(kind="imap"))
    office.rule("ceiling", 1, RULED)
    office.dispose()
    with reading(office.store.engine) as connection:
        assert connection.scalars(select(source_items.c.item_key)).all() == ["INBOX/1/7"]


def test_f58_an_original_of_two_interactions_stays_until_the_last_goes(home: Home) -> None:
    shared_original_stays(home)


def test_f58_a_copy_that_waits_to_be_filed_keeps_the_original(home: Home) -> None:
    waiting_copy_keeps_the_original(home)


def test_f58_key_that_another_record_needs_and_is_destroyed_is_found_out(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blind(connection: Connection, query: Any, column: Any, values: Any) -> Any:
        """Sees no other captures of an original."""
        return (
            [] if column is captures.c.original_id else by_value(connection, query, column, values)
        )

    monkeypatch.setattr(destroying, "by_value", blind)
    with pytest.raises(AssertionError, match="the key went with the first of two"):
        shared_original_stays(home)


def test_f58_key_that_a_waiting_copy_needs_and_is_destroyed_is_found_out(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destroying, "_WAITING", ())
    with pytest.raises(AssertionError, match="the key went, and a copy waits"):
        waiting_copy_keeps_the_original(home)


def test_copies_go_together_and_an_undone_one_with_them(home: Home) -> None:
    office, filing = office_of(home)
    first = filing.open()
    filing.into(first, [replace(SECRET, key="1")])
    second = filing.open()
    filing.into(second, [replace(SECRET, key="2", copy=0), OTHER])
    filing.into(filing.open(), [replace(SECRET, key="3", copy=1)])
    undo_batch(office.store, second.batch_id)
    office.rule("ceiling", 1, RULED)
    assert office.dispose() == ["destroyed"]
    assert verified(office.store, home.folder) == []
    assert words_in(home, *WORDS) == {}
    before = sums(office.store)
    undone = undo_batch(office.store, first.batch_id)  # what was disposed of is not taken back
    assert (undone.captures, undone.interactions) == (0, 0)
    assert sums(office.store) == before
    assert verified(office.store, home.folder) == []


def test_a_thread_that_lives_on_forgets_the_subject_and_the_times(home: Home) -> None:
    office, filing = office_of(home)
    answer = Mail(
        subject="Another matter",
        body="yes",
        message_id="answer@acme.com",
        refers_to=(SECRET.message_id,),
        at=START + timedelta(days=1),
    )
    filed(filing, SECRET, answer)
    office.rule("ceiling", 1, RULED)
    office.dispose()
    with reading(office.store.engine) as connection:
        row = connection.execute(select(threads)).one()
        assert row.base_subject == ""
        assert row.first_ms == row.last_ms == int(answer.at.timestamp() * 1000)
        assert connection.scalar(select(func.count()).select_from(thread_keys)) == 2
    assert verified(office.store, home.folder) == []


def test_a_thread_keeps_a_subject_that_another_message_has(home: Home) -> None:
    office, filing = office_of(home)
    answer = replace(
        OTHER, subject="Re: XYLOPHONE  prices", refers_to=(SECRET.message_id,), body="no"
    )
    filed(filing, SECRET, answer)
    office.rule("ceiling", 1, Phrase("lamps"))
    office.dispose()
    with reading(office.store.engine) as connection:
        assert connection.scalars(select(threads.c.base_subject)).all() == ["xylophone prices"]


def test_joined_threads_go_when_their_last_message_goes(home: Home) -> None:
    office, filing = office_of(home)
    filed(filing, SECRET, OTHER)
    filed(
        filing,
        Mail(
            body="joins", message_id="j@a.com", refers_to=("secret@zanzibar.com", "other@acme.com")
        ),
    )
    office.rule("ceiling", 1)
    assert office.dispose() == ["destroyed"] * 3
    with reading(office.store.engine) as connection:
        for table in (threads, thread_keys, interactions, contacts, companies):
            assert connection.scalar(select(func.count()).select_from(table)) == 0
    assert verified(office.store, home.folder) == []


def test_a_name_that_only_it_used_is_forgotten(home: Home) -> None:
    office, filing = office_of(home)
    filed(
        filing,
        Mail(sender="Robert <bob@example.org>", body="a"),
        Mail(sender="bob@example.org", to=("Bobby <bob@example.org>",), body="b"),
        Mail(sender="Xavier <bob@example.org>", to=("nameless@example.org",), body="harpsichord"),
        Mail(sender="x@example.org", to=("Ximena <nameless@example.org>",), body="harpsichord"),
    )
    office.rule("ceiling", 1, RULED)
    office.dispose()
    (bob,) = find(office.store, "bob@example.org")
    assert bob.identities[0].name == "Robert"
    assert words_in(home, "Xavier", "Ximena") == {}
    assert verified(office.store, home.folder) == []


def test_a_merged_contact_stays_and_what_was_merged_verifies(home: Home) -> None:
    office, filing = office_of(home)
    filed(filing, SECRET, OTHER)
    (zoe,) = find(office.store, "zoe@zanzibar.com")
    (bob,) = find(office.store, "bob@example.org")
    merge(office.store, bob.id, zoe.id)
    office.rule("ceiling", 1, RULED)
    office.dispose()
    assert words_in(home, *WORDS) == {}
    assert verified(office.store, home.folder) == []
    (left,) = find(office.store, "bob@example.org")
    assert left.merged == (zoe.id,)


def test_a_company_stays_while_another_address_is_of_it(home: Home) -> None:
    office, filing = office_of(home)
    filed(filing, SECRET, Mail(sender="desk@mail.zanzibar.com", body="keep"))
    office.rule("ceiling", 1, RULED)
    office.dispose()
    with reading(office.store.engine) as connection:
        domains = set(connection.scalars(select(companies.c.domain)))
    assert "zanzibar.com" in domains
    assert "quux.net" not in domains
    assert verified(office.store, home.folder) == []


def test_a_company_stays_whose_domain_is_written_in_letters_of_its_own(home: Home) -> None:
    office, filing = office_of(home)
    filed(
        filing,
        Mail(sender="a@xn--bcher-kva.de", body="harpsichord"),
        Mail(sender="b@bücher.de", body="keep"),
    )
    office.rule("ceiling", 1, RULED)
    office.dispose()
    with reading(office.store.engine) as connection:
        assert "xn--bcher-kva.de" in set(connection.scalars(select(companies.c.domain)))
    assert verified(office.store, home.folder) == []


def test_what_a_source_said_later_goes_and_the_rest_of_the_note_verifies(home: Home) -> None:
    office, filing = office_of(home)
    filed(filing, replace(SECRET, key="1"), replace(OTHER, key="2"))
    with reading(office.store.engine) as connection:
        source = connection.scalars(select(sources.c.id)).one()
    known = known_now(office.store, source, ["1", "2"])
    note_later(office.store, source, [Known(one.capture_id, ("Xlabel",)) for one in known.values()])
    note_later(office.store, source, [Known(known["1"].capture_id, ("Xalone",))])
    office.rule("ceiling", 1, RULED)
    office.dispose()
    assert set(words_in(home, "Xlabel", "Xalone")) == {"Xlabel"}
    assert verified(office.store, home.folder) == []
    with writing(office.store.engine) as connection:
        connection.execute(update(source_items).values(item_key=source_items.c.item_key + "x"))
    assert len(known_now(office.store, source, ["2x"])) == 1
    assert known_now(office.store, source, ["1x"]) == {}


def test_a_writer_that_remembers_people_meets_them_anew(home: Home) -> None:
    office, filing = office_of(home)
    filed(filing, SECRET)
    office.rule("ceiling", 1, RULED)
    office.dispose()
    filed(filing, replace(SECRET, copy=2, at=START + timedelta(days=2)))  # by the same linker
    (zoe,) = find(office.store, "zoe@zanzibar.com")
    assert zoe.identities[0].messages == 1
    assert verified(office.store, home.folder) == []


@dataclass(slots=True)
class Racing:
    """A vault that lets somebody in between looking for originals and keeping captures."""

    office: Office
    victim: int

    def append(self, batch: Sequence[Prepared]) -> list[Placement]:
        destroyed(self.office, self.victim)
        return self.office.store.vault.append(batch)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.office.store.vault, name)


def test_an_original_that_is_disposed_of_while_it_is_offered_is_refused_once(home: Home) -> None:
    office, filing = office_of(home)
    (secret,) = filed(filing, SECRET)
    racing = Filing(replace(office.store, vault=Racing(office, secret)), source="other")
    with pytest.raises(Unavailable, match="disposed of while"):
        racing(replace(SECRET, key="a"), replace(OTHER, key="b"))
    assert [one.filed.is_new_interaction for one in filing(replace(SECRET, key="a"), OTHER)] == [
        True,
        True,
    ]


def test_everything_else_stays_as_it_was(home: Home) -> None:
    office, filing = office_of(home)
    secret, other, third = filed(filing, SECRET, OTHER, Mail(body="third", subject="Third"))
    before = records(office.store, [other, third])
    office.rule("ceiling", 1, Not(Term(Field.ID, public_id("msg", other))), name="most")
    office.rule("floor", 900, Phrase("third"))
    assert office.dispose() == ["destroyed"]
    assert records(office.store, [secret, other, third]) == before
    with reading(office.store.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(identities)) == 4
