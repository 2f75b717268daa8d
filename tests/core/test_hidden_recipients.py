"""Whom a sender hid is in no record and no answer of who may not see them; NOT stays right."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core import recipient_guard
from holdfast.core.errors import Corrupt
from holdfast.core.hidden_recipients import as_seen, is_withheld, tells_hidden
from holdfast.core.kinds import Role
from holdfast.core.matching import matches
from holdfast.core.number_guard import guard_numbers
from holdfast.core.query import (
    EVERYTHING,
    Dates,
    Field,
    Header,
    Knowers,
    Near,
    Node,
    Not,
    Or,
    Part,
    Phrase,
    Scope,
    Term,
)
from holdfast.core.query_form import read_knowers, write_knowers
from holdfast.core.recipient_guard import guard_recipients, withholding
from holdfast.core.record_terms import hidden_in
from holdfast.core.records import OpenFacts, Record, RecordParticipant
from query_kit import sample_record
from records import askable_query, make_knowers, make_record, make_records

ANN, BOB, LAW = "ann@our.example", "bob@our.example", "law@hush.example"


def mail(*people: tuple[Role, str], **changes: object) -> Record:
    who = tuple(RecordParticipant(role, "", address) for role, address in people)
    return sample_record(participants=who, **changes)


def of(*addresses: str, wide: Node = EVERYTHING) -> Knowers:
    """Return the knowers of a scope that is these users', with nothing granted beside it."""
    ones = frozenset(addresses)
    return Knowers(Or(()) if wide == EVERYTHING else wide, ones, ones)


def people(record: Record) -> list[tuple[Role, str]]:
    return [(one.role, one.address) for one in record.participants]


HIDING = [Role.BCC, Role.RECIPIENT, Role.EXPANDED, Role.FORWARDED, Role.DELIVERED_TO]
SENT = ((Role.FROM, ANN), (Role.TO, BOB))


@pytest.mark.parametrize("role", HIDING)
def test_who_is_in_no_field_that_all_recipients_see_is_hidden(role: Role) -> None:
    assert hidden_in(mail(*SENT, (role, LAW))) == (LAW,)
    assert hidden_in(mail(*SENT, (role, BOB.upper()))) == ()
    assert hidden_in(mail(*SENT, (Role.CC, LAW), (role, LAW))) == ()
    assert hidden_in(mail(*SENT, (role, ""))) == ("",)
    assert hidden_in(mail(*SENT, (role, LAW), channel="slack")) == (LAW,) * (role is Role.BCC)


def test_recipient_sees_nobody_hidden_and_nothing_that_comes_of_them() -> None:
    record = mail(
        *SENT,
        (Role.BCC, LAW),
        headers=(("Subject", "x"), ("bcc", LAW), ("Received", f"for {LAW}")),
        companies=("hush.example", "our.example"),
        direction="out",
        custodians=("law", "Bob"),
        sources=("law's mailbox",),
        folders=("law/inbox",),
        labels=("law",),
        open_facts=OpenFacts(("our.example",), (), "internal"),
    )
    knowers = replace(of(BOB), mailboxes=frozenset({"bob"}))
    seen = as_seen(record, Scope("bob", knowers=knowers))
    assert people(seen) == list(SENT)
    assert seen.headers == (("Subject", "x"),)
    assert (seen.companies, seen.direction) == (("our.example",), "internal")
    assert (seen.custodians, seen.sources, seen.folders, seen.labels) == (("Bob",), (), (), ())
    assert "law" not in str(seen)
    assert tells_hidden(record, knowers)


@pytest.mark.parametrize("knowers", [None, of(ANN), of(wide=Phrase("treaty"))])
def test_sender_and_deliberate_grants_see_all(knowers: Knowers | None) -> None:
    record = mail(*SENT, (Role.BCC, LAW), subject="treaty")
    assert as_seen(record, Scope("x", knowers=knowers)) is record
    assert not tells_hidden(record, knowers)


def test_facts_that_were_not_read_are_not_shown() -> None:
    record = mail(*SENT, (Role.BCC, LAW), companies=("hush.example",), direction="out")
    seen = as_seen(record, Scope("bob", knowers=of(BOB)))
    assert (seen.companies, seen.direction) == ((), "unknown")


def test_only_hidden_one_sees_the_record_as_it_is() -> None:
    record = mail(*SENT, (Role.BCC, LAW))
    assert as_seen(record, Scope("law", knowers=of(LAW))) is record


def test_one_of_several_sees_itself_by_address_alone() -> None:
    other = RecordParticipant(Role.BCC, "The Law", LAW, contact_id=5)
    record = mail(*SENT, (Role.BCC, "mole@our.example"))
    record = replace(record, participants=(*record.participants, other, other))
    seen = as_seen(record, Scope("law", knowers=of(LAW)))
    assert people(seen) == [*SENT, (Role.DELIVERED_TO, LAW)]
    assert (seen.participants[-1].name, seen.contact_ids) == ("", ())
    known = replace(of(LAW), contacts=frozenset({"con_0000000000005"}))
    assert as_seen(record, Scope("law", knowers=known)).contact_ids == (5,)
    assert tells_hidden(record, known)


def test_nothing_is_told_where_all_who_are_hidden_are_ones_own() -> None:
    record = mail(*SENT, (Role.BCC, LAW), (Role.RECIPIENT, "mole@our.example"))
    knowers = of(LAW, "mole@our.example")
    assert is_withheld(record, knowers)
    assert not tells_hidden(record, knowers)


@given(seed=st.integers(0, 1 << 32))
@settings(max_examples=200, deadline=None)
def test_any_query_finds_what_it_finds_in_records_without_the_hidden(seed: int) -> None:
    assert differing(random.Random(seed), queries=8) == []


def differing(rnd: random.Random, queries: int) -> list[Node]:
    """Return those of made-up queries that tell more, or less, than the records that are seen."""
    records = make_records(rnd, 4)
    found = []
    for _ in range(queries):
        knowers, node = make_knowers(rnd, records), askable_query(rnd, records)
        guarded, scope = guard_recipients(node, knowers), Scope("x", knowers=knowers)
        seen = [as_seen(one, scope) for one in records]
        assert [as_seen(one, scope) for one in seen] == seen
        if [matches(guarded, r) for r in records] != [matches(node, r) for r in seen]:
            found.append(node)
    return found


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("_HIDDEN_PARTS", frozenset()),
        ("_PARTS", {}),
        ("_UNSEEN", frozenset()),
        ("_OWN", {}),
        ("_OPEN", frozenset()),
        ("is_open_header", lambda _: True),
        ("withholding", lambda _: Or(())),
        ("limiting_mailboxes", lambda _: Or(())),
        ("in_own_mailbox", lambda _: EVERYTHING),
        ("open_mailbox", lambda *_: "x"),
    ],
)
def test_comparison_finds_out_a_guard_that_forgets_something(
    monkeypatch: pytest.MonkeyPatch, name: str, broken: object
) -> None:
    monkeypatch.setattr(recipient_guard, name, broken)
    rnd = random.Random(3)
    assert any(differing(rnd, queries=40) for _ in range(80))


def test_queries_that_ask_for_nobody_stay_as_they_are() -> None:
    for node in (EVERYTHING, Phrase("x", Part.BODY), Dates(None, None), Term(Field.IS, "bulk")):
        assert guard_recipients(node, of(BOB)) is node
    mixed = Near((Phrase("a", Part.TO), Phrase("b", Part.WITH)), 2)
    assert guard_recipients(mixed, of(BOB)) is mixed


def test_query_matches_what_is_withheld() -> None:
    rnd = random.Random(5)
    found = 0
    for number in range(1, 200):
        record = make_record(rnd, number)
        knowers = make_knowers(rnd, [record])
        assert matches(withholding(knowers), record) == is_withheld(record, knowers)
        found += is_withheld(record, knowers)
    assert found > 50


def test_digits_of_the_hidden_do_not_guard_what_is_open() -> None:
    """Else a number would vanish from answers because somebody hidden has one in their address."""
    record = mail(*SENT, (Role.BCC, "13800138000@hush.example"), body="of 2024")
    guarded = guard_numbers(Phrase("2024")).node
    assert matches(guard_recipients(guarded, of(BOB)), record)
    assert not matches(guard_recipients(Term(Field.HAS, "number"), of(BOB)), record)
    own = of("13800138000@hush.example", BOB)
    record = mail(*((role, f"x{address}") for role, address in SENT), *people(record)[2:])
    record = replace(
        record, participants=(*record.participants, mail((Role.BCC, LAW)).participants[0])
    )
    assert matches(guard_recipients(Term(Field.HAS, "number"), own), record)


def test_header_fields_are_asked_by_name_in_any_case() -> None:
    record = mail(*SENT, (Role.BCC, LAW), headers=(("BCC", LAW), ("SUBJECT", "x")))
    for name, is_found in (("Bcc", False), ("subject", True)):
        node = guard_recipients(Header(name, ""), of(BOB))
        assert matches(node, record) is is_found
        assert matches(guard_recipients(Not(Header(name, "")), of(BOB)), record) is not is_found


@given(seed=st.integers(0, 1 << 32))
def test_knowers_are_read_back_as_they_were_written(seed: int) -> None:
    rnd = random.Random(seed)
    knowers = make_knowers(rnd, make_records(rnd, 2))
    assert read_knowers(write_knowers(knowers)) == knowers
    assert read_knowers(write_knowers(None)) is None


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"wide": "x", "authors": []}', b"7"])
def test_knowers_that_cannot_be_read_let_nobody_see(raw: bytes) -> None:
    with pytest.raises(Corrupt):
        read_knowers(raw)
