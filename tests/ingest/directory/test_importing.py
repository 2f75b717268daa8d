"""Whose card it is, what it changes, once and again, and taking it back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from catalogue_kit import Filing, Home, Mail
from directory_kit import bring, everybody, problems_of, vcard, write_cards
from holdfast.core.errors import NotFound, Refused, Unavailable
from holdfast.core.identity import row_id
from holdfast.core.rights import Role
from holdfast.storage.catalogue.contact_fields import change_fields, field_versions, fields_in
from holdfast.storage.catalogue.contacts import find, show
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.linking import Wanted, link
from holdfast.storage.catalogue.merging import merge
from holdfast.storage.catalogue.resolving import suggestions
from holdfast.storage.catalogue.schema import batches, contact_versions, links, source_items
from holdfast.storage.catalogue.timeline import Window, contact_timeline
from holdfast.storage.catalogue.webhook_tables import webhook_events
from holdfast.storage.directory.undoing import undo_directory
from holdfast.storage.rights.users import NewUser, add_user
from holdfast.storage.store import Store
from holdfast.storage.webhooks.endpoints import NewEndpoint, add_endpoint
from people_kit import contact_at, findings_about_people
from statement_counts import counted

ANN = vcard("FN:Ann Smith", "EMAIL:ann@acme.com", "EMAIL:ann@home.org", "TEL:+49 151 1234567",
            "ORG:Acme GmbH;Sales", "TITLE:Buyer", "CATEGORIES:VIP,Berlin")  # fmt: skip


@pytest.fixture
def store(home: Home) -> Store:
    store = home.store()
    Filing(store)(
        Mail(sender="A. S. <ann@acme.com>", to=("Bob <bob@example.org>",)),
        Mail(sender="ann@home.org", to=("bob@example.org",), subject="From home"),
    )
    return store


def undo(store: Store, batch: str) -> Any:
    return undo_directory(store, row_id("bat", batch))


def test_card_names_the_contact_and_brings_its_new_addresses(store: Store, tmp_path: Path) -> None:
    file = write_cards(tmp_path / "a.vcf", [vcard("FN:Ann Smith", "EMAIL:Ann@ACME.com",
                       "TEL:+49 (0)151 1234567", "ORG:Acme GmbH", "TITLE:Buyer")])  # fmt: skip
    report = bring(store, file)
    assert (report.counts.created, report.counts.changed, report.counts.addresses) == (0, 1, 1)
    ann = show(store, contact_at(store, "ann@acme.com"))
    assert (ann.name, ann.company_name) == ("Ann Smith", "Acme GmbH")
    assert {one.key for one in ann.identities} == {"ann@acme.com", "phone:+491511234567"}
    assert findings_about_people(store) == []


def test_trail_follows_an_address_that_a_card_gives(store: Store, tmp_path: Path) -> None:
    card = vcard("FN:Carl", "EMAIL:carl@firm.example", "X-WECHAT:carl_1")
    bring(store, write_cards(tmp_path / "a.vcf", [card]))
    Filing(store)(Mail(sender="carl@firm.example", to=("bob@example.org",), subject="Later"))
    (carl,) = find(store, "wechat:carl_1")
    page = contact_timeline(store, carl.id, Window())
    assert [one.subject for one in page.entries] == ["Later"]
    assert carl.company_domain == ""  # .example is no public suffix
    assert findings_about_people(store) == []


def test_address_of_another_contact_is_a_conflict_and_a_suggestion(
    store: Store, tmp_path: Path
) -> None:
    report = bring(store, write_cards(tmp_path / "a.vcf", [ANN]))
    ann, home = contact_at(store, "ann@acme.com"), contact_at(store, "ann@home.org")
    assert ann != home
    (conflict,) = report.problems
    assert (conflict.kind, conflict.place, conflict.contacts) == ("conflict", "card 1", (ann, home))
    told = [one for one in suggestions(store) if one.reason == "directory"]
    assert [set(one.contact_ids) for one in told] == [{ann, home}]
    with reading(store.engine) as connection:
        (item,) = connection.execute(select(source_items).where(source_items.c.state == "skipped"))
    assert item.reason == "conflict: another contact's"
    merge(store, ann, home)
    assert not [one for one in suggestions(store) if one.reason == "directory"]
    assert bring(store, tmp_path / "a.vcf").counts.conflicts == 0


def test_statements_for_suggestions_do_not_grow_with_the_conflicts(
    home: Home, tmp_path: Path
) -> None:
    store = home.store()
    Filing(store)(*(Mail(sender=f"{one}{n}@x.org") for n in range(30) for one in "ab"))
    cards = [vcard(f"EMAIL:a{n}@x.org", f"EMAIL:b{n}@x.org") for n in range(30)]
    merge(store, contact_at(store, "b0@x.org"), contact_at(store, "b1@x.org"))
    found = []
    for name, some in (("a.vcf", cards[:2]), ("b.vcf", cards)):
        bring(store, write_cards(tmp_path / name, some))
        with counted(store.engine) as run:
            told = [one for one in suggestions(store) if one.reason == "directory"]
        found.append((len(told), len(run)))
    assert found == [(2, found[0][1]), (30, found[0][1])]


def test_same_file_again_changes_nothing(store: Store, tmp_path: Path) -> None:
    file = write_cards(tmp_path / "a.vcf", [ANN, "rubbish\r\n"])
    first = bring(store, file)
    before = everybody(store)
    again = bring(store, file)
    assert (first.is_unchanged, again.is_unchanged, again.batch) == (False, True, "")
    assert (again.counts.unchanged, again.counts.bad) == (1, 1)
    assert everybody(store) == before


def test_file_of_unreadable_cards_alone_is_in_the_ledger(store: Store, tmp_path: Path) -> None:
    file = write_cards(tmp_path / "a.vcf", [vcard("FN:Nobody")])
    report = bring(store, file)
    assert report.is_unchanged
    assert report.batch
    with reading(store.engine) as connection:
        (item,) = connection.execute(select(source_items).where(source_items.c.state == "failed"))
    assert item.reason == "bad: no address"
    assert not bring(store, file).batch


@pytest.mark.parametrize("name", [b"\xff.vcf", b"\xff.csv", b"\xff.xlsx"])
def test_file_whose_name_is_no_utf_8(store: Store, tmp_path: Path, name: bytes) -> None:
    file = tmp_path / os.fsdecode(name)
    with pytest.raises(NotFound) as missing:
        bring(store, file)
    file.write_bytes(vcard("FN:Nobody").encode())
    report = bring(store, file)
    (problem,) = report.problems
    shown = name.replace(b"\xff", b"%FF").decode()
    assert problem.file == shown
    assert shown in str(missing.value)
    with reading(store.engine) as connection:
        (item,) = connection.execute(select(source_items).where(source_items.c.state == "failed"))
        paths = connection.scalars(select(batches.c.paths)).all()
    assert item.item_key.startswith(f"{shown}@")
    assert any(one.endswith(f"/{shown}") for one in paths)
    assert not bring(store, file).batch


def test_what_a_person_said_stays_unless_told(store: Store, tmp_path: Path) -> None:
    ann = contact_at(store, "ann@acme.com")
    change_fields(store, ann, {"name": "Dr. Ann", "groups": ("VIP", "old")})
    change_fields(store, ann, {"groups": ("old",)})
    file = write_cards(tmp_path / "a.vcf", [ANN])
    assert "name" in {p.reason.split()[0] for p in problems_of(store, file) if p.kind == "kept"}
    said, _ = fields_in(store, ann)
    assert (said.name, said.title, said.groups) == ("Dr. Ann", "Buyer", ("old", "Berlin"))
    bring(store, file, overwrites=True)
    said, _ = fields_in(store, ann)
    assert (said.name, said.groups) == ("Ann Smith", ("old", "Berlin", "VIP"))


def test_what_a_person_emptied_stays_empty(store: Store, tmp_path: Path) -> None:
    file = write_cards(tmp_path / "a.vcf", [ANN])
    bring(store, file)
    ann = contact_at(store, "ann@acme.com")
    change_fields(store, ann, {"title": ""})
    assert bring(store, file).is_unchanged
    assert fields_in(store, ann)[0].title == ""


def test_newer_directory_brings_what_an_older_one_said_up_to_date(
    store: Store, tmp_path: Path
) -> None:
    bring(store, write_cards(tmp_path / "a.vcf", [ANN]))
    newer = bring(store, write_cards(tmp_path / "b.vcf", [ANN.replace("Buyer", "Head")]))
    ann = contact_at(store, "ann@acme.com")
    assert fields_in(store, ann)[0].title == "Head"
    undo(store, newer.batch)
    assert fields_in(store, ann)[0].title == "Buyer"


def test_switchboard_makes_no_two_people_one(store: Store, tmp_path: Path) -> None:
    line = "TEL:+49 30 5550"
    cards = [
        vcard("FN:Ann", "EMAIL:a1@x.org", line), vcard("FN:Bob", "EMAIL:b1@x.org", line),
        vcard("FN:Ann", "EMAIL:a2@x.org", line), vcard("FN:Front desk", line),
    ]  # fmt: skip
    report = bring(store, write_cards(tmp_path / "a.vcf", [one.replace("5550", "5550000")
                                                           for one in cards]))  # fmt: skip
    assert (report.counts.created, report.counts.conflicts, report.counts.kept) == (2, 1, 1)
    assert contact_at(store, "a1@x.org") == contact_at(store, "a2@x.org")
    assert contact_at(store, "b1@x.org") != contact_at(store, "a1@x.org")


def test_same_uid_of_two_people_is_a_conflict(store: Store, tmp_path: Path) -> None:
    cards = [vcard(f"FN:{one}", f"EMAIL:{one}@x.org", "UID:1") for one in ("u1", "u2")]
    report = bring(store, write_cards(tmp_path / "a.vcf", cards))
    assert (report.counts.created, report.counts.conflicts) == (2, 1)
    changed = [vcard("FN:u1", "EMAIL:new@x.org", "UID:1")]
    report = bring(store, write_cards(tmp_path / "b.vcf", changed))
    assert (report.counts.created, report.counts.changed) == (0, 1)
    assert contact_at(store, "new@x.org") == contact_at(store, "u1@x.org")


def test_machines_are_nobody(store: Store, tmp_path: Path) -> None:
    Filing(store)(Mail(sender="no-reply@shop.example", to=("bob@example.org",)))
    cards = [
        vcard("FN:Shop", "EMAIL:no-reply@shop.example"),
        vcard("FN:Shop", "EMAIL:noreply@shop.example", "EMAIL:desk@shop.example"),
    ]
    found = problems_of(store, write_cards(tmp_path / "a.vcf", cards))
    assert [one.kind for one in found] == ["bad", "remark"]
    assert [one.key for one in find(store, "desk@shop.example")[0].identities] == [
        "desk@shop.example"
    ]


def test_more_groups_than_a_contact_may_have_are_left_out(store: Store, tmp_path: Path) -> None:
    groups = ",".join(f"g{n}" for n in range(51))
    card = vcard("FN:Ann", "EMAIL:ann@acme.com", f"CATEGORIES:{groups}")
    found = problems_of(store, write_cards(tmp_path / "a.vcf", [card]))
    assert [one.reason for one in found] == ["groups stays as it is"]


def test_trial_counts_as_the_import_does_and_writes_nothing(store: Store, tmp_path: Path) -> None:
    cards = [ANN, vcard("FN:B", "EMAIL:new@x.org", "TEL:+491511234567"), vcard("FN:X")]
    cards += [vcard(f"FN:n{n}", f"EMAIL:n{n}@x.org") for n in range(450)] * 2
    file = write_cards(tmp_path / "a.vcf", cards)
    before = everybody(store)
    trial = bring(store, file, trial=True)
    assert (everybody(store), trial.batch) == (before, "")
    assert trial.counts == bring(store, file).counts
    assert trial.counts.created == 451


def test_undo_gives_back_what_was_before(store: Store, tmp_path: Path) -> None:
    ann = contact_at(store, "ann@acme.com")
    change_fields(
        store, ann, {"grade": "A", "groups": ("mine",), "consents": (("mail", "agreed"),)}
    )
    before = everybody(store)
    report = bring(store, write_cards(tmp_path / "a.vcf", [ANN, vcard("FN:N", "EMAIL:n@new.org")]))
    assert find(store, "n@new.org")
    done = undo(store, report.batch)
    assert (done.links, done.contacts) == (2, 2)
    assert everybody(store) == before
    assert find(store, "n@new.org") == []
    assert (undo(store, report.batch).links, everybody(store)) == (0, before)
    assert findings_about_people(store) == []


def test_undo_leaves_what_came_after_it(store: Store, tmp_path: Path) -> None:
    cards = [vcard("FN:N", "EMAIL:n@new.org", "EMAIL:m@new.org", "EMAIL:k@new.org")]
    report = bring(store, write_cards(tmp_path / "a.vcf", cards))
    ann, new = contact_at(store, "ann@acme.com"), contact_at(store, "n@new.org")
    change_fields(store, new, {"grade": "B"})
    link(store, Wanted("k@new.org", ann))
    Filing(store)(Mail(sender="m@new.org", to=("bob@example.org",)))
    undo(store, report.batch)
    assert contact_at(store, "k@new.org") == ann
    assert contact_at(store, "m@new.org") not in (ann, new)
    assert fields_in(store, new)[0].grade == "B"
    assert find(store, "n@new.org") == []
    assert findings_about_people(store) == []


def test_what_is_undone_can_be_imported_again(store: Store, tmp_path: Path) -> None:
    file = write_cards(tmp_path / "a.vcf", [ANN, vcard("FN:N", "EMAIL:n@new.org")])
    first = bring(store, file)
    after = everybody(store)
    undo(store, first.batch)
    again = bring(store, file)
    assert (everybody(store), again.counts) == (after, first.counts)
    assert findings_about_people(store) == []


def test_only_a_directory_is_undone_so(store: Store) -> None:
    with reading(store.engine) as connection:
        batch = connection.scalar(select(source_items.c.batch_id))
    assert batch is not None
    with pytest.raises(Refused):
        undo_directory(store, batch)
    with pytest.raises(NotFound):
        undo_directory(store, 1)


def test_versions_tell_which_import_said_so(store: Store, tmp_path: Path) -> None:
    report = bring(store, write_cards(tmp_path / "a.vcf", [ANN]))
    (version,) = field_versions(store, contact_at(store, "ann@acme.com"))
    assert version.batch_id == row_id("bat", report.batch)


@pytest.mark.parametrize("table", [contact_versions, links])
def test_tampered_batch_is_named(store: Store, tmp_path: Path, table: Any) -> None:
    bring(store, write_cards(tmp_path / "a.vcf", [ANN]))
    with writing(store.engine) as connection:
        connection.execute(update(table).values(batch_id=None))
    assert findings_about_people(store)


def test_missing_file_and_folder_are_not_found(store: Store, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.vcf"):
        with pytest.raises(NotFound):
            bring(store, path)


def test_file_that_cannot_be_read_is_unavailable(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    file = write_cards(tmp_path / "a.vcf", [ANN])
    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(Unavailable, match="Permission denied"):
        bring(store, file)


def test_others_are_told_who_is_new_and_who_changed(store: Store, tmp_path: Path) -> None:
    user = add_user(store, NewUser("crm", Role.ADMIN))
    events = ("contact.created", "contact.updated")
    add_endpoint(store, NewEndpoint("https://crm.example/", events, user.id))
    cards = [vcard("EMAIL:ann@acme.com", "X-QQ:1"), vcard("EMAIL:n@new.org")]
    report = bring(store, write_cards(tmp_path / "a.vcf", cards))
    ann, new = contact_at(store, "ann@acme.com"), contact_at(store, "n@new.org")
    undo(store, report.batch)
    with reading(store.engine) as connection:
        rows = connection.execute(select(webhook_events).order_by(webhook_events.c.id)).all()
    assert {(row.kind, row.contact_id) for row in rows[:2]} == {
        ("contact.created", new), ("contact.updated", ann),
    }  # fmt: skip
    assert {row.contact_id for row in rows[2:]} == {ann, new}
