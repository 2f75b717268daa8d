"""Whom any copy of a message names as blind-copied is found, whichever copy came first."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from archive_kit import ACTOR, bring_in, findings, found, opened, settings_in
from holdfast.core.identity import public_id, row_id
from holdfast.core.records import Record
from holdfast.settings import Settings
from holdfast.storage.catalogue import envelopes
from holdfast.storage.catalogue.batches import undo_batch
from holdfast.storage.catalogue.contacts import find
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import interactions
from holdfast.wiring.runs import rebuild_index
from journal_checks import CORPUS

LINES = (
    "From: Boss <boss@our.example>",
    "To: Li <li@our.example>",
    "Date: Fri, 15 Mar 2024 10:22:00 +0800",
    "Subject: Quarter",
    "Message-ID: <q@our.example>",
)
ASKED = (
    "bcc:quokka", "recipients:quokka", "with:quokka", "quokka", "address:quokka@hush.example",
    "domain:hush.example", "to:quokka", "bcc:law", "with:law", "Quarter NOT bcc:law",
)  # fmt: skip
ONE, TWO = [1, 1, 1, 1, 1, 1, 0, 0, 0, 1], [1, 1, 1, 1, 1, 1, 0, 1, 1, 0]
NOBODY = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]


def letter(*fields: str) -> bytes:
    """Return one copy of the message, with fields that only this copy has."""
    return "\r\n".join([*fields, *LINES, "", "words", ""]).encode()


SENT = letter("Bcc: Quokka <quokka@hush.example>")
RECEIVED = letter("Received: from a by b; Fri, 15 Mar 2024 10:22:01 +0800")
MOVED = letter("X-Mailbox: moved", "Bcc: quokka@hush.example, law@hush.example")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


def take(settings: Settings, folder: Path, *letters: bytes) -> int:
    """Import these letters as one batch, which is returned."""
    offer = folder / f"{len(list(folder.iterdir()))}"
    offer.mkdir()
    for number, raw in enumerate(letters):
        (offer / f"{number}.eml").write_bytes(raw)
    return row_id("bat", bring_in(settings, offer).batch)


def take_back(settings: Settings, batch_id: int) -> None:
    with opened(settings) as services:
        undo_batch(services.store, batch_id)
        services.desk.feed.drain()


def asked(settings: Settings) -> Sequence[int]:
    return [found(settings, query) for query in ASKED]


def only_record(settings: Settings) -> Record:
    with opened(settings) as services:
        with reading(services.store.engine) as connection:
            ids = connection.scalars(select(interactions.c.id)).all()
        (record,) = records(services.store, ids)
    return record


def is_found_in_any_order(settings: Settings, folder: Path, order: Sequence[bytes]) -> None:
    """All copies, whichever is first, name whom any names; the index made anew says the same."""
    for raw in order:
        take(settings, folder, raw)
    assert asked(settings) == TWO, "somebody is not found"
    people = sorted((one.role.value, one.address) for one in only_record(settings).participants)
    assert people == [
        ("bcc", "law@hush.example"),
        ("bcc", "quokka@hush.example"),
        ("from", "boss@our.example"),
        ("to", "li@our.example"),
    ]
    with opened(settings) as services:
        (contact,) = find(services.store, "law@hush.example")
    assert (contact.messages, contact.first_contact_at) == (1, only_record(settings).at)
    assert found(settings, f"contact:{public_id('con', contact.id)}") == 1
    assert findings(settings) == []
    rebuild_index(settings, ACTOR, lambda done, total: None)
    assert asked(settings) == TWO
    assert findings(settings) == []


@pytest.mark.parametrize("order", list(itertools.permutations((SENT, RECEIVED, MOVED))))
def test_blind_copy_is_found_whichever_copy_came_first(
    settings: Settings, tmp_path: Path, order: Sequence[bytes]
) -> None:
    is_found_in_any_order(settings, tmp_path, order)


def test_blind_copy_in_the_same_import_is_found(settings: Settings, tmp_path: Path) -> None:
    take(settings, tmp_path, RECEIVED, SENT, MOVED)
    assert asked(settings) == TWO
    assert findings(settings) == []


def goes_with_the_copies_that_told_of_it(settings: Settings, folder: Path) -> None:
    """An import that is undone takes along whom no other copy names."""
    take(settings, folder, RECEIVED)
    sent = take(settings, folder, SENT)
    moved = take(settings, folder, MOVED)
    assert asked(settings) == TWO
    take_back(settings, moved)
    assert asked(settings) == ONE
    take(settings, folder, MOVED)
    take_back(settings, sent)
    assert asked(settings) == TWO, "one copy is forgotten with another"
    assert findings(settings) == []


def test_blind_copy_goes_with_the_copies_that_told_of_it(
    settings: Settings, tmp_path: Path
) -> None:
    goes_with_the_copies_that_told_of_it(settings, tmp_path)


def test_undone_import_leaves_nothing_of_whom_it_told(settings: Settings, tmp_path: Path) -> None:
    take(settings, tmp_path, RECEIVED)
    told = take(settings, tmp_path, SENT, MOVED)
    take_back(settings, told)
    assert asked(settings) == NOBODY
    assert findings(settings) == []
    take(settings, tmp_path, SENT)
    assert asked(settings) == ONE


def test_report_knows_by_itself_whom_a_copy_names_too(settings: Settings, tmp_path: Path) -> None:
    raw = (CORPUS / "exchange_bcc_and_list.eml").read_bytes()
    inner = raw[raw.index(b"From: Alice") : raw.index(b"\r\n\r\n--_jr_--")] + b"\r\n"
    take(settings, tmp_path, inner)
    told = take(settings, tmp_path, b"Bcc: ceo@contoso.com, law@contoso.com\r\n" + inner)
    (tmp_path / "report.eml").write_bytes(raw)
    bring_in(settings, tmp_path / "report.eml", trusts_reports=True)
    roles = [one.role.value for one in only_record(settings).participants]
    assert roles.count("bcc") == 2, "the same is there twice"
    take_back(settings, told)
    assert [found(settings, one) for one in ("bcc:ceo", "bcc:law", "expanded:dl")] == [1, 0, 1]
    assert findings(settings) == []


def hear_the_first_copy(plant: pytest.MonkeyPatch) -> None:
    """What the first copy says of blind copies is all."""
    plant.setattr(envelopes, "blind_copied", lambda draft: [])


def know_whom_another_names(plant: pytest.MonkeyPatch) -> None:
    """Whom another copy names already need not be named again."""
    plant.setattr(envelopes, "copies_standing", lambda *_: {})


@pytest.mark.unmeasured
def test_filing_that_hears_the_first_copy_alone_is_found_out(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hear_the_first_copy(monkeypatch)
    with pytest.raises(AssertionError, match="somebody is not found"):
        is_found_in_any_order(settings, tmp_path, (RECEIVED, SENT, MOVED))


@pytest.mark.unmeasured
def test_filing_that_forgets_copies_with_one_another_is_found_out(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_whom_another_names(monkeypatch)
    with pytest.raises(AssertionError, match="one copy is forgotten with another"):
        goes_with_the_copies_that_told_of_it(settings, tmp_path)
