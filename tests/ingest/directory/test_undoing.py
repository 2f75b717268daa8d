"""Taking an import of a directory back beside what others did before, meanwhile and after."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from archive_kit import opened, settings_in
from catalogue_kit import START, Filing, Home, Homes, Mail
from directory_kit import bring, everybody, undo_in, vcard, write_cards
from disposal_kit import Hands, Office
from holdfast.core.errors import Conflict
from holdfast.core.identity import row_id
from holdfast.core.query import Phrase
from holdfast.ingest.directory.cards import Rules
from holdfast.ingest.directory.importing import Order, import_directory
from holdfast.storage.catalogue.batches import undo_batch
from holdfast.storage.catalogue.contact_fields import (
    change_fields,
    change_in,
    field_versions,
    fields_in,
)
from holdfast.storage.catalogue.contacts import find
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.linking import Wanted, link
from holdfast.storage.catalogue.schema import batches, companies
from holdfast.storage.directory.undoing import undo_directory
from holdfast.storage.store import Store
from holdfast.wiring.founding import create_archive
from moving_kit import killed_on_the_way
from people_kit import contact_at, findings_about_people
from statement_counts import counted

ANN = vcard("FN:Ann Smith", "EMAIL:ann@acme.com", "TITLE:Buyer", "CATEGORIES:VIP")


def undo(store: Store, batch: str) -> None:
    undo_directory(store, row_id("bat", batch))


def met(store: Store) -> int:
    """File a message of Ann's and return her contact."""
    Filing(store)(Mail(sender="ann@acme.com", to=("bob@example.org",)))
    return contact_at(store, "ann@acme.com")


def test_undo_touches_no_field_that_the_import_did_not(home: Home, tmp_path: Path) -> None:
    store = home.store()
    ann = met(store)
    change_fields(store, ann, {"consents": (("phone", "agreed"),), "groups": ("a", "b")})
    change_fields(store, ann, {"consents": (("mail", "agreed"), ("phone", "agreed"))})
    change_fields(store, ann, {"groups": ("b", "a")})
    before = everybody(store)
    card = vcard("EMAIL:ann@acme.com", "TITLE:Buyer")
    report = bring(store, write_cards(tmp_path / "a.vcf", [card]))
    undo(store, report.batch)
    assert everybody(store) == before
    last = field_versions(store, ann)[-1]
    assert (last.before, last.after) == ({"title": "Buyer"}, {"title": ""})


def test_groups_keep_their_order_when_an_import_of_one_is_undone(
    home: Home, tmp_path: Path
) -> None:
    store = home.store()
    ann = met(store)
    change_fields(store, ann, {"groups": ("a", "b")})
    report = bring(store, write_cards(tmp_path / "a.vcf", [ANN]))
    change_fields(store, ann, {"groups": ("b", "VIP", "a")})
    undo(store, report.batch)
    assert fields_in(store, ann)[0].groups == ("b", "a")


def test_address_of_an_undone_import_goes_with_its_last_message(home: Home, tmp_path: Path) -> None:
    office = Office.of(home.store(), Hands(START + timedelta(seconds=10)))
    store = office.store
    keys = ("n@new.org", "kept@new.org")
    cards = [vcard(f"EMAIL:{key}") for key in keys]
    report = bring(store, write_cards(tmp_path / "a.vcf", cards))
    Filing(store)(Mail(sender=keys[0], to=(keys[1],), body="harpsichord"), Mail(sender="o@old.org"))
    link(store, Wanted(keys[1], contact_at(store, "o@old.org")))
    undo(store, report.batch)
    assert all(find(store, key) for key in keys)
    office.rule("ceiling", 1, Phrase("harpsichord"))
    office.dispose()
    assert [bool(find(store, key)) for key in keys] == [False, True]
    assert findings_about_people(store) == []


def test_import_that_was_undone_while_it_runs_ends(home: Home, tmp_path: Path) -> None:
    store = home.store()
    cards = [vcard(f"FN:n{n}", f"EMAIL:n{n}@x.org") for n in range(250)]
    file = write_cards(tmp_path / "a.vcf", cards)

    def interrupt(done: int, total: int) -> None:
        if done < total:
            with reading(store.engine) as connection:
                batch = connection.scalars(select(batches.c.id)).one()
            undo_directory(store, batch)

    before = everybody(store)
    with pytest.raises(Conflict, match="undone") as caught:
        import_directory(Order((file,), Rules()), store, interrupt)
    assert caught.value.next_step
    assert everybody(store) == before
    assert bring(store, file).counts.created == 250
    assert findings_about_people(store) == []


def cards_of(count: int) -> list[str]:
    """Cards that name people met before and people who are new, each with a company."""
    return [
        vcard(f"FN:n{n}", f"EMAIL:a@c{n}.com", f"EMAIL:b@c{n}.com", f"TEL:+49151{n:07}", "TITLE:T")
        for n in range(count)
    ]


def test_statements_of_an_undo_do_not_grow_with_the_cards(home: Home, tmp_path: Path) -> None:
    store = home.store()
    Filing(store)(*(Mail(sender=f"a@c{n}.com") for n in range(0, 60, 2)))
    before = everybody(store)
    taken = []
    for count in (2, 60):
        report = bring(store, write_cards(tmp_path / f"{count}.vcf", cards_of(count)))
        with counted(store.engine) as run:
            undo(store, report.batch)
        taken.append(len(run))
        assert everybody(store) == before
    assert taken[0] == taken[1]
    assert findings_about_people(store) == []


def test_undo_killed_on_the_way_goes_on(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    create_archive(settings)
    with opened(settings) as services:
        met(services.store)
        before = everybody(services.store)
        file = write_cards(tmp_path / "a.vcf", [ANN, *cards_of(700)])  # more than is undone at once
        report = bring(services.store, file)
    deaths, seen = 0, set()
    for _ in killed_on_the_way(partial(undo_in, settings, report.batch), 30, 25):
        deaths += 1
        with opened(settings) as services:
            seen.add(len(everybody(services.store)))
            assert findings_about_people(services.store) == []
    assert deaths > 3
    assert len(seen) > 2  # some was undone when it was killed
    with opened(settings) as services:
        assert everybody(services.store) == before
        assert findings_about_people(services.store) == []


def test_company_stays_as_long_as_an_address_is_of_it_or_below(home: Home, tmp_path: Path) -> None:
    store = home.store()
    batches = [
        bring(store, write_cards(tmp_path / f"{n}.vcf", [vcard(f"EMAIL:a@{domain}")])).batch
        for n, domain in enumerate(("acme.com", "x.mail.acme.com", "notacme.com", "acme.com.cn"))
    ]
    for batch, left in zip(
        batches,
        (
            {"acme.com", "notacme.com", "acme.com.cn"},
            {"notacme.com", "acme.com.cn"},
            {"acme.com.cn"},
            set(),
        ),
        strict=True,
    ):
        undo(store, batch)
        with reading(store.engine) as connection:
            assert set(connection.scalars(select(companies.c.domain))) == left


def beside(store: Store, changes: dict[str, Any], act: Callable[[], object]) -> None:
    """Act while somebody's changes of Ann are not committed yet; they are once it waits."""
    ann = contact_at(store, "ann@acme.com")
    acting = threading.Thread(target=act)
    with writing(store.engine) as connection:
        change_in(connection, store, ann, (changes, None))
        acting.start()
        until = time.monotonic() + 60
        while time.monotonic() < until:
            waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if connection.scalar(waiting):
                break
    acting.join()


@pytest.mark.parametrize("homes", ["postgres"], indirect=True)
def test_undo_waits_for_who_is_changing_the_contact(homes: Homes, tmp_path: Path) -> None:
    with homes() as home:
        store, other = home.store(), home.store(writer=2)
        ann = met(store)
        report = bring(store, write_cards(tmp_path / "a.vcf", [ANN]))
        undo_batch(store, row_id("bat", report.batch))
        beside(store, {"groups": ("VIP", "mine")}, lambda: undo(other, report.batch))
        assert fields_in(store, ann)[0].groups == ("mine",)


@pytest.mark.parametrize("homes", ["postgres"], indirect=True)
def test_import_waits_for_who_is_changing_the_contact(homes: Homes, tmp_path: Path) -> None:
    with homes() as home:
        store, other = home.store(), home.store(writer=2)
        ann = met(store)
        file = write_cards(tmp_path / "a.vcf", [ANN])
        beside(store, {"title": "Head"}, lambda: bring(other, file))
        assert fields_in(store, ann)[0].title == "Head"
        assert fields_in(store, ann)[0].name == "Ann Smith"
