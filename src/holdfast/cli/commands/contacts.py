"""`contact find|show|timeline|merge|undo`: people by their addresses, and their trail."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands.contact_care import WHO, register_care
from holdfast.cli.commands.contact_consents import consent_text, consent_value
from holdfast.cli.commands.contact_import import register_import
from holdfast.cli.screen import GOOD, Column, amount
from holdfast.core.errors import NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from holdfast.cli.session import Session
    from holdfast.storage.catalogue.contact_fields import Fields
    from holdfast.storage.catalogue.contacts import Contact
    from holdfast.storage.catalogue.timeline import Entry
    from holdfast.storage.store import Store

_LIMIT = 50


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Find people, show their trail, merge them.")
    add(group, "find", find, FindOptions)
    add(group, "show", show, ShowOptions)
    add(group, "timeline", timeline, TimelineOptions)
    add(group, "merge", merge, MergeOptions)
    add(group, "undo", undo, UndoOptions)
    register_care(group)
    register_import(group)
    app.add_typer(group, name="contact")


@dataclass(frozen=True, slots=True)
class FindOptions:
    """Options of `contact find`."""

    text: Annotated[
        str,
        typer.Argument(
            metavar="TEXT", help="Part of an address or a name, a domain, or a name's pinyin."
        ),
    ]
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most so many.")] = 20
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def find(session: Session, options: FindOptions) -> None:
    """Find contacts by address, name, domain or pinyin; those last in touch come first."""
    from holdfast.storage.catalogue import contacts

    with session.archive() as services:
        found = contacts.find(services.store, options.text, options.limit)
    if options.as_json:
        shown = [contact_value(one) for one in found]
        session.screen.json({"schema": "holdfast.contacts/1", "contacts": shown})
    elif found:
        print_contacts(session, found)
    else:
        session.screen.note("Nobody is called {text!r}.", text=options.text)


def print_contacts(session: Session, found: Iterable[Contact]) -> None:
    """Print contacts, one a line."""
    columns = [
        Column("Name", ratio=2),
        Column("Address", ratio=3),
        Column("Last", style="dim"),
        Column("Messages", is_number=True),
        Column("Id", style="cyan"),
    ]
    session.screen.table(
        columns,
        [
            (
                one.name,
                _addresses(one),
                _day(session, one.last_contact_at),
                amount(sum(identity.messages for identity in one.identities)),
                _name(one.id),
            )
            for one in found
        ],
    )


def _addresses(contact: Contact) -> str:
    first = contact.identities[0].key if contact.identities else ""
    more = len(contact.identities) - 1
    return f"{first} +{more}" if more > 0 else first


def _name(contact_id: int) -> str:
    from holdfast.core.identity import public_id

    return public_id("con", contact_id)


def _day(session: Session, instant: datetime | None) -> str:
    return f"{instant.astimezone(session.settings.zone):%Y-%m-%d}" if instant else "–"


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """Options of `contact show`."""

    contact: Annotated[str, typer.Argument(metavar="CONTACT", help=WHO)]
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def show(session: Session, options: ShowOptions) -> None:
    """Show a contact: its addresses, its company, when it was first and last in touch."""
    from holdfast.core.identity import public_id
    from holdfast.storage.catalogue import contacts
    from holdfast.storage.catalogue.consents import consents_of
    from holdfast.storage.catalogue.contact_fields import fields_in
    from holdfast.storage.catalogue.linking import links_of
    from holdfast.storage.catalogue.merging import merges_of

    with session.archive() as services:
        one = contacts.show(services.store, contact_id_of(services.store, options.contact))
        said, _ = fields_in(services.store, one.id)
        consents = consents_of(services.store, one.id)
        merges = [m for m in merges_of(services.store, one.id) if m.undone_ms is None]
        links = [made for made in links_of(services.store, one.id) if made.undone_ms is None]
    screen = session.screen
    if options.as_json:
        fields = {**asdict(said), "consents": dict(said.consents)}
        fields["consent_states"] = [consent_value(each) for each in consents]
        screen.json({"schema": "holdfast.contact/1", **contact_value(one), "fields": fields})
        return
    screen.title("{name}", name=one.name or _name(one.id))
    screen.facts(
        [
            ("Id", _name(one.id)),
            ("Company", " ".join(p for p in (one.company_name, one.company_domain) if p) or "–"),
            ("Belongs to us", screen.words("yes" if one.is_internal else "no")),
            *((name, text) for name, text in _said(said) if text),
            *(("Consent", consent_text(session, each)) for each in consents),
            ("First contact", _day(session, one.first_contact_at)),
            ("Owner", one.owner or "–"),
            ("Last contact", _day(session, one.last_contact_at)),
            *(("Merge", _merge_text(merge.id, merge.loser_id)) for merge in merges),
            *(("Link", public_id("lnk", link.id)) for link in links),
        ]
    )
    screen.table(
        [Column("Address", ratio=3), Column("Name", ratio=2), Column("Messages", is_number=True)],
        [(i.key, i.name, amount(i.messages)) for i in one.identities],
    )
    screen.hint("Next: holdfast contact timeline {id}", id=_name(one.id))


def _said(said: Fields) -> list[tuple[str, str]]:
    return [
        ("Title", said.title), ("Grade", said.grade), ("Groups", ", ".join(said.groups)),
        ("Note", said.note),
    ]  # fmt: skip


def _merge_text(merge_id: int, loser_id: int) -> str:
    from holdfast.core.identity import public_id

    return f"{public_id('mrg', merge_id)}: {_name(loser_id)}"


def contact_value(one: Contact) -> dict[str, Any]:
    """Return a contact for JSON."""
    return {
        "id": _name(one.id),
        "name": one.name,
        "state": one.state,
        "company": {"domain": one.company_domain, "name": one.company_name},
        "is_internal": one.is_internal,
        "first_contact_at": _stamp(one.first_contact_at),
        "last_contact_at": _stamp(one.last_contact_at),
        "identities": [
            {
                "kind": i.kind,
                "value": i.value,
                "name": i.name,
                "messages": i.messages,
                "valid_from_at": _stamp(i.valid_from_at),
                "valid_to_at": _stamp(i.valid_to_at),
            }
            for i in one.identities
        ],
        "owner": one.owner,
        "version": one.version,
        "merged": [_name(loser) for loser in one.merged],
    }


def _stamp(instant: datetime | None) -> str | None:
    return instant.isoformat().replace("+00:00", "Z") if instant else None


def contact_id_of(store: Store, text: str) -> int:
    """Return the one contact that the text means.

    Raises:
        NotFound: Nobody is meant.
        Refused: Several may be meant.
    """
    from holdfast.core.address_forms import address_forms
    from holdfast.core.identity import row_id
    from holdfast.storage.catalogue import contacts

    if text.strip().lower().startswith("con_"):
        return row_id("con", text)
    found = contacts.find(store, text, 6)
    if not found:
        raise NotFound(f"Nobody is called {text!r}.", next_step="Try 'holdfast contact find'.")
    keys = {*address_forms(text), text.strip().casefold()}
    has_address = any(i.key in keys for i in found[0].identities)
    if len(found) > 1 and not has_address:
        raise Refused(
            f"{text!r} may mean several contacts.",
            next_step="Give one of them:",
            ids=[f"{_name(one.id)}  {one.name} {_addresses(one)}" for one in found],
        )
    return found[0].id


@dataclass(frozen=True, slots=True)
class TimelineOptions:
    """Options of `contact timeline`."""

    contact: Annotated[str, typer.Argument(metavar="CONTACT", help=WHO)]
    after: Annotated[
        str, typer.Option("--after", metavar="DATE", help="At or after it.", show_default=False)
    ] = ""
    before: Annotated[
        str, typer.Option("--before", metavar="DATE", help="Before it.", show_default=False)
    ] = ""
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=1000, help="Length of a page.")
    ] = _LIMIT
    cursor: Annotated[
        str, typer.Option("--cursor", help="From the page before.", show_default=False)
    ] = ""
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def timeline(session: Session, options: TimelineOptions) -> None:
    """List everything that a contact took part in, newest first, over all its addresses."""
    from holdfast.cli.trail import note_reading
    from holdfast.storage.catalogue.timeline import Window, contact_timeline

    window = Window(
        session.instant(options.after) if options.after else None,
        session.instant(options.before) if options.before else None,
        options.cursor,
        options.limit,
    )
    with session.archive() as services:
        contact_id = contact_id_of(services.store, options.contact)
        page = contact_timeline(services.store, contact_id, window)
        note_reading(services, [(_name(contact_id), contact_id)], "timeline")
    screen = session.screen
    if options.as_json:
        values = [_entry_value(entry) for entry in page.entries]
        body = {"contact": _name(contact_id), "entries": values, "cursor": page.cursor}
        screen.json({"schema": "holdfast.timeline/1", **body})
        return
    print_entries(session, page.entries)
    if page.cursor:
        screen.hint("Next page: --cursor {cursor}", cursor=page.cursor)


def print_entries(session: Session, entries: Iterable[Entry]) -> None:
    """Print the entries of a timeline, one a line."""
    from holdfast.cli.lists import when
    from holdfast.core.identity import public_id

    arrows = {"in": "←", "out": "→", "internal": "↔"}
    rows = [
        (
            when(entry.at, session.settings.zone),
            arrows.get(entry.direction, "·"),
            entry.subject or session.screen.words("(no subject)"),
            str(entry.attachments or ""),
            public_id("msg", entry.id),
        )
        for entry in entries
    ]
    columns = [
        Column("When", style="dim"),
        Column(""),
        Column("Subject", ratio=1),
        Column("Files", is_number=True),
        Column("Id", style="cyan"),
    ]
    session.screen.table(columns, rows)


def _entry_value(entry: Entry) -> dict[str, Any]:
    from holdfast.core.identity import public_id

    return {
        "id": public_id("msg", entry.id),
        "kind": entry.kind,
        "channel": entry.channel,
        "at": _stamp(entry.at),
        "direction": entry.direction,
        "subject": entry.subject,
        "participants": [
            {"role": p.role.value, "name": p.name, "address": p.address,
             "contact_id": _name(p.contact_id) if p.contact_id else None}
            for p in entry.participants
        ],
        "thread_id": public_id("thr", entry.thread_id),
        "attachments": entry.attachments,
        "is_bulk": entry.is_bulk,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class MergeOptions:
    """Options of `contact merge`."""

    winner: Annotated[str, typer.Argument(metavar="CONTACT", help=f"Who stays. {WHO}")]
    loser: Annotated[str, typer.Argument(metavar="OTHER", help="Who is the same person.")]
    dry_run: Annotated[bool, flag("--dry-run", text="Only say what would become one.")] = False


def merge(session: Session, options: MergeOptions) -> None:
    """Make two contacts one; both trails become one. It can be undone exactly."""
    from holdfast.core.identity import public_id
    from holdfast.storage.catalogue import contacts, merging

    with session.archive() as services:
        store = services.store
        winner, loser = contact_id_of(store, options.winner), contact_id_of(store, options.loser)
        if options.dry_run:
            print_contacts(session, [contacts.show(store, one) for one in (winner, loser)])
            session.screen.note("Nothing was changed.")
            return
        merge_id = public_id("mrg", merging.merge(store, winner, loser))
        services.desk.feed.drain()
    session.screen.result("Merged. {winner} stands for both.", style=GOOD, winner=_name(winner))
    session.screen.hint("To take it back: holdfast contact undo {merge}", merge=merge_id)


@dataclass(frozen=True, slots=True)
class UndoOptions:
    """Options of `contact undo`."""

    merge: Annotated[str, typer.Argument(metavar="MERGE", help="A merge (mrg_…).")]


def undo(session: Session, options: UndoOptions) -> None:
    """Take a merge back exactly, also when later merges stand on it."""
    from holdfast.core.identity import row_id
    from holdfast.storage.catalogue import merging

    with session.archive() as services:
        merging.undo(services.store, row_id("mrg", options.merge))
        services.desk.feed.drain()
    session.screen.result("Taken back: {merge}.", style=GOOD, merge=options.merge)
