"""An archive that has met everything that leaves rows behind: what an editor could get at."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, select

from archive_kit import NOW, bring_in, message, opened, settings_in, write_mbox
from disposal_kit import Hands, Office, searching
from export_kit import made
from holdfast.core.holds import HoldTerms
from holdfast.core.identity import row_id
from holdfast.core.query import Phrase
from holdfast.core.rights import Reach, Role
from holdfast.retention.certificates import Surroundings, conclude
from holdfast.retention.changes import Draft, approve, propose, retire, withdraw
from holdfast.retention.disposal import Asked, due, except_item, freeze, review
from holdfast.retention.disposal import withdraw as give_up
from holdfast.retention.policies import DELAY_MS
from holdfast.settings import Settings
from holdfast.storage.anchoring.anchors import Cast, Kind, Stamped, keep_anchor
from holdfast.storage.annotations.bulk import annotate_many, undo_many
from holdfast.storage.annotations.values import Change
from holdfast.storage.annotations.writing import annotate
from holdfast.storage.catalogue.batches import undo_batch
from holdfast.storage.catalogue.companies import add_internal
from holdfast.storage.catalogue.contact_fields import change_fields
from holdfast.storage.catalogue.contacts import find
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.governance_tables import clock_marks, disposal_items
from holdfast.storage.catalogue.later_facts import Known, note_later
from holdfast.storage.catalogue.linking import Wanted, link, unlink
from holdfast.storage.catalogue.merging import merge, undo
from holdfast.storage.catalogue.schema import captures, interactions, originals
from holdfast.storage.governance.holds import NewHold, place_hold
from holdfast.storage.governance.matters import change_matter, open_matter
from holdfast.storage.governance.notices import acknowledge, give_notice
from holdfast.storage.governance.policies import Wording
from holdfast.storage.governance.sweeping import sweep_hold
from holdfast.storage.rights.api_keys import NewKey, create_key, revoke_key
from holdfast.storage.rights.grants import NewGrant, add_grant, remove_grant
from holdfast.storage.rights.teams import create_team, join_team
from holdfast.storage.rights.totp import enrol_totp
from holdfast.storage.rights.users import NewUser, add_user, disable_user, link_user
from holdfast.storage.store import Store
from holdfast.storage.upkeep import shred
from holdfast.wiring.archive import Services


def rich_archive(folder: Path) -> Settings:
    """Import, import again, take back, merge, join, note, destroy, export: none of it is damage."""
    settings = settings_in(folder)
    first = folder / "first"
    first.mkdir()
    write_mbox(first / "box.mbox", [*map(message, range(6)), message(2), *_thread(), _carrier()])
    (first / "broken.zip").write_bytes(b"PK\x03\x04 broken")
    (first / ".DS_Store").write_bytes(b"\0")
    bring_in(settings, first, custodian="Ms Example")
    taken_back = bring_in(settings, write_mbox(folder / "second.mbox", map(message, range(4, 9))))
    bring_in(settings, write_mbox(folder / "third.mbox", [_joining()]))
    bring_in(settings, write_mbox(folder / "fourth.mbox", _disposable()))
    with opened(settings) as services:
        store = services.store
        undo_batch(store, row_id("bat", taken_back.batch))
        add_internal(store, "example.org")
        people = [find(store, f"sender{n}@example.com")[0].id for n in range(4)]
        merge(store, people[0], people[1])
        undo(store, merge(store, people[2], people[3]))
        _link(store, people)
        with store.engine.connect() as connection:
            last = connection.scalars(select(originals.c.id).order_by(originals.c.id)).all()[-1]
            held = connection.execute(select(captures.c.id, captures.c.source_id).limit(2)).all()
        note_later(store, held[0].source_id, [Known(row.id, ("\\Seen",)) for row in held])
        _annotate(store)
        shred(store, [last])
        _give_rights(store)
        _hold(services)
        _dispose(services)
        services.desk.feed.drain()
        services.desk.sequencer.run()
        log = services.desk.sequencer.log
        for kind, stamped in ((Kind.TOKEN, Stamped(b"token", 1)), (Kind.WITNESS, None)):
            keep_anchor(store, Cast(kind, "outside", log.checkpoint, log.note, stamped))
        services.desk.sequencer.run()
    made(settings, folder / "package.zip", "alpha")
    return settings


def _link(store: Store, people: list[int]) -> None:
    """Give addresses to contacts, for a time and for good, take one back; say things of one."""
    link(store, Wanted("salesforce:0035g", people[2]))
    link(store, Wanted("reader@example.org", people[2], 5, 1_900_000_000_000))
    unlink(store, link(store, Wanted("sender0@example.com")).id)
    change_fields(store, people[2], {"name": "Ms Two", "grade": "A", "roles": ("buyer",)})
    change_fields(store, people[2], {"owner": "ann", "consents": (("wecom", "agreed"),)})


def _give_rights(store: Store) -> None:
    """Two users of one person, a team, a key, a grant that was taken back, and one that stands."""
    add_user(store, NewUser("ann", Role.ADMIN, "Ann", password="a long password"))
    link_user(store, "ann", "https://issuer.example", "ann")
    enrol_totp(store, "ann")
    add_user(store, NewUser("ann-reads", Role.LEGAL, person="ann", addresses=("a@example.org",)))
    key, _ = create_key(store, NewKey("ann", name="crm", networks=("10.0.0.0/8",)))
    create_key(store, NewKey("ann"))
    revoke_key(store, key.id)
    create_team(store, "Sales")
    join_team(store, "Sales", "ann-reads")
    remove_grant(store, add_grant(store, NewGrant("ann-reads", Reach.ALL)).id)
    add_grant(store, NewGrant("ann-reads", Reach.QUERY, "word1", Phrase("word1"), reason="case"))
    add_user(store, NewUser("gone", Role.GUEST))
    disable_user(store, "gone")


def _hold(services: Services) -> None:
    """Place a hold, tell of it, and let it hold what there is."""
    store = services.store
    matter = open_matter(store, "Case", "K-7", "of March")
    matter = change_matter(store, matter.id, matter.version, reference="K-8", note=None)
    terms = HoldTerms(("Ms Example",), NOW - timedelta(days=3650), NOW, Phrase("body"))
    hold = place_hold(store, NewHold(matter.id, "Bodies", "dispute", terms, "body", "body"))
    sweep_hold(store, hold, lambda _: [])  # all waits for the index still
    _, code = give_notice(store, hold.id, "Ms Example", "Keep your mail.")
    acknowledge(store, code, "example")
    give_notice(store, hold.id, "Mr Example", "Keep your mail.")


def _disposable() -> Iterator[bytes]:
    """Three messages that nothing holds; one address is in none but the first."""
    for number in range(50, 53):
        raw = message(number, body=f"Harpsichord {number}.")
        yield raw.replace(b"sender1", b"nobody-else") if number == 50 else raw


def _dispose(services: Services) -> None:
    """Rules in every state, a disposal that was carried out, one that waits, one given up."""
    with writing(services.store.engine) as connection:
        connection.execute(delete(clock_marks))
    office = Office.of(services.store, Hands(datetime.now(UTC)))
    office.rule("ceiling", 1, Phrase("harpsichord"), name="harpsichords")
    office.rule("floor", 30, Phrase("harpsichord"), name="over")
    store = office.store
    retire(store, "over", office.ann, "no more")
    approve(store, "over", office.ben)
    office.pass_ms(DELAY_MS)
    propose(store, Draft("harpsichords", "ceiling", 9, Phrase("x"), Wording("x", "x")), office.ann)
    withdraw(store, "harpsichords")
    propose(store, Draft("waits", "ceiling", 9, Phrase("x"), Wording("x", "x"), "§"), office.ann)
    approved = office.approved()
    with reading(store.engine) as connection:
        some = connection.scalars(
            select(disposal_items.c.interaction_id).where(
                disposal_items.c.disposal_id == approved.id
            )
        ).all()
    except_item(store, approved.id, some[-1], "asked by court")
    office.execute(approved.id)
    around = Surroundings("archive.example/log", "checkpoint", 35, {})
    conclude(store, approved.id, around, store.keyring.signing_key())
    (left,) = due(store, searching(store), store.now_ms())
    give_up(store, freeze(store, [left], Asked(office.ann), store.now_ms()).id)
    review(store, freeze(store, [left], Asked(office.ann), store.now_ms()).id, Asked(office.ben))


def _annotate(store: Store) -> None:
    """Add to two messages, change it, and change many at once and take that back."""
    with store.engine.connect() as connection:
        ids = connection.scalars(select(interactions.c.id).order_by(interactions.c.id)).all()
    annotate(store, ids[0], Change(add_tags=("urgent",), add_notes=("call back",), owner="ann"))
    annotate(store, ids[0], Change(summary="An offer.", retain_from_ms=1_700_000_000_000))
    annotate(store, ids[1], Change(add_links=("https://crm.example/7",)))
    undo_many(store, annotate_many(store, ids[:4], Change(add_tags=("q1",)), "tag q1").job_id)


def _thread() -> Iterator[bytes]:
    """Two conversations, of which nothing says yet that they are one."""
    yield message(20, subject="alpha")
    yield message(21, subject="Re: alpha", headers=["References: <m20@example.com>"])
    yield message(30, subject="beta")


def _joining() -> bytes:
    return message(
        31, subject="Re: beta", headers=["References: <m30@example.com> <m20@example.com>"]
    )


def _carrier() -> bytes:
    """A message with two attachments."""
    part = (
        "--b\nContent-Type: application/octet-stream\n"
        'Content-Disposition: attachment; filename="{name}"\nContent-Transfer-Encoding: base64\n\n'
        "{data}\n"
    )
    parts = [
        part.format(name=name, data=base64.b64encode(name.encode()).decode())
        for name in ("one.bin", "two.bin")
    ]
    body = "--b\nContent-Type: text/plain\n\nTwo files.\n" + "".join(parts) + "--b--\n"
    raw = message(40, body=body, headers=["MIME-Version: 1.0"])
    return raw.replace(b"text/plain; charset=utf-8", b'multipart/mixed; boundary="b"', 1)
